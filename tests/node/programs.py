"""Runs the JavaScript beside this file with the machine's Node, or the one from a wheel.

`make test` installs the libraries (tests/node/package-lock.json). Where there is no Node, or they
are not installed, a test that needs them is skipped and says so; under CI it fails.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_IN_VENV = HERE.parents[1] / ".venv" / "bin" / "node"


def node() -> str:
    """The path of Node. Skips the test where there is none, or where no library is installed."""
    found = shutil.which("node") or (str(_IN_VENV) if _IN_VENV.is_file() else None)
    if found is None:
        _do_without("NO NODE on this machine")
    if not (HERE / "node_modules").is_dir():
        _do_without("NO JAVASCRIPT LIBRARIES: make test installs them into tests/node")
    assert found is not None
    return found


def _do_without(why: str) -> None:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def run(program: str, told: object, seconds: float = 60) -> object:
    """What the program says, given what it is told; both are JSON."""
    ended = subprocess.run(
        [node(), str(HERE / program), json.dumps(told)],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
