"""What is ours beside Twilio's operations: explanations, dry runs, exports, retention."""

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest

from routing.background.retention import BATCH, Purge, Retention
from routing.store import SqlStore
from tests.api.service import Centre, Service

DAY = 86_400


def _document(centre: Centre, *filters: dict[str, Any], default: bool = True) -> str:
    routing: dict[str, Any] = {"filters": list(filters)}
    if default:
        routing["default_filter"] = {"queue": centre.queue_sid}
    return json.dumps({"task_routing": routing})


def _get(centre: Centre, path: str, **query: str) -> Any:
    answer = centre.service.ask("GET", f"{centre.path}/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_task_says_why_it_waits(centre_on_each: Centre) -> None:
    centre = centre_on_each
    queue = centre.workspace.task_queues.create(
        friendly_name="French", target_workers='languages HAS "es"'
    )
    document = _document(
        centre,
        {
            "filter_friendly_name": "French",
            "expression": "1==1",
            "targets": [{"queue": queue.sid, "expression": "worker.level > 3", "timeout": 60}],
        },
    )
    workflow = centre.workspace.workflows.create(friendly_name="W", configuration=document)
    task = centre.workspace.tasks.create(workflow_sid=workflow.sid)
    told = _get(centre, f"Tasks/{task.sid}/Explanation").get_json()
    assert told["task_queue_friendly_name"] == "French"
    assert (told["filter_friendly_name"], told["target_index"]) == ("French", 0)
    assert told["workers_in_task_queue"] == 1
    [obstacle] = told["obstacles"]
    assert (obstacle["obstacle"], obstacle["worker_sids"]) == ("target", [centre.worker_sid])
    assert "level" in json.dumps(obstacle["false_clauses"])
    assert told["step_due_date"] < told["expiry_date"]
    answer = centre.service.ask("GET", f"{centre.path}/Tasks/WT{'0' * 32}/Explanation")
    assert (answer.status_code, answer.get_json()["code"]) == (404, 20404)
    fetched = centre.service.ask("GET", f"{centre.path}/Tasks/{task.sid}")
    assert "explanation" not in fetched.text.lower()


def test_a_worker_says_why_an_offer_is_declined(centre_on_each: Centre) -> None:
    centre = centre_on_each
    task = centre.workspace.tasks.create(workflow_sid=centre.workflow_sid)
    offer = centre.service.reserve(task.sid, centre.worker_sid)
    path = f"{centre.path}/Workers/{centre.worker_sid}/Reservations/{offer.sid}"
    form = {"ReservationStatus": "rejected", "Reason": "x" * 257}
    refused = centre.service.ask("POST", path, data=form)
    assert (refused.status_code, "Reason" in refused.get_json()["message"]) == (400, True)
    declined = centre.service.ask("POST", path, data=form | {"Reason": "language: Welsh"})
    assert declined.status_code == 200, declined.text
    [event] = centre.workspace.events.list(event_type="reservation.rejected")
    assert event.event_data["reservation_reason"] == "language: Welsh"


def _tried(centre: Centre, **form: str) -> Any:
    answer = centre.service.ask("POST", f"{centre.path}/Workflows/Test", data=form)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_dry_run_tells_the_way_and_writes_nothing(centre_on_each: Centre) -> None:
    centre = centre_on_each
    vip = centre.workspace.task_queues.create(friendly_name="VIP", target_workers="1==2")
    document = _document(
        centre,
        {
            "filter_friendly_name": "Gold",
            "expression": 'level == "gold"',
            "targets": [
                {"queue": vip.sid, "priority": 9, "timeout": 30, "skip_if": "1==1"},
                {"queue": centre.queue_sid, "timeout": 20},
                {"queue": vip.sid},
            ],
        },
    )
    events = len(centre.workspace.events.list())
    told = _tried(centre, Configuration=document, Attributes='{"level": "gold"}', Timeout="90")
    assert told["is_taken"] is True
    way = [
        (target["outcome"], target["task_queue_friendly_name"], target["worker_sids"])
        for target in told["targets"]
    ]
    assert way == [
        ("skipped", "VIP", []),
        ("offered", "Everyone", [centre.worker_sid]),
        ("later", "VIP", []),
    ]
    assert [target["priority"] for target in told["targets"]] == [9, 9, 9]
    assert told["targets"][1]["step_due_date"] == "2026-01-05T09:00:20Z"
    assert told["targets"][2]["step_due_date"] is None
    assert told["expiry_date"] == "2026-01-05T09:01:30Z"
    plain = _tried(centre, Configuration=document)
    assert [target["filter_index"] for target in plain["targets"]] == [-1]
    assert centre.workspace.tasks.list() == []
    assert len(centre.workspace.workflows.list()) == 1
    assert len(centre.workspace.events.list()) == events


def test_a_dry_run_agrees_with_what_then_happens(centre_on_each: Centre) -> None:
    centre = centre_on_each
    document = _document(
        centre,
        {"expression": "n > 1", "targets": [{"queue": centre.queue_sid, "priority": 3}]},
        default=False,
    )
    workflow = centre.workspace.workflows.create(friendly_name="W", configuration=document)
    for attributes in ('{"n": 2}', '{"n": 1}'):
        told = _tried(centre, WorkflowSid=workflow.sid, Attributes=attributes)
        path = f"{centre.path}/Tasks"
        form = {"WorkflowSid": workflow.sid, "Attributes": attributes}
        made = centre.service.ask("POST", path, data=form)
        assert told["is_taken"] is (made.status_code == 201)
        if told["is_taken"]:
            assert told["targets"][0]["priority"] == made.get_json()["priority"]
            assert told["targets"][0]["task_queue_sid"] == made.get_json()["task_queue_sid"]


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"Attributes": "[]"}, "Attributes"),
        ({"Configuration": "{}"}, "Configuration"),
        ({"WorkflowSid": "WW" + "0" * 32}, "WorkflowSid"),
        ({"TaskChannel": "pigeon"}, "TaskChannel"),
        ({"Timeout": "0"}, "Timeout"),
    ],
)
def test_a_dry_run_refuses_what_would_be_refused(
    centre: Centre, form: dict[str, str], named: str
) -> None:
    answer = centre.service.ask("POST", f"{centre.path}/Workflows/Test", data=form)
    assert (answer.status_code, answer.get_json()["code"]) == (400, 20001)
    assert answer.get_json()["message"].startswith(f"Invalid {named}")


def _finished(centre: Centre, number: int) -> list[str]:
    made = []
    for n in range(number):
        task = centre.workspace.tasks.create(attributes=f'{{"n": {n}, "comma": "a,\\"b\\""}}')
        offered = centre.service.reserve(task.sid, centre.worker_sid)
        centre.workspace.tasks(task.sid).reservations(offered.sid).update(instruction="accept")
        centre.workspace.tasks(task.sid).update(assignment_status="completed", reason="done")
        made.append(str(task.sid))
        centre.service.clock.advance(1)
    return made


def test_everything_of_a_period_is_exported(
    centre_on_each: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre = centre_on_each
    monkeypatch.setattr("routing.api.exports.BATCH", 2)
    made = _finished(centre, 5)
    lines = _get(centre, "Exports/Tasks").text.splitlines()
    assert [json.loads(line)["sid"] for line in lines] == made
    fetched = centre.service.ask("GET", f"{centre.path}/Tasks/{made[0]}").get_json()
    assert json.loads(lines[0]) == fetched
    table = list(csv.DictReader(io.StringIO(_get(centre, "Exports/Tasks", Format="csv").text)))
    assert [row["sid"] for row in table] == made
    assert json.loads(table[3]["attributes"])["n"] == 3
    assert table[0]["ignore_capacity"] == "false"
    reservations = _get(centre, "Exports/Reservations").text.splitlines()
    assert [json.loads(line)["task_sid"] for line in reservations] == made
    events = _get(centre, "Exports/Events", StartDate="2026-01-05T09:00:03Z")
    dates = [json.loads(line)["event_date"] for line in events.text.splitlines()]
    assert dates == sorted(dates)
    assert dates[0] == "2026-01-05T09:00:03Z"
    assert _get(centre, "Exports/Tasks", EndDate="2026-01-05T09:00:01Z").text.count("\n") == 2
    other = centre.service.client().taskrouter.v1.workspaces.create(friendly_name="Other")
    empty = centre.service.ask("GET", f"/v1/Workspaces/{other.sid}/Exports/Tasks")
    assert empty.text == ""
    unknown = centre.service.ask("GET", f"/v1/Workspaces/WS{'0' * 32}/Exports/Tasks")
    assert unknown.status_code == 404
    wrong = centre.service.ask("GET", f"{centre.path}/Exports/Tasks?Format=xml")
    assert wrong.get_json()["message"].startswith("Invalid Format: expected one of csv, jsonl")


def test_an_export_is_told_as_it_is_read(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.api.exports.BATCH", 10)
    centre.workspace.tasks.create(attributes=json.dumps({"text": "x" * 4000}))
    [first] = centre.service.engine.read(
        lambda work: work.tasks.find(workspace_sid=centre.workspace_sid)
    )
    _copied(centre.service, first, 600)
    answer = centre.service.raw().get(f"{centre.path}/Exports/Tasks", auth=_auth(), buffered=False)
    tracemalloc.start()
    told = sum(len(part) for part in answer.iter_encoded())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told > 2_400_000
    assert peak < 1_000_000


def _auth() -> tuple[str, str]:
    from tests.api.service import ACCOUNT_SID, AUTH_TOKEN

    return ACCOUNT_SID, AUTH_TOKEN


def _copied(service: Service, task: Any, number: int) -> None:
    import dataclasses

    from routing import sids

    def add(work: Any) -> None:
        for _ in range(number):
            work.tasks.add(dataclasses.replace(task, sid=sids.new_sid(sids.TASK)))

    service.engine.perform(add)


def _purge(centre: Centre, **days: int) -> Purge:
    store = centre.service.engine.store
    assert isinstance(store, SqlStore)
    return Purge(store, centre.service.clock, Retention(**days))


def test_what_ended_long_ago_is_removed_and_nothing_else(centre_on_each: Centre) -> None:
    centre = centre_on_each
    old = _finished(centre, 2)
    waiting = centre.workspace.tasks.create(timeout=14 * DAY).sid
    centre.service.clock.advance(10 * DAY)
    young = _finished(centre, 1)
    kept = _purge(centre)
    assert (kept.batch(), len(centre.workspace.tasks.list())) == (0, 4)
    purge = _purge(centre, task_days=7)
    assert purge.batch() == len(old)
    assert purge.batch() == 0
    assert {task.sid for task in centre.workspace.tasks.list()} == {waiting, *young}
    of_worker = centre.workspace.workers(centre.worker_sid).reservations
    assert [found.task_sid for found in of_worker.list()] == young
    assert centre.workspace.events.list(task_sid=old[0], minutes=20 * 1440) != []
    assert _purge(centre, event_days=7).batch() > 0
    assert centre.workspace.events.list(task_sid=old[0], minutes=20 * 1440) == []
    assert centre.workspace.events.list(task_sid=young[0]) != []


def test_a_purge_takes_small_steps_and_rests_between_them(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    centre.workspace.tasks(task.sid).update(assignment_status="canceled")
    [ended] = centre.service.engine.read(
        lambda work: work.tasks.find(workspace_sid=centre.workspace_sid)
    )
    _copied(centre.service, ended, BATCH + 20)
    centre.service.clock.advance(2 * DAY)
    purge = _purge(centre, task_days=1)
    assert 0 < purge.step() < 1
    assert len(centre.workspace.tasks.list()) == 21
    assert 0 < purge.step() < 1
    assert centre.workspace.tasks.list() == []
    assert purge.step() > 1
