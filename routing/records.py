"""Frozen records, changed at the cost of setting their slots.

`dataclasses.replace` looks at each field and calls the `__init__` of a frozen class, and every Task
is changed a dozen times. For dataclasses with slots and nothing else: no `__post_init__` is called.
"""

import operator
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, Final, TypeVar, cast

Record = TypeVar("Record")

_new: Final = object.__new__


def changed(record: Record, **columns: object) -> Record:
    """A copy with some columns changed; raises KeyError for what is no field of it."""
    kind: Any = type(record)
    setters, places, read = _slots(kind)
    cells = list(read(record))
    for name, value in columns.items():
        cells[places[name]] = value
    copy = _new(kind)
    for fill, cell in zip(setters, cells, strict=True):
        fill(copy, cell)
    return cast("Record", copy)


@cache
def _slots(
    kind: type[Any],
) -> tuple[tuple[Callable[[Any, object], None], ...], dict[str, int], Callable[[Any], Any]]:
    """What sets each field, the fields' places, and what reads all of them at once."""
    names = tuple(each.name for each in fields(kind))
    setters = tuple(getattr(kind, name).__set__ for name in names)
    places = {name: place for place, name in enumerate(names)}
    return setters, places, operator.attrgetter(*names)
