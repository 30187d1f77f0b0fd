"""A whole house and a real browser for the tests of pages; both once for each file of tests."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.desk.whole_house import ROOT, WholeHouse, whole_house

_BUILT = ROOT / "desk" / "built" / ".complete"
_AXE = ROOT / "desk" / "node_modules" / "axe-core" / "axe.min.js"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _do_without(why: str) -> None:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeHouse]:
    if not _BUILT.is_file():
        _do_without("NO PAGES: make test builds them into desk/built")
    with whole_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, or Playwright's."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    with sync_playwright() as playwright:
        path = found or playwright.chromium.executable_path
        if not Path(path).exists():
            _do_without("NO BROWSER: apt-get install chromium, or playwright install chromium")
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


#: What the network refuses is shown by the page; the browser's own line adds nothing. And a page
#: may be left while it still connects.
_OF_THE_NETWORK = ("Failed to load", "WebSocket is closed before the connection is established")

#: Opens a page of a browser that nobody else uses; whatever it complains of fails the test.
OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, house: WholeHouse) -> Iterator[OpenPage]:
    """`open_page()` for a blank page; `**context` as of Playwright's `new_context`."""
    complaints: list[str] = []
    contexts = []

    def open_one(**context: Any) -> Page:
        made = browser.new_context(
            base_url=house.url, **({"viewport": {"width": 1280, "height": 800}} | context)
        )
        contexts.append(made)
        page = made.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                complaints.append(line.text)
                if line.type in {"error", "warning"}
                and not any(text in line.text for text in _OF_THE_NETWORK)
                else None
            ),
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """What axe-core finds on the page as it is: each violation with where it is."""
    if not _AXE.is_file():
        _do_without("NO AXE: make check installs it into desk/node_modules")
    source = _AXE.read_text(encoding="utf-8")

    def violations(page: Page) -> list[str]:
        page.evaluate(source)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{each['id']}: {each['help']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    return violations
