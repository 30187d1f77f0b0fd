"""One port for both: whoever asks for a WebSocket gets one, anybody else speaks plain HTTP.

The first request's head decides. HTTP is read here, with a limit on everything, and answered by the
Flask application in a few threads: while one works, nothing more is read from its client.
"""

import asyncio
import http
import io
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

from websockets.asyncio.server import ServerConnection
from werkzeug.exceptions import default_exceptions

from routing.api import errors
from routing.realtime.bridge import MAX_BODY_BYTES

#: Bytes of a request's first line and headers; a token in a URL may have 8192.
MAX_HEAD_BYTES: Final = 16_384
#: Seconds for a whole request to arrive.
REQUEST_SECONDS: Final = 15.0
#: Seconds that a connection is kept for the next one; longer than clients keep theirs.
KEEP_ALIVE_SECONDS: Final = 75.0
#: Milliseconds after which a client that acknowledges nothing is gone (three heartbeats).
_USER_TIMEOUT_MS: Final = 45_000

_UPGRADE: Final = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)
_LINE: Final = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,12000}) HTTP/1\.([01])")
_HEADER: Final = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*"
)

#: A WSGI application, run in another thread: status and headers, body.
Answer = tuple[str, list[tuple[str, str]], bytes]
Respond = Callable[[dict[str, Any]], "asyncio.Future[Answer]"]


class Front(asyncio.Protocol):
    """A connection of which nobody knows yet what it wants."""

    def __init__(self, make_socket: Callable[[], ServerConnection], respond: Respond) -> None:
        self._make_socket = make_socket
        self._respond = respond
        self._received = bytearray()
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
        self._deadline = self._loop.call_later(REQUEST_SECONDS, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's way
        if self._deadline is not None:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 and len(self._received) <= MAX_HEAD_BYTES:
            return
        head = bytes(self._received[: end + 2]) if end >= 0 else b""
        is_socket = _asks_for_a_socket(head)
        self._hand_over(self._make_socket() if is_socket else HttpConnection(self._respond))

    def _hand_over(self, protocol: asyncio.Protocol) -> None:
        transport, deadline = self._transport, self._deadline
        assert transport is not None  # noqa: S101 - data come after the connection
        assert deadline is not None  # noqa: S101
        deadline.cancel()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(bytes(self._received))


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    target: str
    headers: Mapping[str, str]
    keep_alive: bool
    length: int


class _Unreadable(Exception):
    def __init__(self, status: http.HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class HttpConnection(asyncio.Protocol):
    """Requests of one client, one after the other."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._received = bytearray()
        self._head: _Head | None = None
        self._is_answering = False
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._wait(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's way
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        if not self._received and not self._is_answering:
            self._wait(REQUEST_SECONDS)
        self._received += data
        self._read_on()

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._transport is not None:
            self._deadline = self._loop.call_later(seconds, self._transport.abort)

    def _read_on(self) -> None:
        if self._is_answering or self._transport is None:
            return
        try:
            if self._head is None and not self._read_head():
                return
        except _Unreadable as error:
            self._refuse(error.status)
            return
        head = self._head
        assert head is not None  # noqa: S101 - just read
        if len(self._received) < head.length:
            return
        body = bytes(self._received[: head.length])
        del self._received[: head.length]
        self._head = None
        self._answer(head, body)

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > MAX_HEAD_BYTES:
                raise _Unreadable(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return False
        self._head = _parsed(bytes(self._received[:end]))
        del self._received[: end + 4]
        if self._head.headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _answer(self, head: _Head, body: bytes) -> None:
        assert self._transport is not None  # noqa: S101 - looked at before
        self._is_answering = True
        if self._deadline is not None:
            self._deadline.cancel()
        self._transport.pause_reading()
        future = self._respond(environ_of(head.method, head.target, head.headers, body))
        future.add_done_callback(lambda done: self._write(head, done))

    def _write(self, head: _Head, done: "asyncio.Future[Answer]") -> None:
        self._is_answering = False
        if self._transport is None:
            return
        if done.cancelled() or done.exception() is not None:
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE)
            return
        status, headers, body = done.result()
        self._transport.write(_response(status, headers, body, head))
        if not head.keep_alive:
            self._transport.close()
            return
        self._wait(KEEP_ALIVE_SECONDS)
        self._transport.resume_reading()
        if self._received:
            self._read_on()

    def _refuse(self, status: http.HTTPStatus) -> None:
        if self._transport is not None:
            answer = errors.of_http_error(default_exceptions[status.value](), path="")
            headers = [*answer.headers.items(), ("Access-Control-Allow-Origin", "*")]
            line = f"{status.value} {status.phrase}"
            self._transport.write(_response(line, headers, answer.get_data(), None))
            self._transport.close()


def _asks_for_a_socket(head: bytes) -> bool:
    """False for a head that nobody can read, too: HTTP has words for that, a WebSocket none."""
    if not head.startswith(b"GET ") or _UPGRADE.search(head) is None:
        return False
    try:
        _parsed(head.removesuffix(b"\r\n"))
    except _Unreadable:
        return False
    return True


def _parsed(head: bytes) -> _Head:
    """Raises _Unreadable."""
    first, *rest = head.split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise _Unreadable(http.HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    for each in rest:
        header = _HEADER.fullmatch(each)
        if header is None:
            raise _Unreadable(http.HTTPStatus.BAD_REQUEST)
        name = header[1].decode().lower()
        if name in headers and name in {"content-length", "host"}:
            raise _Unreadable(http.HTTPStatus.BAD_REQUEST)
        headers[name] = header[2].decode("latin-1")
    wanted = headers.get("connection", "").lower()
    keep_alive = wanted != "close" if line[3] == b"1" else wanted == "keep-alive"
    return _Head(line[1].decode(), line[2].decode(), headers, keep_alive, _length(headers))


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise _Unreadable(http.HTTPStatus.LENGTH_REQUIRED)
    told = headers.get("content-length", "0")
    if not told.isascii() or not told.isdigit() or len(told) > 12:  # noqa: PLR2004 - of digits
        raise _Unreadable(http.HTTPStatus.BAD_REQUEST)
    if int(told) > MAX_BODY_BYTES:
        raise _Unreadable(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return int(told)


def environ_of(method: str, target: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "realtime",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        if name not in {"content-type", "content-length"}:
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


def run_wsgi(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
    """What the application answers, whole."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _info: object = None
    ) -> Callable[[bytes], None]:
        told.append((status, headers))
        return lambda _data: None

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    status, headers = told[-1]
    return status, headers, body


def _response(
    status: str, headers: Iterable[tuple[str, str]], body: bytes, head: _Head | None
) -> bytes:
    lines = [f"HTTP/1.1 {status}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() != "content-length"]
    lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: " + ("keep-alive" if head and head.keep_alive else "close"))
    encoded = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return encoded if head is not None and head.method == "HEAD" else encoded + body
