"""Callbacks delivered a second by one process to a receiver that takes 20 ms, from a backlog.

Beside it, the same number of POSTs by as many threads with requests alone: no signature, no order,
nothing written. And the same once more while somebody else is owed some, too, who takes every
connection and never answers.
"""

import argparse
import contextlib
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests

from bench import servers
from bench.figures import Figure, median
from routing.background.callbacks.addresses import LOOPBACK
from routing.background.callbacks.service import Callbacks
from routing.background.callbacks.settings import CallbackSettings
from routing.clock import SystemClock
from routing.engine import Engine, queues, tasks, workflows, workspaces
from routing.store import open_store

ANSWER_MS = 20
#: Each is told of by four events, which have to arrive one after the other.
TASKS = 400
_SETTINGS = CallbackSettings(
    account_sid=servers.ACCOUNT_SID, auth_tokens=(servers.AUTH_TOKEN,), allowed=LOOPBACK
)


def measure(options: argparse.Namespace) -> list[Figure]:
    """Deliveries a second, and the processor time that each takes."""
    figures = []
    for name in ("sqlite", "postgresql"):
        if options.database not in {name, "both"}:
            continue
        rounds = [_round(name) for _ in range(options.rounds)]
        figures += [
            Figure(
                name=f"callbacks to a receiver that takes {ANSWER_MS} ms ({name})",
                value=median([each.rate for each in rounds]),
                unit="1/s",
                at_least=300,
                beside=f"{median([each.bare for each in rounds]):.0f}/s bare requests",
            ),
            Figure(
                name=f"processor time of one callback ({name})",
                value=median([each.milliseconds for each in rounds]),
                unit="ms",
            ),
            Figure(
                name=f"callbacks beside a dead receiver, to without ({name})",
                value=median([each.beside_a_dead_one / each.rate for each in rounds]),
                unit="ratio",
                at_least=0.95,
                beside=" ".join(f"{each.beside_a_dead_one:.0f}/s" for each in rounds),
            ),
        ]
    return figures


@dataclass(frozen=True, kw_only=True)
class _Round:
    #: Deliveries a second, and the same while another receiver is dead.
    rate: float
    beside_a_dead_one: float
    #: Of processor time, for each delivery.
    milliseconds: float
    #: Bare requests a second.
    bare: float


def _round(name: str) -> _Round:
    with _receiver() as url:
        bare = _bare(url, TASKS * 4)
        with servers.databases(name) as urls:
            rate, milliseconds = _deliveries(urls[name], url)
        # It takes connections, as the kernel does that for it, and nothing else.
        with socket.create_server(("127.0.0.1", 0), backlog=TASKS) as dead:
            port = dead.getsockname()[1]
            with servers.databases(name) as urls:
                beside, _ = _deliveries(urls[name], url, dead=f"http://127.0.0.1:{port}/")
    return _Round(rate=rate, beside_a_dead_one=beside, milliseconds=milliseconds, bare=bare)


@contextlib.contextmanager
def _receiver() -> Iterator[str]:
    (port,) = servers.free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.slow_receiver", str(port), str(ANSWER_MS)]
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        servers.wait_until_ok(url, process)
        yield url
    finally:
        process.kill()
        process.wait()


def _deliveries(database_url: str, url: str, *, dead: str | None = None) -> tuple[float, float]:
    """Deliveries a second to the URL, and the milliseconds of processor time of each; `dead` is
    owed some before them.
    """
    store = open_store(database_url, SystemClock())
    store.migrate()
    engine = Engine(store, SystemClock())
    if dead is not None:
        _backlog(engine, dead, TASKS // 10)  # to write more of them would be work for both
    _backlog(engine, url, TASKS)
    before = _count(url)
    callbacks = Callbacks(engine, store, _SETTINGS)
    callbacks.start(alone=True)
    wanted = before + TASKS * 4
    begin, cpu = time.perf_counter(), _processor_seconds()
    for loop in callbacks.loops:
        loop.start()
    while _count(url) < wanted:
        time.sleep(0.05)  # to ask is work, too, and takes it from what is measured
    taken, used = time.perf_counter() - begin, _processor_seconds() - cpu
    callbacks.finish(5 if dead is None else 0)  # its own are under way for ever
    for loop in callbacks.loops:
        loop.stop()
        loop.join(5)
    store.close()
    return TASKS * 4 / taken, used * 1000 / (TASKS * 4)


def _backlog(engine: Engine, url: str, number: int) -> None:
    workspace = engine.perform(
        workspaces.create,
        friendly_name="Bench",
        event_callback_url=url,
        events_filter="workflow.target-matched,task.created,task-queue.entered,workflow.entered",
    )
    queue = engine.perform(
        queues.create,
        workspace_sid=workspace.sid,
        friendly_name="Nobody",
        target_workers="1==2",
    )
    engine.perform(
        workflows.create,
        workspace_sid=workspace.sid,
        friendly_name="Calls",
        configuration=json.dumps(
            {"task_routing": {"filters": [], "default_filter": {"queue": queue.sid}}}
        ),
    )
    for _ in range(number):
        engine.perform(tasks.create, workspace_sid=workspace.sid)


def _bare(url: str, number: int) -> float:
    def post(share: int) -> None:
        session = requests.Session()
        for _ in range(share):
            session.post(url, data={"a": "1"}, timeout=10)

    threads = [
        threading.Thread(target=post, args=(number // _SETTINGS.at_once,))
        for _ in range(_SETTINGS.at_once)
    ]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return number / (time.perf_counter() - begin)


def _count(url: str) -> int:
    return int(requests.get(url, timeout=5).text)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
