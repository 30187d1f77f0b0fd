"""Follows the log for the sockets of this process: an event becomes frames for those who are here.

It begins at the log's present end and remembers nothing: whoever connects reads the tables first.
Every process that holds sockets follows on its own, so each agent hears everything, whichever
process its socket is in.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from websockets.frames import Frame, Opcode

from routing.api.representation import Representation
from routing.background.loops import following
from routing.configuration import Configuration
from routing.engine import Engine
from routing.errors import NotFound
from routing.events import CATALOGUE, TOLD_LIVE, Event
from routing.realtime import frames
from routing.realtime.answer_first import LAG_MS, is_marked
from routing.realtime.audience import Audience
from routing.realtime.feed import News
from routing.realtime.hub import Deliver, Forms, Parcel, lag_seconds
from routing.realtime.wire import Wire
from routing.store import SqlStore

#: The types of events that agents are told of.
CONCERNS: Final = TOLD_LIVE


class Listeners(Protocol):
    """Those who want to hear everything; asked in the follower's thread."""

    @property
    def workspaces(self) -> frozenset[str]: ...
    @property
    def is_awaited(self) -> bool: ...


class LiveFollower:
    """One thread's: reads events, finds whom they concern, and hands parcels to the event loop.

    While somebody listens to a whole Workspace it reads events of every type, otherwise of those
    only that agents are told of.
    """

    def __init__(
        self,
        engine: Engine,
        store: SqlStore,
        *,
        wire: Wire,
        representation: Representation,
        forms: Forms,
        deliver: Deliver,
        listeners: Listeners,
        begin: Callable[[int, frozenset[int]], None],
        tell: Callable[[Sequence[News], int], None],
    ) -> None:
        """`begin` and `tell` are those of the Feeds, called in the event loop."""
        self._engine = engine
        self._store = store
        self._wire = wire
        self._representation = representation
        self._forms = forms
        self._deliver = deliver
        self._listeners = listeners
        self._begin = begin
        self._tell = tell
        self._hears_all = False
        self.log = store.live_log("realtime", CONCERNS)
        #: Wakes it.
        self.signal = store.subscribe(CONCERNS)
        self._audience = Audience()
        self._engine.read(self._audience.load)
        self._next = following(self.log, self.follow)

    def step(self) -> bool | float:
        self._look_who_listens()
        return self._next()

    def _look_who_listens(self) -> None:
        wants_all = bool(self._listeners.workspaces)
        if wants_all != self._hears_all:
            self.log.concern(None if wants_all else CONCERNS)
            topics = frozenset(CATALOGUE) if wants_all else CONCERNS
            self._store.resubscribe(self.signal, topics)
            self._hears_all = wants_all
        if self._listeners.is_awaited:
            self._begin(*self.log.visible())

    def follow(self, events: Sequence[Event]) -> None:
        if self._hears_all:
            self._tell(self._news(events), events[-1].position)
        self._follow_for_agents([event for event in events if event.type in CONCERNS])

    def _news(self, events: Sequence[Event]) -> Sequence[News]:
        heard = self._listeners.workspaces
        return [
            News(
                workspace_sid=event.workspace_sid,
                position=event.position,
                sid=event.sid,
                frame=_text_frame(frames.event_text(event, self._representation)),
            )
            for event in events
            if event.workspace_sid in heard
        ]

    def _follow_for_agents(self, events: Sequence[Event]) -> None:
        pictures: dict[str, Configuration | None] = {}
        parcels: list[Parcel] = []
        for event in events:
            here = [(sid, self._forms(sid)) for sid in self._audience.of(event)]
            wanted = [(sid, forms) for sid, forms in here if any(forms)]
            if not wanted:
                continue
            if event.workspace_sid not in pictures:
                pictures[event.workspace_sid] = self._configuration(event.workspace_sid)
            configuration = pictures[event.workspace_sid]
            if configuration is not None:
                parcels.extend(self._parcels(event, configuration, wanted))
        if parcels:
            self._deliver(parcels)

    def _configuration(self, workspace_sid: str) -> Configuration | None:
        try:
            return self._engine.glance(lambda work: work.configuration(workspace_sid))
        except NotFound:
            return None  # the Workspace is gone, and its Workers with it

    def _parcels(
        self,
        event: Event,
        configuration: Configuration,
        wanted: Sequence[tuple[str, tuple[bool, bool]]],
    ) -> list[Parcel]:
        lag = 0.0
        if is_marked(event):
            lag = lag_seconds(event.occurred_at, LAG_MS, self._engine.clock.now())
        current = legacy = None
        if any(forms[0] for _, forms in wanted):
            current = frames.current(event, self._wire, configuration)
        if any(forms[1] for _, forms in wanted):
            legacy = frames.legacy(event, self._representation, configuration)
        about = event.task_sid
        if event.type.startswith("reservation."):
            about = event.reservation_sid
        return [
            Parcel(
                channel=sid,
                position=event.position,
                current=current,
                legacy=legacy,
                lag=lag,
                about=about,
                needs=frames.needs(event, configuration) if current is not None else None,
                brings=event.task_sid if event.type == "reservation.created" else None,
            )
            for sid, _ in wanted
        ]


def _text_frame(text: bytes) -> bytes:
    """As it goes over the wire, to whomever: a server's frames carry no mask."""
    return Frame(Opcode.TEXT, text).serialize(mask=False)
