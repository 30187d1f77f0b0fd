"""Who is on the other side of a browser: tokens that the official helper libraries make, checked.

Two kinds, both JWTs signed with HS256. *Access tokens* carry a TaskRouter grant (workspace, worker,
role) and are signed with an API key's secret; we take the account's auth token for one, too.
*Capability tokens*, the older kind, carry policies (url, method, filters) and are signed with the
account's auth token. Everything about a token is looked at here, in this order: its shape and
algorithm, its issuer and signature, its times, its account, what it grants. What it may then do is
asked in routing/realtime/policies.py.

Pure: the time, the account and the keys are handed in. A token is never put into a message or a
log; `digest` stands for it where two have to be told apart.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from routing.clock import SECOND, Instant
from routing.errors import InvalidParameter, RoutingError
from routing.json_text import JSONObject, read_object
from routing.ports import SigningKeys
from routing.sids import TASK_QUEUE, WORKER, WORKSPACE, is_sid

#: The helper libraries' tokens have some 600, a capability token with many policies 4000.
MAX_CHARACTERS: Final = 8192
#: Seconds by which the clock of whoever made the token may be ahead of ours.
LEEWAY_SECONDS: Final = 3
#: Seconds that an access token may live (Twilio's limit).
MAX_LIFE_SECONDS: Final = 86_400

WORKER_ROLE: Final = "worker"
SUPERVISOR_ROLE: Final = "supervisor"
ADMIN_ROLE: Final = "admin"
ROLES: Final = (WORKER_ROLE, SUPERVISOR_ROLE, ADMIN_ROLE)

_ALGORITHM: Final = "HS256"
#: Header, payload and signature in base64url without padding (RFC 7515, 3.1).
_SHAPE: Final = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
#: Twilio's error codes: 20101 for a token that is none, and one for each way to be a wrong one.
_CODES: Final = {
    "header": 20102,
    "issuer": 20103,
    "expired": 20104,
    "early": 20105,
    "grants": 20106,
    "signature": 20107,
    "life": 20157,
}


class TokenRefused(RoutingError):
    """A token that opens nothing, and why; never the token itself."""

    status = 401

    def __init__(self, why: str, code: int = 20101) -> None:
        super().__init__(f"Invalid Access Token: {why}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One line of a capability token: may this method be used on this URL?"""

    #: The path below the version, without the host: `Workspaces/WS.../Workers/**`.
    path: str
    method: str
    allow: bool
    #: {parameter: must it be there?}; when there are any, no others may be there.
    query_filter: "Filter"
    post_filter: "Filter"


Filter = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """What a checked token says of whoever carries it."""

    account_sid: str
    workspace_sid: str
    #: Whose events it is told: a Worker (WK), or for capability tokens a WS or WQ, too.
    channel: str | None
    worker_sid: str | None
    #: worker, supervisor or admin; empty for capability tokens, which have policies instead.
    role: str
    policies: tuple[Policy, ...] | None
    expires_at: Instant
    #: Stands for the token; tells two of the same Worker apart.
    digest: str

    @property
    def is_capability(self) -> bool:
        return self.policies is not None


def check_token(
    token: str, *, now: Instant, account_sid: str, auth_tokens: Sequence[str], keys: SigningKeys
) -> Bearer:
    """What the token says, once everything about it is right.

    `auth_tokens` are the account's: one, or two while one replaces the other. Raises TokenRefused.
    """
    shape = _SHAPE.fullmatch(token) if len(token) <= MAX_CHARACTERS else None
    if shape is None:
        raise TokenRefused("expected a JSON Web Token")
    header, payload, signature = shape.groups()
    _check_header(_part(header, "its header"))
    claims = _part(payload, "its payload")
    signers = _secrets(claims, account_sid, auth_tokens, keys)
    _check_signature(f"{header}.{payload}", signature, signers)
    expires_at = _check_times(claims, now)
    digest = hashlib.sha256(token.encode()).hexdigest()
    if "policies" in claims:
        return _capability(claims, account_sid, expires_at, digest)
    return _access(claims, account_sid, expires_at, digest)


def make_token(
    *,
    account_sid: str,
    auth_token: str,
    workspace_sid: str,
    worker_sid: str | None,
    role: str,
    now: Instant,
    seconds: int,
) -> str:
    """An access token as the helper libraries make it, signed with the account's auth token.

    Only an admin's may be without a Worker.
    """
    begin = now // SECOND
    header = {"alg": _ALGORITHM, "typ": "JWT", "cty": "twilio-fpa;v=1"}
    grant = {"workspace_sid": workspace_sid, "role": role}
    if worker_sid is not None:
        grant["worker_sid"] = worker_sid
    claims = {
        "jti": f"{account_sid}-{begin}-{secrets.token_hex(8)}",
        "grants": {"task_router": grant},
        "iss": account_sid,
        "sub": account_sid,
        "nbf": begin,
        "exp": begin + seconds,
    }
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{_signed(signed, auth_token)}"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _check_header(header: JSONObject) -> None:
    if header.get("alg") != _ALGORITHM:
        _refuse("header", f"expected the algorithm {_ALGORITHM}")
    if "crit" in header or header.get("b64", True) is not True:
        _refuse("header", "expected no critical extensions")


def _part(encoded: str, name: str) -> JSONObject:
    try:
        decoded = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        return read_object(decoded, parameter=name, limit=MAX_CHARACTERS)
    except (ValueError, InvalidParameter):
        raise TokenRefused(f"{name} cannot be read") from None


def _secrets(
    claims: JSONObject, account_sid: str, auth_tokens: Sequence[str], keys: SigningKeys
) -> Sequence[str]:
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        _refuse("issuer", "expected an issuer")
    if issuer == account_sid:
        return auth_tokens
    secret = keys.secret(issuer) if is_sid(issuer, "SK") else None
    if secret is None:
        _refuse("issuer", "its issuer is no key of this account")
    return [secret]


def _check_signature(signed: str, signature: str, signers: Sequence[str]) -> None:
    """Compares the texts: each signature has one spelling, so that none can be varied."""
    given = signature.encode(errors="surrogatepass")  # texts that are not ASCII are no texts to it
    fits = [
        hmac.compare_digest(_signed(signed, secret).encode(), given) for secret in signers if secret
    ]
    if not any(fits):
        _refuse("signature", "its signature does not fit")


def _signed(signed: str, secret: str) -> str:
    digest = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return _encoded(digest)


def _check_times(claims: JSONObject, now: Instant) -> Instant:
    expires_at = _instant(claims, "exp")
    if expires_at is None:
        _refuse("expired", "expected exp, when it expires")
    if expires_at <= now:
        _refuse("expired", "it has expired")
    begins: list[Instant] = []
    for name in ("nbf", "iat"):
        begin = _instant(claims, name)
        if begin is not None:
            begins.append(begin)
            if begin > now + LEEWAY_SECONDS * SECOND:
                _refuse("early", f"it is not valid yet ({name})")
    begin = max(begins, default=now)
    if "grants" in claims and expires_at - begin > (MAX_LIFE_SECONDS + LEEWAY_SECONDS) * SECOND:
        _refuse("life", f"expected a life of at most {MAX_LIFE_SECONDS} seconds")
    return expires_at


def _instant(claims: JSONObject, name: str) -> Instant | None:
    """A NumericDate: seconds since the epoch, possibly with a fraction (RFC 7519, 2)."""
    seconds = claims.get(name)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or abs(seconds) > 1 << 40:
        _refuse("expired", f"expected {name} in seconds since the epoch")
    return int(seconds * SECOND)


def _access(claims: JSONObject, account_sid: str, expires_at: Instant, digest: str) -> Bearer:
    if claims.get("sub") != account_sid:
        _refuse("issuer", "its subject is not this account")
    grants = claims.get("grants")
    grant = grants.get("task_router") if isinstance(grants, dict) else None
    if not isinstance(grant, dict):
        _refuse("grants", "expected a TaskRouter grant")
    workspace_sid = _sid(grant, "workspace_sid", WORKSPACE)
    role = grant.get("role") or WORKER_ROLE
    if role not in ROLES:
        _refuse("grants", f"expected the role {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    worker_sid = None
    if role != ADMIN_ROLE or grant.get("worker_sid"):
        worker_sid = _sid(grant, "worker_sid", WORKER)
    return Bearer(
        account_sid=account_sid,
        workspace_sid=workspace_sid,
        channel=worker_sid,
        worker_sid=worker_sid,
        role=str(role),
        policies=None,
        expires_at=expires_at,
        digest=digest,
    )


def _capability(claims: JSONObject, account_sid: str, expires_at: Instant, digest: str) -> Bearer:
    if claims.get("account_sid") != account_sid or claims.get("iss") != account_sid:
        _refuse("issuer", "its account is not this one")
    if claims.get("version", "v1") != "v1":
        _refuse("grants", "expected the version v1")
    workspace_sid = _sid(claims, "workspace_sid", WORKSPACE)
    channel = claims.get("channel")
    kinds = (WORKER, WORKSPACE, TASK_QUEUE)
    if not isinstance(channel, str) or not any(is_sid(channel, kind) for kind in kinds):
        _refuse("grants", "expected a channel: the SID of a Worker, Workspace or TaskQueue")
    if channel.startswith(WORKSPACE) and channel != workspace_sid:
        _refuse("grants", "expected the channel of its own Workspace")
    policies = claims.get("policies")
    if not isinstance(policies, list):
        _refuse("grants", "expected a list of policies")
    return Bearer(
        account_sid=account_sid,
        workspace_sid=workspace_sid,
        channel=channel,
        worker_sid=channel if channel.startswith(WORKER) else None,
        role="",
        policies=tuple(_policy(each) for each in policies),
        expires_at=expires_at,
        digest=digest,
    )


def _sid(part: JSONObject, name: str, prefix: str) -> str:
    sid = part.get(name)
    if not isinstance(sid, str) or not is_sid(sid, prefix):
        _refuse("grants", f"expected {name}: {prefix} and 32 hexadecimal digits")
    return sid


def _policy(told: object) -> Policy:
    if not isinstance(told, dict):
        _refuse("grants", "expected each policy as an object")
    url, method, allow = told.get("url"), told.get("method"), told.get("allow")
    if not isinstance(url, str) or not isinstance(method, str) or not isinstance(allow, bool):
        _refuse("grants", "expected url, method and allow in each policy")
    return Policy(
        path=path_of(url),
        method=method.upper(),
        allow=allow,
        query_filter=_filter(told.get("query_filter")),
        post_filter=_filter(told.get("post_filter")),
    )


def _filter(told: object) -> Filter:
    if not told:
        return ()
    if not isinstance(told, dict):
        _refuse("grants", "expected the filters of each policy as objects")
    return tuple(
        (str(name), isinstance(rule, dict) and rule.get("required") is True)
        for name, rule in told.items()
    )


def path_of(url: str) -> str:
    """What lies below the version of an absolute or relative URL; whoever's host it is.

    The helper libraries write Twilio's hosts into policies, and clients write theirs.
    """
    _, scheme, rest = url.partition("://")
    path = rest.partition("/")[2] if scheme else url.lstrip("/")
    version, slash, below = path.partition("/")
    return below if slash and version in {"v1", "v2"} else path


def _refuse(what: str, why: str) -> NoReturn:
    raise TokenRefused(why, _CODES[what])
