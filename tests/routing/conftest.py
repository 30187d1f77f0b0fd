"""The whole engine on a fresh database, with a clock that is moved by hand."""

from collections.abc import Iterator

import pytest

from routing.engine import Engine
from routing.store.store import open_store
from tests.fakes import ManualClock
from tests.routing.centre import Centre
from tests.routing.scratch import scratch_centre


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


@pytest.fixture
def scratch() -> Iterator[Centre]:
    """The same on SQLite alone and in no time, for what no database could make different."""
    with scratch_centre() as centre:
        yield centre


@pytest.fixture
def one_at_a_time(database_url: str, clock: ManualClock) -> Iterator[Centre]:
    """A call centre whose workspace has no multitasking."""
    store = open_store(database_url, clock)
    store.migrate()
    yield Centre(store, Engine(store, clock), clock, multi_task=False)
    store.close()
