"""The store for a command that looks at the tables of a running server, or of none."""

import contextlib
from collections.abc import Iterator

from routing.clock import SystemClock
from routing.engine import Engine
from routing.store import SqlStore, open_store
from settings import Settings


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[tuple[SqlStore, Engine]]:
    """Raises StoreError where the database cannot be opened."""
    clock = SystemClock()
    store = open_store(settings.database_url, clock)
    try:
        store.migrate()
        yield store, Engine(store, clock)
    finally:
        store.close()
