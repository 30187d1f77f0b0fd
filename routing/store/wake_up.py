"""Waking those who wait for something to happen. It only shortens waits; nothing relies on it.

A commit names its topics: the types of the events that it wrote, and the tables of which it made a
row due. Only those are woken whom one of them concerns: a webhook that opens a Task wakes the
router and leaves the telephones asleep.
"""

import threading
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple


class WakeUp:
    """Fulfils routing.ports.Signal: a running number that moves on at each `notify`.

    Who waits says which number was seen last, so what happened between the last look and the wait
    is not slept through.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._number = 0
        #: The thread that has waited last.
        self.waiter: int | None = None

    def seen(self) -> int:
        """The number of changes so far."""
        return self._number

    def notify(self) -> None:
        with self._moved:
            self._number += 1
            self._moved.notify_all()

    def wait(self, seen: int, timeout: float | None) -> int:
        """The number, as soon as it is another one than `seen`, or after `timeout` seconds."""
        self.waiter = threading.get_ident()
        with self._moved:
            self._moved.wait_for(lambda: self._number != seen, timeout)
            return self._number


class _Wanted(NamedTuple):
    #: None for all.
    topics: frozenset[str] | None
    #: Those of them by which whoever waits is not woken where it has committed itself.
    unless_own: frozenset[str]
    wake_up: WakeUp

    def is_by(self, topics: AbstractSet[str] | None) -> bool:
        """Does a commit of this thread with these topics wake it?"""
        if topics is None or self.topics is None:
            return True
        if self.unless_own and self.wake_up.waiter == threading.get_ident():
            topics = topics - self.unless_own
        return not self.topics.isdisjoint(topics)


class WakeUps:
    """Everybody who waits for commits of this process, or hears of others'."""

    def __init__(self) -> None:
        self._subscribed: tuple[_Wanted, ...] = ()
        #: Woken by every commit that has a topic.
        self.by_all = self.subscribe()

    def subscribe(
        self, topics: frozenset[str] | None = None, *, unless_own: frozenset[str] = frozenset()
    ) -> WakeUp:
        """Woken by commits with one of these topics; by all that have any where it is None. What
        the thread that waits commits itself does not wake it by a topic of `unless_own`.
        """
        wake_up = WakeUp()
        self._subscribed = (*self._subscribed, _Wanted(topics, unless_own, wake_up))
        return wake_up

    def change(self, wake_up: WakeUp, topics: frozenset[str]) -> None:
        """From now on it is woken by commits with one of these topics."""
        self._subscribed = tuple(
            wanted._replace(topics=topics) if wanted.wake_up is wake_up else wanted
            for wanted in self._subscribed
        )

    def notify(self, topics: AbstractSet[str] | None = None) -> None:
        """A commit had these topics; None: nobody knows which."""
        for wanted in self._subscribed:
            if wanted.is_by(topics):
                wanted.wake_up.notify()


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
