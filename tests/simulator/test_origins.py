"""Pages in a browser at the control door: those that were named may use it, nobody else's."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from commands.serve import simulator_command
from settings import load
from simulator.clock import ManualClock
from simulator.server import Simulator
from simulator.settings import Settings
from tests.simulator.application import TOKEN, Application
from tests.simulator.town import ACCOUNT, CALLER, LINE, Town

ROOT = Path(__file__).parents[2]
OURS = "http://127.0.0.1:8000"
ORDER = {"from": CALLER, "to": LINE}


@pytest.fixture
def shared(application: Application) -> Iterator[Town]:
    """A town whose simulator may be used by pages of `OURS`."""
    application.says("/voice", "<Enqueue>x</Enqueue>")
    town = Town(application)
    settings = Settings(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        voice_urls={LINE: application.url("/voice")},
        allowed_origins=(OURS,),
    )
    town.simulator = Simulator(settings, ManualClock())
    with town.simulator:
        yield town


def ask(town: Town, method: str, path: str, origin: str, **more: str) -> requests.Response:
    headers = {"Origin": origin, **{name.replace("_", "-"): value for name, value in more.items()}}
    body = ORDER if method == "POST" else None
    url = f"{town.simulator.url}{path}"
    return requests.request(method, url, json=body, headers=headers, timeout=20)


def test_a_page_of_a_named_origin_asks_whether_it_may_and_then_dials(shared: Town) -> None:
    asked = ask(
        shared,
        "OPTIONS",
        "/simulator/calls",
        OURS,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="content-type",
        Access_Control_Request_Private_Network="true",
    )
    assert asked.ok
    assert asked.headers["Access-Control-Allow-Origin"] == OURS
    assert {"GET", "POST", "PUT", "DELETE"} == set(
        asked.headers["Access-Control-Allow-Methods"].split(", ")
    )
    assert "Content-Type" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["Access-Control-Allow-Private-Network"] == "true"
    answer = ask(shared, "POST", "/simulator/calls", OURS)
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "Origin" in answer.headers["Vary"]


def test_a_refusal_can_be_read_by_a_page_of_a_named_origin(shared: Town) -> None:
    answer = ask(shared, "GET", "/simulator/calls/CA0", OURS)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (404, OURS)
    assert answer.json() == {"error": "there is no call CA0"}


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8001",
        "http://localhost:8000",
        "https://127.0.0.1:8000",
        "null",
        "http://x",
    ],
)
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
def test_pages_of_anybody_else_are_refused_and_nothing_is_dialled(
    shared: Town, origin: str, method: str
) -> None:
    answer = ask(shared, method, "/simulator/calls", origin)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert origin in answer.json()["error"]
    assert shared.state()["calls"] == []


def test_the_simulators_own_page_needs_no_permission_but_a_name_that_only_leads_here_does(
    shared: Town,
) -> None:
    url = shared.simulator.url
    assert ask(shared, "POST", "/simulator/calls", url).status_code == 201
    local = url.replace("127.0.0.1", "localhost")
    host = local.removeprefix("http://")
    assert ask(shared, "POST", "/simulator/calls", local, Host=host).status_code == 201
    rebound = url.replace("127.0.0.1", "evil.example")
    host = rebound.removeprefix("http://")
    assert ask(shared, "POST", "/simulator/calls", rebound, Host=host).status_code == 403


def test_the_rest_door_knows_no_browsers(shared: Town) -> None:
    answer = ask(shared, "GET", f"/2010-04-01/Accounts/{ACCOUNT}.json", OURS)
    assert answer.status_code == 401
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "given", ["127.0.0.1:8000", "http://127.0.0.1:8000/desk", "*", "http://a:b"]
)
def test_an_origin_that_is_none_is_refused_at_the_start(given: str) -> None:
    command = [sys.executable, "-m", "simulator", "--allow-origin", given]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "an origin was expected" in told.stderr


def test_the_house_names_its_own_pages_to_the_simulator(tmp_path: Path) -> None:
    environment = {
        "PORT": "8123",
        "PUBLIC_URL": "https://x.example:444/tandem",
        "INSTANCE_PATH": str(tmp_path),
        "CALL_FLOW": str(ROOT / "call_flow.toml"),
    }
    command = simulator_command(load(environment))
    named = [word for mark, word in itertools.pairwise(command) if mark == "--allow-origin"]
    assert named == ["http://127.0.0.1:8123", "http://localhost:8123", "https://x.example:444"]
