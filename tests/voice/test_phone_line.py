"""The line to Twilio: what each method asks, and what each answer of Twilio means."""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
import requests
import responses
import stamina
from responses.registries import OrderedRegistry

from voice.phone_line import (
    Busy,
    CallGone,
    Dialling,
    Leg,
    PhoneLineError,
    Refused,
    Room,
    TwilioPhoneLine,
    Unreachable,
)
from voice.wire import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS

ACCOUNT = "AC" + "1" * 32
CALL = "CA" + "2" * 32
CONFERENCE = "CF" + "3" * 32
LABEL = "WR" + "4" * 32
ROOM = "WT" + "5" * 32
BASE = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"

DIALLING = Dialling(
    room=ROOM,
    label=LABEL,
    to="client:alice",
    from_address="+15005550006",
    ring_seconds=20,
    leg_url="https://x.example/voice/agent-leg?instruction=IN1",
    room_url="https://x.example/voice/conference?instruction=IN1",
    options={"muted": True, "label": "not ours to hand on"},
)


@pytest.fixture(autouse=True)
def _without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def twilio() -> Iterator[responses.RequestsMock]:
    """Answers in the order in which they are written down, and minds that all were asked for."""
    with responses.RequestsMock(registry=OrderedRegistry) as mock:
        yield mock


@pytest.fixture
def line() -> TwilioPhoneLine:
    return TwilioPhoneLine(account_sid=ACCOUNT, auth_token="secret")


def test_a_list_that_is_refused_says_why(
    line: TwilioPhoneLine, twilio: responses.RequestsMock
) -> None:
    twilio.get(f"{BASE}/Conferences.json", status=401, json=problem(20003, 401))
    with pytest.raises(Refused, match="20003"):
        line.find_room(ROOM)


def participant(**changes: object) -> dict[str, object]:
    return {
        "account_sid": ACCOUNT,
        "call_sid": CALL,
        "conference_sid": CONFERENCE,
        "label": LABEL,
        "status": "queued",
        "muted": False,
        "hold": False,
        "end_conference_on_exit": True,
        "start_conference_on_enter": True,
        "coaching": False,
        "call_sid_to_coach": None,
        "queue_time": "0",
        "date_created": None,
        "date_updated": None,
        "uri": "",
    } | changes


def conference(status: str = "in-progress") -> dict[str, object]:
    return {"sid": CONFERENCE, "friendly_name": ROOM, "status": status, "account_sid": ACCOUNT}


def page(key: str, *items: dict[str, object]) -> dict[str, object]:
    return {key: list(items), "page": 0, "page_size": 50, "uri": "/", "next_page_uri": None}


def problem(code: int, status: int) -> dict[str, object]:
    return {"code": code, "message": f"problem {code}", "more_info": "", "status": status}


def sent(call: responses.Call) -> dict[str, list[str]]:
    return parse_qs(call.request.body, keep_blank_values=True)  # type: ignore[arg-type]


def test_the_agent_is_dialled_into_the_room_under_a_label(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.post(f"{BASE}/Conferences/{ROOM}/Participants.json", json=participant(), status=201)
    assert line.dial(DIALLING) == Leg(call_sid=CALL, conference_sid=CONFERENCE)
    assert sent(twilio.calls[0]) == {
        "To": ["client:alice"],
        "From": ["+15005550006"],
        "Label": [LABEL],
        "Timeout": ["20"],
        "StatusCallback": [DIALLING.leg_url],
        "StatusCallbackMethod": ["POST"],
        "StatusCallbackEvent": ["answered", "completed"],
        "ConferenceStatusCallback": [DIALLING.room_url],
        "ConferenceStatusCallbackMethod": ["POST"],
        "ConferenceStatusCallbackEvent": ["end", "join", "leave"],
        "EndConferenceOnExit": ["true"],
        "Beep": ["false"],
        "WaitUrl": [""],
        "Muted": ["true"],
    }


def test_every_request_has_timeouts_and_credentials(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.get(f"{BASE}/Calls/{CALL}.json", json={"sid": CALL, "status": "ringing"})
    line.call_status(CALL)
    request = twilio.calls[0].request
    assert request.headers["Authorization"].startswith("Basic ")
    assert request.req_kwargs["timeout"] == (  # type: ignore[attr-defined]
        CONNECT_TIMEOUT_SECONDS,
        READ_TIMEOUT_SECONDS,
    )


def test_the_line_may_lead_elsewhere(twilio: responses.RequestsMock) -> None:
    elsewhere = TwilioPhoneLine(
        account_sid=ACCOUNT, auth_token="secret", api_url="http://127.0.0.1:8002/twilio/"
    )
    twilio.get(
        f"http://127.0.0.1:8002/twilio/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json",
        json={"sid": CALL, "status": "in-progress"},
    )
    assert elsewhere.call_status(CALL) == "in-progress"


def test_a_caller_is_redirected_and_a_leg_is_hung_up(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    url = f"{BASE}/Calls/{CALL}.json"
    for _ in range(2):
        twilio.post(url, json={"sid": CALL, "status": "in-progress"})
    line.redirect(CALL, twiml="<Response/>")
    line.hang_up(CALL)
    assert sent(twilio.calls[0]) == {"Twiml": ["<Response/>"]}
    assert sent(twilio.calls[1]) == {"Status": ["completed"]}


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        (21220, 400, CallGone),
        (20404, 404, CallGone),
        (21217, 400, Refused),
        (21215, 400, Refused),
        (20003, 401, Refused),
        (20429, 429, Busy),
        (20500, 500, Unreachable),
        (20503, 503, Unreachable),
    ],
)
def test_twilios_errors_say_whether_to_come_again(
    twilio: responses.RequestsMock,
    line: TwilioPhoneLine,
    code: int,
    status: int,
    meaning: type[PhoneLineError],
) -> None:
    twilio.post(f"{BASE}/Calls/{CALL}.json", json=problem(code, status), status=status)
    with pytest.raises(PhoneLineError) as caught:
        line.redirect(CALL, twiml="<Response/>")
    assert type(caught.value) is meaning
    assert caught.value.code == code
    assert caught.value.retryable == issubclass(meaning, Unreachable)


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectionError("+15005550006"),
        requests.ReadTimeout("+15005550006"),
        requests.ConnectTimeout("+15005550006"),
    ],
)
def test_what_changes_something_is_tried_once_and_errors_name_no_numbers(
    twilio: responses.RequestsMock, line: TwilioPhoneLine, failure: Exception
) -> None:
    twilio.post(f"{BASE}/Conferences/{ROOM}/Participants.json", body=failure)
    with pytest.raises(Unreachable) as caught:
        line.dial(DIALLING)
    assert "+1500" not in str(caught.value)
    assert len(twilio.calls) == 1


def test_questions_are_asked_again(twilio: responses.RequestsMock, line: TwilioPhoneLine) -> None:
    url = f"{BASE}/Calls/{CALL}.json"
    twilio.get(url, json=problem(20503, 503), status=503)
    twilio.get(url, body=requests.ReadTimeout())
    twilio.get(url, json={"sid": CALL, "status": "completed"})
    assert line.call_status(CALL) == "completed"


def test_questions_are_not_asked_for_ever(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    for _ in range(3):
        twilio.get(f"{BASE}/Calls/{CALL}.json", json=problem(20429, 429), status=429)
    with pytest.raises(Unreachable):
        line.call_status(CALL)


@pytest.mark.parametrize("answer", ["<html>", "[]", "{}", '{"participants": 1}'])
def test_an_answer_that_is_not_twilios_is_no_answer(
    twilio: responses.RequestsMock, line: TwilioPhoneLine, answer: str
) -> None:
    for _ in range(3):
        twilio.get(f"{BASE}/Conferences.json", body=answer)
    with pytest.raises(Unreachable):
        line.find_room(ROOM)


def test_a_leg_is_found_by_its_label(twilio: responses.RequestsMock, line: TwilioPhoneLine) -> None:
    twilio.get(f"{BASE}/Conferences.json", json=page("conferences", conference("init")))
    twilio.get(f"{BASE}/Conferences/{CONFERENCE}/Participants/{LABEL}.json", json=participant())
    assert line.find_leg(room=ROOM, label=LABEL) == Leg(call_sid=CALL, conference_sid=CONFERENCE)
    assert parse_qs(twilio.calls[0].request.url.split("?")[1])["FriendlyName"] == [ROOM]  # type: ignore[union-attr]


@pytest.mark.parametrize("status", ["complete", "failed"])
def test_a_leg_that_has_ended_is_not_found(
    twilio: responses.RequestsMock, line: TwilioPhoneLine, status: str
) -> None:
    twilio.get(f"{BASE}/Conferences.json", json=page("conferences", conference()))
    twilio.get(
        f"{BASE}/Conferences/{CONFERENCE}/Participants/{LABEL}.json",
        json=participant(status=status),
    )
    assert line.find_leg(room=ROOM, label=LABEL) is None


def test_a_leg_that_was_never_dialled_is_not_found(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.get(f"{BASE}/Conferences.json", json=page("conferences", conference()))
    twilio.get(
        f"{BASE}/Conferences/{CONFERENCE}/Participants/{LABEL}.json",
        json=problem(20404, 404),
        status=404,
    )
    assert line.find_leg(room=ROOM, label=LABEL) is None


def test_rooms_that_have_ended_do_not_count(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    twilio.get(f"{BASE}/Conferences.json", json=page("conferences", conference("completed")))
    assert line.find_room(ROOM) is None


def test_a_room_knows_who_is_in_it(twilio: responses.RequestsMock, line: TwilioPhoneLine) -> None:
    twilio.get(f"{BASE}/Conferences.json", json=page("conferences", conference()))
    twilio.get(
        f"{BASE}/Conferences/{CONFERENCE}/Participants.json",
        json=page("participants", participant(status="connected")),
    )
    assert line.find_room(ROOM) == Room(sid=CONFERENCE, call_sids=frozenset({CALL}))


def test_who_is_in_a_room_of_which_the_sid_is_known_is_one_question(
    twilio: responses.RequestsMock, line: TwilioPhoneLine
) -> None:
    url = f"{BASE}/Conferences/{CONFERENCE}/Participants.json"
    twilio.get(url, json=page("participants", participant(status="connected")))
    twilio.get(url, json=problem(20404, 404), status=404)
    assert line.members(CONFERENCE) == {CALL}
    assert line.members(CONFERENCE) == frozenset()
