"""Writes an event with everything that its type carries (see events.CATALOGUE)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from routing import sids
from routing.clock import SECOND, Instant, iso_8601
from routing.configuration import Configuration, Workflow
from routing.events import CATALOGUE, INDEXED_FIELDS, TOLD_LIVE, Event
from routing.ports import Work
from routing.records import changed, maker
from routing.reservation import Reservation
from routing.task import CANCELED, COMPLETED, Task
from routing.task_queue import TaskQueue
from routing.transfer import Transfer
from routing.worker import Worker, WorkerChannel, available_capacity_percentage
from routing.workspace import Activity, TaskChannel

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an event is about. Queue and workflow are found through the Task where it names them."""

    task: Task | None = None
    reservation: Reservation | None = None
    worker: Worker | None = None
    worker_channel: WorkerChannel | None = None
    queue: TaskQueue | None = None
    workflow: Workflow | None = None
    activity: Activity | None = None
    task_channel: TaskChannel | None = None
    transfer: Transfer | None = None
    #: {group: fields}: worked out once for all events that are told of this subject.
    told: dict[str, dict[str, str]] = field(default_factory=dict, compare=False)


def tell(
    work: Work,
    configuration: Configuration,
    event_type: str,
    description: str,
    subject: Subject,
    **extra: str,
) -> None:
    """Appends one event; `extra` are fields of this occurrence alone.

    Raises KeyError for a type that is not in the catalogue.
    """
    resource_type, groups = CATALOGUE[event_type]
    workspace, now = configuration.workspace, work.now
    carried = {"workspace_sid": workspace.sid, "workspace_name": workspace.friendly_name}
    known = subject.told
    for group in groups:
        if group not in known:
            told: dict[str, str] = {}
            _GROUPS[group](told, subject, configuration, now)
            known[group] = told
        carried |= known[group]
    if extra:
        carried |= extra
    field_of = carried.get
    work.emit(
        _event(
            sids.new_sid(sids.EVENT),
            workspace.sid,
            event_type,
            resource_type,
            carried[_SID_OF[resource_type]],
            description,
            carried,
            now,
            0,  # the store gives it its place
            _picture(work, subject) if event_type in TOLD_LIVE else None,
            None,
            *map(field_of, INDEXED_FIELDS),
        )
    )


#: By place: of nothing are so many made, and most of the price would be the names.
_event = maker(
    Event,
    (
        "sid",
        "workspace_sid",
        "type",
        "resource_type",
        "resource_sid",
        "description",
        "carried",
        "occurred_at",
        "position",
        "picture",
        "actor",
        *INDEXED_FIELDS,
    ),
)

#: {resource type: the field that names the resource}
_SID_OF = {kind: kind.replace("-", "_") + "_sid" for kind, _ in CATALOGUE.values()}


def _picture(work: Work, subject: Subject) -> dict[str, object]:
    """The records of which it tells. Attributes may be long, and are carried already."""
    picture: dict[str, object] = {}
    if subject.transfer is not None:
        picture["transfer"] = subject.transfer
    elif subject.reservation is not None and subject.reservation.transfer_sid is not None:
        picture["transfer"] = work.transfers.get(subject.reservation.transfer_sid)
    if subject.task is not None:
        picture["task"] = changed(subject.task, attributes="")
    if subject.reservation is not None:
        picture["reservation"] = subject.reservation
    elif subject.worker is not None:
        picture["worker"] = changed(subject.worker, attributes="")
    if subject.worker_channel is not None:
        picture["worker_channel"] = subject.worker_channel
    return picture


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _task(
    carried: dict[str, str], subject: Subject, configuration: Configuration, now: Instant
) -> None:
    task = _present(subject.task)
    channel = configuration.task_channels[task.task_channel_sid]
    carried.update(
        task_sid=task.sid,
        task_attributes=task.attributes,
        task_age=str((now - task.created_at) // SECOND),
        task_priority=str(task.priority),
        task_assignment_status=task.assignment_status,
        task_version=str(task.version),
        task_date_created=iso_8601(task.created_at),
        task_virtual_start_time=iso_8601(task.virtual_start_at),
        task_ignore_capacity=_yes(task.ignore_capacity),
        task_channel_sid=channel.sid,
        task_channel_unique_name=channel.unique_name,
    )
    if task.queue_entered_at is not None:
        carried["task_queue_entered_date"] = iso_8601(task.queue_entered_at)
    if task.reason is not None:
        carried["reason"] = task.reason
        if task.assignment_status == CANCELED:
            carried["task_canceled_reason"] = task.reason
        elif task.assignment_status == COMPLETED:
            carried["task_completed_reason"] = task.reason


def _queue(
    carried: dict[str, str], subject: Subject, configuration: Configuration, _now: Instant
) -> None:
    queue = subject.queue
    if queue is None and subject.reservation is not None:
        queue = configuration.task_queues.get(subject.reservation.task_queue_sid)
    if queue is None and subject.task is not None and subject.task.task_queue_sid is not None:
        queue = configuration.task_queues.get(subject.task.task_queue_sid)
    if queue is not None:
        carried.update(
            task_queue_sid=queue.sid,
            task_queue_name=queue.friendly_name,
            task_queue_target_expression=queue.target_workers,
        )


def _workflow(
    carried: dict[str, str], subject: Subject, configuration: Configuration, _now: Instant
) -> None:
    workflow = subject.workflow
    if workflow is None and subject.task is not None and subject.task.workflow_sid is not None:
        workflow = configuration.workflows.get(subject.task.workflow_sid)
    if workflow is not None:
        carried.update(workflow_sid=workflow.sid, workflow_name=workflow.friendly_name)


def _worker(
    carried: dict[str, str], subject: Subject, configuration: Configuration, _now: Instant
) -> None:
    worker = _present(subject.worker)
    activity = configuration.activities[worker.activity_sid]
    carried.update(
        worker_sid=worker.sid,
        worker_name=worker.friendly_name,
        worker_attributes=worker.attributes,
        worker_activity_sid=activity.sid,
        worker_activity_name=activity.friendly_name,
        worker_version=str(worker.version),
    )


def _last_worker(
    carried: dict[str, str], subject: Subject, configuration: Configuration, now: Instant
) -> None:
    """The Worker who had the Task, where anybody had."""
    if subject.worker is not None:
        _worker(carried, subject, configuration, now)


def _worker_channel(
    carried: dict[str, str], subject: Subject, configuration: Configuration, _now: Instant
) -> None:
    channel = _present(subject.worker_channel)
    kind = configuration.task_channels[channel.task_channel_sid]
    free = available_capacity_percentage(channel.assigned_tasks, channel.configured_capacity)
    carried.update(
        task_channel_sid=kind.sid,
        task_channel_unique_name=kind.unique_name,
        worker_channel_available=_yes(channel.available),
        worker_channel_available_capacity=str(free),
        worker_channel_configured_capacity=str(channel.configured_capacity),
        worker_channel_task_count=str(channel.assigned_tasks),
    )


def _reservation(
    carried: dict[str, str], subject: Subject, _configuration: Configuration, _now: Instant
) -> None:
    reservation = _present(subject.reservation)
    carried.update(
        reservation_sid=reservation.sid,
        reservation_status=reservation.reservation_status,
        reservation_version=str(reservation.version),
    )
    if reservation.reason is not None:
        carried["reservation_reason"] = reservation.reason


def _activity(
    carried: dict[str, str], subject: Subject, _configuration: Configuration, _now: Instant
) -> None:
    activity = _present(subject.activity)
    carried.update(
        activity_sid=activity.sid,
        activity_name=activity.friendly_name,
        activity_available=_yes(activity.available),
    )


def _task_channel(
    carried: dict[str, str], subject: Subject, _configuration: Configuration, _now: Instant
) -> None:
    channel = _present(subject.task_channel)
    carried.update(
        task_channel_sid=channel.sid,
        task_channel_name=channel.friendly_name,
        task_channel_unique_name=channel.unique_name,
        task_channel_optimized_routing=_yes(channel.channel_optimized_routing),
    )


def _present(value: Thing | None) -> Thing:
    """The part of the subject that the catalogue says this type has."""
    if value is None:
        raise TypeError("the event's subject lacks a part that its type carries")
    return value


_GROUPS: dict[str, Callable[[dict[str, str], Subject, Configuration, Instant], None]] = {
    "task": _task,
    "queue": _queue,
    "workflow": _workflow,
    "worker": _worker,
    "last_worker": _last_worker,
    "worker_channel": _worker_channel,
    "reservation": _reservation,
    "activity": _activity,
    "task_channel": _task_channel,
}
