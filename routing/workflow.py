"""A Workflow document: checked once, then asked "where does this task go next?".

A document is a list of filters, each with targets, and perhaps a default filter. The first filter
whose expression is true of the task takes it; the task then waits at one target after the other,
each for as long as the target says. Where a task stands is a position, two small integers. All of
it is pure: time, workers and counts are the caller's, who asks again when a wait is over.

    first_step   the task enters the workflow, or is evaluated anew
    next_step    its wait at a step is over: by timeout, or because `skip_if` held
    step_at      the step of a stored position

The rules are those of Twilio's "Workflow configuration" and "Lifecycle of a Task: Workflows":
the targets of a filter in their order, then the next filter below that is true, then nothing. The
default filter takes a task that no filter takes, and one that was skipped through all that did (a
skip counts as no match), but never one whose wait at a filter's last target timed out.

A document is refused as a whole, with the JSON path of what is wrong; nothing unknown is ignored,
since a misspelt key would otherwise be found by the callers who wait for ever.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn, TypeVar

from routing.errors import ExpressionError, InvalidParameter
from routing.expressions import (
    Context,
    Expression,
    Reference,
    WorkerOrder,
    compile_expression,
    compile_order_by,
    parse_reference,
    value_at,
)
from routing.json_text import JSONObject, JSONValue, kind_of, read_object
from routing.sids import TASK_QUEUE, is_sid

#: Twilio's own limit for a configuration.
MAX_BYTES = 1_038_576

#: As for a task's own priority.
MAX_PRIORITY = 2_147_483_647

#: The longest time to live a task can have: a longer wait could never end.
MAX_TIMEOUT_SECONDS = 1_209_600

#: The filter index of the default filter, where a position is stored.
DEFAULT_FILTER = -1


@dataclass(frozen=True, kw_only=True)
class KnownWorker:
    """The one worker a step is meant for, named by an attribute of the task."""

    #: True: the attribute holds a worker's SID; False: a friendly name.
    by_sid: bool
    reference: Reference

    def value(self, task: Mapping[str, object]) -> object:
        """What the task says, of whatever type; None where it says nothing."""
        return value_at({"task": task}, self.reference.path)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A target in its place: whom a task waits for there, and how long."""

    #: The filter's index in the document, or DEFAULT_FILTER.
    filter_index: int
    target_index: int
    filter_name: str | None
    #: Its own, or that of the target before it.
    queue_sid: str
    #: The task's priority from here on; None leaves it as it is.
    priority: int | None
    #: On `{"worker": ..., "task": ...}`; None asks nothing beyond the queue's own expression.
    expression: Expression | None
    #: None waits until the task's time to live is over.
    timeout_seconds: int | None
    #: On `{"workers": {"available": ..., ...}}`, asked if no reservation can be made on entry.
    skip_if: Expression | None
    order_by: WorkerOrder | None
    known_worker: KnownWorker | None

    @property
    def position(self) -> tuple[int, int]:
        return self.filter_index, self.target_index


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A condition on the task's bare attributes, and the steps of a task that meets it."""

    name: str | None
    expression: Expression
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class WorkflowDocument:
    """A configuration that was checked."""

    filters: tuple[Filter, ...]
    #: The one step of the default filter.
    default: Step | None

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step, in the document's order."""
        own = tuple(step for each in self.filters for step in each.steps)
        return own if self.default is None else (*own, self.default)

    @cached_property
    def queue_sids(self) -> frozenset[str]:
        """The task queues it sends tasks to."""
        return frozenset(step.queue_sid for step in self.steps)


def first_step(document: WorkflowDocument, task: Context) -> Step | None:
    """Where a task begins; None if nothing takes it.

    `task` holds its attributes as bare names, and the built-in ones (`task_channel_unique_name`).
    """
    return _step_of_filter_from(document, 0, task) or document.default


def next_step(
    document: WorkflowDocument, position: tuple[int, int], task: Context, *, skipped: bool = False
) -> Step | None:
    """Where a task goes whose wait at `position` is over; None if it falls out of the workflow.

    `skipped` says that `skip_if` held there, rather than that the time was up.
    """
    filter_index, target_index = position
    if filter_index == DEFAULT_FILTER:
        return None
    following = step_at(document, (filter_index, target_index + 1))
    if following is None:
        following = _step_of_filter_from(document, filter_index + 1, task)
    if following is None and skipped:
        following = document.default
    return following


def step_at(document: WorkflowDocument, position: tuple[int, int]) -> Step | None:
    """The step at a stored position; None if this document has no such place."""
    filter_index, target_index = position
    if filter_index == DEFAULT_FILTER:
        return document.default if target_index == 0 else None
    if not 0 <= filter_index < len(document.filters):
        return None
    steps = document.filters[filter_index].steps
    return steps[target_index] if 0 <= target_index < len(steps) else None


def _step_of_filter_from(document: WorkflowDocument, index: int, task: Context) -> Step | None:
    for each in document.filters[index:]:
        if each.expression.matches(task):
            return each.steps[0]
    return None


def parse_workflow(
    configuration: str | bytes, *, known_queue: Callable[[str], bool]
) -> WorkflowDocument:
    """The document that `configuration` writes.

    `known_queue` says whether a task queue with this SID exists; it is asked once per queue.
    Raises InvalidParameter, which names the place by its JSON path and what was expected there.
    """
    document = read_object(configuration, parameter="Configuration", limit=MAX_BYTES)
    size = len(configuration.encode() if isinstance(configuration, str) else configuration)
    if size > MAX_BYTES:
        raise InvalidParameter("Configuration", f"expected at most {MAX_BYTES} bytes")
    top = _Place("", document)
    top.check_keys("task_routing")
    return _Reader(known_queue).document(top.object_at("task_routing"))


Compiled = TypeVar("Compiled")


class _Place:
    """An object in the document and the way to it, so that a refusal can name its place."""

    def __init__(self, path: str, members: JSONObject) -> None:
        self.path = path
        self._members = members

    def refuse(self, key: str, expected: str) -> NoReturn:
        raise InvalidParameter("Configuration", f"{self._path_to(key)}: {expected}")

    def check_keys(self, *known: str) -> None:
        for key in self._members:
            if key not in known:
                self.refuse(_shown(key), f"unknown key, expected {', '.join(known)}")

    def get(self, key: str) -> JSONValue:
        """What stands there; null is as good as nothing."""
        return self._members.get(key)

    def object_at(self, key: str) -> "_Place":
        value = self.get(key)
        if not isinstance(value, dict):
            self.refuse(key, f"expected an object, found {_found(value)}")
        return _Place(self._path_to(key), value)

    def objects_at(self, key: str) -> list["_Place"]:
        """The objects of an array; none where there is no array."""
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(key, f"expected an array, found {_found(value)}")
        places = []
        for index, element in enumerate(value):
            if not isinstance(element, dict):
                self.refuse(f"{key}[{index}]", f"expected an object, found {_found(element)}")
            places.append(_Place(self._path_to(f"{key}[{index}]"), element))
        return places

    def text_at(self, key: str) -> str | None:
        value = self.get(key)
        if value is not None and not isinstance(value, str):
            self.refuse(key, f"expected a string, found {_found(value)}")
        return value

    def whole_number_at(self, key: str, *, low: int, high: int) -> int | None:
        """A number, or a text that writes one: the console and the guides use both."""
        value = self.get(key)
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(key, f"expected a whole number from {low} to {high}")
        return value

    def compiled_at(self, key: str, compiler: Callable[[str], Compiled]) -> Compiled | None:
        """What a text compiles to; an empty text is as good as none."""
        text = self.text_at(key)
        if text is None or not text.strip():
            return None
        try:
            return compiler(text)
        except ExpressionError as error:
            self.refuse(key, f"{error.expected} (line {error.line}, column {error.column})")

    def _path_to(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


#: A number in quotes. Ten digits are enough for every limit here.
_WHOLE = re.compile(r"[0-9]{1,10}")

_TARGET_KEYS = (
    "queue",
    "expression",
    "priority",
    "skip_if",
    "order_by",
    "known_worker_sid",
    "known_worker_friendly_name",
)


class _Reader:
    """Reads one document."""

    def __init__(self, known_queue: Callable[[str], bool]) -> None:
        self._known_queue = known_queue
        self._queues: set[str] = set()

    def document(self, routing: _Place) -> WorkflowDocument:
        routing.check_keys("filters", "default_filter")
        filters = tuple(
            self._filter(place, index) for index, place in enumerate(routing.objects_at("filters"))
        )
        default = None
        if routing.get("default_filter") is not None:
            place = routing.object_at("default_filter")
            place.check_keys(*_TARGET_KEYS)
            default = self._step(place, (DEFAULT_FILTER, 0), name=None, inherited=None)
        return WorkflowDocument(filters=filters, default=default)

    def _filter(self, place: _Place, index: int) -> Filter:
        place.check_keys("filter_friendly_name", "friendly_name", "expression", "targets")
        name = self._name(place)
        expression = place.compiled_at("expression", compile_expression)
        if expression is None:
            place.refuse("expression", "expected an expression")
        steps: list[Step] = []
        for target_index, target in enumerate(place.objects_at("targets")):
            target.check_keys(*_TARGET_KEYS, "timeout")
            inherited = steps[-1].queue_sid if steps else None
            steps.append(self._step(target, (index, target_index), name=name, inherited=inherited))
        if not steps:
            place.refuse("targets", "expected at least one target")
        return Filter(name=name, expression=expression, steps=tuple(steps))

    def _name(self, place: _Place) -> str | None:
        """`filter_friendly_name`, or `friendly_name` as it was called in 2015."""
        name, older = place.text_at("filter_friendly_name"), place.text_at("friendly_name")
        if name is not None and older is not None and name != older:
            place.refuse("friendly_name", "expected one name, found another filter_friendly_name")
        return older if name is None else name

    def _step(
        self, place: _Place, position: tuple[int, int], *, name: str | None, inherited: str | None
    ) -> Step:
        filter_index, target_index = position
        return Step(
            filter_index=filter_index,
            target_index=target_index,
            filter_name=name,
            queue_sid=self._queue(place, inherited),
            priority=place.whole_number_at("priority", low=0, high=MAX_PRIORITY),
            expression=place.compiled_at("expression", compile_expression),
            timeout_seconds=place.whole_number_at("timeout", low=0, high=MAX_TIMEOUT_SECONDS),
            skip_if=place.compiled_at("skip_if", compile_expression),
            order_by=place.compiled_at("order_by", compile_order_by),
            known_worker=self._known_worker(place),
        )

    def _queue(self, place: _Place, inherited: str | None) -> str:
        sid = place.text_at("queue")
        if sid is None:
            if inherited is None:
                place.refuse("queue", "expected the SID of a TaskQueue")
            return inherited
        if sid not in self._queues:
            if not is_sid(sid, TASK_QUEUE):
                place.refuse("queue", f"expected the SID of a TaskQueue, found {_shown(sid)}")
            if not self._known_queue(sid):
                place.refuse("queue", f"there is no TaskQueue {sid} in this workspace")
            self._queues.add(sid)
        return sid

    def _known_worker(self, place: _Place) -> KnownWorker | None:
        by_sid = place.compiled_at("known_worker_sid", _task_reference)
        by_name = place.compiled_at("known_worker_friendly_name", _task_reference)
        if by_sid is not None and by_name is not None:
            place.refuse("known_worker_friendly_name", "expected no known_worker_sid beside it")
        reference = by_sid or by_name
        if reference is None:
            return None
        return KnownWorker(by_sid=by_sid is not None, reference=reference)


def _task_reference(text: str) -> Reference:
    return parse_reference(text, root="task")


def _found(value: JSONValue) -> str:
    return "nothing" if value is None else kind_of(value)


def _shown(text: str) -> str:
    """Somebody else's text, quoted where it is odd and cut to what a message can bear."""
    return text if text.isidentifier() and len(text) <= _SHOWN else ascii(text[:_SHOWN])


_SHOWN = 40
