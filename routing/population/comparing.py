"""What a comparison says of all workers at once: the rules of `routing.expressions` on columns.

Each function answers for every worker as the operator of the same meaning does for one; all of them
are written beside each other here, as they are in `routing.expressions.meaning`.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from typing import Any

from routing.expressions import is_composite, number
from routing.population.bitmaps import from_flags
from routing.population.column import Column, Ranking

# --- an attribute and a constant


def _equal(column: Column, constant: object) -> int:
    return 0 if is_composite(constant) else column.having_value(constant)


def _different(column: Column, constant: object) -> int:
    if constant is None:
        return column.everybody ^ column.missing
    if is_composite(constant):
        return column.missing
    return column.everybody & ~(column.composites | column.having_value(constant))


def _ordered(side: Callable[[Ranking, Any], int]) -> Callable[[Column, object], int]:
    def ordered(column: Column, constant: object) -> int:
        bound = number(constant)
        if isinstance(constant, str):
            bits = side(column.texts, constant)
        else:
            bits = 0 if bound is None else side(column.written_numbers, bound)
        return bits if bound is None else bits | side(column.numbers, bound)

    return ordered


def _containing(column: Column, constant: object) -> int:
    if not isinstance(constant, str):
        return 0
    if column.is_varied:
        return column.are_texts & _walked(operator.contains, column.text_by_slot, repeat(constant))
    return column.having_any([text for text in column.text_values if constant in text])


def _contained(column: Column, constant: object) -> int:
    """`constant CONTAINS attribute`."""
    if not isinstance(constant, str):
        return 0
    if column.is_varied:
        return column.are_texts & _walked(operator.contains, repeat(constant), column.text_by_slot)
    return column.having_any([text for text in column.text_values if text in constant])


def _having(column: Column, constant: object) -> int:
    return 0 if is_composite(constant) else column.having_element(constant)


def _not_having(column: Column, constant: object) -> int:
    """`constant NOT IN attribute`."""
    if is_composite(constant):
        return 0
    return column.missing | column.lists & ~column.having_element(constant)


def _among(column: Column, constant: object) -> int:
    if not isinstance(constant, list | tuple):
        return 0
    return column.having_any([value for value in constant if not is_composite(value)])


def _not_among(column: Column, constant: object) -> int:
    scalars = column.everybody & ~column.composites
    if constant is None:
        return scalars
    return scalars & ~_among(column, constant) if isinstance(constant, list | tuple) else 0


#: Column first, then the constant, as in the language.
ATTRIBUTE_FIRST: Mapping[str, Callable[[Column, object], int]] = {
    "==": _equal,
    "!=": _different,
    ">": _ordered(Ranking.above),
    ">=": _ordered(Ranking.not_below),
    "<": _ordered(Ranking.below),
    "<=": _ordered(Ranking.not_above),
    "CONTAINS": _containing,
    "HAS": _having,
    "IN": _among,
    "NOT IN": _not_among,
}
#: The constant stands first in the language, and second here.
CONSTANT_FIRST: Mapping[str, Callable[[Column, object], int]] = {
    "==": _equal,
    "!=": _different,
    ">": _ordered(Ranking.below),
    ">=": _ordered(Ranking.not_above),
    "<": _ordered(Ranking.above),
    "<=": _ordered(Ranking.not_below),
    "CONTAINS": _contained,
    "HAS": _among,
    "IN": _having,
    "NOT IN": _not_having,
}


# --- two attributes, worker by worker


def _walked(test: Callable[[Any, Any], Any], left: Iterable[Any], right: Iterable[Any]) -> int:
    """The slots at which `test` holds; neither the loop nor the test is Python's own code."""
    return from_flags(bytes(map(test, left, right)))


def _same(left: Column, right: Column) -> int:
    bits = left.same_as(right)
    if bits is None:
        bits = _walked(operator.eq, left.keys, right.keys) & ~(left.composites | right.composites)
    return bits


def _unlike(left: Column, right: Column) -> int:
    scalars = left.everybody & ~(left.composites | right.composites)
    return scalars & ~_same(left, right) | left.missing ^ right.missing


def _in_order(test: Callable[[Any, Any], bool]) -> Callable[[Column, Column], int]:
    def ordered(left: Column, right: Column) -> int:
        both_texts = left.are_texts & right.are_texts
        bits = _walked(test, left.number_by_slot, right.number_by_slot) & ~both_texts
        if both_texts:
            bits |= _walked(test, left.text_by_slot, right.text_by_slot) & both_texts
        return bits

    return ordered


def _text_within(left: Column, right: Column) -> int:
    bits = _walked(operator.contains, left.text_by_slot, right.text_by_slot)
    return bits & left.are_texts & right.are_texts


def _element_within(left: Column, right: Column) -> int:
    bits = left.element_in(right)
    if bits is None:
        bits = _walked(operator.contains, left.element_keys, right.keys) & ~right.composites
    return bits & left.lists


def _within(left: Column, right: Column) -> int:
    return _element_within(right, left)


def _not_within(left: Column, right: Column) -> int:
    return (right.missing | right.lists & ~_within(left, right)) & ~left.composites


BOTH_ATTRIBUTES: Mapping[str, Callable[[Column, Column], int]] = {
    "==": _same,
    "!=": _unlike,
    ">": _in_order(operator.gt),
    ">=": _in_order(operator.ge),
    "<": _in_order(operator.lt),
    "<=": _in_order(operator.le),
    "CONTAINS": _text_within,
    "HAS": _element_within,
    "IN": _within,
    "NOT IN": _not_within,
}
