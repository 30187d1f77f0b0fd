"""The smallest input that still fails: parts are left out for as long as it does."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Input: TypeAlias = object

#: Tries at most; a failure on long texts can be slow to show itself.
_TRIES = 3000


def smallest(found: Input, fails: Callable[[Input], bool]) -> Input:
    """An input as `found` is (text, list, dict, number), of which no part can be left out."""
    tries = 0
    shrunk = True
    while shrunk and tries < _TRIES:
        shrunk = False
        for smaller in _smaller(found):
            tries += 1
            if tries >= _TRIES:
                break
            if fails(smaller):
                found, shrunk = smaller, True
                break
    return found


def _smaller(value: Input) -> Iterator[Input]:
    """Everything that is this value without a part of it, the largest parts first."""
    if isinstance(value, str):
        yield from _without_parts(value)
        for plain in "a0":  # what a character is may not matter
            yield from (
                value[:at] + plain + value[at + 1 :]
                for at in range(min(len(value), 200))
                if value[at] not in "a0"
            )
    elif isinstance(value, list):
        yield from (element for element in value if isinstance(element, list))
        yield from _without_parts(value)
        for index, element in enumerate(value):
            yield from ([*value[:index], each, *value[index + 1 :]] for each in _smaller(element))
    elif isinstance(value, dict):
        for name, element in value.items():
            yield {other: value[other] for other in value if other != name}
            yield from ({**value, name: each} for each in _smaller(element))


def _without_parts(value: Any) -> Iterator[Input]:
    """Of a text or a list: without its first half, without its second, without each quarter."""
    size = len(value)
    while size:
        for start in range(0, len(value), size):
            yield value[:start] + value[start + size :]
        size //= 2
