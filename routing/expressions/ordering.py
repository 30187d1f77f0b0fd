"""The order of workers that a workflow target asks for: `worker.level DESC, worker.cost ASC`.

Only whole numbers are compared. A worker who lacks an attribute comes after those who have it, in
both directions; a value that is no whole number makes the whole order void, and the workers stand
as if none had been asked for (longest idle first). Both are documented behaviour.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from operator import neg
from types import NoneType
from typing import Any, TypeAlias

from routing.expressions.meaning import Context, value_at
from routing.expressions.syntax import OrderKey, parse_order_by

#: Smallest first: per key 0 and the value in its direction, or 1 and 0 where it is missing. Flat,
#: because there is one for each worker: what holds nothing but numbers costs little to keep.
Rank: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class WorkerOrder:
    """An `order_by` as written, and its keys, the most important first."""

    text: str
    keys: tuple[OrderKey, ...]

    def rank(self, context: Context) -> Rank | None:
        """What to sort a worker by (`context`: `{"worker": {...}}`); None makes the order void."""
        rank: list[int] = []
        for key in self.keys:
            value = value_at(context, key.reference.path)
            if value is None:
                rank += (1, 0)
            elif type(value) is int:  # and no truth value, which is an int to isinstance
                rank += (0, -value if key.descending else value)
            else:
                return None
        return tuple(rank)

    def ranks(self, workers: Sequence[dict[str, object]]) -> list[Rank | None]:
        """The ranks of many, each by what `worker` is, in less time than one by one."""
        columns: list[Iterable[int]] = []
        void: set[int] = set()
        for key in self.keys:
            values = _values(key.reference.path, workers)
            flags: Iterable[int] = repeat(0)
            kinds = set(map(type, values))
            if kinds != {int}:  # mostly it is, and nobody is looked at
                if not kinds <= {int, NoneType}:
                    void |= _odd(values)
                flags = [0 if type(value) is int else 1 for value in values]
                values = [value if type(value) is int else 0 for value in values]
            columns += (flags, map(neg, values) if key.descending else values)
        found: list[Rank | None] = list(zip(*columns, strict=False))
        for place in void:
            found[place] = None
        return found


def _odd(values: Iterable[object]) -> set[int]:
    """The places of what is neither a whole number nor missing."""
    return {
        place for place, value in enumerate(values) if type(value) is not int and value is not None
    }


def _values(path: tuple[str | int, ...], workers: Sequence[dict[str, object]]) -> list[Any]:
    """What each worker has there, None where there is nothing."""
    root, *below = path
    if root != "worker":
        return [None] * len(workers)
    if len(below) == 1 and isinstance(below[0], str):
        name = below[0]
        with suppress(KeyError):  # everybody has it, which takes half the time to read
            return [worker[name] for worker in workers]
        return [worker.get(name) for worker in workers]
    return [value_at({"worker": worker}, path) for worker in workers]


def compile_order_by(text: str) -> WorkerOrder:
    """The order that `text` writes. Raises ExpressionError: what was expected, and where."""
    return WorkerOrder(text=text, keys=parse_order_by(text))
