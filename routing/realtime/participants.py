"""Hold, mute and kick, as the SDK asks for them: the engine's verbs, behind the SDK's own paths."""

from collections.abc import Callable
from typing import Any

from flask import Response

from routing.api.operations import Door, Resource, answer
from routing.api.parameters import (
    HttpMethod,
    Parameters,
    ReservationSid,
    TaskSid,
    Url,
    WorkerSid,
)
from routing.engine import participants, reservations, tasks
from routing.ports import Work
from routing.task import Task

resource = Resource()
_WORKER = "/Workspaces/<workspace_sid>/Workers/<worker_sid>"


class UpdateWorkerParticipant(Parameters, frozen=True, kw_only=True, rename="pascal"):
    reservation_sid: ReservationSid
    end_conference_on_exit: bool | None = None
    mute: bool | None = None
    beep_on_exit: bool | None = None


class UpdateCustomerParticipant(Parameters, frozen=True, kw_only=True, rename="pascal"):
    task_sid: TaskSid
    hold: bool
    hold_url: Url | None = None
    hold_method: HttpMethod | None = None


class HoldWorkerParticipant(Parameters, frozen=True, kw_only=True, rename="pascal"):
    task_sid: TaskSid
    target_worker_sid: WorkerSid
    hold: bool
    hold_url: Url | None = None
    hold_method: HttpMethod | None = None


class KickWorkerParticipant(Parameters, frozen=True, kw_only=True, rename="pascal"):
    task_sid: TaskSid
    target_worker_sid: WorkerSid


@resource.operation(
    "UpdateWorkerParticipant", "POST", f"{_WORKER}/WorkerParticipant", UpdateWorkerParticipant
)
def update_worker(
    door: Door, given: UpdateWorkerParticipant, workspace_sid: str, worker_sid: str
) -> Response:
    done = door.perform(
        _change_worker, worker_sid, workspace_sid=workspace_sid, columns=given.given()
    )
    return _answer(door, done.result, done.configuration)


def _change_worker(
    work: Work, worker_sid: str, *, workspace_sid: str, columns: dict[str, Any]
) -> Task:
    # Raises NotFound for a Reservation of somebody else.
    reservation = reservations.find(
        work,
        workspace_sid=workspace_sid,
        reservation_sid=columns["reservation_sid"],
        worker_sid=worker_sid,
    )
    participants.change_worker(work, workspace_sid=workspace_sid, **columns)
    return tasks.find(work, workspace_sid=workspace_sid, task_sid=reservation.task_sid)


@resource.operation(
    "UpdateCustomerParticipant",
    "POST",
    f"{_WORKER}/CustomerParticipant",
    UpdateCustomerParticipant,
)
def update_customer(
    door: Door, given: UpdateCustomerParticipant, workspace_sid: str, **_: str
) -> Response:
    return _do(door, participants.hold_customer, workspace_sid, given.given())


@resource.operation(
    "HoldWorkerParticipant", "POST", f"{_WORKER}/HoldWorkerParticipant", HoldWorkerParticipant
)
def hold_worker(door: Door, given: HoldWorkerParticipant, workspace_sid: str, **_: str) -> Response:
    return _do(door, participants.hold_worker, workspace_sid, given.given())


@resource.operation(
    "KickWorkerParticipant", "POST", f"{_WORKER}/KickWorkerParticipant", KickWorkerParticipant
)
def kick_worker(door: Door, given: KickWorkerParticipant, workspace_sid: str, **_: str) -> Response:
    return _do(door, participants.kick_worker, workspace_sid, given.given())


def _do(
    door: Door, verb: Callable[..., object], workspace_sid: str, columns: dict[str, Any]
) -> Response:
    if "target_worker_sid" in columns:
        columns["worker_sid"] = columns.pop("target_worker_sid")
    done = door.perform(_done_to_task, verb, workspace_sid=workspace_sid, columns=columns)
    return _answer(door, done.result, done.configuration)


def _done_to_task(
    work: Work, verb: Callable[..., object], *, workspace_sid: str, columns: dict[str, Any]
) -> Task:
    verb(work, workspace_sid=workspace_sid, **columns)
    return tasks.find(work, workspace_sid=workspace_sid, task_sid=columns["task_sid"])


def _answer(door: Door, task: Task, configuration: Any) -> Response:
    """The SDK reads the Task."""
    return answer(door.represent.task(task, configuration, door.engine.clock.now()))
