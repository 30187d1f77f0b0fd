"""What may go wrong on the way of a call, at a moment that is told beforehand.

A mishap strikes once at the n-th occasion of its kind, or every time: a callback that comes twice,
late or never, an answer of Twilio's that is an error or is lost, a process that dies.
"""

import io
import itertools
import time
from collections.abc import Callable
from typing import Any, Final

import flask

from voice.phone_line import PhoneLine

#: Twilio's answers to a request, by what goes wrong: (status, code).
REFUSALS: Final = {
    "429": (429, 20429),
    "500": (500, 20500),
    "21220": (400, 21220),
    "20404": (404, 20404),
}
#: Kinds that strike one request to Twilio.
OF_REST: Final = (*REFUSALS, "lost answer")
#: Kinds that strike one callback, or each.
OF_WEBHOOKS: Final = ("twice", "reordered", "lost", "late")
#: Kinds that strike our process: before a request to Twilio, after it, and amid the log.
OF_PROCESS: Final = ("killed before", "killed after", "killed following")
KINDS: Final = (*OF_WEBHOOKS, *OF_REST, *OF_PROCESS)

#: Webhooks that only tell something; the others are asked for a document that a caller waits for.
_NEWS: Final = ("/voice/agent-leg", "/voice/call-status", "/voice/conference", "/voice/outside-leg")
_API: Final = "/2010-04-01/"


class Killed(BaseException):
    """Our process is gone in the middle of what it did."""


class Mishap:
    """None, where no kind is named."""

    def __init__(self, kind: str = "", at: int = 0) -> None:
        self.kind, self.at = kind, at
        #: Occasions so far, by what they are of.
        self.requests = self.callbacks = self.follows_seen = 0
        self._count = itertools.count()
        self._held: list[Callable[[], None]] = []
        #: Nobody hears any webhook.
        self.is_away = False

    def __str__(self) -> str:
        return f"{self.kind or 'nothing'} at {self.at}"

    # ---- Twilio ----------------------------------------------------------------------------------

    def stand_before(self, app: flask.Flask) -> None:
        """From now on it is asked about each request to Twilio's REST API."""

        @app.before_request
        def strike() -> flask.Response | None:
            if not flask.request.path.startswith(_API):
                return None
            number, self.requests = self.requests, self.requests + 1
            flask.g.is_struck = number == self.at and self.kind in OF_REST
            if not flask.g.is_struck or self.kind == "lost answer":
                return None
            # What the door notes of every request, which does not come so far.
            flask.g.began, flask.g.received_at, flask.g.fault = time.monotonic(), 0, None
            status, code = REFUSALS[self.kind]
            answer = flask.jsonify(
                {"code": code, "message": "a mishap", "more_info": "", "status": status}
            )
            answer.status_code = status
            return answer

        @app.after_request
        def lose(response: flask.Response) -> flask.Response:
            if flask.g.get("is_struck") and self.kind == "lost answer":
                flask.request.environ["werkzeug.socket"].shutdown(2)
            return response

    # ---- the webhooks ----------------------------------------------------------------------------

    def serve(self, app: Any, environ: Any, start_response: Any) -> Any:
        """Passes a webhook on to the application; or not, or more than once, or later."""
        path = environ["PATH_INFO"]
        if self.is_away:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        if not path.startswith("/voice/"):
            return app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        is_news = path in _NEWS
        number, self.callbacks = self.callbacks, self.callbacks + is_news

        def deliver() -> None:
            list(app(_again(environ, body), _ignore))

        if self.kind == "twice":
            deliver()
        elif is_news and number == self.at and self.kind == "lost":
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        elif is_news and self.kind in {"reordered", "late"} and self._is_held(number):
            self._held.append(deliver)
            start_response("204 No Content", [])
            return [b""]
        answer = app(_again(environ, body), start_response)
        if self.kind == "reordered":
            self._let_go()
        return answer

    def _is_held(self, number: int) -> bool:
        """Reordered: every second one waits for the next; late: one waits for very long."""
        if self.kind == "late":
            return number == self.at
        return (number + self.at) % 2 == 0 and not self._held

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for deliver in held:
            deliver()

    def end(self) -> None:
        """What is still held back comes now."""
        self._let_go()

    # ---- our process -----------------------------------------------------------------------------

    def line(self, line: PhoneLine) -> PhoneLine:
        return _MortalLine(self, line)

    def follows(self) -> None:
        number, self.follows_seen = self.follows_seen, self.follows_seen + 1
        if self.kind == "killed following" and number == self.at:
            raise Killed

    def asks(self, call: Callable[[], Any]) -> Any:
        number = next(self._count)
        if self.kind == "killed before" and number == self.at:
            raise Killed
        answer = call()
        if self.kind == "killed after" and number == self.at:
            raise Killed
        return answer

    @property
    def occasions(self) -> int:
        """How many there were of the kind, for whoever wants to strike each of them."""
        if self.kind in OF_REST:
            return self.requests
        if self.kind in OF_WEBHOOKS:
            return self.callbacks
        return self.follows_seen if self.kind == "killed following" else next(self._count)


class _MortalLine:
    """The line to Twilio of a process that may die in the middle of using it."""

    def __init__(self, mishap: Mishap, line: PhoneLine) -> None:
        self._mishap, self._line = mishap, line

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._line, name)

        def asked(*args: Any, **kwargs: Any) -> Any:
            return self._mishap.asks(lambda: method(*args, **kwargs))

        return asked


def _again(environ: Any, body: bytes) -> Any:
    return {**environ, "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": False}


def _ignore(*_args: object, **_kwargs: object) -> Callable[[bytes], object]:
    return lambda _written: None
