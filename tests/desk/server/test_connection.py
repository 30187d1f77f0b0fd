"""The health of the connection to Twilio, with a real account: the simulator answers as Twilio."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from simulator.server import Simulator
from simulator.settings import Settings
from tests.desk.server.front import Browser, Front

ACCOUNT, TOKEN = "AC" + "7" * 32, "the account's own auth token"
#: An address that is not loopback by its looks, and at which nobody answers.
PUBLIC_URL = "https://0.0.0.0:9"


@pytest.fixture(scope="module")
def twilio() -> Iterator[Simulator]:
    running = Simulator(
        Settings(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            voice_urls={
                "+15550000001": f"{PUBLIC_URL}/voice/incoming",
                "+15550000002": "https://elsewhere.example/voice/incoming",
            },
        )
    )
    running.start()
    yield running
    running.stop()


def opened(open_front: Callable[..., Front], api_url: str, **more: str) -> tuple[Front, Browser]:
    """An application with an account, and an admin's browser."""
    account = {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": api_url,
    }
    front = open_front(**(account | more))
    front.add_user("root", "admin")
    return front, front.browser(more.get("PUBLIC_URL", "http://127.0.0.1:8000")).sign_in("root")


def looked(browser: Browser) -> dict[str, Any]:
    answer = browser.open("GET", "/desk/connection")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json or {}
    return told | {"checks": {each["id"]: each for each in told["checks"]}}


def test_numbers_that_lead_here_are_told_from_those_that_do_not(
    open_front: Callable[..., Front], twilio: Simulator
) -> None:
    _, browser = opened(
        open_front, twilio.url, PUBLIC_URL=PUBLIC_URL, REALTIME_URL="https://live.example"
    )
    told = looked(browser)
    assert told["checks"]["account"] == {
        "id": "account",
        "state": "ok",
        "facts": {"account_sid": ACCOUNT},
    }
    assert told["checks"]["numbers"]["state"] == "ok"
    facts = {"here": "+15550000001", "elsewhere": "+15550000002"}
    assert told["checks"]["numbers"]["facts"] == facts
    assert told["checks"]["public_url"]["state"] == "wrong"
    facts = {"url": PUBLIC_URL, "error": "ConnectionError"}
    assert told["checks"]["public_url"]["facts"] == facts
    assert told["checks"]["realtime"]["state"] == "ok"
    assert told["next"] == "public_url"


def test_what_is_to_be_done_is_said_in_its_order(
    open_front: Callable[..., Front], twilio: Simulator
) -> None:
    _, browser = opened(open_front, twilio.url)
    told = looked(browser)
    assert told["checks"]["public_url"]["state"] == "todo"  # nobody outside reaches a loopback
    assert told["checks"]["numbers"]["state"] == "todo"
    assert told["checks"]["signature"]["state"] == "unknown"
    assert told["next"] == "public_url"


def test_pages_by_tls_need_sockets_by_tls(
    open_front: Callable[..., Front], twilio: Simulator
) -> None:
    _, browser = opened(open_front, twilio.url, PUBLIC_URL=PUBLIC_URL)
    assert looked(browser)["checks"]["realtime"]["state"] == "wrong"


def test_an_account_that_says_no_is_told_from_one_that_does_not_answer(
    open_front: Callable[..., Front], twilio: Simulator
) -> None:
    _, wrong = opened(open_front, twilio.url, TWILIO_AUTH_TOKEN="another token")
    checks = looked(wrong)["checks"]
    assert checks["account"]["state"] == "wrong"
    assert checks["numbers"]["state"] == "unknown"
    assert "another token" not in str(checks)
    _, silent = opened(open_front, "http://127.0.0.1:9")
    assert looked(silent)["checks"]["account"]["state"] == "unknown"


def test_the_last_webhook_is_told_and_why_it_was_refused(
    open_front: Callable[..., Front], twilio: Simulator
) -> None:
    front, browser = opened(open_front, twilio.url)
    form = {"CallSid": "CA" + "0" * 32, "CallStatus": "ringing", "AccountSid": ACCOUNT}
    caller = front.app.test_client()

    def call(token: str | None) -> int:
        front.clock.advance(11)
        url = "http://127.0.0.1:8000/voice/call-status"
        signature = RequestValidator(token).compute_signature(url, form) if token else ""
        headers = {"X-Twilio-Signature": signature}
        return caller.post("/voice/call-status", data=form, headers=headers).status_code

    assert call(TOKEN) == 204
    seen = looked(browser)["checks"]["signature"]
    assert (seen["state"], seen["facts"]) == ("ok", {"last_seen": "2026-01-05T09:00:11Z"})
    assert call("wrong") == 403
    seen = looked(browser)["checks"]["signature"]
    assert seen["state"] == "wrong"
    assert seen["facts"]["last_refused"] == "2026-01-05T09:00:22Z"
    assert "PUBLIC_URL" in seen["facts"]["why"]
    assert call(None) == 403
    assert looked(browser)["checks"]["signature"]["facts"]["why"] == "it has no signature"
    assert call(TOKEN) == 204
    assert looked(browser)["checks"]["signature"]["state"] == "ok"


def test_only_admins_and_who_is_at_the_demo_may_look(
    open_front: Callable[..., Front], twilio: Simulator
) -> None:
    front, _ = opened(open_front, twilio.url)
    front.add_user("ann", "supervisor")
    assert front.browser().sign_in("ann").open("GET", "/desk/connection").status_code == 403
    assert front.browser().open("GET", "/desk/connection").status_code == 401
    told = looked(open_front().browser())
    assert told["checks"]["account"]["state"] == "todo"
    assert told["next"] == "account"
