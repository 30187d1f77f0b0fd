"""Requests that schemathesis makes up from Twilio's own document, valid ones and others.

Whatever it is, the answer is one that the document describes, or a refusal in Twilio's shape: never
a fault of ours. Every operation that the door serves takes its turn.
"""

import json
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok

from routing.api.door import OPERATIONS
from routing.engine import reservations
from tests.api.service import Centre
from tests.openapi import taskrouter

Described: TypeAlias = APIOperation[Any, Any, Any, Any]

FORM = "application/x-www-form-urlencoded"
SERVED = sorted(operation.name for operation in OPERATIONS)
_MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(scope="session")
def described() -> dict[str, Described]:
    """{operationId: operation} of Twilio's document."""
    document = taskrouter.document
    if document is None:
        pytest.skip(f"NO OPENAPI DOCUMENT at {taskrouter.path}: no request was made up from it")
    schema = schemathesis.openapi.from_dict(document)
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {operation.definition.raw["operationId"]: operation for operation in found}


@pytest.mark.parametrize("name", SERVED)
def test_no_request_gets_an_answer_that_is_not_described(
    centre: Centre, described: dict[str, Described], name: str
) -> None:
    operation = described[name]
    strategies = [operation.as_strategy(generation_mode=mode) for mode in _MODES]

    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies), real=st.integers(0, 3))
    def ask(case: Case[Any], real: int) -> None:
        sids = _sids(centre) if real else {}
        _answered(centre, operation, case, sids)

    ask()


def _answered(centre: Centre, operation: Described, case: Case[Any], sids: dict[str, str]) -> None:
    """Sends what was made up, most often below what there really is, and judges the answer."""
    path = operation.path
    for parameter, value in (case.path_parameters or {}).items():
        last = path.endswith(f"{{{parameter}}}")
        folder = path.rpartition("/")[0].rpartition("/")[2] if last else ""
        real = sids.get(folder if parameter == "Sid" else parameter)
        path = path.replace(f"{{{parameter}}}", quote(str(real or value), safe=""))
    headers = {
        str(header): str(text)
        for header, text in (case.headers or {}).items()
        if str(text).isprintable() and str(text).isascii() and header.lower() == "if-match"
    }
    how: dict[str, Any] = {"query_string": _encoded(case.query or {}), "headers": headers}
    if operation.method.lower() == "post":
        body = case.body if isinstance(case.body, dict) else {"Body": case.body}
        how |= {"data": _encoded(body), "content_type": FORM}
    answer = centre.service.ask(operation.method.upper(), path, **how)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(json.loads(answer.data)) == {"code", "message", "more_info", "status"}
    faults = taskrouter.faults(operation.method, path, answer.status_code, answer.data)
    assert faults == [], (path, how)


def _encoded(values: Any) -> str:
    return urlencode(
        {
            name: [_text(one) for one in value] if isinstance(value, list) else _text(value)
            for name, value in values.items()
        },
        doseq=True,
        errors="surrogatepass",
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


def _sids(centre: Centre) -> dict[str, str]:
    """What there really is; made anew where the request before has removed it."""
    workspaces = centre.service.client().taskrouter.v1.workspaces
    workspace_sid = workspaces.create(friendly_name="Made up", template="FIFO").sid
    workspace = workspaces(workspace_sid)
    activities = {each.available: each.sid for each in workspace.activities.list()}
    worker = workspace.workers.create(friendly_name="Alice", activity_sid=activities[True])
    task = workspace.tasks.create()
    offered = centre.service.engine.perform(
        reservations.reserve, task_sid=task.sid, worker_sid=worker.sid
    )
    assert offered is not None
    return {
        "WorkspaceSid": workspace_sid,
        "Workspaces": workspace_sid,
        "WorkerSid": worker.sid,
        "Workers": worker.sid,
        "TaskSid": task.sid,
        "Tasks": task.sid,
        "Reservations": offered.sid,
        "Activities": activities[False],
        "TaskQueues": workspace.task_queues.list()[0].sid,
        "Workflows": workspace.workflows.list()[0].sid,
        "TaskChannels": "voice",
        "Channels": "voice",
        "Events": workspace.events.list(limit=1)[0].sid,
    }
