"""What processes on one database say to one another, in whatever way the database lets them."""

import threading
from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from routing.store.wake_up import WakeUp, WakeUps

#: Messages that wait to be sent; nothing relies on them, so the oldest ones go.
_MAX_WAITING: Final = 1000


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """There were commits with these topics; or something else that a process says."""

    sender: str
    topics: frozenset[str] = frozenset()
    says: str | None = None


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Notice).decode


class Outbox:
    """What one process has to say, until its announcing thread comes for it."""

    def __init__(self, name: str) -> None:
        """`name` is how it knows its own notices again."""
        self.name = name
        self.signal = WakeUp()
        self._topics: set[str] = set()
        self._messages: deque[str] = deque(maxlen=_MAX_WAITING)
        self._door = threading.Lock()

    def announce(self, topics: AbstractSet[str]) -> None:
        """To be said after a commit that had these topics; returns at once."""
        with self._door:
            self._topics |= topics
        self.signal.notify()

    def tell(self, message: str) -> None:
        """Says something else, in less than 7900 bytes; returns at once."""
        self._messages.append(message)
        self.signal.notify()

    def take(self) -> list[str]:
        """What is to be sent now: one notice for all commits since the last time, and the rest."""
        with self._door:
            topics, self._topics = self._topics, set()
        notices = [self.notice(topics)]
        while self._messages:
            notices.append(_text(Notice(self.name, says=self._messages.popleft())))
        return notices

    def notice(self, topics: AbstractSet[str]) -> str:
        """What tells of a commit with these topics."""
        return _text(Notice(self.name, frozenset(topics)))


def _text(notice: Notice) -> str:
    return _encode(notice).decode()


def receive(text: str, own_name: str, wake_ups: WakeUps, hear: Callable[[str], None]) -> None:
    """A notice came: wakes whom it concerns, or passes on what was said."""
    try:
        notice = _decode(text)
    except msgspec.MsgspecError:
        wake_ups.notify()  # another release's, in words of its own
        return
    if notice.sender == own_name:
        return
    if notice.says is None:
        wake_ups.notify(notice.topics)
    else:
        hear(notice.says)
