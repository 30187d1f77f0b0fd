"""What a unit of work has added and not written yet.

Verbs add rows one by one, and change many at once; here both are kept until a statement needs them
or the transaction ends, so that one statement per table writes them all, and what a verb that fails
before that had added or changed was never written. Events always wait for the end
(why: routing/store/log.py).
"""

from collections.abc import Sequence
from typing import Any

from routing.events import Event
from routing.store.at_once import AtOnce
from routing.store.errors import Mistaken
from routing.store.inserts import Inserts, Part, Proviso
from routing.store.statements import Cursor, ManyChanges, TableStatements

#: What is written in one go: the new rows of a table, or the changes of certain of its columns.
Kind = TableStatements[Any] | ManyChanges


class Pending:
    """Rows and events in the order in which they were added, by one verb after another."""

    def __init__(self, events: Inserts, at_once: AtOnce | None = None) -> None:
        self._event_inserts = events
        #: How SQLite writes what no transaction was begun for.
        self._at_once = at_once
        self._rows: list[tuple[Kind, object]] = []
        self._events: list[Event] = []
        #: The tables that rows wait for; after `drop` it may name some for which none is left.
        self.tables: set[TableStatements[Any]] = set()
        #: Where the present verb's own begin.
        self._own_rows = 0
        self._own_events = 0

    def begin_verb(self) -> None:
        """What is added from now on is the next verb's."""
        self._own_rows = len(self._rows)
        self._own_events = len(self._events)

    def add(self, table: TableStatements[Any], record: object) -> None:
        self._rows.append((table, record))
        self.tables.add(table)

    def change(self, changes: ManyChanges, records: Sequence[object]) -> None:
        """No other change of a row of that table may be waiting."""
        self._rows.extend((changes, record) for record in records)
        self.tables.add(changes.rows_of)

    def emit(self, event: Event) -> None:
        self._events.append(event)

    def drop(self) -> None:
        """The present verb has failed: what it added does not happen."""
        del self._rows[self._own_rows :]
        del self._events[self._own_events :]

    def clear(self) -> None:
        if self._rows:
            self._rows = []
        if self._events:
            self._events = []
        if self.tables:
            self.tables = set()

    def write_rows_of_others(self, cursor: Cursor) -> None:
        """Those that were added by the verbs before the present one."""
        others, self._rows = self._rows[: self._own_rows], self._rows[self._own_rows :]
        self._own_rows = 0
        self.tables = {kind.rows_of for kind, _ in self._rows}
        _write(cursor, _parts(others))

    def write_rows(self, cursor: Cursor) -> None:
        """All of them, and no event."""
        _write(cursor, self._all_rows())

    @property
    def is_empty(self) -> bool:
        return not (self._rows or self._events)

    def write_all(
        self, cursor: Cursor, proviso: Proviso | None = None, *, is_one_statement: bool = False
    ) -> None:
        """All rows, then all events in their order.

        Raises Mistaken where the proviso does not hold; nothing is written then. As one statement
        it has no transaction around it, and commits itself.
        """
        parts = self._all_rows()
        events, self._events = self._events, []
        self._own_events = 0
        if events:
            parts.append((self._event_inserts, events))
        if is_one_statement and self._at_once is not None:
            if parts:
                self._at_once.write(parts, proviso)
        else:
            _write(cursor, parts, proviso)

    def _all_rows(self) -> list[Part]:
        rows, self._rows = self._rows, []
        self._own_rows = 0
        if self.tables:
            self.tables = set()
        return _parts(rows)


def _write(cursor: Cursor, parts: Sequence[Part], proviso: Proviso | None = None) -> None:
    if parts:
        inserts, records = parts[-1]
        inserts.write_with(cursor, records, parts[:-1], proviso)
        if proviso is not None and cursor.rowcount != len(records):
            raise Mistaken


def _parts(rows: Sequence[tuple[Kind, object]]) -> list[Part]:
    """Changes first, then the rows by table; those that others refer to come first."""
    by_kind: dict[Kind, list[object]] = {}
    for kind, record in rows:
        by_kind.setdefault(kind, []).append(record)
    return [(kind.inserts, by_kind[kind]) for kind in sorted(by_kind, key=_depth)]


def _depth(kind: Kind) -> int:
    return kind.depth
