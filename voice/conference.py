"""Agent and caller in one room: what its callbacks mean for the Task.

They come late, twice and in any order. Who is in is read from what a callback says of one call,
never counted; a room that ended is over whatever else still arrives of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from routing.call import DONE, FAILED, Instruction
from routing.ports import Work
from voice import bridge, conversation, hang_up, outside
from voice.phone_line import ENDED_STATUSES

#: What the caller hears when the room is left: a farewell, the queue again, or that nobody comes.
NEXT_ENDED: Final = "ended"
NEXT_WAIT: Final = "wait"
NEXT_CANCELED: Final = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomNews:
    """One status callback of a conference."""

    #: StatusCallbackEvent: participant-join, participant-leave, conference-end, ...
    event: str
    conference_sid: str
    #: Empty for what concerns the whole room.
    call_sid: str
    #: conference-end: whose leaving ended it; empty where it was nobody's.
    ended_by: str = ""


def room_changed(work: Work, *, instruction_sid: str, news: RoomNews) -> None:
    """Takes in one callback of the room that the instruction opened."""
    instruction = bridge.held(work, instruction_sid)
    if instruction is None:
        return
    if news.event == "participant-join":
        _joined(work, instruction, news)
    elif news.event == "participant-leave":
        _left(work, instruction, news)
    elif news.event == "conference-end":
        _ended(work, instruction, news)


def _joined(work: Work, instruction: Instruction, news: RoomNews) -> None:
    call = conversation.call_of(work, instruction.task_sid)
    if call is not None and news.call_sid == call.sid:
        if instruction.conference_sid not in {None, news.conference_sid}:
            bridge.missed(work, instruction)
            return
        bridge.customer_in(
            work, instruction_sid=instruction.sid, conference_sid=news.conference_sid
        )
        return
    rows = work.instructions.find(task_sid=instruction.task_sid)
    if not outside.look_at(work, rows, news.call_sid):
        _worker_joined(work, instruction, news, rows)


def _worker_joined(
    work: Work, instruction: Instruction, news: RoomNews, rows: Sequence[Instruction]
) -> None:
    """Whoever is in the room has answered; the room tells of everybody by the first one's URL."""
    theirs = [each.sid for each in _of_call(rows, news.call_sid)]
    if not theirs and instruction.worker_call_sid is None:
        theirs = [instruction.sid]
    for sid in theirs:
        bridge.leg_changed(work, instruction_sid=sid, call_sid=news.call_sid, status="in-progress")


def _of_call(rows: Sequence[Instruction], call_sid: str) -> list[Instruction]:
    """The bridges of that Worker's call."""
    return [
        row for row in rows if row.kind in conversation.ROOMS and row.worker_call_sid == call_sid
    ]


def _left(work: Work, instruction: Instruction, news: RoomNews) -> None:
    call = conversation.call_of(work, instruction.task_sid)
    if call is None or news.call_sid != call.sid:
        _worker_left(work, instruction, news)
    elif instruction.step == bridge.PARTING:
        bridge.parted(work, instruction.task_sid, met=True)  # nobody leaves who was not in
    elif instruction.state != DONE:
        bridge.look_again(work, instruction)
    elif not conversation.is_handed_on(work, instruction.task_sid):
        conversation.conversation_over(work, instruction)


def _worker_left(work: Work, instruction: Instruction, news: RoomNews) -> None:
    """The room tells of everybody by the instruction that opened it; theirs may be another."""
    rows = work.instructions.find(task_sid=instruction.task_sid)
    if outside.look_at(work, rows, news.call_sid):
        return
    for seen in _of_call(rows, news.call_sid):
        if seen.state == DONE:
            conversation.worker_left(work, seen)
        else:
            bridge.look_again(work, seen)


def _ended(work: Work, instruction: Instruction, news: RoomNews) -> None:
    conversation.remember_who_hung_up(work, instruction, news.ended_by)
    outside.end_all(work, instruction.task_sid)
    if instruction.state != DONE:
        bridge.look_again(work, instruction)
    elif not conversation.is_handed_on(work, instruction.task_sid):
        conversation.conversation_over(work, instruction)


def caller_is_back(work: Work, *, instruction_sid: str, call_sid: str, status: str) -> str:
    """The caller's part in the room is over, and Twilio asks what comes next: one of the NEXT_*.

    It also asks because the caller hung up, and when we ourselves move a caller out of the room;
    what we answer is not heard then.
    """
    if status in ENDED_STATUSES:
        hang_up.hung_up_in_room(work, call_sid=call_sid, status=status)
        return NEXT_ENDED
    instruction = bridge.held(work, instruction_sid)
    if instruction is not None and instruction.state == DONE:
        if conversation.is_handed_on(work, instruction.task_sid):
            return NEXT_WAIT
        conversation.conversation_over(work, instruction)
        return NEXT_ENDED
    if (
        instruction is not None
        and instruction.state != FAILED
        and instruction.step in {bridge.JOINING, bridge.PARTING}
    ):
        bridge.fail(work, instruction, "the conference ended before the caller was in")
    call = work.calls.get(call_sid)
    wanted = call is not None and hang_up.is_wanted(work, call)
    return NEXT_WAIT if wanted else NEXT_CANCELED
