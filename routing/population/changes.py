"""Which workers changed, name by name; a reader remembers how far it has read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

#: How many changes of one name are remembered. Who is further behind starts anew: so many workers
#: are about as dear to ask one by one as all of them by columns.
REMEMBERED = 256

#: Names whose changes are remembered. Expressions read tens of names; a stranger's attributes could
#: bring new ones for ever.
_MOST_NAMES = 8192

#: How many changes of each name had been made when something was computed.
Reading: TypeAlias = Mapping[str | None, int]


class Changes:
    """The lists of changed slots by name; None stands for slots that were filled or emptied."""

    def __init__(self) -> None:
        #: Grows with each change of anything.
        self.moment = 0
        self._lists: defaultdict[str | None, _List] = defaultdict(_List)

    def note(self, slot: int, names: Iterable[str | None]) -> bool:
        """The slot has changed; False if all that was remembered had to be given up."""
        self.moment += 1
        for name in names:
            self._lists[name].add(slot)
        if len(self._lists) <= _MOST_NAMES:
            return True
        self._lists.clear()
        return False

    def reading(self, names: Iterable[str | None]) -> Reading:
        """The present state of these names."""
        return {name: self._lists[name].end if name in self._lists else 0 for name in names}

    def since(self, reading: Reading) -> set[int] | None:
        """The slots that changed since; None if there are too many to tell."""
        changed: set[int] = set()
        for name, seen in reading.items():
            known = self._lists.get(name)
            if known is None or known.end == seen:
                continue
            if known.end - seen > REMEMBERED:
                return None
            changed.update(known.slots[seen - known.start :])
        return changed if len(changed) <= REMEMBERED else None


class _List:
    __slots__ = ("slots", "start")

    def __init__(self) -> None:
        self.start = 0
        self.slots: list[int] = []

    @property
    def end(self) -> int:
        return self.start + len(self.slots)

    def add(self, slot: int) -> None:
        self.slots.append(slot)
        if len(self.slots) > 2 * REMEMBERED:
            del self.slots[:-REMEMBERED]
            self.start += REMEMBERED + 1
