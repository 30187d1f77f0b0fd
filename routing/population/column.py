"""One attribute of all workers at one moment: each of its values, and the workers who have it.

A column never changes; what was derived from it is kept with it, and made when first asked for.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any, Final

from routing.expressions import number
from routing.population.bitmaps import bitmap, from_flags

#: A bitmap is kept for a value that so many workers have; for a rarer one it is made each time.
_COMMON = 64

#: Walking by slot costs a fraction of what it costs to find and join the slots of each value.
_VARIED = 8

#: So many values that two attributes share are looked up in both; for more, both are walked.
_FEW = 200

#: Into how many blocks an order of values is cut, evenly; the number of one is a byte.
_BLOCKS: Final = 128
#: The block of those who have no place in an order.
_NOWHERE: Final = 255


class _Truth:
    """What stands for true or false among values: Python holds True == 1."""


_TRUE, _FALSE = _Truth(), _Truth()
#: What stands for an array or object: it equals nothing.
_COMPOSITE = _Truth()


_NOTHING: Final = type(None)
_NUMBERS: Final = frozenset({int, float})
_WHOLE_OR_MISSING: Final = frozenset({int, _NOTHING})
#: What can stand for itself.
_PLAIN: Final = frozenset({str, int, float, _NOTHING})


def key_of(value: object) -> object:
    """What stands for a value, so that two are equal in Python if they are in the language."""
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    return _COMPOSITE if isinstance(value, list | tuple | dict) else value


class Column:
    """The values of an attribute by slot; an empty slot is like a worker who lacks it."""

    def __init__(self, values: Sequence[object]) -> None:
        self.size = len(values)
        self.everybody = (1 << self.size) - 1
        #: The kinds of values.
        self._kinds = frozenset(map(type, values))
        self._lists: dict[int, list[object]] = {}
        keys = values
        if not self._kinds <= _PLAIN:
            keys = [value if value.__class__ in _PLAIN else key_of(value) for value in values]
            self._lists = {
                slot: value for slot, value in enumerate(values) if isinstance(value, list)
            }
        #: What stands for each worker's value, by slot: a tuple, at which the garbage collector
        #: looks once.
        self.keys = tuple(keys)
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
        postings = _Postings.of_slots(self.keys)
        postings.take_out(_COMPOSITE)
        return postings

    @cached_property
    def composites(self) -> int:
        """The workers whose value is an array or an object."""
        return bitmap([slot for slot, key in enumerate(self.keys) if key is _COMPOSITE])

    @cached_property
    def missing(self) -> int:
        if _NOTHING not in self._kinds:
            return 0
        if len(self._kinds) == 1:
            return self.everybody
        return from_flags(bytes([key is None for key in self.keys]))

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
        keys = self.keys
        slots = [slot for slot, key in enumerate(keys) if isinstance(key, str)]
        return Ranking(slots, keys)

    @cached_property
    def numbers(self) -> "Ranking":
        """The numbers in their order, without the texts that write some."""
        keys = self.keys
        slots: Sequence[int] = range(self.size)
        if not self._kinds & _NUMBERS:
            slots = ()
        elif not self._kinds <= _NUMBERS:
            slots = [slot for slot, key in enumerate(keys) if key.__class__ in _NUMBERS]
        return Ranking(slots, keys)

    @cached_property
    def odd(self) -> int:
        """The workers whose value is no whole number, and not missing either."""
        if self._kinds <= _WHOLE_OR_MISSING:  # mostly, and nobody is looked at
            return 0
        return from_flags(
            bytes([key.__class__ is not int and key is not None for key in self.keys])
        )

    @cached_property
    def written_numbers(self) -> "Ranking":
        """The texts that write numbers, in the order of those."""
        known: dict[object, float | None] = {text: number(text) for text in self.text_values}
        if not any(value is not None for value in known.values()):
            return Ranking((), ())
        written = [known.get(key) for key in self.keys]
        return Ranking([slot for slot, value in enumerate(written) if value is not None], written)

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

    @classmethod
    def of_slots(cls, keys: Sequence[object]) -> "_Postings":
        """Of each slot's key: what most keys have is not looked at one by one."""
        postings = cls(())
        first = dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))
        postings.first = first
        if len(first) < len(keys):
            for slot, key in enumerate(keys):
                if first[key] != slot:
                    postings._more[key].append(slot)
        return postings

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
    """Workers in the order of their values: of any set of them, the first is found without a look
    at the others.

    It is cut into blocks of about as many workers each, and whoever has the same value is in the
    same block. Which one a worker is in is kept as a byte, so that the set of those in some of the
    blocks is made in one go, when it is first asked for. Few objects, and none of a kind that the
    garbage collector would follow: an order may be made while somebody waits for it.
    """

    def __init__(self, slots: Sequence[int], values: Sequence[Any]) -> None:
        """`slots` are those who have a place in it, `values` what everybody has, by slot."""
        self._value_of: Callable[[int], Any] = values.__getitem__
        self._slots = array("I", sorted(slots, key=self._value_of))
        #: Where each block begins, and the last one ends.
        self._begins = self._cut()
        #: By slot, the last one first.
        self._blocks = self._blocks_of(len(values))
        #: At n: the workers in the first n blocks, as far as that was asked.
        self._sums: list[int | None] = [0, *[None] * (len(self._begins) - 1)]
        self.total = self._sum(len(self._begins) - 1)

    def _cut(self) -> "array[int]":
        slots, value_of = self._slots, self._value_of
        step = len(slots) // _BLOCKS + 1
        begins = array("I", [0])
        for place in range(step, len(slots), step):
            begin = bisect_left(slots, value_of(slots[place]), key=value_of)
            if begin > begins[-1]:
                begins.append(begin)
        if slots:
            begins.append(len(slots))
        return begins

    def _blocks_of(self, size: int) -> bytes:
        blocks = bytearray([_NOWHERE]) * size
        for block in range(len(self._begins) - 1):
            for slot in self._slots[self._begins[block] : self._begins[block + 1]]:
                blocks[slot] = block
        return bytes(reversed(blocks))

    def _sum(self, blocks: int) -> int:
        """The workers in so many blocks, from the first one on."""
        known = self._sums[blocks]
        if known is None:
            digits = b"1" * blocks + b"0" * (256 - blocks)
            known = self._sums[blocks] = int(self._blocks.translate(digits), 2)
        return known

    def groups(self, among: int, *, descending: bool) -> Iterator[tuple[Any, int]]:
        """Those `among` the workers who have a value, by their values in order; each is found when
        it is asked for, and no one is looked at on the way.
        """
        left = among & self.total
        while left:
            block = self._last(left) if descending else self._first(left)
            found = left & self._sum(block + 1) & ~self._sum(block)
            left ^= found
            yield from self._groups_in(block, found, descending=descending)

    def _first(self, among: int) -> int:
        """The first block in which one of these is."""
        sums = range(len(self._begins))
        return bisect_left(sums, True, key=lambda blocks: bool(among & self._sum(blocks))) - 1

    def _last(self, among: int) -> int:
        sums = range(len(self._begins))
        return bisect_left(sums, True, key=lambda blocks: among & self._sum(blocks) == among) - 1

    def _groups_in(self, block: int, among: int, *, descending: bool) -> Iterator[tuple[Any, int]]:
        slots: Sequence[int] = self._slots[self._begins[block] : self._begins[block + 1]]
        first, last = self._value_of(slots[0]), self._value_of(slots[-1])
        if first == last:
            yield first, among
            return
        for value, equals in groupby(reversed(slots) if descending else slots, self._value_of):
            found = among & bitmap(list(equals))
            if found:
                yield value, found
                among ^= found
                if not among:
                    return

    def _before(self, place: int) -> int:
        """The workers at the places before that one, where another value begins."""
        block = bisect_right(self._begins, place) - 1
        return self._sum(block) | bitmap(self._slots[self._begins[block] : place])

    def above(self, bound: Any) -> int:
        return self.total ^ self.not_above(bound)

    def not_below(self, bound: Any) -> int:
        return self.total ^ self.below(bound)

    def below(self, bound: Any) -> int:
        return self._before(bisect_left(self._slots, bound, key=self._value_of))

    def not_above(self, bound: Any) -> int:
        return self._before(bisect_right(self._slots, bound, key=self._value_of))
