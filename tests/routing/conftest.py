"""The whole engine on a fresh database, with a clock that is moved by hand."""

from collections.abc import Iterator

import pytest

from routing.engine import Engine
from routing.store.store import open_store
from tests.fakes import ManualClock
from tests.routing.centre import Centre


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def centre(database_url: str, clock: ManualClock) -> Iterator[Centre]:
    """A small call centre: one queue, one workflow, nobody there yet."""
    store = open_store(database_url, clock)
    store.migrate()
    yield Centre(store, Engine(store, clock), clock)
    store.close()
