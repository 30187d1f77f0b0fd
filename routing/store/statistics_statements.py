"""What statistics ask of the tables, compiled once per dialect and shape.

A shape is how many SIDs are asked about (rounded up to a power of two, the last one repeated), and
which filters there are.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from routing.sids import TASK_QUEUE, WORKER, WORKFLOW, WORKSPACE
from routing.statistics import facts as kinds
from routing.statistics.facts import Kind
from routing.statistics.period import QUARTER
from routing.statistics.real_time import LIVE_STATUSES
from routing.statistics.tally import COUNTED, COUNTS, WAITS, number_of
from routing.store.event_rows import READ
from routing.store.inserts import given_rows
from routing.store.statements import SqlDialect, Statement
from routing.store.statistics_tables import facts, standings, stays, tallies
from routing.store.tables import events, followers, tasks, worker_channels, workers
from routing.task import WAITING

_FACT_SUBJECTS: Final[dict[str, ColumnElement[Any]]] = {
    WORKSPACE: facts.c.workspace_sid,
    TASK_QUEUE: facts.c.task_queue_sid,
    WORKFLOW: facts.c.workflow_sid,
    WORKER: facts.c.worker_sid,
}
_WAITED: Final = (Kind.RESERVATION_ACCEPTED, Kind.TASK_CANCELED)


def padded(sids: Iterable[str]) -> list[str]:
    """The SIDs, the last one repeated up to a number that shapes share."""
    given = list(sids)
    places = 1 << (len(given) - 1).bit_length()
    return given + given[-1:] * (places - len(given))


def named(name: str, sids: Sequence[str]) -> dict[str, str]:
    return {f"{name}_{place}": sid for place, sid in enumerate(sids)}


def _among(column: ColumnElement[Any], name: str, places: int) -> ColumnElement[bool]:
    if places == 1:
        return column == bindparam(f"{name}_0")
    return column.in_([bindparam(f"{name}_{place}") for place in range(places)])


def _numbers(values: Iterable[int]) -> list[ColumnElement[int]]:
    return [literal_column(str(int(value)), Integer) for value in values]


def _words(values: Iterable[str]) -> list[ColumnElement[str]]:
    return [literal_column(f"'{value}'", Text) for value in sorted(values)]


class Asked(NamedTuple):
    """The shape of a question for what has happened."""

    #: Two letters: of what kind the subjects are.
    prefix: str
    #: How many they are.
    places: int
    #: Of one TaskChannel.
    channel: bool
    #: Told by time instead of by subject.
    by_time: bool


#: What rows are given as to the statements that write.
GIVEN: Final = "given"


class StatisticsStatements:
    """Of one dialect. Values are named: Statement.values puts them in their order."""

    def __init__(self, dialect: SqlDialect) -> None:
        self._dialect = dialect
        self._known: dict[object, Statement] = {}
        compiled = dialect.compile
        #: Values: after, row_limit.
        self.unread = compiled(
            select(*(events.c[name] for name in READ))
            .where(
                events.c.position > bindparam("after"),
                events.c.type.in_(_words(kinds.CONCERNS)),
            )
            .order_by(events.c.position)
            .limit(bindparam("row_limit"))
        )
        here = followers.c.position
        head = func.coalesce(select(func.max(events.c.position)).scalar_subquery(), here)
        #: Follower and how many positions the log is ahead of it.
        self.lags = compiled(
            select(
                followers.c.name, func.coalesce(head, followers.c.position) - followers.c.position
            )
        )
        #: Workspace and number.
        self.live_reservations = compiled(
            select(
                worker_channels.c.workspace_sid, func.sum(worker_channels.c.assigned_tasks)
            ).group_by(worker_channels.c.workspace_sid)
        )
        #: Values: follower. Locks the row, where there are row locks.
        self.held_position = compiled(
            select(followers.c.position)
            .where(followers.c.name == bindparam("follower"))
            .with_for_update()
        )
        #: Values: given, a JSON array of rows. One statement, since SQLite's driver lets other
        #: threads in at each.
        self.write_facts = compiled(_insert(dialect, facts))
        self.write_stays = compiled(_insert(dialect, stays).on_conflict_do_nothing())
        self.write_standings = compiled(_replaced(dialect, standings))
        self.write_tallies = compiled(_replaced(dialect, tallies))
        gone = given_rows(dialect, standings, ("sid",), GIVEN)
        self.drop_standings = compiled(
            delete(standings).where(standings.c.sid.in_(select(gone.c.sid)))
        )
        #: Values of each: workspace.
        self.forget = [
            compiled(delete(table).where(table.c.workspace_sid == bindparam("workspace")))
            for table in (facts, tallies, standings, stays)
        ]

    def _shape(self, key: tuple[object, ...], build: Any) -> Statement:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._dialect.compile(build())
        return known

    def standings(self, places: int) -> Statement:
        """Values: sid_0, ..."""
        return self._shape(
            ("standings", places),
            lambda: select(standings).where(_among(standings.c.sid, "sid", places)),
        )

    def buckets(self, places: int) -> Statement:
        """Whole rows, to be added to. Values: workspace, span, begins_at, subject_0, ..."""
        return self._shape(
            ("buckets", places),
            lambda: select(tallies).where(
                tallies.c.workspace_sid == bindparam("workspace"),
                _among(tallies.c.subject_sid, "subject", places),
                tallies.c.span == bindparam("span"),
                tallies.c.begins_at == bindparam("begins_at"),
            ),
        )

    def sums(self, asked: Asked) -> Statement:
        """By subject or time: every count, then total, least and most of every wait.

        Values: workspace, span, begin, end, subject_0, ..., channel.
        """
        return self._shape(("sums", asked), lambda: _bucket_range(_sums(_bucket_key(asked)), asked))

    def spreads(self, asked: Asked) -> Statement:
        """Subject or time, accepted_after, canceled_after of every bucket. Values: as above."""
        columns = tallies.c.accepted_after, tallies.c.canceled_after
        return self._shape(
            ("spreads", asked),
            lambda: _bucket_range(select(_bucket_key(asked), *columns), asked),
        )

    def fact_sums(self, asked: Asked) -> Statement:
        """By subject or time, and kind: number; total, least, most of both waits.

        The wait since the Task's creation, and that in the queue; a time is the beginning of its
        quarter of an hour. Values: workspace, begin, end, subject_0, ..., channel.
        """
        return self._shape(("fact sums", asked), lambda: _fact_range(_fact_sums(asked), asked))

    def fact_spreads(self, asked: Asked) -> Statement:
        """By subject or time, kind and seconds of wait: number. Values: as above."""
        return self._shape(
            ("fact spreads", asked), lambda: _fact_range(_fact_spreads(asked), asked)
        )

    def stays_in(self) -> Statement:
        """Number, total, least and most milliseconds within start and end, in one Activity.

        One after another: to sort a month's stays by Activity takes longer than to add them up.
        Values: workspace, activity, start, end.
        """
        return self._shape(
            ("stays in",),
            lambda: _stays().where(
                stays.c.workspace_sid == bindparam("workspace"),
                stays.c.activity_sid == bindparam("activity"),
            ),
        )

    def stays_of(self, places: int) -> Statement:
        """The same of some Workers, by Activity. Values: start, end, worker_0, ..."""
        return self._shape(
            ("stays of", places),
            lambda: (
                _stays(stays.c.activity_sid)
                .where(_among(stays.c.worker_sid, "worker", places))
                .group_by(stays.c.activity_sid)
            ),
        )

    def present_stays(self, places: int) -> Statement:
        """The same of the Activities that Workers are in; 0 places for all of the Workspace.

        Values: workspace, start, end, worker_0, ...
        """
        return self._shape(("present stays", places), lambda: _present_stays(places))

    def live_tasks(self, prefix: str, places: int, *, channel: bool) -> Statement:
        """By subject, status and priority: number, and the instant and SID of the longest waiting.

        Values: workspace, subject_0, ..., channel.
        """
        return self._shape(
            ("live tasks", prefix, places, channel),
            lambda: _live_tasks(prefix, places, channel=channel),
        )

    def workers_by_activity(self, places: int) -> Statement:
        """Activity and number. Values: activity_0, ..."""
        return self._shape(
            ("workers by activity", places),
            lambda: (
                select(workers.c.activity_sid, func.count())
                .where(_among(workers.c.activity_sid, "activity", places))
                .group_by(workers.c.activity_sid)
            ),
        )

    def profiles(self) -> Statement:
        """SID, name, attributes and Activity of every Worker. Values: workspace."""
        columns = (
            workers.c.sid,
            workers.c.friendly_name,
            workers.c.attributes,
            workers.c.activity_sid,
        )
        return self._shape(
            ("profiles",),
            lambda: select(*columns).where(workers.c.workspace_sid == bindparam("workspace")),
        )

    def serving(self) -> Statement:
        """Workers whose channel is switched on and has a capacity. Values: channel."""
        return self._shape(
            ("serving",),
            lambda: select(worker_channels.c.worker_sid).where(
                worker_channels.c.task_channel_sid == bindparam("channel"),
                worker_channels.c.available,
                worker_channels.c.configured_capacity > literal_column("0", Integer),
            ),
        )


@cache
def statistics_statements(dialect: SqlDialect) -> StatisticsStatements:
    return StatisticsStatements(dialect)


def _insert(dialect: SqlDialect, table: Table) -> Any:
    kind = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    names = [column.name for column in table.columns]
    given = given_rows(dialect, table, names, GIVEN)
    # SQLite could not tell ON CONFLICT from a join's ON without a WHERE before it.
    return kind(table).from_select(names, select(*(given.c[name] for name in names)).where(true()))


def _replaced(dialect: SqlDialect, table: Table) -> Any:
    """An INSERT of whole rows that takes the place of those with the same key."""
    written = _insert(dialect, table)
    others = [column.name for column in table.columns if not column.primary_key]
    return written.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={name: written.excluded[name] for name in others},
    )


def _bucket_key(asked: Asked) -> ColumnElement[Any]:
    return tallies.c.begins_at if asked.by_time else tallies.c.subject_sid


def _fact_key(asked: Asked) -> ColumnElement[Any]:
    if asked.by_time:
        quarter = literal_column(str(QUARTER), BigInteger)
        return (facts.c.occurred_at // quarter) * quarter
    return _FACT_SUBJECTS[asked.prefix]


def _sums(key: ColumnElement[Any]) -> Select[Any]:
    summed: list[ColumnElement[Any]] = [func.sum(tallies.c[name]) for name in COUNTS]
    for name in WAITS:
        number = tallies.c[number_of(name)] > literal_column("0", Integer)
        summed += [
            func.sum(tallies.c[f"{name}_total"]),
            func.min(case((number, tallies.c[f"{name}_least"]), else_=null())),
            func.max(tallies.c[f"{name}_most"]),
        ]
    return select(key, *summed).group_by(key)


def _bucket_range(columns: Select[Any], asked: Asked) -> Select[Any]:
    found = columns.where(
        tallies.c.workspace_sid == bindparam("workspace"),
        _among(tallies.c.subject_sid, "subject", asked.places),
        tallies.c.span == bindparam("span"),
        tallies.c.begins_at >= bindparam("begin"),
        tallies.c.begins_at < bindparam("end"),
    )
    if asked.channel:
        found = found.where(tallies.c.task_channel_sid == bindparam("channel"))
    return found


def _fact_sums(asked: Asked) -> Select[Any]:
    key = _fact_key(asked)
    waits = [
        summed(column)
        for column in (facts.c.wait_seconds, facts.c.queue_seconds)
        for summed in (func.sum, func.min, func.max)
    ]
    counted = facts.c.kind.in_(_numbers(COUNTED[asked.prefix]))
    return (
        select(key, facts.c.kind, func.count(), *waits).where(counted).group_by(key, facts.c.kind)
    )


def _fact_spreads(asked: Asked) -> Select[Any]:
    by = (_fact_key(asked), facts.c.kind, facts.c.wait_seconds)
    return select(*by, func.count()).where(facts.c.kind.in_(_numbers(_WAITED))).group_by(*by)


def _fact_range(columns: Select[Any], asked: Asked) -> Select[Any]:
    found = columns.where(
        facts.c.workspace_sid == bindparam("workspace"),
        facts.c.occurred_at >= bindparam("begin"),
        facts.c.occurred_at < bindparam("end"),
    )
    if asked.prefix != WORKSPACE:
        found = found.where(_among(_FACT_SUBJECTS[asked.prefix], "subject", asked.places))
    if asked.channel:
        found = found.where(facts.c.task_channel_sid == bindparam("channel"))
    return found


def _stays(*by: ColumnElement[Any]) -> Select[Any]:
    start: ColumnElement[int] = bindparam("start", type_=BigInteger)
    end: ColumnElement[int] = bindparam("end", type_=BigInteger)
    length = _less(stays.c.ended_at, end) - _greater(stays.c.began_at, start)
    return select(*by, *_measured(length)).where(stays.c.ended_at > start, stays.c.began_at < end)


def _present_stays(places: int) -> Select[Any]:
    start: ColumnElement[int] = bindparam("start", type_=BigInteger)
    end: ColumnElement[int] = bindparam("end", type_=BigInteger)
    length = end - _greater(workers.c.status_changed_at, start)
    found = (
        select(workers.c.activity_sid, *_measured(length))
        .where(workers.c.status_changed_at < end)
        .group_by(workers.c.activity_sid)
    )
    if places:
        return found.where(_among(workers.c.sid, "worker", places))
    return found.where(workers.c.workspace_sid == bindparam("workspace"))


def _measured(length: ColumnElement[int]) -> list[ColumnElement[int]]:
    return [func.count(), func.sum(length), func.min(length), func.max(length)]


def _greater(column: ColumnElement[int], than: ColumnElement[int]) -> ColumnElement[int]:
    return case((column > than, column), else_=than)


def _less(column: ColumnElement[int], than: ColumnElement[int]) -> ColumnElement[int]:
    return case((column < than, column), else_=than)


def _live_tasks(prefix: str, places: int, *, channel: bool) -> Select[Any]:
    # What nothing is found by is written so that no index by it is taken: far more Tasks of a
    # Workflow have ended than live.
    subjects: dict[str, ColumnElement[Any]] = {
        WORKSPACE: tasks.c.workspace_sid,
        TASK_QUEUE: tasks.c.task_queue_sid,
        WORKFLOW: func.coalesce(tasks.c.workflow_sid, literal_column("''", Text)),
    }
    subject = subjects[prefix]
    waits = tasks.c.assignment_status.in_(_words(WAITING))
    found = select(
        subject,
        tasks.c.assignment_status,
        tasks.c.priority,
        func.count(),
        func.min(case((waits, _marked(tasks.c.created_at)), else_=null())),
        func.min(case((waits, _marked(tasks.c.queue_entered_at)), else_=null())),
    ).where(
        tasks.c.workspace_sid == bindparam("workspace"),
        tasks.c.assignment_status.in_(_words(LIVE_STATUSES)),
    )
    if prefix != WORKSPACE:
        found = found.where(_among(subject, "subject", places))
    if channel:
        found = found.where(tasks.c.task_channel_sid == bindparam("channel"))
    return found.group_by(subject, tasks.c.assignment_status, tasks.c.priority)


def _marked(instant: ColumnElement[int]) -> ColumnElement[str]:
    """The instant with the Task's SID behind it, so that the least one tells both.

    As text: instants of our days have thirteen digits, all of them.
    """
    return cast(instant, Text) + tasks.c.sid
