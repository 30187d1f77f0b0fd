"""The open sockets, and what is sent to them. Lives in the event loop's thread alone.

Sending never waits. What a client does not take yet stays in its connection's buffer, up to a
limit; beyond it the client is dropped, and what the others are sent is not delayed by it. A dropped
client connects again and reads from the tables what it has missed.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from routing.api.tokens import Bearer
from routing.clock import SECOND, Clock, Instant
from routing.realtime.bulletin import Opened, Renewed
from routing.realtime.frames import HEARTBEAT
from routing.realtime.opening import LISTENS_SECONDS, LONGEST_SECONDS, READS
from routing.realtime.turnstile import BEGINS_SECONDS

#: Seconds between two signs of life; clients give up after 30 without one (60 the older ones).
HEARTBEAT_SECONDS: Final = 15
#: Bytes that may wait for a client to take them.
MAX_BACKLOG_BYTES: Final = 262_144
#: Events that may be held back for a client that reads the tables.
MAX_HELD: Final = 500
#: Sockets of one Worker: windows of the same agent. Who comes then is told to come again: those
#: that are there would come back by themselves, and push out others in turn.
MAX_SESSIONS: Final = 100
_TICK_SECONDS: Final = 1.0
#: Close codes (RFC 6455, 7.4.1); no client acts on them, the reason is what its user may see.
POLICY: Final = 1008
TRY_AGAIN_LATER: Final = 1013

_log = structlog.get_logger(__name__)


class Line(Protocol):
    """One socket, as the hub uses it."""

    def send(self, text: str) -> None:
        """Puts a text frame into the socket's buffer; never waits, never raises."""
        ...

    @property
    def backlog(self) -> int:
        """Bytes in that buffer."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Begins to close it; never waits."""
        ...

    def abort(self) -> None: ...


@dataclass(eq=False, kw_only=True)
class Session:
    """One open socket."""

    line: Line
    bearer: Bearer
    channel: str
    #: Of the v1 browser SDK, which is told in other words.
    is_legacy: bool
    expires_at: Instant
    #: When it came. What was made later its client may not know.
    came_at: Instant
    #: What had happened when it came, or when its client read its Worker: events up to `low`, and
    #: those of `seen`.
    low: int
    seen: frozenset[int]
    #: The same for its Reservations and their Tasks, when its client read the list of them.
    listed: tuple[int, frozenset[int]] | None = None
    #: The row that puts the Worker offline when it has gone; None where that was not asked for.
    presence_sid: str | None = None
    #: It was closed for a newer one.
    is_replaced: bool = False
    #: What has happened since it came, until its client begins to read the tables; None where it
    #: did not in time. It was sent, but the SDK drops it.
    early: "list[Parcel] | None" = None
    #: What happens while its client reads the tables; None before that and afterwards.
    held: "list[Parcel] | None" = None
    #: Reservations made meanwhile, and their Tasks: its list did not show them.
    fresh: frozenset[str] = frozenset()
    has_read: set[str] = field(default_factory=set)
    #: Called when its client has read everything, or does not read.
    has_read_all: Callable[[], None] = lambda: None
    #: Its client has read everything once: what it reads now does not matter.
    is_open: bool = False

    def is_news(self, parcel: "Parcel") -> bool:
        low, seen = self.low, self.seen
        if parcel.about is not None:
            if parcel.about in self.fresh:
                return True
            low, seen = self.listed or (low, seen)
        return parcel.position > low and parcel.position not in seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One event for one channel, in the words of each kind of client that is there."""

    channel: str
    position: int
    current: str | None
    legacy: str | None
    #: Seconds that it waits, for an answer that has to come before it.
    lag: float
    #: The Reservation that it tells of, or else the Task.
    about: str | None = None
    #: When what it names was made, which its client must have read before: an Activity or a channel
    #: of the Worker. The SDK throws where it does not know it.
    needs: Instant | None = None
    #: The Task of the Reservation with which its Worker hears of it for the first time.
    brings: str | None = None


#: (are there sockets of the current SDK on the channel, and of the legacy one?)
Forms = Callable[[str], tuple[bool, bool]]
Deliver = Callable[[Sequence[Parcel]], None]


@dataclass(eq=False)
class _Channel:
    """The sockets of one Worker (or TaskQueue, or Workspace), and what waits to be sent to them."""

    sessions: list[Session] = field(default_factory=list)
    #: (loop time before which it is not sent, what), in the order of the log.
    waiting: deque[tuple[float, Parcel]] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None


class Hub:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._channels: dict[str, _Channel] = {}
        self._loop = asyncio.get_running_loop()
        #: Sessions by the second of their heartbeat, so that not all of them beat at once.
        self._beats: tuple[set[Session], ...] = tuple(set() for _ in range(HEARTBEAT_SECONDS))
        self._joined = 0
        #: {token: when it ends} of sessions that were closed for a newer one: coming back by
        #: themselves they close nobody.
        self._evicted: dict[str, Instant] = {}

    def __len__(self) -> int:
        return sum(len(beat) for beat in self._beats)

    def forms(self, channel: str) -> tuple[bool, bool]:
        """Are there sockets of the current SDK on the channel, and of the legacy one?

        May be asked from other threads.
        """
        found = self._channels.get(channel)
        if found is None:
            return False, False
        kinds = {session.is_legacy for session in list(found.sessions)}
        return False in kinds, True in kinds

    def has_room(self, channel: str) -> bool:
        found = self._channels.get(channel)
        return found is None or len(found.sessions) < MAX_SESSIONS

    def join(self, session: Session) -> None:
        """From now on it is told what happens on its channel."""
        self._channels.setdefault(session.channel, _Channel()).sessions.append(session)
        if session.is_legacy:
            session.has_read_all()
        else:
            session.early = []
            self._loop.call_later(LONGEST_SECONDS, _forget_early, session)
            self._loop.call_later(BEGINS_SECONDS, _does_not_read, session)
        self._joined += 1
        self._beats[self._joined % HEARTBEAT_SECONDS].add(session)

    def part(self, session: Session) -> None:
        """It is told nothing any more; repeating that does no harm."""
        for beat in self._beats:
            beat.discard(session)
        channel = self._channels.get(session.channel)
        if channel is not None and session in channel.sessions:
            channel.sessions.remove(session)
            if not channel.sessions:
                if channel.timer is not None:
                    channel.timer.cancel()
                del self._channels[session.channel]

    def evict_others(self, opened: Opened, keep: Session | None = None) -> dict[str, Instant]:
        """Closes the channel's sockets but the one to keep; their tokens, and when those end.

        A token of a socket that was closed like this closes nobody any more: the closed client
        comes back by itself, and two windows would close each other for ever.
        """
        if opened.digest in self._evicted:
            return {}
        channel = self._channels.get(opened.channel)
        others = [each for each in channel.sessions if each is not keep] if channel else []
        tokens = {other.bearer.digest: other.bearer.expires_at for other in others}
        self.remember_evicted(tokens)
        for other in others:
            other.is_replaced = True
            self.part(other)
            other.line.close(POLICY, "closed by a newer session of this Worker")
        return tokens

    def remember_evicted(self, tokens: Mapping[str, Instant]) -> None:
        self._evicted.update(tokens)

    def renew(self, renewed: Renewed) -> None:
        """A newer token of the same Worker was shown: its sockets live as long as that one."""
        channel = self._channels.get(renewed.channel)
        for session in channel.sessions if channel else ():
            bearer = session.bearer
            if (bearer.workspace_sid, bearer.role) == (renewed.workspace_sid, renewed.role):
                session.expires_at = max(session.expires_at, renewed.expires_at)

    def deliver(self, parcels: Sequence[Parcel]) -> None:
        """Sends each to its channel, in order, those that have to wait when it is their time."""
        for parcel in parcels:
            channel = self._channels.get(parcel.channel)
            if channel is None:
                continue
            if parcel.lag <= 0 and not channel.waiting:
                self._send(channel, parcel)
                continue
            channel.waiting.append((self._loop.time() + parcel.lag, parcel))
            if channel.timer is None:
                self._wait(parcel.channel, channel)

    def _wait(self, name: str, channel: _Channel) -> None:
        due = channel.waiting[0][0]
        channel.timer = self._loop.call_at(due, self._release, name, channel)

    def _release(self, name: str, channel: _Channel) -> None:
        channel.timer = None
        if self._channels.get(name) is not channel:
            return
        now = self._loop.time()
        while channel.waiting and channel.waiting[0][0] <= now:
            self._send(channel, channel.waiting.popleft()[1])
        if channel.waiting and self._channels.get(name) is channel:
            self._wait(name, channel)

    def begins_to_read(self, bearer: Bearer, low: int, seen: frozenset[int]) -> None:
        """From now on what happens is held back for the token's new sockets."""
        for session in self._new(bearer):
            if session.held is None and not session.is_legacy:
                # What happened to its Worker by then is what it reads of it.
                session.listed = session.low, session.seen
                session.low, session.seen = low, seen
                session.held = session.early or []
                session.early = None
                self._loop.call_later(LONGEST_SECONDS, self._opened, session)

    def lists(self, bearer: Bearer, low: int, seen: frozenset[int]) -> frozenset[str]:
        """What had happened by then is what its list of Reservations shows; but for the returned
        ones, which were made since its sockets came.
        """
        readers = [session for session in self._new(bearer) if session.held is not None]
        made = [_made_since_it_came(session) for session in readers]
        common = set(made[0]).intersection(*made[1:]) if made else set()
        for session, reservations in zip(readers, made, strict=True):
            tasks = {reservations[sid] for sid in common}
            session.listed, session.fresh = (low, seen), frozenset(common | tasks)
        return frozenset(common)

    def has_read(self, bearer: Bearer, operation: str) -> None:
        """With everything read it listens in a moment, and is told what was held back."""
        for session in self._new(bearer):
            if session.held is not None:
                session.has_read.add(operation)
                if session.has_read >= READS:
                    self._loop.call_later(LISTENS_SECONDS, self._opened, session)

    def _new(self, bearer: Bearer) -> list[Session]:
        channel = self._channels.get(bearer.channel or "")
        sessions = channel.sessions if channel else []
        return [
            session
            for session in sessions
            if not session.is_open and session.bearer.digest == bearer.digest
        ]

    def _opened(self, session: Session) -> None:
        held, session.held = session.held, None
        session.is_open = True
        session.has_read_all()
        for parcel in held or ():
            if parcel.current is not None and session.is_news(parcel):
                self.say(session, parcel.current)  # it may know all that is new: it has just read

    def _send(self, channel: _Channel, parcel: Parcel) -> None:
        for session in list(channel.sessions):
            if session.held is not None:
                session.held.append(parcel)
                if len(session.held) > MAX_HELD:
                    self._opened(session)
                continue
            text = parcel.legacy if session.is_legacy else parcel.current
            if text is not None and session.is_news(parcel):
                if _cannot_know(session, parcel):
                    self.part(session)
                    session.line.close(TRY_AGAIN_LATER, "something new is to be read: come again")
                    continue
                self.say(session, text)
                if session.early is not None and len(session.early) < MAX_HELD:
                    session.early.append(parcel)

    def say(self, session: Session, text: str) -> None:
        session.line.send(text)
        self._drop_if_stuck(session)

    def _drop_if_stuck(self, session: Session) -> None:
        if session.line.backlog > MAX_BACKLOG_BYTES:
            _log.warning("a client that takes nothing is dropped", channel=session.channel)
            self.part(session)
            session.line.abort()

    async def tick(self) -> None:
        """Signs of life, and the end of those whose token has ended; for as long as the hub is."""
        number = 0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            number += 1
            for session in tuple(self._beats[number % HEARTBEAT_SECONDS]):
                self.say(session, HEARTBEAT)
            self._end_expired()

    def _end_expired(self) -> None:
        now = self._clock.now()
        for session in [each for beat in self._beats for each in beat]:
            if session.expires_at <= now:
                self.part(session)
                session.line.close(POLICY, "the token has expired")
            elif session.line.backlog:
                self._drop_if_stuck(session)
        for digest in [each for each, end in self._evicted.items() if end <= now]:
            del self._evicted[digest]

    def close_all(self, code: int, reason: str) -> None:
        for session in [each for beat in self._beats for each in beat]:
            self.part(session)
            session.line.close(code, reason)


def _cannot_know(session: Session, parcel: Parcel) -> bool:
    return not session.is_legacy and parcel.needs is not None and parcel.needs > session.came_at


def _does_not_read(session: Session) -> None:
    if session.held is None:
        session.has_read_all()


def _forget_early(session: Session) -> None:
    session.early = None


def _made_since_it_came(session: Session) -> dict[str, str]:
    """{Reservation: its Task}"""
    return {
        parcel.about: parcel.brings
        for parcel in session.held or ()
        if parcel.about and parcel.brings and session.is_news(parcel)
    }


def token_lifetime(bearer: Bearer, now: Instant) -> int:
    """Milliseconds; timers of JavaScript overflow beyond 31 bits and fire at once."""
    return max(0, min(bearer.expires_at - now, (1 << 31) - 1))


def lag_seconds(occurred_at: Instant, lag_ms: int, now: Instant) -> float:
    """What is left of the lag; never more than all of it, whatever another machine's clock says."""
    return max(0, min(lag_ms, occurred_at + lag_ms - now)) / SECOND
