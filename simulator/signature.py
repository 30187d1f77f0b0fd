"""X-Twilio-Signature: proof that a webhook comes from whoever knows the account's token.

HMAC-SHA1 over the full URL followed by every form parameter, sorted by name (not by name and
value: `Reason` comes before `ReasonConferenceEnded`), name and value run together; in base64.
Made here and not with Twilio's validator, which the tests use to check it.
"""

import base64
import hashlib
import hmac

from simulator.webhook import Parameters


def sign(auth_token: str, url: str, form: Parameters) -> str:
    """`form` is empty for a GET: there the query is part of the URL. No name may repeat."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(form))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
