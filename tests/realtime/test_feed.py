"""The feed: what a supervisor's wall hears of its Workspace, and who may listen."""

import contextlib
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from routing.api.operations import RestSettings
from routing.engine import Engine, tasks, workers, workspaces
from routing.ports import Work
from routing.realtime import feed as feeds
from routing.realtime import feed_door
from routing.realtime.bridge import Bridge
from routing.store import SqlStore, open_store
from tests.api.service import PUBLIC_URL, open_service
from tests.fakes import ManualClock
from tests.realtime.clients import Running, Socket
from tests.realtime.conftest import ACCOUNT_SID, AUTH_TOKEN, Keys, Office

SETTINGS = RestSettings(account_sid=ACCOUNT_SID, auth_tokens=(AUTH_TOKEN,), public_url=PUBLIC_URL)


@pytest.fixture
def running(office: Office) -> Iterator[Running]:
    store = office.service.engine.store
    assert isinstance(store, SqlStore)
    with Running(Bridge(office.service.engine, SETTINGS, Keys()), store) as running:
        yield running


def stream(office: Office) -> str:
    return f"/v1/Workspaces/{office.centre.workspace_sid}/EventStream"


def supervisor(office: Office, **other: Any) -> str:
    return office.token(office.alice, "supervisor", **other)


def rename(office: Office, mark: object) -> None:
    office.service.engine.perform(
        workers.update,
        workspace_sid=office.centre.workspace_sid,
        worker_sid=office.alice,
        attributes=json.dumps({"mark": mark}),
    )


def marks(wall: Socket, count: int) -> list[Any]:
    """Of the next events, which are changes of a Worker."""
    told = [wall.frame() for _ in range(count)]
    assert {each["event_type"] for each in told} == {"worker.attributes.update"}
    return [json.loads(each["event_data"]["worker_attributes"])["mark"] for each in told]


def farewell(wall: Socket) -> tuple[int, str]:
    reason = wall.farewell()
    assert wall.connection.close_code is not None
    return wall.connection.close_code, reason


def test_a_wall_hears_everything_from_now_on_as_rest_tells_of_it(
    office: Office, running: Running
) -> None:
    rename(office, "before")
    with running.connected(supervisor(office, seconds=100), stream(office)) as wall:
        init = wall.frame()
        assert init["event_type"] == "init"
        assert init["payload"]["workspace_sid"] == office.centre.workspace_sid
        assert init["payload"]["token_lifetime"] == 100_000
        newest = office.centre.workspace.events.list(limit=1)[0]
        assert init["payload"]["last_event_id"] == newest.sid
        offer = office.offer()
        office.centre.workspace.task_queues.create(friendly_name="Another")
        told = [wall.frame() for _ in range(6)]
        listed = office.centre.workspace.events.list(limit=6)
        assert [each["sid"] for each in told] == [each.sid for each in reversed(listed)]
        assert told[5]["event_type"] == "task-queue.created"
        assert told[4]["resource_sid"] == offer.sid
        places = [each.pop("sequence") for each in told]
        assert places == sorted(places)
        for each in told:
            path = each["url"].removeprefix(PUBLIC_URL)
            assert office.service.ask("GET", path).json == each


def test_other_workspaces_are_not_told_of(office: Office, running: Running) -> None:
    other = office.service.engine.perform(workspaces.create, friendly_name="Elsewhere")
    with running.connected(supervisor(office), stream(office)) as wall:
        wall.until("init")
        office.service.engine.perform(
            workspaces.update, workspace_sid=other.sid, friendly_name="Still elsewhere"
        )
        rename(office, "here")
        assert marks(wall, 1) == ["here"]


def test_whoever_comes_again_misses_nothing_and_hears_nothing_twice(
    office: Office, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_door, "BATCH", 7)  # so that catching up takes several steps
    token = supervisor(office)
    with running.connected(token, stream(office)) as wall:
        last = wall.until("init")["last_event_id"]
        for number in range(5):
            rename(office, number)
        assert marks(wall, 5) == list(range(5))
    for number in range(5, 60):
        rename(office, number)
    with running.connected(token, stream(office), lastEventId=last) as wall:
        wall.until("init")
        for number in range(60, 80):
            rename(office, number)
        assert marks(wall, 80) == list(range(80))
    with running.connected(token, stream(office), lastEventId="0") as wall:
        wall.until("init")
        assert wall.frame()["event_type"] == "workspace.created"


def test_many_walls_and_an_agent_hear_the_same_in_order(office: Office, running: Running) -> None:
    token = supervisor(office)
    with (
        running.connected(office.token(office.alice)) as agent,
        running.connected(token, stream(office)) as one,
        running.connected(token, stream(office)) as two,
    ):
        for listener in (agent, one, two):
            listener.until("init")
        for number in range(50):
            rename(office, number)
        for wall in (one, two):
            assert marks(wall, 50) == list(range(50))
        told = [agent.until("worker.attributes.update")["attributes"] for _ in range(50)]
        assert told == [json.dumps({"mark": number}) for number in range(50)]
    # With nobody there the follower reads for the agents alone, and goes on doing so.
    with running.connected(office.token(office.alice)) as agent:
        agent.until("init")
        rename(office, "afterwards")
        agent.until("worker.attributes.update")


def test_the_token_may_come_as_the_first_message(office: Office, running: Running) -> None:
    url = f"ws://127.0.0.1:{running.port}{stream(office)}"
    token = supervisor(office)
    rename(office, "before")
    last = office.centre.workspace.events.list(limit=2)[1].sid
    for message in (token, json.dumps({"token": token, "lastEventId": last})):
        with connect(url, compression=None) as connection:
            connection.send(message)
            wall = Socket(connection)
            wall.until("init")
            rename(office, message == token)
            expected = [True] if message == token else ["before", True, False]
            assert marks(wall, len(expected)) == expected


def test_a_feed_ends_with_its_token_unless_it_is_sent_a_newer_one(
    office: Office, running: Running
) -> None:
    clock = office.service.clock
    with running.connected(supervisor(office, seconds=10), stream(office)) as wall:
        wall.until("init")
        wall.connection.send(supervisor(office, seconds=1000))
        with running.connected(supervisor(office, seconds=10), stream(office)) as other:
            other.until("init")
            clock.advance(10)
            assert farewell(other) == (4401, "the token has expired")
        rename(office, "still here")
        assert marks(wall, 1) == ["still here"]
        wall.connection.send("no token at all")
        assert farewell(wall)[0] == 4401


#: What is wrong with the token, and what is said of it.
REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"role": "worker"}, 4403, "expected a token of the role supervisor or admin"),
    ({"workspace_sid": "WS" + "0" * 32}, 4403, "another Workspace"),
    ({"begin": 1, "seconds": -10}, 4401, "it has expired"),
    ({"secret": "a secret that somebody has guessed"}, 4401, "signature"),
    ({"role": "admin", "account_sid": "AC" + "0" * 32}, 4401, "subject"),
]


@pytest.mark.parametrize(("wrong", "code", "why"), REFUSED)
def test_who_may_not_listen_is_told_so(
    office: Office, running: Running, wrong: dict[str, Any], code: int, why: str
) -> None:
    token = office.token(office.alice, **({"role": "supervisor"} | wrong))
    with running.connected(token, stream(office)) as wall:
        said = farewell(wall)
        assert said[0] == code
        assert why in said[1]


def test_what_cannot_be_understood_is_told_so(
    office: Office, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = supervisor(office)
    for last in ("EV" + "0" * 32, "yesterday", "'OR'1=1"):
        with running.connected(token, stream(office), lastEventId=last) as wall:
            assert farewell(wall) == (
                4404,
                "expected lastEventId: the SID of an event that is kept, or 0",
            )
    nowhere = "WS" + "0" * 32
    there = office.token(office.alice, "supervisor", workspace_sid=nowhere)
    with running.connected(there, f"/v1/Workspaces/{nowhere}/EventStream") as wall:
        assert farewell(wall) == (4404, f"no such Workspace: {nowhere}")
    for message in ('{"token":', '{"tokens":1}', b"\x00\xff", "[" * 1000, ""):
        with running.connected(token, stream(office)) as wall:
            wall.until("init")
            wall.connection.send(message)
            assert farewell(wall)[0] in {4401, 1008}
    with running.connected(token, stream(office)) as wall:
        wall.until("init")
        wall.connection.send("x" * 100_000)
        assert farewell(wall)[0] == 1009
    assert token not in caplog.text
    assert token.split(".")[2] not in caplog.text


def test_one_token_opens_a_bounded_number_of_feeds(
    office: Office, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MAX_OF_ONE_TOKEN", 1)
    token = supervisor(office)
    with running.connected(token, stream(office)) as wall:
        wall.until("init")
        with running.connected(token, stream(office)) as second:
            assert farewell(second)[0] == 1013
        with running.connected(office.token(None, "admin"), stream(office)) as other:
            other.until("init")


def test_a_wall_that_takes_nothing_is_dropped_and_told_where_to_go_on(
    office: Office, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MAX_BACKLOG_BYTES", 20_000)
    token = supervisor(office)
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.connect(("127.0.0.1", running.port))
        url = f"ws://127.0.0.1:{running.port}{stream(office)}?token={token}"
        with (
            connect(
                url, sock=narrow, compression=None, max_queue=1, ping_interval=None
            ) as connection,
            running.connected(token, stream(office)) as well,
        ):
            stuck = Socket(connection)
            for wall in (stuck, well):
                wall.until("init")
            number = 0
            while len(running.server._feeds) == 2:
                office.service.engine.perform(_rename_often, office, number)
                marks(well, 50)
                number += 50
            told = _until_closed(stuck)
            code, reason = farewell(stuck)
            assert code == 1013
            assert reason.endswith(f"come again with lastEventId={told[-1]}")
    with running.connected(token, stream(office), lastEventId=told[-1]) as again:
        again.until("init")
        missed = number - len(told)
        assert len(marks(again, missed)) == missed if missed else True


def _rename_often(work: Work, office: Office, begin: int) -> None:
    """Fifty long events."""
    for number in range(begin, begin + 50):
        workers.update(
            work,
            workspace_sid=office.centre.workspace_sid,
            worker_sid=office.alice,
            attributes=json.dumps({"mark": f"{number:04}" * 1000}),
        )


def _until_closed(wall: Socket) -> list[str]:
    """The events that it still hears of."""
    told: list[str] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            told.append(wall.frame()["sid"])
    return told


# ---- with two processes --------------------------------------------------------------------------


@pytest.fixture
def far_office(database_url: str) -> Iterator[Office]:
    service = open_service(database_url, ManualClock())
    store = service.engine.store
    assert isinstance(store, SqlStore)
    store.listen()
    yield Office(service)
    store.close()


def test_each_process_tells_its_walls_everything(far_office: Office, database_url: str) -> None:
    clock, token = far_office.service.clock, supervisor(far_office)
    stores = [open_store(database_url, clock) for _ in range(2)]
    for store in stores:
        store.listen()
    one, two = (Running(Bridge(Engine(store, clock), SETTINGS, Keys()), store) for store in stores)
    with (
        one,
        two,
        one.connected(token, stream(far_office)) as here,
        two.connected(token, stream(far_office)) as there,
    ):
        for wall in (here, there):
            wall.until("init")
        for number in range(20):
            far_office.service.engine.perform(
                tasks.create,
                workspace_sid=far_office.centre.workspace_sid,
                attributes=json.dumps({"number": number}),
            )
        heard = [[wall.frame() for _ in range(80)] for wall in (here, there)]
        assert heard[0] == heard[1]
        made = [each for each in heard[0] if each["event_type"] == "task.created"]
        numbers = [json.loads(each["event_data"]["task_attributes"])["number"] for each in made]
        assert numbers == list(range(20))
    for store in stores:
        store.close()
