"""Tokens for Twilio's telephone in the browser."""

from collections.abc import Callable

import jwt

from routing.clock import SECOND
from tests.desk.server.front import Front

SECRET = "what only the account and we know, 32 letters"
ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "t" * 32}
KEY = {"TWILIO_API_KEY_SID": "SK" + "2" * 32, "TWILIO_API_KEY_SECRET": SECRET}
ASK = ("POST", "/desk/token")


def test_a_worker_is_rung_in_the_browser_as_the_client_that_it_is(
    open_front: Callable[..., Front],
) -> None:
    front = open_front(**ACCOUNT, **KEY)
    front.add_user("ann", "agent", worker="Alice")
    browser = front.browser().sign_in("ann")
    told = browser.open(*ASK, json={"for": "voice"}).json
    assert told is not None
    options = {"verify_exp": False, "verify_nbf": False}
    claims = jwt.decode(told["token"], SECRET, algorithms=["HS256"], options=options)
    assert (claims["iss"], claims["sub"]) == (
        KEY["TWILIO_API_KEY_SID"],
        ACCOUNT["TWILIO_ACCOUNT_SID"],
    )
    assert claims["grants"] == {"identity": "alice", "voice": {"incoming": {"allow": True}}}
    assert claims["exp"] == front.clock.now() // SECOND + 600
    assert jwt.get_unverified_header(told["token"])["cty"] == "twilio-fpa;v=1"


def test_without_a_key_or_a_client_address_there_is_no_telephone(
    open_front: Callable[..., Front],
) -> None:
    front = open_front(**ACCOUNT)
    front.add_user("ann", "agent", worker="Alice")
    refused = front.browser().sign_in("ann").open(*ASK, json={"for": "voice"})
    assert refused.status_code == 409
    assert "TWILIO_API_KEY_SID" in refused.text
    front.add_user("sue", "supervisor")
    assert front.browser().sign_in("sue").open(*ASK, json={"for": "voice"}).status_code == 403
