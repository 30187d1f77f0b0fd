"""/v1/Workspaces/{sid}/Events: what has happened, the newest first."""

from typing import Annotated, Any, Literal

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer
from routing.api.paging import By, Order, Page, Paged, page_answer, page_of
from routing.api.parameters import (
    DateTime,
    EventSid,
    Parameters,
    ReservationSid,
    TaskQueueSid,
    TaskSid,
    Text,
    WorkerSid,
    WorkflowSid,
)
from routing.api.stored import Stored
from routing.clock import SECOND
from routing.errors import InvalidParameter, NotFound
from routing.events import Event
from routing.ports import Work
from routing.store.pages import Between

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Events"
_ONE = "/Workspaces/<workspace_sid>/Events/<event_sid>"
_NEWEST_FIRST: Order = (By("occurred_at", descending=True), By("position", descending=True))
#: Twilio keeps events for 30 days; where they are kept longer, they can be asked for.
_MAX_MINUTES = 5_256_000
_DEFAULT_MINUTES = 15


class ListEvent(Paged, frozen=True, kw_only=True, rename="pascal"):
    end_date: DateTime | None = None
    start_date: DateTime | None = None
    minutes: (
        Annotated[int, Meta(ge=0, le=_MAX_MINUTES, extra_json_schema={"default": _DEFAULT_MINUTES})]
        | None
    ) = None
    event_type: Text | None = None
    reservation_sid: ReservationSid | None = None
    task_queue_sid: TaskQueueSid | None = None
    task_sid: TaskSid | None = None
    worker_sid: WorkerSid | None = None
    workflow_sid: WorkflowSid | None = None
    task_channel: Text | None = None
    sid: EventSid | None = None
    #: Ours: what users of the pages have caused.
    actor_type: Literal["user"] | None = None


@resource.operation("ListEvent", "GET", _ALL, ListEvent)
def list_events(door: Door, given: ListEvent, workspace_sid: str) -> Response:
    found = door.read(_page, workspace_sid=workspace_sid, given=given)
    return page_answer("events", given, found.result, door.represent.event, door.represent.base)


def _page(work: Work, *, workspace_sid: str, given: ListEvent) -> Page[Event]:
    filters = given.filters()
    for name in ("start_date", "end_date", "minutes"):
        filters.pop(name, None)
    channel = filters.pop("task_channel", None)
    if channel is not None:
        configuration = work.configuration(workspace_sid)
        filters["task_channel_sid"] = configuration.task_channel(channel).sid
    if filters.pop("actor_type", None):
        filters["actor"] = Between(at_least="")  # any at all: only people have one
    if "event_type" in filters:
        filters["type"] = filters.pop("event_type")
    filters |= {"workspace_sid": workspace_sid, "occurred_at": _period(given, work.now)}
    return page_of(given, Stored(work, Event, filters, _NEWEST_FIRST))


def _period(given: ListEvent, now: int) -> Between:
    """When it happened: between two dates, or in the last so many minutes."""
    if given.minutes is not None and (given.start_date, given.end_date) != (None, None):
        raise InvalidParameter("Minutes", "expected none together with StartDate or EndDate")
    start = given.start_date
    if start is None and given.sid is None:
        minutes = _DEFAULT_MINUTES if given.minutes is None else given.minutes
        start = (given.end_date or now) - minutes * 60 * SECOND
    # Both ends are told to the second, and what happened within the last one belongs to it.
    end = None if given.end_date is None else given.end_date + SECOND
    return Between(at_least=start, below=end)


@resource.operation("FetchEvent", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str, event_sid: str) -> Response:
    found = door.read(_find, workspace_sid=workspace_sid, event_sid=event_sid)
    return answer(door.represent.event(found.result))


def _find(work: Work, *, workspace_sid: str, event_sid: str) -> Event:
    filters: dict[str, Any] = {"workspace_sid": workspace_sid, "sid": event_sid}
    events = Stored(work, Event, filters, _NEWEST_FIRST).rows(None, 1, backwards=False).records
    if not events:
        raise NotFound(f"/Workspaces/{workspace_sid}/Events/{event_sid}")
    return events[0]
