"""The event log as a follower reads it: every event that was committed, once, in order.

On SQLite one writer draws the positions and commits, so positions are in the order of the commits
and have no gaps in front of a visible event: reading what lies after the cursor is enough.

On PostgreSQL a position is drawn before its transaction commits, so a later position can become
visible before an earlier one, and a rolled back transaction leaves a gap for ever. Here is why the
order of positions is nevertheless the one to follow: they are drawn at the end of a unit of work,
while it holds the locks of the rows that it changed. Of two transactions that change the same row
the second one draws after the first has committed, so for each resource positions are in causal
order. Transaction ids would not be: they are given at the first write, before any waiting for
locks.

What remains is not to run past a position that is still to come. The reader takes what is visible
after its cursor, in order, up to the first gap. Then:

1.  An INSERT locks the table `events` (ROW EXCLUSIVE, which nobody else's INSERT minds) before it
    draws its first position, and the lock is let go after the transaction's end has become visible
    to everybody. So whoever drew a position and is not done is a holder of that lock.
2.  Having seen a gap below a visible event at position `horizon`, the reader notes the holders.
    Everybody who drew a position below `horizon` is among them, or done already.
3.  As soon as none of those holders is left, what a *later* statement does not show below `horizon`
    was rolled back and never comes: the reader goes on past it.

Gaps are rare: two commits at the same moment, a crash, or a purged beginning of the log. Nobody is
locked out by the readers, and they wait for nobody but writers of events. (Comparing the snapshot's
xmin and xmax instead would make them wait for any long transaction on the whole server, and its
xmax, one past the newest *completed* transaction, may well be below a running writer's id.)
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
)

from routing.events import Event
from routing.store.database import Database
from routing.store.event_rows import PICTURE, READ, arrival_of, event_of
from routing.store.statements import POSTGRESQL, SqlDialect, packed, unpacked
from routing.store.tables import events, tasks, workspaces
from routing.store.unit_of_work import UnitOfWork

#: Rows that a follower passes over before it remembers for good that it did.
MAX_PASSED: Final = 1000
#: Positions that transactions on their way may have drawn below the newest one that is visible.
_STILL_TO_COME: Final = 1000
#: The type of events that tell of an arrival.
_ARRIVAL: Final = "task-queue.entered"
#: The place of an event's type in a row.
_TYPE: Final = READ.index("type")


class _LogStatements:
    def __init__(
        self,
        dialect: SqlDialect,
        concerns: frozenset[str] | None,
        bare: bool,
        with_pictures: bool,
        with_arrivals: bool,
    ) -> None:
        """Where there may be gaps, what is passed over comes, too, but without what it carries,
        which is most of a row. Where there are none, it is only counted.
        """
        #: None where there are no gaps.
        self.writers = dialect.compile(_writers()) if dialect is POSTGRESQL else None
        names = (*READ, PICTURE) if with_pictures else READ
        columns: dict[str, ColumnElement[Any]] = {name: events.c[name] for name in names}
        if bare:
            for name in ("carried", "description"):
                columns[name] = literal_column("''").label(name)
        elif concerns is not None and self.writers is not None:
            concerned = _concerned(events.c.type, concerns)
            for name in ("carried", PICTURE)[: 1 + with_pictures]:
                columns[name] = case((concerned, events.c[name]), else_=None).label(name)
        if with_arrivals:
            columns["arrival"] = _arrival()
        after: Select[Any] = (
            select(*columns.values())
            .where(events.c.position > bindparam("after"))
            .order_by(events.c.position)
            .limit(bindparam("row_limit"))
        )
        if self.writers is None:
            found = after.subquery("found")
            only = None if concerns is None else _concerned(found.c.type, concerns)
            last = func.max(found.c.position)
            after = select(packed(found, only), func.count(found.c.position), last)
        #: SQLite: one row, (those that concern, packed; how many there were; the last position).
        self.after = dialect.compile(after)
        positions = select(events.c.position).order_by(events.c.position.desc())
        self.end = dialect.compile(positions.limit(bindparam("row_limit")))
        self.visible = dialect.compile(
            select(events.c.position).where(events.c.position > bindparam("after"))
        )


#: To write them costs milliseconds, and whoever follows one log anew follows the next like it.
_statements = functools.lru_cache(maxsize=64)(_LogStatements)


def _concerned(of_type: ColumnElement[Any], concerns: frozenset[str]) -> ColumnElement[bool]:
    return of_type.in_([literal(name) for name in sorted(concerns)])


def _arrival() -> ColumnElement[Any]:
    """Of an event that tells of one what `event_rows.arrival_of` expects, else NULL."""
    task = tasks.table_valued()
    now = (
        select(cast(func.json_build_array(workspaces.c.configuration_version, task), Text))
        .select_from(tasks.join(workspaces, workspaces.c.sid == tasks.c.workspace_sid))
        .where(tasks.c.sid == events.c.task_sid)
        .scalar_subquery()
    )
    return case((events.c.type == literal(_ARRIVAL), now), else_=None)


def _writers() -> Select[Any]:
    """The running transactions that have written to the log."""
    locks = table(
        "pg_locks",
        column("virtualtransaction"),
        column("database"),
        column("relation"),
        column("mode"),
    )
    databases = table("pg_database", column("oid"), column("datname"))
    here = (
        select(databases.c.oid)
        .where(databases.c.datname == func.current_database())
        .scalar_subquery()
    )
    return select(locks.c.virtualtransaction).where(
        locks.c.database == here,
        locks.c.relation == func.to_regclass(events.name),
        locks.c.mode == "RowExclusiveLock",
    )


class _Seen(NamedTuple):
    """What of the log was read at once."""

    #: The rows that concern the follower.
    rows: Sequence[Sequence[Any]]
    #: How many there were, and the position of the last of them.
    number: int
    last: int


class _Doubt(NamedTuple):
    horizon: int
    writers: frozenset[str]


class FollowedLog:
    """Fulfils routing.ports.EventLog for the follower of one name; used by one thread at a time."""

    def __init__(
        self,
        database: Database,
        name: str,
        concerns: frozenset[str] | None = None,
        *,
        bare: bool = False,
        with_pictures: bool = False,
        with_arrivals: bool = False,
    ) -> None:
        """`concerns` are the types of events that the follower is given; None for all. `bare` is
        for one that only wants to know what they are about: they come without description and
        without what they carry. `with_arrivals` makes them Arrivals where they tell of one and that
        saves a trip to the server; no pictures then.
        """
        self.name = name
        self._database = database
        self._bare = bare
        self._with_pictures = with_pictures
        self._with_arrivals = with_arrivals and database.dialect is POSTGRESQL
        self._event_of = arrival_of if self._with_arrivals else event_of
        self.concern(concerns)
        self._cursor: int | None = None
        self._unsaved: int | None = None
        #: Rows that were passed over since the cursor was saved.
        self._passed = 0
        self._is_durable = True
        #: Gaps below this position are known to stay empty.
        self._settled = 0
        #: Where the first gap was seen of which that is not known yet, and who may still fill it.
        self._doubt: _Doubt | None = None
        #: The last look found as many events as it asked for.
        self.has_more = False

    def start_after(self, position: int) -> None:
        """Reads what comes after that position, wherever the follower was; 0 is the beginning."""
        self._cursor = position

    def find_place(self) -> None:
        """Looks up now where the follower was, and not with the first `read`: for who reads the
        tables first, and must not go past a change that another process dealt with meanwhile.
        """
        self._position()

    def concern(self, concerns: frozenset[str] | None) -> None:
        """From the next `read` on it is given events of these types; None for all."""
        self._concerns = concerns
        self._statements = _statements(
            self._database.dialect,
            concerns,
            self._bare,
            self._with_pictures,
            self._with_arrivals,
        )

    @property
    def is_held_up(self) -> bool:
        """There are events, but one before them may still come: look again soon."""
        return self._doubt is not None

    def read(self, limit: int) -> Sequence[Event]:
        """The next events in their order, none left out; empty when there are none yet.

        The same ones again until `advance` was told of them. What does not concern the follower is
        passed over; its durable cursor follows with the next event that does, or after a while.
        """
        while True:
            seen = self._read(limit)
            if not seen.number and self.is_held_up:
                # The usual gap is over by now: look again before making the follower wait.
                seen = self._read(limit)
            self.has_more = seen.number >= limit
            found = [self._event_of(row) for row in seen.rows]
            if found or not seen.number:
                return found
            self._cursor = seen.last
            self._passed += seen.number
            if self._passed >= MAX_PASSED:
                self._unsaved = self._cursor

    def _is_concerned(self, row: Sequence[Any]) -> bool:
        return self._concerns is None or row[_TYPE] in self._concerns

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
        self._cursor = self._unsaved = position
        self._save(lasting=True)

    def go_on(self, events: Sequence[Event]) -> None:
        """Reads on after these, and leaves it to `save` to remember that for good.

        After a crash what was not saved comes again, as any follower must bear.
        """
        self._cursor = self._unsaved = events[-1].position

    def save(self) -> None:
        """Remembers how far `go_on` went; costs nothing where that is known.

        For good within a second, should the server of a PostgreSQL database crash: nobody waits for
        its disk only to remember what may come again.
        """
        self._save(lasting=False)

    def _save(self, *, lasting: bool) -> None:
        position = self._unsaved
        if position is not None and self._is_durable:
            self._database.perform(
                lambda own: own.move_follower(self.name, position, lasting=lasting)
            )
            self._unsaved = None
            self._passed = 0

    def restart(self) -> None:
        """Reads on after what is remembered for good, whoever has moved that."""
        self._cursor = self._unsaved = None

    def start_at_the_end(self) -> None:
        """Begins with what is written from now on; the durable cursor has no say and is not moved.

        A little earlier, in truth: on PostgreSQL a position below the newest may still come.
        """
        self._is_durable = False
        end = self._statements.end
        rows = self._database.rows(end.text, end.values(row_limit=1))
        self._cursor = self._settled = max(0, rows[0][0] - _STILL_TO_COME) if rows else 0

    def visible(self) -> tuple[int, frozenset[int]]:
        """Which events are there: all up to the first number, and those after it by position."""
        low = self._position()
        visible = self._statements.visible
        rows = self._database.rows(visible.text, visible.values(after=low))
        return low, frozenset(row[0] for row in rows)

    def _read(self, limit: int) -> _Seen:
        """Rows after the cursor, up to the first gap that may still be filled."""
        # Before the rows are read: they must be the later look.
        self._settle()
        cursor = self._position()
        after = self._statements.after
        rows = self._database.rows(after.text, after.values(after=cursor, row_limit=limit))
        if self._statements.writers is None:
            text, number, last = rows[0]
            return _Seen(unpacked(text), number, last or cursor)
        certain = self._certain(rows, cursor)
        if certain < len(rows) and self._doubt is None:
            self._doubt = _Doubt(horizon=rows[-1][0], writers=self._writers())
        concerned = [row for row in rows[:certain] if self._is_concerned(row)]
        return _Seen(concerned, certain, rows[certain - 1][0] if certain else cursor)

    def _position(self) -> int:
        if self._cursor is None:
            self._cursor = self._database.read(lambda work: work.follower_position(self.name))
        return self._cursor

    def _settle(self) -> None:
        doubt = self._doubt
        if doubt is not None and doubt.writers.isdisjoint(self._writers()):
            self._settled = doubt.horizon
            self._doubt = None

    def _certain(self, rows: Sequence[Sequence[Any]], cursor: int) -> int:
        """How many of the rows come before the first gap that may still be filled."""
        expected = cursor + 1
        for place, row in enumerate(rows):
            if row[0] != expected and row[0] > self._settled:
                return place
            expected = row[0] + 1
        return len(rows)

    def _writers(self) -> frozenset[str]:
        writers = self._statements.writers
        if writers is None:
            return frozenset()
        return frozenset(row[0] for row in self._database.rows(writers.text, writers.values()))
