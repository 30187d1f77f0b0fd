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
    from routing.store.statements import Cursor, SqlDialect, Statement

#: Rows that one statement of SQLite takes at most; a power of two.
MAX_ROWS: Final = 16
_encode: Final = msgspec.json.Encoder().encode


class Inserts(Protocol):
    """How records of one kind are written."""

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        """Raises what the driver raises, and UnicodeEncodeError or OverflowError."""
        ...

    def write_with(
        self, cursor: "Cursor", records: Sequence[Any], others: Sequence["Part"]
    ) -> None:
        """The same, with others before it, in as few statements as the database needs."""
        ...


#: Records, and how those of their kind are written.
Part = tuple[Inserts, Sequence[Any]]


def inserts(
    dialect: "SqlDialect",
    table: Table,
    names: Sequence[str],
    values: Callable[[Any], tuple[object, ...]],
) -> Inserts:
    """For these columns of the table; `values` are a record's, in the order of the names."""
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

    def write_with(self, cursor: "Cursor", records: Sequence[Any], others: Sequence[Part]) -> None:
        for other, more in others:
            other.write(cursor, more)
        self.write(cursor, records)

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
    """INSERT ... SELECT from one JSON array of objects, whose members are named as the columns.

    Several tables are written by one statement: each trip to the server costs the thread that
    makes it more than the server's work. References are looked at when all of it is done.
    """

    def __init__(self, dialect: "SqlDialect", table: Table, names: Sequence[str]) -> None:
        self._dialect = dialect
        self.name = f"{table.name}_given"
        self.insert = _from_json(table, names, self.name)
        self._statements: dict[tuple[Inserts, ...], Statement] = {}

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        self.write_with(cursor, records, ())

    def write_with(self, cursor: "Cursor", records: Sequence[Any], others: Sequence[Part]) -> None:
        statement = self._statement(tuple(other for other, _ in others))
        values = [_encode(more).decode() for _, more in others]
        cursor.execute(statement.text, (*values, _encode(records).decode()))

    def _statement(self, others: tuple[Inserts, ...]) -> "Statement":
        known = self._statements.get(others)
        if known is None:
            before = [
                other.insert.cte(f"{other.name}_too")
                for other in others
                if isinstance(other, _ByJson)
            ]
            known = self._dialect.compile(self.insert.add_cte(*before))
            self._statements[others] = known
        return known


class _RowOf(UserDefinedType[Any]):
    """The type that PostgreSQL makes of each table: that of its rows."""

    cache_ok = True

    def __init__(self, table: str) -> None:
        self.table = table

    def get_col_spec(self, **_: object) -> str:
        return self.table


def _from_json(table: Table, names: Sequence[str], name: str) -> Insert:
    given = func.json_populate_recordset(
        cast(null(), _RowOf(table.name)), cast(bindparam(name, type_=Text), JSON)
    ).table_valued(
        *(column(name, table.c[name].type) for name in names),
        with_ordinality="ordinality",
        name=name,
    )
    # Sorted before they are numbered: the running numbers are given in the order of the array.
    rows = select(*(given.c[name] for name in names)).order_by(given.c.ordinality)
    return insert(table).inline().from_select(list(names), rows)
