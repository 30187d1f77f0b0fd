"""The line to Twilio, once people talk: what each method asks, and what each answer means."""

from collections.abc import Callable, Iterator

import pytest
import requests
import responses
import stamina
from responses.registries import OrderedRegistry

from tests.voice.test_phone_line import (
    ACCOUNT,
    BASE,
    CALL,
    CONFERENCE,
    conference,
    page,
    participant,
    problem,
    sent,
)
from voice.phone_line import Busy, CallGone, Calling, Refused, TwilioPhoneLine, Unreachable

ONE = f"{BASE}/Conferences/{CONFERENCE}/Participants/{CALL}.json"
ROOM = f"{BASE}/Conferences/{CONFERENCE}.json"
RECORDINGS = f"{BASE}/Calls/{CALL}/Recordings"
CALLING = Calling(
    to="+15550001111",
    from_address="+15005550006",
    url="https://example.com/document",
    ring_seconds=15,
    leg_url="https://x.example/voice/agent-leg?instruction=IN1",
    record=True,
)


@pytest.fixture(autouse=True)
def _without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def twilio() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(registry=OrderedRegistry) as mock:
        yield mock


@pytest.fixture
def line() -> TwilioPhoneLine:
    return TwilioPhoneLine(account_sid=ACCOUNT, auth_token="secret")


def test_a_participants_part_is_changed(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.post(ONE, json=participant(hold=True))
    line.change(CONFERENCE, CALL, hold=True, hold_url="https://x.example/hold", hold_method="POST")
    assert sent(twilio.calls[0]) == {
        "Hold": ["true"],
        "HoldUrl": ["https://x.example/hold"],
        "HoldMethod": ["POST"],
    }


def test_a_participant_is_kicked(twilio: responses.RequestsMock, line: TwilioPhoneLine) -> None:
    twilio.delete(ONE, status=204)
    line.kick(CONFERENCE, CALL)


def test_a_room_is_ended(twilio: responses.RequestsMock, line: TwilioPhoneLine) -> None:
    twilio.post(ROOM, json=conference("completed"))
    line.end_room(CONFERENCE)
    assert sent(twilio.calls[0]) == {"Status": ["completed"]}


def test_a_room_that_twilio_will_not_end_is_over_or_refused(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.post(ROOM, json=problem(20001, 400), status=400)
    twilio.get(ROOM, json=conference("completed"))
    with pytest.raises(CallGone):
        line.end_room(CONFERENCE)
    twilio.post(ROOM, json=problem(20001, 400), status=400)
    twilio.get(ROOM, json=conference("in-progress"))
    with pytest.raises(Refused) as refused:
        line.end_room(CONFERENCE)
    assert not isinstance(refused.value, CallGone)


def test_a_recording_is_started_once(twilio: responses.RequestsMock, line: TwilioPhoneLine) -> None:
    recording: dict[str, object] = {"sid": "RE" + "1" * 32, "status": "in-progress"}
    twilio.get(f"{RECORDINGS}.json", json=page("recordings"))
    twilio.post(f"{RECORDINGS}.json", json=recording, status=201)
    line.record(CALL, action="start", pause_behavior="skip")
    twilio.get(f"{RECORDINGS}.json", json=page("recordings", recording))
    line.record(CALL, action="start", pause_behavior="skip")


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("pause", {"Status": ["paused"], "PauseBehavior": ["silence"]}),
        ("resume", {"Status": ["in-progress"]}),
        ("stop", {"Status": ["stopped"]}),
    ],
)
def test_a_recording_is_paused_resumed_and_stopped(
    twilio: responses.RequestsMock,
    line: TwilioPhoneLine,
    action: str,
    asked: dict[str, list[str]],
) -> None:
    twilio.post(f"{RECORDINGS}/Twilio.CURRENT.json", json={"sid": "RE1", "status": "paused"})
    line.record(CALL, action=action, pause_behavior="silence")
    assert sent(twilio.calls[0]) == asked


def test_a_phone_is_called_with_somebodys_own_document(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.post(f"{BASE}/Calls.json", json={"sid": CALL, "status": "queued"}, status=201)
    assert line.call(CALLING) == CALL
    assert sent(twilio.calls[0]) == {
        "To": [CALLING.to],
        "From": [CALLING.from_address],
        "Url": [CALLING.url],
        "Timeout": ["15"],
        "Record": ["true"],
        "StatusCallback": [CALLING.leg_url],
        "StatusCallbackMethod": ["POST"],
        "StatusCallbackEvent": ["answered", "completed"],
    }


def test_a_call_that_was_made_before_is_found_again_and_older_ones_are_not(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    made: dict[str, object] = {
        "sid": CALL,
        "status": "ringing",
        "date_created": "Mon, 05 Jan 2026 09:00:00 +0000",
    }
    old: dict[str, object] = {
        "sid": "CA" + "9" * 32,
        "date_created": "Mon, 05 Jan 2026 08:59:59 +0000",
    }
    nine = 1_767_603_600_000
    twilio.get(f"{BASE}/Calls.json", json=page("calls", made, old))
    asked = {"to": CALLING.to, "from_address": CALLING.from_address}
    assert line.find_call(**asked, since=nine + 700) == CALL
    twilio.get(f"{BASE}/Calls.json", json=page("calls", old))
    assert line.find_call(**asked, since=nine) is None


def test_a_call_is_sent_to_an_address(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.post(f"{BASE}/Calls/{CALL}.json", json={"sid": CALL, "status": "in-progress"})
    line.redirect_to(CALL, url="https://example.com/next")
    assert sent(twilio.calls[0]) == {"Url": ["https://example.com/next"], "Method": ["POST"]}


DEEDS: dict[str, tuple[str, str, Callable[[TwilioPhoneLine], object]]] = {
    "change": ("POST", ONE, lambda line: line.change(CONFERENCE, CALL, muted=True)),
    "kick": ("DELETE", ONE, lambda line: line.kick(CONFERENCE, CALL)),
    "record": (
        "POST",
        f"{RECORDINGS}/Twilio.CURRENT.json",
        lambda line: line.record(CALL, action="stop", pause_behavior="skip"),
    ),
    "redirect_to": (
        "POST",
        f"{BASE}/Calls/{CALL}.json",
        lambda line: line.redirect_to(CALL, url="https://example.com"),
    ),
    "call": ("POST", f"{BASE}/Calls.json", lambda line: line.call(CALLING)),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(
    "meaning",
    [
        (404, 20404, CallGone),
        (400, 21220, CallGone),
        (400, 21211, Refused),
        (429, 20429, Busy),
        (503, 20503, Unreachable),
    ],
)
def test_each_error_of_twilio_says_whether_a_repeat_may_help(
    twilio: responses.RequestsMock,
    line: TwilioPhoneLine,
    deed: str,
    meaning: tuple[int, int, type[Exception]],
) -> None:
    method, url, do = DEEDS[deed]
    status, code, error = meaning
    twilio.add(method, url, json=problem(code, status), status=status)
    with pytest.raises(error):
        do(line)


@pytest.mark.parametrize("deed", DEEDS)
def test_what_changes_something_is_asked_once_when_the_answer_is_lost(
    twilio: responses.RequestsMock, line: TwilioPhoneLine, deed: str
) -> None:
    method, url, do = DEEDS[deed]
    twilio.add(method, url, body=requests.ReadTimeout())
    with pytest.raises(Unreachable):
        do(line)
    assert len(twilio.calls) == 1
