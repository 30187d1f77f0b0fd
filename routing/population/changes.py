"""Which workers changed, name by name and in order: what a snapshot has to catch up with."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TypeAlias

#: How many changed workers are told. A snapshot that is further behind is made anew: so many are
#: about as dear to ask one by one as all of them by columns.
REMEMBERED = 256

#: Names whose changes are remembered. Expressions read tens of names; a stranger's attributes could
#: bring new ones for ever.
_MOST_NAMES = 8192

#: Attributes, and None for slots that were filled or emptied.
Names: TypeAlias = tuple[str | None, ...]


class Changes:
    """The changed slots by name. A moment is the number of changes before it."""

    def __init__(self) -> None:
        self.moment = 0
        self._lists: defaultdict[str | None, _List] = defaultdict(_List)
        #: Until when all lists were given up.
        self._forgotten = 0
        #: What was told since the last change: many answers read the same names.
        self._told: dict[tuple[Names, int], Collection[int] | None] = {}

    def note(self, slot: int, names: Iterable[str | None]) -> None:
        """Something changed in that slot."""
        self.moment += 1
        if self._told:
            self._told = {}
        for name in names:
            self._lists[name].add(slot, self.moment)
        if len(self._lists) > _MOST_NAMES:
            self._lists.clear()
            self._forgotten = self.moment

    def since(self, moment: int, names: Names) -> Collection[int] | None:
        """The slots in which one of the names changed since; None if too many to tell."""
        key = (names, moment)
        if key not in self._told:
            self._told[key] = self._since(moment, names)
        return self._told[key]

    def _since(self, moment: int, names: Names) -> Collection[int] | None:
        if moment < self._forgotten:
            return None
        changed: set[int] = set()
        for name in names:
            known = self._lists.get(name)
            if known is None or known.moments[-1] <= moment:
                continue
            if moment < known.forgotten:
                return None
            changed.update(known.slots[bisect_right(known.moments, moment) :])
        return changed if len(changed) <= REMEMBERED else None


class _List:
    __slots__ = ("forgotten", "moments", "slots")

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.moments: list[int] = []
        self.forgotten = 0

    def add(self, slot: int, moment: int) -> None:
        self.slots.append(slot)
        self.moments.append(moment)
        if len(self.slots) > 2 * REMEMBERED:
            self.forgotten = self.moments[-REMEMBERED - 1]
            del self.slots[:-REMEMBERED]
            del self.moments[:-REMEMBERED]
