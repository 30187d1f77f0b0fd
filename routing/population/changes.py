"""Which workers changed, name by name; a reader remembers how far it has read."""

from collections import defaultdict
from collections.abc import Collection, Iterable

#: How many changes of one name are remembered. Who is further behind starts anew: so many workers
#: are about as dear to ask one by one as all of them by columns.
REMEMBERED = 256

#: Names whose changes are remembered. Expressions read tens of names; a stranger's attributes could
#: bring new ones for ever.
_MOST_NAMES = 8192


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

    def reading(self, names: Iterable[str | None]) -> "Reading":
        """A reader that has read all there is of these names; void once `note` has said False."""
        return Reading([self._lists[name] for name in names])


class Reading:
    """How far somebody has read the lists of some names."""

    __slots__ = ("_ends", "_lists")

    def __init__(self, lists: list["_List"]) -> None:
        self._lists = lists
        self._ends = [each.end for each in lists]

    def unread(self) -> Collection[int] | None:
        """The slots that changed since; None if there are too many to tell."""
        changed: Collection[int] = ()
        for each, seen in zip(self._lists, self._ends, strict=True):
            if each.end == seen:
                continue
            if each.end - seen > REMEMBERED:
                return None
            changed = {*changed, *each.slots[seen - each.start :]}
        return changed if len(changed) <= REMEMBERED else None

    def finish(self) -> None:
        """All of it has been read."""
        self._ends = [each.end for each in self._lists]


class _List:
    __slots__ = ("end", "slots", "start")

    def __init__(self) -> None:
        self.start = self.end = 0
        self.slots: list[int] = []

    def add(self, slot: int) -> None:
        self.slots.append(slot)
        self.end += 1
        if len(self.slots) > 2 * REMEMBERED:
            del self.slots[:-REMEMBERED]
            self.start = self.end - REMEMBERED
