"""What the databases' own errors mean to whoever caused them; nobody else sees a driver's error."""

import sqlite3
from typing import Final

import psycopg
from psycopg import errors as postgresql

from routing.errors import Conflict, InvalidParameter
from routing.store.errors import BrokenInvariant, StoreUnavailable
from routing.store.tables import REFUSALS, metadata

_REFERENCE: Final = (
    "It refers to something that does not exist any more, or something still refers to it."
)
_UNSTORABLE: Final = "expected text without U+0000 and lone surrogates, and numbers within range"
_BROKEN: Final = frozenset({"SQLITE_CONSTRAINT_CHECK", "SQLITE_CONSTRAINT_NOTNULL"})
_TAKEN: Final = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
_NOT_NOW: Final = frozenset(
    {
        "SQLITE_BUSY",
        "SQLITE_BUSY_SNAPSHOT",
        "SQLITE_BUSY_RECOVERY",
        "SQLITE_LOCKED",
        "SQLITE_FULL",
        "SQLITE_CANTOPEN",
        "SQLITE_NOTADB",
        "SQLITE_CORRUPT",
        "SQLITE_READONLY",
    }
)

#: {the columns as SQLite names them: the index}, since it names columns where PostgreSQL names
#: indexes.
_INDEX_BY_COLUMNS: Final = {
    ", ".join(f"{table.name}.{getattr(part, 'name', '')}" for part in index.expressions): index.name
    for table in metadata.tables.values()
    for index in table.indexes
    if index.unique
}


def refusal(error: Exception) -> Exception:
    """The error to raise instead of the driver's.

    Conflict for a unique name that is taken and a reference to nothing; InvalidParameter for what
    no column can hold; BrokenInvariant and StoreUnavailable for what callers cannot mend. Errors
    that mean none of these come back as they are.
    """
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    if isinstance(error, psycopg.Error):
        return _of_postgresql(error)
    if isinstance(error, UnicodeEncodeError | OverflowError):
        return InvalidParameter("value", _UNSTORABLE)
    return error


def _of_sqlite(error: sqlite3.Error) -> Exception:
    name = getattr(error, "sqlite_errorname", "")
    if name in _TAKEN:
        what = str(error).removeprefix("UNIQUE constraint failed: ")
        index = what.removeprefix("index '").removesuffix("'")
        return Conflict(_taken(_INDEX_BY_COLUMNS.get(what, index)))
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return Conflict(_REFERENCE)
    if name in _BROKEN:
        return BrokenInvariant(str(error))
    if name in _NOT_NOW or name.startswith("SQLITE_IOERR"):
        return StoreUnavailable(f"SQLite could not do it: {error} ({name})")
    return error


def _of_postgresql(error: psycopg.Error) -> Exception:
    if isinstance(error, postgresql.UniqueViolation):
        return Conflict(_taken(error.diag.constraint_name))
    if isinstance(error, postgresql.ForeignKeyViolation):
        return Conflict(_REFERENCE)
    if isinstance(error, postgresql.CheckViolation | postgresql.NotNullViolation):
        return BrokenInvariant(str(error.diag.message_primary))
    if isinstance(error, psycopg.DataError):
        return InvalidParameter("value", _UNSTORABLE)
    return error


def _taken(index: str | None) -> str:
    return REFUSALS.get(index or "", "Another one with the same key already exists.")
