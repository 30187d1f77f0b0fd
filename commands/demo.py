"""One whole call, headless: real servers, free ports, a temporary database; told as it happens.

It uses the doors that everybody uses: the simulator's control door as the caller and the agents'
telephones, the REST API as the agents' application.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
import requests

from commands.children import die_with_parent
from commands.timeline import Timeline
from routing.clock import SystemClock
from voice.call_flow import EXAMPLE

CALLER = "+15550123456"
NUMBER = "+15550100000"
#: Seconds to wait for any one step; the longest is a telephone that rings in vain.
_STEP_SECONDS = 45.0
_TALK_SECONDS = 1.0

Result = TypeVar("Result")


class Stuck(Exception):
    """Something that should have happened did not."""


def show(variant: str) -> int:
    """Shows the variant; 0 only if it ended as it should."""
    with tempfile.TemporaryDirectory(prefix="tandem-demo-") as folder:
        click.echo("Starting Tandem and the simulated phone network ...")
        try:
            with _running(Path(folder)) as house, contextlib.closing(_Call(house)) as call:
                problems = _VARIANTS[variant](call)
                verdict = call.verdict
        except (Stuck, requests.RequestException) as error:
            problems, verdict = [str(error)], ""
    click.echo("\nFAILED: " + "; ".join(problems) if problems else f"\n{verdict}")
    return 1 if problems else 0


class _House:
    """The servers of the demonstration, and how to talk to them."""

    def __init__(self, web: str, phone: str, credentials: tuple[str, str]) -> None:
        self.web = web
        self.phone = phone
        self._session = requests.Session()
        self._session.auth = credentials
        self.workspace = self.get("/Workspaces")["workspaces"][0]["sid"]

    def get(self, path: str, **parameters: object) -> Any:
        return self._answer("GET", f"{self.web}/v1{path}", params=parameters)

    def post(self, path: str, **form: object) -> Any:
        return self._answer("POST", f"{self.web}/v1{path}", data=form)

    def network(self, method: str, path: str, body: object = None) -> Any:
        return self._answer(method, f"{self.phone}/simulator{path}", json=body)

    def _answer(self, method: str, url: str, **how: Any) -> Any:
        answer = self._session.request(method, url, timeout=40, **how)
        if not answer.ok:
            raise Stuck(f"{method} {url} was answered with {answer.status_code}: {answer.text}")
        return answer.json()


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[_House]:
    ports = _free_ports(3)
    environment = dict(os.environ)
    # So that a .env with a real account's addresses does not reach the demonstration.
    environment |= {"PUBLIC_URL": "", "TWILIO_API_URL": "", "TWILIO_AUTH_TOKEN_PREVIOUS": ""}
    environment |= {"HOST": "127.0.0.1", "ROLE": "all"}
    account, token = "AC" + "d" * 32, os.urandom(16).hex()
    environment |= {
        "PORT": str(ports[0]),
        "REALTIME_PORT": str(ports[1]),
        "SIMULATOR_PORT": str(ports[2]),
        "DATABASE_URL": f"sqlite:///{folder}/demo.db",
        "INSTANCE_PATH": str(folder),
        "CALL_FLOW": str(folder / "call_flow.toml"),
        "SIMULATOR": "on",
        "TWILIO_ACCOUNT_SID": account,
        "TWILIO_AUTH_TOKEN": token,
    }
    # A telephone that nobody answers rings for as short as Twilio allows.
    flow = EXAMPLE.read_text().replace("ring_seconds = 20", "ring_seconds = 5")
    (folder / "call_flow.toml").write_text(flow)
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "serve"],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        # However the demonstration ends, its servers end with it.
        preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - no threads run yet
    )
    web, phone = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[2]}"
    healths = [f"{web}/readyz", f"{phone}/healthz"]
    try:
        _wait_for(
            lambda: _are_well(healths, process, folder / "server.log"), "the servers to be ready"
        )
        yield _House(web, phone, (account, token))
    finally:
        process.terminate()  # unlike SIGINT heard at any time, also in the background
        process.wait()
        log.close()


def _are_well(healths: list[str], process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise Stuck(f"the server did not start:\n{log.read_text()}")
    with contextlib.suppress(requests.ConnectionError, requests.Timeout):
        return all(requests.get(health, timeout=2).ok for health in healths)
    return False


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_for(look: Callable[[], Result | None], what: str) -> Result:
    """The first true answer of `look`; raises Stuck when there is none in time."""
    deadline = time.monotonic() + _STEP_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise Stuck(f"waited {_STEP_SECONDS:.0f} s in vain for {what}")


class _Call:
    """One call of the demonstration, and the two witnesses that tell of it."""

    def __init__(self, house: _House) -> None:
        self.house = house
        self.verdict = ""
        self._base = f"/Workspaces/{house.workspace}"
        self._names: dict[str, str] = {}
        self._closing = threading.Event()
        self._timeline = Timeline(click.echo)
        self._witnesses = [
            threading.Thread(target=self._follow_network, daemon=True),
            threading.Thread(target=self._follow_events, daemon=True),
        ]

    # What a caller and an agent do.

    def dial(self) -> str:
        now = SystemClock().now()
        self._timeline.begin(now)
        for witness in self._witnesses:
            witness.start()
        self._timeline.add(now, "caller", f"{CALLER} dials {NUMBER}")
        sid: str = self.house.network("POST", "/calls", {"from": CALLER, "to": NUMBER})["sid"]
        self._names[sid] = "caller"
        return sid

    def accept(self, reservation: dict[str, Any]) -> None:
        self.say("agent", f"{reservation['worker_name']} clicks on accept")
        self.house.post(
            f"{self._base}/Tasks/{reservation['task_sid']}/Reservations/{reservation['sid']}",
            ReservationStatus="accepted",
        )

    def hang_up(self, call_sid: str, who: str) -> None:
        self.say(who, "hangs up")
        self.house.network("POST", f"/calls/{call_sid}/hangup")

    def complete(self, task_sid: str) -> None:
        self.say("agent", "finishes the after-work")
        self.house.post(
            f"{self._base}/Tasks/{task_sid}", AssignmentStatus="completed", Reason="solved"
        )

    def say(self, who: str, what: str) -> None:
        self._timeline.add(SystemClock().now(), who, what)

    # What they wait for.

    def task(self, status: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            tasks = self.house.get(f"{self._base}/Tasks", AssignmentStatus=status)["tasks"]
            return tasks[0] if tasks else None

        return _wait_for(look, f"the task to be {status}")

    def offer(self, *, besides: str = "") -> dict[str, Any]:
        task = self.task("reserved")

        def look() -> dict[str, Any] | None:
            answer = self.house.get(
                f"{self._base}/Tasks/{task['sid']}/Reservations", ReservationStatus="pending"
            )
            others = [r for r in answer["reservations"] if r["worker_sid"] != besides]
            return others[0] if others else None

        return _wait_for(look, "an offer to somebody")

    def room(self, task_sid: str) -> dict[str, Any]:
        """The conference of the task, with both in it."""

        def look() -> dict[str, Any] | None:
            for room in self.house.network("GET", "/state")["conferences"]:
                if room["friendly_name"] == task_sid and len(room["participants"]) > 1:
                    return dict(room)
            return None

        return _wait_for(look, "both legs to be in one conference")

    def capacity_is_back(self, worker_sid: str) -> bool:
        channel = self.house.get(f"{self._base}/Workers/{worker_sid}/Channels/voice")
        return (channel["assigned_tasks"], channel["available_capacity_percentage"]) == (0, 100)

    def workers(self) -> list[dict[str, Any]]:
        workers: list[dict[str, Any]] = self.house.get(f"{self._base}/Workers")["workers"]
        return workers

    def move(self, worker: dict[str, Any], activity: str) -> None:
        activities = self.house.get(f"{self._base}/Activities", FriendlyName=activity)["activities"]
        self.house.post(f"{self._base}/Workers/{worker['sid']}", ActivitySid=activities[0]["sid"])

    def close(self) -> None:
        # What the network still has to tell of the end gets a moment to arrive.
        time.sleep(0.3)
        self._closing.set()
        for witness in self._witnesses:
            if witness.is_alive():
                witness.join()
        self._timeline.close()

    # The witnesses; each looks once more when it is over.

    def _follow_network(self) -> None:
        last, is_over = 0, False
        while not is_over:
            is_over = self._closing.is_set()
            with contextlib.suppress(requests.RequestException, Stuck):
                answer = requests.get(
                    f"{self.house.phone}/simulator/log",
                    params={"since": last, "wait": 0 if is_over else 0.2},
                    timeout=5,
                ).json()
                last = answer["last"]
                for entry in answer["entries"]:
                    self._timeline.tell_line(entry, self._names)

    def _follow_events(self) -> None:
        told: set[str] = set()
        is_over = False
        while not is_over:
            is_over = self._closing.wait(0.04)
            with contextlib.suppress(requests.RequestException, Stuck):
                events = self.house.get(f"{self._base}/Events", Minutes=5, PageSize=100)["events"]
                for event in reversed(events):
                    if event["sid"] not in told:
                        told.add(event["sid"])
                        self._timeline.tell_event(event)

    def name_legs(self, room: dict[str, Any], caller_sid: str) -> str:
        """Remembers which leg is the agent's; returns its SID."""
        legs = [each["call_sid"] for each in room["participants"]]
        agent: str = next(sid for sid in legs if sid != caller_sid)
        self._names[agent] = "agent"
        return agent


def _answered(call: _Call) -> list[str]:
    caller_sid = call.dial()
    offer = call.offer()
    call.accept(offer)
    return _talk_and_finish(call, caller_sid, offer)


def _talk_and_finish(call: _Call, caller_sid: str, offer: dict[str, Any]) -> list[str]:
    room = call.room(offer["task_sid"])
    agent_sid = call.name_legs(room, caller_sid)
    call.say("conference", f"{offer['worker_name']} and the caller talk")
    time.sleep(_TALK_SECONDS)
    call.hang_up(agent_sid, "agent")
    call.task("wrapping")
    call.complete(offer["task_sid"])
    task = call.task("completed")
    problems = []
    if task["sid"] != offer["task_sid"]:
        problems.append("another task was completed")
    if not call.capacity_is_back(offer["worker_sid"]):
        problems.append(f"the capacity of {offer['worker_name']} is not back")
    call.verdict = (
        f"OK: task {task['sid'][:8]} completed, both legs were in conference {room['sid'][:8]}, "
        f"{offer['worker_name']} is free again."
    )
    return problems


def _hangup(call: _Call) -> list[str]:
    for worker in call.workers():
        call.move(worker, "Offline")
    caller_sid = call.dial()
    task = call.task("pending")
    _wait_for(
        lambda: [q for q in call.house.network("GET", "/state")["queues"] if q["members"]],
        "the caller to be in the queue",
    )
    call.hang_up(caller_sid, "caller")
    canceled = call.task("canceled")
    call.verdict = (
        f"OK: task {task['sid'][:8]} canceled ({canceled['reason']}), nobody was disturbed."
    )
    return [] if canceled["reason"] == "hangup" else [f"the reason is {canceled['reason']!r}"]


def _no_answer(call: _Call) -> list[str]:
    call.house.network("PUT", "/endpoints/client:alice", {"on_ring": "no-answer"})
    bob = next(worker for worker in call.workers() if worker["friendly_name"] == "Bob")
    call.move(bob, "Offline")
    caller_sid = call.dial()
    first = call.offer()
    call.accept(first)
    call.move(bob, "Available")
    call.task("assigned")
    second = call.offer(besides=first["worker_sid"])
    call.accept(second)
    problems = _talk_and_finish(call, caller_sid, second)
    if not call.capacity_is_back(first["worker_sid"]):
        problems.append("the capacity of the first agent is not back")
    return problems


_VARIANTS: dict[str, Callable[[_Call], list[str]]] = {
    "answered": _answered,
    "hangup": _hangup,
    "no-answer": _no_answer,
}
