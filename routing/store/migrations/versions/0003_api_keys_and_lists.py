"""API keys, whose secrets are kept sealed, and the indexes that lists are read along."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WIDER = ("tasks_of_workflow", "tasks_of_task_queue")
#: Events are found by one of these, from one instant to another.
_KEYS = ("task_sid", "reservation_sid", "worker_sid")


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    for name in _WIDER:
        op.drop_index(name, "tasks")
    op.create_index(
        "tasks_of_task_queue",
        "tasks",
        ["task_queue_sid", "assignment_status", "created_at", "sid"],
    )
    op.create_index("tasks_of_workflow", "tasks", ["workflow_sid", "created_at", "sid"])
    op.create_index(
        "tasks_by_priority",
        "tasks",
        ["workspace_sid", sa.text("priority DESC"), "created_at", "sid"],
    )
    op.create_index("tasks_by_virtual_start", "tasks", ["workspace_sid", "virtual_start_at", "sid"])
    present = sa.text("routing_target IS NOT NULL")
    op.create_index(
        "tasks_of_routing_target",
        "tasks",
        ["routing_target", "created_at", "sid"],
        sqlite_where=present,
        postgresql_where=present,
    )
    for key in _KEYS:
        _index_events(key, "occurred_at", "position")


def _index_events(key: str, *more: str) -> None:
    name, present = f"events_of_{key.removesuffix('_sid')}", sa.text(f"{key} IS NOT NULL")
    op.drop_index(name, "events")
    op.create_index(name, "events", [key, *more], sqlite_where=present, postgresql_where=present)


def downgrade() -> None:
    for key in _KEYS:
        _index_events(key, "position")
    for name in ("tasks_of_routing_target", "tasks_by_virtual_start", "tasks_by_priority", *_WIDER):
        op.drop_index(name, "tasks")
    op.create_index("tasks_of_task_queue", "tasks", ["task_queue_sid", "assignment_status"])
    op.create_index("tasks_of_workflow", "tasks", ["workflow_sid"])
    op.drop_table("api_keys")
