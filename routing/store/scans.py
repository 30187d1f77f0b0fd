"""Long lists with filters, found along an index and never by looking at all there is.

A page of Tasks or Events is read along the index that fits its filters best; what that index does
not know is asked of the rows it leads to, of at most MOST of them. A page that ends there may be
short, or empty, and says where the next one goes on. So the costliest page costs what MOST rows
cost, however long the list is.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, bindparam, select

from routing.events import Event
from routing.store.event_rows import READ, event_of
from routing.store.pages import (
    ASCENDING,
    DESCENDING,
    MAX_SHAPES,
    Between,
    Key,
    Order,
    beyond,
    conditions,
    filter_values,
    page,
    shape,
)
from routing.store.statements import Statement
from routing.store.tables import TABLES, events
from routing.store.unit_of_work import UnitOfWork
from routing.task import ASSIGNED, PENDING, RESERVED, TASK_MOVES, WRAPPING, Task

Record = TypeVar("Record")

#: Rows that one page looks at when an index alone cannot answer.
MOST: Final = 2000
#: Most often a few times the page is enough; looking at no more is cheaper.
_FIRST: Final = 8
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
    ("priority",),
)
#: Orders of Tasks that an index of the whole Workspace has, or their reverse.
_ORDERS: Final = (
    (("priority", DESCENDING), ("created_at", ASCENDING), ("sid", ASCENDING)),
    (("virtual_start_at", ASCENDING), ("sid", ASCENDING)),
)
#: What Events have indexes by that go on with (occurred_at, position), the most selective first.
_KEYS_OF_EVENTS: Final = ("sid", "reservation_sid", "task_sid", "worker_sid")
#: More rows than there are: a LIMIT keeps a database from reading along another index instead.
_ALL: Final = 1 << 62

Filters = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[Record]):
    records: Sequence[Record]
    #: Where the search was broken off; None where it came to the end, or has as many as wanted.
    stopped_at: Key | None = None


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
    if _are_live(record, filters) and not _is_by_creation(order):
        along = {name: filters[name] for name in ("workspace_sid", "assignment_status")}
        rest = {name: value for name, value in filters.items() if name not in along}
        return _Search(work, record, order, after, limit, most=MOST).sorted(along, rest)
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
    search = _Search(work, record, order, after, limit, most=MOST // len(streams))
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
    if not _is_by_creation(order):
        return always if any(_is_same(order, indexed) for indexed in _ORDERS) else None
    are_live = _are_live(record, filters)
    for path in _PATHS:
        if path[0] in filters and not (path == ("workflow_sid",) and are_live):
            every = {"assignment_status": frozenset(TASK_MOVES)}
            return always | {name: filters.get(name, every.get(name)) for name in path}
    return always


def _are_live(record: type, filters: Filters) -> bool:
    """Are only Tasks wanted of which there are few at a time?"""
    statuses = filters.get("assignment_status")
    return record is Task and isinstance(statuses, frozenset) and statuses <= _LIVE


def _is_by_creation(order: Order) -> bool:
    return tuple(name for name, _ in order) == _BY_CREATION


def _is_same(order: Order, indexed: Order) -> bool:
    """Are they one order, or each other's reverse?"""
    if tuple(order) == tuple(indexed):
        return True
    return tuple(order) == tuple(
        (name, ASCENDING if direction == DESCENDING else DESCENDING) for name, direction in indexed
    )


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


class _Search(Generic[Record]):
    """One page's search: after that key, in that order, for so many records."""

    def __init__(
        self,
        work: UnitOfWork,
        record: type[Record],
        order: Order,
        after: Key | None,
        limit: int,
        *,
        most: int,
    ) -> None:
        self._most = max(most, limit)
        self._work = work
        self._record = record
        self._table = events if record is Event else TABLES[record]
        self._order = tuple(order)
        self._after = after
        self._limit = limit
        self._key = {f"key_{place}": value for place, value in enumerate(after or ())}

    def along(self, along: Filters, rest: Filters) -> Found[Record]:
        """Reads along the index of some filters, and asks the rest of the rows it leads to."""
        if not rest:
            return Found(records=self._rows(along, rest, self._limit))
        found = self._within(along, rest, _FIRST * self._limit)
        if found.stopped_at is not None and len(found.records) < self._limit:
            return self._within(along, rest, max(self._most, _FIRST * self._limit))
        return found

    def sorted(self, along: Filters, rest: Filters) -> Found[Record]:
        """Of the few rows that some filters leave, those that the rest asks for, sorted."""
        asked = ("sorted", _shapes(along), _shapes(rest))
        known = self._known(asked, lambda: self._select_sorted(along, rest))
        values = {**filter_values(along), **filter_values(rest), **self._key}
        bound = known.values(**values, row_limit=self._limit, scan_limit=_ALL)
        rows = known.rows(self._work.execute(known.text, bound).fetchall())
        sql = self._work.dialect.of(self._record, self._table)
        return Found(records=[sql.record(row) for row in rows])

    def _within(self, along: Filters, rest: Filters, most: int) -> Found[Record]:
        """The same, looking at so many rows at most."""
        records = self._rows(along, rest, most)
        if len(records) == self._limit:
            return Found(records=records)
        return Found(records=records, stopped_at=self._key_of_row(along, most))

    def _rows(self, along: Filters, rest: Filters, most: int) -> Sequence[Record]:
        asked = ("rows", _shapes(along), _shapes(rest))
        known = self._known(asked, lambda: self._select(along, rest))
        values = {**filter_values(along), **filter_values(rest), **self._key}
        bound = known.values(**values, row_limit=self._limit, scan_limit=most)
        rows = known.rows(self._work.execute(known.text, bound).fetchall())
        if self._record is Event:
            return cast("Sequence[Record]", [event_of(row) for row in rows])
        sql = self._work.dialect.of(self._record, self._table)
        return [sql.record(row) for row in rows]

    def _key_of_row(self, along: Filters, number: int) -> Key | None:
        """The key of the row of that number, counted from 1; None where there are not so many."""
        asked = ("key", _shapes(along))
        known = self._known(asked, lambda: self._select_key(along))
        bound = known.values(**filter_values(along), **self._key, skipped=number - 1)
        rows = known.rows(self._work.execute(known.text, bound).fetchall())
        return tuple(rows[0]) if rows else None

    def _known(self, asked: object, make: Callable[[], Any]) -> Statement:
        """The compiled statement of that shape; made when it is first wanted."""
        dialect = self._work.dialect
        name = (dialect.name, self._table.name, asked, self._order, self._after is not None)
        known = _statements.get(name)
        if known is None:
            if len(_statements) >= MAX_SHAPES:
                _statements.clear()
            known = _statements[name] = dialect.compile_rows(make())
        return known

    def _select(self, along: Filters, rest: Filters) -> Any:
        table = self._table
        columns = [table.c[name] for name in READ] if table is events else list(table.columns)
        if not rest:
            return self._inner(columns, along).limit(bindparam("row_limit"))
        inner = self._inner(list(table.columns), along)
        looked_at = inner.limit(bindparam("scan_limit")).subquery("looked_at")
        expression = select(*(looked_at.c[column.name] for column in columns))
        for name, value in rest.items():
            expression = expression.where(*conditions(looked_at.c[name], name, value))
        return expression.order_by(*self._directed(looked_at.c)).limit(bindparam("row_limit"))

    def _select_sorted(self, along: Filters, rest: Filters) -> Any:
        few = select(*self._table.columns)
        for name, value in along.items():
            few = few.where(*conditions(self._table.c[name], name, value))
        found = few.limit(bindparam("scan_limit")).subquery("few")
        expression = select(*found.columns)
        for name, value in rest.items():
            expression = expression.where(*conditions(found.c[name], name, value))
        if self._after is not None:
            expression = expression.where(beyond(found, self._order))
        return expression.order_by(*self._directed(found.c)).limit(bindparam("row_limit"))

    def _select_key(self, along: Filters) -> Any:
        keys = self._inner([self._table.c[name] for name, _ in self._order], along)
        return keys.limit(1).offset(bindparam("skipped"))

    def _inner(self, columns: Sequence[ColumnElement[Any]], along: Filters) -> Any:
        expression = select(*columns)
        for name, value in along.items():
            expression = expression.where(*conditions(self._table.c[name], name, value))
        if self._after is not None:
            expression = expression.where(beyond(self._table, self._order))
        return expression.order_by(*self._directed(self._table.c))

    def _directed(self, columns: Any) -> list[ColumnElement[Any]]:
        return [
            columns[name].desc() if direction == DESCENDING else columns[name].asc()
            for name, direction in self._order
        ]


_statements: Final[dict[object, Statement]] = {}


def _shapes(filters: Filters) -> tuple[object, ...]:
    return tuple((name, shape(value)) for name, value in filters.items())
