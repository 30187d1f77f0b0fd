"""Whose pages may use the control door from a browser: the simulator's own, and those it was told.

A browser names the page's origin with every request that could do something. A page of anybody else
is refused even where its request would need no permission first (a plain form post), so that no
site on the web can make this machine's phones ring. Programs that are no browser send no Origin and
are not concerned. It knows nothing of what is asked for.
"""

import ipaddress
import urllib.parse
from collections.abc import Iterable

from flask import Flask, Response, jsonify, request

DOOR = "/simulator/"

METHODS = "GET, POST, PUT, DELETE"
HEADERS = "Content-Type, Last-Event-ID"
#: Seconds for which a browser need not ask again whether it may.
REMEMBERED = "600"


def origin_of(url: str) -> str | None:
    """`http://host:port` of an http or https URL that is nothing but an origin; else None."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:  # a port that is no number, an unclosed bracket
        return None
    is_bare = not (parts.query or parts.fragment or parts.username) and parts.path in ("", "/")
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_bare:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


def guard(app: Flask, host: str, allowed: Iterable[str]) -> None:
    """Let pages of `allowed` origins in and nobody else's. `host` is where the simulator listens.

    Raises ValueError where one of `allowed` is no origin.
    """
    welcome = frozenset(_checked(url) for url in allowed)

    def refuse() -> tuple[Response, int] | None:
        origin = request.headers.get("Origin")
        if origin is None or not request.path.startswith(DOOR):
            return None
        if origin in welcome or _is_our_own(origin, host):
            return None
        message = f"pages of {origin} may not use this simulator; start it with --allow-origin"
        return jsonify({"error": message}), 403

    def permit(response: Response) -> Response:
        if not request.path.startswith(DOOR):
            return response
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in welcome:
            response.headers["Access-Control-Allow-Origin"] = origin
            if request.method == "OPTIONS":
                _answer_preflight(response)
        return response

    app.before_request(refuse)
    app.after_request(permit)


def _checked(url: str) -> str:
    origin = origin_of(url)
    if origin is None:
        message = f"{url!r}: an origin was expected, as http://127.0.0.1:8000"
        raise ValueError(message)
    return origin


def _answer_preflight(response: Response) -> None:
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Allow-Headers"] = HEADERS
    response.headers["Access-Control-Max-Age"] = REMEMBERED
    # A page with a public address (ngrok's) asks whether it may reach into this machine.
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        response.headers["Access-Control-Allow-Private-Network"] = "true"


def _is_our_own(origin: str, host: str) -> bool:
    """Is it the simulator's page itself?

    A name that a stranger may point at this machine (DNS rebinding) is not believed because the
    request's Host says the same: it has to be an address, localhost, or what we listen on.
    """
    if origin != f"{request.scheme}://{request.host}":
        return False
    name = urllib.parse.urlsplit(origin).hostname or ""
    if name in ("localhost", host):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
