"""What attackers and unlucky moments send: nothing breaks, nothing leaks, nobody wins twice."""

import io
import json
import logging
import tracemalloc
from collections import Counter

import msgspec
import pytest

from routing import timers
from routing.api.door import EVERY_OPERATION
from routing.api.operations import Operation
from routing.api.paging import Paged
from tests.api.service import AUTH_TOKEN, NEXT_AUTH_TOKEN, Centre
from tests.api.test_races import at_once

FORM = "application/x-www-form-urlencoded"
INJECTIONS = (
    "' OR '1'='1",
    "1; DROP TABLE tasks; --",
    '" UNION SELECT sealed_secret FROM api_keys --',
    "') OR sleep(5)=0 LIMIT 1 --",
    "%' ESCAPE '\\",
    "Priority:desc; DELETE FROM tasks",
    "PA' OR 1=1 --",
    '{"a": "\'; DROP TABLE workers; --"}',
    "${7*7} {{7*7}} %s %d :name $1 ?",
)


def at_path(operation: Operation, sids: dict[str, str]) -> str:
    path = "/v1" + operation.path
    for name, sid in sids.items():
        path = path.replace(f"<{name}>", sid)
    return path


def test_no_parameter_is_a_way_into_the_database(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    sids = {
        "workspace_sid": centre.workspace_sid,
        "task_sid": task.sid,
        "worker_sid": centre.worker_sid,
        "reservation_sid": offered.sid,
        "task_queue_sid": centre.queue_sid,
        "workflow_sid": centre.workflow_sid,
        "activity_sid": centre.offline_sid,
        "channel": "voice",
        "event_sid": "EV" + "0" * 32,
    }
    asked = 0
    for operation in EVERY_OPERATION:
        path = at_path(operation, sids)
        for number, field in enumerate(msgspec.structs.fields(operation.takes)):
            text = INJECTIONS[(number + len(operation.name)) % len(INJECTIONS)]
            values = {field.encode_name: text}
            how = "data" if operation.method == "POST" else "query_string"
            answer = centre.service.ask(operation.method, path, **{how: values})
            assert answer.status_code < 500, (path, values)
            asked += 1
        for text in INJECTIONS[:3]:
            for name in sids:
                injected = at_path(operation, {**sids, name: text})
                if operation.method == "GET" and injected != path:
                    assert centre.service.ask("GET", injected).status_code == 404
    assert asked > 250
    assert centre.workspace.tasks(task.sid).fetch().assignment_status == "reserved"
    assert {worker.sid for worker in centre.workspace.workers.list()} >= {centre.worker_sid}


@pytest.mark.parametrize("text", INJECTIONS)
def test_whatever_is_stored_comes_back_as_it_was(centre: Centre, text: str) -> None:
    worker = centre.workspace.workers.create(friendly_name=text)
    assert centre.workspace.workers(worker.sid).fetch().friendly_name == text
    assert [each.sid for each in centre.workspace.workers.list(friendly_name=text)] == [worker.sid]


def test_nobody_sets_what_is_not_offered(centre: Centre) -> None:
    form = {
        "Sid": "WT" + "0" * 32,
        "WorkspaceSid": "WS" + "0" * 32,
        "AccountSid": "AC" + "0" * 32,
        "Version": "7",
        "AssignmentStatus": "completed",
        "CreatedAt": "0",
        "assignment_status": "completed",
        "AssignedTasks": "9",
    }
    made = centre.service.ask("POST", f"{centre.path}/Tasks", data=form)
    assert (made.status_code, made.headers["ETag"]) == (201, '"0"')
    body = made.get_json()
    assert (body["assignment_status"], body["workspace_sid"]) == ("pending", centre.workspace_sid)
    assert body["sid"] != form["Sid"]


def test_no_secret_and_nobodys_words_are_logged(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        task = centre.workspace.tasks.create(attributes='{"from": "+15550123456", "pin": "4711"}')
        centre.workspace.tasks(task.sid).update(assignment_status="canceled", reason="his words")
        centre.service.ask("GET", centre.path, auth=("SK" + "1" * 32, "a secret guess"))
        centre.service.ask("POST", f"{centre.path}/Tasks", data={"Attributes": "{bad 4711"})
    for word in (AUTH_TOKEN, NEXT_AUTH_TOKEN, "+15550123456", "4711", "his words", "secret guess"):
        assert word not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        b"%7B" * 1_000_000,
        b"[" * 3_100_000,
        b'{"a":' * 600_000,
        b"9" * 3_100_000,
        b"%ED%A0%80" * 340_000,
        b"+%25" * 700_000,
    ],
    ids=["encoded", "deep", "objects", "digits", "surrogates", "signs"],
)
def test_no_request_takes_more_than_ten_megabytes(centre: Centre, text: bytes) -> None:
    path = f"{centre.path}/Workflows"
    centre.service.ask("POST", path)
    body = b"FriendlyName=W&Configuration=" + text
    sent = {"input_stream": io.BytesIO(body), "content_length": len(body), "content_type": FORM}
    tracemalloc.start()
    answer = centre.service.ask("POST", path, **sent)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status_code, answer.get_json()["code"]) == (400, 20001)
    assert "Configuration" in answer.get_json()["message"]
    assert peak < 10_000_000, peak
    long = centre.service.ask("POST", f"{centre.path}/Tasks", data=body, content_type=FORM)
    assert (long.status_code, long.get_json()["code"]) == (413, 20413)


def test_the_largest_workflow_is_taken_however_it_is_written(centre: Centre) -> None:
    filters = [
        {"expression": "1==2", "filter_friendly_name": "ü" * 100, "targets": [{"queue": "Q"}]}
    ] * 3000
    document = json.dumps({"task_routing": {"filters": filters}}, ensure_ascii=False)
    document = document.replace('"Q"', f'"{centre.queue_sid}"')
    assert 900_000 < len(document.encode()) < 1_038_576
    made = centre.workspace.workflows.create(friendly_name="Large", configuration=document)
    assert made.configuration == document


@pytest.mark.parametrize("lap", range(2))
def test_an_offer_ends_in_one_way_whoever_asks_for_what(centre_on_each: Centre, lap: int) -> None:
    centre = centre_on_each
    task = centre.workspace.tasks.create(attributes=f'{{"lap": {lap}}}')
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    centre.service.clock.advance(120)
    of_task = f"{centre.path}/Tasks/{task.sid}"
    of_worker = f"{centre.path}/Workers/{centre.worker_sid}"
    reservation = f"/Reservations/{offered.sid}"
    rejected = {"ReservationStatus": "rejected", "WorkerActivitySid": centre.offline_sid}
    moves = [
        (of_task + reservation, {"ReservationStatus": "accepted"}),
        (of_worker + reservation, rejected),
        (of_task, {"AssignmentStatus": "canceled", "Reason": "race"}),
    ]

    def race(number: int) -> int:
        if number % 4 == 3:
            timers.advance(centre.service.engine)
            return 0
        path, form = moves[number % 4]
        return centre.service.ask("POST", path, data=form).status_code

    statuses = at_once(race, racers=12)
    assert set(statuses) <= {0, 200, 400, 410}
    events = Counter(event.event_type for event in centre.workspace.events.list(task_sid=task.sid))
    ends = ("accepted", "rejected", "timeout", "canceled")
    assert sum(events[f"reservation.{end}"] for end in ends) == 1
    # Canceling may still succeed after a rejection; nothing else has two winners.
    assert statuses[200] <= 1 + events["task.canceled"]
    seen = centre.workspace.tasks(task.sid).fetch().assignment_status
    taken = centre.workspace.workers(centre.worker_sid).worker_channels("default").fetch()
    assert taken.assigned_tasks == (1 if seen == "assigned" else 0)


#: Filters to which some of these texts are good ones: anything but "true" is false, JSON is JSON,
#: and what statistics are about leaves nobody out of a list.
_NO_NAMES = {
    "Available",
    "EvaluateWorkerAttributes",
    "HasAddons",
    "Page",
    "SplitByWaitTime",
    "TaskChannel",
}


def test_no_filter_lets_more_through_than_its_own_words(centre: Centre) -> None:
    """Whatever would be true in SQL for every row finds none, or is refused by name."""
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    sids = {
        "workspace_sid": centre.workspace_sid,
        "task_sid": str(task.sid),
        "worker_sid": centre.worker_sid,
    }
    lists = [each for each in EVERY_OPERATION if issubclass(each.takes, Paged)]
    asked = 0
    for operation in lists:
        path = at_path(operation, sids)
        everything = centre.service.ask("GET", path).get_json()
        assert everything["meta"]["key"] in everything
        for field in msgspec.structs.fields(operation.takes):
            for text in INJECTIONS:
                name = field.encode_name
                answer = centre.service.ask("GET", path, query_string={name: text})
                told, asked = answer.get_json(), asked + 1
                if answer.status_code == 400:
                    assert f"Invalid {name}" in told["message"], (path, name, text)
                elif name not in _NO_NAMES:
                    assert answer.status_code == 200
                    assert told[told["meta"]["key"]] == [], (path, name, text)
    assert asked > 500
    assert centre.workspace.tasks(task.sid).fetch().assignment_status == "reserved"
    [kept] = centre.workspace.tasks(task.sid).reservations.list()
    assert kept.sid == offered.sid


def test_no_update_changes_what_it_does_not_name(centre: Centre) -> None:
    """Columns, and whatever the rows of others call their own: only the documented names count."""
    task = centre.workspace.tasks.create()
    channel = centre.workspace.task_channels.create(friendly_name="Fax", unique_name="fax")
    activity = centre.workspace.activities.create(friendly_name="Lunch")
    below = (
        "",
        f"/Activities/{activity.sid}",
        f"/TaskChannels/{channel.sid}",
        f"/TaskQueues/{centre.queue_sid}",
        f"/Workflows/{centre.workflow_sid}",
        f"/Workers/{centre.worker_sid}",
        f"/Workers/{centre.worker_sid}/Channels/voice",
        f"/Tasks/{task.sid}",
    )
    forms = {
        "Sid": "XX" + "0" * 32, "AccountSid": "AC" + "0" * 32, "WorkspaceSid": "WS" + "0" * 32,
        "Version": "7", "ConfigurationVersion": "9", "CreatedAt": "0", "DateCreated": "2020-01-01",
        "AssignedTasks": "5", "AssignmentCount": "8", "ExpiresAt": "1", "IsDeleted": "true",
        "LastReservedAt": "1", "QueueEnteredAt": "1", "StatusChangedAt": "1", "TaskSid": "WT0",
        "Url": "https://example.com", "Links": "{}", "Addons": '{"a": 1}', "Role": "admin",
        "sid": "x", "friendly_name": "stolen", "attributes": '{"a": 1}', "priority": "9",
        "__class__": "x", "friendly_name[]": "stolen", "FriendlyName.x": "stolen",
    }  # fmt: skip
    for path in below:
        before = centre.service.ask("GET", centre.path + path).get_json()
        answer = centre.service.ask("POST", centre.path + path, data=forms)
        assert answer.status_code == 200, (path, answer.text)
        after = centre.service.ask("GET", centre.path + path).get_json()
        for told in (before, after):
            told.pop("date_updated")
        assert after == before, path
