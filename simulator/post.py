"""The post: a bounded crew that carries webhooks to the application, in order within each lane.

A lane is the documents of one call, the progress of one call, the events of one conference:
inside a lane order is kept and there is one request at a time, lanes do not wait for one another.
The crew grows on demand up to its bound and never holds the network's lock while a request is
under way.
"""

import dataclasses
import logging
import queue
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable

import requests
import urllib3
from requests.cookies import extract_cookies_to_jar, get_cookie_header
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from simulator.agenda import Agenda, Signal
from simulator.faults import Faults
from simulator.kept_documents import KeptDocuments
from simulator.log import Log
from simulator.settings import Settings
from simulator.signature import sign
from simulator.timings import Timings
from simulator.webhook import (
    CONNECTION_FAILURE,
    HTTP_RETRIEVAL_FAILURE,
    TOO_MANY_REDIRECTS,
    Answer,
    Overrides,
    Parameters,
    Webhook,
    parse_overrides,
    with_query,
)

logger = logging.getLogger(__name__)

MOST_REDIRECTS = 10  # Twilio gives up with 11215 beyond
REDIRECTS_THAT_REPEAT = (307, 308)  # all others go on with a GET, as every HTTP client does
REDIRECTS = (301, 302, 303, *REDIRECTS_THAT_REPEAT)

#: Seconds for which a connection is used again. A server closes those that are kept when it likes,
#: most of them after two seconds or more; what is sent just then looks like a lost request.
KEPT_SECONDS = 1.0

FORM = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Errand:
    webhook: Webhook
    arrived: Signal[Answer]


class Post:
    def __init__(self, agenda: Agenda, log: Log, faults: Faults, settings: Settings) -> None:
        self._agenda = agenda
        self._log = log
        self._faults = faults
        self._settings = settings
        self.timings = Timings()
        self._documents = KeptDocuments(agenda.now)
        self._lanes: dict[str, deque[_Errand]] = {}
        #: By lane: what waits for another to overtake it.
        self._held: dict[str, _Errand] = {}
        self._work: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._crew: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False
        self._own = threading.local()

    # -- handing in (inside a turn)

    def send(self, webhook: Webhook) -> Signal[Answer]:
        """Hand a webhook in. The signal fires with what came of it, never with an exception."""
        arrived: Signal[Answer] = self._agenda.signal()
        form = "&".join(f"{name}={value}" for name, value in webhook.parameters)
        fault = self._faults.of_webhook(webhook.url, form)
        errand = _Errand(webhook=webhook, arrived=arrived)
        if fault is None:
            self._enlane(errand)
            self._release(webhook.lane)
        elif fault.do == "lose":
            self._lose(errand)
        elif fault.do == "duplicate":
            self._enlane(errand)
            self._enlane(_Errand(webhook=webhook, arrived=self._agenda.signal()))
        elif fault.do == "reorder":
            self._hold_back(errand, fault.seconds)
        else:
            self._agenda.after(fault.seconds, lambda: self._enlane(errand))
        return arrived

    def _lose(self, errand: _Errand) -> None:
        answer = Answer(
            status=None,
            content_type="",
            text="",
            url=errand.webhook.url,
            error_code=HTTP_RETRIEVAL_FAILURE,
            error_message="lost on the way, as a fault ordered",
        )
        self._record(errand.webhook, answer, sent_at=self._agenda.now(), duration_ms=None)
        errand.arrived.fire(answer)

    def _hold_back(self, errand: _Errand, seconds: float) -> None:
        """Let the next webhook of the lane go first; when none comes, go after `seconds`."""
        lane = errand.webhook.lane
        self._release(lane)
        self._held[lane] = errand

        def give_up() -> None:
            if self._held.get(lane) is errand:
                self._release(lane)

        self._agenda.after(seconds, give_up)

    def _release(self, lane: str) -> None:
        held = self._held.pop(lane, None)
        if held is not None:
            self._enlane(held)

    def _enlane(self, errand: _Errand) -> None:
        self._agenda.departed()
        name = errand.webhook.lane
        lane = self._lanes.get(name)
        if lane is not None:  # somebody of the crew is at it
            lane.append(errand)
            return
        self._lanes[name] = deque([errand])
        self._work.put(name)
        if not self._idle and len(self._crew) < self._settings.webhook_workers:
            worker = threading.Thread(target=self._carry, name="simulator-post", daemon=True)
            self._crew.append(worker)
            worker.start()
        elif self._idle:
            self._idle -= 1  # that one is on its way to the work

    def stop(self) -> None:
        """Send nobody out any more. Requests under way are given up with their daemon threads."""
        self._stopped = True
        for _ in self._crew:
            self._work.put(None)

    # -- the crew

    def _carry(self) -> None:
        # Straight to the application: no proxy of the machine's between us.
        self._own.connections = urllib3.PoolManager(num_pools=8, maxsize=1)
        self._own.used_at = 0.0
        while True:
            name = self._work.get()
            if name is None or self._stopped:
                self._own.connections.clear()
                return
            self._empty(name)

    def _empty(self, name: str) -> None:
        with self._agenda.turn():
            errand = self._lanes[name][0]
        while True:
            sent_at, started = self._agenda.now(), time.monotonic()
            answer = self._deliver_safely(errand.webhook)
            took = None if answer.was_kept else (time.monotonic() - started) * 1000
            self._record(errand.webhook, answer, sent_at=sent_at, duration_ms=took)
            with self._agenda.turn():
                lane = self._lanes[name]
                lane.popleft()
                errand.arrived.fire(answer)
                self._agenda.run_ready()  # before `arrived`: what follows may depart at once
                self._agenda.arrived()
                if not lane:
                    del self._lanes[name]
                    self._idle += 1
                    return
                errand = lane[0]

    def _record(
        self, webhook: Webhook, answer: Answer, *, sent_at: int, duration_ms: float | None
    ) -> None:
        if duration_ms is not None:
            self.timings.add(webhook.url, duration_ms, is_answered=answer.status is not None)
        error = None
        if answer.error_code is not None:
            error = {"code": answer.error_code, "message": answer.error_message}
        self._log.add(
            kind="webhook",
            time=sent_at,
            method=webhook.method,
            url=webhook.url,
            parameters=dict(webhook.parameters),
            status=answer.status,
            duration_ms=duration_ms,
            error=error,
            call_sid=webhook.call_sid,
            answer=answer.text or None,
        )

    # -- one webhook

    def _deliver_safely(self, webhook: Webhook) -> Answer:
        """Whatever an odd URL or answer provokes: the lane must go on and the call must hear."""
        try:
            return self._deliver(webhook)
        except Exception as error:
            logger.exception("a webhook to %s broke", webhook.url)
            return _failure(webhook.url, HTTP_RETRIEVAL_FAILURE, error)

    def _deliver(self, webhook: Webhook) -> Answer:
        url, overrides = parse_overrides(webhook.url)
        deadline = time.monotonic() + overrides.total_seconds
        answer, cause = self._follow(webhook, url, overrides, deadline)
        for _ in range(overrides.retries):
            if not _is_retried(cause, answer, overrides) or time.monotonic() >= deadline:
                break
            answer, cause = self._follow(webhook, url, overrides, deadline)
        return answer

    def _follow(
        self, webhook: Webhook, url: str, overrides: Overrides, deadline: float
    ) -> tuple[Answer, str]:
        """One try, through redirects. Also tells the cause of a failure: ct, rt, 4xx, 5xx or ""."""
        method, parameters = webhook.method, webhook.parameters
        for _ in range(MOST_REDIRECTS + 1):
            kept = self._documents.good(with_query(url, parameters)) if method == "GET" else None
            if kept is not None and webhook.is_document:
                return dataclasses.replace(_answer(webhook, url, kept), was_kept=True), "2xx"
            try:
                response = self._request(
                    webhook,
                    method=method,
                    url=url,
                    parameters=parameters,
                    overrides=overrides,
                    deadline=deadline,
                )
            except NEVER_CONNECTED as error:
                return _failure(url, CONNECTION_FAILURE, error), "ct"
            except HTTPError as error:
                cut_off = isinstance(error, (ReadTimeoutError, ProtocolError))
                return _failure(url, HTTP_RETRIEVAL_FAILURE, error), "rt" if cut_off else ""
            if response.status not in REDIRECTS or "Location" not in response.headers:
                return _answer(webhook, url, response), f"{response.status // 100}xx"
            url = urllib.parse.urljoin(url, response.headers["Location"]).partition("#")[0]
            if response.status not in REDIRECTS_THAT_REPEAT:
                method, parameters = "GET", ()
        return _failure(url, TOO_MANY_REDIRECTS, "more than 10 redirects"), ""

    def _request(
        self,
        webhook: Webhook,
        *,
        method: str,
        url: str,
        parameters: Parameters,
        overrides: Overrides,
        deadline: float,
    ) -> urllib3.BaseHTTPResponse:
        form = parameters if method == "POST" else ()
        target = with_query(url, () if form else parameters)
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            "X-Home-Region": "us1",
            "I-Twilio-Idempotency-Token": webhook.idempotency_token,
            "X-Twilio-Signature": sign(self._settings.auth_token, target, form),
        }
        if method == "POST":
            headers["Content-Type"] = FORM
        left = max(deadline - time.monotonic(), 0.05)
        may_be_kept = method == "GET" and webhook.is_document
        if may_be_kept:
            headers |= self._documents.conditions(target)
        if webhook.cookies:
            headers |= _cookies_of(webhook, method, target)
        response = self._connections().request(
            method,
            target,
            body=urllib.parse.urlencode(form) or None,
            headers=headers,
            timeout=urllib3.Timeout(
                connect=min(overrides.connect_seconds, left),
                read=min(overrides.read_seconds, left),
            ),
            retries=False,
            redirect=False,
        )
        self._own.used_at = time.monotonic()
        if "Set-Cookie" in response.headers:
            extract_cookies_to_jar(  # type: ignore[no-untyped-call]
                webhook.cookies, _asked(method, target), response
            )
        return self._documents.take(target, response) if may_be_kept else response

    def _connections(self) -> urllib3.PoolManager:
        """Those of the thread, without those that may be about to be closed."""
        connections: urllib3.PoolManager = self._own.connections
        if time.monotonic() - self._own.used_at > KEPT_SECONDS:
            connections.clear()
        return connections


def _asked(method: str, target: str) -> requests.PreparedRequest:
    """As requests' cookies want to know it."""
    return requests.Request(method, target).prepare()


def _cookies_of(webhook: Webhook, method: str, target: str) -> dict[str, str]:
    value = get_cookie_header(  # type: ignore[no-untyped-call]
        webhook.cookies, _asked(method, target)
    )
    return {"Cookie": value} if value else {}


def _is_retried(cause: str, answer: Answer, overrides: Overrides) -> bool:
    failed = answer.error_code is not None and cause in ("ct", "rt", "4xx", "5xx")
    return failed and (cause in overrides.retry_on or "all" in overrides.retry_on)


#: Only such a try is repeated by default: what was cut off later may have been understood.
NEVER_CONNECTED = (NewConnectionError, ConnectTimeoutError, SSLError)


def _failure(url: str, code: int, error: object) -> Answer:
    return Answer(
        status=None,
        content_type="",
        text="",
        url=url,
        error_code=code,
        error_message=f"no answer from {url}: {error}",
    )


def _answer(webhook: Webhook, url: str, response: urllib3.BaseHTTPResponse) -> Answer:
    code, message = None, ""
    if response.status >= 400:  # noqa: PLR2004 - HTTP's errors
        code = HTTP_RETRIEVAL_FAILURE if webhook.is_document else webhook.refused_code
        message = f"{url} answered {response.status}, a 2xx was expected"
    return Answer(
        status=response.status,
        content_type=response.headers.get("Content-Type", ""),
        text=response.data.decode("utf-8", "replace"),
        url=url,
        error_code=code,
        error_message=message,
    )


#: What a test may pass in place of a Post.
Send = Callable[[Webhook], Signal[Answer]]
