"""Clients that send half a request, or none, keep nobody else from being answered."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Self

import pytest

from tests.journeys.house import House

HALF_A_HEAD = b"POST /voice/incoming HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Twilio-Sig"
HALF_A_BODY = (
    b"POST /voice/incoming HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 300\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nCallSid=CA"
)
HALF_A_CHUNK = (
    b"POST /voice/incoming HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nCallS\r\n20\r\nid"
)
EMPTY_LINES = b"\r\n\r\n"
NOTHING = b""
#: Of each kind; all of them together are many times the threads that there are.
MANY = 20

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with House(f"sqlite:///{folder}/house.db", folder) as house:
        yield house


class Client:
    """A connection, and what is read from it answer by answer."""

    def __init__(self, house: House) -> None:
        port = int(house.web.rpartition(":")[2])
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._reader = self._socket.makefile("rb")
        self.send = self._socket.sendall

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._socket.close()

    def status(self) -> str:
        """Of the next answer; the empty text where the connection is closed instead."""
        line = self._reader.readline().decode()
        if not line:
            return ""
        length = 0
        while header := self._reader.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        self._reader.read(length)
        return line.split()[1]


def test_those_who_send_half_a_request_keep_nobody_waiting(house: House) -> None:
    with ExitStack() as stack:
        slow = {
            half: [stack.enter_context(Client(house)) for _ in range(MANY)]
            for half in (HALF_A_HEAD, HALF_A_BODY, HALF_A_CHUNK, EMPTY_LINES, NOTHING)
        }
        for half, clients in slow.items():
            for client in clients:
                client.send(half)
        # A whole call goes through meanwhile: signed webhooks, and the REST door.
        house.dial()
        assert house.offer(house.task()["sid"])["reservation_status"] == "pending"
        # Who does go on is answered: a request's second half, its chunks, two requests at once.
        first, second = slow[HALF_A_HEAD][:2]
        first.send(b"nature: forged\r\nContent-Length: 0\r\n\r\n")
        assert first.status() == "403"
        second.send(b"nature: forged\r\nContent-Length: 2\r\n\r\n")
        second.send(b"a=" + HEALTH + HEALTH[:20])
        assert (second.status(), second.status()) == ("403", "200")
        second.send(HEALTH[20:])
        assert second.status() == "200"
        chunked = slow[HALF_A_CHUNK][0]
        chunked.send(b"=" + b"C" * 29 + b"\r\n0\r\n\r\n" + HEALTH)
        assert (chunked.status(), chunked.status()) == ("403", "200")
        # Who does not is sent away, and who sends headers without end at once.
        endless = stack.enter_context(Client(house))
        endless.send(HALF_A_HEAD + b"n" * 70_000)
        assert endless.status() == "431"
        for clients in slow.values():
            assert clients[-1].status() == ""


def test_a_client_that_does_not_leave_keeps_nobody_waiting(house: House) -> None:
    with ExitStack() as stack:
        staying = [stack.enter_context(Client(house)) for _ in range(MANY)]
        for client in staying:
            client.send(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        for client in staying:
            assert client.status() == "200"
        waiting = stack.enter_context(Client(house))
        waiting.send(HEALTH)
        assert waiting.status() == "200"
        # A body that nobody takes is not waited for, and its sender still reads why.
        long = stack.enter_context(Client(house))
        long.send(HALF_A_BODY.replace(b"300", b"3000000000"))
        assert long.status() == "403"
        assert staying[0].status() == ""
