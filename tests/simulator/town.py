"""A simulator with its people: who dials, who is called, and what they hear, over HTTP only."""

import urllib.parse
from typing import Any, Literal

import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from simulator.clock import Clock, ManualClock
from simulator.server import Simulator
from simulator.settings import Settings
from tests.openapi import voice
from tests.simulator.application import TOKEN, Application

ACCOUNT = "AC" + "5" * 32
LINE = "+15550100"  # the application's number
CALLER = "+12125550123"


class ToSimulator(TwilioHttpClient):  # type: ignore[misc]  # its base has no types
    """Twilio's own HTTP client, but for the host; each answer is held against the description."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=20)
        self._url = url

    def request(self, method: str, url: str, **rest: Any) -> Any:
        answer = super().request(method, url.replace("https://api.twilio.com", self._url), **rest)
        path = urllib.parse.urlsplit(url).path
        wrong = voice.faults(method, path, answer.status_code, answer.text.encode())
        assert not wrong, f"{method} {path}: {wrong}"
        return answer


class Town:
    def __init__(
        self,
        application: Application,
        clock: Clock | None = None,
        *,
        wait_errors: Literal["end", "hold"] = "end",
        **more: Any,
    ) -> None:
        self.application = application
        application.says("/status", ("", 204))
        self.simulator = Simulator(
            Settings(
                account_sid=ACCOUNT,
                auth_token=TOKEN,
                voice_urls={LINE: application.url("/voice")},
                status_callbacks={LINE: application.url("/status")},
                wait_errors=wait_errors,
                **more,
            ),
            clock or ManualClock(),
        )

    @property
    def client(self) -> Client:
        return Client(ACCOUNT, TOKEN, http_client=ToSimulator(self.simulator.url))

    # -- time

    def settle(self) -> None:
        self.simulator.settle()

    def wait(self, seconds: float) -> None:
        self.simulator.advance(seconds)

    # -- people

    def post(self, path: str, body: object = None) -> requests.Response:
        return requests.post(f"{self.simulator.url}{path}", json=body, timeout=20)

    def put(self, path: str, body: object) -> requests.Response:
        return requests.put(f"{self.simulator.url}{path}", json=body, timeout=20)

    def get(self, path: str) -> Any:
        return requests.get(f"{self.simulator.url}{path}", timeout=40).json()

    def dial(self, from_: str = CALLER, to: str = LINE) -> str:
        """Somebody dials; everything that follows at once has happened. The call's SID."""
        answer = self.post("/simulator/calls", {"from": from_, "to": to})
        assert answer.status_code == 201, answer.text
        self.settle()
        sid: str = answer.json()["sid"]
        return sid

    def hang_up(self, sid: str) -> None:
        assert self.post(f"/simulator/calls/{sid}/hangup").status_code == 200
        self.settle()

    def press(self, sid: str, digits: str) -> None:
        assert self.post(f"/simulator/calls/{sid}/press", {"digits": digits}).status_code == 200
        self.settle()

    def answer(self, sid: str) -> None:
        assert self.post(f"/simulator/calls/{sid}/answer").status_code == 200
        self.settle()

    def phone(self, address: str, on_ring: str, delay_seconds: float | None = None) -> None:
        answer = requests.put(
            f"{self.simulator.url}/simulator/endpoints/{urllib.parse.quote(address, safe='')}",
            json={"on_ring": on_ring, "delay_seconds": delay_seconds},
            timeout=20,
        )
        assert answer.status_code == 200, answer.text

    def fault(self, **order: object) -> None:
        assert self.post("/simulator/faults", order).status_code == 201

    # -- looking

    def state(self) -> Any:
        return self.get("/simulator/state")

    def call(self, sid: str) -> Any:
        return next(call for call in self.state()["calls"] if call["sid"] == sid)

    def legs(self, parent: str) -> list[Any]:
        return [call for call in self.state()["calls"] if call["parent"] == parent]

    def heard(self, sid: str) -> list[str]:
        return [sound["text"] for sound in self.call(sid)["heard"]]

    def room(self, name: str) -> Any:
        """The newest room of that name."""
        rooms = [room for room in self.state()["conferences"] if room["friendly_name"] == name]
        return rooms[-1]

    def errors(self) -> list[int]:
        """The error codes in the log, in order."""
        lines = self.get("/simulator/log")["entries"]
        return [line["error"]["code"] for line in lines if line["kind"] == "error"]
