"""Sign-in through an OpenID Connect provider that runs on this machine."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from routing.engine import users
from tests.desk.server.front import HERE, Browser, Front
from tests.desk.server.provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    another_key,
    elliptic_key,
    secret_key,
)
from tests.fakes import ManualClock


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(ManualClock()) as running:
        yield running


@pytest.fixture
def opened(open_front: Callable[..., Front], provider: Provider) -> Callable[..., Front]:
    """Call it with more settings for an application that trusts the provider."""

    def open_it(**more: str) -> Front:
        front = open_front(
            **{
                "OPENID_ISSUER": provider.issuer,
                "OPENID_CLIENT_ID": CLIENT_ID,
                "OPENID_CLIENT_SECRET": CLIENT_SECRET,
                "OPENID_LABEL": "Our directory",
            }
            | more
        )
        provider._clock = front.clock
        return front

    return open_it


#: The provider says who takes calls and who watches.
ROLES = {
    "OPENID_ROLE_CLAIM": "realm_access.roles",
    "OPENID_ROLES": "calls=agent,watch=supervisor,boss=admin",
    "OPENID_NAME_CLAIM": "preferred_username",
}


def journey(browser: Browser, provider: Provider, path: str = "/desk/open-id") -> TestResponse:
    """There and back."""
    left = browser.open("GET", path)
    assert left.status_code == 302, left.text
    back = provider.authorize(left.headers["Location"])
    assert back.startswith(f"{HERE}/desk/open-id/callback?")
    return browser.open("GET", back.removeprefix(HERE))


def refusal(answer: TestResponse) -> str:
    """Why, as the sign-in page is told."""
    assert answer.status_code == 302
    where = urlsplit(answer.headers["Location"])
    assert (where.scheme, where.netloc, where.path) == ("", "", "/sign-in")
    return parse_qs(where.query)["error"][0]


def test_a_user_that_was_added_comes_in_through_the_provider(
    opened: Callable[..., Front], provider: Provider
) -> None:
    front = opened()
    front.add_user("ann@example.com", "agent", worker="Alice", password_hash=None)
    provider.claims = {"email": "Ann@Example.com", "email_verified": True}
    browser = front.browser()
    before = browser.look()
    assert before["open_id"] == {"name": "Our directory"}
    answer = journey(browser, provider, "/desk/open-id?next=/desk%3Ftask=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/desk?task=1"
    told = browser.look()
    assert told["user"]["name"] == "ann@example.com"
    assert told["csrf"] != before["csrf"]
    assert "tandem_open_id" not in browser.cookies


def test_the_provider_says_who_is_what_and_new_people_are_known_from_then_on(
    opened: Callable[..., Front], provider: Provider
) -> None:
    front = opened(**ROLES, OPENID_WORKER_CLAIM="worker")
    provider.claims = {
        "preferred_username": "ann",
        "name": "Ann Onymous",
        "worker": "Bob",
        "realm_access": {"roles": ["other", "calls"]},
    }
    browser = front.browser()
    assert journey(browser, provider).headers["Location"] == "/desk"
    told = browser.look()["user"]
    assert (told["role"], told["display_name"]) == ("agent", "Ann Onymous")
    assert told["worker_sid"] == front.worker_sid("Bob")
    provider.claims["realm_access"] = {"roles": ["calls", "watch"]}
    assert journey(browser, provider).headers["Location"] == "/wall"
    again = browser.look()["user"]
    assert (again["sid"], again["role"]) == (told["sid"], "supervisor")


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "ann", "realm_access": {"roles": ["other"]}},
        {"preferred_username": "ann", "realm_access": "boss"},
        {"preferred_username": "ann"},
        {"realm_access": {"roles": ["boss"]}},
        {"preferred_username": ["ann"], "realm_access": {"roles": ["boss"]}},
        {"preferred_username": "not a name!", "realm_access": {"roles": ["boss"]}},
        # An agent without a Worker of that name.
        {"preferred_username": "ann", "realm_access": {"roles": ["calls"]}},
        # Whoever may choose a name there does not become somebody who signs in otherwise here.
        {"preferred_username": "root", "realm_access": {"roles": ["boss"]}},
        {"preferred_username": "alice", "realm_access": {"roles": ["boss"]}},
        {"preferred_username": "gone", "realm_access": {"roles": ["boss"]}},
    ],
)
def test_who_is_nobody_here_is_not_let_in(
    opened: Callable[..., Front], provider: Provider, claims: dict[str, Any]
) -> None:
    front = opened(**ROLES)
    front.add_user("root", "admin")
    front.add_user("gone", "admin", password_hash=None)
    front.engine.perform(users.disable, name="gone")
    provider.claims = claims
    browser = front.browser()
    assert refusal(journey(browser, provider)) == "unknown"
    assert browser.look()["user"] is None


def test_an_address_that_nobody_has_verified_is_none(
    opened: Callable[..., Front], provider: Provider
) -> None:
    front = opened()
    front.add_user("ann@example.com", "supervisor", password_hash=None)
    provider.claims = {"email": "ann@example.com", "email_verified": False}
    assert refusal(journey(front.browser(), provider)) == "unknown"


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://another.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"], "azp": CLIENT_ID},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 99_999_999_999},
        {"sub": None},
        {"at_hash": "bm9uZQ"},
        {"signs_with": another_key, "algorithm": "RS256"},
        {"signs_with": secret_key, "algorithm": "HS256"},
    ],
    ids=lambda wrong: ", ".join(
        f"{name}={getattr(what, '__name__', what)}" for name, what in wrong.items()
    ),
)
def test_a_token_that_is_not_right_in_everything_opens_nothing(
    opened: Callable[..., Front], provider: Provider, wrong: dict[str, Any]
) -> None:
    front = opened()
    front.add_user("ann@example.com", "supervisor", password_hash=None)
    provider.claims = {"email": "ann@example.com"}
    wrong = dict(wrong)
    if "signs_with" in wrong:
        provider.signs_with = wrong.pop("signs_with")()
    provider.algorithm = wrong.pop("algorithm", "RS256")
    provider.wrong = wrong
    browser = front.browser()
    assert refusal(journey(browser, provider)) == "failed"
    assert browser.look()["user"] is None


def test_a_key_that_has_replaced_another_is_found(
    opened: Callable[..., Front], provider: Provider
) -> None:
    front = opened()
    front.add_user("ann@example.com", "supervisor", password_hash=None)
    provider.claims = {"email": "ann@example.com"}
    assert journey(front.browser(), provider).headers["Location"] == "/wall"
    provider.key = elliptic_key()
    provider.algorithm = "ES256"
    assert journey(front.browser(), provider).headers["Location"] == "/wall"
    assert provider.asked.count("keys") == 2


def test_only_the_browser_that_left_can_come_back_and_only_once(
    opened: Callable[..., Front], provider: Provider
) -> None:
    front = opened()
    front.add_user("ann@example.com", "supervisor", password_hash=None)
    provider.claims = {"email": "ann@example.com"}
    ours = front.browser()
    left = ours.open("GET", "/desk/open-id")
    back = provider.authorize(left.headers["Location"]).removeprefix(HERE)
    assert refusal(front.browser().open("GET", back)) == "failed"  # another browser
    other = front.browser()
    other.open("GET", "/desk/open-id")
    assert refusal(other.open("GET", back)) == "failed"  # one on a journey of its own
    assert ours.open("GET", back).headers["Location"] == "/wall"
    assert refusal(ours.open("GET", back)) == "failed"  # the memory of it is gone


def test_a_journey_that_took_too_long_or_was_refused_ends_at_the_sign_in_page(
    opened: Callable[..., Front],
) -> None:
    front = opened()
    browser = front.browser()
    state = parse_qs(urlsplit(browser.open("GET", "/desk/open-id").headers["Location"]).query)
    path = f"/desk/open-id/callback?error=access_denied&state={state['state'][0]}"
    assert refusal(browser.open("GET", path)) == "denied"
    browser.open("GET", "/desk/open-id")
    browser._client.set_cookie("tandem_open_id", "forged", path="/desk/open-id")
    assert refusal(browser.open("GET", path)) == "failed"
    browser.open("GET", "/desk/open-id")
    for text in ("", "code=x", "state=&code=x", "state=x&code=x", "state=%C3%A9&code=x"):
        assert refusal(browser.open("GET", f"/desk/open-id/callback?{text}")) == "failed"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/desk/../\\evil.example",
        "javascript:alert(1)",
        "/desk\r\nSet-Cookie: a=b",
        "/desk@evil.example",
        "/desk/rest/Workspaces",
    ],
)
def test_nobody_is_sent_on_to_another_site(
    opened: Callable[..., Front], provider: Provider, wanted: str
) -> None:
    front = opened()
    front.add_user("ann@example.com", "supervisor", password_hash=None)
    provider.claims = {"email": "ann@example.com"}
    browser = front.browser()
    left = browser.open("GET", "/desk/open-id", query_string={"next": wanted})
    back = provider.authorize(left.headers["Location"]).removeprefix(HERE)
    assert browser.open("GET", back).headers["Location"] == "/wall"


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://another.example"},
        {"authorization_endpoint": None},
        {"jwks_uri": "http://127.0.0.1:9/keys"},
    ],
)
def test_a_provider_that_is_of_no_use_is_said_to_be_so(
    opened: Callable[..., Front], provider: Provider, description: dict[str, Any]
) -> None:
    front = opened()
    provider.description = description
    assert refusal(front.browser().open("GET", "/desk/open-id")) == "unreachable"
    provider.description = {}
    assert front.browser().open("GET", "/desk/open-id").headers["Location"].startswith("http")


def test_without_a_provider_there_is_no_such_way_in(front: Front) -> None:
    assert front.browser().open("GET", "/desk/open-id").status_code == 404
    assert front.browser().open("GET", "/desk/open-id/callback").status_code == 404
