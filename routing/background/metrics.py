"""`/metrics` for Prometheus: what waits, what was decided, how quickly requests are answered.

What the tables know is asked of them at each scrape, so any process can be asked and all of them
say the same; the time that requests take is each process's own. Nothing here changes anything.
"""

import time
from collections.abc import Iterator
from typing import Final

import flask
from flask import Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from routing.engine import statistics
from routing.statistics.period import Period
from routing.statistics.real_time import LiveTasks
from routing.statistics.tally import COUNTS, Tally
from routing.store import SqlStore, StoreUnavailable, UnitOfWork

#: Seconds; a webhook has to be answered within a few, and most answers take milliseconds.
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def metrics_door(store: SqlStore) -> flask.Blueprint:
    """`/metrics`, and the measuring of every request of the app that it is registered on."""
    door = flask.Blueprint("metrics", __name__)
    registry = CollectorRegistry()
    registry.register(_Tables(store))
    seconds = Histogram(
        "tandem_request_seconds",
        "Time until a request was answered, by what it asked for",
        ("operation", "status"),
        buckets=_BUCKETS,
        registry=registry,
    )

    @door.before_app_request
    def begin() -> None:
        g.began_at = time.perf_counter()

    @door.after_app_request
    def end(answer: Response) -> Response:
        began_at = g.get("began_at")
        if began_at is not None:
            operation = (request.endpoint or "none").rpartition(".")[2]
            taken = time.perf_counter() - began_at
            seconds.labels(operation, f"{answer.status_code // 100}xx").observe(taken)
        return answer

    @door.get("/metrics")
    def metrics() -> Response:
        try:
            return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
        except StoreUnavailable:
            return Response("the database does not answer\n", 503, content_type="text/plain")

    return door


class _Tables(Collector):
    """What the tables know, looked up when somebody asks."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        """Nothing in advance: to know the names no table has to be read."""
        return []

    def collect(self) -> Iterator[Metric]:
        live, happened, lags = self._store.read(_read)
        tasks = GaugeMetricFamily(
            "tandem_tasks", "Tasks that live", labels=("workspace_sid", "status")
        )
        waited = GaugeMetricFamily(
            "tandem_longest_wait_seconds",
            "Age of the Task that has waited longest",
            labels=("workspace_sid",),
        )
        for sid, (of_tasks, age, _) in live.items():
            for status, number in of_tasks.by_status.items():
                tasks.add_metric((sid, status), number)
            waited.add_metric((sid,), age)
        yield tasks
        yield waited
        yield _reservations({sid: each[2] for sid, each in live.items()})
        yield _counted(happened)
        lag = GaugeMetricFamily(
            "tandem_follower_lag_events",
            "Events after the place in the log that a follower has saved, at most",
            labels=("follower",),
        )
        for name, number in lags.items():
            lag.add_metric((name,), number)
        yield lag


_Live = dict[str, tuple[LiveTasks, int, int]]


def _read(work: UnitOfWork) -> tuple[_Live, dict[str, Tally], dict[str, int]]:
    ever = Period(start=0, end=work.now)
    live: _Live = {}
    happened: dict[str, Tally] = {}
    reservations = work.statistics.live_reservations()
    for workspace in work.workspaces.find():
        sid = workspace.sid
        own = statistics.live_tasks(work, workspace_sid=sid, subject_sids=[sid])[sid]
        live[sid] = (own, own.longest_wait_seconds(work.now), reservations.get(sid, 0))
        happened |= statistics.tallies(work, workspace_sid=sid, subject_sids=[sid], period=ever)
    return live, happened, work.statistics.lags()


def _reservations(numbers: dict[str, int]) -> Metric:
    found = GaugeMetricFamily(
        "tandem_live_reservations",
        "Reservations that are pending, accepted or wrapping",
        labels=("workspace_sid",),
    )
    for sid, number in numbers.items():
        found.add_metric((sid,), number)
    return found


def _counted(happened: dict[str, Tally]) -> Metric:
    found = CounterMetricFamily(
        "tandem_events",
        "What has happened; reservations_created are the router's decisions",
        labels=("workspace_sid", "event"),
    )
    for sid, tally in happened.items():
        for name in COUNTS:
            if name != "tasks_entered":  # counted for TaskQueues and Workflows only
                found.add_metric((sid, name), tally.counts[name])
    return found
