"""/v1/Workspaces/{sid}/Workers: who does the work."""

from collections.abc import Callable
from typing import Annotated, Any

from flask import Response, request

from routing.api.operations import Door, Resource, answer, created, deleted
from routing.api.paging import (
    BY_CREATION,
    Page,
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
    Name,
    Parameters,
    TaskQueueSid,
    Text,
    Truth,
    if_match,
    read_expression,
)
from routing.api.stored import Stored
from routing.configuration import Configuration
from routing.engine import workers
from routing.engine.worker_context import loaded_context, worker_context
from routing.expressions import Expression
from routing.ports import Work
from routing.task_queue import belonging, of_workers, reads_load
from routing.worker import Worker

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Workers"
_ONE = "/Workspaces/<workspace_sid>/Workers/<worker_sid>"
_ORDERINGS = {
    "DateCreated": "created_at",
    "DateUpdated": "updated_at",
    "DateStatusChanged": "status_changed_at",
}


class CreateWorker(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Name
    activity_sid: ActivitySid | None = None
    attributes: AttributesText = "{}"


class UpdateWorker(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Name | None = None
    activity_sid: ActivitySid | None = None
    attributes: AttributesText | None = None
    reject_pending_reservations: bool = False


class ListWorker(Paged, frozen=True, kw_only=True, rename="pascal"):
    activity_name: Text | None = None
    activity_sid: ActivitySid | None = None
    available: Truth | None = None
    friendly_name: Text | None = None
    target_workers_expression: ExpressionText | None = None
    task_queue_name: Text | None = None
    task_queue_sid: TaskQueueSid | None = None
    ordering: Annotated[str, ordered_by(_ORDERINGS)] | None = None


@resource.operation("ListWorker", "GET", _ALL, ListWorker)
def list_workers(door: Door, given: ListWorker, workspace_sid: str) -> Response:
    found = door.read(_page, workspace_sid=workspace_sid, given=given)
    return page_answer(
        "workers",
        given,
        found.result,
        lambda worker: door.represent.worker(worker, found.configuration),
        door.represent.base,
        versioned=lambda worker: worker,
    )


def _page(work: Work, *, workspace_sid: str, given: ListWorker) -> Page[Worker]:
    configuration = work.configuration(workspace_sid)
    equal: dict[str, Any] = {"workspace_sid": workspace_sid}
    if given.friendly_name is not None:
        equal["friendly_name"] = given.friendly_name
    activity_sids = _activity_sids(configuration, given)
    if activity_sids is not None:
        equal["activity_sid"] = activity_sids
    order = ordering(given.ordering, _ORDERINGS, BY_CREATION)
    return page_of(given, Stored(work, Worker, equal, order), _wanted(work, configuration, given))


def _activity_sids(configuration: Configuration, given: ListWorker) -> frozenset[str] | None:
    """The Activities that the filters leave; None where they ask nothing of it."""
    if (given.activity_name, given.activity_sid, given.available) == (None, None, None):
        return None
    return frozenset(
        activity.sid
        for activity in configuration.activities.values()
        if given.activity_sid in {None, activity.sid}
        and given.activity_name in {None, activity.friendly_name}
        and given.available in {None, activity.available}
    )


def _wanted(
    work: Work, configuration: Configuration, given: ListWorker
) -> Callable[[Worker], bool] | None:
    #: Of each group, one has to match.
    groups: list[list[Expression]] = []
    if given.target_workers_expression is not None:
        asked = read_expression(given.target_workers_expression, "TargetWorkersExpression")
        groups.append([of_workers(asked)])
    if given.task_queue_sid is not None or given.task_queue_name is not None:
        queues = [
            belonging(queue.target_workers)
            for queue in configuration.task_queues.values()
            if given.task_queue_sid in {None, queue.sid}
            and given.task_queue_name in {None, queue.friendly_name}
        ]
        if not queues:
            return lambda _worker: False
        groups.append(queues)
    if not groups:
        return None

    is_lively = any(reads_load(each) for group in groups for each in group)

    def wanted(worker: Worker) -> bool:
        context = (
            loaded_context(work, configuration, worker)
            if is_lively
            else worker_context(configuration, worker)
        )
        return all(any(one.matches(context) for one in group) for group in groups)

    return wanted


@resource.operation("CreateWorker", "POST", _ALL, CreateWorker)
def create(door: Door, given: CreateWorker, workspace_sid: str) -> Response:
    done = door.perform(workers.create, workspace_sid=workspace_sid, **given.given())
    body = door.represent.worker(done.result, done.configuration)
    return created(body, version=done.result.version)


@resource.operation("FetchWorker", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str, worker_sid: str) -> Response:
    done = door.fetch(workers.find, workspace_sid=workspace_sid, worker_sid=worker_sid)
    body = door.represent.worker(done.result, done.configuration)
    return answer(body, version=done.result.version)


@resource.operation("UpdateWorker", "POST", _ONE, UpdateWorker, has_version=True)
def update(door: Door, given: UpdateWorker, workspace_sid: str, worker_sid: str) -> Response:
    done = door.perform(
        workers.update,
        workspace_sid=workspace_sid,
        worker_sid=worker_sid,
        if_match=if_match(request),
        **given.given(),
    )
    body = door.represent.worker(done.result, done.configuration)
    return answer(body, version=done.result.version)


@resource.operation("DeleteWorker", "DELETE", _ONE, Parameters, has_version=True)
def delete(door: Door, _given: Parameters, workspace_sid: str, worker_sid: str) -> Response:
    door.engine.perform(
        workers.delete,
        workspace_sid=workspace_sid,
        worker_sid=worker_sid,
        if_match=if_match(request),
    )
    return deleted()
