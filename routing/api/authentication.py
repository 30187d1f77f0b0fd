"""Who may come in: HTTP basic authentication with the account SID and an auth token.

Several tokens are valid at once while one is being replaced by the next. Comparing takes the same
time whatever is wrong, and every pair is looked at.
"""

import hmac
from collections.abc import Sequence

from werkzeug.datastructures import Authorization, WWWAuthenticate
from werkzeug.exceptions import Unauthorized


def authenticate(
    authorization: Authorization | None, account_sid: str, auth_tokens: Sequence[str]
) -> None:
    """Raises Unauthorized unless the credentials are the account's."""
    offered_sid, offered_token = "", ""
    if authorization is not None and authorization.type == "basic":
        offered_sid = authorization.username or ""
        offered_token = authorization.password or ""
    known = _same(offered_sid, account_sid)
    valid = [_same(offered_token, token) for token in auth_tokens]
    if not (known and any(valid)):
        raise Unauthorized(
            "Authentication Error - expected the account SID and its auth token",
            www_authenticate=WWWAuthenticate("basic", {"realm": "Twilio API"}),
        )


def _same(offered: str, expected: str) -> bool:
    equal = hmac.compare_digest(
        offered.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass")
    )
    return equal and bool(expected)
