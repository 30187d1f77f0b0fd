"""How long an idle system takes from a Task to the Reservation that is committed for it."""

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import requests

from bench import servers
from bench.figures import Figure, quantile
from commands.provision import provision
from routing.background.router import Router
from routing.clock import SystemClock
from routing.engine import Engine, tasks, workers
from routing.store import SqlStore, open_store
from tests import postgres

#: Between two samples, so that each meets an idle system.
_PAUSE_SECONDS = 0.01
_PLENTY = 1_000_000


def measure(options: argparse.Namespace) -> list[Figure]:
    """In process, and from the REST request to the event in the log; both databases."""
    figures = []
    with servers.databases(options.database) as urls:
        for name, url in urls.items():
            figures += _figures(f"in process ({name})", _in_process(url, options.samples), (3, 15))
    with servers.databases(options.database) as urls:
        for name, url in urls.items():
            figures += _figures(f"over REST ({name})", _over_rest(url, options.samples), (10, 40))
    return figures


def _figures(name: str, samples: list[float], bounds: tuple[float, float]) -> list[Figure]:
    return [
        Figure(
            name=f"task to reservation {name}, {label}",
            value=quantile(samples, share),
            unit="ms",
            at_most=bound,
            beside=f"{len(samples)} samples, fastest {min(samples):.2f} ms",
        )
        for label, share, bound in (("p50", 0.5, bounds[0]), ("p99", 0.99, bounds[1]))
    ]


def provide(store: SqlStore) -> str:
    """The example workspace, with agents who never run out of capacity; its SID."""
    workspace_sid = store.perform(provision).sid
    engine = Engine(store, SystemClock())
    for worker in engine.read(lambda work: work.workers.find()):
        engine.perform(
            workers.set_channel,
            workspace_sid=workspace_sid,
            worker_sid=worker.sid,
            channel="voice",
            capacity=_PLENTY,
        )
    return workspace_sid


def _in_process(url: str, samples: int) -> list[float]:
    """From the return of `create` (the Task is committed) until somebody who waits for the
    Reservation hears of its commit; that it is there is read when the clock stands.
    """
    store = open_store(url, SystemClock())
    store.migrate()
    workspace_sid = provide(store)
    engine = Engine(store, SystemClock())
    router = Router(engine)
    router.start()
    loop = router.loop(store)
    loop.start()
    # Whoever waits must not keep the router from its work by looking all the time.
    offers = store.subscribe(frozenset({"reservation.created"}))
    taken = []
    for _ in range(samples):
        time.sleep(_PAUSE_SECONDS)
        seen = offers.seen()
        task = engine.perform(tasks.create, workspace_sid=workspace_sid, task_channel="voice")
        begin = time.perf_counter()
        while True:
            seen = offers.wait(seen, 1)
            milliseconds = (time.perf_counter() - begin) * 1000
            if engine.glance(lambda work: work.reservations.find(task_sid=task.sid)):  # noqa: B023 - read at once
                break
        taken.append(milliseconds)
    loop.stop()
    loop.join(5)
    store.close()
    return taken


def _over_rest(url: str, samples: int) -> list[float]:
    """From before the request until `reservation.created` can be read from the database."""
    ports = servers.free_ports(3)
    with tempfile.TemporaryDirectory() as folder:
        settings = servers.environment(url, ports, Path(folder))
        store = open_store(url, SystemClock())
        store.migrate()
        workspace_sid = provide(store)
        store.close()
        with servers.house(settings) as base:
            return _rest_samples(f"{base}/v1/Workspaces/{workspace_sid}/Tasks", url, samples)


def _rest_samples(url: str, database_url: str, samples: int) -> list[float]:
    is_there = _looker(database_url)
    session = requests.Session()
    session.auth = (servers.ACCOUNT_SID, servers.AUTH_TOKEN)
    taken = []
    for number in range(samples):
        time.sleep(_PAUSE_SECONDS)
        form = {"TaskChannel": "voice", "Attributes": json.dumps({"number": number})}
        begin = time.perf_counter()
        answer = session.post(url, data=form, timeout=10)
        answer.raise_for_status()
        sid = answer.json()["sid"]
        while not is_there(sid):
            time.sleep(0.0005)
        taken.append((time.perf_counter() - begin) * 1000)
    return taken


def _looker(database_url: str) -> Callable[[str], bool]:
    """Asks the database itself, so that nothing of the server's own is in the way."""
    text = "SELECT 1 FROM events WHERE type = 'reservation.created' AND task_sid = "
    if database_url.startswith("sqlite"):
        file = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        return lambda sid: file.execute(text + "?", (sid,)).fetchone() is not None
    server = psycopg.connect(postgres.libpq_url(database_url), autocommit=True)
    return lambda sid: server.execute(text + "%s", (sid,)).fetchone() is not None
