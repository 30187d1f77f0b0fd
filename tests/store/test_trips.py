"""What travels to PostgreSQL together, and what is known when it does not come back."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from routing.background.router import CONCERNS
from routing.engine import Engine, reservations, tasks
from routing.errors import Conflict, InvalidParameter
from routing.store import SqlStore, StoreUnavailable, UnitOfWork, open_store
from tests import fakes
from tests.routing.centre import Centre
from tests.store import records
from tests.store.records import ManualClock, Office, furnish, opened
from tests.store.test_combining import together
from tests.store.wire import Wire

#: More texts than the server keeps parsed for a connection, and how often each is used.
_TEXTS, _USES = 130, 7


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    wire = Wire(postgres_url)
    yield wire
    wire.close()


@pytest.fixture
def store(wire: Wire, clock: ManualClock) -> Iterator[SqlStore]:
    store = opened(wire.url, clock)
    yield store
    store.close()


@pytest.fixture
def office(store: SqlStore) -> Office:
    return furnish(store)


class Verb:
    """Takes a Task, and gives it one priority more; what it emits is written at its end."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.tries = 0

    def __call__(self, work: UnitOfWork) -> None:
        self.tries += 1
        task = work.tasks.get(self._office.task.sid, lock=True)
        assert task is not None
        work.tasks.change_all({task.sid: {"priority": task.priority + 1}})
        work.emit(records.event(self._office.workspace.sid))


def priority(store: SqlStore, office: Office) -> int:
    task = store.read(lambda work: work.tasks.get(office.task.sid))
    assert task is not None
    return task.priority


def test_a_transaction_begins_and_ends_on_the_way_of_its_statements(
    wire: Wire, store: SqlStore, office: Office
) -> None:
    with wire.counting() as trips:
        store.perform(Verb(office))
    assert trips == [2]
    with wire.counting() as trips:
        store.perform(lambda work: work.emit(records.event(office.workspace.sid)))
    assert trips == [1]
    with wire.counting() as trips:
        store.perform(lambda work: work.tasks.change(office.task.sid, priority=7))
    assert trips == [2]
    with wire.counting() as trips:
        store.perform(lambda _: None)
    assert trips == [0]
    assert priority(store, office) == 7
    assert len(store.event_log("anybody").read(9)) == 2


def test_nobody_waits_for_the_end_of_a_query(wire: Wire, store: SqlStore, office: Office) -> None:
    for number in range(5):
        store.perform(Verb(office))
        with wire.counting() as trips:
            assert priority(store, office) == number + 1
        # The way back of the one before it may be counted with this one.
        assert trips[0] <= 2


def test_what_was_answered_by_a_commit_that_got_lost_is_not_done_again(
    wire: Wire, store: SqlStore, office: Office
) -> None:
    verb = Verb(office)
    wire.cut_at("COMMIT", arrives=True)
    with pytest.raises(StoreUnavailable, match="nobody knows whether it happened"):
        store.perform(verb)
    assert verb.tries == 1
    assert priority(store, office) == 1


def test_a_commit_that_never_came_to_the_server_is_not_said_again(
    wire: Wire, store: SqlStore, office: Office
) -> None:
    verb = Verb(office)
    wire.cut_at("COMMIT", arrives=False)
    with pytest.raises(StoreUnavailable, match="nobody knows whether it happened"):
        store.perform(verb)
    assert verb.tries == 1
    assert priority(store, office) == 0


@pytest.mark.parametrize("arrives", [True, False])
def test_a_verb_that_is_cut_off_before_its_last_trip_runs_again(
    wire: Wire, store: SqlStore, office: Office, arrives: bool
) -> None:
    verb = Verb(office)
    wire.cut_at("FOR UPDATE", arrives=arrives)
    store.perform(verb)
    assert verb.tries == 2
    assert priority(store, office) == 1


def test_one_statement_that_commits_itself_is_not_said_again(
    wire: Wire, store: SqlStore, office: Office
) -> None:
    task = records.task(office.channel)
    wire.cut_at("INSERT INTO", arrives=True)
    with pytest.raises(StoreUnavailable, match="nobody knows whether it happened"):
        store.perform(lambda work: work.tasks.add(task), only_adds=True)
    assert store.read(lambda work: work.tasks.get(task.sid)) == task


def test_what_the_server_refuses_takes_the_commit_behind_it_along(
    store: SqlStore, office: Office
) -> None:
    def verb(work: UnitOfWork) -> None:
        work.tasks.change(office.task.sid, priority=9)
        work.tasks.add(records.task(office.channel, workflow_sid="WWnothing"))

    for _ in range(2):
        with pytest.raises(Conflict):
            store.perform(verb)
        assert priority(store, office) == 0
    store.perform(Verb(office))
    assert priority(store, office) == 1


def test_a_verb_that_loses_in_the_trip_of_its_commit_runs_again(
    store: SqlStore, office: Office
) -> None:
    """The server says so of a statement before the COMMIT: that one has not happened."""
    verb = Verb(office)
    with losing_twice(store):
        store.perform(verb)
    assert verb.tries == 3
    assert priority(store, office) == 1


@contextlib.contextmanager
def losing_twice(store: SqlStore) -> Iterator[None]:
    """The first two writers of events lose, as if others had been faster."""
    run(
        store,
        "CREATE SEQUENCE unlucky_times",
        """CREATE FUNCTION unlucky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('unlucky_times') <= 2 THEN
                RAISE EXCEPTION 'too late' USING ERRCODE = 'serialization_failure';
            END IF;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER unlucky BEFORE INSERT ON events EXECUTE FUNCTION unlucky()",
    )
    yield
    run(store, "DROP FUNCTION unlucky CASCADE", "DROP SEQUENCE unlucky_times")


def run(store: SqlStore, *texts: str) -> None:
    with store.unit_of_work() as work:
        for text in texts:
            work.execute(text, ())
        work.commit()


@pytest.mark.parametrize("value", ["\ud800", "\x00"])
def test_what_cannot_be_stored_stops_a_verb_and_nothing_else(
    wire: Wire, store: SqlStore, office: Office, value: str
) -> None:
    def first(work: UnitOfWork) -> None:
        work.tasks.get(value, lock=True)

    def later(work: UnitOfWork) -> None:
        assert work.tasks.get(office.task.sid, lock=True) is not None
        work.tasks.change(office.task.sid, reason=value)

    for verb in (first, later):
        with pytest.raises(InvalidParameter):
            store.perform(verb)
    with wire.counting() as trips:
        store.perform(Verb(office))
    assert trips[0] <= 3
    assert priority(store, office) == 1


def test_a_unit_whose_statement_failed_is_never_committed(store: SqlStore, office: Office) -> None:
    def carry_on(work: UnitOfWork) -> None:
        work.tasks.change(office.task.sid, priority=9)
        work.tasks.add(records.task(office.channel, workflow_sid="WWnothing"))
        with pytest.raises(Conflict):
            work.tasks.find()

    with pytest.raises(Conflict):
        store.perform(carry_on)
    assert priority(store, office) == 0


def test_more_texts_than_the_server_keeps_are_answered_all_the_same(
    store: SqlStore, office: Office
) -> None:
    def ask(work: UnitOfWork, number: int) -> None:
        found = work.execute(f"SELECT $1::INTEGER + {number}", (number,)).fetchall()
        assert found == [(2 * number,)]

    for _ in range(_USES):
        for number in range(_TEXTS):
            store.read(lambda work: ask(work, number))  # noqa: B023 - asked at once
    with store.unit_of_work() as work:
        [(kept,)] = work.execute("SELECT count(*) FROM pg_prepared_statements", ()).fetchall()
    assert 50 <= kept <= 100
    assert priority(store, office) == 0


def test_a_text_that_fails_when_the_server_first_keeps_it_works_afterwards(
    store: SqlStore, office: Office
) -> None:
    def divide(number: int) -> list[tuple[object, ...]]:
        return store.read(
            lambda work: work.execute("SELECT 12 / $1::INTEGER", (number,)).fetchall()
        )

    for _ in range(4):
        assert divide(2) == [(6,)]
    for _ in range(3):
        with pytest.raises(Exception, match=r"division by zero|expected text"):
            divide(0)
    assert [divide(3) for _ in range(3)] == [[(4,)]] * 3
    assert priority(store, office) == 0


def see_all_at_once(office: Office, seen: list[object]) -> Callable[[UnitOfWork], None]:
    """A verb that says at its beginning what it will read, and reads it in another order."""

    def verb(work: UnitOfWork) -> None:
        work.tasks.foresee(office.task.sid, lock=True)
        work.foresee_configuration(office.workspace.sid)
        work.workers.foresee_all(sid={office.worker.sid}, order_by="sid", lock=True)
        work.reservations.foresee("WR" + "0" * 32)
        seen.append(work.workers.find(sid={office.worker.sid}, order_by="sid", lock=True))
        seen.append(work.tasks.get(office.task.sid, lock=True))
        seen.append(work.reservations.get("WR" + "0" * 32))
        seen.append(work.configuration(office.workspace.sid).workspace)

    return verb


def test_what_a_verb_foresees_is_read_in_one_trip(
    wire: Wire, store: SqlStore, office: Office
) -> None:
    store.read(lambda work: work.configuration(office.workspace.sid))
    seen: list[object] = []
    with wire.counting() as trips:
        store.read(see_all_at_once(office, seen))
    assert trips[0] <= 2  # the way back of the query before may be counted
    assert seen == [[office.worker], office.task, None, office.workspace]
    with wire.counting() as trips:
        store.perform(see_all_at_once(office, seen))
    assert trips[0] <= 3  # the way back of the query, one way there, and the commit
    assert seen[4:] == seen[:4]


def test_a_worker_accepts_in_three_trips_and_is_free_again_after_three_more(wire: Wire) -> None:
    clock = fakes.ManualClock()
    store = open_store(wire.url, clock)
    store.migrate()
    centre = Centre(store, Engine(store, clock), clock)
    worker = centre.add_worker("Alice")
    task = centre.add_task()
    offer = centre.offer(task)
    with wire.counting() as trips:
        accepted = centre.engine.perform(reservations.accept, reservation_sid=offer.sid)
    assert accepted.reservation_status == "accepted"
    assert trips[0] <= 4  # the way back of the query before may be counted
    for verb in (tasks.wrap_up, tasks.complete):
        with wire.counting() as trips:
            centre.engine.perform(verb, workspace_sid=centre.workspace_sid, task_sid=task)
        assert trips[0] <= 4
    assert centre.channel(worker).assigned_tasks == 0
    assert centre.status(task) == "completed"
    store.close()


def test_a_task_that_comes_in_is_offered_in_three_trips(wire: Wire) -> None:
    """One reads the log and the Task with it, one locks what the offer needs, one writes it."""
    clock = fakes.ManualClock()
    store = open_store(wire.url, clock)
    store.migrate()
    centre = Centre(store, Engine(store, clock), clock)
    worker = centre.add_worker("Alice", capacity=2)
    centre.route()
    log = store.event_log("router", CONCERNS, bare=True, with_arrivals=True)
    log.find_place()
    for taken in (1, 2):
        centre.engine.perform(
            tasks.create, workspace_sid=centre.workspace_sid, task_channel="voice"
        )
        with wire.counting() as trips:
            events = log.read(100)
            centre.router.follow(events)
        log.go_on(events)
        assert trips == [3]
        assert centre.channel(worker).assigned_tasks == taken
    store.close()


def test_the_same_is_read_where_nothing_can_be_foreseen(
    sqlite_url: str, clock: ManualClock
) -> None:
    store = opened(sqlite_url, clock)
    here = furnish(store)
    seen: list[object] = []
    store.perform(see_all_at_once(here, seen))
    assert seen == [[here.worker], here.task, None, here.workspace]
    store.close()


def test_what_was_foreseen_is_read_anew_where_it_has_changed_since(
    store: SqlStore, office: Office
) -> None:
    def verb(work: UnitOfWork) -> list[int]:
        found = []
        for change in (change_one, change_some, change_by_and_by, add_another):
            work.tasks.foresee_all(workspace_sid=office.workspace.sid)
            work.workers.foresee(office.worker.sid)
            assert work.workers.get(office.worker.sid) == office.worker  # so it has travelled
            change(work)
            tasks = work.tasks.find(workspace_sid=office.workspace.sid)
            found.append(sum(task.priority for task in tasks))
        return found

    def change_one(work: UnitOfWork) -> None:
        work.tasks.change(office.task.sid, priority=1)

    def change_some(work: UnitOfWork) -> None:
        work.tasks.set_all({office.task.sid}, priority=10)

    def change_by_and_by(work: UnitOfWork) -> None:
        work.tasks.change_all({office.task.sid: {"priority": 100}})

    def add_another(work: UnitOfWork) -> None:
        work.tasks.add(records.task(office.channel, priority=1000))

    assert store.perform(verb) == [1, 10, 100, 1100]


def test_what_nobody_waits_for_is_refused_with_what_comes_next(
    store: SqlStore, office: Office
) -> None:
    """A change of a row that is held is not waited for; the verb fails all the same."""

    def verb(work: UnitOfWork) -> None:
        assert work.tasks.get(office.task.sid, lock=True) is not None
        assert work.tasks.change(office.task.sid, workflow_sid="WWnothing") == 1
        for go_on in goes_on:
            go_on(work)

    goes_on: list[Callable[[UnitOfWork], object]] = []
    ways: tuple[Callable[[UnitOfWork], object], ...] = (
        lambda work: work.workers.find(),
        lambda work: work.emit(records.event(office.workspace.sid)),
        lambda work: work.workers.foresee(office.worker.sid),
    )
    for one in ways:
        goes_on[:] = [one]
        with pytest.raises(Conflict):
            store.perform(verb)
    goes_on.clear()
    with pytest.raises(Conflict):
        store.perform(verb)
    assert priority(store, office) == 0


def test_a_verb_that_shares_its_transaction_is_refused_alone_for_what_it_has_foreseen(
    store: SqlStore, office: Office
) -> None:
    outcomes = together(
        store,
        lambda work: work.tasks.add(records.task(office.channel, priority=1)),
        lambda work: work.workers.foresee("\x00"),
        lambda work: work.tasks.add(records.task(office.channel, priority=2)),
    )
    assert [type(one.exception()) for one in outcomes] == [type(None), InvalidParameter, type(None)]
    found = store.read(lambda work: work.tasks.find(workspace_sid=office.workspace.sid))
    assert sorted(task.priority for task in found) == [0, 1, 2]


def test_capacity_that_was_foreseen_is_taken_once_however_many_want_it(
    wire: Wire, store: SqlStore
) -> None:
    channel = furnish(store, capacity=3).worker_channel

    def verb(work: UnitOfWork) -> Sequence[str | None]:
        work.workers.foresee(channel.worker_sid, lock=True)
        work.foresee_capacity({channel.worker_sid}, {channel.task_channel_sid})
        assert work.workers.get(channel.worker_sid, lock=True) is not None
        return work.take_capacity([records.capacity_claim(channel)])

    with wire.counting() as trips:
        assert store.perform(verb) == [channel.sid]
    assert trips == [2]
    with ThreadPoolExecutor(4) as threads:
        claims = [threads.submit(store.perform, verb) for _ in range(6)]
    taken = [sid for claim in claims for sid in claim.result()]
    assert taken.count(channel.sid) == 2
    now = store.read(lambda work: work.worker_channels.get(channel.sid))
    assert now is not None
    assert now.assigned_tasks == 3


def test_a_followers_place_is_saved_in_one_trip(
    wire: Wire, store: SqlStore, office: Office
) -> None:
    for _ in range(3):
        store.perform(lambda work: work.emit(records.event(office.workspace.sid)))
    log = store.event_log("anybody")
    log.go_on(log.read(2))
    with wire.counting() as trips:
        log.save()
    assert trips[0] <= 2  # the way back of a query may be counted
    assert len(store.event_log("anybody").read(9)) == 1
