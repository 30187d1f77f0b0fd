"""The realtime server: one event loop that holds every socket of this process.

Whoever connects is let in first and then, if the token is no good, closed with a reason: that is
all that a browser shows of it. Looking at tokens and tables, and answering plain HTTP, is done by a
few threads; the loop itself never waits for anything.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from routing.api.tokens import MAX_CHARACTERS, Bearer
from routing.background.loops import Loop
from routing.clock import Instant
from routing.errors import NotFound, RoutingError, Unavailable
from routing.ports import Work
from routing.realtime import hub as hubs
from routing.realtime.bridge import FOLDERS, Bridge
from routing.realtime.bulletin import (
    Evicted,
    Message,
    Opened,
    Renewals,
    Renewed,
    said,
    understood,
)
from routing.realtime.feed import GOING_AWAY, Feeds
from routing.realtime.feed_door import PATH, FeedDoor
from routing.realtime.follower import LiveFollower
from routing.realtime.frames import HEARTBEAT, frame
from routing.realtime.front import Answer, Front, run_wsgi
from routing.realtime.hub import POLICY, TRY_AGAIN_LATER, Hub, Session, token_lifetime
from routing.realtime.line import Line, in_a_close_frame
from routing.realtime.opening import Doorkeeper
from routing.realtime.policies import Forbidden, check_channel
from routing.realtime.presence import STAY_SECONDS, Presences
from routing.realtime.turnstile import Turnstile
from routing.realtime.wire import Wire
from routing.sids import is_sid
from routing.store import FollowedLog, SqlStore

#: Threads that look at tokens and answer HTTP.
THREADS: Final = 8
#: Requests that may wait for one of them; who comes then is told to come again.
MAX_WAITING: Final = 4000
#: Requests waiting for them while which sockets are let in only one after the other.
BUSY: Final = 64
#: Bytes of a message from a client: none has more to say than a token.
_MAX_MESSAGE_BYTES: Final = MAX_CHARACTERS + 1024
_STOP_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Knock:
    """What a client says when it connects."""

    token: str
    channel: str | None
    closes_others: bool
    goes_offline: bool
    #: Where the Worker goes then; the legacy SDK says it.
    offline_activity_sid: str | None

    @classmethod
    def of(cls, path: str) -> "_Knock":
        place, _, query = path.partition("?")
        said = {name: values[-1] for name, values in parse_qs(query).items()}
        last = place.rstrip("/").rpartition("/")[2]
        return cls(
            token=said.get("token", ""),
            channel=last if is_sid(last) else None,
            closes_others=said.get("closeExistingSessions") == "true",
            goes_offline=(
                said.get("setWorkerOfflineIfDisconnected") == "true"
                or "disconnectActivitySid" in said
            ),
            offline_activity_sid=said.get("disconnectActivitySid"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Welcome:
    bearer: Bearer
    channel: str
    came_at: Instant
    low: int
    seen: frozenset[int]
    presence_sid: str | None


class RealtimeServer:
    """Made in the thread that runs it; `run` ends when it is told to stop."""

    def __init__(
        self, bridge: Bridge, store: SqlStore, application: Callable[..., Iterable[bytes]]
    ) -> None:
        self._bridge = bridge
        self._store = store
        self._application = application
        self._engine = bridge.current.engine
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="bridge")
        self._waiting = 0
        self._presences = Presences(self._engine)
        self._closing: set[asyncio.Task[None]] = set()
        #: {a token's hash: sockets that were opened with it and are not over}
        self._with_token: Counter[int] = Counter()
        self._hub: Hub
        self._turnstile: Turnstile
        self._feeds: Feeds
        self._feed_door: FeedDoor
        self._log: FollowedLog

    async def run(
        self,
        host: str,
        port: int,
        stop: asyncio.Event,
        *,
        ready: Callable[[int, Loop], None] = lambda _port, _loop: None,
    ) -> None:
        """Serves until `stop` is set; `ready` is told the port and the follower's thread."""
        # Its debug messages would show tokens.
        logging.getLogger("websockets").setLevel(logging.ERROR)
        self._hub = hub = Hub(self._engine.clock)
        self._feeds = feeds = Feeds(self._engine.clock)
        self._turnstile = Turnstile(lambda: self._waiting > BUSY)
        loop = asyncio.get_running_loop()
        follower = LiveFollower(
            self._engine,
            self._store,
            wire=self._wire,
            representation=self._bridge.legacy.represent,
            forms=hub.forms,
            deliver=partial(_call, loop, hub.deliver),
            listeners=feeds,
            begin=partial(_call, loop, feeds.begin),
            tell=partial(_call, loop, feeds.tell),
        )
        self._log = follower.log
        self._feed_door = FeedDoor(
            engine=self._engine,
            represent=self._bridge.legacy.represent,
            bearer=self._bridge.bearer,
            feeds=feeds,
            wake=follower.signal.notify,
            in_thread=self._in_thread,
        )
        self._store.hear(lambda text: self._hear(loop, text))
        renewals = Renewals(lambda renewed: self._renewed(loop, renewed))
        self._bridge.shown = renewals.shown
        self._bridge.watcher = Doorkeeper(follower.log.visible, lambda call: _call(loop, call), hub)
        thread = Loop("realtime", follower.step, follower.signal)
        thread.start()
        ticking = [
            loop.create_task(tick) for tick in (hub.tick(), feeds.tick(), self._keep_presences())
        ]
        server = await self._listen(host, port)
        ready(server.sockets[0].getsockname()[1], thread)
        try:
            await stop.wait()
        finally:
            for sockets in (hub, feeds):
                sockets.close_all(GOING_AWAY, "the server is stopping")
            server.close()
            for task in ticking:
                task.cancel()
            thread.stop()
            await asyncio.wait({asyncio.ensure_future(server.wait_closed())}, timeout=_STOP_SECONDS)
            thread.join(_STOP_SECONDS)
            self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def _wire(self) -> Wire:
        wire = self._bridge.current.represent
        assert isinstance(wire, Wire)  # noqa: S101 - the bridge was made with it
        return wire

    async def _listen(self, host: str, port: int) -> Any:
        def front(*told: Any, **options: Any) -> Front:
            return Front(lambda: ServerConnection(*told, **options), self._respond)

        return await serve(
            self._serve_socket,
            host,
            port,
            create_connection=front,  # type: ignore[arg-type]  # a wrapper, as its documentation allows
            process_request=_check_path,
            compression=None,  # a compressor per socket costs more memory than all the rest
            ping_interval=None,  # the SDK counts text frames only; the kernel notices who is gone
            open_timeout=10,
            close_timeout=2,
            max_size=_MAX_MESSAGE_BYTES,
            max_queue=4,
            server_header=None,
            backlog=4096,  # when all come at once, none is to knock a second time
        )

    # ---- plain HTTP ------------------------------------------------------------------------------

    def _respond(self, environ: dict[str, Any]) -> "asyncio.Future[Answer]":
        loop = asyncio.get_running_loop()
        if self._waiting >= MAX_WAITING:
            refused: asyncio.Future[Answer] = loop.create_future()
            refused.set_exception(Unavailable("too many requests wait"))
            return refused
        return self._counted(run_wsgi, self._application, environ)

    def _counted(self, call: Callable[..., Any], *told: object) -> "asyncio.Future[Any]":
        self._waiting += 1
        answer = self._in_thread(call, *told)
        answer.add_done_callback(self._one_less)
        return answer

    def _one_less(self, _answer: object) -> None:
        self._waiting -= 1
        self._turnstile.look()

    def _in_thread(self, call: Callable[..., Any], *told: object) -> "asyncio.Future[Any]":
        return asyncio.get_running_loop().run_in_executor(self._pool, call, *told)

    # ---- sockets ---------------------------------------------------------------------------------

    async def _serve_socket(self, connection: ServerConnection) -> None:
        assert connection.request is not None  # noqa: S101 - the handshake is over
        feed = PATH.fullmatch(connection.request.path.partition("?")[0])
        if feed is not None:
            await self._feed_door.serve(connection, feed[1])
        else:
            await self._serve_agent(connection, connection.request.path)

    async def _serve_agent(self, connection: ServerConnection, path: str) -> None:
        knock = _Knock.of(path)
        # Before anything else: whoever comes a thousand times with one token costs next to nothing.
        token = hash(knock.token)
        if self._with_token[token] >= 2 * hubs.MAX_SESSIONS:  # the older ones may be closed for it
            await connection.close(TRY_AGAIN_LATER, _no_room())
            return
        self._with_token[token] += 1
        try:
            await self._serve_in_turn(connection, knock)
        finally:
            self._with_token[token] -= 1
            if not self._with_token[token]:
                del self._with_token[token]

    async def _serve_in_turn(self, connection: ServerConnection, knock: _Knock) -> None:
        try:
            leave = await self._turnstile.passed(partial(connection.send, HEARTBEAT))
        except ConnectionClosed:
            return  # it did not want to wait
        try:
            await self._let_in(connection, knock, leave)
        finally:
            leave()

    async def _let_in(
        self, connection: ServerConnection, knock: _Knock, leave: Callable[[], None]
    ) -> None:
        try:
            welcome: _Welcome = await self._counted(self._admit, knock)
        except (RoutingError, Unavailable) as refusal:
            leave()  # whoever is refused may take its time to go, and holds nobody up
            code = POLICY if isinstance(refusal, RoutingError) else TRY_AGAIN_LATER
            await connection.close(code, _reason(refusal))
            return
        session = self._join(connection, knock, welcome, leave)
        if session is None:
            leave()
            if welcome.presence_sid is not None:
                await self._in_thread(self._presences.replaced, welcome.presence_sid)
            await connection.close(TRY_AGAIN_LATER, _no_room())
            return
        try:
            await connection.recv()
            # No client of Twilio's says anything here.
            await connection.close(POLICY, "expected no messages; requests go to the event bridge")
        except ConnectionClosed:
            pass
        finally:
            self._hub.part(session)
            if session.presence_sid is not None:
                await asyncio.shield(self._depart(connection, session, session.presence_sid))

    async def _depart(
        self, connection: ServerConnection, session: Session, presence_sid: str
    ) -> None:
        """In a thread: the Worker's deadline begins, unless a newer socket counts for it."""
        goodbye = connection.protocol.close_rcvd_then_sent is True
        depart = (
            partial(self._presences.replaced, presence_sid)
            if session.is_replaced
            else partial(self._presences.leave, presence_sid, said_goodbye=goodbye)
        )
        await self._in_thread(depart)

    async def _keep_presences(self) -> None:
        while True:
            await asyncio.sleep(STAY_SECONDS)
            with suppress(Unavailable):
                await self._in_thread(self._presences.stay)

    def _admit(self, knock: _Knock) -> _Welcome:
        """In a thread: who it is, and what has happened so far.

        Raises RoutingError, Unavailable.
        """
        bearer = self._bridge.bearer(knock.token)
        if bearer.channel is None:
            raise Forbidden("a token without a Worker has no events to hear")
        if bearer.is_capability:
            check_channel(bearer, "GET", knock.channel)
        self._engine.glance(_check_there, bearer)
        presence_sid = None
        if knock.goes_offline and bearer.worker_sid is not None:
            presence_sid = self._presences.arrive(
                bearer.workspace_sid, bearer.worker_sid, knock.offline_activity_sid
            )
        came_at = self._engine.clock.now()
        low, seen = self._log.visible()
        return _Welcome(
            bearer=bearer,
            channel=bearer.channel,
            came_at=came_at,
            low=low,
            seen=seen,
            presence_sid=presence_sid,
        )

    def _join(
        self,
        connection: ServerConnection,
        knock: _Knock,
        welcome: _Welcome,
        leave: Callable[[], None],
    ) -> Session | None:
        """None where there is no room for it."""
        bearer = welcome.bearer
        session = Session(
            line=Line(connection, self._closing),
            bearer=bearer,
            channel=welcome.channel,
            is_legacy=bearer.is_capability and knock.channel is not None,
            expires_at=bearer.expires_at,
            came_at=welcome.came_at,
            low=welcome.low,
            seen=welcome.seen,
            presence_sid=welcome.presence_sid,
            has_read_all=leave,
        )
        if knock.closes_others:
            self._close_others(session)
        if not self._hub.has_room(session.channel):
            return None
        self._hub.join(session)
        if not session.is_legacy:
            self._hub.say(session, self._init(bearer))
        return session

    def _close_others(self, session: Session) -> None:
        opened = Opened(channel=session.channel, digest=session.bearer.digest)
        evicted = self._hub.evict_others(opened, keep=session)
        self._store.tell(said(opened))
        if evicted:
            self._store.tell(said(Evicted(tokens=evicted)))

    def _hear(self, loop: asyncio.AbstractEventLoop, text: str) -> None:
        """In a thread of the store's: another process says something."""
        message = understood(text)
        if message is not None:
            _call(loop, self._heed, message)

    def _heed(self, message: Message) -> None:
        if isinstance(message, Renewed):
            self._hub.renew(message)
        elif isinstance(message, Evicted):
            self._hub.remember_evicted(message.tokens)
        else:
            evicted = self._hub.evict_others(message)
            if evicted:
                self._store.tell(said(Evicted(tokens=evicted)))

    def _renewed(self, loop: asyncio.AbstractEventLoop, renewed: Renewed) -> None:
        """In a thread of the bridge: a token was shown for the first time."""
        self._store.tell(said(renewed))
        _call(loop, self._hub.renew, renewed)

    def _init(self, bearer: Bearer) -> str:
        """The first frame; the SDK waits for it, and takes exactly one."""
        return frame(
            "init",
            {
                "channel_id": bearer.channel,
                "account_sid": bearer.account_sid,
                "workspace_sid": bearer.workspace_sid,
                "token_lifetime": token_lifetime(bearer, self._engine.clock.now()),
            },
        )


def _call(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *told: object) -> None:
    """From another thread, into the loop's."""
    try:
        loop.call_soon_threadsafe(call, *told)
    except RuntimeError:  # the loop is closed: there is nobody left to tell
        _log.debug("something came after the last socket")


def _check_there(work: Work, bearer: Bearer) -> None:
    """Raises RoutingError, in few words, unless what it wants to hear of is in its Workspace."""
    try:
        configuration = work.configuration(bearer.workspace_sid)
    except NotFound:
        raise RoutingError(f"no such Workspace: {bearer.workspace_sid}") from None
    if bearer.worker_sid is not None:
        worker = work.workers.get(bearer.worker_sid)
        if worker is None or worker.workspace_sid != bearer.workspace_sid:
            raise RoutingError(f"no such Worker: {bearer.worker_sid}")
    elif bearer.channel not in {bearer.workspace_sid, *configuration.task_queues}:
        raise RoutingError(f"no such TaskQueue: {bearer.channel}")


def _check_path(connection: ServerConnection, request: Request) -> Response | None:
    path = request.path.partition("?")[0]
    if (
        path == "/"
        or PATH.fullmatch(path)
        or any(path == each or path.startswith(f"{each}/") for each in FOLDERS)
    ):
        return None
    return connection.respond(404, json.dumps({"message": f"expected {FOLDERS[0]}"}))


def _no_room() -> str:
    return f"{hubs.MAX_SESSIONS} sockets of this Worker are open, and no more may be"


def _reason(refusal: Exception) -> str:
    text = str(refusal) if isinstance(refusal, RoutingError) else "the database does not answer"
    return in_a_close_frame(text)
