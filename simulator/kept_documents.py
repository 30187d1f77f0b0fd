"""Documents that need not be fetched again, since the application has said how long they are good.

As HTTP has it for a cache that many share (RFC 9111): only what was asked for by GET, by its whole
URL with all parameters; nothing that is private, that sets cookies or that depends on who asks.
What has only a mark (ETag, Last-Modified) is asked for again each time, on condition that it has
changed: how long something is good is never guessed.
"""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

import urllib3
from werkzeug.datastructures import ResponseCacheControl
from werkzeug.http import parse_age, parse_cache_control_header, parse_date, parse_set_header

from simulator.clock import MILLISECONDS

MOST_DOCUMENTS = 1000
OK, NOT_MODIFIED = 200, 304

#: What all requests say in the same way, so that an answer may depend on it.
ALWAYS_THE_SAME = ("accept", "accept-encoding", "host", "user-agent")
#: What an answer is known by -> how a request asks for anything else.
CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Kept:
    response: urllib3.BaseHTTPResponse
    good_until: int


class KeptDocuments:
    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()  # of the many who carry webhooks
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def good(self, url: str) -> urllib3.BaseHTTPResponse | None:
        """What `url` answered before, if that is still good."""
        with self._lock:
            found = self._kept.get(url)
        return None if found is None or found.good_until <= self._now() else found.response

    def conditions(self, url: str) -> dict[str, str]:
        """The headers with which `url` is asked for what is not the same as before."""
        with self._lock:
            found = self._kept.get(url)
        headers: Mapping[str, str] = {} if found is None else found.response.headers
        return {asked: headers[mark] for mark, asked in CONDITIONS.items() if mark in headers}

    def take(self, url: str, response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        """What to go on with after this answer of `url`: itself, or what was kept."""
        with self._lock:
            before = self._kept.pop(url, None)
            told: Mapping[str, str] = response.headers
            if response.status == NOT_MODIFIED and before is not None:
                response = before.response
                if not {"Cache-Control", "Expires"} & set(told):
                    told = response.headers
            lifetime = _lifetime(told)
            if _may_be_kept(response, lifetime):
                until = self._now() + lifetime * MILLISECONDS
                self._kept[url] = _Kept(response=response, good_until=until)
                if len(self._kept) > MOST_DOCUMENTS:
                    self._kept.popitem(last=False)
        return response


def _orders(headers: Mapping[str, str]) -> ResponseCacheControl:
    return parse_cache_control_header(headers.get("Cache-Control"), cls=ResponseCacheControl)


def _may_be_kept(response: urllib3.BaseHTTPResponse, lifetime: int) -> bool:
    headers, orders = response.headers, _orders(response.headers)
    forbidden = orders.no_store or orders.private is not None or "Set-Cookie" in headers
    depends = set(parse_set_header(headers.get("Vary")).as_set()) - set(ALWAYS_THE_SAME)
    is_of_use = lifetime > 0 or any(mark in headers for mark in CONDITIONS)
    return response.status == OK and is_of_use and not forbidden and not depends


def _lifetime(headers: Mapping[str, str]) -> int:
    """For how many more seconds it is good; 0: it has to be asked for again."""
    orders = _orders(headers)
    if orders.no_cache is not None:
        return 0
    expires, sent = parse_date(headers.get("Expires")), parse_date(headers.get("Date"))
    whole = orders.s_maxage if orders.s_maxage is not None else orders.max_age
    if whole is None and expires is not None and sent is not None:
        whole = int((expires - sent).total_seconds())
    age = parse_age(headers.get("Age"))
    return max((whole or 0) - (0 if age is None else int(age.total_seconds())), 0)
