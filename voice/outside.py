"""Somebody outside is called into a conversation; the caller is never alone in silence meanwhile.

The agent may leave before it is known whether the other answers: the caller then hears the hold
music, and either talks to the other or goes back in line. Verbs of the same kind as those of
`bridge`; `calling_out` carries out what they leave.
"""

from collections.abc import Sequence
from typing import Final

from routing import reservation as reservation_states
from routing.call import DONE, FAILED, IN_PROGRESS, Instruction
from routing.clock import SECOND
from routing.engine import instructions, outside
from routing.engine.outside import DIAL, OUTSIDE, RINGING, TALKING
from routing.ports import Work
from voice import bridge, conversation
from voice.phone_line import ENDED_STATUSES, Leg

#: Seconds between two looks at somebody who talks, in case a callback was lost.
LOOK_SECONDS = 30

_OVER: Final = frozenset({DONE, FAILED})
#: Why nobody outside came, by Twilio's status of the leg.
_FAILURES: Final = {
    "busy": "the other's phone was busy",
    "no-answer": "the other's phone was not answered",
    "failed": "the other could not be reached",
    "canceled": "the call was called off",
    "completed": "the other hung up at once",
}
#: A parameter of ours beside those that the Instruction was given.
REMOVED: Final = "removed"


def _held(work: Work, instruction_sid: str) -> Instruction | None:
    seen = work.instructions.get(instruction_sid)
    if seen is None or seen.kind != OUTSIDE:
        return None
    work.tasks.get(seen.task_sid, lock=True)
    return work.instructions.get(instruction_sid, lock=True)


def dialled(work: Work, *, instruction_sid: str, leg: Leg) -> None:
    """The other's phone has been called, or was found to have been called before."""
    row = _held(work, instruction_sid)
    if row is None:
        return
    if row.state in _OVER or row.worker_call_sid not in {None, leg.call_sid}:
        bridge.end_leg(work, row, leg.call_sid)
        return
    if row.worker_call_sid is None:
        work.instructions.change(row.sid, worker_call_sid=leg.call_sid)
    if row.step != DIAL:
        return  # a callback was faster
    seconds = ring_seconds(row) + bridge.RINGING_MARGIN_SECONDS
    _enter(work, row, RINGING, seconds=seconds)
    outside.tell_status(work, row, "ringing", leg.call_sid)
    if outside.is_cold(row):
        _send_agent_home(work, row)


def _send_agent_home(work: Work, row: Instruction) -> None:
    """Cold: the agent's leg ends now, and the caller hears music until the other has answered."""
    standing = _bridge(work, row)
    if standing is None or standing.worker_call_sid is None:
        return
    conversation.left_early(work, standing)
    bridge.end_leg(work, standing, standing.worker_call_sid)


def leg_changed(work: Work, *, instruction_sid: str, call_sid: str, status: str) -> None:
    """News of the other's leg: Twilio's `status`, from a callback or because we asked."""
    row = _held(work, instruction_sid)
    if row is None:
        return
    ours = row.worker_call_sid in {None, call_sid}
    if row.state in _OVER or not ours:
        if status not in ENDED_STATUSES:
            bridge.end_leg(work, row, call_sid)
    elif status in ENDED_STATUSES:
        ended(work, instruction_sid=row.sid, status=status, leg_ended=True)
    elif status == "in-progress":
        _answered(work, row, call_sid)
    elif row.worker_call_sid is None:
        work.instructions.change(row.sid, worker_call_sid=call_sid)


def _answered(work: Work, row: Instruction, call_sid: str) -> None:
    was_known = row.step == TALKING
    if row.worker_call_sid is None:
        work.instructions.change(row.sid, worker_call_sid=call_sid)
    _enter(work, row, TALKING, seconds=LOOK_SECONDS)
    if was_known:
        return
    outside.tell_status(work, row, "in-progress", call_sid)
    if outside.is_cold(row) and row.step == DIAL:
        _send_agent_home(work, row)  # the answer to the dialling is slower than the other
    standing = instructions.standing(work, outside.leaver(work, row) or "")
    if standing is not None:
        conversation.among_themselves(work, standing)


def ended(
    work: Work,
    *,
    instruction_sid: str,
    status: str,
    failure: str | None = None,
    leg_ended: bool = False,
) -> None:
    """Somebody outside has left, or did not come: whoever is still there goes on."""
    row = _held(work, instruction_sid)
    if row is None or row.state in _OVER:
        return
    has_talked = row.step == TALKING
    why = None if has_talked else failure or _FAILURES[status]
    instructions.finish(work, instruction_sid=row.sid, failure=why)
    outside.tell_status(work, row, status)
    if not leg_ended:
        bridge.end_leg(work, row, row.worker_call_sid)
    leaver = outside.leaver(work, row)
    reservation = work.reservations.get(leaver or row.reservation_sid)
    is_held = (
        reservation is not None and reservation.reservation_status == reservation_states.ACCEPTED
    )
    if reservation is not None and is_held and why is not None:
        instructions.tell_failure(work, reservation, kind=OUTSIDE, failure=why)
    if not conversation.is_live(conversation.call_of(work, row.task_sid)):
        return
    if is_held and leaver is not None:
        outside.give_back(work, reservation_sid=leaver)
        conversation.request(
            work, row, conversation.BACK_IN_LINE, due_at=work.now, only_if_alone=True
        )
    elif not is_held:
        conversation.request(work, row, conversation.END_ROOM, due_at=work.now)


def end_all(work: Work, task_sid: str, rows: Sequence[Instruction] | None = None) -> None:
    """The caller has gone, or the room: nobody outside is called or kept for it.

    `rows` are the Task's Instructions, where they were read just now.
    """
    if rows is not None and not any(row.kind == OUTSIDE for row in rows):
        return
    for row in outside.live(work, task_sid):
        status = "completed" if row.step == TALKING else "canceled"
        ended(work, instruction_sid=row.sid, status=status)


def look_at(work: Work, rows: Sequence[Instruction], call_sid: str) -> bool:
    """Something happened in the room to that call: is it somebody outside? Then Twilio is asked.

    `rows` are the Task's Instructions.
    """
    for row in rows:
        if (row.kind, row.worker_call_sid) == (OUTSIDE, call_sid) and row.state not in _OVER:
            if row.leased_until is None:
                work.instructions.change(row.sid, due_at=work.now)
            return True
    return False


def _bridge(work: Work, row: Instruction) -> Instruction | None:
    return work.instructions.get(str(instructions.parameters_of(row)["bridge"]))


def ring_seconds(row: Instruction) -> int:
    seconds = instructions.parameters_of(row)["timeout"]
    return seconds if isinstance(seconds, int) else outside.DEFAULT_RING_SECONDS


def _enter(work: Work, row: Instruction, step: str, *, seconds: int) -> None:
    """The next look is soon where somebody wants the other to be taken out."""
    now = work.instructions.get(row.sid) or row
    if instructions.parameters_of(now).get(REMOVED):
        seconds = 1
    instructions.progress(
        work,
        instruction_sid=row.sid,
        state=IN_PROGRESS,
        step=step,
        attempts=0,
        due_at=work.now + seconds * SECOND,
    )


def give_up(work: Work, row: Instruction, failure: str) -> None:
    """A step was tried often enough. Whoever talks is not taken out for that: asked again later."""
    if row.step == TALKING:
        _enter(work, row, TALKING, seconds=LOOK_SECONDS)
    else:
        ended(work, instruction_sid=row.sid, status="failed", failure=failure)
