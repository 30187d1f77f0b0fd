"""Thousands of agents who come back at once, as the SDK does after the server was restarted.

    python -m bench.comeback PORT WORKSPACE_SID < tokens and Workers, a pair a line

Each connects within a fifth of a second, waits for the first frame and then asks for its Worker,
and at once for Activities, channels and Reservations. It is told in a line of JSON how many were
refused something or waited longer than the SDK does, which is fatal for it, and how long all took.
"""

import asyncio
import base64
import json
import os
import random
import sys
import time

#: Seconds after which the SDK comes back.
_AFTER = (0.8, 1.0)
#: Seconds that it waits for an answer, and for a sign of life.
_PATIENCE = 15.0
_SILENCE = 30.0


async def _agent(port: int, workspace_sid: str, token: str, worker_sid: str) -> float:
    """Seconds of the slowest answer; raises OSError or TimeoutError where it is lost."""
    await asyncio.sleep(random.uniform(*_AFTER))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /v1/wschannels?token={token}&clientVersion=2.1.1 HTTP/1.1\r\nHost: x\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
    )
    told = b""
    while b'"event_type":"init"' not in told:
        async with asyncio.timeout(_SILENCE):
            heard = await reader.read(4096)
        if not heard:
            raise ConnectionError(told[-100:])
        told += heard
    base = f"Workspaces/{workspace_sid}"
    me = f"{base}/Workers/{worker_sid}"
    slowest = await _ask(port, token, [(me, {})])
    lists: list[tuple[str, dict[str, str]]] = [
        (f"{base}/Activities", {}),
        (f"{me}/WorkerChannels", {}),
    ]
    lists.append((f"{me}/Reservations", {"Active": "true"}))
    return max(slowest, await _ask(port, token, lists))


async def _ask(port: int, token: str, asked: list[tuple[str, dict[str, str]]]) -> float:
    begin = time.perf_counter()
    async with asyncio.timeout(_PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for url, params in asked:
            body = json.dumps({"url": url, "method": "GET", "params": params, "token": token})
            head = f"POST /v1/wschannels HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(f"{head}{body}".encode())
        for _ in asked:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            await reader.readexactly(length)
            if not head.startswith("http/1.1 200"):
                raise ConnectionError(head.partition("\r\n")[0])
        writer.close()
    return time.perf_counter() - begin


async def _all(port: int, workspace_sid: str, agents: list[list[str]]) -> None:
    begin = time.perf_counter()
    ends = await asyncio.gather(
        *(_agent(port, workspace_sid, *agent) for agent in agents), return_exceptions=True
    )
    answers = [end for end in ends if isinstance(end, float)]
    lost = [repr(end) for end in ends if not isinstance(end, float)]
    told = {
        "lost": len(lost),
        "why": sorted(set(lost))[:3],
        "seconds": time.perf_counter() - begin,
        "slowest": max(answers, default=0.0),
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    lines = [line.split() for line in sys.stdin]
    asyncio.run(_all(int(sys.argv[1]), sys.argv[2], lines))
