"""Thousands of agents' sockets in one process, as small as they can be.

    python -m bench.crowd PORT PATH < tokens, one a line

connects them all, a hundred at a time, says so in a line of JSON with the seconds that took, and
then tells of each `mark` in a Worker's attributes when it was heard. Times are time.perf_counter(),
which on Linux is the same clock in every process.
"""

import asyncio
import base64
import json
import os
import re
import sys
import time

_AT_ONCE = 100
_MARK = re.compile(rb'\\"mark\\":\s*\\"([^\\"]*)\\"')


class _Socket(asyncio.Protocol):
    """Asks for the upgrade, then looks at what comes: each frame is whole or the next one is."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self._request = (
            f"GET {path}?token={token}&closeExistingSessions=false&clientVersion=2.1.1 "
            f"HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self._received = b""
        self.is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]  # of a socket's transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_ready.done():
            self.is_ready.set_exception(exc or ConnectionError(repr(self._received[:200])))

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self.is_ready.done():
            self._received += data
            if b'"event_type":"init"' in self._received:
                self._received = b""
                self.is_ready.set_result(None)
            return
        for mark in _MARK.findall(data):
            print(json.dumps([mark.decode(), now]))


async def _connect(port: int, path: str, tokens: list[str]) -> None:
    loop = asyncio.get_running_loop()
    turns = asyncio.Semaphore(_AT_ONCE)
    sockets = []

    async def one(token: str) -> None:
        async with turns:
            _, socket = await loop.create_connection(
                lambda: _Socket(port, path, token), "127.0.0.1", port
            )
            sockets.append(socket)
            await socket.is_ready

    begin = time.perf_counter()
    await asyncio.gather(*map(one, tokens))
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
    while True:
        await asyncio.sleep(0.05)
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_connect(int(sys.argv[1]), sys.argv[2], sys.stdin.read().split()))
