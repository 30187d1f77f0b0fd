"""Who is in a Task's conversation, as far as the engine knows: for a desk that shows it.

Only Twilio knows who hears whom at this moment; here is what was asked for and what came of it.
"""

from dataclasses import dataclass

from routing import call as states
from routing.call import Instruction
from routing.engine import instructions, outside, participants
from routing.errors import NotFound
from routing.ports import Work
from routing.reservation import ACCEPTED, WRAPPING, Reservation

#: What a recording is after what was last done to it.
RECORDINGS = {
    "start": "in-progress",
    "pause": "paused",
    "resume": "in-progress",
    "stop": "stopped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One of those who talk, or who is being called to."""

    #: customer, worker or outside.
    kind: str
    #: By which it is taken out again; None for the customer and Workers.
    sid: str | None = None
    call_sid: str | None = None
    #: Whom the call is with, where that is somebody outside.
    to: str | None = None
    #: queued, ringing or in-progress.
    status: str = "in-progress"
    worker_sid: str | None = None
    reservation_sid: str | None = None
    is_on_hold: bool = False
    is_muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    conference_sid: str
    parties: tuple[Party, ...]
    #: in-progress, paused or stopped; None where it was never recorded.
    recording: str | None


def look(work: Work, *, workspace_sid: str, task_sid: str) -> Conversation:
    """The conversation of the Task; raises NotFound where there is none (any more)."""
    found = work.reservations.find(
        task_sid=task_sid, reservation_status=frozenset({ACCEPTED, WRAPPING})
    )
    bridges = [
        (reservation, bridge)
        for reservation in found
        if reservation.workspace_sid == workspace_sid
        and (bridge := instructions.standing(work, reservation.sid)) is not None
        and bridge.conference_sid is not None
    ]
    if not bridges:
        raise NotFound(f"/Workspaces/{workspace_sid}/Tasks/{task_sid}/Conference")
    newest = bridges[-1][1]
    customer = Party(
        kind="customer",
        call_sid=newest.customer_call_sid,
        is_on_hold=participants.is_on_hold(work, task_sid, participants.CUSTOMER),
    )
    recording = participants.recording_of(work, task_sid)
    return Conversation(
        conference_sid=newest.conference_sid or "",
        parties=(
            customer,
            *(_worker(work, reservation, bridge) for reservation, bridge in bridges),
            *(outside_party(row) for row in outside.live(work, task_sid)),
        ),
        recording=None if recording is None else RECORDINGS[recording],
    )


def part_of(work: Work, *, task_sid: str, worker_sid: str) -> Reservation | None:
    """By which the Worker takes part in the conversation; None where they do not (any more)."""
    found = work.reservations.find(
        task_sid=task_sid,
        worker_sid=worker_sid,
        reservation_status=frozenset({ACCEPTED, WRAPPING}),
        limit=1,
    )
    return found[0] if found else None


def _worker(work: Work, reservation: Reservation, bridge: Instruction) -> Party:
    return Party(
        kind="worker",
        call_sid=bridge.worker_call_sid,
        worker_sid=reservation.worker_sid,
        reservation_sid=reservation.sid,
        is_on_hold=participants.is_on_hold(work, reservation.task_sid, reservation.worker_sid),
        is_muted=_is_muted(work, reservation, bridge),
    )


def _is_muted(work: Work, reservation: Reservation, bridge: Instruction) -> bool:
    """As last asked for, or as the instruction had it at first."""
    rows = work.instructions.find(reservation_sid=reservation.sid, kind=participants.PARTICIPANT)
    for row in reversed(rows):
        wished = instructions.parameters_of(row)
        if "muted" in wished and row.state != states.FAILED:
            return wished["muted"] is True
    return str(instructions.parameters_of(bridge).get("muted", False)).lower() == "true"


def outside_party(row: Instruction) -> Party:
    """Somebody outside, as their row says how they are doing."""
    statuses = {outside.DIAL: "queued", outside.RINGING: "ringing"}
    return Party(
        kind="outside",
        sid=row.sid,
        call_sid=row.worker_call_sid,
        to=str(instructions.parameters_of(row)["to"]),
        status=statuses.get(row.step, "in-progress"),
        reservation_sid=row.reservation_sid,
    )
