"""A database that cannot be opened is one clear error, without its password."""

import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url

from routing.clock import SystemClock
from routing.store import SqlStore, StoreUnavailable, UnitOfWork, open_store
from tests.store.records import ManualClock, furnish, opened


def complaint(url: str) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url, SystemClock())
    return str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    said = complaint(f"sqlite:///{tmp_path}/missing/tandem.db")
    assert f"{tmp_path}/missing/tandem.db" in said
    assert "folder must exist" in said


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    assert str(tmp_path) in complaint(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 100)
    assert "must be a SQLite database" in complaint(f"sqlite:///{file}")
    assert file.read_text().startswith("Dear Sir")


@pytest.mark.parametrize(
    "url", ["", "tandem.db", "sqlite://", "sqlite:///:memory:", "postgresql://h:port/x"]
)
def test_what_is_not_a_url_of_a_database(url: str) -> None:
    assert "sqlite:///path" in complaint(url)


def test_a_kind_of_database_that_is_not_supported() -> None:
    said = complaint("mysql://tandem:s3cret@127.0.0.1/tandem")
    assert "postgresql://user:password@host:port/name" in said
    assert "s3cret" not in said


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        said = complaint(f"postgresql://tandem:s3cret@127.0.0.1:{port}/tandem")
    assert f"127.0.0.1:{port}/tandem" in said
    assert "Is the server running" in said
    assert "s3cret" not in said


def test_a_database_that_the_server_does_not_have(postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="nowhere")
    assert '"nowhere" does not exist' in complaint(url.render_as_string(hide_password=False))


def test_a_plain_postgresql_url_is_enough(postgres_url: str) -> None:
    url = postgres_url.replace("postgresql+psycopg", "postgresql")
    store = opened(url, ManualClock())
    store.ping()
    store.close()


def test_a_relative_path_is_relative_to_the_present_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    opened("sqlite:///here.db", ManualClock()).close()
    assert (tmp_path / "here.db").exists()


def test_sqlite_is_set_to_keep_what_it_acknowledged(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path}/tandem.db", ManualClock())

    def setting(work: UnitOfWork, name: str) -> object:
        return work.execute(f"PRAGMA {name}", ()).fetchone()

    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2 is FULL
    for name, value in wanted.items():
        assert store.perform(partial(setting, name=name)) == (value,)
    store.close()


def test_a_closed_store_says_so(store: SqlStore) -> None:
    store.ping()
    store.close()
    store.close()
    for use in (
        store.ping,
        lambda: store.perform(lambda work: work.now),
        lambda: store.read(lambda work: work.now),
        lambda: store.unit_of_work().__enter__(),
    ):
        with pytest.raises(StoreUnavailable, match="closed"):
            use()


def test_two_stores_on_one_database_see_each_others_commits(
    store: SqlStore, open_another: Callable[[], SqlStore]
) -> None:
    office = furnish(store)
    other = open_another()
    other.perform(lambda work: work.tasks.change(office.task.sid, priority=3))
    found = store.read(lambda work: work.tasks.get(office.task.sid))
    assert found is not None
    assert found.priority == 3
