"""A call centre with a telephone, on each database."""

from collections.abc import Iterator

import pytest

from routing.engine import Engine
from routing.store.store import open_store
from tests.fakes import ManualClock
from tests.routing.centre import Centre
from tests.voice.office import Office


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def centre(database_url: str, clock: ManualClock) -> Iterator[Centre]:
    store = open_store(database_url, clock)
    store.migrate()
    yield Centre(store, Engine(store, clock), clock)
    store.close()


@pytest.fixture
def office(centre: Centre) -> Office:
    """A call centre with one queue and one number; nobody is there yet."""
    return Office(centre)


@pytest.fixture
def small_office(sqlite_url: str, clock: ManualClock) -> Iterator[Office]:
    """The same on SQLite only, for what does not depend on the database."""
    store = open_store(sqlite_url, clock)
    store.migrate()
    yield Office(Centre(store, Engine(store, clock), clock))
    store.close()
