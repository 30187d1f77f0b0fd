"""Lists that may be long, as a Source of pages: the store finds each by its key."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from routing.api.paging import Order, Place
from routing.ports import Work
from routing.store import UnitOfWork
from routing.store.pages import ASCENDING, DESCENDING, page

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

    def rows(self, after: Place | None, limit: int, *, backwards: bool) -> Sequence[Record]:
        found = page(
            self._work,
            self._record,
            filters=self._filters,
            order=tuple(
                (by.column, DESCENDING if by.descending else ASCENDING) for by in self.order
            ),
            after=None if backwards else after,
            before=after if backwards else None,
            limit=limit,
        )
        return found.records[::-1] if backwards else found.records
