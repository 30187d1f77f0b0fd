"""The whole house's log at INFO, after whatever may bring a secret or somebody's words near it."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.journeys.agents import access_token
from tests.journeys.house import ACCOUNT, CALLER, NUMBER, TOKEN, House, Refused

OTHER_CALLER = "+15550987654"
WORDS = "her most private words"


def _knock(house: House) -> list[str]:
    """Whoever may not come in, at every door; the secrets that were tried."""
    guess = "a-guessed-secret-of-somebody"
    for path in ("/v1/Workspaces", "/v1/Nothing", "/v2/Workspaces"):
        assert requests.get(house.web + path, auth=(ACCOUNT, guess), timeout=10).status_code == 401
    forged = {"From": OTHER_CALLER, "To": NUMBER, "CallSid": "CA" + "1" * 32, "SpeechResult": WORDS}
    for path in ("incoming", "waiting", "call-status", "nothing"):
        headers = {"X-Twilio-Signature": guess}
        url = f"{house.web}/voice/{path}?token={guess}"
        assert requests.post(url, data=forged, headers=headers, timeout=10).status_code >= 400
    signing_in = {"username": "alice", "password": guess}
    for path in ("/desk/session", "/desk/sign-in", "/desk/token"):
        requests.post(house.web + path, data=signing_in, timeout=10)
        requests.post(house.web + path, json=signing_in, timeout=10)
    header, payload, _signature = access_token("WS" + "0" * 32, "WK" + "0" * 32).split(".")
    forged_token = f"{header}.{payload}.{guess}"
    address = f"{house.sockets}/{ACCOUNT}/WK{'0' * 32}?token={forged_token}"
    with contextlib.suppress(WebSocketException, OSError), connect(address) as socket:
        socket.recv(timeout=10)
    requests.post(f"{house.event_bridge}/{ACCOUNT}/WK{'0' * 32}?token={forged_token}", timeout=10)
    return [guess, forged_token]


def _callbacks(house: House) -> None:
    """An event callback and an assignment callback to places that take nothing."""
    [workspace] = house.get("/Workspaces")["workspaces"]
    nowhere = "http://127.0.0.1:9/callback?password=in-the-query"
    house.post(house.base, EventCallbackUrl=nowhere)
    for workflow in house.get(f"{house.base}/Workflows")["workflows"]:
        house.post(f"{house.base}/Workflows/{workflow['sid']}", AssignmentCallbackUrl=nowhere)
    assert workspace["sid"] in house.base


def _refused_words(house: House) -> None:
    for form in (
        {"Attributes": f'{{"from": "{OTHER_CALLER}", "note": "{WORDS}"'},
        {"Attributes": f'{{"{WORDS}": 1, "{WORDS}": 2}}'},
        {"TaskChannel": WORDS},
        {"RoutingTarget": WORDS},
        {"VirtualStartTime": WORDS},
    ):
        with pytest.raises(Refused):
            house.post(f"{house.base}/Tasks", **form)
    house.post(f"{house.base}/Tasks", Attributes=json.dumps({"from": OTHER_CALLER, "note": WORDS}))


def test_no_secret_no_number_and_nobodys_words(sqlite_url: str, tmp_path: Path) -> None:
    with House(sqlite_url, tmp_path) as house:
        tried = _knock(house)
        house.dial()
        task_sid = house.task()["sid"]
        house.answer(house.offer(task_sid), ReservationStatus="accepted")
        [caller, *_] = house.until_together()
        with pytest.raises(Refused):
            house.post(f"{house.base}/Tasks/{task_sid}/Conference/Digits", Digits=CALLER)
        house.network("POST", f"/calls/{caller}/hangup")
        house.until_task_is("wrapping")
        _callbacks(house)
        _refused_words(house)
        deliveries = f"{house.base}/Deliveries"
        house.until(lambda: house.get(deliveries)["deliveries"], "a callback to be owed")
        assert house.stop() == 0
    told = (tmp_path / "house.log").read_text()
    assert "Tandem is ready" in told
    secrets = [TOKEN, *tried, "in-the-query"]
    for word in (*secrets, CALLER, NUMBER, OTHER_CALLER, WORDS):
        lines = [line for line in told.splitlines() if word in line]
        assert lines == [], word


SAID = """
import structlog
from commands.logs import set_up_logs

set_up_logs("INFO")
log = structlog.get_logger("voice")
log.warning("twilio did not do it", error="21210: Source phone number +15550123456 is not yours")
try:
    raise RuntimeError("calling +15550123456 from +15550100000")
except RuntimeError:
    log.exception("it broke", attempts=3)
"""


def test_a_number_that_twilio_names_in_what_it_refuses_is_left_out() -> None:
    told = subprocess.run(
        [sys.executable, "-c", SAID], capture_output=True, text=True, check=True
    ).stderr
    refused, broke = map(json.loads, told.splitlines())
    assert refused["error"] == "21210: Source phone number +... is not yours"
    assert "calling +... from +..." in broke["exception"]
    assert (broke["event"], broke["attempts"]) == ("it broke", 3)
