"""What happens to a Task while it is being handed on, beside the verbs that everybody knows.

Shared by the verbs of Tasks, Reservations and Transfers. A Task that somebody holds (an accepted
Reservation) is `assigned` while nobody is being asked and `reserved` while somebody is; a Task that
its holder has left (cold, or gone early) is `pending`, so that it lives and dies like any other
that waits. It is never lost: where the last who could have taken it declines, it waits in its
TaskQueue.
"""

from dataclasses import replace

from routing import reservation as reservation_states
from routing import transfer as states
from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine.journal import Subject, tell
from routing.engine.moves import changed_task, end_reservation
from routing.ports import Work
from routing.reservation import Reservation
from routing.task import ASSIGNED, PENDING, RESERVED, Task, next_task_state
from routing.transfer import Transfer

#: Why the last attempt failed, by the move that ended the offer; the words that clients know.
ATTEMPTS = {
    "reject": "rejected",
    "time_out": "timed out",
    "cancel": "canceled",
}


def holders(work: Work, task: Task) -> list[Reservation]:
    """The Reservations of those who have the Task and are still with it."""
    return work.reservations.find(task_sid=task.sid, reservation_status=reservation_states.ACCEPTED)


def live_transfer(work: Work, task: Task) -> Transfer | None:
    return None if task.transfer_sid is None else work.transfers.get(task.transfer_sid)


def tell_transfer(
    work: Work, configuration: Configuration, what: str, task: Task, transfer: Transfer
) -> None:
    """`what` is initiated, attempt-failed, failed, canceled or completed."""
    told = {
        "transfer_sid": transfer.sid,
        "transfer_mode": transfer.transfer_mode,
        "transfer_type": transfer.transfer_type,
        "transfer_to": transfer.transfer_to,
        "transfer_status": transfer.transfer_status,
        "initiating_reservation_sid": transfer.initiating_reservation_sid,
        "initiating_worker_sid": transfer.initiating_worker_sid,
    }
    if transfer.transfer_failed_reason is not None:
        told["transfer_failed_reason"] = transfer.transfer_failed_reason
    tell(
        work,
        configuration,
        f"task.transfer-{what}",
        f"Transfer {transfer.sid} of Task {task.sid} {what.replace('-', ' ')}",
        Subject(task=task, transfer=transfer),
        **told,
    )


def taken(work: Work, configuration: Configuration, task: Task) -> Task:
    """Somebody has accepted the Task that was being handed on: the Transfer is complete."""
    transfer = live_transfer(work, task)
    if transfer is None:
        return task
    transfer = _changed(work, transfer, transfer_status=states.COMPLETE)
    task = changed_task(work, task, transfer_sid=None)
    tell_transfer(work, configuration, "completed", task, transfer)
    return task


def attempt_failed(work: Work, configuration: Configuration, task: Task, *, move: str) -> Task:
    """An offer of the Task that is being handed on has ended by that move.

    A TaskQueue's other Workers are asked; a Worker has no other, and the Transfer has failed. The
    Task is its holder's again, or waits in its queue where nobody holds it.
    """
    transfer = live_transfer(work, task)
    if transfer is None or _offers(work, task):
        return task
    holds = bool(holders(work, task))
    how = ATTEMPTS[move]
    if transfer.transfer_type == states.TO_QUEUE:
        reason = (
            f"Transfer attempt failed on reservation {move.replace('_', ' ')} because there are "
            "no more pending reservations"
        )
        transfer = _changed(work, transfer, transfer_failed_reason=reason)
        task = changed_task(
            work, task, assignment_status=next_task_state(task, "keep" if holds else "release")
        )
        tell_transfer(work, configuration, "attempt-failed", task, transfer)
        tell(work, configuration, "task.updated", f"Task {task.sid} updated", Subject(task=task))
        return task
    reason = f"Transfer failed because the reservation was {how}"
    transfer = _changed(
        work, transfer, transfer_status=states.FAILED, transfer_failed_reason=reason
    )
    task = changed_task(
        work, task, assignment_status=next_task_state(task, "keep"), transfer_sid=None
    )
    tell_transfer(work, configuration, "failed", task, transfer)
    tell(work, configuration, "task.updated", f"Task {task.sid} updated", Subject(task=task))
    return task if holds else wait_again(work, configuration, task)


def call_off(work: Work, configuration: Configuration, task: Task, *, reason: str) -> Task:
    """Nobody else is to have the Task any more: offers are taken back, the Transfer is canceled.

    The Task is then its holder's, in the TaskQueue it came from, or waits there.
    """
    transfer = live_transfer(work, task)
    if transfer is None:
        return task
    transfer = _changed(work, transfer, transfer_status=states.CANCELED)
    holds = bool(holders(work, task))
    columns: dict[str, object] = {"transfer_sid": None}
    was_offered = task.assignment_status == RESERVED
    if was_offered:
        columns["assignment_status"] = next_task_state(task, "keep" if holds else "release")
    if transfer.initiating_queue_sid in configuration.task_queues:
        columns["task_queue_sid"] = transfer.initiating_queue_sid
    task = changed_task(work, task, **columns)
    for offer in _offers(work, task):
        end_reservation(
            work,
            configuration,
            offer,
            "cancel",
            task=task,
            event_type="reservation.canceled",
            description=f"Reservation {offer.sid} canceled: {reason}",
            reason=reason,
        )
    tell_transfer(work, configuration, "canceled", task, transfer)
    if was_offered or task.assignment_status == PENDING:
        tell(work, configuration, "task.updated", f"Task {task.sid} updated", Subject(task=task))
    return task


def left(work: Work, configuration: Configuration, task: Task) -> Task:
    """Whoever handed the Task on is gone before anybody has taken it: it waits in its queue."""
    if task.assignment_status == ASSIGNED and not holders(work, task):
        return wait_again(work, configuration, task)
    return task


def wait_again(work: Work, configuration: Configuration, task: Task) -> Task:
    """An assigned Task that nobody has waits in its TaskQueue, with its time to live anew."""
    task = changed_task(
        work,
        task,
        assignment_status=next_task_state(task, "release"),
        expires_at=work.now + task.timeout_seconds * SECOND,
        step_due_at=None,
    )
    tell(work, configuration, "task.updated", f"Task {task.sid} updated", Subject(task=task))
    return task


def _offers(work: Work, task: Task) -> list[Reservation]:
    return work.reservations.find(task_sid=task.sid, reservation_status=reservation_states.PENDING)


def _changed(work: Work, transfer: Transfer, **columns: object) -> Transfer:
    columns |= {"updated_at": work.now}
    work.transfers.change(transfer.sid, **columns)
    return replace(transfer, **columns)  # type: ignore[arg-type]  # the names are the record's own
