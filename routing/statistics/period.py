"""The time that is asked about, cut into whole buckets and the rest at both ends.

Buckets are a quarter of an hour and a day, both in UTC. The days of a long time are few, the
quarters before the first and after the last of them less than two hundred, and what is left at
either end is shorter than a quarter of an hour: that is counted fact by fact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from routing.clock import SECOND, Instant

QUARTER: Final = 15 * 60 * SECOND
HOUR: Final = 60 * 60 * SECOND
DAY: Final = 24 * 60 * 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From an instant up to, and without, another one."""

    begin: Instant
    end: Instant

    def __contains__(self, instant: Instant) -> bool:
        return self.begin <= instant < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From the one instant to the other, with both of them."""

    start: Instant
    end: Instant

    def __contains__(self, instant: Instant) -> bool:
        return self.start <= instant <= self.end

    def parts(self, *, with_days: bool = True) -> "Parts":
        """The same time in whole days, whole quarters of an hour, and what is left.

        Days only where they are wanted: the quarters tell when in a day something happened.
        """
        span = Span(begin=self.start, end=self.end + 1)
        before, quarters, after = _cut(span, QUARTER)
        if quarters is None:
            return Parts(days=None, quarters=(), rest=(span,))
        if not with_days:
            return Parts(days=None, quarters=(quarters,), rest=tuple(_present(before, after)))
        first, days, last = _cut(quarters, DAY)
        whole = (quarters,) if days is None else tuple(_present(first, last))
        return Parts(days=days, quarters=whole, rest=tuple(_present(before, after)))

    def rows(self, size: int) -> Iterator[Span]:
        """The same time, cut wherever a multiple of `size` milliseconds since 1970 has passed."""
        begin, end = self.start, self.end + 1
        while begin < end:
            until = min(end, (begin // size + 1) * size)
            yield Span(begin=begin, end=until)
            begin = until


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    days: Span | None
    quarters: tuple[Span, ...]
    #: Counted fact by fact.
    rest: tuple[Span, ...]


def _cut(span: Span, size: int) -> tuple[Span | None, Span | None, Span | None]:
    """What lies before the first whole bucket, the whole ones, what lies behind the last."""
    begin, end = -(-span.begin // size) * size, span.end // size * size
    if begin >= end:
        return span, None, None
    return (
        Span(begin=span.begin, end=begin) if span.begin < begin else None,
        Span(begin=begin, end=end),
        Span(begin=end, end=span.end) if end < span.end else None,
    )


def _present(*spans: Span | None) -> Iterator[Span]:
    return (span for span in spans if span is not None)
