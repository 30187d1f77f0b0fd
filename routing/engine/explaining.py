"""Says why a Task is where it is, by the code that decides about it."""

import json
from dataclasses import dataclass

from routing.clock import Instant
from routing.engine import matchable, placement, tasks
from routing.expressions import FalseClause
from routing.ports import Work

#: The Workers that a group names; the count tells how many there are.
NAMED_WORKERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Workers of the queue whom the same thing keeps from the Task."""

    #: As matching.Obstacle has it.
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
    #: How many Workers belong to the TaskQueue; 0 unless the Task is pending.
    belonging: int
    #: The largest first; empty unless the Task is pending.
    groups: tuple[Group, ...]


def explain(work: Work, *, workspace_sid: str, task_sid: str) -> Explanation:
    """Why the Task is where it is. A query; reads every Worker of the workspace.

    Raises NotFound when there is no such Task.
    """
    task = tasks.find(work, workspace_sid=workspace_sid, task_sid=task_sid)
    configuration = work.configuration(workspace_sid)
    step = placement.step_of(work, configuration, task)
    groups: tuple[Group, ...] = ()
    if task.is_wanting and task.task_queue_sid is not None:
        groups = _groups(work, workspace_sid, task_sid)
    return Explanation(
        task_sid=task_sid,
        assignment_status=task.assignment_status,
        task_queue_sid=task.task_queue_sid,
        filter_name=None if step is None else step.filter_name,
        position=None if step is None else step.position,
        step_due_at=task.step_due_at,
        expires_at=task.expires_at,
        belonging=sum(group.count for group in groups),
        groups=groups,
    )


def _groups(work: Work, workspace_sid: str, task_sid: str) -> tuple[Group, ...]:
    configuration = work.configuration(workspace_sid)
    index = matchable.empty_index(configuration)
    workers = work.workers.find(workspace_sid=workspace_sid)
    channels = work.worker_channels.find(workspace_sid=workspace_sid)
    matchable.put_workers(index, configuration, workers, channels)
    task = tasks.find(work, workspace_sid=workspace_sid, task_sid=task_sid)
    matchable.put_task(work, index, configuration, task)
    found: dict[tuple[str, str], tuple[tuple[FalseClause, ...], list[str]]] = {}
    for worker in workers:
        obstacle = index.obstacle(task_sid, worker.sid)
        if obstacle.kind != "queue":
            seen = json.dumps([(each.text, each.values) for each in obstacle.clauses])
            key = (obstacle.kind, seen)
            found.setdefault(key, (obstacle.clauses, []))[1].append(worker.sid)
    groups = [
        Group(
            obstacle=kind,
            clauses=clauses,
            count=len(sids),
            worker_sids=tuple(sids[:NAMED_WORKERS]),
        )
        for (kind, _seen), (clauses, sids) in found.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.obstacle)))
