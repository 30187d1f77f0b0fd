"""Calls as files: played again they are answered as before; recorded, they tell no secrets."""

import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from click.testing import CliRunner, Result
from twilio.request_validator import RequestValidator
from werkzeug.serving import WSGIRequestHandler, make_server

from commands.fixtures import fixtures
from tests.fakes import ManualClock
from tests.routing.centre import Centre
from tests.voice.office import CALLER, NUMBER, TOKEN, Office
from voice.call_flow import load_call_flow
from voice.fixtures import replay, tape
from voice.fixtures.masking import masked
from voice.fixtures.tape import Answer, Calls, Tape, TapeError, Told
from voice.fixtures.wiretap import Wiretap

ROOT = Path(__file__).parents[2]
CALLS = ROOT / "tests/fixtures/calls"
RECORDED = sorted(CALLS.glob("*.json"))
ACCOUNT = "AC" + "7" * 32


HEAD = '{"recorded_at": "", "public_url": "", "masked": true, "webhooks": ['


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def served(centre: Centre, public_url: str | None = None) -> Iterator[str]:
    """The voice side with the recorded calls' own flow, behind real HTTP; where it is."""
    flow = load_call_flow(ROOT / "tests/fixtures/call_flow.toml")

    def answer(environ: Any, start_response: Any) -> Any:
        return office.app.wsgi_app(environ, start_response)

    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    office = Office(centre, flow=flow, public_url=public_url or url)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def wish(url: str, *, new_sids: bool = False) -> replay.Wish:
    return replay.Wish(
        to=url, public_url=url, account_sid=ACCOUNT, auth_token=TOKEN, has_new_sids=new_sids
    )


class Rhythm:
    """Moves the application's clock to where the tape is."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._passed = 0.0

    def __call__(self, seconds: float) -> None:
        self._clock.advance(seconds - self._passed)
        self._passed = seconds


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_call_is_answered_as_it_was(
    centre: Centre, clock: ManualClock, path: Path
) -> None:
    recorded = tape.read(path)
    with served(centre) as url:
        differences, played = replay.play(recorded, wish(url), Rhythm(clock))
        assert differences == []
        assert len(played) == len(recorded.webhooks)
        # The same call again is another call, once it has names of its own.
        again, _ = replay.play(recorded, wish(url, new_sids=True), Rhythm(clock))
    assert again == []


def test_three_calls_of_our_own_ship_and_tell_no_secrets() -> None:
    assert [path.stem for path in RECORDED] == ["answered", "gives_up", "leaves_a_message"]
    for path in RECORDED:
        text = path.read_text()
        assert tape.read(path).masked
        assert not {*_numbers(text)} - {f"+155501000{n:02d}" for n in range(100)}, path
        assert '"CallToken": "masked"' in text
        assert "Signature" not in text


def _numbers(text: str) -> list[str]:
    return re.findall(r"\+\d{7,}", text)


def test_an_answer_that_has_changed_is_shown_line_by_line(
    centre: Centre, clock: ManualClock
) -> None:
    recorded = tape.read(CALLS / "gives_up.json")
    first = recorded.webhooks[0].answer
    assert first is not None
    first.body = first.body.replace("recorded centre", "other centre")
    assert recorded.webhooks[-2].answer is not None
    recorded.webhooks[-2].answer.status = 200
    with served(centre) as url:
        differences, played = replay.play(recorded, wish(url), Rhythm(clock))
    [greeting, end] = differences
    assert greeting.number == 1
    assert any(line.startswith("-<Say") and "other centre" in line for line in greeting.lines)
    assert any(line.startswith("+<Say") and "recorded centre" in line for line in greeting.lines)
    assert end.lines == ("-status 200", "+status 204")
    assert played[0].answer is not None
    assert "recorded centre" in played[0].answer.body


def test_a_tape_is_played_from_the_command_line_and_its_exit_status_tells(
    small_office: Office, tmp_path: Path
) -> None:
    recorded = tape.read(CALLS / "gives_up.json")
    kept = tmp_path / "call.json"
    tape.write(recorded, kept)
    with served(small_office.centre) as url:
        told = run("replay", str(kept), "--to", url, "--speed", "0")
        assert (told.exit_code, told.stderr) == (0, "")
        assert "7 webhooks, 0 answers differ" in told.stdout
        answer = recorded.webhooks[0].answer
        assert answer is not None
        answer.body = answer.body.replace("Welcome", "Farewell")
        tape.write(recorded, kept)
        again = ("replay", str(kept), "--to", url, "--speed", "0", "--new-sids")
        told = run(*again)
        assert told.exit_code == 1
        assert "-<Say" in told.stdout
        assert "Farewell" in told.stdout
        assert run(*again, "--update").exit_code == 0
        assert run(*again).exit_code == 0
    assert b"Welcome" in kept.read_bytes()
    told = run("replay", str(kept), "--to", "http://127.0.0.1:9", "--speed", "0")
    assert told.exit_code == 2
    assert "does not answer" in told.stderr


def run(*words: str) -> Result:
    """`flask --app app fixtures ...`, on settings of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "INSTANCE_PATH": folder,
            "PUBLIC_URL": words[words.index("--to") + 1],  # what is signed for is where it goes
        }
        return CliRunner().invoke(fixtures, words, env=environment)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "truncated"),
        ('{"format": 1}', "recorded_at"),
        ('{"format": 2, "recorded_at": "", "public_url": "", "masked": true, "webhooks": []}', "2"),
        (HEAD + '{"at": 0, "method": "PUT", "url": "/x", "parameters": {}}]}', "webhook 1"),
        (
            HEAD + '{"at": 0, "method": "GET", "url": "/x", "parameters": {"To": 5}}]}',
            "$.webhooks[0].parameters",
        ),
    ],
)
def test_a_file_that_is_no_tape_is_refused_with_its_place(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "call.json"
    path.write_text(text)
    with pytest.raises(TapeError) as refusal:
        tape.read(path)
    assert str(path) in str(refusal.value)
    assert says in str(refusal.value)


def test_a_wiretap_hands_on_what_it_hears_and_keeps_what_is_believed(small_office: Office) -> None:
    heard: list[Told] = []
    with (
        served(small_office.centre) as url,
        Wiretap(port=0, application=url, take=heard.append) as tap,
    ):
        form = {
            "AccountSid": ACCOUNT,
            "CallSid": "CA" + "1" * 32,
            "CallStatus": "ringing",
            "From": CALLER,
            "To": NUMBER,
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }
        signed = RequestValidator(TOKEN).compute_signature(f"{url}/voice/incoming", form)
        headers = {"X-Twilio-Signature": signed}
        good = requests.post(f"{tap.url}/voice/incoming", form, headers=headers, timeout=20)
        assert "recorded centre" in good.text
        forged = requests.post(
            f"{tap.url}/voice/incoming", form | {"From": "+1"}, headers=headers, timeout=20
        )
        bare = requests.post(f"{tap.url}/voice/incoming", form, timeout=20)
        assert (forged.status_code, bare.status_code) == (403, 403)
        large = requests.post(f"{tap.url}/voice/incoming", {"x": "x" * 70_000}, timeout=20)
        assert large.status_code == 413
    [told] = heard
    assert (told.method, told.url, told.parameters) == ("POST", "/voice/incoming", form)
    assert told.answer is not None
    assert told.answer.body == good.text
    assert signed not in msgspec.json.encode(told).decode()


def test_a_mask_leaves_nothing_of_a_caller_but_keeps_the_same_the_same() -> None:
    token = json.dumps({"parentCallInfoToken": "secret"})
    parameters: dict[str, str | list[str]] = {
        "AccountSid": ACCOUNT,
        "From": "+4930901820",
        "Caller": "+4930901820",
        "FromCity": "BERLIN",
        "CallerName": "JANE DOE",
        "CallToken": token,
        "Digits": "4111111111111111",
        "SpeechResult": "my name is Jane",
        "To": "sip:jane.doe@pbx.example",
        "Tags": ["4930901820", "x"],
    }
    told = Told(
        at=0,
        method="POST",
        url="/voice/enqueue?Task=%7B%22n%22%3A%22%2B4930901820%22%7D&CallerName=JANE",
        parameters=parameters,
        answer=Answer(status=200, body="<Dial>+4930901820</Dial>"),
    )
    recorded = Tape(recorded_at="", public_url="https://x.ngrok.app", masked=False, webhooks=[told])
    shown = msgspec.json.encode(masked(recorded)).decode()
    for secret in ("4930901820", "BERLIN", "JANE", "Jane", "jane.doe", "secret", "4111", "ngrok"):
        assert secret not in shown, secret
    assert ACCOUNT not in shown
    [one] = masked(recorded).webhooks
    assert one.parameters["From"] == one.parameters["Caller"] == "+15550100000"
    assert one.answer is not None
    assert one.answer.body == "<Dial>+15550100000</Dial>"
    assert one.parameters["Tags"] == ["15550100000", "x"]


def test_the_legs_of_one_conversation_are_one_call_and_strangers_another() -> None:
    def told(at: float, **parameters: str) -> Told:
        return Told(at=at, method="POST", url="/x", parameters={**parameters})

    caller, agent, stranger = ("CA" + digit * 32 for digit in "123")
    room = "CF" + "4" * 32
    calls = Calls()
    calls.add(told(1, CallSid=caller))
    calls.add(told(2, CallSid=stranger))
    calls.add(told(3, CallSid=agent))
    assert len(list(calls)) == 3
    calls.add(told(5, ConferenceSid=room, CallSid=agent))
    calls.add(told(4, ConferenceSid=room, CallSid=caller))
    calls.add(told(6, FriendlyName="of nobody"))
    assert sorted([one.at for one in call] for call in calls) == [[1, 3, 4, 5], [2]]
