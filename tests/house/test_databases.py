"""The databases that tests are given are fresh, on both kinds."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests import postgres


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_is_given_an_empty_database(database_url: str, turn: int) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(sqlalchemy.text(f"CREATE TABLE left_by_turn_{turn} (id integer)"))
    engine.dispose()


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
