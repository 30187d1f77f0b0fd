"""The README's programs for moving an existing program over, run as they stand there."""

import json
import re
import subprocess
import sys

import pytest

from tests.api.service import ACCOUNT_SID, AUTH_TOKEN, Centre
from tests.api.test_node_client import address
from tests.house import tree
from tests.node import programs

__all__ = ["address"]  # the fixture

DOCUMENTED = "http://127.0.0.1:8000"


def written(language: str) -> str:
    """The README's program in that language."""
    [readme] = [path for path in tree.files("README.md") if len(path.parts) == 1]
    section = tree.read(readme).partition("## Moving an existing program over")[2]
    [program] = re.findall(rf"```{language}\n(.*?)```", section.partition("\n### ")[0], re.DOTALL)
    assert sum(bool(line) for line in program.splitlines()) == 6
    assert program.count(DOCUMENTED) == 1
    return str(program)


def ended_well(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize("language", ["python", "js"])
def test_six_lines_move_a_program_over(centre_on_each: Centre, address: str, language: str) -> None:
    program = written(language).replace(DOCUMENTED, address)
    sid, token = json.dumps(ACCOUNT_SID), json.dumps(AUTH_TOKEN)
    if language == "python":
        whole = f"account_sid, auth_token = {sid}, {token}\n{program}"
        said = ended_well([sys.executable, "-c", whole])
    else:
        whole = f"const [accountSid, authToken] = [{sid}, {token}];\n(async () => {{{program}}})();"
        said = ended_well([programs.node(), "-e", _beside_the_libraries(whole)])
    [task] = centre_on_each.workspace.tasks.list()
    assert said == task.assignment_status == "pending"
    assert json.loads(task.attributes) == {"language": "ja"}
    assert task.task_channel_unique_name == "chat"


def _beside_the_libraries(program: str) -> str:
    """Where a program would have installed the library itself."""
    library = json.dumps(str(programs.HERE / "node_modules" / "twilio"))
    return program.replace('require("twilio")', f"require({library})")
