"""Records become Twilio's fields: the one place where its response names and links are written.

Every URL is absolute, on the server's public base URL; every instant is told to the second. What a
field needs beside its record is handed in: nothing here reads from the store or decides anything.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from routing.clock import SECOND, Instant, iso_8601
from routing.configuration import Configuration, Workflow
from routing.events import Event
from routing.reservation import Reservation
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.worker import Worker, WorkerChannel, available_capacity_percentage
from routing.workspace import Activity, TaskChannel

Body: TypeAlias = dict[str, Any]

#: The last part of the URL of an event's resource; a Reservation's is found below its Task.
_FOLDERS: Mapping[str, str] = {
    "activity": "Activities",
    "task": "Tasks",
    "task-channel": "TaskChannels",
    "task-queue": "TaskQueues",
    "worker": "Workers",
    "workflow": "Workflows",
}


class Representation:
    """Bound to whose account it is and to where its clients find the server."""

    def __init__(self, account_sid: str, public_url: str) -> None:
        self.account_sid = account_sid
        self.base = public_url.rstrip("/") + "/v1"

    def _workspace_url(self, workspace_sid: str) -> str:
        return f"{self.base}/Workspaces/{workspace_sid}"

    def _dates(self, record: Any) -> Body:
        return {
            "date_created": iso_8601(record.created_at),
            "date_updated": iso_8601(record.updated_at),
        }

    def workspace(self, configuration: Configuration) -> Body:
        workspace = configuration.workspace
        activities = configuration.activities
        url = self._workspace_url(workspace.sid)
        return {
            "account_sid": self.account_sid,
            "sid": workspace.sid,
            "friendly_name": workspace.friendly_name,
            "event_callback_url": workspace.event_callback_url,
            "events_filter": workspace.events_filter,
            "multi_task_enabled": workspace.multi_task_enabled,
            "prioritize_queue_order": workspace.prioritize_queue_order,
            "default_activity_sid": workspace.default_activity_sid,
            "default_activity_name": _name(activities, workspace.default_activity_sid),
            "timeout_activity_sid": workspace.timeout_activity_sid,
            "timeout_activity_name": _name(activities, workspace.timeout_activity_sid),
            **self._dates(workspace),
            "url": url,
            "links": {
                "activities": f"{url}/Activities",
                "statistics": f"{url}/Statistics",
                "real_time_statistics": f"{url}/RealTimeStatistics",
                "cumulative_statistics": f"{url}/CumulativeStatistics",
                "task_queues": f"{url}/TaskQueues",
                "tasks": f"{url}/Tasks",
                "workers": f"{url}/Workers",
                "workflows": f"{url}/Workflows",
                "task_channels": f"{url}/TaskChannels",
                "events": f"{url}/Events",
            },
        }

    def activity(self, activity: Activity) -> Body:
        workspace_url = self._workspace_url(activity.workspace_sid)
        return {
            "account_sid": self.account_sid,
            "workspace_sid": activity.workspace_sid,
            "sid": activity.sid,
            "friendly_name": activity.friendly_name,
            "available": activity.available,
            **self._dates(activity),
            "url": f"{workspace_url}/Activities/{activity.sid}",
            "links": {"workspace": workspace_url},
        }

    def task_channel(self, channel: TaskChannel) -> Body:
        workspace_url = self._workspace_url(channel.workspace_sid)
        return {
            "account_sid": self.account_sid,
            "workspace_sid": channel.workspace_sid,
            "sid": channel.sid,
            "friendly_name": channel.friendly_name,
            "unique_name": channel.unique_name,
            "channel_optimized_routing": channel.channel_optimized_routing,
            **self._dates(channel),
            "url": f"{workspace_url}/TaskChannels/{channel.sid}",
            "links": {"workspace": workspace_url},
        }

    def task_queue(self, queue: TaskQueue, configuration: Configuration) -> Body:
        workspace_url = self._workspace_url(queue.workspace_sid)
        url = f"{workspace_url}/TaskQueues/{queue.sid}"
        activities = configuration.activities
        return {
            "account_sid": self.account_sid,
            "workspace_sid": queue.workspace_sid,
            "sid": queue.sid,
            "friendly_name": queue.friendly_name,
            "target_workers": queue.target_workers,
            "max_reserved_workers": queue.max_reserved_workers,
            "task_order": queue.task_order,
            "reservation_activity_sid": queue.reservation_activity_sid,
            "reservation_activity_name": _name(activities, queue.reservation_activity_sid),
            "assignment_activity_sid": queue.assignment_activity_sid,
            "assignment_activity_name": _name(activities, queue.assignment_activity_sid),
            **self._dates(queue),
            "url": url,
            "links": {
                "workspace": workspace_url,
                "statistics": f"{url}/Statistics",
                "real_time_statistics": f"{url}/RealTimeStatistics",
                "cumulative_statistics": f"{url}/CumulativeStatistics",
                "list_statistics": f"{workspace_url}/TaskQueues/Statistics",
                "bulk_real_time_statistics": f"{workspace_url}/TaskQueues/RealTimeStatistics",
                **_link(workspace_url, "reservation_activity", queue.reservation_activity_sid),
                **_link(workspace_url, "assignment_activity", queue.assignment_activity_sid),
            },
        }

    def workflow(self, workflow: Workflow) -> Body:
        url = f"{self._workspace_url(workflow.workspace_sid)}/Workflows/{workflow.sid}"
        return {
            "account_sid": self.account_sid,
            "workspace_sid": workflow.workspace_sid,
            "sid": workflow.sid,
            "friendly_name": workflow.friendly_name,
            "configuration": workflow.configuration,
            "document_content_type": "application/json",
            "assignment_callback_url": workflow.assignment_callback_url,
            "fallback_assignment_callback_url": workflow.fallback_assignment_callback_url,
            "task_reservation_timeout": workflow.task_reservation_timeout,
            **self._dates(workflow),
            "url": url,
            "links": {
                "statistics": f"{url}/Statistics",
                "real_time_statistics": f"{url}/RealTimeStatistics",
                "cumulative_statistics": f"{url}/CumulativeStatistics",
            },
        }

    def worker(self, worker: Worker, configuration: Configuration) -> Body:
        workspace_url = self._workspace_url(worker.workspace_sid)
        url = f"{workspace_url}/Workers/{worker.sid}"
        return {
            "account_sid": self.account_sid,
            "workspace_sid": worker.workspace_sid,
            "sid": worker.sid,
            "friendly_name": worker.friendly_name,
            "attributes": worker.attributes,
            "activity_sid": worker.activity_sid,
            "activity_name": _name(configuration.activities, worker.activity_sid),
            "available": configuration.is_available(worker.activity_sid),
            "date_status_changed": iso_8601(worker.status_changed_at),
            **self._dates(worker),
            "url": url,
            "links": {
                "channels": f"{url}/Channels",
                "worker_channels": f"{url}/Channels",
                "reservations": f"{url}/Reservations",
                "worker_statistics": f"{url}/Statistics",
                "activity": f"{workspace_url}/Activities/{worker.activity_sid}",
                "workspace": workspace_url,
                "statistics": f"{workspace_url}/Workers/Statistics",
                "real_time_statistics": f"{workspace_url}/Workers/RealTimeStatistics",
                "cumulative_statistics": f"{workspace_url}/Workers/CumulativeStatistics",
            },
        }

    def worker_channel(self, channel: WorkerChannel, configuration: Configuration) -> Body:
        workspace_url = self._workspace_url(channel.workspace_sid)
        kind = configuration.task_channels.get(channel.task_channel_sid)
        return {
            "account_sid": self.account_sid,
            "workspace_sid": channel.workspace_sid,
            "worker_sid": channel.worker_sid,
            "sid": channel.sid,
            "task_channel_sid": channel.task_channel_sid,
            "task_channel_unique_name": kind.unique_name if kind else None,
            "configured_capacity": channel.configured_capacity,
            "assigned_tasks": channel.assigned_tasks,
            "available": channel.available,
            "available_capacity_percentage": available_capacity_percentage(
                channel.assigned_tasks, channel.configured_capacity
            ),
            **self._dates(channel),
            "url": f"{workspace_url}/Workers/{channel.worker_sid}/Channels/{channel.sid}",
        }

    def task(self, task: Task, configuration: Configuration, now: Instant) -> Body:
        workspace_url = self._workspace_url(task.workspace_sid)
        url = f"{workspace_url}/Tasks/{task.sid}"
        channel = configuration.task_channels.get(task.task_channel_sid)
        entered = task.queue_entered_at
        return {
            "account_sid": self.account_sid,
            "workspace_sid": task.workspace_sid,
            "sid": task.sid,
            "age": max(0, (now - task.created_at) // SECOND),
            "assignment_status": task.assignment_status,
            "attributes": task.attributes,
            "addons": "{}",
            "priority": task.priority,
            "reason": task.reason,
            "timeout": task.timeout_seconds,
            "task_queue_sid": task.task_queue_sid,
            "task_queue_friendly_name": _name(configuration.task_queues, task.task_queue_sid),
            "task_queue_entered_date": None if entered is None else iso_8601(entered),
            "task_channel_sid": task.task_channel_sid,
            "task_channel_unique_name": channel.unique_name if channel else None,
            "workflow_sid": task.workflow_sid,
            "workflow_friendly_name": _name(configuration.workflows, task.workflow_sid),
            "virtual_start_time": iso_8601(task.virtual_start_at),
            "ignore_capacity": task.ignore_capacity,
            "routing_target": task.routing_target,
            **self._dates(task),
            "url": url,
            "links": {
                "workspace": workspace_url,
                "reservations": f"{url}/Reservations",
                **_link(workspace_url, "task_queue", task.task_queue_sid),
                **_link(workspace_url, "workflow", task.workflow_sid),
            },
        }

    def reservation(self, reservation: Reservation, worker: Worker | None, *, below: str) -> Body:
        """`below` is the resource it was asked for through: `Tasks` or `Workers`."""
        workspace_url = self._workspace_url(reservation.workspace_sid)
        task_url = f"{workspace_url}/Tasks/{reservation.task_sid}"
        worker_url = f"{workspace_url}/Workers/{reservation.worker_sid}"
        parent_url = task_url if below == "Tasks" else worker_url
        return {
            "account_sid": self.account_sid,
            "workspace_sid": reservation.workspace_sid,
            "sid": reservation.sid,
            "reservation_status": reservation.reservation_status,
            "task_sid": reservation.task_sid,
            "worker_sid": reservation.worker_sid,
            "worker_name": worker.friendly_name if worker else None,
            **self._dates(reservation),
            "url": f"{parent_url}/Reservations/{reservation.sid}",
            "links": {"task": task_url, "worker": worker_url, "workspace": workspace_url},
        }

    def event(self, event: Event) -> Body:
        """The actor is the Workspace itself, as Twilio tells it, unless a user of ours was it."""
        workspace_url = self._workspace_url(event.workspace_sid)
        actor = event.actor or {}
        is_user = "sid" in actor
        return {
            "account_sid": self.account_sid,
            "workspace_sid": event.workspace_sid,
            "sid": event.sid,
            "event_type": event.type,
            "event_date": iso_8601(event.occurred_at),
            "event_date_ms": event.occurred_at,
            "event_data": event.carried,
            "description": event.description,
            "resource_type": event.resource_type,
            "resource_sid": event.resource_sid,
            "resource_url": _resource_url(workspace_url, event),
            "actor_type": actor.get("type", "workspace"),
            "actor_sid": actor.get("sid", event.workspace_sid),
            "actor_url": None if is_user else workspace_url,
            "source": actor.get("source", "twilio"),
            "source_ip_address": actor.get("source_ip_address"),
            "url": f"{workspace_url}/Events/{event.sid}",
        }


def _name(records: Mapping[str, Any], sid: str | None) -> str | None:
    record = records.get(sid) if sid is not None else None
    return None if record is None else str(record.friendly_name)


_LINKED: Mapping[str, str] = {
    "task_queue": "TaskQueues",
    "workflow": "Workflows",
    "reservation_activity": "Activities",
    "assignment_activity": "Activities",
}


def _link(workspace_url: str, name: str, sid: str | None) -> Body:
    return {} if sid is None else {name: f"{workspace_url}/{_LINKED[name]}/{sid}"}


def _resource_url(workspace_url: str, event: Event) -> str:
    if event.resource_type == "workspace":
        return workspace_url
    if event.resource_type == "reservation":
        return f"{workspace_url}/Tasks/{event.task_sid}/Reservations/{event.resource_sid}"
    return f"{workspace_url}/{_FOLDERS[event.resource_type]}/{event.resource_sid}"
