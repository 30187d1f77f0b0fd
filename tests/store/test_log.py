"""The event log: every committed event exactly once and in order, whoever commits when."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from routing.events import Event
from routing.store import FollowedLog, SqlStore, UnitOfWork
from tests.store import records
from tests.store.records import Office, furnish


@pytest.fixture
def office(store: SqlStore) -> Office:
    return furnish(store)


@pytest.fixture
def postgres_store(postgres_url: str, clock: records.ManualClock) -> Iterator[SqlStore]:
    store = records.opened(postgres_url, clock)
    yield store
    store.close()


def emit(store: SqlStore, *names: str) -> None:
    store.perform(lambda work: [work.emit(records.event("WS1", name)) for name in names])


def names(events: object) -> list[str]:
    return [event.resource_sid for event in events]  # type: ignore[attr-defined]  # of events


def drained(log: FollowedLog, limit: int = 7) -> list[Event]:
    found: list[Event] = []
    while events := log.read(limit):
        found.extend(events)
        log.advance(events)
    return found


@contextmanager
def about_to_commit(store: SqlStore, *names: str) -> Iterator[UnitOfWork]:
    """A transaction that has drawn positions for its events and not yet ended."""
    with store.unit_of_work() as work:
        for name in names:
            work.emit(records.event("WS1", name))
        work.flush()
        yield work


def test_a_follower_reads_on_from_where_it_was(
    store: SqlStore, open_another: Callable[[], SqlStore]
) -> None:
    log = store.event_log("router")
    assert log.read(10) == []
    emit(store, "a", "b", "c")
    assert names(log.read(2)) == ["a", "b"]
    assert names(log.read(2)) == ["a", "b"]
    log.advance(log.read(2))
    assert names(log.read(2)) == ["c"]
    assert names(open_another().event_log("router").read(9)) == ["c"]
    assert names(open_another().event_log("callbacks").read(9)) == ["a", "b", "c"]


def test_a_cursor_never_moves_back(store: SqlStore) -> None:
    emit(store, "a", "b")
    log = store.event_log("router")
    first, second = log.read(9)
    log.advance([first, second])
    store.event_log("router").advance([first])
    log.advance([])
    assert store.event_log("router").read(9) == []


def test_a_cursor_moves_with_the_work_that_it_stands_for(store: SqlStore, office: Office) -> None:
    emit(store, "a")
    log = store.event_log("callbacks")
    events = log.read(9)
    owed = records.delivery(office.workspace.sid)
    with store.unit_of_work() as work:
        work.deliveries.add(owed)
        log.advance(events, work=work)
    assert log.read(9) == events

    def deliver(work: UnitOfWork) -> None:
        work.deliveries.add(owed)
        log.advance(events, work=work)

    store.perform(deliver)
    assert log.read(9) == []
    assert store.read(lambda work: work.deliveries.get(owed.sid)) == owed


def test_an_event_comes_back_as_it_was_emitted(store: SqlStore) -> None:
    told = records.event("WS1", carried={"task_attributes": '{"ü": "☎"}'}, worker_sid="WK1")
    store.perform(lambda work: work.emit(told))
    (found,) = store.event_log("anybody").read(9)
    assert found.position > 0
    assert records.without_position(found) == told


def test_a_later_position_waits_for_an_earlier_one(postgres_store: SqlStore) -> None:
    log = postgres_store.event_log("router")
    emit(postgres_store, "first")
    with about_to_commit(postgres_store, "slow") as slow:
        emit(postgres_store, "quick")
        assert names(drained(log)) == ["first"]
        assert log.read(9) == []
        slow.commit()
    assert names(drained(log)) == ["slow", "quick"]


def test_what_was_rolled_back_is_not_waited_for(postgres_store: SqlStore) -> None:
    log = postgres_store.event_log("router")
    with about_to_commit(postgres_store, "never", "ever"):
        emit(postgres_store, "quick")
        assert log.read(9) == []
    assert names(drained(log)) == ["quick"]


def test_a_transaction_that_is_younger_than_the_newest_commit_is_waited_for(
    postgres_store: SqlStore,
) -> None:
    """The slow one has the greater transaction id and the smaller position.

    A snapshot's xmax, one past the newest *completed* transaction, would not reach beyond it.
    """
    log = postgres_store.event_log("router")
    with postgres_store.unit_of_work() as older:
        older.workspaces.add(records.workspace())
        with about_to_commit(postgres_store, "slow") as slow:
            older.emit(records.event("WS1", "quick"))
            older.commit()
            assert log.read(9) == []
            assert log.read(9) == []
            slow.commit()
    assert names(drained(log)) == ["slow", "quick"]


def test_a_transaction_of_somebody_else_delays_only_gaps(postgres_store: SqlStore) -> None:
    log = postgres_store.event_log("router")
    with postgres_store.unit_of_work() as stranger:
        stranger.workspaces.add(records.workspace())
        emit(postgres_store, "a")
        assert names(drained(log)) == ["a"]
        with about_to_commit(postgres_store, "never"):
            pass
        emit(postgres_store, "b")
        assert log.read(9) == []
    assert names(drained(log)) == ["b"]


def test_a_purged_beginning_is_passed_over(store: SqlStore) -> None:
    emit(store, *"abcdef")
    store.purge_events_before(records.NEW_YEAR + 1)
    emit(store, "g")
    assert names(drained(store.event_log("router"))) == ["g"]


def test_positions_are_not_given_again_after_a_purge(store: SqlStore) -> None:
    emit(store, "a", "b")
    log = store.event_log("router")
    drained(log)
    store.purge_events_before(records.NEW_YEAR + 1)
    emit(store, "c")
    assert names(log.read(9)) == ["c"]


def test_every_follower_sees_every_committed_event_once_and_in_order(store: SqlStore) -> None:
    """Writers change shared rows and emit in the same transaction, some roll back, at random."""
    rooms = [records.workspace() for _ in range(4)]
    store.perform(lambda work: [work.workspaces.add(room) for room in rooms])
    committed: list[str] = []
    writing = threading.Event()
    writing.set()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(25):
            room = chance.choice(rooms)
            events = [
                records.event(room.sid, f"{seed}.{number}.{place}")
                for place in range(chance.randint(1, 3))
            ]
            keep = chance.random() < 0.8

            def verb(work: UnitOfWork, events: list[Event] = events, sid: str = room.sid) -> None:
                row = work.workspaces.get(sid, lock=True)
                assert row is not None
                version = row.configuration_version + 1
                work.workspaces.change(sid, configuration_version=version)
                for event in events:
                    work.emit(records.versioned(event, version))

            if keep:
                store.perform(verb)
                committed.extend(event.sid for event in events)
                continue
            with store.unit_of_work() as work:
                verb(work)
                work.flush()

    seen: dict[str, list[Event]] = {}

    def follow(name: str) -> None:
        # Each reader begins anew now and then, as after a crash.
        chance = random.Random(name)
        seen[name] = []
        while True:
            was_writing = writing.is_set()
            found = drained(store.event_log(name), chance.randint(1, 20))
            seen[name].extend(found)
            if not was_writing and not found:
                return

    with ExitStack() as finish:
        readers = [threading.Thread(target=follow, args=(name,)) for name in ("a", "b", "c")]
        writers = [threading.Thread(target=write, args=(seed,)) for seed in range(6)]
        finish.callback(lambda: [reader.join() for reader in readers])
        finish.callback(writing.clear)
        finish.callback(lambda: [writer.join() for writer in writers])
        for thread in readers + writers:
            thread.start()

    for found in seen.values():
        assert sorted(event.sid for event in found) == sorted(committed)
        positions = [event.position for event in found]
        assert positions == sorted(positions)
        for room in rooms:
            versions = [
                int(event.carried["version"]) for event in found if event.workspace_sid == room.sid
            ]
            assert versions == sorted(versions)
