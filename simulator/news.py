"""What has changed in the network, in order, for readers who want to hear of it as it happens.

Each change has a number and the whole of what it is about, so that a reader who was away for a
moment goes on where it was, and one who was away for longer is given the state anew. Nothing is
kept before anybody has ever read. Nobody here decides about calls.
"""

import dataclasses
import itertools
import threading
from collections import deque
from typing import Any

#: What news can be about.
CALL, HEARD, CONFERENCE, QUEUE = "call", "heard", "conference", "queue"
ENDPOINT, NUMBER, LOG = "endpoint", "number", "log"
KINDS = (CALL, HEARD, CONFERENCE, QUEUE, ENDPOINT, NUMBER, LOG)


@dataclasses.dataclass(frozen=True)
class Item:
    number: int  # 1, 2, 3, ...
    kind: str
    about: Any  # a dictionary as `shown` makes it, or a line of the log


class News:
    def __init__(self, size: int) -> None:
        self._items: deque[Item] = deque(maxlen=size)
        self._changed = threading.Condition()
        self._last = 0
        self._closed = False
        #: Has anybody ever read? Until then nobody need describe what changes.
        self.is_wanted = False

    def add(self, kind: str, about: Any) -> None:
        with self._changed:
            self._last += 1
            self._items.append(Item(self._last, kind, about))
            self._changed.notify_all()

    def begin(self) -> int:
        """From now on changes are kept; the number of the last one so far."""
        with self._changed:
            self.is_wanted = True
            return self._last

    def reaches_back_to(self, number: int) -> bool:
        """Is everything after `number` still here?"""
        with self._changed:
            oldest = self._items[0].number if self._items else self._last + 1
            return oldest - 1 <= number <= self._last

    def after(self, number: int, wait_seconds: float) -> list[Item] | None:
        """What came after `number`; waits (in real time) for the first. None: nothing more will.

        What is too old to be here is left out without a word: see `reaches_back_to`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._last > number or self._closed, wait_seconds)
            if self._closed:
                return None
            new = min(self._last - number, len(self._items))
            return list(itertools.islice(self._items, len(self._items) - new, None))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
