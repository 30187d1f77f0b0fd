"""The token of a telephone in the browser, for whoever is reached there."""

from collections.abc import Callable

import jwt

from routing.engine import workers
from tests.desk.server.front import Front

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "real"}
KEY = {
    "TWILIO_API_KEY_SID": "SK" + "1" * 32,
    "TWILIO_API_KEY_SECRET": "of the key, and long enough: thirty-two",
}


def test_a_worker_who_is_reached_in_the_browser_gets_a_telephone(
    open_front: Callable[..., Front],
) -> None:
    front = open_front(**ACCOUNT, **KEY)
    front.add_user("ann", "agent", worker="Alice")
    browser = front.browser().sign_in("ann")
    told = browser.open("POST", "/desk/token", json={"for": "voice"}).json
    assert told is not None
    claims = jwt.decode(
        told["token"],
        KEY["TWILIO_API_KEY_SECRET"],
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert (claims["iss"], claims["sub"]) == (
        KEY["TWILIO_API_KEY_SID"],
        ACCOUNT["TWILIO_ACCOUNT_SID"],
    )
    assert claims["grants"] == {"identity": "alice", "voice": {"incoming": {"allow": True}}}
    assert claims["exp"] == front.clock.now() // 1000 + 600
    assert told["expires_at"] == "2026-01-05T09:10:00Z"


def test_there_is_no_telephone_without_a_key_an_account_or_a_browser_to_ring(
    open_front: Callable[..., Front],
) -> None:
    front = open_front(**ACCOUNT)
    front.add_user("ann", "agent", worker="Alice")
    asked = {"json": {"for": "voice"}}
    assert front.browser().sign_in("ann").open("POST", "/desk/token", **asked).status_code == 404
    simulated = open_front(**KEY).browser().demo("alice")
    assert simulated.open("POST", "/desk/token", **asked).status_code == 404
    front = open_front(**ACCOUNT, **KEY)
    front.add_user("ann", "agent", worker="Alice")
    front.add_user("ben", "supervisor")
    front.engine.perform(
        workers.update,
        workspace_sid=front.workspace.sid,
        worker_sid=front.worker_sid("Alice"),
        attributes='{"contact_uri": "+15550100"}',
    )
    for name in ("ann", "ben"):
        browser = front.browser().sign_in(name)
        assert browser.open("POST", "/desk/token", **asked).status_code == 403
