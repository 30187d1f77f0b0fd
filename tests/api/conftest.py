"""The service on SQLite for what the door does alone, on each database for the main flows."""

from collections.abc import Iterator

import pytest

from routing.store import SqlStore
from tests.api.service import Centre, Service, open_centre, open_service
from tests.fakes import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def _lent(service: Service) -> Iterator[Service]:
    yield service
    store = service.engine.store
    assert isinstance(store, SqlStore)
    store.close()


@pytest.fixture
def service(sqlite_url: str, clock: ManualClock) -> Iterator[Service]:
    yield from _lent(open_service(sqlite_url, clock))


@pytest.fixture
def centre(service: Service) -> Centre:
    return open_centre(service)


@pytest.fixture
def service_on_each(database_url: str, clock: ManualClock) -> Iterator[Service]:
    yield from _lent(open_service(database_url, clock))


@pytest.fixture
def centre_on_each(service_on_each: Service) -> Centre:
    return open_centre(service_on_each)
