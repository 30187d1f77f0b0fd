"""Ours, not Twilio's: all Tasks, Reservations or Events of a period, as a stream of lines.

Each batch is a short read of its own, found by key: the memory that it takes does not grow with
what is told, and nobody waits for it. Rows that come or go meanwhile are told or left out; none is
told twice.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from flask import Response

from routing.api.operations import Door, Resource
from routing.api.paging import By, Order, place_of
from routing.api.parameters import DateTime, Parameters
from routing.api.representation import Body
from routing.api.stored import Stored
from routing.clock import SECOND
from routing.configuration import Configuration
from routing.errors import InvalidParameter
from routing.events import Event
from routing.ports import Work
from routing.reservation import Reservation
from routing.store.pages import Between
from routing.task import Task

resource = Resource()
_EXPORT = "/Workspaces/<workspace_sid>/Exports"
#: Rows of one read.
BATCH: Final = 500
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
#: A row as the REST door tells it.
_Represent = Callable[[Any, Configuration], Body]


class Export(Parameters, frozen=True, kw_only=True, rename="pascal"):
    """Of what was created, or happened, from StartDate to EndDate; each may be left out."""

    format: Literal["csv", "jsonl"] = "jsonl"
    start_date: DateTime | None = None
    end_date: DateTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    record: type
    #: The column that tells when, and the order by it.
    when: str
    order: Order


_TASKS = _Kind(record=Task, when="created_at", order=(By("created_at"), By("sid")))
_RESERVATIONS = _Kind(record=Reservation, when="created_at", order=(By("created_at"), By("sid")))
_EVENTS = _Kind(record=Event, when="occurred_at", order=(By("occurred_at"), By("position")))


@resource.operation(
    "ExportTasks",
    "GET",
    f"{_EXPORT}/Tasks",
    Export,
    is_extension=True,
    content_type=_TYPES["jsonl"],
)
def export_tasks(door: Door, given: Export, workspace_sid: str) -> Response:
    now = door.engine.clock.now()

    def represent(task: Task, configuration: Configuration) -> Body:
        return door.represent.task(task, configuration, now)

    return _stream(door, given, workspace_sid, _TASKS, represent)


@resource.operation(
    "ExportReservations",
    "GET",
    f"{_EXPORT}/Reservations",
    Export,
    is_extension=True,
    content_type=_TYPES["jsonl"],
)
def export_reservations(door: Door, given: Export, workspace_sid: str) -> Response:
    def represent(reservation: Reservation, _configuration: Configuration) -> Body:
        body = door.represent.reservation(reservation, None, below="Tasks")
        # Names belong to Workers, who may be gone; what decided is told in full.
        del body["worker_name"]
        return body | {
            "task_queue_sid": reservation.task_queue_sid,
            "workflow_sid": reservation.workflow_sid,
            "reason": reservation.reason,
        }

    return _stream(door, given, workspace_sid, _RESERVATIONS, represent)


@resource.operation(
    "ExportEvents",
    "GET",
    f"{_EXPORT}/Events",
    Export,
    is_extension=True,
    content_type=_TYPES["jsonl"],
)
def export_events(door: Door, given: Export, workspace_sid: str) -> Response:
    def represent(event: Event, _configuration: Configuration) -> Body:
        return door.represent.event(event)

    return _stream(door, given, workspace_sid, _EVENTS, represent)


def _stream(
    door: Door, given: Export, workspace_sid: str, kind: _Kind, represent: _Represent
) -> Response:
    batches = _batches(door, given, workspace_sid, kind)
    # Now, so that an unknown Workspace is still refused with a status of its own.
    configuration, first = next(batches)

    def bodies() -> Iterator[Body]:
        yield from (represent(record, configuration) for record in first)
        for later, records in batches:
            yield from (represent(record, later) for record in records)

    lines = _as_csv(bodies()) if given.format == "csv" else _as_json_lines(bodies())
    return Response(lines, content_type=_TYPES[given.format])


def _batches(
    door: Door, given: Export, workspace_sid: str, kind: _Kind
) -> Iterator[tuple[Configuration, list[Any]]]:
    end = None if given.end_date is None else given.end_date + SECOND
    if given.start_date is not None and end is not None and end <= given.start_date:
        raise InvalidParameter("EndDate", "expected none before StartDate")
    filters: dict[str, object] = {
        "workspace_sid": workspace_sid,
        kind.when: Between(at_least=given.start_date, below=end),
    }
    after: tuple[int | str, ...] | None = None

    def read(work: Work, *, workspace_sid: str) -> list[Any]:
        del workspace_sid  # it is among the filters
        source: Stored[Any] = Stored(work, kind.record, filters, kind.order)
        return list(source.rows(after, BATCH, backwards=False).records)

    while True:
        found = door.read(read, workspace_sid=workspace_sid)
        yield found.configuration, found.result
        if len(found.result) < BATCH:
            return
        after = place_of(kind.order, found.result[-1])


def _as_json_lines(bodies: Iterable[Body]) -> Iterator[bytes]:
    for body in bodies:
        yield msgspec.json.encode(body) + b"\n"


def _as_csv(bodies: Iterable[Body]) -> Iterator[str]:
    """A header, then a line for each body; what is no plain value is told as JSON, links never."""
    page = io.StringIO()
    writer = csv.writer(page)
    for number, body in enumerate(bodies):
        body.pop("links", None)
        if number == 0:
            writer.writerow(body)
        writer.writerow([_cell(value) for value in body.values()])
        yield page.getvalue()
        page.seek(0)
        page.truncate()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
