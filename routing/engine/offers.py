"""Offering Tasks to Workers: the claims of a whole batch of proposals, in a few statements.

What the batch needs is read and locked at once, in the order in which all verbs lock (tasks, then
workers, each by SID). What is certain then is decided here, by the state tables; capacity is taken
by a conditional update whose answer decides. One offer is a batch of one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from routing import reservation as states
from routing import sids
from routing.clock import SECOND
from routing.configuration import DEFAULT_RESERVATION_TIMEOUT_SECONDS, Configuration
from routing.engine.journal import Subject, tell
from routing.engine.moves import move_worker
from routing.ports import Work
from routing.records import changed
from routing.reservation import LIVE, Reservation
from routing.task import ASSIGNED, RESERVED, Task, next_task_state
from routing.worker import CapacityClaim, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A Task for these Workers; several where its TaskQueue asks several at once."""

    task_sid: str
    #: That of the row which was looked at: who is asked depends on the Task's attributes and on its
    #: place in the Workflow. None for whatever it is now.
    task_version: int | None
    worker_sids: Sequence[str]
    #: The Task's Workspace and TaskChannel, where they are known: what is read for it by these is
    #: read sooner.
    foreseen: tuple[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class _Open:
    """A Task that may be offered, and to whom it is already."""

    offer: Offer
    task: Task
    configuration: Configuration
    #: How many more Workers may be asked at once.
    room: int
    #: Who is asked already, or is not to be.
    asked: set[str]
    reservations: list[Reservation] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Nothing but a unit of capacity is missing to it."""

    open: _Open
    worker_sid: str
    claim: CapacityClaim


def make(work: Work, offers: Sequence[Offer]) -> list[list[Reservation]]:
    """Makes the offers that can still be made, and takes the capacity for them.

    For each offer its Reservations, one for each Worker that could be asked. Where there is none
    somebody was faster, or the Task or the Worker has changed since they were looked at; nothing
    is written for that one then.
    """
    _foresee(work, offers)
    tasks = _open_tasks(work, offers)
    found = work.workers.find(
        sid={sid for each in tasks.values() for sid in each.offer.worker_sids},
        order_by="sid",
        lock=True,
    )
    workers = {worker.sid: worker for worker in found}
    wanted = _wanted(work, tasks.values(), workers)
    channels = work.take_capacity([each.claim for each in wanted])
    for each, channel_sid in zip(wanted, channels, strict=True):
        if channel_sid is not None:
            _reserve(work, each.open, workers, each.worker_sid, channel_sid)
    _write(work, tasks.values(), workers)
    return [_made(tasks.get(offer.task_sid), offer) for offer in offers]


def _foresee(work: Work, offers: Sequence[Offer]) -> None:
    """All that will be read of Tasks and Workers that still are as they were looked at."""
    foreseen = {offer.foreseen for offer in offers if offer.foreseen is not None}
    work.tasks.foresee_all(sid={offer.task_sid for offer in offers}, order_by="sid", lock=True)
    for workspace_sid in {workspace_sid for workspace_sid, _ in foreseen}:
        work.foresee_configuration(workspace_sid)
    workers = {sid for offer in offers for sid in offer.worker_sids}
    work.workers.foresee_all(sid=workers, order_by="sid", lock=True)
    work.foresee_capacity(workers, {channel_sid for _, channel_sid in foreseen})


def _made(found: _Open | None, offer: Offer) -> list[Reservation]:
    # A Task that is in the batch twice belongs to the first of its offers.
    return found.reservations if found is not None and found.offer is offer else []


def _open_tasks(work: Work, offers: Iterable[Offer]) -> dict[str, _Open]:
    """The Tasks that may be offered to somebody, locked, in the order of the offers."""
    first: dict[str, Offer] = {}
    for offer in offers:
        first.setdefault(offer.task_sid, offer)
    found = work.tasks.find(sid=set(first), order_by="sid", lock=True)
    live = _live(work, found)
    by_sid = {task.sid: task for task in found}
    opened = {}
    for sid, offer in first.items():
        task = by_sid.get(sid)
        if task is None or offer.task_version not in {None, task.version}:
            continue
        each = _opened(work, offer, task, live.get(sid, ()))
        if each is not None:
            opened[sid] = each
    return opened


def _live(work: Work, tasks: Iterable[Task]) -> dict[str, list[Reservation]]:
    """{Task SID: its live Reservations}; a Task that was never offered has none."""
    offered = {task.sid for task in tasks if task.assignment_count}
    live: dict[str, list[Reservation]] = {}
    for reservation in work.reservations.find(task_sid=offered, reservation_status=LIVE):
        live.setdefault(reservation.task_sid, []).append(reservation)
    return live


def _opened(work: Work, offer: Offer, task: Task, live: Iterable[Reservation]) -> _Open | None:
    waits = task.is_wanting or task.assignment_status == RESERVED
    if not waits or task.task_queue_sid is None:
        return None
    configuration = work.configuration(task.workspace_sid)
    queue = configuration.task_queues[task.task_queue_sid]
    pending = sum(each.reservation_status == states.PENDING for each in live)
    return _Open(
        offer=offer,
        task=task,
        configuration=configuration,
        room=queue.max_reserved_workers - pending,
        # Somebody may have a new offer of it already, or its after-work from before.
        asked={each.worker_sid for each in live},
    )


def _wanted(work: Work, tasks: Iterable[_Open], workers: dict[str, Worker]) -> list[_Wanted]:
    """The Workers to be asked, as far as one can tell before their capacity is taken."""
    tasks = list(tasks)
    busy = _busy(work, tasks, workers)
    wanted = []
    for each in tasks:
        task = each.task
        for sid in each.offer.worker_sids:
            worker = workers.get(sid)
            if each.room <= 0:
                break
            if worker is None or sid in each.asked or not _may_have(each, worker, busy):
                continue
            multi_task = each.configuration.workspace.multi_task_enabled
            claim = CapacityClaim(
                worker_sid=sid,
                task_channel_sid=task.task_channel_sid,
                # One Task at a time asks nothing of the channels' capacities; they are kept for
                # later.
                regardless=task.ignore_capacity or not multi_task,
            )
            wanted.append(_Wanted(open=each, worker_sid=sid, claim=claim))
            each.asked.add(sid)
            each.room -= 1
            busy[sid] += 1
    return wanted


def _busy(work: Work, tasks: Iterable[_Open], workers: dict[str, Worker]) -> Counter[str]:
    """{Worker SID: its live Reservations}, where a Worker does one Task at a time."""
    alone = {
        sid
        for each in tasks
        if not each.configuration.workspace.multi_task_enabled
        for sid in each.offer.worker_sids
        if sid in workers
    }
    busy: Counter[str] = Counter()
    for channel in work.worker_channels.find(worker_sid=alone):
        busy[channel.worker_sid] += channel.assigned_tasks
    return busy


def _may_have(each: _Open, worker: Worker, busy: Counter[str]) -> bool:
    """Does nothing but a channel's capacity stand between the two?"""
    task, configuration = each.task, each.configuration
    if worker.workspace_sid != task.workspace_sid:
        return False
    if task.only_worker_sid not in {None, worker.sid}:
        return False
    if task.ignore_capacity:
        return True
    if not configuration.is_available(worker.activity_sid):
        return False
    return configuration.workspace.multi_task_enabled or not busy[worker.sid]


def _reserve(
    work: Work, each: _Open, workers: dict[str, Worker], worker_sid: str, channel_sid: str
) -> None:
    """The capacity is taken: the Reservation, and the Task and the Worker that it makes."""
    task, configuration = each.task, each.configuration
    is_burst = task.assignment_status == RESERVED
    move = "hand_on" if task.assignment_status == ASSIGNED else "reserve"
    each.task = task = changed(
        task,
        assignment_status=next_task_state(task, move),
        # Several Reservations at once count once.
        assignment_count=task.assignment_count + (0 if is_burst else 1),
        version=task.version + 1,
        updated_at=work.now,
    )
    # The Worker's version counts offers, too: Twilio's JavaScript SDK counts them along.
    worker = workers[worker_sid]
    worker = changed(worker, last_reserved_at=work.now, version=worker.version + 1)
    workers[worker_sid] = worker
    reservation = _new_reservation(work, each, worker_sid, channel_sid)
    each.reservations.append(reservation)
    tell(
        work,
        configuration,
        "reservation.created",
        f"Reservation {reservation.sid} created",
        Subject(reservation=reservation, task=task, worker=worker),
    )
    if not configuration.workspace.multi_task_enabled:
        queue = configuration.task_queues[reservation.task_queue_sid]
        workers[worker_sid] = move_worker(
            work, configuration, worker, queue.reservation_activity_sid
        )


def _new_reservation(work: Work, each: _Open, worker_sid: str, channel_sid: str) -> Reservation:
    task = each.task
    workflow = each.configuration.workflows.get(task.workflow_sid or "")
    seconds = workflow.task_reservation_timeout if workflow else DEFAULT_RESERVATION_TIMEOUT_SECONDS
    assert task.task_queue_sid is not None  # noqa: S101 - only what waits in a queue is opened
    return Reservation(
        sid=sids.new_sid(sids.RESERVATION),
        workspace_sid=task.workspace_sid,
        task_sid=task.sid,
        worker_sid=worker_sid,
        worker_channel_sid=channel_sid,
        task_queue_sid=task.task_queue_sid,
        workflow_sid=task.workflow_sid,
        reservation_status=states.PENDING,
        reason=None,
        due_at=work.now + seconds * SECOND,
        version=0,
        created_at=work.now,
        updated_at=work.now,
        transfer_sid=task.transfer_sid,
    )


def _write(work: Work, tasks: Iterable[_Open], workers: dict[str, Worker]) -> None:
    """What was decided, last of all, so that it is written together with the events."""
    made = [each for each in tasks if each.reservations]
    work.tasks.change_all(
        {
            each.task.sid: {
                "assignment_status": each.task.assignment_status,
                "assignment_count": each.task.assignment_count,
                "version": each.task.version,
                "updated_at": each.task.updated_at,
            }
            for each in made
        }
    )
    reserved = [reservation for each in made for reservation in each.reservations]
    work.workers.change_all(
        {
            sid: {
                "last_reserved_at": workers[sid].last_reserved_at,
                "version": workers[sid].version,
            }
            for sid in sorted({reservation.worker_sid for reservation in reserved})
        }
    )
    for reservation in reserved:
        work.reservations.add(reservation)
