"""What Workers' applications are told live: pictures of what events tell of, and who is to be put
offline when they have gone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("picture", sa.Text()))


def downgrade() -> None:
    op.drop_column("events", "picture")
