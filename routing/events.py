"""The closed catalogue of event types, and what each carries.

An event is written in the transaction of the change it tells of. What it carries are Twilio's own
fields in snake_case, every value a string (callbacks send the same fields in PascalCase).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from routing.clock import Instant

#: {event type: (resource type, groups of fields that it carries)}. Unknown types cannot be emitted.
CATALOGUE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "activity.created": ("activity", ("activity",)),
    "activity.updated": ("activity", ("activity",)),
    "activity.deleted": ("activity", ("activity",)),
    "reservation.created": ("reservation", ("reservation", "worker", "task", "queue", "workflow")),
    "reservation.accepted": ("reservation", ("reservation", "worker", "task", "queue", "workflow")),
    "reservation.rejected": ("reservation", ("reservation", "worker", "task", "queue", "workflow")),
    "reservation.timeout": ("reservation", ("reservation", "worker", "task", "queue", "workflow")),
    "reservation.canceled": ("reservation", ("reservation", "worker", "task", "queue", "workflow")),
    "reservation.rescinded": (
        "reservation",
        ("reservation", "worker", "task", "queue", "workflow"),
    ),
    "reservation.completed": (
        "reservation",
        ("reservation", "worker", "task", "queue", "workflow"),
    ),
    "reservation.failed": ("reservation", ("reservation", "worker", "task", "queue", "workflow")),
    "reservation.wrapup": ("reservation", ("reservation", "worker", "task", "queue", "workflow")),
    "task.created": ("task", ("task", "queue", "workflow")),
    "task.updated": ("task", ("task", "queue", "workflow")),
    "task.canceled": ("task", ("task", "queue", "workflow")),
    "task.wrapup": ("task", ("task", "queue", "workflow")),
    "task.completed": ("task", ("task", "queue", "workflow", "last_worker")),
    "task.deleted": ("task", ("task", "queue", "workflow")),
    "task.system-deleted": ("task", ("task", "queue", "workflow")),
    "task.transfer-initiated": ("task", ("task", "queue", "workflow")),
    "task.transfer-attempt-failed": ("task", ("task", "queue", "workflow")),
    "task.transfer-failed": ("task", ("task", "queue", "workflow")),
    "task.transfer-canceled": ("task", ("task", "queue", "workflow")),
    "task.transfer-completed": ("task", ("task", "queue", "workflow")),
    "task-channel.created": ("task-channel", ("task_channel",)),
    "task-channel.updated": ("task-channel", ("task_channel",)),
    "task-channel.deleted": ("task-channel", ("task_channel",)),
    "task-queue.created": ("task-queue", ("queue",)),
    "task-queue.deleted": ("task-queue", ("queue",)),
    "task-queue.entered": ("task", ("task", "queue", "workflow")),
    "task-queue.timeout": ("task", ("task", "queue", "workflow")),
    "task-queue.moved": ("task", ("task", "queue", "workflow")),
    "task-queue.expression.updated": ("task-queue", ("queue",)),
    "worker.created": ("worker", ("worker",)),
    "worker.activity.update": ("worker", ("worker",)),
    "worker.attributes.update": ("worker", ("worker",)),
    "worker.capacity.update": ("worker", ("worker", "worker_channel")),
    "worker.channel.availability.update": ("worker", ("worker", "worker_channel")),
    "worker.deleted": ("worker", ("worker",)),
    "workflow.created": ("workflow", ("workflow",)),
    "workflow.updated": ("workflow", ("workflow",)),
    "workflow.deleted": ("workflow", ("workflow",)),
    "workflow.entered": ("task", ("task", "queue", "workflow")),
    "workflow.target-matched": ("task", ("task", "queue", "workflow")),
    "workflow.timeout": ("task", ("task", "workflow")),
    "workflow.skipped": ("task", ("task", "workflow")),
    "workspace.created": ("workspace", ()),
    "workspace.updated": ("workspace", ()),
    "workspace.deleted": ("workspace", ()),
}


#: The types that Workers' own applications are told of as they happen (Twilio's JavaScript SDK).
TOLD_LIVE: Final = frozenset(
    name
    for name in CATALOGUE
    if name.startswith(("reservation.", "task.transfer-"))
    or name in {"task.updated", "task.canceled", "task.wrapup", "task.completed"}
    or (name.startswith("worker.") and name.endswith(".update"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    sid: str
    workspace_sid: str
    type: str
    resource_type: str
    resource_sid: str
    description: str
    #: Twilio's fields in snake_case, all values strings.
    carried: Mapping[str, str]
    occurred_at: Instant
    #: The place in the log, set by the store; 0 until then.
    position: int = 0
    #: {kind: the record as it was at that moment} for those who are told of it live; callbacks and
    #: lists do not show it. None where nobody is, and where a reader did not ask for it.
    picture: Mapping[str, object] | None = field(default=None)
    #: Who caused it: type, sid, source and source_ip_address; None where the Workspace itself did.
    actor: Mapping[str, str] | None = field(default=None)
    #: What the lists of events can be filtered by; None where the event has none.
    task_sid: str | None = field(default=None)
    reservation_sid: str | None = field(default=None)
    worker_sid: str | None = field(default=None)
    task_queue_sid: str | None = field(default=None)
    workflow_sid: str | None = field(default=None)
    task_channel_sid: str | None = field(default=None)


#: The columns of an Event that repeat what it carries, so that lists can be filtered by them.
INDEXED_FIELDS = (
    "task_sid",
    "reservation_sid",
    "worker_sid",
    "task_queue_sid",
    "workflow_sid",
    "task_channel_sid",
)
