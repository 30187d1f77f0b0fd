"""A migrated store on each database, under a clock that only moves when it is told to."""

from collections.abc import Callable, Iterator

import pytest

from routing.store import SqlStore, open_store
from tests.store.records import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def open_another(database_url: str, clock: ManualClock) -> Iterator[Callable[[], SqlStore]]:
    """Opens the test's database once more, as another process would."""
    opened: list[SqlStore] = []

    def open_one() -> SqlStore:
        opened.append(open_store(database_url, clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_another: Callable[[], SqlStore]) -> SqlStore:
    """An empty, migrated store."""
    opened = open_another()
    opened.migrate()
    return opened
