"""The service on SQLite for what the door does alone, on each database for the main flows."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from routing.store import SqlStore, open_store
from tests.api.service import Centre, Service, open_centre, open_service
from tests.fakes import ManualClock


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy: migrating takes longer than most of these tests."""
    path = tmp_path_factory.mktemp("migrated") / "tandem.sqlite"
    store = open_store(f"sqlite:///{path}", ManualClock())
    store.migrate()
    store.close()
    return path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def _lent(service: Service) -> Iterator[Service]:
    yield service
    store = service.engine.store
    assert isinstance(store, SqlStore)
    store.close()


@pytest.fixture
def service(_migrated: Path, tmp_path: Path, clock: ManualClock) -> Iterator[Service]:
    copy = tmp_path / "tandem.sqlite"
    shutil.copyfile(_migrated, copy)
    yield from _lent(open_service(f"sqlite:///{copy}", clock))


@pytest.fixture
def centre(service: Service) -> Centre:
    return open_centre(service)


@pytest.fixture
def service_on_each(database_url: str, clock: ManualClock) -> Iterator[Service]:
    yield from _lent(open_service(database_url, clock))


@pytest.fixture
def centre_on_each(service_on_each: Service) -> Centre:
    return open_centre(service_on_each)
