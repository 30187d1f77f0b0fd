"""Somebody else's server: a real HTTP server on a free port that answers as it is told.

It keeps every request as it came, and checks each signature with Twilio's own validator.
"""

import dataclasses
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

TOKEN = "the account's token"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Received:
    path: str
    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def fields(self) -> dict[str, str]:
        if self.headers["Content-Type"].startswith("application/json"):
            return dict(json.loads(self.body))
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def event(self) -> str:
        return self.fields["EventType"]

    @property
    def token(self) -> str:
        return self.headers["I-Twilio-Idempotency-Token"]

    def is_signed_with(self, token: str, header: str = "X-Twilio-Signature") -> bool:
        is_json = self.headers["Content-Type"].startswith("application/json")
        params: Any = self.body.decode() if is_json else self.fields
        answer = RequestValidator(token).validate(self.url, params, self.headers[header])
        return bool(answer)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reply:
    status: int = 204
    body: bytes = b""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


def json_reply(value: object, status: int = 200) -> Reply:
    return Reply(
        status=status,
        body=json.dumps(value).encode(),
        headers={"Content-Type": "application/json"},
    )


Behaviour = Callable[[Received], Reply]


class Receiver:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self._behaviours: dict[str, Behaviour] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # What is written in two parts must not wait for the other side's confirmation.
            wbufsize = -1

            def do_POST(self) -> None:
                receiver._serve(self)

            def do_GET(self) -> None:
                receiver._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def url(self, path: str = "/events", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self._server.server_port}{path}"

    def answers(self, path: str, reply: Reply | Behaviour) -> None:
        """`path` is answered like this from now on; everything else with 204."""
        self._behaviours[path] = reply if callable(reply) else lambda _: reply

    def events(self) -> list[str]:
        return [each.event for each in self.received if each.path == "/events"]

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        announced = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(announced)
        if len(body) < announced:
            return  # whoever sent it was killed between head and body: nothing was received
        received = Received(
            path=urlsplit(request.path).path,
            url=f"http://{request.headers['Host']}{request.path}",
            body=body,
            headers=dict(request.headers.items()),
        )
        self.received.append(received)
        behaviour = self._behaviours.get(received.path)
        reply = behaviour(received) if behaviour else Reply()
        request.send_response(reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        if "Content-Length" not in reply.headers and reply.status != 204:
            request.send_header("Content-Length", str(len(reply.body)))
        request.end_headers()
        request.wfile.write(reply.body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
