"""The supervisor's wall with 1,000 agents, 200 queues and 100 events a second, in real Chromium.

The page is the one that is served; the centre that it shows runs inside the page (wall_centre.js),
so that what is measured is the page and not the machine's two other processes. Each task of the
page's thread is timed by the thread's own clock, which stands still while others have the machine;
how long it took by the clock on the wall is told beside it. Memory is looked at over ten minutes'
events, told twenty times as fast.
"""

import argparse
import mimetypes
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from bench.figures import Figure, quantile

_ROOT = Path(__file__).resolve().parents[1]
_CENTRE = Path(__file__).with_name("wall_centre.js")
_HOST = "http://127.0.0.1:9"
EVENTS_PER_SECOND = 100
#: Ten minutes' events, so many times as fast.
MINUTES, FASTER = 10, 20
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def measure(options: argparse.Namespace) -> list[Figure]:
    """Frames at the real pace, then memory over ten minutes' events."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.route(f"{_HOST}/**", _serve)
        page.add_init_script(path=_CENTRE)
        page.goto(f"{_HOST}/wall")
        page.wait_for_selector("#agents tr.line")
        page.wait_for_selector('.charts[aria-busy="false"]')
        figures = [*_frames(page, max(options.seconds, 20.0)), *_memory(page)]
        browser.close()
    return figures


def _serve(route: Route) -> None:
    """The shell and the built files, as the server gives them."""
    path = route.request.url.removeprefix(_HOST).partition("?")[0]
    file = (
        _ROOT / "desk" / "built" / path.removeprefix("/assets/")
        if path.startswith("/assets/")
        else _ROOT / "desk" / "pages" / "wall.html"
    )
    kind = mimetypes.guess_type(file.name)[0] or "text/html"
    route.fulfill(body=file.read_bytes(), content_type=kind)


def _frames(page: Page, seconds: float) -> list[Figure]:
    """What the page's thread does for each frame, while somebody scrolls through the agents."""
    session = page.context.browser.new_browser_cdp_session()  # type: ignore[union-attr]
    parts: list[dict[str, Any]] = []
    complete: list[object] = []
    session.on("Tracing.dataCollected", lambda told: parts.extend(told["value"]))
    session.on("Tracing.tracingComplete", lambda told: complete.extend([told]))
    session.send("Tracing.start", {"categories": "toplevel,devtools.timeline,__metadata"})
    page.evaluate("centre.isMeasuring = true")
    for number in range(int(seconds)):
        page.evaluate(
            "number => { document.querySelector('#agents .scrolls').scrollTop = number * 400; }",
            number % 80,
        )
        page.wait_for_timeout(1000)
    frames: list[float] = page.evaluate("(centre.isMeasuring = false, centre.frames)")
    rows = page.locator("tr.line").count()
    session.send("Tracing.end")
    while not complete:
        page.wait_for_timeout(50)
    tasks = _tasks(parts)
    return [
        Figure(
            name="wall: the longest of the page's tasks",
            value=max(tasks),
            unit="ms",
            at_most=50,
            beside=f"by the clock on the wall: {max(frames):.0f} ms",
        ),
        Figure(
            name="wall: what a frame takes, 99 of 100",
            value=quantile(frames, 0.99),
            unit="ms",
            beside=f"{len(frames)} frames, {rows} rows on the page",
        ),
    ]


def _tasks(parts: list[dict[str, Any]]) -> list[float]:
    """Milliseconds of its own clock that the page's thread needed for each of its tasks."""
    threads = {
        (each["pid"], each["tid"])
        for each in parts
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    return [
        each["tdur"] / 1000
        for each in parts
        if (each["pid"], each["tid"]) in threads
        and "tdur" in each
        and each["name"].endswith("RunTask")
    ]


def _memory(page: Page) -> list[Figure]:
    """The heap after its garbage is gone, after one minute's events and after ten."""
    session = page.context.new_cdp_session(page)

    def used() -> float:
        for _ in range(2):
            session.send("HeapProfiler.collectGarbage")
        heap: float = session.send("Runtime.getHeapUsage")["usedSize"]
        return heap / 1_048_576

    def pass_minutes(minutes: int) -> None:
        target = page.evaluate("centre.sent") + minutes * 60 * EVENTS_PER_SECOND
        page.evaluate("pace => { centre.pace = pace; }", EVENTS_PER_SECOND * FASTER)
        page.wait_for_function("target => centre.sent >= target", arg=target, timeout=170_000)
        page.evaluate("pace => { centre.pace = pace; }", EVENTS_PER_SECOND)

    pass_minutes(1)
    first = used()
    pass_minutes(MINUTES - 1)
    last = used()
    return [
        Figure(
            name="wall: memory after ten minutes' events, by that after one",
            value=last / first,
            unit="x",
            at_most=1.1,
            beside=f"{last:.1f} MB beside {first:.1f} MB",
        )
    ]
