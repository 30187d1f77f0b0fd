"""Rows as the matching index sees them; for the router, and for whoever asks why a Task waits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from routing.configuration import Configuration
from routing.engine import placement
from routing.engine.worker_context import channel_loads, worker_context
from routing.expressions import Expression, value_at
from routing.matching import Candidate, MatchingIndex, WaitingTask
from routing.ports import Work
from routing.reservation import LIVE
from routing.task import Task
from routing.worker import Worker, WorkerChannel
from routing.workflow import Step
from routing.workspace import LIFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the whole index goes by; another one is needed when they change."""

    lifo_first: bool
    one_at_a_time: bool
    idle_per_channel: frozenset[str]


def rules_of(configuration: Configuration) -> Rules:
    """The rules of a workspace."""
    workspace = configuration.workspace
    return Rules(
        lifo_first=workspace.prioritize_queue_order == LIFO,
        one_at_a_time=not workspace.multi_task_enabled,
        idle_per_channel=frozenset(
            channel.sid
            for channel in configuration.task_channels.values()
            if channel.channel_optimized_routing
        ),
    )


def empty_index(configuration: Configuration) -> MatchingIndex:
    """An index by the workspace's rules, with nobody in it."""
    rules = rules_of(configuration)
    return MatchingIndex(
        configuration.task_queues,
        lifo_first=rules.lifo_first,
        one_at_a_time=rules.one_at_a_time,
        idle_per_channel=rules.idle_per_channel,
    )


def candidates(
    configuration: Configuration, workers: Iterable[Worker], channels: Iterable[WorkerChannel]
) -> Iterator[Candidate]:
    """The Workers; `channels` are those of these Workers."""
    loads = channel_loads(configuration, channels)
    available = configuration.available_activity_sids()
    for worker in workers:
        yield Candidate(
            sid=worker.sid,
            friendly_name=worker.friendly_name,
            available=worker.activity_sid in available,
            last_reserved_at=worker.last_reserved_at,
            context=worker_context(configuration, worker),
            channels=loads.get(worker.sid, {}),
        )


def put_workers(
    index: MatchingIndex,
    configuration: Configuration,
    workers: Iterable[Worker],
    channels: Iterable[WorkerChannel],
) -> None:
    """Puts the Workers in; `channels` are those of these Workers."""
    for candidate in candidates(configuration, workers, channels):
        index.put_worker(candidate)


def put_task(work: Work, index: MatchingIndex, configuration: Configuration, task: Task) -> None:
    """Puts a Task that waits in as its Workflow's step says."""
    waits = waiting(work, configuration, task)
    if waits is None:
        index.drop_task(task.sid)
    else:
        index.put_task(waits)


def waiting(work: Work, configuration: Configuration, task: Task) -> WaitingTask | None:
    """A Task that waits, as its Workflow's step says; None where it stands in no TaskQueue."""
    if task.task_queue_sid is None:
        return None
    # None: its Workflow was deleted while it was assigned; anybody in its queue may have it.
    step = placement.step_of(work, configuration, task)
    return waiting_task(configuration, task, step, spared=_spared(work, task))


def waiting_task(
    configuration: Configuration,
    task: Task,
    step: Step | None,
    *,
    spared: frozenset[str] = frozenset(),
) -> WaitingTask:
    """A Task that stands in a TaskQueue, as it waits in that step of its Workflow."""
    assert task.task_queue_sid is not None  # noqa: S101 - whoever asks has looked
    expression = None
    known_worker: tuple[bool, object] | None = None
    if task.only_worker_sid is not None:
        known_worker = (True, task.only_worker_sid)
    if step is not None and (step.expression is not None or step.known_worker is not None):
        attributes = placement.task_context(configuration, task)
        if step.expression is not None:
            expression = _bound(step.expression, attributes)
        if step.known_worker is not None:
            value = step.known_worker.value(attributes)
            known_worker = (step.known_worker.by_sid, value if isinstance(value, str) else None)
    return WaitingTask(
        sid=task.sid,
        queue_sid=task.task_queue_sid,
        channel_sid=task.task_channel_sid,
        priority=task.priority,
        virtual_start_at=task.virtual_start_at,
        created_at=task.created_at,
        version=task.version,
        may_skip=step is not None and step.skip_if is not None,
        expression=expression,
        order_by=None if step is None else step.order_by,
        known_worker=known_worker,
        is_personal=task.only_worker_sid is not None,
        spared=spared,
        ignores_capacity=task.ignore_capacity,
    )


def _spared(work: Work, task: Task) -> frozenset[str]:
    """The Workers who have the Task, or after-work of it: it is not offered to them again."""
    if not task.assignment_count:
        return frozenset()
    live = work.reservations.find(task_sid=task.sid, reservation_status=LIVE)
    return frozenset(reservation.worker_sid for reservation in live)


def _bound(expression: Expression, attributes: Mapping[str, object]) -> Expression:
    """The expression with the Task's values in it; one object for all Tasks that say the same.

    Tasks come by the thousand that differ in nothing which their target asks about.
    """
    if not any(path[0] == "task" for path in expression.paths):
        return expression
    context = {"task": attributes}
    # repr tells 1, 1.0 and true apart.
    values = [value_at(context, path) for path in expression.paths if path[0] == "task"]
    key = (expression.key, repr(values))
    known = _BOUND.get(key)
    if known is None:
        if len(_BOUND) >= _MOST_BOUND:
            _BOUND.clear()
        known = _BOUND[key] = expression.bind(attributes)
    return known


#: A memory of pure answers, by expression and values; two threads that miss at once do no harm.
_BOUND: dict[tuple[str, str], Expression] = {}
_MOST_BOUND = 16_384
