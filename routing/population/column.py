"""One attribute of all workers at one moment: each of its values, and the workers who have it.

A column never changes; what was derived from it is kept with it, and made when first asked for.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

from routing.expressions import number
from routing.population.bitmaps import bitmap, from_flags

#: A bitmap is kept for a value that so many workers have; for a rarer one it is made each time.
_COMMON = 64

#: Walking by slot costs a fraction of what it costs to find and join the slots of each value.
_VARIED = 8

#: So many values that two attributes share are looked up in both; for more, both are walked.
_FEW = 200

#: How many sums of bitmaps an order of values keeps, evenly spread over it.
_BLOCKS = 128


class _Truth:
    """What stands for true or false among values: Python holds True == 1."""


_TRUE, _FALSE = _Truth(), _Truth()
#: What stands for an array or object: it equals nothing.
_COMPOSITE = _Truth()


#: What can stand for itself.
_PLAIN = frozenset({str, int, float, type(None)})


def key_of(value: object) -> object:
    """What stands for a value, so that two are equal in Python if they are in the language."""
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    return _COMPOSITE if isinstance(value, list | tuple | dict) else value


class Column:
    """The values of an attribute by slot; an empty slot is like a worker who lacks it."""

    def __init__(self, values: list[object]) -> None:
        self.size = len(values)
        self.everybody = (1 << self.size) - 1
        #: What stands for each worker's value, by slot.
        self.keys = values
        self._lists: dict[int, list[object]] = {}
        if not _PLAIN.issuperset(map(type, values)):
            self.keys = [value if value.__class__ in _PLAIN else key_of(value) for value in values]
            self._lists = {
                slot: value for slot, value in enumerate(values) if isinstance(value, list)
            }
        #: Workers whose value is an array.
        self.lists = bitmap(self._lists)

    def derive(self) -> "Column":
        """Makes all at once what would be made when first asked for; itself."""
        _ = (self.texts, self.numbers, self.written_numbers, self.are_texts)
        _ = (self._elements, self.text_by_slot, self.number_by_slot)
        return self

    def having_value(self, value: object) -> int:
        """The workers whose value equals this scalar."""
        return self._scalars.bits(key_of(value))

    def having_element(self, value: object) -> int:
        """The workers whose value is an array in which this scalar is."""
        return self._elements.bits(key_of(value))

    @cached_property
    def _scalars(self) -> "_Postings":
        """Of all that a worker may have there but arrays and objects."""
        postings = _Postings(enumerate(self.keys))
        postings.take_out(_COMPOSITE)
        return postings

    @cached_property
    def composites(self) -> int:
        """The workers whose value is an array or an object."""
        return bitmap([slot for slot, key in enumerate(self.keys) if key is _COMPOSITE])

    @cached_property
    def missing(self) -> int:
        return self._scalars.bits(None)

    @cached_property
    def text_values(self) -> list[str]:
        return [key for key in self._scalars.first if isinstance(key, str)]

    def having_any(self, values: Iterable[object]) -> int:
        """The workers whose value equals one of these scalars."""
        return self._scalars.any_of(map(key_of, values))

    @property
    def is_varied(self) -> bool:
        """Looking at each worker is cheaper than looking at each value."""
        return len(self._scalars.first) * _VARIED > self.size

    @cached_property
    def texts(self) -> "Ranking":
        """The texts in their order."""
        texts = sorted(self.text_values)
        return Ranking(texts, texts, self._scalars, self.size)

    @cached_property
    def numbers(self) -> "Ranking":
        """The numbers in their order, without the texts that write some."""
        numbers = sorted(key for key in self._scalars.first if isinstance(key, int | float))
        return Ranking(numbers, numbers, self._scalars, self.size)

    @cached_property
    def odd(self) -> int:
        """The workers whose value is no whole number, and not missing either."""
        if {int, type(None)}.issuperset(map(type, self.keys)):  # mostly, and nobody is looked at
            return 0
        return from_flags(
            bytes([key.__class__ is not int and key is not None for key in self.keys])
        )

    @cached_property
    def written_numbers(self) -> "Ranking":
        """The texts that write numbers, in the order of those."""
        written = ((number(text), text) for text in self.text_values)
        pairs = [pair for pair in written if pair[0] is not None]
        pairs.sort(key=itemgetter(0))
        values, keys = ([pair[part] for pair in pairs] for part in (0, 1))
        return Ranking(values, keys, self._scalars, self.size)

    @cached_property
    def _elements(self) -> "_Postings":
        postings = _Postings(
            (slot, key_of(element))
            for slot, elements in self._lists.items()
            for element in elements
        )
        postings.take_out(_COMPOSITE)
        return postings

    # --- by slot, for comparing two attributes

    @cached_property
    def element_keys(self) -> list[frozenset[object]]:
        """The elements of each worker's array; none where there is no array."""
        nothing: frozenset[object] = frozenset()
        found = [nothing] * self.size
        for slot, elements in self._lists.items():
            found[slot] = frozenset(map(key_of, elements))
        return found

    def same_as(self, other: "Column") -> int | None:
        """The workers whose value equals their value of `other`; None if walking is cheaper."""
        return self._scalars.shared_with(other._scalars)  # noqa: SLF001  (another of the same)

    def element_in(self, other: "Column") -> int | None:
        """The workers in whose array their value of `other` is; None if walking is cheaper."""
        return self._elements.shared_with(other._scalars)  # noqa: SLF001  (another of the same)

    @cached_property
    def text_by_slot(self) -> list[str]:
        """Empty where the value is no text."""
        return [value if isinstance(value, str) else "" for value in self.keys]

    @cached_property
    def number_by_slot(self) -> list[int | float]:
        """Not-a-number, of which every comparison is false, where the value writes none."""
        known: dict[object, int | float | None] = {
            key: number(key) for key in self._scalars.first if isinstance(key, str | int | float)
        }
        values = (known.get(key) for key in self.keys)
        return [math.nan if value is None else value for value in values]

    @cached_property
    def are_texts(self) -> int:
        """The workers whose value is a text."""
        return from_flags(bytes([isinstance(value, str) for value in self.keys]))


class _Postings:
    """Keys, each with the slots that have it."""

    def __init__(self, pairs: Iterable[tuple[int, object]]) -> None:
        """Of slots and keys. Most keys of some attributes have one slot: no list is made for it."""
        self.first: dict[object, int] = {}
        self._more: defaultdict[object, list[int]] = defaultdict(list)
        first_slot, more = self.first.setdefault, self._more
        for slot, key in pairs:
            if first_slot(key, slot) != slot:
                more[key].append(slot)
        self._common: dict[object, int] = {}

    def bits(self, key: object) -> int:
        known = self._common.get(key)
        if known is not None:
            return known
        slots = self._slots(key)
        bits = bitmap(slots)
        if len(slots) >= _COMMON:
            self._common[key] = bits
        return bits

    def any_of(self, keys: Iterable[object]) -> int:
        bits = 0
        rare: list[int] = []
        for key in keys:
            slots = self._slots(key)
            if len(slots) < _COMMON:
                rare += slots
            else:
                bits |= self.bits(key)
        return bits | bitmap(rare)

    def sums(self, keys: Sequence[object], step: int, size: int) -> Iterator[int]:
        """The slots that have one of the first `step` keys, of the first two times as many, and so
        on; all slots are below `size`.
        """
        packed = bytearray(size // 8 + 1)
        for start in range(0, len(keys), step):
            for key in keys[start : start + step]:
                slot = self.first[key]
                packed[slot >> 3] |= 1 << (slot & 7)
                for more in self._more.get(key, ()):
                    packed[more >> 3] |= 1 << (more & 7)
            yield int.from_bytes(packed, "little")

    def take_out(self, key: object) -> None:
        """It is no key from now on."""
        self.first.pop(key, None)
        self._more.pop(key, None)

    def shared_with(self, other: "_Postings") -> int | None:
        """The slots that have the same key in both; None if there are too many such keys to try."""
        shared = self.first.keys() & other.first.keys()
        if len(shared) > _FEW:
            return None
        bits = 0
        for key in shared:
            bits |= self.bits(key) & other.bits(key)
        return bits

    def _slots(self, key: object) -> list[int]:
        slot = self.first.get(key)
        if slot is None:
            return []
        more = self._more.get(key)
        return [slot] if more is None else [slot, *more]


class Ranking:
    """Values in their order, with sums of bitmaps at regular distances."""

    def __init__(
        self, values: Sequence[Any], keys: Sequence[object], postings: _Postings, size: int
    ) -> None:
        """`values` in their order, and the key that has each; `size` is that of the column."""
        self._values = values
        self._keys = keys
        self._postings = postings
        self._step = len(keys) // _BLOCKS + 1
        #: At n: the workers whose value is among the first n * step.
        self._sums = [0, *postings.sums(keys, self._step, size)]
        self.total = self._sums[-1]

    def groups(self, among: int, *, descending: bool) -> Iterator[tuple[Any, int]]:
        """Those `among` the workers who have a value, by their values in order; each is found when
        it is asked for, and no one is looked at on the way.
        """
        left = among & self.total
        while left:
            if descending:
                end = bisect_left(self._sums, True, key=lambda bits: left & bits == left)
                found = left & ~self._sums[end - 1]
            else:
                end = bisect_left(self._sums, True, key=lambda bits: bool(left & bits))
                found = left & self._sums[end]
            left ^= found
            yield from self._groups_in(end - 1, found, descending=descending)

    def _groups_in(self, block: int, among: int, *, descending: bool) -> Iterator[tuple[Any, int]]:
        places = range(len(self._keys))[block * self._step : (block + 1) * self._step]
        for place in reversed(places) if descending else places:
            found = among & self._postings.bits(self._keys[place])
            if found:
                yield self._values[place], found
                among ^= found
                if not among:
                    return

    def _range(self, start: int, end: int) -> int:
        return self._postings.any_of(self._keys[start:end])

    def _first(self, count: int) -> int:
        """The workers with one of the `count` smallest values."""
        block = count // self._step
        return self._sums[block] | self._range(block * self._step, count)

    def above(self, bound: Any) -> int:
        return self.total ^ self._first(bisect_right(self._values, bound))

    def not_below(self, bound: Any) -> int:
        return self.total ^ self._first(bisect_left(self._values, bound))

    def below(self, bound: Any) -> int:
        return self._first(bisect_left(self._values, bound))

    def not_above(self, bound: Any) -> int:
        return self._first(bisect_right(self._values, bound))
