"""The event bridge: what an agent's application asks for, over HTTP, with its token in the body.

A request names a resource and a method. Once token and route allow it, the REST door's own view for
that resource is run, with the parameters read by the same rules; only the way in (a JSON body, of
whatever Content-Type the SDK has sent) and the words of the answer are the bridge's own.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
import werkzeug.exceptions
from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map

from routing.api import door as rest
from routing.api import errors
from routing.api.operations import Door, Operation, RestSettings
from routing.api.paging import BY_CREATION, token_after
from routing.api.parameters import FORM, read_parameters
from routing.api.tokens import Bearer, check_token, path_of
from routing.engine import Engine, conversations
from routing.errors import InvalidParameter, NotFound, RoutingError
from routing.json_text import JSONObject, JSONValue, kind_of, read_object
from routing.ports import SigningKeys, Work
from routing.realtime import routes
from routing.realtime.answer_first import AnswerFirst
from routing.realtime.opening import Nobody, Watcher
from routing.realtime.policies import Forbidden, check_channel, check_policies
from routing.realtime.routes import Route
from routing.realtime.wire import Wire
from routing.reservation import LIVE
from routing.sids import is_sid
from routing.store import StoreUnavailable

logger = logging.getLogger(__name__)

#: The body's limit; the attributes of a Task have at most 4096 characters.
MAX_BODY_BYTES: Final = 262_144
#: What the SDK asks for where it says nothing.
DEFAULT_PAGE_SIZE: Final = 1000
#: Characters of a wrong value that are shown again.
_SHOWN: Final = 64
FOLDERS: Final = ("/v1/wschannels", "/wschannels")

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "apiVersion, clientVersion, If-Match, Content-Type",
    "Access-Control-Max-Age": "86400",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as its body says."""

    #: Without a query, which counts as parameters.
    url: str
    method: str
    params: JSONObject
    bearer: Bearer
    event_type: str | None

    @property
    def path(self) -> str:
        """Below the version, without a slash before it."""
        path = path_of(self.url)
        # The legacy SDK's Workspace asks for itself with a slash at the end.
        return path.removesuffix("/") if self.is_legacy else path

    @property
    def is_legacy(self) -> bool:
        """The v1 browser SDK names whole URLs."""
        return "://" in self.url


class Bridge:
    """What the door needs: engine, both ways to tell of things, and the keys of tokens."""

    def __init__(
        self,
        engine: Engine,
        settings: RestSettings,
        keys: SigningKeys,
        shown: Callable[[Bearer], None] = lambda _bearer: None,
    ) -> None:
        """`shown` is called with the token of each request, once it was checked."""
        self.shown = shown
        #: Is told what clients read, where their sockets are.
        self.watcher: Watcher = Nobody()
        marked = AnswerFirst(engine)
        self.settings = settings
        self.keys = keys
        self.legacy = Door(marked, settings)
        self.current = Door(marked, settings)
        self.current.represent = Wire(settings.account_sid, settings.public_url)

    def bearer(self, token: str) -> Bearer:
        """Raises TokenRefused."""
        return check_token(
            token,
            now=self.current.engine.clock.now(),
            account_sid=self.settings.account_sid,
            auth_tokens=self.settings.auth_tokens,
            keys=self.keys,
        )


def bridge_door(bridge: Bridge, *, at_root: bool = False) -> Blueprint:
    """POST and OPTIONS below /v1/wschannels, with and without a channel in the path.

    `at_root`: where nothing else is served, a bare host is understood as well, and whatever else is
    asked for is refused in the same words.
    """
    blueprint = Blueprint("bridge", __name__)

    def post(channel: str | None = None) -> Response:
        return _answer(bridge, channel)

    def preflight(channel: str | None = None) -> Response:  # noqa: ARG001 - of any channel
        return Response(status=204)

    paths = [path for folder in FOLDERS for path in (folder, f"{folder}/<path:channel>")]
    for number, path in enumerate(["/", *paths] if at_root else paths):
        endpoint = f"post_{number}"
        blueprint.add_url_rule(
            path, endpoint, post, methods=["POST"], provide_automatic_options=False
        )
        blueprint.add_url_rule(
            path,
            f"preflight_{endpoint}",
            preflight,
            methods=["OPTIONS"],
            provide_automatic_options=False,
        )
    blueprint.after_request(_allow_browsers)
    account_sid = bridge.settings.account_sid
    blueprint.register_error_handler(RoutingError, lambda error: _refusal(error, account_sid))
    blueprint.register_error_handler(HTTPException, _http_refusal)
    blueprint.register_error_handler(StoreUnavailable, errors.of_unavailable_store)
    blueprint.register_error_handler(Exception, errors.of_unexpected)
    if at_root:
        blueprint.app_errorhandler(HTTPException)(
            lambda error: _allow_browsers(_http_refusal(error))
        )
    return blueprint


def _allow_browsers(response: Response) -> Response:
    response.headers.update(_CORS)
    return response


def _refusal(error: RoutingError, account_sid: str) -> Response:
    """With the message as HTTP's reason phrase, too: all that the older SDKs show of it."""
    response = errors.of_routing_error(error, account_sid)
    said = msgspec.json.decode(response.get_data())["message"]
    phrase = "".join(letter if " " <= letter <= "~" else " " for letter in said)[:200]
    response.status = f"{response.status_code} {phrase}"
    return response


def _http_refusal(error: HTTPException) -> Response:
    return errors.of_http_error(error, request.path)


def _answer(bridge: Bridge, channel: str | None) -> Response:
    asked = _asked(bridge)
    bridge.shown(asked.bearer)
    check_channel(asked.bearer, "POST", _named_channel(channel))
    _check_workspace(asked)
    if asked.is_legacy or asked.bearer.is_capability:
        return _wrapped(asked, _carry_out(bridge, asked, _within_policies(asked)))
    run = _within_role(bridge, asked)
    left_out = bridge.watcher.asks(asked.bearer, run[0].name)
    response = _wrapped(asked, _carry_out(bridge, asked, run), left_out)
    bridge.watcher.is_answered(asked.bearer, run[0].name)
    return response


def _asked(bridge: Bridge) -> Asked:
    request.max_content_length = MAX_BODY_BYTES
    body = request.get_data(cache=False)
    if len(body) >= MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    told = read_object(body, parameter="body", limit=MAX_BODY_BYTES)
    bearer = bridge.bearer(_text(told, "token"))
    params = told.get("params") or {}
    if not isinstance(params, dict):
        raise InvalidParameter("params", f"expected an object, found {kind_of(params)}")
    event_type = told.get("event_type")
    # The legacy SDK asks for the next page by the URL that it was given for it.
    url, _, query = _text(told, "url").partition("?")
    return Asked(
        url=url,
        method=_text(told, "method").upper(),
        params={**dict(parse_qsl(query, keep_blank_values=True)), **params},
        bearer=bearer,
        event_type=event_type if isinstance(event_type, str) else None,
    )


def _text(told: JSONObject, name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidParameter(name, f"expected a string, found {kind_of(value)}")
    return value


def _named_channel(channel: str | None) -> str | None:
    """The channel at the end of `AC.../WK...`; the first clients of 0.x put a template there."""
    last = (channel or "").rpartition("/")[2]
    return last if is_sid(last) else None


def _check_workspace(asked: Asked) -> None:
    folder, _, rest = asked.path.partition("/")
    if folder == "Workspaces" and rest.partition("/")[0] != asked.bearer.workspace_sid:
        raise Forbidden("the token is for another Workspace")


_Run = tuple[Operation, Mapping[str, str], list[tuple[str, str]]]
"""What is to be done: the operation, the SIDs of its path and its parameters as texts."""


def _within_policies(asked: Asked) -> _Run:
    operation, sids = _matched(routes.legacy_routes(), asked)
    if asked.bearer.is_capability:
        check_policies(asked.bearer, asked.method, asked.path, asked.params)
    else:
        raise Forbidden("expected a relative url with an access token")
    return operation, sids, _pairs(asked.params.items())


def _within_role(bridge: Bridge, asked: Asked) -> _Run:
    route: Route
    route, sids = _matched(routes.ROUTES, asked)
    if asked.bearer.role not in route.roles:
        raise Forbidden(f"the role {asked.bearer.role} may not {asked.method} {asked.path}")
    params = {route.renames.get(name, name): value for name, value in asked.params.items()}
    if asked.bearer.role not in route.reaching:
        _OWN[route.own](bridge, asked.bearer, sids, params)
    taken = {name: params[name] for name in params if name in route.takes}
    if "PageSize" in route.takes:
        _page(bridge, asked, sids, params, taken)
    return route.operation, sids, _pairs(taken.items())


def _matched(map_: Map, asked: Asked) -> tuple[Any, Mapping[str, str]]:
    adapter = map_.bind("", script_name="/")
    found, sids = adapter.match(f"/{asked.path}", asked.method)  # or werkzeug's NotFound, ...
    if not all(rest.IN_PATH.fullmatch(sid) for sid in sids.values()):
        raise werkzeug.exceptions.NotFound
    return found, sids


def _own_worker(
    _bridge: Bridge, bearer: Bearer, sids: Mapping[str, str], _params: JSONObject
) -> None:
    if sids["worker_sid"] != bearer.worker_sid:
        raise Forbidden("the Worker is not the token's")


def _own_task(
    bridge: Bridge,
    bearer: Bearer,
    sids: Mapping[str, str],
    params: JSONObject,
    *,
    reads: bool = False,
) -> None:
    task_sid = sids.get("task_sid") or str(params.get("TaskSid"))
    if not bridge.current.engine.glance(_holds, bearer, task_sid, reads=reads):
        raise Forbidden("the Task is not the Worker's")


def _holds(work: Work, bearer: Bearer, task_sid: str, *, reads: bool) -> bool:
    """To look at a Task, having been offered it once is enough; to change it, it must be live."""
    task = work.tasks.get(task_sid)
    if task is None or task.workspace_sid != bearer.workspace_sid:
        raise NotFound(f"/Workspaces/{bearer.workspace_sid}/Tasks/{task_sid}")
    offered = work.reservations.find(task_sid=task_sid, worker_sid=bearer.worker_sid)
    if any(reads or reservation.reservation_status in LIVE for reservation in offered):
        return True
    return reads and task.routing_target == bearer.worker_sid


def _own_worker_and_task(
    bridge: Bridge, bearer: Bearer, sids: Mapping[str, str], params: JSONObject
) -> None:
    _own_worker(bridge, bearer, sids, params)
    _own_task(bridge, bearer, sids, params)


def _own_conversation(
    bridge: Bridge, bearer: Bearer, sids: Mapping[str, str], params: JSONObject
) -> None:
    """Whose Reservation it is need not be said then: it is the Worker's own."""
    own = bridge.current.engine.glance(
        conversations.part_of, task_sid=sids["task_sid"], worker_sid=bearer.worker_sid or ""
    )
    if own is None or params.get("ReservationSid", own.sid) != own.sid:
        raise Forbidden("the Worker is not in the Task's conversation")
    params["ReservationSid"] = own.sid


def _own_target(
    _bridge: Bridge, bearer: Bearer, _sids: Mapping[str, str], params: JSONObject
) -> None:
    if params.get("RoutingTarget") != bearer.worker_sid:
        raise Forbidden("expected the token's own Worker as RoutingTarget")


def _own_supervision(
    _bridge: Bridge, bearer: Bearer, _sids: Mapping[str, str], params: JSONObject
) -> None:
    if params.get("Instruction") != "supervise" or params.get("Supervisor") != bearer.worker_sid:
        raise Forbidden("expected to supervise, with the token's own Worker as Supervisor")


_OWN: Final[Mapping[str, Callable[[Bridge, Bearer, Mapping[str, str], JSONObject], None]]] = {
    routes.NOTHING: lambda *_: None,
    routes.WORKER: _own_worker,
    routes.TASK: _own_task,
    routes.SEEN_TASK: partial(_own_task, reads=True),
    routes.WORKER_AND_TASK: _own_worker_and_task,
    routes.CONVERSATION: _own_conversation,
    routes.TARGET: _own_target,
    routes.SUPERVISOR: _own_supervision,
}


def _page(
    bridge: Bridge,
    asked: Asked,
    sids: Mapping[str, str],
    params: JSONObject,
    taken: JSONObject,
) -> None:
    """The SDK's words for a page become the REST door's: after a SID, or by an opaque token."""
    taken.setdefault("PageSize", DEFAULT_PAGE_SIZE)
    if params.get("NextToken"):
        taken["PageToken"] = params["NextToken"]
    elif params.get("AfterSid"):
        after = str(params["AfterSid"])
        kind = asked.path.rpartition("/")[2]
        taken["PageToken"] = bridge.current.engine.glance(_token_after, sids, kind, after)


def _token_after(work: Work, sids: Mapping[str, str], kind: str, after: str) -> str:
    configuration = work.configuration(sids["workspace_sid"])
    rows: Mapping[str, Callable[[str], Any]] = {
        "Workers": work.workers.get,
        "Reservations": work.reservations.get,
        "WorkerChannels": work.worker_channels.get,
        "Channels": work.worker_channels.get,
        "TaskQueues": configuration.task_queues.get,
        "Activities": configuration.activities.get,
    }
    record = rows[kind](after)
    wrong_worker = getattr(record, "worker_sid", None) != sids.get("worker_sid")
    if record is None or record.workspace_sid != sids["workspace_sid"] or wrong_worker:
        raise InvalidParameter("AfterSid", f"expected the SID of one of the {kind}")
    return token_after(BY_CREATION, record)


def _pairs(params: Iterable[tuple[str, JSONValue]]) -> list[tuple[str, str]]:
    """Parameters as a form has them: what is an object in the SDK is JSON text at the REST door."""
    pairs: list[tuple[str, str]] = []
    for name, value in params:
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            pairs.extend((name, str(each)) for each in value)
        elif value is not None:
            pairs.append((name, _form_text(value)))
    return pairs


def _form_text(value: JSONValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return msgspec.json.encode(value).decode()


def _carry_out(bridge: Bridge, asked: Asked, run: _Run) -> Response:
    """Runs the REST door's view, in a request of its own that looks as REST's does."""
    operation, sids, pairs = run
    door = bridge.legacy if asked.is_legacy else bridge.current
    encoded = urlencode(pairs)
    environ = {
        "REQUEST_METHOD": asked.method,
        "PATH_INFO": f"/v1/{asked.path}",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "bridge",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "QUERY_STRING": "" if asked.method == "POST" else encoded,
        "CONTENT_TYPE": FORM,
        "CONTENT_LENGTH": str(len(encoded)) if asked.method == "POST" else "0",
        "wsgi.input": BytesIO(encoded.encode() if asked.method == "POST" else b""),
    }
    if_match = _if_match(asked, sids)
    if if_match is not None:
        environ["HTTP_IF_MATCH"] = if_match
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way
    try:
        with app.request_context(environ) as inner:
            return operation.view(door, read_parameters(inner.request, operation.takes), **sids)
    except InvalidParameter as error:
        raise _in_the_words_of_the_sdk(bridge, asked, operation, error) from None


def _in_the_words_of_the_sdk(
    bridge: Bridge, asked: Asked, operation: Operation, error: InvalidParameter
) -> RoutingError:
    """The texts that programs compare."""
    if operation.name == "CreateTask" and error.parameter == "WorkflowSid":
        return RoutingError(
            f"Value '{asked.params.get('WorkflowSid')}' provided for WorkflowSid as RoutingTarget "
            f"has an invalid format. WorkspaceSid: {asked.bearer.workspace_sid}, "
            f"AccountSid: {bridge.settings.account_sid}"
        )
    if operation.name == "CreateTask" and error.parameter == "TaskQueueSid":
        return RoutingError("HTTP 400 Bad Request")
    given = asked.params.get(error.parameter)
    if error.parameter.endswith("Sid") and isinstance(given, str):
        # Programs look for the SID that they gave in the message.
        expected = error.message.removeprefix(f"Invalid {error.parameter}: ")
        return InvalidParameter(error.parameter, f"{expected}, found {given[:_SHOWN]!r}")
    return error


def _if_match(asked: Asked, sids: Mapping[str, str]) -> str | None:
    """The version that the client believes in; of another Worker a supervisor sends its own."""
    if asked.bearer.worker_sid and sids.get("worker_sid") not in {None, asked.bearer.worker_sid}:
        return None
    return request.headers.get("If-Match")


def _wrapped(asked: Asked, response: Response, left_out: frozenset[str] = frozenset()) -> Response:
    payload = msgspec.json.decode(response.get_data()) if response.get_data() else {}
    told: dict[str, object] = {"payload": payload}
    if asked.is_legacy:
        if asked.event_type is not None:
            told["event_type"] = asked.event_type
    elif "meta" in payload:
        told["payload"] = _list(payload, left_out)
    # The legacy SDK takes nothing but 200 for a success, and the current one every 2xx.
    return Response(msgspec.json.encode(told), status=200, mimetype="application/json")


def _list(page: dict[str, Any], left_out: frozenset[str]) -> dict[str, object]:
    meta = page["meta"]
    contents = page[meta["key"]]
    following: str | None = meta["next_page_url"]
    return {
        "contents": [each for each in contents if each["sid"] not in left_out],
        "after_sid": contents[-1]["sid"] if following and contents else None,
        "before_sid": None,
        "meta": {
            "list_key": "contents",
            "next_token": following and following.rpartition("PageToken=")[2],
        },
        "page": meta["page"],
        "total": len(contents),
        "start": 0,
        "end": max(0, len(contents) - 1),
        "nextPage": None,
        "lastPage": None,
    }
