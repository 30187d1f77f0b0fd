"""The simulator's README: every command in it works, with nothing of Tandem beside it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.servers import free_ports

ROOT = Path(__file__).parents[2]
README = (ROOT / "simulator/README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="NO CURL: README was not tried"
)
def test_every_command_of_the_readme_works_without_tandem(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "simulator", tmp_path / "simulator", ignore=shutil.ignore_patterns("__pycache__")
    )
    application, client, in_tests = blocks("python")
    (tmp_path / "hello.py").write_text(application)
    (tmp_path / "client.py").write_text(client)
    (tmp_path / "in_tests.py").write_text(in_tests)
    commands = "\n".join(blocks("sh"))
    script = f"set -eux\n{commands}\npython client.py\npython in_tests.py\n"
    for port, free in zip(("8000", "8002"), free_ports(2), strict=True):
        script = script.replace(f":{port}", f":{free}").replace(f"--port {port}", f"--port {free}")
        for path in tmp_path.glob("*.py"):
            path.write_text(path.read_text().replace(port, str(free)))
    simulator_port = re.search(r"127\.0\.0\.1:(\d+)/healthz", script)
    assert simulator_port
    script = script.replace("-m simulator", f"-m simulator --port {simulator_port[1]}")
    script = script.replace("python ", f"{sys.executable} ").replace(
        "flask --app", f"{sys.executable} -m flask --app"
    )
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
    }
    with (tmp_path / "told").open("w") as told:  # not a pipe: the servers would keep it open
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
    try:
        status = process.wait(60)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    said = (tmp_path / "told").read_text()
    assert status == 0, said
    assert "You pressed 7." in said


def test_the_readme_names_every_request_of_the_control_door() -> None:
    control = (ROOT / "simulator/control.py").read_text()
    for rule in re.findall(r'\("(/simulator/[^"<]*)', control):
        assert rule.rstrip("/") in README, rule


def test_the_readme_names_every_option_that_changes_what_the_network_does() -> None:
    options = set(re.findall(r'"(--[a-z-]+)"', (ROOT / "simulator/__main__.py").read_text()))
    told_by_help = {
        "--host", "--port", "--account-sid", "--auth-token", "--fallback-url",
        "--status-callback-url", "--characters-per-second",
    }  # fmt: skip
    assert {option for option in options if option not in README} <= told_by_help


def test_the_readme_names_every_verb_and_every_fault() -> None:
    from simulator.faults import REST_FAULTS, WEBHOOK_FAULTS
    from simulator.vocabulary import VERBS

    for name in (*VERBS, *WEBHOOK_FAULTS, *REST_FAULTS):
        assert f"`{name}`" in README or f"`{name}" in README, name
