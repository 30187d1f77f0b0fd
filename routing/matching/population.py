"""Worker attributes, asked as a whole: which slots meet an expression?"""

from collections.abc import Mapping

from routing.expressions import Expression


class Population:
    """The attributes of those in each slot."""

    def __init__(self) -> None:
        self.everybody = 0
        self._contexts: dict[int, Mapping[str, object]] = {}

    def put(self, slot: int, context: Mapping[str, object]) -> None:
        self.everybody |= 1 << slot
        self._contexts[slot] = context

    def drop(self, slot: int) -> None:
        self.everybody &= ~(1 << slot)
        self._contexts.pop(slot, None)

    def matching(self, expression: Expression, *, root: str | None = None) -> int:
        """The slots that meet it, as a bitmap; with a `root`, it reads below that name."""
        if expression.is_always_true:
            return self.everybody
        found = bytearray((self.everybody.bit_length() + 7) // 8)
        for slot, context in self._contexts.items():
            if expression.matches(context if root is None else {root: context}):
                found[slot >> 3] |= 1 << (slot & 7)
        return int.from_bytes(found, "little")

    def meets(self, slot: int, expression: Expression, *, root: str | None = None) -> bool:
        context = self._contexts[slot]
        return expression.matches(context if root is None else {root: context})
