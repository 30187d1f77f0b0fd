"""A running Tandem that can be killed and started again, beside a phone network that lives on."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import requests

from simulator.server import Simulator
from simulator.settings import Settings

ACCOUNT = "AC" + "9" * 32
TOKEN = "of the journeys, however long they are"
CALLER, NUMBER = "+15550123456", "+15550100000"

#: Seconds for anything to happen; generous, since the machine may be busy with other tests.
PATIENCE = 60.0

Result = TypeVar("Result")


class Refused(Exception):
    """The REST door said no."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status


class House:
    """`flask --app app serve` with a simulator of its own that survives the house's death."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._port, self._realtime_port = _free_ports(2)
        self.web = f"http://127.0.0.1:{self._port}"
        #: What Twilio's JavaScript SDK is pointed at (ebServer and wsServer).
        self.event_bridge = f"http://127.0.0.1:{self._realtime_port}/v1/wschannels"
        self.sockets = f"ws://127.0.0.1:{self._realtime_port}/v1/wschannels"
        self._folder = folder
        self.simulator = Simulator(
            Settings(
                account_sid=ACCOUNT,
                auth_token=TOKEN,
                voice_url=f"{self.web}/voice/incoming",
                status_callback_url=f"{self.web}/voice/call-status",
                # Words are few seconds long in here, so that a journey is short.
                characters_per_second=200.0,
                # Who waits hears music while the house is down, and is asked for again.
                wait_errors="hold",
                # All that ever happened is asked for.
                log_size=100_000,
            )
        )
        self._database_url = database_url
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()
        self._session.auth = (ACCOUNT, TOKEN)
        self._tick = threading.Event()

    def __enter__(self) -> Self:
        self.simulator.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.simulator.stop()

    # ---- its life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts it and returns when it says that it is ready."""
        environment = dict(os.environ) | {
            "PORT": str(self._port),
            "REALTIME_PORT": str(self._realtime_port),
            "PUBLIC_URL": self.web,
            "DATABASE_URL": self._database_url,
            "INSTANCE_PATH": str(self._folder),
            "SIMULATOR": "off",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": self.simulator.url,
        }
        with (self._folder / "house.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "app", "serve"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.until(self._is_ready, "the house to be ready")

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "house.log").read_text()
        try:
            realtime = f"http://127.0.0.1:{self._realtime_port}"
            return all(
                requests.get(f"{base}/readyz", timeout=5).ok for base in (self.web, realtime)
            )
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """SIGKILL to every process of the house at once, as a power cut would."""
        if self._process is None:
            return
        family = [self._process.pid, *_descendants(self._process.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        for port in (self._port, self._realtime_port):
            self.until(lambda port=port: not _answers(port), "the ports to be free again")  # type: ignore[misc]  # bound at once

    def stop(self) -> int:
        """Ctrl-C; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait()
        self._process = None
        return status

    # ---- its doors -------------------------------------------------------------------------------

    def get(self, path: str, **parameters: object) -> Any:
        return self._answered(self._session.get(f"{self.web}/v1{path}", params=parameters))  # type: ignore[arg-type]

    def post(self, path: str, **form: object) -> Any:
        return self._answered(self._session.post(f"{self.web}/v1{path}", data=form))

    @staticmethod
    def _answered(answer: requests.Response) -> Any:
        if not answer.ok:
            raise Refused(answer.status_code, answer.text)
        return answer.json()

    @property
    def base(self) -> str:
        """The example workspace."""
        return f"/Workspaces/{self.get('/Workspaces')['workspaces'][0]['sid']}"

    def task(self) -> dict[str, Any]:
        """The one Task there is."""
        [task] = self.get(f"{self.base}/Tasks")["tasks"]
        return dict(task)

    def reservations(self, task_sid: str, **filters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(
            f"{self.base}/Tasks/{task_sid}/Reservations", **filters
        )["reservations"]
        return found

    def offer(self, task_sid: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            pending = self.reservations(task_sid, ReservationStatus="pending")
            return pending[0] if pending else None

        return self.until(look, "an offer")

    def answer(self, reservation: dict[str, Any], **form: str) -> Any:
        task_sid, sid = reservation["task_sid"], reservation["sid"]
        return self.post(f"{self.base}/Tasks/{task_sid}/Reservations/{sid}", **form)

    def until_task_is(self, status: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            task = self.task()
            return task if task["assignment_status"] == status else None

        return self.until(look, f"the task to be {status}")

    def loads(self) -> dict[str, int]:
        """Assigned tasks on the voice channel by worker."""
        return {
            worker["friendly_name"]: self.get(
                f"{self.base}/Workers/{worker['sid']}/Channels/voice"
            )["assigned_tasks"]
            for worker in self.get(f"{self.base}/Workers")["workers"]
        }

    # ---- the phone network -----------------------------------------------------------------------

    def network(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(
            method, f"{self.simulator.url}/simulator{path}", json=body, timeout=10
        )
        assert answer.ok, answer.text
        return answer.json()

    def dial(self) -> str:
        """Somebody calls; returns when the call has its Task, and the network our answer."""
        sid: str = self.network("POST", "/calls", {"from": CALLER, "to": NUMBER})["sid"]
        self.until(lambda: self._is_answered(sid), "the call to be answered")
        return sid

    def _is_answered(self, call_sid: str) -> bool:
        return any(
            entry["kind"] == "webhook"
            and entry["url"].endswith("/voice/incoming")
            and entry["call_sid"] == call_sid
            and entry["status"] == 200
            for entry in self.network("GET", "/log")["entries"]
        )

    def room(self, call_sid: str | None = None) -> list[str]:
        """The legs of the conference in which two are together, of that call where it is given;
        empty while there is none.
        """
        for room in self.network("GET", "/state")["conferences"]:
            legs = [person["call_sid"] for person in room["participants"]]
            if room["status"] == "in-progress" and len(legs) > 1 and call_sid in {None, *legs}:
                return legs
        return []

    def knows_that_they_talk(self) -> bool:
        """The Task tells who is in its conference."""
        return '"conference"' in self.task()["attributes"]

    def until_together(self) -> list[str]:
        return self.until(self.room, "agent and caller to be in one conference")

    def live_legs(self) -> list[str]:
        over = {"completed", "busy", "failed", "no-answer", "canceled"}
        calls = self.network("GET", "/state")["calls"]
        return [call["sid"] for call in calls if call["status"] not in over]

    def legs_dialled(self) -> list[str]:
        """The Reservations (a leg's label) for which an agent was dialled, one for each request."""
        entries = self.network("GET", "/log")["entries"]
        return [
            entry["parameters"]["Label"]
            for entry in entries
            if entry["kind"] == "rest"
            and entry["url"].endswith("/Participants.json")
            and entry["method"] == "POST"
            and entry["status"] == 201
        ]

    def until(self, look: Callable[[], Result | None], what: str) -> Result:
        """The first true answer of `look`, asked again every few milliseconds."""
        for _ in range(int(PATIENCE / 0.02)):
            found = look()
            if found:
                return found
            self._tick.wait(0.02)
        log = (self._folder / "house.log").read_text()
        state = json.dumps(self.network("GET", "/state"), indent=1)
        raise AssertionError(f"waited in vain for {what}\n{state}\n{log[-4000:]}")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(each) for each in children.read_text().split()] if children.exists() else []
    return found + [below for each in found for below in _descendants(each)]
