"""PostgreSQL: many writers, each with a transaction and row locks of its own.

Verbs run at READ COMMITTED: what they decide on they lock (`lock=True`) or claim by a conditional
UPDATE. A verb that lost a deadlock, could not be serialized, or lost its connection before its
COMMIT was sent is run again, a bounded number of times; never after that, since nobody then knows
whether it happened.

Opened per process, after any fork.
"""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, NoReturn, TypeVar

import psycopg
import sqlalchemy.exc
from psycopg import errors as postgresql
from sqlalchemy import (
    URL,
    Engine,
    PoolProxiedConnection,
    Select,
    Text,
    bindparam,
    create_engine,
    event,
    func,
    literal_column,
    select,
)
from sqlalchemy.pool import NullPool

from routing.clock import Clock
from routing.store.combining import (
    Batch,
    Combiner,
    fail_all,
    is_of_one,
    run_apart,
    run_assuming,
)
from routing.store.configurations import Configurations
from routing.store.errors import CLOSED, Mistaken, StoreUnavailable
from routing.store.leadership import AdvisoryLock
from routing.store.postgresql_notices import CHANNEL, Notices
from routing.store.postgresql_trips import Trips
from routing.store.refusals import refusal
from routing.store.statements import POSTGRESQL
from routing.store.unit_of_work import UnitOfWork
from routing.store.wake_up import Bulletin, WakeUps
from routing.store.work_statements import work_statements

Result = TypeVar("Result")

#: How often a verb is begun before its caller is told that it cannot be done.
MAX_TRIES: Final = 6
#: Seconds before the second try; doubled for each further one. Whoever lost a deadlock only has to
#: let the other one finish; a server that restarts takes seconds.
_CONTENTION_SECONDS: Final = 0.005
_OUTAGE_SECONDS: Final = 0.1
#: Connections kept, and how many more there may be for a moment; PostgreSQL allows 100 in all.
_POOL_SIZE: Final = 10
_POOL_OVERFLOW: Final = 10
_POOL_SECONDS: Final = 10.0
#: A server that does not answer is given up after seconds, not after the system's hours.
_CONNECTION: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "tandem",
}
#: Batches of verbs that only add, on their way at the same time: while one waits for the server,
#: the other is got ready.
_LINES: Final = 2
_CONTENTION: Final = (postgresql.SerializationFailure, postgresql.DeadlockDetected)
_OUTAGE: Final = (psycopg.OperationalError, psycopg.InterfaceError)
_BEGIN: Final = "BEGIN"
_BEGIN_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _TryAgain(Exception):
    def __init__(self, reason: Exception, seconds: float) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.seconds = seconds


class _Desk(NamedTuple):
    """What belongs to one connection for as long as it lives."""

    connection: psycopg.Connection[Any]
    cursor: Trips
    unit: UnitOfWork


class PostgresqlDatabase:
    """Fulfils routing.store.database.Database on a server."""

    dialect = POSTGRESQL

    def __init__(self, url: URL, clock: Clock, configurations: Configurations) -> None:
        self.wake_ups = WakeUps()
        self._url = url.set(drivername="postgresql+psycopg")
        self._clock = clock
        self._configurations = configurations
        self._statements = work_statements(POSTGRESQL)
        self._ping = POSTGRESQL.compile(select(literal_column("1"))).text
        self._tell = POSTGRESQL.compile(_telling()).text
        self._engine = create_engine(
            self._url,
            connect_args=dict(_CONNECTION),
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_OVERFLOW,
            pool_timeout=_POOL_SECONDS,
            # The same few connections, with their prepared statements, as long as they suffice.
            pool_use_lifo=True,
            # We begin and end every transaction ourselves.
            pool_reset_on_return=None,
            use_native_hstore=False,
        )
        event.listen(self._engine, "connect", _leave_transactions_to_us)
        self._is_closed = False
        self._lines = tuple(Combiner(self._write) for _ in range(_LINES))
        self._turns = itertools.count()
        self.bulletin = Bulletin()
        self._notices = Notices(self._connect_aside, self.wake_ups, self.bulletin.hear)
        self.ping()

    # Writing.

    @property
    def waiting(self) -> int:
        """How many verbs wait for a commit that they will share."""
        return sum(line.waiting for line in self._lines)

    def perform(self, verb: Callable[[UnitOfWork], Result], *, only_adds: bool = False) -> Result:
        """Runs the verb in a transaction of its own, again where that may help.

        One that `only_adds` may share its transaction with others: none of them waits for a row.
        """
        if only_adds:
            for line in self._lines:
                line.refuse_misuse()
            line = self._lines[next(self._turns) % len(self._lines)]
            return line.perform(verb, only_adds=True)

        def once() -> Result:
            with self._transaction(_BEGIN) as desk:
                unit = desk.unit
                unit.open(desk.cursor)
                result = verb(unit)
                self._flush_and_commit(desk, unit.topics)
                return result

        return self._tried(once)

    def _write(self, batch: Batch, about_to_wait: Callable[[], None]) -> None:
        about_to_wait()  # at once: a server that is away may be waited for as long as it takes
        try:
            try:
                self._tried(lambda: self._commit_together(batch))
            except BaseException as error:
                if not is_of_one(error, batch):
                    raise
                self._tried(lambda: self._commit_apart(batch))
        except BaseException as error:  # noqa: BLE001 - whatever broke the commit, all must hear of it
            fail_all(batch, refusal(error) if isinstance(error, Exception) else error)

    def _commit_together(self, batch: Batch) -> None:
        """Most often one trip to the server: the verbs decide by the latest known configuration,
        and the statement that writes everything does so provided that it is still that one.
        """
        try:
            self._try_together(batch, assumes=True)
        except Mistaken:
            self._try_together(batch, assumes=False)

    def _try_together(self, batch: Batch, *, assumes: bool) -> None:
        """Reads need no transaction, and one statement that writes everything commits itself."""
        with self._transaction(None) as desk:
            unit = desk.unit
            unit.open(desk.cursor, shared=len(batch) > 1, begin=_BEGIN, assumes=assumes)
            topics = run_assuming(unit, batch)
            if not unit.is_one_statement:
                self._flush_and_commit(desk, topics)
                return
            desk.cursor.commit_by_next()
            with self._telling(desk, topics):
                self._commit(desk, unit.flush)

    def _commit_apart(self, batch: Batch) -> None:
        with self._transaction(_BEGIN) as desk:
            desk.unit.open(desk.cursor)
            topics = run_apart(desk.unit, batch, (*_CONTENTION, *_OUTAGE))
            with self._telling(desk, topics):
                self._commit(desk, desk.cursor.commit)

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """A transaction that is rolled back unless its commit() was said; tried once."""
        try:
            with self._transaction(_BEGIN) as desk:
                unit = desk.unit

                def commit() -> None:
                    self._flush_and_commit(desk, unit.topics)
                    unit.end()

                unit.open(desk.cursor, commit=commit)
                yield unit
        except _TryAgain as again:
            self._give_up(again.reason)

    def _flush_and_commit(self, desk: _Desk, topics: set[str]) -> None:
        """Writes what is left, with the COMMIT behind it, and wakes whom the topics concern."""

        def flush_and_commit() -> None:
            desk.unit.flush(desk.cursor.commit_with_next)
            desk.cursor.commit()

        with self._telling(desk, topics):
            self._commit(desk, flush_and_commit)

    def _commit(self, desk: _Desk, say: Callable[[], object]) -> None:
        """`say` is what commits."""
        try:
            say()
        except _CONTENTION:
            raise
        except _OUTAGE as error:
            if not desk.cursor.has_sent_commit:
                raise
            desk.unit.failure = None
            raise StoreUnavailable(
                f"The connection to {self._shown} broke during a commit: nobody knows whether it "
                f"happened ({_one_line(error)})."
            ) from error
        except psycopg.Error as error:
            raise refusal(error) from error

    @contextmanager
    def _telling(self, desk: _Desk, topics: set[str]) -> Iterator[None]:
        """Whom the topics concern is woken after what is within has committed: in this process, and
        in the others, who may be told by the commit itself.
        """
        notice = self._notices.with_commit(topics)
        if notice is not None:
            desk.cursor.ahead(self._tell, (CHANNEL, notice))
        yield
        if topics:
            self.wake_ups.notify(topics)
            if notice is None:
                self._notices.announce(topics)

    # Reading.

    def read(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the query on a snapshot; what it tries to write is refused."""

        def once() -> Result:
            with self._transaction(_BEGIN_READING) as desk:
                desk.unit.open(desk.cursor, writes=False)
                return query(desk.unit)

        return self._tried(once)

    def glance(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """The same with each statement on its own: two trips to the server less."""

        def once() -> Result:
            with self._transaction(None) as desk:
                desk.unit.open(desk.cursor, writes=False)
                return query(desk.unit)

        return self._tried(once)

    def rows(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """What one SELECT answers, on its own."""
        return self._tried(lambda: self._rows(text, values))

    def _rows(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lent() as desk:
            desk.cursor.execute(text, values)
            return desk.cursor.fetchall()

    def ping(self) -> None:
        """Raises StoreUnavailable when the database does not answer at once."""
        # The second try is for a pooled connection that had been cut long ago.
        self._tried(lambda: self._rows(self._ping, ()), max_tries=2)

    def _tried(self, once: Callable[[], Result], max_tries: int = MAX_TRIES) -> Result:
        for tries in range(max_tries):
            try:
                return once()
            except _TryAgain as again:
                if tries == max_tries - 1:
                    self._give_up(again.reason)
                _wait(again.seconds * 2**tries)
        raise AssertionError("unreachable: the last try returns or raises")

    # Transactions and connections.

    @contextmanager
    def _transaction(self, begin: str | None) -> Iterator[_Desk]:
        """Rolls back what was not committed; raises _TryAgain for what another try may mend."""
        with self._lent() as desk:
            try:
                if begin is not None:
                    desk.cursor.begin(begin)
                yield desk
            except Exception as error:
                # A verb may have caught what the database said, or dressed it in its own error.
                cause = desk.unit.failure or error
                if isinstance(cause, _CONTENTION):
                    raise _TryAgain(cause, _CONTENTION_SECONDS) from error
                if desk.connection.closed and isinstance(cause, _OUTAGE):
                    raise _TryAgain(cause, _OUTAGE_SECONDS) from error
                raise
            finally:
                desk.unit.end()

    @contextmanager
    def _lent(self) -> Iterator[_Desk]:
        pooled = self._take_connection()
        desk = pooled.info.get("desk") or self._set_up_desk(pooled)
        try:
            desk.cursor.look()
            yield desk
        except _OUTAGE as error:
            if desk.connection.closed:
                raise _TryAgain(error, _OUTAGE_SECONDS) from error
            raise StoreUnavailable(
                f"PostgreSQL could not do it: {_one_line(error)} ({self._shown})."
            ) from error
        finally:
            desk.cursor.leave()
            if desk.connection.closed:
                pooled.invalidate()
                # What broke one connection broke the idle ones, too.
                self._engine.dispose()
            pooled.close()

    def _take_connection(self) -> PoolProxiedConnection:
        if self._is_closed:
            raise StoreUnavailable(CLOSED)
        try:
            return self._engine.raw_connection()
        except _OUTAGE as error:
            raise _TryAgain(error, _OUTAGE_SECONDS) from error
        except sqlalchemy.exc.TimeoutError as error:
            raise StoreUnavailable(
                f"All {_POOL_SIZE + _POOL_OVERFLOW} connections to {self._shown} are in use."
            ) from error

    def _set_up_desk(self, pooled: PoolProxiedConnection) -> _Desk:
        connection: Any = pooled.dbapi_connection
        trips = Trips(connection)
        unit = UnitOfWork(
            POSTGRESQL, self._statements, self._clock, self._configurations, ahead=trips
        )
        desk = _Desk(connection, trips, unit)
        pooled.info["desk"] = desk
        return desk

    def _give_up(self, reason: Exception) -> NoReturn:
        if isinstance(reason, _CONTENTION):
            raise StoreUnavailable(
                f"The same rows are changed by too many at once; {MAX_TRIES} tries were in vain."
            ) from reason
        raise StoreUnavailable(
            f"Cannot reach the PostgreSQL database {self._shown}: {_one_line(reason)}. "
            "Is the server running, does the database exist, are user and password right?"
        ) from reason

    @property
    def _shown(self) -> str:
        return self._url.render_as_string(hide_password=True)

    # The rest of a database's life.

    def schema_engine(self) -> Engine:
        """For migrations, which take an advisory lock in the transaction that they run in."""
        return create_engine(self._url, connect_args=dict(_CONNECTION), poolclass=NullPool)

    def listen(self) -> None:
        """Begins to hear of other processes' commits, and to tell them of ours."""
        self._notices.start()

    def tell(self, message: str) -> None:
        """Says something to the other processes that listen, if they can hear it now."""
        self._notices.tell(message)

    def leadership(self) -> AdvisoryLock:
        return AdvisoryLock(self._connect_aside)

    def close(self) -> None:
        self._is_closed = True
        self._notices.stop()
        self._engine.dispose()

    def _connect_aside(self) -> psycopg.Connection[Any]:
        """A connection outside the pool, for those who keep it."""
        _, parameters = self._engine.dialect.create_connect_args(self._url)
        return psycopg.connect(**{**_CONNECTION, **parameters}, autocommit=True)


def _leave_transactions_to_us(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.autocommit = True


def _telling() -> Select[Any]:
    """Has whoever listens be told as soon as the transaction has committed."""
    given = (bindparam(name, type_=Text) for name in ("channel", "notice"))
    return select(func.pg_notify(*given))


def _wait(seconds: float) -> None:
    """About so long, each time differently, lest the same two meet again."""
    time.sleep(seconds * (0.5 + secrets.randbelow(1000) / 1000))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
