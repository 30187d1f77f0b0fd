"""The schema's history, one numbered file per step, run at start under a lock.

A step is written so that the release before it still works beside it. It repeats what it needs and
imports nothing of ours: it has to do tomorrow what it does today.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_log = structlog.get_logger(__name__)

#: The number of the advisory lock that migrating processes wait for on PostgreSQL: "tandem".
_LOCK: Final = 0x74616E64656D
_HERE: Final = Path(__file__).parent


def upgrade(engine: Engine) -> None:
    """Takes the schema forward, in one transaction that excludes every other one's migrations.

    A schema that a newer release has taken further is left as it is: the steps see to it that we
    can work beside that release. Alembic is imported only where there is something to do, which
    every start but the first saves.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        reached, newest = _reached(connection), _newest()
        if reached is None or reached < newest:
            from alembic import command  # noqa: PLC0415 - so that most starts do without

            command.upgrade(_config(connection), newest)
        elif reached > newest:
            _log.warning("the schema is that of a newer release", schema=reached, ours=newest)
    engine.dispose()


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the schema back; what the newer one alone could hold is lost."""
    from alembic import command  # noqa: PLC0415 - see upgrade

    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)
    engine.dispose()


def _reached(connection: Connection) -> str | None:
    """The step that the schema is at; None before the first one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    reached = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if reached is None else str(reached)


def _newest() -> str:
    """The last step that this release knows: four digits, with which the file's name begins."""
    return max(step.name[:4] for step in (_HERE / "versions").glob("[0-9]*.py"))


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see upgrade

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_HERE))
    return config
