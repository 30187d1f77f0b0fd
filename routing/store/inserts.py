"""Many rows of a table written by few statements: the one way in which rows come into being, and
the way in which many of them are changed at once.

Each database is given the rows in the form that is cheapest for both sides. SQLite takes them as
values, many at a time, since each statement that runs costs more than each value that is bound.
PostgreSQL takes them all as one JSON text, which msgspec writes faster than a driver adapts values
one by one, and which is one statement with one plan for any number of rows.

Rows get the running numbers that the database gives them in the order in which they are given.
"""

from abc import ABC, abstractmethod
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec
from sqlalchemy import (
    FromClause,
    Insert,
    Integer,
    Table,
    TableValuedAlias,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import UserDefinedType

from routing.store.tables import workspaces

if TYPE_CHECKING:
    from routing.store.statements import Cursor, SqlDialect, Statement

#: Numbers of rows for which SQLite gets a statement: any small one, then fewer and fewer of them.
#: Each statement is run with several turns at the interpreter, each text is compiled once.
_SIZES: Final = (*range(1, 9), 12, 16, 32, 64)
_encode: Final = msgspec.json.Encoder().encode


class Inserts(Protocol):
    """How records of one kind are written."""

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        """Raises what the driver raises, and UnicodeEncodeError or OverflowError."""
        ...

    def shape(self, number: int) -> object:
        """What a statement that writes so many, beside others, is known by."""
        ...

    def write_with(
        self,
        cursor: "Cursor",
        records: Sequence[Any],
        others: Sequence["Part"],
        proviso: "Proviso | None" = None,
    ) -> None:
        """The same, with others before it, in as few statements as the database needs.

        With a proviso, which only PostgreSQL knows here (SQLite: see at_once), nothing at all is
        written where it does not hold, and the cursor counts no row.
        """
        ...


class Proviso(NamedTuple):
    """That a Workspace's configuration is of this version when the rows are written."""

    workspace_sid: str
    version: int


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
        return Cells(dialect, table, names, values)
    return _ByJson(dialect, table, names)


def changes(dialect: "SqlDialect", table: Table, names: Sequence[str]) -> Inserts:
    """Changes of these columns of many rows; its records are dictionaries of the new values and
    the SID. No row may be among them twice.
    """
    if dialect.name == "sqlite":
        return _ChangesByThemselves(dialect, table, names)
    return _ChangesByJson(dialect, table, names)


def size_class(number: int) -> int:
    """The power of two for which a statement for so many rows is made."""
    return 1 << (number - 1).bit_length()


def given_rows(
    dialect: "SqlDialect",
    table: Table,
    names: Sequence[str],
    name: str,
    at_most: int | None = None,
) -> FromClause:
    """Rows of these columns of the table, out of one JSON array of objects bound as `name`.

    `at_most`, a `size_class`, tells PostgreSQL's planner how few they are: otherwise it takes them
    for a hundred, and would rather read all of a table than look up one row of it.
    """
    if dialect.name == "sqlite":
        each = func.json_each(bindparam(name)).table_valued("value", name=f"{name}_each")
        cells = (
            func.json_extract(each.c.value, literal_column(f"'$.{key}'")).label(key)
            for key in names
        )
        return select(*cells).subquery(name)
    given = _recordset(table, names, name, alias=f"{name}_all")
    if at_most is None:
        return given
    return select(given).limit(literal_column(str(at_most), Integer)).subquery(name)


class _OneByOne(ABC):
    """Each kind of record with statements of its own."""

    def shape(self, _number: int) -> object:
        return self

    @abstractmethod
    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        """As of Inserts."""

    def write_with(
        self,
        cursor: "Cursor",
        records: Sequence[Any],
        others: Sequence[Part],
        proviso: Proviso | None = None,
    ) -> None:
        assert proviso is None  # noqa: S101 - whoever writes alone need not fear others' changes
        for other, more in others:
            other.write(cursor, more)
        self.write(cursor, records)


class Cells(_OneByOne):
    """INSERT ... VALUES (...), (...): as many rows as it can, then as many as it can of the rest.

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
        self.table = table
        self.names = names
        #: A record's, in the order of the names.
        self.values = values
        self._texts: dict[int, str] = {}

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        left, place = len(records), 0
        while left:
            size = _SIZES[bisect(_SIZES, left) - 1]
            rows = map(self.values, records[place : place + size])
            cursor.execute(self._text(size), tuple(chain.from_iterable(rows)))
            left -= size
            place += size

    def _text(self, size: int) -> str:
        known = self._texts.get(size)
        if known is None:
            rows: list[dict[str, object]] = [
                {name: bindparam(f"{name}_{place}") for name in self.names} for place in range(size)
            ]
            # inline: nobody asks for the numbers that were given.
            written = insert(self.table).inline().values(rows)
            known = self._texts[size] = self._dialect.compile(written).text
        return known


class _ByJson:
    """INSERT ... SELECT from one JSON array of objects, whose members are named as the columns.

    Several tables are written by one statement: each trip to the server costs the thread that
    makes it more than the server's work. References are looked at when all of it is done.
    """

    def __init__(self, dialect: "SqlDialect", table: Table, names: Sequence[str]) -> None:
        self._dialect = dialect
        self._table = table
        self._names = names
        self.name = f"{table.name}_given"
        self._statements: dict[object, Statement] = {}

    def written(self, _number: int, *, provided: bool = False) -> Insert | Update:
        """What writes so many records; `provided`: where a Proviso holds."""
        return _from_json(self._table, self._names, self.name, provided=provided)

    def shape(self, _number: int) -> object:
        return self

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        self.write_with(cursor, records, ())

    def write_with(
        self,
        cursor: "Cursor",
        records: Sequence[Any],
        others: Sequence[Part],
        proviso: Proviso | None = None,
    ) -> None:
        parts = [(part, more) for part, more in others if isinstance(part, _ByJson)]
        statement = self._statement(records, parts, provided=proviso is not None)
        values: dict[str, object] = {part.name: _encode(more).decode() for part, more in parts}
        values[self.name] = _encode(records).decode()
        if proviso is not None:
            values[_AGREED_SID], values[_AGREED_VERSION] = proviso
        cursor.execute(statement.text, statement.values(**values))

    def _statement(
        self,
        records: Sequence[Any],
        others: Sequence[tuple["_ByJson", Sequence[Any]]],
        *,
        provided: bool,
    ) -> "Statement":
        shapes = [other.shape(len(more)) for other, more in others]
        key = (provided, self.shape(len(records)), *shapes)
        known = self._statements.get(key)
        if known is None:
            before = [
                other.written(len(more), provided=provided).cte(f"{other.name}_too")
                for other, more in others
            ]
            written = self.written(len(records), provided=provided)
            known = self._statements[key] = self._dialect.compile(written.add_cte(*before))
        return known


class _ChangesByThemselves(_OneByOne):
    """UPDATE ... FROM one JSON array of objects, in one statement: the driver lets other threads
    in after each, and in a busy process that is what costs.
    """

    def __init__(self, dialect: "SqlDialect", table: Table, names: Sequence[str]) -> None:
        self._text = dialect.compile(_changed(dialect, table, names, 1)).text

    def write(self, cursor: "Cursor", records: Sequence[Any]) -> None:
        cursor.execute(self._text, (_encode(records).decode(),))


class _ChangesByJson(_ByJson):
    """The same, beside other statements."""

    def __init__(self, dialect: "SqlDialect", table: Table, names: Sequence[str]) -> None:
        super().__init__(dialect, table, names)
        self.name = f"{table.name}_changed"

    def shape(self, number: int) -> object:
        return (self, size_class(number))

    def written(self, number: int, *, provided: bool = False) -> Insert | Update:
        assert not provided  # noqa: S101 - whoever may only add changes nothing
        return _changed(self._dialect, self._table, self._names, size_class(number))


def _changed(dialect: "SqlDialect", table: Table, names: Sequence[str], at_most: int) -> Update:
    given = given_rows(dialect, table, (*names, "sid"), f"{table.name}_changed", at_most)
    changed = update(table).where(table.c.sid == given.c.sid)
    return changed.values({key: given.c[key] for key in names})


class _RowOf(UserDefinedType[Any]):
    """The type that PostgreSQL makes of each table: that of its rows."""

    cache_ok = True

    def __init__(self, table: str) -> None:
        self.table = table

    def get_col_spec(self, **_: object) -> str:
        return self.table


#: Of a Proviso, as values that are bound.
_AGREED_SID: Final = "agreed_sid"
_AGREED_VERSION: Final = "agreed_version"


def _from_json(table: Table, names: Sequence[str], name: str, *, provided: bool) -> Insert:
    given = _recordset(table, names, name, alias=name, with_ordinality="ordinality")
    # Sorted before they are numbered: the running numbers are given in the order of the array.
    rows = select(*(given.c[name] for name in names)).order_by(given.c.ordinality)
    if provided:
        agreed = select(workspaces.c.sid).where(
            workspaces.c.sid == bindparam(_AGREED_SID),
            workspaces.c.configuration_version == bindparam(_AGREED_VERSION),
        )
        rows = rows.where(agreed.exists())
    return insert(table).inline().from_select(list(names), rows)


def _recordset(
    table: Table,
    names: Sequence[str],
    parameter: str,
    *,
    alias: str,
    with_ordinality: str | None = None,
) -> TableValuedAlias:
    return func.json_populate_recordset(
        cast(null(), _RowOf(table.name)), cast(bindparam(parameter, type_=Text), JSON)
    ).table_valued(
        *(column(key, table.c[key].type) for key in names),
        with_ordinality=with_ordinality,
        name=alias,
    )
