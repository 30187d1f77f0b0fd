"""What a unit of work says beside reading and writing single rows, compiled once per dialect."""

import functools
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    Table,
    Text,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningUpdate

from routing.reservation import LIVE
from routing.store.event_rows import event_inserts
from routing.store.inserts import given_rows, size_class
from routing.store.statements import SqlDialect, Statement
from routing.store.tables import (
    calls,
    deliveries,
    events,
    followers,
    instructions,
    presences,
    reservations,
    tasks,
    worker_channels,
    workflow_configurations,
    workspaces,
)
from routing.task import ASSIGNED, WRAPPING

#: Numbers that stand in the text itself instead of being bound.
_ZERO: Final[ColumnElement[int]] = literal_column("0", Integer)
_ONE: Final[ColumnElement[int]] = literal_column("1", Integer)
_PENDING: Final[ColumnElement[str]] = literal_column("'pending'", Text)
#: While somebody is being asked, a Workflow target's time cuts nothing off: it is not due.
_WAITS: Final[ColumnElement[bool]] = tasks.c.assignment_status == _PENDING

_CLAIMED: Final = ("worker_sid", "task_channel_sid", "assigned_tasks", "last_reserved_at")


class WorkStatements:
    """The texts of one dialect; the order of their values is beside each."""

    def __init__(self, dialect: SqlDialect) -> None:
        self._dialect = dialect
        self._takes: dict[tuple[int, bool], str] = {}
        self.events = event_inserts(dialect)
        self._configuration(dialect)
        self._capacity(dialect)
        self._deadlines(dialect)
        self._followers(dialect)

    def take(self, number: int, *, regardless: bool) -> str:
        """Takes capacity of so many channels, `regardless` of what there is.

        Values: a JSON array of objects with the names of _CLAIMED, of which `assigned_tasks` are
        the units to take; no channel may be in it twice. Returns worker SID, task channel SID and
        SID of those channels that had it.
        """
        key = (size_class(number), regardless)
        known = self._takes.get(key)
        if known is None:
            known = self._takes[key] = self._dialect.compile(self._take(*key)).text
        return known

    def _take(self, size: int, regardless: bool) -> ReturningUpdate[Any]:
        given = given_rows(self._dialect, worker_channels, _CLAIMED, "claimed", size).c
        channel = worker_channels.c
        load = channel.assigned_tasks + given.assigned_tasks
        taken = (
            update(worker_channels)
            .where(
                channel.worker_sid == given.worker_sid,
                channel.task_channel_sid == given.task_channel_sid,
            )
            .values(assigned_tasks=load, last_reserved_at=given.last_reserved_at)
            .returning(channel.worker_sid, channel.task_channel_sid, channel.sid)
        )
        if regardless:
            return taken
        return taken.where(channel.available, load <= channel.configured_capacity)

    def due_instructions(self, *, lock: bool) -> Statement:
        """Values: now, lease_now, row_limit."""
        return self._due_instructions[lock]

    def due_deliveries(self, *, lock: bool) -> Statement:
        """Values: receiver, now, lease_now, row_limit."""
        return self._due_deliveries[lock]

    def due_calls(self, *, lock: bool) -> Statement:
        """Values: now, row_limit."""
        return self._due_calls[lock]

    def _configuration(self, dialect: SqlDialect) -> None:
        #: Values: workspace SID.
        self.reconfigure = dialect.compile(
            update(workspaces)
            .where(workspaces.c.sid == bindparam("key"))
            .values(configuration_version=workspaces.c.configuration_version + _ONE)
        ).text
        #: Values: workspace SID.
        self.configuration_version = dialect.compile(
            select(workspaces.c.configuration_version).where(workspaces.c.sid == bindparam("key"))
        ).text
        kept = workflow_configurations.c
        #: Values: workflow SID, version.
        self.workflow_configuration = dialect.compile(
            select(kept.configuration).where(
                kept.workflow_sid == bindparam("workflow"), kept.version == bindparam("number")
            )
        ).text
        #: Values: workflow SID, version, configuration.
        self.keep_workflow_configuration = dialect.compile(
            _insert(dialect, workflow_configurations).on_conflict_do_nothing()
        ).text

    def _capacity(self, dialect: SqlDialect) -> None:
        channel = worker_channels.c
        this = update(worker_channels).where(channel.sid == bindparam("key"))
        #: Values: worker channel SID.
        self.free = dialect.compile(
            this.where(channel.assigned_tasks > _ZERO).values(
                assigned_tasks=channel.assigned_tasks - _ONE
            )
        ).text

    def _deadlines(self, dialect: SqlDialect) -> None:
        #: All four: now, row_limit.
        self.due_reservations = dialect.compile(
            _due(select(reservations.c.sid), reservations.c.due_at)
        )
        self.due_task_steps = dialect.compile(
            _due(select(tasks.c.sid).where(_WAITS), tasks.c.step_due_at)
        )
        self.due_presences = dialect.compile(_due(select(presences.c.sid), presences.c.due_at))
        self.expired_tasks = dialect.compile(_due(select(tasks.c.sid), tasks.c.expires_at))
        #: Values: workspace, unchanged_since, row_limit.
        self.deserted_tasks = dialect.compile(_deserted_tasks())
        self._due_instructions = _due_and_free(dialect, instructions)
        self._due_deliveries = _with_and_without_lock(dialect, _next_deliveries())
        #: No values.
        self.due_receivers = dialect.compile(_receivers())
        #: Values: now, row_limit.
        self.kept_deliveries = dialect.compile(
            _due(select(deliveries.c.sid), deliveries.c.kept_until)
        )
        self._due_calls = _with_and_without_lock(dialect, _due(select(calls), calls.c.due_at))
        #: No values; one column per deadline.
        self.next_deadlines = dialect.compile(
            select(
                _earliest(reservations.c.due_at),
                _earliest(presences.c.due_at),
                _earliest(tasks.c.expires_at),
                _earliest(tasks.c.step_due_at, _WAITS),
            )
        )
        self.next_voice_deadlines = dialect.compile(
            select(_earliest_free(instructions), _earliest(calls.c.due_at))
        )

    def _followers(self, dialect: SqlDialect) -> None:
        #: Values: name.
        self.follower_position = dialect.compile(
            select(followers.c.position).where(followers.c.name == bindparam("follower"))
        ).text
        done = select(func.min(followers.c.position)).scalar_subquery()
        oldest = (
            select(events.c.position)
            .where(
                events.c.occurred_at < bindparam("instant"),
                or_(done.is_(None), events.c.position <= done),
            )
            .order_by(events.c.position)
            .limit(bindparam("row_limit"))
        )
        #: Values: instant, row_limit.
        self.purge_events = dialect.compile(delete(events).where(events.c.position.in_(oldest)))
        moved = _insert(dialect, followers)
        #: Values: name, position, now.
        self.move_follower = dialect.compile(
            moved.on_conflict_do_update(
                index_elements=[followers.c.name],
                set_={
                    "position": moved.excluded.position,
                    "updated_at": moved.excluded.updated_at,
                },
                where=followers.c.position < moved.excluded.position,
            )
        ).text


def _insert(dialect: SqlDialect, table: Table) -> Any:
    """An INSERT that can say ON CONFLICT, which each dialect has a class of its own for."""
    return sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)


@functools.cache
def work_statements(dialect: SqlDialect) -> WorkStatements:
    """They are the same for every database of a dialect, and take many milliseconds to write."""
    return WorkStatements(dialect)


def _due(rows: Select[Any], due_at: Column[Any]) -> Select[Any]:
    return (
        rows.where(due_at.is_not(None), due_at <= bindparam("now"))
        .order_by(due_at)
        .limit(bindparam("row_limit"))
    )


def _deserted_tasks() -> Select[Any]:
    """Tasks that somebody is said to have, though no Reservation of them lives."""
    live = select(reservations.c.sid).where(
        reservations.c.task_sid == tasks.c.sid,
        reservations.c.reservation_status.in_([literal(state) for state in sorted(LIVE)]),
    )
    return (
        select(tasks.c.sid)
        .where(
            tasks.c.workspace_sid == bindparam("workspace"),
            tasks.c.assignment_status.in_([literal(state) for state in (ASSIGNED, WRAPPING)]),
            tasks.c.updated_at <= bindparam("unchanged_since"),
            ~exists(live),
        )
        .order_by(tasks.c.updated_at)
        .limit(bindparam("row_limit"))
    )


def _next_deliveries() -> Select[Any]:
    """What one receiver may be sent now: of each order_key the first that it still lacks."""
    free = or_(
        deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= bindparam("lease_now")
    )
    earlier = deliveries.alias("earlier")
    first = ~exists(
        select(earlier.c.sid).where(
            earlier.c.order_key == deliveries.c.order_key,
            # The text is the same, and no planner takes it for a way to find the rows: all that a
            # receiver is owed may be a million, what there is of one order_key is a few.
            earlier.c.receiver.concat(literal_column("''")) == deliveries.c.receiver,
            earlier.c.state == _PENDING,
            earlier.c.position < deliveries.c.position,
        )
    )
    return (
        select(deliveries)
        .where(
            deliveries.c.receiver == bindparam("receiver"),
            deliveries.c.state == _PENDING,
            deliveries.c.due_at <= bindparam("now"),
            free,
            first,
        )
        .order_by(deliveries.c.position)
        .limit(bindparam("row_limit"))
    )


def _receivers() -> Select[Any]:
    """Everybody who is owed something: one probe of the index for each, however much it is."""
    owed = select(deliveries.c.receiver).where(deliveries.c.state == _PENDING)
    nearest = owed.order_by(deliveries.c.receiver).limit(1)
    known = select(nearest.scalar_subquery().label("receiver")).cte("known", recursive=True)
    following = nearest.where(deliveries.c.receiver > known.c.receiver).scalar_subquery()
    known = known.union_all(select(following).where(known.c.receiver.is_not(None)))
    return select(known.c.receiver).where(known.c.receiver.is_not(None))


def _due_and_free(dialect: SqlDialect, table: Table) -> dict[bool, Statement]:
    """Rows that are due and on which nobody has a lease."""
    leased_until = table.c.leased_until
    free = or_(leased_until.is_(None), leased_until <= bindparam("lease_now"))
    return _with_and_without_lock(dialect, _due(select(table), table.c.due_at).where(free))


def _with_and_without_lock(dialect: SqlDialect, rows: Select[Any]) -> dict[bool, Statement]:
    locked = rows.with_for_update(skip_locked=True)
    return {False: dialect.compile_rows(rows), True: dialect.compile_rows(locked)}


def _earliest(due_at: Column[Any], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    # Not min(): this is one probe of the partial index on every database.
    due = select(due_at).where(due_at.is_not(None), *conditions)
    return due.order_by(due_at).limit(1).scalar_subquery()


def _earliest_free(table: Table) -> ScalarSelect[Any]:
    """The earliest instant at which a row of the table is due and no lease on it is left."""
    due_at, leased_until = table.c.due_at, table.c.leased_until
    when = case((leased_until > due_at, leased_until), else_=due_at)
    return select(func.min(when)).where(due_at.is_not(None)).scalar_subquery()
