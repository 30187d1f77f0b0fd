"""The house's papers say what is so: the signs on the doors, the locks, the sizes of the rooms."""

import ast
import re
from pathlib import Path

import pytest

from tests.house import tree

LONGEST_FILE = 500  # lines; a room that grows past it is split by meaning, a migration is not
LOCKS = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-postgresql.txt",
    "requirements-node.txt",
]
#: Written in halves, or this file would be one that says them.
FOREIGN = ["/wo" + "rk/", "issues" + " show", "localhost" + " registry"]
TEXT = {".css", ".env", ".html", ".ini", ".js", ".json", ".mako", ".md", ".py", ".sh", ".sql"}
TEXT |= {".toml", ".ts", ".txt", ".xml", ".yml", ".yaml", ""}


def test_no_file_is_too_long() -> None:
    rooms = [path for path in tree.files("*.py") if path.parent.name != "versions"]
    lengths = {path.as_posix(): len(tree.read(path).splitlines()) for path in rooms}
    too_long = {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE}
    assert too_long == {}, "split it by meaning"


def test_a_room_has_a_sign_on_its_door() -> None:
    rooms = [path for path in tree.files("*.py") if path.parts[0] != "tests"]
    bare = [path.as_posix() for path in rooms if not ast.get_docstring(ast.parse(tree.read(path)))]
    assert bare == [], "say in a docstring what it is for and what it must never do"


def test_every_folder_of_code_is_a_package_with_a_sign() -> None:
    folders = {p.parent for p in tree.files("*.py") if p.parent != Path() and p.parts[0] != "tests"}
    bare = {f for f in folders if not (tree.ROOT / f / "__init__.py").is_file()}
    assert {f for f in bare if "migrations" not in f.parts} == set()


def test_import_linter_sees_every_package() -> None:
    listed = set(tree.settings()["tool"]["importlinter"]["root_packages"])
    packages = {p.parts[0] for p in tree.files("*.py") if len(p.parts) > 1}
    assert packages - {"tests", "bench"} == listed


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_and_hashes_everything_and_names_no_index(lock: str) -> None:
    text = tree.read(Path(lock)).replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[\w.]+( ; [^-]*)? +--hash=sha256:[0-9a-f]{64}\b", requirement)
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", text)


def test_the_locks_agree_on_every_version() -> None:
    pinned: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(
            r"^([a-z0-9-]+)==([\w.]+)", tree.read(Path(lock)), re.MULTILINE
        ):
            pinned.setdefault(name, set()).add(version)
    assert {name: versions for name, versions in pinned.items() if len(versions) > 1} == {}


@pytest.mark.parametrize("group", ["dependencies", "dev", "postgresql", "node"])
def test_every_dependency_is_locked(group: str) -> None:
    wanted = (
        tree.settings()["project"]["dependencies"]
        if group == "dependencies"
        else tree.settings()["dependency-groups"][group]
    )
    lock = LOCKS[["dependencies", "dev", "postgresql", "node"].index(group)]
    text = tree.read(Path(lock))
    for requirement in wanted:
        name = re.match(r"[\w-]+", requirement)
        assert name
        assert re.search(rf"^{name[0].lower()}==", text, re.MULTILINE), f"{name[0]}: make lock"


def test_no_file_names_the_place_where_it_was_written() -> None:
    said = {
        (path.as_posix(), word)
        for path in tree.files()
        if path.suffix in TEXT
        for word in FOREIGN
        if word in tree.read(path)
    }
    assert said == set()
