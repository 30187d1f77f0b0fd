"""Statistics of any history: a plain loop over everything that happened finds the same numbers.

The loop below shares nothing with what it judges: it knows the events, the rows and the meaning of
each number, and neither sums nor buckets. The follower of the log sums up at any moment, or never.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.background.statistics import StatisticsFollower
from routing.engine import Engine, reservations, statistics, tasks, workers
from routing.errors import RoutingError
from routing.events import Event
from routing.reservation import LIVE
from routing.statistics.facts import Kind
from routing.statistics.period import DAY, HOUR, QUARTER, Period
from routing.statistics.tally import Spread, Tally, splits
from routing.store import SqlStore, open_store
from tests.fakes import ManualClock
from tests.routing.centre import Centre

PICK = st.integers(0, 1_000_000)
SECONDS = st.sampled_from([0.001, 1, 4.5, 25, 70, 600, 950, 7 * 3600, 25 * 3600])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("task"), PICK),
        st.tuples(st.just("task"), PICK),
        st.tuples(st.just("pass time"), SECONDS),
        st.tuples(st.just("pass time"), SECONDS),
        st.tuples(st.sampled_from(["accept", "accept", "reject", "wrap_up", "complete"]), PICK),
        st.tuples(st.sampled_from(["accept", "accept", "reject", "wrap_up", "complete"]), PICK),
        st.tuples(st.sampled_from(["cancel", "hang up", "end", "delete", "change"]), PICK),
        st.tuples(st.sampled_from(["move", "move", "dismiss"]), PICK),
        st.tuples(st.just("sum up"), PICK),
    ),
    max_size=40,
)
#: How far the window begins and ends before now, in milliseconds.
WINDOWS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 100_000), st.integers(0, 3 * DAY)),
        st.one_of(st.just(0), st.integers(0, 100_000), st.integers(-1000, DAY)),
    ),
    min_size=1,
    max_size=3,
)


class Told(NamedTuple):
    """One thing that happened, as the loop below tells it."""

    what: str
    at: int
    queue: str | None
    workflow: str | None
    channel: str | None
    worker: str | None
    waited: int = 0
    in_queue: int = 0


class History:
    """A call centre to which anything may happen."""

    def __init__(self, store: SqlStore, engine: Engine, clock: ManualClock) -> None:
        self.centre = centre = Centre(store, engine, clock)
        centre.change_queue(max_reserved_workers=2)
        self.second = second = centre.add_queue("Trained", "level >= 2")
        self.flow = centre.add_workflow(
            {
                "expression": "hard == true",
                "targets": [
                    {"queue": second, "timeout": 20, "skip_if": "workers.available == 0"},
                    {"queue": second, "timeout": 30, "priority": 5},
                    {"queue": centre.queue_sid, "timeout": 600},
                ],
            },
            default={"queue": centre.queue_sid},
            task_reservation_timeout=30,
        )
        for level in (1, 2):
            centre.add_worker(f"worker {level}", level=level, capacity=level)
        self.follower = StatisticsFollower(store)
        self.events: list[Event] = []
        self.log = store.event_log(f"oracle {centre.workspace_sid}")

    def do(self, step: str, how: Any) -> None:
        verbs: dict[str, Callable[[int], object]] = {
            "task": self._task, "move": self._move, "dismiss": self._dismiss,
            "sum up": lambda _pick: self.follower.step(),
        }  # fmt: skip
        if step == "pass time":
            self.centre.pass_time(how)
        elif step in verbs:
            verbs[step](how)
        elif step in {"cancel", "hang up", "end", "delete", "change"}:
            self._to_task(step, how)
        else:
            self._answer(step, how)

    def _task(self, pick: int) -> None:
        if pick % 7 == 6:  # straight into a queue, no workflow's doing
            self.centre.send_task(task_queue_sid=self.second, task_channel="chat")
            return
        self.centre.add_task(
            channel="chat" if pick % 3 == 0 else "voice",
            priority=pick % 2,
            timeout_seconds=3600,
            workflow=self.flow if pick % 5 else None,
            hard=pick % 2 == 0,
        )

    def _answer(self, verb: str, pick: int) -> None:
        found = self.centre.engine.read(
            lambda work: work.reservations.find(
                workspace_sid=self.centre.workspace_sid, reservation_status=LIVE
            )
        )
        if found:
            sid = found[pick % len(found)].sid
            self._try(getattr(reservations, verb), reservation_sid=sid)

    def _to_task(self, what: str, pick: int) -> None:
        sids = self.centre.task_sids()
        if not sids:
            return
        verbs: dict[str, Callable[..., object]] = {
            "cancel": tasks.cancel, "hang up": tasks.cancel, "end": tasks.complete,
            "delete": tasks.delete, "change": tasks.update,
        }  # fmt: skip
        more: dict[str, Any] = {"reason": "hangup"} if what == "hang up" else {}
        if what == "change":
            more = {"attributes": f'{{"hard": {str(pick % 2 == 0).lower()}}}', "re_evaluate": True}
        self._try(
            verbs[what],
            workspace_sid=self.centre.workspace_sid,
            task_sid=sids[pick % len(sids)],
            **more,
        )

    def _move(self, pick: int) -> None:
        sids = [worker.sid for worker in self.centre.all_workers()]
        activity = ("Available", "Available", "Offline", "Unavailable")[pick % 4]
        if sids:
            self._try(
                workers.update,
                workspace_sid=self.centre.workspace_sid,
                worker_sid=sids[pick % len(sids)],
                activity_sid=self.centre.activity(activity),
            )

    def _dismiss(self, pick: int) -> None:
        everybody = self.centre.all_workers()
        if everybody:
            worker_sid = everybody[pick % len(everybody)].sid
            self._try(
                workers.delete, workspace_sid=self.centre.workspace_sid, worker_sid=worker_sid
            )

    def _try(self, verb: Callable[..., object], **arguments: Any) -> None:
        try:
            self.centre.engine.perform(verb, **arguments)
        except RoutingError:
            return
        self.centre.route()

    # ---- the loop -----------------------------------------------------------------------------

    def told(self) -> list[Told]:
        """Everything that is counted, from the first event on."""
        created: dict[str | None, int] = {}
        places: dict[str | None, tuple[str | None, int]] = {}
        found: list[Told] = []
        for event in self._all_events():
            sid, at, queue = event.task_sid, event.occurred_at, event.task_queue_sid
            if event.type == "task.created":
                created[sid] = at
                found.append(tell("created", event, queue=None))
            elif event.type == "task-queue.entered":
                before = places.get(sid, (None, 0))[0]
                if before not in {None, queue}:
                    found.append(tell("moved", event, queue=before))
                if before != queue:
                    found.append(tell("queued", event, queue=queue))
                    places[sid] = (queue, at)
            elif event.type in NAMES:
                waited = at - created[sid] if sid in created else 0
                in_queue = at - places[sid][1] if sid in places else 0
                name = NAMES[event.type]
                found.append(tell(name, event, queue=queue, waited=waited, in_queue=in_queue))
                if name == "canceled" and event.carried.get("task_canceled_reason") == "hangup":
                    found.append(tell("abandoned", event, queue=queue))
        return found

    def _all_events(self) -> list[Event]:
        while new := self.log.read(10_000):
            self.events += [e for e in new if e.workspace_sid == self.centre.workspace_sid]
            self.log.advance(new)
        return self.events

    def stays(self, now: int) -> Iterator[tuple[str, str, int, int]]:
        """(worker, activity, from, to), up to now."""
        last: dict[str, tuple[str, int]] = {}
        for event in self._all_events():
            sid, at = event.worker_sid, event.occurred_at
            if sid is None or not event.type.startswith("worker."):
                continue
            if event.type in {"worker.created", "worker.activity.update", "worker.deleted"}:
                if sid in last:
                    activity, since = last.pop(sid)
                    yield sid, activity, since, at
                if event.type != "worker.deleted":
                    last[sid] = (event.carried["worker_activity_sid"], at)
        for sid, (activity, since) in last.items():
            yield sid, activity, since, now


def tell(what: str, event: Event, *, queue: str | None, waited: int = 0, in_queue: int = 0) -> Told:
    return Told(
        what,
        event.occurred_at,
        queue,
        event.workflow_sid,
        event.task_channel_sid,
        event.worker_sid,
        waited,
        in_queue,
    )


NAMES = {
    "reservation.accepted": "accepted",
    "task.canceled": "canceled",
    "workflow.entered": "entered workflow",
    "workflow.timeout": "timed out of workflow",
    "task.completed": "completed",
    "task.deleted": "deleted",
    "task.system-deleted": "deleted",
    "reservation.created": "offered",
    "reservation.rejected": "rejected",
    "reservation.timeout": "offer timed out",
    "reservation.canceled": "offer canceled",
    "reservation.rescinded": "rescinded",
}


_OFFERS = {
    "reservations_created": "offered",
    "reservations_accepted": "accepted",
    "reservations_rejected": "rejected",
    "reservations_timed_out": "offer timed out",
    "reservations_canceled": "offer canceled",
    "reservations_rescinded": "rescinded",
}
ENDS = ("canceled", "completed", "deleted")
_TASKS = {f"tasks_{what}": what for what in (*ENDS, "moved", "abandoned")}
_OUT = {"tasks_timed_out_in_workflow": "timed out of workflow"}
COUNTED = {
    "workspace": {**_OFFERS, **_TASKS, **_OUT, "tasks_created": "created"},
    "workflow": {**_OFFERS, **_TASKS, **_OUT, "tasks_entered": "entered workflow"},
    "queue": {**_OFFERS, **_TASKS, "tasks_entered": "queued"},
    "worker": _OFFERS,
}


def expected(told: list[Told], subject: str) -> dict[str, Any]:
    """The numbers of one subject, counted one by one."""

    def number(what: str) -> int:
        return sum(1 for each in told if each.what == what)

    def waits(what: str, name: str) -> tuple[int, int, int, int]:
        seconds = [getattr(each, name) // 1000 for each in told if each.what == what]
        if not seconds:
            return (0, 0, 0, 0)
        return (len(seconds), sum(seconds), min(seconds), max(seconds))

    def split(what: str, threshold: int) -> tuple[int, int]:
        below = sum(1 for each in told if each.what == what and each.waited < threshold * 1000)
        return (below, number(what) - below)

    counts = {name: number(what) for name, what in COUNTED[subject].items()}
    is_worker = subject == "worker"
    return {
        "counts": {name: count for name, count in counts.items() if count},
        "until accepted": waits("accepted", "waited"),
        "in queue": waits("accepted", "in_queue"),
        "until canceled": (0, 0, 0, 0) if is_worker else waits("canceled", "waited"),
        "split": () if is_worker else split("accepted", 5) + split("canceled", 5),
    }


def found(tally: Tally, subject: str) -> dict[str, Any]:
    def spread(one: Spread) -> tuple[int, int, int, int]:
        return (one.number, one.total, one.least, one.most)

    [split] = splits(tally, [5])
    sides = (split.accepted_below, split.accepted_above, split.canceled_below, split.canceled_above)
    return {
        "counts": {name: count for name, count in tally.counts.items() if count},
        "until accepted": spread(tally.until_accepted),
        "in queue": spread(tally.in_queue_until_accepted),
        "until canceled": spread(tally.until_canceled),
        "split": sides if subject != "worker" else (),
    }


def check_tallies(history: History, period: Period, channel: str | None) -> None:
    centre = history.centre
    told = [
        each
        for each in history.told()
        if period.start <= each.at <= period.end and channel in {None, each.channel}
    ]
    chosen: dict[str, tuple[list[str], Callable[[Told], str | None]]] = {
        "workspace": ([centre.workspace_sid], lambda _each: centre.workspace_sid),
        "queue": ([centre.queue_sid, history.second], lambda each: each.queue),
        "workflow": ([centre.workflow_sid, history.flow], lambda each: each.workflow),
        "worker": ([each.sid for each in centre.all_workers()], lambda each: each.worker),
    }
    for subject, (sids, of) in chosen.items():
        tallies = centre.engine.read(
            statistics.tallies,
            workspace_sid=centre.workspace_sid,
            subject_sids=sids,
            period=period,
            task_channel_sid=channel,
            with_spreads=True,
        )
        for sid in sids:
            own = [each for each in told if of(each) == sid]
            assert found(tallies[sid], subject) == expected(own, subject), (subject, period)


def check_series(history: History, period: Period, channel: str | None, size: int) -> None:
    """Row after row the loop finds the same, and nothing falls between two of them."""
    centre, told = history.centre, history.told()
    for sid, subject in ((centre.workspace_sid, "workspace"), (history.second, "queue")):
        rows = centre.engine.read(
            statistics.series,
            workspace_sid=centre.workspace_sid,
            subject_sid=sid,
            period=period,
            row_size=size,
            task_channel_sid=channel,
            with_spreads=True,
        )
        assert (rows[0].span.begin, rows[-1].span.end) == (period.start, period.end + 1)
        for one, other in itertools.pairwise(rows):
            assert one.span.end == other.span.begin
            assert other.span.begin % size == 0
        for row in rows:
            own = [
                each
                for each in told
                if row.span.begin <= each.at < row.span.end
                and channel in {None, each.channel}
                and (subject == "workspace" or each.queue == sid)
            ]
            assert found(row.tally, subject) == expected(own, subject), (subject, row.span)


def check_durations(history: History, period: Period, worker_sid: str | None) -> None:
    centre, now = history.centre, history.centre.clock.now()
    lengths: dict[str, list[int]] = {}
    for worker, activity, begin, end in history.stays(now):
        length = min(end, period.end, now) - max(begin, period.start)
        if worker_sid in {None, worker} and length > 0:
            lengths.setdefault(activity, []).append(length)
    durations = centre.engine.read(
        statistics.activity_durations,
        workspace_sid=centre.workspace_sid,
        period=period,
        worker_sids=None if worker_sid is None else [worker_sid],
    )
    assert {
        activity: (each.number, each.total, each.least, each.most)
        for activity, each in durations.items()
    } == {
        activity: (len(each), sum(each), min(each), max(each)) for activity, each in lengths.items()
    }


def check_real_time(history: History) -> None:
    centre = history.centre
    found = centre.engine.read(lambda work: work.tasks.find(workspace_sid=centre.workspace_sid))
    alive = [each for each in found if each.assignment_status not in {"completed", "canceled"}]
    subjects: dict[str, tuple[str, str]] = {
        "workspace": ("workspace_sid", centre.workspace_sid),
        "queue": ("task_queue_sid", history.second),
        "workflow": ("workflow_sid", history.flow),
    }
    for column, sid in subjects.values():
        own = [each for each in alive if getattr(each, column) == sid]
        waiting = [each for each in own if each.assignment_status in {"pending", "reserved"}]
        live = centre.engine.read(
            statistics.live_tasks, workspace_sid=centre.workspace_sid, subject_sids=[sid]
        )[sid]
        assert live.total == len(own)
        for status in ("pending", "reserved", "assigned", "wrapping"):
            assert live.by_status[status] == sum(e.assignment_status == status for e in own)
        assert live.by_priority == {
            priority: sum(each.priority == priority for each in own)
            for priority in {each.priority for each in own}
        }
        oldest = min(waiting, key=lambda each: (each.created_at, each.sid), default=None)
        assert live.longest_task_sid == (oldest.sid if oldest else None)
        first = min(waiting, key=lambda each: (each.queue_entered_at or 0, each.sid), default=None)
        assert live.longest_in_queue_task_sid == (first.sid if first else None)
        now = centre.clock.now()
        waited = (now - oldest.created_at) // 1000 if oldest else 0
        assert live.longest_wait_seconds(now) == waited


@pytest.fixture
def opened(database_url: str) -> Iterator[tuple[SqlStore, Engine, ManualClock]]:
    clock = ManualClock()
    store = open_store(database_url, clock)
    store.migrate()
    yield store, Engine(store, clock), clock
    store.close()


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, windows=WINDOWS)
def test_a_plain_loop_over_any_history_finds_the_same_numbers(
    opened: tuple[SqlStore, Engine, ManualClock],
    steps: list[tuple[str, Any]],
    windows: list[tuple[int, int]],
) -> None:
    history = History(*opened)  # a workspace of its own for each, in the same database
    for step, how in steps:
        history.do(step, how)
    centre, now = history.centre, history.centre.clock.now()
    channel = next(
        each.sid for each in centre.set_up().task_channels.values() if each.unique_name == "voice"
    )
    check_real_time(history)
    for before, until in windows:
        end = now - until
        period = Period(start=min(end, now - before), end=end)
        check_tallies(history, period, None)
        check_tallies(history, period, channel)
        check_series(history, period, None, DAY)
        check_series(history, period, channel, HOUR if before % 2 else QUARTER)
        check_durations(history, period, None)
        for worker in centre.all_workers():
            check_durations(history, period, worker.sid)


@given(start=st.integers(0, 5 * DAY), length=st.integers(0, 5 * DAY))
def test_a_time_is_cut_into_parts_that_are_whole_and_together_all_of_it(
    start: int, length: int
) -> None:
    parts = Period(start=start, end=start + length).parts()
    spans = [*parts.rest, *parts.quarters, *([] if parts.days is None else [parts.days])]
    spans.sort(key=lambda span: span.begin)
    assert spans[0].begin == start
    assert spans[-1].end == start + length + 1
    for one, other in itertools.pairwise(spans):
        assert one.end == other.begin
    assert all(span.begin < span.end for span in spans)
    for span in parts.quarters:
        assert span.begin % QUARTER == span.end % QUARTER == 0
        assert span.end - span.begin < 2 * DAY
    if parts.days is not None:
        assert parts.days.begin % DAY == parts.days.end % DAY == 0
    assert all(span.end - span.begin < 2 * QUARTER for span in parts.rest)


def test_the_numbers_of_the_kinds_are_kept() -> None:
    """They are stored: a kind that got another's number would turn its past into the other's."""
    assert {kind.name: int(kind) for kind in Kind} == {
        "TASK_CREATED": 1,
        "WORKFLOW_ENTERED": 2,
        "QUEUE_ENTERED": 3,
        "TASK_MOVED": 4,
        "TASK_CANCELED": 5,
        "TASK_COMPLETED": 6,
        "TASK_DELETED": 7,
        "WORKFLOW_TIMED_OUT": 8,
        "RESERVATION_CREATED": 9,
        "RESERVATION_ACCEPTED": 10,
        "RESERVATION_REJECTED": 11,
        "RESERVATION_TIMED_OUT": 12,
        "RESERVATION_CANCELED": 13,
        "RESERVATION_RESCINDED": 14,
        "TASK_ABANDONED": 15,
    }
