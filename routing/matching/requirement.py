"""What a Worker must be to get a Task, and the first thing that is not so.

One requirement is shared by all Tasks that ask for the same. It comes in two halves: what a
Worker's attributes settle, and what depends on the load of the moment (`worker.channel.*`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from routing.expressions import And, Context, Expression, value_at
from routing.matching.records import Candidate, ChannelLoad, Obstacle, WaitingTask, load_context
from routing.task_queue import EVERYBODY, TaskQueue, belonging

#: The settled half and the lively half of an expression.
Halves: TypeAlias = tuple[Expression, Expression]
#: What tells one requirement from another.
RequirementKey: TypeAlias = tuple[str, str, str, str, frozenset[str]]

#: Where an expression reads load instead of attributes: bare in queues, prefixed in targets.
_LOAD_IN_QUEUE = "channel"
_LOAD_IN_TARGET = "worker.channel"
#: Below what a target's expression reads a Worker.
TARGET_ROOT = "worker"


@lru_cache(maxsize=8192)
def halves_of_queue(target_workers: str) -> Halves:
    """The condition on who belongs to a queue, on bare names."""
    return belonging(target_workers).split(_LOAD_IN_QUEUE)


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """The queue's condition, on bare names, and the target's, on names below `worker`."""

    of_queue: Halves
    of_target: Halves | None
    #: Workers of whom it is not met, whatever they are.
    spared: frozenset[str] = frozenset()

    @cached_property
    def key(self) -> RequirementKey:
        return (*_keys(self.of_queue), *_keys(self.of_target), self.spared)

    @cached_property
    def is_lively(self) -> bool:
        """Load has a say in it."""
        return any(
            halves is not None and not halves[1].is_always_true
            for halves in (self.of_queue, self.of_target)
        )

    def is_met(self, worker: Candidate) -> bool:
        """Do the attributes do, whatever the load?"""
        context = worker.context
        return (
            worker.sid not in self.spared
            and self.of_queue[0].matches(context)
            and (self.of_target is None or self.of_target[0].matches({TARGET_ROOT: context}))
        )

    def is_met_now(self, worker: Candidate) -> bool:
        """Does the load do, whatever the attributes that stand alone?"""
        context = {**worker.context, "channel": load_context(self._channels_read(worker))}
        return self.of_queue[1].matches(context) and (
            self.of_target is None or self.of_target[1].matches({TARGET_ROOT: context})
        )

    def _channels_read(self, worker: Candidate) -> Iterator[ChannelLoad]:
        """Those of the Worker's channels that it reads: most often one of five."""
        for load in worker.channels.values():
            if load.unique_name in self._names_read or None in self._names_read:
                yield load

    @cached_property
    def _names_read(self) -> frozenset[object]:
        """Unique names of channels; None for all of them."""
        paths = [path[1:] for path in self.of_queue[1].paths if path[0] == _LOAD_IN_QUEUE]
        if self.of_target is not None:
            prefix = tuple(_LOAD_IN_TARGET.split("."))
            # The bare `worker` holds its channels, too.
            paths += [
                path[len(prefix) :]
                for path in self.of_target[1].paths
                if path[: len(prefix)] == prefix[: len(path)]
            ]
        return frozenset(path[0] if path else None for path in paths)


def requirement_of(
    queue: TaskQueue,
    expression: Expression | None,
    *,
    is_personal: bool,
    spared: frozenset[str] = frozenset(),
) -> Requirement:
    """What that queue and a target's expression (the Task's values bound in) ask together.

    A personal Task asks nothing of its queue: the Worker it names need not belong to it.
    """
    return Requirement(
        of_queue=halves_of_queue(EVERYBODY if is_personal else queue.target_workers),
        of_target=None if expression is None else expression.split(_LOAD_IN_TARGET),
        spared=spared,
    )


def _keys(halves: Halves | None) -> tuple[str, str]:
    return ("", "") if halves is None else (halves[0].key, halves[1].key)


def loaded_context(worker: Candidate) -> dict[str, object]:
    """A Worker's attributes and its load."""
    return {**worker.context, "channel": load_context(worker.channels.values())}


def is_known(known_worker: tuple[bool, object] | None, worker: Candidate) -> bool:
    """Is it the one that was named, if one was?"""
    if known_worker is None:
        return True
    by_sid, value = known_worker
    return value == (worker.sid if by_sid else worker.friendly_name)


def hindrance(worker: Candidate, load: ChannelLoad | None, *, one_at_a_time: bool) -> str | None:
    """What keeps the Worker from being given more on a channel; None for nothing."""
    if not worker.available:
        return "activity"
    if load is None or not load.available:
        return "channel"
    if one_at_a_time:
        return "busy" if worker.is_at_work else None
    return None if load.assigned_tasks < load.configured_capacity else "capacity"


class Scrutiny:
    """Asks Worker after Worker what stands between it and one Task."""

    def __init__(self, task: WaitingTask, queue: TaskQueue, *, one_at_a_time: bool) -> None:
        self._task = task
        self._one_at_a_time = one_at_a_time
        requirement = requirement_of(queue, task.expression, is_personal=task.is_personal)
        self._is_lively = requirement.is_lively
        self._belongs, self._belongs_now = (half.matches for half in requirement.of_queue)
        self._of_target = _Reasons(requirement.of_target or ())

    @property
    def needs_all_channels(self) -> bool:
        """What a Worker has on other channels than the Task's own has a say, too."""
        return self._one_at_a_time or self._is_lively

    def may_belong(self, context: Context) -> bool:
        """Do its attributes, whatever its load, make a Worker one of the queue?"""
        return self._belongs(context)

    def obstacle(self, worker: Candidate) -> Obstacle:
        """The first thing in the way, `turn` where there is none; the same object for the same."""
        context = loaded_context(worker) if self._is_lively else worker.context
        if not (self._belongs(context) and self._belongs_now(context)):
            return _SIMPLE["queue"]
        if worker.sid in self._task.spared:
            return _SIMPLE["holding"]
        if not is_known(self._task.known_worker, worker):
            return _SIMPLE["known_worker"]
        load = worker.channels.get(self._task.channel_sid)
        kind = hindrance(worker, load, one_at_a_time=self._one_at_a_time)
        # Who is asked whatever the capacity says must have the channel all the same.
        if kind is not None and not (self._task.ignores_capacity and load is not None):
            return _SIMPLE["channel" if self._task.ignores_capacity else kind]
        return self._of_target.obstacle({TARGET_ROOT: context}) or _SIMPLE["turn"]


_SIMPLE = {
    kind: Obstacle(kind=kind)
    for kind in (
        *("queue", "holding", "known_worker", "activity", "channel", "busy", "capacity"),
        "turn",
    )
}


class _Reasons:
    """Why a target's condition is false, looked for once for all in whom it sees the same."""

    def __init__(self, halves: Iterable[Expression]) -> None:
        self._conditions = [half.matches for half in halves if not half.is_always_true]
        self._clauses = [clause for half in halves for clause in _clauses_of(half)]
        self._known: dict[tuple[int, str], Obstacle] = {}
        self._by_clauses: dict[str, Obstacle] = {}

    def obstacle(self, context: Context) -> Obstacle | None:
        for condition in self._conditions:
            if not condition(context):
                return self._why(context)
        return None

    def _why(self, context: Context) -> Obstacle | None:
        for number, clause in enumerate(self._clauses):
            if not clause.matches(context):
                # repr tells 1, 1.0 and true apart.
                seen = number, repr([value_at(context, path) for path in clause.paths])
                known = self._known.get(seen)
                if known is None:
                    clauses = clause.why_false(context)
                    new = Obstacle(kind="target", clauses=clauses)
                    known = self._known[seen] = self._by_clauses.setdefault(repr(clauses), new)
                return known
        return None


def _clauses_of(expression: Expression) -> list[Expression]:
    tree = expression.tree
    return [Expression(each) for each in (tree.operands if isinstance(tree, And) else (tree,))]
