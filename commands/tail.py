"""The event log on a terminal, as it is written."""

import json
from collections.abc import Callable, Collection, Mapping

from routing.clock import SECOND, iso_8601
from routing.events import Event
from routing.store import SqlStore
from routing.store.tail import Tail, newest_position, position_of

#: Seconds between looks at a database whose writer is another process, which wakes nobody here.
LOOK_SECONDS = 0.25
#: Characters of the longest common types.
_TYPE_WIDTH = 24


class NoSuchEvent(Exception):
    """The event from which on the log was to be shown is not in it."""


def tail(
    store: SqlStore,
    write: Callable[[str], None],
    *,
    since: str | None,
    types: Collection[str],
    filters: Mapping[str, str],
    as_json: bool,
    follow: bool,
) -> None:
    """Writes a line for each event after `since` (a SID, or 0 for the first), now where it is None.

    Goes on until it is interrupted; without `follow` only until there are no more.
    """
    store.listen()
    log = Tail(store, after=_after(store, since), types=types, filters=filters)
    line = json_line if as_json else readable
    end = store.read(newest_position)
    while follow or log.position < end:
        before = log.position
        for event in log.read(LOOK_SECONDS if follow else 0.0):
            write(line(event))
        if not follow and log.position == before:
            return  # what is left until the end is of other types


def _after(store: SqlStore, since: str | None) -> int:
    if since is None:
        return store.read(newest_position)
    if since == "0":
        return 0
    position = store.read(lambda work: position_of(work, since))
    if position is None:
        raise NoSuchEvent(since)
    return position


def readable(event: Event) -> str:
    """When, what, and a sentence about it."""
    milliseconds = event.occurred_at % SECOND
    when = f"{iso_8601(event.occurred_at).removesuffix('Z')}.{milliseconds:03}Z"
    about = "  ".join(_about(event))
    return f"{when}  {event.type:{_TYPE_WIDTH}}  {event.description}  {about}".rstrip()


def _about(event: Event) -> list[str]:
    carried = event.carried
    said = [
        f"{label}={carried[name]}"
        for label, name in (
            ("worker", "worker_name"),
            ("queue", "task_queue_name"),
            ("status", "task_assignment_status"),
            ("reason", "reason"),
            ("reason", "reservation_reason"),
        )
        if carried.get(name)
    ]
    return [f"[{', '.join(said)}]"] if said else []


def json_line(event: Event) -> str:
    """The whole event as one line of JSON."""
    told = {
        "sid": event.sid,
        "position": event.position,
        "workspace_sid": event.workspace_sid,
        "event_type": event.type,
        "event_date_ms": event.occurred_at,
        "resource_type": event.resource_type,
        "resource_sid": event.resource_sid,
        "description": event.description,
        "event_data": dict(event.carried),
    }
    return json.dumps(told, ensure_ascii=False)
