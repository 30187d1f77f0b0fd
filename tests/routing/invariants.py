"""What is true of the tables and the log after every commit, whoever did what in which order."""

import contextlib
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from routing.engine import placement
from routing.engine.workers import worker_context
from routing.events import Event
from routing.ports import Work
from routing.reservation import LIVE, RESERVATION_MOVES, Reservation
from routing.store.store import SqlStore
from routing.task import PENDING, TASK_MOVES, TERMINAL, Task
from routing.task_queue import belonging
from routing.worker import Worker, WorkerChannel, available_capacity_percentage


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The rows that work moves, on one picture."""

    tasks: dict[str, Task]
    reservations: list[Reservation]
    workers: dict[str, Worker]
    channels: list[WorkerChannel]


def read_tables(store: SqlStore) -> Tables:
    def query(work: Work) -> Tables:
        return Tables(
            tasks={task.sid: task for task in work.tasks.find()},
            reservations=work.reservations.find(),
            workers={worker.sid: worker for worker in work.workers.find()},
            channels=work.worker_channels.find(),
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
    """No task is offered more often than its queue asks for, or accepted by two."""
    by_task: dict[str, list[str]] = {sid: [] for sid in tables.tasks}
    for each in tables.reservations:
        by_task[each.task_sid].append(each.reservation_status)
    for sid, statuses in by_task.items():
        live = [status for status in statuses if status in LIVE]
        held = [status for status in live if status != "pending"]
        state = tables.tasks[sid].assignment_status
        assert len(live) <= at_once, (state, statuses)
        assert len(held) <= 1, (state, statuses)
        expected = {
            "pending": not live,
            "reserved": bool(live) and not held,
            "assigned": live == ["accepted"],
            "wrapping": live == ["wrapping"],
        }
        assert expected.get(state, not live), (state, statuses)


def replay(events: Sequence[Event]) -> tuple[dict[str, str], dict[str, str]]:
    """The statuses of tasks and reservations as the log alone tells them; each move a legal one.

    There is no event for a task that waits again: it does as soon as its last live reservation is
    over without anybody having the task.
    """
    tasks: dict[str, str] = {}
    reservations: dict[str, str] = {}
    live: dict[str, set[str]] = {}
    for event in events:
        sid, offer = event.task_sid, event.reservation_sid
        if sid is None:
            continue
        if event.type in {"task.deleted", "task.system-deleted"}:
            tasks.pop(sid)
            continue
        if offer is not None:
            _follow_reservation(event, offer, reservations, live.setdefault(sid, set()))
        told = event.carried["task_assignment_status"]
        now = tasks.get(sid)
        if now is not None and told != now:
            assert told in TASK_MOVES[now].values(), (event.type, now, told)
        tasks[sid] = told
        if event.type in _ENDINGS and not live[sid] and told in {"reserved", "assigned"}:
            tasks[sid] = PENDING
    return tasks, reservations


#: The ends of a reservation after which its task may wait again.
_ENDINGS = {"reservation.rejected", "reservation.timeout", "reservation.canceled"}


def _follow_reservation(event: Event, sid: str, statuses: dict[str, str], live: set[str]) -> None:
    if event.type == "reservation.failed":
        return  # it tells of an instruction, and moves nothing
    told = event.carried["reservation_status"]
    before = statuses.get(sid)
    if before is None:
        assert (event.type, told) == ("reservation.created", "pending")
    else:
        assert told in RESERVATION_MOVES[before].values(), (event.type, before, told)
    statuses[sid] = told
    if told in LIVE:
        live.add(sid)
    else:
        live.discard(sid)


def check_log(tables: Tables, events: Sequence[Event]) -> None:
    """The log is complete: what it tells, followed from the beginning, is what the tables hold."""
    told, told_of_offers = replay(events)
    tasks = {sid: task.assignment_status for sid, task in tables.tasks.items()}
    assert not (wrong := differences(told, tasks)), wrong
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
        return [
            (task.sid, worker.friendly_name)
            for task in work.tasks.find(assignment_status=PENDING)
            for worker in workers
            if worker.workspace_sid == task.workspace_sid
            and _could_have(work, worker, task, channels)
        ]

    assert store.read(query) == []


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
    if step is None or step.expression is None:
        return True
    of_task = placement.task_context(configuration, task)
    return step.expression.matches({"worker": context, "task": of_task})


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
