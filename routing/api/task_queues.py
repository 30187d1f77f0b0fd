"""/v1/Workspaces/{sid}/TaskQueues: where Tasks wait, and for whom."""

from collections.abc import Mapping
from typing import Annotated

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer, created, deleted
from routing.api.paging import (
    BY_CREATION,
    InMemory,
    Paged,
    ordered_by,
    ordering,
    page_answer,
    page_of,
)
from routing.api.parameters import (
    ActivitySid,
    AttributesText,
    ExpressionText,
    LongName,
    Parameters,
    QueueOrder,
    Text,
    WorkerSid,
)
from routing.configuration import Configuration
from routing.engine import queues
from routing.engine.worker_context import worker_context
from routing.errors import InvalidParameter, NotFound
from routing.json_text import read_object
from routing.ports import Work
from routing.task_queue import EVERYBODY, MAX_RESERVED_WORKERS, TaskQueue, belonging
from routing.worker import MAX_ATTRIBUTES_CHARACTERS

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/TaskQueues"
_ONE = "/Workspaces/<workspace_sid>/TaskQueues/<task_queue_sid>"
_ORDERINGS = {"DateCreated": "created_at", "DateUpdated": "updated_at"}


_MaxReservedWorkers = Annotated[int, Meta(ge=1, le=MAX_RESERVED_WORKERS)]


class CreateTaskQueue(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: LongName
    target_workers: ExpressionText = EVERYBODY
    max_reserved_workers: _MaxReservedWorkers = 1
    task_order: QueueOrder = "FIFO"
    reservation_activity_sid: ActivitySid | None = None
    assignment_activity_sid: ActivitySid | None = None


class UpdateTaskQueue(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: LongName | None = None
    target_workers: ExpressionText | None = None
    max_reserved_workers: _MaxReservedWorkers | None = None
    task_order: QueueOrder | None = None
    reservation_activity_sid: ActivitySid | None = None
    assignment_activity_sid: ActivitySid | None = None


class ListTaskQueue(Paged, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Text | None = None
    evaluate_worker_attributes: AttributesText | None = None
    worker_sid: WorkerSid | None = None
    ordering: Annotated[str, ordered_by(_ORDERINGS)] | None = None


@resource.operation("ListTaskQueue", "GET", _ALL, ListTaskQueue)
def list_task_queues(door: Door, given: ListTaskQueue, workspace_sid: str) -> Response:
    found = door.read(_matching, workspace_sid=workspace_sid, given=given)
    order = ordering(given.ordering, _ORDERINGS, BY_CREATION)
    page = page_of(given, InMemory(found.result, order))
    return page_answer(
        "task_queues",
        given,
        page,
        lambda queue: door.represent.task_queue(queue, found.configuration),
        door.represent.base,
    )


def _matching(work: Work, *, workspace_sid: str, given: ListTaskQueue) -> list[TaskQueue]:
    configuration = work.configuration(workspace_sid)
    contexts = _contexts(work, configuration, given)
    return [
        queue
        for queue in configuration.task_queues.values()
        if given.friendly_name in {None, queue.friendly_name}
        and all(belonging(queue.target_workers).matches(context) for context in contexts)
    ]


def _contexts(
    work: Work, configuration: Configuration, given: ListTaskQueue
) -> list[Mapping[str, object]]:
    """The Workers, real or imagined, whose queues are asked for."""
    contexts: list[Mapping[str, object]] = []
    if given.evaluate_worker_attributes is not None:
        contexts.append(
            read_object(
                given.evaluate_worker_attributes,
                parameter="EvaluateWorkerAttributes",
                limit=MAX_ATTRIBUTES_CHARACTERS,
            )
        )
    if given.worker_sid is not None:
        worker = work.workers.get(given.worker_sid)
        if worker is None or worker.workspace_sid != configuration.workspace.sid:
            raise InvalidParameter("WorkerSid", "expected a Worker of this Workspace")
        contexts.append(worker_context(configuration, worker))
    return contexts


@resource.operation("CreateTaskQueue", "POST", _ALL, CreateTaskQueue)
def create(door: Door, given: CreateTaskQueue, workspace_sid: str) -> Response:
    done = door.perform(queues.create, workspace_sid=workspace_sid, **given.given())
    return created(door.represent.task_queue(done.result, done.configuration))


@resource.operation("FetchTaskQueue", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str, task_queue_sid: str) -> Response:
    configuration = door.engine.read(lambda work: work.configuration(workspace_sid))
    queue = configuration.task_queues.get(task_queue_sid)
    if queue is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/TaskQueues/{task_queue_sid}")
    return answer(door.represent.task_queue(queue, configuration))


@resource.operation("UpdateTaskQueue", "POST", _ONE, UpdateTaskQueue)
def update(door: Door, given: UpdateTaskQueue, workspace_sid: str, task_queue_sid: str) -> Response:
    done = door.perform(
        queues.update,
        workspace_sid=workspace_sid,
        task_queue_sid=task_queue_sid,
        **given.given(),
    )
    return answer(door.represent.task_queue(done.result, done.configuration))


@resource.operation("DeleteTaskQueue", "DELETE", _ONE, Parameters)
def delete(door: Door, _given: Parameters, workspace_sid: str, task_queue_sid: str) -> Response:
    door.engine.perform(queues.delete, workspace_sid=workspace_sid, task_queue_sid=task_queue_sid)
    return deleted()
