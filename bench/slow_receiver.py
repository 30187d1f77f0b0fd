"""A receiver of callbacks that takes its time: `python -m bench.slow_receiver PORT MILLISECONDS`.

POST is answered with 204 after so many milliseconds, GET at once with the number of POSTs so far.
"""

import asyncio
import re
import sys

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class _Server:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._count = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                writer.write(await self._answer(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"GET"):
            body = str(self._count).encode()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        await asyncio.sleep(self._seconds)
        self._count += 1
        return b"HTTP/1.1 204 No Content\r\n\r\n"


async def _main(port: int, milliseconds: int) -> None:
    served = await asyncio.start_server(_Server(milliseconds / 1000).serve, "127.0.0.1", port)
    async with served:
        await served.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
