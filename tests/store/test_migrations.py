"""The schema that the migrations make is the one that the code believes in, on both databases."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from routing.store import SqlStore, StoreUnavailable, migrations
from routing.store.tables import metadata
from tests.store.records import ManualClock, opened

_COLUMNS = """
    SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, is_identity,
                     column_default)
    FROM information_schema.columns WHERE table_schema = 'public'"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
_CONSTRAINTS = """
    SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace"""


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Here the tables are made before our eyes."""
    return empty_database_url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Connects by itself, knowing nothing of the store's ways."""
    made = create_engine(database_url, poolclass=NullPool)
    yield made
    made.dispose()


def schema(connection: Connection) -> set[str]:
    """Every table, column, index and constraint, in the database's own words."""
    if connection.dialect.name == "sqlite":
        return _sqlite_schema(connection)
    questions = (_COLUMNS, _INDEXES, _CONSTRAINTS)
    told = {row[0] for question in questions for row in connection.execute(text(question))}
    return {line for line in told if "alembic_version" not in line}


#: Between a table's columns and constraints, and not between the values that one allows.
_PARTS = re.compile(r", (?=[a-z_]+ [A-Z]|[A-Z]{5})")


def _one_line(statement: str) -> str:
    return re.sub(r"[ \t\n]+", " ", statement)


def _sqlite_schema(connection: Connection) -> set[str]:
    told = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
    statements = [row[0] for row in told if "alembic_version" not in row[0]]
    # The order of a table's columns and constraints, and how its text is laid out, mean nothing:
    # a column that was added later stands at the end of it.
    return {
        "\n".join(sorted(part.strip(" )\n") for part in _PARTS.split(_one_line(statement))))
        for statement in statements
        if "sqlite_sequence" not in statement
    }


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")  # compared by its text
@pytest.mark.filterwarnings("ignore:autogenerate skipping")  # the same one
def test_the_migrated_schema_is_the_one_of_the_tables(store: SqlStore, engine: Engine) -> None:
    assert store
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = schema(connection)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            table.drop(connection)
        metadata.create_all(connection)
    with engine.connect() as connection:
        assert schema(connection) == migrated
        assert len(migrated) > 40


def test_the_schema_can_be_taken_back(store: SqlStore, engine: Engine, database_url: str) -> None:
    assert store
    migrations.downgrade(engine, "base")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    again = opened(database_url, ManualClock())
    again.close()


def test_there_is_one_head_and_every_step_has_a_way_back() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(scripts.get_heads()) == 1
    for step in scripts.walk_revisions():
        assert callable(step.module.upgrade)
        assert callable(step.module.downgrade)
        assert Path(step.path).name.startswith(f"{step.revision}_")


def test_migrating_twice_changes_nothing(store: SqlStore, engine: Engine) -> None:
    with engine.connect() as connection:
        before = schema(connection)
    store.migrate()
    with engine.connect() as connection:
        assert schema(connection) == before


def test_a_start_on_a_schema_that_is_up_to_date_does_without_alembic(
    store: SqlStore, database_url: str
) -> None:
    assert store
    program = (
        "import sys\n"
        "from routing.clock import SystemClock\n"
        "from routing.store import open_store\n"
        "open_store(sys.argv[1], SystemClock()).migrate()\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program, database_url], check=True)


def test_a_release_can_start_beside_the_next_one(store: SqlStore, engine: Engine) -> None:
    with engine.begin() as connection:
        before = schema(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.migrate()
    with engine.connect() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        )
        assert schema(connection) == before


def test_the_tables_of_somebody_else_are_named_and_left_alone(
    open_another: Callable[[], SqlStore], engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tasks (theirs integer)"))
        before = schema(connection)
    with pytest.raises(StoreUnavailable, match=r"tasks.* already exists.*[Ee]xpected an empty"):
        open_another().migrate()
    with engine.connect() as connection:
        assert schema(connection) == before


def test_processes_that_start_at_once_wait_for_one_another(database_url: str) -> None:
    program = (
        "import sys\n"
        "from routing.clock import SystemClock\n"
        "from routing.store import open_store\n"
        "sys.stdin.readline()\n"
        "store = open_store(sys.argv[1], SystemClock())\n"
        "store.migrate()\n"
        "store.read(lambda work: work.tasks.find())\n"
        "store.close()\n"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", program, database_url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in starting:
        _, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")
