"""GET /simulator/stream: everything that happens in the network, pushed as server-sent events.

The first event is `state`: all that goes on. Then each change comes as an event of its own, with
the whole of what has changed, so that a reader only ever replaces or appends. An event's id is the
simulator's run and the number of the change: a reader who comes back with `Last-Event-ID` goes on
there, or begins with the state again where the simulator was started anew or too much was missed.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from flask import Response

from simulator.network import Network
from simulator.news import KINDS, LOG, Item

#: Seconds of silence after which a comment is sent, so that a reader who has gone is found out.
HEARTBEAT_SECONDS = 15.0
#: Milliseconds after which a browser that lost the connection comes back.
COMES_BACK_AFTER = 500
#: Each reader takes a thread of the server's crew.
MOST_READERS = 16

STATE = "state"


class TooManyReaders(Exception):
    """Every place for a reader is taken."""


class Stream:
    def __init__(self, network: Network, state: Callable[[], dict[str, Any]]) -> None:
        """`state` is called inside a turn."""
        self._network = network
        self._state = state
        self._run = secrets.token_hex(4)
        self._places = threading.BoundedSemaphore(MOST_READERS)

    def open(self, last_event_id: str, kinds: frozenset[str], log_lines: int) -> Response:
        """Raises TooManyReaders. `log_lines`: how many old ones come with the state."""
        if not self._places.acquire(blocking=False):
            raise TooManyReaders
        # Whoever has the answer's head is told of all that happens from then on.
        place = self._place_of(last_event_id)
        state = None if place is not None else self._look(kinds, log_lines)
        events = self._events(place, state, kinds, log_lines)
        response = Response(events, content_type="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(self._places.release)
        return response

    def _place_of(self, last_event_id: str) -> int | None:
        """Where that reader was; None: nowhere that we still know."""
        run, _, text = last_event_id.partition("-")
        if run != self._run or not text.isdigit():
            return None
        place = int(text)
        return place if self._network.news.reaches_back_to(place) else None

    def _events(
        self,
        place: int | None,
        state: tuple[int, dict[str, Any]] | None,
        kinds: frozenset[str],
        log_lines: int,
    ) -> Iterator[bytes]:
        news = self._network.news
        yield f"retry: {COMES_BACK_AFTER}\n\n".encode()
        if state is not None:
            place, about = state
            yield self._event(STATE, place, about)
        assert place is not None  # noqa: S101 - without a place there is a state
        while (items := news.after(place, HEARTBEAT_SECONDS)) is not None:
            if items and items[0].number != place + 1:  # this reader was too slow
                place, about = self._look(kinds, log_lines)
                yield self._event(STATE, place, about)
                continue
            wanted = [item for item in items if item.kind in kinds]
            place = items[-1].number if items else place
            yield self._told(wanted) or b": all is quiet\n\n"

    def _told(self, items: list[Item]) -> bytes:
        return b"".join(self._event(item.kind, item.number, item.about) for item in items)

    def _look(self, kinds: frozenset[str], log_lines: int) -> tuple[int, dict[str, Any]]:
        """The state and the number of the last change that is in it."""
        with self._network.agenda.turn():
            place = self._network.news.begin()
            state = self._state()
        lines = self._network.log.last(log_lines) if LOG in kinds else []
        return place, {**state, "log": lines}

    def _event(self, kind: str, number: int, about: Any) -> bytes:
        data = msgspec.json.encode(about)
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (
            self._run.encode(),
            number,
            kind.encode(),
            data,
        )


def kinds_in(text: str | None) -> frozenset[str] | None:
    """The kinds that a reader asks for, separated by commas; all by default; None: not so."""
    found = frozenset(KINDS if text is None else text.split(","))
    return found if found <= set(KINDS) else None
