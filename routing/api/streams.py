"""How many streams of events there may be at once.

A stream holds one of the server's threads for as long as somebody listens, so there is room for a
few of them only: whatever comes of that, three quarters of the threads answer requests. Who wants
to tell many hears of events by a callback, or on the realtime port.
"""

import threading
from collections.abc import Callable


class Streams:
    def __init__(self, *, limit: int = 4) -> None:
        self._places = threading.BoundedSemaphore(limit)
        self._ends: Callable[[], bool] = lambda: False

    def enter(self) -> bool:
        """Takes a place; False where there is none."""
        return self._places.acquire(blocking=False)

    def leave(self) -> None:
        self._places.release()

    def end_when(self, ends: Callable[[], bool]) -> None:
        """The server stops when this becomes true, and the streams with it."""
        self._ends = ends

    @property
    def are_over(self) -> bool:
        return self._ends()
