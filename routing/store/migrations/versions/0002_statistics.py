"""The tables of sums that statistics are read from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "statistics_facts",
    "statistics_standings",
    "statistics_stays",
    "statistics_tallies",
)
_COUNTS = (
    "tasks_created",
    "tasks_entered",
    "tasks_moved",
    "tasks_canceled",
    "tasks_completed",
    "tasks_deleted",
    "tasks_timed_out_in_workflow",
    "reservations_created",
    "reservations_accepted",
    "reservations_rejected",
    "reservations_timed_out",
    "reservations_canceled",
    "reservations_rescinded",
)
_WAITS = ("until_accepted", "until_canceled", "in_queue_until_accepted")


def upgrade() -> None:
    op.create_table(
        "statistics_facts",
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("task_queue_sid", sa.Text()),
        sa.Column("workflow_sid", sa.Text()),
        sa.Column("task_channel_sid", sa.Text(), nullable=False),
        sa.Column("worker_sid", sa.Text()),
        sa.Column("wait_seconds", sa.Integer(), nullable=False),
        sa.Column("queue_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_sid", "occurred_at", "position", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "statistics_standings",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("place_sid", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_table(
        "statistics_stays",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("worker_sid", sa.Text(), nullable=False),
        sa.Column("activity_sid", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index(
        "statistics_stays_by_activity",
        "statistics_stays",
        ["workspace_sid", "activity_sid", "ended_at", "began_at"],
    )
    op.create_index("statistics_stays_of_worker", "statistics_stays", ["worker_sid", "ended_at"])
    _create_tallies()


def _create_tallies() -> None:
    op.create_table(
        "statistics_tallies",
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("subject_sid", sa.Text(), nullable=False),
        sa.Column("span", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("begins_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task_channel_sid", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        *(
            sa.Column(f"{name}_{part}", sa.BigInteger(), nullable=False)
            for name in _WAITS
            for part in ("total", "least", "most")
        ),
        sa.Column("accepted_after", sa.Text(), nullable=False),
        sa.Column("canceled_after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_sid", "subject_sid", "span", "begins_at", "task_channel_sid"
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
