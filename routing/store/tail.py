"""The event log as somebody watches it: from any event on, without a cursor that is kept."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from routing.events import Event
from routing.store.pages import DESCENDING, page
from routing.store.store import SqlStore
from routing.store.unit_of_work import UnitOfWork

#: Events that are read at once.
BATCH: Final = 500
_NEWEST: Final = (("position", DESCENDING),)


class Tail:
    """Events after a place in the log that meet all filters; used by one thread.

    In the log's own order and without gaps, as every follower reads it.
    """

    def __init__(
        self,
        store: SqlStore,
        *,
        after: int,
        types: Collection[str] = (),
        filters: Mapping[str, str] | None = None,
    ) -> None:
        """`types` are those wanted, all where there are none; `filters` name fields of events."""
        self._log = store.event_log("tail", frozenset(types) or None)
        self._log.start_after(after)
        self._signal = store.signal
        self._filters = dict(filters or {})
        #: The place of the last event that was read.
        self.position = after

    def read(self, seconds: float) -> Sequence[Event]:
        """The next events; after so many seconds without any, or where none of them is wanted,
        an empty list.
        """
        seen = self._signal.seen()
        events = self._log.read(BATCH)
        if not events:
            self._signal.wait(seen, seconds)
            events = self._log.read(BATCH)
        if events:
            self._log.go_on(events)
            self.position = events[-1].position
        return [event for event in events if self._is_wanted(event)]

    def _is_wanted(self, event: Event) -> bool:
        return all(getattr(event, name) == value for name, value in self._filters.items())


def newest_position(work: UnitOfWork) -> int:
    """Where the log ends now; 0 where there is nothing in it."""
    found = page(work, Event, filters={}, order=_NEWEST, limit=1).records
    return found[0].position if found else 0


def position_of(
    work: UnitOfWork, event_sid: str, *, workspace_sid: str | None = None
) -> int | None:
    """The event's place in the log; None where it is not in it (any more), or of a Workspace that
    is not the one wanted.
    """
    filters = {"sid": event_sid}
    if workspace_sid is not None:
        filters["workspace_sid"] = workspace_sid
    found = page(work, Event, filters=filters, order=_NEWEST, limit=1).records
    return found[0].position if found else None
