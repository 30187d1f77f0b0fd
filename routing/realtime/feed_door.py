"""/v1/Workspaces/{sid}/EventStream as a WebSocket: who may listen, and from where on.

The client is let in with a token of a supervisor or an admin of that Workspace, in the URL or as
its first message. Its first frame says who it is; then each event is a frame, as the REST door
tells of it. A newer token, sent as a message, prolongs its stay.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from routing.api.representation import Representation
from routing.api.tokens import ADMIN_ROLE, SUPERVISOR_ROLE, Bearer, TokenRefused
from routing.engine import Engine
from routing.errors import NotFound, Unavailable
from routing.events import Event
from routing.ports import Work
from routing.realtime import feed as codes
from routing.realtime.feed import Feed, Feeds
from routing.realtime.frames import event_text, frame
from routing.realtime.hub import token_lifetime
from routing.realtime.line import Line, in_a_close_frame
from routing.sids import EVENT, is_sid
from routing.store import UnitOfWork
from routing.store.pages import ASCENDING, DESCENDING, Between, Order, page
from routing.store.tail import position_of

PATH: Final = re.compile(r"/v1/Workspaces/(WS[0-9a-f]{32})/EventStream/?")
#: Seconds that a client has to show its token, where it is not in the URL.
TOKEN_SECONDS: Final = 10.0
#: Seconds until a place in the log is found for it.
BEGIN_SECONDS: Final = 15.0
#: Seconds that a client which catches up may need for a piece of the log.
PIECE_SECONDS: Final = 30.0
#: Events that are read at once for a client that catches up.
BATCH: Final = 200
#: Clients for which the log is read at the same time; the rest waits its turn.
READERS: Final = 2

Result = TypeVar("Result")
InThread = Callable[..., "asyncio.Future[Any]"]


class _Message(msgspec.Struct, rename="camel"):
    """What a client may say."""

    token: str
    last_event_id: str | None = None


_read_message: Final = msgspec.json.Decoder(_Message).decode


class _Refused(Exception):
    """The client cannot listen; why, and the code that says what it had better do."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class _Admitted:
    bearer: Bearer
    #: The place in the log after which it wants to hear; None: from now on.
    after: int | None


class FeedDoor:
    """Made by the realtime server, of which it uses loop and threads."""

    def __init__(
        self,
        *,
        engine: Engine,
        represent: Representation,
        bearer: Callable[[str], Bearer],
        feeds: Feeds,
        wake: Callable[[], None],
        in_thread: InThread,
    ) -> None:
        """`bearer` checks a token; `wake` has the follower look who waits; `in_thread` runs a call
        that may wait.
        """
        self._engine = engine
        self._represent = represent
        self._bearer = bearer
        self._feeds = feeds
        self._wake = wake
        self._in_thread = in_thread
        self._readers = asyncio.Semaphore(READERS)
        self._closing: set[asyncio.Task[None]] = set()

    async def serve(self, connection: ServerConnection, workspace_sid: str) -> None:
        """Until the client has gone, or is told to go."""
        try:
            await self._serve(connection, workspace_sid)
        except ConnectionClosed:
            pass
        except _Refused as refused:
            await connection.close(refused.code, in_a_close_frame(str(refused)))
        except Unavailable:
            why = "the database does not answer: come again"
            await connection.close(codes.TRY_AGAIN_LATER, why)

    async def _serve(self, connection: ServerConnection, workspace_sid: str) -> None:
        message = await _introduction(connection)
        admitted: _Admitted = await self._in_thread(
            partial(self._admit, workspace_sid, message.token, message.last_event_id)
        )
        if not self._feeds.has_room(admitted.bearer.digest):
            raise _Refused(codes.TRY_AGAIN_LATER, "as many listen as there may")
        feed = Feed(
            line=Line(connection, self._closing),
            workspace_sid=workspace_sid,
            digest=admitted.bearer.digest,
            expires_at=admitted.bearer.expires_at,
        )
        begun = self._feeds.enter(feed)
        try:
            self._wake()
            late = _Refused(codes.TRY_AGAIN_LATER, "the log cannot be read: come again")
            await _in_time(begun, BEGIN_SECONDS, late)
            await self._stay(connection, feed, admitted)
        finally:
            self._feeds.leave(feed)

    async def _stay(self, connection: ServerConnection, feed: Feed, admitted: _Admitted) -> None:
        newest = await self._in_thread(partial(self._newest, feed.workspace_sid, feed.position))
        await connection.send(self._init(admitted.bearer, newest))
        if admitted.after is None:
            feed.last_event_sid = newest
        else:
            # Whoever heard of an event has heard all that lies before it.
            feed.position, feed.passed = admitted.after, frozenset()
        catching_up = asyncio.create_task(self._catch_up(connection, feed))
        try:
            await self._listen(connection, feed, admitted.bearer)
        finally:
            catching_up.cancel()

    def _init(self, bearer: Bearer, last_event_sid: str | None) -> str:
        return frame(
            "init",
            {
                "account_sid": bearer.account_sid,
                "workspace_sid": bearer.workspace_sid,
                "token_lifetime": token_lifetime(bearer, self._engine.clock.now()),
                "last_event_id": last_event_sid,
            },
        )

    # ---- what happened before --------------------------------------------------------------------

    async def _catch_up(self, connection: ServerConnection, feed: Feed) -> None:
        try:
            while not self._feeds.goes_live(feed):
                end = self._feeds.position
                async with self._readers:
                    events = await self._in_thread(partial(self._read, feed.position, end))
                async with asyncio.timeout(PIECE_SECONDS):
                    for event in events:
                        await self._send(connection, feed, event)
                feed.position = events[-1].position if len(events) == BATCH else end
        except TimeoutError:
            self._feeds.drop(feed)
        except Unavailable:
            feed.line.close(codes.TRY_AGAIN_LATER, "the database does not answer: come again")
        except ConnectionClosed:
            pass  # who listens notices it, too

    async def _send(self, connection: ServerConnection, feed: Feed, event: Event) -> None:
        """Waits where the client takes its time."""
        if event.workspace_sid == feed.workspace_sid and event.position not in feed.passed:
            await connection.send(event_text(event, self._represent), text=True)
            feed.last_event_sid = event.sid

    def _read(self, after: int, end: int) -> Sequence[Event]:
        """In a thread: the next events of all Workspaces; along the log, which is an index."""
        between = Between(at_least=after + 1, below=end + 1)
        return self._page({"position": between}, (("position", ASCENDING),), limit=BATCH)

    def _newest(self, workspace_sid: str, position: int) -> str | None:
        """In a thread: the Workspace's last event up to that place."""
        filters = {"workspace_sid": workspace_sid, "position": Between(below=position + 1)}
        order = (("occurred_at", DESCENDING), ("position", DESCENDING))
        found = self._page(filters, order, limit=1)
        return found[0].sid if found else None

    def _page(self, filters: Mapping[str, object], order: Order, *, limit: int) -> Sequence[Event]:
        def query(work: Work) -> Sequence[Event]:
            return page(_unit(work), Event, filters=filters, order=order, limit=limit).records

        return self._engine.read(query)

    # ---- who may ---------------------------------------------------------------------------------

    async def _listen(self, connection: ServerConnection, feed: Feed, bearer: Bearer) -> None:
        """To newer tokens."""
        async for said in connection:
            token = _understood(said).token
            newer = await self._in_thread(partial(self._checked, feed.workspace_sid, token))
            if newer.role != bearer.role:
                raise _Refused(codes.FORBIDDEN, f"expected a token of the role {bearer.role}")
            feed.expires_at = max(feed.expires_at, newer.expires_at)

    def _admit(self, workspace_sid: str, token: str, last: str | None) -> _Admitted:
        """In a thread."""
        bearer = self._checked(workspace_sid, token)
        after = self._engine.read(_place, workspace_sid, last)
        return _Admitted(bearer=bearer, after=after)

    def _checked(self, workspace_sid: str, token: str) -> Bearer:
        try:
            bearer = self._bearer(token)
        except TokenRefused as refusal:
            raise _Refused(codes.UNAUTHORIZED, str(refusal)) from None
        if bearer.role not in {SUPERVISOR_ROLE, ADMIN_ROLE}:
            why = f"expected a token of the role {SUPERVISOR_ROLE} or {ADMIN_ROLE}"
            raise _Refused(codes.FORBIDDEN, why)
        if bearer.workspace_sid != workspace_sid:
            raise _Refused(codes.FORBIDDEN, "the token is for another Workspace")
        return bearer


def _place(work: Work, workspace_sid: str, last: str | None) -> int | None:
    """The place in the log after which to begin."""
    try:
        work.configuration(workspace_sid)
    except NotFound:
        raise _Refused(codes.NOT_FOUND, f"no such Workspace: {workspace_sid}") from None
    if not last:
        return None
    if last == "0":
        return 0
    position = None
    if is_sid(last, EVENT):
        position = position_of(_unit(work), last, workspace_sid=workspace_sid)
    if position is None:
        why = "expected lastEventId: the SID of an event that is kept, or 0"
        raise _Refused(codes.NOT_FOUND, why)
    return position


def _unit(work: Work) -> UnitOfWork:
    assert isinstance(work, UnitOfWork)  # noqa: S101 - the log is read in a unit of the store
    return work


async def _introduction(connection: ServerConnection) -> _Message:
    """The token, and where to begin: from the URL, or from the first message."""
    assert connection.request is not None  # noqa: S101 - the handshake is over
    query = parse_qs(connection.request.path.partition("?")[2])
    said = {name: values[-1] for name, values in query.items()}
    if "token" in said:
        return _Message(token=said["token"], last_event_id=said.get("lastEventId"))
    late = _Refused(codes.UNAUTHORIZED, "expected a token")
    message = _understood(await _in_time(connection.recv(), TOKEN_SECONDS, late))
    if message.last_event_id is None:
        message.last_event_id = said.get("lastEventId")
    return message


def _understood(said: str | bytes) -> _Message:
    """A message of JSON, or a bare token."""
    if isinstance(said, str) and not said.lstrip().startswith("{"):
        return _Message(token=said.strip())
    try:
        return _read_message(said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        why = 'expected a token, or {"token": ..., "lastEventId": ...}'
        raise _Refused(codes.POLICY, why) from None


async def _in_time(waits: Awaitable[Result], seconds: float, late: _Refused) -> Result:
    try:
        async with asyncio.timeout(seconds):
            return await waits
    except TimeoutError:
        raise late from None
