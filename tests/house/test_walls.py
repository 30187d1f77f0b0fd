"""Each wall that the tools hold is broken once, in a copy of the tree, to see the tool fail."""

import itertools
import re
import subprocess
import sys
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

#: A line of import-linter's that is a whole chain.
_DIRECTLY = re.compile(r"^- +(\S+) -> (\S+) \(l\.\d+\)\n(?=\n|\Z)", re.MULTILINE)


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


def verdicts(root: Path) -> str:
    """What import-linter says of the copy of the tree in `root`."""
    done = subprocess.run(
        [BIN / "lint-imports", "--no-logo", "--no-cache"],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == (" 0 broken." in done.stdout), done.stdout + done.stderr
    return done.stdout


def complaints(told: str) -> set[tuple[str, str, str]]:
    """Of its verdicts: each contract that is broken, with the module that does and what it imports.

    Who breaks it by way of others is not among them.
    """
    _, _, broken = told.partition("Broken contracts\n")
    sections = re.split(r"^(.+)\n-+\n", broken, flags=re.MULTILINE)[1:]
    return {
        (contract, importer, imported)
        for contract, section in zip(sections[::2], sections[1::2], strict=True)
        for importer, imported in _DIRECTLY.findall(section)
    }


def test_the_walls_stand(tmp_path: Path) -> None:
    tree.copy_packages(tmp_path)
    assert "BROKEN" not in verdicts(tmp_path)
    contracts = tree.settings()["tool"]["importlinter"]["contracts"]
    assert {c["name"] for c in contracts} == {contract for contract, _, _ in BREACHES}


def test_every_import_across_a_wall_is_seen_and_none_may_look_up_the_stairs(
    tmp_path: Path,
) -> None:
    breaches = {*BREACHES, *((INSIDE, below, above) for below, above in stairs())}
    tree.copy_packages(tmp_path)
    for _, importer, imported in breaches:
        add_import(tmp_path, importer, imported)
    seen = complaints(verdicts(tmp_path))
    assert {breach for breach in breaches if _as_told(*breach) not in seen} == set()


def _as_told(contract: str, importer: str, imported: str) -> tuple[str, str, str]:
    """Of a library import-linter knows the name alone."""
    ours = {*tree.settings()["tool"]["importlinter"]["root_packages"], "app"}
    library = imported.partition(".")[0]
    return contract, importer, imported if library in ours else library


def test_a_room_that_nobody_has_listed_is_seen(tmp_path: Path) -> None:
    tree.copy_packages(tmp_path)
    add_import(tmp_path, "routing.a_room_nobody_listed", "routing.sids")
    assert f"{INSIDE} BROKEN" in verdicts(tmp_path)


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
