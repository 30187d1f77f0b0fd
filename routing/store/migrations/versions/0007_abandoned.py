"""Callers who hung up are counted apart from the other Tasks that are canceled, from now on."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is for an older release that goes on writing meanwhile.
    column = sa.Column("tasks_abandoned", sa.Integer(), nullable=False, server_default="0")
    op.add_column("statistics_tallies", column)


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM statistics_facts WHERE kind = 15"))
    op.drop_column("statistics_tallies", "tasks_abandoned")
