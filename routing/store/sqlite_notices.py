"""Tells other processes on the same file that we committed, and hears when they did: datagrams.

Each process has a Unix socket in a folder beside the database; who is in that folder is told. A
datagram that is lost costs a poll's wait, nothing else: whoever cannot be told at once is not.
Where there are no such sockets, or the folder cannot be written to, everybody polls.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from routing.store.notices import Outbox, receive
from routing.store.wake_up import WakeUps

#: Seconds between two notices at least: all commits of the next moment share one.
_SHARED_SECONDS: Final = 0.005
#: The same during a flood of commits.
_FLOOD_SECONDS: Final = 0.02
#: Seconds for which a list of who is there is good, as long as the folder has not changed.
_LISTED_SECONDS: Final = 1.0
_MAX_BYTES: Final = 65_536
_STOP_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class SqliteNotices:
    """Two threads between `start` and `stop`: one that announces our commits, one that listens."""

    def __init__(self, database: Path, wake_ups: WakeUps, hear: Callable[[str], None]) -> None:
        self._folder = database.with_name(f".{database.name}.sockets")
        self._wake_ups = wake_ups
        self._hear = hear
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._outbox = Outbox(self._name)
        self.announce = self._outbox.announce
        self.tell = self._outbox.tell
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._socket: socket.socket | None = None
        self._folder_number = -1
        self._address = ""
        self._listed: Sequence[str] = ()
        self._listed_as_of = -1
        self._listed_at = 0.0

    def start(self) -> None:
        """Does nothing when they run already, or where they cannot."""
        if self._threads:
            return
        try:
            self._open()
        except OSError as error:
            _log.warning("notices between processes cannot be sent", error=str(error))
            return
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("announce", self._announce), ("listen", self._listen))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._outbox.signal.notify()
        if self._threads:
            self._send_to(self._name, b"")
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
        self._threads = []
        if self._socket is not None:
            self._socket.close()
            with suppress(OSError):
                os.unlink(self._name, dir_fd=self._folder_number)
            os.close(self._folder_number)
            self._socket = None

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._folder_number = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        # Short enough for a socket's name, however deep the database lies.
        by_number = f"/proc/self/fd/{self._folder_number}"
        self._address = by_number if Path(by_number).exists() else str(self._folder)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"{self._address}/{self._name}")

    def _announce(self) -> None:
        # What was said before there was a socket is told now.
        seen = self._outbox.signal.seen() - 1
        pause = _SHARED_SECONDS
        while True:
            seen = self._outbox.signal.wait(seen, None)
            texts = [text.encode() for text in self._outbox.take()]
            for name in self._others():
                for text in texts:
                    self._send_to(name, text)
            if self._stopped.wait(pause):
                return
            committed = self._outbox.signal.seen() - seen
            pause = min(pause * 2, _FLOOD_SECONDS) if committed > 1 else _SHARED_SECONDS

    def _others(self) -> Sequence[str]:
        """Who else is there. Listed anew when the folder has changed, and now and then: two changes
        of one moment have the same time.
        """
        changed, now = os.fstat(self._folder_number).st_mtime_ns, time.monotonic()
        if changed != self._listed_as_of or now - self._listed_at > _LISTED_SECONDS:
            self._listed_as_of, self._listed_at = changed, now
            listed = os.listdir(self._folder_number)  # noqa: PTH208 - by its number
            self._listed = [name for name in listed if name != self._name]
        return self._listed

    def _send_to(self, name: str, text: bytes) -> None:
        assert self._socket is not None  # noqa: S101 - the threads run while it is open
        try:
            self._socket.sendto(text, socket.MSG_DONTWAIT, f"{self._address}/{name}")
        except ConnectionRefusedError:
            with suppress(OSError):  # its process was killed
                os.unlink(name, dir_fd=self._folder_number)
        except OSError:
            pass  # it has enough to read already, or has just gone

    def _listen(self) -> None:
        assert self._socket is not None  # noqa: S101 - opened before the thread
        while not self._stopped.is_set():
            text = self._socket.recv(_MAX_BYTES)
            if self._stopped.is_set():
                return
            receive(text.decode(errors="replace"), self._name, self._wake_ups, self._hear)
