"""Who is asking: the cookie, the session behind it, and the CSRF token that belongs to it.

The cookie holds a secret of 256 random bits and nothing else. Everybody has one; a session is the
row that a digest of it leads to, once somebody has signed in. With every change of who that is the
secret is a new one, so that nobody can be handed a cookie that is already known.

A CSRF token is an authentication code of that secret: it needs no row, it fits one cookie only, and
is worth nothing once that is replaced.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import Request, Response, g

from desk.refusals import Refused
from desk.settings import DeskSettings
from routing.engine import Engine, sessions
from routing.engine.sessions import SignedIn
from routing.ports import Work

CSRF_HEADER: Final = "X-CSRF-Token"
_SECRET_BYTES: Final = 32
#: base64url of so many bytes, without padding.
_SECRET_CHARACTERS: Final = 43


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Whoever sent the present request."""

    #: What the cookie holds; a new one where there was none.
    secret: str
    is_new: bool
    signed_in: SignedIn | None


class Visitors:
    """Knows visitors by their cookies."""

    def __init__(self, engine: Engine, settings: DeskSettings) -> None:
        self._engine = engine
        self._settings = settings
        port = urlsplit(settings.public_url).port
        # Cookies know no ports: two servers of one machine need two names.
        self.cookie = "__Host-tandem" if settings.is_https else f"tandem_{port or 80}"
        self._key = hashlib.sha256(b"tandem csrf\0" + settings.secret_key.encode()).digest()

    def of(self, request: Request) -> Visitor:
        """The visitor; looked up once for each request."""
        known: Visitor | None = g.get("visitor")
        if known is None:
            known = g.visitor = self._look(request)
        return known

    def _look(self, request: Request) -> Visitor:
        secret = request.cookies.get(self.cookie, "")
        if len(secret) != _SECRET_CHARACTERS or not secret.isascii():
            return Visitor(secret=_new_secret(), is_new=True, signed_in=None)
        digest = _digest(secret)
        signed_in = self._signed_in(digest)
        if signed_in is not None and signed_in.is_stale:
            self._engine.perform(sessions.use, digest=digest)
            signed_in = self._signed_in(digest)
        return Visitor(secret=secret, is_new=False, signed_in=signed_in)

    def _signed_in(self, digest: str) -> SignedIn | None:
        return self._engine.glance(
            sessions.look,
            digest=digest,
            now=self._engine.clock.now(),
            idle_seconds=self._settings.session_idle_seconds,
        )

    def csrf_token(self, visitor: Visitor) -> str:
        return hmac.new(self._key, visitor.secret.encode(), hashlib.sha256).hexdigest()

    def check_origin(self, request: Request, visitor: Visitor) -> None:
        """A page of ours has sent it, and nobody else's. Raises Refused."""
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin")
        if site != "same-origin" or (origin is not None and not self._is_ours(origin, request)):
            raise Refused(403, "Forbidden: expected a request of this server's own pages")
        token = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(token.encode(), self.csrf_token(visitor).encode()):
            raise Refused(
                403, f"Forbidden: expected in {CSRF_HEADER} the csrf that /desk/session tells"
            )

    def _is_ours(self, origin: str, request: Request) -> bool:
        # A proxy in front speaks TLS, and may call us by another name.
        return origin in {
            f"http://{request.host}",
            f"https://{request.host}",
            _origin(self._settings.public_url),
        }

    def sign_in(self, visitor: Visitor, user_sid: str) -> Visitor:
        """Somebody has proved who they are: a session of their own, under a new secret."""
        secret = _new_secret()
        self._engine.perform(
            _change,
            before=_digest(visitor.secret),
            digest=_digest(secret),
            user_sid=user_sid,
            seconds=self._settings.session_seconds,
        )
        signed_in = self._signed_in(_digest(secret))
        return self._now(Visitor(secret=secret, is_new=True, signed_in=signed_in))

    def sign_out(self, visitor: Visitor) -> Visitor:
        self._engine.perform(sessions.end, digest=_digest(visitor.secret))
        return self._now(Visitor(secret=_new_secret(), is_new=True, signed_in=None))

    def _now(self, visitor: Visitor) -> Visitor:
        g.visitor = visitor
        return visitor

    def remember(self, response: Response) -> Response:
        """Gives a new visitor the cookie. It ends with the browser; sessions end earlier."""
        visitor: Visitor | None = g.get("visitor")
        if visitor is not None and visitor.is_new:
            response.set_cookie(
                self.cookie,
                visitor.secret,
                path="/",
                secure=self._settings.is_https,
                httponly=True,
                samesite="Lax",
            )
        return response


def _change(work: Work, *, before: str, digest: str, user_sid: str, seconds: int) -> None:
    """One session in place of another, or of none."""
    sessions.end(work, digest=before)
    sessions.begin(work, digest=digest, user_sid=user_sid, seconds=seconds)


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
