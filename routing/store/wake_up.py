"""Waking those who wait for something to happen. It only shortens waits; nothing relies on it.

A commit names its topics: the types of the events that it wrote, and the tables of which it made a
row due. Only those are woken whom one of them concerns: a webhook that opens a Task wakes the
router and leaves the telephones asleep.
"""

import threading
from collections.abc import Callable
from collections.abc import Set as AbstractSet


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


class WakeUps:
    """Everybody who waits for commits of this process, or hears of others'."""

    def __init__(self) -> None:
        self._subscribed: tuple[tuple[frozenset[str] | None, WakeUp], ...] = ()
        #: Woken by every commit that has a topic.
        self.by_all = self.subscribe()

    def subscribe(self, topics: frozenset[str] | None = None) -> WakeUp:
        """Woken by commits with one of these topics; by all that have any where it is None."""
        wake_up = WakeUp()
        self._subscribed = (*self._subscribed, (topics, wake_up))
        return wake_up

    def change(self, wake_up: WakeUp, topics: frozenset[str]) -> None:
        """From now on it is woken by commits with one of these topics."""
        self._subscribed = tuple(
            (topics if other is wake_up else wanted, other) for wanted, other in self._subscribed
        )

    def notify(self, topics: AbstractSet[str] | None = None) -> None:
        """A commit had these topics; None: nobody knows which."""
        for wanted, wake_up in self._subscribed:
            if topics is None or wanted is None or not wanted.isdisjoint(topics):
                wake_up.notify()


class Bulletin:
    """What processes say to one another beside that; it may be lost, and nothing relies on it."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[str], None], ...] = ()

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """It is called with each message of another process, in a thread of ours."""
        self._listeners = (*self._listeners, listener)

    def hear(self, message: str) -> None:
        for listener in self._listeners:
            listener(message)
