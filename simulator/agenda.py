"""What happens when: one lock, the timers, and the scripts that wait for something.

The phone network is single threaded in effect. Whoever has news (a timer that is due, a webhook's
answer, a REST request) takes a `turn`: the lock is held, every script which the news sets free
runs on until it waits again, and the lock is let go. A script is a generator that yields the
Signal it waits for; so a waiting call costs a few hundred bytes and no thread. Nothing polls: the
timer thread sleeps until the earliest timer or until an earlier one is set. Nothing in here may
do I/O.
"""

import contextlib
import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from simulator.clock import MILLISECONDS, Clock, ManualClock
from simulator.lock import Lock

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Interruption(Exception):
    """Something that ends what a call is doing now: a hang-up, a redirect, a dequeue."""


class Scope:
    """The stretch of a script for which some news is meant. News for a closed one is too late."""

    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class Signal(Generic[T]):
    """Fires once, with a value, and sets free whoever waits for it."""

    def __init__(self, agenda: "Agenda") -> None:
        self._agenda = agenda
        self._waiting: list[Script] = []
        self._value: T | None = None
        self.has_fired = False

    def fire(self, value: T) -> None:
        """Only the first call counts: a late timer or a second hang-up changes nothing."""
        if self.has_fired:
            return
        self.has_fired = True
        self._value = value
        for script in self._waiting:
            self._agenda.soon(script.resume_from(self))
        self._waiting.clear()

    def wait(self) -> "Steps[T]":
        yield self
        return self._value  # type: ignore[return-value]  # it has fired, so it holds a T

    def add(self, script: "Script") -> None:
        if self.has_fired:
            self._agenda.soon(script.resume_from(self))
        else:
            self._waiting.append(script)

    def forget(self, script: "Script") -> None:
        if script in self._waiting:
            self._waiting.remove(script)


Steps = Generator[Signal[Any], None, T]


class Timer:
    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class Script:
    """A generator under way. It waits for one signal at a time and can be interrupted there."""

    def __init__(self, agenda: "Agenda", steps: Steps[None], name: str) -> None:
        self._agenda = agenda
        self._steps = steps
        self._awaited: Signal[Any] | None = None
        self.name = name
        self.is_over = False

    def start(self) -> None:
        self._agenda.soon(lambda: self._run(lambda: next(self._steps)))

    def resume_from(self, signal: Signal[Any]) -> Callable[[], None]:
        def resume() -> None:
            if self._awaited is signal:  # else it was interrupted meanwhile and waits elsewhere
                self._run(lambda: next(self._steps))

        return resume

    def interrupt(self, news: Interruption, scope: Scope | None = None) -> None:
        """Raise `news` where the script waits; dropped where the scope has closed before that."""

        def deliver() -> None:
            if self.is_over or (scope is not None and not scope.is_open):
                return
            if self._awaited is not None:
                self._awaited.forget(self)
            self._run(lambda: self._steps.throw(news))

        self._agenda.soon(deliver)

    def _run(self, step: Callable[[], Signal[Any]]) -> None:
        self._awaited = None
        try:
            awaited = step()
        except (StopIteration, Interruption):
            self.is_over = True
        except Exception:
            self.is_over = True
            logger.exception("the script of %s broke", self.name)
        else:
            self._awaited = awaited
            awaited.add(self)


class Agenda:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = Lock()
        # It has all that a Condition asks of its lock.
        self._changed = threading.Condition(self._lock)  # type: ignore[arg-type]
        self._depth = 0
        self._ready: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self._stopped = False
        self._thread: threading.Thread | None = None
        #: webhooks that are on their way; `settle` waits until there are none
        self._in_flight = 0

    # -- turns

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the network's lock; on the way out, run everything that has become ready."""
        with self._lock:
            self._depth += 1
            try:
                yield
            finally:
                try:
                    if self._depth == 1:
                        self.run_ready()
                finally:
                    self._depth -= 1

    def run_ready(self) -> None:
        """Let the scripts that may go on do so. Only inside a turn, never inside a script."""
        while self._ready:
            action = self._ready.popleft()
            try:
                action()
            except Exception:  # one call's mishap must not stop the others
                logger.exception("an action of the network broke")

    def soon(self, action: Callable[[], None]) -> None:
        self._ready.append(action)

    def begin(self, steps: Steps[None], name: str) -> Script:
        script = Script(self, steps, name)
        script.start()
        return script

    def signal(self) -> Signal[Any]:
        return Signal(self)

    # -- time

    def now(self) -> int:
        """Whole milliseconds since the epoch."""
        return int(self.clock.now())

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        timer = Timer(action)
        due = self.clock.now() + seconds * MILLISECONDS
        heapq.heappush(self._timers, (due, next(self._count), timer))
        if self._timers[0][2] is timer:
            self._changed.notify_all()
        return timer

    def pause(self, seconds: float) -> Steps[None]:
        passed: Signal[None] = Signal(self)
        timer = self.after(seconds, lambda: passed.fire(None))
        try:
            yield from passed.wait()
        finally:
            timer.cancel()

    def forever(self) -> Steps[None]:
        """Wait for an interruption."""
        never: Signal[None] = Signal(self)
        yield from never.wait()

    def _next_due(self) -> float | None:
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _run_first(self) -> None:
        _, _, timer = heapq.heappop(self._timers)
        action, timer.action = timer.action, None
        if action is not None:
            with self.turn():
                action()

    # -- the thread that runs the timers

    def start(self) -> None:
        if self.clock.is_manual:
            return
        self._thread = threading.Thread(target=self._loop, name="simulator-agenda", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        with self._lock:
            while not self._stopped:
                due = self._next_due()
                if due is None:
                    self.clock.wait(self._changed, None)
                elif due > (now := self.clock.now()):
                    self.clock.wait(self._changed, (due - now) / MILLISECONDS)
                else:
                    self._run_first()

    # -- what is still on its way

    def departed(self) -> None:
        self._in_flight += 1

    def arrived(self) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._changed.notify_all()

    def settle(self, patience_seconds: float = 30) -> None:
        """Wait until no webhook is on its way. TimeoutError after real `patience_seconds`."""
        with self._lock:
            if not self._changed.wait_for(lambda: not self._in_flight, patience_seconds):
                message = f"{self._in_flight} webhooks are still on their way"
                raise TimeoutError(message)

    def advance(self, seconds: float) -> None:
        """Move a manual clock: every timer on the way runs at its instant, after all is settled."""
        clock = self.clock
        if not isinstance(clock, ManualClock):
            message = "only a manual clock can be advanced"
            raise TypeError(message)
        target = clock.now() + seconds * MILLISECONDS
        while True:
            self.settle()
            with self._lock:
                due = self._next_due()
                if due is None or due > target:
                    clock.move_to(target)
                    return
                clock.move_to(due)
                self._run_first()
