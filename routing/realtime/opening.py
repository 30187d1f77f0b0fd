"""A client that has just connected reads the tables, and must miss nothing meanwhile.

The SDK drops what it is told between the first frame and the moment when it has read its Worker,
Activities, channels and Reservations. So as soon as it begins to read, what happens is held back
for its socket, and sent when it has read everything; but for what its list of Reservations shows
already. This needs the requests and the socket to come to the same process: to the realtime port.
"""

from collections.abc import Callable
from typing import Final, Protocol

from routing.api.tokens import Bearer

BEGINS: Final = "FetchWorker"
LISTS: Final = "ListReservationWithTask"
#: What the SDK reads after that, all at once; then it listens.
READS: Final = frozenset({"ListActivity", "ListWorkerChannel", LISTS})
#: Seconds after the last answer until it surely listens.
LISTENS_SECONDS: Final = 0.1
#: Seconds after which nothing is held back any more, whatever was read.
LONGEST_SECONDS: Final = 2.0


class Watcher(Protocol):
    """Is told what clients read; called from any thread."""

    def asks(self, bearer: Bearer, operation: str) -> None: ...
    def is_answered(self, bearer: Bearer, operation: str) -> None: ...


class Nobody:
    """Where the sockets are in another process."""

    def asks(self, bearer: Bearer, operation: str) -> None:
        pass

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

    def asks(self, bearer: Bearer, operation: str) -> None:
        if operation == BEGINS:
            self._call(lambda: self._hub.begins_to_read(bearer))
        elif operation == LISTS:
            # Before the list is read: what is committed in between is better told twice than never.
            low, seen = self._visible()
            self._call(lambda: self._hub.lists(bearer, low, seen))

    def is_answered(self, bearer: Bearer, operation: str) -> None:
        if operation in READS:
            self._call(lambda: self._hub.has_read(bearer, operation))


class Opening(Protocol):
    """The hub's part of it."""

    def begins_to_read(self, bearer: Bearer) -> None: ...
    def lists(self, bearer: Bearer, low: int, seen: frozenset[int]) -> None: ...
    def has_read(self, bearer: Bearer, operation: str) -> None: ...
