"""The order of workers that a workflow target asks for: `worker.level DESC, worker.cost ASC`.

Only whole numbers are compared. A worker who lacks an attribute comes after those who have it, in
both directions; a value that is no whole number makes the whole order void, and the workers stand
as if none had been asked for (longest idle first). Both are documented behaviour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from routing.expressions.meaning import Context, value_at
from routing.expressions.syntax import OrderKey, parse_order_by

#: Smallest first: per key 0 and the value in its direction, or 1 where it is missing.
Rank: TypeAlias = tuple[tuple[int, int], ...]

_MISSING = (1, 0)


@dataclass(frozen=True, kw_only=True)
class WorkerOrder:
    """An `order_by` as written, and its keys, the most important first."""

    text: str
    keys: tuple[OrderKey, ...]

    def rank(self, context: Context) -> Rank | None:
        """What to sort a worker by (`context`: `{"worker": {...}}`); None makes the order void."""
        rank = []
        for key in self.keys:
            value = value_at(context, key.reference.path)
            if value is None:
                rank.append(_MISSING)
            elif isinstance(value, int) and not isinstance(value, bool):
                rank.append((0, -value if key.descending else value))
            else:
                return None
        return tuple(rank)

    def ranks(self, workers: Sequence[dict[str, object]]) -> list[Rank | None]:
        """The ranks of many, each by what `worker` is, in less time than one by one."""
        columns = [_parts(key, workers) for key in self.keys]
        if len(columns) == 1:
            return [None if part is None else (part,) for part in columns[0]]
        return [None if None in parts else parts for parts in zip(*columns, strict=True)]


def _parts(key: OrderKey, workers: Sequence[dict[str, object]]) -> list[tuple[int, int] | None]:
    """What one key says of each; None makes the order void."""
    root, *below = key.reference.path
    if root != "worker":
        return [_MISSING] * len(workers)
    if len(below) == 1 and isinstance(below[0], str):
        name = below[0]
        values = [worker.get(name) for worker in workers]
    else:
        values = [value_at({"worker": worker}, key.reference.path) for worker in workers]
    sign = -1 if key.descending else 1
    return [
        (0, sign * value)
        if isinstance(value, int) and not isinstance(value, bool)
        else _MISSING
        if value is None
        else None
        for value in values
    ]


def compile_order_by(text: str) -> WorkerOrder:
    """The order that `text` writes. Raises ExpressionError: what was expected, and where."""
    return WorkerOrder(text=text, keys=parse_order_by(text))
