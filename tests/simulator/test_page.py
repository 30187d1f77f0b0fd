"""The simulator's page: complete, closed to foreign code, and a telephone in a real browser."""

import re
import shutil
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.simulator.application import Application
from tests.simulator.town import CALLER, LINE, Town

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (found := shutil.which(name)) is not None
    ),
    None,
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER: the page was not tried; install chromium"
)

#: Lets a test read what the browser's voice was asked to say.
LISTEN = """
window.spoken = [];
const speak = SpeechSynthesis.prototype.speak;
SpeechSynthesis.prototype.speak = function (words) {
  window.spoken.push([words.text, words.lang]);
  return speak.call(this, words);
};
"""

NASTY = '<img src=x onerror="document.title=1">'


def test_the_page_and_all_it_loads_come_from_the_simulator_itself(town: Town) -> None:
    page = requests.get(f"{town.simulator.url}/", timeout=20)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert sorted(loaded) == ["/icon.svg", "/page.css", "/page.js"]
    for path in loaded:
        answer = requests.get(f"{town.simulator.url}{path}", timeout=20)
        assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")
        assert "//" not in re.sub(
            r"http://www\.w3\.org/\S+|^// .*$| // .*$", "", answer.text, flags=re.MULTILINE
        )


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/sound.js", "/icon.svg"])
def test_the_policy_lets_nothing_else_run(town: Town, path: str) -> None:
    policy = requests.get(f"{town.simulator.url}{path}", timeout=20).headers[
        "Content-Security-Policy"
    ]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in policy


def test_the_page_has_no_inline_script_or_style_and_labels_every_field(town: Town) -> None:
    page = requests.get(f"{town.simulator.url}/", timeout=20).text
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*src=)", page)
    for field in re.finditer(r"<(?:input|select)\b", page):
        before = page[: field.start()]
        assert before.rfind("<label") > before.rfind("</label>"), page[field.start() :][:60]


def test_every_element_that_the_script_names_is_on_the_page(town: Town) -> None:
    page = requests.get(f"{town.simulator.url}/", timeout=20).text
    script = requests.get(f"{town.simulator.url}/page.js", timeout=20).text
    named = set(re.findall(r'byId\("([^"]+)"\)', script))
    assert named
    assert named <= set(re.findall(r'id="([^"]+)"', page))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_a_call_that_is_over_can_still_be_looked_at(town: Town, application: Application) -> None:
    application.says("/voice", "<Say>Goodbye</Say>")
    sid = town.dial()
    town.wait(60)
    call = town.get(f"/simulator/calls/{sid}")
    assert (call["status"], [one["text"] for one in call["heard"]]) == ("completed", ["Goodbye"])
    assert town.get("/simulator/calls/CA0") == {"error": "there is no call CA0"}


@pytest.fixture
def screen(town: Town) -> Iterator[Page]:
    """A browser at the page. Whatever it complains of fails the test."""
    complaints: list[str] = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.on("console", lambda line: complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(LISTEN)
        page.goto(f"{town.simulator.url}/")
        expect(page.locator("#connection")).to_have_text("connected")
        yield page
        browser.close()
    assert complaints == []


@needs_chromium
def test_somebody_dials_in_the_browser_reads_the_greeting_presses_and_hangs_up(
    application: Application, screen: Page
) -> None:
    application.says(
        "/voice",
        f'<Gather numDigits="1" action="/pressed"><Say>Welcome {NASTY.replace("<", "&lt;")}</Say>'
        "</Gather>",
    )
    application.says("/pressed", '<Say language="fr-FR">Merci</Say><Pause length="600"/>')
    expect(screen.get_by_label("To", exact=True)).to_have_value(LINE)
    screen.get_by_role("button", name="Dial").click()
    heard = screen.get_by_label("What is heard on the line")
    expect(heard).to_contain_text(f"Welcome {NASTY}")
    expect(screen.locator("#line-status")).to_have_text("in-progress")
    expect(screen.locator("#calls li")).to_contain_text(f"{CALLER} → {LINE}")
    heard.press("7")
    application.wait_for("/pressed")
    assert application.last("/pressed")["Digits"] == "7"
    expect(heard).to_contain_text("Merci")
    assert screen.evaluate("window.spoken") == [[f"Welcome {NASTY}", "en-US"], ["Merci", "fr-FR"]]
    screen.locator("#hang-up").click()
    expect(screen.locator("#line-status")).to_have_text("completed")
    expect(screen.locator("#calls li")).to_have_count(0)
    expect(screen.locator("#log")).to_contain_text("/pressed")
    assert screen.title() == "Phone network simulator"
    wide = screen.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} px wide on a screen of 360"


@needs_chromium
def test_a_phone_that_waits_is_answered_in_the_browser(
    town: Town, application: Application, screen: Page
) -> None:
    screen.get_by_label("Address").fill("client:ann")
    screen.get_by_role("button", name="Set", exact=True).click()
    expect(screen.get_by_label("When client:ann rings")).to_have_value("manual")
    call = town.client.calls.create(
        to="client:ann",
        from_=LINE,
        twiml='<Response><Say>Hello Ann</Say><Pause length="60"/></Response>',
    )
    screen.get_by_role("button", name="Answer at client:ann").click()
    expect(screen.get_by_label("What is heard on the line")).to_contain_text("Hello Ann")
    assert town.call(call.sid)["status"] == "in-progress"
    assert application.received == []
