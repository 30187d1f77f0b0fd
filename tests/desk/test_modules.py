"""The pages' pure modules, tested by Node's own test runner."""

import subprocess
from pathlib import Path

from tests.node import programs

MODULES = Path(__file__).parent / "modules"


def test_the_modules_do_what_they_say() -> None:
    files = sorted(str(path) for path in MODULES.glob("*.test.mjs"))
    assert files
    ended = subprocess.run(
        [programs.node(), "--test", *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
