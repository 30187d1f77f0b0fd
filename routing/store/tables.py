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
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    func,
    literal_column,
)

from routing import call, delivery, reservation, task, transfer
from routing.api_key import ApiKey
from routing.call import Call, Instruction
from routing.configuration import Workflow
from routing.delivery import Delivery
from routing.presence import Presence
from routing.reservation import Reservation
from routing.store import columns, log_tables
from routing.store.people_tables import sessions, sign_in_attempts, users
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.transfer import Transfer
from routing.user import Session, SignInAttempts, User
from routing.worker import Worker, WorkerChannel
from routing.workspace import FIFO, LIFO, Activity, TaskChannel, Workspace

metadata: Final = columns.metadata


workspaces = Table(
    "workspaces",
    metadata,
    columns.sid(),
    columns.text("friendly_name"),
    columns.text("event_callback_url"),
    columns.text_or_null("events_filter"),
    columns.boolean("multi_task_enabled"),
    columns.text("prioritize_queue_order"),
    # Plain columns: Workspace and Activity would otherwise have to exist before one another.
    columns.text_or_null("default_activity_sid"),
    columns.text_or_null("timeout_activity_sid"),
    columns.integer("configuration_version"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.one_of("workspaces_prioritize_queue_order", "prioritize_queue_order", (FIFO, LIFO)),
)
Index("workspaces_by_creation", workspaces.c.created_at, workspaces.c.sid)

activities = Table(
    "activities",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    columns.text("friendly_name"),
    columns.boolean("available"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
)

task_channels = Table(
    "task_channels",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    columns.text("friendly_name"),
    columns.text("unique_name"),
    columns.boolean("channel_optimized_routing"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
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
    columns.sid(),
    columns.workspace_sid(),
    columns.text("friendly_name"),
    columns.text("target_workers"),
    columns.integer("max_reserved_workers"),
    columns.text("task_order"),
    columns.text_or_null("reservation_activity_sid"),
    columns.text_or_null("assignment_activity_sid"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.one_of("task_queues_task_order", "task_order", (FIFO, LIFO)),
)

workflows = Table(
    "workflows",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    columns.text("friendly_name"),
    columns.text("configuration"),
    columns.integer("configuration_version"),
    columns.text_or_null("assignment_callback_url"),
    columns.text_or_null("fallback_assignment_callback_url"),
    columns.integer("task_reservation_timeout"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
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
    columns.text("configuration"),
)

workers = Table(
    "workers",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    columns.text("friendly_name"),
    columns.text("attributes"),
    Column("activity_sid", Text, ForeignKey("activities.sid"), nullable=False),
    columns.instant("status_changed_at"),
    columns.instant("last_reserved_at"),
    columns.integer("version"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
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
    columns.sid(),
    columns.workspace_sid(),
    Column("worker_sid", Text, ForeignKey("workers.sid", ondelete="CASCADE"), nullable=False),
    Column(
        "task_channel_sid",
        Text,
        ForeignKey("task_channels.sid", ondelete="CASCADE"),
        nullable=False,
    ),
    columns.integer("configured_capacity"),
    columns.integer("assigned_tasks"),
    columns.boolean("available"),
    columns.instant("last_reserved_at"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
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
    columns.sid(),
    columns.workspace_sid(),
    columns.text("assignment_status"),
    columns.text("attributes"),
    columns.integer("priority"),
    columns.text_or_null("reason"),
    columns.integer("timeout_seconds"),
    Column("task_channel_sid", Text, ForeignKey("task_channels.sid"), nullable=False),
    Column("workflow_sid", Text, ForeignKey("workflows.sid", ondelete="SET NULL")),
    Column("workflow_version", Integer),
    Column("filter_index", Integer),
    Column("target_index", Integer),
    Column("task_queue_sid", Text, ForeignKey("task_queues.sid", ondelete="SET NULL")),
    columns.text_or_null("routing_target"),
    columns.boolean("ignore_capacity"),
    columns.integer("assignment_count"),
    columns.instant("virtual_start_at"),
    columns.instant_or_null("queue_entered_at"),
    columns.instant_or_null("expires_at"),
    columns.instant_or_null("step_due_at"),
    columns.integer("version"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.text_or_null("transfer_sid"),
    columns.one_of("tasks_assignment_status", "assignment_status", tuple(task.TASK_MOVES)),
)
Index(
    "tasks_by_status",
    tasks.c.workspace_sid,
    tasks.c.assignment_status,
    tasks.c.created_at,
    tasks.c.sid,
)
_in_turn = (tasks.c.created_at, tasks.c.sid)
Index("tasks_of_task_queue", tasks.c.task_queue_sid, tasks.c.assignment_status, *_in_turn)
Index("tasks_of_workflow", tasks.c.workflow_sid, *_in_turn)
Index("tasks_by_virtual_start", tasks.c.workspace_sid, tasks.c.virtual_start_at, tasks.c.sid)
# Most Tasks have the priority 0, and are in neither of these (routing.store.priorities).
_most_urgent = (tasks.c.workspace_sid, tasks.c.priority.desc())
_urgent: Final = columns.where(tasks.c.priority != literal_column("0", Integer))
Index("tasks_urgent", *_most_urgent, *_in_turn, **_urgent)
Index("tasks_urgent_by_start", *_most_urgent, tasks.c.virtual_start_at, tasks.c.sid, **_urgent)
columns.present("tasks_of_routing_target", tasks.c.routing_target, *_in_turn)
columns.present("tasks_expiring", tasks.c.expires_at)
columns.present("tasks_due", tasks.c.step_due_at)

reservations = Table(
    "reservations",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    Column("task_sid", Text, ForeignKey("tasks.sid", ondelete="CASCADE"), nullable=False),
    Column("worker_sid", Text, ForeignKey("workers.sid", ondelete="CASCADE"), nullable=False),
    columns.text("worker_channel_sid"),
    columns.text("task_queue_sid"),
    columns.text_or_null("workflow_sid"),
    columns.text("reservation_status"),
    columns.text_or_null("reason"),
    columns.instant_or_null("due_at"),
    columns.integer("version"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.text_or_null("transfer_sid"),
    columns.one_of(
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
    **columns.where(reservations.c.reservation_status.in_(sorted(reservation.LIVE))),
)
Index("reservations_of_task", reservations.c.task_sid, reservations.c.created_at)
Index(
    "reservations_of_worker",
    reservations.c.worker_sid,
    reservations.c.reservation_status,
    reservations.c.created_at,
)
columns.present("reservations_due", reservations.c.due_at)
_wrapping: Final = columns.where(reservations.c.reservation_status == reservation.WRAPPING)
Index("reservations_wrapping", reservations.c.updated_at, **_wrapping)

transfers = Table(
    "transfers",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    Column("task_sid", Text, ForeignKey("tasks.sid", ondelete="CASCADE"), nullable=False),
    *(columns.text(f"initiating_{what}_sid") for what in ("reservation", "worker", "queue")),
    columns.text_or_null("initiating_workflow_sid"),
    *(columns.text(f"transfer_{what}") for what in ("mode", "type", "to", "status")),
    columns.text_or_null("transfer_failed_reason"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.one_of("transfers_transfer_status", "transfer_status", transfer.STATUSES),
)
#: A Task is handed on at most once at a time.
Index(
    "transfers_live",
    transfers.c.task_sid,
    unique=True,
    **columns.where(transfers.c.transfer_status == transfer.INITIATED),
)
Index("transfers_of_task", transfers.c.task_sid, transfers.c.created_at)
Index("transfers_of_reservation", transfers.c.initiating_reservation_sid)

calls = Table(
    "calls",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    columns.text("task_sid"),
    columns.text("from_address"),
    columns.text("to_address"),
    columns.text("status"),
    columns.integer("sequence_number"),
    columns.text("parameters"),
    columns.instant_or_null("due_at"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
)
Index("calls_of_task", calls.c.task_sid)
columns.present("calls_due", calls.c.due_at)

instructions = Table(
    "instructions",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    columns.text("task_sid"),
    columns.text("reservation_sid"),
    columns.text("kind"),
    columns.text("state"),
    columns.text("step"),
    columns.text("parameters"),
    columns.text_or_null("worker_call_sid"),
    columns.text_or_null("customer_call_sid"),
    columns.text_or_null("conference_sid"),
    columns.text_or_null("failure"),
    columns.instant_or_null("due_at"),
    columns.instant_or_null("leased_until"),
    columns.integer("attempts"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.one_of(
        "instructions_state", "state", (call.REQUESTED, call.IN_PROGRESS, call.DONE, call.FAILED)
    ),
)
Index("instructions_of_task", instructions.c.task_sid)
Index("instructions_of_reservation", instructions.c.reservation_sid)
columns.present("instructions_by_worker_call", instructions.c.worker_call_sid)
columns.present("instructions_by_customer_call", instructions.c.customer_call_sid)
columns.present("instructions_by_conference", instructions.c.conference_sid)
columns.present("instructions_due", instructions.c.due_at)

deliveries = Table(
    "deliveries",
    metadata,
    columns.sid(),
    columns.text("workspace_sid"),
    columns.text("kind"),
    columns.text("event_sid"),
    columns.instant("position"),
    columns.text("order_key"),
    columns.text("receiver"),
    columns.text_or_null("reservation_sid"),
    columns.text("url"),
    columns.text("state"),
    columns.integer("attempts"),
    columns.instant_or_null("due_at"),
    columns.instant_or_null("leased_until"),
    columns.instant("give_up_at"),
    columns.instant_or_null("kept_until"),
    Column("last_status", Integer),
    columns.text_or_null("last_error"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.one_of("deliveries_state", "state", delivery.STATES),
)
_pending = columns.where(deliveries.c.state == delivery.PENDING)
Index("deliveries_pending", deliveries.c.receiver, deliveries.c.position, **_pending)
Index("deliveries_in_order", deliveries.c.order_key, deliveries.c.position, **_pending)
Index("deliveries_of_event", deliveries.c.event_sid)
columns.present("deliveries_kept", deliveries.c.kept_until)

#: No Workspace's own: an account's.
api_keys = Table(
    "api_keys",
    metadata,
    columns.sid(),
    columns.text("friendly_name"),
    columns.text("sealed_secret"),
    columns.instant("created_at"),
)

presences = Table(
    "presences",
    metadata,
    columns.sid(),
    columns.workspace_sid(),
    Column("worker_sid", Text, ForeignKey("workers.sid", ondelete="CASCADE"), nullable=False),
    columns.text_or_null("activity_sid"),
    columns.instant("due_at"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
)
Index("presences_of_worker", presences.c.worker_sid)
Index("presences_of_workspace", presences.c.workspace_sid)
columns.present("presences_due", presences.c.due_at)

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

events: Final = log_tables.events
followers: Final = log_tables.followers

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
    User: users,
    Session: sessions,
    SignInAttempts: sign_in_attempts,
}

#: Columns that timers and workers wait for: writing one may have to wake somebody.
DEADLINES: Final = ("due_at", "expires_at", "step_due_at")
DUE_COLUMNS: Final = frozenset({*DEADLINES, "leased_until"})

#: What a broken unique index means to whoever caused it, by the index's name.
REFUSALS: Final[Mapping[str, str]] = {
    "task_channels_unique_name": "A TaskChannel with this UniqueName already exists.",
    "users_name": "A user of this name already exists.",
    "workers_friendly_name": "A Worker with this FriendlyName already exists.",
    "worker_channels_of_worker": "The Worker already has this WorkerChannel.",
    "transfers_live": "The Task is being transferred already.",
    "reservations_live": "The Task is already offered to this Worker.",
}
