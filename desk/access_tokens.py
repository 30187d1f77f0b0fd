"""The tokens with which pages enter the realtime door, as any application of an agent's does.

They are short-lived, and renewed as long as the session lives: whoever is signed out, or disabled,
is out there as well a few minutes later.
"""

from collections.abc import Callable
from typing import Final

from flask import Response, request

from desk.refusals import Refused, answer
from desk.sessions import Visitors
from desk.sign_in import SignIn, body_of, text_of
from routing.clock import SECOND, iso_8601
from routing.engine import Engine
from routing.errors import InvalidParameter, NotFound
from routing.ports import Work
from routing.user import AGENT, User
from routing.worker import Worker

#: Seconds; pages ask for the next one before that.
LIFE_SECONDS: Final = 600
WORKER: Final = "worker"
FEED: Final = "feed"

#: Makes an access token of these; keyword arguments workspace_sid, worker_sid, role, now, seconds.
MakeToken = Callable[..., str]


class AccessTokens:
    def __init__(
        self, engine: Engine, visitors: Visitors, sign_in: SignIn, make: MakeToken
    ) -> None:
        self._engine = engine
        self._visitors = visitors
        self._sign_in = sign_in
        self._make = make

    def token(self) -> Response:
        """Of the user: as the Worker, or for what happens in the Workspace."""
        signed_in = self._visitors.of(request).signed_in
        if signed_in is None:
            raise Refused(401, "Unauthorized: expected somebody who has signed in")
        user, wanted = signed_in.user, text_of(body_of(request), "for")
        if wanted == WORKER:
            return answer(self._of_worker(user)[1])
        if wanted != FEED:
            raise InvalidParameter("for", f"expected {WORKER} or {FEED}")
        if user.role == AGENT:
            raise Refused(403, "Forbidden: the feed is for supervisors and admins")
        return answer(self._of_feed(user.workspace_sid))

    def demo_tokens(self) -> Response:
        """What the home page shows a call with, to somebody who has not signed in."""
        self._sign_in.require_demo()
        agent = self._sign_in.first_demo_agent()
        worker, token = self._of_worker(agent)
        shown = {"sid": worker.sid, "friendly_name": worker.friendly_name}
        return answer({"worker": shown | token, "feed": self._of_feed(agent.workspace_sid)})

    def _of_worker(self, user: User) -> tuple[Worker, dict[str, str]]:
        worker = self._engine.glance(_worker, user=user)
        if worker is None:
            raise Refused(403, "Forbidden: the user is no Worker, or that Worker is gone")
        role = "worker" if user.role == AGENT else "supervisor"
        return worker, self._signed(worker.workspace_sid, worker.sid, role)

    def _of_feed(self, workspace_sid: str | None) -> dict[str, str]:
        """In the role that sees all and changes nothing, which needs no Worker."""
        if workspace_sid is None:
            workspace_sid = self._engine.glance(_oldest)
        return self._signed(workspace_sid, None, "admin")

    def _signed(self, workspace_sid: str, worker_sid: str | None, role: str) -> dict[str, str]:
        now = self._engine.clock.now()
        token = self._make(
            workspace_sid=workspace_sid,
            worker_sid=worker_sid,
            role=role,
            now=now,
            seconds=LIFE_SECONDS,
        )
        expires_at = now // SECOND * SECOND + LIFE_SECONDS * SECOND
        return {"token": token, "expires_at": iso_8601(expires_at)}


def _worker(work: Work, *, user: User) -> Worker | None:
    return None if user.worker_sid is None else work.workers.get(user.worker_sid)


def _oldest(work: Work) -> str:
    oldest = work.workspaces.find(limit=1)
    if not oldest:
        raise NotFound("/Workspaces")
    return oldest[0].sid
