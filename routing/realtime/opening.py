"""A client that has just connected reads the tables, and must miss nothing meanwhile.

The SDK drops what it is told between the first frame and the moment when it has read its Worker,
Activities, channels and Reservations. So what happens from its coming on is kept for its socket,
and sent when it has read everything; but for what its list of Reservations shows already.

A Reservation that was made meanwhile is left out of that list, so that it is told of as others are:
the applications of the SDK wait for the event, and many never look at the list. This needs the
requests and the socket to come to the same process: to the realtime port.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from routing.api.tokens import Bearer

BEGINS: Final = "FetchWorker"
LISTS: Final = "ListReservationWithTask"
#: What the SDK reads after that, all at once; then it listens.
READS: Final = frozenset({"ListActivity", "ListWorkerChannel", LISTS})
#: Seconds after the last answer until it surely listens.
LISTENS_SECONDS: Final = 0.1
#: Seconds after which nothing is held back any more, whatever was read.
LONGEST_SECONDS: Final = 5.0


#: Seconds in which the event loop surely says what is left out of a list.
_ANSWERS_SECONDS: Final = 5.0
NONE: Final[frozenset[str]] = frozenset()


class Watcher(Protocol):
    """Is told what clients read; called from any thread."""

    def asks(self, bearer: Bearer, operation: str) -> frozenset[str]:
        """The SIDs that are to be left out of what it is answered."""
        ...

    def is_answered(self, bearer: Bearer, operation: str) -> None: ...


class Nobody:
    """Where the sockets are in another process."""

    def asks(self, bearer: Bearer, operation: str) -> frozenset[str]:  # noqa: ARG002 - a Watcher
        return NONE

    def is_answered(self, bearer: Bearer, operation: str) -> None:
        pass


class Doorkeeper:
    """Tells the hub of it, in the event loop's thread."""

    def __init__(
        self,
        visible: Callable[[], tuple[int, frozenset[int]]],
        call: Callable[[Callable[[], None]], None],
        hub: "Opening",
    ) -> None:
        """`visible` tells which events are there; `call` runs something in the loop."""
        self._visible = visible
        self._call = call
        self._hub = hub

    def asks(self, bearer: Bearer, operation: str) -> frozenset[str]:
        if operation == BEGINS:
            low, seen = self._visible()
            self._call(lambda: self._hub.begins_to_read(bearer, low, seen))
        elif operation == LISTS:
            return self._lists(bearer)
        return NONE

    def _lists(self, bearer: Bearer) -> frozenset[str]:
        # Before the list is read: what is committed in between is better told twice than never.
        low, seen = self._visible()
        left_out: Future[frozenset[str]] = Future()

        def lists() -> None:
            if left_out.set_running_or_notify_cancel():
                left_out.set_result(self._hub.lists(bearer, low, seen))

        self._call(lists)
        with contextlib.suppress(TimeoutError):
            return left_out.result(_ANSWERS_SECONDS)
        return NONE if left_out.cancel() else left_out.result()

    def is_answered(self, bearer: Bearer, operation: str) -> None:
        if operation in READS:
            self._call(lambda: self._hub.has_read(bearer, operation))


class Opening(Protocol):
    """The hub's part of it."""

    def begins_to_read(self, bearer: Bearer, low: int, seen: frozenset[int]) -> None: ...
    def lists(self, bearer: Bearer, low: int, seen: frozenset[int]) -> frozenset[str]: ...
    def has_read(self, bearer: Bearer, operation: str) -> None: ...
