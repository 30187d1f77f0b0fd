"""`fixtures record`: calls of the simulated network, and those that pass a wiretap, as files."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from bench.servers import free_ports
from simulator.server import Simulator
from simulator.settings import Settings
from tests.voice.office import CALLER, NUMBER, TOKEN, Office
from tests.voice.test_recorded_calls import ACCOUNT, ROOT, served
from voice.fixtures import tape

PATIENCE = 60


class Recorder:
    """The command, running; it says on its error output that it has begun."""

    def __init__(self, folder: Path, *words: str, **settings: str) -> None:
        environment = dict(os.environ) | settings
        environment |= {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "INSTANCE_PATH": str(folder),
        }
        self.into = folder / "recordings"
        command = [sys.executable, "-m", "flask", "--app", "app", "fixtures", "record"]
        self._process = subprocess.Popen(
            [*command, "--into", str(self.into), "--calls", "1", *words],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        assert "Recording" in self._process.stderr.readline()

    def told(self) -> tape.Tape:
        """What was recorded, when the command has ended."""
        said, _ = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0
        [path] = self.into.glob("*.json")
        assert path.name in said
        return tape.read(path)


def call(simulator: Simulator) -> None:
    """Somebody dials, hears the greeting, and hangs up."""
    control = f"{simulator.url}/simulator/calls"
    sid = requests.post(control, json={"from": CALLER, "to": NUMBER}, timeout=20).json()["sid"]
    while not requests.get(f"{control}/{sid}", timeout=20).json()["heard"]:
        threading.Event().wait(0.02)
    assert requests.post(f"{control}/{sid}/hangup", timeout=20).ok


def network(url: str) -> Simulator:
    return Simulator(
        Settings(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            voice_urls={NUMBER: f"{url}/voice/incoming"},
            status_callbacks={NUMBER: f"{url}/voice/call-status"},
        )
    )


@pytest.mark.parametrize("mask", [False, True])
def test_a_call_of_the_simulator_becomes_a_file(
    small_office: Office, tmp_path: Path, mask: bool
) -> None:
    with served(small_office.centre) as url, network(url) as simulator:
        recorder = Recorder(
            tmp_path,
            *(["--mask"] if mask else []),
            SIMULATOR="on",
            TWILIO_API_URL=simulator.url,
            PUBLIC_URL=url,
        )
        call(simulator)
        told = recorder.told()
    first, last = told.webhooks[0], told.webhooks[-1]
    assert (first.url, last.url) == ("/voice/incoming", "/voice/call-status")
    assert first.answer is not None
    assert "recorded centre" in first.answer.body
    assert (told.masked, first.parameters["From"] == CALLER) == (mask, not mask)


def test_a_call_that_passes_a_wiretap_becomes_a_file(small_office: Office, tmp_path: Path) -> None:
    [tap] = free_ports(1)
    public = f"http://127.0.0.1:{tap}"  # where a tunnel would lead
    with served(small_office.centre, public) as url, network(public) as simulator:
        port = url.rpartition(":")[2]
        recorder = Recorder(
            tmp_path, "--tap", str(tap), SIMULATOR="off", PORT=port, PUBLIC_URL=public
        )
        call(simulator)
        told = recorder.told()
    assert told.webhooks[0].url == "/voice/incoming"
    assert told.webhooks[-1].parameters["CallStatus"] == "completed"
