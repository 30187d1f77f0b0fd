"""Verbs that share a transaction, and rows that are written late: nobody can tell."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest

from routing.errors import Conflict, InvalidParameter, NotFound, RoutingError
from routing.events import Event
from routing.sids import new_sid
from routing.store import SqlStore, StoreError, StoreUnavailable, UnitOfWork
from routing.store.pages import page
from routing.store.postgresql import PostgresqlDatabase
from routing.task import Task
from tests.store import records
from tests.store.records import Office, furnish

Verb = Callable[[UnitOfWork], Any]


@pytest.fixture
def office(store: SqlStore) -> Office:
    return furnish(store)


def together(store: SqlStore, *verbs: Verb, only_adds: bool = True) -> list[Future[Any]]:
    """Runs the verbs in this order in one batch: they line up behind a first one.

    On PostgreSQL those that do more than add rows run alone, one after the other.
    """
    started, go_on = threading.Event(), threading.Event()

    def first(_: UnitOfWork) -> None:
        started.set()
        go_on.wait()

    database: Any = store._database
    if isinstance(database, PostgresqlDatabase):
        database._lines = database._lines[:1]
    with ThreadPoolExecutor(len(verbs) + 1) as threads:
        threads.submit(store.perform, first, only_adds=True)
        started.wait()
        outcomes = []
        for place, verb in enumerate(verbs):
            outcomes.append(threads.submit(store.perform, verb, only_adds=only_adds))
            while database.waiting <= place and not outcomes[-1].done():
                threading.Event().wait(0.001)
        go_on.set()
    return outcomes


def adding(task: Task, *told: Event) -> Verb:
    def verb(work: UnitOfWork) -> str:
        work.tasks.add(task)
        for event in told:
            work.emit(event)
        return task.sid

    return verb


def told_by(store: SqlStore) -> list[Event]:
    """The whole log; what was rolled back may have left gaps in it, which take a second look."""
    log = store.event_log(new_sid("follower"))
    found: list[Event] = []
    while True:
        events = log.read(999)
        found.extend(events)
        log.advance(events)
        if not events and not log.is_held_up:
            return found


def stored(store: SqlStore) -> set[str]:
    return {task.sid for task in store.read(lambda work: work.tasks.find())}


def test_a_verb_finds_what_it_has_added(store: SqlStore, office: Office) -> None:
    task = records.task(office.channel, expires_at=5)
    call = records.call(task, due_at=5)

    def verb(work: UnitOfWork) -> None:
        work.calls.add(call)
        assert work.tasks.get(task.sid) is None
        work.tasks.add(task)
        assert work.tasks.get(task.sid) == task
        assert work.tasks.find(expires_at=5) == [task]
        assert work.calls.get(call.sid, lock=True) == call
        assert work.expired_tasks(5, 9) == [task.sid]
        second = records.task(office.channel, priority=7)
        work.tasks.add(second)
        wanted = {"priority": 7}
        assert list(page(work, Task, filters=wanted, limit=9).records) == [second]
        assert work.tasks.change(second.sid, priority=8) == 1
        third = records.task(office.channel)
        work.tasks.add(third)
        assert work.tasks.remove(third.sid) == 1

    store.perform(verb)
    assert store.read(lambda work: work.calls.get(call.sid)) == call
    assert len(stored(store)) == 3


def test_a_configuration_holds_what_was_added_before(store: SqlStore, office: Office) -> None:
    queue = records.task_queue(office.workspace.sid, friendly_name="Gold")

    def verb(work: UnitOfWork) -> None:
        work.task_queues.add(queue)
        work.configuration_changed(office.workspace.sid)
        assert queue.sid in work.configuration(office.workspace.sid).task_queues

    store.perform(verb)


def test_rows_are_written_before_those_that_refer_to_them(store: SqlStore) -> None:
    workspace = records.workspace()
    activity = records.activity(workspace.sid)
    channel = records.task_channel(workspace.sid)
    worker = records.worker(activity)

    def backwards(work: UnitOfWork) -> None:
        work.worker_channels.add(records.worker_channel(worker, channel))
        work.workers.add(worker)
        work.tasks.add(records.task(channel))
        work.task_channels.add(channel)
        work.activities.add(activity)
        work.workspaces.add(workspace)

    store.perform(backwards, only_adds=True)
    assert store.read(lambda work: work.workers.find()) == [worker]


def test_any_number_of_rows_at_once_is_kept_in_order(store: SqlStore, office: Office) -> None:
    for number in (1, 2, 15, 16, 17, 33):
        tasks = [records.task(office.channel, priority=place) for place in range(number)]
        told = [records.event(office.workspace.sid, task.sid) for task in tasks]
        follower = store.event_log(str(number))
        follower.advance(store.event_log("all").read(999))

        def verb(work: UnitOfWork, tasks: list[Task] = tasks, told: list[Event] = told) -> None:
            for task, event in zip(tasks, told, strict=True):
                work.tasks.add(task)
                work.emit(event)

        store.perform(verb)
        assert {task.sid for task in tasks} <= stored(store)
        read = [records.without_position(event) for event in follower.read(999)]
        assert read == told


def test_events_of_a_batch_are_in_the_order_in_which_they_were_emitted(
    store: SqlStore, office: Office
) -> None:
    tasks = [records.task(office.channel) for _ in range(20)]
    told = [
        [
            records.versioned(records.event(office.workspace.sid, task.sid), version)
            for version in range(3)
        ]
        for task in tasks
    ]
    together(store, *(adding(task, *events) for task, events in zip(tasks, told, strict=True)))
    read = told_by(store)
    assert [event.position for event in read] == sorted(event.position for event in read)
    assert [records.without_position(event) for event in read] == [
        event for events in told for event in events
    ]


def test_a_verb_that_fails_takes_nothing_of_the_others_along(
    store: SqlStore, office: Office
) -> None:
    tasks = [records.task(office.channel) for _ in range(4)]

    def fail(work: UnitOfWork) -> None:
        adding(tasks[1], records.event(office.workspace.sid, tasks[1].sid))(work)
        raise NotFound("no")

    def fail_after_a_look(work: UnitOfWork) -> None:
        adding(tasks[2], records.event(office.workspace.sid, tasks[2].sid))(work)
        assert work.tasks.get(tasks[2].sid) == tasks[2]
        raise NotFound("no")

    outcomes = together(
        store,
        adding(tasks[0], records.event(office.workspace.sid, tasks[0].sid)),
        fail,
        fail_after_a_look,
        adding(tasks[3], records.event(office.workspace.sid, tasks[3].sid)),
    )
    assert [type(one.exception()) for one in outcomes] == [
        type(None),
        NotFound,
        NotFound,
        type(None),
    ]
    kept = {tasks[0].sid, tasks[3].sid}
    assert stored(store) == kept | {office.task.sid}
    assert {event.resource_sid for event in told_by(store)} == kept


def test_what_is_wrong_with_a_row_is_told_to_its_own_verb_alone(
    store: SqlStore, office: Office
) -> None:
    good = [records.task(office.channel) for _ in range(3)]
    stray = records.task(office.channel, workflow_sid="WWnothing")
    unstorable = records.task(office.channel, reason="\x00")
    told = [records.event(office.workspace.sid, task.sid) for task in (*good, stray)]

    def swallow(work: UnitOfWork) -> str:
        work.tasks.add(office.task)
        try:
            work.tasks.find()
        except Conflict:
            return "carried on"
        return "no conflict"

    outcomes = together(
        store,
        adding(good[0], told[0]),
        adding(office.task),
        adding(good[1], told[1]),
        adding(good[1]),
        adding(stray, told[3]),
        swallow,
        adding(good[2], told[2]),
    )
    errors = [one.exception() for one in outcomes]
    assert [type(error) for error in errors] == [
        type(None),
        Conflict,
        type(None),
        Conflict,
        Conflict,
        Conflict,
        type(None),
    ]
    assert "same key" in str(errors[1])
    assert "does not exist any more" in str(errors[4])
    assert stored(store) == {office.task.sid, *(task.sid for task in good)}
    read = [records.without_position(event) for event in told_by(store)]
    assert read == told[:3]
    if store._database.dialect.name == "postgresql":
        # SQLite keeps U+0000 in a text.
        bad, fine = together(store, adding(unstorable), adding(records.task(office.channel)))
        assert isinstance(bad.exception(), InvalidParameter)
        assert fine.exception() is None


def test_changes_and_additions_share_a_batch(store: SqlStore, office: Office) -> None:
    """On SQLite, where all verbs do; each sees what those before it did, and no failed one's."""
    added = [records.task(office.channel) for _ in range(3)]

    def count_up(work: UnitOfWork) -> int:
        task = work.tasks.get(office.task.sid, lock=True)
        assert task is not None
        work.tasks.change(task.sid, priority=task.priority + 1)
        work.emit(records.event(office.workspace.sid))
        return len(work.tasks.find())

    def change_and_fail(work: UnitOfWork) -> None:
        work.tasks.add(added[1])
        count_up(work)
        raise RoutingError("no")

    verbs = [adding(added[0]), count_up, change_and_fail, count_up, adding(added[2]), count_up]
    outcomes = together(store, *verbs, only_adds=False)
    assert isinstance(outcomes[2].exception(), RoutingError)
    if store._database.dialect.name == "sqlite":
        assert [outcomes[place].result() for place in (1, 3, 5)] == [2, 2, 3]
    assert stored(store) == {office.task.sid, added[0].sid, added[2].sid}
    found = store.read(lambda work: work.tasks.get(office.task.sid))
    assert found is not None
    assert found.priority == 3
    assert len(told_by(store)) == 3


def test_what_a_failed_verb_had_in_hand_is_not_what_the_next_one_finds(
    store: SqlStore, office: Office
) -> None:
    def change(work: UnitOfWork, number: int) -> int:
        task = work.tasks.get(office.task.sid, lock=True)
        assert task is not None
        work.tasks.change(task.sid, priority=number)
        again = work.tasks.get(office.task.sid, lock=True)
        assert again is not None
        assert again.priority == number
        if number > 1:
            raise RoutingError("no")
        return task.priority

    first, failing, last = together(
        store, *(partial(change, number=number) for number in (1, 2, 1)), only_adds=False
    )
    assert (first.result(), last.result()) == (0, 1)
    with pytest.raises(RoutingError, match="no"):
        failing.result()
    task = store.read(lambda work: work.tasks.get(office.task.sid))
    assert task is not None
    assert task.priority == 1


def test_a_change_of_the_configuration_is_seen_by_the_rest_of_the_batch(
    store: SqlStore, office: Office
) -> None:
    sid = office.workspace.sid

    def name(work: UnitOfWork) -> str:
        return work.configuration(sid).task_queues[office.queue.sid].friendly_name

    def rename(work: UnitOfWork, to: str) -> str:
        work.task_queues.change(office.queue.sid, friendly_name=to)
        work.configuration_changed(sid)
        return name(work)

    def rename_and_fail(work: UnitOfWork) -> None:
        assert rename(work, "Never") == "Never"
        raise RoutingError("no")

    if store._database.dialect.name == "postgresql":
        pytest.skip("there a verb that changes rows has a transaction of its own")
    verbs: list[Verb] = [name, lambda work: rename(work, "Gold"), name, rename_and_fail, name]
    outcomes = together(store, *verbs, only_adds=False)
    assert [one.result() for one in outcomes if one.exception() is None] == [
        office.queue.friendly_name,
        "Gold",
        "Gold",
        "Gold",
    ]
    assert store.read(name) == "Gold"


BREACHES: dict[str, Callable[[UnitOfWork, Office], Any]] = {
    "changes": lambda work, office: work.tasks.change(office.task.sid, priority=9),
    "removes": lambda work, office: work.tasks.remove(office.task.sid),
    "locks": lambda work, office: work.tasks.get(office.task.sid, lock=True),
    "locks_many": lambda work, office: work.tasks.find(sid=office.task.sid, lock=True),
    "locks_due": lambda work, _office: work.due_calls(9, 9),
    "claims": lambda work, office: work.take_capacity(
        [records.capacity_claim(office.worker_channel)]
    ),
    "changes_many": lambda work, office: work.tasks.change_all({office.task.sid: {"priority": 9}}),
    "configures": lambda work, office: work.configuration_changed(office.workspace.sid),
    "moves": lambda work, _office: work.move_follower("somebody", 9),
}


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
@pytest.mark.parametrize("verb", BREACHES.values(), ids=BREACHES)
def test_a_verb_that_promised_only_to_add_may_not_do_more(
    store: SqlStore, office: Office, verb: Callable[[UnitOfWork, Office], Any], shared: bool
) -> None:
    task = records.task(office.channel)

    def break_the_promise(work: UnitOfWork) -> None:
        adding(records.task(office.channel))(work)
        verb(work, office)

    verbs = (adding(task), break_the_promise) if shared else (break_the_promise,)
    outcomes = together(store, *verbs)
    with pytest.raises(StoreError, match="only adds"):
        outcomes[-1].result()
    assert stored(store) == {office.task.sid} | ({task.sid} if shared else set())
    assert store.read(lambda work: work.tasks.get(office.task.sid)) == office.task


def test_nothing_is_added_by_a_query(store: SqlStore, office: Office) -> None:
    with pytest.raises(StoreError, match="read-only"):
        store.read(adding(records.task(office.channel)))
    with pytest.raises(StoreError, match="read-only"):
        store.read(lambda work: work.emit(records.event(office.workspace.sid)))


def test_a_verb_that_only_adds_may_not_perform_another_one(store: SqlStore) -> None:
    """It would wait for itself."""

    def nested(_: UnitOfWork) -> None:
        store.perform(lambda work: work.now, only_adds=True)

    with pytest.raises(StoreError, match="unit of work is open"):
        store.perform(nested, only_adds=True)


def test_a_batch_whose_connection_breaks_before_its_commit_runs_again(
    postgres_url: str, clock: records.ManualClock
) -> None:
    store = records.opened(postgres_url, clock)
    office = furnish(store)
    tasks = [records.task(office.channel) for _ in range(3)]
    tries = []

    def cut_off(work: UnitOfWork) -> None:
        tries.append(work.now)
        if len(tries) < 3:
            with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        assert work.tasks.get(tasks[1].sid) is None
        work.tasks.add(tasks[1])

    outcomes = together(store, adding(tasks[0]), cut_off, adding(tasks[2]))
    assert [one.exception() for one in outcomes] == [None] * 3
    assert len(tries) == 3
    assert stored(store) == {office.task.sid, *(task.sid for task in tasks)}
    store.close()


def test_a_batch_whose_last_statement_breaks_does_not_run_again(
    postgres_url: str, clock: records.ManualClock
) -> None:
    """That statement commits itself: nobody knows whether it happened."""
    store = records.opened(postgres_url, clock)
    office = furnish(store)
    tries = []

    def cut_off(work: UnitOfWork) -> None:
        tries.append(work.now)
        work.tasks.add(records.task(office.channel))
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    outcomes = together(store, adding(records.task(office.channel)), cut_off)
    for one in outcomes:
        with pytest.raises(StoreUnavailable, match="during a commit"):
            one.result()
    assert len(tries) == 1
    assert stored(store) == {office.task.sid}
    store.close()


def test_who_is_committed_hears_so_before_a_verb_that_may_take_long(store: SqlStore) -> None:
    if store._database.dialect.name == "postgresql":
        pytest.skip("there a verb that changes rows has a transaction of its own")
    gates = {name: threading.Event() for name in ("first", "second")}

    def hold_up(name: str) -> Verb:
        return lambda _: gates[name].wait(10)

    def line_up(verb: Verb, *, only_adds: bool, place: int) -> Future[Any]:
        future = threads.submit(store.perform, verb, only_adds=only_adds)
        while database.waiting < place:
            threading.Event().wait(0.001)
        return future

    database: Any = store._database
    with ThreadPoolExecutor(4) as threads:
        threads.submit(store.perform, hold_up("first"), only_adds=True)
        while database._combiner._leader is None or database.waiting:
            threading.Event().wait(0.001)
        line_up(hold_up("second"), only_adds=True, place=1)
        answered = line_up(lambda work: work.now, only_adds=True, place=2)
        gates["first"].set()
        # The batch of those two is being written by now, and in line is who waits for its answer.
        while database.waiting:
            threading.Event().wait(0.001)
        long = line_up(lambda _: answered.result(timeout=10), only_adds=False, place=1)
        gates["second"].set()
    assert long.result() == answered.result()
