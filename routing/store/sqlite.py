"""SQLite: one writer, many readers.

A commit costs one fsync whatever is in it, so concurrent verbs share commits (combining.py).
Readers use connections of their own, each on a snapshot of the write-ahead log.

Opened per process, after any fork.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, literal_column, select
from sqlalchemy.pool import NullPool

from routing.clock import Clock
from routing.store.at_once import AtOnce
from routing.store.combining import (
    Batch,
    Combiner,
    fail_all,
    is_of_one,
    run,
    run_apart,
    run_assuming,
)
from routing.store.configurations import Configurations
from routing.store.errors import CLOSED, Mistaken, StoreUnavailable
from routing.store.leadership import SoleProcess
from routing.store.refusals import refusal
from routing.store.sqlite_notices import SqliteNotices
from routing.store.statements import SQLITE
from routing.store.unit_of_work import UnitOfWork
from routing.store.wake_up import Bulletin, WakeUps
from routing.store.work_statements import work_statements

Result = TypeVar("Result")

#: How long a writer waits for another process's transaction, in seconds.
BUSY_SECONDS: Final = 10.0
#: Connections of readers that are kept open when nobody reads.
MAX_IDLE_READERS: Final = 16
_CACHED_STATEMENTS: Final = 512
_BEGIN: Final = "BEGIN IMMEDIATE"
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32768",  # KiB
    "PRAGMA journal_size_limit = 67108864",  # bytes that a checkpoint leaves of the log at most
    # Pages of the log before they are written to the file: the same pages change again and again
    # meanwhile, and each need be written once only. 16 MiB.
    "PRAGMA wal_autocheckpoint = 4000",
)


class _Reader(NamedTuple):
    connection: sqlite3.Connection
    cursor: sqlite3.Cursor
    unit: UnitOfWork


class SqliteDatabase:
    """Fulfils routing.store.database.Database on a file."""

    dialect = SQLITE

    def __init__(self, path: Path, clock: Clock, configurations: Configurations) -> None:
        self.wake_ups = WakeUps()
        self.bulletin = Bulletin()
        self._notices = SqliteNotices(path.absolute(), self.wake_ups, self.bulletin.hear)
        self._path = path
        self._clock = clock
        self._configurations = configurations
        self._statements = work_statements(SQLITE)
        self._ping = SQLITE.compile(select(literal_column("1"))).text
        self._combiner = Combiner(self._write)
        self._writer = self._connect()
        self._writer_cursor = self._writer.cursor()
        self._unit = self._new_unit(AtOnce(self._writer_cursor))
        self._readers: deque[_Reader] = deque()
        self._is_closed = False

    # Writing.

    @property
    def waiting(self) -> int:
        """How many verbs wait for a commit that they will share."""
        return self._combiner.waiting

    def perform(self, verb: Callable[[UnitOfWork], Result], *, only_adds: bool = False) -> Result:
        """Runs the verb, maybe together with others' verbs; returns after their commit."""
        self._refuse_when_closed()
        return self._combiner.perform(verb, only_adds=only_adds)

    def _write(self, batch: Batch, about_to_wait: Callable[[], None]) -> None:
        try:
            try:
                self._commit_together(batch, about_to_wait)
            except BaseException as error:
                self._roll_back()
                if not is_of_one(error, batch):
                    raise
                self._commit_verbs(batch, _run_apart, about_to_wait)
        except BaseException as error:  # noqa: BLE001 - whatever broke the commit, all must hear of it
            self._roll_back()
            fail_all(batch, refusal(error) if isinstance(error, Exception) else error)
        finally:
            self._unit.end()

    def _commit_together(self, batch: Batch, about_to_wait: Callable[[], None]) -> None:
        """What verbs that only add have done is written and committed at once."""
        if all(job.only_adds for job in batch):
            try:
                self._commit_at_once(batch, about_to_wait)
            except Mistaken:
                self._roll_back()
            else:
                return
        self._commit_verbs(batch, run, about_to_wait)

    def _commit_at_once(self, batch: Batch, about_to_wait: Callable[[], None]) -> None:
        """Raises Mistaken where the verbs have assumed what is not so."""
        self._refuse_when_closed()
        self._unit.open(self._writer_cursor, shared=len(batch) > 1, begin=_BEGIN, assumes=True)
        topics = run_assuming(self._unit, batch)
        about_to_wait()
        self._unit.flush()
        if not self._unit.is_one_statement:
            self._writer_cursor.execute("COMMIT")
        if topics:
            self._notify(topics)

    def _commit_verbs(
        self,
        batch: Batch,
        run_all: Callable[[UnitOfWork, Batch], set[str]],
        about_to_wait: Callable[[], None],
    ) -> None:
        self._begin()
        self._unit.open(self._writer_cursor, shared=len(batch) > 1 and run_all is run)
        topics = run_all(self._unit, batch)
        self._unit.flush()
        about_to_wait()
        self._writer_cursor.execute("COMMIT")
        if topics:
            self._notify(topics)

    def _notify(self, topics: set[str]) -> None:
        self.wake_ups.notify(topics)
        self._notices.announce(topics)

    def _begin(self) -> None:
        self._refuse_when_closed()
        self._writer_cursor.execute(_BEGIN)

    def _roll_back(self) -> None:
        # Some errors (a full disk) have ended the transaction already.
        if self._writer.in_transaction:
            self._writer_cursor.execute("ROLLBACK")

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Rolled back unless its commit() was said; nobody else writes as long as it is open."""
        self._refuse_when_closed()
        unit = self._unit
        with self._combiner.alone():
            try:
                self._begin()
                unit.open(self._writer_cursor, commit=self._commit_unit)
                yield unit
            finally:
                self._roll_back()
                unit.end()

    def _commit_unit(self) -> None:
        self._unit.flush()
        try:
            self._writer_cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise refusal(error) from error
        self._unit.end()
        if self._unit.topics:
            self._notify(self._unit.topics)

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise StoreUnavailable(CLOSED)

    # Reading.

    def read(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the query on a snapshot; what it tries to write is refused."""
        reader = self._reader()
        try:
            reader.cursor.execute("BEGIN")
            reader.unit.open(reader.cursor, writes=False)
            return query(reader.unit)
        finally:
            reader.unit.end()
            if reader.connection.in_transaction:
                reader.cursor.execute("ROLLBACK")
            self._put_back(reader)

    def glance(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """The same with each statement on its own: nothing to begin and to end."""
        reader = self._reader()
        try:
            reader.unit.open(reader.cursor, writes=False)
            return query(reader.unit)
        finally:
            reader.unit.end()
            self._put_back(reader)

    def rows(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """What one SELECT answers, on its own."""
        reader = self._reader()
        try:
            return reader.cursor.execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise refusal(error) from error
        finally:
            self._put_back(reader)

    def _reader(self) -> "_Reader":
        if self._is_closed:
            raise StoreUnavailable(CLOSED)
        try:
            return self._readers.pop()
        except IndexError:
            connection = self._connect(query_only=True)
            return _Reader(connection, connection.cursor(), self._new_unit())

    def _put_back(self, reader: "_Reader") -> None:
        if self._is_closed or len(self._readers) >= MAX_IDLE_READERS:
            reader.connection.close()
        else:
            self._readers.append(reader)

    # Opening and closing.

    def schema_engine(self) -> Engine:
        """For migrations: each transaction begun on it excludes every other writer's."""
        engine = create_engine(
            "sqlite://", creator=lambda: self._connect(for_schema=True), poolclass=NullPool
        )

        @event.listens_for(engine, "begin")
        def _begin_as_the_only_writer(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def ping(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""
        self.rows(self._ping, ())

    def leadership(self) -> SoleProcess:
        return SoleProcess()

    def listen(self) -> None:
        """Begins to hear of other processes' commits, and to tell them of ours."""
        self._notices.start()

    def tell(self, message: str) -> None:
        """Says something to the other processes that listen, if they can hear it now."""
        self._notices.tell(message)

    def close(self) -> None:
        """Lets go of the file; who is being performed by then is waited for."""
        if self._is_closed:
            return
        self._notices.stop()
        # The last one in line: whoever came before is still served.
        with self.unit_of_work():
            self._is_closed = True
        while self._readers:
            self._readers.pop().connection.close()
        self._writer.close()

    def _new_unit(self, at_once: AtOnce | None = None) -> UnitOfWork:
        return UnitOfWork(
            SQLITE, self._statements, self._clock, self._configurations, at_once=at_once
        )

    def _connect(self, *, query_only: bool = False, for_schema: bool = False) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_CACHED_STATEMENTS,
            )
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            # Migrations rebuild tables, which with foreign keys on would empty those that refer to
            # them.
            connection.execute(f"PRAGMA foreign_keys = {'OFF' if for_schema else 'ON'}")
            connection.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")
        except sqlite3.Error as error:
            raise StoreUnavailable(
                f"Cannot open the SQLite database {self._path}: {error}. "
                "Its folder must exist and be writable, and the file must be a SQLite database."
            ) from error
        return connection


def _run_apart(unit: UnitOfWork, batch: Batch) -> set[str]:
    return run_apart(unit, batch, ())
