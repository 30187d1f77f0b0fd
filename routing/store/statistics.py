"""Fulfils routing.ports.Statistics: reads the tables of sums, and is told what to add to them.

Whoever writes here follows the log as one: what it adds and its place in the log move in the same
transaction, so that nothing is counted twice or left out whatever happens in between.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import msgspec

from routing.clock import Instant
from routing.errors import Conflict
from routing.events import Event
from routing.statistics.facts import Fact, Kind, Reading, Standing, Stay
from routing.statistics.period import DAY, QUARTER, Parts, Span
from routing.statistics.real_time import LiveTasks, Longest, Profile, TaskGroup
from routing.statistics.tally import (
    COUNTED,
    COUNTS,
    WAITS,
    Durations,
    Spread,
    Tally,
    number_of,
    subjects_of,
)
from routing.store.event_rows import event_of
from routing.store.statements import Statement
from routing.store.statistics_statements import (
    GIVEN,
    Asked,
    named,
    padded,
    statistics_statements,
)

if TYPE_CHECKING:
    from routing.store.unit_of_work import UnitOfWork

#: The follower's name, under which its place in the log is kept.
FOLLOWER: Final = "statistics"
#: Events that are read at once while an answer is made up to date.
_UNREAD_AT_ONCE: Final = 5_000
#: SIDs that one statement asks about.
_MANY: Final = 256

#: Characters of a SID.
_SID: Final = 34
_FACT, _STAY, _STANDING = (
    tuple(each.name for each in fields(record)) for record in (Fact, Stay, Standing)
)

#: One bucket: (Workspace, subject, length, beginning, TaskChannel).
Bucket = tuple[str, str, int, Instant, str]

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[int, int]).decode


class SqlStatistics:
    """Within one unit of work."""

    def __init__(self, unit: "UnitOfWork") -> None:
        self._unit = unit
        self._statements = statistics_statements(unit.dialect)

    # What has happened.

    def unread(self, workspace_sid: str) -> list[Event]:
        """The Workspace's events that are in none of the sums yet, in their order."""
        position = self._unit.follower_position(FOLLOWER)
        found: list[Event] = []
        while True:
            rows = self._rows(self._statements.unread, after=position, row_limit=_UNREAD_AT_ONCE)
            events = map(event_of, rows)
            found += (event for event in events if event.workspace_sid == workspace_sid)
            if len(rows) < _UNREAD_AT_ONCE:
                return found
            position = rows[-1][0]

    def standings(self, sids: Collection[str]) -> dict[str, Standing]:
        """Where those Tasks and Workers stood at the last event that is in the sums."""
        found = {}
        for some in _slices(sids):
            rows = self._rows(self._statements.standings(len(some)), **named("sid", some))
            for sid, workspace_sid, place_sid, since in rows:
                found[sid] = Standing(
                    sid=sid, workspace_sid=workspace_sid, place_sid=place_sid, since=since
                )
        return found

    def tallies(
        self,
        workspace_sid: str,
        subject_sids: Collection[str],
        parts: Parts,
        *,
        task_channel_sid: str | None,
        with_spreads: bool,
    ) -> dict[str, Tally]:
        """What is in the sums of those subjects, all of one kind, in that time.

        How the waits are spread only where it is asked for.
        """
        found = {sid: Tally() for sid in subject_sids}
        for some in _slices(subject_sids):
            values = {"workspace": workspace_sid, **named("subject", some)}
            asked = Asked(some[0][:2], len(some), task_channel_sid is not None, by_time=False)
            if task_channel_sid is not None:
                values["channel"] = task_channel_sid
            self._add_parts(found, asked, values, parts, with_spreads=with_spreads)
        return found

    def series(
        self,
        workspace_sid: str,
        subject_sid: str,
        parts: Parts,
        *,
        task_channel_sid: str | None,
        with_spreads: bool,
    ) -> dict[Instant, Tally]:
        """The same of one subject, by the beginning of each quarter of an hour, or day."""
        found: dict[Instant, Tally] = defaultdict(Tally)
        values = {"workspace": workspace_sid, **named("subject", [subject_sid])}
        asked = Asked(subject_sid[:2], 1, task_channel_sid is not None, by_time=True)
        if task_channel_sid is not None:
            values["channel"] = task_channel_sid
        self._add_parts(found, asked, values, parts, with_spreads=with_spreads)
        return found

    def _add_parts(
        self,
        found: Mapping[Any, Tally],
        asked: Asked,
        values: Mapping[str, object],
        parts: Parts,
        *,
        with_spreads: bool,
    ) -> None:
        ranges = [(QUARTER, span) for span in parts.quarters]
        if parts.days is not None:
            ranges.append((DAY, parts.days))
        for size, span in ranges:
            bounds = {"span": size, "begin": span.begin, "end": span.end}
            self._add_buckets(found, asked, {**values, **bounds}, with_spreads=with_spreads)
        for span in parts.rest:
            bounds = {"begin": span.begin, "end": span.end}
            self._add_facts(found, asked, {**values, **bounds}, with_spreads=with_spreads)

    def _add_buckets(
        self,
        found: Mapping[Any, Tally],
        asked: Asked,
        values: Mapping[str, object],
        *,
        with_spreads: bool,
    ) -> None:
        for row in self._rows(self._statements.sums(asked), **values):
            found[row[0]].add(_tally_of(row[1:]))
        if with_spreads:
            for key, accepted, canceled in self._rows(self._statements.spreads(asked), **values):
                found[key].accepted_after.update(_decode(accepted))
                found[key].canceled_after.update(_decode(canceled))

    def _add_facts(
        self,
        found: Mapping[Any, Tally],
        asked: Asked,
        values: Mapping[str, object],
        *,
        with_spreads: bool,
    ) -> None:
        columns = COUNTED[asked.prefix]
        sums = self._statements.fact_sums(asked)
        for key, kind, number, *waits in self._rows(sums, **values):
            found[key].add_group(
                columns[Kind(kind)],
                number,
                Spread(number, *map(int, waits[:3])),
                Spread(number, *map(int, waits[3:])),
            )
        if with_spreads:
            spreads = self._statements.fact_spreads(asked)
            for key, kind, seconds, number in self._rows(spreads, **values):
                tally = found[key]
                accepted = kind == Kind.RESERVATION_ACCEPTED
                (tally.accepted_after if accepted else tally.canceled_after)[seconds] += number

    def stays(
        self,
        workspace_sid: str,
        activity_sids: Collection[str],
        span: Span,
        worker_sids: Collection[str] | None,
    ) -> dict[str, Durations]:
        """By Activity: how long Workers were in it, as far as the sums tell; None for all."""
        if worker_sids is not None:
            return self._durations(self._statements.stays_of, workspace_sid, span, worker_sids)
        found = {}
        for sid in activity_sids:
            [(number, *lengths)] = self._rows(
                self._statements.stays_in(),
                workspace=workspace_sid,
                activity=sid,
                start=span.begin,
                end=span.end,
            )
            if number:
                found[sid] = Durations(number, *map(int, lengths))
        return found

    def present_stays(
        self, workspace_sid: str, span: Span, worker_sids: Collection[str] | None
    ) -> dict[str, Durations]:
        """By Activity: how long those Workers who are in it now have been so, up to the end."""
        return self._durations(self._statements.present_stays, workspace_sid, span, worker_sids)

    def _durations(
        self,
        statement: Callable[[int], Statement],
        workspace_sid: str,
        span: Span,
        worker_sids: Collection[str] | None,
    ) -> dict[str, Durations]:
        found: dict[str, Durations] = {}
        slices: list[list[str]] = [[]] if worker_sids is None else _slices(worker_sids)
        for some in slices:
            rows = self._rows(
                statement(len(some)),
                workspace=workspace_sid,
                start=span.begin,
                end=span.end,
                **named("worker", some),
            )
            for activity_sid, *lengths in rows:
                found.setdefault(activity_sid, Durations()).add(*map(int, lengths))
        return found

    # How things stand.

    def live_tasks(
        self,
        workspace_sid: str,
        subject_sids: Collection[str],
        *,
        task_channel_sid: str | None,
    ) -> dict[str, LiveTasks]:
        """The Tasks that live, of those TaskQueues or Workflows, or of the Workspace itself."""
        found = {sid: LiveTasks() for sid in subject_sids}
        channel = {} if task_channel_sid is None else {"channel": task_channel_sid}
        for some in _slices(subject_sids):
            statement = self._statements.live_tasks(some[0][:2], len(some), channel=bool(channel))
            values = {"workspace": workspace_sid, **named("subject", some), **channel}
            for subject_sid, status, priority, number, longest, in_queue in self._rows(
                statement, **values
            ):
                found[subject_sid].add(
                    TaskGroup(
                        assignment_status=status,
                        priority=priority,
                        number=number,
                        longest=_longest(longest),
                        longest_in_queue=_longest(in_queue),
                    )
                )
        return found

    def workers_by_activity(self, activity_sids: Collection[str]) -> dict[str, int]:
        """How many Workers are in each of those Activities."""
        found: dict[str, int] = {}
        for some in _slices(activity_sids):
            rows = self._rows(
                self._statements.workers_by_activity(len(some)), **named("activity", some)
            )
            found.update(dict(rows))
        return found

    def profiles(self, workspace_sid: str) -> list[Profile]:
        """Every Worker of the Workspace, as far as expressions may ask about it."""
        rows = self._rows(self._statements.profiles(), workspace=workspace_sid)
        return [Profile(*row) for row in rows]

    def serving(self, task_channel_sid: str) -> set[str]:
        """SIDs of the Workers whose channel of that kind is switched on and has a capacity."""
        return {row[0] for row in self._rows(self._statements.serving(), channel=task_channel_sid)}

    def live_reservations(self) -> dict[str, int]:
        """How many Reservations of each Workspace take capacity now."""
        return {sid: int(number) for sid, number in self._rows(self._statements.live_reservations)}

    def lags(self) -> dict[str, int]:
        """How far the log is ahead of the place that each of its followers has saved.

        What does not concern a follower is passed over, and is part of it until something does.
        """
        return {name: max(0, number) for name, number in self._rows(self._statements.lags)}

    # What the follower adds.

    def buckets(self, wanted: Collection[Bucket]) -> dict[Bucket, Tally]:
        """What is in those buckets; the empty ones are left out."""
        together: dict[tuple[str, int, Instant], set[str]] = {}
        for workspace_sid, subject_sid, size, begins_at, _ in wanted:
            together.setdefault((workspace_sid, size, begins_at), set()).add(subject_sid)
        found = {}
        for (workspace_sid, size, begins_at), subject_sids in together.items():
            for some in _slices(subject_sids):
                rows = self._rows(
                    self._statements.buckets(len(some)),
                    workspace=workspace_sid,
                    span=size,
                    begins_at=begins_at,
                    **named("subject", some),
                )
                for row in rows:
                    tally = _tally_of(row[5:-2])
                    tally.accepted_after.update(_decode(row[-2]))
                    tally.canceled_after.update(_decode(row[-1]))
                    found[row[:5]] = tally
        return found

    def write(
        self, reading: Reading, tallies: Mapping[Bucket, Tally], *, after: int, position: int
    ) -> None:
        """Adds what was read from the events after the one position, up to the other.

        `tallies` are whole buckets, to be put in the place of what is there. Raises Conflict when
        somebody else has come further meanwhile: then nothing is written.
        """
        unit, statements = self._unit, self._statements
        unit.move_follower(FOLLOWER, 0)  # so that there is a row to hold
        [[here]] = self._rows(statements.held_position, follower=FOLLOWER)
        if here != after:
            raise Conflict("Another process has read these events for statistics.")
        standings = reading.standings
        self._write(statements.write_facts, map(_of_fact, reading.facts))
        self._write(statements.write_stays, map(_of_stay, reading.stays))
        self._write(statements.write_standings, map(_of_standing, filter(None, standings.values())))
        gone = [sid for sid, standing in standings.items() if standing is None]
        self._write(statements.drop_standings, ({"sid": sid} for sid in gone))
        self._write(statements.write_tallies, map(_of_bucket, tallies.items()))
        for workspace_sid in reading.ended_workspaces:
            for forget in statements.forget:
                unit.write(forget.text, forget.values(workspace=workspace_sid))
        unit.move_follower(FOLLOWER, position)

    def _write(self, statement: Statement, rows: Iterable[Mapping[str, object]]) -> None:
        given = [*rows]
        if given:
            values = statement.values(**{GIVEN: _encode(given).decode()})
            self._unit.write(statement.text, values)

    def _rows(self, statement: Statement, **values: object) -> list[tuple[Any, ...]]:
        return self._unit.execute(statement.text, statement.values(**values)).fetchall()


def bucketed(facts: Iterable[Fact]) -> dict[Bucket, Tally]:
    """The facts, summed up in the buckets that they belong to."""
    found: dict[Bucket, Tally] = {}
    for fact in facts:
        begins_at = fact.occurred_at // QUARTER * QUARTER
        for sid in subjects_of(fact):
            bucket = (fact.workspace_sid, sid, QUARTER, begins_at, fact.task_channel_sid)
            tally = found.get(bucket)
            if tally is None:
                tally = found[bucket] = Tally()
            tally.add_fact(fact, sid[:2])
    for (workspace_sid, sid, _, begins_at, channel), tally in list(found.items()):
        day = (workspace_sid, sid, DAY, begins_at // DAY * DAY, channel)
        found.setdefault(day, Tally()).add(tally)
    return found


def _slices(sids: Collection[str]) -> list[list[str]]:
    given = list(sids)
    return [padded(given[place : place + _MANY]) for place in range(0, len(given), _MANY)]


def _longest(marked: str | None) -> Longest | None:
    if marked is None:
        return None
    return Longest(since=int(marked[:-_SID]), task_sid=marked[-_SID:])


def _tally_of(row: Sequence[Any]) -> Tally:
    """The numbers of a row: every count, then total, least and most of every wait."""
    counts = dict(zip(COUNTS, map(int, row), strict=False))
    tally = Tally(counts=Counter({name: number for name, number in counts.items() if number}))
    place = len(COUNTS)
    for name in WAITS:
        number = counts[number_of(name)]
        if number:
            setattr(tally, name, Spread(number, *map(int, row[place : place + 3])))
        place += 3
    return tally


def _of_bucket(bucket: tuple[Bucket, Tally]) -> dict[str, object]:
    (workspace_sid, subject_sid, size, begins_at, channel), tally = bucket
    row: dict[str, object] = {name: tally.counts[name] for name in COUNTS}
    for name in WAITS:
        spread: Spread = getattr(tally, name)
        row[f"{name}_total"] = spread.total
        row[f"{name}_least"] = spread.least
        row[f"{name}_most"] = spread.most
    return row | {
        "workspace_sid": workspace_sid,
        "subject_sid": subject_sid,
        "span": size,
        "begins_at": begins_at,
        "task_channel_sid": channel,
        "accepted_after": _encode(tally.accepted_after).decode(),
        "canceled_after": _encode(tally.canceled_after).decode(),
    }


def _of_fact(fact: Fact) -> dict[str, object]:
    return {name: getattr(fact, name) for name in _FACT} | {"kind": int(fact.kind)}


def _of_stay(stay: Stay) -> dict[str, object]:
    return {name: getattr(stay, name) for name in _STAY}


def _of_standing(standing: Standing) -> dict[str, object]:
    return {name: getattr(standing, name) for name in _STANDING}
