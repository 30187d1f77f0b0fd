"""What is to be done on the phone line for a Reservation: asked for, worked on, done or failed.

The engine keeps the rows and draws the consequences for Reservation and Task; carrying them out is
the voice side's work, from leased rows, with no transaction open meanwhile.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from routing import call as states
from routing import reservation as reservation_states
from routing import sids
from routing import task as task_states
from routing.call import Instruction
from routing.clock import SECOND, Instant
from routing.engine import handing_over, reservations, tasks
from routing.engine.journal import Subject, tell
from routing.engine.moves import changed_task, end_reservation
from routing.errors import RoutingError
from routing.json_text import JSONObject, read_object
from routing.ports import Work
from routing.reservation import Reservation
from routing.task import Task

CONFERENCE: Final = "conference"
DEQUEUE: Final = "dequeue"
CALL: Final = "call"
REDIRECT: Final = "redirect"
SUPERVISE: Final = "supervise"
#: The instructions that put a Worker and the caller into one room.
ROOMS: Final = frozenset({CONFERENCE, DEQUEUE})
#: The instructions that bring a Worker to a call: a Reservation has one of them at a time.
BRIDGING: Final = frozenset({CONFERENCE, DEQUEUE, CALL, REDIRECT})

#: The failure of an instruction whose Task was deleted before it was carried out.
NO_TASK = "the Task was deleted"


#: {Twilio's code at the beginning of a failure, or after TaskRouter's: the code that the canceled
#: Reservation tells of}: a number that cannot be called, and one where nobody may be called.
_REASON_CODES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("13223", "13224", "21211", "21214", "21217", "21401"), 13223),
    **dict.fromkeys(("13227", "21203", "21215", "21216"), 21215),
}


def _reason_code(failure: str) -> int | None:
    found = (_REASON_CODES.get(part) for part in failure.split(": ")[:2])
    return next((code for code in found if code is not None), None)


class NotPending(RoutingError):
    """A conference instruction for a Reservation that is over (Twilio's 40136)."""

    code = 40136


def request_conference(
    work: Work,
    *,
    reservation_sid: str,
    parameters: Mapping[str, object],
    if_match: int | None = None,
) -> Reservation:
    """Asks for agent and caller to be bridged; the offer's time stands still until that is settled.

    Raises NotPending when the Reservation is no longer pending. Asking again changes nothing.
    """
    reservation = work.reservations.get(reservation_sid)
    if reservation is None or reservation.reservation_status != reservation_states.PENDING:
        raise NotPending(
            f"Unable to execute Conference instruction. Reservation {reservation_sid} "
            "is not currently in a Pending state."
        )
    reservation = reservations.hold_timer(work, reservation_sid=reservation_sid, if_match=if_match)
    request_once(work, reservation, kind=CONFERENCE, step="dial", parameters=parameters)
    return reservation


def bridge_offered(
    work: Work,
    reservation: Reservation,
    *,
    parameters: Mapping[str, object],
    lease_seconds: int | None = None,
) -> Instruction | None:
    """A call's Reservation, which is pending and held by the caller, rings its Worker at once.

    None when a conference for it was asked for already.
    """
    if reservation.due_at is not None:
        reservations.stop_timer(work, reservation)
    return request_once(
        work,
        reservation,
        kind=CONFERENCE,
        step="dial",
        parameters=parameters,
        lease_seconds=lease_seconds,
    )


def foresee_bridge(work: Work, reservation_sid: str) -> None:
    """What `bridge_accepted` reads."""
    work.reservations.foresee(reservation_sid, lock=True)
    work.instructions.foresee_all(reservation_sid=reservation_sid, kind=BRIDGING)


def bridge_accepted(
    work: Work,
    *,
    reservation_sid: str,
    parameters: Mapping[str, object],
    lease_seconds: int | None = None,
) -> Instruction | None:
    """A call's Reservation was accepted plainly: the conference is issued for it, once.

    None when the Reservation is over, or a conference for it was asked for already.
    """
    reservation = work.reservations.get(reservation_sid, lock=True)
    if reservation is None or reservation.reservation_status != reservation_states.ACCEPTED:
        return None
    return request_once(
        work,
        reservation,
        kind=CONFERENCE,
        step="dial",
        parameters=parameters,
        lease_seconds=lease_seconds,
    )


def request_once(
    work: Work,
    reservation: Reservation,
    *,
    kind: str,
    step: str,
    parameters: Mapping[str, object],
    lease_seconds: int | None = None,
) -> Instruction | None:
    """The instruction by which the Reservation gets its call; None if it has one already.

    One that failed and left the Reservation as it was is no obstacle.
    """
    for known in work.instructions.find(reservation_sid=reservation.sid, kind=BRIDGING):
        if known.state != states.FAILED:
            return None
    return request(
        work,
        kind=kind,
        step=step,
        workspace_sid=reservation.workspace_sid,
        task_sid=reservation.task_sid,
        reservation_sid=reservation.sid,
        parameters=parameters,
        lease_seconds=lease_seconds,
    )


def lease(work: Work, *, limit: int, seconds: int) -> Sequence[Instruction]:
    """Instructions that are due, each for this caller alone for so many seconds."""
    leased = []
    for instruction in work.due_instructions(work.now, limit):
        columns: dict[str, object] = {
            "leased_until": work.now + seconds * SECOND,
            "attempts": instruction.attempts + 1,
        }
        work.instructions.change(instruction.sid, **columns)
        leased.append(replace(instruction, **columns))  # type: ignore[arg-type]
    return leased


def look_again(work: Work) -> None:
    """A process takes over: whatever is under way is looked at now, callbacks may have been lost.

    Leases are a dead process's, and given up. Should it live after all, what it was doing is looked
    up before it is done again.
    """
    for instruction in work.instructions.find(state={states.REQUESTED, states.IN_PROGRESS}):
        work.instructions.change(instruction.sid, leased_until=None, due_at=work.now)


def progress(work: Work, *, instruction_sid: str, **columns: object) -> Instruction | None:
    """Remembers how far an instruction got, and gives the lease back.

    None when it is over, and so nothing was changed.
    """
    instruction = work.instructions.get(instruction_sid, lock=True)
    if instruction is None or instruction.state in {states.DONE, states.FAILED}:
        return None
    columns |= {"leased_until": None, "updated_at": work.now}
    work.instructions.change(instruction_sid, **columns)
    return replace(instruction, **columns)  # type: ignore[arg-type]  # the names are the record's own


def succeed(work: Work, *, instruction_sid: str) -> bool:
    """It is done: the Reservation is accepted, if it was not before and is to be.

    The Task's attributes gain `conference` or `worker_call_sid`, as Twilio's do. False when it was
    over already, or the Task was deleted.
    """
    instruction = work.instructions.get(instruction_sid)
    if instruction is None:
        return False
    task = work.tasks.get(instruction.task_sid, lock=True)
    if task is None:
        fail(work, instruction_sid=instruction_sid, failure=NO_TASK)
        return False
    ended = progress(work, instruction_sid=instruction_sid, state=states.DONE, due_at=None)
    if ended is None:
        return False
    attributes = read_object(task.attributes, parameter="Attributes")
    if instruction.kind == CONFERENCE:
        attributes["conference"] = {
            "sid": instruction.conference_sid,
            "participants": {
                "worker": instruction.worker_call_sid,
                "customer": instruction.customer_call_sid,
            },
        }
    elif instruction.worker_call_sid is not None:
        attributes["worker_call_sid"] = instruction.worker_call_sid
    task = changed_task(work, task, attributes=json.dumps(attributes, ensure_ascii=False))
    configuration = work.configuration(task.workspace_sid)
    tell(work, configuration, "task.updated", f"Task {task.sid} updated", Subject(task=task))
    reservation = work.reservations.get(instruction.reservation_sid)
    if (
        reservation is not None
        and reservation.reservation_status == reservation_states.PENDING
        and _accepts(instruction)
    ):
        reservations.accept(work, reservation_sid=reservation.sid)
    return True


def parameters_of(instruction: Instruction) -> JSONObject:
    return read_object(instruction.parameters, parameter="parameters")


def _accepts(instruction: Instruction) -> bool:
    """A bridge is accepted by its being there; a call or a redirect only where it says so."""
    if instruction.kind in {CONFERENCE, DEQUEUE}:
        return True
    given = parameters_of(instruction)
    return str(given.get("accept", False)).lower() == "true"


def standing(work: Work, reservation_sid: str) -> Instruction | None:
    """The conference that the Reservation's Worker is in, or was in last."""
    done = work.instructions.find(reservation_sid=reservation_sid, kind=ROOMS, state=states.DONE)
    return done[-1] if done else None


def fail(work: Work, *, instruction_sid: str, failure: str) -> bool:
    """It cannot be done: the Reservation is canceled with the reason, and the Task waits again.

    A call or a redirect that was not to accept the Reservation leaves it as it is. False when it
    was over already; nothing is written then.
    """
    instruction = work.instructions.get(instruction_sid)
    if instruction is None:
        return False
    work.tasks.get(instruction.task_sid, lock=True)  # before the instruction, as every verb does
    ended = progress(
        work, instruction_sid=instruction_sid, state=states.FAILED, failure=failure, due_at=None
    )
    if ended is None:
        return False
    reservation = work.reservations.get(instruction.reservation_sid)
    if reservation is not None and reservation.reservation_status in {
        reservation_states.PENDING,
        reservation_states.ACCEPTED,
    }:
        tell_failure(work, reservation, kind=instruction.kind, failure=failure)
    if _accepts(instruction):
        reservations.cancel(
            work,
            reservation_sid=instruction.reservation_sid,
            reason=failure,
            reason_code=_reason_code(failure),
        )
    return True


def tell_failure(work: Work, reservation: Reservation, *, kind: str, failure: str) -> None:
    """Writes into the log what could not be done for a Reservation, and why."""
    tell(
        work,
        work.configuration(reservation.workspace_sid),
        "reservation.failed",
        f"Reservation {reservation.sid}: {kind} failed: {failure}",
        Subject(
            reservation=reservation,
            task=work.tasks.get(reservation.task_sid),
            worker=work.workers.get(reservation.worker_sid),
        ),
        instruction=kind,
        failure=failure,
    )


def request(
    work: Work,
    *,
    kind: str,
    step: str,
    workspace_sid: str,
    task_sid: str,
    reservation_sid: str = "",
    worker_call_sid: str | None = None,
    customer_call_sid: str | None = None,
    parameters: Mapping[str, object] | None = None,
    due_at: Instant | None = None,
    lease_seconds: int | None = None,
) -> Instruction:
    """Something else to be done on the phone line, such as to end a leg; the voice side names it.

    `due_at` is now where it is left out. With `lease_seconds` the caller has it for so long, and
    makes the first try.
    """
    instruction = Instruction(
        sid=sids.new_sid(sids.INSTRUCTION),
        workspace_sid=workspace_sid,
        task_sid=task_sid,
        reservation_sid=reservation_sid,
        kind=kind,
        state=states.REQUESTED,
        step=step,
        parameters=json.dumps(parameters or {}),
        worker_call_sid=worker_call_sid,
        customer_call_sid=customer_call_sid,
        conference_sid=None,
        failure=None,
        due_at=work.now if due_at is None else due_at,
        leased_until=work.now + lease_seconds * SECOND if lease_seconds is not None else None,
        attempts=0 if lease_seconds is None else 1,
        created_at=work.now,
        updated_at=work.now,
    )
    work.instructions.add(instruction)
    return instruction


def finish(work: Work, *, instruction_sid: str, failure: str | None = None) -> bool:
    """It is over, and its Reservation is left as it is. False when it was over already."""
    state = states.DONE if failure is None else states.FAILED
    ended = progress(
        work, instruction_sid=instruction_sid, state=state, failure=failure, due_at=None
    )
    return ended is not None


def release_unmet(work: Work, *, task_sid: str, reason: str) -> None:
    """Takes back what colleagues have accepted whom the caller never met, where somebody else has
    the Task: a call that nobody put through to them leaves them no after-work.
    """
    task = work.tasks.get(task_sid, lock=True)
    holders = work.reservations.find(
        task_sid=task_sid, reservation_status=reservation_states.ACCEPTED
    )
    unmet = [holder for holder in holders if standing(work, holder.sid) is None]
    if task is not None and len(unmet) < len(holders):
        _take_back(work, task, unmet, reason=reason)


def _take_back(work: Work, task: Task, accepted: Sequence[Reservation], *, reason: str) -> None:
    for reservation in accepted:
        end_reservation(
            work,
            work.configuration(task.workspace_sid),
            reservation,
            "cancel",
            task=task,
            event_type="reservation.canceled",
            description=f"Reservation {reservation.sid} canceled: {reason}",
            reason=reason,
        )


def customer_left(work: Work, *, task_sid: str, reason: str) -> bool:
    """The caller is gone before anybody spoke to them: the Task is canceled.

    Unlike a plain cancel it also takes back a Reservation that was accepted and not yet bridged;
    unlike `fail` its Worker, who is not to blame, stays in the Activity. False when the Task does
    not wait any more.
    """
    task = work.tasks.get(task_sid, lock=True)
    if task is None:
        return False
    waits_or_talks = {task_states.ASSIGNED, *task_states.WAITING}
    if task.assignment_status not in waits_or_talks and task.transfer_sid is None:
        return False
    configuration = work.configuration(task.workspace_sid)
    task = handing_over.call_off(work, configuration, task, reason=reason)
    if task.assignment_status == task_states.ASSIGNED:
        _take_back(
            work,
            task,
            work.reservations.find(
                task_sid=task_sid, reservation_status=reservation_states.ACCEPTED
            ),
            reason=reason,
        )
        released = task_states.next_task_state(task, "release")
        task = changed_task(work, task, assignment_status=released)
    if task.assignment_status not in task_states.WAITING:
        return False
    tasks.cancel(work, workspace_sid=task.workspace_sid, task_sid=task_sid, reason=reason)
    return True
