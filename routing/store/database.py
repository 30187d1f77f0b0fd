"""What the two databases have in common, and what each does in its own way (sqlite, postgresql)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Engine

from routing.ports import Leadership
from routing.store.statements import SqlDialect
from routing.store.unit_of_work import UnitOfWork
from routing.store.wake_up import Bulletin, WakeUps

Result = TypeVar("Result")


class Database(Protocol):
    dialect: SqlDialect
    #: Told after each commit that somebody may have waited for.
    wake_ups: WakeUps

    def perform(self, verb: Callable[[UnitOfWork], Result], *, only_adds: bool = False) -> Result:
        """Runs the verb in a transaction; returns after the commit."""
        ...

    def read(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the query on one consistent picture."""
        ...

    def glance(self, query: Callable[[UnitOfWork], Result]) -> Result:
        """Runs the query; each statement may see a newer state than the one before."""
        ...

    def rows(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """What one SELECT answers, on its own."""
        ...

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """A transaction that is rolled back unless its commit() was said."""
        ...

    def schema_engine(self) -> Engine:
        """For migrations: each transaction begun on it excludes every other one's."""
        ...

    def ping(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""
        ...

    def listen(self) -> None:
        """Begins to hear of other processes' commits, where there can be others."""
        ...

    def leadership(self) -> Leadership:
        """The chance of this process to lead those that share the database."""
        ...

    #: What other processes say.
    bulletin: Bulletin

    def tell(self, message: str) -> None:
        """Says something to the other processes that listen, if they can hear it now."""
        ...

    def close(self) -> None: ...
