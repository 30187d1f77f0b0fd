"""Waking those who wait for something to happen. It only shortens waits; nothing relies on it."""

import threading


class WakeUp:
    """Fulfils routing.ports.Signal: a running number that moves on at each `notify`.

    Who waits says which number was seen last, so what happened between the last look and the wait
    is not slept through.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._number = 0

    def seen(self) -> int:
        """The number of changes so far."""
        return self._number

    def notify(self) -> None:
        with self._moved:
            self._number += 1
            self._moved.notify_all()

    def wait(self, seen: int, timeout: float | None) -> int:
        """The number, as soon as it is another one than `seen`, or after `timeout` seconds."""
        with self._moved:
            self._moved.wait_for(lambda: self._number != seen, timeout)
            return self._number
