"""What every test may ask for: a fresh database with our tables in it, on SQLite and on PostgreSQL.

`database_url` runs a test on both; `sqlite_url` and `postgres_url` are for what only one of them
has, and `empty_database_url` and `create_postgres_database` for the few that make their tables
themselves. To make them for each test would take longer than most tests do: SQLite's file is a
copy, and PostgreSQL's databases are cleared and lent again.

One PostgreSQL server (tests/postgres.py) serves the whole run: the process that hands out the tests
starts it, its workers are told the URL. Where none can be had, the tests that need it are skipped
and the summary says so loudly; under CI they fail instead.
"""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from routing.clock import SystemClock
from routing.store import open_store
from routing.store.tables import metadata
from tests import postgres

# The machine may be busy with other tests: how long an example takes says nothing.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


@dataclasses.dataclass(kw_only=True)
class Provision:
    """The run's PostgreSQL server, or the reason why there is none; looked for when first asked."""

    server: postgres.Server | None = None
    reason: str | None = None
    stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    def find(self) -> postgres.Server | None:
        if self.server is None and self.reason is None:
            try:
                self.server = self.stack.enter_context(postgres.server())
            except postgres.NoPostgreSQL as why:
                self.reason = str(why)
        return self.server


PROVISION = pytest.StashKey[Provision]()


def pytest_configure(config: pytest.Config) -> None:
    """A worker of a parallel run is told; everybody else will look for a server."""
    told = getattr(config, "workerinput", {}).get("postgres")
    if told is None:
        config.stash[PROVISION] = Provision()
    elif told["url"] is None:
        config.stash[PROVISION] = Provision(reason=told["reason"])
    else:
        there = postgres.Server(url=told["url"], origin=told["origin"])
        config.stash[PROVISION] = Provision(server=there)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # pytest-xdist has no type
    """Before a worker of a parallel run starts: all of them share one server."""
    provision: Provision = node.config.stash[PROVISION]
    there = provision.find()
    node.workerinput["postgres"] = {
        "url": there.url if there else None,
        "origin": there.origin if there else None,
        "reason": provision.reason,
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    if PROVISION in config.stash:
        config.stash[PROVISION].stack.close()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr)
        if "NO BROWSER" in reason or "JavaScript SDK" in reason:
            terminalreporter.section("NO AGENT'S APPLICATION", sep="!", red=True, bold=True)
            terminalreporter.line(reason, red=True)
    provision = config.stash[PROVISION]
    if provision.server is not None:
        terminalreporter.line(f"PostgreSQL: {provision.server.origin}")
    elif provision.reason is not None:
        terminalreporter.section("NO POSTGRESQL", sep="!", red=True, bold=True)
        terminalreporter.line("Every test on PostgreSQL was left out. The reason:", red=True)
        terminalreporter.line(provision.reason, red=True)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> postgres.Server:
    """The run's PostgreSQL server; skips without one, but fails under CI or if it was named."""
    provision = request.config.stash[PROVISION]
    there = provision.find()
    named = bool(os.environ.get("TEST_POSTGRES_URL"))
    if there is None and (named or os.environ.get("CI", "").lower() in {"1", "true"}):
        pytest.fail(f"no PostgreSQL: {provision.reason}", pytrace=False)
    if there is None:
        pytest.skip(f"no PostgreSQL: {provision.reason}")
    return there


@pytest.fixture(scope="session")
def _spare_databases(postgres_server: postgres.Server) -> Iterator[list[str]]:
    """Empty databases that earlier tests gave back: to reset one is cheaper than to drop it."""
    spare: list[str] = []
    yield spare
    for url in spare:
        postgres_server.drop_database(url)


@pytest.fixture
def create_postgres_database(
    postgres_server: postgres.Server, _spare_databases: list[str]
) -> Iterator[Callable[..., str]]:
    """Call it for the URL of a fresh database, empty or, with `template=url`, a copy of another
    (to which nobody may be connected at that moment)."""
    lent: list[str] = []

    def create(*, template: str | None = None) -> str:
        if template is None and _spare_databases:
            lent.append(_spare_databases.pop())
        else:
            lent.append(postgres_server.create_database(template))
        return lent[-1]

    yield create
    for url in lent:
        postgres_server.reset_database(url)
        _spare_databases.append(url)


@pytest.fixture(scope="session")
def _cleared_databases(postgres_server: postgres.Server) -> Iterator[list[str]]:
    """Databases with our tables, and nothing in them, that earlier tests gave back."""
    cleared: list[str] = []
    yield cleared
    for url in cleared:
        postgres_server.drop_database(url)


@pytest.fixture
def postgres_url(postgres_server: postgres.Server, _cleared_databases: list[str]) -> Iterator[str]:
    """A fresh PostgreSQL database: `postgresql+psycopg://...`."""
    if _cleared_databases:
        url = _cleared_databases.pop()
    else:
        url = postgres_server.create_database()
        _make_tables(url)
    yield url
    postgres_server.clear_database(url, [table.name for table in reversed(metadata.sorted_tables)])
    _cleared_databases.append(url)


@pytest.fixture(scope="session")
def _sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to copy."""
    path = tmp_path_factory.mktemp("tables") / "tandem.sqlite"
    _make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(_sqlite_file: Path, tmp_path: Path) -> str:
    """A fresh SQLite database in a file of its own: `sqlite:////...`."""
    path = tmp_path / "tandem.sqlite"
    shutil.copyfile(_sqlite_file, path)
    return f"sqlite:///{path}"


def _make_tables(url: str) -> None:
    store = open_store(url, SystemClock())
    store.migrate()
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind that Tandem runs on."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind in which nothing is yet; SQLite's file does not exist."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    url: str = request.getfixturevalue("create_postgres_database")()
    return url
