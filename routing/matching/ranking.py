"""Numbers in the order of their keys, of which the first of any set is found without a search.

The Workers by how long they are idle, and what waits by who is next, are both such an order; sets
are bitmaps, a bit per number. The order is cut into blocks that know which numbers they hold: to
find the first of a set costs one intersection per block, whoever they are, never a look at all.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any, Generic, TypeAlias, TypeVar

from routing.memory import Settled

Key = TypeVar("Key", bound=tuple[Any, ...])
#: A key with its number behind it: flat, since tuples in tuples take twice as long to compare.
_Entry: TypeAlias = tuple[Any, ...]

#: Numbers in a block at most: the square root of ten thousand, where an intersection costs about
#: as much as a few steps within a block.
_BLOCK = 128
#: A set of so few is sorted at once: cheaper than asking the blocks.
_FEW = 24


def numbers_in(bits: int) -> Iterator[int]:
    """The numbers of a bitmap, in no particular order."""
    if bits.bit_count() > _FEW:
        digits = bin(bits)[:1:-1]
        number = digits.find("1")
        while number >= 0:
            yield number
            number = digits.find("1", number + 1)
        return
    while bits:
        number = bits.bit_length() - 1
        yield number
        bits ^= 1 << number


class _Block:
    __slots__ = ("bits", "entries")

    def __init__(self, entries: list[_Entry]) -> None:
        self.entries = entries
        self.bits = 0
        for entry in entries:
            self.bits |= 1 << entry[-1]

    def cut_off(self, place: int) -> "_Block":
        """The entries from that place on, in a block of their own."""
        rest = _Block(self.entries[place:])
        self.entries = self.entries[:place]
        self.bits ^= rest.bits
        return rest


class Ranking(Generic[Key]):
    """An order of small whole numbers; the smallest key comes first."""

    __slots__ = ("_blocks", "_entries", "_lasts")

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        #: The last entry of each block.
        self._lasts: list[_Entry] = []
        self._entries = Settled[int, _Entry]()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, number: int, key: Key) -> None:
        """The number stands where its key says, wherever it stood before."""
        entry = (*key, number)
        known = self._entries.get(number)
        if known is not None:
            if known == entry:
                return
            self._take_out(known)
        self._entries[number] = entry
        if not self._blocks:
            self._blocks.append(_Block([entry]))
            self._lasts.append(entry)
            return
        place = min(bisect_left(self._lasts, entry), len(self._blocks) - 1)
        block = self._blocks[place]
        insort(block.entries, entry)
        block.bits |= 1 << number
        if len(block.entries) > _BLOCK:
            # Who comes last of all, as whoever was just given something does, begins a new block:
            # to make the sets of two halves anew is as dear as the rest of a decision.
            is_last = block is self._blocks[-1] and block.entries[-1] is entry
            self._blocks.insert(place + 1, block.cut_off(_BLOCK if is_last else _BLOCK // 2))
            self._lasts.insert(place, block.entries[-1])
            place += 1
        self._lasts[place] = self._blocks[place].entries[-1]

    def drop(self, number: int) -> None:
        """The number stands nowhere any more."""
        known = self._entries.pop(number, None)
        if known is not None:
            self._take_out(known)

    def walk(self, bits: int) -> Iterator[int]:
        """Those of the numbers in `bits` that stand here, in their order.

        Nothing may be put or dropped before the last one that is asked for.
        """
        if bits.bit_count() <= _FEW:
            yield from self._sorted(bits)
            return
        for block in self._blocks:
            common = block.bits & bits
            if not common:
                continue
            if common.bit_count() <= _FEW:
                yield from self._sorted(common)
            else:
                for entry in block.entries:
                    if common >> entry[-1] & 1:
                        yield entry[-1]

    def _sorted(self, bits: int) -> list[int]:
        entries = self._entries
        found = [number for number in numbers_in(bits) if number in entries]
        if len(found) > 1:
            found.sort(key=entries.__getitem__)
        return found

    def _take_out(self, entry: _Entry) -> None:
        place = bisect_left(self._lasts, entry)
        block = self._blocks[place]
        del block.entries[bisect_left(block.entries, entry)]
        block.bits ^= 1 << entry[-1]
        if block.entries:
            self._lasts[place] = block.entries[-1]
        else:
            del self._blocks[place]
            del self._lasts[place]
