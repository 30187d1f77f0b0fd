"""A lock that nobody owns who cannot run.

One of Python's own is given to whoever waits for it the moment it is let go; that thread then
waits for the interpreter, and meanwhile the lock keeps out those who have the interpreter. Where
many threads come for it often, most of the time passes that way: each hand-over takes as long as
the others like to compute (a convoy). Here whoever has waited is only woken, and takes the lock
when it runs; until then anybody else may.
"""

import contextlib
import threading
from collections import deque


class Lock:
    """Re-entrant, and fit for a `threading.Condition`."""

    def __init__(self) -> None:
        self._free = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        #: A lock for each thread that sleeps until it is woken to try again.
        self._asleep: deque[threading.Lock] = deque()

    def acquire(self) -> bool:
        """Returns True when it is ours."""
        me = threading.get_ident()
        if self._owner != me:
            if not self._free.acquire(blocking=False):
                self._wait()
            self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        """RuntimeError where it is not ours."""
        if not self._is_owned():
            message = "a lock is let go by the thread that holds it"
            raise RuntimeError(message)
        self._depth -= 1
        if not self._depth:
            self._let_go()

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()

    def _wait(self) -> None:
        alarm = threading.Lock()
        alarm.acquire()
        self._asleep.append(alarm)
        # Asked again after lining up: it may have been let go just before, and nobody was woken.
        while not self._free.acquire(blocking=False):
            alarm.acquire()
            self._asleep.appendleft(alarm)
        # Where it has gone off by now, our own letting go wakes the next.
        with contextlib.suppress(ValueError):
            self._asleep.remove(alarm)

    def _let_go(self) -> None:
        self._owner = None
        self._free.release()
        with contextlib.suppress(IndexError):
            self._asleep.popleft().release()

    # What a Condition asks for, as Python's own re-entrant lock has it.

    def _is_owned(self) -> bool:
        return self._owner == threading.get_ident()

    def _release_save(self) -> int:
        depth, self._depth = self._depth, 0
        self._let_go()
        return depth

    def _acquire_restore(self, depth: int) -> None:
        self.acquire()
        self._depth = depth
