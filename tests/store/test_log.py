"""The event log: every committed event exactly once and in order, whoever commits when."""

import dataclasses
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from routing.events import Event
from routing.ports import Arrival
from routing.store import FollowedLog, SqlStore, UnitOfWork
from routing.task import Task
from routing.workspace import Workspace
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
    records.emit_all(store, [records.event("WS1", name) for name in names])


def names(events: Iterable[Event]) -> list[str]:
    return [event.resource_sid for event in events]


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
    """The slow one has the greater transaction id and the smaller position."""
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


def test_long_transactions_of_others_hold_nobody_up(postgres_store: SqlStore) -> None:
    log = postgres_store.event_log("router")
    with postgres_store.unit_of_work() as stranger:
        stranger.workspaces.add(records.workspace())
        emit(postgres_store, "a")
        with about_to_commit(postgres_store, "never"):
            emit(postgres_store, "b")
            assert names(drained(log)) == ["a"]
            assert log.is_held_up
        assert names(drained(log)) == ["b"]
        assert not log.is_held_up


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


def write_at_random(store: SqlStore, rooms: list[Workspace], seed: int) -> list[str]:
    """Changes shared rows and emits in the same unit, often; the SIDs of what was committed."""
    chance = random.Random(seed)  # noqa: S311 - a seed makes a failure come again
    committed: list[str] = []
    for number in range(25):
        room = chance.choice(rooms)
        events = [
            records.event(room.sid, f"{seed}.{number}.{place}")
            for place in range(chance.randint(1, 3))
        ]
        if chance.random() < 0.8:
            store.perform(partial(next_version, sid=room.sid, events=events))
            committed.extend(event.sid for event in events)
        else:
            with store.unit_of_work() as work:
                next_version(work, sid=room.sid, events=events)
                work.flush()
    return committed


def next_version(work: UnitOfWork, *, sid: str, events: list[Event]) -> None:
    row = work.workspaces.get(sid, lock=True)
    assert row is not None
    version = row.configuration_version + 1
    work.workspaces.change(sid, configuration_version=version)
    for event in events:
        work.emit(records.versioned(event, version))


def follow(store: SqlStore, name: str, is_over: Callable[[], bool]) -> list[Event]:
    """Everything until it is over; the follower begins anew now and then, as after a crash."""
    chance = random.Random(name)  # noqa: S311 - a seed makes a failure come again
    seen: list[Event] = []
    while True:
        was_over = is_over()
        log = store.event_log(name)
        found = drained(log, chance.randint(1, 20))
        seen.extend(found)
        if was_over and not found and not log.is_held_up:
            return seen


def test_every_follower_sees_every_committed_event_once_and_in_order(store: SqlStore) -> None:
    rooms = [records.workspace() for _ in range(4)]
    records.store_all(store, "workspaces", rooms)
    over = threading.Event()
    with ThreadPoolExecutor(9) as threads:
        followers = [threads.submit(follow, store, name, over.is_set) for name in "abc"]
        writers = [threads.submit(write_at_random, store, rooms, seed) for seed in range(6)]
        try:
            committed = [sid for writer in writers for sid in writer.result()]
        finally:
            over.set()
        all_seen = [follower.result() for follower in followers]
    for seen in all_seen:
        assert sorted(event.sid for event in seen) == sorted(committed)
        positions = [event.position for event in seen]
        assert positions == sorted(positions)
        for room in rooms:
            own = [event for event in seen if event.workspace_sid == room.sid]
            versions = [int(event.carried["version"]) for event in own]
            assert versions == sorted(versions)


def test_whoever_wants_no_more_is_told_only_what_an_event_is_about(store: SqlStore) -> None:
    told = records.event("WS1", carried={"worker_name": "alice"}, worker_sid="WK1")
    store.perform(lambda work: work.emit(told))
    (found,) = store.event_log("anybody", frozenset({told.type}), bare=True).read(9)
    bare = dataclasses.replace(told, carried={}, description="")
    assert records.without_position(found) == bare


def arrival(task: Task) -> Event:
    return records.event(task.workspace_sid, type="task-queue.entered", task_sid=task.sid)


def test_an_arrival_comes_with_its_task_as_it_is_when_it_is_read(postgres_store: SqlStore) -> None:
    office = furnish(postgres_store)
    log = postgres_store.event_log("router", bare=True, with_arrivals=True)
    others = (
        records.event(office.workspace.sid, task_sid=office.task.sid),
        arrival(dataclasses.replace(office.task, sid="WTgone")),
    )

    def come_and_change(work: UnitOfWork) -> None:
        for event in (arrival(office.task), *others):
            work.emit(event)
        work.tasks.change(office.task.sid, priority=7, attributes='{"ü": "\\u0000 ☎"}', version=3)
        work.configuration_changed(office.workspace.sid)

    postgres_store.perform(come_and_change)
    first, *rest = log.read(9)
    assert isinstance(first, Arrival)
    assert first.position > 0
    assert first.task == postgres_store.read(lambda work: work.tasks.get(office.task.sid))
    assert first.task.version == 3
    assert first.configuration_version == office.workspace.configuration_version + 1
    assert [type(event) for event in rest] == [Event, Event]
    assert [event.task_sid for event in rest] == [event.task_sid for event in others]
    postgres_store.perform(lambda work: work.tasks.change(office.task.sid, priority=8, version=4))
    again = log.read(9)[0]
    assert isinstance(again, Arrival)
    assert (again.task.priority, again.task.version) == (8, 4)


def test_where_no_trip_is_saved_an_arrival_is_told_as_it_was_emitted(
    sqlite_url: str, clock: records.ManualClock
) -> None:
    store = records.opened(sqlite_url, clock)
    task = furnish(store).task
    told = arrival(task)
    store.perform(lambda work: work.emit(told))
    (found,) = store.event_log("router", with_arrivals=True).read(9)
    assert records.without_position(found) == told
    store.close()
