"""What happened, row after row of time: an extension whose rows add up to the statistics."""

import itertools
from typing import Any

import pytest

from tests.api.service import PUBLIC_URL, Centre, Service
from tests.api.test_statistics import answer, new_task, sum_up

NUMBERS = ("arrived", "answered", "abandoned", "canceled", "completed")
#: The same in cumulative statistics of a Workspace; the arrivals of a TaskQueue enter it.
CUMULATIVE = {
    "arrived": "tasks_created",
    "answered": "reservations_accepted",
    "canceled": "tasks_canceled",
    "completed": "tasks_completed",
}


def ask(centre: Centre, **query: str) -> Any:
    answered = centre.service.ask("GET", f"{centre.path}/Series", query_string=query)
    return answered.status_code, answered.get_json()


def series(centre: Centre, **query: str) -> Any:
    status, told = ask(centre, **query)
    assert status == 200, told
    return told


def numbers(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in NUMBERS)


def end(centre: Centre, status: str, reason: str, channel: str = "voice") -> None:
    task_sid = new_task(centre, channel)
    if status == "completed":
        answer(centre, task_sid, "accepted")
        centre.service.clock.advance(60)
    centre.workspace.tasks(task_sid).update(assignment_status=status, reason=reason)


@pytest.fixture
def day(centre_on_each: Centre) -> Centre:
    """Three days, of which something happens on the first and on the last; half is summed up.

    The clock of the tests begins at some moment of a quarter of an hour.
    """
    centre, clock = centre_on_each, centre_on_each.service.clock
    quarter = 15 * 60 * 1000
    clock.advance((quarter - clock.now() % quarter + 1000) / 1000)
    end(centre, "canceled", "hangup")
    end(centre, "canceled", "the queue is full", "chat")
    clock.advance(2 * 86_400)
    end(centre, "completed", "done")
    sum_up(centre.service)
    clock.advance(15 * 60)
    new_task(centre)
    task_sid = new_task(centre)
    clock.advance(30)
    answer(centre, task_sid, "accepted")
    end(centre, "canceled", "hangup", "chat")
    clock.advance(15 * 60)
    return centre


def test_quarters_of_an_hour_tell_what_happened_in_each(day: Centre) -> None:
    told = series(day, Minutes="45", ServiceLevelSeconds="20")
    assert told["interval"] == "15m"
    rows = told["series"]
    assert [numbers(row) for row in rows] == [
        (0, 0, 0, 0, 0),
        (1, 1, 0, 0, 1),
        (3, 1, 1, 1, 0),
        (0, 0, 0, 0, 0),
    ]
    assert [row["answered_within_service_level"] for row in rows] == [0, 1, 0, 0]
    assert (rows[0]["start_time"], rows[-1]["end_time"]) == (told["start_time"], told["end_time"])
    for before, after in itertools.pairwise(rows):
        assert before["end_time"] == after["start_time"]
        assert after["start_time"][14:] in {"00:00Z", "15:00Z", "30:00Z", "45:00Z"}
    assert told["url"] == f"{PUBLIC_URL}{day.path}/Series"
    assert told["task_queue_sid"] is None


def test_a_long_time_is_told_by_days(day: Centre) -> None:
    told = series(day, Minutes=str(3 * 1440))
    assert told["interval"] == "1d"
    busy = [numbers(row) for row in told["series"] if any(numbers(row))]
    assert busy[0] == (2, 0, 1, 2, 0)
    assert sum(row["arrived"] for row in told["series"]) == 6
    assert {row["answered_within_service_level"] for row in told["series"]} == {None}
    assert len(told["series"]) == 4


@pytest.mark.parametrize("interval", ["15m", "1h", "1d"])
@pytest.mark.parametrize("channel", [None, "chat"])
def test_the_rows_add_up_to_the_cumulative_statistics(
    day: Centre, interval: str, channel: str | None
) -> None:
    query = {"Minutes": str(3 * 1440), "Interval": interval, "ServiceLevelSeconds": "20"}
    asked = {"minutes": 3 * 1440, "split_by_wait_time": "20"}
    if channel is not None:
        query["TaskChannel"] = asked["task_channel"] = channel
    of_workspace = day.workspace.cumulative_statistics().fetch(**asked)
    of_queue = day.workspace.task_queues(day.queue_sid).cumulative_statistics().fetch(**asked)
    for rows, whole, names in (
        (series(day, **query)["series"], of_workspace, CUMULATIVE),
        (
            series(day, **query, TaskQueueSid=day.queue_sid)["series"],
            of_queue,
            CUMULATIVE | {"arrived": "tasks_entered"},
        ),
    ):
        assert whole.tasks_canceled > 0
        for name, official in names.items():
            assert sum(row[name] for row in rows) == getattr(whole, official), name
        within = sum(row["answered_within_service_level"] for row in rows)
        assert within == whole.split_by_wait_time["20"]["below"]["reservations_accepted"]
        assert sum(row["abandoned"] for row in rows) == (1 if channel else 2)


def test_a_task_queue_where_nothing_happens_has_empty_rows(day: Centre) -> None:
    other = day.workspace.task_queues.create(friendly_name="Quiet")
    told = series(day, TaskQueueSid=str(other.sid))
    assert told["task_queue_sid"] == other.sid
    assert {numbers(row) for row in told["series"]} == {(0, 0, 0, 0, 0)}
    assert len(told["series"]) == 97  # a day, of which the first and the last quarter are cut off


def test_a_time_that_is_not_over_yet_has_rows_to_its_end(day: Centre) -> None:
    now = series(day, Minutes="0")["end_time"]
    tomorrow = now[:11] + "23:59:59Z"
    rows = series(day, StartDate=now[:11] + "00:00:00Z", EndDate=tomorrow)["series"]
    assert len(rows) == 96
    assert rows[-1]["end_time"] == tomorrow
    assert sum(row["arrived"] for row in rows) == 4


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ({"Interval": "5m"}, 20001, "Interval"),
        ({"Interval": "15m", "Minutes": "100000"}, 20001, "Interval"),
        ({"ServiceLevelSeconds": "-1"}, 20001, "ServiceLevelSeconds"),
        ({"ServiceLevelSeconds": "soon"}, 20001, "ServiceLevelSeconds"),
        ({"TaskQueueSid": "WQ" + "0" * 32}, 20001, "TaskQueueSid"),
        ({"TaskQueueSid": "somewhere"}, 20001, "TaskQueueSid"),
        ({"TaskChannel": "fax"}, 20001, "TaskChannel"),
        ({"Minutes": "5", "StartDate": "2026-01-01"}, 20001, "Minutes"),
        ({"StartDate": "2026-02-30"}, 20001, "StartDate"),
        ({"StartDate": "1999-01-01"}, 14241, "StartDate"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(
    centre: Centre, query: dict[str, str], code: int, words: str
) -> None:
    status, told = ask(centre, **query)
    assert (status, told["code"]) == (400, code)
    assert words in told["message"]


def test_an_unknown_workspace_is_not_found(service: Service) -> None:
    answered = service.ask("GET", f"/v1/Workspaces/WS{'0' * 32}/Series")
    assert (answered.status_code, answered.get_json()["code"]) == (404, 20404)
