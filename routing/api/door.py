"""The door itself: every resource on one blueprint, behind one guard, with one way to refuse."""

import re
from collections.abc import Callable
from typing import Final

from flask import Blueprint, Request, Response, g, request
from werkzeug.exceptions import HTTPException, NotFound

from routing.api import (
    activities,
    conferences,
    deliveries,
    errors,
    event_stream,
    events,
    explanations,
    exports,
    overview,
    reservations,
    series,
    task_channels,
    task_queue_statistics,
    task_queues,
    tasks,
    worker_channels,
    worker_statistics,
    worker_tokens,
    workers,
    workflow_statistics,
    workflows,
    workspace_statistics,
    workspaces,
)
from routing.api.authentication import authenticate
from routing.api.description import described
from routing.api.inside import actor_of
from routing.api.operations import Door, Operation, Resource, RestSettings, answer
from routing.api.parameters import Parameters, prepare, read_parameters
from routing.api.rate import RateLimit, with_headers
from routing.engine import Engine
from routing.errors import RoutingError
from routing.store import StoreUnavailable

PREFIX: Final = "/v1"
BLUEPRINT: Final = "rest"

#: Twilio's own.
OPERATIONS: Final[tuple[Operation, ...]] = tuple(
    operation
    for room in (
        workspaces,
        activities,
        task_channels,
        task_queues,
        workflows,
        workers,
        worker_channels,
        tasks,
        reservations,
        events,
        workspace_statistics,
        workflow_statistics,
        task_queue_statistics,
        worker_statistics,
    )
    for operation in room.resource.operations
)

_VERSIONED = re.compile(r"/v[0-9]+(/|$)")
#: A SID or a unique name; whatever looks otherwise names nothing that could be here.
IN_PATH = re.compile(r"[A-Za-z0-9_$]{1,64}")


_itself = Resource()


@_itself.operation("FetchDescription", "GET", "/openapi.json", Parameters, is_extension=True)
def _describe(door: Door, _given: Parameters) -> Response:
    return answer(described(EVERY_OPERATION, door.settings.public_url, PREFIX))


#: Twilio's operations, and ours.
EVERY_OPERATION: Final[tuple[Operation, ...]] = (
    *OPERATIONS,
    *(
        operation
        for room in (
            explanations,
            exports,
            overview,
            series,
            worker_tokens,
            deliveries,
            event_stream,
            conferences,
        )
        for operation in room.resource.operations
    ),
    *_itself.operations,
)


def rest_door(engine: Engine, settings: RestSettings) -> Blueprint:
    """TaskRouter v1 below /v1, for the composition root to register on its app.

    The guard looks at every request for a path below /v1, also where no resource answers there, and
    below any other version: a client that asks for one we do not have is answered in its own way.
    """
    blueprint = Blueprint(BLUEPRINT, __name__, url_prefix=PREFIX)
    door = Door(engine, settings)
    for operation in EVERY_OPERATION:
        prepare(operation.takes)
        blueprint.add_url_rule(
            operation.path,
            endpoint=operation.name,
            view_func=_view(door, operation),
            methods=[operation.method],
        )
    limit = RateLimit(settings.requests_per_second, engine.clock)
    blueprint.before_app_request(_guard(settings, limit))
    if settings.requests_per_second:
        blueprint.after_app_request(_with_what_is_left)
    blueprint.register_error_handler(
        RoutingError, lambda error: errors.of_routing_error(error, settings.account_sid)
    )
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.register_error_handler(StoreUnavailable, errors.of_unavailable_store)
    blueprint.register_error_handler(Exception, errors.of_unexpected)
    return blueprint


def _view(door: Door, operation: Operation) -> Callable[..., Response]:
    def view(**sids: str) -> Response:
        if not all(IN_PATH.fullmatch(sid) for sid in sids.values()):
            raise NotFound
        asked = _the_request()
        actor = actor_of(asked)
        whose = door if actor is None else door.by(actor)
        return operation.view(whose, read_parameters(asked, operation.takes), **sids)

    return view


def _the_request() -> Request:
    """The present request itself: its stand-in looks it up anew at each attribute."""
    return request._get_current_object()  # type: ignore[attr-defined, no-any-return] # noqa: SLF001 - werkzeug's documented way


def _guard(settings: RestSettings, limit: RateLimit) -> Callable[[], Response | None]:
    def guard() -> Response | None:
        asked = _the_request()
        below = _VERSIONED.match(asked.path) is not None
        if asked.blueprint not in {None, BLUEPRINT} or (not below and not asked.blueprint):
            return None  # another door's, which has a guard of its own
        if actor_of(asked) is not None:
            return _of_nowhere(asked)  # another door has let it in
        try:
            user = authenticate(
                asked.authorization,
                settings.account_sid,
                settings.auth_tokens,
                settings.signing_keys,
            )
            if settings.requests_per_second:
                g.rate_limit = limit.told(0)
                g.rate_limit = limit.take(user)
        except HTTPException as refusal:
            return _http_error(refusal)
        return _of_nowhere(asked)

    return guard


def _of_nowhere(asked: Request) -> Response | None:
    """An unknown path belongs to no blueprint, so its refusal would not be told in our shape."""
    unknown = asked.routing_exception
    if isinstance(unknown, HTTPException) and (unknown.code or 500) >= 400:  # noqa: PLR2004
        return _http_error(unknown)
    return None


def _with_what_is_left(response: Response) -> Response:
    return with_headers(response, g.get("rate_limit", {}))


def _http_error(error: HTTPException) -> Response:
    path = request.path
    if path.startswith(f"{PREFIX}/"):
        path = path.removeprefix(PREFIX)  # as Twilio names its resources
    return errors.of_http_error(error, path)
