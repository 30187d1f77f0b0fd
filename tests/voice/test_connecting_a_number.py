"""`connect` and `disconnect`: a number of the account leads here and back, asked for first."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from commands.connect import connect, disconnect
from simulator.server import Simulator
from simulator.settings import Settings
from voice.numbers import Leading, Numbers, OwnNumber

ACCOUNT = "AC" + "6" * 32
TOKEN = "of the numbers' account"
NUMBER, OTHER = "+15550100", "+15550100200"
PUBLIC = "https://tandem.example.com"
BEFORE = Leading(
    voice_url="https://old.example/twiml",
    voice_method="GET",
    voice_fallback_url="https://old.example/fallback",
    voice_fallback_method="POST",
    status_callback="",
    status_callback_method="POST",
    voice_application_sid="",
)


class Account:
    """The account at the simulated Twilio, and a machine with the command line."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.folder = folder
        self._simulator = simulator
        self.numbers = Numbers(account_sid=ACCOUNT, auth_token=TOKEN, api_url=simulator.url)
        self.numbers.lead(self.own().sid, BEFORE)

    def own(self) -> OwnNumber:
        found = self.numbers.find(NUMBER)
        assert found is not None
        return found

    def run(self, *words: str, says: str = "", **settings: str) -> Result:
        """`flask --app app connect|disconnect ...`, on this account's settings."""
        environment = {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": self._simulator.url,
            "PUBLIC_URL": PUBLIC,
            "INSTANCE_PATH": str(self.folder),
        }
        command = {"connect": connect, "disconnect": disconnect}[words[0]]
        return CliRunner().invoke(command, words[1:], input=says, env=environment | settings)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    urls = {NUMBER: "http://127.0.0.1:1/x", OTHER: "http://127.0.0.1:1/x"}
    with Simulator(Settings(account_sid=ACCOUNT, auth_token=TOKEN, voice_urls=urls)) as simulator:
        yield Account(simulator, tmp_path)


def test_a_number_is_connected_after_asking_and_put_back_as_it_was(account: Account) -> None:
    told = account.run("connect", NUMBER, says="n\n")
    assert told.exit_code == 2
    assert "Nothing was changed." in told.stderr
    assert account.own().leading == BEFORE
    told = account.run("connect", NUMBER, says="y\n")
    assert told.exit_code == 0, told.stderr
    assert f"{BEFORE.voice_url}  ->  {PUBLIC}/voice/incoming" in told.stdout
    assert account.own().leading == dataclasses.replace(
        BEFORE,
        voice_url=f"{PUBLIC}/voice/incoming",
        voice_method="POST",
        status_callback=f"{PUBLIC}/voice/call-status",
    )
    assert "already" in account.run("connect", NUMBER, "--yes").stdout
    told = account.run("disconnect", NUMBER, says="y\n")
    assert told.exit_code == 0, told.stderr
    assert f"{PUBLIC}/voice/incoming  ->  {BEFORE.voice_url}" in told.stdout
    assert account.own().leading == BEFORE
    told = account.run("disconnect", NUMBER, "--yes")
    assert (told.exit_code, "Connected: none" in told.stderr) == (2, True)


def test_a_new_tunnel_does_not_overwrite_what_was_before(account: Account) -> None:
    assert account.run("connect", NUMBER, "--yes").exit_code == 0
    moved = account.run("connect", NUMBER, "--yes", PUBLIC_URL="https://2.example.com")
    assert moved.exit_code == 0
    assert account.own().leading.voice_url == "https://2.example.com/voice/incoming"
    assert (account.folder / "connected.json").stat().st_mode & 0o777 == 0o600
    assert account.run("disconnect", NUMBER, "--yes").exit_code == 0
    assert account.own().leading == BEFORE


def test_what_somebody_else_has_changed_is_not_put_back_unless_forced(account: Account) -> None:
    assert account.run("connect", NUMBER, "--yes").exit_code == 0
    foreign = dataclasses.replace(BEFORE, voice_url="https://new.example/x")
    account.numbers.lead(account.own().sid, foreign)
    told = account.run("disconnect", NUMBER, "--yes")
    assert (told.exit_code, "--force" in told.stderr) == (2, True)
    assert account.own().leading == foreign
    assert account.run("disconnect", NUMBER, "--yes", "--force").exit_code == 0
    assert account.own().leading == BEFORE


def test_what_cannot_be_connected_is_told_with_what_can(account: Account) -> None:
    told = account.run("connect", "+15559999", "--yes")
    assert (told.exit_code, f"{NUMBER}, {OTHER}" in told.stderr) == (2, True)
    told = account.run("connect", NUMBER, "--yes", TWILIO_AUTH_TOKEN="another")
    assert (told.exit_code, "20003" in told.stderr) == (2, True)
    local = {"PUBLIC_URL": "http://127.0.0.1:8000", "TWILIO_API_URL": "https://api.twilio.com"}
    told = account.run("connect", NUMBER, "--yes", **local)
    assert (told.exit_code, "PUBLIC_URL: expected" in told.stderr) == (2, True)
    (account.folder / "connected.json").write_text(json.dumps({NUMBER: {"voice_url": "x"}}))
    told = account.run("disconnect", NUMBER, "--yes")
    assert (told.exit_code, "connected.json" in told.stderr) == (2, True)
    assert account.own().leading == BEFORE
