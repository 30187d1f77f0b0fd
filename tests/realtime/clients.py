"""Raw clients of a realtime server that runs in the test's own process."""

import asyncio
import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

import flask
import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from routing.realtime.bridge import Bridge, bridge_door
from routing.realtime.hub import HEARTBEAT_SECONDS
from routing.realtime.server import RealtimeServer
from routing.store import SqlStore

#: Seconds for anything to happen; generous, since the machine may be busy with other tests.
PATIENCE = 30.0


class Running:
    """The server in a thread, with an event loop of its own."""

    def __init__(self, bridge: Bridge, store: SqlStore) -> None:
        self._bridge = bridge
        self._store = store
        self._is_ready = threading.Event()
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.port = 0

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        application = flask.Flask("realtime")
        application.register_blueprint(bridge_door(self._bridge, at_root=True))
        self.server = RealtimeServer(self._bridge, self._store, application.wsgi_app)
        await self.server.run("127.0.0.1", 0, self._stop, ready=self._ready)

    def _ready(self, port: int, _loop: object) -> None:
        self.port = port
        self._is_ready.set()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)

    def sockets(self) -> int:
        return len(self.server._hub)

    def until_sockets(self, number: int) -> None:
        """Returns when so many have been let in and are open."""
        tick = threading.Event()
        for _ in range(int(PATIENCE / 0.01)):
            if self.sockets() == number:
                return
            tick.wait(0.01)
        raise AssertionError(f"waited in vain for {number} sockets; there are {self.sockets()}")

    @contextlib.contextmanager
    def connected(
        self, token: str, path: str = "/v1/wschannels", **more: str
    ) -> Iterator["Socket"]:
        query = "&".join(f"{name}={value}" for name, value in {"token": token, **more}.items())
        url = f"ws://127.0.0.1:{self.port}{path}?{query}"
        with connect(url, compression=None, open_timeout=PATIENCE) as connection:
            yield Socket(connection)

    def raw(self, data: bytes) -> bytes:
        """The answer to bytes of any kind."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as plain:
            plain.sendall(data)
            answer = http.client.HTTPResponse(plain)
            answer.begin()
            head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n{answer.headers}"
            return head.encode() + answer.read()


class Socket:
    """A WebSocket that has been let in, or is about to be told why not."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def frame(self) -> Any:
        """The next frame that says something; raises where there are only signs of life."""
        for _ in range(int(PATIENCE / HEARTBEAT_SECONDS) + 1):
            text = self.connection.recv(timeout=PATIENCE)
            if str(text).strip():
                return msgspec.json.decode(text)
        raise AssertionError("waited in vain for a frame")

    def until(self, event_type: str) -> Any:
        """The payload of the next frame of that type."""
        while True:
            told = self.frame()
            if told["event_type"] == event_type:
                return told["payload"]

    def farewell(self) -> str:
        """The reason with which it is closed."""
        try:
            while True:
                self.connection.recv(timeout=PATIENCE)
        except ConnectionClosed as closed:
            return closed.rcvd.reason if closed.rcvd else ""
