"""The tables of a scratch database, read after each step of a history: only what changed, anew.

To read all rows again after each of a million steps would take more time than the steps. SQLite
tells whether anybody has committed anything since, and a row's version whether it is another one.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select

from routing.reservation import Reservation
from routing.store.statements import SQLITE
from routing.store.tables import TABLES
from routing.task import Task
from routing.transfer import Transfer
from routing.worker import Worker, WorkerChannel
from tests.routing.invariants import Tables


class Reading:
    """One reader of its own; belongs to one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._cursor = connection.cursor()
        self._rows = {
            record: _Rows(record) for record in (Task, Reservation, Worker, WorkerChannel, Transfer)
        }

    def version(self) -> int:
        """Another one as soon as somebody has committed a change of anything."""
        (version,) = self._cursor.execute("PRAGMA data_version").fetchone()
        return int(version)

    def tables(self, *, whole: bool) -> Tables:
        """As they are; rows of a version that is known are read again only where it is to be the
        `whole` of them.
        """

        def records(record: type[Any]) -> list[Any]:
            rows = self._rows[record]
            return rows.read(self._cursor) if whole else rows.read_versions(self._cursor)

        return Tables(
            tasks={task.sid: task for task in records(Task)},
            reservations=records(Reservation),
            workers={worker.sid: worker for worker in records(Worker)},
            channels=records(WorkerChannel),
            transfers=records(Transfer),
        )


class _Rows:
    def __init__(self, record: type[Any]) -> None:
        table = TABLES[record]
        self._statements = SQLITE.of(record, table)
        names = [column.name for column in table.columns]
        self._sid = names.index("sid")
        self._version = names.index("version") if "version" in names else None
        in_turn = (table.c.created_at, table.c.sid)
        self._all = SQLITE.compile(select(table).order_by(*in_turn)).text
        self._versions = self._all
        if self._version is not None:
            versions = select(table.c.sid, table.c.version).order_by(*in_turn)
            self._versions = SQLITE.compile(versions).text
        self._one = SQLITE.compile(select(table).where(table.c.sid == bindparam("sid"))).text
        #: By SID, the row as it was and its record.
        self._known: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def read(self, cursor: sqlite3.Cursor) -> list[Any]:
        known, now = self._known, {}
        for row in cursor.execute(self._all).fetchall():
            sid = row[self._sid]
            last = known.get(sid)
            if last is None or last[0] != row:
                last = (row, self._statements.record(row))
            now[sid] = last
        self._known = now
        return [record for _row, record in now.values()]

    def read_versions(self, cursor: sqlite3.Cursor) -> list[Any]:
        if self._version is None:
            return self.read(cursor)
        known, now = self._known, {}
        for sid, version in cursor.execute(self._versions).fetchall():
            last = known.get(sid)
            if last is None or last[0][self._version] != version:
                row = cursor.execute(self._one, (sid,)).fetchone()
                last = (row, self._statements.record(row))
            now[sid] = last
        self._known = now
        return [record for _row, record in now.values()]


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Reading]:
    """Reads the database of that file, and can write nothing."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    with contextlib.closing(connection):
        yield Reading(connection)
