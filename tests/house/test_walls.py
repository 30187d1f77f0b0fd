"""Each wall that the tools hold is broken once, in a copy of the tree, to see the tool fail."""

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import tree

BIN = Path(sys.executable).parent
INSIDE = "The stairs inside routing"
HOUSE = "The stairs of the house"
APP = "Nobody imports the composition root"
FRONT_DOOR = "Voice and desk enter the engine by its front door only"
SIMULATOR = "The simulator knows nothing of Tandem"
TANDEM = "Tandem knows nothing of the simulator"
FRAMEWORK = "The engine knows no framework"
SQL = "Only the store speaks SQL"
TWILIO = "Only voice speaks Twilio"

#: contract, the module that breaks it, what it imports
BREACHES = [
    (INSIDE, "routing.task", "routing.reservation"),
    (INSIDE, "routing.sids", "routing.clock"),
    (INSIDE, "routing.a_room_nobody_listed", "routing.sids"),
    (HOUSE, "routing.task", "voice"),
    (HOUSE, "routing.api.tasks", "desk"),
    (HOUSE, "voice.incoming_call", "desk"),
    (HOUSE, "voice.incoming_call", "commands"),
    (APP, "routing.api.tasks", "app"),
    (APP, "simulator.phone", "app"),
    (FRONT_DOOR, "voice.incoming_call", "routing.store"),
    (FRONT_DOOR, "voice.hang_up", "routing.background"),
    (FRONT_DOOR, "desk.shells", "routing.api"),
    (SIMULATOR, "simulator.phone", "routing.sids"),
    (SIMULATOR, "simulator.phone", "voice"),
    (TANDEM, "voice.incoming_call", "simulator"),
    (TANDEM, "commands.demo", "simulator"),
    (TANDEM, "routing.clock", "simulator.phone"),
    (FRAMEWORK, "routing.engine", "sqlalchemy"),
    (FRAMEWORK, "routing.task", "flask"),
    (FRAMEWORK, "routing.ports", "twilio.rest"),
    (FRAMEWORK, "routing.json_text", "msgspec"),
    (FRAMEWORK, "routing.workflow", "requests"),
    (SQL, "routing.api.tasks", "sqlalchemy"),
    (SQL, "routing.background.callbacks", "psycopg"),
    (SQL, "voice.incoming_call", "sqlalchemy.orm"),
    (SQL, "commands.provision", "sqlalchemy"),
    (TWILIO, "routing.api.tasks", "twilio.rest"),
    (TWILIO, "desk.shells", "twilio.jwt"),
    (TWILIO, "commands.demo", "twilio.rest"),
]


def stairs() -> list[tuple[str, str]]:
    """Each step of the stairs inside routing with a module of the step above it."""
    contracts = tree.settings()["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["name"] == INSIDE)
    steps = [re.findall(r"\w+", layer) for layer in layers]
    return [
        (f"routing.{module}", f"routing.{above[0]}")
        for above, below in itertools.pairwise(steps)
        for module in below
    ]


def add_import(root: Path, importer: str, imported: str) -> None:
    """Make module `importer` import `imported`; what does not exist yet comes into being."""
    packages = tree.settings()["tool"]["importlinter"]["root_packages"]
    for module in (importer, imported):
        if module.split(".")[0] in packages:
            path = root / module.replace(".", "/")
            if not path.is_dir():
                path.parent.mkdir(exist_ok=True)
                (path.parent / "__init__.py").touch()
                path.with_suffix(".py").touch()
    path = root / importer.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    path.write_text(f"{path.read_text()}\nimport {imported}\n")


@pytest.fixture
def lint_imports(tmp_path: Path) -> Callable[[], str]:
    """Run import-linter over a copy of the tree in tmp_path; its verdicts."""
    tree.copy_packages(tmp_path)

    def run() -> str:
        done = subprocess.run(
            [BIN / "lint-imports", "--no-logo", "--no-cache"],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode == 0) == (" 0 broken." in done.stdout), done.stdout + done.stderr
        return done.stdout

    return run


def test_the_walls_stand(lint_imports: Callable[[], str]) -> None:
    verdicts = lint_imports()
    assert "BROKEN" not in verdicts
    contracts = tree.settings()["tool"]["importlinter"]["contracts"]
    assert {c["name"] for c in contracts} == {contract for contract, _, _ in BREACHES}


@pytest.mark.parametrize(("contract", "importer", "imported"), BREACHES)
def test_an_import_across_a_wall_is_seen(
    contract: str, importer: str, imported: str, tmp_path: Path, lint_imports: Callable[[], str]
) -> None:
    add_import(tmp_path, importer, imported)
    assert f"{contract} BROKEN" in lint_imports()


@pytest.mark.parametrize(("below", "above"), stairs())
def test_no_step_of_the_stairs_may_look_up(
    below: str, above: str, tmp_path: Path, lint_imports: Callable[[], str]
) -> None:
    add_import(tmp_path, below, above)
    assert f"{INSIDE} BROKEN" in lint_imports()


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        ("TID251", "routing/task.py", "import datetime\n\nNOW = datetime.datetime.now()\n"),
        ("TID251", "routing/task.py", "import time\n\nNOW = time.time()\n"),
        ("TID251", "voice/hang_up.py", "from twilio.rest import Client\n"),
        ("TID251", "routing/api/tasks.py", "import json\n\nBODY = json.loads('')\n"),
        ("TID251", "app.py", "from unittest.mock import Mock\n"),
        ("S307", "routing/expressions.py", "VALUE = eval('1')\n"),
        (
            "C901",
            "voice/x.py",
            "def f(x):\n" + "".join(f"    if x == {n}: x = 0\n" for n in range(9)),
        ),
        ("F401", "tests/x.py", "import os\n"),
    ],
)
def test_ruff_sees_what_is_banned(rule: str, path: str, source: str) -> None:
    seen = subprocess.run(
        [BIN / "ruff", "check", "--output-format=concise", f"--stdin-filename={path}", "-"],
        cwd=tree.ROOT,
        input=source,
        check=False,
        capture_output=True,
        text=True,
    )
    assert seen.returncode == 1
    assert f" {rule} " in seen.stdout


def test_ruff_sees_a_file_that_was_not_formatted() -> None:
    seen = subprocess.run(
        [BIN / "ruff", "format", "--check", "--stdin-filename=voice/x.py", "-"],
        cwd=tree.ROOT,
        input="x = {  'a':1 }\n",
        check=False,
        capture_output=True,
        text=True,
    )
    assert seen.returncode == 1


def test_mypy_sees_a_type_that_is_missing_and_one_that_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def undeclared(x): ...\n\n\ndef wrong() -> int:\n    return 'one'\n")
    seen = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", tree.ROOT / "pyproject.toml"),
            *("--cache-dir", tmp_path / "cache", broken),
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert seen.returncode == 1
    assert "[no-untyped-def]" in seen.stdout
    assert "[return-value]" in seen.stdout
