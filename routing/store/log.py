"""The event log as a follower reads it: every event that was committed, once, in order.

On SQLite one writer draws the positions and commits, so positions are in the order of the commits and
have no gaps in front of a visible event: reading what lies after the cursor is enough.

On PostgreSQL a position is drawn before its transaction commits, so a later position can become
visible before an earlier one, and a rolled back transaction leaves a gap for ever. Here is why the
order of positions is nevertheless the one to follow: they are drawn at the end of a unit of work,
while it holds the locks of the rows that it changed. Of two transactions that change the same row the
second one draws after the first has committed, so for each resource positions are in causal order.
Transaction ids would not be: they are given at the first write, before any waiting for locks.

What remains is not to run past a position that is still to come. The reader takes what is visible after
its cursor, in order, up to the first gap. Then:

1.  A writer always has its transaction id before it draws a position (UnitOfWork sees to that).
2.  Having seen a gap below a visible event at position `horizon`, the reader takes a transaction id of
    its own. Everybody who drew a position below `horizon` had an id by then, so a smaller one.
    (The snapshot's xmax would not do: it is one past the newest *completed* transaction, and a running
    one may well be beyond that.)
3.  As soon as a snapshot's xmin has reached that id, all those transactions have ended. A position
    below `horizon` that the same snapshot does not show was rolled back, and never comes.

Ids are only spent on gaps, and gaps are rare: two commits at the same moment, a crash, or a purged
beginning of the log. A transaction of somebody else that stays open for long keeps xmin back, and with
it the readers, but only while there is a gap.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Select, Text, bindparam, cast, func, select

from routing.events import Event
from routing.store.database import Database
from routing.store.event_rows import READ, event_of
from routing.store.statements import SqlDialect
from routing.store.tables import events
from routing.store.unit_of_work import UnitOfWork


class _LogStatements:
    def __init__(self, dialect: SqlDialect) -> None:
        after: Select[Any] = (
            select(*(events.c[name] for name in READ))
            .where(events.c.position > bindparam("after"))
            .order_by(events.c.position)
            .limit(bindparam("row_limit"))
        )
        self.is_gapless = dialect.name == "sqlite"
        if not self.is_gapless:
            xmin = func.pg_snapshot_xmin(func.pg_current_snapshot())
            after = after.add_columns(_number(xmin))
            self.own_transaction = dialect.compile(select(_number(func.pg_current_xact_id()))).text
        self.after = dialect.compile(after)


def _number(transaction_id: Any) -> Any:
    """PostgreSQL's xid8, which no driver knows, as a number."""
    return cast(cast(transaction_id, Text), BigInteger)


class FollowedLog:
    """Fulfils routing.ports.EventLog for the follower of one name; used by one thread at a time."""

    def __init__(self, database: Database, name: str) -> None:
        self.name = name
        self._database = database
        self._statements = _LogStatements(database.dialect)
        self._cursor: int | None = None
        #: Gaps below this position are known to stay empty.
        self._settled = 0
        #: (own transaction id, horizon) since the first gap of which that is not known yet.
        self._doubt: tuple[int, int] | None = None

    def read(self, limit: int) -> Sequence[Event]:
        """The next events in their order, none left out; empty when there are none yet.

        The same ones again until `advance` was told of them.
        """
        rows, is_certain = self._read(limit)
        if not is_certain and not rows:
            # The usual gap is over by now: look again before making the follower wait.
            rows, _ = self._read(limit)
        return [event_of(row[: len(READ)]) for row in rows]

    def advance(self, events: Iterable[Event], *, work: UnitOfWork | None = None) -> None:
        """Remembers, for good, that these were dealt with.

        Within `work`, where one is given: the cursor then moves if and only if that one commits, so
        what a follower writes in it is written once.
        """
        position = max((event.position for event in events), default=0)
        if not position:
            return
        if work is not None:
            work.move_follower(self.name, position)
            self._cursor = None
            return
        self._database.perform(lambda own: own.move_follower(self.name, position))
        self._cursor = position

    def _read(self, limit: int) -> tuple[list[tuple[Any, ...]], bool]:
        """Rows after the cursor, and whether they ended because there was nothing more."""
        cursor = self._position()
        after = self._statements.after
        rows = self._database.rows(after.text, after.values(after=cursor, row_limit=limit))
        if self._statements.is_gapless or not rows:
            return rows, True
        self._settle(rows[0][-1])
        certain = self._certain(rows, cursor)
        if certain < len(rows) and self._doubt is None:
            self._doubt = (self._own_transaction(), rows[-1][0])
        return rows[:certain], certain == len(rows)

    def _position(self) -> int:
        if self._cursor is None:
            self._cursor = self._database.read(lambda work: work.follower_position(self.name))
        return self._cursor

    def _settle(self, xmin: int) -> None:
        if self._doubt is not None and xmin >= self._doubt[0]:
            self._settled = self._doubt[1]
            self._doubt = None

    def _certain(self, rows: Sequence[tuple[Any, ...]], cursor: int) -> int:
        """How many of the rows come before the first gap that may still be filled."""
        expected = cursor + 1
        for place, row in enumerate(rows):
            if row[0] != expected and row[0] > self._settled:
                return place
            expected = row[0] + 1
        return len(rows)

    def _own_transaction(self) -> int:
        return int(self._database.rows(self._statements.own_transaction, ())[0][0])
