"""Several servers on one database know the same sessions, and count the same tries."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app import create_app
from routing.background.retention import Purge, Retention
from routing.engine import Engine, users
from routing.store import SqlStore, open_store
from settings import load
from tests.desk.server.front import HERE, PASSWORD_HASH, Browser
from tests.fakes import ManualClock


class Pair:
    """Two servers, as two processes would have them."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.clock = ManualClock()
        environment = {"INSTANCE_PATH": str(folder), "DATABASE_URL": database_url}
        settings = load(environment)
        self.stores: list[SqlStore] = []
        self.apps = []
        for _ in range(2):
            store = open_store(database_url, self.clock)
            store.migrate()
            self.stores.append(store)
            self.apps.append(create_app(settings, clock=self.clock, store=store))
        self.engine = Engine(self.stores[0], self.clock)

    def browser(self, number: int) -> Browser:
        made = Browser(self.apps[number].test_client(), HERE)
        made.look()
        return made


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(database_url, tmp_path / "instance")
    yield made
    for store in made.stores:
        store.close()


def test_tries_at_the_same_moment_are_counted_together(pair: Pair) -> None:
    pair.engine.perform(users.add, name="ann", role="supervisor", password_hash=PASSWORD_HASH)

    def guess(number: int) -> int:
        return pair.browser(number % 2).try_in("ann", f"guess {number}").status_code

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(guess, range(10)))
    assert answers.count(401) <= 5
    assert set(answers) == {401, 429}


def test_a_session_is_known_to_both_and_ended_by_both(pair: Pair) -> None:
    pair.engine.perform(users.add, name="ann", role="supervisor", password_hash=PASSWORD_HASH)
    here = pair.browser(0).sign_in("ann")
    there = pair.browser(1)
    for name, value in here.cookies.items():
        there._client.set_cookie(name, value, domain="127.0.0.1")
    assert there.look()["user"]["name"] == "ann"
    assert there.csrf == here.csrf
    assert there.open("POST", "/desk/sign-out").status_code == 204
    assert here.look()["user"] is None


def test_what_has_ended_is_removed(pair: Pair) -> None:
    pair.engine.perform(users.add, name="ann", role="supervisor", password_hash=PASSWORD_HASH)
    pair.browser(0).sign_in("ann")
    pair.browser(1).try_in("nobody", "guess")
    purge = Purge(pair.stores[0], pair.clock, Retention())

    def kept() -> tuple[int, int]:
        return pair.stores[0].read(
            lambda work: (len(work.sessions.find()), len(work.sign_in_attempts.find()))
        )

    purge.batch()
    sessions, tries = kept()
    assert sessions == 1
    assert tries > 0
    pair.clock.advance(13 * 3600)
    purge.batch()
    assert kept() == (0, 0)
