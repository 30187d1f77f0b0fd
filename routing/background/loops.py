"""The threads around the one-step functions: they own sleeping, waking, stopping and logging.

A wake-up of the store only shortens the wait; a slow poll guarantees progress without it. A step
that raises is logged and tried again after a pause: a follower never dies of one bad moment.
"""

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from routing import timers
from routing.clock import SECOND
from routing.engine import Engine
from routing.events import Event
from routing.ports import EventLog, Signal

#: Events that one reaction is given at most.
BATCH = 500
#: Seconds between looks at the tables when no wake-up came: the guarantee, not the normal case.
SLOW_POLL_SECONDS = 1.0
#: Seconds between two saves of a follower's cursor while it is busy.
SAVE_SECONDS = 0.5
#: Seconds until a gap in the log is looked at again; it closes as soon as its writer is done.
HELD_UP_SECONDS = 0.005
#: Events in one window of so many seconds that make a flood of them.
FLOOD_EVENTS, FLOOD_WINDOW_SECONDS = 150, 0.1
#: The same where none of them led to anything: Tasks that nobody can take yet only join the line.
FLOOD_IN_VAIN_EVENTS = 25
#: Seconds between two looks at the log during a flood. Each look has its cost, however little it
#: finds, and takes it from those who answer the requests that the flood consists of.
FLOOD_REST_SECONDS = 0.02
#: Seconds after a step that raised.
PAUSE_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class Rest(float):
    """What a step returns: seconds that shall pass whatever happens, then call it again."""


class Loop:
    """One thread that calls `step` until it says there is nothing to do, and then sleeps.

    `step` returns True for "there may be more at once", or the seconds until it wants to be called
    again (a Rest: not before), or False for "only when something has changed".
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool | float],
        signal: Signal,
        *,
        rest_seconds: float = 0.0,
        gather_seconds: float = 0.0,
    ) -> None:
        """`rest_seconds` pass between two steps at least, however often it is woken.

        Woken, it lets those go first for `gather_seconds` whom the same commit has woken; what it
        asked for itself comes in time.
        """
        self.name = name
        self._rest_seconds = rest_seconds
        self._gather_seconds = gather_seconds
        self._step = step
        self._signal = signal
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._failures = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Asks it to end after the step in hand."""
        self._stopping.set()
        self._signal.notify()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    @property
    def is_well(self) -> bool:
        """It runs, and its last step did not fail."""
        return self._thread.is_alive() and not self._failures

    def _run(self) -> None:
        seen = 0
        while not self._stopping.is_set():
            # Read before the step: a change during it makes the wait below return at once.
            seen = self._signal.seen()
            wait = self._one_step()
            if wait is not None:
                if self._rest_seconds:
                    self._stopping.wait(self._rest_seconds)
                self._signal.wait(seen, max(0.0, wait - self._gather_seconds))
                if self._gather_seconds:
                    self._stopping.wait(self._gather_seconds)

    def _one_step(self) -> float | None:
        """Seconds to wait; None for none."""
        try:
            result = self._step()
        except Exception:  # noqa: BLE001 - whatever it was, the loop must live on
            self._failures += 1
            _log.exception("step failed", loop=self.name, failures=self._failures)
            self._stopping.wait(PAUSE_SECONDS)
            return None
        self._failures = 0
        if isinstance(result, Rest):
            self._stopping.wait(result)
            return None
        if result is True:
            return None
        return SLOW_POLL_SECONDS if result is False else min(result, SLOW_POLL_SECONDS)


def following(
    log: EventLog,
    react: Callable[[Sequence[Event]], int | None],
    led_to: Callable[[], int] | None = None,
) -> Callable[[], bool | float]:
    """The step of a follower: the next events, the reaction to them, the cursor moved.

    A reaction may say how many of the events it has dealt with; None stands for all. `led_to` is
    how much came of the reactions so far; without it, something comes of each.

    While events keep coming the cursor is saved a few times a second; each save is a commit, and
    all that a lost one costs is that the last events are reacted to again.
    """
    saved_at = time.monotonic()
    is_flooded = _flood_gauge(led_to)

    def step() -> bool | float:
        nonlocal saved_at
        events = log.read(BATCH)
        dealt = None
        if events:
            dealt = react(events)
            log.go_on(events[:dealt])
        is_saved = not events or time.monotonic() - saved_at > SAVE_SECONDS
        if is_saved:
            log.save()
            saved_at = time.monotonic()
        if not events and log.is_held_up:
            return HELD_UP_SECONDS
        if is_flooded(len(events)) and not log.has_more:
            return Rest(FLOOD_REST_SECONDS)
        if log.has_more or log.is_held_up or dealt not in {None, len(events)}:
            return True
        # Whoever has committed since has woken us, so nobody has to look whether there is more.
        return False if is_saved else SAVE_SECONDS

    return step


def _flood_gauge(led_to: Callable[[], int] | None) -> Callable[[int], bool]:
    """Is told how many events were read, and says whether they come too fast to take each alone."""
    begun_at = time.monotonic()
    count = led_to_before = 0
    flooded = False

    def many() -> int:
        nonlocal led_to_before
        if led_to is None:
            return FLOOD_EVENTS
        before, led_to_before = led_to_before, led_to()
        return FLOOD_IN_VAIN_EVENTS if led_to_before == before else FLOOD_EVENTS

    def is_flooded(events: int) -> bool:
        nonlocal begun_at, count, flooded
        count += events
        now = time.monotonic()
        if now - begun_at > FLOOD_WINDOW_SECONDS:
            flooded = count * FLOOD_WINDOW_SECONDS > many() * (now - begun_at)
            begun_at, count = now, 0
        return flooded and events > 0

    return is_flooded


def timing(engine: Engine) -> Callable[[], bool | float]:
    """The step of the timers: the seconds until the next deadline, or what is due."""

    def step() -> bool | float:
        deadline = timers.next_deadline(engine)
        if deadline is None:
            return False
        seconds = (deadline - engine.clock.now()) / SECOND
        if seconds > 0:
            return seconds
        timers.advance(engine)
        return True

    return step
