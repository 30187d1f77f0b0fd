"""/v1/Workspaces/{sid}/Tasks: the work itself."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from flask import Response, request
from msgspec import Meta

from routing.api.operations import Door, InWorkspace, Resource, answer, created, deleted
from routing.api.paging import (
    BY_CREATION,
    By,
    Order,
    Page,
    Paged,
    ordered_by,
    ordering,
    page_answer,
    page_of,
)
from routing.api.parameters import (
    AttributesText,
    DateTime,
    ExpressionText,
    Parameters,
    RoutingTarget,
    StatusList,
    TaskQueueSid,
    Text,
    Truth,
    WorkflowSid,
    if_match,
    read_expression,
)
from routing.api.representation import Body
from routing.api.stored import Stored
from routing.configuration import Configuration
from routing.engine import placement, rerouting, tasks
from routing.errors import InvalidParameter
from routing.ports import Work
from routing.task import (
    CANCELED,
    COMPLETED,
    DEFAULT_TIMEOUT_SECONDS,
    MAX_PRIORITY,
    MAX_TIMEOUT_SECONDS,
    WRAPPING,
    Task,
)

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Tasks"
_ONE = "/Workspaces/<workspace_sid>/Tasks/<task_sid>"
_ORDERINGS = {
    "DateCreated": "created_at",
    "Priority": "priority",
    "VirtualStartTime": "virtual_start_at",
}
#: What a program may ask a Task to become; the other states come about by Reservations.
_MOVES: dict[str, Callable[..., Task]] = {
    COMPLETED: tasks.complete,
    CANCELED: tasks.cancel,
    WRAPPING: tasks.wrap_up,
}
Priority = Annotated[int, Meta(ge=0, le=MAX_PRIORITY)]


class CreateTask(Parameters, frozen=True, kw_only=True, rename="pascal"):
    attributes: AttributesText = "{}"
    workflow_sid: WorkflowSid | None = None
    task_channel: Text = "default"
    priority: Priority = 0
    timeout: Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_SECONDS)] = DEFAULT_TIMEOUT_SECONDS
    virtual_start_time: DateTime | None = None
    routing_target: RoutingTarget | None = None
    ignore_capacity: Truth | None = None
    task_queue_sid: TaskQueueSid | None = None


class UpdateTask(Parameters, frozen=True, kw_only=True, rename="pascal"):
    attributes: AttributesText | None = None
    assignment_status: (
        Literal["pending", "reserved", "assigned", "canceled", "completed", "wrapping"] | None
    ) = None
    reason: Text | None = None
    priority: Priority | None = None
    task_channel: Text | None = None
    virtual_start_time: DateTime | None = None
    #: Ours, named as for Workflows: the guides speak of it, Twilio's reference has no such name.
    re_evaluate_tasks: Truth | None = None
    #: Ours: the TaskQueue that a waiting Task is sent to.
    task_queue_sid: TaskQueueSid | None = None


class ListTask(Paged, frozen=True, kw_only=True, rename="pascal"):
    priority: Priority | None = None
    assignment_status: StatusList | None = None
    workflow_sid: WorkflowSid | None = None
    workflow_name: Text | None = None
    task_queue_sid: TaskQueueSid | None = None
    task_queue_name: Text | None = None
    evaluate_task_attributes: ExpressionText | None = None
    routing_target: RoutingTarget | None = None
    ordering: Annotated[str, ordered_by(_ORDERINGS)] | None = None
    has_addons: bool | None = None


def _body(door: Door, done: InWorkspace[Task]) -> Body:
    return door.represent.task(done.result, done.configuration, door.engine.clock.now())


@resource.operation("ListTask", "GET", _ALL, ListTask)
def list_tasks(door: Door, given: ListTask, workspace_sid: str) -> Response:
    found = door.read(_page, workspace_sid=workspace_sid, given=given)
    now = door.engine.clock.now()
    return page_answer(
        "tasks",
        given,
        found.result,
        lambda task: door.represent.task(task, found.configuration, now),
        door.represent.base,
        versioned=lambda task: task,
    )


def _page(work: Work, *, workspace_sid: str, given: ListTask) -> Page[Task]:
    configuration = work.configuration(workspace_sid)
    equal = _filters(configuration, given)
    return page_of(
        given, Stored(work, Task, equal, order_of(given.ordering)), _wanted(configuration, given)
    )


def order_of(text: str | None) -> Order:
    """What an Ordering says; raises InvalidParameter."""
    order = ordering(text, _ORDERINGS, BY_CREATION)
    if [by.column for by in order] == ["priority", "sid"]:
        # By priority alone: among equals as an index has them, the oldest first or last.
        first = order[0].descending
        order = (order[0], By("created_at", not first), By("sid", not first))
    if {"created_at", "virtual_start_at"} <= {by.column for by in order}:
        raise InvalidParameter("Ordering", "expected DateCreated or VirtualStartTime, not both")
    return order


def _filters(configuration: Configuration, given: ListTask) -> dict[str, Any]:
    """The columns that the filters ask for; a set where several values will do."""
    equal: dict[str, Any] = {"workspace_sid": configuration.workspace.sid}
    if given.has_addons:
        equal["sid"] = frozenset()  # add-ons come with calls that other parties enrich
    for column in ("priority", "workflow_sid", "task_queue_sid", "routing_target"):
        value = getattr(given, column)
        if value is not None:
            equal[column] = value
    if given.assignment_status is not None:
        equal["assignment_status"] = frozenset(given.assignment_status)
    for column, name, records in (
        ("workflow_sid", given.workflow_name, configuration.workflows),
        ("task_queue_sid", given.task_queue_name, configuration.task_queues),
    ):
        if name is not None or column in equal:
            equal[column] = frozenset(
                sid
                for sid, record in records.items()
                if name in {None, record.friendly_name} and equal.get(column, sid) == sid
            )
    return equal


def _wanted(configuration: Configuration, given: ListTask) -> Callable[[Task], bool] | None:
    if given.evaluate_task_attributes is None:
        return None
    expression = read_expression(given.evaluate_task_attributes, "EvaluateTaskAttributes")
    return lambda task: expression.matches(placement.task_context(configuration, task))


@resource.operation("CreateTask", "POST", _ALL, CreateTask)
def create(door: Door, given: CreateTask, workspace_sid: str) -> Response:
    done = door.add(tasks.create, workspace_sid=workspace_sid, **_columns(given))
    return created(_body(door, done), version=done.result.version)


def _columns(given: Parameters) -> dict[str, Any]:
    """The parameters by the engine's names; it says instants and units in its names."""
    columns = given.given()
    for theirs, ours in (
        ("timeout", "timeout_seconds"),
        ("re_evaluate_tasks", "re_evaluate"),
        ("virtual_start_time", "virtual_start_at"),
    ):
        if theirs in columns:
            columns[ours] = columns.pop(theirs)
    return columns


@resource.operation("FetchTask", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str, task_sid: str) -> Response:
    found = door.fetch(tasks.find, workspace_sid=workspace_sid, task_sid=task_sid)
    return answer(_body(door, found), version=found.result.version)


@resource.operation("UpdateTask", "POST", _ONE, UpdateTask, has_version=True)
def update(door: Door, given: UpdateTask, workspace_sid: str, task_sid: str) -> Response:
    done = door.perform(
        _update,
        workspace_sid=workspace_sid,
        task_sid=task_sid,
        given=given,
        if_match=if_match(request),
    )
    return answer(_body(door, done), version=done.result.version)


def _update(
    work: Work, *, workspace_sid: str, task_sid: str, given: UpdateTask, if_match: int | None
) -> Task:
    columns = _columns(given)
    status, reason = columns.pop("assignment_status", None), columns.pop("reason", None)
    queue_sid = columns.pop("task_queue_sid", None)
    if status is not None and status not in _MOVES:
        raise InvalidParameter("AssignmentStatus", f"expected one of {', '.join(_MOVES)}")
    if status in {WRAPPING, COMPLETED} and given.attributes is not None:
        # Twilio, "Tasks": the two need a request each; what is canceled may say why at once.
        raise InvalidParameter("Attributes", f"expected none together with {status}")
    task = tasks.update(
        work, workspace_sid=workspace_sid, task_sid=task_sid, if_match=if_match, **columns
    )
    if queue_sid is not None:
        task = rerouting.move(
            work, workspace_sid=workspace_sid, task_sid=task_sid, task_queue_sid=queue_sid
        )
    if status is None:
        return task
    return _MOVES[status](work, workspace_sid=workspace_sid, task_sid=task_sid, reason=reason)


@resource.operation("DeleteTask", "DELETE", _ONE, Parameters, has_version=True)
def delete(door: Door, _given: Parameters, workspace_sid: str, task_sid: str) -> Response:
    door.engine.perform(
        tasks.delete, workspace_sid=workspace_sid, task_sid=task_sid, if_match=if_match(request)
    )
    return deleted()
