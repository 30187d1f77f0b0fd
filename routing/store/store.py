"""The store as everybody else sees it, whichever database is behind it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from routing.clock import Clock, Instant
from routing.ports import Leadership
from routing.store.configurations import Configurations
from routing.store.database import Database
from routing.store.errors import StoreUnavailable
from routing.store.log import FollowedLog
from routing.store.migrations import upgrade
from routing.store.postgresql import PostgresqlDatabase
from routing.store.sqlite import SqliteDatabase
from routing.store.unit_of_work import UnitOfWork
from routing.store.wake_up import WakeUp

Result = TypeVar("Result")

_EXPECTED = "expected sqlite:///path/to/file.db or postgresql://user:password@host:port/name"


class SqlStore:
    """Fulfils routing.ports.Store. Used by any number of threads; opened once per process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def signal(self) -> WakeUp:
        """Notified after each commit that emitted events or set something due."""
        return self._database.wake_ups.by_all

    def subscribe(
        self, topics: frozenset[str], *, unless_own: frozenset[str] = frozenset()
    ) -> WakeUp:
        """A signal for commits that wrote an event of one of these types, or that made a row of a
        table due: `due instructions`, and so on. Commits of other processes wake it in any case;
        those of the thread that waits for it, not by a topic of `unless_own`.
        """
        return self._database.wake_ups.subscribe(topics, unless_own=unless_own)

    def resubscribe(self, signal: WakeUp, topics: frozenset[str]) -> None:
        """Lets a signal of `subscribe` be woken by commits of other topics from now on."""
        self._database.wake_ups.change(signal, topics)

    def perform(self, verb: Callable[[UnitOfWork], Result], *, only_adds: bool = False) -> Result:
        """Runs the verb in a transaction and commits; may run it again, and with others' verbs.

        `only_adds` promises that the verb reads, adds rows and emits events, but neither locks nor
        changes any row: such verbs share transactions on every database. One that breaks the
        promise raises StoreError.

        A verb must therefore do nothing but read and write through its unit of work. What the
        database refused spoils the whole unit: the verb cannot catch a Conflict and carry on.
        """
        return self._database.perform(verb, only_adds=only_adds)

    def read(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the query on one consistent picture of the tables; nothing is written."""
        return self._database.read(query)

    def glance(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the query, each statement of it on the newest state; nothing is written."""
        return self._database.glance(query)

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """`with store.unit_of_work() as work:` rolls back unless `work.commit()` was said.

        On SQLite nobody else writes while it is open, so it is for the few who cannot say what they
        do as one function.
        """
        return self._database.unit_of_work()

    def event_log(
        self,
        name: str,
        concerns: frozenset[str] | None = None,
        *,
        bare: bool = False,
        with_arrivals: bool = False,
    ) -> FollowedLog:
        """The log as the follower of that name reads it, from where it last was.

        `concerns` are the types of events that it is given; None for all. With `bare` they come
        without description and without what they carry, which is most of them; `with_arrivals`
        those that tell of one may be Arrivals.
        """
        return FollowedLog(self._database, name, concerns, bare=bare, with_arrivals=with_arrivals)

    def live_log(self, name: str, concerns: frozenset[str]) -> FollowedLog:
        """The log from now on, with the pictures of what it tells of; nothing is remembered.

        For those who pass on what happens and keep nothing: each process has one of its own.
        """
        log = FollowedLog(self._database, name, concerns, with_pictures=True)
        log.start_at_the_end()
        return log

    def purge_events_before(self, instant: Instant, *, limit: int = 1000) -> int:
        """Deletes the oldest events that occurred before the instant and that every follower has
        dealt with, at most so many; returns how many there were.
        """
        return self.perform(lambda work: work.purge_events_before(instant, limit))

    def migrate(self) -> None:
        """Brings the schema up to date; processes that start at once wait for one another.

        Raises StoreUnavailable, having changed nothing, where the database does not let us: it has
        tables of somebody else, say.
        """
        try:
            upgrade(self._database.schema_engine())
        except DBAPIError as error:
            said = str(error.orig).strip().partition("\n")[0]
            raise StoreUnavailable(
                f"The tables of the database cannot be brought up to date: {said}. "
                "Expected an empty database, or one of Tandem's that its user may change."
            ) from error

    def ping(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""
        self._database.ping()

    def listen(self) -> None:
        """Lets commits of other processes notify the signal, and ours theirs, until `close`."""
        self._database.listen()

    def tell(self, message: str) -> None:
        """Says something to the other processes that `listen`; it may be lost, nothing is kept."""
        self._database.tell(message)

    def hear(self, listener: Callable[[str], None]) -> None:
        """Has what others `tell` given to the listener, in a thread of the store's."""
        self._database.bulletin.subscribe(listener)

    def leadership(self) -> Leadership:
        """The chance of this process to lead those that share the database."""
        return self._database.leadership()

    def close(self) -> None:
        self._database.close()


def open_store(url: str, clock: Clock) -> SqlStore:
    """The store at `sqlite:///path` or `postgresql://user:password@host:port/name`.

    To be opened by each process for itself, after any fork. Raises StoreUnavailable when the
    database cannot be opened; the message tells the URL without its password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreUnavailable(f"DATABASE_URL is not a database URL: {_EXPECTED}.") from None
    return SqlStore(_database(parsed, clock))


def _database(url: URL, clock: Clock) -> Database:
    backend = url.get_backend_name()
    if backend == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise StoreUnavailable(
                "A database in memory would not survive and cannot be shared: "
                "expected sqlite:///path/to/file.db."
            )
        return SqliteDatabase(Path(str(url.database)), clock, Configurations())
    if url.drivername in {"postgresql", "postgresql+psycopg"}:
        return PostgresqlDatabase(url, clock, Configurations())
    shown = url.render_as_string(hide_password=True)
    raise StoreUnavailable(f"The database {shown} is of a kind that is not supported: {_EXPECTED}.")
