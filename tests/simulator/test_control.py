"""The control door: what it refuses and how, following the log, the simulator as a process."""

import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.clock import ManualClock, RealClock, ScaledClock
from simulator.server import PortInUse, Simulator
from simulator.settings import Settings
from tests.simulator.application import TOKEN, Application
from tests.simulator.town import ACCOUNT, CALLER, LINE, Town

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/simulator/calls", b"", 400),
        ("POST", "/simulator/calls", b"\xff", 400),
        ("POST", "/simulator/calls", b"[" * 100_000, 400),
        ("POST", "/simulator/calls", b'{"from": "+15550123"}', 400),
        ("POST", "/simulator/calls", b'{"from": "me", "to": "+15550100"}', 400),
        ("POST", "/simulator/calls", b'{"from": "+15550123", "to": "+15550100", "x": 1}', 400),
        ("POST", "/simulator/calls", b'{"from": "+15550123", "to": "+15559999"}', 404),
        ("POST", "/simulator/calls/CAx/hangup", b"", 404),
        ("PUT", "/simulator/endpoints/ann", b'{"on_ring": "answer"}', 400),
        ("PUT", "/simulator/endpoints/client%3Aann", b'{"on_ring": "sing"}', 400),
        ("PUT", "/simulator/endpoints/client:a", b'{"on_ring": "busy", "delay_seconds": -1}', 400),
        ("PUT", "/simulator/endpoints/client:a", b'{"on_ring": "answer", "answered_by": 1}', 400),
        ("PUT", "/simulator/endpoints/client:a", b'{"on_ring": "busy", "sip_code": 200}', 400),
        ("POST", "/simulator/faults", b'{"do": "lose"}', 400),
        ("POST", "/simulator/faults", b'{"webhook": "/x", "do": "429"}', 400),
        ("GET", "/simulator/log?since=soon", b"", 400),
        ("GET", "/simulator/log?wait=nan", b"", 400),
        ("POST", "/simulator/clock", b'{"advance_seconds": -1}', 400),
    ],
)
def test_a_wrong_order_is_refused_with_what_was_expected(
    town: Town, method: str, path: str, body: bytes, status: int
) -> None:
    answer = requests.request(method, f"{town.simulator.url}{path}", data=body, timeout=20)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/simulator/calls", 405), ("POST", "/healthz", 405)],
)
def test_an_address_that_leads_nowhere_is_refused_in_json(
    town: Town, method: str, path: str, status: int
) -> None:
    answer = requests.request(method, f"{town.simulator.url}{path}", timeout=20)
    assert answer.status_code == status
    assert path in answer.json()["error"]


def test_a_body_beyond_all_reason_is_refused(town: Town) -> None:
    url = f"{town.simulator.url}/simulator/calls"
    assert requests.post(url, data=b"x" * 300_000, timeout=20).status_code == 413


def test_the_state_can_be_limited_to_what_goes_on(town: Town, application: Application) -> None:
    application.says("/voice", "<Dial><Conference>x</Conference></Dial>")
    over, live = town.dial(), town.dial(to=LINE)
    town.hang_up(over)
    state = town.get("/simulator/state?live=true")
    assert [call["sid"] for call in state["calls"]] == [live]
    assert len(town.state()["calls"]) == 2
    town.hang_up(live)
    assert town.get("/simulator/state?live=true")["conferences"] == []


def test_the_oldest_calls_are_forgotten_but_none_that_goes_on(application: Application) -> None:
    settings = Settings(
        account_sid=ACCOUNT, auth_token=TOKEN, voice_url=application.url("/voice"), history_size=3
    )
    application.says("/voice", "<Enqueue>x</Enqueue>")
    town = Town(application)
    town.simulator = Simulator(settings, ManualClock())
    with town.simulator:
        live = town.dial()
        for _ in range(6):
            town.hang_up(town.dial())
        calls = town.state()["calls"]
    assert len(calls) == 4
    assert calls[0]["sid"] == live


def test_keys_are_pressed_only_in_a_call_that_was_answered(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Pause length="5"/><Gather action="keys"/>')
    sid = town.dial()
    assert town.post(f"/simulator/calls/{sid}/press", {"digits": "1"}).status_code == 409
    town.wait(5)
    assert town.post(f"/simulator/calls/{sid}/press", {"digits": "x"}).status_code == 400
    assert town.post(f"/simulator/calls/{sid}/press", {"digits": "1"}).status_code == 200


def test_the_log_is_followed_without_polling(application: Application) -> None:
    application.says("/voice", "<Say>Hello</Say>")
    town = Town(application, RealClock())
    with town.simulator:
        seen: list[Any] = []

        def follow() -> None:
            answer = town.get("/simulator/log?since=0&wait=20")
            seen.extend(answer["entries"])

        reader = threading.Thread(target=follow)
        reader.start()
        town.dial()
        reader.join()
    line = seen[0]
    assert line["number"] == 1
    assert (line["kind"], line["method"], line["status"]) == ("webhook", "POST", 200)
    assert line["url"] == application.url("/voice")
    assert line["parameters"]["From"] == CALLER
    assert line["duration_ms"] > 0
    assert "Hello" in line["answer"]


def test_real_time_passes_by_itself(application: Application) -> None:
    application.says("/voice", '<Pause length="2"/><Redirect>next</Redirect>')
    application.says("/next", "<Hangup/>")
    town = Town(application, ScaledClock(100))
    with town.simulator:
        town.dial()
        application.wait_for("/next")
        assert application.wait_for("/status").form["CallStatus"] == "completed"
        assert town.post("/simulator/clock", {"advance_seconds": 1}).status_code == 409


def test_hundreds_of_calls_at_once_need_no_thread_each(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Enqueue waitUrl="wait">support</Enqueue>')
    application.says("/wait", '<Pause length="30"/>')
    before = threading.active_count()
    sids = [
        town.post("/simulator/calls", {"from": CALLER, "to": LINE}).json()["sid"]
        for _ in range(100)
    ]
    town.settle()
    # The crews are bounded, however many calls there are; the application's own threads are gone.
    workers = town.simulator.settings.webhook_workers + town.simulator.settings.request_workers
    assert threading.active_count() - before <= workers
    members = town.state()["queues"][0]["members"]
    assert {member["call_sid"] for member in members} == set(sids)
    assert [member["position"] for member in members] == list(range(1, 101))


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        simulator = Simulator(Settings(account_sid=ACCOUNT, auth_token=TOKEN, port=port))
        with pytest.raises(PortInUse, match=str(port)):
            simulator.start()
        command = [sys.executable, "-m", "simulator", "--port", str(port)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert str(port) in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_a_signal_stops_it_cleanly(
    application: Application, number: signal.Signals
) -> None:
    application.says("/voice", "<Hangup/>")
    command = [sys.executable, "-m", "simulator", "--port", "0", "--number"]
    command.append(f"{LINE}={application.url('/voice')}")
    environment = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        greeting = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", greeting)
        assert found, greeting
        assert requests.get(f"{found[0]}/healthz", timeout=20).json() == {"status": "ok"}
        dialled = requests.post(
            f"{found[0]}/simulator/calls", json={"from": CALLER, "to": LINE}, timeout=20
        )
        assert dialled.status_code == 201
        assert application.wait_for("/voice").is_signed
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    assert TOKEN not in greeting


@pytest.mark.parametrize(
    "arguments",
    [["--number", "5550100=http://x"], ["--number", "+15550100"], ["--account-sid", "me"]],
)
def test_a_wrong_argument_ends_with_status_2(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "simulator", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert arguments[1] in ended.stderr


def test_the_help_names_the_control_door() -> None:
    command = [sys.executable, "-m", "simulator", "--help"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "/simulator/calls" in ended.stdout
