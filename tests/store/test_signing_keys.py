"""API keys: their secrets are sealed in the tables, quick to look up, and dead once revoked."""

import dataclasses
import logging
import stat
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from routing import sids
from routing.errors import InvalidParameter, NotFound
from routing.ports import SigningKeys
from routing.store import SqlStore, UnitOfWork
from routing.store.signing_keys import MAX_REMEMBERED, REVOKED_WITHIN_SECONDS, StoredSigningKeys
from settings import load
from tests import command_line
from tests.store.records import ManualClock

SECRET_KEY = "sixteen characters and more"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keys(store: SqlStore, clock: ManualClock) -> StoredSigningKeys:
    return StoredSigningKeys(store, SECRET_KEY, clock)


def test_a_secret_is_told_once_and_found_by_its_sid(
    store: SqlStore, keys: StoredSigningKeys, clock: ManualClock
) -> None:
    key, secret = keys.create("Dashboard")
    assert sids.is_sid(key.sid, sids.API_KEY)
    assert len(secret) >= 32
    found: SigningKeys = StoredSigningKeys(store, SECRET_KEY, clock)
    assert found.secret(key.sid) == keys.secret(key.sid) == secret
    assert keys.every() == [key]
    assert secret not in key.sealed_secret


def test_a_secret_cannot_be_read_without_the_key_of_the_settings(
    store: SqlStore, keys: StoredSigningKeys, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    key, secret = keys.create("Dashboard")
    with caplog.at_level(logging.DEBUG):
        assert StoredSigningKeys(store, "another one, just as long", clock).secret(key.sid) is None
    assert key.sid in caplog.text
    assert secret not in caplog.text
    assert key.sealed_secret not in caplog.text


def test_a_sealed_secret_is_of_no_use_in_another_row(
    store: SqlStore, keys: StoredSigningKeys
) -> None:
    key, _secret = keys.create("Dashboard")
    stolen = dataclasses.replace(key, sid=sids.new_sid(sids.API_KEY))
    store.perform(lambda work: work.api_keys.add(stolen))
    assert keys.secret(stolen.sid) is None


@pytest.mark.parametrize("sealed", ["", "no base64", "AAAA", "é", "A" * 5000])
def test_a_broken_seal_is_no_secret(store: SqlStore, keys: StoredSigningKeys, sealed: str) -> None:
    key, _secret = keys.create("Dashboard")
    store.perform(lambda work: work.api_keys.change(key.sid, sealed_secret=sealed))
    assert keys.secret(key.sid) is None


def test_a_revoked_key_is_dead_at_once_here_and_soon_elsewhere(
    store: SqlStore, keys: StoredSigningKeys, clock: ManualClock
) -> None:
    elsewhere = StoredSigningKeys(store, SECRET_KEY, clock)
    key, secret = keys.create("Dashboard")
    assert elsewhere.secret(key.sid) == keys.secret(key.sid) == secret
    keys.revoke(key.sid)
    assert keys.secret(key.sid) is None
    clock.advance(REVOKED_WITHIN_SECONDS)
    assert elsewhere.secret(key.sid) is None
    assert keys.every() == []
    with pytest.raises(NotFound):
        keys.revoke(key.sid)


def test_what_was_asked_for_lately_is_not_looked_up_again(
    store: SqlStore, keys: StoredSigningKeys, clock: ManualClock
) -> None:
    key, secret = keys.create("Dashboard")
    assert keys.secret(key.sid) == secret
    store.perform(lambda work: work.api_keys.remove(key.sid))
    assert keys.secret(key.sid) == secret  # from memory
    clock.advance(REVOKED_WITHIN_SECONDS)
    assert keys.secret(key.sid) is None


def test_memory_is_bounded(store: SqlStore, keys: StoredSigningKeys) -> None:
    key, secret = keys.create("First")
    copies = [
        dataclasses.replace(key, sid=sids.new_sid(sids.API_KEY)) for _ in range(MAX_REMEMBERED)
    ]
    resealed = [
        dataclasses.replace(copy, sealed_secret=keys._seal.close(secret, copy.sid))
        for copy in copies
    ]

    def add_all(work: UnitOfWork) -> None:
        for one in resealed:
            work.api_keys.add(one)

    store.perform(add_all)
    for one in (key, *resealed):
        assert keys.secret(one.sid) == secret
    assert len(keys._remembered) == MAX_REMEMBERED


@given(st.text(max_size=40))
def test_no_text_is_a_key_that_there_is_not(text: str) -> None:
    nowhere = StoredSigningKeys(None, SECRET_KEY, ManualClock())  # type: ignore[arg-type]  # unused
    assert sids.is_sid(text, sids.API_KEY) or nowhere.secret(text) is None


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_key_has_a_name(keys: StoredSigningKeys, name: str) -> None:
    with pytest.raises(InvalidParameter, match="FriendlyName"):
        keys.create(name)
    assert keys.every() == []


def test_keys_are_made_listed_and_revoked_on_the_command_line(
    tmp_path: Path, database_url: str
) -> None:
    def keys(*words: str) -> Result:
        return command_line.run("keys", *words, database_url=database_url, folder=tmp_path)

    made = keys("create", "Dashboard")
    assert made.exit_code == 0, made.stderr
    told = dict(line.split() for line in made.stdout.splitlines())
    listed = keys("list").stdout
    assert told["SID"] in listed
    assert "Dashboard" in listed
    assert told["Secret"] not in listed
    assert keys("revoke", told["SID"]).exit_code == 0
    again = keys("revoke", told["SID"])
    assert (again.exit_code, "was not found" in again.stderr) == (1, True)
    assert keys("list").stdout == ""


def test_without_a_setting_the_sealing_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    environment = {"INSTANCE_PATH": str(tmp_path), "CALL_FLOW": "call_flow.toml"}
    first = load(environment)
    assert len(first.tandem_secret_key) >= 32
    assert load(environment).tandem_secret_key == first.tandem_secret_key
    kept = tmp_path / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert first.tandem_secret_key not in repr(first)
    given_one = load({**environment, "TANDEM_SECRET_KEY": SECRET_KEY})
    assert given_one.tandem_secret_key == SECRET_KEY
