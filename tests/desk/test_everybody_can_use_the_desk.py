"""The desk in each of its states: for those who listen, in both languages, light and dark, on a
telephone; and whatever others write stays a text.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.desk.conftest import OpenPage
from tests.desk.payloads import PAYLOADS
from tests.desk.people import Agent, Wire
from tests.desk.whole_house import WholeHouse

Axe = Callable[[Page], list[str]]
#: What is English on a Japanese page because people and programs have called it so.
_NAMES = {
    "tandem",
    "alice",
    "bob",
    "carol",
    "support",
    "ann",
    "english",
    "tab",
    "sms",
    "escape",
    "csv",
}


def _narrow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (360, "dark")], ids=["wide light", "narrow dark"]
)
def test_no_state_of_the_desk_shuts_anybody_out(
    house: WholeHouse, open_page: OpenPage, axe: Axe, width: int, scheme: str
) -> None:
    house.clear()
    page = open_page(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    wire = Wire(page)
    alice = Agent(page, "Alice")
    alice.sign_in()
    faults: dict[str, list[str]] = {}

    def look(state: str) -> None:
        assert _narrow(page) <= width, f"{state}: wider than the screen"
        if found := axe(page):
            faults[state] = found

    look("away")
    alice.goes("Available")
    expect(page.get_by_text("Nothing to do at the moment.")).to_be_visible()
    look("at rest")
    house.task({"name": "Ann", "link": "https://chat.example/1", "topic": "Refund"})
    expect(alice.offer).to_be_visible()
    look("an offer")
    alice.offer.get_by_role("button", name="Decline").click()
    look("declining")
    page.keyboard.press("Escape")
    alice.accept()
    expect(alice.task).to_be_visible()
    look("a chat")
    alice.completes()
    house.dial()
    alice.accept()
    alice.has_call()
    alice.control("Keypad").click()
    look("a call")
    alice.control("Transfer").click()
    expect(page.get_by_text("Bob")).to_be_visible()
    look("transferring")
    page.keyboard.press("Escape")
    alice.control("Hang up").click()
    expect(alice.task).to_contain_text("After-work")
    look("after-work")
    page.locator("details.menu > summary").click()
    look("the menu")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    look("the shortcuts")
    page.keyboard.press("Escape")
    wire.cut()
    expect(page.locator(".banner")).to_be_visible()
    look("no connection")
    assert not faults, "\n".join(f"{state}: {fault}" for state in faults for fault in faults[state])


def test_the_desk_speaks_japanese_throughout(house: WholeHouse, open_page: OpenPage) -> None:
    house.clear()
    page = open_page(locale="ja-JP")
    alice = Agent(page, "Alice")
    page.goto("/sign-in?next=/desk")
    page.get_by_role("button", name=re.compile("Alice")).click()
    expect(page.locator(".connection")).to_have_text("接続済み")
    seen = _english(page)
    alice.activity.select_option(label="受付可")
    house.task({"name": "Ann"})
    expect(alice.offer).to_be_visible()
    seen |= _english(page)
    alice.offer.get_by_role("button", name="辞退").click()
    seen |= _english(page)
    page.keyboard.press("Escape")
    alice.offer.get_by_role("button", name="応答").click()
    expect(alice.task).to_be_visible()
    seen |= _english(page)
    alice.task.get_by_role("button", name="完了").click()
    expect(alice.task).to_have_count(0)
    house.dial()
    alice.offer.get_by_role("button", name="応答").click()
    expect(alice.control("保留")).to_be_enabled()
    alice.control("転送").click()
    expect(page.get_by_text("Bob")).to_be_visible()
    seen |= _english(page)
    assert seen - _NAMES == set()


def _english(page: Page) -> set[str]:
    """Words in Latin letters that the page shows or says."""
    text = page.evaluate(
        """() => {
          const said = [...document.querySelectorAll('[aria-label], [placeholder], [title]')]
            .flatMap((each) => [each.ariaLabel, each.placeholder, each.title]);
          return [document.body.innerText, ...said].join(' ');
        }"""
    )
    return {word.lower() for word in re.findall(r"[A-Za-z]{3,}", text)}


def test_whatever_others_write_stays_a_text(house: WholeHouse, open_page: OpenPage) -> None:
    house.clear()
    page = open_page()
    page.add_init_script("window.pwned = () => { window.wasPwned = true; }")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    renamed = f"{house.base}/Workers/{house.workers['Bob']}"
    queue = house.get(f"{house.base}/TaskQueues")["task_queues"][0]["sid"]
    alice = Agent(page, "Alice")
    house.post(renamed, FriendlyName=PAYLOADS[0])
    house.post(f"{house.base}/TaskQueues/{queue}", FriendlyName=PAYLOADS[45][:64])
    try:
        alice.sign_in()
        alice.goes("Available")
        for number in range(0, len(PAYLOADS), 10):
            some = PAYLOADS[number : number + 10]
            _tries_with(house, alice, some)
        house.dial()
        alice.accept()
        alice.has_call()
        alice.control("Transfer").click()
        expect(page.locator(".contact-name", has_text=PAYLOADS[0]).last).to_be_visible()
        page.keyboard.press("Escape")
        expect(alice.task).to_contain_text(PAYLOADS[45][:64])
    finally:
        house.post(renamed, FriendlyName="Bob")
        house.post(f"{house.base}/TaskQueues/{queue}", FriendlyName="Support")
    assert page.evaluate("window.wasPwned") is None
    assert page.locator("body img:not(.bar img), iframe, object, embed").count() == 0


def _tries_with(house: WholeHouse, alice: Agent, some: tuple[str, ...]) -> None:
    """As subject, as names and values of attributes, as links, as notes and dispositions."""
    attributes: dict[str, object] = {"name": some[0], "link": some[1], "dispositions": list(some)}
    attributes |= {f"{text} {place}": text for place, text in enumerate(some)}
    task = house.task(attributes)
    shown = " ".join(some[0].split())
    expect(alice.offer.get_by_role("heading")).to_have_text(shown)
    alice.accept()
    expect(alice.task.get_by_role("heading")).to_have_text(shown)
    for link in alice.task.get_by_role("link").all():
        address = link.get_attribute("href") or ""
        assert address.startswith("https://crm.example/"), address
    for value in alice.task.locator("dd").all():
        value.dispatch_event("pointerenter")
        value.dispatch_event("mouseover")
    alice.task.get_by_label("Result").select_option(index=2)
    alice.writes(some[2])
    alice.completes()
    assert house.attributes(task)["notes"] == some[2].replace("\r", "")
    expect(alice.page.locator(".line", has_text=some[0][:20].split("\n")[0]).first).to_be_visible()
