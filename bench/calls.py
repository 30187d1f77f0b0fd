"""Whole calls by the thousand: callers dial, agents pick up, they talk, hang up and wrap up.

Tandem as `make run` serves it, the simulator beside it as a process of its own, and a crowd of
callers that dials at a steady rate and talks so long that a given number of calls is in progress at
once. Everything goes over HTTP, and every call has to end right: the caller met an agent, the Task
is completed, nobody holds capacity, and nothing is left in the network.
"""

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from bench import servers
from bench.figures import Figure
from routing.clock import SystemClock
from routing.engine import Engine, queues, workers, workflows, workspaces
from routing.ports import Work
from routing.reservation import LIVE
from routing.store import open_store
from voice.call_flow import EXAMPLE

#: Calls that begin in a second, and that are in progress at once.
RATE, AT_ONCE = 20, 500
#: Agents beyond those who talk: some of them wrap up, some ring.
SPARE = 400
WRAP_UP_SECONDS = 2
#: After so many calls everything has been allocated that will be.
WARM = 1000
UNFINISHED = frozenset({"pending", "reserved", "assigned", "wrapping"})
#: Seconds for the last calls to be over.
PATIENCE = 60.0

P99_MS, MEMORY_MB, GROWTH_MB = 250, 400, 20


def measure(options: argparse.Namespace) -> list[Figure]:
    """One run on each database."""
    figures = []
    with servers.databases(options.database) as urls:
        for name, url in urls.items():
            figures += _run(name, url, options.calls)
    return figures


def _run(name: str, database_url: str, number: int) -> list[Figure]:
    ports = servers.free_ports(3)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        settings = servers.environment(database_url, ports, folder)
        flow = folder / "call_flow.toml"
        example = EXAMPLE.read_text()
        flow.write_text(example.replace('bridge = "on_accept"', 'bridge = "on_offer"'))
        settings |= {"CALL_FLOW": str(flow), "WRAP_UP_LIMITS": f"*={WRAP_UP_SECONDS}"}
        store = open_store(database_url, SystemClock())
        store.migrate()
        store.perform(_provide)
        with (
            _simulator(settings) as network,
            servers.house(settings),
            _Memory(int(settings["PORT"])) as memory,
        ):
            before = _spent(ports[0])
            crowd = _Crowd(network, number, memory)
            crowd.call()
            engine = Engine(store, SystemClock())
            _until(lambda: not _unfinished(engine), "every Task to be completed")
            wrong = crowd.wrong() + _left_behind(engine)
            timings = network.ask("GET", "/simulator/timings")
            spent = [after - first for after, first in zip(_spent(ports[0]), before, strict=True)]
        store.close()
    # Nobody may be missing: what was never answered has no place in a quantile.
    unanswered = timings["all"]["unanswered"]
    about = f"{number} calls, {timings['all']['count']} webhooks, p50 {timings['all']['p50']} ms"
    return [
        Figure(name=f"calls in progress at once ({name})", value=crowd.most, unit="",
               at_least=AT_ONCE if number >= WARM else None),
        Figure(name=f"calls that did not end right ({name})", value=wrong + unanswered, unit="",
               at_most=0, beside=crowd.story),
        Figure(name=f"webhook p99 ({name})", value=timings["all"]["p99"], unit="ms",
               at_most=P99_MS, beside=about),
        Figure(name=f"memory of the application ({name})", value=memory.most, unit="MB",
               at_most=MEMORY_MB),
        *(
            Figure(name=f"processor for a call, {who} ({name})", value=seconds * 1000 / number,
                   unit="ms")
            for who, seconds in zip(("application", "simulator"), spent, strict=True)
        ),
        *([] if memory.warm is None else [
            Figure(name=f"growth after call {WARM} ({name})", value=memory.last - memory.warm,
                   unit="MB", at_most=GROWTH_MB),
        ]),
    ]  # fmt: skip


def _provide(work: Work) -> None:
    """A centre with enough agents, each with a telephone."""
    centre = workspaces.create(work, friendly_name="Bench", multi_task_enabled=True).sid
    available = next(
        one.sid for one in work.configuration(centre).activities.values() if one.available
    )
    everybody = queues.create(
        work, workspace_sid=centre, friendly_name="All", target_workers="1==1"
    )
    document = {"task_routing": {"filters": [], "default_filter": {"queue": everybody.sid}}}
    workflows.create(
        work, workspace_sid=centre, friendly_name="Calls", configuration=json.dumps(document)
    )
    for number in range(AT_ONCE + SPARE):
        workers.create(
            work,
            workspace_sid=centre,
            friendly_name=f"Agent {number}",
            attributes=json.dumps({"contact_uri": f"client:agent{number}"}),
            activity_sid=available,
        )


def _unfinished(engine: Engine) -> int:
    return engine.read(lambda work: len(work.tasks.find(assignment_status=UNFINISHED)))


def _left_behind(engine: Engine) -> int:
    """Tasks without an end, and Reservations that still hold capacity."""
    held = engine.read(lambda work: len(work.reservations.find(reservation_status=LIVE)))
    return held + _unfinished(engine)


def _until(is_so: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            print(f"gave up waiting for {what}", file=sys.stderr)
            return
        time.sleep(0.5)


class _Network:
    """The simulator's control door."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content!r}")
        return json.loads(content)


@contextlib.contextmanager
def _simulator(settings: dict[str, str]) -> Iterator[_Network]:
    port = settings["SIMULATOR_PORT"]
    command = [
        sys.executable, "-m", "simulator", "--port", port, "--characters-per-second", "200",
        "--voice-url", f"{settings['PUBLIC_URL']}/voice/incoming",
        "--status-callback-url", f"{settings['PUBLIC_URL']}/voice/call-status",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
    try:
        servers.wait_until_ok(f"http://127.0.0.1:{port}/healthz", process)
        yield _Network(int(port))
    finally:
        process.terminate()
        process.wait()


class _Crowd:
    """The callers: each dials, talks, and hangs up when it is their time."""

    def __init__(self, network: _Network, number: int, memory: "_Memory") -> None:
        self._network = network
        self._number = number
        self._memory = memory
        self._sids: list[str] = []
        self.most = 0

    def call(self) -> None:
        """`number` calls at RATE, each until AT_ONCE newer ones have begun."""
        talking: deque[tuple[float, str]] = deque()
        talk_seconds = AT_ONCE / RATE + 1.0
        began = time.monotonic()
        while len(self._sids) < self._number or talking:
            now = time.monotonic()
            due = began + len(self._sids) / RATE
            if len(self._sids) < self._number and now >= due:
                order = {"from": f"+1212555{len(self._sids) % 10_000:04d}", "to": "+15550100000"}
                sid = self._network.ask("POST", "/simulator/calls", order)["sid"]
                self._sids.append(sid)
                talking.append((now + talk_seconds, sid))
                self.most = max(self.most, len(talking))
                if len(self._sids) == WARM:
                    self._memory.is_warm()
            elif talking and now >= talking[0][0]:
                self._hang_up(talking.popleft()[1])
            else:
                time.sleep(0.002)

    def _hang_up(self, sid: str) -> None:
        # Whoever was hung up on has no telephone in hand any more; `wrong` finds them.
        with contextlib.suppress(RuntimeError):
            self._network.ask("POST", f"/simulator/calls/{sid}/hangup")

    def wrong(self) -> int:
        """How many callers did not meet an agent until they hung up, and legs left behind."""
        _until(lambda: not self._live(), "the network to be empty")
        calls = {
            call["sid"]: call for call in self._network.ask("GET", "/simulator/state")["calls"]
        }
        rooms = self._network.ask("GET", "/simulator/timings")
        # A caller who was bridged has left the queue for a room and come back to the flow's end.
        met = rooms.get("/voice/conference-left", {}).get("count", 0)
        ends = Counter(calls[sid]["status"] for sid in self._sids if sid in calls)
        self.story = ", ".join(f"{count} {status}" for status, count in ends.items())
        self.story += f"; {met} met an agent"
        return abs(self._number - int(met)) + self._live() + ends.total() - ends["completed"]

    def _live(self) -> int:
        state = self._network.ask("GET", "/simulator/state?live=true")
        waiting = sum(queue["current_size"] for queue in state["queues"])
        return len(state["calls"]) + len(state["conferences"]) + int(waiting)


class _Memory:
    """What all processes of the application take (PSS: shared pages are counted once)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.most = self.last = 0.0
        self.warm: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._stop.wait(2):
            self.last = self._now()
            self.most = max(self.most, self.last)

    def is_warm(self) -> None:
        self.warm = self._now()

    def _now(self) -> float:
        return sum(_pss(pid) for pid in _family(self._port))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _family(port: int, *, simulator: bool = False) -> list[int]:
    """The supervisor, which was told that port, and all that it has started; or the simulator."""
    mark = f"PORT={port}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = b"\0" + (path / "environ").read_bytes()
            is_simulator = b"simulator\0" in (path / "cmdline").read_bytes()
            if b"\0" + mark in told and is_simulator == simulator:
                found.append(int(path.name))
    return found


def _spent(port: int) -> list[float]:
    """Seconds of the processor: of the application, of the simulator."""
    return [sum(map(_cpu, _family(port, simulator=which))) for which in (False, True)]


def _cpu(pid: int) -> float:
    """Seconds of the processor that it has had."""
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _pss(pid: int) -> float:
    """Megabytes; 0 for a process that has gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
