"""The official Python client, unmodified, does every one of Twilio's 61 operations.

The table says how each is called; an operation that is not in it fails.
"""

from collections.abc import Callable
from typing import Any

import pytest

from routing.api.door import OPERATIONS
from tests.api.service import Centre
from tests.openapi import taskrouter


class Made:
    """A Centre with one of everything that an operation may be asked for."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.all = centre.service.client().taskrouter.v1.workspaces
        self.one = centre.workspace
        self.task = self.one.tasks.create(task_channel="voice")
        self.worker = self.one.workers(centre.worker_sid)
        self.offered = centre.service.reserve(self.task.sid, centre.worker_sid)
        self.of_task = self.one.tasks(self.task.sid).reservations
        self.queue = self.one.task_queues.create(friendly_name="Spare")
        self.of_queue = self.one.task_queues(self.queue.sid)
        self.document = (
            f'{{"task_routing": {{"default_filter": {{"queue": "{centre.queue_sid}"}}}}}}'
        )
        self.workflow = self.one.workflows.create(
            friendly_name="Spare", configuration=self.document
        )
        self.of_workflow = self.one.workflows(self.workflow.sid)
        self.activity = self.one.activities.create(friendly_name="Lunch")
        self.channel = self.one.task_channels.create(friendly_name="Fax", unique_name="fax")
        self.bob = self.one.workers.create(friendly_name="Bob")

    def event(self) -> Any:
        return self.one.events(self.one.events.list(limit=1)[0].sid)


class Sids:
    """A body as the client wants to have it: something that can tell itself as a dictionary."""

    def __init__(self, *sids: str) -> None:
        self._sids = sids

    def to_dict(self) -> dict[str, Any]:
        return {"queueSids": list(self._sids)}


Call = Callable[[Made], Any]
#: {operationId: the call of the official client that is this operation}.
CALLS: dict[str, Call] = {
    "ListWorkspace": lambda made: made.all.list(),
    "CreateWorkspace": lambda made: made.all.create(friendly_name="New"),
    "FetchWorkspace": lambda made: made.one.fetch(),
    "UpdateWorkspace": lambda made: made.one.update(friendly_name="New"),
    "DeleteWorkspace": lambda made: made.one.delete(),
    "ListActivity": lambda made: made.one.activities.list(),
    "CreateActivity": lambda made: made.one.activities.create(friendly_name="New"),
    "FetchActivity": lambda made: made.one.activities(made.activity.sid).fetch(),
    "UpdateActivity": lambda made: made.one.activities(made.activity.sid).update(
        friendly_name="New"
    ),
    "DeleteActivity": lambda made: made.one.activities(made.activity.sid).delete(),
    "ListEvent": lambda made: made.one.events.list(),
    "FetchEvent": lambda made: made.event().fetch(),
    "ListTaskChannel": lambda made: made.one.task_channels.list(),
    "CreateTaskChannel": lambda made: made.one.task_channels.create(
        friendly_name="New", unique_name="new"
    ),
    "FetchTaskChannel": lambda made: made.one.task_channels("fax").fetch(),
    "UpdateTaskChannel": lambda made: made.one.task_channels("fax").update(friendly_name="New"),
    "DeleteTaskChannel": lambda made: made.one.task_channels(made.channel.sid).delete(),
    "ListTaskQueue": lambda made: made.one.task_queues.list(),
    "CreateTaskQueue": lambda made: made.one.task_queues.create(friendly_name="New"),
    "FetchTaskQueue": lambda made: made.one.task_queues(made.queue.sid).fetch(),
    "UpdateTaskQueue": lambda made: made.one.task_queues(made.queue.sid).update(
        friendly_name="New"
    ),
    "DeleteTaskQueue": lambda made: made.one.task_queues(made.queue.sid).delete(),
    "ListWorkflow": lambda made: made.one.workflows.list(),
    "CreateWorkflow": lambda made: made.one.workflows.create(
        friendly_name="New", configuration=made.document
    ),
    "FetchWorkflow": lambda made: made.one.workflows(made.workflow.sid).fetch(),
    "UpdateWorkflow": lambda made: made.one.workflows(made.workflow.sid).update(
        friendly_name="New"
    ),
    "DeleteWorkflow": lambda made: made.one.workflows(made.workflow.sid).delete(),
    "ListTask": lambda made: made.one.tasks.list(),
    "CreateTask": lambda made: made.one.tasks.create(workflow_sid=made.workflow.sid),
    "FetchTask": lambda made: made.one.tasks(made.task.sid).fetch(),
    "UpdateTask": lambda made: made.one.tasks(made.task.sid).update(priority=2),
    "DeleteTask": lambda made: made.one.tasks(made.task.sid).delete(),
    "ListTaskReservation": lambda made: made.of_task.list(),
    "FetchTaskReservation": lambda made: made.of_task(made.offered.sid).fetch(),
    "UpdateTaskReservation": lambda made: made.of_task(made.offered.sid).update(
        reservation_status="accepted"
    ),
    "ListWorker": lambda made: made.one.workers.list(),
    "CreateWorker": lambda made: made.one.workers.create(friendly_name="New"),
    "FetchWorker": lambda made: made.worker.fetch(),
    "UpdateWorker": lambda made: made.worker.update(friendly_name="New"),
    "DeleteWorker": lambda made: made.one.workers(made.bob.sid).delete(),
    "ListWorkerChannel": lambda made: made.worker.worker_channels.list(),
    "FetchWorkerChannel": lambda made: made.worker.worker_channels("voice").fetch(),
    "UpdateWorkerChannel": lambda made: made.worker.worker_channels("voice").update(capacity=2),
    "ListWorkerReservation": lambda made: made.worker.reservations.list(),
    "FetchWorkerReservation": lambda made: made.worker.reservations(made.offered.sid).fetch(),
    "UpdateWorkerReservation": lambda made: made.worker.reservations(made.offered.sid).update(
        reservation_status="rejected"
    ),
    "FetchWorkspaceStatistics": lambda made: made.one.statistics().fetch(),
    "FetchWorkspaceRealTimeStatistics": lambda made: made.one.real_time_statistics().fetch(),
    "FetchWorkspaceCumulativeStatistics": lambda made: made.one.cumulative_statistics().fetch(),
    "FetchWorkflowStatistics": lambda made: made.of_workflow.statistics().fetch(),
    "FetchWorkflowRealTimeStatistics": lambda made: made.of_workflow.real_time_statistics().fetch(),
    "FetchWorkflowCumulativeStatistics": lambda made: (
        made.of_workflow.cumulative_statistics().fetch()
    ),
    "FetchTaskQueueStatistics": lambda made: made.of_queue.statistics().fetch(),
    "FetchTaskQueueRealTimeStatistics": lambda made: made.of_queue.real_time_statistics().fetch(),
    "FetchTaskQueueCumulativeStatistics": lambda made: (
        made.of_queue.cumulative_statistics().fetch()
    ),
    "ListTaskQueuesStatistics": lambda made: made.one.task_queues.statistics.list(),
    "CreateTaskQueueBulkRealTimeStatistics": lambda made: (
        made.one.task_queues.bulk_real_time_statistics.create(body=Sids(made.queue.sid))
    ),
    "FetchWorkerStatistics": lambda made: made.one.workers.statistics().fetch(),
    "FetchWorkersRealTimeStatistics": lambda made: made.one.workers.real_time_statistics().fetch(),
    "FetchWorkersCumulativeStatistics": lambda made: (
        made.one.workers.cumulative_statistics().fetch()
    ),
    "FetchWorkerInstanceStatistics": lambda made: made.worker.statistics().fetch(),
}


def test_the_table_names_every_operation_once() -> None:
    assert len(CALLS) == 61
    assert {operation.name for operation in OPERATIONS} == set(CALLS)
    if taskrouter.document is None:
        pytest.skip(f"NO OPENAPI DOCUMENT at {taskrouter.path}: the table was not held against it")
    assert set(taskrouter.operations) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_official_client_does_it(centre: Centre, name: str) -> None:
    made = Made(centre)
    before = len(centre.service.answered)
    result = CALLS[name](made)
    assert result is True if name.startswith("Delete") else result
    operation = next(each for each in OPERATIONS if each.name == name)
    last = centre.service.answered[-1]
    assert len(centre.service.answered) > before
    assert (last.method, last.endpoint) == (operation.method, f"rest.{name}")
    assert last.status == operation.status
