"""One attribute of all workers at one moment: each of its values, and the workers who have it.

A column never changes; what was derived from it is kept with it, and made when first asked for.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from routing.expressions import number
from routing.population.bitmaps import bitmap, from_flags

#: A bitmap is kept for a value that so many workers have; for a rarer one it is made each time.
_COMMON = 64

#: Walking by slot costs a fraction of what it costs to find and join the slots of each value.
_VARIED = 8

#: How many sums of bitmaps an order of values keeps, evenly spread over it.
_BLOCKS = 128


class _Truth:
    """What stands for true or false among values: Python holds True == 1."""


_TRUE, _FALSE = _Truth(), _Truth()
#: What stands for an array or object: it equals nothing.
_COMPOSITE = _Truth()


def key_of(value: object) -> object:
    """What stands for a scalar, so that two are equal in Python if they are in the language."""
    if value.__class__ is bool:
        return _TRUE if value else _FALSE
    return value


def _keys_of(values: list[object]) -> list[object]:
    return [
        _COMPOSITE if isinstance(value, list | tuple | dict) else key_of(value) for value in values
    ]


class Column:
    """The values of an attribute by slot; an empty slot is like a worker who lacks it."""

    def __init__(self, values: Sequence[object]) -> None:
        self.values = values
        self.everybody = (1 << len(values)) - 1
        groups: dict[object, list[int]] = defaultdict(list)
        lists: list[int] = []
        objects: list[int] = []
        for slot, value in enumerate(values):
            kind = value.__class__
            if kind is str or value is None or kind is int:
                groups[value].append(slot)
            elif kind is list:
                lists.append(slot)
            elif isinstance(value, dict | tuple):
                objects.append(slot)
            else:
                groups[key_of(value)].append(slot)
        self._slots_of_lists = lists
        #: Workers whose value is an array, and those whose value is an array or an object.
        self.lists = bitmap(lists)
        self.composites = self.lists | bitmap(objects)
        self._scalars = _Postings(groups)

    def having_value(self, value: object) -> int:
        """The workers whose value equals this scalar."""
        return self._scalars.bits(key_of(value))

    def having_element(self, value: object) -> int:
        """The workers whose value is an array in which this scalar is."""
        return self._elements.bits(key_of(value))

    @cached_property
    def missing(self) -> int:
        return self._scalars.bits(None)

    @cached_property
    def text_values(self) -> list[str]:
        return [key for key in self._scalars.groups if isinstance(key, str)]

    def having_any(self, values: Iterable[object]) -> int:
        """The workers whose value equals one of these scalars."""
        return self._scalars.any_of(map(key_of, values))

    @property
    def is_varied(self) -> bool:
        """Looking at each worker is cheaper than looking at each value."""
        return len(self._scalars.groups) * _VARIED > len(self.values)

    @cached_property
    def texts(self) -> "Ranking":
        """The texts in their order."""
        return Ranking([(text, text) for text in self.text_values], self._scalars)

    @cached_property
    def numbers(self) -> "Ranking":
        """The numbers in their order, without the texts that write some."""
        numbers = (key for key in self._scalars.groups if isinstance(key, int | float))
        return Ranking([(each, each) for each in numbers], self._scalars)

    @cached_property
    def written_numbers(self) -> "Ranking":
        """The texts that write numbers, in the order of those."""
        written = ((number(text), text) for text in self.text_values)
        return Ranking([pair for pair in written if pair[0] is not None], self._scalars)

    @cached_property
    def _elements(self) -> "_Postings":
        groups: dict[object, list[int]] = defaultdict(list)
        for slot, keys in zip(self._slots_of_lists, self._keyed_lists, strict=True):
            for key in keys:
                groups[key].append(slot)
        return _Postings(groups)

    @cached_property
    def _keyed_lists(self) -> list[list[object]]:
        return [_keys_of(self.values[slot]) for slot in self._slots_of_lists]  # type: ignore[arg-type]  # a list stands at each

    # --- by slot, for comparing two attributes

    @cached_property
    def keys(self) -> list[object]:
        return _keys_of(list(self.values))

    @cached_property
    def element_keys(self) -> list[list[object]]:
        """The elements of each worker's array; none where there is no array."""
        nothing: list[object] = []
        found = [nothing] * len(self.values)
        for slot, keys in zip(self._slots_of_lists, self._keyed_lists, strict=True):
            found[slot] = keys
        return found

    @cached_property
    def text_by_slot(self) -> list[str]:
        """Empty where the value is no text."""
        return [value if isinstance(value, str) else "" for value in self.values]

    @cached_property
    def number_by_slot(self) -> list[int | float]:
        """Not-a-number, of which every comparison is false, where the value writes none."""
        known: dict[object, int | float | None] = {
            key: number(key) for key in self._scalars.groups if isinstance(key, str | int | float)
        }
        values = (known.get(key) for key in self.keys)
        return [math.nan if value is None else value for value in values]

    @cached_property
    def are_texts(self) -> int:
        """The workers whose value is a text."""
        return from_flags(bytes([isinstance(value, str) for value in self.values]))


class _Postings:
    """Keys, each with the workers who have it."""

    def __init__(self, groups: dict[object, list[int]]) -> None:
        self.groups = dict(groups)
        self._common: dict[object, int] = {}

    def bits(self, key: object) -> int:
        known = self._common.get(key)
        if known is not None:
            return known
        slots = self.groups.get(key)
        if slots is None:
            return 0
        bits = bitmap(slots)
        if len(slots) >= _COMMON:
            self._common[key] = bits
        return bits

    def any_of(self, keys: Iterable[object]) -> int:
        bits = 0
        rare: list[int] = []
        for key in keys:
            slots = self.groups.get(key, ())
            if len(slots) < _COMMON:
                rare += slots
            else:
                bits |= self.bits(key)
        return bits | bitmap(rare)


class Ranking:
    """Values in their order, with sums of bitmaps at regular distances."""

    def __init__(self, pairs: Iterable[tuple[Any, object]], postings: _Postings) -> None:
        """`pairs` are of what to sort by and the key that has it."""
        ordered = sorted(pairs, key=lambda pair: pair[0])
        self._values = [value for value, _key in ordered]
        self._keys = [key for _value, key in ordered]
        self._postings = postings
        self._step = len(ordered) // _BLOCKS + 1
        #: At n: the workers whose value is among the first n * step.
        self._sums = [0]
        for start in range(0, len(ordered), self._step):
            self._sums.append(self._sums[-1] | self._range(start, start + self._step))
        self.total = self._sums[-1]

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
