"""Says why a Task is where it is, by the code that decides about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.clock import Instant
from routing.configuration import Configuration
from routing.engine import matchable, placement, tasks, workers
from routing.engine.worker_context import worker_context
from routing.expressions import FalseClause
from routing.matching import Obstacle, Scrutiny
from routing.ports import Work
from routing.reservation import CANCELED, PENDING, REJECTED, TIMEOUT
from routing.task import RESERVED, Task
from routing.worker import Worker, WorkerChannel

#: The Workers that a group names; the count tells how many there are.
NAMED_WORKERS = 10
#: Workers whose rows are asked for by name; of more, those of the whole workspace are read.
_NAMED_IN_QUERY = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Workers of the queue whom the same thing keeps from the Task."""

    #: As matching.Obstacle has it. Of a Task that is being offered also `offered`: they are being
    #: asked; `rejected`: they were, with those, and did not take it; `reserved`: nothing but that
    #: others are being asked.
    obstacle: str
    #: The clauses that are false, with the values they saw.
    clauses: tuple[FalseClause, ...]
    count: int
    #: The first few of them.
    worker_sids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where a Task stands, until when, and what it waits for."""

    task_sid: str
    assignment_status: str
    task_queue_sid: str | None
    #: The filter and its target; None where no Workflow has placed the Task.
    filter_name: str | None
    position: tuple[int, int] | None
    #: When its target times out, and when its time to live ends; None for never.
    step_due_at: Instant | None
    expires_at: Instant | None
    #: How many Workers belong to the TaskQueue; 0 once somebody has the Task.
    belonging: int
    #: The largest first; empty once somebody has the Task.
    groups: tuple[Group, ...]


def explain(
    work: Work, *, workspace_sid: str, task_sid: str, worker_sid: str | None = None
) -> Explanation:
    """Why the Task is where it is. A query; reads every Worker of the workspace.

    With `worker_sid` it is asked of that Worker alone, and what keeps it out of the TaskQueue is
    told, too. Raises NotFound when there is no such Task or Worker.
    """
    task = tasks.find(work, workspace_sid=workspace_sid, task_sid=task_sid)
    configuration = work.configuration(workspace_sid)
    step = placement.step_of(work, configuration, task)
    groups: tuple[Group, ...] = ()
    if (task.is_wanting or task.assignment_status == RESERVED) and task.task_queue_sid is not None:
        asked = _asked(work, workspace_sid, worker_sid)
        groups = _groups(work, configuration, task, asked, one=worker_sid is not None)
    return Explanation(
        task_sid=task_sid,
        assignment_status=task.assignment_status,
        task_queue_sid=task.task_queue_sid,
        filter_name=None if step is None else step.filter_name,
        position=None if step is None else step.position,
        step_due_at=task.step_due_at,
        expires_at=task.expires_at,
        belonging=sum(group.count for group in groups if group.obstacle != "queue"),
        groups=groups,
    )


def _asked(work: Work, workspace_sid: str, worker_sid: str | None) -> list[Worker]:
    if worker_sid is None:
        return work.workers.find(workspace_sid=workspace_sid)
    return [workers.find(work, workspace_sid=workspace_sid, worker_sid=worker_sid)]


def _groups(
    work: Work, configuration: Configuration, task: Task, asked: Sequence[Worker], *, one: bool
) -> tuple[Group, ...]:
    """One pass over the rows, by the same questions that the router's index asks.

    They are the rows of this process's own picture, not the index of the router, which may live in
    another process and is never touched by two threads. What a door can afford to wait for is one
    look at each Worker; so channels are read of those alone who can belong to the queue, only the
    one that the Task comes by where load elsewhere has no say, and the false clauses are worked out
    once for all Workers in whom they see the same.
    """
    waiting = matchable.waiting(work, configuration, task)
    if waiting is None:
        return ()
    scrutiny = Scrutiny(
        waiting,
        configuration.task_queues[waiting.queue_sid],
        one_at_a_time=not configuration.workspace.multi_task_enabled,
    )
    belonging = [
        worker
        for worker in asked
        if one or scrutiny.may_belong(worker_context(configuration, worker))
    ]
    channels = _channels(work, task, belonging, of_all_kinds=scrutiny.needs_all_channels)
    found: dict[int, tuple[Obstacle, list[str]]] = {}
    asked_now = _asked_now(work, task)
    for candidate in matchable.candidates(configuration, belonging, channels):
        obstacle = asked_now.get(candidate.sid) or scrutiny.obstacle(candidate)
        if obstacle.kind == "turn" and asked_now:
            obstacle = _OTHERS_ARE_ASKED
        if one or obstacle.kind != "queue":
            found.setdefault(id(obstacle), (obstacle, []))[1].append(candidate.sid)
    groups = [
        Group(
            obstacle=obstacle.kind,
            clauses=obstacle.clauses,
            count=len(sids),
            worker_sids=tuple(sids[:NAMED_WORKERS]),
        )
        for obstacle, sids in found.values()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.obstacle)))


_OFFERED = Obstacle(kind="offered")
_REJECTED = Obstacle(kind="rejected")
_OTHERS_ARE_ASKED = Obstacle(kind="reserved")


def _asked_now(work: Work, task: Task) -> dict[str, Obstacle]:
    """{Worker SID: what became of it}, of those who were asked together with whoever is now.

    Nobody, of a Task that waits: whoever has rejected it may be asked again at once.
    """
    if task.assignment_status != RESERVED:
        return {}
    offers = work.reservations.find(task_sid=task.sid)
    since = min(
        (each.created_at for each in offers if each.reservation_status == PENDING), default=0
    )
    together = [each for each in offers if each.created_at >= since]
    return {
        each.worker_sid: _OFFERED if each.reservation_status == PENDING else _REJECTED
        for each in together
        if each.reservation_status in {PENDING, REJECTED, TIMEOUT, CANCELED}
    }


def _channels(
    work: Work, task: Task, these: Sequence[Worker], *, of_all_kinds: bool
) -> list[WorkerChannel]:
    """The channels of these Workers, at least; of the Task's own kind unless all are needed."""
    wanted: dict[str, object] = {"workspace_sid": task.workspace_sid}
    if len(these) <= _NAMED_IN_QUERY:
        wanted = {"worker_sid": {worker.sid for worker in these}}
    if not of_all_kinds:
        wanted["task_channel_sid"] = task.task_channel_sid
    return work.worker_channels.find(**wanted)  # type: ignore[arg-type]  # columns, all of them
