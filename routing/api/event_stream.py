"""/v1/Workspaces/{sid}/EventStream: the log as it is written, by server-sent events.

An extension: Twilio has none. Each event's `id` is its SID; who comes again with `Last-Event-ID`
misses nothing and hears nothing twice.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from flask import Response, request
from werkzeug.exceptions import ServiceUnavailable

from routing.api.operations import Door, Resource
from routing.api.parameters import (
    EventSid,
    Parameters,
    TaskQueueSid,
    TaskSid,
    Text,
    WorkerSid,
)
from routing.errors import InvalidParameter
from routing.events import CATALOGUE
from routing.ports import Work
from routing.store import SqlStore, UnitOfWork
from routing.store.tail import Tail, newest_position, position_of

resource = Resource()
#: Seconds of silence after which a comment is sent, so that nobody in between hangs up.
KEEP_ALIVE_SECONDS = 15.0
#: Seconds after which it is looked whether the server stops.
_LOOK_SECONDS = 0.5
#: Seconds until whoever found no place should come again.
_RETRY_SECONDS = 5


class FollowEvents(Parameters, frozen=True, kw_only=True, rename="pascal"):
    #: Where the header cannot be set: the SID of the last event that was heard; `0`: the first.
    last_event_id: Text | None = None
    #: Types, with commas between.
    event_type: Text | None = None
    task_sid: TaskSid | None = None
    worker_sid: WorkerSid | None = None
    task_queue_sid: TaskQueueSid | None = None
    sid: EventSid | None = None


@resource.operation(
    "FollowEvents",
    "GET",
    "/Workspaces/<workspace_sid>/EventStream",
    FollowEvents,
    is_extension=True,
)
def follow(door: Door, given: FollowEvents, workspace_sid: str) -> Response:
    types = _types(given.event_type)
    last = request.headers.get("Last-Event-ID") or given.last_event_id
    after = door.read(_after, workspace_sid=workspace_sid, last=last).result
    filters = given.given() | {"workspace_sid": workspace_sid}
    for name in ("last_event_id", "event_type"):
        filters.pop(name, None)
    store = door.engine.store
    if not isinstance(store, SqlStore):
        raise TypeError("the log is followed in a store")
    if not door.streams.enter():
        raise ServiceUnavailable(
            "As many streams of events as there may be are open.", retry_after=_RETRY_SECONDS
        )
    tail = Tail(store, after=after, types=types, filters=filters)
    response = Response(_written(door, tail), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep it until it is long
    response.call_on_close(door.streams.leave)
    return response


def _types(text: str | None) -> frozenset[str]:
    types = frozenset(word.strip() for word in (text or "").split(",") if word.strip())
    unknown = sorted(types - CATALOGUE.keys())
    if unknown:
        raise InvalidParameter("EventType", f"expected types of events, found {unknown[0]!r}")
    return types


def _after(work: Work, *, workspace_sid: str, last: str | None) -> int:
    """The place in the log from which on it is told."""
    assert isinstance(work, UnitOfWork)  # noqa: S101 - the log is read in a unit of the store
    work.configuration(workspace_sid)
    if last is None:
        return newest_position(work)
    if last == "0":
        return 0
    position = position_of(work, last, workspace_sid=workspace_sid)
    if position is None:
        raise InvalidParameter("Last-Event-ID", "expected the SID of an event that is kept, or 0")
    return position


def _written(door: Door, tail: Tail) -> Iterator[bytes]:
    # Something at once, so that whoever listens knows that it has begun.
    yield b": here is the log\n\n"
    silent = 0.0
    while not door.streams.are_over:
        events = tail.read(_LOOK_SECONDS)
        silent = 0.0 if events else silent + _LOOK_SECONDS
        if silent >= KEEP_ALIVE_SECONDS:
            silent = 0.0
            yield b": still here\n\n"
        for event in events:
            told: dict[str, Any] = door.represent.event(event)
            yield b"id: %b\nevent: %b\ndata: %b\n\n" % (
                event.sid.encode(),
                event.type.encode(),
                msgspec.json.encode(told),
            )
