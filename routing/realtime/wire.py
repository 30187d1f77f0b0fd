"""Records as Twilio's JavaScript SDK wants them told: every key there, dates in epoch seconds.

The SDK checks that the keys it knows are present, so what has no value is null. Two are the other
way round and left out where there is none: `task_transfer` and `active_outgoing_task_transfer`,
which as null would end the application (its check is `typeof`).
"""

from typing import Any

from routing.api.representation import Body, Representation
from routing.clock import SECOND, Instant
from routing.configuration import DEFAULT_RESERVATION_TIMEOUT_SECONDS, Configuration
from routing.reservation import Reservation
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.transfer import Transfer
from routing.worker import Worker, WorkerChannel, available_capacity_percentage
from routing.workspace import LIFO, Activity


class Wire(Representation):
    """What the views of the REST door represent with when the event bridge asks them."""

    def _dates(self, record: Any) -> Body:
        return {
            "account_sid": self.account_sid,
            "workspace_sid": record.workspace_sid,
            "sid": record.sid,
            "date_created": record.created_at // SECOND,
            "date_updated": record.updated_at // SECOND,
        }

    def activity(self, activity: Activity) -> Body:
        return {
            **self._dates(activity),
            "friendly_name": activity.friendly_name,
            "available": activity.available,
        }

    def worker(self, worker: Worker, configuration: Configuration) -> Body:
        return {
            **self._dates(worker),
            "friendly_name": worker.friendly_name,
            "attributes": worker.attributes,
            "activity_sid": worker.activity_sid,
            "activity_name": _name(configuration.activities.get(worker.activity_sid)),
            "available": configuration.is_available(worker.activity_sid),
            "date_status_changed": worker.status_changed_at // SECOND,
            "version": worker.version,
        }

    def worker_channel(self, channel: WorkerChannel, configuration: Configuration) -> Body:
        kind = configuration.task_channels.get(channel.task_channel_sid)
        return {
            **self._dates(channel),
            "worker_sid": channel.worker_sid,
            "task_channel_sid": channel.task_channel_sid,
            "task_channel_unique_name": kind.unique_name if kind else None,
            "configured_capacity": channel.configured_capacity,
            "assigned_tasks": channel.assigned_tasks,
            "available": channel.available,
            "available_capacity_percentage": available_capacity_percentage(
                channel.assigned_tasks, channel.configured_capacity
            ),
            "last_reserved_time": channel.last_reserved_at,  # the one that is in milliseconds
        }

    def task(self, task: Task, configuration: Configuration, now: Instant) -> Body:
        channel = configuration.task_channels.get(task.task_channel_sid)
        return {
            **self._dates(task),
            "addons": "{}",
            "age": max(0, (now - task.created_at) // SECOND),
            "assignment_status": task.assignment_status,
            "attributes": task.attributes,
            "priority": task.priority,
            "queue_name": _name(configuration.task_queues.get(task.task_queue_sid or "")),
            "queue_sid": task.task_queue_sid,
            "reason": task.reason,
            "routing_target": task.only_worker_sid,
            "task_channel_sid": task.task_channel_sid,
            "task_channel_unique_name": channel.unique_name if channel else None,
            "timeout": task.timeout_seconds,
            "version": task.version,
            "virtual_start_time": task.virtual_start_at // SECOND,
            "workflow_name": _name(configuration.workflows.get(task.workflow_sid or "")),
            "workflow_sid": task.workflow_sid,
        }

    def reservation(self, reservation: Reservation, worker: Worker | None, *, below: str) -> Body:  # noqa: ARG002 - as the REST door's views call it
        """As the answer to a change of it: without its Task, which only the events bring."""
        return {
            **self._dates(reservation),
            "reservation_status": reservation.reservation_status,
            "task_sid": reservation.task_sid,
            "worker_sid": reservation.worker_sid,
            "worker_name": worker.friendly_name if worker else None,
            "version": reservation.version,
        }

    def reservation_with_task(
        self,
        reservation: Reservation,
        task: Task,
        configuration: Configuration,
        now: Instant,
        *,
        incoming: Transfer | None = None,
        outgoing: Transfer | None = None,
    ) -> Body:
        """As it is read and as events tell of it.

        `incoming` is the Transfer by which the Task came to it, `outgoing` the live one by which
        its Worker hands it on.
        """
        workflow = configuration.workflows.get(reservation.workflow_sid or "")
        transfers = {
            name: self.transfer(transfer)
            for name, transfer in (
                ("task_transfer", incoming),
                ("active_outgoing_task_transfer", outgoing),
            )
            if transfer is not None
        }
        return {
            **transfers,
            **self.reservation(reservation, None, below="Workers"),
            "reservation_timeout": (
                DEFAULT_RESERVATION_TIMEOUT_SECONDS
                if workflow is None
                else workflow.task_reservation_timeout
            ),
            "task": self.task(task, configuration, now),
        }

    def transfer(self, transfer: Transfer) -> Body:
        body: Body = {
            **self._dates(transfer),
            "task_sid": transfer.task_sid,
            "initiating_reservation_sid": transfer.initiating_reservation_sid,
            "initiating_worker_sid": transfer.initiating_worker_sid,
            "initiating_queue_sid": transfer.initiating_queue_sid,
            "initiating_workflow_sid": transfer.initiating_workflow_sid,
            "transfer_mode": transfer.transfer_mode,
            "transfer_to": transfer.transfer_to,
            "transfer_type": transfer.transfer_type,
            "transfer_status": transfer.transfer_status,
        }
        if transfer.transfer_failed_reason is not None:
            body["transfer_failed_reason"] = transfer.transfer_failed_reason
        return body

    def task_queue(self, queue: TaskQueue, configuration: Configuration) -> Body:
        activities = configuration.activities
        return {
            **self._dates(queue),
            "friendly_name": queue.friendly_name,
            "target_workers": queue.target_workers,
            "max_reserved_workers": queue.max_reserved_workers,
            "task_order": queue.task_order,
            "lifo_queue": queue.task_order == LIFO,
            "reservation_activity_sid": queue.reservation_activity_sid,
            "reservation_activity_name": _name(
                activities.get(queue.reservation_activity_sid or "")
            ),
            "assignment_activity_sid": queue.assignment_activity_sid,
            "assignment_activity_name": _name(activities.get(queue.assignment_activity_sid or "")),
        }


def _name(record: Any) -> str | None:
    return None if record is None else str(record.friendly_name)
