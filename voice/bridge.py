"""What every piece of news means for a bridge that is being built, or that stands.

Verbs of the engine's kind: each happens in one unit of work, looks at what it finds there and
never at the order in which news arrived. None of them calls Twilio; what is to be done there is
left as an Instruction, so that it survives whatever happens next.

A conference instruction goes through these steps:
    dial      the agent is to be called into a room named after the Task
    ringing   the agent's phone rings; callbacks tell how it ends
    move      the agent is in the room, the caller is to be moved there
    joining   the caller is on the way; callbacks tell when both are in
    parting   one of them hung up just then; whether they had met is not known yet
"""

from collections.abc import Sequence
from typing import Final

from routing import reservation as reservation_states
from routing.call import DONE, FAILED, IN_PROGRESS, Call, Instruction
from routing.clock import SECOND
from routing.engine import giving, instructions
from routing.ports import Work
from routing.task import CALLER_HUNG_UP
from voice import conversation
from voice.call_flow import MAX_RING_SECONDS, MIN_RING_SECONDS
from voice.phone_line import ENDED_STATUSES, Leg

CONFERENCE: Final = instructions.CONFERENCE
CALL: Final = instructions.CALL
SUPERVISE: Final = instructions.SUPERVISE
#: The instructions for which a phone is called.
LEGS: Final = conversation.ROOMS | {CALL, SUPERVISE}
#: Kinds of our own: end the agent's leg; take the caller back to the queue; say goodbye.
HANG_UP: Final = "hang-up"
GOODBYE: Final = "goodbye"

DIAL: Final = "dial"
RINGING: Final = "ringing"
MOVE: Final = "move"
JOINING: Final = "joining"
PARTING: Final = "parting"

#: Seconds after which a caller who was moved must have arrived.
JOIN_SECONDS = 10
#: Seconds in which callbacks tell whether caller and agent had met before one of them hung up.
PARTING_SECONDS = 3
#: Seconds a conference instruction lets the agent's phone ring where it does not say (Twilio's).
DEFAULT_RING_SECONDS = 60
#: Seconds beyond the agent's ringing time before we look ourselves; Twilio adds 5 of its own.
RINGING_MARGIN_SECONDS = 10

#: Seconds in which the agent's leg ends by itself when the caller has left.
RELEASE_SECONDS = 5
#: Seconds after which a caller who was told goodbye should be gone; then it is tried again.
GOODBYE_SECONDS = 60

HANGUP: Final = CALLER_HUNG_UP

#: Who can be called.
ADDRESS: Final = giving.ADDRESS

_OVER: Final = frozenset({DONE, FAILED})
_BRIDGEABLE: Final = frozenset({reservation_states.PENDING, reservation_states.ACCEPTED})


def held(work: Work, instruction_sid: str) -> Instruction | None:
    """The instruction for which a phone is called; its Task is locked first, so both stay put."""
    seen = work.instructions.get(instruction_sid)
    if seen is None or seen.kind not in LEGS:
        return None
    work.tasks.foresee(seen.task_sid, lock=True)
    work.instructions.foresee(instruction_sid, lock=True)
    work.tasks.get(seen.task_sid, lock=True)
    return work.instructions.get(instruction_sid, lock=True)


def leg_changed(work: Work, *, instruction_sid: str, call_sid: str, status: str) -> None:
    """News of the agent's leg: Twilio's `status`, from a callback or because we asked."""
    instruction = held(work, instruction_sid)
    if instruction is None:
        return
    ours = instruction.worker_call_sid in {None, call_sid}
    if instruction.state == FAILED or not ours:
        if status not in ENDED_STATUSES:
            end_leg(work, instruction, call_sid)
    elif instruction.state == DONE:
        if status in ENDED_STATUSES and instruction.kind in conversation.ROOMS:
            _forget_leg(work, instruction)
            conversation.worker_left(work, instruction)
    elif status in ENDED_STATUSES:
        _leg_ended(work, instruction, status)
    else:
        _remember(work, instruction, worker_call_sid=call_sid)
        _leg_lives(work, instruction, answered=status == "in-progress")


#: Why the agent could not be reached, in words for people.
_FAILURES: Final = {
    "busy": "the agent's phone was busy",
    "no-answer": "the agent's phone was not answered",
    "failed": "the agent's phone could not be reached",
    "canceled": "the call to the agent was canceled",
    "completed": "the agent hung up before the caller was put through",
}


def _leg_ended(work: Work, instruction: Instruction, status: str) -> None:
    """In the moment of joining, the agent's leg may have ended because the caller left the room."""
    if instruction.step == JOINING:
        _enter(work, instruction, PARTING, seconds=PARTING_SECONDS)
    elif instruction.step != PARTING:
        failure = with_code(instruction.kind, _FAILURES[status])
        fail(work, instruction, failure, leg_ended=True)


#: Twilio's code of a call that could not be made, where the instruction has one.
_CODES: Final = {CALL: "40113", instructions.DEQUEUE: "40133", CONFERENCE: "40145"}


def with_code(kind: str, failure: str) -> str:
    """The failure with TaskRouter's code of a call that could not be made, if it has none yet."""
    code = _CODES.get(kind)
    return failure if code is None or failure.startswith("401") else f"{code}: {failure}"


def _leg_lives(work: Work, instruction: Instruction, *, answered: bool) -> None:
    if answered and instruction.step in {DIAL, RINGING}:
        if instruction.kind in conversation.ROOMS:
            _enter(work, instruction, MOVE, seconds=0)
        elif instruction.kind == CALL:
            instructions.succeed(work, instruction_sid=instruction.sid)
        else:
            instructions.finish(work, instruction_sid=instruction.sid)
    elif not answered and instruction.step == DIAL:
        _enter(
            work, instruction, RINGING, seconds=ring_seconds(instruction) + RINGING_MARGIN_SECONDS
        )


def ring_seconds(instruction: Instruction) -> int:
    """How long the agent's phone rings; an instruction may say more than a call may ring."""
    seconds = conversation.parameters_of(instruction).get("timeout")
    if not isinstance(seconds, int):
        return DEFAULT_RING_SECONDS
    return min(max(seconds, MIN_RING_SECONDS), MAX_RING_SECONDS)


def dialled(work: Work, *, instruction_sid: str, leg: Leg, customer_call_sid: str | None) -> None:
    """The agent's phone has been called, or was found to have been called before."""
    instruction = held(work, instruction_sid)
    if instruction is None:
        return
    if instruction.state in _OVER or instruction.worker_call_sid not in {None, leg.call_sid}:
        end_leg(work, instruction, leg.call_sid)
        return
    _remember(
        work,
        instruction,
        worker_call_sid=leg.call_sid,
        conference_sid=leg.conference_sid,
        customer_call_sid=customer_call_sid,
    )
    _leg_lives(work, instruction, answered=False)


def called_out(
    work: Work, *, instruction_sid: str, leg: Leg, to: str, from_address: str, seconds: int
) -> None:
    """The customer's phone has been called, for an agent who waits in the room.

    From now on that is the Task's call, like one that came in.
    """
    instruction = held(work, instruction_sid)
    if instruction is None:
        return
    known = work.calls.get(leg.call_sid)
    if known is None:
        work.calls.add(
            Call(
                sid=leg.call_sid,
                workspace_sid=instruction.workspace_sid,
                task_sid=instruction.task_sid,
                from_address=to,
                to_address=from_address,
                status="queued",
                sequence_number=-1,
                parameters="{}",
                due_at=work.now + seconds * SECOND,
                created_at=work.now,
                updated_at=work.now,
            )
        )
    if instruction.state in _OVER:
        end_leg(work, instruction, leg.call_sid)
    elif known is not None and known.due_at is None:
        # The news that it was over was faster than the answer to the dialling.
        _remember(work, instruction, customer_call_sid=leg.call_sid)
        abandon(work, instruction, HANGUP)
        instructions.customer_left(work, task_sid=instruction.task_sid, reason=HANGUP)
    else:
        _remember(work, instruction, customer_call_sid=leg.call_sid)
        _enter(work, instruction, JOINING, seconds=seconds)


def moved(work: Work, *, instruction_sid: str) -> None:
    """The caller was sent into the room, and is on the way."""
    instruction = held(work, instruction_sid)
    if instruction is not None and instruction.state not in _OVER and instruction.step == MOVE:
        _enter(work, instruction, JOINING, seconds=JOIN_SECONDS)


def customer_in(work: Work, *, instruction_sid: str, conference_sid: str) -> None:
    """The caller is in the room with the agent: the bridge stands."""
    instruction = held(work, instruction_sid)
    if instruction is None or instruction.state in _OVER or instruction.worker_call_sid is None:
        return
    reservation = work.reservations.get(instruction.reservation_sid)
    if reservation is None or reservation.reservation_status not in _BRIDGEABLE:
        abandon(work, instruction, "the reservation is over")
        return
    call = conversation.call_of(work, instruction.task_sid)
    if call is not None:  # where the answer to the dialling was lost, nobody has noted it
        _remember(work, instruction, customer_call_sid=call.sid)
    work.instructions.change(instruction.sid, conference_sid=conference_sid)
    instructions.succeed(work, instruction_sid=instruction.sid)
    if instruction.step == PARTING:
        conversation.conversation_over(work, instruction)
        release_leg(work, instruction)
    else:
        conversation.hold_customer(work, instruction, hold=False)


def part(work: Work, task_sid: str) -> bool:
    """The caller hung up. True if that was on the way to the agent, or just after: time will tell.

    The news that they met may be slower than the news that they parted; a conversation that took
    place must not be booked as a caller who gave up.
    """
    for instruction in work.instructions.find(task_sid=task_sid, kind=conversation.ROOMS):
        sent = instruction.step in {JOINING, PARTING} or (
            instruction.step == MOVE and instruction.attempts > 0
        )
        if sent and instruction.state not in _OVER:
            _enter(work, instruction, PARTING, seconds=PARTING_SECONDS)
            return True
    return False


def missed(work: Work, instruction: Instruction) -> None:
    """The caller is in a room of that name, but the agent's had ended before: nobody is there."""
    if instruction.state in _OVER:
        return
    if conversation.is_live(conversation.call_of(work, instruction.task_sid)):
        fail(work, instruction, _FAILURES["completed"])
    else:
        abandon(work, instruction, HANGUP)


def parted(work: Work, task_sid: str, *, met: bool) -> None:
    """Whether caller and agent had met before one of them hung up is known now."""
    for seen in work.instructions.find(task_sid=task_sid, kind=conversation.ROOMS):
        instruction = held(work, seen.sid)
        if instruction is None or instruction.state in _OVER or instruction.step != PARTING:
            continue
        if met:
            sid = instruction.conference_sid or ""
            customer_in(work, instruction_sid=instruction.sid, conference_sid=sid)
        else:
            missed(work, instruction)


def look_again(work: Work, instruction: Instruction) -> None:
    """Something happened in the room that only Twilio can explain: the next step asks."""
    if instruction.state not in _OVER and instruction.leased_until is None:
        work.instructions.change(instruction.sid, due_at=work.now)


def fail(work: Work, instruction: Instruction, failure: str, *, leg_ended: bool = False) -> None:
    """The bridge cannot be built: the Task is offered again, the caller goes on waiting."""
    if instructions.fail(work, instruction_sid=instruction.sid, failure=failure):
        _clear_up(work, instruction, leg_ended=leg_ended)
        call = conversation.call_of(work, instruction.task_sid)
        tried_to_move = instruction.step == MOVE and instruction.attempts > 0
        if conversation.is_live(call) and (tried_to_move or instruction.step in {JOINING, PARTING}):
            conversation.request(
                work, instruction, conversation.BACK_IN_LINE, due_at=_after_lease(work, instruction)
            )


def abandon(work: Work, instruction: Instruction, why: str) -> None:
    """Nobody needs the bridge any more; the Reservation has ended, or ends otherwise."""
    if instructions.finish(work, instruction_sid=instruction.sid, failure=why):
        _clear_up(work, instruction, leg_ended=False)
        call = conversation.call_of(work, instruction.task_sid)
        if instruction.step == PARTING and not conversation.is_live(call):
            instructions.customer_left(work, task_sid=instruction.task_sid, reason=HANGUP)


def abandon_all(work: Work, task_sid: str, why: str) -> None:
    """No bridge of the Task is needed any more."""
    for instruction in work.instructions.find(task_sid=task_sid, kind=conversation.ROOMS):
        if instruction.state not in _OVER:
            abandon(work, instruction, why)


def is_any_under_way(rows: Sequence[Instruction]) -> bool:
    """Is a bridge being built, among those Instructions of a Task?"""
    return any(row.kind in conversation.ROOMS and row.state not in _OVER for row in rows)


def _clear_up(work: Work, instruction: Instruction, *, leg_ended: bool) -> None:
    """No phone rings for nothing: the leg is ended, also one that is just being dialled."""
    begun = instruction.worker_call_sid is not None or instruction.attempts > 0
    if begun and not leg_ended:
        end_leg(work, instruction, instruction.worker_call_sid)


def end_leg(
    work: Work, instruction: Instruction, call_sid: str | None, *, due_at: int | None = None
) -> None:
    """Has the agent's leg ended; without a SID it is looked for once the dialling must be over.

    `due_at` is as soon as possible where it is left out.
    """
    label = label_of(instruction)
    for known in work.instructions.find(reservation_sid=instruction.reservation_sid, kind=HANG_UP):
        if conversation.parameters_of(known).get("label") != label:
            continue
        if known.worker_call_sid == call_sid:
            return
        if known.worker_call_sid is None and known.state not in _OVER:
            work.instructions.change(known.sid, worker_call_sid=call_sid, due_at=work.now)
            return
    if due_at is None:
        due_at = _after_lease(work, instruction) if call_sid is None else work.now
    conversation.request(
        work, instruction, HANG_UP, due_at=due_at, worker_call_sid=call_sid, label=label
    )


def label_of(instruction: Instruction) -> str:
    """By which the leg of an Instruction is found in the room: agents' by their Reservation."""
    if instruction.kind in conversation.ROOMS:
        return instruction.reservation_sid
    return instruction.sid


def release_leg(work: Work, instruction: Instruction) -> None:
    """The caller has left: the room should have ended with that, and the agent's leg with the room.

    Should it not have, because they were in two rooms of the same name, the leg is ended for them.
    """
    stays = conversation.parameters_of(instruction).get("end_conference_on_customer_exit", True)
    if instruction.worker_call_sid is not None and str(stays).lower() == "true":
        later = work.now + RELEASE_SECONDS * SECOND
        end_leg(work, instruction, instruction.worker_call_sid, due_at=later)


def _forget_leg(work: Work, instruction: Instruction) -> None:
    """The agent's leg has ended; whoever was to end it need not."""
    for known in work.instructions.find(reservation_sid=instruction.reservation_sid, kind=HANG_UP):
        if known.worker_call_sid == instruction.worker_call_sid:
            instructions.finish(work, instruction_sid=known.sid)


def say_goodbye(work: Work, call: Call, *, said: bool = False) -> None:
    """The caller is to be told that nobody will come, once; nothing if that is under way.

    `said` where the answer to a webhook has just told them, so that nothing is left to do.
    """
    for known in work.instructions.find(task_sid=call.task_sid, kind=GOODBYE):
        if known.state not in _OVER or work.now - known.updated_at < GOODBYE_SECONDS * SECOND:
            return
    instruction = instructions.request(
        work,
        kind=GOODBYE,
        step=conversation.TELL,
        workspace_sid=call.workspace_sid,
        task_sid=call.task_sid,
        customer_call_sid=call.sid,
    )
    if said:
        instructions.finish(work, instruction_sid=instruction.sid)


def _enter(work: Work, instruction: Instruction, step: str, *, seconds: int) -> None:
    instructions.progress(
        work,
        instruction_sid=instruction.sid,
        state=IN_PROGRESS,
        step=step,
        attempts=0,
        due_at=work.now + seconds * SECOND,
    )


def _remember(work: Work, instruction: Instruction, **facts: str | None) -> None:
    """Notes what was learned, without touching the step, its deadline or its lease."""
    new = {
        name: value
        for name, value in facts.items()
        if value is not None and getattr(instruction, name) is None
    }
    if new:
        work.instructions.change(instruction.sid, **new)


def _after_lease(work: Work, instruction: Instruction) -> int:
    """When nobody can be working on the instruction any more."""
    return max(work.now, instruction.leased_until or 0)
