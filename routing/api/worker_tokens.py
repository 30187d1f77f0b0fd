"""/v1/Workspaces/{sid}/Workers/{sid}/Token: a token for the Worker's own application.

Ours: with Twilio a program makes it with a helper library, which goes on working here, too.
"""

from typing import Annotated, Literal

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, created
from routing.api.parameters import Parameters
from routing.api.tokens import MAX_LIFE_SECONDS, WORKER_ROLE, make_token
from routing.clock import SECOND, iso_8601
from routing.engine import workers

resource = Resource()
_PATH = "/Workspaces/<workspace_sid>/Workers/<worker_sid>/Token"
_DEFAULT_SECONDS = 3600
#: Clients ask for a new one 5 seconds before the end.
_SHORTEST_SECONDS = 30


class CreateWorkerToken(Parameters, frozen=True, kw_only=True, rename="pascal"):
    ttl: Annotated[int, Meta(ge=_SHORTEST_SECONDS, le=MAX_LIFE_SECONDS)] = _DEFAULT_SECONDS
    role: Literal["worker", "supervisor"] = WORKER_ROLE


@resource.operation("CreateWorkerToken", "POST", _PATH, CreateWorkerToken, is_extension=True)
def create(door: Door, given: CreateWorkerToken, workspace_sid: str, worker_sid: str) -> Response:
    door.read(workers.find, workspace_sid=workspace_sid, worker_sid=worker_sid)
    now = door.engine.clock.now()
    token = make_token(
        account_sid=door.settings.account_sid,
        auth_token=door.settings.auth_tokens[0],
        workspace_sid=workspace_sid,
        worker_sid=worker_sid,
        role=given.role,
        now=now,
        seconds=given.ttl,
    )
    return created(
        {
            "account_sid": door.settings.account_sid,
            "workspace_sid": workspace_sid,
            "worker_sid": worker_sid,
            "role": given.role,
            "token": token,
            "date_expires": iso_8601(now + given.ttl * SECOND),
            "url": f"{door.represent.base}/Workspaces/{workspace_sid}/Workers/{worker_sid}/Token",
        }
    )
