"""/v1/Workspaces/{sid}/Workflows: the documents that send Tasks to TaskQueues."""

from typing import Annotated

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer, created, deleted
from routing.api.paging import InMemory, Paged, page_answer, page_of
from routing.api.parameters import (
    MAX_DOCUMENT_BODY_BYTES,
    ConfigurationText,
    LongName,
    Parameters,
    Text,
    Truth,
    Url,
)
from routing.configuration import (
    DEFAULT_RESERVATION_TIMEOUT_SECONDS,
    MAX_RESERVATION_TIMEOUT_SECONDS,
)
from routing.engine import workflows
from routing.errors import NotFound

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Workflows"
_ONE = "/Workspaces/<workspace_sid>/Workflows/<workflow_sid>"


_ReservationTimeout = Annotated[int, Meta(ge=1, le=MAX_RESERVATION_TIMEOUT_SECONDS)]


class CreateWorkflow(Parameters, frozen=True, kw_only=True, rename="pascal"):
    max_body_bytes = MAX_DOCUMENT_BODY_BYTES

    friendly_name: LongName
    configuration: ConfigurationText
    assignment_callback_url: Url | None = None
    fallback_assignment_callback_url: Url | None = None
    task_reservation_timeout: _ReservationTimeout = DEFAULT_RESERVATION_TIMEOUT_SECONDS


class UpdateWorkflow(Parameters, frozen=True, kw_only=True, rename="pascal"):
    max_body_bytes = MAX_DOCUMENT_BODY_BYTES

    friendly_name: LongName | None = None
    configuration: ConfigurationText | None = None
    assignment_callback_url: Url | None = None
    fallback_assignment_callback_url: Url | None = None
    task_reservation_timeout: _ReservationTimeout | None = None
    re_evaluate_tasks: Truth = False


class ListWorkflow(Paged, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Text | None = None


@resource.operation("ListWorkflow", "GET", _ALL, ListWorkflow)
def list_workflows(door: Door, given: ListWorkflow, workspace_sid: str) -> Response:
    configuration = door.engine.read(lambda work: work.configuration(workspace_sid))
    found = [
        workflow
        for workflow in configuration.workflows.values()
        if given.friendly_name in {None, workflow.friendly_name}
    ]
    page = page_of(given, InMemory(found))
    return page_answer("workflows", given, page, door.represent.workflow, door.represent.base)


@resource.operation("CreateWorkflow", "POST", _ALL, CreateWorkflow)
def create(door: Door, given: CreateWorkflow, workspace_sid: str) -> Response:
    done = door.perform(workflows.create, workspace_sid=workspace_sid, **given.given())
    return created(door.represent.workflow(done.result))


@resource.operation("FetchWorkflow", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str, workflow_sid: str) -> Response:
    configuration = door.engine.read(lambda work: work.configuration(workspace_sid))
    workflow = configuration.workflows.get(workflow_sid)
    if workflow is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/Workflows/{workflow_sid}")
    return answer(door.represent.workflow(workflow))


@resource.operation("UpdateWorkflow", "POST", _ONE, UpdateWorkflow)
def update(door: Door, given: UpdateWorkflow, workspace_sid: str, workflow_sid: str) -> Response:
    done = door.perform(
        workflows.update, workspace_sid=workspace_sid, workflow_sid=workflow_sid, **given.given()
    )
    return answer(door.represent.workflow(done.result))


@resource.operation("DeleteWorkflow", "DELETE", _ONE, Parameters)
def delete(door: Door, _given: Parameters, workspace_sid: str, workflow_sid: str) -> Response:
    door.engine.perform(workflows.delete, workspace_sid=workspace_sid, workflow_sid=workflow_sid)
    return deleted()
