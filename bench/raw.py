"""The bare drivers, writing the rows that the engine has written: the most that there is to have.

They are handed finished rows, bind them to prepared statements and commit them in batches; a commit
for each batch of new Tasks, and one for each batch of claims, as the engine does.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import sqlalchemy
from sqlalchemy import Table

from routing.clock import SystemClock
from routing.store import open_store
from routing.store.tables import events, metadata, reservations, tasks
from tests import postgres

Row = tuple[object, ...]
#: A statement's text with question marks, and the rows that it is run for.
_Step = tuple[str, Sequence[Row]]

_CLAIM_TASK = (
    "UPDATE tasks SET assignment_status = 'reserved', assignment_count = 1, version = 1,"
    " updated_at = ? WHERE sid = ? AND assignment_status = 'pending'"
)
_CLAIM_CHANNEL = (
    "UPDATE worker_channels SET assigned_tasks = assigned_tasks + 1, last_reserved_at = ?"
    " WHERE sid = ? AND available AND assigned_tasks < configured_capacity"
)
_CLAIM_WORKER = "UPDATE workers SET last_reserved_at = ? WHERE sid = ?"


@dataclass(frozen=True, kw_only=True)
class Written:
    """What came of so many assignments, in the order in which it was written."""

    tasks: list[Row]
    #: Of the creation: the same number for each Task.
    task_events: list[Row]
    reservations: list[Row]
    reservation_events: list[Row]
    #: (instant, SID) for the updates of tasks, channels and workers.
    task_claims: list[Row]
    channel_claims: list[Row]
    worker_claims: list[Row]


def written(url: str) -> Written:
    """The rows in that database."""
    engine = sqlalchemy.create_engine(_sqlalchemy_url(url))
    with engine.connect() as connection:
        made = connection.execute(
            sqlalchemy.select(tasks).order_by(tasks.c.created_at, tasks.c.sid)
        ).all()
        log = connection.execute(sqlalchemy.select(events).order_by(events.c.position)).all()
        offers = {row.sid: row for row in connection.execute(sqlalchemy.select(reservations)).all()}
    engine.dispose()
    # The position is the database's to give.
    told = [tuple(row)[1:] for row in log if row.task_sid and not row.reservation_sid]
    offered = [row for row in log if row.reservation_sid]
    claims = [offers[row.reservation_sid] for row in offered]
    return Written(
        tasks=[_as_created(row) for row in made],
        task_events=told,
        reservations=[tuple(row) for row in claims],
        reservation_events=[tuple(row)[1:] for row in offered],
        task_claims=[(row.created_at, row.task_sid) for row in claims],
        channel_claims=[(row.created_at, row.worker_channel_sid) for row in claims],
        worker_claims=[(row.created_at, row.worker_sid) for row in claims],
    )


def _as_created(row: Any) -> Row:
    cells = row._asdict() | {"assignment_status": "pending", "assignment_count": 0, "version": 0}
    return tuple(cells.values())


@contextlib.contextmanager
def driver(source_url: str, url: str) -> Iterator[Callable[[Written, int], None]]:
    """Writes rows in batches of a size, into another database with the source's call centre."""
    _copy_centre(source_url, url)
    if url.startswith("sqlite"):
        with contextlib.closing(_sqlite(url)) as file:
            yield lambda rows, size: _write_sqlite(file, rows, size)
    else:
        with psycopg.connect(postgres.libpq_url(url), autocommit=True) as server:
            yield lambda rows, size: _write_postgresql(server, rows, size)


def _sqlite(url: str) -> sqlite3.Connection:
    file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        file.execute(f"PRAGMA {pragma}")
    file.execute("PRAGMA cache_size = -32768")
    return file


def _write_sqlite(file: sqlite3.Connection, rows: Written, size: int) -> None:
    for steps in _transactions(rows, size):
        file.execute("BEGIN IMMEDIATE")
        for text, values in steps:
            file.executemany(text, values)
        file.execute("COMMIT")


def _write_postgresql(server: psycopg.Connection[Any], rows: Written, size: int) -> None:
    cursor = server.cursor()
    for steps in _transactions(rows, size):
        with server.pipeline():
            cursor.execute("BEGIN")
            for text, values in steps:
                cursor.executemany(cast("Any", text.replace("?", "%s")), values)
            cursor.execute("COMMIT")


def _transactions(rows: Written, size: int) -> Iterator[list[_Step]]:
    per_task = len(rows.task_events) // len(rows.tasks)
    add_tasks, add_events, add_reservations = map(_insert, (tasks, events, reservations))
    for first in range(0, len(rows.tasks), size):
        here = slice(first, first + size)
        yield [
            (add_tasks, rows.tasks[here]),
            (add_events, rows.task_events[first * per_task : (first + size) * per_task]),
        ]
        yield [
            (_CLAIM_TASK, rows.task_claims[here]),
            (_CLAIM_CHANNEL, rows.channel_claims[here]),
            (_CLAIM_WORKER, rows.worker_claims[here]),
            (add_reservations, rows.reservations[here]),
            (add_events, rows.reservation_events[here]),
        ]


def _insert(table: Table) -> str:
    names = [column.name for column in table.columns if column.name != "position"]
    places = ", ".join("?" for _ in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - names of our own tables


def _copy_centre(source_url: str, url: str) -> None:
    """The schema, and all that was there before the first Task."""
    store = open_store(url, SystemClock())
    store.migrate()
    store.close()
    source = sqlalchemy.create_engine(_sqlalchemy_url(source_url))
    target = sqlalchemy.create_engine(_sqlalchemy_url(url))
    with source.connect() as old, target.begin() as new:
        for table in metadata.sorted_tables:
            if table in {tasks, reservations, events} or table.name == "followers":
                continue
            rows = [row._asdict() for row in old.execute(sqlalchemy.select(table)).all()]
            if table.name == "worker_channels":
                rows = [row | {"assigned_tasks": 0, "last_reserved_at": 0} for row in rows]
            if rows:
                new.execute(sqlalchemy.insert(table), rows)
    source.dispose()
    target.dispose()


def _sqlalchemy_url(url: str) -> sqlalchemy.URL:
    parsed = sqlalchemy.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed
