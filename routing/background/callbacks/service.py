"""The callbacks of one process: the follower that writes what is owed, and who sends it."""

import time
from collections.abc import Sequence
from typing import Final

from routing.background.callbacks import dispatch
from routing.background.callbacks.dispatch import Dispatch, Threads
from routing.background.callbacks.owing import Owing
from routing.background.callbacks.posting import HttpPoster, Poster
from routing.background.callbacks.rules import CHANGES
from routing.background.callbacks.settings import CallbackSettings
from routing.background.loops import Loop, following
from routing.engine import Engine, deliveries
from routing.store import SqlStore

#: The follower's name in the log.
NAME: Final = "callbacks"
#: Seconds between two rounds: what has come of several tries meanwhile is written together.
ROUND_REST_SECONDS: Final = 0.01
#: Seconds between looks while what is under way is waited for.
_LOOK_SECONDS: Final = 0.02


class Callbacks:
    """Its `loops` are started and stopped by whoever runs the process."""

    def __init__(
        self,
        engine: Engine,
        store: SqlStore,
        settings: CallbackSettings,
        *,
        poster: Poster | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._log = store.event_log(NAME, CHANGES)
        self._written = store.subscribe(CHANGES)
        self._owing = Owing(engine, give_up_seconds=settings.give_up_seconds, concern=self._concern)
        due = store.subscribe(dispatch.TOPICS)
        self._dispatch = Dispatch(
            engine,
            settings,
            poster or HttpPoster(allowed=settings.allowed),
            start=Threads().start,
            wake=due.notify,
        )
        self.loops: Sequence[Loop] = (
            Loop(NAME, following(self._log, self._owing.follow), self._written),
            Loop("deliveries", self._dispatch.round, due, rest_seconds=ROUND_REST_SECONDS),
        )

    def _concern(self, concerns: frozenset[str]) -> None:
        """Where nobody wants to hear of anything, nothing wakes us."""
        self._log.concern(concerns)
        self._store.resubscribe(self._written, concerns)

    def start(self, *, alone: bool) -> None:
        """To be called before the loops are started.

        `alone` says that no other process can be at work: leases are a dead one's then.
        """
        if alone:
            self._engine.perform(deliveries.release_all)
        self._log.find_place()
        self._owing.start()

    def finish(self, seconds: float) -> None:
        """Begins nothing new, and waits for what is under way, at most so long."""
        self._dispatch.stop()
        until = time.monotonic() + seconds
        while self._dispatch.in_flight and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
