"""/v1/Workspaces: where everything else is."""

from flask import Response

from routing.api.operations import Door, Resource, answer, created, deleted
from routing.api.paging import InMemory, Page, Paged, page_answer, page_of
from routing.api.parameters import (
    ActivitySid,
    Name,
    Parameters,
    QueueOrder,
    Template,
    Text,
    Url,
)
from routing.configuration import Configuration
from routing.engine import templates, workspaces
from routing.ports import Work
from routing.workspace import Workspace

resource = Resource()
_ALL = "/Workspaces"
_ONE = "/Workspaces/<workspace_sid>"


class CreateWorkspace(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Name
    event_callback_url: Url | None = None
    events_filter: Text | None = None
    multi_task_enabled: bool = True
    template: Template = "NONE"
    prioritize_queue_order: QueueOrder = "FIFO"


class UpdateWorkspace(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Name | None = None
    event_callback_url: Url | None = None
    events_filter: Text | None = None
    multi_task_enabled: bool | None = None
    prioritize_queue_order: QueueOrder | None = None
    default_activity_sid: ActivitySid | None = None
    timeout_activity_sid: ActivitySid | None = None


class ListWorkspace(Paged, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Text | None = None


@resource.operation("ListWorkspace", "GET", _ALL, ListWorkspace)
def list_workspaces(door: Door, given: ListWorkspace) -> Response:
    page, configurations = door.engine.read(_page, given)
    return page_answer(
        "workspaces",
        given,
        page,
        lambda workspace: door.represent.workspace(configurations[workspace.sid]),
        door.represent.base,
    )


def _page(work: Work, given: ListWorkspace) -> tuple[Page[Workspace], dict[str, Configuration]]:
    page = page_of(given, InMemory(work.workspaces.find(**given.filters())))
    return page, {found.sid: work.configuration(found.sid) for found in page.records}


@resource.operation("CreateWorkspace", "POST", _ALL, CreateWorkspace)
def create(door: Door, given: CreateWorkspace) -> Response:
    configuration = door.engine.perform(_create, given)
    return created(door.represent.workspace(configuration))


def _create(work: Work, given: CreateWorkspace) -> Configuration:
    return work.configuration(templates.create_workspace(work, **given.given()).sid)


@resource.operation("FetchWorkspace", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str) -> Response:
    configuration = door.engine.read(lambda work: work.configuration(workspace_sid))
    return answer(door.represent.workspace(configuration))


@resource.operation("UpdateWorkspace", "POST", _ONE, UpdateWorkspace)
def update(door: Door, given: UpdateWorkspace, workspace_sid: str) -> Response:
    done = door.perform(workspaces.update, workspace_sid=workspace_sid, **given.given())
    return answer(door.represent.workspace(done.configuration))


@resource.operation("DeleteWorkspace", "DELETE", _ONE, Parameters)
def delete(door: Door, _given: Parameters, workspace_sid: str) -> Response:
    door.engine.perform(workspaces.delete, workspace_sid=workspace_sid)
    return deleted()
