"""The project's own files, and a copy of its packages in which a wall may be broken."""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"build", "built", "built.new", "instance", "node_modules", "__pycache__"}


def files(pattern: str = "*") -> list[Path]:
    """Our files whose name matches `pattern`, relative to the root, in order."""
    return list(_below(ROOT, pattern))


def read(path: Path) -> str:
    """The text of one of our files."""
    return (ROOT / path).read_text(encoding="utf-8")


def _below(folder: Path, pattern: str) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {".ci", ".env.example"}
        if hidden or path.name in NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _below(path, pattern)
        elif path.match(pattern):
            yield path.relative_to(ROOT)


def settings() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def copy_packages(destination: Path) -> None:
    """Copy the packages that import-linter looks at, and the tools' settings."""
    for package in settings()["tool"]["importlinter"]["root_packages"]:
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "built")
        shutil.copytree(ROOT / package, destination / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", destination)
