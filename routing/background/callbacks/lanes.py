"""How much one receiver is sent at a time, and when it is left in peace.

A lane begins narrow and widens by one with each success, up to its limit; a failure halves it.
After some failures in a row it is closed for a while that grows, and then one request at a time
finds out whether the receiver is back. So a receiver that returns is not overrun by what was kept
for it, and one that is dead costs one request now and then. Lanes live in memory: each process has
its own.
"""

import random
from collections.abc import Callable
from typing import Final

from routing.clock import SECOND, Instant

#: Failures in a row after which a lane is closed.
FAILURES_TO_CLOSE: Final = 5
#: Seconds that a lane stays closed: the first time, and at most.
FIRST_PEACE_SECONDS: Final = 1.0
MAX_PEACE_SECONDS: Final = 60.0
#: Seconds until one delivery is tried again: after its first failure, and at most.
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 600.0

#: Between 0 and 1: how much of the variable half of a pause there is.
Chance = Callable[[], float]


def pause_seconds(attempts: int, chance: Chance = random.random) -> float:
    """Seconds until the next try after so many in vain: doubling, the latter half left to chance.

    Without the chance, whatever failed together would come again together.
    """
    return _doubled(FIRST_PAUSE_SECONDS, attempts, MAX_PAUSE_SECONDS) * (0.5 + chance() / 2)


def _doubled(first: float, times: int, most: float) -> float:
    return min(most, first * 2.0 ** min(times - 1, 30))


class Lane:
    """The way to one receiver; used by one thread."""

    def __init__(self, *, limit: int, closes: bool = True, chance: Chance = random.random) -> None:
        """`closes` is False for what cannot wait until a receiver is back."""
        self.in_flight = 0
        self._limit = limit
        self._closes = closes
        self._chance = chance
        self._width = min(2, limit)
        self._failures = 0
        self._closings = 0
        self._closed_until: Instant = 0

    @property
    def is_closed(self) -> bool:
        """Has it failed so often that only one request at a time goes out, if any?"""
        return self._closes and self._failures >= FAILURES_TO_CLOSE

    def room(self, now: Instant) -> int:
        """How many more requests may be sent now."""
        if self.is_closed:
            return 0 if now < self._closed_until else max(0, 1 - self.in_flight)
        width = self._width if self._closes else self._limit
        return max(0, width - self.in_flight)

    def succeeded(self) -> None:
        self.in_flight -= 1
        self._width = 1 if self.is_closed else min(self._limit, self._width + 1)
        self._failures = self._closings = 0

    def failed(self, now: Instant) -> None:
        self.in_flight -= 1
        if self.is_closed and now < self._closed_until:
            return  # it was under way when the lane was closed, and says nothing new
        self._failures += 1
        self._width = max(1, self._width // 2)
        if self.is_closed:
            self._closings += 1
            peace = _doubled(FIRST_PEACE_SECONDS, self._closings, MAX_PEACE_SECONDS)
            self._closed_until = now + int(peace * (0.5 + self._chance() / 2) * SECOND)
