"""An agent takes a Task that waits by hand, as the multitasking guide has it."""

import json

import pytest

from routing.engine import reservations, tasks, workflows
from tests.desk.server.front import Browser, Front


@pytest.fixture
def alice(front: Front) -> Browser:
    return front.browser().demo("alice")


@pytest.fixture
def flow(front: Front) -> str:
    """A Workflow with a filter for what was taken by hand."""
    [queue] = front.store.read(lambda work: work.task_queues.find())
    filters = [
        {
            "filter_friendly_name": "Manually grabbed by Workers",
            "expression": "manual == 1",
            "targets": [
                {
                    "queue": queue.sid,
                    "expression": "task.worker_sid = worker.sid",
                    "priority": "1000",
                }
            ],
        }
    ]
    routing = {"filters": filters, "default_filter": {"queue": queue.sid}}
    made = front.engine.perform(
        workflows.create,
        workspace_sid=front.workspace.sid,
        friendly_name="By hand",
        configuration=json.dumps({"task_routing": routing}),
    )
    return made.sid


def test_a_pulled_task_goes_to_whoever_pulled_it(front: Front, alice: Browser, flow: str) -> None:
    task = front.task(workflow_sid=flow, attributes='{"from": "+15550123456"}')
    answer = alice.open("POST", "/desk/pull", json={"task_sid": task.sid})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert answer.json["assignment_status"] == "pending"
    pulled = front.store.read(lambda work: work.tasks.get(task.sid))
    assert pulled is not None
    assert json.loads(pulled.attributes) == {
        "from": "+15550123456",
        "manual": 1,
        "worker_sid": front.worker_sid("Alice"),
    }
    assert pulled.priority == 1000
    carol = front.browser().demo("carol")
    told = carol.rest("GET", "{ws}/Events", TaskSid=task.sid, ActorType="user").json
    assert told is not None
    assert "task.updated" in {event["event_type"] for event in told["events"]}
    assert {event["actor_sid"] for event in told["events"]} == {alice.told["user"]["sid"]}


def test_who_comes_too_late_is_told_so(front: Front, alice: Browser, flow: str) -> None:
    task = front.task(workflow_sid=flow)
    reservation = front.engine.perform(
        reservations.reserve, task_sid=task.sid, worker_sid=front.worker_sid("Bob")
    )
    assert reservation is not None
    assert alice.open("POST", "/desk/pull", json={"task_sid": task.sid}).status_code == 409
    front.engine.perform(tasks.delete, workspace_sid=front.workspace.sid, task_sid=task.sid)
    assert alice.open("POST", "/desk/pull", json={"task_sid": task.sid}).status_code == 404


def test_only_a_worker_pulls_and_only_what_is_named(front: Front, alice: Browser) -> None:
    front.add_user("root", "admin")
    task = front.task()
    admin = front.browser().sign_in("root")
    assert admin.open("POST", "/desk/pull", json={"task_sid": task.sid}).status_code == 403
    nobody = front.browser()
    nobody.look()
    assert nobody.open("POST", "/desk/pull", json={"task_sid": task.sid}).status_code == 401
    for body in ({}, {"task_sid": 7}, {"task_sid": ""}):
        assert alice.open("POST", "/desk/pull", json=body).status_code == 400
