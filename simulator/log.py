"""Every webhook sent, every REST call received, every error: what went over the wire, in order.

Readers wait for news on a condition, so a demonstration can follow a call without polling. The
oldest lines are dropped when there are too many. The log never holds the account's token.
"""

import dataclasses
import threading
from collections import deque
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    number: int  # 1, 2, 3, ...: what `since` refers to
    kind: str  # "webhook", "rest" or "error"
    time: int  # ms since the epoch, on the simulator's clock: when it was sent or received
    method: str
    url: str
    parameters: dict[str, Any]
    status: int | None  # None: there was no answer
    duration_ms: float | None
    error: dict[str, Any] | None  # {"code", "message"}, in Twilio's numbers
    call_sid: str | None
    answer: str | None  # what the application said, cut at ANSWER_LIMIT


ANSWER_LIMIT = 4_000  # characters; enough to read any TwiML of human making


class Log:
    def __init__(self, size: int, added: Callable[[Line], None]) -> None:
        """`added` is told of each line; it must be quick and must not use the log."""
        self._added = added
        self._lines: deque[Line] = deque(maxlen=size)
        self._changed = threading.Condition()
        self._last = 0
        self._closed = False

    def add(
        self,
        *,
        kind: str,
        time: int,
        method: str = "",
        url: str = "",
        parameters: dict[str, Any] | None = None,
        status: int | None = None,
        duration_ms: float | None = None,
        error: dict[str, Any] | None = None,
        call_sid: str | None = None,
        answer: str | None = None,
    ) -> None:
        with self._changed:
            self._last += 1
            line = Line(
                number=self._last,
                kind=kind,
                time=time,
                method=method,
                url=url,
                parameters=parameters or {},
                status=status,
                duration_ms=None if duration_ms is None else round(duration_ms, 2),
                error=error,
                call_sid=call_sid,
                answer=None if answer is None else answer[:ANSWER_LIMIT],
            )
            self._lines.append(line)
            self._added(line)
            self._changed.notify_all()

    def since(self, number: int, wait_seconds: float = 0) -> tuple[list[Line], int]:
        """The lines after `number` and the last number; waits (in real time) for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._last > number or self._closed, wait_seconds)
            return [line for line in self._lines if line.number > number], self._last

    def last(self, count: int) -> list[Line]:
        """The newest lines, at most `count`, in order."""
        with self._changed:
            return list(self._lines)[len(self._lines) - min(count, len(self._lines)) :]

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
