"""/desk/rest/...: the REST door, for people who have signed in, as far as their role reaches.

The table of rights sees the parameters as they are then sent on: they are written anew from what it
has looked at. Whatever changes something is logged, and its events tell who did it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
import structlog
from flask import Request, Response, request
from werkzeug.exceptions import NotFound, RequestEntityTooLarge, UnsupportedMediaType

from desk.places import address
from desk.refusals import Refused, answer
from desk.rights import Given, Missing, Right, right_to
from desk.sessions import Visitors
from desk.sign_in import body_of, text_of
from routing.engine import Engine, tasks
from routing.errors import Conflict, InvalidParameter
from routing.json_text import read_object
from routing.ports import Work
from routing.task import PENDING, Task
from routing.user import User

_log = structlog.get_logger(__name__)

METHODS: Final = ("GET", "POST", "DELETE")
#: The longest document is a Workflow's configuration of a megabyte, three bytes a letter.
MAX_BODY: Final = 3_200_000
MAX_FIELDS: Final = 1000
#: What paths of the REST door are made of; no part of one leads back.
_PATH: Final = re.compile(r"(/(?!\.)[A-Za-z0-9_$.-]{1,64})+")
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
#: What the guide of manual pulls writes into the Attributes of a Task.
_MANUAL: Final = "manual"
_WORKER_SID: Final = "worker_sid"

#: Runs a request at the REST door: keyword arguments method, path, query, body, content_type,
#: if_match and actor.
AskRest = Callable[..., Response]


def actor_of(user: User, asked: Request) -> Mapping[str, str]:
    """The user, as an Event tells of who caused it (Twilio, "Monitor Events")."""
    return {
        "type": "user",
        "sid": user.sid,
        "source": "web",
        "source_ip_address": address(asked),
    }


class Rest:
    def __init__(self, engine: Engine, visitors: Visitors, ask: AskRest) -> None:
        self._engine = engine
        self._visitors = visitors
        self._ask = ask

    def forward(self, path: str) -> Response:
        """Raises Refused without a session, and Missing where the role does not reach."""
        user = self._user()
        query = _pairs(request.query_string.decode("latin-1"))
        body, is_json = _body(request)
        form = [] if is_json else _pairs(body.decode("latin-1"))
        path = f"/{path}"
        if _PATH.fullmatch(path) is None:
            raise NotFound(f"The requested resource {path} was not found")
        given = _given([*query, *form])
        try:
            right = self._engine.glance(
                right_to, user=user, method=request.method, path=path, given=given
            )
        except Missing as error:
            _log.warning("not allowed", user_sid=user.sid, role=user.role, why=error.message)
            raise
        if is_json and right is not None and right.takes is not None:
            raise UnsupportedMediaType(f"expected {_FORM}")
        response = self._ask(
            method=request.method,
            path=path,
            query=urlencode(query),
            body=body if is_json else urlencode(form).encode(),
            content_type=_JSON if is_json else _FORM,
            if_match=request.headers.get("If-Match"),
            actor=actor_of(user, request),
        )
        if request.method != "GET":
            self._tell(user, path, sorted(given), response.status_code)
        return _without_attributes(response, user) if _hides(right, response) else response

    def pull(self) -> Response:
        """A Task that waits is to be offered to whoever asks, if its Workflow allows that."""
        user = self._user()
        task_sid = text_of(body_of(request), "task_sid")
        if user.worker_sid is None or user.workspace_sid is None:
            raise Refused(403, "Forbidden: the user is no Worker")
        task = self._engine.by(actor_of(user, request)).perform(
            _pull,
            workspace_sid=user.workspace_sid,
            task_sid=task_sid,
            worker_sid=user.worker_sid,
        )
        self._tell(user, f"/Workspaces/{user.workspace_sid}/Tasks/{task_sid}", ["pull"], 200)
        return answer(
            {
                "task_sid": task.sid,
                "assignment_status": task.assignment_status,
                "task_queue_sid": task.task_queue_sid,
            }
        )

    def _user(self) -> User:
        signed_in = self._visitors.of(request).signed_in
        if signed_in is None:
            raise Refused(401, "Unauthorized: expected somebody who has signed in")
        return signed_in.user

    def _tell(self, user: User, path: str, given: list[str], status: int) -> None:
        """Who did what: SIDs and names of parameters, never what a caller said."""
        _log.info(
            "changed by a user",
            user_sid=user.sid,
            role=user.role,
            method=request.method,
            path=path,
            parameters=given,
            status=status,
            address=address(request),
        )


def _pull(work: Work, *, workspace_sid: str, task_sid: str, worker_sid: str) -> Task:
    """The multitasking guide's manual pull: two Attributes, and through the Workflow anew."""
    task = tasks.find(work, workspace_sid=workspace_sid, task_sid=task_sid)
    task = work.tasks.get(task.sid, lock=True) or task
    if task.assignment_status != PENDING:
        raise Conflict("The Task does not wait any more; somebody else was faster.")
    attributes = read_object(task.attributes, parameter="Attributes")
    attributes |= {_MANUAL: 1, _WORKER_SID: worker_sid}
    return tasks.update(
        work,
        workspace_sid=workspace_sid,
        task_sid=task_sid,
        attributes=msgspec.json.encode(attributes).decode(),
        re_evaluate=True,
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    """The fields of a query or a form. Raises InvalidParameter for what is none."""
    try:
        return parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise InvalidParameter("parameters", "expected names and values, in UTF-8") from None


def _body(asked: Request) -> tuple[bytes, bool]:
    """The body, and whether it is JSON."""
    asked.max_content_length = MAX_BODY
    body = asked.get_data(cache=False)
    if len(body) > MAX_BODY:
        raise RequestEntityTooLarge
    if not body or asked.mimetype == _FORM:
        return body, False
    if asked.mimetype != _JSON:
        raise UnsupportedMediaType(f"expected {_FORM}")
    return body, True


def _given(pairs: list[tuple[str, str]]) -> Given:
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    return given


def _hides(right: Right | None, response: Response) -> bool:
    return right is not None and right.hides_attributes and response.status_code == 200  # noqa: PLR2004 - HTTP's OK


def _without_attributes(response: Response, user: User) -> Response:
    """Names and activities of colleagues, not what else is known of them."""
    told: dict[str, Any] = msgspec.json.decode(response.get_data())
    for worker in told["workers"]:
        if worker["sid"] != user.worker_sid:
            worker["attributes"] = "{}"
    response.set_data(msgspec.json.encode(told))
    return response
