"""What the door says of itself: made from what its views take, held against Twilio's document."""

from typing import Any

import pytest

from routing.api.door import EVERY_OPERATION, OPERATIONS
from tests.api.service import PUBLIC_URL, Centre, Service
from tests.openapi import taskrouter


@pytest.fixture
def told(service: Service) -> dict[str, Any]:
    answer = service.ask("GET", "/v1/openapi.json")
    assert answer.status_code == 200
    described: dict[str, Any] = answer.get_json()
    return described


def _operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for item in described["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and "operationId" in operation
    }


def _takes(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{parameter: schema} of query, headers and form, not of the path."""
    content = operation.get("requestBody", {}).get("content", {})
    form = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    found = {
        each["name"]: each["schema"]
        for each in operation.get("parameters", [])
        if each["in"] != "path"
    }
    return {**found, **form.get("properties", {})}


def test_every_operation_that_is_served_is_told_of(told: dict[str, Any], service: Service) -> None:
    assert told["openapi"] == "3.1.0"
    assert told["servers"] == [{"url": PUBLIC_URL}]
    assert set(_operations(told)) == {operation.name for operation in EVERY_OPERATION}
    served = {rule.rule.count("<") for rule in service.app.url_map.iter_rules()}
    assert {path.count("{") for path in told["paths"]} <= served


def test_what_is_ours_is_marked_and_nothing_else(told: dict[str, Any]) -> None:
    official = {operation.name for operation in OPERATIONS}
    marked = {name for name, told_of in _operations(told).items() if told_of.get("x-extension")}
    assert marked == {operation.name for operation in EVERY_OPERATION} - official
    assert "FetchDescription" in marked


def test_types_bounds_and_defaults_are_those_that_are_checked(told: dict[str, Any]) -> None:
    operations = _operations(told)
    task = _takes(operations["CreateTask"])
    assert task["Priority"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 2_147_483_647,
        "default": 0,
    }
    assert task["WorkflowSid"]["pattern"] == "^WW[0-9a-fA-F]{32}$"
    assert task["VirtualStartTime"]["format"] == "date-time"
    assert task["IgnoreCapacity"]["type"] == "boolean"
    listed = _takes(operations["ListTask"])
    assert (listed["PageSize"]["default"], listed["PageSize"]["maximum"]) == (50, 1000)
    assert listed["AssignmentStatus"]["type"] == "array"
    worker = operations["CreateWorker"]["requestBody"]
    form = worker["content"]["application/x-www-form-urlencoded"]["schema"]
    assert (worker["required"], form["required"]) == (True, ["FriendlyName"])
    assert "204" in operations["DeleteTask"]["responses"]
    assert "201" in operations["CreateTask"]["responses"]
    assert "From" in _takes(operations["UpdateTaskReservation"])


def test_every_parameter_that_twilio_documents_is_taken(told: dict[str, Any]) -> None:
    twilios = taskrouter.document
    if twilios is None:
        pytest.skip(f"NO OPENAPI DOCUMENT at {taskrouter.path}: parameters were not compared")
    ours, theirs = _operations(told), _operations(twilios)
    missing = {
        (name, parameter)
        for name in ours.keys() & theirs.keys()
        for parameter in _takes(theirs[name]).keys() - _takes(ours[name]).keys()
    }
    assert missing == set()
    undocumented = {
        (name, parameter)
        for name in ours.keys() & theirs.keys()
        for parameter in _takes(ours[name]).keys() - _takes(theirs[name]).keys()
    }
    assert undocumented == {
        ("ListEvent", "ActorType"),
        ("UpdateTask", "ReEvaluateTasks"),
        ("UpdateTask", "TaskQueueSid"),
        ("UpdateTaskReservation", "Reason"),
        ("UpdateWorkerReservation", "Reason"),
    }


def test_whatever_is_said_to_look_at_the_version_does(told: dict[str, Any], centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    sids = {
        "WorkspaceSid": centre.workspace_sid,
        "TaskSid": task.sid,
        "WorkerSid": centre.worker_sid,
        "ReservationSid": offered.sid,
    }
    forms = {"Reservations": {"ReservationStatus": "accepted"}}
    looked = set()
    for path, item in told["paths"].items():
        for method, operation in item.items():
            if "If-Match" in _takes(operation):
                looked.add(operation["operationId"])
                form = forms.get(path.split("/")[-2])
                answer = centre.service.ask(
                    method.upper(), path.format(**sids), data=form, headers={"If-Match": '"99"'}
                )
                assert (answer.status_code, answer.get_json()["code"]) == (412, 20412), path
    assert len(looked) == 6
