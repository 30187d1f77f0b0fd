"""Records to fill a store with, and the clock that dates them."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from routing.call import REQUESTED, Call, Instruction
from routing.clock import SECOND, Instant
from routing.configuration import Workflow
from routing.delivery import Delivery
from routing.events import Event
from routing.reservation import Reservation
from routing.sids import new_sid
from routing.store import SqlStore, UnitOfWork, open_store
from routing.task import PENDING, Task
from routing.task_queue import TaskQueue
from routing.worker import CapacityClaim, Worker, WorkerChannel
from routing.workspace import Activity, TaskChannel, Workspace

#: 2026-01-01T00:00:00Z
NEW_YEAR = 1_767_225_600_000


class ManualClock:
    """Stands still until `advance`."""

    def __init__(self) -> None:
        self._now = NEW_YEAR

    def now(self) -> Instant:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * SECOND)


def workspace(**columns: Any) -> Workspace:
    defaults: dict[str, Any] = {
        "sid": new_sid("WS"),
        "friendly_name": "Support",
        "event_callback_url": "",
        "events_filter": None,
        "multi_task_enabled": True,
        "prioritize_queue_order": "FIFO",
        "default_activity_sid": None,
        "timeout_activity_sid": None,
        "configuration_version": 1,
    }
    return Workspace(**(_dated() | defaults | columns))


def activity(workspace_sid: str, **columns: Any) -> Activity:
    defaults: dict[str, Any] = {
        "sid": new_sid("WA"),
        "workspace_sid": workspace_sid,
        "friendly_name": "Available",
        "available": True,
    }
    return Activity(**(_dated() | defaults | columns))


def task_channel(workspace_sid: str, **columns: Any) -> TaskChannel:
    defaults: dict[str, Any] = {
        "sid": new_sid("TC"),
        "workspace_sid": workspace_sid,
        "friendly_name": "Voice",
        "unique_name": "voice",
        "channel_optimized_routing": False,
    }
    return TaskChannel(**(_dated() | defaults | columns))


def task_queue(workspace_sid: str, **columns: Any) -> TaskQueue:
    defaults: dict[str, Any] = {
        "sid": new_sid("WQ"),
        "workspace_sid": workspace_sid,
        "friendly_name": "Everybody",
        "target_workers": "1==1",
        "max_reserved_workers": 1,
        "task_order": "FIFO",
        "reservation_activity_sid": None,
        "assignment_activity_sid": None,
    }
    return TaskQueue(**(_dated() | defaults | columns))


def workflow(workspace_sid: str, **columns: Any) -> Workflow:
    defaults: dict[str, Any] = {
        "sid": new_sid("WW"),
        "workspace_sid": workspace_sid,
        "friendly_name": "Calls",
        "configuration": "{}",
        "configuration_version": 1,
        "assignment_callback_url": None,
        "fallback_assignment_callback_url": None,
        "task_reservation_timeout": 120,
    }
    return Workflow(**(_dated() | defaults | columns))


def worker(activity_: Activity, **columns: Any) -> Worker:
    sid = new_sid("WK")
    defaults: dict[str, Any] = {
        "sid": sid,
        "workspace_sid": activity_.workspace_sid,
        "friendly_name": sid,
        "attributes": "{}",
        "activity_sid": activity_.sid,
        "status_changed_at": NEW_YEAR,
        "last_reserved_at": 0,
        "version": 1,
    }
    return Worker(**(_dated() | defaults | columns))


def worker_channel(worker_: Worker, channel: TaskChannel, **columns: Any) -> WorkerChannel:
    defaults: dict[str, Any] = {
        "sid": new_sid("WC"),
        "workspace_sid": worker_.workspace_sid,
        "worker_sid": worker_.sid,
        "task_channel_sid": channel.sid,
        "configured_capacity": 1,
        "assigned_tasks": 0,
        "available": True,
        "last_reserved_at": 0,
    }
    return WorkerChannel(**(_dated() | defaults | columns))


def task(channel: TaskChannel, **columns: Any) -> Task:
    defaults: dict[str, Any] = {
        "sid": new_sid("WT"),
        "workspace_sid": channel.workspace_sid,
        "assignment_status": PENDING,
        "attributes": '{"call_sid": "CA1"}',
        "priority": 0,
        "reason": None,
        "timeout_seconds": 86_400,
        "task_channel_sid": channel.sid,
        "workflow_sid": None,
        "workflow_version": None,
        "filter_index": None,
        "target_index": None,
        "task_queue_sid": None,
        "routing_target": None,
        "ignore_capacity": False,
        "assignment_count": 0,
        "virtual_start_at": NEW_YEAR,
        "queue_entered_at": None,
        "expires_at": None,
        "step_due_at": None,
        "version": 0,
    }
    return Task(**(_dated() | defaults | columns))


def reservation(task_: Task, channel: WorkerChannel, **columns: Any) -> Reservation:
    defaults: dict[str, Any] = {
        "sid": new_sid("WR"),
        "workspace_sid": task_.workspace_sid,
        "task_sid": task_.sid,
        "worker_sid": channel.worker_sid,
        "worker_channel_sid": channel.sid,
        "task_queue_sid": new_sid("WQ"),
        "workflow_sid": None,
        "reservation_status": "pending",
        "reason": None,
        "due_at": None,
        "version": 0,
    }
    return Reservation(**(_dated() | defaults | columns))


def call(task_: Task, **columns: Any) -> Call:
    defaults: dict[str, Any] = {
        "sid": new_sid("CA"),
        "workspace_sid": task_.workspace_sid,
        "task_sid": task_.sid,
        "from_address": "+15550001111",
        "to_address": "+15550002222",
        "status": "ringing",
        "sequence_number": -1,
        "parameters": "{}",
        "due_at": None,
    }
    return Call(**(_dated() | defaults | columns))


def instruction(task_: Task, **columns: Any) -> Instruction:
    defaults: dict[str, Any] = {
        "sid": new_sid("IN"),
        "workspace_sid": task_.workspace_sid,
        "task_sid": task_.sid,
        "reservation_sid": new_sid("WR"),
        "kind": "conference",
        "state": REQUESTED,
        "step": "dial",
        "parameters": "{}",
        "worker_call_sid": None,
        "customer_call_sid": None,
        "conference_sid": None,
        "failure": None,
        "due_at": None,
        "leased_until": None,
        "attempts": 0,
    }
    return Instruction(**(_dated() | defaults | columns))


def delivery(workspace_sid: str, **columns: Any) -> Delivery:
    defaults: dict[str, Any] = {
        "sid": new_sid("DL"),
        "workspace_sid": workspace_sid,
        "kind": "event",
        "event_sid": new_sid("EV"),
        "position": 1,
        "order_key": new_sid("WT"),
        "receiver": "event https://example.com:443",
        "reservation_sid": None,
        "url": "https://example.com/events",
        "state": "pending",
        "attempts": 0,
        "due_at": None,
        "leased_until": None,
        "give_up_at": NEW_YEAR + 1,
        "kept_until": None,
        "last_status": None,
        "last_error": None,
    }
    return Delivery(**(_dated() | defaults | columns))


def event(workspace_sid: str, resource_sid: str = "", **columns: Any) -> Event:
    defaults: dict[str, Any] = {
        "sid": new_sid("EV"),
        "workspace_sid": workspace_sid,
        "type": "task.updated",
        "resource_type": "task",
        "resource_sid": resource_sid or new_sid("WT"),
        "description": "Task updated",
        "carried": {"task_sid": resource_sid},
        "occurred_at": NEW_YEAR,
    }
    return Event(**(defaults | columns))


@dataclass(frozen=True, kw_only=True)
class Office:
    """A workspace with one of each, as stored."""

    workspace: Workspace
    activity: Activity
    channel: TaskChannel
    queue: TaskQueue
    workflow: Workflow
    worker: Worker
    worker_channel: WorkerChannel
    task: Task


def furnish(store: SqlStore, *, capacity: int = 1) -> Office:
    """Stores an Office of its own workspace."""
    return store.perform(lambda work: _furnished(work, capacity))


def _furnished(work: UnitOfWork, capacity: int) -> Office:
    room = workspace()
    sid = room.sid
    place, channel = activity(sid), task_channel(sid)
    somebody = worker(place)
    office = Office(
        workspace=room,
        activity=place,
        channel=channel,
        queue=task_queue(sid),
        workflow=workflow(sid),
        worker=somebody,
        worker_channel=worker_channel(somebody, channel, configured_capacity=capacity),
        task=task(channel),
    )
    work.workspaces.add(office.workspace)
    work.activities.add(office.activity)
    work.task_channels.add(office.channel)
    work.task_queues.add(office.queue)
    work.workflows.add(office.workflow)
    work.workers.add(office.worker)
    work.worker_channels.add(office.worker_channel)
    work.tasks.add(office.task)
    return office


def _dated() -> dict[str, Any]:
    return {"created_at": NEW_YEAR, "updated_at": NEW_YEAR}


def store_all(store: SqlStore, name: str, rows: Iterable[object]) -> None:
    """Adds the records to the table of that name, in one unit."""

    def add(work: UnitOfWork) -> None:
        for row in rows:
            getattr(work, name).add(row)

    store.perform(add)


def emit_all(store: SqlStore, events: Iterable[Event]) -> None:
    """Emits the events in one unit."""

    def emit(work: UnitOfWork) -> None:
        for event_ in events:
            work.emit(event_)

    store.perform(emit)


def versioned(event_: Event, version: int) -> Event:
    return dataclasses.replace(event_, carried={"version": str(version)})


def without_position(event_: Event) -> Event:
    return dataclasses.replace(event_, position=0)


def opened(url: str, clock: ManualClock) -> SqlStore:
    """A migrated store."""
    store = open_store(url, clock)
    store.migrate()
    return store


def capacity_claim(channel: WorkerChannel, *, regardless: bool = False) -> CapacityClaim:
    """One unit of that channel."""
    return CapacityClaim(
        worker_sid=channel.worker_sid,
        task_channel_sid=channel.task_channel_sid,
        regardless=regardless,
    )


def take_capacity(store: SqlStore, channel: WorkerChannel, *, regardless: bool = False) -> bool:
    """Takes one unit of that channel; was there one?"""
    claim = capacity_claim(channel, regardless=regardless)
    return store.perform(lambda work: work.take_capacity([claim])) == [channel.sid]
