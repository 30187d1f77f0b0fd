"""`flask --app app users ...`, as somebody types it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from routing.engine import users
from tests import command_line
from tests.desk.server.front import PASSWORD, Front

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., Result]


@pytest.fixture
def instance(front: Front, tmp_path: Path) -> Path:
    """The instance folder of the front, which goes on serving."""
    assert front
    return tmp_path / "front-0" / "instance"


@pytest.fixture
def run(front: Front, instance: Path) -> Run:
    """The command on the database of the front."""

    def run_it(*words: str, typed: str = "") -> Result:
        url = front.settings.database_url
        return command_line.run("users", *words, database_url=url, folder=instance, typed=typed)

    return run_it


def test_the_command_can_be_started_as_a_program(front: Front, instance: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "users", "list"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "DATABASE_URL": front.settings.database_url,
            "INSTANCE_PATH": str(instance),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    assert "alice" in listed.stdout


def test_somebody_is_added_let_in_locked_out_and_let_in_again(front: Front, run: Run) -> None:
    added = run("add", "Ann", "--worker", "Alice", "--password-stdin", typed=f"{PASSWORD}\n")
    assert added.exit_code == 0, added.stderr
    assert "ann is an agent now" in added.stdout
    browser = front.browser().sign_in("ann")
    assert browser.told["user"]["worker_sid"] == front.worker_sid("Alice")

    another = "quite another password"
    changed = run("password", "ann", "--password-stdin", typed=f"{another}\n")
    assert changed.exit_code == 0, changed.stderr
    assert browser.look()["user"] is None
    assert browser.try_in("ann", PASSWORD).status_code == 401
    browser.sign_in("ann", another)

    assert run("disable", "ann").exit_code == 0
    assert browser.look()["user"] is None
    assert browser.try_in("ann", another).status_code == 401

    listed = run("list").stdout
    assert [line.split()[1:4] for line in listed.splitlines()] == [
        ["alice", "agent", "demo"],
        ["ann", "agent", "disabled"],
        ["bob", "agent", "demo"],
        ["carol", "supervisor", "demo"],
    ]
    assert run("enable", "ann").exit_code == 0
    browser.sign_in("ann", another)
    for said in (added, changed):
        assert PASSWORD not in said.stdout + said.stderr
        assert another not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("add", "ann", "--password-stdin"), PASSWORD, "worker"),
        (("add", "ann", "--worker", "Nobody", "--password-stdin"), PASSWORD, "worker"),
        (("add", "ann", "--role", "supervisor", "--password-stdin"), "short", "password"),
        (("add", "a b", "--role", "admin", "--no-password"), "", "name"),
        (("add", "alice", "--role", "admin", "--no-password"), "", "already exists"),
        (("add", "ann", "--role", "king", "--no-password"), "", "--role"),
        (("add", "ann", "--role", "admin", "--workspace", "WS0", "--no-password"), "", "workspace"),
        (("add", "ann", "--no-password", "--password-stdin"), "", "either"),
        (("password", "nobody", "--password-stdin"), PASSWORD, "/Users/nobody"),
        (("password", "alice", "--password-stdin"), PASSWORD, "demo"),
        (("disable", "nobody"), "", "/Users/nobody"),
        (("enable", "nobody"), "", "/Users/nobody"),
    ],
)
def test_a_mistake_is_told_by_name_and_changes_nothing(
    front: Front, run: Run, words: tuple[str, ...], typed: str, said: str
) -> None:
    before = front.engine.read(users.every)
    ended = run(*words, typed=f"{typed}\n")
    assert ended.exit_code != 0
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert front.engine.read(users.every) == before


def test_who_signs_in_through_a_provider_only_has_no_password(front: Front, run: Run) -> None:
    ended = run("add", "ann@example.com", "--role", "supervisor", "--no-password")
    assert ended.exit_code == 0, ended.stderr
    browser = front.browser()
    browser.look()
    assert browser.try_in("ann@example.com", "anything at all").status_code == 401
    assert " openid " in run("list").stdout
