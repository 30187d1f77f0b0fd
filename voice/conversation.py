"""Those who talk: who is in the conversation, who has left it, and when it is over.

Verbs of the same kind as those of the bridge: each looks at what it finds, in one unit of work,
and leaves what is to be done on the phone line as an Instruction.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from routing import reservation as reservation_states
from routing.call import DONE, Call, Instruction
from routing.engine import instructions, outside, participants, reservations, tasks
from routing.errors import RoutingError
from routing.json_text import read_object
from routing.ports import Work
from routing.reservation import Reservation
from routing.task import ASSIGNED, WAITING

BACK_IN_LINE: Final = "back-in-line"
#: End the room that everybody but the caller has left.
END_ROOM: Final = "end-room"
#: A Worker has left a conversation that may go on: was it they who left, or the caller?
LEFT: Final = "left"
#: The caller and somebody outside stay, and the room ends with either.
TOGETHER: Final = "together"
#: Twilio's reason of a Task whose conference is over.
CONFERENCE_ENDED: Final = "Conference ended"
#: The one step of the kinds of our own.
TELL: Final = "tell"
#: The instructions that put an agent and the caller into one room.
ROOMS: Final = instructions.ROOMS


def parameters_of(instruction: Instruction) -> Mapping[str, object]:
    return read_object(instruction.parameters, parameter="parameters")


def is_to_be_recorded(given: Mapping[str, object]) -> bool:
    """`record` of a call or dequeue instruction, which may be a word or a flag."""
    return str(given.get("record")).lower() in {"record-from-answer", "true"}


def call_of(work: Work, task_sid: str) -> Call | None:
    """The caller's call that the Task was opened for; None for Tasks of other programs."""
    calls = work.calls.find(task_sid=task_sid, limit=1)
    return calls[0] if calls else None


def foresee_call_of(work: Work, task_sid: str) -> None:
    work.calls.foresee_all(task_sid=task_sid, limit=1)


def is_live(call: Call | None) -> bool:
    """Has the caller not hung up, as far as we know?"""
    return call is not None and call.due_at is not None


def standing_bridge(work: Work, task_sid: str) -> Instruction | None:
    """The bridge that agent and caller talk over, or talked over last."""
    return standing_of(work.instructions.find(task_sid=task_sid, kind=ROOMS, state=DONE))


def standing_of(rows: Sequence[Instruction]) -> Instruction | None:
    """The same among those Instructions of a Task."""
    done = [row for row in rows if row.kind in ROOMS and row.state == DONE]
    return done[-1] if done else None


def is_handed_on(work: Work, task_sid: str) -> bool:
    """Is somebody else being looked for, or called, who is to take the conversation over?"""
    task = work.tasks.get(task_sid)
    if task is None:
        return False
    if task.transfer_sid is not None or task.assignment_status in WAITING:
        return True
    return task.assignment_status == ASSIGNED and any(
        instructions.standing(work, holder.sid) is None
        for holder in work.reservations.find(
            task_sid=task_sid, reservation_status=reservation_states.ACCEPTED
        )
    )


def conversation_over(
    work: Work, instruction: Instruction, *, reason: str = CONFERENCE_ENDED
) -> bool:
    """Somebody has left the room: after-work begins, or all is done where there is none.

    A workspace with multitasking lets its agents wrap up; without, the Task is completed and the
    Worker goes to the instruction's post-work Activity (Twilio, "Conference instruction"). False
    when that has been done, or the bridge is no longer the Task's.
    """
    task = work.tasks.get(instruction.task_sid, lock=True)
    reservation = work.reservations.get(instruction.reservation_sid)
    if (
        task is None
        or task.assignment_status != ASSIGNED
        or reservation is None
        or reservation.reservation_status != reservation_states.ACCEPTED
    ):
        return False
    configuration = work.configuration(task.workspace_sid)
    if configuration.workspace.multi_task_enabled:
        tasks.wrap_up(work, workspace_sid=task.workspace_sid, task_sid=task.sid, reason=reason)
        return True
    activity_sid = parameters_of(instruction).get("post_work_activity_sid")
    tasks.complete(
        work,
        workspace_sid=task.workspace_sid,
        task_sid=task.sid,
        reason=reason,
        post_work_activity_sid=(
            str(activity_sid) if activity_sid in configuration.activities else None
        ),
    )
    return True


def worker_left(work: Work, instruction: Instruction) -> None:
    """A Worker has left the room: with the last of them the conversation is over.

    While the Task is handed on, or somebody else is in the room, only this one's part may be over;
    but the Worker's leaving may as well be the first news of the caller's. Then Twilio is asked.
    """
    task = work.tasks.get(instruction.task_sid, lock=True)
    reservation = work.reservations.get(instruction.reservation_sid)
    if task is None or reservation is None:
        return
    holds = reservation.reservation_status == reservation_states.ACCEPTED
    if not holds and not is_live(call_of(work, task.sid)):
        return  # the caller's leaving was told first, and all is settled
    goes_on = is_handed_on(work, task.sid) or bool(outside.live(work, task.sid))
    if _stays_with_others(work, reservation):
        settle_leaving(work, instruction)
    elif is_live(call_of(work, task.sid)) and left_early(work, instruction):
        return
    elif goes_on and is_live(call_of(work, task.sid)):
        request(work, instruction, LEFT, due_at=work.now)
    else:
        settle_leaving(work, instruction)


def _others(work: Work, reservation: Reservation) -> list[Reservation]:
    """Who has the Task, too."""
    accepted = work.reservations.find(
        task_sid=reservation.task_sid, reservation_status=reservation_states.ACCEPTED
    )
    return [other for other in accepted if other.sid != reservation.sid]


def _stays_with_others(work: Work, reservation: Reservation) -> bool:
    """Is a colleague with the caller?"""
    return any(
        instructions.standing(work, other.sid) is not None for other in _others(work, reservation)
    )


def settle_leaving(work: Work, instruction: Instruction) -> None:
    """It was the Worker who left, and not the caller.

    While the Task is handed on, or a colleague has it too, only this one's part is over; a caller
    whom that leaves alone goes back to the queue and its music.
    """
    task = work.tasks.get(instruction.task_sid, lock=True)
    reservation = work.reservations.get(instruction.reservation_sid)
    if task is None or reservation is None:
        return
    handed_on = bool(_others(work, reservation)) or is_handed_on(work, task.sid)
    if reservation.reservation_status == reservation_states.ACCEPTED:
        if handed_on:
            _end_part(work, reservation)
        elif outside.live(work, task.sid):
            among_themselves(work, instruction)
        else:
            conversation_over(work, instruction)
    if _stays_with_others(work, reservation):
        hold_customer(work, instruction, hold=False)  # whoever held them is not there any more
    elif is_live(call_of(work, task.sid)):
        _comfort(work, instruction, handed_on=handed_on)


def _end_part(work: Work, reservation: Reservation) -> None:
    if work.configuration(reservation.workspace_sid).workspace.multi_task_enabled:
        reservations.wrap_up(work, reservation_sid=reservation.sid)
    else:
        reservations.complete(work, reservation_sid=reservation.sid)


def left_early(work: Work, instruction: Instruction) -> bool:
    """The agent leaves while somebody outside is being called; False if nobody is.

    The caller hears music meanwhile. The agent's Reservation stays as it is until it is known who
    has the caller then.
    """
    reservation = work.reservations.get(instruction.reservation_sid)
    if (
        reservation is None
        or reservation.reservation_status != reservation_states.ACCEPTED
        or not outside.is_awaited(work, instruction.task_sid)
    ):
        return False
    for row in outside.live(work, instruction.task_sid):
        if row.step != outside.TALKING and outside.leaver(work, row) is None:
            outside.leaves(work, row, reservation.sid)
    hold_customer(work, instruction, hold=True)
    return True


def among_themselves(work: Work, instruction: Instruction) -> None:
    """The agent has left the caller with somebody outside, who may talk on."""
    hold_customer(work, instruction, hold=False)
    for row in outside.live(work, instruction.task_sid):
        request(work, row, TOGETHER, due_at=work.now, worker_call_sid=row.worker_call_sid)
    conversation_over(work, instruction, reason=outside.HANDED_OUT)


def hold_customer(work: Work, instruction: Instruction, *, hold: bool) -> None:
    """The caller hears music, or the others again; nothing where that is so already."""
    if participants.is_on_hold(work, instruction.task_sid, participants.CUSTOMER) == hold:
        return
    with contextlib.suppress(RoutingError):  # nobody has the Task any more
        participants.hold_customer(
            work,
            workspace_sid=instruction.workspace_sid,
            task_sid=instruction.task_sid,
            hold=hold,
        )


def _comfort(work: Work, instruction: Instruction, *, handed_on: bool) -> None:
    """The caller may be alone in a room that did not end with the agent's leaving."""
    if handed_on:
        request(work, instruction, BACK_IN_LINE, due_at=work.now, only_if_alone=True)
    elif outlives(work, instruction):
        request(work, instruction, END_ROOM, due_at=work.now)


def outlives(work: Work, instruction: Instruction) -> bool:
    """May the room go on though its agent has left: because they said so, or it was handed on?

    While somebody else, a colleague or somebody outside, is called, nobody's leaving ends the room.
    """
    said = str(parameters_of(instruction).get("end_conference_on_exit", True)).lower()
    return (
        said == "false"
        or bool(work.transfers.find(task_sid=instruction.task_sid, limit=1))
        or bool(
            work.instructions.find(
                task_sid=instruction.task_sid,
                kind=frozenset({outside.OUTSIDE, participants.PARTICIPANT}),
                limit=1,
            )
        )
    )


def remember_who_hung_up(work: Work, instruction: Instruction, call_sid: str) -> None:
    """Notes in the Task's attributes whose leaving has ended the conversation."""
    task = work.tasks.get(instruction.task_sid, lock=True)
    call = call_of(work, instruction.task_sid)
    if task is None or not call_sid:
        return
    who = "customer" if call is not None and call.sid == call_sid else "worker"
    attributes = read_object(task.attributes, parameter="Attributes")
    room = attributes.get("conference")
    if isinstance(room, dict) and room.get("hang_up_by") != who:
        attributes["conference"] = room | {"hang_up_by": who}
        tasks.update(
            work,
            workspace_sid=task.workspace_sid,
            task_sid=task.sid,
            attributes=json.dumps(attributes, ensure_ascii=False),
        )


def request(
    work: Work,
    instruction: Instruction,
    kind: str,
    *,
    due_at: int,
    worker_call_sid: str | None = None,
    **parameters: object,
) -> None:
    call = call_of(work, instruction.task_sid)
    instructions.request(
        work,
        kind=kind,
        step=TELL,
        workspace_sid=instruction.workspace_sid,
        task_sid=instruction.task_sid,
        reservation_sid=instruction.reservation_sid,
        worker_call_sid=worker_call_sid,
        customer_call_sid=call.sid if call else None,
        parameters=parameters,
        due_at=due_at,
    )
