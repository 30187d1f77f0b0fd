"""Only Tasks whose priority is not 0 are in the indexes by priority."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_URGENT = sa.text("priority != 0")
_COLUMNS = ("workspace_sid", sa.text("priority DESC"))


def upgrade() -> None:
    op.drop_index("tasks_by_priority", "tasks")
    for name, instant in (
        ("tasks_urgent", "created_at"),
        ("tasks_urgent_by_start", "virtual_start_at"),
    ):
        op.create_index(
            name,
            "tasks",
            [*_COLUMNS, instant, "sid"],
            sqlite_where=_URGENT,
            postgresql_where=_URGENT,
        )


def downgrade() -> None:
    op.drop_index("tasks_urgent_by_start", "tasks")
    op.drop_index("tasks_urgent", "tasks")
    op.create_index("tasks_by_priority", "tasks", [*_COLUMNS, "created_at", "sid"])
