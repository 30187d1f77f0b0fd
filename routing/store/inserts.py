"""Many rows of a table written by few statements: the one way in which rows come into being.

Each database is given the rows in the form that is cheapest for both sides. SQLite takes them as
values, many at a time, since each statement that runs costs more than each value that is bound.
PostgreSQL takes them all as one JSON text, which msgspec writes faster than a driver adapts values
one by one, and which is one statement with one plan for any number of rows.

Rows get the running numbers that the database gives them in the order in which they are given.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from sqlalchemy import (
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import UserDefinedType

if TYPE_CHECKING:
    from routing.store.statements import Cursor, SqlDialect

#: Rows that one statement of SQLite takes at most; a power of two.
MAX_ROWS: Final = 16
_encode: Final = msgspec.json.Encoder().encode


class Inserts(Protocol):
    """Writes records of one kind. Raises what the driver raises, and UnicodeEncodeError."""

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None: ...


def inserts(
    dialect: "SqlDialect",
    table: Table,
    names: Sequence[str],
    values: Callable[[Any], tuple[object, ...]],
) -> Inserts:
    """Writes these columns of the table; `values` are a record's, in the order of the names."""
    if dialect.name == "sqlite":
        return _ByValues(dialect, table, names, values)
    return _ByJson(dialect, table, names)


class _ByValues:
    """INSERT ... VALUES (...), (...): as many rows as it can, and the rest by halves of that.

    So there are few texts, whatever the numbers of rows, and the driver keeps them all prepared.
    """

    def __init__(
        self,
        dialect: "SqlDialect",
        table: Table,
        names: Sequence[str],
        values: Callable[[Any], tuple[object, ...]],
    ) -> None:
        self._dialect = dialect
        self._table = table
        self._names = names
        self._values = values
        self._texts: dict[int, str] = {}

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        values, left, place = self._values, len(records), 0
        while left:
            size = min(MAX_ROWS, 1 << (left.bit_length() - 1))
            rows = map(values, records[place : place + size])
            cursor.execute(self._text(size), tuple(chain.from_iterable(rows)))
            left -= size
            place += size

    def _text(self, size: int) -> str:
        known = self._texts.get(size)
        if known is None:
            rows: list[dict[str, object]] = [
                {name: bindparam(f"{name}_{place}") for name in self._names}
                for place in range(size)
            ]
            # inline: nobody asks for the numbers that were given.
            written = insert(self._table).inline().values(rows)
            known = self._texts[size] = self._dialect.compile(written).text
        return known


class _ByJson:
    """INSERT ... SELECT from one JSON array of objects, whose members are named as the columns."""

    def __init__(self, dialect: "SqlDialect", table: Table, names: Sequence[str]) -> None:
        self._text = dialect.compile(_from_json(table, names)).text

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        cursor.execute(self._text, (_encode(records).decode(),))


class _RowOf(UserDefinedType[Any]):
    """The type that PostgreSQL makes of each table: that of its rows."""

    cache_ok = True

    def __init__(self, table: str) -> None:
        self.table = table

    def get_col_spec(self, **_: object) -> str:
        return self.table


def _from_json(table: Table, names: Sequence[str]) -> Insert:
    given = func.json_populate_recordset(
        cast(null(), _RowOf(table.name)), cast(bindparam("records", type_=Text), JSON)
    ).table_valued(
        *(column(name, table.c[name].type) for name in names),
        with_ordinality="ordinality",
        name="given",
    )
    # Sorted before they are numbered: the running numbers are given in the order of the array.
    rows = select(*(given.c[name] for name in names)).order_by(given.c.ordinality)
    return insert(table).inline().from_select(list(names), rows)
