"""Whatever is sent to whatever operation, the door answers in Twilio's shape and never breaks."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.api.door import OPERATIONS
from routing.api.operations import Operation
from routing.engine import reservations
from tests.api.service import Centre
from tests.openapi import taskrouter

_TEMPTING = [
    "",
    "0",
    "-1",
    "1.0",
    "true",
    "null",
    "9" * 30,
    "{}",
    '{"a": [1, {"b": null}]}',
    "1 == 1",
    "languages HAS 'es'",
    "completed",
    "canceled",
    "accepted",
    "conference",
    "FIFO",
    "Priority:desc,DateCreated",
    "2026-01-05T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01",
    "https://example.com/",
    "'; DROP TABLE tasks; --",
    "PA" + "A" * 40,
    "\x00",
    "\ud800",
]


def _values(centre: Centre) -> st.SearchStrategy[str]:
    known = [centre.workflow_sid, centre.queue_sid, centre.worker_sid, centre.offline_sid]
    return st.sampled_from([*_TEMPTING, *known]) | st.text(max_size=20)


def _names(operation: Operation) -> st.SearchStrategy[str]:
    known = [field.encode_name for field in msgspec.structs.fields(operation.takes)]
    return st.sampled_from([*known, "Nothing"])


def _encoded(form: list[tuple[str, str]]) -> str:
    return "&".join(
        f"{quote_from_bytes(name.encode())}={quote_from_bytes(text.encode(errors='surrogatepass'))}"
        for name, text in form
    )


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=st.data())
def test_no_request_breaks_the_door(centre: Centre, drawn: st.DataObject) -> None:
    service = centre.service
    task = centre.workspace.tasks.create()
    offered = service.engine.perform(
        reservations.reserve, task_sid=task.sid, worker_sid=centre.worker_sid
    )
    operation = drawn.draw(st.sampled_from(OPERATIONS), label="operation")
    sids = {
        "workspace_sid": centre.workspace_sid,
        "worker_sid": centre.worker_sid,
        "task_sid": task.sid,
        "task_queue_sid": centre.queue_sid,
        "workflow_sid": centre.workflow_sid,
        "activity_sid": centre.offline_sid,
        "channel": "voice",
        "event_sid": "EV" + "0" * 32,
        "delivery_sid": "DL" + "0" * 32,
        "reservation_sid": offered.sid if offered else "WR" + "0" * 32,
    }
    if operation.name == "DeleteWorkspace":
        sids["workspace_sid"] = "WS" + "0" * 32
    path = "/v1" + operation.path
    for name, sid in sids.items():
        path = path.replace(f"<{name}>", sid)
    form = drawn.draw(
        st.lists(st.tuples(_names(operation), _values(centre)), max_size=6), label="form"
    )
    how: dict[str, Any] = {"query_string": _encoded(form)}
    if operation.method == "POST":
        how = {"data": _encoded(form), "content_type": "application/x-www-form-urlencoded"}
    answer = service.ask(operation.method, path, **how)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(json.loads(answer.data)) == {"code", "message", "more_info", "status"}
    assert taskrouter.faults(operation.method, path, answer.status_code, answer.data) == []
