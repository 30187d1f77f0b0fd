"""Lists that may be long, as a Source of pages: the store finds each by its key."""

from collections.abc import Mapping
from typing import Generic, TypeVar, cast

from routing.api.paging import Order, Place, Rows
from routing.ports import Work
from routing.store import UnitOfWork
from routing.store.pages import ASCENDING, DESCENDING
from routing.store.scans import find

Record = TypeVar("Record")


class Stored(Generic[Record]):
    """The rows of one kind that meet the filters (routing.store.pages says what those may be)."""

    def __init__(
        self, work: Work, record: type[Record], filters: Mapping[str, object], order: Order
    ) -> None:
        if not isinstance(work, UnitOfWork):
            raise TypeError("pages are found in a unit of work of the store")
        self.order = order
        self._work = work
        self._record = record
        self._filters = filters

    def rows(self, after: Place | None, limit: int, *, backwards: bool) -> Rows[Record]:
        found = find(
            self._work,
            self._record,
            filters=self._filters,
            order=tuple(
                (by.column, DESCENDING if by.descending != backwards else ASCENDING)
                for by in self.order
            ),
            after=after,
            limit=limit,
        )
        # Keys are instants, numbers and SIDs.
        return Rows(found.records, cast("Place | None", found.stopped_at))
