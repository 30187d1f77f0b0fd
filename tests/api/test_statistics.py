"""Every statistics resource, through the official client; and what the door refuses."""

import contextlib
import datetime
from typing import Any

import pytest

from routing.background.statistics import StatisticsFollower
from routing.engine import statistics
from routing.store import SqlStore
from tests.api.service import (
    ACCOUNT_SID,
    PUBLIC_URL,
    Centre,
    Service,
    open_centre,
    open_service,
)
from tests.fakes import ManualClock

NONE = {"avg": 0, "min": 0, "max": 0, "total": 0}


def sum_up(service: Service) -> None:
    """What the follower of the log does, until it has nothing to do."""
    store = service.engine.store
    assert isinstance(store, SqlStore)
    follower = StatisticsFollower(store)
    while follower.step():
        pass


def new_task(centre: Centre, channel: str = "voice", priority: int = 0) -> str:
    task = centre.workspace.tasks.create(
        attributes="{}",
        workflow_sid=centre.workflow_sid,
        task_channel=channel,
        priority=priority,
    )
    return str(task.sid)


def answer(centre: Centre, task_sid: str, status: str, reservation_sid: str | None = None) -> str:
    """Offers the Task to the one Worker, who answers like that."""
    sid = reservation_sid or centre.service.reserve(task_sid, centre.worker_sid).sid
    centre.workspace.tasks(task_sid).reservations(sid).update(reservation_status=status)
    return sid


@pytest.fixture(params=["told at once", "summed up", "half of each"])
def busy(request: pytest.FixtureRequest, centre: Centre) -> Centre:
    """A morning, whose numbers are the same wherever they come from."""
    return morning(centre, str(request.param))


def morning(centre: Centre, moment: str) -> Centre:
    """One Task is accepted after 7 s and completed, one canceled after 20 s, two are waiting.

    What happened is summed up already, or half of it, or all of it happened a moment ago.
    """
    clock = centre.service.clock
    if moment == "half of each":
        sum_up(centre.service)
    first = new_task(centre)
    clock.advance(5)
    answer(centre, first, "rejected")
    clock.advance(2.9)
    answer(centre, first, "accepted")
    if moment == "half of each":
        sum_up(centre.service)
    second = new_task(centre, "chat")
    clock.advance(20)
    centre.workspace.tasks(second).update(assignment_status="canceled", reason="gave up")
    centre.workspace.tasks(first).update(assignment_status="completed", reason="done")
    new_task(centre, "chat", priority=3)
    clock.advance(4)
    new_task(centre)
    if moment == "summed up":
        sum_up(centre.service)
    clock.advance(6)
    return centre


def times(centre: Centre, minutes: int = 15) -> dict[str, str]:
    now = datetime.datetime.fromtimestamp(centre.service.clock.now() // 1000, tz=datetime.UTC)
    start = now - datetime.timedelta(minutes=minutes)
    form = "%Y-%m-%dT%H:%M:%SZ"
    return {"start_time": start.strftime(form), "end_time": now.strftime(form)}


RESERVATIONS = {
    "reservations_created": 2,
    "reservations_accepted": 1,
    "reservations_rejected": 1,
    "reservations_timed_out": 0,
    "reservations_canceled": 0,
    "reservations_rescinded": 0,
}
TASKS = {
    "avg_task_acceptance_time": 7,
    "tasks_canceled": 1,
    "tasks_completed": 1,
    "tasks_deleted": 0,
    "tasks_moved": 0,
    "wait_duration_until_accepted": {"avg": 7, "min": 7, "max": 7, "total": 7},
    "wait_duration_until_canceled": {"avg": 20, "min": 20, "max": 20, "total": 20},
}
LIVE = {
    "longest_task_waiting_age": 10,
    "tasks_by_priority": {"0": 1, "3": 1},
    "tasks_by_status": {"pending": 2, "reserved": 0, "assigned": 0, "wrapping": 0},
    "total_tasks": 2,
}


def fields(resource: Any, names: Any) -> dict[str, Any]:
    """As the client shows them, its dates as texts again."""
    found = {name: getattr(resource, name) for name in names}
    return {
        name: value.strftime("%Y-%m-%dT%H:%M:%SZ")
        if isinstance(value, datetime.datetime)
        else value
        for name, value in found.items()
    }


def activities(centre: Centre, available: int = 1) -> list[dict[str, Any]]:
    numbers = {centre.available_sid: available}
    return [
        {"friendly_name": each.friendly_name, "sid": each.sid, "workers": numbers.get(each.sid, 0)}
        for each in centre.workspace.activities.list()
    ]


def durations(centre: Centre, seconds: int) -> list[dict[str, Any]]:
    """The one Worker was available all the time."""
    spent = {"avg": seconds, "min": seconds, "max": seconds, "total": seconds}
    return [
        {
            "friendly_name": each.friendly_name,
            "sid": each.sid,
            **(spent if each.sid == centre.available_sid else NONE),
        }
        for each in centre.workspace.activities.list()
    ]


def test_a_workspace_in_numbers(busy: Centre) -> None:
    cumulative = TASKS | RESERVATIONS | times(busy) | {
        "tasks_created": 4,
        "tasks_timed_out_in_workflow": 0,
        "split_by_wait_time": None,
    }  # fmt: skip
    real_time = LIVE | {"activity_statistics": activities(busy), "total_workers": 1}
    found = busy.workspace.cumulative_statistics().fetch()
    assert fields(found, cumulative) == cumulative
    now = busy.workspace.real_time_statistics().fetch()
    assert fields(now, real_time) == real_time
    both = busy.workspace.statistics().fetch()
    assert both.cumulative == cumulative
    assert {name: both.realtime[name] for name in real_time} == real_time
    assert both.realtime["longest_task_waiting_sid"] == now.longest_task_waiting_sid
    assert (both.account_sid, both.workspace_sid) == (ACCOUNT_SID, busy.workspace_sid)
    assert both.url == f"{PUBLIC_URL}{busy.path}/Statistics"


def test_a_workflow_in_numbers(busy: Centre) -> None:
    workflow = busy.workspace.workflows(busy.workflow_sid)
    cumulative = TASKS | RESERVATIONS | times(busy) | {
        "tasks_entered": 4,
        "tasks_timed_out_in_workflow": 0,
        "split_by_wait_time": None,
    }  # fmt: skip
    found = workflow.cumulative_statistics().fetch()
    assert fields(found, cumulative) == cumulative
    assert fields(workflow.real_time_statistics().fetch(), LIVE) == LIVE
    both = workflow.statistics().fetch()
    assert both.cumulative == cumulative
    assert {name: both.realtime[name] for name in LIVE} == LIVE
    assert both.workflow_sid == busy.workflow_sid
    assert both.url == f"{PUBLIC_URL}{busy.path}/Workflows/{busy.workflow_sid}/Statistics"


def test_a_task_queue_in_numbers(busy: Centre) -> None:
    queue = busy.workspace.task_queues(busy.queue_sid)
    cumulative = TASKS | RESERVATIONS | times(busy) | {
        "tasks_entered": 4,
        "split_by_wait_time": None,
        "wait_duration_in_queue_until_accepted": {"avg": 7, "min": 7, "max": 7, "total": 7},
    }  # fmt: skip
    real_time = LIVE | {
        "activity_statistics": activities(busy),
        "longest_relative_task_age_in_queue": 10,
        "total_available_workers": 1,
        "total_eligible_workers": 1,
    }
    found = queue.cumulative_statistics().fetch()
    assert fields(found, cumulative) == cumulative
    now = queue.real_time_statistics().fetch()
    assert fields(now, real_time) == real_time
    assert now.longest_relative_task_sid_in_queue == now.longest_task_waiting_sid is not None
    both = queue.statistics().fetch()
    assert both.cumulative == cumulative
    assert {name: both.realtime[name] for name in real_time} == real_time
    [listed] = busy.workspace.task_queues.statistics.list()
    assert (listed.cumulative, listed.realtime) == (both.cumulative, both.realtime)
    assert listed.task_queue_sid == busy.queue_sid


def test_workers_in_numbers(busy: Centre) -> None:
    cumulative = RESERVATIONS | times(busy) | {"activity_durations": durations(busy, 37)}
    real_time = {"activity_statistics": activities(busy), "total_workers": 1}
    workers = busy.workspace.workers
    assert fields(workers.cumulative_statistics().fetch(), cumulative) == cumulative
    assert fields(workers.real_time_statistics().fetch(), real_time) == real_time
    both = workers.statistics().fetch()
    assert (both.cumulative, both.realtime) == (cumulative, real_time)
    one = workers(busy.worker_sid).statistics().fetch()
    assert one.cumulative == cumulative
    assert one.worker_sid == busy.worker_sid
    assert one.url == f"{PUBLIC_URL}{busy.path}/Workers/{busy.worker_sid}/Statistics"


def test_several_task_queues_at_once(busy: Centre) -> None:
    other = busy.workspace.task_queues.create(friendly_name="Nobody", target_workers="")
    foreign = "WQ" + "f" * 32
    sids = [busy.queue_sid, str(other.sid), foreign]
    found = busy.workspace.task_queues.bulk_real_time_statistics.create(body=Body(queueSids=sids))
    assert found.task_queue_response_count == 3
    assert [each["task_queue_sid"] for each in found.task_queue_data] == sids
    numbers = [
        (each["total_tasks"], each["total_eligible_workers"]) for each in found.task_queue_data
    ]
    assert numbers == [(2, 1), (0, 0), (0, 0)]
    assert found.url == f"{PUBLIC_URL}{busy.path}/TaskQueues/RealTimeStatistics"


def test_postgresql_finds_the_same_numbers(postgres_url: str, clock: ManualClock) -> None:
    service = open_service(postgres_url, clock)
    store = service.engine.store
    assert isinstance(store, SqlStore)
    with contextlib.closing(store):
        centre = morning(open_centre(service), "half of each")
        for same in (
            test_a_workspace_in_numbers,
            test_a_workflow_in_numbers,
            test_a_task_queue_in_numbers,
            test_workers_in_numbers,
            test_waits_are_split_at_thresholds,
            test_a_task_channel_narrows_everything_down,
        ):
            same(centre)


class Body(dict[str, Any]):
    """The client wants an object that tells what it is."""

    def to_dict(self) -> dict[str, Any]:
        return self


def test_a_task_channel_narrows_everything_down(busy: Centre) -> None:
    chat = busy.workspace.statistics().fetch(task_channel="chat")
    assert chat.cumulative["tasks_created"] == 2
    assert chat.cumulative["reservations_created"] == 0
    assert chat.realtime["total_tasks"] == 1
    channels = {each.unique_name: each.sid for each in busy.workspace.task_channels.list()}
    voice = busy.workspace.statistics().fetch(task_channel=channels["voice"])
    assert voice.cumulative["tasks_created"] == 2
    assert voice.cumulative["reservations_created"] == 2
    queue = busy.workspace.task_queues(busy.queue_sid)
    assert queue.cumulative_statistics().fetch(task_channel="chat").tasks_entered == 2
    assert queue.real_time_statistics().fetch(task_channel="chat").total_tasks == 1
    workers = busy.workspace.workers
    assert workers.cumulative_statistics().fetch(task_channel="chat").reservations_created == 0
    one = workers(busy.worker_sid).statistics().fetch(task_channel="voice")
    assert one.cumulative["reservations_created"] == 2


def test_workers_count_for_a_channel_that_they_serve(centre: Centre) -> None:
    worker = centre.workspace.workers(centre.worker_sid)
    worker.worker_channels("chat").update(available=False)
    workers = centre.workspace.workers
    assert workers.real_time_statistics().fetch(task_channel="chat").total_workers == 0
    assert workers.real_time_statistics().fetch(task_channel="voice").total_workers == 1
    worker.worker_channels("voice").update(capacity=0)
    assert workers.real_time_statistics().fetch(task_channel="voice").total_workers == 0
    queue = centre.workspace.task_queues(centre.queue_sid).real_time_statistics()
    assert queue.fetch(task_channel="voice").total_eligible_workers == 0
    assert queue.fetch().total_eligible_workers == 1


def test_waits_are_split_at_thresholds(busy: Centre) -> None:
    split = {"5": (1, 0, 1, 0), "7": (1, 0, 1, 0), "8": (0, 1, 1, 0), "21": (0, 1, 0, 1)}
    for subject in (
        busy.workspace,
        busy.workspace.workflows(busy.workflow_sid),
        busy.workspace.task_queues(busy.queue_sid),
    ):
        found = subject.cumulative_statistics().fetch(split_by_wait_time="5, 7,8,21")
        assert {
            threshold: (
                sides["above"]["reservations_accepted"],
                sides["below"]["reservations_accepted"],
                sides["above"]["tasks_canceled"],
                sides["below"]["tasks_canceled"],
            )
            for threshold, sides in found.split_by_wait_time.items()
        } == split


def test_minutes_and_dates_choose_the_time(busy: Centre) -> None:
    clock = busy.service.clock
    begin = datetime.datetime.fromtimestamp(clock.now() / 1000, tz=datetime.UTC)
    clock.advance(3600)
    numbers = busy.workspace.cumulative_statistics()
    assert numbers.fetch().tasks_created == 0
    assert numbers.fetch(minutes=120).tasks_created == 4
    assert numbers.fetch(start_date=begin - datetime.timedelta(seconds=12)).tasks_created == 2
    before = begin - datetime.timedelta(seconds=12)
    assert numbers.fetch(end_date=before).tasks_created == 2
    found = numbers.fetch(start_date=before, end_date=begin)
    assert found.tasks_created == 2
    assert (found.start_time, found.end_time) == tuple(
        each.replace(microsecond=0) for each in (before, begin)
    )


def test_workers_are_chosen_by_queue_and_name(centre: Centre) -> None:
    centre.workspace.workers.create(friendly_name="Bob", attributes='{"languages": ["fr"]}')
    spanish = centre.workspace.task_queues.create(
        friendly_name="Spanish", target_workers='languages HAS "es"'
    )
    numbers = centre.workspace.workers.statistics()

    def total(**chosen: str) -> int:
        found: int = numbers.fetch(**chosen).realtime["total_workers"]
        return found

    assert total() == 2
    assert total(task_queue_sid=spanish.sid) == 1
    assert total(task_queue_name="Spanish") == 1
    assert total(task_queue_name="no such queue") == 0
    assert total(friendly_name="Bob") == 1
    assert total(friendly_name="Bob", task_queue_sid=str(spanish.sid)) == 0


def test_the_list_of_task_queues_pages_and_filters(centre: Centre) -> None:
    for number in range(5):
        centre.workspace.task_queues.create(friendly_name=f"Queue {number}")
    every = centre.workspace.task_queues.statistics
    assert len({each.task_queue_sid for each in every.list(page_size=2)}) == 6
    [one] = every.list(friendly_name="Queue 3", minutes=60, split_by_wait_time="10")
    assert one.realtime["total_tasks"] == 0
    assert one.cumulative["split_by_wait_time"]["10"]["above"]["tasks_canceled"] == 0


def test_activities_are_timed_and_cut_off_at_both_ends(centre_on_each: Centre) -> None:
    centre, clock = centre_on_each, centre_on_each.service.clock
    worker = centre.workspace.workers(centre.worker_sid)
    for seconds, activity_sid in ((1000, centre.offline_sid), (200, centre.available_sid)):
        clock.advance(seconds)
        worker.update(activity_sid=activity_sid)
        sum_up(centre.service)
    clock.advance(300)
    worker.update(activity_sid=centre.offline_sid)  # told of by the log alone
    clock.advance(100)

    def spent(**period: Any) -> dict[str, tuple[int, int, int, int]]:
        found = centre.workspace.workers.cumulative_statistics().fetch(**period)
        return {
            each["friendly_name"]: (each["total"], each["avg"], each["min"], each["max"])
            for each in found.activity_durations
        }

    nobody = {"Unavailable": (0, 0, 0, 0)}
    assert spent(minutes=60) == {
        "Available": (1300, 650, 300, 1000), "Offline": (300, 150, 100, 200), **nobody
    }  # fmt: skip
    # The last 900 seconds: 300 of the first stay are left.
    assert spent() == {
        "Available": (600, 300, 300, 300), "Offline": (300, 150, 100, 200), **nobody
    }  # fmt: skip
    ended = datetime.datetime.fromtimestamp(clock.now() / 1000 - 550, tz=datetime.UTC)
    assert spent(end_date=ended)["Offline"] == (50, 50, 50, 50)


def test_a_worker_who_was_deleted_still_counts_among_all(centre_on_each: Centre) -> None:
    centre, clock = centre_on_each, centre_on_each.service.clock
    worker = centre.workspace.workers(centre.worker_sid)
    clock.advance(100)
    worker.update(activity_sid=centre.offline_sid)
    clock.advance(50)
    worker.delete()
    for _ in range(2):
        found = centre.workspace.workers.cumulative_statistics().fetch()
        assert {each["friendly_name"]: each["total"] for each in found.activity_durations} == {
            "Available": 100, "Offline": 50, "Unavailable": 0
        }  # fmt: skip
        sum_up(centre.service)


def test_the_lines_of_queues_can_be_asked_in_process(busy: Centre) -> None:
    lines = busy.service.engine.read(
        statistics.queue_lines, workspace_sid=busy.workspace_sid, task_queue_sids=[busy.queue_sid]
    )
    line = lines[busy.queue_sid]
    assert (line.waiting, line.longest_wait_seconds, line.in_hand) == (2, 10, 0)
    assert (line.accepted, line.canceled, line.average_wait_seconds) == (1, 1, 7)
    assert line.longest_waiting_task_sid is not None
