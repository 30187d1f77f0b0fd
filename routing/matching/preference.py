"""The order of Workers that a target asks for, kept for all of them at once.

An order that is new is taken in by and by: to rank all Workers of a large centre at once would keep
every other decision waiting. Until then those who could have the Task at hand are ranked for it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, merge
from itertools import islice
from typing import Any, Final

from routing.expressions import Rank, WorkerOrder
from routing.matching.ranking import Ranking, numbers_in
from routing.memory import undisturbed
from routing.population import bitmap

#: Workers who are taken in with each question: a millisecond or two.
_AT_ONCE: Final = 500

#: Ranks for which all newcomers are looked through, before they are put in order.
_SEARCHES: Final = 4

_Context = dict[str, object]


class Preference:
    """Workers by their rank in one `order_by`; among equals the longest idle comes first."""

    def __init__(self, order: WorkerOrder, workers: dict[int, _Context], slots: int) -> None:
        """`workers` are all there are, by slot; the dictionary is kept, and emptied. `slots` are
        the same as a set.
        """
        self._order = order
        #: Those who are not ranked yet.
        self._to_come = workers
        self._coming = slots
        #: Those whose values make the order void.
        self._void = 0
        self._ranks: dict[int, Rank | None] = {}
        self._equals: dict[Rank, int] = {}
        self._sorted: list[Rank] = []

    def put(self, slot: int, context: _Context) -> None:
        """A Worker came, or its attributes are others."""
        self._take_from_coming(slot)
        rank = self._order.rank({"worker": context})
        if slot in self._ranks:
            if self._ranks[slot] == rank:
                return
            self.drop(slot)
        self._ranks[slot] = rank
        bit = 1 << slot
        if rank is None:
            self._void |= bit
        elif rank in self._equals:
            self._equals[rank] |= bit
        else:
            self._equals[rank] = bit
            insort(self._sorted, rank)

    def drop(self, slot: int) -> None:
        self._take_from_coming(slot)
        if slot not in self._ranks:
            return
        rank = self._ranks.pop(slot)
        bit = 1 << slot
        if rank is None:
            self._void ^= bit
            return
        self._equals[rank] ^= bit
        if not self._equals[rank]:
            del self._equals[rank]
            del self._sorted[bisect_left(self._sorted, rank)]

    def _take_from_coming(self, slot: int) -> None:
        if self._to_come.pop(slot, None) is not None:
            self._coming ^= 1 << slot

    def among(self, bits: int) -> "Among":
        """The order of those of `bits`."""
        self._take_in()
        return Among(bits, self._void, self._equals, self._ranks_of(bits), self._newcomers(bits))

    def _take_in(self) -> None:
        slots = list(islice(self._to_come, _AT_ONCE))
        if not slots:
            return
        ranks = self._order.ranks([self._to_come.pop(slot) for slot in slots])
        self._coming ^= bitmap(slots)
        self._ranks.update(zip(slots, ranks, strict=True))
        for rank, equals in _by_rank(slots, ranks).items():
            if rank is None:
                self._void |= bitmap(equals)
            else:
                self._equals[rank] = self._equals.get(rank, 0) | bitmap(equals)
        self._sorted = sorted(self._equals)

    def _ranks_of(self, bits: int) -> Sequence[Rank]:
        """Ranks among which are those of all of `bits` who are ranked, in their order."""
        if bits.bit_count() >= len(self._sorted):
            return self._sorted
        found = (self._ranks.get(slot) for slot in numbers_in(bits))
        return sorted({rank for rank in found if rank is not None})

    def _newcomers(self, bits: int) -> "_Newcomers":
        to_come, wanted = self._to_come, bits & self._coming
        if not wanted:
            return _Newcomers((), ())
        with undisturbed():
            if wanted == self._coming:
                return _Newcomers(list(to_come), self._order.ranks(list(to_come.values())))
            slots = list(numbers_in(wanted))
            return _Newcomers(slots, self._order.ranks([to_come[slot] for slot in slots]))


class Among:
    """Some Workers in an order; to be used before anything changes."""

    def __init__(
        self,
        bits: int,
        void: int,
        equals: Mapping[Rank, int],
        ranks: Sequence[Rank],
        newcomers: "_Newcomers",
    ) -> None:
        self._bits = bits
        self._equals = equals
        self._ranks = ranks
        #: Those of them whose values make the order void.
        self.void = void & bits | newcomers.of(None)
        self._newcomers = newcomers

    def walk(self, idle: Ranking[Any]) -> Iterator[int]:
        """All of them, none of whom is void; `idle` decides among equals."""
        done: Rank | None = None
        for rank in merge(self._ranks, self._newcomers.ranks()):
            if rank == done:
                continue
            done = rank
            equals = self._equals.get(rank, 0) & self._bits | self._newcomers.of(rank)
            if equals:
                yield from idle.walk(equals)


class _Newcomers:
    """Those who are ranked for one question alone; mostly the best of them are all that it takes,
    and nothing is sorted.
    """

    def __init__(self, slots: Sequence[int], ranks: Sequence[Rank | None]) -> None:
        self._slots = slots
        self._ranks = ranks
        self._asked = 0
        self._groups: dict[Rank | None, list[int]] = {}

    def ranks(self) -> Iterator[Rank]:
        """The best one first, and the same one as often as somebody has it."""
        ranks = [rank for rank in self._ranks if rank is not None]
        heapify(ranks)
        while ranks:
            yield heappop(ranks)

    def of(self, rank: Rank | None) -> int:
        """Those who have that rank."""
        if not self._slots:
            return 0
        self._asked += 1
        if self._asked <= _SEARCHES:
            each = zip(self._slots, self._ranks, strict=True)
            return bitmap([slot for slot, its in each if its == rank])
        self._groups = self._groups or _by_rank(self._slots, self._ranks)
        return bitmap(self._groups.get(rank, ()))


def _by_rank(slots: Iterable[int], ranks: Iterable[Rank | None]) -> dict[Rank | None, list[int]]:
    found: dict[Rank | None, list[int]] = {}
    for slot, rank in zip(slots, ranks, strict=True):
        if rank in found:
            found[rank].append(slot)
        else:
            found[rank] = [slot]
    return found
