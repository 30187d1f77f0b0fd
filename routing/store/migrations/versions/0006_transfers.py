"""Tasks that are handed on: the transfers, and who came to a Task by one."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("transfer_sid", sa.Text()))
    op.add_column("reservations", sa.Column("transfer_sid", sa.Text()))
    op.create_table(
        "transfers",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("task_sid", sa.Text(), nullable=False),
        sa.Column("initiating_reservation_sid", sa.Text(), nullable=False),
        sa.Column("initiating_worker_sid", sa.Text(), nullable=False),
        sa.Column("initiating_queue_sid", sa.Text(), nullable=False),
        sa.Column("initiating_workflow_sid", sa.Text()),
        sa.Column("transfer_mode", sa.Text(), nullable=False),
        sa.Column("transfer_type", sa.Text(), nullable=False),
        sa.Column("transfer_to", sa.Text(), nullable=False),
        sa.Column("transfer_status", sa.Text(), nullable=False),
        sa.Column("transfer_failed_reason", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "transfer_status IN ('initiated', 'complete', 'failed', 'canceled')",
            name="transfers_transfer_status",
        ),
        sa.ForeignKeyConstraint(["workspace_sid"], ["workspaces.sid"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_sid"], ["tasks.sid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sid"),
    )
    wrapping = sa.text("reservation_status = 'wrapping'")
    op.create_index(
        "reservations_wrapping",
        "reservations",
        ["updated_at"],
        sqlite_where=wrapping,
        postgresql_where=wrapping,
    )
    live = sa.text("transfer_status = 'initiated'")
    op.create_index(
        "transfers_live",
        "transfers",
        ["task_sid"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index("transfers_of_task", "transfers", ["task_sid", "created_at"])
    op.create_index("transfers_of_reservation", "transfers", ["initiating_reservation_sid"])
    op.create_index("transfers_by_creation", "transfers", ["workspace_sid", "created_at", "sid"])


def downgrade() -> None:
    op.drop_index("reservations_wrapping", "reservations")
    op.drop_table("transfers")
    op.drop_column("reservations", "transfer_sid")
    op.drop_column("tasks", "transfer_sid")
