"""What an operator says about two values, and how a reference finds its value.

The rules, with their reasons, are on the sign of this room; here is the one place that holds them.
The closures are quicker ways to the same answers, and binding folds constants by these functions.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from routing.expressions.syntax import MAX_DIGITS

#: What an expression is asked about: names to values as JSON has them.
Context: TypeAlias = Mapping[str, object]

#: What counts as a number inside a text. Python's own float() would take "nan", "1_0" and " 1 ".
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def value_at(context: Context, path: tuple[str | int, ...]) -> object:
    """The value a path leads to, or None if it leads nowhere. Below the root, objects are dicts."""
    value: object = context.get(str(path[0]))
    for part in path[1:]:
        if isinstance(part, str):
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        else:
            if not isinstance(value, list) or part >= len(value):
                return None
            value = value[part]
    return value


def equal(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right  # Python holds True == 1
    return left == right and not is_composite(left)


def differ(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is not right
    return not (is_composite(left) or is_composite(right) or equal(left, right))


def above(left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left > right
    first, second = number(left), number(right)
    return first is not None and second is not None and first > second


def not_below(left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left >= right
    first, second = number(left), number(right)
    return first is not None and second is not None and first >= second


def below(left: object, right: object) -> bool:
    return above(right, left)


def not_above(left: object, right: object) -> bool:
    return not_below(right, left)


def contains(left: object, right: object) -> bool:
    return isinstance(left, str) and isinstance(right, str) and right in left


def has(left: object, right: object) -> bool:
    # Python's `in` is quick but holds True == 1: what it does not find is not there.
    return (
        isinstance(left, list | tuple)
        and right in left
        and any(equal(element, right) for element in left)
    )


def is_in(left: object, right: object) -> bool:
    return has(right, left)


def is_not_in(left: object, right: object) -> bool:
    if is_composite(left):
        return False
    if right is None:
        return True
    return isinstance(right, list | tuple) and not has(right, left)


OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "==": equal,
    "!=": differ,
    ">": above,
    ">=": not_below,
    "<": below,
    "<=": not_above,
    "CONTAINS": contains,
    "HAS": has,
    "IN": is_in,
    "NOT IN": is_not_in,
}


def is_composite(value: object) -> bool:
    return isinstance(value, list | tuple | dict)


def number(value: object) -> int | float | None:
    """The number that a value is, or that its text writes; None for everything else."""
    if isinstance(value, str):
        return _written(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return None


def _written(text: str) -> int | float | None:
    if len(text) > MAX_DIGITS or _NUMBER.fullmatch(text) is None:
        return None
    return int(text) if text.lstrip("-").isdecimal() else float(text)
