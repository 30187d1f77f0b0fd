"""A call centre whose callbacks go to a real receiver on this machine."""

from collections.abc import Iterator

import pytest

from routing.engine import Engine
from routing.store import open_store
from tests.callbacks.bureau import Bureau
from tests.callbacks.receiver import Receiver
from tests.fakes import ManualClock
from tests.routing.centre import Centre
from tests.routing.scratch import scratch_centre


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def centre() -> Iterator[Centre]:
    with scratch_centre() as centre:
        yield centre


@pytest.fixture
def bureau(centre: Centre) -> Bureau:
    return Bureau(centre)


@pytest.fixture
def centre_on_each(database_url: str) -> Iterator[Centre]:
    clock = ManualClock()
    store = open_store(database_url, clock)
    store.migrate()
    yield Centre(store, Engine(store, clock), clock)
    store.close()
