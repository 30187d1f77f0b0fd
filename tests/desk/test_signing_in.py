"""The sign-in page: passwords, one click, who is refused and how they are told."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.desk.conftest import OpenPage
from tests.desk.whole_house import PATIENCE, WholeHouse

expect.set_options(timeout=PATIENCE * 1000)
PASSWORD = "a password that is long enough"


def _tries(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_password_opens_the_page_that_was_asked_for(
    house: WholeHouse, open_page: OpenPage, axe: Callable[[Page], list[str]]
) -> None:
    house.command("users", "add", "dora", "--worker", "Alice", "--password-stdin", said=PASSWORD)
    page = open_page()
    page.goto("/desk")
    page.wait_for_url("**/sign-in?next=**")
    assert axe(page) == []
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Please give your name and your password.").first).to_be_visible()
    _tries(page, "dora", "not this one, surely")
    expect(page.locator(".message")).to_have_text("Name or password is wrong.")
    assert axe(page) == []
    page.get_by_label("Show the password").check()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    _tries(page, "dora", PASSWORD)
    page.wait_for_url("**/desk")
    expect(page.locator(".connection")).to_have_text("Connected")
    expect(page.locator("details.menu > summary")).to_contain_text("dora")
    page.goto("/sign-in?next=https://evil.example/")
    page.wait_for_url(f"{house.url}/desk")


def test_who_guesses_is_told_how_long_to_wait(
    open_page: OpenPage, axe: Callable[[Page], list[str]]
) -> None:
    page = open_page()
    page.goto("/sign-in")
    message = page.locator(".message")
    for _ in range(5):
        _tries(page, "nobody", "guess")
        expect(message).to_have_text("Name or password is wrong.")
    _tries(page, "nobody", "guess")
    expect(message).to_have_text(re.compile(r"Please try again in \d+ seconds\."))
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_disabled()
    assert axe(page) == []


def test_a_server_that_is_away_is_told_and_found_again(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/desk/session", lambda route: route.abort())
    page.goto("/sign-in")
    expect(page.get_by_role("alert").first).to_contain_text("cannot be reached")
    page.unroute("**/desk/session")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name=re.compile("Alice"))).to_be_visible()


def test_language_and_appearance_are_chosen_and_remembered(open_page: OpenPage) -> None:
    page = open_page(locale="ja-JP", color_scheme="light")
    page.goto("/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("サインイン")
    page.locator("details.menu > summary").click()
    page.get_by_label("表示モード").select_option("dark")
    page.get_by_label("言語").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    scheme = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert scheme == "dark"
