"""Names that are banned, and the one file in which each may stand.

ruff's banned-api says the same where it can; this goes further, into tests, bench and simulator and
over `app.py`, each with its own exceptions.
"""

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.house import tree

WALL_CLOCK = (
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
)
#: The beginning of a name -> the files and folders in which it may stand.
BANNED: dict[str, tuple[str, ...]] = {
    "unittest.mock": (),
    "mock": (),
    "pytest_mock": (),
    "twilio.rest": ("voice/phone_line.py", "tests/", "bench/"),
    "json.load": ("routing/json_text.py", "simulator/", "tests/", "bench/"),
    "json.loads": ("routing/json_text.py", "simulator/", "tests/", "bench/"),
    **dict.fromkeys(WALL_CLOCK, ("routing/clock.py", "simulator/clock.py", "tests/", "bench/")),
}
#: app.py is no package, so that import-linter does not see what it imports.
BANNED_IN_APP = ("alembic", "psycopg", "simulator", "sqlalchemy", "twilio")
#: The rooms below routing/ that may use libraries; everything else there is the engine.
FACING_OUTSIDE = {"api", "background", "realtime", "store"}


def names(module: ast.Module) -> Iterator[str]:
    """The dotted names that a file imports, or reaches through what it imports."""
    local = dict(_imported(module))
    yield from local.values()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            if first in local:
                yield f"{local[first]}.{rest}"


def _imported(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Each local name that an import binds, and the dotted name that it stands for."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first


def breaches(path: str, source: str) -> set[str]:
    """The banned names that the file at `path` uses though it may not."""
    used = set(names(ast.parse(source)))
    banned = {
        ban
        for ban, allowed in BANNED.items()
        if not any(
            path == place or (place[-1] == "/" and path.startswith(place)) for place in allowed
        )
    }
    if path == "app.py":
        banned |= set(BANNED_IN_APP)
    return {ban for ban in banned if any(f"{name}.".startswith(f"{ban}.") for name in used)}


def test_no_file_uses_a_name_that_is_banned_there() -> None:
    found = {
        path.as_posix(): breaches(path.as_posix(), tree.read(path)) for path in tree.files("*.py")
    }
    assert {path: used for path, used in found.items() if used} == {}


@pytest.mark.parametrize(
    ("ban", "path", "source"),
    [
        ("unittest.mock", "tests/api/test_tasks.py", "from unittest import mock"),
        ("unittest.mock", "tests/api/test_tasks.py", "from unittest.mock import patch"),
        ("unittest.mock", "bench/calls.py", "import unittest.mock as fake"),
        ("unittest.mock", "simulator/phone.py", "import unittest\nunittest.mock.Mock()"),
        ("twilio.rest", "simulator/phone.py", "from twilio.rest import Client"),
        ("twilio.rest", "voice/hang_up.py", "import twilio\ntwilio.rest.Client()"),
        ("time.time", "simulator/phone.py", "import time\ntime.time()"),
        ("time.time_ns", "routing/task.py", "from time import time_ns as now"),
        ("datetime.datetime.now", "app.py", "import datetime as dt\ndt.datetime.now(dt.UTC)"),
        ("datetime.datetime.now", "voice/x.py", "from datetime import datetime\ndatetime.now()"),
        ("json.loads", "voice/x.py", "import json\njson.loads('1')"),
        ("sqlalchemy", "app.py", "from sqlalchemy import create_engine"),
        ("simulator", "app.py", "import simulator.phone"),
    ],
)
def test_a_banned_name_is_seen(ban: str, path: str, source: str) -> None:
    assert breaches(path, source) == {ban}


def test_a_name_is_allowed_where_it_belongs() -> None:
    assert breaches("routing/clock.py", "import time\ntime.time_ns()") == set()
    assert breaches("voice/phone_line.py", "from twilio.rest import Client") == set()
    assert breaches("routing/task.py", "import time\ntime.monotonic()") == set()


def imports_from_outside(source: str) -> set[str]:
    """The packages that a file imports and that are neither the standard library nor the engine."""
    firsts = {name.split(".")[0] for _, name in _imported(ast.parse(source))}
    return firsts - set(sys.stdlib_module_names) - {"routing"}


def test_the_engine_imports_the_standard_library_and_itself() -> None:
    engine = [
        path
        for path in tree.files("*.py")
        if path.parts[0] == "routing" and path.parts[1] not in FACING_OUTSIDE
    ]
    found = {path.as_posix(): imports_from_outside(tree.read(path)) for path in engine}
    assert {path: outside for path, outside in found.items() if outside} == {}


def test_an_import_from_outside_is_seen_in_the_engine() -> None:
    assert imports_from_outside("import re\nfrom routing import sids\nimport attrs") == {"attrs"}
    assert imports_from_outside("def f():\n    import flask.json") == {"flask"}
