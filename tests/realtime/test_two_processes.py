"""Two realtime servers on one database: whichever holds the socket, the agent hears everything."""

from collections.abc import Iterator

import pytest

from routing.api.operations import RestSettings
from routing.engine import Engine, workers
from routing.realtime.bridge import Bridge
from routing.store import SqlStore, open_store
from tests.api.service import PUBLIC_URL, open_service
from tests.fakes import ManualClock
from tests.realtime.clients import Running
from tests.realtime.conftest import ACCOUNT_SID, AUTH_TOKEN, Keys, Office


@pytest.fixture
def office_on_each(database_url: str) -> Iterator[Office]:
    service = open_service(database_url, ManualClock())
    store = service.engine.store
    assert isinstance(store, SqlStore)
    store.listen()
    yield Office(service)
    store.close()


@pytest.fixture
def servers(office_on_each: Office, database_url: str) -> Iterator[tuple[Running, Running]]:
    """Each with a store of its own, as processes have."""
    settings = RestSettings(
        account_sid=ACCOUNT_SID, auth_tokens=(AUTH_TOKEN,), public_url=PUBLIC_URL
    )
    clock = office_on_each.service.clock
    stores = [open_store(database_url, clock) for _ in range(2)]
    for store in stores:
        store.listen()
    one, two = (Running(Bridge(Engine(store, clock), settings, Keys()), store) for store in stores)
    with one, two:
        yield one, two
    for store in stores:
        store.close()


def test_an_agent_hears_everything_whichever_process_holds_the_socket(
    office_on_each: Office, servers: tuple[Running, Running]
) -> None:
    office, (one, two) = office_on_each, servers
    token = office.token(office.alice)
    with one.connected(token) as here, two.connected(token) as there:
        for socket in (here, there):
            socket.until("init")
        for number in range(30):
            office.service.engine.perform(
                workers.update,
                workspace_sid=office.centre.workspace_sid,
                worker_sid=office.alice,
                attributes=f'{{"mark":{number}}}',
            )
        for socket in (here, there):
            heard = [socket.until("worker.attributes.update")["attributes"] for _ in range(30)]
            assert heard == [f'{{"mark":{number}}}' for number in range(30)]


def test_a_window_that_wants_to_be_alone_closes_those_of_other_processes(
    office_on_each: Office, servers: tuple[Running, Running]
) -> None:
    office, (one, two) = office_on_each, servers
    older, newer = office.token(office.alice), office.token(office.alice, seconds=3000)
    wish = {"closeExistingSessions": "true"}
    with one.connected(older, **wish) as first:
        first.until("init")
        with two.connected(newer, **wish) as second:
            second.until("init")
            assert first.farewell() == "closed by a newer session of this Worker"
