"""What the SDK reads in a form of its own: Reservations that bring their Tasks along."""

from dataclasses import dataclass
from typing import Any

from flask import Response

from routing.api.operations import Door, InWorkspace, Resource, answer
from routing.api.paging import BY_CREATION, Page, page_answer, page_of
from routing.api.parameters import Parameters, Truth
from routing.api.representation import Body
from routing.api.reservations import ListWorkerReservation
from routing.api.stored import Stored
from routing.engine import reservations, transfers, workers
from routing.errors import NotFound
from routing.ports import Work
from routing.realtime.wire import Wire
from routing.reservation import LIVE, Reservation
from routing.task import Task
from routing.transfer import Transfer

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Workers/<worker_sid>/Reservations"
_ONE = _ALL + "/<reservation_sid>"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A Reservation with all that the SDK wants to see of it."""

    reservation: Reservation
    task: Task
    incoming: Transfer | None
    outgoing: Transfer | None

    @classmethod
    def of(cls, work: Work, reservation: Reservation, task: Task) -> "_Found":
        return cls(
            reservation=reservation,
            task=task,
            incoming=transfers.incoming(work, reservation),
            outgoing=transfers.outgoing(work, reservation) if task.transfer_sid else None,
        )


class ListReservation(ListWorkerReservation, frozen=True, kw_only=True, rename="pascal"):
    #: Those that take capacity: pending, accepted and wrapping.
    active: Truth = False

    def filters(self) -> dict[str, Any]:
        filters = super().filters()
        if filters.pop("active"):
            filters.setdefault("reservation_status", LIVE)
        return filters


@resource.operation("ListReservationWithTask", "GET", _ALL, ListReservation)
def list_reservations(
    door: Door, given: ListReservation, workspace_sid: str, worker_sid: str
) -> Response:
    found = door.read(_page, workspace_sid=workspace_sid, worker_sid=worker_sid, given=given)
    return page_answer(
        "reservations",
        given,
        found.result,
        lambda row: _body(door, InWorkspace(result=row, configuration=found.configuration)),
        door.represent.base,
    )


def _page(
    work: Work, *, workspace_sid: str, worker_sid: str, given: ListReservation
) -> Page[_Found]:
    workers.find(work, workspace_sid=workspace_sid, worker_sid=worker_sid)
    filters = {"worker_sid": worker_sid, **given.filters()}
    page = page_of(given, Stored(work, Reservation, filters, BY_CREATION))
    sids = frozenset(found.task_sid for found in page.records)
    tasks = {task.sid: task for task in work.tasks.find(sid=sids)} if sids else {}
    return Page(
        records=[_Found.of(work, each, tasks[each.task_sid]) for each in page.records],
        previous_token=page.previous_token,
        next_token=page.next_token,
    )


@resource.operation("FetchReservationWithTask", "GET", _ONE, Parameters)
def fetch_reservation(door: Door, _given: Parameters, **sids: str) -> Response:
    found = door.read(_find, **sids)
    return answer(_body(door, found), version=found.result.reservation.version)


def _find(work: Work, /, **sids: str) -> _Found:
    reservation = reservations.find(work, **sids)
    task = work.tasks.get(reservation.task_sid)
    if task is None:
        raise NotFound(f"/Tasks/{reservation.task_sid}")
    return _Found.of(work, reservation, task)


def _body(door: Door, found: InWorkspace[_Found]) -> Body:
    wire = door.represent
    assert isinstance(wire, Wire)  # noqa: S101 - only the bridge has these views
    row = found.result
    return wire.reservation_with_task(
        row.reservation,
        row.task,
        found.configuration,
        door.engine.clock.now(),
        incoming=row.incoming,
        outgoing=row.outgoing,
    )
