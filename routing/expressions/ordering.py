"""The order of workers that a workflow target asks for: `worker.level DESC, worker.cost ASC`.

Only whole numbers are compared. A worker who lacks an attribute comes after those who have it, in
both directions; a value that is no whole number makes the whole order void, and the workers stand
as if none had been asked for (longest idle first). Both are documented behaviour.
"""

from dataclasses import dataclass
from typing import TypeAlias

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


def compile_order_by(text: str) -> WorkerOrder:
    """The order that `text` writes. Raises ExpressionError: what was expected, and where."""
    return WorkerOrder(text=text, keys=parse_order_by(text))
