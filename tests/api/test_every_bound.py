"""Every bound of every parameter: told in the description, checked at the door, and Twilio's own.

The description is walked through parameter by parameter: what is just within a bound gets in, what
is just beyond it is refused by name. The documented limits themselves are written out once more.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.service import Centre
from tests.api.test_description import _operations, _takes
from tests.api.test_refusals import refused

Schema = dict[str, Any]

NAME = {"maxLength": 64}
ACTIVITY = {"pattern": "^WA[0-9a-fA-F]{32}$"}
FIFO_OR_LIFO = {"enum": ["FIFO", "LIFO"]}
ATTRIBUTES = {"maxLength": 4096}
CONFIGURATION = {"maxLength": 1_038_576}
MINUTES = {"minimum": 0, "default": 15}
RING = {"minimum": 1, "maximum": 999}
METHOD = {"enum": ["GET", "POST"]}
LEG_RECORD = {"enum": ["do-not-record", "record-from-answer", "true", "false"]}
#: Limits, enumerations and defaults of Twilio's reference.
DOCUMENTED: dict[str, dict[str, Schema]] = {
    "CreateWorkspace": {
        "FriendlyName": NAME,
        "MultiTaskEnabled": {"type": "boolean", "default": True},
        "Template": {"enum": ["NONE", "FIFO"], "default": "NONE"},
        "PrioritizeQueueOrder": {**FIFO_OR_LIFO, "default": "FIFO"},
    },
    "UpdateWorkspace": {
        "FriendlyName": NAME,
        "DefaultActivitySid": ACTIVITY,
        "TimeoutActivitySid": ACTIVITY,
        "PrioritizeQueueOrder": FIFO_OR_LIFO,
    },
    "CreateActivity": {"FriendlyName": NAME, "Available": {"type": "boolean", "default": False}},
    "UpdateActivity": {"FriendlyName": NAME},
    "CreateTaskChannel": {
        "FriendlyName": NAME,
        "UniqueName": {**NAME, "pattern": "^[A-Za-z_$][A-Za-z0-9_$]*$"},
        "ChannelOptimizedRouting": {"type": "boolean", "default": False},
    },
    "UpdateTaskChannel": {"FriendlyName": NAME, "ChannelOptimizedRouting": {"type": "boolean"}},
    "CreateTaskQueue": {
        "TargetWorkers": {"default": "1==1"},
        "MaxReservedWorkers": {"minimum": 1, "maximum": 50, "default": 1},
        "TaskOrder": {**FIFO_OR_LIFO, "default": "FIFO"},
        "ReservationActivitySid": ACTIVITY,
        "AssignmentActivitySid": ACTIVITY,
    },
    "UpdateTaskQueue": {
        "MaxReservedWorkers": {"minimum": 1, "maximum": 50},
        "TaskOrder": FIFO_OR_LIFO,
    },
    "ListTaskQueue": {"EvaluateWorkerAttributes": ATTRIBUTES},
    "CreateTaskQueueBulkRealTimeStatistics": {"queueSids": {"minItems": 1, "maxItems": 50}},
    "CreateWorkflow": {
        "Configuration": CONFIGURATION,
        "TaskReservationTimeout": {"minimum": 1, "maximum": 86_400, "default": 120},
    },
    "UpdateWorkflow": {
        "Configuration": CONFIGURATION,
        "TaskReservationTimeout": {"minimum": 1, "maximum": 86_400},
        "ReEvaluateTasks": {"type": "boolean", "default": False},
    },
    "CreateWorker": {
        "FriendlyName": NAME,
        "ActivitySid": ACTIVITY,
        "Attributes": {**ATTRIBUTES, "default": "{}"},
    },
    "UpdateWorker": {"FriendlyName": NAME, "ActivitySid": ACTIVITY, "Attributes": ATTRIBUTES},
    "UpdateWorkerChannel": {"Capacity": {"minimum": 0}, "Available": {"type": "boolean"}},
    "CreateTask": {
        "Attributes": {**ATTRIBUTES, "default": "{}"},
        "Priority": {"minimum": 0, "maximum": 2_147_483_647, "default": 0},
        "Timeout": {"minimum": 1, "maximum": 1_209_600, "default": 86_400},
        "TaskChannel": {"default": "default"},
        "VirtualStartTime": {"format": "date-time"},
        "RoutingTarget": {"pattern": "^W[KQW][0-9a-fA-F]{32}$"},
    },
    "UpdateTask": {
        "Attributes": ATTRIBUTES,
        "Priority": {"minimum": 0, "maximum": 2_147_483_647},
        "AssignmentStatus": {
            "enum": ["pending", "reserved", "assigned", "canceled", "completed", "wrapping"]
        },
    },
    "ListTask": {
        "PageSize": {"minimum": 1, "maximum": 1000, "default": 50},
        "Page": {"minimum": 0},
        "Ordering": {"default": "DateCreated:asc"},
    },
    "ListEvent": {"Minutes": MINUTES, "Sid": {"pattern": "^EV[0-9a-fA-F]{32}$"}},
    "FetchWorkspaceCumulativeStatistics": {"Minutes": MINUTES, "EndDate": {"format": "date-time"}},
    "UpdateTaskReservation": {
        "Timeout": RING,
        "CallTimeout": RING,
        "DequeueTimeout": RING,
        "CallRecord": LEG_RECORD,
        "DequeueRecord": LEG_RECORD,
        "MaxParticipants": {"minimum": 2, "maximum": 250},
        "Beep": {"enum": ["true", "false", "onEnter", "onExit"]},
        "ConferenceRecord": {"enum": ["true", "false", "record-from-start", "do-not-record"]},
        "ConferenceTrim": {"enum": ["trim-silence", "do-not-trim"]},
        "RecordingChannels": {"enum": ["mono", "dual"]},
        "JitterBufferSize": {"enum": ["small", "medium", "large", "off"]},
        "Region": {"enum": ["us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1"]},
        "WaitMethod": METHOD,
        "StatusCallbackMethod": METHOD,
        "SupervisorMode": {"enum": ["monitor", "whisper", "barge"]},
        "RedirectCallSid": {"pattern": "^CA[0-9a-fA-F]{32}$"},
    },
}


@pytest.fixture
def told(centre: Centre) -> dict[str, Any]:
    described: dict[str, Any] = centre.service.ask("GET", "/v1/openapi.json").get_json()
    return described


def test_the_description_has_every_limit_and_default_of_twilios(told: dict[str, Any]) -> None:
    operations = _operations(told)
    for operation, parameters in DOCUMENTED.items():
        taken = _all_takes(operations[operation])
        for name, limits in parameters.items():
            said = {key: _in_order(taken[name].get(key)) for key in limits}
            expected = {key: _in_order(value) for key, value in limits.items()}
            assert said == expected, (operation, name)


def _in_order(value: object) -> object:
    return sorted(value) if isinstance(value, list) else value


def _all_takes(operation: dict[str, Any]) -> dict[str, Schema]:
    content = operation.get("requestBody", {}).get("content", {})
    document: Schema = content.get("application/json", {}).get("schema", {})
    return {**_takes(operation), **document.get("properties", {})}


def _beyond(schema: Schema) -> Iterator[str]:
    """Texts that the schema does not allow."""
    if "minimum" in schema:
        yield str(schema["minimum"] - 1)
    if "maximum" in schema:
        yield str(schema["maximum"] + 1)
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if "enum" in schema:
        yield from ("neither", str(schema["enum"][0]).swapcase())
    if str(schema.get("pattern", "")).startswith("^W"):
        prefix = schema["pattern"][1:3].replace("[", "K")
        yield from (f"{prefix}{'0' * 31}", f"{prefix}{'0' * 33}", f"XX{'0' * 32}", f"{prefix}é")
    if "items" in schema:
        yield from _beyond(schema["items"])
    yield from _OF_NO_KIND.get(str(schema.get("format", schema.get("type"))), ())


#: Texts that stand for no value of that type or format.
_OF_NO_KIND: dict[str, tuple[str, ...]] = {
    "integer": ("1.5", "one", "0x1"),
    "date-time": ("yesterday", "1899-12-31T23:59:59Z", "2026-13-01"),
}


def _within(schema: Schema) -> Iterator[str]:
    """Texts at the very edge of what it allows."""
    yield from (str(schema[key]) for key in ("minimum", "maximum") if key in schema)
    yield from map(str, schema.get("enum", ()))
    if "maxLength" in schema and "pattern" not in schema:
        yield "x" * int(schema["maxLength"])
    if schema.get("type") == "boolean":
        yield from ("true", "false", "1", "0", "yes", "no")
    if schema.get("type") == "array":
        yield from _within(schema["items"])


def _paths(told: dict[str, Any], centre: Centre) -> Iterator[tuple[str, str, dict[str, Any]]]:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    sids = {
        "WorkspaceSid": centre.workspace_sid,
        "TaskSid": task.sid,
        "WorkerSid": centre.worker_sid,
        "ReservationSid": offered.sid,
        "TaskQueueSid": centre.queue_sid,
        "WorkflowSid": centre.workflow_sid,
        "ActivitySid": centre.offline_sid,
        "Channel": "voice",
        "EventSid": "EV" + "0" * 32,
        "DeliverySid": "DL" + "0" * 32,
        "ParticipantSid": "UT" + "0" * 32,
    }
    for path, item in told["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path.format_map(sids), operation


#: How refusals for a bound begin; within it there may be other reasons.
_SAID_OF_BOUNDS = ("one of", "1 to", "at most", "a whole", "JSON text of")
#: There is more to say of them than the bounds: not each documented value may be asked for, or the
#: text has a form of its own.
_DEPENDS = {"AssignmentStatus", "SplitByWaitTime"}


def _ask(centre: Centre, method: str, path: str, name: str, text: str) -> tuple[int, str]:
    values = {"FriendlyName": "Somebody", "UniqueName": "some", "Configuration": "{}", name: text}
    how = "data" if method == "POST" else "query_string"
    answer = centre.service.ask(method, path, **{how: values})
    message = "" if answer.status_code < 400 else str(answer.get_json()["message"])
    return answer.status_code, message


def test_what_is_beyond_a_bound_is_refused_by_name_and_what_is_within_is_not(
    told: dict[str, Any], centre: Centre
) -> None:
    refusals = passed = 0
    for method, path, operation in _paths(told, centre):
        for name, schema in _takes(operation).items():
            if name == "If-Match":
                continue
            for text in _beyond(schema):
                status, message = _ask(centre, method, path, name, text)
                assert status == 400, (method, path, name, text[:40], message)
                assert message.startswith(f"Invalid {name}: "), (path, name, text[:40], message)
                refusals += 1
            for text in _within(schema):
                status, message = _ask(centre, method, path, name, text)
                assert status < 500, (path, name, text[:40])
                if name not in _DEPENDS:
                    refused_for = message.removeprefix(f"Invalid {name}: expected ")
                    is_of_the_bound = refused_for.startswith(_SAID_OF_BOUNDS)
                    assert not is_of_the_bound, (path, name, text[:40], message)
                passed += 1
    assert refusals > 700
    assert passed > 500


@pytest.mark.parametrize("number", [0, 51])
def test_a_bulk_is_of_one_to_fifty_sids_however_often_each_comes(
    centre: Centre, number: int
) -> None:
    path = f"{centre.path}/TaskQueues/RealTimeStatistics"
    answer = centre.service.ask("POST", path, json={"queueSids": [centre.queue_sid] * number})
    assert "expected 1 to 50 SIDs of TaskQueues" in refused(answer, 400, 20001)
    answer = centre.service.ask("POST", path, json={"queueSids": [centre.queue_sid] * 50})
    assert answer.get_json()["task_queue_response_count"] == 1


def test_a_filter_that_is_empty_asks_for_nothing_in_particular(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    for query in (
        {"AssignmentStatus": ""},
        {"AssignmentStatus": ["", " , "]},
        {"RoutingTarget": ""},
        {"Priority": ""},
        {"WorkflowSid": ""},
        {"Ordering": ""},
    ):
        found = centre.service.ask("GET", f"{centre.path}/Tasks", query_string=query).get_json()
        assert [each["sid"] for each in found["tasks"]] == [task.sid], query


def test_a_routing_target_that_is_empty_is_none(centre: Centre) -> None:
    answer = centre.service.ask("POST", f"{centre.path}/Tasks", data={"RoutingTarget": ""})
    assert (answer.status_code, answer.get_json()["routing_target"]) == (201, None)


def test_an_events_filter_that_is_empty_is_null_from_the_first(centre: Centre) -> None:
    form = {"FriendlyName": "All events", "EventsFilter": "", "EventCallbackUrl": ""}
    made = centre.service.ask("POST", "/v1/Workspaces", data=form).get_json()
    assert (made["events_filter"], made["event_callback_url"]) == (None, "")


def test_attributes_may_say_at_once_why_a_task_is_canceled(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    canceled = centre.workspace.tasks(task.sid).update(
        assignment_status="canceled", attributes='{"why": "closed"}', reason="closed"
    )
    assert (canceled.assignment_status, canceled.attributes) == ("canceled", '{"why": "closed"}')


@pytest.mark.parametrize("path", ["/v2/Workspaces", "/v10", "/v0/a/b"])
def test_versions_that_there_are_not_are_told_of_in_twilios_shape(
    centre: Centre, path: str
) -> None:
    refused(centre.service.ask("GET", path, auth=None), 401, 20003)
    assert path in refused(centre.service.ask("GET", path), 404, 20404)
    assert centre.service.ask("GET", "/version").mimetype == "text/html"
