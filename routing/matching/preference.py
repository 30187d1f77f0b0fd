"""The order of Workers that a target asks for, kept for all of them at once."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any

from routing.expressions import Rank, WorkerOrder
from routing.matching.ranking import Ranking, numbers_in


class Preference:
    """Workers by their rank in one `order_by`; among equals the longest idle comes first."""

    def __init__(self, order: WorkerOrder) -> None:
        self._order = order
        #: Those whose values make the order void.
        self.void = 0
        self._ranks: dict[int, Rank | None] = {}
        self._equals: dict[Rank, int] = {}
        self._sorted: list[Rank] = []

    def put(self, slot: int, context: dict[str, object]) -> None:
        """A Worker came, or its attributes are others."""
        rank = self._order.rank({"worker": context})
        if slot in self._ranks:
            if self._ranks[slot] == rank:
                return
            self.drop(slot)
        self._ranks[slot] = rank
        bit = 1 << slot
        if rank is None:
            self.void |= bit
        elif rank in self._equals:
            self._equals[rank] |= bit
        else:
            self._equals[rank] = bit
            insort(self._sorted, rank)

    def drop(self, slot: int) -> None:
        if slot not in self._ranks:
            return
        rank = self._ranks.pop(slot)
        bit = 1 << slot
        if rank is None:
            self.void ^= bit
            return
        self._equals[rank] ^= bit
        if not self._equals[rank]:
            del self._equals[rank]
            del self._sorted[bisect_left(self._sorted, rank)]

    def walk(self, bits: int, idle: Ranking[Any]) -> Iterator[int]:
        """Those of `bits`, none of them void, in the order; `idle` decides among equals."""
        ranks = self._sorted
        if bits.bit_count() < len(ranks):
            found = (self._ranks.get(slot) for slot in numbers_in(bits))
            ranks = sorted({rank for rank in found if rank is not None})
        for rank in ranks:
            equals = self._equals[rank] & bits
            if equals:
                yield from idle.walk(equals)
