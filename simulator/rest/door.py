"""What all resources share at the door: who asks, faults to order, the log, Twilio's errors."""

import base64
import binascii
import hmac
import threading
import time
from typing import Any

from flask import Blueprint, Flask, Response, g, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected, HTTPException

from simulator.exchange import Exchange
from simulator.faults import Fault
from simulator.parameters import API_VERSION
from simulator.rest import errors
from simulator.rest.errors import RestError, bad, not_found

PREFIX = f"/{API_VERSION}/Accounts"


class Door:
    """Hands the views what they need, and stands around every request."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.network = exchange.network
        self.account_sid = exchange.network.settings.account_sid
        self.born_at = exchange.network.now()
        self._counting = threading.Lock()
        self._under_way = 0

    # -- before and after a request

    def admit(self) -> None:
        """Raises RestError unless the account itself asks, for what is its own."""
        g.began = time.monotonic()
        g.received_at = self.network.now()
        g.fault = None
        self._enter()
        settings = self.network.settings
        sid, token = _credentials(request.headers.get("Authorization", ""))
        secrets = {settings.account_sid: settings.auth_token, **settings.api_keys}
        knows = hmac.compare_digest(token.encode(), secrets.get(sid, "").encode())
        if sid not in secrets or not knows:
            raise RestError(401, errors.UNAUTHORIZED, "Authenticate")
        asked_for = (request.view_args or {}).get("account_sid", self.account_sid)
        if asked_for.removesuffix(".json") != self.account_sid:
            raise not_found(request.path)
        g.fault = self.network.faults.of_rest(request.method, request.path)
        if g.fault is not None and g.fault.do == "429":
            raise RestError(429, errors.TOO_MANY_REQUESTS, "Too Many Requests")
        if g.fault is not None and g.fault.do == "500":
            raise RestError(500, 20500, "An internal server error has occurred")

    def _enter(self) -> None:
        """Raises RestError where too many are in here already; nothing was done then."""
        most = self.network.settings.rest_concurrency
        with self._counting:
            self._under_way += 1
            g.is_counted = True
            if most is not None and self._under_way > most:
                message = "Too many concurrent requests"
                raise RestError(429, errors.TOO_MANY_REQUESTS, message)

    def leave(self, _error: BaseException | None) -> None:
        if g.pop("is_counted", False):
            with self._counting:
                self._under_way -= 1

    def record(self, response: Response) -> Response:
        fault: Fault | None = g.get("fault")
        error = None
        if response.status_code >= 400 and response.is_json:  # noqa: PLR2004 - HTTP's first error
            body: dict[str, Any] = response.get_json()
            error = {"code": body.get("code"), "message": body.get("message")}
        self.network.log.add(
            kind="rest",
            time=g.received_at,
            method=request.method,
            url=request.base_url,
            parameters=_sent(),
            status=response.status_code,
            duration_ms=(time.monotonic() - g.began) * 1000,
            error=error,
            call_sid=_call_sid(),
            answer=None,
        )
        if fault is not None and fault.do == "timeout_after_work":
            _drop_connection()
        elif fault is not None and fault.do == "delay":
            time.sleep(fault.seconds)  # the answer is slow, in the client's own time
        return response


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        sid, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return sid, token


def _call_sid() -> str | None:
    found: str | None = (request.view_args or {}).get("call_sid")
    return found


def _sent() -> dict[str, Any]:
    """The parameters; none, where they did not come whole or are more than anybody reads."""
    try:
        return _as_dict(request.form if request.method == "POST" else request.args)
    except HTTPException:
        return {}


def _as_dict(sent: "MultiDict[str, str]") -> dict[str, Any]:
    """A repeated parameter is a list, any other a text."""
    lists = sent.to_dict(flat=False)
    return {name: values[0] if len(values) == 1 else values for name, values in lists.items()}


def _drop_connection() -> None:
    """The work is done, but the client shall not hear of it: what a time-out looks like."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(2)  # both directions


def blueprint(name: str, door: Door) -> Blueprint:
    """A blueprint of the REST door: every request through it is admitted and recorded."""
    made = Blueprint(name, __name__, url_prefix=PREFIX)
    made.before_request(door.admit)
    made.after_request(door.record)
    made.teardown_request(door.leave)
    return made


def on_error(app: Flask) -> None:
    def refuse(error: RestError) -> tuple[Response, int]:
        return jsonify(error.as_json()), error.status

    def is_gone(_error: ClientDisconnected) -> tuple[Response, int]:
        """Nobody reads it; the log does."""
        return refuse(bad(errors.BAD_VALUE, "the client broke off before it had sent all"))

    app.register_error_handler(RestError, refuse)
    app.register_error_handler(ClientDisconnected, is_gone)


def guard_unknown(app: Flask, door: Door) -> None:
    """Addresses under the API that lead nowhere get Twilio's 404, and a line in the log."""

    def unknown(error: HTTPException) -> Response:
        if not request.path.startswith(f"/{API_VERSION}/"):
            answer = jsonify({"error": f"{request.method} {request.path}: {error.description}"})
            answer.status_code = error.code or 404
            return answer
        status = error.code or 404
        code = errors.NOT_FOUND if status == 404 else 20004  # noqa: PLR2004 - HTTP's not found
        problem = RestError(status, code, f"The requested resource {request.path} was not found")
        response = jsonify(problem.as_json())
        response.status_code = status
        if request.blueprint is not None:  # it stands around this request and records it
            return response
        g.began, g.received_at = time.monotonic(), door.network.now()
        return door.record(response)

    for status in (404, 405, 413):
        app.register_error_handler(status, unknown)
