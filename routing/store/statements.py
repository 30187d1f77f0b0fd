"""SQL, compiled once: Core expressions become a text and the order of its parameters.

Core's own execution costs more than SQLite's whole answer, so statements are compiled here once per
shape and handed to the driver's cursor as they are. The texts come from Core alone: no SQL is put
together from strings, and every value is a bound parameter.
"""

import operator
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec
import psycopg
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql.psycopg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect
from sqlalchemy.sql import ClauseElement

from routing.records import maker
from routing.store.inserts import Inserts, changes, inserts
from routing.store.tables import DUE_COLUMNS, metadata, workspaces

Record = TypeVar("Record")

#: Shapes of statements kept per table; finding by ever new combinations starts over, not leaks.
MAX_SHAPES = 500
unpacked: Final = msgspec.json.Decoder(list[list[Any]]).decode


class Cursor(Protocol):
    """The part of a driver's cursor that both databases share."""

    @property
    def rowcount(self) -> int: ...
    def execute(self, text: str, values: Sequence[object] = ..., /) -> object: ...
    def fetchone(self) -> tuple[Any, ...] | None: ...
    def fetchall(self) -> list[tuple[Any, ...]]: ...
    def close(self) -> object: ...


class Statement:
    """One SQL text, and where each named value goes in it."""

    __slots__ = ("_is_packed", "_names", "_preset", "text")

    def __init__(
        self, expression: ClauseElement, dialect: Dialect, *, is_packed: bool = False
    ) -> None:
        compiled = expression.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.text = str(compiled)
        self._is_packed = is_packed
        self._names: list[str] = list(getattr(compiled, "positiontup", None) or ())
        # A parameter that was made without a value would be NULL here, which nobody meant.
        required = {name for name, each in getattr(compiled, "binds", {}).items() if each.required}
        self._preset: Mapping[str, object] = {
            name: value for name, value in (compiled.params or {}).items() if name not in required
        }

    def values(self, **named: object) -> tuple[object, ...]:
        """The values in the order of the text; what is not named keeps the expression's own.

        Raises KeyError, with its name, for one that has none.
        """
        preset = self._preset
        return tuple(named[name] if name in named else preset[name] for name in self._names)

    def rows(self, fetched: list[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        """The rows of its answer, out of what was fetched (see SqlDialect.compile_rows)."""
        return unpacked(fetched[0][0]) if self._is_packed else fetched


class SqlDialect:
    """One database's way of writing statements and of telling what went wrong."""

    def __init__(self, name: str, dialect: Dialect, error: type[Exception]) -> None:
        self.name = name
        self.sqlalchemy = dialect
        #: What is raised for what cannot be stored: by the driver, or on the way to it.
        self.refusals = (error, UnicodeEncodeError, OverflowError)
        #: A database that has one writer at a time needs no row locks.
        self.has_row_locks = name == "postgresql"
        self._tables: dict[type, TableStatements[Any]] = {}

    def compile(self, expression: ClauseElement) -> Statement:
        return Statement(expression, self.sqlalchemy)

    def compile_rows(self, expression: Select[Any]) -> Statement:
        """A SELECT of some whole rows, whose answer is to be taken through `Statement.rows`.

        SQLite's driver lets other threads in after each column of each row: in a busy process, two
        changes of threads for each. One JSON text of all the rows is one column, and is read as
        fast. It is in memory twice, though, so rows without a limit are better left as they are.
        """
        if self.name != "sqlite":
            return self.compile(expression)
        found = expression.subquery("found")
        return Statement(select(packed(found)), self.sqlalchemy, is_packed=True)

    def of(self, record: type[Record], table: Table) -> "TableStatements[Record]":
        """The statements of that table, made when they are first wanted."""
        known = self._tables.get(record)
        if known is None:
            known = self._tables[record] = TableStatements(self, record, table)
        return known


def packed(found: FromClause, only: ColumnElement[bool] | None = None) -> ColumnElement[Any]:
    """All rows of it, or only some, as SQLite's one JSON text (`unpacked` takes it apart)."""
    rows = func.json_group_array(func.json_array(*found.c))
    return rows if only is None else rows.filter(only)


SQLITE: Final = SqlDialect("sqlite", sqlite_dialect(paramstyle="qmark"), sqlite3.Error)
_untyped_dialect: Final[Callable[..., Dialect]] = postgresql_dialect
POSTGRESQL: Final = SqlDialect(
    "postgresql", _untyped_dialect(paramstyle="numeric_dollar"), psycopg.Error
)


def due_topic(table_name: str) -> str:
    return f"due {table_name}"


class Change:
    """An UPDATE of certain columns of the row of one SID."""

    __slots__ = ("is_of_deadline", "text")

    def __init__(self, text: str, *, is_of_deadline: bool) -> None:
        self.text = text
        #: It writes a column that timers or workers wait for.
        self.is_of_deadline = is_of_deadline


class ManyChanges:
    """UPDATEs of certain columns of many rows; Pending keeps them beside the rows of tables."""

    #: Before any row is added.
    depth: Final = -1

    def __init__(
        self, rows_of: "TableStatements[Any]", inserts: Inserts, *, is_of_deadline: bool
    ) -> None:
        #: The table whose SELECTs have to wait until they are written.
        self.rows_of = rows_of
        self.inserts = inserts
        self.is_of_deadline = is_of_deadline


class TableStatements(Generic[Record]):
    """What Rows needs of one table: compiled when first used, then kept."""

    def __init__(self, dialect: SqlDialect, record: type[Record], table: Table) -> None:
        self.table = table
        #: What a commit that makes a row of it due is called where sleepers are woken.
        self.topic = due_topic(table.name)
        self._dialect = dialect
        self._columns = tuple(column.name for column in table.columns)
        self._make = maker(record, self._columns)
        # SQLite has no booleans; what it gives back are 0 and 1.
        self._booleans = tuple(
            place
            for place, column in enumerate(table.columns)
            if isinstance(column.type, Boolean) and dialect is SQLITE
        )
        by_sid = table.c.sid == bindparam("sid")
        whole = select(table).where(by_sid)
        self.get = dialect.compile_rows(whole)
        self.get_locked = dialect.compile_rows(whole.with_for_update())
        #: A row, and behind it which configuration its Workspace has; None where rows have none,
        #: or where there is no trip to be saved.
        self.with_version = _with_version(dialect, table)
        self.delete = dialect.compile(delete(table).where(by_sid)).text
        self.inserts = inserts(dialect, table, self._columns, operator.attrgetter(*self._columns))
        #: How far down it stands: rows that others refer to are written first.
        self.depth = metadata.sorted_tables.index(table)
        self._due_values = _due_values(self._columns)
        self._changes: dict[tuple[str, ...], Change] = {}
        self._many_changes: dict[tuple[str, ...], ManyChanges] = {}
        self._finds: dict[object, Statement] = {}

    def record(self, row: Sequence[Any]) -> Record:
        """The record of a row of all of the table's columns."""
        if not self._booleans:
            return self._make(*row)
        cells = list(row)
        for place in self._booleans:
            cells[place] = bool(cells[place])
        return self._make(*cells)

    def is_due(self, record: Record) -> bool:
        """Does the record carry a deadline that somebody may have to be woken for?"""
        return self._due_values is not None and self._due_values(record)

    def change(self, columns: tuple[str, ...]) -> Change:
        """The UPDATE of these columns: their values in this order, then the SID."""
        known = self._changes.get(columns)
        if known is None:
            assignments: list[tuple[ColumnElement[Any], ColumnElement[Any]]] = [
                (self.table.c[name], bindparam(f"new_{name}")) for name in columns
            ]
            expression = (
                update(self.table)
                .where(self.table.c.sid == bindparam("sid"))
                .ordered_values(*assignments)
            )
            known = Change(
                self._dialect.compile(expression).text,
                is_of_deadline=not DUE_COLUMNS.isdisjoint(columns),
            )
            self._changes[columns] = known
        return known

    @property
    def rows_of(self) -> "TableStatements[Record]":
        """As of ManyChanges."""
        return self

    def many_changes(self, columns: tuple[str, ...]) -> ManyChanges:
        """The UPDATEs of these columns of many rows."""
        known = self._many_changes.get(columns)
        if known is None:
            known = self._many_changes[columns] = ManyChanges(
                self,
                changes(self._dialect, self.table, columns),
                is_of_deadline=not DUE_COLUMNS.isdisjoint(columns),
            )
        return known

    def set_all(self, columns: tuple[str, ...], members: int) -> Change:
        """The same for rows of many SIDs (`filled` tells how these are given)."""
        places = _places(members)
        known = self._changes.get((*columns, f"in {places}"))
        if known is None:
            assignments: list[tuple[ColumnElement[Any], ColumnElement[Any]]] = [
                (self.table.c[name], bindparam(f"new_{name}")) for name in columns
            ]
            sids: list[ColumnElement[Any]] = [bindparam(f"sid_{place}") for place in range(places)]
            expression = (
                update(self.table).where(self.table.c.sid.in_(sids)).ordered_values(*assignments)
            )
            known = self._changes[(*columns, f"in {places}")] = Change(
                self._dialect.compile(expression).text,
                is_of_deadline=not DUE_COLUMNS.isdisjoint(columns),
            )
        return known

    def find(
        self, equal: Mapping[str, object], order_by: str, limit: int | None, *, lock: bool
    ) -> tuple[Statement, tuple[object, ...]]:
        """The SELECT of the rows that meet every equality, and its values."""
        named = dict(_named_values(equal))
        shape = (
            tuple((name, _shape(value)) for name, value in equal.items()),
            order_by,
            limit is not None,
            lock,
        )
        known = self._finds.get(shape)
        if known is None:
            if len(self._finds) >= MAX_SHAPES:
                self._finds.clear()
            conditions = [self._condition(name, value) for name, value in equal.items()]
            expression = select(self.table).where(*conditions)
            expression = expression.order_by(*self._order(order_by))
            if limit is not None:
                expression = expression.limit(bindparam("row_limit"))
            if lock:
                expression = expression.with_for_update()
            are_few = limit is not None or any(
                isinstance(value, frozenset | set) for value in equal.values()
            )
            compiled = self._dialect.compile_rows if are_few else self._dialect.compile
            known = self._finds[shape] = compiled(expression)
        return known, known.values(row_limit=limit, **named)

    def _condition(self, name: str, value: object) -> ColumnElement[bool]:
        column: ColumnElement[Any] = self.table.c[name]
        if value is None:
            return column.is_(None)
        if isinstance(value, frozenset | set):
            places = range(_places(len(value)))
            return column.in_([bindparam(f"{name}_{place}") for place in places])
        return column == bindparam(name)

    def _order(self, order_by: str) -> list[ColumnElement[Any]]:
        # Rows of the same millisecond come in the same order each time.
        name = order_by.removeprefix("-")
        column: ColumnElement[Any] = self.table.c[name]
        if name != order_by:
            return [column.desc(), self.table.c.sid.desc()]
        return [column, self.table.c.sid]


def _shape(value: object) -> str:
    if value is None:
        return "null"
    return f"in {_places(len(value))}" if isinstance(value, frozenset | set) else "equal"


def _places(members: int) -> int:
    """Sets of similar size share a statement: so many places, the last member repeated in them."""
    return 1 << (members - 1).bit_length()


def filled(members: Iterable[str]) -> list[str]:
    """The members for a statement that has places for a few more: the last one is repeated."""
    given = list(members)
    return given + given[-1:] * (_places(len(given)) - len(given))


def _named_values(equal: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    for name, value in equal.items():
        if isinstance(value, frozenset | set):
            members = list(value)
            members += members[-1:] * (_places(len(members)) - len(members))
            for place, member in enumerate(members):
                yield f"{name}_{place}", member
        elif value is not None:
            yield name, value


def _due_values(columns: Iterable[str]) -> Callable[[Any], bool] | None:
    due = [name for name in columns if name in DUE_COLUMNS]
    if not due:
        return None
    return lambda record: any(getattr(record, name) is not None for name in due)


def _with_version(dialect: SqlDialect, table: Table) -> str | None:
    sid = table.c.get("workspace_sid")
    if sid is None or sid.nullable or dialect is SQLITE:
        return None
    both = select(*table.columns, workspaces.c.configuration_version).where(
        table.c.sid == bindparam("sid"), workspaces.c.sid == sid
    )
    return dialect.compile(both).text
