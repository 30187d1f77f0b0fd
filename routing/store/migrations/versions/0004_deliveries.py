"""Deliveries in order, by receiver, and given up after a while: the table was unused until here."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("deliveries")
    op.create_table(
        "deliveries",
        sa.Column("sid", sa.Text(), primary_key=True),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_sid", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("reservation_sid", sa.Text()),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("give_up_at", sa.BigInteger(), nullable=False),
        sa.Column("kept_until", sa.BigInteger()),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_error", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'dead', 'skipped')", name="deliveries_state"
        ),
    )
    op.create_index("deliveries_by_creation", "deliveries", ["workspace_sid", "created_at", "sid"])
    op.create_index("deliveries_of_event", "deliveries", ["event_sid"])
    _partial("deliveries_pending", ["receiver", "position"], "state = 'pending'")
    _partial("deliveries_in_order", ["order_key", "position"], "state = 'pending'")
    _partial("deliveries_kept", ["kept_until"], "kept_until IS NOT NULL")


def downgrade() -> None:
    op.drop_table("deliveries")
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
    _partial("deliveries_due", ["due_at"], "due_at IS NOT NULL")
    _partial("deliveries_of_reservation", ["reservation_sid"], "reservation_sid IS NOT NULL")


def _partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "deliveries", columns, sqlite_where=where, postgresql_where=where)
