"""/v1/Workspaces/{sid}/TaskChannels: the kinds of work. By SID or by unique name."""

from flask import Response

from routing.api.operations import Door, Resource, answer, created, deleted
from routing.api.paging import InMemory, Paged, page_answer, page_of
from routing.api.parameters import Name, Parameters, UniqueName
from routing.engine import task_channels, workspaces

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/TaskChannels"
_ONE = "/Workspaces/<workspace_sid>/TaskChannels/<channel>"


class CreateTaskChannel(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Name
    unique_name: UniqueName
    channel_optimized_routing: bool = False


class UpdateTaskChannel(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Name | None = None
    channel_optimized_routing: bool | None = None


class ListTaskChannel(Paged, frozen=True, kw_only=True, rename="pascal"):
    pass


@resource.operation("ListTaskChannel", "GET", _ALL, ListTaskChannel)
def list_task_channels(door: Door, given: ListTaskChannel, workspace_sid: str) -> Response:
    configuration = door.engine.read(lambda work: work.configuration(workspace_sid))
    page = page_of(given, InMemory(tuple(configuration.task_channels.values())))
    return page_answer("channels", given, page, door.represent.task_channel, door.represent.base)


@resource.operation("CreateTaskChannel", "POST", _ALL, CreateTaskChannel)
def create(door: Door, given: CreateTaskChannel, workspace_sid: str) -> Response:
    done = door.perform(
        workspaces.create_task_channel, workspace_sid=workspace_sid, **given.given()
    )
    return created(door.represent.task_channel(done.result))


@resource.operation("FetchTaskChannel", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str, channel: str) -> Response:
    configuration = door.engine.read(lambda work: work.configuration(workspace_sid))
    return answer(door.represent.task_channel(task_channels.find(configuration, channel)))


@resource.operation("UpdateTaskChannel", "POST", _ONE, UpdateTaskChannel)
def update(door: Door, given: UpdateTaskChannel, workspace_sid: str, channel: str) -> Response:
    done = door.perform(
        task_channels.update, workspace_sid=workspace_sid, channel=channel, **given.given()
    )
    return answer(door.represent.task_channel(done.result))


@resource.operation("DeleteTaskChannel", "DELETE", _ONE, Parameters)
def delete(door: Door, _given: Parameters, workspace_sid: str, channel: str) -> Response:
    door.engine.perform(task_channels.delete, workspace_sid=workspace_sid, channel=channel)
    return deleted()
