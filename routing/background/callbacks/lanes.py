"""How much one receiver is sent at a time, and when it is left in peace.

A lane begins narrow and widens by one with each success, up to its limit; a failure halves it.
After some failures in a row it is closed for a while that grows, and then one request at a time
finds out whether the receiver is back. So a receiver that returns is not overrun by what was kept
for it, and one that is dead costs one request now and then. Lanes live in memory: each process has
its own.
"""

import random
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from routing.clock import SECOND, Instant

Job = TypeVar("Job")

#: Failures in a row after which a lane is closed.
FAILURES_TO_CLOSE: Final = 5
#: How many jobs may wait for each one that is being sent.
AHEAD: Final = 3
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


class Lane(Generic[Job]):
    """The way to one receiver.

    One thread takes jobs on and learns what came of them; the threads that send take the next job
    from here as soon as they have finished one.
    """

    def __init__(self, *, limit: int, closes: bool = True, chance: Chance = random.random) -> None:
        """`closes` is False for what cannot wait until a receiver is back."""
        #: Jobs that were taken on, and of which it is not known yet what came of them.
        self.in_flight = 0
        self._waiting: deque[Job] = deque()
        self._running = 0
        self._door = threading.Lock()
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

    @property
    def running(self) -> int:
        """Threads that send on it."""
        return self._running

    def width(self, now: Instant) -> int:
        """How many requests may be under way at once."""
        if self.is_closed:
            return 0 if now < self._closed_until else 1
        return self._width if self._closes else self._limit

    def room(self, now: Instant) -> int:
        """How many more jobs may be taken on now.

        Once it is as wide as can be, some more than are sent at a time: whoever has sent one goes
        on with the next, without waiting for the tables.
        """
        width = self.width(now)
        ahead = AHEAD * width if width == self._limit and self._closes else 0
        return max(0, width + ahead - self.in_flight)

    def take_on(self, job: Job, now: Instant, threads: int) -> bool:
        """True if the job is to be begun in another thread, at most so many; else it waits here."""
        with self._door:
            self.in_flight += 1
            if self._running < min(threads, max(1, self.width(now))):
                self._running += 1
                return True
            self._waiting.append(job)
            return False

    def next_job(self) -> Job | None:
        """What a thread goes on with; None where there is nothing, and it ends."""
        with self._door:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None

    def give_back(self) -> list[Job]:
        """A request has failed: those that wait are not sent after it. Its thread ends."""
        with self._door:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._running -= 1
            return waiting

    def was_not_sent(self) -> None:
        self.in_flight -= 1

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
