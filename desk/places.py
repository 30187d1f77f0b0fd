"""Where a browser finds the other servers, and whether it is on this very machine."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from flask import Request

from desk.settings import DeskSettings

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
#: What a proxy or a tunnel on this machine adds to requests from elsewhere.
_PASSED_ON: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


def is_loopback(host: str) -> bool:
    """Does the name or address of a host mean this machine, and it alone?"""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(authority: str) -> str:
    """The host of `host:port`; empty for what is none."""
    found = _HOST_NAME.match(authority)
    rest = authority[found.end() :] if found else authority
    if found is None or re.fullmatch(r"(:\d{1,5})?", rest) is None:
        return ""
    return found.group()


def is_from_this_machine(request: Request) -> bool:
    """No proxy has passed it on, and no name but this machine's own was called.

    A page from elsewhere whose name was made to lead here (DNS rebinding) calls us by that name.
    """
    origin = request.headers.get("Origin")
    return (
        is_loopback(request.remote_addr or "")
        and is_loopback(host_name(request.host))
        and (origin is None or is_loopback(host_name(urlsplit(origin).netloc)))
        and not any(name in request.headers for name in _PASSED_ON)
    )


def address(request: Request) -> str:
    """Whence the request comes: the address that a proxy on this machine has seen, or our own."""
    direct = request.remote_addr or ""
    if not is_loopback(direct):
        return direct
    last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return direct


class Places:
    """The other servers, as the browser that asks can reach them."""

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings

    def realtime(self, request: Request) -> str:
        return _as_seen(self._settings.realtime_url, request)

    def sockets(self, request: Request) -> str:
        return "ws" + self.realtime(request).removeprefix("http")

    def simulator(self, request: Request) -> str | None:
        url = self._settings.simulator_url
        return None if url is None else _as_seen(url, request)


def _as_seen(url: str, request: Request) -> str:
    """What is said of this machine means another one to a browser elsewhere."""
    parts = urlsplit(url)
    seen = host_name(request.host)
    if not is_loopback(parts.hostname or "") or not seen or is_loopback(seen):
        return url
    return f"{parts.scheme}://{seen}:{parts.port}" if parts.port else f"{parts.scheme}://{seen}"
