"""Tokens of the official helper libraries are checked in full."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import TaskRouterGrant, VoiceGrant
from twilio.jwt.taskrouter.capabilities import (
    TaskQueueCapabilityToken,
    WorkerCapabilityToken,
    WorkspaceCapabilityToken,
)

from routing.api.tokens import Bearer, TokenRefused, check_token, make_token
from routing.clock import SECOND
from tests.fakes import MONDAY_MORNING

ACCOUNT, OTHER_ACCOUNT = "AC" + "a" * 32, "AC" + "b" * 32
AUTH_TOKEN, OLD_AUTH_TOKEN = (
    "the account's own, 32 letters or more",
    "the one before it, just as long as",
)
KEY, SECRET = "SK" + "c" * 32, "what only the key's owner should know"
WORKSPACE, WORKER, QUEUE = "WS" + "d" * 32, "WK" + "e" * 32, "WQ" + "f" * 32
NOW = MONDAY_MORNING // SECOND


class Keys:
    def secret(self, key_sid: str) -> str | None:
        return SECRET if key_sid == KEY else None


def check(token: str, now: int = NOW) -> Bearer:
    return check_token(
        token,
        now=now * SECOND,
        account_sid=ACCOUNT,
        auth_tokens=(AUTH_TOKEN, OLD_AUTH_TOKEN),
        keys=Keys(),
    )


def access(
    account: str = ACCOUNT,
    key: str = KEY,
    secret: str = SECRET,
    *,
    begin: int = NOW,
    seconds: int = 3600,
    **grant: Any,
) -> str:
    told = {"workspace_sid": WORKSPACE, "worker_sid": WORKER, "role": "worker"} | grant
    made = AccessToken(
        account,
        key,
        secret,
        grants=[TaskRouterGrant(**told)],
        nbf=begin,
        valid_until=begin + seconds,
    )
    return str(made.to_jwt())


def capability(kind: Any = WorkerCapabilityToken, sid: str = WORKER, **more: Any) -> str:
    arguments = (ACCOUNT, AUTH_TOKEN, WORKSPACE) + ((sid,) if sid else ())
    made = kind(*arguments, **more)
    payload = made.payload | {"nbf": NOW, "exp": NOW + 3600}
    return jwt.encode(payload, AUTH_TOKEN, algorithm="HS256")


def forged(token: str, *, header: Any = None, claims: Any = None, secret: str = SECRET) -> str:
    """The token with other parts, signed anew."""
    old_header, old_claims, _ = token.split(".")
    parts = [
        _coded(json.dumps(header).encode()) if header is not None else old_header,
        _coded(json.dumps(_claims(old_claims) | claims).encode()) if claims else old_claims,
    ]
    signed = ".".join(parts)
    return f"{signed}.{_coded(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def _coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _claims(coded: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(coded + "=="))
    return told


def test_an_access_token_says_who_carries_it() -> None:
    bearer = check(access())
    assert (bearer.workspace_sid, bearer.worker_sid, bearer.role) == (WORKSPACE, WORKER, "worker")
    assert bearer.channel == WORKER
    assert bearer.expires_at == (NOW + 3600) * SECOND
    assert not bearer.is_capability


@pytest.mark.parametrize("role", ["worker", "supervisor", "admin"])
def test_every_role_is_known(role: str) -> None:
    assert check(access(role=role)).role == role


def test_an_admin_needs_no_worker() -> None:
    assert check(access(role="admin", worker_sid=None)).channel is None


@pytest.mark.parametrize("secret", [AUTH_TOKEN, OLD_AUTH_TOKEN])
def test_the_accounts_auth_tokens_sign_too_while_one_replaces_the_other(secret: str) -> None:
    assert check(access(key=ACCOUNT, secret=secret)).worker_sid == WORKER


@pytest.mark.parametrize(("role", "worker_sid"), [("supervisor", WORKER), ("admin", None)])
def test_our_own_tokens_are_as_good(role: str, worker_sid: str | None) -> None:
    token = make_token(
        account_sid=ACCOUNT,
        auth_token=AUTH_TOKEN,
        workspace_sid=WORKSPACE,
        worker_sid=worker_sid,
        role=role,
        now=NOW * SECOND,
        seconds=60,
    )
    bearer = check(token)
    assert (bearer.role, bearer.worker_sid) == (role, worker_sid)
    assert bearer.expires_at == (NOW + 60) * SECOND
    with pytest.raises(TokenRefused, match="expired"):
        check(token, now=NOW + 60)


@pytest.mark.parametrize(
    ("kind", "sid", "channel"),
    [
        (WorkerCapabilityToken, WORKER, WORKER),
        (TaskQueueCapabilityToken, QUEUE, QUEUE),
        (WorkspaceCapabilityToken, "", WORKSPACE),
    ],
)
def test_capability_tokens_have_a_channel_and_policies(kind: Any, sid: str, channel: str) -> None:
    bearer = check(capability(kind, sid))
    assert bearer.channel == channel
    assert bearer.policies
    assert {policy.method for policy in bearer.policies} <= {"GET", "POST"}
    assert all(not policy.path.startswith(("http", "v1")) for policy in bearer.policies)


WRONG = {
    "none at all": ("", "JSON Web Token"),
    "two parts": ("a.b", "JSON Web Token"),
    "no base64": ("a.b.ä", "JSON Web Token"),
    "no JSON": ("aaaa.bbbb.cccc", "cannot be read"),
    "far too long": ("a" * 9000 + ".b.c", "JSON Web Token"),
    "deep JSON": (_coded(b"[" * 5000) + ".e30.c", "cannot be read"),
    "expired": (access(begin=NOW - 3600, seconds=3600), "expired"),
    "not valid yet": (access(begin=NOW + 60), "not valid yet"),
    "issued in the future": (forged(access(), claims={"iat": NOW + 60}), "not valid yet"),
    "no end": (forged(access(), claims={"exp": None}), "exp"),
    "an end that is no number": (forged(access(), claims={"exp": "tomorrow"}), "exp"),
    "an end that is a truth": (forged(access(), claims={"exp": True}), "exp"),
    "an endless life": (access(seconds=86_500), "86400"),
    "another account": (access(account=OTHER_ACCOUNT), "account"),
    "an unknown key": (access(key="SK" + "0" * 32), "no key"),
    "a key that is none": (access(key="nonsense"), "no key"),
    "another account's auth token": (access(key=OTHER_ACCOUNT), "no key"),
    "another secret": (access(secret="of somebody else entirely, I fear"), "signature"),
    "no algorithm": (forged(access(), header={"alg": "none", "typ": "JWT"}), "HS256"),
    "another algorithm": (
        jwt.encode(_claims(access().split(".")[1]), SECRET * 2, algorithm="HS512"),
        "HS256",
    ),
    "critical extensions": (
        forged(access(), header={"alg": "HS256", "crit": ["b64"], "b64": False}),
        "critical",
    ),
    "no TaskRouter grant": (
        str(AccessToken(ACCOUNT, KEY, SECRET, grants=[VoiceGrant()], nbf=NOW,
                        valid_until=NOW + 60).to_jwt()),
        "TaskRouter grant",
    ),
    "no workspace": (access(workspace_sid=None), "workspace_sid"),
    "no worker": (access(worker_sid=None), "worker_sid"),
    "another role": (access(role="owner"), "role"),
    "a worker that is none": (access(worker_sid="WK1"), "worker_sid"),
    "a capability of another account": (
        forged(capability(), claims={"account_sid": OTHER_ACCOUNT}, secret=AUTH_TOKEN),
        "account",
    ),
    "a capability signed with a key": (
        forged(capability(), claims={"iss": KEY}, secret=SECRET),
        "account",
    ),
    "a capability for no channel": (
        forged(capability(), claims={"channel": "CA" + "0" * 32}, secret=AUTH_TOKEN),
        "channel",
    ),
    "policies that are none": (
        forged(capability(), claims={"policies": [{"url": "x"}]}, secret=AUTH_TOKEN),
        "policy",
    ),
    "another version": (
        forged(capability(), claims={"version": "v2"}, secret=AUTH_TOKEN),
        "version",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_token_with_anything_wrong_opens_nothing(name: str) -> None:
    token, why = WRONG[name]
    with pytest.raises(TokenRefused, match=why) as refused:
        check(token)
    assert refused.value.status == 401
    assert not token or token not in refused.value.message


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_no_letter_of_a_token_can_be_changed(place: int, other: int) -> None:
    token = access()
    place %= len(token)
    changed = chr((ord(token[place]) + other) % 256)
    with pytest.raises(TokenRefused):
        check(token[:place] + changed + token[place + 1 :])


@given(st.text(max_size=300))
def test_no_text_is_more_than_a_refusal(text: str) -> None:
    with pytest.raises(TokenRefused):
        check(text)
