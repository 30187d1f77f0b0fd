"""The tables: one per record, columns named as its fields, and what the database itself promises.

Instants are BIGINT milliseconds. A foreign key stands where a row cannot be without the other one:
deleting a Workspace takes everything in it along, a Task its Reservations, a Worker its channels
and Reservations. What only *remembers* another row (a Call its Task, a Delivery its event, a
Reservation its queue) is a plain column, because it has to outlive it: the caller of a deleted
Task must still be told. Tasks that have ended let go of a deleted TaskQueue or Workflow (SET
NULL); whoever deletes one locks it first and then looks for Tasks that still wait in it.

Constraints and indexes are named by hand, and the migrations repeat them; a test compares both.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
)

from routing import call, reservation, task, transfer
from routing.api_key import ApiKey
from routing.call import Call, Instruction
from routing.configuration import Workflow
from routing.delivery import Delivery
from routing.events import INDEXED_FIELDS
from routing.presence import Presence
from routing.reservation import Reservation
from routing.store.columns import boolean as _boolean
from routing.store.columns import instant as _instant
from routing.store.columns import instant_or_null as _instant_or_null
from routing.store.columns import integer as _integer
from routing.store.columns import one_of as _one_of
from routing.store.columns import present as _present
from routing.store.columns import sid as _sid
from routing.store.columns import text as _text
from routing.store.columns import text_or_null as _text_or_null
from routing.store.columns import where as _where
from routing.store.columns import workspace_sid as _workspace_sid
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.transfer import Transfer
from routing.worker import Worker, WorkerChannel
from routing.workspace import FIFO, LIFO, Activity, TaskChannel, Workspace

metadata: Final = MetaData()

DELIVERY_STATES: Final = ("pending", "delivered", "dead")


workspaces = Table(
    "workspaces",
    metadata,
    _sid(),
    _text("friendly_name"),
    _text("event_callback_url"),
    _text_or_null("events_filter"),
    _boolean("multi_task_enabled"),
    _text("prioritize_queue_order"),
    # Plain columns: Workspace and Activity would otherwise have to exist before one another.
    _text_or_null("default_activity_sid"),
    _text_or_null("timeout_activity_sid"),
    _integer("configuration_version"),
    _instant("created_at"),
    _instant("updated_at"),
    _one_of("workspaces_prioritize_queue_order", "prioritize_queue_order", (FIFO, LIFO)),
)
Index("workspaces_by_creation", workspaces.c.created_at, workspaces.c.sid)

activities = Table(
    "activities",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("friendly_name"),
    _boolean("available"),
    _instant("created_at"),
    _instant("updated_at"),
)

task_channels = Table(
    "task_channels",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("friendly_name"),
    _text("unique_name"),
    _boolean("channel_optimized_routing"),
    _instant("created_at"),
    _instant("updated_at"),
)
Index(
    "task_channels_unique_name",
    task_channels.c.workspace_sid,
    task_channels.c.unique_name,
    unique=True,
)

task_queues = Table(
    "task_queues",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("friendly_name"),
    _text("target_workers"),
    _integer("max_reserved_workers"),
    _text("task_order"),
    _text_or_null("reservation_activity_sid"),
    _text_or_null("assignment_activity_sid"),
    _instant("created_at"),
    _instant("updated_at"),
    _one_of("task_queues_task_order", "task_order", (FIFO, LIFO)),
)

workflows = Table(
    "workflows",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("friendly_name"),
    _text("configuration"),
    _integer("configuration_version"),
    _text_or_null("assignment_callback_url"),
    _text_or_null("fallback_assignment_callback_url"),
    _integer("task_reservation_timeout"),
    _instant("created_at"),
    _instant("updated_at"),
)

#: Every configuration a Workflow ever had that a Task may still be going through.
workflow_configurations = Table(
    "workflow_configurations",
    metadata,
    Column(
        "workflow_sid",
        Text,
        ForeignKey("workflows.sid", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("configuration"),
)

workers = Table(
    "workers",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("friendly_name"),
    _text("attributes"),
    Column("activity_sid", Text, ForeignKey("activities.sid"), nullable=False),
    _instant("status_changed_at"),
    _instant("last_reserved_at"),
    _integer("version"),
    _instant("created_at"),
    _instant("updated_at"),
)
Index(
    "workers_friendly_name",
    workers.c.workspace_sid,
    func.lower(workers.c.friendly_name),
    unique=True,
)
Index("workers_by_activity", workers.c.activity_sid)

worker_channels = Table(
    "worker_channels",
    metadata,
    _sid(),
    _workspace_sid(),
    Column("worker_sid", Text, ForeignKey("workers.sid", ondelete="CASCADE"), nullable=False),
    Column(
        "task_channel_sid",
        Text,
        ForeignKey("task_channels.sid", ondelete="CASCADE"),
        nullable=False,
    ),
    _integer("configured_capacity"),
    _integer("assigned_tasks"),
    _boolean("available"),
    _instant("last_reserved_at"),
    _instant("created_at"),
    _instant("updated_at"),
    CheckConstraint("configured_capacity >= 0", name="worker_channels_configured_capacity"),
    CheckConstraint("assigned_tasks >= 0", name="worker_channels_assigned_tasks"),
)
Index(
    "worker_channels_of_worker",
    worker_channels.c.worker_sid,
    worker_channels.c.task_channel_sid,
    unique=True,
)
Index("worker_channels_of_task_channel", worker_channels.c.task_channel_sid)

tasks = Table(
    "tasks",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("assignment_status"),
    _text("attributes"),
    _integer("priority"),
    _text_or_null("reason"),
    _integer("timeout_seconds"),
    Column("task_channel_sid", Text, ForeignKey("task_channels.sid"), nullable=False),
    Column("workflow_sid", Text, ForeignKey("workflows.sid", ondelete="SET NULL")),
    Column("workflow_version", Integer),
    Column("filter_index", Integer),
    Column("target_index", Integer),
    Column("task_queue_sid", Text, ForeignKey("task_queues.sid", ondelete="SET NULL")),
    _text_or_null("routing_target"),
    _boolean("ignore_capacity"),
    _integer("assignment_count"),
    _instant("virtual_start_at"),
    _instant_or_null("queue_entered_at"),
    _instant_or_null("expires_at"),
    _instant_or_null("step_due_at"),
    _integer("version"),
    _instant("created_at"),
    _instant("updated_at"),
    _text_or_null("transfer_sid"),
    _one_of("tasks_assignment_status", "assignment_status", tuple(task.TASK_MOVES)),
)
Index(
    "tasks_by_status",
    tasks.c.workspace_sid,
    tasks.c.assignment_status,
    tasks.c.created_at,
    tasks.c.sid,
)
Index("tasks_of_task_queue", tasks.c.task_queue_sid, tasks.c.assignment_status)
Index("tasks_of_workflow", tasks.c.workflow_sid)
_present("tasks_expiring", tasks.c.expires_at)
_present("tasks_due", tasks.c.step_due_at)

reservations = Table(
    "reservations",
    metadata,
    _sid(),
    _workspace_sid(),
    Column("task_sid", Text, ForeignKey("tasks.sid", ondelete="CASCADE"), nullable=False),
    Column("worker_sid", Text, ForeignKey("workers.sid", ondelete="CASCADE"), nullable=False),
    _text("worker_channel_sid"),
    _text("task_queue_sid"),
    _text_or_null("workflow_sid"),
    _text("reservation_status"),
    _text_or_null("reason"),
    _instant_or_null("due_at"),
    _integer("version"),
    _instant("created_at"),
    _instant("updated_at"),
    _text_or_null("transfer_sid"),
    _one_of(
        "reservations_reservation_status",
        "reservation_status",
        tuple(reservation.RESERVATION_MOVES),
    ),
)
#: A Task is offered to a Worker at most once at a time.
Index(
    "reservations_live",
    reservations.c.task_sid,
    reservations.c.worker_sid,
    unique=True,
    **_where(reservations.c.reservation_status.in_(sorted(reservation.LIVE))),
)
Index("reservations_of_task", reservations.c.task_sid, reservations.c.created_at)
Index(
    "reservations_of_worker",
    reservations.c.worker_sid,
    reservations.c.reservation_status,
    reservations.c.created_at,
)
_present("reservations_due", reservations.c.due_at)

transfers = Table(
    "transfers",
    metadata,
    _sid(),
    _workspace_sid(),
    Column("task_sid", Text, ForeignKey("tasks.sid", ondelete="CASCADE"), nullable=False),
    *(_text(f"initiating_{what}_sid") for what in ("reservation", "worker", "queue")),
    _text_or_null("initiating_workflow_sid"),
    *(_text(f"transfer_{what}") for what in ("mode", "type", "to", "status")),
    _text_or_null("transfer_failed_reason"),
    _instant("created_at"),
    _instant("updated_at"),
    _one_of("transfers_transfer_status", "transfer_status", transfer.STATUSES),
)
#: A Task is handed on at most once at a time.
Index(
    "transfers_live",
    transfers.c.task_sid,
    unique=True,
    **_where(transfers.c.transfer_status == transfer.INITIATED),
)
Index("transfers_of_task", transfers.c.task_sid, transfers.c.created_at)
Index("transfers_of_reservation", transfers.c.initiating_reservation_sid)

calls = Table(
    "calls",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("task_sid"),
    _text("from_address"),
    _text("to_address"),
    _text("status"),
    _integer("sequence_number"),
    _text("parameters"),
    _instant_or_null("due_at"),
    _instant("created_at"),
    _instant("updated_at"),
)
Index("calls_of_task", calls.c.task_sid)
_present("calls_due", calls.c.due_at)

instructions = Table(
    "instructions",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("task_sid"),
    _text("reservation_sid"),
    _text("kind"),
    _text("state"),
    _text("step"),
    _text("parameters"),
    _text_or_null("worker_call_sid"),
    _text_or_null("customer_call_sid"),
    _text_or_null("conference_sid"),
    _text_or_null("failure"),
    _instant_or_null("due_at"),
    _instant_or_null("leased_until"),
    _integer("attempts"),
    _instant("created_at"),
    _instant("updated_at"),
    _one_of(
        "instructions_state", "state", (call.REQUESTED, call.IN_PROGRESS, call.DONE, call.FAILED)
    ),
)
Index("instructions_of_task", instructions.c.task_sid)
Index("instructions_of_reservation", instructions.c.reservation_sid)
_present("instructions_by_worker_call", instructions.c.worker_call_sid)
_present("instructions_by_customer_call", instructions.c.customer_call_sid)
_present("instructions_by_conference", instructions.c.conference_sid)
_present("instructions_due", instructions.c.due_at)

deliveries = Table(
    "deliveries",
    metadata,
    _sid(),
    _workspace_sid(),
    _text("kind"),
    _text_or_null("event_sid"),
    _text_or_null("reservation_sid"),
    _text("url"),
    _text("state"),
    _integer("attempts"),
    _instant_or_null("due_at"),
    _instant_or_null("leased_until"),
    Column("last_status", Integer),
    _text_or_null("last_error"),
    _instant("created_at"),
    _instant("updated_at"),
    _one_of("deliveries_state", "state", DELIVERY_STATES),
)
_present("deliveries_of_reservation", deliveries.c.reservation_sid)
_present("deliveries_due", deliveries.c.due_at)

#: No Workspace's own: an account's.
api_keys = Table(
    "api_keys",
    metadata,
    _sid(),
    _text("friendly_name"),
    _text("sealed_secret"),
    _instant("created_at"),
)

presences = Table(
    "presences",
    metadata,
    _sid(),
    _workspace_sid(),
    Column("worker_sid", Text, ForeignKey("workers.sid", ondelete="CASCADE"), nullable=False),
    _text_or_null("activity_sid"),
    _instant("due_at"),
    _instant("created_at"),
    _instant("updated_at"),
)
Index("presences_of_worker", presences.c.worker_sid)
Index("presences_of_workspace", presences.c.workspace_sid)
_present("presences_due", presences.c.due_at)

# What a workspace's lists are paged by, and what its deletion looks for.
for _table in (
    activities,
    task_channels,
    task_queues,
    workflows,
    workers,
    worker_channels,
    tasks,
    reservations,
    transfers,
    calls,
    instructions,
    deliveries,
):
    Index(f"{_table.name}_by_creation", _table.c.workspace_sid, _table.c.created_at, _table.c.sid)

#: The log. No foreign key: it tells of what is gone, too.
events = Table(
    "events",
    metadata,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        Identity(always=False),
        primary_key=True,
    ),
    _text("sid"),
    _text("workspace_sid"),
    _text("type"),
    _text("resource_type"),
    _text("resource_sid"),
    _text("description"),
    _text("carried"),
    _instant("occurred_at"),
    *(_text_or_null(name) for name in INDEXED_FIELDS),
    _text_or_null("picture"),
    # Never a number twice, also after the newest events were purged.
    sqlite_autoincrement=True,
)
Index("events_sid", events.c.sid, unique=True)
Index("events_by_time", events.c.workspace_sid, events.c.occurred_at, events.c.position)
_present("events_of_task", events.c.task_sid, events.c.position)
_present("events_of_reservation", events.c.reservation_sid, events.c.position)
_present("events_of_worker", events.c.worker_sid, events.c.position)

#: How far each follower of the log has come.
followers = Table(
    "followers",
    metadata,
    Column("name", Text, primary_key=True),
    _instant("position"),
    _instant("updated_at"),
)

#: Where each kind of record is kept.
TABLES: Final[Mapping[type, Table]] = {
    Workspace: workspaces,
    Activity: activities,
    TaskChannel: task_channels,
    TaskQueue: task_queues,
    Workflow: workflows,
    Worker: workers,
    WorkerChannel: worker_channels,
    Task: tasks,
    Reservation: reservations,
    Transfer: transfers,
    Call: calls,
    Instruction: instructions,
    Delivery: deliveries,
    ApiKey: api_keys,
    Presence: presences,
}

#: Columns that timers and workers wait for: writing one may have to wake somebody.
DUE_COLUMNS: Final = frozenset({"due_at", "expires_at", "step_due_at", "leased_until"})

#: What a broken unique index means to whoever caused it, by the index's name.
REFUSALS: Final[Mapping[str, str]] = {
    "task_channels_unique_name": "A TaskChannel with this UniqueName already exists.",
    "workers_friendly_name": "A Worker with this FriendlyName already exists.",
    "worker_channels_of_worker": "The Worker already has this WorkerChannel.",
    "transfers_live": "The Task is being transferred already.",
    "reservations_live": "The Task is already offered to this Worker.",
}
