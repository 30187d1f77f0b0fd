"""Whoever leaves first: the Task is canceled, wrapped up or completed, and nobody is left ringing.

The same verb serves every way in which we may learn that the caller is gone: the number's status
callback, the queue's action, the conference's, an error of the phone line, the sweep.
"""

from routing.call import Call, Instruction
from routing.engine import instructions, transfers
from routing.ports import Work
from routing.reservation import ACCEPTED
from routing.task import CANCELED, COMPLETED, WRAPPING, Task
from voice import bridge, conversation, outside
from voice.phone_line import ENDED_STATUSES

#: The Task of a call that ended before we heard that it rang.
NO_TASK = ""


def caller_left(work: Work, *, call_sid: str, status: str = "completed") -> bool:
    """The caller's call has ended. False when that was known; nothing happens then."""
    seen = work.calls.get(call_sid)
    if seen is None or seen.due_at is None:
        return False
    work.tasks.get(seen.task_sid, lock=True)
    call = work.calls.get(call_sid, lock=True)
    if call is None or call.due_at is None:
        return False
    work.calls.change(call_sid, status=status, due_at=None, updated_at=work.now)
    rows = work.instructions.find(task_sid=call.task_sid)
    outside.end_all(work, call.task_sid, rows)
    standing = conversation.standing_of(rows)
    is_under_way = bridge.is_any_under_way(rows)
    # Whoever was called and did not answer has certainly met nobody; and whoever is with an agent
    # was not on the way to one.
    if (
        (standing is None or not _is_with(work, standing))
        and status == "completed"
        and is_under_way
        and bridge.part(work, call.task_sid)
    ):
        return True
    if is_under_way:
        bridge.abandon_all(work, call.task_sid, bridge.HANGUP)
    if standing is not None:
        transfers.call_off(work, task_sid=call.task_sid, reason=bridge.HANGUP)
        instructions.release_unmet(work, task_sid=call.task_sid, reason=bridge.HANGUP)
        bridge.release_leg(work, standing)
    if standing is None or not conversation.conversation_over(work, standing):
        instructions.customer_left(work, task_sid=call.task_sid, reason=bridge.HANGUP)
    return True


def _is_with(work: Work, standing: Instruction) -> bool:
    """Does the agent of that bridge still have the caller, who may have been handed on since?"""
    reservation = work.reservations.get(standing.reservation_sid)
    return reservation is not None and reservation.reservation_status == ACCEPTED


def hung_up_in_queue(work: Work, *, call_sid: str) -> None:
    """Whoever was still in the queue when they hung up has met nobody."""
    caller_left(work, call_sid=call_sid)
    _parted(work, call_sid, met=False)


def hung_up_in_room(work: Work, *, call_sid: str, status: str) -> None:
    """Whoever hung up in the conference has met the agent, who waited there."""
    caller_left(work, call_sid=call_sid, status=status)
    _parted(work, call_sid, met=True)


def _parted(work: Work, call_sid: str, *, met: bool) -> None:
    call = work.calls.get(call_sid)
    if call is not None:
        bridge.parted(work, call.task_sid, met=met)


def is_known_to_be_over(work: Work, call_sid: str) -> bool:
    """Then there is nothing to be learned from news of the call any more."""
    call = work.calls.get(call_sid)
    return call is not None and call.due_at is None


def call_changed(work: Work, *, call_sid: str, status: str, sequence_number: int) -> None:
    """A status callback of the caller's call; older ones than the last are passed over."""
    if status in ENDED_STATUSES:
        if not caller_left(work, call_sid=call_sid, status=status):
            _remember_end(work, call_sid, status)
        return
    call = work.calls.get(call_sid, lock=True)
    if call is not None and call.due_at is not None and sequence_number > call.sequence_number:
        work.calls.change(
            call_sid, status=status, sequence_number=sequence_number, updated_at=work.now
        )


def _remember_end(work: Work, call_sid: str, status: str) -> None:
    """The news of the end was faster than the call's first webhook, which may still come.

    It finds this row then, and opens no Task for somebody who is gone.
    """
    workspaces = work.workspaces.find(limit=1)
    if work.calls.get(call_sid) is None and workspaces:
        work.calls.add(_ended(work, call_sid, workspaces[0].sid, status))


def remember(work: Work, *, task: Task, call_sid: str) -> None:
    """Notes a call that has led to a Task and needs nothing more of us."""
    work.calls.add(_ended(work, call_sid, task.workspace_sid, "completed"))


def _ended(work: Work, call_sid: str, workspace_sid: str, status: str) -> Call:
    return Call(
        sid=call_sid,
        workspace_sid=workspace_sid,
        task_sid=NO_TASK,
        from_address="",
        to_address="",
        status=status,
        sequence_number=-1,
        parameters="{}",
        due_at=None,
        created_at=work.now,
        updated_at=work.now,
    )


def queue_failed(work: Work, *, call_sid: str, reason: str) -> None:
    """The caller could not be kept in the queue, and is being told so."""
    call = work.calls.get(call_sid)
    if call is None:
        return
    work.tasks.get(call.task_sid, lock=True)
    bridge.abandon_all(work, call.task_sid, reason)
    bridge.say_goodbye(work, call, said=True)
    instructions.customer_left(work, task_sid=call.task_sid, reason=reason)


def is_wanted(work: Work, call: Call) -> bool:
    """Is there still a Task for which the caller should stay on the line?"""
    return is_still_wanted(work, call, work.tasks.get(call.task_sid))


def is_still_wanted(work: Work, call: Call, task: Task | None) -> bool:
    """The same where the Task has been read."""
    if task is not None and task.assignment_status not in {WRAPPING, COMPLETED, CANCELED}:
        return True
    if task is not None and task.assignment_status == CANCELED:
        return False  # nobody has it: whoever talked to the caller has handed them on
    # After-work, or completed by a program: whoever still talks may go on talking.
    return conversation.standing_bridge(work, call.task_sid) is not None
