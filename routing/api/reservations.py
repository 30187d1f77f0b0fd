"""Reservations, below their Task and below their Worker: the same rows by two ways."""

import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from flask import Response, request
from msgspec import Meta

from routing.api.operations import Door, InWorkspace, Resource, answer
from routing.api.paging import BY_CREATION, Page, Paged, page_answer, page_of
from routing.api.parameters import (
    ActivitySid,
    CallSid,
    HttpMethod,
    Parameters,
    Text,
    Url,
    WorkerSid,
    if_match,
)
from routing.api.stored import Stored
from routing.engine import giving, reservations, tasks, workers
from routing.errors import InvalidParameter
from routing.ports import Work
from routing.reservation import ACCEPTED, COMPLETED, REJECTED, WRAPPING, Reservation
from routing.worker import Worker

resource = Resource()
_OF_TASK = "/Workspaces/<workspace_sid>/Tasks/<task_sid>/Reservations"
_ONE_OF_TASK = _OF_TASK + "/<reservation_sid>"
_OF_WORKER = "/Workspaces/<workspace_sid>/Workers/<worker_sid>/Reservations"
_ONE_OF_WORKER = _OF_WORKER + "/<reservation_sid>"

_Status = Literal[
    "pending",
    "accepted",
    "rejected",
    "timeout",
    "canceled",
    "rescinded",
    "wrapping",
    "completed",
]
_CallEvents = Annotated[
    list[Literal["initiated", "ringing", "answered", "completed"]],
    Meta(extra={"read": "comma list"}),
]
_ConferenceEvents = Annotated[
    list[Literal["start", "end", "join", "leave", "mute", "hold", "speaker"]],
    Meta(extra={"read": "comma list"}),
]
#: As an answer to an assignment callback may say it.
_LegRecord = Literal["do-not-record", "record-from-answer", "true", "false"]
#: Seconds that a phone may ring; Twilio refuses more (its error 14233).
_RingSeconds = Annotated[int, Meta(ge=1, le=999)]


class Conference(Parameters, frozen=True, kw_only=True, rename="pascal"):
    """What the conference instruction may say of the agent's leg and of the room."""

    to: Text | None = None
    from_: Text | None = msgspec.field(default=None, name="From")
    timeout: _RingSeconds | None = None
    post_work_activity_sid: ActivitySid | None = None
    status_callback: Url | None = None
    status_callback_method: HttpMethod | None = None
    status_callback_event: _CallEvents | None = None
    record: bool | None = None
    muted: bool | None = None
    beep: Literal["true", "false", "onEnter", "onExit"] | None = None
    start_conference_on_enter: bool | None = None
    end_conference_on_exit: bool | None = None
    end_conference_on_customer_exit: bool | None = None
    beep_on_customer_entrance: bool | None = None
    wait_url: Url | None = None
    wait_method: HttpMethod | None = None
    early_media: bool | None = None
    max_participants: Annotated[int, Meta(ge=2, le=250)] | None = None
    conference_status_callback: Url | None = None
    conference_status_callback_method: HttpMethod | None = None
    conference_status_callback_event: _ConferenceEvents | None = None
    conference_record: Literal["true", "false", "record-from-start", "do-not-record"] | None = None
    conference_trim: Literal["trim-silence", "do-not-trim"] | None = None
    recording_channels: Literal["mono", "dual"] | None = None
    recording_status_callback: Url | None = None
    recording_status_callback_method: HttpMethod | None = None
    conference_recording_status_callback: Url | None = None
    conference_recording_status_callback_method: HttpMethod | None = None
    region: Literal["us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1"] | None = None
    sip_auth_username: Text | None = None
    sip_auth_password: Text | None = None
    jitter_buffer_size: Literal["small", "medium", "large", "off"] | None = None


class UpdateReservation(Conference, frozen=True, kw_only=True, rename="pascal"):
    """A change of state, or an instruction with its parameters."""

    reservation_status: _Status | None = None
    worker_activity_sid: ActivitySid | None = None
    #: Ours: why it is rejected.
    reason: Text | None = None
    instruction: Text | None = None
    dequeue_post_work_activity_sid: ActivitySid | None = None
    dequeue_from: Text | None = None
    dequeue_record: _LegRecord | None = None
    dequeue_timeout: _RingSeconds | None = None
    dequeue_to: Text | None = None
    dequeue_status_callback_url: Url | None = None
    dequeue_status_callback_event: (
        Annotated[list[Text], Meta(extra={"read": "comma list"})] | None
    ) = None
    call_from: Text | None = None
    call_record: _LegRecord | None = None
    call_timeout: _RingSeconds | None = None
    call_to: Text | None = None
    call_url: Url | None = None
    call_status_callback_url: Url | None = None
    call_accept: bool | None = None
    redirect_call_sid: CallSid | None = None
    redirect_accept: bool | None = None
    redirect_url: Url | None = None


class UpdateTaskReservation(UpdateReservation, frozen=True, kw_only=True, rename="pascal"):
    """Only below its Task may somebody listen in."""

    supervisor_mode: Literal["monitor", "whisper", "barge"] | None = None
    #: A Worker's SID, or where somebody is reached.
    supervisor: Text | None = None


class ListWorkerReservation(Paged, frozen=True, kw_only=True, rename="pascal"):
    reservation_status: _Status | None = None


class ListTaskReservation(Paged, frozen=True, kw_only=True, rename="pascal"):
    reservation_status: _Status | None = None
    worker_sid: WorkerSid | None = None


#: What was found or changed, with its Worker, whose name it shows.
_Found = tuple[Reservation, Worker | None]


@resource.operation("ListTaskReservation", "GET", _OF_TASK, ListTaskReservation)
def list_of_task(
    door: Door, given: ListTaskReservation, workspace_sid: str, task_sid: str
) -> Response:
    found = door.read(_page_of_task, workspace_sid=workspace_sid, task_sid=task_sid, given=given)
    return _page_answer(door, given, found, below="Tasks")


def _page_of_task(
    work: Work, *, workspace_sid: str, task_sid: str, given: ListTaskReservation
) -> Page[_Found]:
    tasks.find(work, workspace_sid=workspace_sid, task_sid=task_sid)
    return _page(work, given, {"task_sid": task_sid, **given.filters()})


@resource.operation("ListWorkerReservation", "GET", _OF_WORKER, ListWorkerReservation)
def list_of_worker(
    door: Door, given: ListWorkerReservation, workspace_sid: str, worker_sid: str
) -> Response:
    found = door.read(
        _page_of_worker, workspace_sid=workspace_sid, worker_sid=worker_sid, given=given
    )
    return _page_answer(door, given, found, below="Workers")


def _page_of_worker(
    work: Work, *, workspace_sid: str, worker_sid: str, given: ListWorkerReservation
) -> Page[_Found]:
    workers.find(work, workspace_sid=workspace_sid, worker_sid=worker_sid)
    return _page(work, given, {"worker_sid": worker_sid, **given.filters()})


def _page(work: Work, given: Paged, filters: dict[str, Any]) -> Page[_Found]:
    page = page_of(given, Stored(work, Reservation, filters, BY_CREATION))
    sids = frozenset(found.worker_sid for found in page.records)
    by_sid = {worker.sid: worker for worker in work.workers.find(sid=sids)}
    return Page(
        records=[(found, by_sid.get(found.worker_sid)) for found in page.records],
        previous_token=page.previous_token,
        next_token=page.next_token,
    )


def _page_answer(
    door: Door, given: Paged, found: InWorkspace[Page[_Found]], *, below: str
) -> Response:
    return page_answer(
        "reservations",
        given,
        found.result,
        lambda row: door.represent.reservation(*row, below=below),
        door.represent.base,
        versioned=operator.itemgetter(0),
    )


@resource.operation("FetchTaskReservation", "GET", _ONE_OF_TASK, Parameters)
def fetch_of_task(door: Door, _given: Parameters, **sids: str) -> Response:
    return _answer(door, door.fetch(_find, **sids), below="Tasks")


@resource.operation("FetchWorkerReservation", "GET", _ONE_OF_WORKER, Parameters)
def fetch_of_worker(door: Door, _given: Parameters, **sids: str) -> Response:
    return _answer(door, door.fetch(_find, **sids), below="Workers")


def _find(work: Work, /, **sids: str) -> _Found:
    reservation = reservations.find(work, **sids)
    return reservation, work.workers.get(reservation.worker_sid)


def _answer(door: Door, done: InWorkspace[_Found], *, below: str) -> Response:
    reservation, worker = done.result
    body = door.represent.reservation(reservation, worker, below=below)
    return answer(body, version=reservation.version)


@resource.operation(
    "UpdateTaskReservation", "POST", _ONE_OF_TASK, UpdateTaskReservation, has_version=True
)
def update_of_task(door: Door, given: UpdateTaskReservation, **sids: str) -> Response:
    done = door.perform(_update, given, if_match(request), **sids)
    return _answer(door, done, below="Tasks")


@resource.operation(
    "UpdateWorkerReservation", "POST", _ONE_OF_WORKER, UpdateReservation, has_version=True
)
def update_of_worker(door: Door, given: UpdateReservation, **sids: str) -> Response:
    done = door.perform(_update, given, if_match(request), **sids)
    return _answer(door, done, below="Workers")


def _update(work: Work, given: UpdateReservation, if_match: int | None, /, **sids: str) -> _Found:
    seen = reservations.find(work, **sids)
    ends = given.reservation_status in {REJECTED, COMPLETED}
    reservations.foresee(work, seen, ends=ends)
    worker = work.workers.get(seen.worker_sid)
    move = _move_asked_for(given)
    return move(work, reservation_sid=seen.sid, if_match=if_match), worker


_Move = Callable[..., Reservation]


def _move_asked_for(given: UpdateReservation) -> _Move:
    """The verb that the status or the instruction names."""
    if given.instruction is None:
        return _move_to(given)
    if given.reservation_status is not None:
        raise InvalidParameter("Instruction", "expected none together with ReservationStatus")
    if given.instruction not in giving.INSTRUCTIONS:
        raise InvalidParameter("Instruction", f"expected {' or '.join(giving.INSTRUCTIONS)}")
    return _instructed(given, given.instruction)


def _move_to(given: UpdateReservation) -> _Move:
    if given.reservation_status is None:
        raise InvalidParameter("ReservationStatus", "expected it, or an Instruction")
    if given.reservation_status not in _STATUSES:
        raise InvalidParameter("ReservationStatus", f"expected {' or '.join(_STATUSES)}")
    return _STATUSES[given.reservation_status](given)


def _accept(_given: UpdateReservation) -> _Move:
    return reservations.accept


def _reject(given: UpdateReservation) -> _Move:
    def reject(work: Work, *, reservation_sid: str, if_match: int | None) -> Reservation:
        return reservations.reject(
            work,
            reservation_sid=reservation_sid,
            worker_activity_sid=given.worker_activity_sid,
            reason=given.reason,
            if_match=if_match,
        )

    return reject


#: {instruction: {its parameter: the field of the request}}; conference's are called as they are.
_FIELDS: dict[str, dict[str, str]] = {
    "accept": {},
    "reject": {"activity_sid": "worker_activity_sid"},
    "conference": {
        name.removesuffix("_"): name.removesuffix("_") for name in Conference.__struct_fields__
    },
    "dequeue": {
        "post_work_activity_sid": "dequeue_post_work_activity_sid",
        "from": "dequeue_from",
        "to": "dequeue_to",
        "record": "dequeue_record",
        "timeout": "dequeue_timeout",
        "status_callback_url": "dequeue_status_callback_url",
        "status_callback_events": "dequeue_status_callback_event",
    },
    "call": {
        "from": "call_from",
        "to": "call_to",
        "url": "call_url",
        "record": "call_record",
        "timeout": "call_timeout",
        "status_callback_url": "call_status_callback_url",
        "accept": "call_accept",
    },
    "redirect": {
        "call_sid": "redirect_call_sid",
        "url": "redirect_url",
        "accept": "redirect_accept",
        "post_work_activity_sid": "post_work_activity_sid",
    },
    "supervise": {
        "supervisor": "supervisor",
        "supervisor_mode": "supervisor_mode",
        "to": "to",
        "from": "from",
        "timeout": "timeout",
    },
}


def _instructed(given: UpdateReservation, instruction: str) -> _Move:
    fields = given.given()
    parameters = {
        name: fields[field]
        for name, field in _FIELDS.get(instruction, {}).items()
        if field in fields
    }

    def instruct(work: Work, *, reservation_sid: str, if_match: int | None) -> Reservation:
        return giving.give(
            work,
            reservation_sid=reservation_sid,
            instruction=instruction,
            parameters=parameters,
            if_match=if_match,
        )

    return instruct


_STATUSES: dict[str, Callable[[UpdateReservation], _Move]] = {
    ACCEPTED: _accept,
    REJECTED: _reject,
    WRAPPING: lambda _given: reservations.wrap_up,
    COMPLETED: lambda _given: reservations.complete,
}
