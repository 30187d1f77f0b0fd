"""What the door says to requests for statistics that make no sense."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.service import Centre, Service, open_centre


@pytest.mark.parametrize("name", ["queueSids", "QueueSids"])
def test_the_bulk_takes_both_spellings_of_its_name(centre: Centre, name: str) -> None:
    answered = centre.service.ask(
        "POST", f"{centre.path}/TaskQueues/RealTimeStatistics", json={name: [centre.queue_sid]}
    )
    assert answered.status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"queueSids": []},
        {"queueSids": [f"WQ{number:032x}" for number in range(51)]},
        {"queueSids": ["WQ123"]},
        {"queueSids": ["WW" + "a" * 32]},
        {"queueSids": "WQ" + "a" * 32},
        {"queueSids": [7]},
    ],
)
def test_the_bulk_refuses_what_is_no_list_of_1_to_50_sids(
    centre: Centre, sent: dict[str, Any]
) -> None:
    path = f"{centre.path}/TaskQueues/RealTimeStatistics"
    answered = centre.service.ask("POST", path, json=sent)
    assert answered.status_code == 400
    assert answered.get_json()["code"] == 20001
    assert "queueSids" in answered.get_json()["message"]


def test_the_bulk_refuses_a_form_and_a_text_that_is_no_json(centre: Centre) -> None:
    path = f"{centre.path}/TaskQueues/RealTimeStatistics"
    form = centre.service.ask("POST", path, data={"queueSids": centre.queue_sid})
    assert form.status_code == 415
    broken = centre.service.ask("POST", path, data="{", content_type="application/json")
    assert broken.status_code == 400


TIMED: list[Callable[[Centre], str]] = [
    lambda centre: f"{centre.path}/CumulativeStatistics",
    lambda centre: f"{centre.path}/Statistics",
    lambda centre: f"{centre.path}/Workflows/{centre.workflow_sid}/CumulativeStatistics",
    lambda centre: f"{centre.path}/Workflows/{centre.workflow_sid}/Statistics",
    lambda centre: f"{centre.path}/TaskQueues/{centre.queue_sid}/CumulativeStatistics",
    lambda centre: f"{centre.path}/TaskQueues/{centre.queue_sid}/Statistics",
    lambda centre: f"{centre.path}/TaskQueues/Statistics",
    lambda centre: f"{centre.path}/Workers/CumulativeStatistics",
    lambda centre: f"{centre.path}/Workers/Statistics",
    lambda centre: f"{centre.path}/Workers/{centre.worker_sid}/Statistics",
]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"Minutes": "5", "StartDate": "2026-01-05T08:00:00Z"}, "Minutes"),
        ({"Minutes": "5", "EndDate": "2026-01-05T08:00:00Z"}, "Minutes"),
        ({"Minutes": "-1"}, "Minutes"),
        ({"Minutes": "soon"}, "Minutes"),
        ({"StartDate": "yesterday"}, "StartDate"),
        ({"StartDate": "2026-01-06T00:00:00Z", "EndDate": "2026-01-05T00:00:00Z"}, "StartDate"),
        ({"StartDate": "2030-01-01"}, "StartDate"),
        ({"EndDate": "31.12.2025"}, "EndDate"),
        ({"TaskChannel": "telex"}, "TaskChannel"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_by_name(
    centre: Centre, asked: dict[str, str], named: str
) -> None:
    for path in TIMED:
        answered = centre.service.ask("GET", path(centre), query_string=asked)
        assert answered.status_code == 400, path(centre)
        assert answered.get_json()["code"] == 20001
        assert named in answered.get_json()["message"]


def test_a_time_before_all_statistics_has_an_error_of_its_own(centre: Centre) -> None:
    for path in TIMED:
        answered = centre.service.ask("GET", path(centre), query_string={"StartDate": "1990-01-01"})
        assert (answered.status_code, answered.get_json()["code"]) == (400, 14241)


@pytest.mark.parametrize("thresholds", ["5,", ",5", "5;6", "-1", "1.5", "x", "5,9999999999"])
def test_thresholds_are_whole_numbers_of_seconds(centre: Centre, thresholds: str) -> None:
    answered = centre.service.ask(
        "GET",
        f"{centre.path}/CumulativeStatistics",
        query_string={"SplitByWaitTime": thresholds},
    )
    assert answered.status_code == 400
    assert "SplitByWaitTime" in answered.get_json()["message"]


def test_another_workspace_has_none_of_them(service: Service, centre: Centre) -> None:
    other = open_centre(service)
    for path in (
        f"{other.path}/Workflows/{centre.workflow_sid}/Statistics",
        f"{other.path}/Workflows/{centre.workflow_sid}/RealTimeStatistics",
        f"{other.path}/Workflows/{centre.workflow_sid}/CumulativeStatistics",
        f"{other.path}/TaskQueues/{centre.queue_sid}/Statistics",
        f"{other.path}/TaskQueues/{centre.queue_sid}/RealTimeStatistics",
        f"{other.path}/TaskQueues/{centre.queue_sid}/CumulativeStatistics",
        f"{other.path}/Workers/{centre.worker_sid}/Statistics",
        f"/v1/Workspaces/WS{'0' * 32}/Statistics",
    ):
        answered = service.ask("GET", path)
        assert (answered.status_code, answered.get_json()["code"]) == (404, 20404)
