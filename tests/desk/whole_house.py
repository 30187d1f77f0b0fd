"""What `make run` starts, on ports of its own: server, realtime, followers, simulator, demo users.

No account is set, so the simulator stands in; the browser sees exactly what a newcomer sees.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import requests

ROOT = Path(__file__).resolve().parents[2]
CALLER, NUMBER = "+15550123456", "+15550100000"
#: Seconds for anything to happen; generous, since the machine may be busy with other tests.
PATIENCE = 60.0
_LIVE = "pending,reserved,assigned,wrapping"
_OVER = {"completed", "busy", "failed", "no-answer", "canceled"}

Result = TypeVar("Result")


class WholeHouse:
    """A running house, and what a test asks of it beside the pages."""

    def __init__(self, folder: Path) -> None:
        web, realtime, simulator = _free_ports(3)
        self.url = f"http://127.0.0.1:{web}"
        self.realtime = f"http://127.0.0.1:{realtime}"
        self.simulator = f"http://127.0.0.1:{simulator}"
        self._log = folder / "house.log"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")
        }
        self._environment = environment | {
            "HOST": "127.0.0.1",
            "PORT": str(web),
            "REALTIME_PORT": str(realtime),
            "SIMULATOR_PORT": str(simulator),
            "INSTANCE_PATH": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'tandem.db'}",
            "SIMULATOR": "auto",
            "PUBLIC_URL": "",
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "app", "serve"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._tick = threading.Event()
        self._session = requests.Session()
        self.until(self._is_ready, "the house to be ready")
        made_up = json.loads((folder / "credentials.json").read_text())
        self._session.auth = (made_up["account_sid"], made_up["auth_token"])
        self.workspace_sid: str = self.get("/Workspaces")["workspaces"][0]["sid"]
        self.base = f"/Workspaces/{self.workspace_sid}"
        self.activities = {
            each["friendly_name"]: each["sid"]
            for each in self.get(f"{self.base}/Activities")["activities"]
        }
        self.workers = {
            each["friendly_name"]: each["sid"]
            for each in self.get(f"{self.base}/Workers")["workers"]
        }
        [workflow] = self.get(f"{self.base}/Workflows")["workflows"]
        self.workflow_sid: str = workflow["sid"]

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with contextlib.suppress(requests.RequestException):
            healths = (f"{self.url}/readyz", f"{self.realtime}/readyz", f"{self.simulator}/healthz")
            return all(requests.get(health, timeout=5).ok for health in healths)
        return False

    def stop(self) -> None:
        """Ctrl-C, as whoever has typed `make run` would."""
        self._session.close()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def command(self, *words: str, said: str = "") -> str:
        """`flask --app app ...` with the house's settings; what it prints."""
        ended = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *words],
            cwd=ROOT,
            env=self._environment,
            input=said,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    # ---- its doors -------------------------------------------------------------------------------

    def get(self, path: str, **parameters: object) -> Any:
        return self._answered(self._session.get(f"{self.url}/v1{path}", params=parameters))  # type: ignore[arg-type]

    def post(self, path: str, **form: object) -> Any:
        return self._answered(self._session.post(f"{self.url}/v1{path}", data=form))

    @staticmethod
    def _answered(answer: requests.Response) -> Any:
        assert answer.ok, answer.text
        return answer.json()

    def task(self, attributes: dict[str, Any], channel: str = "chat", **form: object) -> str:
        """A Task that another program creates; its SID."""
        made = self.post(
            f"{self.base}/Tasks",
            Attributes=json.dumps(attributes),
            TaskChannel=channel,
            **({"WorkflowSid": self.workflow_sid} | form),
        )
        return str(made["sid"])

    def status(self, task_sid: str) -> str:
        return str(self.get(f"{self.base}/Tasks/{task_sid}")["assignment_status"])

    def attributes(self, task_sid: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.get(f"{self.base}/Tasks/{task_sid}")["attributes"])
        return told

    def newest_task(self) -> str:
        """The SID of the Task that was created last."""
        tasks = self.get(f"{self.base}/Tasks", Ordering="DateCreated:desc", PageSize=1)["tasks"]
        return str(tasks[0]["sid"])

    def events(self, **filters: str) -> list[str]:
        """Types of events, in their order."""
        found = self.get(f"{self.base}/Events", PageSize=1000, **filters)["events"]
        found.sort(key=lambda event: event["event_date_ms"])
        return [event["event_type"] for event in found]

    def load(self, worker: str, channel: str = "voice") -> int:
        """How many places of the channel's capacity are taken."""
        path = f"{self.base}/Workers/{self.workers[worker]}/Channels/{channel}"
        return int(self.get(path)["assigned_tasks"])

    def activity(self, worker: str) -> str:
        return str(self.get(f"{self.base}/Workers/{self.workers[worker]}")["activity_name"])

    def move(self, worker: str, activity: str) -> None:
        declines = {} if activity == "Available" else {"RejectPendingReservations": "true"}
        self.post(
            f"{self.base}/Workers/{self.workers[worker]}",
            ActivitySid=self.activities[activity],
            **declines,
        )

    # ---- the phone network -----------------------------------------------------------------------

    def network(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(
            method, f"{self.simulator}/simulator{path}", json=body, timeout=20
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def dial(self) -> str:
        """Somebody calls; the call's SID."""
        return str(self.network("POST", "/calls", {"from": CALLER, "to": NUMBER})["sid"])

    def hang_up(self, call_sid: str) -> None:
        self.network("POST", f"/calls/{call_sid}/hangup")

    def live_calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.network("GET", "/state")["calls"]
        return [call for call in calls if call["status"] not in _OVER]

    def together(self) -> set[str]:
        """Whose calls are in a conference: the caller's number, agents' addresses."""
        state = self.network("GET", "/state")
        calls = {call["sid"]: call for call in state["calls"]}
        return {
            calls[person["call_sid"]][
                "from" if calls[person["call_sid"]]["direction"] == "inbound" else "to"
            ]
            for room in state["conferences"]
            if room["status"] == "in-progress"
            for person in room["participants"]
        }

    # ---- between two tests -----------------------------------------------------------------------

    def clear(self) -> None:
        """Nobody on the line, no Task left, both agents offline and taking everything."""
        for worker in self.workers:
            self.move(worker, "Offline")
        for call in self.live_calls():
            with contextlib.suppress(AssertionError):  # it has ended meanwhile
                self.hang_up(call["sid"])
        self.until(lambda: not self.live_calls(), "the lines to be free")
        for task in self.get(f"{self.base}/Tasks", AssignmentStatus=_LIVE)["tasks"]:
            waits = task["assignment_status"] in {"pending", "reserved"}
            with contextlib.suppress(AssertionError):  # its call has ended it meanwhile
                self.post(
                    f"{self.base}/Tasks/{task['sid']}",
                    AssignmentStatus="canceled" if waits else "completed",
                    Reason="the test is over",
                )
        for worker in self.workers.values():
            path = f"{self.base}/Workers/{worker}/Channels"
            for channel in self.get(path)["channels"]:
                if not channel["available"]:
                    self.post(f"{path}/{channel['sid']}", Available="true")
        for address in ("client%3Aalice", "client%3Abob"):
            self.network("PUT", f"/endpoints/{address}", {"on_ring": "answer"})
        self.until(
            lambda: not self.get(f"{self.base}/Tasks", AssignmentStatus=_LIVE)["tasks"],
            "no Task to be left",
        )

    def until(self, look: Callable[[], Result | None], what: str) -> Result:
        """The first true answer of `look`, asked again every few milliseconds."""
        for _ in range(int(PATIENCE / 0.05)):
            found = look()
            if found:
                return found
            self._tick.wait(0.05)
        raise AssertionError(f"waited in vain for {what}\n{self._log.read_text()[-4000:]}")


@contextlib.contextmanager
def whole_house(folder: Path) -> Iterator[WholeHouse]:
    """A house of its own, stopped at the end."""
    house = WholeHouse(folder)
    try:
        yield house
    finally:
        house.stop()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
