"""A WebSocket as those use it who hold many of them: nothing here ever waits.

Only for the event loop's thread.
"""

import asyncio
from typing import Final

from websockets.asyncio.connection import broadcast
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

#: Seconds that a client has to take what was sent before the goodbye, and to answer that.
FAREWELL_SECONDS: Final = 10.0


class Line:
    __slots__ = ("_connection", "_tasks")

    def __init__(self, connection: ServerConnection, tasks: set["asyncio.Task[None]"]) -> None:
        """`tasks` keeps those that are closing, which nobody else holds."""
        self._connection = connection
        self._tasks = tasks

    def send(self, text: str) -> None:
        """Puts a text frame into the socket's buffer; never raises."""
        broadcast((self._connection,), text)

    def write(self, frames: bytes) -> None:
        """Puts whole frames into the buffer, as they go over the wire."""
        if self._connection.protocol.state is State.OPEN:
            self._connection.transport.write(frames)

    @property
    def backlog(self) -> int:
        """Bytes in that buffer."""
        return self._connection.transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        """Begins to close it, in words that come after all that was sent."""
        task = asyncio.get_running_loop().create_task(self._close(code, reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._connection.close(code, in_a_close_frame(reason))
        except (TimeoutError, ConnectionClosed):
            self.abort()

    def abort(self) -> None:
        self._connection.transport.abort()


def in_a_close_frame(reason: str) -> str:
    """As much of it as there is room for: 123 bytes (RFC 6455, 5.5)."""
    return reason.encode()[:120].decode(errors="ignore")
