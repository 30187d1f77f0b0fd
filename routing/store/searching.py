"""One page's search for rows of a long table: along an index, and never further than it may look.

What the index does not know is asked of the rows that it leads to, of so many at most; whoever asks
is told where the search was broken off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, bindparam, select

from routing.events import Event
from routing.store.event_rows import READ, event_of
from routing.store.pages import (
    DESCENDING,
    MAX_SHAPES,
    Key,
    Order,
    beyond,
    conditions,
    filter_values,
    shape,
)
from routing.store.statements import Statement
from routing.store.tables import TABLES, events
from routing.store.unit_of_work import UnitOfWork

Record = TypeVar("Record")

#: Rows that one page looks at when an index alone cannot answer.
MOST: Final = 2000
#: Most often a few times the page is enough; looking at no more is cheaper.
FIRST: Final = 8
#: More rows than there are: a LIMIT keeps a database from reading along another index instead.
_ALL: Final = 1 << 62

Filters = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[Record]):
    records: Sequence[Record]
    #: Where the search was broken off; None where it came to the end, or has as many as wanted.
    stopped_at: Key | None = None


class Search(Generic[Record]):
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
        first = min(FIRST * self._limit, self._most)
        found = self._within(along, rest, first)
        if found.stopped_at is not None and len(found.records) < self._limit and first < self._most:
            return self._within(along, rest, self._most)
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
