"""Handing a Task on, as the SDK asks for it: the engine's verbs, behind the SDK's own paths.

TaskRouter's public REST API has no such resource.
"""

from typing import Literal

from flask import Response

from routing.api.operations import Door, Resource, answer
from routing.api.parameters import (
    AttributesText,
    Parameters,
    ReservationSid,
    TaskSid,
    Text,
)
from routing.api.tasks import Priority
from routing.engine import reservations, transfers
from routing.ports import Work
from routing.realtime.policies import Forbidden
from routing.realtime.wire import Wire
from routing.transfer import Transfer

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Workers/<worker_sid>/Transfers"
_ONE = _ALL + "/<transfer_sid>"


class CreateTransfer(Parameters, frozen=True, kw_only=True, rename="pascal"):
    task_sid: TaskSid
    reservation_sid: ReservationSid
    to: Text
    mode: Literal["WARM", "COLD"] | None = None
    attributes: AttributesText | None = None
    priority: Priority | None = None


class UpdateTransfer(Parameters, frozen=True, kw_only=True, rename="pascal"):
    task_sid: TaskSid
    transfer_status: Literal["canceled"]


@resource.operation("CreateTransfer", "POST", _ALL, CreateTransfer)
def create(door: Door, given: CreateTransfer, workspace_sid: str, worker_sid: str) -> Response:
    done = door.perform(
        _initiate, worker_sid=worker_sid, workspace_sid=workspace_sid, **given.given()
    )
    return _answer(door, done.result)


def _initiate(work: Work, /, *, worker_sid: str, workspace_sid: str, **given: str) -> Transfer:
    # Raises NotFound for a Reservation of somebody else.
    reservations.find(
        work,
        workspace_sid=workspace_sid,
        reservation_sid=given["reservation_sid"],
        worker_sid=worker_sid,
    )
    return transfers.initiate(work, workspace_sid=workspace_sid, **given)  # type: ignore[arg-type]  # as the record above has them


@resource.operation("UpdateTransfer", "POST", _ONE, UpdateTransfer)
def update(
    door: Door, given: UpdateTransfer, workspace_sid: str, worker_sid: str, transfer_sid: str
) -> Response:
    done = door.perform(
        _cancel,
        worker_sid=worker_sid,
        workspace_sid=workspace_sid,
        task_sid=given.task_sid,
        transfer_sid=transfer_sid,
    )
    return _answer(door, done.result)


def _cancel(
    work: Work, *, worker_sid: str, workspace_sid: str, task_sid: str, transfer_sid: str
) -> Transfer:
    transfer = transfers.find(work, workspace_sid=workspace_sid, transfer_sid=transfer_sid)
    if transfer.initiating_worker_sid != worker_sid:
        raise Forbidden("the Transfer is another Worker's")
    return transfers.cancel(
        work, workspace_sid=workspace_sid, task_sid=task_sid, transfer_sid=transfer_sid
    )


def _answer(door: Door, transfer: Transfer) -> Response:
    wire = door.represent
    assert isinstance(wire, Wire)  # noqa: S101 - only the bridge has these views
    return answer(wire.transfer(transfer))
