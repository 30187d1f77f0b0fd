"""The home page: a newcomer dials, watches the call travel, and answers it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.desk.conftest import OpenPage
from tests.desk.whole_house import CALLER, WholeHouse

STEPS = (
    "Webhook", "Task", "Workflow", "TaskQueue", "Matching",
    "Reservation", "Accept", "Conference", "After-work", "Completed",
)  # fmt: skip


@pytest.fixture
def home(house: WholeHouse, open_page: OpenPage) -> Callable[..., Page]:
    """The page, in a house in which nothing goes on and both agents are free."""
    house.clear()
    for name in ("Alice", "Bob"):
        house.move(name, "Available")

    def opened(**context: object) -> Page:
        page = open_page(**context)
        page.goto("/")
        return page

    return opened


def step(page: Page, name: str) -> Locator:
    return page.locator("home-path li.step").nth(STEPS.index(name))


def done(page: Page, name: str) -> None:
    expect(step(page, name)).to_have_attribute("data-state", "done")


def agents(page: Page) -> Locator:
    return page.locator("home-agent")


def test_a_newcomer_dials_answers_and_sees_the_call_take_ten_steps(
    house: WholeHouse, home: Callable[..., Page], axe: Callable[[Page], list[str]]
) -> None:
    page = home()
    expect(agents(page).get_by_role("switch", name="Available")).to_have_count(2)
    assert axe(page) == []
    page.get_by_role("button", name="Dial").click()
    expect(page.get_by_role("log")).to_contain_text("Welcome")
    for name in STEPS[:6]:
        done(page, name)
    expect(step(page, "Accept")).to_have_attribute("aria-current", "step")
    assert axe(page) == []

    agents(page).get_by_role("button", name="Accept").click()
    done(page, "Conference")
    expect(agents(page).get_by_text("In conversation")).to_be_visible()
    house.until(lambda: CALLER in house.together() and len(house.together()) == 2, "both to talk")
    task = house.newest_task()
    assert house.status(task) == "assigned"

    page.locator("home-caller").get_by_role("button", name="Hang up").click()
    done(page, "After-work")
    agents(page).get_by_role("button", name="Complete").click()
    done(page, "Completed")
    assert house.status(task) == "completed"
    assert [house.load(name) for name in ("Alice", "Bob")] == [0, 0]
    for name in STEPS:
        expect(step(page, name).locator("time")).to_have_text(re.compile(r"^\+[\d,.]+ m?s$"))
        expect(step(page, name).get_by_role("button").first).to_be_visible()


def test_each_step_opens_the_real_request_or_event(
    house: WholeHouse, home: Callable[..., Page], axe: Callable[[Page], list[str]]
) -> None:
    page = home()
    page.get_by_role("button", name="Dial").click()
    done(page, "Reservation")
    dialog = page.get_by_role("dialog")
    step(page, "Webhook").get_by_role("button").click()
    expect(dialog).to_contain_text("/voice/incoming")
    expect(dialog).to_contain_text("<Enqueue")
    expect(dialog).to_contain_text("HTTP 200")
    assert axe(page) == []
    page.keyboard.press("Escape")
    step(page, "Task").get_by_role("button").click()
    expect(dialog).to_contain_text(house.newest_task())
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_who_is_not_free_and_why_is_said_while_the_caller_waits(
    house: WholeHouse, home: Callable[..., Page]
) -> None:
    page = home()
    for name in ("Alice", "Bob"):
        agent = agents(page).filter(has=page.get_by_role("heading", name=name))
        agent.get_by_role("switch").click()
        expect(agent.get_by_role("switch", name="Offline")).not_to_be_checked()
        assert house.activity(name) == "Offline"
    page.get_by_role("button", name="Dial").click()
    why = step(page, "Matching").locator(".why")
    expect(why).to_contain_text(re.compile("(Alice, Bob|Bob, Alice): not available"))

    page.locator("home-caller").get_by_role("button", name="Hang up").click()
    expect(step(page, "Completed")).to_contain_text("nothing is left behind")
    assert house.status(house.newest_task()) == "canceled"


def test_a_declined_offer_goes_to_the_other_agent(
    house: WholeHouse, home: Callable[..., Page]
) -> None:
    page = home()
    expect(agents(page).get_by_role("switch", name="Available")).to_have_count(2)
    page.get_by_role("button", name="Dial").click()
    first = agents(page).filter(has=page.get_by_role("button", name="Decline"))
    name = first.get_by_role("heading").inner_text()
    other = {"Alice": "Bob", "Bob": "Alice"}[name]
    first.get_by_role("button", name="Decline").click()
    expect(step(page, "Reservation")).to_contain_text("reservation.rejected")
    expect(step(page, "Reservation").locator(".fact")).to_have_text(other)
    assert house.load(other) == 1


def test_the_page_speaks_japanese_and_fits_a_telephone(home: Callable[..., Page]) -> None:
    page = home(locale="ja-JP", viewport={"width": 360, "height": 740})
    expect(page.get_by_role("button", name="発信")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shown = page.locator("body").inner_text()
    assert not re.search(r"\b(home|path|caller|agent)\.\w", shown)
