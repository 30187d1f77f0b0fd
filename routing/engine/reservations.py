"""What happens to a Reservation: the router makes it, a Worker answers, time or Task end it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from routing import reservation as states
from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine import handing_over, offers, placement
from routing.engine.journal import Subject, tell
from routing.engine.moves import (
    changed_reservation,
    changed_task,
    check_version,
    end_reservation,
    locked_task,
    locked_worker,
    move_worker,
)
from routing.errors import IllegalMove, InvalidParameter, NotFound
from routing.ports import Work
from routing.reservation import LIVE, Reservation, next_reservation_state
from routing.task import (
    ASSIGNED,
    MAX_ASSIGNED_SECONDS,
    MAX_ASSIGNMENT_COUNT,
    PENDING,
    RESERVED,
    WRAPPING,
    Task,
    next_task_state,
)
from routing.worker import Worker

#: Characters of the words with which a Worker declines.
MAX_REASON = 256
#: The reason of a Task that comes back and finds its TaskQueue deleted meanwhile.
NO_QUEUE = "The TaskQueue was deleted"
#: The reason a Task carries when its last Reservation is completed (Twilio's words).
ALL_COMPLETED = "All reservations were completed"


def reserve(
    work: Work, *, task_sid: str, worker_sid: str, task_version: int | None = None
) -> Reservation | None:
    """Offers the Task to the Worker and takes the capacity for it, if both are still free.

    `task_version` is that of the Task the router looked at: who is asked depends on its attributes
    and its place in the Workflow. None when somebody was faster, or either has changed since the
    router looked; nothing is written then, and the router goes on with its next proposal.
    """
    offer = offers.Offer(task_sid=task_sid, task_version=task_version, worker_sids=(worker_sid,))
    made = offers.make(work, [offer])[0]
    return made[0] if made else None


def find(
    work: Work,
    *,
    workspace_sid: str,
    reservation_sid: str,
    task_sid: str | None = None,
    worker_sid: str | None = None,
) -> Reservation:
    """The Reservation under that workspace, and under that Task or Worker where one is given.

    Raises NotFound when there is none there.
    """
    reservation = work.reservations.get(reservation_sid)
    if (
        reservation is None
        or reservation.workspace_sid != workspace_sid
        or (task_sid or reservation.task_sid) != reservation.task_sid
        or (worker_sid or reservation.worker_sid) != reservation.worker_sid
    ):
        below = f"/Tasks/{task_sid}" if task_sid else f"/Workers/{worker_sid}" if worker_sid else ""
        raise NotFound(f"/Workspaces/{workspace_sid}{below}/Reservations/{reservation_sid}")
    return reservation


def foresee(work: Work, seen: Reservation, *, ends: bool) -> None:
    """What a move of a Reservation that was just read will read first; does the move end it?"""
    work.reservations.foresee(seen.sid)
    work.workers.foresee(seen.worker_sid)
    _foresee_move(work, seen, ends=ends)


def _foresee_move(work: Work, seen: Reservation, *, ends: bool) -> None:
    """In the order in which it is locked. A Reservation that ends gives capacity back."""
    _foresee_hold(work, seen)
    work.foresee_configuration(seen.workspace_sid)
    _foresee_live(work, seen.task_sid)
    work.workers.foresee(seen.worker_sid, lock=True)
    if ends:
        work.worker_channels.foresee(seen.worker_channel_sid, lock=True)


def _foresee_hold(work: Work, seen: Reservation) -> None:
    work.tasks.foresee(seen.task_sid, lock=True)
    work.reservations.foresee(seen.sid, lock=True)


def _seen(work: Work, reservation_sid: str) -> Reservation:
    seen = work.reservations.get(reservation_sid)
    if seen is None:
        raise NotFound(f"/Reservations/{reservation_sid}")
    return seen


def _locked(
    work: Work, reservation_sid: str, if_match: int | None = None, *, ends: bool
) -> tuple[Task, Reservation]:
    """The Reservation and its Task, both held, for a move that `ends` it or not."""
    seen = _seen(work, reservation_sid)
    _foresee_move(work, seen, ends=ends)
    return _hold(work, seen, if_match)


def _hold(work: Work, seen: Reservation, if_match: int | None) -> tuple[Task, Reservation]:
    """The same of one that was just read, in the order in which all verbs lock them.

    Raises PreconditionFailed when the Reservation's version is no longer `if_match`.
    """
    _foresee_hold(work, seen)
    task = locked_task(work, seen.workspace_sid, seen.task_sid)
    reservation = work.reservations.get(seen.sid, lock=True)
    if reservation is None:
        raise NotFound(f"/Workspaces/{task.workspace_sid}/Reservations/{seen.sid}")
    check_version(reservation.version, if_match)
    return task, reservation


def _live(work: Work, task: Task) -> list[Reservation]:
    return work.reservations.find(task_sid=task.sid, reservation_status=LIVE)


def _foresee_live(work: Work, task_sid: str) -> None:
    work.reservations.foresee_all(task_sid=task_sid, reservation_status=LIVE)


def accept(work: Work, *, reservation_sid: str, if_match: int | None = None) -> Reservation:
    """The Worker takes the Task: it is assigned, and other offers of it are rescinded.

    Raises Gone when this offer was itself rescinded, IllegalMove when it is over in another way.
    """
    task, reservation = _locked(work, reservation_sid, if_match, ends=False)
    configuration = work.configuration(task.workspace_sid)
    others = [other for other in _live(work, task) if other.sid != reservation.sid]
    accepted = changed_reservation(
        work,
        reservation,
        reservation_status=next_reservation_state(reservation, "accept"),
        due_at=None,
    )
    task = changed_task(
        work,
        task,
        assignment_status=next_task_state(task, "accept"),
        expires_at=work.now + MAX_ASSIGNED_SECONDS * SECOND,
        step_due_at=None,
    )
    worker = locked_worker(work, reservation.workspace_sid, reservation.worker_sid)
    tell(
        work,
        configuration,
        "reservation.accepted",
        f"Reservation {accepted.sid} accepted by Worker {worker.friendly_name}",
        Subject(reservation=accepted, task=task, worker=worker),
    )
    if not configuration.workspace.multi_task_enabled:
        queue = configuration.task_queues[reservation.task_queue_sid]
        move_worker(work, configuration, worker, queue.assignment_activity_sid)
    for other in others:
        if other.reservation_status == states.PENDING:
            end_reservation(
                work,
                configuration,
                other,
                "rescind",
                task=task,
                event_type="reservation.rescinded",
                description=f"Reservation {other.sid} rescinded",
                reason="another Worker accepted the Task",
            )
    handing_over.taken(work, configuration, task)
    return accepted


def reject(
    work: Work,
    *,
    reservation_sid: str,
    worker_activity_sid: str | None = None,
    reason: str | None = None,
    if_match: int | None = None,
) -> Reservation:
    """The Worker declines; the Task goes back to its queue.

    `worker_activity_sid` is where the Worker goes; without it the same Worker may be chosen again
    at once. `reason` is told with the event. Raises IllegalMove when the offer is over,
    InvalidParameter for an unknown Activity or a reason that is too long.
    """
    if reason is not None and len(reason) > MAX_REASON:
        raise InvalidParameter("Reason", f"expected at most {MAX_REASON} characters")
    task, reservation = _locked(work, reservation_sid, if_match, ends=True)
    configuration = work.configuration(task.workspace_sid)
    if worker_activity_sid is not None and worker_activity_sid not in configuration.activities:
        raise InvalidParameter("WorkerActivitySid", "expected an Activity of this Workspace")
    worker = end_reservation(
        work,
        configuration,
        reservation,
        "reject",
        task=task,
        event_type="reservation.rejected",
        description=f"Reservation {reservation.sid} rejected",
        reason=reason,
    )
    move_worker(work, configuration, worker, worker_activity_sid)
    _refused(work, configuration, task, move="reject")
    return _again(work, reservation)


def time_out(work: Work, *, reservation_sid: str) -> bool:
    """The offer has run out: the Worker goes to the timeout Activity, the Task back to its queue.

    False when it was answered meanwhile, its time stands still or its Task was deleted; nothing is
    written then.
    """
    try:
        task, reservation = _locked(work, reservation_sid, ends=True)
    except NotFound:
        return False
    if reservation.due_at is None or reservation.due_at > work.now:
        return False
    configuration = work.configuration(task.workspace_sid)
    worker = end_reservation(
        work,
        configuration,
        reservation,
        "time_out",
        task=task,
        event_type="reservation.timeout",
        description=f"Reservation {reservation.sid} timed out",
    )
    move_worker(work, configuration, worker, configuration.workspace.timeout_activity_sid)
    release(work, configuration, task, move="time_out")
    return True


def time_out_all(work: Work, reservation_sids: Sequence[str]) -> None:
    """The same for several, in one transaction."""
    if len(reservation_sids) > 1:
        these = set(reservation_sids)
        seen = work.reservations.find(sid=these)
        work.tasks.find(sid={each.task_sid for each in seen}, order_by="sid", lock=True)
        hold_workers(work, work.reservations.find(sid=these, order_by="sid", lock=True))
    for sid in reservation_sids:
        time_out(work, reservation_sid=sid)


def hold_workers(work: Work, held: Iterable[Reservation]) -> None:
    """Locks the Workers of Reservations that are locked, for verbs that follow one another.

    In one transaction they would take them one by one; all who take many take Tasks, Reservations
    and Workers in this order, each by SID.
    """
    work.workers.find(sid={each.worker_sid for each in held}, order_by="sid", lock=True)


def cancel(
    work: Work, *, reservation_sid: str, reason: str, reason_code: int | None = None
) -> bool:
    """Takes an offer back because it cannot be carried out (the agent's phone was busy, say).

    The Worker goes to the timeout Activity, so that the next offer goes to somebody who can be
    reached; an accepted Reservation can be taken back like this, too, before its bridge is built.
    `reason_code` is Twilio's, for agents' applications (canceled_reason_code).
    False when the Reservation is over already, or gone with its Task or Worker.
    """
    try:
        task, reservation = _locked(work, reservation_sid, ends=True)
    except NotFound:
        return False
    if reservation.reservation_status not in {states.PENDING, states.ACCEPTED}:
        return False
    configuration = work.configuration(task.workspace_sid)
    worker = end_reservation(
        work,
        configuration,
        reservation,
        "cancel",
        task=task,
        event_type="reservation.canceled",
        description=f"Reservation {reservation.sid} canceled: {reason}",
        reason=reason,
        **({} if reason_code is None else {"reservation_reason_code": str(reason_code)}),
    )
    move_worker(work, configuration, worker, configuration.workspace.timeout_activity_sid)
    _refused(work, configuration, task, move="cancel")
    return True


def release(work: Work, configuration: Configuration, task: Task, *, move: str) -> Task:
    """The Task waits again after that move, unless somebody else is asked for it or has it."""
    if task.transfer_sid is not None and task.assignment_status == RESERVED:
        task = handing_over.attempt_failed(work, configuration, task, move=move)
        return _given_up(work, configuration, task)
    if any(live.reservation_status != states.WRAPPING for live in _live(work, task)):
        return task
    columns: dict[str, object] = {"assignment_status": next_task_state(task, "release")}
    if task.assignment_status == ASSIGNED:
        # It was assigned and comes back: its time to live goes on from its creation.
        columns["expires_at"] = task.created_at + task.timeout_seconds * SECOND
    return _given_up(work, configuration, changed_task(work, task, **columns))


def _refused(work: Work, configuration: Configuration, task: Task, *, move: str) -> None:
    """The Worker does not take it: it waits again, or is canceled where nobody else may be asked.

    So Twilio does with a Task for a Worker whose capacity does not count (its words, too); one
    whose capacity counts waits until that Worker has time.
    """
    task = release(work, configuration, task, move=move)
    is_for_one = task.only_worker_sid is not None and task.ignore_capacity
    if is_for_one and task.assignment_status == PENDING:
        reason = f"RoutingTarget not available for Reservation acceptance: {task.only_worker_sid}"
        placement.cancel_waiting(work, configuration, task, reason)


def _given_up(work: Work, configuration: Configuration, task: Task) -> Task:
    """A Task that waits again may have been offered too often, or have nowhere to wait."""
    if task.assignment_status != PENDING:
        return task
    if task.assignment_count >= MAX_ASSIGNMENT_COUNT:
        reason = "Task TTL Exceeded or Max assignment count exceeded"
        return placement.cancel_waiting(work, configuration, task, reason)
    if task.task_queue_sid is None:
        return placement.cancel_waiting(work, configuration, task, NO_QUEUE)
    return placement.stay_or_go(work, configuration, task)


def wrap_up(work: Work, *, reservation_sid: str, if_match: int | None = None) -> Reservation:
    """The conversation is over; the Worker still has after-work, and the capacity stays taken."""
    task, reservation = _locked(work, reservation_sid, if_match, ends=False)
    configuration = work.configuration(task.workspace_sid)
    wrapped = wrap_up_one(work, configuration, reservation, task)
    _one_less(work, configuration, task)
    return wrapped


def _one_less(work: Work, configuration: Configuration, task: Task) -> None:
    """One of those who had the Task is done with it; are the others?"""
    if task.assignment_status != ASSIGNED or handing_over.holders(work, task):
        return
    if task.transfer_sid is not None:
        handing_over.left(work, configuration, task)
    else:
        wrap_up_task(work, configuration, task, reason=None)


def wrap_up_one(
    work: Work, configuration: Configuration, reservation: Reservation, task: Task
) -> Reservation:
    reservation = changed_reservation(
        work, reservation, reservation_status=next_reservation_state(reservation, "wrap_up")
    )
    worker = locked_worker(work, reservation.workspace_sid, reservation.worker_sid)
    tell(
        work,
        configuration,
        "reservation.wrapup",
        f"Reservation {reservation.sid} wrapping",
        Subject(reservation=reservation, task=task, worker=worker),
    )
    return reservation


def wrap_up_task(
    work: Work, configuration: Configuration, task: Task, *, reason: str | None
) -> Task:
    task = changed_task(
        work, task, assignment_status=next_task_state(task, "wrap_up"), reason=reason
    )
    tell(work, configuration, "task.wrapup", f"Task {task.sid} wrapping", Subject(task=task))
    return task


def complete(work: Work, *, reservation_sid: str, if_match: int | None = None) -> Reservation:
    """The Worker has finished; with its last Reservation the Task is completed, too."""
    task, reservation = _locked(work, reservation_sid, if_match, ends=True)
    configuration = work.configuration(task.workspace_sid)
    worker = complete_one(work, configuration, reservation, task)
    is_last = not _live(work, task) and task.transfer_sid is None
    if is_last and task.assignment_status in {ASSIGNED, WRAPPING}:
        complete_task(work, configuration, task, reason=ALL_COMPLETED, worker=worker)
    else:
        _one_less(work, configuration, task)
    return _again(work, reservation)


def complete_one(
    work: Work, configuration: Configuration, reservation: Reservation, task: Task
) -> Worker:
    return end_reservation(
        work,
        configuration,
        reservation,
        "complete",
        task=task,
        event_type="reservation.completed",
        description=f"Reservation {reservation.sid} completed",
        reason=reservation.reason,
    )


def complete_task(
    work: Work,
    configuration: Configuration,
    task: Task,
    *,
    reason: str | None,
    worker: Worker | None = None,
) -> Task:
    """`worker` is the one who had it last; what happened is told with them."""
    task = changed_task(
        work,
        task,
        assignment_status=next_task_state(task, "complete"),
        reason=reason,
        expires_at=None,
    )
    subject = Subject(task=task, worker=worker)
    tell(work, configuration, "task.completed", f"Task {task.sid} completed", subject)
    return task


def hold_timer(work: Work, *, reservation_sid: str, if_match: int | None = None) -> Reservation:
    """The offer's time stands still while an instruction for it is carried out.

    Raises IllegalMove when it is no longer pending.
    """
    _task, reservation = _hold(work, _seen(work, reservation_sid), if_match)
    if reservation.reservation_status != states.PENDING:
        raise IllegalMove(
            f"Cannot instruct reservation {reservation.sid}",
            workspace_sid=reservation.workspace_sid,
            because="it is not currently in a Pending state.",
        )
    return stop_timer(work, reservation)


def stop_timer(work: Work, reservation: Reservation) -> Reservation:
    """The same for one that is pending and held by the caller."""
    work.reservations.change(reservation.sid, due_at=None)
    return replace(reservation, due_at=None)


def check_if_match(reservation: Reservation, if_match: int | None) -> None:
    """Raises PreconditionFailed unless the Reservation is of that version; None accepts any."""
    check_version(reservation.version, if_match)


def _again(work: Work, reservation: Reservation) -> Reservation:
    return work.reservations.get(reservation.sid) or reservation
