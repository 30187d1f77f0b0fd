"""/v1/Workspaces/{sid}/Activities: what Workers may be doing."""

from collections.abc import Callable

from flask import Response

from routing.api.operations import Door, Resource, answer, created, deleted
from routing.api.paging import InMemory, Paged, page_answer, page_of
from routing.api.parameters import Name, Parameters, Text, Truth
from routing.engine import workspaces
from routing.errors import NotFound
from routing.ports import Work
from routing.workspace import Activity

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Activities"
_ONE = "/Workspaces/<workspace_sid>/Activities/<activity_sid>"


class CreateActivity(Parameters, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Name
    available: Truth = False


class UpdateActivity(Parameters, frozen=True, kw_only=True, rename="pascal"):
    """Whether it is available never changes; clients that send it are not told off."""

    friendly_name: Name | None = None


class ListActivity(Paged, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Text | None = None
    available: Truth | None = None


@resource.operation("ListActivity", "GET", _ALL, ListActivity)
def list_activities(door: Door, given: ListActivity, workspace_sid: str) -> Response:
    configuration = door.engine.read(lambda work: work.configuration(workspace_sid))
    found = [
        activity
        for activity in configuration.activities.values()
        if given.friendly_name in {None, activity.friendly_name}
        and given.available in {None, activity.available}
    ]
    page = page_of(given, InMemory(found))
    return page_answer("activities", given, page, door.represent.activity, door.represent.base)


@resource.operation("CreateActivity", "POST", _ALL, CreateActivity)
def create(door: Door, given: CreateActivity, workspace_sid: str) -> Response:
    done = door.perform(workspaces.create_activity, workspace_sid=workspace_sid, **given.given())
    return created(door.represent.activity(done.result))


@resource.operation("FetchActivity", "GET", _ONE, Parameters)
def fetch(door: Door, _given: Parameters, workspace_sid: str, activity_sid: str) -> Response:
    found = door.engine.read(_find, workspace_sid=workspace_sid, activity_sid=activity_sid)
    return answer(door.represent.activity(found))


def _find(work: Work, *, workspace_sid: str, activity_sid: str) -> Activity:
    activity = work.configuration(workspace_sid).activities.get(activity_sid)
    if activity is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/Activities/{activity_sid}")
    return activity


@resource.operation("UpdateActivity", "POST", _ONE, UpdateActivity)
def update(door: Door, given: UpdateActivity, workspace_sid: str, activity_sid: str) -> Response:
    verb: Callable[..., Activity] = workspaces.rename_activity if given.friendly_name else _find
    done = door.perform(
        verb, workspace_sid=workspace_sid, activity_sid=activity_sid, **given.given()
    )
    return answer(door.represent.activity(done.result))


@resource.operation("DeleteActivity", "DELETE", _ONE, Parameters)
def delete(door: Door, _given: Parameters, workspace_sid: str, activity_sid: str) -> Response:
    door.engine.perform(
        workspaces.delete_activity, workspace_sid=workspace_sid, activity_sid=activity_sid
    )
    return deleted()
