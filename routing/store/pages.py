"""Pages of a list, for the REST door: found by key, never by OFFSET.

A page begins after (or ends before) the row whose values of the ordering columns the caller
remembers, so the hundredth page costs what the first does, and rows that come or go in between
neither repeat nor hide others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Table,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
    tuple_,
)

from routing.events import Event
from routing.store.event_rows import READ, event_of
from routing.store.statements import SqlDialect, Statement, TableStatements
from routing.store.tables import TABLES, events
from routing.store.unit_of_work import UnitOfWork

Record = TypeVar("Record")

ASCENDING: Final = "asc"
DESCENDING: Final = "desc"
#: Compiled shapes of pages that are kept, over all tables.
MAX_SHAPES: Final = 1000

#: ((column, direction), ...), the most significant first.
Order = Sequence[tuple[str, str]]
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """A filter: the column is at least the one and less than the other; None leaves it open."""

    at_least: object | None = None
    below: object | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotZero:
    """A filter: the column is not 0, as a partial index says it; and what else is asked of it.

    The 0 stands in the statement itself: from a parameter no database sees that the index will do.
    (Of "greater than 0" SQLite would make a range, and look at every other row in it.)
    """

    equal: int | None = None
    more_than: int | None = None
    less_than: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Record]):
    records: Sequence[Record]
    #: Are there rows beyond this page, in the direction in which it was asked for?
    has_more: bool
    #: The ordering columns' values of the first and the last record; None on an empty page.
    first: Key | None
    last: Key | None


_shapes: Final[dict[object, Statement]] = {}


def page(
    work: UnitOfWork,
    record: type[Record],
    *,
    filters: Mapping[str, object],
    order: Order = (("created_at", DESCENDING),),
    after: Key | None = None,
    before: Key | None = None,
    limit: int,
) -> Page[Record]:
    """One page of the records that meet every filter.

    A filter's value is what the column equals, a frozenset of what it may equal, a Between, or None
    for no value; `workspace_sid` is one like the others. The unique column (`sid`, an event's
    `position`) is added to the order. `after` and `before` are a Page's `last` and `first`; with
    `before` it is the page that ends there, still in the list's order.
    """
    table, dialect = _table(record), work.dialect
    order = _complete(order, record)
    towards = before if before is not None else after
    if any(isinstance(value, frozenset) and not value for value in filters.values()):
        return Page(records=(), has_more=False, first=None, last=None)
    statement = _statement(
        dialect, table, filters, _reversed(order) if before is not None else tuple(order), towards
    )
    values: dict[str, object] = {"row_limit": limit + 1}
    values.update(filter_values(filters))
    values.update({f"key_{place}": value for place, value in enumerate(towards or ())})
    rows = list(statement.rows(work.execute(statement.text, statement.values(**values)).fetchall()))
    has_more = len(rows) > limit
    rows = rows[:limit]
    if before is not None:
        rows.reverse()
    return _page(dialect, record, rows, order, has_more=has_more)


def _page(
    dialect: SqlDialect,
    record: type[Record],
    rows: Sequence[Sequence[Any]],
    order: Order,
    *,
    has_more: bool,
) -> Page[Record]:
    records = _records(dialect, record, rows)

    def key(one: Record) -> Key:
        return tuple(getattr(one, name) for name, _ in order)

    return Page(
        records=records,
        has_more=has_more,
        first=key(records[0]) if records else None,
        last=key(records[-1]) if records else None,
    )


def _records(
    dialect: SqlDialect, record: type[Record], rows: Sequence[Sequence[Any]]
) -> Sequence[Record]:
    if record is Event:
        return cast("Sequence[Record]", [event_of(row) for row in rows])
    sql: TableStatements[Record] = dialect.of(record, _table(record))
    return [sql.record(row) for row in rows]


def _table(record: type) -> Table:
    return events if record is Event else TABLES[record]


def _complete(order: Order, record: type) -> Order:
    unique = "position" if record is Event else "sid"
    if any(name == unique for name, _ in order):
        return order
    return (*order, (unique, order[-1][1] if order else ASCENDING))


def _reversed(order: Order) -> Order:
    return tuple(
        (name, ASCENDING if direction == DESCENDING else DESCENDING) for name, direction in order
    )


def _statement(
    dialect: SqlDialect,
    table: Table,
    filters: Mapping[str, object],
    order: Order,
    key: Key | None,
) -> Statement:
    asked = (
        dialect.name,
        table.name,
        tuple((name, shape(value)) for name, value in filters.items()),
        order,
        key is not None,
    )
    known = _shapes.get(asked)
    if known is None:
        if len(_shapes) >= MAX_SHAPES:
            _shapes.clear()
        known = _shapes[asked] = dialect.compile_rows(
            _select(table, filters, order, has_key=key is not None)
        )
    return known


def _select(table: Table, filters: Mapping[str, object], order: Order, *, has_key: bool) -> Any:
    columns = [table.c[name] for name in READ] if table is events else list(table.columns)
    expression = select(*columns).limit(bindparam("row_limit"))
    for name, value in filters.items():
        expression = expression.where(*conditions(table.c[name], name, value))
    if has_key:
        expression = expression.where(beyond(table, order))
    return expression.order_by(
        *(
            table.c[name].desc() if direction == DESCENDING else table.c[name].asc()
            for name, direction in order
        )
    )


def conditions(column: ColumnElement[Any], name: str, value: object) -> list[ColumnElement[bool]]:
    """What a filter says of a column, with parameters that filter_values() fills."""
    if value is None:
        return [column.is_(None)]
    if isinstance(value, frozenset):
        return [column.in_([bindparam(f"{name}_{place}") for place in range(len(value))])]
    if isinstance(value, Between):
        conditions: list[ColumnElement[bool]] = []
        if value.at_least is not None:
            conditions.append(column >= bindparam(f"{name}_at_least"))
        if value.below is not None:
            conditions.append(column < bindparam(f"{name}_below"))
        return conditions
    if isinstance(value, NotZero):
        return [column != literal_column("0", Integer), *_more(column, name, value)]
    return [column == bindparam(f"{name}_is")]


def _more(column: ColumnElement[Any], name: str, value: NotZero) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if value.equal is not None:
        found.append(column == bindparam(f"{name}_is"))
    if value.more_than is not None:
        found.append(column > bindparam(f"{name}_more"))
    if value.less_than is not None:
        found.append(column < bindparam(f"{name}_less"))
    return found


def shape(value: object) -> object:
    """What decides about a filter's SQL, apart from its values."""
    if value is None:
        return None
    if isinstance(value, frozenset):
        return len(value)
    if isinstance(value, Between):
        return (value.at_least is not None, value.below is not None)
    if isinstance(value, NotZero):
        asked = (value.equal, value.more_than, value.less_than)
        return ("not zero", *(each is not None for each in asked))
    return "is"


def filter_values(filters: Mapping[str, object]) -> dict[str, object]:
    """The values of the parameters that conditions() made."""
    values: dict[str, object] = {}
    for name, value in filters.items():
        if isinstance(value, frozenset):
            values.update({f"{name}_{place}": member for place, member in enumerate(value)})
        elif isinstance(value, Between):
            values.update({f"{name}_at_least": value.at_least, f"{name}_below": value.below})
        elif isinstance(value, NotZero):
            values[f"{name}_is"] = value.equal
            values.update({f"{name}_more": value.more_than, f"{name}_less": value.less_than})
        else:
            values[f"{name}_is"] = value
    return values


def beyond(table: FromClause, order: Order) -> ColumnElement[bool]:
    """What comes after the key in this order."""
    columns = [table.c[name] for name, _ in order]
    keys = [bindparam(f"key_{place}", type_=column.type) for place, column in enumerate(columns)]
    directions = {direction for _, direction in order}
    if len(directions) == 1:
        # One comparison of rows, which an index answers by itself.
        row, key = tuple_(*columns), tuple_(*keys)
        return row < key if directions == {DESCENDING} else row > key
    steps = []
    for place, (_, direction) in enumerate(order):
        equal = [columns[before] == keys[before] for before in range(place)]
        column, key_ = columns[place], keys[place]
        steps.append(and_(*equal, column < key_ if direction == DESCENDING else column > key_))
    # Said twice, so that an index is entered where the key is: from the rest nobody sees that.
    first, key_ = columns[0], keys[0]
    begin = first <= key_ if order[0][1] == DESCENDING else first >= key_
    return and_(begin, or_(*steps))
