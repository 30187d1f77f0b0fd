"""What a transaction promises: all or nothing, alone, and for good."""

import threading
from collections.abc import Callable

import pytest

from routing.errors import NotFound, RoutingError
from routing.store import SqlStore, StoreError, UnitOfWork
from tests.store import records
from tests.store.records import Office, furnish


@pytest.fixture
def office(store: SqlStore) -> Office:
    return furnish(store, capacity=1000)


def priority(store: SqlStore, office: Office) -> int:
    task = store.read(lambda work: work.tasks.get(office.task.sid))
    assert task is not None
    return task.priority


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs it in so many threads at once and waits for all of them."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_verb_that_fails_leaves_nothing_behind(store: SqlStore, office: Office) -> None:
    def half(work: UnitOfWork) -> None:
        work.tasks.change(office.task.sid, priority=7)
        work.emit(records.event(office.workspace.sid))
        raise RoutingError("no")

    with pytest.raises(RoutingError, match="no"):
        store.perform(half)
    assert priority(store, office) == 0
    assert store.event_log("anybody").read(9) == []


def test_a_unit_of_work_rolls_back_unless_commit_was_said(store: SqlStore, office: Office) -> None:
    with store.unit_of_work() as work:
        work.tasks.change(office.task.sid, priority=7)
    assert priority(store, office) == 0

    def fail() -> None:
        with store.unit_of_work() as work:
            work.tasks.change(office.task.sid, priority=8)
            raise RoutingError("no")

    with pytest.raises(RoutingError):
        fail()
    assert priority(store, office) == 0
    with store.unit_of_work() as work:
        work.tasks.change(office.task.sid, priority=9)
        work.emit(records.event(office.workspace.sid))
        work.commit()
        with pytest.raises(StoreError, match="over"):
            work.tasks.change(office.task.sid, priority=10)
    assert priority(store, office) == 9
    assert len(store.event_log("anybody").read(9)) == 1


def test_a_verb_does_not_commit_by_itself(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="commits by itself"):
        store.perform(lambda work: work.commit())
    with pytest.raises(StoreError, match="nothing to commit"):
        store.read(lambda work: work.commit())


def test_an_event_outside_the_catalogue_cannot_be_emitted(store: SqlStore, office: Office) -> None:
    unknown = records.event(office.workspace.sid, type="task.forgotten")
    with pytest.raises(StoreError, match=r"task\.forgotten"):
        store.perform(lambda work: work.emit(unknown))


def test_concurrent_verbs_each_get_their_own_outcome(store: SqlStore, office: Office) -> None:
    """Whether they share a commit or not: a failing one takes no other one along."""
    outcomes: dict[int, object] = {}

    def perform(number: int) -> None:
        task = records.task(office.channel, priority=number)

        def verb(work: UnitOfWork) -> int:
            work.tasks.add(task)
            work.emit(records.event(office.workspace.sid, task.sid))
            if number % 3 == 0:
                raise NotFound(str(number))
            return number

        try:
            outcomes[number] = store.perform(verb)
        except NotFound as error:
            outcomes[number] = error.message

    in_threads(24, perform)
    kept = store.read(lambda work: work.tasks.find(workspace_sid=office.workspace.sid))
    expected = {number for number in range(24) if number % 3}
    assert {task.priority for task in kept if task.sid != office.task.sid} == expected
    assert {number for number, outcome in outcomes.items() if outcome == number} == expected
    for number in range(0, 24, 3):
        assert outcomes[number] == NotFound(str(number)).message
    told = store.event_log("anybody").read(99)
    assert {event.resource_sid for event in told} == {
        task.sid for task in kept if task.sid != office.task.sid
    }


def test_a_locked_row_is_changed_by_one_at_a_time(store: SqlStore, office: Office) -> None:
    def count_up(work: UnitOfWork) -> None:
        task = work.tasks.get(office.task.sid, lock=True)
        assert task is not None
        work.tasks.change(task.sid, priority=task.priority + 1)

    def perform(_: int) -> None:
        for _ in range(10):
            store.perform(count_up)

    in_threads(8, perform)
    assert priority(store, office) == 80


def test_a_row_that_is_held_is_at_any_time_as_it_was_last_written(
    store: SqlStore, office: Office
) -> None:
    """However it was written, and whether it is read to be locked once more or not."""
    sid, channel = office.task.sid, office.worker_channel.sid

    def verb(work: UnitOfWork) -> None:
        def holds(**columns: object) -> None:
            for lock in (True, False, True):
                task = work.tasks.get(sid, lock=lock)
                assert task is not None
                assert {name: getattr(task, name) for name in columns} == columns

        holds(priority=0, reason=None)
        work.tasks.change(sid, priority=1, attributes='{"a": 1}')
        holds(priority=1, attributes='{"a": 1}')
        work.tasks.change_all({sid: {"priority": 2}})
        holds(priority=2, attributes='{"a": 1}')
        work.tasks.set_all({sid}, priority=3)
        holds(priority=3)
        assert work.worker_channels.get(channel, lock=True) is not None
        taken = work.take_capacity([records.capacity_claim(office.worker_channel)])
        assert taken == [channel]
        held = work.worker_channels.get(channel)
        assert held is not None
        assert held.assigned_tasks == 1
        work.free_capacity(channel)
        held = work.worker_channels.get(channel)
        assert held is not None
        assert held.assigned_tasks == 0
        work.tasks.remove(sid)
        assert work.tasks.get(sid, lock=True) is None
        work.tasks.add(office.task)
        holds(priority=0, attributes=office.task.attributes)

    store.perform(verb)
    assert priority(store, office) == 0


def test_the_last_unit_of_capacity_is_taken_once(store: SqlStore) -> None:
    office = furnish(store, capacity=5)
    taken: list[bool] = []

    def perform(_: int) -> None:
        taken.append(records.take_capacity(store, office.worker_channel))

    in_threads(16, perform)
    assert sorted(taken) == [False] * 11 + [True] * 5


def test_two_workers_never_get_the_same_instruction(store: SqlStore, office: Office) -> None:
    many = [records.instruction(office.task, due_at=number) for number in range(40)]
    records.store_all(store, "instructions", many)
    leased: list[str] = []

    def lease(work: UnitOfWork) -> list[str]:
        due = work.due_instructions(work.now, 3)
        for one in due:
            work.instructions.change(one.sid, leased_until=work.now + 1)
        return [one.sid for one in due]

    def perform(_: int) -> None:
        while sids := store.perform(lease):
            leased.extend(sids)

    in_threads(6, perform)
    assert len(leased) == len(set(leased)) == 40


def test_a_reading_query_sees_one_moment(store: SqlStore, office: Office) -> None:
    def look_twice(work: UnitOfWork) -> tuple[object, object]:
        before = work.tasks.get(office.task.sid)
        other = threading.Thread(
            target=store.perform,
            args=(lambda own: own.tasks.change(office.task.sid, priority=5),),
        )
        other.start()
        other.join()
        return before, work.tasks.get(office.task.sid)

    before, after = store.read(look_twice)
    assert before == after == office.task
    assert priority(store, office) == 5


def test_the_order_of_locks_does_not_matter_to_who_is_tried_again(
    store: SqlStore, office: Office
) -> None:
    """Two verbs that lock the same rows in opposite orders both succeed."""
    second = records.task(office.channel)
    store.perform(lambda work: work.tasks.add(second))
    sids = [office.task.sid, second.sid]
    meeting = threading.Barrier(2, timeout=1)

    def perform(number: int) -> None:
        order = sids if number else sids[::-1]
        tries = iter([meeting.wait])

        def verb(work: UnitOfWork) -> None:
            for sid in order:
                work.tasks.change(sid, reason=f"by {number}")
                for wait in tries:
                    meet(wait)

        store.perform(verb)

    def meet(wait: Callable[[], int]) -> None:
        # On SQLite the second one only begins when the first has ended: nobody to meet.
        try:
            wait()
        except threading.BrokenBarrierError:
            return

    in_threads(2, perform)
    found = store.read(lambda work: work.tasks.find(sid=set(sids)))
    assert len({task.reason for task in found}) == 1


def test_a_picture_of_the_configuration_is_kept_until_it_changes(
    store: SqlStore, office: Office
) -> None:
    sid = office.workspace.sid
    first = store.read(lambda work: work.configuration(sid))
    assert first.task_queues == {office.queue.sid: office.queue}
    assert first.workflows == {office.workflow.sid: office.workflow}
    assert first.activities == {office.activity.sid: office.activity}
    assert first.task_channels == {office.channel.sid: office.channel}
    assert store.read(lambda work: work.configuration(sid)) is first
    assert store.perform(lambda work: work.configuration(sid)) is first

    def rename(work: UnitOfWork) -> str:
        work.task_queues.change(office.queue.sid, friendly_name="Gold")
        work.configuration_changed(sid)
        return work.configuration(sid).task_queues[office.queue.sid].friendly_name

    assert store.perform(rename) == "Gold"
    second = store.read(lambda work: work.configuration(sid))
    assert second.task_queues[office.queue.sid].friendly_name == "Gold"
    assert store.perform(lambda work: work.configuration(sid)) is second
    assert second.workspace.configuration_version == first.workspace.configuration_version + 1


def test_a_configuration_that_was_rolled_back_is_never_shown(
    store: SqlStore, office: Office
) -> None:
    sid = office.workspace.sid

    def rename(work: UnitOfWork, name: str) -> str:
        work.task_queues.change(office.queue.sid, friendly_name=name)
        work.configuration_changed(sid)
        return work.configuration(sid).task_queues[office.queue.sid].friendly_name

    with store.unit_of_work() as work:
        assert rename(work, "Never") == "Never"
    # The next change gets the version number that the one before did not keep.
    assert store.perform(lambda work: rename(work, "Gold")) == "Gold"
    found = store.read(lambda work: work.configuration(sid))
    assert found.task_queues[office.queue.sid].friendly_name == "Gold"


def test_an_unknown_workspace_has_no_configuration(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="WSnothing"):
        store.read(lambda work: work.configuration("WSnothing"))


def test_a_verb_may_not_perform_another_one(store: SqlStore, database_url: str) -> None:
    """Where there is one writer it would wait for itself."""
    if database_url.startswith("postgresql"):
        pytest.skip("there each verb has a connection of its own")
    with pytest.raises(StoreError, match="unit of work is open"):
        store.perform(lambda _: store.perform(lambda work: work.now))
    with store.unit_of_work(), pytest.raises(StoreError, match="unit of work is open"):
        store.perform(lambda work: work.now)


def test_whoever_waits_for_something_due_is_woken(store: SqlStore, office: Office) -> None:
    seen = store.signal.seen()
    store.perform(lambda work: work.tasks.change(office.task.sid, priority=1))
    assert store.signal.seen() == seen
    store.perform(lambda work: work.tasks.change(office.task.sid, expires_at=1))
    assert store.signal.seen() == seen + 1
    store.perform(lambda work: work.instructions.add(records.instruction(office.task, due_at=1)))
    assert store.signal.seen() == seen + 2
    store.perform(lambda work: work.emit(records.event(office.workspace.sid)))
    assert store.signal.wait(seen, 0) == seen + 3
    with store.unit_of_work() as work:
        work.emit(records.event(office.workspace.sid))
    assert store.signal.wait(seen + 3, 0) == seen + 3


def test_a_deadline_that_is_taken_away_wakes_nobody_and_a_lease_only_when_it_is_given_back(
    store: SqlStore, office: Office
) -> None:
    work_in_hand = records.instruction(office.task, due_at=1)
    store.perform(lambda work: work.instructions.add(work_in_hand))

    def wakes(**columns: object) -> bool:
        seen = store.signal.seen()
        store.perform(lambda work: work.instructions.change(work_in_hand.sid, **columns))
        return store.signal.seen() != seen

    assert not wakes(leased_until=5, attempts=1)
    assert wakes(leased_until=None)
    assert wakes(leased_until=None, due_at=7)
    assert not wakes(leased_until=None, due_at=None)
    seen = store.signal.seen()
    store.perform(lambda work: work.tasks.change(office.task.sid, expires_at=None))
    store.perform(lambda work: work.tasks.set_all({office.task.sid}, step_due_at=None))
    assert store.signal.seen() == seen
    store.perform(lambda work: work.tasks.set_all({office.task.sid}, step_due_at=3))
    assert store.signal.seen() == seen + 1


def test_a_wake_up_between_looking_and_waiting_is_not_slept_through(store: SqlStore) -> None:
    seen = store.signal.seen()
    store.signal.notify()
    assert store.signal.wait(seen, None) == seen + 1


def test_whoever_waits_is_not_woken_by_what_it_need_not_hear_of_itself(
    store: SqlStore, office: Office
) -> None:
    topic = frozenset({records.event("WS1").type})
    deaf = store.subscribe(topic, unless_own=topic)
    awake = store.subscribe(topic)
    deaf.wait(deaf.seen(), 0)  # from now on it is this thread that waits

    def emit(_: int = 0) -> None:
        store.perform(lambda work: work.emit(records.event(office.workspace.sid)))

    emit()
    assert (deaf.seen(), awake.seen()) == (0, 1)
    in_threads(1, emit)
    assert (deaf.seen(), awake.seen()) == (1, 2)
