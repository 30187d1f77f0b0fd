"""Those who talk: who is in the conversation, who has left it, and when it is over.

Verbs of the same kind as those of the bridge: each looks at what it finds, in one unit of work,
and leaves what is to be done on the phone line as an Instruction.
"""

import json
from collections.abc import Mapping
from typing import Final

from routing import reservation as reservation_states
from routing.call import DONE, Call, Instruction
from routing.engine import instructions, reservations, tasks
from routing.json_text import read_object
from routing.ports import Work
from routing.task import ASSIGNED, WAITING

BACK_IN_LINE: Final = "back-in-line"
#: End the room that everybody but the caller has left.
END_ROOM: Final = "end-room"
#: Twilio's reason of a Task whose conference is over.
CONFERENCE_ENDED: Final = "Conference ended"
#: The one step of the kinds of our own.
TELL: Final = "tell"
#: The instructions that put an agent and the caller into one room.
ROOMS: Final = instructions.ROOMS


def parameters_of(instruction: Instruction) -> Mapping[str, object]:
    return read_object(instruction.parameters, parameter="parameters")


def call_of(work: Work, task_sid: str) -> Call | None:
    """The caller's call that the Task was opened for; None for Tasks of other programs."""
    calls = work.calls.find(task_sid=task_sid, limit=1)
    return calls[0] if calls else None


def is_live(call: Call | None) -> bool:
    """Has the caller not hung up, as far as we know?"""
    return call is not None and call.due_at is not None


def standing_bridge(work: Work, task_sid: str) -> Instruction | None:
    """The bridge that agent and caller talk over, or talked over last."""
    done = work.instructions.find(task_sid=task_sid, kind=ROOMS, state=DONE)
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


def conversation_over(work: Work, instruction: Instruction) -> bool:
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
        tasks.wrap_up(
            work, workspace_sid=task.workspace_sid, task_sid=task.sid, reason=CONFERENCE_ENDED
        )
        return True
    activity_sid = parameters_of(instruction).get("post_work_activity_sid")
    tasks.complete(
        work,
        workspace_sid=task.workspace_sid,
        task_sid=task.sid,
        reason=CONFERENCE_ENDED,
        post_work_activity_sid=(
            str(activity_sid) if activity_sid in configuration.activities else None
        ),
    )
    return True


def worker_left(work: Work, instruction: Instruction) -> None:
    """A Worker has left the room: with the last of them the conversation is over.

    While the Task is handed on, or a colleague has it too, only this one's part is over; a caller
    whom that leaves alone goes back to the queue and its music.
    """
    task = work.tasks.get(instruction.task_sid, lock=True)
    reservation = work.reservations.get(instruction.reservation_sid)
    if task is None or reservation is None:
        return
    others = [
        other
        for other in work.reservations.find(
            task_sid=task.sid, reservation_status=reservation_states.ACCEPTED
        )
        if other.sid != reservation.sid
    ]
    handed_on = bool(others) or is_handed_on(work, task.sid)
    if reservation.reservation_status == reservation_states.ACCEPTED:
        if not handed_on:
            conversation_over(work, instruction)
        elif work.configuration(task.workspace_sid).workspace.multi_task_enabled:
            reservations.wrap_up(work, reservation_sid=reservation.sid)
        else:
            reservations.complete(work, reservation_sid=reservation.sid)
    if any(instructions.standing(work, other.sid) is not None for other in others):
        return
    if is_live(call_of(work, task.sid)):
        _comfort(work, instruction, handed_on=handed_on)


def _comfort(work: Work, instruction: Instruction, *, handed_on: bool) -> None:
    """The caller may be alone in a room that did not end with the agent's leaving."""
    if handed_on:
        request(work, instruction, BACK_IN_LINE, due_at=work.now, only_if_alone=True)
    elif work.transfers.find(task_sid=instruction.task_sid, limit=1):
        # While it was handed on, nobody's leaving was to end the room.
        request(work, instruction, END_ROOM, due_at=work.now)


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
