"""CSRF and DNS rebinding: what other sites can make a browser send is refused."""

from collections.abc import Callable

import pytest

from tests.desk.server.front import HERE, Browser, Front

CHANGES = (
    "/desk/sign-in",
    "/desk/sign-out",
    "/desk/demo",
    "/desk/demo/tokens",
    "/desk/token",
    "/desk/pull",
    "/desk/rest/Workspaces/WS0/Tasks",
)


@pytest.fixture
def alice(front: Front) -> Browser:
    return front.browser().demo("alice")


@pytest.mark.parametrize("path", CHANGES)
def test_nothing_is_changed_without_the_token_of_this_cookie(
    front: Front, alice: Browser, path: str
) -> None:
    bobs = front.browser().demo("bob").csrf
    stale = alice.csrf
    alice.demo("alice")
    for wrong in (None, "", "0" * 64, bobs, stale, f"{alice.csrf}0", "ä"):
        answer = alice.open("POST", path, json={}, headers={"X-CSRF-Token": wrong})
        assert answer.status_code == 403, wrong
        assert answer.json is not None
        assert "X-CSRF-Token" in answer.json["message"]
    assert alice.look()["user"]["name"] == "alice"


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_nothing_is_changed_for_another_sites_page(
    alice: Browser, path: str, headers: dict[str, str]
) -> None:
    answer = alice.open("POST", path, json={}, headers=headers)
    assert answer.status_code == 403
    assert answer.json is not None
    assert "own pages" in answer.json["message"]


def test_what_a_page_of_ours_sends_is_taken(alice: Browser) -> None:
    headers = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
    answer = alice.open("POST", "/desk/token", json={"for": "worker"}, headers=headers)
    assert answer.status_code == 200


def test_a_page_may_call_us_by_the_name_that_a_proxy_has(open_front: Callable[..., Front]) -> None:
    front = open_front(PUBLIC_URL="https://tandem.example")
    browser = front.browser("https://10.0.0.5:8000")  # what a proxy calls us
    browser.look()
    for origin, status in (("https://tandem.example", 204), ("https://evil.example", 403)):
        browser.look()
        answer = browser.open("POST", "/desk/sign-out", headers={"Origin": origin})
        assert answer.status_code == status


REBOUND = "http://rebound.evil.example:8000"


@pytest.mark.parametrize(
    ("base", "more"),
    [
        (REBOUND, {}),
        ("http://192.0.2.7:8000", {}),
        ("http://127.0.0.1.evil.example:8000", {}),
        ("http://localhost.evil.example:8000", {}),
        (HERE, {"headers": {"Origin": REBOUND}}),
        (HERE, {"headers": {"X-Forwarded-For": "203.0.113.9"}}),
        (HERE, {"headers": {"X-Forwarded-Host": "tandem.ngrok.app"}}),
        (HERE, {"headers": {"Forwarded": "for=203.0.113.9"}}),
        (HERE, {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}),
    ],
)
def test_the_demo_is_for_browsers_of_this_machine_that_call_it_by_its_name(
    front: Front, base: str, more: dict[str, dict[str, str]]
) -> None:
    browser = front.browser(base)
    browser.look()
    if not more.get("headers", {}).get("Origin"):
        told = browser.open("GET", "/desk/session", **more).json
        assert told is not None
        assert told["demo_users"] == []
    for path, body in (("/desk/demo", {"name": "alice"}), ("/desk/demo/tokens", {})):
        assert browser.open("POST", path, json=body, **more).status_code == 403
    assert browser.look()["user"] is None


@pytest.mark.parametrize("base", [HERE, "http://localhost:8000", "http://[::1]:8000"])
def test_the_demo_lets_in_by_one_click_on_this_machine(front: Front, base: str) -> None:
    browser = front.browser(base)
    told = browser.look()
    assert [(each["name"], each["role"]) for each in told["demo_users"]] == [
        ("alice", "agent"),
        ("bob", "agent"),
        ("carol", "supervisor"),
    ]
    told = browser.demo("carol").told
    assert told["user"]["display_name"] == "Carol"
    assert told["user"]["worker_sid"] is not None


@pytest.mark.parametrize(
    "environment",
    [
        {"HOST": "0.0.0.0"},  # noqa: S104 - it is not listened on
        {"HOST": "192.0.2.7"},
        {"HOST": "::"},
        {"PUBLIC_URL": "https://tandem.example"},
        {"SIMULATOR": "off"},
        {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "real"},
    ],
)
def test_there_is_no_demo_where_others_could_reach_it_or_calls_are_real(
    open_front: Callable[..., Front], environment: dict[str, str]
) -> None:
    front = open_front(**environment)
    assert front.store.read(lambda work: work.users.find()) == []
    # Not even if an earlier run has left its users behind.
    front.add_user(
        "alice", "agent", worker=front.worker_sid("Alice"), is_demo=True, password_hash=None
    )
    base = environment.get("PUBLIC_URL", HERE)
    browser = front.browser(base)
    assert browser.look()["demo_users"] == []
    assert browser.open("POST", "/desk/demo", json={"name": "alice"}).status_code == 403
    assert browser.open("POST", "/desk/demo/tokens", json={}).status_code == 403
    assert browser.try_in("alice", "").status_code == 400
    assert browser.try_in("alice", "alice").status_code == 401


def test_only_demo_users_come_in_by_one_click(front: Front) -> None:
    front.add_user("root", "admin")
    browser = front.browser()
    browser.look()
    for name in ("root", "nobody"):
        assert browser.open("POST", "/desk/demo", json={"name": name}).status_code == 400


def test_a_demo_user_has_no_password_to_guess_or_to_change(front: Front) -> None:
    from routing.engine import users
    from routing.errors import InvalidParameter

    with pytest.raises(InvalidParameter):
        front.engine.perform(users.change_password, name="alice", password_hash="x")
