"""People who sign in to the pages, their sessions, and whoever did what an event tells of."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("workspace_sid", sa.Text()),
        sa.Column("worker_sid", sa.Text()),
        sa.Column("password_hash", sa.Text()),
        sa.Column("is_demo", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("is_disabled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('agent', 'supervisor', 'admin')", name="users_role"),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("users_name", "users", ["name"], unique=True)
    op.create_table(
        "sessions",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("user_sid", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_sid"], ["users.sid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("sessions_of_user", "sessions", ["user_sid"])
    op.create_index("sessions_by_end", "sessions", ["ends_at"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("sign_in_attempts_by_time", "sign_in_attempts", ["full_at"])
    op.add_column("events", sa.Column("actor", sa.Text()))
    present = sa.text("actor IS NOT NULL")
    op.create_index(
        "events_of_people",
        "events",
        ["workspace_sid", "occurred_at", "position"],
        sqlite_where=present,
        postgresql_where=present,
    )


def downgrade() -> None:
    op.drop_index("events_of_people", "events")
    op.drop_column("events", "actor")
    op.drop_table("sign_in_attempts")
    op.drop_table("sessions")
    op.drop_table("users")
