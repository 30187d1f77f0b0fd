"""API keys at the door: a SID and secret in place of the account's own credentials."""

from collections.abc import Callable

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from routing.store import SqlStore
from routing.store.signing_keys import StoredSigningKeys
from tests.api.service import ACCOUNT_SID, AUTH_TOKEN, Service, open_app


@pytest.fixture
def keys(service_on_each: Service) -> StoredSigningKeys:
    store = service_on_each.engine.store
    assert isinstance(store, SqlStore)
    return StoredSigningKeys(store, "sixteen characters and more", service_on_each.clock)


@pytest.fixture
def served(service_on_each: Service, keys: StoredSigningKeys) -> Service:
    store = service_on_each.engine.store
    assert isinstance(store, SqlStore)
    return open_app(store, service_on_each.clock, signing_keys=keys)


def test_the_official_client_comes_in_with_a_key(served: Service, keys: StoredSigningKeys) -> None:
    key, secret = keys.create("Dashboard")
    by_key = served.client(key.sid, secret)
    made = by_key.taskrouter.v1.workspaces.create(friendly_name="By key")
    assert made.account_sid == ACCOUNT_SID
    by_token = served.client()
    assert by_token.taskrouter.v1.workspaces(made.sid).fetch().friendly_name == "By key"


def test_only_the_right_pair_opens_the_door(served: Service, keys: StoredSigningKeys) -> None:
    key, secret = keys.create("One")
    other, other_secret = keys.create("Other")
    for user, password in (
        (key.sid, other_secret),
        (key.sid, ""),
        (key.sid, AUTH_TOKEN),
        (key.sid, key.sealed_secret),
        (key.sid.upper(), secret),
        (ACCOUNT_SID, secret),
        ("SK" + "0" * 32, ""),
        ("SK", ""),
    ):
        assert served.ask("GET", "/v1/Workspaces", auth=(user, password)).status_code == 401
    keys.revoke(other.sid)
    for client, is_open in ((_client(served, key.sid), secret), (_client(served, other.sid), "")):
        if is_open:
            assert client(is_open).taskrouter.v1.workspaces.list() == []
        else:
            with pytest.raises(TwilioRestException) as refusal:
                client(other_secret).taskrouter.v1.workspaces("WS" + "0" * 32).fetch()
            assert (refusal.value.status, refusal.value.code) == (401, 20003)


def _client(served: Service, sid: str) -> Callable[[str], Client]:
    return lambda secret: served.client(sid, secret)


def test_each_key_has_a_rate_of_its_own(service_on_each: Service, keys: StoredSigningKeys) -> None:
    store = service_on_each.engine.store
    assert isinstance(store, SqlStore)
    limited = open_app(store, service_on_each.clock, signing_keys=keys, requests_per_second=1)
    for credentials in ((ACCOUNT_SID, AUTH_TOKEN), *((k.sid, s) for k, s in [keys.create("One")])):
        statuses = [
            limited.ask("GET", "/v1/Workspaces", auth=credentials).status_code for _ in range(3)
        ]
        assert statuses == [200, 200, 429]
