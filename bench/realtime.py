"""Five thousand agents connected to one realtime process: memory, latencies, and what others feel.

The agents are raw sockets in a process of their own (crowd.py), so that their cost is not counted.
The server runs as `make run` starts it, on SQLite, where everything shares one machine.
"""

import argparse
import contextlib
import json
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import requests

from bench import load, servers
from bench.figures import Figure, quantile
from bench.webhook import calls
from commands.provision import provision
from routing.api.tokens import make_token
from routing.clock import SystemClock
from routing.engine import Engine, workers
from routing.ports import Work
from routing.store import SqlStore, open_store

AGENTS = 5_000
#: Supervisors' walls that hear everything beside them.
WALLS = 36
AGENTS_PATH = "/v1/wschannels"
EVENTS_PER_SECOND = 100
_CONNECTIONS = 16
_PATIENCE_SECONDS = 60.0


def measure(options: argparse.Namespace) -> list[Figure]:
    """All of it, on one server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        url = f"sqlite:///{folder}/bench.db"
        settings = servers.environment(url, servers.free_ports(3), Path(folder))
        store = open_store(url, SystemClock())
        store.migrate()
        office = _Office(store)
        with (
            servers.gunicorn("app:served()", settings, "/readyz") as web,
            _realtime(settings) as process,
        ):
            store.listen()
            figures = _measured(office, web, process, settings, options)
        store.close()
    return figures


def _measured(
    office: "_Office",
    web: str,
    process: int,
    settings: Mapping[str, str],
    options: argparse.Namespace,
) -> list[Figure]:
    alone = _rate(web, options.seconds)
    port = int(settings["REALTIME_PORT"])
    with _Crowd(port, AGENTS_PATH, office.tokens("worker", AGENTS)) as crowd:
        figures = [
            _figure("connecting all, tokens checked", crowd.seconds, "s", 60),
            _figure("memory of the realtime process", _megabytes(process), "MB", 250),
            *_latencies(office, web, crowd, max(options.seconds, 5.0)),
            _figure("one event for each of them, all told after", office.tell_all(crowd), "s", 1),
            *_beside_walls(office, web, crowd, port, max(options.seconds, 5.0)),
        ]
        together = _rate(web, options.seconds)
    figures += _comeback(office, port)
    beside = f"{together:.0f}/s beside {alone:.0f}/s"
    name = f"{AGENTS} agents: webhooks a second with them to without"
    return [
        *figures,
        Figure(name=name, value=together / alone, unit="ratio", at_least=0.9, beside=beside),
    ]


def _comeback(office: "_Office", port: int) -> list[Figure]:
    """All of them within a fifth of a second, as after a restart, with what the SDK asks then."""
    tokens = office.tokens("worker", AGENTS)
    lines = [f"{token} {sid}\n" for token, sid in zip(tokens, office.sids, strict=True)]
    ended = subprocess.run(
        [sys.executable, "-m", "bench.comeback", str(port), office.workspace_sid],
        input="".join(lines),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(ended.stdout)
    beside = f"the slowest answer took {told['slowest']:.1f} s; lost: {told['why']}"
    return [
        _figure("all come back at once, lost for good", told["lost"], "", 0, beside),
        _figure("all come back at once and have read", told["seconds"], "s", 120),
    ]


def _figure(name: str, value: float, unit: str, at_most: float, beside: str = "") -> Figure:
    name = f"{AGENTS} agents: {name}"
    return Figure(name=name, value=value, unit=unit, at_most=at_most, beside=beside)


class _Office:
    """The example workspace, with Workers who are not there to be given Tasks."""

    def __init__(self, store: SqlStore) -> None:
        self._engine = Engine(store, SystemClock())
        self.workspace_sid = store.perform(provision).sid
        self.sids = self._engine.perform(self._hire)

    def _hire(self, work: Work) -> list[str]:
        return [
            workers.create(work, workspace_sid=self.workspace_sid, friendly_name=f"Agent {n}").sid
            for n in range(AGENTS)
        ]

    def tokens(self, role: str, number: int) -> list[str]:
        now = self._engine.clock.now()
        return [
            make_token(
                account_sid=servers.ACCOUNT_SID,
                auth_token=servers.AUTH_TOKEN,
                workspace_sid=self.workspace_sid,
                worker_sid=sid,
                role=role,
                now=now,
                seconds=3600,
            )
            for sid in self.sids[:number]
        ]

    @property
    def stream(self) -> str:
        return f"/v1/Workspaces/{self.workspace_sid}/EventStream"

    def tell_all(self, crowd: "_Crowd") -> float:
        """Seconds from a commit that changes every Worker until the last one has heard of it."""
        self._engine.perform(self._change_all)
        committed = time.perf_counter()
        heard = crowd.heard({f"to {sid}" for sid in self.sids})
        return max(heard.values()) - committed

    def _change_all(self, work: Work) -> None:
        for sid in self.sids:
            workers.update(
                work,
                workspace_sid=self.workspace_sid,
                worker_sid=sid,
                attributes=json.dumps({"mark": f"to {sid}"}),
            )


@contextlib.contextmanager
def _realtime(settings: Mapping[str, str]) -> Iterator[int]:
    """The realtime server; its process."""
    process = subprocess.Popen([sys.executable, "-m", "commands.realtime"], env=dict(settings))
    try:
        servers.wait_until_ok(f"http://127.0.0.1:{settings['REALTIME_PORT']}/readyz", process)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


class _Crowd:
    """The agents, and when they heard of what."""

    def __init__(self, port: int, path: str, tokens: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.crowd", str(port), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        self._process.stdin.write("\n".join(tokens))
        self._process.stdin.close()
        self.seconds = float(json.loads(self._process.stdout.readline())["seconds"])
        self._lines = self._process.stdout
        self._marks: queue.Queue[tuple[str, float]] = queue.Queue()
        self._number = len(tokens)
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def __len__(self) -> int:
        return self._number

    def _listen(self) -> None:
        for line in self._lines:
            mark, at = json.loads(line)
            self._marks.put((mark, at))

    def heard(self, marks: set[str]) -> dict[str, float]:
        """When each of these was heard, in seconds of time.perf_counter()."""
        found: dict[str, float] = {}
        while len(found) < len(marks):
            mark, at = self._marks.get(timeout=_PATIENCE_SECONDS)
            if mark in marks:
                found[mark] = at
        return found


def _megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(kilobytes) / 1024


def _rate(web: str, seconds: float) -> float:
    port = int(web.rpartition(":")[2])
    made = list(calls(web, int(seconds * 2000)))
    return load.run(port, made, connections=_CONNECTIONS, seconds=seconds).requests_per_second


def _beside_walls(
    office: _Office, web: str, crowd: _Crowd, port: int, seconds: float
) -> list[Figure]:
    """The same while supervisors' walls are told everything."""
    tokens = office.tokens("supervisor", WALLS)
    with _Crowd(port, office.stream, tokens) as walls:
        return _latencies(office, web, crowd, seconds, walls)


def _latencies(
    office: _Office, web: str, crowd: _Crowd, seconds: float, walls: _Crowd | None = None
) -> list[Figure]:
    """Attributes of one Worker after the other are changed over REST, so many a second."""
    answered = _changes(office, web, int(EVENTS_PER_SECOND * seconds))
    heard = crowd.heard(set(answered))
    # The answer is written after the commit, too; an event may overtake it.
    taken = [max(0.0, heard[mark] - at) * 1000 for mark, at in answered.items()]
    beside = f"{len(taken)} events, {EVENTS_PER_SECOND} a second"
    name = "an event after its commit"
    if walls is not None:
        told = walls.heard(set(answered))
        shown = [max(0.0, told[mark] - at) * 1000 for mark, at in answered.items()]
        beside = f"{len(walls)} walls hear all of it, p50 {quantile(shown, 0.5):.0f} ms"
        name += ", beside walls"
    return [
        _figure(f"{name}, p50", quantile(taken, 0.5), "ms", 20, beside),
        _figure(f"{name}, p99", quantile(taken, 0.99), "ms", 120, beside),
    ]


def _changes(office: _Office, web: str, number: int) -> dict[str, float]:
    """{mark: when the change that carries it was answered}"""
    begin = time.perf_counter()
    answered: dict[str, float] = {}
    turns = iter(range(number))
    door = threading.Lock()

    def change() -> None:
        session = requests.Session()
        session.auth = (servers.ACCOUNT_SID, servers.AUTH_TOKEN)
        while True:
            with door:
                turn = next(turns, None)
            if turn is None:
                return
            time.sleep(max(0.0, begin + turn / EVENTS_PER_SECOND - time.perf_counter()))
            mark = f"number {turn}"
            sid = office.sids[turn * 7 % len(office.sids)]
            url = f"{web}/v1/Workspaces/{office.workspace_sid}/Workers/{sid}"
            form = {"Attributes": json.dumps({"mark": mark})}
            session.post(url, data=form, timeout=30).raise_for_status()
            answered[mark] = time.perf_counter()

    threads = [threading.Thread(target=change) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered
