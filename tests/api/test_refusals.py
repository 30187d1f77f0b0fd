"""What the door turns away, and how it says so."""

import io
import json
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from werkzeug.test import TestResponse

from routing.api.door import EVERY_OPERATION
from routing.store import StoreUnavailable
from tests.api.service import ACCOUNT_SID, AUTH_TOKEN, NEXT_AUTH_TOKEN, Centre, Service

FORM = "application/x-www-form-urlencoded"


def refused(answer: TestResponse, status: int, code: int) -> str:
    """Checks the shape of a refusal; returns its message."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    body = answer.get_json()
    assert set(body) == {"code", "message", "more_info", "status"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    return str(body["message"])


def _paths(service: Service) -> list[tuple[str, str]]:
    """Every method and path below /v1 that the app answers."""
    found = []
    for rule in service.app.url_map.iter_rules():
        if rule.rule.startswith("/v1"):
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(f"<{name}>", "WS" + "0" * 32)
            found += [(method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return found


def test_no_path_is_open_to_strangers(service: Service) -> None:
    paths = _paths(service)
    assert len(paths) == len(EVERY_OPERATION)
    credentials: list[tuple[str, str] | None] = [
        None,
        (ACCOUNT_SID, "wrong"),
        (ACCOUNT_SID, ""),
        ("AC" + "0" * 32, AUTH_TOKEN),
        ("", ""),
        (ACCOUNT_SID, "é"),
    ]
    for method, path in [*paths, ("GET", "/v1"), ("GET", "/v1/Nothing"), ("PUT", "/v1/Workspaces")]:
        for auth in credentials:
            answer = service.ask(method, path, auth=auth)
            refused(answer, 401, 20003)
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_other_kinds_of_credentials_are_refused(service: Service) -> None:
    for header in ("Bearer abc", "Basic", "Basic !!!", "Basic YWJj", "Digest username=a"):
        answer = service.ask("GET", "/v1/Workspaces", auth=None, headers={"Authorization": header})
        refused(answer, 401, 20003)


def test_while_tokens_rotate_both_are_good(service: Service) -> None:
    for token in (AUTH_TOKEN, NEXT_AUTH_TOKEN):
        assert service.client(token=token).taskrouter.v1.workspaces.list() == []
    with pytest.raises(TwilioRestException) as refusal:
        service.client(token="old").taskrouter.v1.workspaces("WS" + "0" * 32).fetch()
    assert (refusal.value.status, refusal.value.code) == (401, 20003)


def test_unknown_paths_and_methods_are_told_in_twilios_shape(service: Service) -> None:
    message = refused(service.ask("GET", "/v1/Nothing/At/All"), 404, 20404)
    assert message == "The requested resource /Nothing/At/All was not found"
    answer = service.ask("PUT", "/v1/Workspaces")
    refused(answer, 405, 20004)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    [
        "Tasks/WT{0}",
        "Workers/WK{0}",
        "Workers/WK{0}/Channels",
        "Workers/WK{0}/Channels/voice",
        "Workers/WK{0}/Reservations",
        "Workers/WK{0}/Reservations/WR{0}",
        "Tasks/WT{0}/Reservations",
        "Tasks/WT{0}/Reservations/WR{0}",
        "TaskQueues/WQ{0}",
        "Workflows/WW{0}",
        "Activities/WA{0}",
        "TaskChannels/TC{0}",
        "TaskChannels/nothing",
        "Events/EV{0}",
        "Tasks/%00",
        "Tasks/%FF",
        "Tasks/a%27b",
        "Tasks/" + "x" * 2000,
    ],
)
def test_unknown_sids_are_not_found(centre: Centre, path: str) -> None:
    path = path.format("0" * 32)
    refused(centre.service.ask("GET", f"{centre.path}/{path}"), 404, 20404)
    if "Reservations" not in path or "WR" in path:
        answer = centre.service.ask("DELETE", f"{centre.path}/{path}")
        assert answer.status_code in {404, 405}


def test_everything_is_refused_below_an_unknown_workspace(service: Service) -> None:
    unknown = "/v1/Workspaces/WS" + "0" * 32
    form = {"FriendlyName": "a", "Configuration": "{}", "UniqueName": "a"}
    for folder in ("Tasks", "Workers", "TaskQueues", "Workflows", "Activities", "TaskChannels"):
        refused(service.ask("GET", f"{unknown}/{folder}"), 404, 20404)
        refused(service.ask("POST", f"{unknown}/{folder}", data=form), 404, 20404)
    refused(service.ask("GET", f"{unknown}/Events"), 404, 20404)
    refused(service.ask("DELETE", unknown), 404, 20404)


def test_what_belongs_to_another_workspace_is_not_found(centre: Centre) -> None:
    other = centre.service.client().taskrouter.v1.workspaces.create(friendly_name="Other")
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    for path in (
        f"Tasks/{task.sid}",
        f"Tasks/{task.sid}/Reservations",
        f"Tasks/{task.sid}/Reservations/{offered.sid}",
        f"Workers/{centre.worker_sid}",
        f"Workers/{centre.worker_sid}/Channels",
        f"Workers/{centre.worker_sid}/Reservations/{offered.sid}",
        f"TaskQueues/{centre.queue_sid}",
        f"Workflows/{centre.workflow_sid}",
        f"Activities/{centre.offline_sid}",
    ):
        theirs = f"/v1/Workspaces/{other.sid}/{path}"
        refused(centre.service.ask("GET", theirs), 404, 20404)
        if not path.endswith(("Reservations", "Channels")):
            form = {"FriendlyName": "stolen", "ReservationStatus": "accepted"}
            refused(centre.service.ask("POST", theirs, data=form), 404, 20404)
            assert centre.service.ask("DELETE", theirs).status_code in {404, 405}
    assert centre.workspace.workers(centre.worker_sid).fetch().friendly_name == "Alice"


def test_a_reservation_is_not_found_below_another_task_or_worker(centre: Centre) -> None:
    first, second = centre.workspace.tasks.create(), centre.workspace.tasks.create()
    bob = centre.workspace.workers.create(friendly_name="Bob")
    offered = centre.service.reserve(first.sid, centre.worker_sid)
    for path in (f"Tasks/{second.sid}", f"Workers/{bob.sid}"):
        answer = centre.service.ask("GET", f"{centre.path}/{path}/Reservations/{offered.sid}")
        refused(answer, 404, 20404)


BAD_JSON = {
    "no JSON": "hello",
    "nothing": "",
    "an array": "[1]",
    "a string": '"a"',
    "null": "null",
    "NaN": '{"a": NaN}',
    "infinity": '{"a": Infinity}',
    "a number beyond a double": '{"a": 1e999}',
    "a giant number": '{"a": ' + "9" * 4000 + "}",
    "deep nesting": '{"a":' * 101 + "1" + "}" * 101,
    "very deep nesting": "[" * 2000,
    "a repeated key": '{"a": 1, "a": 2}',
    "a lone surrogate": '{"a": "\\ud800"}',
    "a lone surrogate in a key": '{"\\udfff": 1}',
    "U+0000": '{"a": "\\u0000"}',
    "too long": '{"a": "' + "x" * 4096 + '"}',
    "an unfinished string": '{"a": "',
    "a trailing comma": '{"a": 1,}',
}


@pytest.mark.parametrize("attributes", BAD_JSON.values(), ids=BAD_JSON)
def test_attributes_that_are_no_good_object_are_refused(centre: Centre, attributes: str) -> None:
    task = centre.workspace.tasks.create(attributes='{"a": 1}')
    worker = f"Workers/{centre.worker_sid}"
    form = {"Attributes": attributes, "FriendlyName": "Carol"}
    for path in ("Tasks", f"Tasks/{task.sid}", "Workers", worker):
        answer = centre.service.ask("POST", f"{centre.path}/{path}", data=form)
        assert "Invalid Attributes: expected " in refused(answer, 400, 20001)
    assert centre.workspace.tasks(task.sid).fetch().attributes == '{"a": 1}'
    assert [found.friendly_name for found in centre.workspace.workers.list()] == ["Alice"]
    assert len(centre.workspace.tasks.list()) == 1


def test_attributes_come_back_as_they_were_given(centre: Centre) -> None:
    for attributes in ('{ "a":1.0,\n"ü": "\\u00fc", "n": null }', "{}", '{"😀": "\\ud83d\\ude00"}'):
        task = centre.workspace.tasks.create(attributes=attributes)
        assert centre.workspace.tasks(task.sid).fetch().attributes == attributes


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("languages HAS", "column"),
        ('a == "b', "column"),
        ("(a == 1", "column"),
        ("a = 1 OR", "column"),
        ("(" * 2000 + "1==1", "levels"),
        ("__import__('os')", "column"),
    ],
)
def test_malformed_expressions_are_refused_by_name(
    centre: Centre, expression: str, place: str
) -> None:
    service = centre.service
    form = {"FriendlyName": "Q", "TargetWorkers": expression}
    queue = f"{centre.path}/TaskQueues"
    for path in (queue, f"{queue}/{centre.queue_sid}"):
        message = refused(service.ask("POST", path, data=form), 400, 20001)
        assert message.startswith("Invalid TargetWorkers: ")
        assert place in message
    for folder, parameter in (
        ("Tasks", "EvaluateTaskAttributes"),
        ("Workers", "TargetWorkersExpression"),
    ):
        query = {parameter: expression}
        answer = service.ask("GET", f"{centre.path}/{folder}", query_string=query)
        assert refused(answer, 400, 20001).startswith(f"Invalid {parameter}: ")
    assert len(centre.workspace.task_queues.list()) == 1


def _routing(**routing: Any) -> str:
    return json.dumps({"task_routing": routing})


UNKNOWN_QUEUE = "WQ" + "0" * 32


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("{}", "task_routing"),
        ("[]", "expected a JSON object"),
        ("not JSON", "expected JSON"),
        (_routing(filters=[{"expression": "a ==", "targets": []}]), "filters[0]"),
        (
            _routing(filters=[{"filter_friendly_name": "f", "expression": "1==1"}]),
            "filters[0]",
        ),
        (_routing(default_filter={"queue": UNKNOWN_QUEUE}), "default_filter.queue"),
        (
            _routing(filters=[{"expression": "1==1", "targets": [{"queue": UNKNOWN_QUEUE}]}]),
            "filters[0].targets[0].queue",
        ),
        (_routing(filters="all"), "filters"),
        (_routing(default_filter={"queue": 7}), "default_filter.queue"),
    ],
)
def test_malformed_workflow_documents_are_refused_with_the_place(
    centre: Centre, document: str, path: str
) -> None:
    form = {"FriendlyName": "W", "Configuration": document}
    folder = f"{centre.path}/Workflows"
    for target in (folder, f"{folder}/{centre.workflow_sid}"):
        message = refused(centre.service.ask("POST", target, data=form), 400, 20001)
        assert message.startswith("Invalid Configuration")
        assert path in message
    [workflow] = centre.workspace.workflows.list()
    assert workflow.friendly_name == "Default Fifo Workflow"


LONG = "x" * 65
SID = "0" * 32


@pytest.mark.parametrize(
    ("path", "form", "parameter"),
    [
        ("Workers", {}, "FriendlyName"),
        ("Workers", {"FriendlyName": ""}, "FriendlyName"),
        ("Workers", {"FriendlyName": LONG}, "FriendlyName"),
        ("Workers", {"FriendlyName": ["a", "b"]}, "FriendlyName"),
        ("Workers", {"FriendlyName": "a\x00b"}, "FriendlyName"),
        ("Workers", {"FriendlyName": "a", "ActivitySid": "available"}, "ActivitySid"),
        ("Workers", {"FriendlyName": "a", "ActivitySid": "WA" + SID}, "ActivitySid"),
        ("Workers", {"FriendlyName": "a", "ActivitySid": "WA" + SID + "\n"}, "ActivitySid"),
        ("Tasks", {"Priority": "-1"}, "Priority"),
        ("Tasks", {"Priority": "2147483648"}, "Priority"),
        ("Tasks", {"Priority": "1.5"}, "Priority"),
        ("Tasks", {"Priority": "9" * 5000}, "Priority"),
        ("Tasks", {"Timeout": "0"}, "Timeout"),
        ("Tasks", {"Timeout": "1209601"}, "Timeout"),
        ("Tasks", {"TaskChannel": "pigeon"}, "TaskChannel"),
        ("Tasks", {"WorkflowSid": "WW" + SID}, "WorkflowSid"),
        ("Tasks", {"WorkflowSid": "WQ" + SID}, "WorkflowSid"),
        ("Tasks", {"VirtualStartTime": "yesterday"}, "VirtualStartTime"),
        ("Tasks", {"VirtualStartTime": "1899-12-31T23:59:59Z"}, "VirtualStartTime"),
        ("Tasks", {"VirtualStartTime": "2999-01-01T00:00:00Z"}, "VirtualStartTime"),
        ("TaskQueues", {"FriendlyName": "q", "MaxReservedWorkers": "51"}, "MaxReservedWorkers"),
        ("TaskQueues", {"FriendlyName": "q", "TaskOrder": "RANDOM"}, "TaskOrder"),
        ("TaskQueues", {"FriendlyName": "q", "TargetWorkers": "x" * 65_537}, "TargetWorkers"),
        (
            "TaskQueues",
            {"FriendlyName": "q", "AssignmentActivitySid": "WA" + SID},
            "AssignmentActivitySid",
        ),
        ("Workflows", {"FriendlyName": "w"}, "Configuration"),
        (
            "Workflows",
            {"FriendlyName": "w", "Configuration": "{}", "TaskReservationTimeout": "86401"},
            "TaskReservationTimeout",
        ),
        (
            "Workflows",
            {"FriendlyName": "w", "Configuration": "{}", "AssignmentCallbackUrl": "ftp://a"},
            "AssignmentCallbackUrl",
        ),
        ("TaskChannels", {"FriendlyName": "c", "UniqueName": "two words"}, "UniqueName"),
        (
            "TaskChannels",
            {"FriendlyName": "c", "UniqueName": "c", "ChannelOptimizedRouting": "maybe"},
            "ChannelOptimizedRouting",
        ),
        ("Activities", {"FriendlyName": LONG}, "FriendlyName"),
        ("Workers/{worker}", {"ActivitySid": "WA" + SID}, "ActivitySid"),
        (
            "Workers/{worker}",
            {"RejectPendingReservations": "true"},
            "RejectPendingReservations",
        ),
        ("Workers/{worker}/Channels/voice", {"Capacity": "-1"}, "Capacity"),
        ("Workers/{worker}/Channels/voice", {"Capacity": "2000000"}, "Capacity"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(
    centre: Centre, path: str, form: dict[str, Any], parameter: str
) -> None:
    path = path.format(worker=centre.worker_sid)
    answer = centre.service.ask("POST", f"{centre.path}/{path}", data=form)
    message = refused(answer, 400, 20001)
    assert message.startswith(f"Invalid {parameter}: ")
    assert len(message) < 400


def test_workspaces_say_what_they_expect(service: Service, centre: Centre) -> None:
    for form, expected in (
        ({"FriendlyName": "w", "Template": "LIFO"}, "Template: expected one of FIFO, NONE"),
        ({"FriendlyName": "w", "PrioritizeQueueOrder": "X"}, "PrioritizeQueueOrder: expected one"),
        ({"FriendlyName": "w", "MultiTaskEnabled": "2"}, "MultiTaskEnabled: expected true or"),
        ({"FriendlyName": "w", "EventCallbackUrl": "callback"}, "EventCallbackUrl: expected an"),
        ({"FriendlyName": LONG}, "FriendlyName: expected 1 to 64 characters"),
        ({}, "FriendlyName: it is required"),
    ):
        message = refused(service.ask("POST", "/v1/Workspaces", data=form), 400, 20001)
        assert expected in message
    unknown = {"DefaultActivitySid": "WA" + SID}
    message = refused(service.ask("POST", centre.path, data=unknown), 400, 20001)
    assert "DefaultActivitySid" in message


def test_bytes_that_are_no_text_are_refused_by_name(centre: Centre) -> None:
    for body in (b"FriendlyName=%ff", b"FriendlyName=\xff", b"FriendlyName=%ed%a0%80"):
        answer = centre.service.ask("POST", f"{centre.path}/Workers", data=body, content_type=FORM)
        assert refused(answer, 400, 20001) == "Invalid FriendlyName: expected UTF-8"
    answer = centre.service.ask("GET", f"{centre.path}/Workers?FriendlyName=%ff")
    assert refused(answer, 400, 20001) == "Invalid FriendlyName: expected UTF-8"


def test_a_body_of_another_type_is_refused(service: Service) -> None:
    for content_type in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        answer = service.ask(
            "POST", "/v1/Workspaces", data=b"FriendlyName=a", content_type=content_type
        )
        refused(answer, 415, 20415)


def test_a_body_without_end_is_refused(service: Service) -> None:
    body = b"FriendlyName=" + b"x" * 4_000_000
    answer = service.ask("POST", "/v1/Workspaces", data=body, content_type=FORM)
    refused(answer, 413, 20413)
    many = b"&".join(b"a=1" for _ in range(2000))
    answer = service.ask("POST", "/v1/Workspaces", data=many, content_type=FORM)
    refused(answer, 400, 20001)


def test_a_body_in_chunks_is_taken_whole_or_not_at_all(centre: Centre) -> None:
    def send(body: bytes) -> TestResponse:
        return centre.service.ask(
            "POST",
            f"{centre.path}/Tasks",
            input_stream=io.BytesIO(body),
            content_type=FORM,
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )

    made = send(b"Priority=7")
    assert (made.status_code, made.get_json()["priority"]) == (201, 7)
    refused(send(b"Nothing=" + b"x" * 4_000_000 + b"&Priority=7"), 413, 20413)
    assert len(centre.workspace.tasks.list()) == 1


def test_clients_that_name_a_type_without_a_body_are_served(centre: Centre) -> None:
    answer = centre.service.ask("GET", f"{centre.path}/Tasks", content_type=FORM)
    assert answer.status_code == 200
    assert centre.service.ask("POST", f"{centre.path}/Tasks").status_code == 201


def test_parameters_that_nobody_knows_are_ignored(centre: Centre) -> None:
    form = {"FriendlyName": "Break", "Available": "true", "Colour": "red"}
    activity = centre.service.ask(
        "POST", f"{centre.path}/Activities/{centre.offline_sid}", data=form
    )
    assert activity.status_code == 200
    assert activity.get_json()["friendly_name"] == "Break"
    assert activity.get_json()["available"] is False


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False)],
)
def test_truth_has_several_words(centre: Centre, text: str, meaning: bool) -> None:
    form = {"FriendlyName": "Meeting", "Available": text}
    answer = centre.service.ask("POST", f"{centre.path}/Activities", data=form)
    assert answer.get_json()["available"] is meaning
    channel = f"{centre.path}/Workers/{centre.worker_sid}/Channels/voice"
    answer = centre.service.ask("POST", channel, data={"Available": text})
    assert answer.get_json()["available"] is meaning


def test_a_fault_of_ours_tells_nobody_anything(centre: Centre, caplog: Any) -> None:
    def fault(_query: object) -> None:
        raise ZeroDivisionError("a secret")

    centre.service.engine.store.read = fault  # type: ignore[method-assign, assignment]
    answer = centre.service.ask("GET", f"{centre.path}/Tasks")
    assert refused(answer, 500, 20500) == "Internal Server Error"
    assert "a secret" not in answer.text
    assert "a secret" in caplog.text


def test_while_the_database_is_away_clients_are_told_to_come_again(centre: Centre) -> None:
    def away(_query: object) -> None:
        raise StoreUnavailable("postgresql://somebody@somewhere")

    centre.service.engine.store.read = away  # type: ignore[method-assign, assignment]
    answer = centre.service.ask("GET", f"{centre.path}/Tasks")
    assert refused(answer, 503, 20503) == "Service Unavailable"
    assert answer.headers["Retry-After"] == "1"
