"""The order of Workers that a target asks for, kept for all of them at once.

An order that is new must not keep every other decision waiting until all Workers of a large centre
are ranked: who is first is found by the columns of the attributes that it reads, which are there
already, attribute by attribute. Whoever changes afterwards is ranked alone.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from operator import itemgetter
from typing import Any, Final, NamedTuple

from routing.expressions import Rank, WorkerOrder
from routing.matching.ranking import Ranking, numbers_in
from routing.population import Column

#: So few are sorted by their values, rather than found by columns one after the other.
_FEW: Final = 24

_Context = dict[str, object]


class Preference:
    """Workers by their rank in one `order_by`; among equals the longest idle comes first."""

    def __init__(self, order: WorkerOrder, columns: Sequence[Column], slots: int) -> None:
        """`columns` are what the keys of the order read, `slots` those whom they show as they are:
        all others who are there are put.
        """
        self._order = order
        self._keys = [
            _Key(column, key.descending) for column, key in zip(columns, order.keys, strict=True)
        ]
        #: Those who are as the columns show them.
        self._unchanged = slots
        #: Those whose values make the order void.
        self._void = 0
        for column in columns:
            self._void |= column.odd & slots
        #: Of those who have changed.
        self._ranks: dict[int, Rank | None] = {}
        self._equals: dict[Rank, int] = {}
        self._sorted: list[Rank] = []

    def put(self, slot: int, context: _Context) -> None:
        """A Worker came, or its attributes are others."""
        rank = self._order.rank({"worker": context})
        if slot in self._ranks and self._ranks[slot] == rank:
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
        gone = ~(1 << slot)
        self._void &= gone
        self._unchanged &= gone
        if not self._unchanged:
            self._keys = []  # nobody is left in them
        rank = self._ranks.pop(slot, None)
        if rank is None:
            return
        self._equals[rank] &= gone
        if not self._equals[rank]:
            del self._equals[rank]
            del self._sorted[bisect_left(self._sorted, rank)]

    def among(self, bits: int) -> "Among":
        """The order of those of `bits`."""
        unchanged = bits & self._unchanged
        ranks = self._ranks_of(bits ^ unchanged)
        groups = _groups(self._keys, unchanged & ~self._void)
        return Among(bits, self._void, groups, ranks, self._equals)

    def _ranks_of(self, bits: int) -> Sequence[Rank]:
        """Ranks among which are those of all of `bits`, who have changed; in their order."""
        if bits.bit_count() >= len(self._sorted):
            return self._sorted
        found = (self._ranks.get(slot) for slot in numbers_in(bits))
        return sorted({rank for rank in found if rank is not None})


class Among:
    """Some Workers in an order; to be used before anything changes."""

    def __init__(
        self,
        bits: int,
        void: int,
        groups: Iterator["_Group"],
        ranks: Sequence[Rank],
        equals: Mapping[Rank, int],
    ) -> None:
        """`groups` are of those who are unchanged, `ranks` and `equals` of those who are not."""
        self._bits = bits
        #: Those of them whose values make the order void.
        self.void = void & bits
        self._groups = groups
        self._ranks = ranks
        self._equals = equals

    def walk(self, idle: Ranking[Any]) -> Iterator[int]:
        """Those who are not void; `idle` decides among equals. It is walked once."""
        done: Rank | None = None
        of_changed = (_Group(rank, 0) for rank in self._ranks)
        for rank, unchanged in merge(self._groups, of_changed, key=itemgetter(0)):
            if rank == done:
                continue  # told together with those who are unchanged
            done = rank
            equals = self._equals.get(rank, 0) & self._bits | unchanged
            if equals:
                yield from idle.walk(equals)


class _Key(NamedTuple):
    column: Column
    descending: bool

    def part(self, slot: int) -> Rank:
        """What it adds to the rank of that slot's Worker."""
        value = self.column.keys[slot]
        return _MISSING if value is None else self.part_of(value)

    def part_of(self, value: Any) -> Rank:
        return 0, -value if self.descending else value

    def groups(self, rank: Rank, bits: int) -> Iterator["_Group"]:
        """Those of `bits` by what it adds to the rank that they have."""
        for value, found in self.column.numbers.groups(bits, descending=self.descending):
            yield _Group((*rank, *self.part_of(value)), found)
        missing = bits & self.column.missing
        if missing:
            yield _Group((*rank, *_MISSING), missing)


class _Group(NamedTuple):
    """A rank, and who has it."""

    rank: Rank
    bits: int


_MISSING: Final[Rank] = (1, 0)


def _groups(keys: Sequence[_Key], bits: int) -> Iterator[_Group]:
    """Those of `bits`, none of whom is void, by their ranks in order; each is found when it is
    asked for. There may be very many keys: so no generator calls itself.
    """
    begun: list[Iterator[_Group]] = [iter([_Group((), bits)])] if bits else []
    while begun:
        group = next(begun[-1], None)
        depth = len(begun) - 1
        if group is None:
            begun.pop()
        elif depth == len(keys):
            yield group
        elif group.bits.bit_count() <= _FEW:
            yield from _sorted(keys, group.bits)
        else:
            begun.append(keys[depth].groups(group.rank, group.bits))


def _sorted(keys: Sequence[_Key], bits: int) -> list[_Group]:
    found: dict[Rank, int] = {}
    for slot in numbers_in(bits):
        rank = tuple(number for key in keys for number in key.part(slot))
        found[rank] = found.get(rank, 0) | 1 << slot
    return [_Group(*each) for each in sorted(found.items())]
