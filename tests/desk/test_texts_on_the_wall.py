"""Whatever callers, agents and programs write is a text on the wall, and nothing else."""

import pytest
from playwright.sync_api import Page, expect

from tests.desk.conftest import OpenPage
from tests.desk.payloads import PAYLOADS
from tests.desk.supervisor import Supervisor
from tests.desk.whole_house import WholeHouse

#: The longest name that everything may have.
_NAME = 60


def _name(number: int) -> str:
    return f"{PAYLOADS[number][:_NAME]} {number}"


def _written_everywhere(house: WholeHouse) -> None:
    """Each text as the name of a TaskQueue, a Worker and a Task, and within its Attributes."""
    for number, text in enumerate(PAYLOADS):
        queue = house.post(
            f"{house.base}/TaskQueues", FriendlyName=_name(number), TargetWorkers="1==1"
        )
        house.post(f"{house.base}/Workers", FriendlyName=_name(number))
        attributes = {"name": text, text: text, "from": {"number": text}}
        house.task(attributes, TaskQueueSid=queue["sid"], WorkflowSid="")
    for number in range(0, 20, 2):
        house.post(f"{house.base}/Activities", FriendlyName=_name(number), Available="true")


def _scrolls_through(page: Page, part: str) -> None:
    """Every row of the table is on the page once."""
    scroller = page.locator(f"#{part} .scrolls")
    for _ in range(40):
        before = scroller.evaluate(
            "each => { const at = each.scrollTop; each.scrollTop += 350; return at; }"
        )
        page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
        if scroller.evaluate("each => each.scrollTop") == before:
            break
    scroller.evaluate("each => { each.scrollTop = 0; }")


def _is_only_text(page: Page) -> None:
    assert page.evaluate("window.wasPwned") is None
    assert page.locator("body img:not(.bar img), iframe, object, embed, marquee").count() == 0
    assert page.locator("main a, dialog a").count() == 0


def test_a_hundred_texts_that_would_like_to_be_code(house: WholeHouse, open_page: OpenPage) -> None:
    house.clear()
    _written_everywhere(house)
    page = open_page()
    page.add_init_script("window.pwned = () => { window.wasPwned = true; }")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    carol = Supervisor(page)
    carol.sign_in()
    expect(carol.figure("Waiting")).to_have_text(str(len(PAYLOADS)))
    for part in ("queues", "line", "agents"):
        expect(page.locator(f"#{part} .count")).to_contain_text("10")
        _scrolls_through(page, part)
    _is_only_text(page)

    for number in range(0, len(PAYLOADS), 20):
        line = page.locator("#line")
        line.get_by_role("searchbox").fill(_name(number))
        row = line.locator("tr.line").first
        expect(row).to_contain_text(" ".join(_name(number).split())[:40])
        row.locator("button.opens").click()
        expect(carol.dialog.locator(".attributes")).to_contain_text("name")
        carol.dialog.get_by_role("button", name="Why does it wait?").click()
        expect(carol.dialog.locator(".why")).to_be_visible()
        _is_only_text(page)
        carol.dialog.get_by_role("button", name="Cancel the task …").click()
        carol.dialog.get_by_label("Reason").fill(PAYLOADS[number][:200])
        carol.dialog.get_by_role("button", name="Yes, cancel it").click()
        expect(carol.dialog).to_contain_text("This task is over.")
        carol.closes()
        expect(carol.last_deed).to_contain_text("canceled")

    page.locator("#agents").get_by_role("searchbox").fill("alice")
    carol.opens("agents", "Alice")
    _is_only_text(page)
    carol.closes()
    page.get_by_role("button", name="As a table").click()
    page.keyboard.press("b")
    expect(page.locator(".large tbody tr")).to_have_count(8)
    _is_only_text(page)
