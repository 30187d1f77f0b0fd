"""What a verb has said that it will read, and what it has written without waiting for an answer.

On PostgreSQL both go to the server with the next statement that is waited for, in the order in
which they were said: a verb that knows at its beginning which rows it needs makes one trip for all
of them. On SQLite, where no trip is to be saved, nothing is foreseen.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NoReturn, Protocol


class Ahead(Protocol):
    """The part of PostgreSQL's cursor (see postgresql_trips) that this needs."""

    def ahead(self, text: str, values: Sequence[object], /) -> object: ...
    def rows_of(self, said: Any, /) -> list[tuple[Any, ...]]: ...
    def arrive(self) -> None: ...
    def forget(self) -> None: ...


class Foresight:
    """Of one unit of work, which `fail`s by the driver's refusals; without an `ahead` nothing can
    be foreseen.
    """

    def __init__(
        self,
        ahead: Ahead | None,
        refusals: tuple[type[Exception], ...],
        fail: Callable[[Exception], NoReturn],
    ) -> None:
        self._ahead = ahead
        self._refusals = refusals
        self._fail = fail
        #: {(of which table, what of it): what was said for it}
        self._asked: dict[tuple[object, Hashable], object] = {}

    @property
    def is_possible(self) -> bool:
        return self._ahead is not None

    def ask(self, table: object, what: Hashable, text: str, values: Sequence[object]) -> None:
        """It will be taken; nothing is said twice."""
        if self._ahead is not None and (table, what) not in self._asked:
            self._asked[table, what] = self._say(self._ahead, text, values)

    def take(self, table: object, what: Hashable) -> list[tuple[Any, ...]] | None:
        """The rows, once; None where it was not asked for, or is out of date."""
        said = self._asked.pop((table, what), None) if self._asked else None
        if said is None or self._ahead is None:
            return None
        try:
            return self._ahead.rows_of(said)
        except self._refusals as error:
            self._fail(error)

    def write(self, text: str, values: Sequence[object]) -> bool:
        """Says what changes rows, how many is not asked; False where that is not possible."""
        if self._ahead is None:
            return False
        self._say(self._ahead, text, values)
        return True

    def _say(self, ahead: Ahead, text: str, values: Sequence[object]) -> object:
        try:
            return ahead.ahead(text, values)
        except self._refusals as error:
            self._fail(error)

    def arrive(self) -> None:
        """All that was said is done; raises the driver's own refusal."""
        if self._ahead is not None:
            self._ahead.arrive()

    def is_out_of_date(self, table: object = None) -> None:
        """Rows of that table were changed, or of any where it is None."""
        if self._asked:
            self._asked = {
                key: said
                for key, said in self._asked.items()
                if table is not None and key[0] is not table
            }

    def forget(self) -> None:
        """Nothing that is still to be said shall be."""
        self._asked = {}
        if self._ahead is not None:
            self._ahead.forget()

    def begin(self) -> None:
        """A unit begins."""
        if self._asked:
            self._asked = {}
