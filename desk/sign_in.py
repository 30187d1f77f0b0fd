"""In and out: with a password, or by one click where this machine is all there is."""

import hashlib
from typing import Any, Final

import structlog
from flask import Request, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from desk import passwords
from desk.places import Places, address, is_from_this_machine
from desk.refusals import Refused, answer
from desk.sessions import Visitor, Visitors
from desk.settings import DeskSettings
from routing.clock import iso_8601
from routing.engine import Engine, sessions, users
from routing.engine.sessions import Allowance
from routing.errors import Conflict, InvalidParameter
from routing.json_text import JSONObject, kind_of, read_object
from routing.ports import Work
from routing.user import AGENT, User

_log = structlog.get_logger(__name__)

#: Characters of a body: names and passwords.
MAX_BODY: Final = 4096
#: How many wrong passwords at once, and in how many seconds one more: of a name from one address,
#: from one address, and of a name from anywhere. A person never meets them; who guesses does soon.
#: The last one is wide, so that nobody is kept out by others for long.
_OF_NAME_AND_ADDRESS: Final = (5, 60)
_OF_ADDRESS: Final = (30, 20)
_OF_NAME: Final = (50, 20)
#: Two that arrive together both want to write the first row; one of them tries again.
_TRIES_AT_CONFLICT: Final = 3


class SignIn:
    """The views; `tell` is what /desk/session answers."""

    def __init__(self, engine: Engine, settings: DeskSettings, visitors: Visitors) -> None:
        self._engine = engine
        self._settings = settings
        self._visitors = visitors
        self._places = Places(settings)

    def session(self) -> Response:
        return answer(self.tell(self._visitors.of(request)))

    def sign_in(self) -> Response:
        """Raises Refused: 401 for a pair that does not fit, 429 for too many of them."""
        told = body_of(request)
        name, password = text_of(told, "name"), text_of(told, "password")
        ours = self._count(name)
        user = self._engine.glance(users.named, name=name)
        fits = passwords.is_right(password, user.password_hash if user else None)
        if user is None or not fits or user.is_disabled:
            _log.warning("sign-in refused", address=address(request))
            raise Refused(401, "Unauthorized: expected the name and the password of a user")
        if user.password_hash and passwords.is_outdated(user.password_hash):
            anew = passwords.hashed(password)
            self._engine.perform(users.hash_anew, user_sid=user.sid, password_hash=anew)
        self._engine.perform(sessions.forgive, digest=ours)
        return answer(self.tell(self.enter(user)))

    def enter(self, user: User) -> Visitor:
        """The user is who they say: signed in, under a new cookie."""
        visitor = self._visitors.sign_in(self._visitors.of(request), user.sid)
        _log.info("signed in", user_sid=user.sid, role=user.role, address=address(request))
        return visitor

    def sign_out(self) -> Response:
        visitor = self._visitors.of(request)
        if visitor.signed_in is not None:
            _log.info("signed out", user_sid=visitor.signed_in.user.sid)
        self._visitors.sign_out(visitor)
        return Response(status=204)

    def demo(self) -> Response:
        self.require_demo()
        name = text_of(body_of(request), "name")
        user = self._engine.glance(users.named, name=name)
        if user is None or not user.is_demo or user.is_disabled:
            raise InvalidParameter("name", "expected the name of a demo user")
        return answer(self.tell(self.enter(user)))

    def users(self) -> Response:
        """Who is who, for those who read what somebody has done. Raises Refused."""
        signed_in = self._visitors.of(request).signed_in
        if signed_in is None:
            raise Refused(401, "Unauthorized: expected somebody who has signed in")
        asking = signed_in.user
        if asking.role == AGENT:
            raise Refused(403, "Forbidden: the list of users is for supervisors and admins")
        everybody = self._engine.glance(users.every)
        if asking.workspace_sid is not None:
            everybody = [
                each for each in everybody if each.workspace_sid in {None, asking.workspace_sid}
            ]
        return answer(
            {"users": [_told(each) | {"worker_sid": each.worker_sid} for each in everybody]}
        )

    def require_demo(self) -> None:
        """Raises Refused unless the simulator stands in, and the browser is on this machine."""
        if not self.has_demo(request):
            raise Refused(
                403,
                "Forbidden: the demo is for the simulator, on a server that listens on loopback, "
                "and for a browser on the same machine",
            )

    def has_demo(self, asked: Request) -> bool:
        return self._settings.offers_demo and is_from_this_machine(asked)

    def demo_users(self) -> list[User]:
        return [
            user
            for user in self._engine.glance(users.every)
            if user.is_demo and not user.is_disabled
        ]

    def demo_agents(self) -> list[User]:
        """Those whose Workers are still there."""
        return [
            user
            for user in self.demo_users()
            if user.role == AGENT and self._engine.glance(_worker_sid, user=user) is not None
        ]

    def workspace_sid(self) -> str | None:
        """The one that is shown to whoever has not signed in."""
        return self._engine.glance(_placed, user=None)[0]

    def tell(self, visitor: Visitor) -> dict[str, object]:
        """What pages have to know before they do anything else."""
        signed_in = visitor.signed_in
        user = None if signed_in is None else signed_in.user
        workspace_sid, worker_sid = self._engine.glance(_placed, user=user)
        realtime, sockets = self._places.realtime(request), self._places.sockets(request)
        open_id = self._settings.open_id
        return {
            "user": None if user is None else _told(user) | {"worker_sid": worker_sid},
            "csrf": self._visitors.csrf_token(visitor),
            "expires_at": None if signed_in is None else iso_8601(signed_in.expires_at),
            "workspace_sid": workspace_sid,
            "account_sid": self._settings.account_sid,
            "has_account": self._settings.simulator_url is None,
            "realtime": {
                "ebServer": f"{realtime}/v1/wschannels",
                "wsServer": f"{sockets}/v1/wschannels",
                "feed": f"{sockets}/v1/Workspaces/{workspace_sid}/EventStream",
            },
            "simulator": self._places.simulator(request),
            "demo_users": [
                {"name": each.name, "display_name": each.display_name, "role": each.role}
                for each in (self.demo_users() if self.has_demo(request) else ())
            ],
            "open_id": None if open_id is None else {"name": open_id.label},
        }

    def _count(self, name: str) -> str:
        """Takes one of the tries that are left; the digest of those of this name from here."""
        whence, name = address(request), name.casefold()
        ours = _allowance(_OF_NAME_AND_ADDRESS, "name and address", name, whence)
        allowances = [
            ours,
            _allowance(_OF_ADDRESS, "address", whence),
            _allowance(_OF_NAME, "name", name),
        ]
        seconds = self._attempt(allowances)
        if seconds:
            _log.warning("too many sign-ins", address=whence, seconds=seconds)
            raise Refused(
                429,
                f"Too many tries to sign in: the next one is possible in {seconds} seconds",
                retry_after=seconds,
            )
        return ours.digest

    def _attempt(self, allowances: list[Allowance]) -> int:
        for _ in range(_TRIES_AT_CONFLICT):
            try:
                return self._engine.perform(sessions.attempt, allowances=allowances)
            except Conflict:
                continue
        return 1


def _allowance(limit: tuple[int, int], *whose: str) -> Allowance:
    digest = hashlib.sha256("\0".join(whose).encode()).hexdigest()
    return Allowance(digest=digest, tries=limit[0], seconds=limit[1])


def _told(user: User) -> dict[str, Any]:
    return {
        "sid": user.sid,
        "name": user.name,
        "display_name": user.display_name,
        "role": user.role,
    }


def _placed(work: Work, *, user: User | None) -> tuple[str | None, str | None]:
    """The Workspace that pages show to the user, and the Worker whom the user is there."""
    workspace_sid = None if user is None else user.workspace_sid
    if workspace_sid is None:
        oldest = work.workspaces.find(limit=1)
        workspace_sid = oldest[0].sid if oldest else None
    return workspace_sid, None if user is None else _worker_sid(work, user=user)


def _worker_sid(work: Work, *, user: User) -> str | None:
    worker = None if user.worker_sid is None else work.workers.get(user.worker_sid)
    return None if worker is None else worker.sid


def body_of(asked: Request) -> JSONObject:
    """The JSON object that was sent. Raises InvalidParameter."""
    if asked.mimetype != "application/json":
        raise InvalidParameter("Content-Type", "expected application/json")
    asked.max_content_length = MAX_BODY
    told = asked.get_data(cache=False)
    if len(told) > MAX_BODY:
        raise RequestEntityTooLarge
    return read_object(told, parameter="body", limit=MAX_BODY)


def text_of(told: JSONObject, name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidParameter(name, f"expected a text, found {kind_of(value)}")
    return value
