"""Tells other processes that we committed, and hears when they did: PostgreSQL's LISTEN and NOTIFY.

A NOTIFY within a transaction takes a lock of the whole server at commit, so that all commits would
queue for it. So it goes with a commit only where nothing was told for a moment, which is when there
is somebody who waits for just this one; else a thread sends one afterwards for all commits since
its last. A notice that is lost costs a poll's wait, nothing else; so both threads just connect
again after an error.
"""

import secrets
import threading
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, Final

import psycopg
import structlog

from routing.store.notices import Outbox, receive
from routing.store.wake_up import WakeUps

CHANNEL: Final = "tandem"
#: Seconds between tries to connect again.
_PAUSE_SECONDS: Final = 1.0
#: Seconds between two notices at least, and during a flood of commits.
_SHARED_SECONDS: Final = 0.005
_FLOOD_SECONDS: Final = 0.02
#: How often the listener looks up, in seconds, where no notice tells it that it is to stop.
_LOOK_UP_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class Notices:
    """Two threads between `start` and `stop`: one that announces our commits, one that listens."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        wake_ups: WakeUps,
        hear: Callable[[str], None],
    ) -> None:
        """`hear` is given what other processes `tell`, in the listener's thread."""
        self._connect = connect
        self._wake_ups = wake_ups
        self._hear = hear
        self._outbox = Outbox(secrets.token_hex(8))
        self.announce = self._outbox.announce
        self.tell = self._outbox.tell
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        #: When the others were told last, by the clock that only runs forward.
        self._told_at = 0.0
        #: So many commits come that each notice is for several.
        self._is_flooded = False
        #: For whoever must know that nothing committed from now on is missed.
        self.is_listening = threading.Event()

    def start(self) -> None:
        """Does nothing when they run already."""
        if self._threads:
            return
        self._stopped.clear()
        self._threads = [
            threading.Thread(target=self._keep, args=(work,), name=name, daemon=True)
            for name, work in (("announce", self._announce), ("listen", self._listen))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._outbox.signal.notify()
        for thread in self._threads:
            thread.join(timeout=_LOOK_UP_SECONDS)
        self._threads = []

    def with_commit(self, topics: AbstractSet[str]) -> str | None:
        """What the transaction that is about to commit shall itself send; None where it shall
        `announce` its topics afterwards.
        """
        now = time.monotonic()
        is_quiet = not self._is_flooded and now - self._told_at >= _FLOOD_SECONDS
        if not topics or not self._threads or not is_quiet:
            return None
        self._told_at = now
        return self._outbox.notice(topics)

    def _keep(self, work: Callable[[psycopg.Connection[Any]], None]) -> None:
        while not self._stopped.is_set():
            try:
                with self._connect() as connection:
                    work(connection)
            except psycopg.Error as error:
                self.is_listening.clear()
                _log.warning("notices_interrupted", error=" ".join(str(error).split()))
                self._stopped.wait(_PAUSE_SECONDS)

    def _announce(self, connection: psycopg.Connection[Any]) -> None:
        # What was committed before there was a connection is told now.
        seen = self._outbox.signal.seen() - 1
        pause = _SHARED_SECONDS
        while True:
            seen = self._outbox.signal.wait(seen, None)
            for payload in self._outbox.take():
                connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
            self._told_at = time.monotonic()
            # All commits of the next moment share a notice.
            if self._stopped.wait(pause):
                return
            committed = self._outbox.signal.seen() - seen
            self._is_flooded = committed > 1
            pause = min(pause * 2, _FLOOD_SECONDS) if self._is_flooded else _SHARED_SECONDS

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self.is_listening.set()
        # Whatever was announced while nobody listened.
        self._wake_ups.notify()
        while not self._stopped.is_set():
            for notice in connection.notifies(timeout=_LOOK_UP_SECONDS, stop_after=1):
                receive(notice.payload, self._outbox.name, self._wake_ups, self._hear)
