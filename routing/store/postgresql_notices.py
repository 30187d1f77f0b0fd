"""Tells other processes that we committed, and hears when they did: PostgreSQL's LISTEN and NOTIFY.

A NOTIFY within a transaction takes a lock of the whole server at commit, so that all commits would
queue for it. Here one thread sends them afterwards, one for all commits since its last. A notice
that is lost costs a poll's wait, nothing else; so both threads just connect again after an error.
"""

import json
import secrets
import threading
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
import psycopg
import structlog

from routing.store.wake_up import WakeUp, WakeUps

_CHANNEL: Final = "tandem"
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

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], wake_ups: WakeUps) -> None:
        self._connect = connect
        self._wake_ups = wake_ups
        self._ours = WakeUp()
        #: What has been committed since the last notice.
        self._topics: set[str] = set()
        self._door = threading.Lock()
        #: What our own notices say, so that we do not wake ourselves twice.
        self._name = secrets.token_hex(8)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
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

    def announce(self, topics: AbstractSet[str]) -> None:
        """To be said after a commit that had these topics; returns at once."""
        with self._door:
            self._topics |= topics
        self._ours.notify()

    def stop(self) -> None:
        self._stopped.set()
        self._ours.notify()
        for thread in self._threads:
            thread.join(timeout=_LOOK_UP_SECONDS)
        self._threads = []

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
        seen = self._ours.seen() - 1
        pause = _SHARED_SECONDS
        while True:
            seen = self._ours.wait(seen, None)
            with self._door:
                topics, self._topics = self._topics, set()
            payload = json.dumps([self._name, *topics])
            connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))
            # All commits of the next moment share a notice.
            if self._stopped.wait(pause):
                return
            committed = self._ours.seen() - seen
            pause = min(pause * 2, _FLOOD_SECONDS) if committed > 1 else _SHARED_SECONDS

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LISTEN {_CHANNEL}")
        self.is_listening.set()
        # Whatever was announced while nobody listened.
        self._wake_ups.notify()
        while not self._stopped.is_set():
            for notice in connection.notifies(timeout=_LOOK_UP_SECONDS, stop_after=1):
                self._hear(notice.payload)

    def _hear(self, payload: str) -> None:
        try:
            sender, *topics = msgspec.json.decode(payload, type=list[str])
        except (ValueError, msgspec.ValidationError):
            self._wake_ups.notify()  # another release's, in words of its own
            return
        if sender != self._name:
            self._wake_ups.notify(set(topics))
