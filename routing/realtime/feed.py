"""Those who listen to all that happens in a Workspace: the supervisor's wall, and the like.

Lives in the event loop's thread, but for what says that it may be asked from others. An event is
made a frame once, by the follower; here the frames of a moment are joined and written to each
client at once, so that a hundred events a second cost a few dozen walls little, and the agents'
sockets beside them nothing that they would notice.

A client is either live, which means that it is given what comes, or catching up: then it is given
what is in the log, in its own time (feed_door), until it is where the others are.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from routing.clock import Clock, Instant
from routing.realtime.frames import HEARTBEAT

#: Seconds between two signs of life.
HEARTBEAT_SECONDS: Final = 15
#: Seconds whose events are written together; nobody reads faster.
TOGETHER_SECONDS: Final = 0.05
#: Bytes that may wait for a client to take them: some seconds of a busy centre.
MAX_BACKLOG_BYTES: Final = 1_048_576
#: Clients of one process, and with one token.
MAX_FEEDS: Final = 200
MAX_OF_ONE_TOKEN: Final = 20
_TICK_SECONDS: Final = 1.0

#: Close codes. Those from 4000 on are ours to give a meaning (RFC 6455, 7.4.2).
GOING_AWAY: Final = 1001
POLICY: Final = 1008
TRY_AGAIN_LATER: Final = 1013
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
NOT_FOUND: Final = 4404

_log = structlog.get_logger(__name__)


class Line(Protocol):
    """One socket, as it is used here."""

    def send(self, text: str) -> None: ...
    def write(self, frames: bytes) -> None: ...
    @property
    def backlog(self) -> int: ...
    def close(self, code: int, reason: str) -> None: ...


@dataclass(eq=False, kw_only=True)
class Feed:
    """One client."""

    line: Line
    workspace_sid: str
    #: Stands for the token it came with.
    digest: str
    expires_at: Instant
    #: The place in the log of the last event that it was given, or need not be given.
    position: int = 0
    #: That event, so that it can come again after it.
    last_event_sid: str | None = None
    #: Places after `position` whose events were there before it came.
    passed: frozenset[int] = frozenset()
    is_live: bool = False
    #: The second of its heartbeat.
    beat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One event, ready to be sent."""

    workspace_sid: str
    position: int
    sid: str
    #: A whole WebSocket frame.
    frame: bytes


class Feeds:
    """Everybody who listens in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._feeds: set[Feed] = set()
        #: Those who wait to be let in by the follower.
        self._waiting: list[tuple[Feed, asyncio.Future[None]]] = []
        #: Frames that are not written yet, by Workspace.
        self._news: dict[str, list[News]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._written_at = 0.0
        self._entered = 0
        #: The place in the log up to which all has been told here.
        self.position = 0
        #: Whose events are wanted; may be read in other threads.
        self.workspaces: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._feeds)

    @property
    def is_awaited(self) -> bool:
        """Somebody waits for `begin`; may be asked in other threads."""
        return bool(self._waiting)

    def has_room(self, digest: str) -> bool:
        """For one more, with this token."""
        with_it = sum(feed.digest == digest for feed in self._feeds)
        return len(self._feeds) < MAX_FEEDS and with_it < MAX_OF_ONE_TOKEN

    def enter(self, feed: Feed) -> "asyncio.Future[None]":
        """Done as soon as nothing that happens can be missed any more."""
        self._feeds.add(feed)
        self._entered += 1
        feed.beat = self._entered % HEARTBEAT_SECONDS
        self._count()
        begun: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((feed, begun))
        return begun

    def begin(self, low: int, seen: frozenset[int]) -> None:
        """The follower reads everything from now on: what lies after `low`. `seen` of it is there
        already.
        """
        self.position = low
        waiting, self._waiting = self._waiting, []
        for feed, begun in waiting:
            feed.position, feed.passed = low, seen
            if not begun.done():
                begun.set_result(None)

    def leave(self, feed: Feed) -> None:
        """It is told nothing any more; repeating that does no harm."""
        self._feeds.discard(feed)
        self._count()

    def _count(self) -> None:
        self.workspaces = frozenset(feed.workspace_sid for feed in self._feeds)

    def goes_live(self, feed: Feed) -> bool:
        """Whether it is where the others are, and is given from now on what they are given."""
        feed.is_live = feed.position >= self.position
        return feed.is_live

    def tell(self, news: Sequence[News], position: int) -> None:
        """The next events, and the place in the log that was reached with them."""
        self.position = position
        for each in news:
            self._news.setdefault(each.workspace_sid, []).append(each)
        if self._news and self._timer is None:
            wait = max(0.0, self._written_at + TOGETHER_SECONDS - self._loop.time())
            self._timer = self._loop.call_later(wait, self._write)

    def _write(self) -> None:
        self._timer = None
        self._written_at = self._loop.time()
        told, self._news = self._news, {}
        together = {sid: b"".join(each.frame for each in news) for sid, news in told.items()}
        for feed in tuple(self._feeds):
            news = told.get(feed.workspace_sid)
            if news is None or not feed.is_live:
                continue
            if feed.passed or feed.position >= news[0].position:
                _write_some(feed, news)
            else:
                feed.line.write(together[feed.workspace_sid])
                feed.position, feed.last_event_sid = news[-1].position, news[-1].sid
            self._drop_if_stuck(feed)

    def _drop_if_stuck(self, feed: Feed) -> None:
        if feed.line.backlog > MAX_BACKLOG_BYTES:
            self.drop(feed)

    def drop(self, feed: Feed) -> None:
        """It takes nothing, or not fast enough."""
        _log.warning("a feed that takes nothing is dropped", workspace=feed.workspace_sid)
        self.leave(feed)
        again = f"lastEventId={feed.last_event_sid}" if feed.last_event_sid else "the last event"
        feed.line.close(TRY_AGAIN_LATER, f"too slow: come again with {again}")

    async def tick(self) -> None:
        """Signs of life, and the end of those whose token has ended; for as long as they are."""
        number = 0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            number += 1
            now = self._clock.now()
            for feed in tuple(self._feeds):
                if feed.expires_at <= now:
                    self.leave(feed)
                    feed.line.close(UNAUTHORIZED, "the token has expired")
                elif feed.beat == number % HEARTBEAT_SECONDS:
                    feed.line.send(HEARTBEAT)
                    self._drop_if_stuck(feed)

    def close_all(self, code: int, reason: str) -> None:
        for feed in tuple(self._feeds):
            self.leave(feed)
            feed.line.close(code, reason)


def _write_some(feed: Feed, news: Sequence[News]) -> None:
    """Those that it was not given yet."""
    for each in news:
        if each.position > feed.position and each.position not in feed.passed:
            feed.line.write(each.frame)
            feed.last_event_sid = each.sid
    feed.position = max(feed.position, news[-1].position)
    feed.passed = frozenset(place for place in feed.passed if place > feed.position)
