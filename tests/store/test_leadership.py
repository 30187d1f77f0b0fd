"""Among the processes that share a database one leads, and another as soon as that one is gone."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from routing.background.leading import Leading
from routing.background.loops import Loop
from routing.ports import Leadership
from routing.store import SqlStore, open_store
from tests.fakes import ManualClock

PATIENCE = 60


@pytest.fixture
def two(postgres_url: str) -> Iterator[tuple[SqlStore, SqlStore]]:
    stores = tuple(open_store(postgres_url, ManualClock()) for _ in range(2))
    yield stores[0], stores[1]
    for store in stores:
        store.close()


def test_one_process_leads_and_the_next_when_it_has_given_up(
    two: tuple[SqlStore, SqlStore],
) -> None:
    first, second = (store.leadership() for store in two)
    assert not second.is_taken()
    assert first.take()
    assert first.is_held()
    assert not second.take()
    assert not second.is_held()
    assert second.is_taken()
    first.give_up()
    assert not first.is_held()
    assert second.take()
    second.give_up()


class Office:
    """A process that may lead: says when its followers begin, and hands out loops that idle."""

    def __init__(self, store: SqlStore) -> None:
        self.begun = threading.Event()
        self._store = store
        self.leading = Leading(store.leadership(), self._begin)

    def _begin(self) -> Sequence[Loop]:
        self.begun.set()
        return [Loop("idle", lambda: False, self._store.signal)]


def test_the_followers_move_to_another_process_when_theirs_stops(
    two: tuple[SqlStore, SqlStore],
) -> None:
    here, there = Office(two[0]), Office(two[1])
    here.leading.start()
    there.leading.start()
    assert here.leading.wellbeing() == {"idle": True}
    assert there.leading.wellbeing() == {"in another process": True}
    assert not there.begun.is_set()
    here.leading.stop()
    assert there.begun.wait(PATIENCE)
    there.leading.stop()


class Lost(threading.Event):
    """A leadership that is taken away, such as by a cut connection, and can be had again."""

    def __init__(self) -> None:
        super().__init__()
        self.times_taken = 0

    def take(self) -> bool:
        self.clear()
        self.times_taken += 1
        return True

    def is_held(self) -> bool:
        return not self.is_set()

    def is_taken(self) -> bool:
        return True

    def give_up(self) -> None:
        pass


def test_followers_end_when_the_leadership_is_lost_and_begin_anew_when_it_is_back(
    two: tuple[SqlStore, SqlStore],
) -> None:
    leadership = Lost()
    begun = threading.Semaphore(0)

    def begin() -> Sequence[Loop]:
        begun.release()
        return [Loop("idle", lambda: False, two[0].signal)]

    proof: Leadership = leadership
    leading = Leading(proof, begin)
    leading.start()
    assert begun.acquire(timeout=PATIENCE)
    leadership.set()
    assert begun.acquire(timeout=PATIENCE)
    assert leadership.times_taken == 2
    leading.stop()
