"""Statistics over a month of a large call centre, beside the routing that goes on meanwhile.

The database is made once for each store, which takes a few minutes; `--tasks` makes it smaller.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url

from bench import servers
from bench.figures import Figure, median, quantile
from bench.history import QUEUES, House, fill
from routing.api.door import rest_door
from routing.api.operations import RestSettings
from routing.background.statistics import StatisticsFollower
from routing.clock import SystemClock
from routing.engine import Engine, tasks
from routing.store import SqlStore, open_store

#: The bounds, in milliseconds.
_REAL_TIME, _DAY, _MONTH = 50, 150, 500
_MINUTES_OF_DAY, _MINUTES_OF_MONTH = 1_440, 43_200


def measure(options: argparse.Namespace) -> list[Figure]:
    """Milliseconds of each answer at the REST door, and what asking does to the routing."""
    figures: list[Figure] = []
    with servers.databases(options.database) as urls:
        for name, url in urls.items():
            store = open_store(url, SystemClock())
            store.migrate()
            engine = Engine(store, SystemClock())
            begin = time.perf_counter()
            house = fill(store, engine, options.tasks)
            print(
                f"  {name}: {options.tasks} finished Tasks written in "
                f"{time.perf_counter() - begin:.0f} s, {_megabytes(url)}",
                flush=True,
            )
            figures += _figures(name, store, engine, house, options.rounds)
            store.close()
    return figures


def _megabytes(url: str) -> str:
    database = make_url(url).database
    if not url.startswith("sqlite") or database is None:
        return "on a server"
    return f"{Path(database).stat().st_size / 1e6:.0f} MB"


def _figures(name: str, store: SqlStore, engine: Engine, house: House, rounds: int) -> list[Figure]:
    client = _client(engine)
    below = f"/v1/Workspaces/{house.workspace_sid}"
    queue, worker = house.queue_sids[3], house.worker_sids[5]
    month = f"Minutes={_MINUTES_OF_MONTH}"
    asked = {
        f"real-time, workspace with {QUEUES} queues": (f"{below}/RealTimeStatistics", _REAL_TIME),
        "real-time, one queue": (f"{below}/TaskQueues/{queue}/RealTimeStatistics", _REAL_TIME),
        "cumulative, workspace, 15 minutes": (f"{below}/CumulativeStatistics", _DAY),
        "cumulative, workspace, a day": (
            f"{below}/CumulativeStatistics?Minutes={_MINUTES_OF_DAY}", _DAY),
        "cumulative, workspace, 30 days": (f"{below}/CumulativeStatistics?{month}", _MONTH),
        "cumulative, workspace, 30 days, split": (
            f"{below}/CumulativeStatistics?{month}&SplitByWaitTime=5,20,60", _MONTH),
        "cumulative, one queue, 30 days": (
            f"{below}/TaskQueues/{queue}/CumulativeStatistics?{month}", _MONTH),
        "cumulative, one worker, 30 days": (f"{below}/Workers/{worker}/Statistics?{month}", _MONTH),
        "cumulative, all workers, 30 days": (
            f"{below}/Workers/CumulativeStatistics?{month}", _MONTH),
        f"both, page of {QUEUES} queues, a day": (
            f"{below}/TaskQueues/Statistics?PageSize={QUEUES}&Minutes={_MINUTES_OF_DAY}", _MONTH),
        f"both, page of {QUEUES} queues, 30 days": (
            f"{below}/TaskQueues/Statistics?PageSize={QUEUES}&{month}", None),
    }  # fmt: skip
    figures = [
        _answer(f"{name}: {title}", client, path, bound, rounds)
        for title, (path, bound) in asked.items()
    ]
    return figures + _beside_routing(
        name, store, house, client, f"{below}/CumulativeStatistics?{month}"
    )


def _client(engine: Engine) -> FlaskClient:
    app = Flask("bench")
    settings = RestSettings(
        account_sid=servers.ACCOUNT_SID,
        auth_tokens=(servers.AUTH_TOKEN,),
        public_url="http://127.0.0.1",
    )
    app.register_blueprint(rest_door(engine, settings))
    return app.test_client()


def _ask(client: FlaskClient, path: str) -> None:
    answered = client.get(path, auth=(servers.ACCOUNT_SID, servers.AUTH_TOKEN))
    if answered.status_code != 200:
        raise RuntimeError(f"{path}: {answered.get_data(as_text=True)}")


def _answer(title: str, client: FlaskClient, path: str, bound: float | None, rounds: int) -> Figure:
    times = []
    processor = time.process_time()
    for _ in range(3 + 4 * rounds):
        begin = time.perf_counter()
        _ask(client, path)
        times.append((time.perf_counter() - begin) * 1000)
    processor = (time.process_time() - processor) * 1000 / len(times)
    return Figure(
        name=title,
        value=median(times),
        unit="ms",
        at_most=bound,
        beside=f"first {times[0]:.0f} ms, {processor:.1f} ms of processor",
    )


def _beside_routing(
    name: str, store: SqlStore, house: House, client: FlaskClient, month: str
) -> list[Figure]:
    """The time of a Task's creation, alone and while somebody asks for 30 days without a pause."""
    engine = Engine(store, SystemClock())
    alone = _creations(engine, house)
    with _repeated(lambda: _ask(client, month)):
        beside = _creations(engine, house)
    follower = StatisticsFollower(store)
    processor = time.process_time()
    before = store.read(lambda work: work.follower_position("statistics"))
    while follower.step():
        pass
    read = store.read(lambda work: work.follower_position("statistics")) - before
    processor = time.process_time() - processor
    return [
        Figure(
            name=f"{name}: creating a Task while 30 days are asked for, median",
            value=median(beside),
            unit="ms",
            beside=f"{median(alone):.2f} ms alone; 99 %: {quantile(beside, 0.99):.2f} ms, "
            f"{quantile(alone, 0.99):.2f} ms alone",
        ),
        Figure(
            name=f"{name}: the follower, for a thousand events",
            value=processor * 1e6 / max(read, 1),
            unit="ms",
            beside=f"of processor; {read} events",
        ),
    ]


def _creations(engine: Engine, house: House, number: int = 400) -> list[float]:
    times = []
    for _ in range(number):
        begin = time.perf_counter()
        engine.add(
            tasks.create,
            workspace_sid=house.workspace_sid,
            task_queue_sid=house.queue_sids[0],
            workflow_sid=house.workflow_sids[0],
        )
        times.append((time.perf_counter() - begin) * 1000)
    return times


@contextmanager
def _repeated(step: Callable[[], None]) -> Iterator[None]:
    """Does it again and again beside what the block does."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
