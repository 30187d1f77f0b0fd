"""Tasks in an order that begins with their priority, found along indexes that are nearly empty.

Most Tasks have the priority 0, which nobody chose. Only the others are in the indexes by priority,
so that a call which comes in costs them nothing; those of priority 0 are read along the order that
all Tasks have, and asked for it. A page goes from group to group: the Tasks of one priority.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from sqlalchemy import bindparam, select

from routing.store import searching
from routing.store.pages import (
    ASCENDING,
    DESCENDING,
    Key,
    NotZero,
    Order,
    conditions,
    filter_values,
)
from routing.store.searching import Filters, Found, Search
from routing.store.statements import Statement
from routing.store.tables import tasks
from routing.store.unit_of_work import UnitOfWork
from routing.task import Task

#: Groups that one page looks into where no index has them one behind the other.
MAX_GROUPS: Final = 50


class ByPriority:
    """One page; used once."""

    def __init__(self, work: UnitOfWork, *, filters: Filters, order: Order, limit: int) -> None:
        self._work = work
        self._order, self._tail = order, order[1:]
        self._limit = limit
        self._along = {"workspace_sid": filters["workspace_sid"]}
        self._rest = {
            name: value
            for name, value in filters.items()
            if name not in {"workspace_sid", "priority"}
        }
        #: The only priority that is wanted; None for every one.
        self._only = cast("int | None", filters.get("priority"))
        self._descending = order[0][1] == DESCENDING
        #: The groups stand one behind the other in an index: the most urgent first and the oldest
        #: first among equals, or the reverse.
        self._is_indexed = self._descending == (order[1][1] == ASCENDING)
        self._records: list[Task] = []

    def find(self, after: Key | None) -> Found[Task]:
        """At most `limit` Tasks after that key."""
        for found in self._groups(after):
            self._records += found.records
            if found.stopped_at is not None:
                return Found(records=self._records, stopped_at=found.stopped_at)
            if len(self._records) >= self._limit:
                break
        return Found(records=self._records)

    def _groups(self, after: Key | None) -> Iterator[Found[Task]]:
        here = None if after is None else cast("int", after[0])
        if self._only is not None:
            yield from self._only_group(self._only, here, after)
            return
        if here is not None:
            assert after is not None  # noqa: S101 - `here` is a part of it
            yield self._group(here, after[1:])
        if self._descending:
            if here != 0:
                yield from self._above_zero(here)
                yield self._group(0, None)
        else:
            if here is None:
                yield self._group(0, None)
            yield from self._above_zero(here)

    def _only_group(self, only: int, here: int | None, after: Key | None) -> Iterator[Found[Task]]:
        if after is not None and here == only:
            yield self._group(only, after[1:])
        elif here is None or (only < here) == self._descending:
            yield self._group(only, None)

    def _above_zero(self, here: int | None) -> Iterator[Found[Task]]:
        """The groups of priorities other than 0 that come after that one."""
        if self._is_indexed:
            beyond = {"priority": self._beyond(here)}
            yield self._search(self._order, None).along(self._along | beyond, self._rest)
            return
        for _ in range(MAX_GROUPS):
            here = self._next(here)
            if here is None:
                return
            yield self._group(here, None)
        yield Found(records=(), stopped_at=self._end_of(cast("int", here)))

    def _beyond(self, here: int | None) -> NotZero:
        if self._descending:
            return NotZero(less_than=here)
        return NotZero(more_than=here or None)

    def _group(self, priority: int, key: Key | None) -> Found[Task]:
        """The Tasks of that priority, after the rest of a key."""
        search = self._search(self._tail, key)
        if priority:
            found = search.along(self._along | {"priority": NotZero(equal=priority)}, self._rest)
        else:
            found = search.along(self._along, self._rest | {"priority": 0})
        if found.stopped_at is None:
            return found
        return Found(records=found.records, stopped_at=(priority, *found.stopped_at))

    def _search(self, order: Order, key: Key | None) -> Search[Task]:
        wanted = self._limit - len(self._records)
        return Search(self._work, Task, order, key, wanted, most=searching.MOST)

    def _next(self, here: int | None) -> int | None:
        """The next priority other than 0 that any Task of the Workspace has."""
        bound = self._beyond(here)
        known = self._known(("next", self._descending, here is None or here == 0), bound)
        values = filter_values(self._along | {"priority": bound})
        row = self._work.execute(known.text, known.values(**values)).fetchone()
        return None if row is None else cast("int", row[0])

    def _known(self, asked: object, bound: NotZero) -> Statement:
        name = (self._work.dialect.name, asked)
        known = _statements.get(name)
        if known is None:
            priority = tasks.c.priority
            expression: Any = select(priority).where(
                tasks.c.workspace_sid == bindparam("workspace_sid_is"),
                *conditions(priority, "priority", bound),
            )
            directed = priority.desc() if self._descending else priority.asc()
            known = _statements[name] = self._work.dialect.compile(
                expression.order_by(directed).limit(1)
            )
        return known

    def _end_of(self, priority: int) -> Key:
        """The key of the last Task of that priority."""
        backwards = tuple(
            (name, ASCENDING if direction == DESCENDING else DESCENDING)
            for name, direction in self._tail
        )
        group = self._along | {"priority": NotZero(equal=priority)}
        [last] = Search(self._work, Task, backwards, None, 1, most=1).along(group, {}).records
        return (priority, *(getattr(last, name) for name, _ in self._tail))


_statements: Final[dict[object, Statement]] = {}
