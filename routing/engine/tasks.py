"""What happens to a Task: created, changed, wrapped up, completed, canceled, deleted."""

from collections.abc import Sequence
from dataclasses import replace

from routing import reservation as reservation_states
from routing import sids
from routing import task as states
from routing.clock import SECOND, Instant
from routing.configuration import Configuration
from routing.engine import handing_over, placement, reservations
from routing.engine.destination import destination
from routing.engine.journal import Subject, tell
from routing.engine.moves import changed_task, end_reservation, locked_task, move_worker
from routing.errors import InvalidParameter, NotFound
from routing.json_text import read_object
from routing.ports import Work
from routing.reservation import LIVE, Reservation
from routing.task import Task, next_task_state

TTL_EXCEEDED = "Task TTL Exceeded"
ASSIGNED_TOO_LONG = "Task was assigned for too long"


def create(
    work: Work,
    *,
    workspace_sid: str,
    attributes: str = "{}",
    workflow_sid: str | None = None,
    task_channel: str = "default",
    priority: int = 0,
    timeout_seconds: int = states.DEFAULT_TIMEOUT_SECONDS,
    virtual_start_at: Instant | None = None,
    routing_target: str | None = None,
    ignore_capacity: bool | None = None,
    task_queue_sid: str | None = None,
) -> Task:
    """A piece of work comes in and goes through its Workflow into a TaskQueue, or straight there.

    `task_channel` is a SID or unique name; `workflow_sid` may be left out where the workspace has
    one Workflow only. `routing_target`, a Worker, TaskQueue or Workflow, and `task_queue_sid` say
    where it goes instead (destination.py has the rules). Raises InvalidParameter, naming it, for a
    value that cannot be used, and placement.Unwanted for a Task that no filter of the Workflow
    wants.
    """
    configuration = work.configuration(workspace_sid)
    said = read_object(attributes, parameter="Attributes", limit=states.MAX_ATTRIBUTES_CHARACTERS)
    _check_number("Priority", priority, 0, states.MAX_PRIORITY)
    _check_number("Timeout", timeout_seconds, 1, states.MAX_TIMEOUT_SECONDS)
    if virtual_start_at is not None and virtual_start_at > work.now:
        raise InvalidParameter("VirtualStartTime", "expected a time that is not in the future")
    goes = destination(
        work,
        configuration,
        workflow_sid=workflow_sid,
        task_queue_sid=task_queue_sid,
        routing_target=routing_target,
        ignore_capacity=ignore_capacity,
    )
    task = Task(
        sid=sids.new_sid(sids.TASK),
        workspace_sid=workspace_sid,
        assignment_status=states.PENDING,
        attributes=attributes,
        priority=priority,
        reason=None,
        timeout_seconds=timeout_seconds,
        task_channel_sid=configuration.task_channel(task_channel).sid,
        workflow_sid=None if goes.workflow is None else goes.workflow.sid,
        workflow_version=None if goes.workflow is None else goes.workflow.configuration_version,
        filter_index=None,
        target_index=None,
        task_queue_sid=goes.task_queue_sid,
        routing_target=routing_target,
        ignore_capacity=goes.ignore_capacity,
        assignment_count=0,
        virtual_start_at=work.now if virtual_start_at is None else virtual_start_at,
        queue_entered_at=None,
        expires_at=work.now + timeout_seconds * SECOND,
        step_due_at=None,
        version=0,
        created_at=work.now,
        updated_at=work.now,
    )
    if goes.task_queue_sid is not None:
        return placement.enter_queue(work, configuration, task)
    return placement.enter_workflow(work, configuration, task, said)


def _check_number(parameter: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise InvalidParameter(parameter, f"expected a whole number from {lowest} to {highest}")


def find(work: Work, *, workspace_sid: str, task_sid: str) -> Task:
    """The Task of that Workspace; raises NotFound when there is none."""
    task = work.tasks.get(task_sid)
    if task is None or task.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Tasks/{task_sid}")
    return task


def update(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    attributes: str | None = None,
    priority: int | None = None,
    task_channel: str | None = None,
    virtual_start_at: Instant | None = None,
    re_evaluate: bool = False,
    if_match: int | None = None,
) -> Task:
    """Changes what a Task says of itself; its place in line follows.

    With `re_evaluate` a pending Task goes through its Workflow's filters anew, with the attributes
    that it has now; otherwise it waits where it is.

    Here and below, PreconditionFailed is raised when its version is no longer `if_match`.
    """
    task = locked_task(work, workspace_sid, task_sid, if_match)
    configuration = work.configuration(workspace_sid)
    columns = _checked(
        configuration,
        task,
        attributes=attributes,
        priority=priority,
        task_channel=task_channel,
        virtual_start_at=virtual_start_at,
        now=work.now,
    )
    if columns:
        task = changed_task(work, task, **columns)
        tell(work, configuration, "task.updated", f"Task {task.sid} updated", Subject(task=task))
    if re_evaluate and task.assignment_status == states.PENDING:
        task = placement.evaluate_again(work, configuration, task)
    return task


def _checked(
    configuration: Configuration,
    task: Task,
    *,
    attributes: str | None,
    priority: int | None,
    task_channel: str | None,
    virtual_start_at: Instant | None,
    now: Instant,
) -> dict[str, object]:
    """The columns that an update changes."""
    columns: dict[str, object] = {}
    if attributes is not None:
        read_object(attributes, parameter="Attributes", limit=states.MAX_ATTRIBUTES_CHARACTERS)
        columns["attributes"] = attributes
    if priority is not None:
        _check_number("Priority", priority, 0, states.MAX_PRIORITY)
        columns["priority"] = priority
    if task_channel is not None:
        columns["task_channel_sid"] = configuration.task_channel(task_channel).sid
        if task.assignment_status != states.PENDING:
            raise InvalidParameter("TaskChannel", "expected a Task that is pending")
    if virtual_start_at is not None:
        if virtual_start_at > now:
            raise InvalidParameter("VirtualStartTime", "expected a time that is not in the future")
        columns["virtual_start_at"] = virtual_start_at
    return columns


def wrap_up(work: Work, *, workspace_sid: str, task_sid: str, reason: str | None = None) -> Task:
    """The conversation is over, the after-work goes on; the capacity stays taken."""
    accepted = reservation_states.ACCEPTED
    _foresee_move(work, workspace_sid, task_sid, reservation_status=accepted)
    configuration = work.configuration(workspace_sid)
    task = _in_one_hand(work, configuration, locked_task(work, workspace_sid, task_sid))
    next_task_state(task, "wrap_up")
    held = work.reservations.find(task_sid=task_sid, reservation_status=accepted, lock=True)
    for reservation in held:
        work.workers.foresee(reservation.worker_sid, lock=True)
    for reservation in held:
        reservations.wrap_up_one(work, configuration, reservation, task)
    return reservations.wrap_up_task(work, configuration, task, reason=reason)


def complete(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    reason: str | None = None,
    post_work_activity_sid: str | None = None,
) -> Task:
    """The work is done; the capacity comes back.

    `post_work_activity_sid` is where its Workers go, in a workspace without multitasking only.
    """
    _foresee_move(work, workspace_sid, task_sid, reservation_status=LIVE)
    configuration = work.configuration(workspace_sid)
    task = _in_one_hand(work, configuration, locked_task(work, workspace_sid, task_sid))
    next_task_state(task, "complete")
    held = work.reservations.find(task_sid=task_sid, reservation_status=LIVE, lock=True)
    for reservation in held:
        work.workers.foresee(reservation.worker_sid, lock=True)
        work.worker_channels.foresee(reservation.worker_channel_sid, lock=True)
    worker = None
    for reservation in held:
        worker = reservations.complete_one(work, configuration, reservation, task)
        if not configuration.workspace.multi_task_enabled:
            worker = move_worker(work, configuration, worker, post_work_activity_sid)
    return reservations.complete_task(work, configuration, task, reason=reason, worker=worker)


def _foresee_move(work: Work, workspace_sid: str, task_sid: str, **reservations: object) -> None:
    """What is read first of all by a move of the Task and of its Reservations like these."""
    work.foresee_configuration(workspace_sid)
    work.tasks.foresee(task_sid, lock=True)
    work.reservations.foresee_all(task_sid=task_sid, lock=True, **reservations)  # type: ignore[arg-type]  # columns, all of them


def cancel(work: Work, *, workspace_sid: str, task_sid: str, reason: str | None = None) -> Task:
    """Nobody will do it: offers of it are taken back. Only a waiting Task can be canceled."""
    task = locked_task(work, workspace_sid, task_sid)
    next_task_state(task, "cancel")
    configuration = work.configuration(workspace_sid)
    if task.transfer_sid is not None:
        if handing_over.holders(work, task):
            # Somebody talks, and has only asked a colleague.
            next_task_state(replace(task, assignment_status=states.ASSIGNED), "cancel")
        task = handing_over.call_off(
            work, configuration, task, reason=reason or "the Task was canceled"
        )
    # Who was offered it is told of a Task that is canceled.
    ended = replace(task, assignment_status=states.CANCELED, reason=reason)
    cancel_offers(work, configuration, ended, reason or "the Task was canceled")
    return placement.cancel_waiting(work, configuration, task, reason)


def _in_one_hand(work: Work, configuration: Configuration, task: Task) -> Task:
    """Whoever ends the Task does not hand it on any more."""
    if task.transfer_sid is None or not handing_over.holders(work, task):
        return task
    return handing_over.call_off(work, configuration, task, reason="the Task was ended")


def cancel_offers(work: Work, configuration: Configuration, task: Task, reason: str) -> None:
    for reservation in _of_status(work, task, reservation_states.PENDING):
        end_reservation(
            work,
            configuration,
            reservation,
            "cancel",
            task=task,
            event_type="reservation.canceled",
            description=f"Reservation {reservation.sid} canceled: {reason}",
            reason=reason,
        )


def expire(work: Work, *, task_sid: str) -> bool:
    """The Task has waited, or was assigned, as long as it may: it is canceled, or removed.

    False when its time has not come or was moved meanwhile.
    """
    seen = work.tasks.get(task_sid, lock=True)
    if seen is None or seen.expires_at is None or seen.expires_at > work.now:
        return False
    if seen.assignment_status in states.WAITING and not handing_over.holders(work, seen):
        cancel(work, workspace_sid=seen.workspace_sid, task_sid=task_sid, reason=TTL_EXCEEDED)
    else:
        _remove(work, seen, "task.system-deleted", ASSIGNED_TOO_LONG)
    return True


def expire_all(work: Work, task_sids: Sequence[str]) -> None:
    """The same for several, in one transaction."""
    if len(task_sids) > 1:
        these = set(task_sids)
        work.tasks.find(sid=these, order_by="sid", lock=True)
        reservations.hold_workers(
            work,
            work.reservations.find(
                task_sid=these, reservation_status=LIVE, order_by="sid", lock=True
            ),
        )
    for sid in task_sids:
        expire(work, task_sid=sid)


def leave_step_all(work: Work, task_sids: Sequence[str]) -> None:
    """`leave_step` for several, in one transaction."""
    if len(task_sids) > 1:
        work.tasks.find(sid=set(task_sids), order_by="sid", lock=True)
    for sid in task_sids:
        leave_step(work, task_sid=sid)


def leave_step(work: Work, *, task_sid: str) -> bool:
    """Its Workflow target has timed out: it goes on. False when it has moved already.

    While somebody is being asked the target's time does not cut that off; it is looked at again
    when the offer has come to nothing (Twilio, "Workflow timeout evaluation").
    """
    task = work.tasks.get(task_sid, lock=True)
    if (
        task is None
        or task.assignment_status != states.PENDING
        or task.step_due_at is None
        or task.step_due_at > work.now
    ):
        return False
    placement.leave_step(work, work.configuration(task.workspace_sid), task)
    return True


def delete(work: Work, *, workspace_sid: str, task_sid: str, if_match: int | None = None) -> None:
    """Removes the Task with its Reservations, in whatever state it is."""
    task = locked_task(work, workspace_sid, task_sid, if_match)
    _remove(work, task, "task.deleted", f"Task {task.sid} deleted")


def _remove(work: Work, task: Task, event_type: str, description: str) -> None:
    configuration = work.configuration(task.workspace_sid)
    cancel_offers(work, configuration, task, "the Task was deleted")
    for reservation in _live(work, task):
        reservations.complete_one(work, configuration, reservation, task)
    tell(work, configuration, event_type, description, Subject(task=task))
    for reservation in work.reservations.find(task_sid=task.sid):
        work.reservations.remove(reservation.sid)
    work.tasks.remove(task.sid)


def _live(work: Work, task: Task) -> list[Reservation]:
    return work.reservations.find(task_sid=task.sid, reservation_status=LIVE)


def _of_status(work: Work, task: Task, status: str) -> list[Reservation]:
    return work.reservations.find(task_sid=task.sid, reservation_status=status)
