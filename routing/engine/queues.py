"""How TaskQueues are set up."""

from dataclasses import replace

from routing import sids
from routing.configuration import Configuration
from routing.engine.journal import Subject, tell
from routing.engine.workspaces import MAX_LONG_NAME_CHARACTERS, check_name
from routing.errors import ExpressionError, InvalidParameter, NotFound, RoutingError
from routing.expressions import compile_expression
from routing.ports import Work
from routing.task import WAITING
from routing.task_queue import EVERYBODY, MAX_RESERVED_WORKERS, TaskQueue
from routing.transfer import INITIATED
from routing.workspace import FIFO, LIFO


def create(
    work: Work,
    *,
    workspace_sid: str,
    friendly_name: str,
    target_workers: str = EVERYBODY,
    max_reserved_workers: int = 1,
    task_order: str = FIFO,
    reservation_activity_sid: str | None = None,
    assignment_activity_sid: str | None = None,
) -> TaskQueue:
    """A new TaskQueue; who belongs to it is what `target_workers` says of worker attributes."""
    configuration = work.configuration(workspace_sid)
    queue = TaskQueue(
        sid=sids.new_sid(sids.TASK_QUEUE),
        workspace_sid=workspace_sid,
        friendly_name=friendly_name,
        target_workers=target_workers,
        max_reserved_workers=max_reserved_workers,
        task_order=task_order,
        reservation_activity_sid=reservation_activity_sid,
        assignment_activity_sid=assignment_activity_sid,
        created_at=work.now,
        updated_at=work.now,
    )
    _check(configuration, queue)
    work.task_queues.add(queue)
    work.configuration_changed(workspace_sid)
    _tell(work, "task-queue.created", f"TaskQueue {friendly_name} created", queue)
    return queue


def update(
    work: Work,
    *,
    workspace_sid: str,
    task_queue_sid: str,
    friendly_name: str | None = None,
    target_workers: str | None = None,
    max_reserved_workers: int | None = None,
    task_order: str | None = None,
    reservation_activity_sid: str | None = None,
    assignment_activity_sid: str | None = None,
) -> TaskQueue:
    """Changes what is given; Workers enter and leave the queue as its expression now says."""
    configuration = work.configuration(workspace_sid)
    queue = configuration.task_queues.get(task_queue_sid)
    if queue is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/TaskQueues/{task_queue_sid}")
    given = {
        "friendly_name": friendly_name,
        "target_workers": target_workers,
        "max_reserved_workers": max_reserved_workers,
        "task_order": task_order,
        "reservation_activity_sid": reservation_activity_sid,
        "assignment_activity_sid": assignment_activity_sid,
    }
    columns: dict[str, object] = {k: v for k, v in given.items() if v is not None}
    columns["updated_at"] = work.now
    changed = replace(queue, **columns)  # type: ignore[arg-type]  # the names are the record's own
    _check(configuration, changed)
    work.task_queues.change(task_queue_sid, **columns)
    work.configuration_changed(workspace_sid)
    if changed.target_workers != queue.target_workers:
        _tell(
            work,
            "task-queue.expression.updated",
            f"TaskQueue {changed.friendly_name} expression updated",
            changed,
        )
    return changed


def delete(work: Work, *, workspace_sid: str, task_queue_sid: str) -> None:
    """Removes a TaskQueue that no Workflow names and in which no Task waits."""
    configuration = work.configuration(workspace_sid)
    queue = configuration.task_queues.get(task_queue_sid)
    if queue is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/TaskQueues/{task_queue_sid}")
    for workflow in configuration.workflows.values():
        if task_queue_sid in workflow.configuration:
            raise RoutingError(
                f"Cannot delete queue {task_queue_sid}: workflow {workflow.sid} refers to it."
            )
    if work.tasks.find(task_queue_sid=task_queue_sid, assignment_status=WAITING, limit=1):
        raise RoutingError(f"Cannot delete queue {task_queue_sid} while Tasks wait in it.")
    if work.transfers.find(transfer_to=task_queue_sid, transfer_status=INITIATED, limit=1):
        raise RoutingError(f"Cannot delete queue {task_queue_sid} while Tasks are handed to it.")
    _tell(work, "task-queue.deleted", f"TaskQueue {queue.friendly_name} deleted", queue)
    work.task_queues.remove(task_queue_sid)
    work.configuration_changed(workspace_sid)


def _check(configuration: Configuration, queue: TaskQueue) -> None:
    check_name(queue.friendly_name, longest=MAX_LONG_NAME_CHARACTERS)
    if queue.target_workers.strip():
        try:
            compile_expression(queue.target_workers)
        except ExpressionError as error:
            raise error.about("TargetWorkers") from None
    if queue.task_order not in {FIFO, LIFO}:
        raise InvalidParameter("TaskOrder", f"expected {FIFO} or {LIFO}")
    if not 1 <= queue.max_reserved_workers <= MAX_RESERVED_WORKERS:
        raise InvalidParameter(
            "MaxReservedWorkers", f"expected a whole number from 1 to {MAX_RESERVED_WORKERS}"
        )
    for parameter, sid in (
        ("ReservationActivitySid", queue.reservation_activity_sid),
        ("AssignmentActivitySid", queue.assignment_activity_sid),
    ):
        if sid is not None and sid not in configuration.activities:
            raise InvalidParameter(parameter, "expected an Activity of this Workspace")


def _tell(work: Work, event_type: str, description: str, queue: TaskQueue) -> None:
    configuration = work.configuration(queue.workspace_sid)
    tell(work, configuration, event_type, description, Subject(queue=queue))
