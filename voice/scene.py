"""What a step needs to know of the tables before it turns to Twilio, read in one go."""

from dataclasses import dataclass

from routing.call import DONE, FAILED, Call, Instruction
from routing.json_text import JSONObject, read_object
from routing.ports import Work
from routing.reservation import ACCEPTED, PENDING, WRAPPING
from routing.task import CANCELED, WAITING
from voice import bridge, conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a step needs to know of the tables before it turns to Twilio."""

    #: The caller's call; None when it has ended.
    call: Call | None
    #: Does the Reservation still want its bridge?
    is_wanted: bool
    worker_attributes: JSONObject
    #: Has the caller been taken on since, to another agent?
    is_overtaken: bool
    #: Does the Task wait for somebody?
    is_waiting: bool
    #: Has it been canceled, so that nobody has come, or nobody else has?
    is_canceled: bool
    #: Has the caller talked to somebody before?
    has_met: bool
    #: Why the Task has ended, as its events say.
    reason: str | None
    #: For a Task without a call: the customer whom somebody is to call, and from which number.
    outbound_to: str | None
    outbound_from: str
    #: The bridges of the others who have the Task now: it is being handed on.
    colleagues: tuple[Instruction, ...]


def scene_of(work: Work, instruction: Instruction) -> Scene:
    """One query of each table: an agent waits for the phone to ring."""
    conversation.foresee_call_of(work, instruction.task_sid)
    work.tasks.foresee(instruction.task_sid)
    work.reservations.foresee_all(task_sid=instruction.task_sid)
    work.instructions.foresee_all(task_sid=instruction.task_sid, kind=conversation.ROOMS)
    call = conversation.call_of(work, instruction.task_sid)
    task = work.tasks.get(instruction.task_sid)
    said = read_object(task.attributes, parameter="Attributes") if task is not None else {}
    outbound_to = said.get("outbound_to")
    reservations = {
        each.sid: each for each in work.reservations.find(task_sid=instruction.task_sid)
    }
    reservation = reservations.get(instruction.reservation_sid)
    worker = work.workers.get(reservation.worker_sid) if reservation is not None else None
    rooms = work.instructions.find(task_sid=instruction.task_sid, kind=conversation.ROOMS)
    standing = {each.reservation_sid: each for each in rooms if each.state == DONE}
    return Scene(
        call=call if conversation.is_live(call) else None,
        is_wanted=reservation is not None and reservation.reservation_status in {PENDING, ACCEPTED},
        worker_attributes=(
            read_object(worker.attributes, parameter="Attributes") if worker is not None else {}
        ),
        is_overtaken=any(
            other.state == DONE or other.step in {bridge.MOVE, bridge.JOINING, bridge.PARTING}
            for other in rooms
            if other.state != FAILED
        ),
        is_waiting=task is not None and task.assignment_status in WAITING,
        is_canceled=task is not None and task.assignment_status == CANCELED,
        has_met=bool(standing),
        reason=None if task is None else task.reason,
        outbound_to=outbound_to if call is None and isinstance(outbound_to, str) else None,
        outbound_from=str(said.get("from", "")),
        colleagues=tuple(
            standing[holder.sid]
            for holder in reservations.values()
            if holder.sid != instruction.reservation_sid
            and holder.reservation_status in {ACCEPTED, WRAPPING}
            and holder.sid in standing
        ),
    )
