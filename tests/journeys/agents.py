"""Agents' applications on Twilio's own JavaScript SDK, in Node and in a browser, told what to do.

The programs are in tests/node; what they need comes from npm (`make test` installs it there).
"""

import contextlib
import itertools
import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import TimeoutError, sync_playwright  # noqa: A004 - Playwright's own
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import TaskRouterGrant

from tests.journeys.house import ACCOUNT, PATIENCE, TOKEN, House
from tests.node.programs import HERE as NODE
from tests.node.programs import node

NEWEST, OLDEST = "twilio-taskrouter", "twilio-taskrouter-oldest"

Heard = tuple[str, Any]


def bundle(script: Path) -> None:
    """Writes the page's script there."""
    subprocess.run([node(), "bundle.mjs", script], cwd=NODE, check=True)


def missing(what: str) -> None:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def access_token(
    workspace_sid: str, worker_sid: str | None, role: str = "worker", seconds: int = 3600
) -> str:
    """Made by the official helper library."""
    grant = TaskRouterGrant(workspace_sid=workspace_sid, worker_sid=worker_sid, role=role)
    made = AccessToken(ACCOUNT, ACCOUNT, TOKEN, grants=[grant], ttl=seconds)
    return str(made.to_jwt())


class Refused(Exception):
    """The SDK rejected a promise."""


class Agent:
    """What an application has told so far, and what it can be told to do."""

    def __init__(self) -> None:
        self._heard: queue.Queue[Heard] = queue.Queue()
        self._kept: list[Heard] = []
        self._numbers = itertools.count(1)

    def hear(self, what: str, details: Any) -> None:
        self._heard.put((what, details))

    def until(self, what: str, **expected: Any) -> Any:
        """The next thing of that kind that has these details; what comes before is kept."""
        for place, (kind, details) in enumerate(self._kept):
            if kind == what and _fits(details, expected):
                del self._kept[place]
                return details
        while True:
            told = self._next()
            if told is None:
                raise AssertionError(f"waited in vain for {what} {expected}; {self._kept}")
            if told[0] == what and _fits(told[1], expected):
                return told[1]
            self._kept.append(told)

    def _next(self) -> Heard | None:
        """What was told next; None when there was nothing for too long."""
        try:
            return self._heard.get(timeout=PATIENCE)
        except queue.Empty:
            return None

    def forget(self) -> None:
        """Whatever was heard so far is of no interest any more."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._heard.get_nowait()
        self._kept.clear()

    def do(self, command: str, **parameters: Any) -> Any:
        """What the SDK's promise came to; raises Refused with its message."""
        number = next(self._numbers)
        self.send({"id": number, "command": command, **parameters})
        answer = self.until("answer", id=number)
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return answer.get("result")

    def send(self, said: dict[str, Any]) -> None:
        raise NotImplementedError


def _fits(details: Any, expected: dict[str, Any]) -> bool:
    return all(details.get(name) == value for name, value in expected.items())


class NodeAgent(Agent):
    """In Node, as back-ends and tests run it."""

    def __init__(
        self, house: House, kind: str, token: str, *, sdk: str = NEWEST, **options: Any
    ) -> None:
        super().__init__()
        self._process = subprocess.Popen(
            [node(), "run.mjs"],
            cwd=NODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        servers = {"ebServer": house.event_bridge, "wsServer": house.sockets}
        self.send(
            {
                "sdk": sdk,
                "kind": kind,
                "token": token,
                "options": {**servers, "logLevel": "silent", **options},
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                told = json.loads(line)
                self.hear(told["what"], told["details"])

    def send(self, said: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()


class PageAgent(Agent):
    """In a page of a real browser, from another origin than the server's."""

    def __init__(self, page: Any, house: House, kind: str, token: str, **options: Any) -> None:
        super().__init__()
        self._page = page
        servers = {"ebServer": house.event_bridge, "wsServer": house.sockets}
        page.evaluate(
            "([kind, token, options]) => window.begin(kind, token, options)",
            [kind, token, {**servers, "logLevel": "silent", **options}],
        )

    def _next(self) -> Heard | None:
        if self._heard.empty():
            with contextlib.suppress(TimeoutError):
                self._page.wait_for_function("window.heard.length", timeout=PATIENCE * 1000)
            for told in self._page.evaluate("window.heard.splice(0)"):
                self.hear(told["what"], told["details"])
        return None if self._heard.empty() else self._heard.get()

    def send(self, said: dict[str, Any]) -> None:
        self._page.evaluate("(said) => { window.order(said); }", said)


class _Pages(BaseHTTPRequestHandler):
    """An origin of its own: one page, and its script."""

    script: bytes = b""

    def do_GET(self) -> None:
        is_script = self.path == "/agent.js"
        html = b"<!doctype html><title>An agent</title><script src=agent.js></script>"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
        self.end_headers()
        self.wfile.write(self.script if is_script else html)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def pages(script: Path) -> Iterator[Callable[[], Any]]:
    """Opens pages with that script, from a port of its own, in the machine's own Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    handler = type("Pages", (_Pages,), {"script": script.read_bytes()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as origin, sync_playwright() as playwright:
        path = found or playwright.chromium.executable_path
        if not Path(path).exists():
            missing("NO BROWSER: apt-get install chromium, or playwright install chromium")
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])

        def opened() -> Any:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{origin.server_port}/")
            return page

        try:
            yield opened
        finally:
            browser.close()
            origin.shutdown()
