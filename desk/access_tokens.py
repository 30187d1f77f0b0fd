"""The tokens with which pages enter the realtime door, as any application of an agent's does.

They are short-lived, and renewed as long as the session lives: whoever is signed out, or disabled,
is out there as well a few minutes later.
"""

from collections.abc import Callable
from typing import Final

from flask import Response, request

from desk.refusals import Refused, answer
from desk.sessions import Visitors
from desk.sign_in import body_of, text_of
from routing.clock import SECOND, Instant, iso_8601
from routing.engine import Engine
from routing.errors import InvalidParameter, NotFound
from routing.json_text import read_object
from routing.ports import Work
from routing.user import AGENT, User
from routing.worker import Worker

#: Seconds; pages ask for the next one before that.
LIFE_SECONDS: Final = 600
WORKER: Final = "worker"
FEED: Final = "feed"
VOICE: Final = "voice"
#: What a Worker's contact_uri begins with, where a browser is rung.
_CLIENT: Final = "client:"

#: Makes an access token of these; keyword arguments workspace_sid, worker_sid, role, now, seconds.
MakeToken = Callable[..., str]
#: Makes the token of a telephone in a browser; keyword arguments identity, now and seconds.
MakeVoiceToken = Callable[..., str]


class AccessTokens:
    def __init__(
        self,
        engine: Engine,
        visitors: Visitors,
        make: MakeToken,
        make_voice: MakeVoiceToken | None,
    ) -> None:
        self._engine = engine
        self._visitors = visitors
        self._make = make
        self._make_voice = make_voice

    def token(self) -> Response:
        """Of the user: as the Worker, or for what happens in the Workspace."""
        signed_in = self._visitors.of(request).signed_in
        if signed_in is None:
            raise Refused(401, "Unauthorized: expected somebody who has signed in")
        user, wanted = signed_in.user, text_of(body_of(request), "for")
        if wanted == WORKER:
            return answer(self.of_worker(user)[1])
        if wanted == VOICE:
            return answer(self._of_telephone(user))
        if wanted != FEED:
            raise InvalidParameter("for", f"expected {WORKER}, {FEED} or {VOICE}")
        if user.role == AGENT:
            raise Refused(403, "Forbidden: the feed is for supervisors and admins")
        return answer(self.of_feed(user.workspace_sid))

    def of_worker(self, user: User) -> tuple[Worker, dict[str, str]]:
        """The user's Worker, and a token of it. Raises Refused where there is none."""
        worker = self._engine.glance(_worker, user=user)
        if worker is None:
            raise Refused(403, "Forbidden: the user is no Worker, or that Worker is gone")
        role = "worker" if user.role == AGENT else "supervisor"
        return worker, self._signed(worker.workspace_sid, worker.sid, role)

    def _of_telephone(self, user: User) -> dict[str, str]:
        """To be rung by Twilio in the browser, under the name that the Worker is called by."""
        if self._make_voice is None:
            raise Refused(404, "There is no telephone: it needs an account and TWILIO_API_KEY_SID")
        worker = self._engine.glance(_worker, user=user)
        told = "{}" if worker is None else worker.attributes
        uri = read_object(told, parameter="Attributes").get("contact_uri")
        if not isinstance(uri, str) or not uri.startswith(_CLIENT):
            raise Refused(403, "Forbidden: the user's Worker has no contact_uri of a browser")
        now = self._engine.clock.now()
        identity = uri.removeprefix(_CLIENT).partition("?")[0]
        token = self._make_voice(identity=identity, now=now, seconds=LIFE_SECONDS)
        return {"token": token, "expires_at": _ends(now)}

    def of_feed(self, workspace_sid: str | None) -> dict[str, str]:
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
        return {"token": token, "expires_at": _ends(now)}


def _ends(now: Instant) -> str:
    return iso_8601(now // SECOND * SECOND + LIFE_SECONDS * SECOND)


def _worker(work: Work, *, user: User) -> Worker | None:
    return None if user.worker_sid is None else work.workers.get(user.worker_sid)


def _oldest(work: Work) -> str:
    oldest = work.workspaces.find(limit=1)
    if not oldest:
        raise NotFound("/Workspaces")
    return oldest[0].sid
