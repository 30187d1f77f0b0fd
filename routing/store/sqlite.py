"""SQLite: one writer, many readers.

A commit costs one fsync whatever is in it, so concurrent verbs share commits (flat combining):
verbs line up, and the thread that finds nobody writing writes for all who wait by then, each verb
under its own savepoint, then commits once and hands each its result. Nobody is answered before the
commit that holds its verb. Readers use connections of their own, each on a snapshot of the
write-ahead log.

Opened per process, after any fork.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event, literal_column, select
from sqlalchemy.pool import NullPool

from routing.clock import Clock
from routing.store.configurations import Configurations
from routing.store.errors import CLOSED, StoreError, StoreUnavailable
from routing.store.refusals import refusal
from routing.store.statements import SQLITE
from routing.store.unit_of_work import UnitOfWork
from routing.store.wake_up import WakeUp
from routing.store.work_statements import WorkStatements

Result = TypeVar("Result")

#: Verbs that may share a commit. More would make the first of them wait longer for little gain: at
#: this number the fsync is a small part of the batch.
MAX_BATCH: Final = 64
#: How long a writer waits for another process's transaction, in seconds.
BUSY_SECONDS: Final = 10.0
#: Connections of readers that are kept open when nobody reads.
MAX_IDLE_READERS: Final = 16
_CACHED_STATEMENTS: Final = 512
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32768",  # KiB
    "PRAGMA journal_size_limit = 67108864",  # bytes that a checkpoint leaves of the log at most
)


class _Job(Generic[Result]):
    """A verb in line, and what became of it."""

    __slots__ = ("_error", "_result", "done", "leads", "turn", "verb")

    def __init__(self, verb: Callable[[UnitOfWork], Result] | None) -> None:
        #: None for whoever wants the writer for itself.
        self.verb = verb
        self.done = False
        #: It is this thread that has to write for all in line.
        self.leads = False
        #: Released when it is done, or when it leads.
        self.turn = threading.Lock()
        self._result: Result | None = None
        self._error: BaseException | None = None

    def succeed(self, result: Result) -> None:
        self._result = result

    def fail(self, error: BaseException) -> None:
        self._error = error

    @property
    def has_failed(self) -> bool:
        return self._error is not None

    def outcome(self) -> Result:
        if self._error is not None:
            raise self._error
        return cast("Result", self._result)


class _Reader(NamedTuple):
    connection: sqlite3.Connection
    cursor: sqlite3.Cursor
    unit: UnitOfWork


class SqliteDatabase:
    """Fulfils routing.store.database.Database on a file."""

    dialect = SQLITE

    def __init__(self, path: Path, clock: Clock, configurations: Configurations) -> None:
        self.signal = WakeUp()
        self._path = path
        self._clock = clock
        self._configurations = configurations
        self._statements = WorkStatements(SQLITE)
        self._ping = SQLITE.compile(select(literal_column("1"))).text
        self._door = threading.Lock()
        self._line: deque[_Job[Any]] = deque()
        self._is_written = False
        self._writer = self._connect()
        self._writer_cursor = self._writer.cursor()
        self._writing_thread: int | None = None
        self._unit = self._new_unit()
        self._readers: deque[_Reader] = deque()
        self._is_closed = False

    # Writing.

    def perform(self, verb: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the verb, maybe together with others' verbs; returns after their commit."""
        self._refuse_misuse()
        job = _Job(verb)
        if self._must_wait(job):
            self._wait_for_turn(job)
        if not job.done:
            self._write_for_all()
        return job.outcome()

    def _must_wait(self, job: _Job[Any]) -> bool:
        with self._door:
            self._line.append(job)
            if self._is_written:
                job.turn.acquire()
                return True
            self._is_written = True
            return False

    def _wait_for_turn(self, job: _Job[Any]) -> None:
        try:
            job.turn.acquire()
        except BaseException:  # a signal in the main thread: the others must not wait for it
            with self._door:
                if job in self._line:
                    self._line.remove(job)
            if job.leads:
                self._hand_over([])
            raise

    def _write_for_all(self) -> None:
        with self._door:
            batch: list[_Job[Any]] = []
            while self._line and self._line[0].verb is not None and len(batch) < MAX_BATCH:
                batch.append(self._line.popleft())
        try:
            self._write(batch)
        finally:
            self._hand_over(batch)

    def _hand_over(self, batch: list[_Job[Any]]) -> None:
        """Tells each job of the batch that it is done, and the next in line that it is its turn."""
        with self._door:
            following = self._line[0] if self._line else None
            self._is_written = following is not None
            if following is not None:
                following.leads = True
        for job in batch:
            job.done = True
            if job.turn.locked():
                job.turn.release()
        if following is not None:
            following.turn.release()

    def _write(self, batch: list[_Job[Any]]) -> None:
        self._writing_thread = threading.get_ident()
        try:
            self._begin()
            stirs = [self._run(job, alone=len(batch) == 1) for job in batch]
            self._end(batch)
        except BaseException as error:  # noqa: BLE001 - whatever broke the commit, all must hear of it
            self._roll_back()
            refused = refusal(error) if isinstance(error, Exception) else error
            for job in batch:
                if not job.has_failed:
                    job.fail(refused)
        else:
            if any(stirs):
                self.signal.notify()
        finally:
            self._unit.end()
            self._writing_thread = None

    def _begin(self) -> None:
        if self._is_closed:
            raise StoreUnavailable(CLOSED)
        self._unit.reconfigured.clear()
        self._writer_cursor.execute("BEGIN IMMEDIATE")

    def _run(self, job: _Job[Any], *, alone: bool) -> bool:
        """Runs one verb; whether it wrote what somebody waits for. Its failure undoes it alone."""
        unit, cursor = self._unit, self._writer_cursor
        if not alone:
            cursor.execute("SAVEPOINT verb")
        unit.begin(cursor, writes=True)
        try:
            result = cast("Callable[[UnitOfWork], object]", job.verb)(unit)
            unit.flush()
        except BaseException as error:  # noqa: BLE001 - it is its caller's, who gets it raised
            job.fail(error)
            if not alone:
                cursor.execute("ROLLBACK TO verb")
                cursor.execute("RELEASE verb")
            return False
        job.succeed(result)
        if not alone:
            cursor.execute("RELEASE verb")
        return unit.stirs

    def _end(self, batch: list[_Job[Any]]) -> None:
        if len(batch) == 1 and batch[0].has_failed:
            self._roll_back()
        else:
            self._writer_cursor.execute("COMMIT")

    def _roll_back(self) -> None:
        # Some errors (a full disk) have ended the transaction already.
        if self._writer.in_transaction:
            self._writer_cursor.execute("ROLLBACK")

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Rolled back unless its commit() was said; nobody else writes as long as it is open."""
        self._refuse_misuse()
        job = _Job[None](None)
        if self._must_wait(job):
            self._wait_for_turn(job)
        with self._door:
            self._line.popleft()
        self._writing_thread = threading.get_ident()
        unit = self._unit
        try:
            self._begin()
            unit.begin(self._writer_cursor, writes=True, commit=self._commit_unit)
            yield unit
        finally:
            self._roll_back()
            unit.end()
            self._writing_thread = None
            self._hand_over([job])

    def _commit_unit(self) -> None:
        self._unit.flush()
        try:
            self._writer_cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise refusal(error) from error
        self._unit.end()
        if self._unit.stirs:
            self.signal.notify()

    def _refuse_misuse(self) -> None:
        if self._is_closed:
            raise StoreUnavailable(CLOSED)
        if self._writing_thread == threading.get_ident():
            raise StoreError("A unit of work is open in this thread: use that one.")

    # Reading.

    def read(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the query on a snapshot; what it tries to write is refused."""
        reader = self._reader()
        try:
            reader.cursor.execute("BEGIN")
            reader.unit.begin(reader.cursor, writes=False)
            return query(reader.unit)
        finally:
            reader.unit.end()
            if reader.connection.in_transaction:
                reader.cursor.execute("ROLLBACK")
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

    def listen(self) -> None:
        """There is nothing to listen to: within a process the signal itself says everything."""

    def close(self) -> None:
        """Lets go of the file; who is being performed by then is waited for."""
        if self._is_closed:
            return
        # The last one in line: whoever came before is still served.
        with self.unit_of_work():
            self._is_closed = True
        while self._readers:
            self._readers.pop().connection.close()
        self._writer.close()

    def _new_unit(self) -> UnitOfWork:
        return UnitOfWork(SQLITE, self._statements, self._clock, self._configurations)

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
