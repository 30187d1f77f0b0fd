"""A load generator that costs little itself: requests made beforehand, raw sockets, one process.

    python -m bench.load PORT CONNECTIONS SECONDS < requests

reads length-prefixed HTTP requests, sends them over keep-alive connections, each of them its next
one as soon as it has the answer, and prints the latencies in milliseconds as JSON. The first second
is the server's to get going, and is not counted.
"""

import json
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

#: Before the measuring begins: caches fill, statements are compiled, threads start.
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Load:
    requests_per_second: float
    latencies_ms: list[float]
    #: {HTTP status: how many}
    statuses: dict[str, int]


def run(port: int, requests: Iterable[bytes], *, connections: int, seconds: float) -> Load:
    """Puts that load on 127.0.0.1:`port` from another process."""
    body = b"".join(struct.pack(">I", len(request)) + request for request in requests)
    command = [sys.executable, "-m", "bench.load", str(port), str(connections), str(seconds)]
    done = subprocess.run(command, input=body, stdout=subprocess.PIPE, check=True)
    told = json.loads(done.stdout)
    return Load(told["rate"], told["latencies"], told["statuses"])


def get_request(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def http_request(path: str, form: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(form)}"]
    lines += ["Content-Type: application/x-www-form-urlencoded; charset=UTF-8"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + form


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """The whole answer, once it is there."""
        chunk = self.socket.recv(65_536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self.received += chunk
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                return self.received if len(body) >= int(line.partition(b":")[2]) else None
        return self.received


def _requests(source: BinaryIO) -> Iterator[bytes]:
    while prefix := source.read(4):
        yield source.read(struct.unpack(">I", prefix)[0])


def _generate(port: int, connections: int, seconds: float) -> dict[str, object]:
    requests = iter(list(_requests(sys.stdin.buffer)))
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    statuses: dict[str, int] = {}
    begin = time.perf_counter() + WARM_UP_SECONDS
    for _ in range(connections):
        connection = _Connection(port)
        connection.send(next(requests))
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    busy = connections
    end = begin + seconds
    while busy:
        for key, _events in selector.select():
            connection = key.data
            answer = connection.answer()
            if answer is None:
                continue
            now = time.perf_counter()
            if now >= begin:
                latencies.append((now - connection.sent_at) * 1000)
            status = answer[9:12].decode()
            statuses[status] = statuses.get(status, 0) + 1
            following = next(requests, None) if now < end else None
            if following is None:
                selector.unregister(connection.socket)
                connection.socket.close()
                busy -= 1
            else:
                connection.send(following)
    elapsed = time.perf_counter() - begin
    return {"rate": len(latencies) / elapsed, "latencies": latencies, "statuses": statuses}


if __name__ == "__main__":
    print(json.dumps(_generate(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
