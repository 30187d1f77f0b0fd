"""The databases that tests are given are fresh, on both kinds."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from routing.clock import SystemClock
from routing.store import open_store
from routing.store.tables import events, workspaces
from tests import postgres
from tests.store import records


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_is_given_an_empty_database(empty_database_url: str, turn: int) -> None:
    engine = sqlalchemy.create_engine(empty_database_url)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(sqlalchemy.text(f"CREATE TABLE left_by_turn_{turn} (id integer)"))
    engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_is_given_a_database_with_our_tables_as_if_nobody_had_been_there(
    database_url: str, turn: int
) -> None:
    assert turn
    with contextlib.closing(open_store(database_url, SystemClock())) as store:
        office = records.furnish(store)
        store.perform(lambda work: work.emit(records.event(office.workspace.sid)))
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        counts = [connection.execute(table.select()).all() for table in (events, workspaces)]
    engine.dispose()
    assert [len(rows) for rows in counts] == [1, 1]
    assert counts[0][0].position == 1


def test_a_connection_that_was_forgotten_does_not_outlive_its_test(
    postgres_server: postgres.Server,
) -> None:
    url = postgres_server.create_database()
    with contextlib.closing(psycopg.connect(postgres.libpq_url(url))) as forgotten:
        forgotten.execute("CREATE TABLE held (id integer)")
        postgres_server.reset_database(url)
        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("SELECT 1")
    postgres_server.drop_database(url)


def test_a_database_can_be_copied_from_another(
    create_postgres_database: Callable[..., str],
) -> None:
    template = create_postgres_database()
    with psycopg.connect(postgres.libpq_url(template)) as connection:
        connection.execute("CREATE TABLE copied (id integer)")
    copy = create_postgres_database(template=template)
    with psycopg.connect(postgres.libpq_url(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM copied").fetchone() == (0,)


def test_a_server_that_is_named_but_cannot_be_used_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    with (
        pytest.raises(postgres.NoPostgreSQL, match="TEST_POSTGRES_URL cannot be used"),
        postgres.server(),
    ):
        pass


def test_a_server_that_is_there_is_found_by_its_name_and_on_its_usual_port(
    postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_POSTGRES_URL", postgres.libpq_url(postgres_server.url))
    with postgres.server() as named:
        assert named.origin.startswith("TEST_POSTGRES_URL ")
        named.drop_database(named.create_database())

    monkeypatch.delenv("TEST_POSTGRES_URL")
    there = sqlalchemy.make_url(postgres_server.url)
    monkeypatch.setattr(postgres, "USUAL_PORT", there.port)
    monkeypatch.setenv("PGUSER", there.username or "")
    monkeypatch.setenv("PGPASSWORD", str(there.password))
    with postgres.server() as local:
        assert local.origin == f"the server on 127.0.0.1:{there.port}, as {there.username}"


OWNER = """
from tests import postgres
with postgres.private_server() as server:
    print(server.url, flush=True)
    input()
"""


@pytest.mark.skipif(not postgres.can_be_started(), reason="no PostgreSQL is installed")
def test_a_private_server_goes_when_its_owner_is_killed() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        with contextlib.closing(psycopg.connect(postgres.libpq_url(url))) as connection:
            connection.execute("LISTEN nothing")
            connection.commit()
            owner.kill()
            with pytest.raises(psycopg.OperationalError, match="terminat"):
                list(connection.notifies(timeout=60))
