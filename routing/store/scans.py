"""Long lists with filters, found along an index and never by looking at all there is.

A page of Tasks or Events is read along the index that fits its filters best; what that index does
not know is asked of the rows it leads to, of at most MOST of them (routing.store.searching). A page
that ends there may be short, or empty, and says where the next one goes on. So the costliest page
costs what MOST rows cost, however long the list is.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from routing.events import Event
from routing.store import searching
from routing.store.pages import DESCENDING, Between, Key, NotZero, Order, page
from routing.store.priorities import ByPriority
from routing.store.searching import Filters, Found, Search
from routing.store.unit_of_work import UnitOfWork
from routing.task import ASSIGNED, PENDING, RESERVED, TASK_MOVES, WRAPPING, Task

Record = TypeVar("Record")

#: Streams that are read side by side for one page.
MAX_STREAMS: Final = 24
_BY_CREATION: Final = ("created_at", "sid")
#: Few Tasks are in these states at a time: sorting them costs less than any index would.
_LIVE: Final = frozenset({PENDING, RESERVED, ASSIGNED, WRAPPING})
#: Indexes of Tasks that go on with (created_at, sid), the most selective first.
_PATHS: Final = (
    ("routing_target",),
    ("task_queue_sid", "assignment_status"),
    ("workflow_sid",),
    ("assignment_status",),
)
#: What Events have indexes by that go on with (occurred_at, position), the most selective first.
_KEYS_OF_EVENTS: Final = ("sid", "reservation_sid", "task_sid", "worker_sid")


def find(
    work: UnitOfWork,
    record: type[Record],
    *,
    filters: Filters,
    order: Order,
    after: Key | None,
    limit: int,
) -> Found[Record]:
    """At most `limit` records after that key, in that order, which ends with the unique column."""
    if any(isinstance(value, frozenset) and not value for value in filters.values()):
        return Found(records=())
    most = searching.MOST
    if _are_live(record, filters) and not _is_by_creation(order):
        along = {name: filters[name] for name in ("workspace_sid", "assignment_status")}
        rest = {name: value for name, value in filters.items() if name not in along}
        return Search(work, record, order, after, limit, most=most).sorted(along, rest)
    if record is Task and order[0][0] == "priority":
        walk = ByPriority(work, filters=filters, order=order, limit=limit)
        return cast("Found[Record]", walk.find(after))
    known = _along(record, filters, order)
    if known is None:
        whole = page(work, record, filters=filters, order=order, after=after, limit=limit)
        return Found(records=whole.records)
    along = known
    rest = {name: value for name, value in filters.items() if name not in along}
    streams = list(_streams({**along}))
    if len(streams) > MAX_STREAMS:
        streams = [{name: value for name, value in along.items() if name == "workspace_sid"}]
        rest = {name: value for name, value in filters.items() if name != "workspace_sid"}
    search = Search(work, record, order, after, limit, most=most // len(streams))
    found = [search.along(one, rest) for one in streams]
    return found[0] if len(found) == 1 else _merged(found, order, limit)


def _along(record: type, filters: Filters, order: Order) -> dict[str, object] | None:
    """The filters that an index answers, with the values to read side by side; None for none."""
    always = {
        name: value
        for name, value in filters.items()
        if name == "workspace_sid" or (isinstance(value, Between) and name == order[0][0])
    }
    if record is Event:
        for key in _KEYS_OF_EVENTS:
            if key in filters:
                period = {name: value for name, value in always.items() if name != "workspace_sid"}
                return period | {key: filters[key]}
        return always
    if record is not Task:
        return None
    # Without a path: along (created_at, sid) or (virtual_start_at, sid); equals are sorted.
    return always | (_path(record, filters) if _is_by_creation(order) else {})


def _path(record: type, filters: Filters) -> dict[str, object]:
    """What an index of Tasks knows beside the Workspace and goes on with (created_at, sid)."""
    are_live = _are_live(record, filters)
    for path in _PATHS:
        if path[0] in filters and not (path == ("workflow_sid",) and are_live):
            every = {"assignment_status": frozenset(TASK_MOVES)}
            return {name: filters.get(name, every.get(name)) for name in path}
    priority = filters.get("priority")
    if isinstance(priority, int) and priority > 0:
        return {"priority": NotZero(equal=priority)}
    return {}


def _are_live(record: type, filters: Filters) -> bool:
    """Are only Tasks wanted of which there are few at a time?"""
    statuses = filters.get("assignment_status")
    return record is Task and isinstance(statuses, frozenset) and statuses <= _LIVE


def _is_by_creation(order: Order) -> bool:
    return tuple(name for name, _ in order) == _BY_CREATION


def _streams(along: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """One for each combination of the values that are wanted."""
    choices = [
        [(name, one) for one in sorted(value)] if isinstance(value, frozenset) else [(name, value)]
        for name, value in along.items()
    ]
    return (dict(chosen) for chosen in itertools.product(*choices))


def _merged(found: Sequence[Found[Record]], order: Order, limit: int) -> Found[Record]:
    """The streams as one. Beyond where one of them broke off nothing is known of it."""
    backwards = order[0][1] == DESCENDING

    def key(record: Record) -> Key:
        return tuple(getattr(record, name) for name, _ in order)

    merged: Iterable[Record] = heapq.merge(
        *(one.records for one in found),
        key=cast("Any", key),  # instants and SIDs compare
        reverse=backwards,
    )
    stops = [one.stopped_at for one in found if one.stopped_at is not None]
    if not stops:
        return Found(records=list(itertools.islice(merged, limit)))
    nearest = cast("Any", max if backwards else min)(stops)
    known = [
        record
        for record in merged
        if cast("Any", key(record)) == nearest or (cast("Any", key(record)) < nearest) != backwards
    ]
    if len(known) >= limit:
        return Found(records=known[:limit])
    return Found(records=known, stopped_at=nearest)
