"""What happens when the database goes away under us, and when it comes back."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from routing.errors import Conflict, RoutingError
from routing.store import SqlStore, StoreUnavailable, UnitOfWork
from tests.store import records
from tests.store.records import ManualClock, furnish, opened


@pytest.fixture
def postgres_store(postgres_url: str, clock: ManualClock) -> Iterator[SqlStore]:
    store = opened(postgres_url, clock)
    yield store
    store.close()


def end_all_connections(url: str) -> None:
    """And waits until the server has let go of them."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
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
        database: Any = store._database
        assert database._notices.is_listening.wait(30)
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

    with ThreadPoolExecutor(4) as threads:
        alone = threads.submit(store.perform, first)
        started.wait()
        together = [threads.submit(store.perform, verb) for verb in (innocent, guilty, innocent)]
        wait_for_a_line_of(3, store)
        go_on.set()
    assert alone.exception() is None
    assert [type(one.exception()) for one in together] == [Conflict] * 3
    found = store.read(lambda work: work.tasks.get(office.task.sid))
    assert found is not None
    assert found.priority == 1
    assert store.perform(lambda work: work.tasks.change(office.task.sid, priority=3)) == 1
    store.close()


def test_verbs_that_share_a_commit_fail_alone(sqlite_url: str, clock: ManualClock) -> None:
    store = opened(sqlite_url, clock)
    office = furnish(store)
    started, go_on = threading.Event(), threading.Event()

    def first(_: UnitOfWork) -> None:
        started.set()
        go_on.wait()

    def count_up(work: UnitOfWork) -> int:
        task = work.tasks.get(office.task.sid)
        assert task is not None
        work.tasks.change(task.sid, priority=task.priority + 1)
        work.emit(records.event(office.workspace.sid))
        return task.priority

    def fail(work: UnitOfWork) -> int:
        count_up(work)
        raise RoutingError("no")

    with ThreadPoolExecutor(70) as threads:
        threads.submit(store.perform, first)
        started.wait()
        # More than share one commit.
        verbs = [fail if number % 3 == 0 else count_up for number in range(69)]
        results = [threads.submit(store.perform, verb) for verb in verbs]
        wait_for_a_line_of(69, store)
        go_on.set()
    kept = [one.result() for one in results if one.exception() is None]
    assert sorted(kept) == list(range(46))
    assert len(store.event_log("anybody").read(99)) == 46
    store.close()


@pytest.fixture
def can_be_interrupted() -> Iterator[None]:
    """Ctrl-C is heard even where the tests run in the background, which are not to be bothered."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("can_be_interrupted")
def test_an_interrupted_verb_leaves_the_line(sqlite_url: str, clock: ManualClock) -> None:
    """Ctrl-C while it waits: it does not happen, and nobody waits for it."""
    store = opened(sqlite_url, clock)
    started, go_on = threading.Event(), threading.Event()
    waiting = threading.get_ident()

    def first(_: UnitOfWork) -> None:
        started.set()
        go_on.wait()

    def interrupt() -> None:
        wait_for_a_line_of(1, store)
        signal.pthread_kill(waiting, signal.SIGINT)

    with ThreadPoolExecutor(2) as threads, ExitStack() as stack:
        stack.callback(go_on.set)
        threads.submit(store.perform, first)
        started.wait()
        interrupting = threads.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.perform(lambda work: work.workspaces.add(records.workspace()))
        interrupting.result()
    assert store.perform(lambda work: work.workspaces.find()) == []
    store.close()


def wait_for_a_line_of(length: int, store: SqlStore) -> None:
    """Until so many verbs wait for the writer."""
    database: Any = store._database
    while database.waiting < length:
        threading.Event().wait(0.001)
