"""Somebody outside is called into a conversation: a number that is nobody's Worker's.

Twilio's TaskRouter hands Tasks on to Workers and TaskQueues only; this is ours. Warm, the agent
stays and may leave once the other has answered; cold, the agent's leg ends as soon as the other's
phone rings. The agent's Reservation lives until it is known whether the other has answered: then
it wraps up, or, where nobody has, the Task waits again for somebody else. How those who are called
are doing stands in the Task's attributes, `conference.outside`.
"""

import json
from typing import Final

from routing import call as states
from routing import reservation as reservation_states
from routing.call import Instruction
from routing.engine import giving, handing_over, instructions, participants, reservations
from routing.engine.journal import Subject, tell
from routing.engine.moves import changed_task, locked_task
from routing.errors import InvalidParameter, NotFound, RoutingError
from routing.json_text import JSONObject, JSONValue, read_object
from routing.ports import Work
from routing.reservation import Reservation
from routing.task import Task
from routing.transfer import COLD, MODES, WARM

OUTSIDE: Final = "outside"

#: Steps of such an Instruction: it is to be called, its phone rings, it talks.
DIAL: Final = "dial"
RINGING: Final = "ringing"
TALKING: Final = "talking"

#: Seconds that the other's phone may ring, and rings where nothing is said.
MIN_RING_SECONDS, MAX_RING_SECONDS = 5, 600
DEFAULT_RING_SECONDS = 30
#: How many of those who were called the Task's attributes tell of.
TOLD = 5

#: Why a Task is wrapped up whose agent has left the caller with somebody outside.
HANDED_OUT: Final = "Transferred to somebody outside"

_OVER: Final = frozenset({states.DONE, states.FAILED})


def add(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    to: str,
    reservation_sid: str | None = None,
    from_address: str | None = None,
    mode: str = WARM,
    timeout: int = DEFAULT_RING_SECONDS,
) -> Instruction:
    """Has `to` (+E.164, client: or sip:) called into the Task's conversation.

    `reservation_sid` is whose agent asks; it may be left out where only one has the Task. `timeout`
    is in seconds. Raises InvalidParameter naming what is wrong, participants.NoConference where
    nobody talks, RoutingError while somebody else is being called or asked already.
    """
    task = locked_task(work, workspace_sid, task_sid)
    for name, address in (("To", to), ("From", from_address)):
        if address is not None and giving.ADDRESS.fullmatch(address) is None:
            raise InvalidParameter(name, "expected +E.164, client: or sip:")
    if mode not in MODES:
        raise InvalidParameter("Mode", f"expected {' or '.join(MODES)}")
    if not MIN_RING_SECONDS <= timeout <= MAX_RING_SECONDS:
        raise InvalidParameter(
            "Timeout", f"expected a whole number from {MIN_RING_SECONDS} to {MAX_RING_SECONDS}"
        )
    reservation = _agent(work, task, reservation_sid)
    bridge = instructions.standing(work, reservation.sid)
    if bridge is None or bridge.conference_sid is None:
        raise participants.NoConference(f"Task {task.sid} has no conference.")
    if task.transfer_sid is not None or any(row.step != TALKING for row in live(work, task_sid)):
        raise RoutingError(f"Task {task.sid} is being transferred already.")
    row = instructions.request(
        work,
        kind=OUTSIDE,
        step=DIAL,
        workspace_sid=workspace_sid,
        task_sid=task_sid,
        reservation_sid=reservation.sid,
        customer_call_sid=bridge.customer_call_sid,
        parameters={
            "to": to,
            "from": from_address,
            "mode": mode,
            "timeout": timeout,
            "bridge": bridge.sid,
        },
    )
    tell_status(work, row, "queued")
    return row


def _agent(work: Work, task: Task, reservation_sid: str | None) -> Reservation:
    """Whose agent asks: the Reservation named, or the only one that is accepted."""
    if reservation_sid is not None:
        reservation = reservations.find(
            work,
            workspace_sid=task.workspace_sid,
            reservation_sid=reservation_sid,
            task_sid=task.sid,
        )
        if reservation.reservation_status != reservation_states.ACCEPTED:
            raise InvalidParameter("ReservationSid", "expected one that is accepted")
        return reservation
    holders = handing_over.holders(work, task)
    if not holders:
        raise participants.NoConference(f"Task {task.sid} has no conference.")
    if len(holders) > 1:
        raise InvalidParameter("ReservationSid", "expected it, since several Workers have the Task")
    return holders[0]


def remove(work: Work, *, workspace_sid: str, task_sid: str, participant_sid: str) -> Instruction:
    """Takes somebody outside out of the conversation; whose phone still rings, it stops.

    Raises NotFound for nobody of the Task's, and RoutingError where it is over already.
    """
    locked_task(work, workspace_sid, task_sid)
    row = find(work, task_sid=task_sid, participant_sid=participant_sid)
    if row.state in _OVER:
        raise RoutingError(f"Participant {participant_sid} has left already.")
    note(work, row, removed=True)
    if row.leased_until is None:
        work.instructions.change(row.sid, due_at=work.now)
    return row


def press(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    digits: str,
    to: str = participants.CUSTOMER,
) -> Instruction:
    """Presses keys towards the customer, or towards the participant outside that `to` names."""
    party = to
    if to != participants.CUSTOMER:
        row = find(work, task_sid=task_sid, participant_sid=to)
        if row.state in _OVER or row.step != TALKING or row.worker_call_sid is None:
            raise InvalidParameter("To", "expected customer, or a participant who talks")
        party = row.worker_call_sid
    return participants.send_digits(
        work, workspace_sid=workspace_sid, task_sid=task_sid, digits=digits, party=party
    )


def note(work: Work, row: Instruction, **facts: object) -> None:
    """Writes something beside the parameters that the participant was called with."""
    parameters = instructions.parameters_of(row) | facts
    work.instructions.change(row.sid, parameters=json.dumps(parameters))


def find(work: Work, *, task_sid: str, participant_sid: str) -> Instruction:
    row = work.instructions.get(participant_sid)
    if row is None or row.kind != OUTSIDE or row.task_sid != task_sid:
        raise NotFound(f"/Tasks/{task_sid}/Conference/Participants/{participant_sid}")
    return row


def live(work: Work, task_sid: str) -> list[Instruction]:
    """Those who are called or talk now, in the order in which they were asked for."""
    rows = work.instructions.find(task_sid=task_sid, kind=OUTSIDE)
    return [row for row in rows if row.state not in _OVER]


def is_awaited(work: Work, task_sid: str) -> bool:
    """Is it still open whether somebody outside will answer?"""
    return any(row.step != TALKING for row in live(work, task_sid))


def is_cold(row: Instruction) -> bool:
    return instructions.parameters_of(row)["mode"] == COLD


def leaves(work: Work, row: Instruction, reservation_sid: str) -> None:
    """Notes that the agent of that Reservation has left before it was known who answers."""
    note(work, row, left=reservation_sid)


def leaver(work: Work, row: Instruction) -> str | None:
    """The Reservation whose agent has left so; None while somebody is with the caller."""
    left = instructions.parameters_of(work.instructions.get(row.sid) or row).get("left")
    return left if isinstance(left, str) else None


def give_back(work: Work, *, reservation_sid: str) -> None:
    """The agent is done with a Task that nobody outside has taken: it waits for somebody else.

    Nothing where the Reservation is not accepted any more.
    """
    seen = work.reservations.get(reservation_sid)
    if seen is None:
        return
    task = locked_task(work, seen.workspace_sid, seen.task_sid)
    reservation = work.reservations.get(reservation_sid, lock=True)
    if reservation is None or reservation.reservation_status != reservation_states.ACCEPTED:
        return
    configuration = work.configuration(task.workspace_sid)
    if configuration.workspace.multi_task_enabled:
        reservations.wrap_up_one(work, configuration, reservation, task)
    else:
        reservations.complete_one(work, configuration, reservation, task)
    handing_over.left(work, configuration, task)


def tell_status(work: Work, row: Instruction, status: str, call_sid: str | None = None) -> None:
    """Writes into the Task's attributes how somebody outside is doing, in Twilio's words."""
    task = work.tasks.get(row.task_sid, lock=True)
    if task is None:
        return
    attributes = read_object(task.attributes, parameter="Attributes")
    room = attributes.get("conference")
    room = dict(room) if isinstance(room, dict) else {}
    said = room.get("outside")
    told = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    now: JSONObject = {
        "sid": row.sid,
        "to": instructions.parameters_of(row)["to"],
        "call_sid": call_sid or row.worker_call_sid,
        "status": status,
    }
    if now in told:
        return
    others = [one for one in told if one.get("sid") != row.sid]
    room["outside"] = list[JSONValue]([*others, now][-TOLD:])
    attributes["conference"] = room
    task = changed_task(work, task, attributes=json.dumps(attributes, ensure_ascii=False))
    configuration = work.configuration(task.workspace_sid)
    tell(work, configuration, "task.updated", f"Task {task.sid} updated", Subject(task=task))
