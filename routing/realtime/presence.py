"""Keeps the deadlines of sockets whose Worker is to go offline when they have gone.

Runs in the server's threads; the rows are the engine's. A client that says goodbye is gone at once.
One that is just not there any more gets a moment, as its network may come back: the SDK tries again
after a second.
"""

import threading
from contextlib import suppress
from typing import Final

from routing.engine import Engine, presences
from routing.errors import Unavailable

#: Seconds that a deadline is away while the socket is open: a process that died is noticed then.
LEASE_SECONDS: Final = 60
#: Seconds between two moves of the deadlines.
STAY_SECONDS: Final = 20
#: Seconds that a client has to come back when its connection broke.
GRACE_SECONDS: Final = 10


class Presences:
    """The presences of this process's sockets."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._open: set[str] = set()

    def arrive(self, workspace_sid: str, worker_sid: str, activity_sid: str | None) -> str:
        """The SID of the presence; raises InvalidParameter for an unknown Activity."""
        presence = self._engine.perform(
            presences.arrive,
            workspace_sid=workspace_sid,
            worker_sid=worker_sid,
            activity_sid=activity_sid,
            seconds=LEASE_SECONDS,
        )
        with self._lock:
            self._open.add(presence.sid)
        return presence.sid

    def stay(self) -> None:
        """Moves the deadlines of all that are open."""
        with self._lock:
            still = tuple(self._open)
        if still:
            self._engine.perform(presences.stay, presence_sids=still, seconds=LEASE_SECONDS)

    def leave(self, presence_sid: str, *, said_goodbye: bool) -> None:
        """The client has gone, or its connection is broken."""
        self._forget(presence_sid)
        seconds = 0 if said_goodbye else GRACE_SECONDS
        # Where the database does not answer, the deadline stands, and is reached all the same.
        with suppress(Unavailable):
            self._engine.perform(presences.leave, presence_sid=presence_sid, seconds=seconds)

    def replaced(self, presence_sid: str) -> None:
        """A newer socket of the Worker took its place."""
        self._forget(presence_sid)
        with suppress(Unavailable):
            self._engine.perform(presences.forget, presence_sid=presence_sid)

    def _forget(self, presence_sid: str) -> None:
        with self._lock:
            self._open.discard(presence_sid)
