"""Frozen records, made and changed at the cost of setting their slots.

`dataclasses.replace` looks at each field and calls the `__init__` of a frozen class, and every Task
is changed a dozen times. For dataclasses with slots and nothing else: no `__post_init__` is called.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import fields, make_dataclass
from functools import cache
from typing import Any, TypeVar

Record = TypeVar("Record")


def changed(record: Record, **columns: object) -> Record:
    """A copy with some columns changed; raises KeyError for what is no field of it."""
    kind: Any = type(record)
    make, places, read = _copying(kind)
    cells = list(read(record))
    for name, value in columns.items():
        cells[places[name]] = value
    copy: Record = make(*cells)
    return copy


def maker(kind: type[Record], names: Sequence[str]) -> Callable[..., Record]:
    """What makes a record of all its fields, given by place in the order of the names.

    It is made as one that can be changed and has the same slots, and then becomes frozen.
    """
    thawed = make_dataclass(f"Thawed{kind.__name__}", names, slots=True)

    def make(*cells: object) -> Record:
        made: Any = thawed(*cells)
        made.__class__ = kind
        record: Record = made
        return record

    return make


@cache
def _copying(kind: type[Any]) -> tuple[Callable[..., Any], dict[str, int], Callable[[Any], Any]]:
    """What makes a record, the places of its fields, and what reads all of them at once."""
    names = tuple(each.name for each in fields(kind))
    places = {name: place for place, name in enumerate(names)}
    return maker(kind, names), places, operator.attrgetter(*names)
