"""/v1/Workspaces/{sid}/Workers/{sid}/Channels: how much of each kind of work somebody handles."""

from typing import Annotated

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer
from routing.api.paging import InMemory, Paged, page_answer, page_of
from routing.api.parameters import Parameters
from routing.engine import workers
from routing.ports import Work
from routing.worker import WorkerChannel

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Workers/<worker_sid>/Channels"
_ONE = "/Workspaces/<workspace_sid>/Workers/<worker_sid>/Channels/<channel>"


class UpdateWorkerChannel(Parameters, frozen=True, kw_only=True, rename="pascal"):
    capacity: Annotated[int, Meta(ge=0, le=workers.MAX_CAPACITY)] | None = None
    available: bool | None = None


class ListWorkerChannel(Paged, frozen=True, kw_only=True, rename="pascal"):
    pass


@resource.operation("ListWorkerChannel", "GET", _ALL, ListWorkerChannel)
def list_worker_channels(
    door: Door, given: ListWorkerChannel, workspace_sid: str, worker_sid: str
) -> Response:
    found = door.read(_of_worker, workspace_sid=workspace_sid, worker_sid=worker_sid)
    return page_answer(
        "channels",
        given,
        page_of(given, InMemory(found.result)),
        lambda channel: door.represent.worker_channel(channel, found.configuration),
        door.represent.base,
    )


def _of_worker(work: Work, *, workspace_sid: str, worker_sid: str) -> list[WorkerChannel]:
    workers.find(work, workspace_sid=workspace_sid, worker_sid=worker_sid)
    return work.worker_channels.find(worker_sid=worker_sid)


@resource.operation("FetchWorkerChannel", "GET", _ONE, Parameters)
def fetch(
    door: Door, _given: Parameters, workspace_sid: str, worker_sid: str, channel: str
) -> Response:
    found = door.read(
        workers.find_channel,
        workspace_sid=workspace_sid,
        worker_sid=worker_sid,
        channel=channel,
    )
    return answer(door.represent.worker_channel(found.result, found.configuration))


@resource.operation("UpdateWorkerChannel", "POST", _ONE, UpdateWorkerChannel)
def update(
    door: Door, given: UpdateWorkerChannel, workspace_sid: str, worker_sid: str, channel: str
) -> Response:
    done = door.perform(
        workers.set_channel,
        workspace_sid=workspace_sid,
        worker_sid=worker_sid,
        channel=channel,
        **given.given(),
    )
    return answer(door.represent.worker_channel(done.result, done.configuration))
