"""An instruction is given for a Reservation: by an assignment callback's answer, REST or a desk.

One door for all three: `give` takes Twilio's name of the instruction and its parameters by the
names that they have in an assignment callback's answer (`to`, `post_work_activity_sid`, ...), looks
whether they can be carried out at all, and leaves an Instruction row. What can be seen to be wrong
at once is refused with the documented error code, and nothing has changed; what only the telephone
network can tell fails later, with an event `reservation.failed`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from routing import reservation as reservation_states
from routing.configuration import Configuration
from routing.engine import instructions, reservations
from routing.engine.journal import Subject, tell
from routing.errors import RoutingError
from routing.json_text import read_object
from routing.ports import Work
from routing.reservation import Reservation
from routing.task import Task

#: Who can be called: a number, a client, a SIP address.
ADDRESS: Final = re.compile(r"\+[1-9]\d{1,14}|(?:client|sips?):[!-~]{1,250}")
_URL: Final = re.compile(r"https?://[!-~]{1,2000}")
_CALL: Final = re.compile(r"CA[0-9a-f]{32}")
#: The events of a leg that somebody may ask for.
CALL_EVENTS: Final = frozenset({"initiated", "ringing", "answered", "completed"})
SUPERVISOR_MODES: Final = ("monitor", "whisper", "barge")

Parameters = Mapping[str, object]


class Refused(RoutingError):
    """An instruction that cannot be carried out; `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def give(
    work: Work,
    *,
    reservation_sid: str,
    instruction: str,
    parameters: Parameters,
    if_match: int | None = None,
) -> Reservation:
    """Takes an instruction: accept, reject, conference, dequeue, call, redirect or supervise.

    Parameters without a value (None) count as left out. Raises Refused, with one of Twilio's codes
    from 40100 to 40159 (55555 for an instruction that there is not), when it cannot be carried out.
    """
    verb = _VERBS.get(instruction)
    if verb is None:
        raise Refused(55555, f"Invalid Instruction: expected {' or '.join(_VERBS)}")
    given = {name: value for name, value in parameters.items() if value is not None}
    return verb(work, reservation_sid, given, if_match)


def tell_refusal(
    work: Work, *, reservation_sid: str, instruction: str, error: RoutingError
) -> None:
    """Writes into the log that an instruction was refused, where nobody heard the answer.

    For whoever got the instruction as an answer: nothing else becomes of a refusal then.
    """
    reservation = work.reservations.get(reservation_sid)
    if reservation is not None:
        instructions.tell_failure(
            work, reservation, kind=instruction, failure=f"{error.code}: {error.message}"
        )


def _accept(
    work: Work, reservation_sid: str, _given: Parameters, if_match: int | None
) -> Reservation:
    return reservations.accept(work, reservation_sid=reservation_sid, if_match=if_match)


def _reject(
    work: Work, reservation_sid: str, given: Parameters, if_match: int | None
) -> Reservation:
    activity_sid = given.get("activity_sid")
    _check_activity(work, reservation_sid, activity_sid, 40100)
    return reservations.reject(
        work,
        reservation_sid=reservation_sid,
        worker_activity_sid=None if activity_sid is None else str(activity_sid),
        if_match=if_match,
    )


def _conference(
    work: Work, reservation_sid: str, given: Parameters, if_match: int | None
) -> Reservation:
    _check_address(given, "to", 40137)
    _check_address(given, "from", 40138)
    _check_activity(work, reservation_sid, given.get("post_work_activity_sid"), 40139)
    _check_url(given, "status_callback", 40159)
    return instructions.request_conference(
        work, reservation_sid=reservation_sid, parameters=given, if_match=if_match
    )


def _dequeue(
    work: Work, reservation_sid: str, given: Parameters, if_match: int | None
) -> Reservation:
    _check_activity(work, reservation_sid, given.get("post_work_activity_sid"), 40130)
    _check_address(given, "to", 40131)
    _check_address(given, "from", 40132)
    _check_events(given)
    _check_url(given, "status_callback_url", 40157)
    reservation = _pending(work, reservation_sid, "Dequeue", 40135)
    if not _has_call(work, reservation):
        raise Refused(
            40140, "Failed to issue Dequeue instruction due to missing 'call_sid' property"
        )
    return _ask(work, reservation, "dequeue", given, if_match=if_match, holds=True)


def _call(work: Work, reservation_sid: str, given: Parameters, if_match: int | None) -> Reservation:
    _check_address(given, "to", 40110)
    _check_address(given, "from", 40111, required=True)
    _check_url(given, "url", 40112, required=True)
    _check_url(given, "status_callback_url", 40158)
    reservation = _pending(work, reservation_sid, "Call", 40114)
    holds = accepts(given)
    return _ask(work, reservation, "call", given, if_match=if_match, holds=holds)


def _redirect(
    work: Work, reservation_sid: str, given: Parameters, if_match: int | None
) -> Reservation:
    _check_url(given, "url", 40120, required=True)
    call_sid = given.get("call_sid")
    if not isinstance(call_sid, str) or _CALL.fullmatch(call_sid) is None:
        raise Refused(40121, "Redirect instruction: expected 'call_sid' to be the SID of a call")
    _check_activity(work, reservation_sid, given.get("post_work_activity_sid"), 40139)
    reservation = _pending(work, reservation_sid, "Redirect", 40123)
    holds = accepts(given)
    return _ask(work, reservation, "redirect", given, if_match=if_match, holds=holds)


def _supervise(
    work: Work, reservation_sid: str, given: Parameters, if_match: int | None
) -> Reservation:
    reservation = _found(work, reservation_sid)
    if reservation.reservation_status != reservation_states.ACCEPTED:
        raise Refused(
            40146,
            "Failed to issue Supervise Instruction due to invalid Reservation state: expected "
            f"{reservation_sid} to be accepted, it is {reservation.reservation_status}",
        )
    mode = given.get("supervisor_mode", SUPERVISOR_MODES[0])
    if mode not in SUPERVISOR_MODES:
        raise Refused(55555, f"Invalid SupervisorMode: expected {' or '.join(SUPERVISOR_MODES)}")
    _check_address(given, "from", 40148)
    _check_supervisor(work, reservation, given)
    standing = instructions.standing(work, reservation_sid)
    if standing is None or standing.conference_sid is None:
        raise Refused(
            40149, "Failed to issue Supervise instruction due to missing 'conference_sid'"
        )
    reservations.check_if_match(reservation, if_match)
    instructions.request(
        work,
        kind="supervise",
        step="dial",
        workspace_sid=reservation.workspace_sid,
        task_sid=reservation.task_sid,
        reservation_sid=reservation.sid,
        parameters=dict(given) | {"supervisor_mode": mode},
    )
    _tell_of_supervision(work, reservation, str(mode), str(given.get("supervisor", "")))
    return reservation


def _tell_of_supervision(
    work: Work, reservation: Reservation, mode: str, supervisor_sid: str
) -> None:
    """Somebody listens in, or speaks: whoever looks through the log later finds who it was.

    Twilio has no event for it; this one says in two fields of ours what it is about.
    """
    task = work.tasks.get(reservation.task_sid)
    if task is None:
        return
    tell(
        work,
        work.configuration(task.workspace_sid),
        "task.updated",
        f"Task {task.sid} is to be supervised: {mode}",
        Subject(task=task),
        supervisor_mode=mode,
        supervisor_sid=supervisor_sid,
    )


def _check_supervisor(work: Work, reservation: Reservation, given: Parameters) -> None:
    worker = work.workers.get(str(given.get("supervisor")))
    to = given.get("to")
    if to is None and worker is not None and worker.workspace_sid == reservation.workspace_sid:
        to = read_object(worker.attributes, parameter="Attributes").get("contact_uri")
    if not isinstance(to, str) or ADDRESS.fullmatch(to) is None:
        raise Refused(
            40147,
            "Failed to issue Supervise instruction due to missing or invalid 'contact_uri' "
            "property of the Worker that 'supervisor' names",
        )


_VERBS: Final[dict[str, Callable[[Work, str, Parameters, int | None], Reservation]]] = {
    "accept": _accept,
    "reject": _reject,
    "conference": _conference,
    "dequeue": _dequeue,
    "call": _call,
    "redirect": _redirect,
    "supervise": _supervise,
}
INSTRUCTIONS: Final = tuple(_VERBS)


def accepts(given: Parameters) -> bool:
    """Is the Reservation to be accepted once the call or the redirect has been made?"""
    return str(given.get("accept", False)).lower() == "true"


def _ask(
    work: Work,
    reservation: Reservation,
    kind: str,
    given: Parameters,
    *,
    if_match: int | None,
    holds: bool,
) -> Reservation:
    """Leaves the Instruction; with `holds` the offer's time stands still until it is settled."""
    if holds:
        reservation = reservations.hold_timer(
            work, reservation_sid=reservation.sid, if_match=if_match
        )
    else:
        reservations.check_if_match(reservation, if_match)
    instructions.request_once(work, reservation, kind=kind, step="dial", parameters=given)
    return reservation


def _found(work: Work, reservation_sid: str) -> Reservation:
    reservation = work.reservations.get(reservation_sid)
    if reservation is None:
        raise Refused(40144, f"There is no Reservation {reservation_sid}")
    return reservation


def _pending(work: Work, reservation_sid: str, name: str, code: int) -> Reservation:
    reservation = _found(work, reservation_sid)
    if reservation.reservation_status != reservation_states.PENDING:
        raise Refused(
            code,
            f"Unable to execute {name} instruction. Reservation {reservation_sid} "
            "is not currently in a Pending state.",
        )
    return reservation


def _has_call(work: Work, reservation: Reservation) -> bool:
    """Was the Task opened for a call, by us or by whoever put its SID into the attributes?"""
    if work.calls.find(task_sid=reservation.task_sid, limit=1):
        return True
    task = work.tasks.get(reservation.task_sid)
    return task is not None and "call_sid" in _attributes(task)


def _attributes(task: Task) -> Mapping[str, object]:
    return read_object(task.attributes, parameter="Attributes")


def _check_activity(work: Work, reservation_sid: str, sid: object, code: int) -> None:
    if sid is None:
        return
    configuration: Configuration = work.configuration(_found(work, reservation_sid).workspace_sid)
    if sid not in configuration.activities:
        raise Refused(code, f"Invalid activity: expected one of this Workspace, found {sid}")


def _check_address(given: Parameters, name: str, code: int, *, required: bool = False) -> None:
    value = given.get(name)
    if value is None and not required:
        return
    if not isinstance(value, str) or ADDRESS.fullmatch(value) is None:
        raise Refused(code, f"Invalid '{name}': expected +E.164, client: or sip:")


def _check_url(given: Parameters, name: str, code: int, *, required: bool = False) -> None:
    value = given.get(name)
    if value is None and not required:
        return
    if not isinstance(value, str) or _URL.fullmatch(value) is None:
        raise Refused(code, f"Invalid '{name}': expected an absolute http or https URL")


def _check_events(given: Parameters) -> None:
    events = given.get("status_callback_events", ())
    named = events.split(",") if isinstance(events, str) else events
    if not isinstance(named, list | tuple) or not {str(each).strip() for each in named} <= (
        CALL_EVENTS
    ):
        raise Refused(
            40134,
            f"Invalid 'status_callback_events': expected some of {', '.join(sorted(CALL_EVENTS))}",
        )
