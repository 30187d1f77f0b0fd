"""Two doors on one database, each with what it remembers of how the Workspace is set up.

What the other one has changed counts at once: a door may decide by what it remembers, but what it
answers is true.
"""

import json
from collections.abc import Iterator

import pytest

from routing.store import SqlStore, open_store
from tests.api.service import Centre, Service, open_app
from tests.fakes import ManualClock


@pytest.fixture
def other_door(centre_on_each: Centre, database_url: str, clock: ManualClock) -> Iterator[Service]:
    """It has made a Task already, so it remembers the Workspace."""
    other = open_app(open_store(database_url, clock), clock)
    assert other.ask("POST", f"{centre_on_each.path}/Tasks").status_code == 201
    yield other
    assert isinstance(other.engine.store, SqlStore)
    other.engine.store.close()


def _into(queue_sid: str) -> str:
    return json.dumps({"task_routing": {"default_filter": {"queue": queue_sid}}})


def test_a_task_goes_by_what_another_door_has_just_set_up(
    centre_on_each: Centre, other_door: Service
) -> None:
    workspace, tasks = centre_on_each.workspace, f"{centre_on_each.path}/Tasks"
    queue = workspace.task_queues.create(friendly_name="Another")
    workspace.workflows(centre_on_each.workflow_sid).update(configuration=_into(queue.sid))
    moved = other_door.ask("POST", tasks).get_json()
    assert (moved["task_queue_sid"], moved["task_queue_friendly_name"]) == (queue.sid, "Another")
    workspace.task_queues(queue.sid).update(friendly_name="Renamed")
    assert other_door.ask("POST", tasks).get_json()["task_queue_friendly_name"] == "Renamed"
    workspace.task_channels.create(friendly_name="Fax", unique_name="fax")
    assert other_door.ask("POST", tasks, data={"TaskChannel": "fax"}).status_code == 201


def test_a_task_is_refused_for_what_another_door_has_just_changed(
    centre_on_each: Centre, other_door: Service
) -> None:
    workspace, tasks = centre_on_each.workspace, f"{centre_on_each.path}/Tasks"
    second = workspace.workflows.create(
        friendly_name="Second", configuration=_into(centre_on_each.queue_sid)
    )
    assert "has 2 Workflows" in other_door.ask("POST", tasks).get_json()["message"]
    workspace.workflows(second.sid).delete()
    answer = other_door.ask("POST", tasks, data={"WorkflowSid": second.sid})
    assert "expected the SID of a Workflow" in answer.get_json()["message"]
    for task in workspace.tasks.list():
        workspace.tasks(task.sid).delete()
    centre_on_each.service.client().taskrouter.v1.workspaces(centre_on_each.workspace_sid).delete()
    assert other_door.ask("POST", tasks).status_code == 404


def test_what_one_door_changes_all_the_time_never_fails_what_another_adds(
    centre_on_each: Centre, other_door: Service
) -> None:
    activity = centre_on_each.workspace.activities(centre_on_each.offline_sid)
    for number in range(5):
        activity.update(friendly_name=f"Away {number}")
        statuses = [
            other_door.ask("POST", f"{centre_on_each.path}/Tasks", data=form).status_code
            for form in ({}, {"TaskChannel": "pigeon"}, {"Priority": "3"})
        ]
        assert statuses == [201, 400, 201]
    assert len(centre_on_each.workspace.tasks.list()) == 11
