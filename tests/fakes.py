"""Stand-ins that keep the contract of what they stand for."""

from routing.clock import SECOND, Instant

#: 2026-01-05 09:00:00 UTC, a Monday morning.
MONDAY_MORNING: Instant = 1_767_603_600_000


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: Instant = MONDAY_MORNING) -> None:
        self._now = start

    def now(self) -> Instant:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)
