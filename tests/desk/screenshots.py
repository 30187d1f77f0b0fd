"""`make screenshots`: the pages of README, each in light and dark, from scenes that are played.

A house of its own is started, people sign in, somebody calls: what the pictures show has happened.
`ARGS="desk home"` takes some of them only.
"""

import argparse
import re
import shutil
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.desk import wall_scene
from tests.desk.people import Agent
from tests.desk.whole_house import ROOT, WholeHouse, whole_house

FOLDER = ROOT / "docs" / "screenshots"
SCHEMES = ("light", "dark")
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Opens a page in a browser that nobody else uses; keyword arguments as of `new_context`.
Open = Callable[..., Page]
#: Plays a scene and returns the page to be taken.
Scene = Callable[[WholeHouse, Open], Page]


def sign_in(_house: WholeHouse, open_page: Open) -> Page:
    page = open_page(viewport={"width": 1280, "height": 860})
    page.goto("/sign-in")
    page.get_by_role("button", name=re.compile("Alice")).wait_for()
    return page


def home(house: WholeHouse, open_page: Open) -> Page:
    """A call that was just offered."""
    house.move("Alice", "Available")
    page = open_page(viewport={"width": 1280, "height": 900})
    page.goto("/")
    page.get_by_role("button", name="Dial").click()
    page.locator("home-agent").get_by_role("button", name="Accept").click()
    expect(page.locator("home-agent").get_by_text("In conversation")).to_be_visible()
    return page


def desk(house: WholeHouse, open_page: Open) -> Page:
    """Alice talks with somebody while a chat is offered to her, and two more wait."""
    alice = _at_work(house, open_page, viewport=WIDE | {"height": 900})
    other_work = f"{house.base}/Workers/{house.workers['Alice']}/Channels/default"
    house.post(other_work, Available="false")
    for about in ("Refund of order A-19833", "Change of address"):
        house.task({"title": about}, channel="default")
    house.task(
        {
            "name": "Priya Raman",
            "topic": "Where is my parcel?",
            "order": "A-20417",
            "language": "en",
            "link": "https://chat.example/priya",
        }
    )
    expect(alice.offer).to_be_visible()
    expect(alice.page.get_by_role("region", name="In line")).to_contain_text("Change of address")
    return alice.page


def desk_offer(house: WholeHouse, open_page: Open) -> Page:
    """The telephone rings: on a small screen, in Japanese."""
    house.move("Alice", "Available")
    page = open_page(viewport=PHONE, locale="ja-JP")
    page.goto("/sign-in?next=/desk")
    page.get_by_role("button", name=re.compile("Alice")).click()
    expect(page.locator(".activity select")).to_be_enabled()
    house.dial()
    expect(page.locator("section.offer")).to_be_visible()
    return page


def desk_transfer(house: WholeHouse, open_page: Open) -> Page:
    """Whom the call may be handed to."""
    alice = _at_work(house, open_page, viewport=WIDE)
    house.move("Bob", "Available")
    alice.control("Transfer").click()
    expect(alice.page.locator(".contact")).to_have_count(3)
    return alice.page


#: The pages, in the order of the README.
SCENES: dict[str, Scene] = {
    "home": home,
    "desk": desk,
    "desk-offer": desk_offer,
    "desk-transfer": desk_transfer,
    "sign-in": sign_in,
    "wall-empty": wall_scene.empty,
}
#: Those of a house that has a morning behind it.
DAY: dict[str, Scene] = {
    "wall": wall_scene.busy,
    "wall-screen": wall_scene.screen,
    "wall-phone": wall_scene.phone,
}


def _at_work(house: WholeHouse, open_page: Open, **context: object) -> Agent:
    """Alice, in a conversation, with the notes that she takes."""
    alice = Agent(open_page(**context), "Alice")
    alice.sign_in()
    house.move("Alice", "Available")
    house.dial()
    alice.accept()
    alice.has_call()
    alice.writes("Asks whether the invoice of October can be paid in two parts.", "Needs follow-up")
    expect(alice.task.locator("[data-saving=saved]")).to_be_visible()
    return alice


def main() -> int:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*SCENES, *DAY, []], help="which (default: all)"
    )
    names = parser.parse_args().names or [*SCENES, *DAY]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, _NAMES)), None)
        path = found or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for scenes, prepare in ((SCENES, None), (DAY, wall_scene.morning)):
            wanted = {name: scenes[name] for name in names if name in scenes}
            _take(browser, wanted, prepare)
        browser.close()
    return 0


def _take(
    browser: Browser, scenes: dict[str, Scene], prepare: Callable[[Path], None] | None
) -> None:
    """Pictures of these scenes, in a house of their own."""
    if not scenes:
        return
    with tempfile.TemporaryDirectory() as folder:
        if prepare is not None:
            prepare(Path(folder))
        with whole_house(Path(folder)) as house:
            for name, scene in scenes.items():
                for scheme in SCHEMES:
                    file = FOLDER / f"{name}-{scheme}.png"
                    file.write_bytes(packed(_taken(house, browser, scene, scheme)))
                    sys.stdout.write(
                        f"{file.relative_to(ROOT)}  {file.stat().st_size // 1000} kB\n"
                    )


def _taken(house: WholeHouse, browser: Browser, scene: Scene, scheme: str) -> bytes:
    house.clear()
    contexts = []

    def open_page(**context: Any) -> Page:
        contexts.append(
            browser.new_context(
                base_url=house.url,
                color_scheme=scheme,
                reduced_motion="reduce",
                **({"viewport": WIDE} | context),
            )
        )
        return contexts[-1].new_page()

    page = scene(house, open_page)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement?.blur()")
    picture = page.screenshot(animations="disabled")
    for context in contexts:
        context.close()
    return picture


def packed(png: bytes) -> bytes:
    """The same picture, compressed as well as zlib can; browsers do it in a hurry."""
    kept, pixels = [], b""
    for kind, content in _chunks(png):
        if kind == b"IDAT":
            pixels += content
        elif kind in {b"IHDR", b"PLTE", b"tRNS"}:
            kept.append((kind, content))
    data = zlib.compress(zlib.decompress(pixels), 9)
    chunks = [*kept, (b"IDAT", data), (b"IEND", b"")]
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


if __name__ == "__main__":
    sys.exit(main())
