"""The one door to the wall clock. Everything else is handed a Clock.

Instants are whole milliseconds since the Unix epoch (UTC), durations are seconds: integers compare,
sort and store alike on every database, and a test can write them down.
"""

import datetime
import time
from functools import lru_cache
from typing import Protocol

#: Milliseconds since the Unix epoch, UTC.
Instant = int

SECOND = 1000  # in milliseconds, the unit of an Instant


class Clock(Protocol):
    def now(self) -> Instant:
        """The present, in milliseconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> Instant:
        return time.time_ns() // 1_000_000


def iso_8601(instant: Instant) -> str:
    """`2026-01-31T09:30:00Z`: TaskRouter's form, to the second (its clients parse no other)."""
    return _iso_8601_of_second(instant // SECOND)


@lru_cache(maxsize=1024)
def _iso_8601_of_second(second: int) -> str:
    # Each event tells several instants, most of them of the present second.
    moment = datetime.datetime.fromtimestamp(second, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
