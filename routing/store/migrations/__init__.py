"""The schema's history, one numbered file per step, run at start under a lock.

A step is written so that the release before it still works beside it. It repeats what it needs and
imports nothing of ours: it has to do tomorrow what it does today.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

#: The number of the advisory lock that migrating processes wait for on PostgreSQL: "tandem".
_LOCK = 0x74616E64656D


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Takes the schema forward, in one transaction that excludes every other one's migrations."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(_config(connection), revision)
    engine.dispose()


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the schema back; what the newer one alone could hold is lost."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)
    engine.dispose()


def _config(connection: object) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
