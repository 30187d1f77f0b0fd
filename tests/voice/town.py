"""The voice side and the simulator, each behind real HTTP; time stands still until it is moved."""

import threading
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from routing.task import Task
from simulator import settings as simulated
from simulator.clock import ManualClock as SimulatedClock
from simulator.server import Simulator
from tests.routing.centre import Centre
from tests.voice.office import CALLER, NUMBER, TOKEN, Office
from voice.call_flow import CallFlow
from voice.phone_line import TwilioPhoneLine

ACCOUNT = "AC" + "7" * 32


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Town:
    def __init__(self, centre: Centre, *, flow: CallFlow | None = None) -> None:
        self._server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=_Quiet
        )
        url = f"http://127.0.0.1:{self._server.server_port}"
        self.office = Office(centre, flow=flow, public_url=url)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.simulator = Simulator(
            simulated.Settings(
                account_sid=ACCOUNT,
                auth_token=TOKEN,
                voice_urls={NUMBER: f"{url}/voice/incoming"},
                status_callbacks={NUMBER: f"{url}/voice/call-status"},
            ),
            SimulatedClock(),
        )

    def _serve(self, environ: Any, start_response: Any) -> Any:
        return self.office.app.wsgi_app(environ, start_response)

    def __enter__(self) -> Self:
        self._thread.start()
        self.simulator.start()
        self.office.speak_over(
            TwilioPhoneLine(account_sid=ACCOUNT, auth_token=TOKEN, api_url=self.simulator.url)
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.simulator.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # ---- time ------------------------------------------------------------------------------------

    def settle(self) -> None:
        """All that follows from what has happened has happened, without a moment passing."""
        self.simulator.settle()
        while self.office.react():
            self.simulator.settle()

    def pass_time(self, seconds: int) -> None:
        """Second by second, so that both sides see the same time."""
        for _ in range(seconds):
            self.simulator.advance(1)
            self.settle()
            self.office.centre.pass_time(1)
            while self.office.reconciliation.sweep():
                pass
            self.settle()

    # ---- people ----------------------------------------------------------------------------------

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(
            method, f"{self.simulator.url}/simulator/{path}", json=body, timeout=20
        )
        assert answer.ok, answer.text
        return answer.json()

    def phone(self, address: str, on_ring: str, delay_seconds: float | None = None) -> None:
        body = {"on_ring": on_ring, "delay_seconds": delay_seconds}
        self.control("PUT", f"endpoints/{quote(address, safe='')}", body)

    def dial(self) -> str:
        sid: str = self.control("POST", "calls", {"from": CALLER, "to": NUMBER})["sid"]
        self.settle()
        return sid

    def hang_up(self, sid: str) -> None:
        self.control("POST", f"calls/{sid}/hangup")
        self.settle()

    def fault(self, *, times: int, **order: object) -> None:
        self._times = times
        self.control("POST", "faults", order | {"times": times})

    def has_struck(self) -> bool:
        """Has the fault that was ordered been felt?"""
        [fault] = self.control("GET", "faults")["faults"]
        return bool(fault["times_left"] < self._times)

    # ---- looking ---------------------------------------------------------------------------------

    def calls(self) -> dict[str, Any]:
        return {call["sid"]: call for call in self.control("GET", "state")["calls"]}

    def live(self) -> set[str]:
        ended = {"completed", "busy", "failed", "no-answer", "canceled"}
        return {sid for sid, call in self.calls().items() if call["status"] not in ended}

    def heard(self, sid: str) -> list[str]:
        return [sound["text"] for sound in self.calls()[sid]["heard"]]

    def together(self) -> set[str]:
        """Who is in the newest room."""
        rooms = self.control("GET", "state")["conferences"]
        return {one["call_sid"] for one in rooms[-1]["participants"]} if rooms else set()

    def errors(self) -> list[object]:
        """What the network had to complain about."""
        entries = self.control("GET", "log")["entries"]
        return [entry["error"] for entry in entries if entry["kind"] == "error"]

    def task(self, call_sid: str) -> Task:
        call = self.office.centre.engine.read(lambda work: work.calls.get(call_sid))
        assert call is not None
        return self.office.centre.task(call.task_sid)
