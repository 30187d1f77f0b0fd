"""What a socket is told, in which order, and how it ends."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from routing.api.operations import RestSettings
from routing.engine import instructions, presences, reservations, tasks, transfers, workers
from routing.realtime import hub as hubs
from routing.realtime.bridge import Bridge
from routing.store import SqlStore
from tests.api.service import PUBLIC_URL
from tests.realtime.clients import Running
from tests.realtime.conftest import ACCOUNT_SID, AUTH_TOKEN, Keys, Office


@pytest.fixture
def running(office: Office) -> Iterator[Running]:
    store = office.service.engine.store
    assert isinstance(store, SqlStore)
    settings = RestSettings(
        account_sid=ACCOUNT_SID, auth_tokens=(AUTH_TOKEN,), public_url=PUBLIC_URL
    )
    with Running(Bridge(office.service.engine, settings, Keys()), store) as running:
        yield running


def rename(office: Office, worker_sid: str, mark: str) -> None:
    office.service.engine.perform(
        workers.update,
        workspace_sid=office.centre.workspace_sid,
        worker_sid=worker_sid,
        attributes=f'{{"mark":"{mark}"}}',
    )


def test_the_first_frame_says_who_it_is_and_how_long(office: Office, running: Running) -> None:
    with running.connected(office.token(office.alice, seconds=100)) as socket:
        first = socket.frame()
        assert first == {
            "event_type": "init",
            "payload": {
                "channel_id": office.alice,
                "account_sid": ACCOUNT_SID,
                "workspace_sid": office.centre.workspace_sid,
                "token_lifetime": 100_000,
            },
        }


def test_each_worker_hears_its_own_in_order_and_nobody_elses(
    office: Office, running: Running
) -> None:
    with (
        running.connected(office.token(office.alice)) as alice,
        running.connected(office.token(office.alice)) as other_window,
        running.connected(office.token(office.bob)) as bob,
    ):
        for socket in (alice, other_window, bob):
            socket.until("init")
        for number in range(20):
            rename(office, office.alice, f"alice {number}")
            rename(office, office.bob, f"bob {number}")
        for name, socket in (("alice", alice), ("alice", other_window), ("bob", bob)):
            heard = [socket.until("worker.attributes.update")["attributes"] for _ in range(20)]
            assert heard == [f'{{"mark":"{name} {number}"}}' for number in range(20)]


def test_what_happened_before_it_came_is_not_told(office: Office, running: Running) -> None:
    rename(office, office.alice, "before")
    with running.connected(office.token(office.alice)) as socket:
        socket.until("init")
        rename(office, office.alice, "after")
        assert socket.frame()["payload"]["attributes"] == '{"mark":"after"}'


def test_what_happens_while_a_client_reads_the_tables_is_told_it_afterwards(
    office: Office, running: Running
) -> None:
    token, me = office.token(office.alice), f"{office.base}/Workers/{office.alice}"

    def read(url: str, params: str = "{}") -> Any:
        body = f'{{"url":"{url}","method":"GET","params":{params},"token":"{token}"}}'
        head = f"POST /v1/wschannels HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        told = running.raw(f"{head}{body}".encode()).rpartition(b"\n")[2]
        return msgspec.json.decode(told)["payload"]

    old = office.offer()
    with running.connected(token) as socket:
        socket.until("init")
        fresh = office.offer(routing_target=office.alice)
        assert socket.until("reservation.created")["sid"] == fresh.sid  # which the SDK drops
        read(me)
        engine = office.service.engine
        rename(office, office.alice, "after it was read")
        engine.perform(reservations.accept, reservation_sid=old.sid)
        engine.perform(reservations.accept, reservation_sid=fresh.sid)
        listed = read(f"{me}/Reservations", '{"Active":"true"}')["contents"]
        assert [(each["sid"], each["reservation_status"]) for each in listed] == [
            (old.sid, "accepted")
        ]
        missed = office.offer(routing_target=office.alice)
        read(f"{me}/WorkerChannels")
        read(f"{office.base}/Activities")
        told = [socket.frame() for _ in range(4)]
        assert [(each["event_type"], each["payload"]["sid"]) for each in told] == [
            ("reservation.created", fresh.sid),
            ("worker.attributes.update", office.alice),
            ("reservation.accepted", fresh.sid),
            ("reservation.created", missed.sid),
        ]
        rename(office, office.alice, "from now on at once")
        assert "at once" in socket.frame()["payload"]["attributes"]


def test_whoever_cannot_know_an_activity_or_a_channel_is_to_read_anew(
    office: Office, running: Running
) -> None:
    token, workspace = office.token(office.alice), office.centre.workspace
    alice = workspace.workers(office.alice)
    changes = {
        "an Activity": lambda: alice.update(
            activity_sid=workspace.activities.create(friendly_name="Lunch").sid
        ),
        "a channel": lambda: alice.worker_channels(
            workspace.task_channels.create(friendly_name="Fax", unique_name="fax").unique_name
        ).update(capacity=2),
    }
    for change in changes.values():
        with running.connected(token) as socket:
            socket.until("init")
            office.service.clock.advance(1)
            change()
            assert socket.farewell() == "something new is to be read: come again"
    with running.connected(token) as socket:
        socket.until("init")
        alice.worker_channels("fax").update(capacity=3)
        assert socket.until("worker.capacity.update")["configured_capacity"] == 3


def test_a_task_that_is_deleted_is_told_of_as_it_was(office: Office, running: Running) -> None:
    with running.connected(office.token(office.alice)) as socket:
        socket.until("init")
        offer = office.offer(attributes='{"to":"be told"}')
        created = socket.until("reservation.created")
        assert created["sid"] == offer.sid
        assert created["task"]["attributes"] == '{"to":"be told"}'
        assert "task_transfer" not in created
        engine = office.service.engine
        engine.perform(reservations.accept, reservation_sid=offer.sid)
        assert socket.until("reservation.accepted")["task"]["assignment_status"] == "assigned"
        engine.perform(
            tasks.delete, workspace_sid=office.centre.workspace_sid, task_sid=offer.task_sid
        )
        assert socket.until("reservation.completed")["task"]["sid"] == offer.task_sid


def test_everybody_with_a_part_in_a_task_hears_of_it(office: Office, running: Running) -> None:
    with running.connected(office.token(office.bob)) as bob:
        bob.until("init")
        mine, his = office.offer(office.alice), office.offer(office.bob)
        office.service.engine.perform(
            tasks.cancel,
            workspace_sid=office.centre.workspace_sid,
            task_sid=mine.task_sid,
            reason="not Bob's",
        )
        office.service.engine.perform(
            tasks.cancel,
            workspace_sid=office.centre.workspace_sid,
            task_sid=his.task_sid,
            reason="Bob's",
        )
        told = bob.until("reservation.canceled")
        assert (told["task"]["assignment_status"], told["task"]["reason"]) == ("canceled", "Bob's")
        assert bob.until("task.canceled")["reason"] == "Bob's"


def test_the_end_of_a_task_is_told_to_all_who_had_it(office: Office, running: Running) -> None:
    engine, workspace_sid = office.service.engine, office.centre.workspace_sid
    with (
        running.connected(office.token(office.alice)) as alice,
        running.connected(office.token(office.bob)) as bob,
    ):
        for socket in (alice, bob):
            socket.until("init")
        hers = office.offer(office.alice)
        engine.perform(reservations.accept, reservation_sid=hers.sid)
        engine.perform(
            transfers.initiate,
            workspace_sid=workspace_sid,
            task_sid=hers.task_sid,
            reservation_sid=hers.sid,
            to=office.bob,
        )
        his = bob.until("reservation.created")
        engine.perform(reservations.accept, reservation_sid=his["sid"])
        # Alice has handed it on, and hears what became of it, though it ends with Bob.
        engine.perform(reservations.complete, reservation_sid=hers.sid)
        alice.until("reservation.completed")
        engine.perform(
            tasks.complete, workspace_sid=workspace_sid, task_sid=hers.task_sid, reason="by Bob"
        )
        for socket in (alice, bob):
            ended = socket.until("task.completed")
            assert (ended["sid"], ended["reason"]) == (hers.task_sid, "by Bob")


def test_who_has_a_task_hears_of_it_long_after_something_failed(
    office: Office, running: Running
) -> None:
    engine, workspace_sid = office.service.engine, office.centre.workspace_sid
    with running.connected(office.token(office.alice)) as socket:
        socket.until("init")
        offer = office.offer(office.alice)
        accepted = engine.perform(reservations.accept, reservation_sid=offer.sid)
        engine.perform(
            instructions.tell_failure, accepted, kind="supervise", failure="40147: no contact_uri"
        )
        assert socket.until("reservation.failed")["sid"] == offer.task_sid
        for number in range(2):
            office.service.clock.advance(20)
            engine.perform(
                tasks.update,
                workspace_sid=workspace_sid,
                task_sid=offer.task_sid,
                attributes=f'{{"number":{number}}}',
            )
            assert socket.until("task.updated")["attributes"] == f'{{"number":{number}}}'


def test_why_an_offer_was_canceled_is_told_in_twilios_number(
    office: Office, running: Running
) -> None:
    for worker_sid, code in ((office.alice, 13223), (office.bob, None)):
        with running.connected(office.token(worker_sid)) as socket:
            socket.until("init")
            offer = office.offer(worker_sid)
            office.service.engine.perform(
                reservations.cancel,
                reservation_sid=offer.sid,
                reason="whatever it was",
                reason_code=code,
            )
            assert socket.until("reservation.canceled").get("canceled_reason_code") == code


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "expected a JSON Web Token"),
        ("x" * 7000, "expected a JSON Web Token"),
        ("a.b.c", "its header cannot be read"),
    ],
)
def test_a_wrong_token_is_let_in_and_told_why_not(running: Running, token: str, why: str) -> None:
    with running.connected(token) as socket:
        assert why in socket.farewell()
    assert running.sockets() == 0


def test_whose_token_has_no_worker_or_a_deleted_one_is_told_so(
    office: Office, running: Running
) -> None:
    with running.connected(office.token(None, "admin")) as socket:
        assert "a token without a Worker" in socket.farewell()
    with running.connected(office.token("WK" + "0" * 32)) as socket:
        assert "no such Worker" in socket.farewell()
    elsewhere = office.token(office.alice, workspace_sid="WS" + "0" * 32)
    with running.connected(elsewhere) as socket:
        assert "no such Workspace" in socket.farewell()


def test_a_socket_ends_with_its_token(office: Office, running: Running) -> None:
    with running.connected(office.token(office.alice, seconds=10)) as socket:
        socket.until("init")
        office.service.clock.advance(10)
        assert socket.farewell() == "the token has expired"


def test_a_request_with_a_newer_token_keeps_the_socket_open(
    office: Office, running: Running
) -> None:
    with running.connected(office.token(office.alice, seconds=10)) as socket:
        socket.until("init")
        newer = office.token(office.alice, seconds=1000)
        body = (
            f'{{"url":"{office.base}/Activities","method":"GET","params":{{}},"token":"{newer}"}}'
        )
        answer = running.raw(
            f"POST /v1/wschannels HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n{body}".encode()
        )
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"Access-Control-Allow-Origin: *" in answer
        office.service.clock.advance(20)
        rename(office, office.alice, "still here")
        assert "still here" in socket.until("worker.attributes.update")["attributes"]


def test_two_windows_that_want_to_be_alone_do_not_evict_each_other_for_ever(
    office: Office, running: Running
) -> None:
    first, second = office.token(office.alice), office.token(office.alice, seconds=3000)
    with running.connected(first, closeExistingSessions="true") as one:
        one.until("init")
        with running.connected(second, closeExistingSessions="true") as two:
            two.until("init")
            assert one.farewell() == "closed by a newer session of this Worker"
            # The SDK comes back by itself, with the same wish.
            with running.connected(first, closeExistingSessions="true") as again:
                again.until("init")
                rename(office, office.alice, "both")
                for socket in (two, again):
                    assert "both" in socket.until("worker.attributes.update")["attributes"]


def test_a_client_that_talks_is_told_to_use_the_event_bridge(
    office: Office, running: Running
) -> None:
    for said in ("hello", b"\x00\xff", "[" * 1000):
        with running.connected(office.token(office.alice)) as socket:
            socket.until("init")
            socket.connection.send(said)
            assert "event bridge" in socket.farewell()
    with running.connected(office.token(office.alice)) as socket:
        socket.until("init")
        socket.connection.send("x" * 100_000)
        socket.farewell()


def test_a_worker_has_a_bounded_number_of_sockets_and_those_that_are_there_stay(
    office: Office, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "MAX_SESSIONS", 2)
    token, offline = office.token(office.alice), {"setWorkerOfflineIfDisconnected": "true"}
    with running.connected(token) as oldest:
        oldest.until("init")
        for _ in range(3):
            with running.connected(token) as second:
                second.until("init")
                with running.connected(token, **offline) as third:
                    assert "2 sockets of this Worker" in third.farewell()
        rename(office, office.alice, "the oldest is still here")
        oldest.until("worker.attributes.update")
        with running.connected(token) as second:
            second.until("init")
            with running.connected(token, closeExistingSessions="true") as alone:
                alone.until("init")
                assert oldest.farewell() == "closed by a newer session of this Worker"
    assert not office.service.engine.read(lambda work: work.presences.find())


def test_whoever_asked_for_it_goes_offline_when_it_says_goodbye(
    office: Office, running: Running
) -> None:
    wish = {"setWorkerOfflineIfDisconnected": "true"}
    engine, store = office.service.engine, office.service.engine.store
    assert isinstance(store, SqlStore)
    with running.connected(office.token(office.alice), **wish) as socket:
        socket.until("init")
        [presence] = engine.read(lambda work: work.presences.find())
    left = store.subscribe(frozenset({"due presences"}))
    seen = left.seen()
    while engine.read(lambda work: work.presences.find())[0].due_at > engine.clock.now():
        seen = left.wait(seen, 1.0)
    assert engine.perform(presences.lapse, presence_sid=presence.sid)
    alice = engine.read(lambda work: work.workers.get(office.alice))
    assert alice is not None
    assert alice.activity_sid == office.centre.offline_sid


GARBAGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50 + b"\r\n\r\n",
    "a long line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "a long head": b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length that is none": b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "too long a body": b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
    "chunks": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a smuggled header": b"POST / HTTP/1.1\r\nX : y\r\n\r\n",
    "an unknown path": b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    "another method": b"DELETE /v1/wschannels HTTP/1.1\r\nHost: x\r\n\r\n",
    "a socket elsewhere": (
        b"GET /elsewhere HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ),
    "a socket without a key": (
        b"GET /v1/wschannels HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n"
    ),
    "a socket with a header that is none": (
        b"GET /v1/wschannels HTTP/1.1\r\nUpgrade: websocket\r\nConnection Upgrade\r\n\r\n"
    ),
    "a socket with a header of nobody's": (
        b"GET /v1/wschannels HTTP/1.1\r\nUpgrade: websocket\r\nX: \x01\r\n\r\n"
    ),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused(running: Running, name: str) -> None:
    answer = running.raw(GARBAGE[name])
    assert 400 <= int(answer[9:12]) < 500
    if name not in {"a socket elsewhere", "a socket without a key"}:
        assert b"Access-Control-Allow-Origin: *" in answer
        assert msgspec.json.decode(answer.rpartition(b"\n")[2])["message"]
