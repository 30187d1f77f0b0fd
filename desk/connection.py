"""/desk/connection: is everything between Twilio and us as it has to be, and what is to be done?

Facts and states only; the words are the pages'. To look costs two requests to elsewhere, so what
was found is told again for a few seconds.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
from flask import Response, request

from desk.places import is_loopback
from desk.refusals import Refused, answer
from desk.sessions import Visitors
from desk.settings import DeskSettings
from desk.sign_in import SignIn
from routing.clock import SECOND, Clock, Instant, iso_8601
from routing.user import ADMIN

OK: Final = "ok"
TODO: Final = "todo"
WRONG: Final = "wrong"
UNKNOWN: Final = "unknown"

TIMEOUT_SECONDS: Final = 5
FRESH_SECONDS: Final = 10


class Account(Protocol):
    """What the account said (voice/account.py)."""

    @property
    def here(self) -> tuple[str, ...]: ...
    @property
    def elsewhere(self) -> tuple[str, ...]: ...
    @property
    def error(self) -> str | None: ...
    @property
    def is_refused(self) -> bool: ...


class Seen(Protocol):
    """Which webhooks have come (voice/witness.py)."""

    @property
    def since(self) -> Instant: ...
    @property
    def believed_at(self) -> Instant | None: ...
    @property
    def refused_at(self) -> Instant | None: ...
    @property
    def why(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Whom to ask; the composition root knows."""

    ask_account: Callable[[], Account]
    seen: Callable[[], Seen]


Facts = dict[str, str | None]
Check = dict[str, object]


class Connection:
    def __init__(
        self,
        clock: Clock,
        settings: DeskSettings,
        visitors: Visitors,
        sign_in: SignIn,
        outside: Outside,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._visitors = visitors
        self._sign_in = sign_in
        self._outside = outside
        self._lock = threading.Lock()
        self._found: tuple[Instant, list[Check]] | None = None

    def tell(self) -> Response:
        """Raises Refused unless an admin asks, or somebody at the demo."""
        signed_in = self._visitors.of(request).signed_in
        is_admin = signed_in is not None and signed_in.user.role == ADMIN
        if not is_admin and not self._sign_in.has_demo(request):
            status = 401 if signed_in is None else 403
            raise Refused(status, "Forbidden: the connection is for admins")
        checks = self._look()
        following = next((each["id"] for each in checks if each["state"] != OK), None)
        return answer({"checks": checks, "next": following})

    def _look(self) -> list[Check]:
        now = self._clock.now()
        with self._lock:
            if self._found is None or now - self._found[0] >= FRESH_SECONDS * SECOND:
                self._found = (now, self._checks())
            return self._found[1]

    def _checks(self) -> list[Check]:
        if self._settings.simulator_url is not None:
            return [_check("account", TODO)]
        account = self._outside.ask_account()
        return [
            self._account(account),
            self._public_url(),
            self._signature(),
            _numbers(account),
            self._realtime(),
        ]

    def _account(self, account: Account) -> Check:
        sid = self._settings.account_sid
        if account.error is None:
            return _check("account", OK, account_sid=sid)
        state = WRONG if account.is_refused else UNKNOWN
        return _check("account", state, account_sid=sid, error=account.error)

    def _public_url(self) -> Check:
        """Reachable from here: not yet from Twilio, but what is not is not from there either."""
        url = self._settings.public_url
        if is_loopback(urlsplit(url).hostname or ""):
            return _check("public_url", TODO, url=url)
        try:
            answered = requests.get(
                f"{url}/healthz", timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            return _check("public_url", WRONG, url=url, error=type(error).__name__)
        if answered.status_code != requests.codes.ok:
            return _check("public_url", WRONG, url=url, error=str(answered.status_code))
        return _check("public_url", OK, url=url)

    def _signature(self) -> Check:
        seen = self._outside.seen()
        believed = None if seen.believed_at is None else iso_8601(seen.believed_at)
        if seen.refused_at is not None and seen.refused_at >= (seen.believed_at or 0):
            refused = iso_8601(seen.refused_at)
            return _check(
                "signature", WRONG, last_seen=believed, last_refused=refused, why=seen.why
            )
        if believed is None:
            return _check("signature", UNKNOWN, since=iso_8601(seen.since))
        return _check("signature", OK, last_seen=believed)

    def _realtime(self) -> Check:
        """A page that came by TLS may open no socket without it."""
        url = self._settings.realtime_url
        refused = self._settings.is_https and not url.startswith("https://")
        return _check("realtime", WRONG if refused else OK, url=url)


def _numbers(account: Account) -> Check:
    if account.error is not None:
        return _check("numbers", UNKNOWN, error=account.error)
    here, elsewhere = ", ".join(account.here), ", ".join(account.elsewhere)
    return _check("numbers", OK if here else TODO, here=here, elsewhere=elsewhere)


def _check(name: str, state: str, **facts: str | None) -> Check:
    return {"id": name, "state": state, "facts": facts}
