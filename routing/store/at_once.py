"""SQLite: all rows that a batch adds are written, and committed, by one statement.

The driver lets other threads in at each statement, and has to win the interpreter back after it. In
a busy process that takes longer than what the database does; so a batch is one statement, and
meanwhile the others go on. It inserts one row, an array of rows for each table, into a view of the
connection's own, whose trigger takes the arrays apart.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    Text,
    bindparam,
    column,
    exists,
    func,
    insert,
    literal_column,
    null,
    select,
    table,
)

from routing.store.errors import Mistaken
from routing.store.inserts import Cells, Part, Proviso
from routing.store.statements import SQLITE, Cursor, Statement
from routing.store.tables import workspaces

_encode: Final = msgspec.json.Encoder().encode
#: What SQLite's functions for JSON would take for the end of a text.
_NUL: Final = b"\\u0000"
#: Of more rows than so many the taking apart costs more than the statements that it saves.
_MANY_ROWS: Final = 128
_VERSION: Final = SQLITE.compile(
    select(workspaces.c.configuration_version).where(workspaces.c.sid == bindparam("sid"))
)
_AGREED_SID: Final = "agreed_sid"
_AGREED_VERSION: Final = "agreed_version"
#: How SQLite's driver names the error that a trigger has raised.
_RAISED: Final = "SQLITE_CONSTRAINT_TRIGGER"


class AtOnce:
    """Of one connection, on which no transaction is open when something is written."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._statements: dict[tuple[Cells, ...], Statement] = {}

    def write(self, parts: Sequence[Part], proviso: Proviso | None) -> None:
        """All rows of the parts, in their order, or nothing.

        Raises Mistaken where the proviso does not hold, what the driver raises, and
        UnicodeEncodeError.
        """
        given = _as_arrays(parts)
        if given is None:
            self._write_in_turn(parts, proviso)
            return
        cells, values = given
        values[_AGREED_SID], values[_AGREED_VERSION] = proviso or (None, None)
        statement = self._statements.get(cells) or self._prepare(cells)
        try:
            self._cursor.execute(statement.text, statement.values(**values))
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorname == _RAISED:
                raise Mistaken from None
            raise

    def _write_in_turn(self, parts: Sequence[Part], proviso: Proviso | None) -> None:
        """In a transaction; whoever hears of an error rolls it back."""
        self._cursor.execute("BEGIN IMMEDIATE")
        if proviso is not None:
            self._cursor.execute(_VERSION.text, _VERSION.values(sid=proviso.workspace_sid))
            if self._cursor.fetchone() != (proviso.version,):
                raise Mistaken
        for inserts, records in parts:
            inserts.write(self._cursor, records)
        self._cursor.execute("COMMIT")

    def _prepare(self, cells: tuple[Cells, ...]) -> Statement:
        """Makes the view and its trigger, which go with the connection."""
        names = (_AGREED_SID, _AGREED_VERSION, *(each.table.name for each in cells))
        view = "_".join(("added", *names[2:]))
        row = SQLITE.compile(select(*(null().label(name) for name in names))).text
        steps = (_proven(), *map(_from_array, cells))
        body = "; ".join(SQLITE.compile(step).text for step in steps)
        trigger = f"{view}_apart INSTEAD OF INSERT ON {view} BEGIN {body}; END"
        self._cursor.execute(f"CREATE TEMP VIEW IF NOT EXISTS {view} AS {row}")
        self._cursor.execute(f"CREATE TEMP TRIGGER {trigger}")
        known = self._statements[cells] = SQLITE.compile(
            insert(table(view, *map(column, names))).inline()
        )
        return known


def _as_arrays(parts: Sequence[Part]) -> tuple[tuple[Cells, ...], dict[str, object]] | None:
    """An array for each table, as JSON; None where the rows are better written one by one."""
    cells = tuple(inserts for inserts, _ in parts if isinstance(inserts, Cells))
    if len(cells) < len(parts) or sum(len(records) for _, records in parts) > _MANY_ROWS:
        return None
    values: dict[str, object] = {}
    for inserts, (_, records) in zip(cells, parts, strict=True):
        rows = _encode([*map(inserts.values, records)])
        if _NUL in rows:
            return None
        values[inserts.table.name] = rows.decode()
    return cells, values


def _given(name: str) -> ColumnElement[str]:
    """A column of the row that is inserted into the view."""
    return column(f"new.{name}", Text, is_literal=True)


def _proven() -> Select[Any]:
    """Ends all of it where the proviso does not hold."""
    agreed = exists().where(
        workspaces.c.sid == _given(_AGREED_SID),
        workspaces.c.configuration_version == _given(_AGREED_VERSION),
    )
    ended = func.RAISE(literal_column("ABORT"), literal_column("'it is another configuration'"))
    return select(ended).where(_given(_AGREED_SID).is_not(None), ~agreed)


def _from_array(cells: Cells) -> Insert:
    each = func.json_each(_given(cells.table.name)).table_valued("key", "value", name="each")
    values = (
        func.json_extract(each.c.value, literal_column(f"'$[{place}]'"))
        for place in range(len(cells.names))
    )
    # Sorted before they are numbered: the running numbers are given in the order of the array.
    return (
        insert(cells.table)
        .inline()
        .from_select(list(cells.names), select(*values).order_by(each.c.key))
    )
