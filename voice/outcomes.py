"""What becomes of an instruction, and what the news of the log mean for those under way.

Verbs of the engine's kind, for `assignment`: each in one unit of work, none of them calls Twilio.
"""

from routing.call import DONE, FAILED, Instruction
from routing.clock import SECOND
from routing.engine import instructions
from routing.engine.outside import OUTSIDE
from routing.events import Event
from routing.ports import Work
from routing.reservation import ACCEPTED, PENDING
from routing.transfer import COLD
from voice import bridge, conversation, hang_up, outside

#: Seconds before a failed try is repeated: 1, 2, 4, then this.
MAX_PAUSE_SECONDS = 8


def is_settled(work: Work, task_sid: str) -> bool:
    """Is there nothing to be done for the end of the Task?"""
    conversation.foresee_call_of(work, task_sid)
    work.tasks.foresee(task_sid)
    call = conversation.call_of(work, task_sid)
    if call is None:
        return True
    task = work.tasks.get(task_sid)
    return task is not None and hang_up.is_still_wanted(work, call, task)


def settle(work: Work, *, task_sid: str) -> None:
    """A Task may have ended: its bridge is not needed then, and its caller must not wait on."""
    task = work.tasks.get(task_sid, lock=True)
    call = conversation.call_of(work, task_sid)
    if call is None or (task is not None and hang_up.is_wanted(work, call)):
        return
    bridge.abandon_all(work, task_sid, "the task has ended")
    if conversation.is_live(call):
        bridge.say_goodbye(work, call)


def is_anything_due(work: Work) -> bool:
    return bool(work.due_instructions(work.now, 1))


def rings_for(work: Work, reservation_sid: str) -> bool:
    """Is a phone called for that Reservation, which has ended?"""
    rows = work.instructions.find(reservation_sid=reservation_sid, kind=bridge.LEGS)
    return any(row.state not in {DONE, FAILED} for row in rows)


def reservation_over(work: Work, event: Event) -> None:
    """A Reservation has ended: no phone rings for it any more."""
    reservation = work.reservations.get(event.resource_sid)
    if reservation is not None and reservation.reservation_status in {PENDING, ACCEPTED}:
        return
    for seen in work.instructions.find(reservation_sid=event.resource_sid, kind=bridge.LEGS):
        instruction = bridge.held(work, seen.sid)
        if instruction is not None and instruction.state not in {DONE, FAILED}:
            bridge.abandon(work, instruction, "the reservation has ended")


def handed_on(work: Work, event: Event) -> None:
    """Whoever hands a call on cold leaves it at once; the caller hears the queue's music."""
    if event.carried["transfer_mode"] != COLD:
        return
    standing = instructions.standing(work, event.carried["initiating_reservation_sid"])
    if standing is not None and standing.worker_call_sid is not None:
        bridge.end_leg(work, standing, standing.worker_call_sid)


def still_ours(work: Work, instruction: Instruction) -> Instruction | None:
    """The row as it is now, if it is still at the step and under the lease that we took."""
    work.tasks.get(instruction.task_sid, lock=True)
    now = work.instructions.get(instruction.sid, lock=True)
    if now is None or now.state in {DONE, FAILED}:
        return None
    if (now.step, now.leased_until) != (instruction.step, instruction.leased_until):
        return None  # a callback was faster, and knows better
    return now


def later(work: Work, instruction: Instruction) -> None:
    """The same step again, after a pause that grows."""
    if still_ours(work, instruction) is not None:
        seconds = min(2 ** (instruction.attempts - 1), MAX_PAUSE_SECONDS)
        instructions.progress(
            work, instruction_sid=instruction.sid, due_at=work.now + seconds * SECOND
        )


def give_up(work: Work, instruction: Instruction, *, failure: str) -> None:
    mine = still_ours(work, instruction)
    if mine is None:
        return
    if mine.kind == OUTSIDE:
        outside.give_up(work, mine, failure)
    elif mine.step == bridge.PARTING:
        bridge.parted(work, mine.task_sid, met=False)
    elif mine.kind in instructions.BRIDGING or mine.kind == bridge.SUPERVISE:
        dials = mine.step in {bridge.DIAL, bridge.RINGING}
        bridge.fail(work, mine, bridge.with_code(mine.kind, failure) if dials else failure)
    else:
        # The sweep sees that the call still lives, and begins anew.
        instructions.finish(work, instruction_sid=mine.sid, failure=failure)


def abandon(work: Work, instruction: Instruction, *, why: str) -> None:
    now = bridge.held(work, instruction.sid)
    if now is not None:
        bridge.abandon(work, now, why)


def finish(work: Work, instruction: Instruction) -> None:
    instructions.finish(work, instruction_sid=instruction.sid)


def left(work: Work, instruction: Instruction) -> None:
    """Whoever left last is known now: the caller, whose leaving is booked, or else the Worker."""
    standing = instructions.standing(work, instruction.reservation_sid)
    if standing is not None:
        conversation.settle_leaving(work, standing)
    finish(work, instruction)
