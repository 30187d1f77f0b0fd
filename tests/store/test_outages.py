"""What happens when the database goes away under us, and when it comes back."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from routing.errors import Conflict
from routing.store import SqlStore, StoreUnavailable, UnitOfWork
from tests.store import records
from tests.store.records import ManualClock, furnish, opened


@pytest.fixture
def postgres_store(postgres_url: str, clock: ManualClock) -> Iterator[SqlStore]:
    store = opened(postgres_url, clock)
    yield store
    store.close()


def end_all_connections(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_idle_connections_that_were_cut_are_replaced(
    postgres_store: SqlStore, postgres_url: str
) -> None:
    office = furnish(postgres_store)
    end_all_connections(postgres_url)
    postgres_store.perform(lambda work: work.tasks.change(office.task.sid, priority=1))
    end_all_connections(postgres_url)
    found = postgres_store.read(lambda work: work.tasks.get(office.task.sid))
    assert found is not None
    assert found.priority == 1
    end_all_connections(postgres_url)
    postgres_store.ping()


def test_a_verb_whose_connection_breaks_before_its_commit_runs_again(
    postgres_store: SqlStore, postgres_url: str
) -> None:
    office = furnish(postgres_store)
    tries = []

    def verb(work: UnitOfWork) -> int:
        tries.append(work.now)
        task = work.tasks.get(office.task.sid, lock=True)
        assert task is not None
        if len(tries) < 3:
            end_all_connections(postgres_url)
        return work.tasks.change(task.sid, priority=task.priority + 1)

    assert postgres_store.perform(verb) == 1
    assert len(tries) == 3
    found = postgres_store.read(lambda work: work.tasks.get(office.task.sid))
    assert found is not None
    assert found.priority == 1


def test_a_verb_whose_commit_breaks_does_not_run_again(
    postgres_store: SqlStore, postgres_url: str
) -> None:
    tries = []

    def verb(work: UnitOfWork) -> None:
        tries.append(work.now)
        work.workspaces.add(records.workspace())
        end_all_connections(postgres_url)

    with pytest.raises(StoreUnavailable, match="during a commit"):
        postgres_store.perform(verb)
    assert len(tries) == 1
    assert postgres_store.read(lambda work: work.workspaces.find()) == []


def test_a_verb_that_never_succeeds_is_given_up(
    postgres_store: SqlStore, postgres_url: str
) -> None:
    def verb(work: UnitOfWork) -> None:
        end_all_connections(postgres_url)
        work.workspaces.find()

    with pytest.raises(StoreUnavailable, match="Is the server running"):
        postgres_store.perform(verb)


def test_other_processes_are_woken(postgres_store: SqlStore, postgres_url: str) -> None:
    other = opened(postgres_url, ManualClock())
    for store in (postgres_store, other):
        store.listen()
        store.listen()
        store._database._notices.is_listening.wait(30)
    seen = other.signal.seen()
    furnish(postgres_store)
    assert other.signal.seen() == seen
    postgres_store.perform(lambda work: work.emit(records.event("WS1")))
    assert other.signal.wait(seen, 30) > seen
    # Cut off, it connects again by itself, and looks for what it may have missed.
    seen = other.signal.seen()
    end_all_connections(postgres_url)
    assert other.signal.wait(seen, 30) > seen
    other.close()


def test_a_commit_that_fails_fails_all_who_shared_it(sqlite_url: str, clock: ManualClock) -> None:
    store = opened(sqlite_url, clock)
    office = furnish(store)
    started, go_on = threading.Event(), threading.Event()
    outcomes: list[object] = []

    def first(work: UnitOfWork) -> None:
        started.set()
        go_on.wait()
        work.tasks.change(office.task.sid, priority=1)

    def innocent(work: UnitOfWork) -> None:
        work.tasks.change(office.task.sid, priority=2)

    def guilty(work: UnitOfWork) -> None:
        # A reference that is only looked at by the commit.
        work.execute("PRAGMA defer_foreign_keys = ON", ())
        work.tasks.add(records.task(office.channel, workflow_sid="WWnothing"))

    def perform(verb: object) -> None:
        try:
            store.perform(verb)  # type: ignore[arg-type]  # one of the three
        except Conflict as error:
            outcomes.append(error)
        else:
            outcomes.append("kept")

    threads = [threading.Thread(target=perform, args=(first,))]
    threads[0].start()
    started.wait()
    for verb in (innocent, guilty, innocent):
        threads.append(threading.Thread(target=perform, args=(verb,)))
        threads[-1].start()
    while len(store._database._line) < 3:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join()
    assert outcomes.count("kept") == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3
    found = store.read(lambda work: work.tasks.get(office.task.sid))
    assert found is not None
    assert found.priority == 1
    innocent_again = store.perform(lambda work: work.tasks.change(office.task.sid, priority=3))
    assert innocent_again == 1
    store.close()
