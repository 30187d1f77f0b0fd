"""What is true of the tables and the log after every commit, whoever did what in which order."""

import contextlib
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from routing.engine import placement
from routing.engine.worker_context import worker_context
from routing.events import Event
from routing.ports import Work
from routing.reservation import LIVE, RESERVATION_MOVES, Reservation
from routing.store.store import SqlStore
from routing.task import ASSIGNED, PENDING, TASK_MOVES, TERMINAL, Task
from routing.task_queue import belonging
from routing.transfer import COMPLETE, Transfer
from routing.worker import Worker, WorkerChannel, available_capacity_percentage


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The rows that work moves, on one picture."""

    tasks: dict[str, Task]
    reservations: list[Reservation]
    workers: dict[str, Worker]
    channels: list[WorkerChannel]
    transfers: list[Transfer]


def read_tables(store: SqlStore) -> Tables:
    def query(work: Work) -> Tables:
        return Tables(
            tasks={task.sid: task for task in work.tasks.find()},
            reservations=work.reservations.find(),
            workers={worker.sid: worker for worker in work.workers.find()},
            channels=work.worker_channels.find(),
            transfers=work.transfers.find(),
        )

    return store.read(query)


def check_load(tables: Tables, *, raised: Iterable[str] = ()) -> None:
    """Each channel's load is its live reservations, and within its capacity.

    `raised` are channels whose capacity was lowered below what they had at that moment.
    """
    live = Counter(
        each.worker_channel_sid for each in tables.reservations if each.reservation_status in LIVE
    )
    for channel in tables.channels:
        assert channel.assigned_tasks == live[channel.sid], channel
        if channel.sid not in raised:
            assert channel.assigned_tasks <= channel.configured_capacity, channel


def check_offers(tables: Tables, *, at_once: int = 1) -> None:
    """No task is offered more often than its queue asks for, or accepted by two.

    A task that was handed on may be with two: whoever had it, and each who took it since. Whoever
    has left it may still have after-work of it, whatever becomes of it.
    """
    by_task: dict[str, list[str]] = {sid: [] for sid in tables.tasks}
    for each in tables.reservations:
        by_task[each.task_sid].append(each.reservation_status)
    handed_on = {each.task_sid for each in tables.transfers}
    taken = Counter(e.task_sid for e in tables.transfers if e.transfer_status == COMPLETE)
    for sid, statuses in by_task.items():
        live = [status for status in statuses if status in LIVE]
        held = [status for status in live if status != "pending"]
        task = tables.tasks[sid]
        where = (task.assignment_status, statuses)
        if sid in handed_on:
            assert len(live) - len(held) <= at_once, where
            assert held.count("accepted") <= 1 + taken[sid], where
            _check_handed_on(task, live)
        else:
            assert len(live) <= at_once, where
            assert len(held) <= 1, where
            expected = {
                "pending": not live,
                "reserved": bool(live) and not held,
                "assigned": live == ["accepted"],
                "wrapping": live == ["wrapping"],
            }
            assert expected.get(task.assignment_status, not live), where


def _check_handed_on(task: Task, live: Sequence[str]) -> None:
    asked, holding = "pending" in live, "accepted" in live
    is_handed_on = task.transfer_sid is not None
    expected = {
        "pending": not asked and not holding,
        "reserved": asked and (is_handed_on or not holding),
        "assigned": holding and not asked,
        "wrapping": bool(live) and not asked and not holding,
    }
    assert expected.get(task.assignment_status, not asked and not holding), (task, live)


class Replay:
    """The statuses of tasks and reservations as the log alone tells them; each move a legal one.

    There is no event for a task that waits again: it does as soon as its last live reservation is
    over without anybody having the task. Each event is told once, in the order of the log.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, str] = {}
        self.reservations: dict[str, str] = {}
        #: As the last event said it, where a task has been handed on.
        self._told: dict[str, str] = {}
        self._offers_of: dict[str, set[str]] = {}
        self._activities: dict[str, str] = {}
        self._created: set[str] = set()
        self._seen: set[str] = set()
        self._position = 0

    def follow(self, event: Event) -> None:
        assert event.position > self._position, event
        assert event.sid not in self._seen, event
        self._position = event.position
        self._seen.add(event.sid)
        if event.task_sid is not None:
            self._follow_task(event, event.task_sid)
        elif event.worker_sid is not None:
            self._follow_worker(event, event.worker_sid)

    def _follow_task(self, event: Event, sid: str) -> None:
        if event.type in {"task.deleted", "task.system-deleted"}:
            self.tasks.pop(sid)
            return
        if event.reservation_sid is not None:
            self._follow_reservation(event, event.reservation_sid)
        told = event.carried["task_assignment_status"]
        now = self.tasks.get(sid)
        if event.type == "task.created":
            assert sid not in self._created, event
            self._created.add(sid)
        if now is None:
            assert told in {PENDING, "canceled"}, event
        elif told != now:
            before = {now, self._told.get(sid, now)}
            after = before | {state for each in before for state in TASK_MOVES[each].values()}
            assert told in after, (event.type, before, told)
        self.tasks[sid] = told
        if event.type.startswith("task.transfer-") or sid in self._told:
            self._told[sid] = told
        if event.type in _ENDINGS and told in {"reserved", "assigned"} and not self._is_had(sid):
            self.tasks[sid] = PENDING

    def _is_had(self, task_sid: str) -> bool:
        """Is somebody asked for it, or does somebody have it?"""
        offers = self._offers_of.get(task_sid, ())
        return any(self.reservations[each] in {PENDING, "accepted"} for each in offers)

    def _follow_reservation(self, event: Event, sid: str) -> None:
        if event.type == "reservation.failed":
            return  # it tells of an instruction, and moves nothing
        told = event.carried["reservation_status"]
        assert event.type == f"reservation.{_EVENTS.get(told, told)}", (event.type, told)
        before = self.reservations.get(sid)
        if before is None:
            assert told == "pending", (event.type, told)
        else:
            assert told in RESERVATION_MOVES[before].values(), (event.type, before, told)
        self.reservations[sid] = told
        self._offers_of.setdefault(str(event.task_sid), set()).add(sid)

    def _follow_worker(self, event: Event, sid: str) -> None:
        """A worker's moves from activity to activity are a chain without a gap."""
        if event.type == "worker.activity.update":
            left = event.carried["worker_previous_activity_sid"]
            assert self._activities.get(sid, left) == left, event
        self._activities[sid] = event.carried["worker_activity_sid"]


#: How an event is called where it is not by the status that it tells.
_EVENTS = {"pending": "created", "wrapping": "wrapup"}
#: The ends of a reservation after which its task may wait again.
_ENDINGS = {"reservation.rejected", "reservation.timeout", "reservation.canceled"}


def check_log(tables: Tables, events: Sequence[Event]) -> None:
    """The log is complete: what it tells, followed from the beginning, is what the tables hold."""
    replay = Replay()
    for event in events:
        replay.follow(event)
    check_replay(tables, replay)


def check_replay(tables: Tables, replay: Replay) -> None:
    """What the log has told until now is what the tables hold."""
    told_of_offers = replay.reservations
    tasks = {sid: task.assignment_status for sid, task in tables.tasks.items()}
    assert not (wrong := differences(replay.tasks, tasks)), wrong
    offers = {each.sid: each.reservation_status for each in tables.reservations}
    # Reservations go with their deleted task or worker, and no event says so of each.
    kept = {sid: status for sid, status in told_of_offers.items() if sid in offers}
    assert not (wrong := differences(kept, offers)), wrong


def check_store(store: SqlStore, *, at_once: int = 1) -> Tables:
    """All of it, on a database on which nobody works any more; returns the tables.

    A database may take a moment to end what a killed process had begun, and the log stops before a
    place that may still be filled: so it is read on until it tells what the tables hold.
    """
    log = store.event_log(f"check {secrets.token_hex(4)}")
    events: list[Event] = []
    tables = read_tables(store)
    for _ in range(_TRIES):
        new = log.read(10_000)
        events += new
        log.advance(new)
        tables = read_tables(store)
        with contextlib.suppress(AssertionError):
            check_log(tables, events)
            break
    check_log(tables, events)
    check_load(tables)
    check_offers(tables, at_once=at_once)
    return tables


_TRIES = 500


def differences(
    told: dict[str, str], held: dict[str, str]
) -> dict[str, tuple[str | None, str | None]]:
    """What the log tells beside what the tables hold, where they differ."""
    sids = told.keys() | held.keys()
    pairs = {sid: (told.get(sid), held.get(sid)) for sid in sorted(sids)}
    return {sid: pair for sid, pair in pairs.items() if pair[0] != pair[1]}


def check_terminal(before: Tables, after: Tables) -> None:
    """What has ended has ended for good."""
    for sid, task in before.tasks.items():
        if task.assignment_status in TERMINAL and sid in after.tasks:
            assert after.tasks[sid].assignment_status == task.assignment_status
    later = {each.sid: each for each in after.reservations}
    for each in before.reservations:
        if each.reservation_status not in LIVE and each.sid in later:
            assert later[each.sid] == each


def check_nobody_waits_in_vain(store: SqlStore) -> None:
    """The router is quiet: no task waits while somebody could have it."""

    def query(work: Work) -> list[tuple[str, str]]:
        channels = {
            (each.worker_sid, each.task_channel_sid): each for each in work.worker_channels.find()
        }
        workers = work.workers.find()
        has = {(each.worker_sid, each.task_sid)
               for each in work.reservations.find(reservation_status=LIVE)}  # fmt: skip
        return [
            (task.sid, worker.friendly_name)
            for task in work.tasks.find(assignment_status={PENDING, ASSIGNED})
            for worker in workers
            if task.is_wanting
            and worker.workspace_sid == task.workspace_sid
            and (worker.sid, task.sid) not in has
            and _could_have(work, worker, task, channels)
        ]

    in_vain = store.read(query)
    assert not in_vain, in_vain


def _could_have(
    work: Work, worker: Worker, task: Task, channels: dict[tuple[str, str], WorkerChannel]
) -> bool:
    configuration = work.configuration(task.workspace_sid)
    is_free = task.ignore_capacity or _is_free(
        work, worker, channels[worker.sid, task.task_channel_sid]
    )
    if not is_free or task.only_worker_sid is not None:
        return is_free and task.only_worker_sid == worker.sid
    queue = configuration.task_queues.get(task.task_queue_sid or "")
    if queue is None:
        return False
    context = worker_context(configuration, worker)
    context["channel"] = {
        kind.unique_name: _load(channels[worker.sid, kind.sid])
        for kind in configuration.task_channels.values()
    }
    if not belonging(queue.target_workers).matches(context):
        return False
    step = placement.step_of(work, configuration, task)
    if step is None:
        return True
    of_task = placement.task_context(configuration, task)
    if step.known_worker is not None:
        name = worker.sid if step.known_worker.by_sid else worker.friendly_name
        if step.known_worker.value(of_task) != name:
            return False
    return step.expression is None or step.expression.matches({"worker": context, "task": of_task})


def _is_free(work: Work, worker: Worker, channel: WorkerChannel) -> bool:
    configuration = work.configuration(worker.workspace_sid)
    if not configuration.is_available(worker.activity_sid) or not channel.available:
        return False
    if not configuration.workspace.multi_task_enabled:
        channels = work.worker_channels.find(worker_sid=worker.sid)
        return not any(each.assigned_tasks for each in channels)
    return channel.assigned_tasks < channel.configured_capacity


def _load(channel: WorkerChannel) -> dict[str, object]:
    return {
        "configured_capacity": channel.configured_capacity,
        "assigned_tasks": channel.assigned_tasks,
        "available_capacity_percentage": available_capacity_percentage(
            channel.assigned_tasks, channel.configured_capacity
        ),
    }


def check_orphans(tables: Tables) -> None:
    """Nothing is left of what is gone."""
    channels = {each.sid for each in tables.channels}
    for offer in tables.reservations:
        assert offer.task_sid in tables.tasks, offer
        assert offer.worker_sid in tables.workers, offer
        assert offer.worker_channel_sid in channels, offer
    for channel in tables.channels:
        assert channel.worker_sid in tables.workers, channel
    live = set()
    for transfer in tables.transfers:
        assert transfer.task_sid in tables.tasks, transfer
        if transfer.is_live:
            live.add((transfer.task_sid, transfer.sid))
    told = {(task.sid, task.transfer_sid) for task in tables.tasks.values() if task.transfer_sid}
    assert told == live, told ^ live
