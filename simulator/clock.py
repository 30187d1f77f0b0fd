"""The simulator's own time: real, faster than real, or moved by hand.

Instants are milliseconds since the Unix epoch, durations are seconds. Nothing else in the simulator
reads a clock of the machine, so a whole call can be played on a scaled or a manual clock.
"""

import email.utils
import threading
import time
from typing import Protocol

MILLISECONDS = 1000  # in a second


class Clock(Protocol):
    #: True where time passes only when somebody says so; then nothing waits for it.
    is_manual: bool

    def now(self) -> float:
        """The present, in milliseconds since the epoch, with fractions."""
        ...

    def wait(self, changed: threading.Condition, seconds: float | None) -> None:
        """Give up `changed`'s lock until it is notified or `seconds` of this clock have passed."""
        ...


class ScaledClock:
    """Runs `factor` times as fast as the machine's clock, from the present onwards.

    It follows the monotonic clock, so a correction of the machine's time moves no timer.
    """

    is_manual = False

    def __init__(self, factor: float = 1.0) -> None:
        if factor <= 0:
            message = f"a clock's factor is a positive number, not {factor}"
            raise ValueError(message)
        self._factor = factor
        self._epoch = time.time() * MILLISECONDS
        self._start = time.monotonic()

    def now(self) -> float:
        elapsed = time.monotonic() - self._start
        return self._epoch + elapsed * MILLISECONDS * self._factor

    def wait(self, changed: threading.Condition, seconds: float | None) -> None:
        changed.wait(None if seconds is None else max(seconds, 0) / self._factor)


class RealClock(ScaledClock):
    def __init__(self) -> None:
        super().__init__(1.0)


class ManualClock:
    """Stands still until `move_to` (Agenda.advance uses it)."""

    is_manual = True

    def __init__(self, start: float = 1_700_000_000_000) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def move_to(self, instant: float) -> None:
        self._now = max(self._now, instant)

    def wait(self, changed: threading.Condition, seconds: float | None) -> None:
        del seconds  # no time passes by itself: only a change ends the wait
        changed.wait()


def iso_8601(instant: float) -> str:
    """`2026-02-12T11:48:25`, in UTC, as filters of lists are compared with."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(instant / MILLISECONDS))


def rfc_2822(instant: float) -> str:
    """`Thu, 12 Feb 2026 11:48:25 +0000`, the form of Twilio's voice API and callbacks."""
    return email.utils.formatdate(instant / MILLISECONDS, localtime=False).replace("-0000", "+0000")
