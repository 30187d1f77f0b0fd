"""A follower may change what concerns it, begin anywhere, and pass over most of the log."""

from collections.abc import Callable

import pytest

from routing.store import SqlStore, UnitOfWork
from routing.store.log import MAX_PASSED
from routing.store.tail import Tail, newest_position, position_of
from tests.store import records
from tests.store.records import Office, furnish


@pytest.fixture
def office(store: SqlStore) -> Office:
    return furnish(store)


def emit(store: SqlStore, *types: str) -> None:
    records.emit_all(store, [records.event("WS1", type=each) for each in types])


def test_a_follower_that_learns_what_concerns_it_reads_the_rest_anew(store: SqlStore) -> None:
    log = store.event_log("one", frozenset({"workspace.updated"}))
    emit(store, "task.created", "workspace.updated", "task.created", "task.canceled")
    (changed,) = log.read(9)
    log.go_on([changed])
    log.concern(frozenset({"task.created"}))
    (created,) = log.read(9)
    assert (created.type, created.position) == ("task.created", changed.position + 1)
    log.go_on([created])
    log.concern(None)
    assert [event.type for event in log.read(9)] == ["task.canceled"]


def test_what_was_passed_over_is_remembered_after_a_while(
    store: SqlStore, open_another: Callable[[], SqlStore]
) -> None:
    log = store.event_log("one", frozenset({"task.canceled"}))
    emit(store, *["task.created"] * MAX_PASSED)
    assert log.read(300) == []
    log.save()
    assert open_another().event_log("one").read(9) == []
    emit(store, "task.canceled")
    assert [event.type for event in log.read(9)] == ["task.canceled"]


def test_a_signal_can_be_subscribed_to_something_else(store: SqlStore) -> None:
    signal = store.subscribe(frozenset({"task.created"}))
    store.resubscribe(signal, frozenset({"task.canceled"}))
    before = signal.seen()
    emit(store, "task.created")
    assert signal.seen() == before
    emit(store, "task.canceled")
    assert signal.seen() == before + 1


def test_a_tail_begins_after_any_event_and_leaves_no_trace(store: SqlStore) -> None:
    emit(store, "task.created", "task.updated", "task.canceled")
    first, second, third = store.event_log("test").read(9)
    assert store.read(newest_position) == third.position
    assert store.read(lambda work: position_of(work, second.sid)) == second.position
    assert store.read(lambda work: position_of(work, "EV0")) is None
    tail = Tail(store, after=first.position)
    assert tail.read(0) == [second, third]
    assert tail.position == third.position
    assert tail.read(0) == []
    filtered = Tail(store, after=0, types=["task.updated"], filters={"workspace_sid": "WS1"})
    assert filtered.read(0) == [second]
    assert Tail(store, after=0, filters={"workspace_sid": "WS2"}).read(0) == []
    assert store.read(lambda work: work.follower_position("tail")) == 0


def test_many_rows_are_changed_alike_at_once(store: SqlStore, office: Office) -> None:
    owed = [records.delivery(office.workspace.sid, position=place) for place in range(5)]

    def fill(work: UnitOfWork) -> None:
        for each in owed:
            work.deliveries.add(each)

    store.perform(fill)
    sids = {each.sid for each in owed[:3]}
    changed = store.perform(lambda work: work.deliveries.set_all(sids, state="dead", attempts=7))
    assert changed == 3
    assert store.perform(lambda work: work.deliveries.set_all(frozenset(), attempts=1)) == 0
    found = store.read(lambda work: work.deliveries.find(order_by="position"))
    assert [(each.state, each.attempts) for each in found] == [("dead", 7)] * 3 + [
        ("pending", 0)
    ] * 2


def test_receivers_are_told_that_are_owed_something(store: SqlStore, office: Office) -> None:
    def fill(work: UnitOfWork) -> None:
        for name, state in [("c", "pending"), ("a", "pending"), ("b", "dead"), ("a", "pending")]:
            work.deliveries.add(records.delivery(office.workspace.sid, receiver=name, state=state))

    assert store.read(lambda work: work.due_receivers()) == []
    store.perform(fill)
    assert store.read(lambda work: work.due_receivers()) == ["a", "c"]
