"""What JSON can do to a reader, at every parameter that takes it: refused by its name, no fault."""

from collections.abc import Iterator
from typing import Any

import pytest

from routing.api.door import EVERY_OPERATION
from routing.api.operations import Operation
from routing.api.parameters import JSONParameters, described_fields
from tests.api.service import Centre
from tests.api.test_hardened import FORM, at_path
from tests.api.test_refusals import BAD_JSON

#: Refused at every parameter; "too long" depends on which it is.
HAZARDS = {name: text for name, text in BAD_JSON.items() if name != "too long"} | {
    "ten thousand digits": '{"a": ' + "9" * 10_000 + "}",
    "ten thousand digits below zero": '{"a": -' + "9" * 10_000 + "}",
    "an exponent without end": '{"a": 1e' + "9" * 3000 + "}",
    "deep in the end": '{"a": 1, "b": ' + "[" * 101 + "]" * 101 + "}",
    "a repeated key inside": '{"a": {"b": 1, "b": 1}}',
    "U+0000 in a key": '{"\\u0000": 1}',
    "a lone surrogate deep inside": '{"a": [{"b": "\\udc00"}]}',
    "half a pair": '{"a": "\\ud83d\\u0041"}',
    "two documents": "{}{}",
    "a comment": '{"a": 1} // and so on',
    "single quotes": "{'a': 1}",
    "a byte order mark": "\ufeff{}",
}


def takers() -> Iterator[tuple[Operation, str]]:
    for operation in EVERY_OPERATION:
        for field in described_fields(operation.takes):
            if field.expected.startswith("JSON text"):
                yield operation, field.name


TAKERS = list(takers())


def sids_of(centre: Centre) -> dict[str, str]:
    return {
        "workspace_sid": centre.workspace_sid,
        "task_sid": str(centre.workspace.tasks.create(attributes='{"a": 1}').sid),
        "worker_sid": centre.worker_sid,
        "workflow_sid": centre.workflow_sid,
    }


def test_every_parameter_that_takes_json_is_tried() -> None:
    assert {(operation.name, name) for operation, name in TAKERS} >= {
        ("CreateTask", "Attributes"),
        ("UpdateTask", "Attributes"),
        ("CreateWorker", "Attributes"),
        ("UpdateWorker", "Attributes"),
        ("CreateWorkflow", "Configuration"),
        ("UpdateWorkflow", "Configuration"),
        ("ListTaskQueue", "EvaluateWorkerAttributes"),
        ("TestWorkflow", "Attributes"),
        ("TestWorkflow", "Configuration"),
    }


@pytest.mark.parametrize("hazard", HAZARDS)
def test_hazards_are_refused_wherever_json_is_taken(centre: Centre, hazard: str) -> None:
    sids = sids_of(centre)
    for operation, name in TAKERS:
        values = {"FriendlyName": "Somebody", name: HAZARDS[hazard]}
        how = "data" if operation.method == "POST" else "query_string"
        answer = centre.service.ask(operation.method, at_path(operation, sids), **{how: values})
        told = answer.get_json()
        assert (answer.status_code, told["code"]) == (400, 20001), (operation.name, told)
        assert told["message"].startswith(f"Invalid {name}: "), (operation.name, told)
        assert set(told) == {"code", "message", "more_info", "status"}
    seen: Any = centre.workspace.tasks(sids["task_sid"]).fetch()
    assert seen.attributes == '{"a": 1}'


def test_raw_bytes_that_are_no_text_are_refused_wherever_json_is_taken(centre: Centre) -> None:
    sids = sids_of(centre)
    for operation, name in TAKERS:
        for raw in ("%7B%22a%22%3A%22%ED%A0%80%22%7D", "%7B%22a%22%3A%22%FF%22%7D", "%7B%7D%00"):
            text = f"FriendlyName=S&{name}={raw}"
            path = at_path(operation, sids)
            if operation.method == "POST":
                answer = centre.service.ask("POST", path, data=text, content_type=FORM)
            else:
                answer = centre.service.ask("GET", f"{path}?{text}")
            assert (answer.status_code, answer.get_json()["code"]) == (400, 20001)
            assert name in answer.get_json()["message"]


@pytest.mark.parametrize("hazard", HAZARDS)
def test_hazards_are_refused_as_a_body_too(centre: Centre, hazard: str) -> None:
    [bulk] = [each for each in EVERY_OPERATION if issubclass(each.takes, JSONParameters)]
    path = at_path(bulk, {"workspace_sid": centre.workspace_sid})
    for body in (HAZARDS[hazard], HAZARDS[hazard].replace('"a"', '"queueSids"')):
        answer = centre.service.ask(
            "POST", path, data=body.encode(errors="surrogatepass"), content_type="application/json"
        )
        assert (answer.status_code, answer.get_json()["code"]) == (400, 20001), answer.text
