"""Follows the log for the sockets of this process: an event becomes frames for those who are here.

It begins at the log's present end and remembers nothing: whoever connects reads the tables first.
Every process that holds sockets follows on its own, so each agent hears everything, whichever
process its socket is in.
"""

from collections.abc import Sequence

from routing.api.representation import Representation
from routing.background.loops import following
from routing.configuration import Configuration
from routing.engine import Engine
from routing.errors import NotFound
from routing.events import TOLD_LIVE, Event
from routing.ports import EventLog
from routing.realtime import frames
from routing.realtime.answer_first import LAG_MS, is_marked
from routing.realtime.audience import Audience
from routing.realtime.hub import Deliver, Forms, Parcel, lag_seconds
from routing.realtime.wire import Wire

#: The types of events that it is given.
CONCERNS = TOLD_LIVE


class LiveFollower:
    """One thread's: reads events, finds whom they concern, and hands parcels to the event loop."""

    def __init__(
        self,
        engine: Engine,
        log: EventLog,
        *,
        wire: Wire,
        representation: Representation,
        forms: Forms,
        deliver: Deliver,
    ) -> None:
        self._engine = engine
        self._wire = wire
        self._representation = representation
        self._forms = forms
        self._deliver = deliver
        self._audience = Audience()
        self._engine.read(self._audience.load)
        self.step = following(log, self.follow)

    def follow(self, events: Sequence[Event]) -> None:
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
        return [
            Parcel(
                channel=sid,
                position=event.position,
                current=current,
                legacy=legacy,
                lag=lag,
            )
            for sid, _ in wanted
        ]
