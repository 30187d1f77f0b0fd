"""Signing in through an OpenID Connect provider: there, back, and who that is here.

What has to be remembered meanwhile is in a cookie of its own, signed, for ten minutes. A user who
has a password here is never let in by a provider, nor is a demo user: whoever may choose a name
there could otherwise take theirs.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from flask import Response, request
from itsdangerous import BadData, URLSafeTimedSerializer

from desk.provider import Provider, ProviderFailed
from desk.settings import DeskSettings, OpenIdSettings
from desk.sign_in import SignIn
from routing.engine import Engine, users
from routing.errors import RoutingError
from routing.ports import Work
from routing.user import AGENT, ROLES, User

_log = structlog.get_logger(__name__)

PATH: Final = "/desk/open-id"
COOKIE: Final = "tandem_open_id"
#: Seconds for the way there and back.
LIFE_SECONDS: Final = 600
#: A page of ours; never another site (`//elsewhere`, `/\\elsewhere`).
_PAGE: Final = re.compile(r"/(?:desk|wall)?(?:[?#][\w\-=&%.]*)?", re.ASCII)

#: Why somebody was not let in, for the page to say.
UNREACHABLE: Final = "unreachable"
DENIED: Final = "denied"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"


class _NotLetIn(Exception):
    """`why` is one of the words above; the message is for the log."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


class OpenId:
    def __init__(
        self, engine: Engine, settings: DeskSettings, open_id: OpenIdSettings, sign_in: SignIn
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._open_id = open_id
        self._sign_in = sign_in
        self._redirect_uri = f"{settings.public_url}{PATH}/callback"
        self._provider = Provider(open_id, self._redirect_uri, engine.clock)
        self._serializer = URLSafeTimedSerializer(settings.secret_key, salt="tandem open id")

    def leave(self) -> Response:
        """To the provider; `next` is where to go after that."""
        kept = {
            "state": secrets.token_urlsafe(32),
            "nonce": secrets.token_urlsafe(32),
            "code_verifier": secrets.token_urlsafe(48),
            "next": page_of_ours(request.args.get("next", "")),
        }
        try:
            where = self._provider.address(
                state=kept["state"], nonce=kept["nonce"], code_verifier=kept["code_verifier"]
            )
        except ProviderFailed as error:
            _log.error("the OpenID provider is of no use", why=str(error))
            return self._back(UNREACHABLE, kept["next"])
        response = _redirect(where)
        self._keep(response, str(self._serializer.dumps(kept)), LIFE_SECONDS)
        return response

    def come_back(self) -> Response:
        """From the provider, with a code for whoever that is, or with a refusal."""
        kept: Mapping[str, str] = {}
        try:
            kept = self._kept()
            user = self._user(self._claims(kept))
        except _NotLetIn as refusal:
            _log.warning("sign-in through OpenID refused", why=str(refusal))
            response = self._back(refusal.why, kept.get("next", "/"))
        else:
            self._sign_in.enter(user)
            response = _redirect(kept["next"] if kept["next"] != "/" else _first_page(user))
        self._keep(response, "", 0)
        return response

    def _kept(self) -> Mapping[str, str]:
        try:
            kept: Mapping[str, str] = self._serializer.loads(
                request.cookies.get(COOKIE, ""), max_age=LIFE_SECONDS
            )
        except BadData:
            raise _NotLetIn(FAILED, "the browser began no sign-in, or too long ago") from None
        if not hmac.compare_digest(kept["state"].encode(), request.args.get("state", "").encode()):
            raise _NotLetIn(FAILED, "the state is not that of this browser")
        return kept

    def _claims(self, kept: Mapping[str, str]) -> Mapping[str, Any]:
        error, issuer = request.args.get("error"), request.args.get("iss")
        if error is not None:
            raise _NotLetIn(DENIED, f"the provider says {error[:80]!r}")
        if issuer is not None and issuer.rstrip("/") != self._open_id.issuer:  # RFC 9207
            raise _NotLetIn(FAILED, "another issuer has answered")
        try:
            return self._provider.claims(
                code=request.args.get("code", ""),
                nonce=kept["nonce"],
                code_verifier=kept["code_verifier"],
            )
        except ProviderFailed as failure:
            raise _NotLetIn(FAILED, str(failure)) from failure

    def _user(self, claims: Mapping[str, Any]) -> User:
        """Who that is here, or from now on."""
        name = _claim(claims, self._open_id.name_claim)
        if not isinstance(name, str) or not name:
            raise _NotLetIn(UNKNOWN, f"expected a text in the claim {self._open_id.name_claim}")
        if self._open_id.name_claim == "email" and claims.get("email_verified") is False:
            raise _NotLetIn(UNKNOWN, "the e-mail address was not verified")
        shown = claims.get("name")
        worker = _claim(claims, self._open_id.worker_claim) if self._open_id.worker_claim else None
        try:
            return self._engine.perform(
                _admit,
                name=name,
                display_name=shown if isinstance(shown, str) else "",
                role=self._role(claims),
                worker=worker if isinstance(worker, str) and worker else name,
                names_worker=bool(self._open_id.worker_claim),
            )
        except RoutingError as error:
            raise _NotLetIn(UNKNOWN, error.message) from error

    def _role(self, claims: Mapping[str, Any]) -> str | None:
        """The highest role that the claim stands for; None where roles are not the provider's."""
        if not self._open_id.role_claim:
            return None
        told = _claim(claims, self._open_id.role_claim)
        values = told if isinstance(told, list) else [told]
        roles = {self._open_id.roles.get(each) for each in values if isinstance(each, str)}
        for role in reversed(ROLES):
            if role in roles:
                return role
        raise _NotLetIn(UNKNOWN, f"no value of {self._open_id.role_claim} stands for a role")

    def _back(self, why: str, page: str) -> Response:
        return _redirect(f"/sign-in?{urlencode({'next': page, 'error': why})}")

    def _keep(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            COOKIE,
            value,
            max_age=seconds,
            path=PATH,
            secure=self._settings.is_https,
            httponly=True,
            samesite="Lax",  # it comes back with a navigation from the provider
        )


def _admit(
    work: Work,
    *,
    name: str,
    display_name: str,
    role: str | None,
    worker: str,
    names_worker: bool,
) -> User:
    """The user of that name; a new one where the provider tells the role. Raises RoutingError."""
    user = users.named(work, name=name)
    if user is None:
        if role is None:
            raise RoutingError("there is no such user; add them with --no-password")
        return _new(work, name, display_name, role, worker, names_worker=names_worker)
    if user.is_disabled or user.is_demo or user.password_hash is not None:
        raise RoutingError(f"{user.sid} does not sign in through a provider")
    if role is not None:
        users.change_role(work, user_sid=user.sid, role=role)
    return work.users.get(user.sid) or user


def _new(
    work: Work, name: str, display_name: str, role: str, worker: str, *, names_worker: bool
) -> User:
    """Agents need a Worker; others have one where there is one for them."""
    found = None
    oldest = work.workspaces.find(limit=1)
    if oldest:
        found = users.worker_named(work, workspace_sid=oldest[0].sid, worker=worker)
    if found is None and names_worker:
        found = work.workers.get(worker)
    return users.add(
        work,
        name=name,
        display_name=display_name[: users.MAX_DISPLAY_NAME_CHARACTERS],
        role=role,
        worker=None if found is None else found.sid,
    )


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name, or by a path with dots (Keycloak: realm_access.roles)."""
    if name in claims:
        return claims[name]
    value: object = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def page_of_ours(text: str) -> str:
    """The page that was asked for; the first one where it is none of ours."""
    return text if _PAGE.fullmatch(text) else "/"


def _first_page(user: User) -> str:
    return "/desk" if user.role == AGENT else "/wall"


def _redirect(where: str) -> Response:
    return Response(status=302, headers={"Location": where})
