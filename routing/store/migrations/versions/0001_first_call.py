"""The tables of the first call: every resource of TaskRouter, the log, and what voice keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: In the order in which they refer to one another.
_TABLES = (
    "events",
    "followers",
    "workspaces",
    "activities",
    "calls",
    "deliveries",
    "instructions",
    "task_channels",
    "task_queues",
    "workflows",
    "tasks",
    "workers",
    "workflow_configurations",
    "reservations",
    "worker_channels",
)


def upgrade() -> None:
    _create_events()
    _create_followers()
    _create_workspaces()
    _create_activities()
    _create_calls()
    _create_deliveries()
    _create_instructions()
    _create_task_channels()
    _create_task_queues()
    _create_workflows()
    _create_tasks()
    _create_workers()
    _create_workflow_configurations()
    _create_reservations()
    _create_worker_channels()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(),
            primary_key=True,
        ),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_sid", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("carried", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("task_sid", sa.Text()),
        sa.Column("reservation_sid", sa.Text()),
        sa.Column("worker_sid", sa.Text()),
        sa.Column("task_queue_sid", sa.Text()),
        sa.Column("workflow_sid", sa.Text()),
        sa.Column("task_channel_sid", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_time", "events", ["workspace_sid", "occurred_at", "position"])
    op.create_index(
        "events_of_reservation",
        "events",
        ["reservation_sid", "position"],
        sqlite_where=sa.text("reservation_sid IS NOT NULL"),
        postgresql_where=sa.text("reservation_sid IS NOT NULL"),
    )
    op.create_index(
        "events_of_task",
        "events",
        ["task_sid", "position"],
        sqlite_where=sa.text("task_sid IS NOT NULL"),
        postgresql_where=sa.text("task_sid IS NOT NULL"),
    )
    op.create_index(
        "events_of_worker",
        "events",
        ["worker_sid", "position"],
        sqlite_where=sa.text("worker_sid IS NOT NULL"),
        postgresql_where=sa.text("worker_sid IS NOT NULL"),
    )
    op.create_index("events_sid", "events", ["sid"], unique=True)


def _create_followers() -> None:
    op.create_table(
        "followers",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )


def _create_workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("event_callback_url", sa.Text(), nullable=False),
        sa.Column("events_filter", sa.Text()),
        sa.Column("multi_task_enabled", sa.Boolean(), nullable=False),
        sa.Column("prioritize_queue_order", sa.Text(), nullable=False),
        sa.Column("default_activity_sid", sa.Text()),
        sa.Column("timeout_activity_sid", sa.Text()),
        sa.Column("configuration_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "prioritize_queue_order IN ('FIFO', 'LIFO')", name="workspaces_prioritize_queue_order"
        ),
    )
    op.create_index("workspaces_by_creation", "workspaces", ["created_at", "sid"])


def _create_activities() -> None:
    op.create_table(
        "activities",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("activities_by_creation", "activities", ["workspace_sid", "created_at", "sid"])


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("task_sid", sa.Text(), nullable=False),
        sa.Column("from_address", sa.Text(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sequence_number", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("calls_by_creation", "calls", ["workspace_sid", "created_at", "sid"])
    op.create_index(
        "calls_due",
        "calls",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("calls_of_task", "calls", ["task_sid"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_sid", sa.Text()),
        sa.Column("reservation_sid", sa.Text()),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_error", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="deliveries_state"),
    )
    op.create_index("deliveries_by_creation", "deliveries", ["workspace_sid", "created_at", "sid"])
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "deliveries_of_reservation",
        "deliveries",
        ["reservation_sid"],
        sqlite_where=sa.text("reservation_sid IS NOT NULL"),
        postgresql_where=sa.text("reservation_sid IS NOT NULL"),
    )


def _create_instructions() -> None:
    op.create_table(
        "instructions",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("task_sid", sa.Text(), nullable=False),
        sa.Column("reservation_sid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("worker_call_sid", sa.Text()),
        sa.Column("customer_call_sid", sa.Text()),
        sa.Column("conference_sid", sa.Text()),
        sa.Column("failure", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'in-progress', 'done', 'failed')", name="instructions_state"
        ),
    )
    op.create_index(
        "instructions_by_conference",
        "instructions",
        ["conference_sid"],
        sqlite_where=sa.text("conference_sid IS NOT NULL"),
        postgresql_where=sa.text("conference_sid IS NOT NULL"),
    )
    op.create_index(
        "instructions_by_creation", "instructions", ["workspace_sid", "created_at", "sid"]
    )
    op.create_index(
        "instructions_by_customer_call",
        "instructions",
        ["customer_call_sid"],
        sqlite_where=sa.text("customer_call_sid IS NOT NULL"),
        postgresql_where=sa.text("customer_call_sid IS NOT NULL"),
    )
    op.create_index(
        "instructions_by_worker_call",
        "instructions",
        ["worker_call_sid"],
        sqlite_where=sa.text("worker_call_sid IS NOT NULL"),
        postgresql_where=sa.text("worker_call_sid IS NOT NULL"),
    )
    op.create_index(
        "instructions_due",
        "instructions",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("instructions_of_reservation", "instructions", ["reservation_sid"])
    op.create_index("instructions_of_task", "instructions", ["task_sid"])


def _create_task_channels() -> None:
    op.create_table(
        "task_channels",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("unique_name", sa.Text(), nullable=False),
        sa.Column("channel_optimized_routing", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "task_channels_by_creation", "task_channels", ["workspace_sid", "created_at", "sid"]
    )
    op.create_index(
        "task_channels_unique_name", "task_channels", ["workspace_sid", "unique_name"], unique=True
    )


def _create_task_queues() -> None:
    op.create_table(
        "task_queues",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("target_workers", sa.Text(), nullable=False),
        sa.Column("max_reserved_workers", sa.Integer(), nullable=False),
        sa.Column("task_order", sa.Text(), nullable=False),
        sa.Column("reservation_activity_sid", sa.Text()),
        sa.Column("assignment_activity_sid", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("task_order IN ('FIFO', 'LIFO')", name="task_queues_task_order"),
    )
    op.create_index(
        "task_queues_by_creation", "task_queues", ["workspace_sid", "created_at", "sid"]
    )


def _create_workflows() -> None:
    op.create_table(
        "workflows",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("configuration_version", sa.Integer(), nullable=False),
        sa.Column("assignment_callback_url", sa.Text()),
        sa.Column("fallback_assignment_callback_url", sa.Text()),
        sa.Column("task_reservation_timeout", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("workflows_by_creation", "workflows", ["workspace_sid", "created_at", "sid"])


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("assignment_status", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("timeout_seconds", sa.Integer(), nullable=False),
        sa.Column(
            "task_channel_sid", sa.Text(), sa.ForeignKey("task_channels.sid"), nullable=False
        ),
        sa.Column("workflow_sid", sa.Text(), sa.ForeignKey("workflows.sid", ondelete="SET NULL")),
        sa.Column("workflow_version", sa.Integer()),
        sa.Column("filter_index", sa.Integer()),
        sa.Column("target_index", sa.Integer()),
        sa.Column(
            "task_queue_sid", sa.Text(), sa.ForeignKey("task_queues.sid", ondelete="SET NULL")
        ),
        sa.Column("routing_target", sa.Text()),
        sa.Column("ignore_capacity", sa.Boolean(), nullable=False),
        sa.Column("assignment_count", sa.Integer(), nullable=False),
        sa.Column("virtual_start_at", sa.BigInteger(), nullable=False),
        sa.Column("queue_entered_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("step_due_at", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "assignment_status IN"
            " ('pending', 'reserved', 'assigned', 'wrapping', 'completed', 'canceled')",
            name="tasks_assignment_status",
        ),
    )
    op.create_index("tasks_by_creation", "tasks", ["workspace_sid", "created_at", "sid"])
    op.create_index(
        "tasks_by_status", "tasks", ["workspace_sid", "assignment_status", "created_at", "sid"]
    )
    op.create_index(
        "tasks_due",
        "tasks",
        ["step_due_at"],
        sqlite_where=sa.text("step_due_at IS NOT NULL"),
        postgresql_where=sa.text("step_due_at IS NOT NULL"),
    )
    op.create_index(
        "tasks_expiring",
        "tasks",
        ["expires_at"],
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index("tasks_of_task_queue", "tasks", ["task_queue_sid", "assignment_status"])
    op.create_index("tasks_of_workflow", "tasks", ["workflow_sid"])


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("activity_sid", sa.Text(), sa.ForeignKey("activities.sid"), nullable=False),
        sa.Column("status_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("last_reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("workers_by_activity", "workers", ["activity_sid"])
    op.create_index("workers_by_creation", "workers", ["workspace_sid", "created_at", "sid"])
    op.create_index(
        "workers_friendly_name",
        "workers",
        ["workspace_sid", sa.text("lower(friendly_name)")],
        unique=True,
    )


def _create_workflow_configurations() -> None:
    op.create_table(
        "workflow_configurations",
        sa.Column(
            "workflow_sid",
            sa.Text(),
            sa.ForeignKey("workflows.sid", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("configuration", sa.Text(), nullable=False),
    )


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "task_sid", sa.Text(), sa.ForeignKey("tasks.sid", ondelete="CASCADE"), nullable=False
        ),
        sa.Column(
            "worker_sid",
            sa.Text(),
            sa.ForeignKey("workers.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("worker_channel_sid", sa.Text(), nullable=False),
        sa.Column("task_queue_sid", sa.Text(), nullable=False),
        sa.Column("workflow_sid", sa.Text()),
        sa.Column("reservation_status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "reservation_status IN ('pending', 'accepted', 'wrapping',"
            " 'rejected', 'timeout', 'canceled', 'rescinded', 'completed')",
            name="reservations_reservation_status",
        ),
    )
    op.create_index(
        "reservations_by_creation", "reservations", ["workspace_sid", "created_at", "sid"]
    )
    op.create_index(
        "reservations_due",
        "reservations",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "reservations_live",
        "reservations",
        ["task_sid", "worker_sid"],
        unique=True,
        sqlite_where=sa.text("reservation_status IN ('accepted', 'pending', 'wrapping')"),
        postgresql_where=sa.text("reservation_status IN ('accepted', 'pending', 'wrapping')"),
    )
    op.create_index("reservations_of_task", "reservations", ["task_sid", "created_at"])
    op.create_index(
        "reservations_of_worker", "reservations", ["worker_sid", "reservation_status", "created_at"]
    )


def _create_worker_channels() -> None:
    op.create_table(
        "worker_channels",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column(
            "workspace_sid",
            sa.Text(),
            sa.ForeignKey("workspaces.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "worker_sid",
            sa.Text(),
            sa.ForeignKey("workers.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "task_channel_sid",
            sa.Text(),
            sa.ForeignKey("task_channels.sid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("configured_capacity", sa.Integer(), nullable=False),
        sa.Column("assigned_tasks", sa.Integer(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("last_reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("assigned_tasks >= 0", name="worker_channels_assigned_tasks"),
        sa.CheckConstraint("configured_capacity >= 0", name="worker_channels_configured_capacity"),
    )
    op.create_index(
        "worker_channels_by_creation", "worker_channels", ["workspace_sid", "created_at", "sid"]
    )
    op.create_index("worker_channels_of_task_channel", "worker_channels", ["task_channel_sid"])
    op.create_index(
        "worker_channels_of_worker",
        "worker_channels",
        ["worker_sid", "task_channel_sid"],
        unique=True,
    )
