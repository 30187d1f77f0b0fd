"""The application on a fresh database, migrated once for all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from desk import passwords
from routing.store import open_store
from tests.desk.server.front import Front
from tests.fakes import ManualClock


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("desk") / "tandem.sqlite"
    store = open_store(f"sqlite:///{path}", ManualClock())
    store.migrate()
    store.close()
    return path


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Hashes at a ten thousandth of the price, which is there to be high."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr(passwords, "_NOBODYS", quick.hash("nobody has this"))
        yield


@pytest.fixture
def open_front(tmp_path: Path, migrated: Path) -> Iterator[Callable[..., Front]]:
    """Call it with settings of the environment for an application of its own."""
    opened: list[Front] = []

    def open_it(**environment: str) -> Front:
        folder = tmp_path / f"front-{len(opened)}"
        folder.mkdir()
        opened.append(Front(folder, migrated, **environment))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()


@pytest.fixture
def front(open_front: Callable[..., Front]) -> Front:
    return open_front()
