"""What Workers' applications are told live: pictures of what events tell of, and who is to be put
offline when they have gone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("picture", sa.Text()))
    op.create_table(
        "presences",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("worker_sid", sa.Text(), nullable=False),
        sa.Column("activity_sid", sa.Text()),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_sid"], ["workspaces.sid"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["worker_sid"], ["workers.sid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("presences_of_worker", "presences", ["worker_sid"])
    op.create_index("presences_of_workspace", "presences", ["workspace_sid"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "presences_due", "presences", ["due_at"], sqlite_where=due, postgresql_where=due
    )


def downgrade() -> None:
    op.drop_table("presences")
    op.drop_column("events", "picture")
