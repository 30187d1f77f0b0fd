"""One POST to somebody else's server: to a checked address, in bounded time, for a bounded answer.

The connection is made to the address that was judged, while Host header, SNI and certificate stay
those of the name, so a name that changes between look and connect gains nothing. Redirects are not
followed, proxies and cookies not used. The time covers everything, however slowly a server trickles
its answer: a watch closes the socket when it is over.
"""

import base64
import contextlib
import heapq
import itertools
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_auth_from_url
from urllib3.connection import HTTPConnection, HTTPSConnection

from routing.background.callbacks import addresses
from routing.background.callbacks.addresses import Network, Refused, Resolve

#: Seconds to get a connection; the rest of the time is for the answer.
CONNECT_SECONDS: Final = 4.0
#: Bytes of an answer that are looked at: the longest instruction is a few kilobytes.
MAX_ANSWER_BYTES: Final = 65_536
#: Receivers to which one thread keeps a connection open.
_KEPT_CONNECTIONS: Final = 8


class NotPosted(Exception):
    """No answer came; the message tells why."""


class NeverPosted(NotPosted):
    """It could not be sent as it is, and will not be able to: a refused address, a broken URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What was answered."""

    status: int
    content_type: str
    #: At most MAX_ANSWER_BYTES of it.
    body: bytes
    #: Is that all of the body?
    is_whole: bool
    #: Seconds that the receiver wants to be left alone for; None where it did not say.
    retry_after: int | None

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's successes


class Poster(Protocol):
    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        seconds: float,
        method: str = "POST",
    ) -> Posted:
        """Raises NotPosted when no answer came within the seconds. `method` is GET or POST."""
        ...


@lru_cache(maxsize=1024)
def wire_url(url: str) -> str:
    """The URL as it is asked for: what a receiver sees, and what is signed.

    Quoted, with a path, without credentials and fragment. Raises NeverPosted for what is no URL.
    """
    try:
        prepared = requests.Request("POST", url).prepare().url or ""
        parts = urlsplit(prepared)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except (ValueError, requests.RequestException):
        is_good, parts = False, urlsplit("")
    if not is_good:
        raise NeverPosted("expected an absolute http or https URL")
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc, fragment="").geturl()


def credentials(url: str) -> dict[str, str]:
    """The header that carries user and password of the URL, where it has them."""
    user, password = get_auth_from_url(url)
    if not user:
        return {}
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


class HttpPoster:
    """Fulfils Poster with requests; used by any number of threads."""

    def __init__(
        self, *, allowed: Sequence[Network] = (), resolve: Resolve = addresses.resolve
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._own = threading.local()
        self._watch = _Watch()

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        seconds: float,
        method: str = "POST",
    ) -> Posted:
        """Raises NotPosted when no answer came within the seconds."""
        exchange = _Exchange(self._resolve, self._allowed)
        with self._watch.over(exchange, seconds), _taking_part(exchange):
            try:
                posted = self._post(exchange, method, url, body, headers, seconds)
                # A socket that the watch has closed looks like the end of an answer.
                exchange.check_time()
            except Refused as error:
                raise NeverPosted(str(error)) from None
            except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
                raise NeverPosted("expected an absolute http or https URL") from error
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise NotPosted(exchange.trouble(error, seconds)) from error
            return posted

    def _post(  # noqa: PLR0917 - the parts of one request
        self,
        exchange: "_Exchange",
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        seconds: float,
    ) -> Posted:
        try:
            return self._once(method, url, body, headers, seconds)
        except (requests.ConnectionError, urllib3.exceptions.ProtocolError):
            if exchange.is_over or exchange.has_connected:
                raise
            # The server had closed the kept connection in the moment we used it.
            return self._once(method, url, body, headers, seconds)

    def _once(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> Posted:
        # Prepared by hand and sent by the adapter: a session's hooks, cookies, redirects and
        # environment are not wanted here, and take as long as all the rest.
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, url, body
        request.headers = CaseInsensitiveDict(headers)
        if method == "POST":
            request.headers["Content-Length"] = str(len(body))
        timeout = (min(CONNECT_SECONDS, seconds), seconds)
        answer = self._adapter().send(request, stream=True, timeout=timeout)
        with contextlib.closing(answer):
            read = answer.raw.read(MAX_ANSWER_BYTES + 1, decode_content=False)
            return Posted(
                status=answer.status_code,
                content_type=answer.headers.get("Content-Type", ""),
                body=read[:MAX_ANSWER_BYTES],
                is_whole=len(read) <= MAX_ANSWER_BYTES,
                retry_after=_seconds(answer.headers.get("Retry-After", "")),
            )

    def _adapter(self) -> "_CheckedAdapter":
        """The thread's own, with the connections that it keeps open."""
        adapter: _CheckedAdapter | None = getattr(self._own, "adapter", None)
        if adapter is None:
            adapter = self._own.adapter = _CheckedAdapter(pool_connections=_KEPT_CONNECTIONS)
        return adapter


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004


class _Exchange:
    """One request and its answer, as its connection and the watch see it."""

    def __init__(self, resolve: Resolve, allowed: Sequence[Network]) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._connection: _Checked | None = None
        self.is_over = False
        #: A connection was made for it; without that it uses one that was kept open.
        self.has_connected = False

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """A socket to an address of the host that is permitted; raises Refused, OSError."""
        self.has_connected = True
        found = self._resolve(host)
        error: OSError | None = None
        for address in addresses.permitted(host, found, self._allowed):
            try:
                self.check_time()
                connected = socket.create_connection((address, port), seconds)
            except OSError as failed:
                error = failed
                continue
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
        raise error or OSError(f"{host} has no address")

    def use(self, connection: "_Checked") -> None:
        """It goes on over this connection."""
        self._connection = connection
        self.check_time()

    def check_time(self) -> None:
        if self.is_over:
            raise TimeoutError

    def end(self) -> None:
        """Its time is over: whoever waits for the socket learns that at once."""
        self.is_over = True
        if self._connection is not None:
            self._connection.cut()

    def trouble(self, error: Exception, seconds: float) -> str:
        """What happened, in a line without addresses of ours."""
        if self.is_over or isinstance(error, requests.Timeout | TimeoutError):
            return f"no answer within {seconds:g} seconds"
        reason: object = error
        for _ in range(4):  # requests and urllib3 wrap what happened several times over
            args = getattr(reason, "args", ())
            reason = getattr(reason, "reason", None) or (args[-1] if args else reason)
            if isinstance(reason, OSError) and reason.strerror:
                return f"the connection failed: {reason.strerror}"
            if not isinstance(reason, Exception):
                break
        return f"the connection failed: {type(error).__name__}"


_part = threading.local()


@contextlib.contextmanager
def _taking_part(exchange: _Exchange) -> Iterator[None]:
    """Connections that this thread uses meanwhile belong to the exchange."""
    _part.exchange = exchange
    try:
        yield
    finally:
        del _part.exchange


class _Checked(HTTPConnection):
    """Connects where its exchange says, and to nobody else."""

    #: The same socket once more: TLS takes the first one apart while it shakes hands.
    _twin: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        exchange: _Exchange = _part.exchange
        seconds = self.timeout if isinstance(self.timeout, int | float) else CONNECT_SECONDS
        connected = exchange.connect(self.host, int(self.port or self.default_port), seconds)
        self._twin = connected.dup()
        exchange.use(self)
        return connected

    def cut(self) -> None:
        """Lets whoever reads or writes fail at once; called by another thread."""
        with contextlib.suppress(OSError, AttributeError):
            self._twin.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # suppressed

    def close(self) -> None:
        super().close()
        twin, self._twin = self._twin, None
        if twin is not None:
            twin.close()

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        exchange: _Exchange = _part.exchange
        exchange.use(self)
        super().putrequest(*args, **kwargs)


class _CheckedTLS(_Checked, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Checked


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _CheckedTLS


class _CheckedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class _Watch:
    """Ends exchanges when their time is over; one thread for all of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[int, _Exchange] = {}
        self._deadlines: list[tuple[float, int]] = []
        self._number = itertools.count()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def over(self, exchange: _Exchange, seconds: float) -> Iterator[None]:
        number = next(self._number)
        deadline = time.monotonic() + seconds
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="callback deadlines", daemon=True
                )
                self._thread.start()
            self._running[number] = exchange
            is_first = not self._deadlines or deadline < self._deadlines[0][0]
            heapq.heappush(self._deadlines, (deadline, number))
            if is_first:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._running.pop(number, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._deadlines:
                    self._changed.wait()
                deadline, number = self._deadlines[0]
                wait = deadline - time.monotonic()
                if wait > 0 and number in self._running:
                    self._changed.wait(wait)
                    continue
                heapq.heappop(self._deadlines)
                late = self._running.pop(number, None)
            if late is not None:
                late.end()
