"""The agent's desk in a real browser: how light it is, how soon it is ready and shows an offer.

On what `make run` starts, with an agent who has signed in by one click. An offer is timed from the
instant that its event carries, which is taken inside the transaction and before the commit, to the
first frame that shows it; beside it, a bare WebSocket that hears of the same offers.
"""

import argparse
import contextlib
import json
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.figures import Figure, median, quantile
from tests.desk.whole_house import WholeHouse, whole_house

FIRST_LOAD_KILOBYTES = 120
READY_SECONDS = 1.5
OFFER_MILLISECONDS = 150

#: Notes when each offer was first painted: in the task after the frame that it became part of.
_WATCH = """() => {
  window.painted = {};
  const look = () => requestAnimationFrame(() => setTimeout(() => {
    const now = performance.timeOrigin + performance.now();
    for (const offer of document.querySelectorAll('section.offer')) {
      window.painted[offer.dataset.reservation] ??= now;
    }
  }));
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""
#: What was transferred before the desk could be used, without what it asked for.
_LOADED = """() => performance.getEntriesByType('resource')
  .filter(({ name }) => new URL(name).pathname.startsWith('/assets/'))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""
_READY = ".activity select:enabled"


def measure(options: argparse.Namespace) -> list[Figure]:
    """Needs the pages built, and a Chromium."""
    with (
        tempfile.TemporaryDirectory() as folder,
        whole_house(Path(folder)) as house,
        _browser() as browser,
    ):
        house.clear()
        weight, ready, plain = _opened(house, browser, options.rounds * 3)
        painted, heard = _offered(house, browser, options.samples)
    return [
        Figure(
            name="first load of the desk, compressed",
            value=weight / 1000,
            unit="kB",
            at_most=FIRST_LOAD_KILOBYTES,
        ),
        Figure(
            name="from the address to a desk that takes calls",
            value=median(ready),
            unit="s",
            at_most=READY_SECONDS,
            beside=f"{median(plain):.2f} s for the sign-in page; slowest {max(ready):.2f} s",
        ),
        Figure(
            name="an offer on the screen after its transaction (p99)",
            value=quantile(painted, 0.99),
            unit="ms",
            at_most=OFFER_MILLISECONDS,
            beside=f"median {median(painted):.0f}; bare WebSocket: median {median(heard):.0f}, "
            f"p99 {quantile(heard, 0.99):.0f} ms",
        ),
    ]


@contextlib.contextmanager
def _browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        path = found or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _opened(
    house: WholeHouse, browser: Browser, times: int
) -> tuple[float, list[float], list[float]]:
    """Bytes of a first load; seconds until it is ready, and those of a page that asks for less.

    Each time with an empty cache.
    """
    weights, ready, plain = [], [], []
    for _ in range(times):
        context = browser.new_context(base_url=house.url)
        page = context.new_page()
        begin = time.perf_counter()
        page.goto("/sign-in")
        page.get_by_role("button", name=re.compile("Alice")).wait_for()
        plain.append(time.perf_counter() - begin)
        page.get_by_role("button", name=re.compile("Alice")).click()
        page.wait_for_url("**/desk")
        page.locator(_READY).wait_for()
        state = context.storage_state()
        context.close()
        context = browser.new_context(base_url=house.url, storage_state=state)
        page = context.new_page()
        begin = time.perf_counter()
        page.goto("/desk", wait_until="commit")
        page.locator(_READY).wait_for()
        ready.append(time.perf_counter() - begin)
        weights.append(float(page.evaluate(_LOADED)))
        context.close()
    return max(weights), ready, plain


def _offered(house: WholeHouse, browser: Browser, samples: int) -> tuple[list[float], list[float]]:
    """Milliseconds from each offer's transaction to its frame, and to a bare WebSocket."""
    page = browser.new_page(base_url=house.url)
    page.goto("/sign-in?next=/desk")
    page.get_by_role("button", name=re.compile("Alice")).click()
    page.wait_for_url("**/desk")
    page.locator(_READY).wait_for()
    house.move("Alice", "Available")
    page.evaluate(_WATCH)
    with _Ear(house) as ear:
        for number in range(samples):
            task = house.task({"name": f"Offer {number}"})
            page.locator("section.offer").wait_for()
            house.post(f"{house.base}/Tasks/{task}", AssignmentStatus="canceled", Reason="seen")
            page.locator("section.offer").wait_for(state="detached")
        painted: dict[str, float] = page.evaluate("window.painted")
    told = house.get(f"{house.base}/Events", EventType="reservation.created", PageSize=1000)
    began = {
        event["event_data"]["reservation_sid"]: event["event_date_ms"] for event in told["events"]
    }
    if len(painted) < samples:
        raise RuntimeError(f"{len(painted)} of {samples} offers were seen")
    return (
        [at - began[sid] for sid, at in painted.items() if sid in began],
        [at - began[sid] for sid, at in ear.heard.items() if sid in began],
    )


class _Ear:
    """A bare WebSocket of the same Worker: when it heard of each offer, by the machine's clock."""

    def __init__(self, house: WholeHouse) -> None:
        self.heard: dict[str, float] = {}
        token = house.post(f"{house.base}/Workers/{house.workers['Alice']}/Token")["token"]
        address = house.realtime.replace("http", "ws")
        self._socket = connect(f"{address}/v1/wschannels?token={token}", compression=None)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for text in self._socket:
                now = time.time() * 1000
                told: dict[str, Any] = json.loads(text) if text.strip() else {}
                if told.get("event_type") == "reservation.created":
                    self.heard[told["payload"]["sid"]] = now

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join(10)
