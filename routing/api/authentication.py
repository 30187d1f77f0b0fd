"""Who may come in: HTTP basic authentication with the account SID and an auth token, or with an API
key's SID and its secret.

Several tokens are valid at once while one is being replaced by the next. Comparing takes the same
time whatever is wrong, and every pair is looked at.
"""

import hmac
from collections.abc import Sequence

from werkzeug.datastructures import Authorization, WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from routing.ports import SigningKeys
from routing.sids import API_KEY


def authenticate(
    authorization: Authorization | None,
    account_sid: str,
    auth_tokens: Sequence[str],
    signing_keys: SigningKeys | None = None,
) -> str:
    """The user name, once it has been proved: the account SID, or an API key's.

    Raises Unauthorized unless the credentials are the account's, or those of one of its keys.
    """
    offered_sid, offered_token = "", ""
    if authorization is not None and authorization.type == "basic":
        offered_sid = authorization.username or ""
        offered_token = authorization.password or ""
    if signing_keys is not None and offered_sid.startswith(API_KEY):
        account_sid, auth_tokens = offered_sid, (signing_keys.secret(offered_sid) or "",)
    known = _same(offered_sid, account_sid)
    valid = [_same(offered_token, token) for token in auth_tokens]
    if not (known and any(valid)):
        raise Unauthorized(
            "Authentication Error - expected the account SID and its auth token, or an API key",
            www_authenticate=WWWAuthenticate("basic", {"realm": "Twilio API"}),
        )
    return offered_sid


def _same(offered: str, expected: str) -> bool:
    equal = hmac.compare_digest(
        offered.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass")
    )
    return equal and bool(expected)
