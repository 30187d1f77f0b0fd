"""In and out: sessions begin, are told apart, and end."""

import json
import re
from collections.abc import Callable

import pytest

from routing.engine import users
from tests.desk.server.front import HERE, PASSWORD, Front

COOKIE = "tandem_8000"


def test_a_visitor_is_told_what_pages_have_to_know(front: Front) -> None:
    told = front.browser().look()
    assert told["user"] is None
    assert told["expires_at"] is None
    assert told["workspace_sid"] == front.workspace.sid
    assert told["account_sid"] == front.settings.twilio_account_sid
    assert told["has_account"] is False
    assert told["realtime"]["ebServer"] == "http://127.0.0.1:8001/v1/wschannels"
    assert told["realtime"]["wsServer"] == "ws://127.0.0.1:8001/v1/wschannels"
    feed = f"ws://127.0.0.1:8001/v1/Workspaces/{front.workspace.sid}/EventStream"
    assert told["realtime"]["feed"] == feed
    assert told["simulator"] == "http://127.0.0.1:8002"
    assert told["open_id"] is None


def test_somebody_signs_in_with_a_password_and_out_again(front: Front) -> None:
    front.add_user("ann", "agent", worker="Alice", display_name="Ann Onymous")
    browser = front.browser()
    before = browser.look()
    told = browser.sign_in("Ann").told  # however it is written
    assert told["user"] | {"sid": ""} == {
        "sid": "",
        "name": "ann",
        "display_name": "Ann Onymous",
        "role": "agent",
        "worker_sid": front.worker_sid("Alice"),
    }
    assert re.fullmatch(r"US[0-9a-f]{32}", told["user"]["sid"])
    assert told["expires_at"] == "2026-01-05T10:00:00Z"
    assert told["csrf"] != before["csrf"]
    assert browser.open("POST", "/desk/sign-out").status_code == 204
    assert browser.look()["user"] is None


def test_a_new_cookie_comes_with_every_change_of_who_it_is(front: Front) -> None:
    browser = front.browser()
    browser.look()
    anonymous = browser.cookies[COOKIE]
    browser.demo("alice")
    alices = browser.cookies[COOKIE]
    browser.demo("bob")
    bobs = browser.cookies[COOKIE]
    browser.open("POST", "/desk/sign-out")
    assert len({anonymous, alices, bobs, browser.cookies[COOKIE]}) == 4
    # And the earlier ones lead nowhere: signing in as somebody else ended Alice's session.
    for old in (alices, bobs):
        stale = front.browser()
        stale._client.set_cookie(COOKIE, old, domain="127.0.0.1")
        assert stale.look()["user"] is None


@pytest.mark.parametrize(
    ("public_url", "name", "is_secure"),
    [("", "tandem_8000", False), ("https://tandem.example", "__Host-tandem", True)],
)
def test_the_cookie_is_for_http_alone_and_for_this_site(
    open_front: Callable[..., Front], public_url: str, name: str, is_secure: bool
) -> None:
    front = open_front(PUBLIC_URL=public_url)
    answer = front.browser(public_url or HERE).open("GET", "/desk/session")
    [cookie] = answer.headers.getlist("Set-Cookie")
    value, *attributes = cookie.split("; ")
    assert value.startswith(f"{name}=")
    expected = {"HttpOnly", "Path=/", "SameSite=Lax"} | ({"Secure"} if is_secure else set())
    assert set(attributes) == expected
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "another long password"), ("nobody", PASSWORD), ("alice", "x")]
)
def test_a_pair_that_does_not_fit_is_refused_alike(front: Front, name: str, password: str) -> None:
    front.add_user("ann", "supervisor")
    browser = front.browser()
    browser.look()
    answer = browser.try_in(name, password)
    assert answer.status_code == 401
    assert answer.json == {
        "code": 20003,
        "message": "Unauthorized: expected the name and the password of a user",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }
    assert browser.look()["user"] is None


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"{}", "name"),
        (b'{"name": "ann"}', "password"),
        (b'{"name": ["ann"], "password": "x"}', "name"),
        (b'{"name": "ann", "password": "\\ud800"}', "body"),
        (b"[]", "body"),
        (b"not JSON", "body"),
    ],
)
def test_a_sign_in_that_says_too_little_is_told_what_is_missing(
    front: Front, body: bytes, names: str
) -> None:
    browser = front.browser()
    browser.look()
    answer = browser.open(
        "POST", "/desk/sign-in", data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json is not None
    assert names in answer.json["message"]


def test_a_session_ends_when_nobody_uses_it_and_at_last_in_any_case(front: Front) -> None:
    front.add_user("ann", "supervisor")
    idle = front.browser().sign_in("ann")
    busy = front.browser().sign_in("ann")
    for _ in range(12):
        front.clock.advance(59 * 60)
        assert busy.look()["user"] is not None
    assert idle.look()["user"] is None
    assert busy.told["expires_at"] == "2026-01-05T21:00:00Z"
    front.clock.advance(12 * 60)
    assert busy.look()["user"] is None
    assert busy.open("POST", "/desk/token", json={"for": "feed"}).status_code == 401


def test_a_session_ends_when_its_user_is_disabled_or_has_another_password(front: Front) -> None:
    front.add_user("ann", "supervisor")
    first, second = front.browser().sign_in("ann"), front.browser().sign_in("ann")
    front.engine.perform(users.change_password, name="ann", password_hash="$argon2id$none")
    assert [each.look()["user"] for each in (first, second)] == [None, None]
    front.add_user("ben", "supervisor")
    third = front.browser().sign_in("ben")
    front.engine.perform(users.disable, name="ben")
    assert third.look()["user"] is None
    assert third.try_in("ben", PASSWORD).status_code == 401
    front.engine.perform(users.enable, name="ben")
    assert front.browser().sign_in("ben").told["user"]["name"] == "ben"


def test_who_guesses_is_made_to_wait_and_others_are_not(front: Front) -> None:
    front.add_user("ann", "supervisor")
    front.add_user("ben", "supervisor")
    guesser = front.browser()
    guesser.look()
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    for _ in range(5):
        assert guesser.try_in("ann", "guess", environ_base=elsewhere).status_code == 401
    refused = guesser.try_in("ann", PASSWORD, environ_base=elsewhere)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    # Ann herself, from where she is; and her colleague, from where the guesses come.
    assert front.browser().sign_in("ann").told["user"]["name"] == "ann"
    assert guesser.try_in("ben", PASSWORD, environ_base=elsewhere).status_code == 200
    guesser.look()
    front.clock.advance(60)
    assert guesser.try_in("ann", "guess", environ_base=elsewhere).status_code == 401
    assert guesser.try_in("ann", PASSWORD, environ_base=elsewhere).status_code == 429


def test_names_are_no_way_around_the_limit_of_an_address(front: Front) -> None:
    browser = front.browser()
    browser.look()
    answers = [browser.try_in(f"name{number}", "guess").status_code for number in range(31)]
    assert answers == [401] * 30 + [429]


def test_a_success_forgets_the_failures_before_it(front: Front) -> None:
    front.add_user("ann", "supervisor")
    for _ in range(3):
        browser = front.browser()
        browser.look()
        for _ in range(4):
            assert browser.try_in("ann", "guess").status_code == 401
        browser.sign_in("ann")


def test_a_proxy_on_this_machine_says_whom_it_speaks_for(front: Front) -> None:
    front.add_user("ann", "supervisor")
    browser = front.browser()
    browser.look()
    statuses = []
    for last in range(6):
        headers = {"X-Forwarded-For": f"10.0.0.{last}, 203.0.113.9"}
        statuses.append(browser.try_in("ann", "guess", headers=headers).status_code)
    assert statuses[-1] == 429  # what stands before the proxy's own word is anybody's
    headers = {"X-Forwarded-For": "203.0.113.9"}
    far = {"REMOTE_ADDR": "198.51.100.7"}
    assert browser.try_in("ann", "guess", headers=headers, environ_base=far).status_code == 401


def test_neither_passwords_nor_secrets_reach_the_log_or_the_tables(
    front: Front, capfd: pytest.CaptureFixture[str]
) -> None:
    front.add_user("ann", "supervisor")
    browser = front.browser()
    browser.look()
    browser.try_in("ann", "a wrong but secret guess")
    browser.sign_in("ann")
    token = browser.open("POST", "/desk/token", json={"for": "feed"}).json
    assert token is not None
    said = "".join(capfd.readouterr())
    rows = front.store.read(
        lambda work: [work.users.find(), work.sessions.find(), work.sign_in_attempts.find()]
    )
    kept = json.dumps(rows, default=str)
    for secret in (PASSWORD, "a wrong but secret guess", browser.cookies[COOKIE], browser.csrf):
        assert secret not in said
        assert secret not in kept
    assert token["token"] not in said


def test_an_outdated_hash_is_made_anew_at_the_next_sign_in(front: Front) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    front.add_user("ann", "supervisor", password_hash=weak)
    browser = front.browser().sign_in("ann")
    user = front.engine.read(users.named, name="ann")
    assert user is not None
    assert user.password_hash not in {None, weak}
    assert browser.look()["user"] is not None
    assert front.browser().sign_in("ann").told["user"] is not None


def test_an_unknown_path_below_the_desk_is_told_in_the_same_shape(front: Front) -> None:
    answer = front.browser().open("GET", "/desk/nothing")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == 20404
