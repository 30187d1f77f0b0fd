"""A voice application for tests: answers what it was told to, keeps every webhook it got.

A real HTTP server on a free port. Each webhook's signature is checked with Twilio's own validator.
"""

import dataclasses
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

TOKEN = "the account's token"

PATIENCE_SECONDS = 20  # real time; only a broken simulator makes a test wait that long


@dataclasses.dataclass(frozen=True, kw_only=True)
class Received:
    path: str
    method: str
    form: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    is_signed: bool


#: A text that begins like this is a whole document, any other the inside of one.
DOCUMENTS = ("<Response", "<!DOCTYPE", "<Reply", "<?xml")

Reply = str | Response | tuple[str, int] | Callable[[Received], "Reply"]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Application:
    def __init__(self) -> None:
        self._replies: dict[str, Reply] = {}
        self._changed = threading.Condition()
        self.received: list[Received] = []
        flask = Flask("application")
        flask.add_url_rule("/<path:path>", view_func=self._serve, methods=["GET", "POST"])
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, flask, threaded=True, request_handler=_Quiet
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    # -- telling it what to say

    def says(self, path: str, verbs: Reply) -> None:
        """`path` answers with these verbs inside <Response>, or with anything else as it is."""
        self._replies[path] = verbs

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.port}{path}"

    # -- what it got

    def at(self, path: str) -> list[Received]:
        with self._changed:
            return [one for one in self.received if one.path == path]

    def last(self, path: str) -> Mapping[str, str]:
        """The form of the last webhook to `path`."""
        found = self.at(path)
        assert found, f"nothing came to {path}, only to {[one.path for one in self.received]}"
        return found[-1].form

    def wait_for(self, path: str, count: int = 1) -> Received:
        """The webhook number `count` to `path`, as soon as it is there."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: sum(one.path == path for one in self.received) >= count, PATIENCE_SECONDS
            )
        assert came, f"webhook {count} to {path} did not come"
        return self.at(path)[count - 1]

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.received]

    # -- serving

    def _serve(self, path: str) -> Response | tuple[str, int]:
        del path
        form = request.form if request.method == "POST" else None
        received = Received(
            path=request.path,
            method=request.method,
            form=request.form.to_dict(),
            query=request.args.to_dict(),
            headers=dict(request.headers),
            is_signed=RequestValidator(TOKEN).validate(
                # As it was written: request.url has read some of its escapes.
                request.host_url.rstrip("/") + request.environ["REQUEST_URI"],
                form or {},
                request.headers.get("X-Twilio-Signature", ""),
            ),
        )
        with self._changed:
            self.received.append(received)
            self._changed.notify_all()
        reply = self._replies.get(request.path, ("", 404))
        while callable(reply) and not isinstance(reply, Response):
            reply = reply(received)
        if isinstance(reply, str):
            text = reply if reply.startswith(DOCUMENTS) else f"<Response>{reply}</Response>"
            return Response(text, content_type="text/xml")
        return reply

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
