"""What Prometheus is told, and that the README explains it."""

import re
from collections.abc import Iterator
from pathlib import Path

import flask
import pytest

from routing.background.metrics import metrics_door
from routing.engine import reservations
from tests.house import tree
from tests.routing.centre import Centre
from tests.routing.scratch import scratch_centre


@pytest.fixture
def centre() -> Iterator[Centre]:
    with scratch_centre() as centre:
        yield centre


def told(web: flask.Flask) -> dict[str, float]:
    answered = web.test_client().get("/metrics")
    assert answered.status_code == 200
    assert answered.content_type.startswith("text/plain")
    lines = [line for line in answered.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def serving(centre: Centre) -> flask.Flask:
    web = flask.Flask("metrics")
    web.register_blueprint(metrics_door(centre.store))
    return web


def test_what_waits_and_what_was_decided_is_told(centre: Centre) -> None:
    here = f'workspace_sid="{centre.workspace_sid}"'
    centre.add_worker("Alice")
    first = centre.add_task()
    centre.add_task()
    centre.clock.advance(5)
    offer = centre.offer(first)
    centre.engine.perform(reservations.accept, reservation_sid=offer.sid)
    metrics = told(serving(centre))
    assert metrics[f'tandem_tasks{{status="pending",{here}}}'] == 1
    assert metrics[f'tandem_tasks{{status="assigned",{here}}}'] == 1
    assert metrics[f"tandem_live_reservations{{{here}}}"] == 1
    assert metrics[f"tandem_longest_wait_seconds{{{here}}}"] == 5
    assert metrics[f'tandem_events_total{{event="tasks_created",{here}}}'] == 2
    assert metrics[f'tandem_events_total{{event="reservations_created",{here}}}'] == 1
    assert metrics['tandem_follower_lag_events{follower="router"}'] > 0


def test_requests_are_timed_by_what_they_ask_for(centre: Centre) -> None:
    web = serving(centre)
    told(web)
    assert web.test_client().get("/no/such/thing").status_code == 404
    metrics = told(web)
    assert metrics['tandem_request_seconds_count{operation="metrics",status="2xx"}'] == 1
    assert metrics['tandem_request_seconds_count{operation="none",status="4xx"}'] == 1


def test_the_readme_explains_every_metric(centre: Centre) -> None:
    answered = serving(centre).test_client().get("/metrics")
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", answered.text, re.MULTILINE))
    readme = tree.read(Path("README.md"))
    assert len(kinds) >= 5
    assert {name for name in kinds if f"`{name}`" not in readme and "created" not in name} == set()
