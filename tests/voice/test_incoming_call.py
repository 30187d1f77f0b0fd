"""It rings: what a webhook becomes, once, and what the caller is told."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from routing.engine import workflows
from tests.voice.exchange import Parameters, geographical_parameters, new_sid, parsed
from tests.voice.office import CALLER, NUMBER, PUBLIC_URL, Office, signature
from voice.announcement import Announcements
from voice.call_flow import load_call_flow
from voice.settings import VoiceSettings

#: Recorded webhooks that may lie beside a checkout; the tests' own are in the same shapes.
RECORDINGS = Path(__file__).parents[2].resolve().parent / "shared" / "reference" / "webhooks"

ATTRIBUTES = {
    "account_sid",
    "api_version",
    "call_sid",
    "call_status",
    "called",
    "called_city",
    "called_country",
    "called_state",
    "called_zip",
    "caller",
    "caller_city",
    "caller_country",
    "caller_state",
    "caller_zip",
    "direction",
    "from",
    "from_city",
    "from_country",
    "from_state",
    "from_zip",
    "to",
    "to_city",
    "to_country",
    "to_state",
    "to_zip",
}


def arrival(**changes: str) -> Parameters:
    return (
        {
            "CallSid": new_sid("CA"),
            "AccountSid": "AC" + "5" * 32,
            "From": CALLER,
            "Caller": CALLER,
            "To": NUMBER,
            "Called": NUMBER,
            "CallStatus": "ringing",
            "ApiVersion": "2010-04-01",
            "Direction": "inbound",
        }
        | geographical_parameters()
        | changes
    )


def number_of_tasks(office: Office) -> int:
    return len(office.centre.engine.read(lambda work: work.tasks.find()))


def task_attributes(office: Office) -> dict[str, object]:
    [task] = office.centre.engine.read(lambda work: work.tasks.find())
    attributes: dict[str, object] = json.loads(task.attributes)
    return attributes


def test_a_call_becomes_a_task_with_the_documented_attributes(office: Office) -> None:
    parameters = arrival(FromCity="")
    answer = office.post("/voice/incoming", parameters)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/xml")
    attributes = task_attributes(office)
    assert set(attributes) == ATTRIBUTES
    assert attributes["from"] == CALLER
    assert attributes["from_city"] == ""
    assert attributes["call_sid"] == parameters["CallSid"]


def test_the_caller_is_greeted_and_put_into_the_queue(small_office: Office) -> None:
    answer = small_office.post("/voice/incoming", arrival())
    say, enqueue = parsed(answer.text)
    assert say.text == small_office.flow.greeting
    assert say.get("language") == small_office.flow.language
    assert enqueue.text == small_office.flow.queue
    assert enqueue.get("waitUrl") == f"{PUBLIC_URL}/voice/waiting"
    assert enqueue.get("action") == f"{PUBLIC_URL}/voice/queue-left"


def test_a_webhook_that_twilio_repeats_opens_no_second_task(office: Office) -> None:
    parameters = arrival()
    first = office.post("/voice/incoming", parameters)
    for _ in range(4):
        assert office.post("/voice/incoming", parameters).text == first.text
    assert number_of_tasks(office) == 1


def test_a_webhook_that_comes_twice_at_once_opens_one_task(office: Office) -> None:
    parameters = arrival()
    headers = {"X-Twilio-Signature": signature("/voice/incoming", parameters)}

    def post(_number: int) -> str:
        client = office.app.test_client()
        return client.post("/voice/incoming", data=parameters, headers=headers).text

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(post, range(8)))
    assert len(answers) == 1
    assert "<Enqueue" in answers.pop()
    assert number_of_tasks(office) == 1


def test_a_number_may_ask_by_get(small_office: Office) -> None:
    parameters = arrival()
    path = small_office.app.test_request_context(
        "/voice/incoming", query_string=parameters
    ).request.full_path
    headers = {"X-Twilio-Signature": signature(path, {})}
    answer = small_office.client.get(path, headers=headers)
    assert answer.status_code == 200
    assert task_attributes(small_office)["from"] == CALLER


def test_a_caller_whom_no_filter_wants_hears_an_apology(small_office: Office) -> None:
    small_office.centre.engine.perform(
        workflows.update,
        workspace_sid=small_office.centre.workspace_sid,
        workflow_sid=small_office.centre.workflow_sid,
        configuration=json.dumps(
            {
                "task_routing": {
                    "filters": [
                        {
                            "expression": "from_country == 'XX'",
                            "targets": [{"queue": small_office.centre.queue_sid}],
                        }
                    ]
                }
            }
        ),
    )
    answer = small_office.post("/voice/incoming", arrival())
    assert answer.status_code == 200
    assert small_office.flow.unavailable in answer.text
    assert "<Hangup" in answer.text
    assert number_of_tasks(small_office) == 0


@pytest.mark.parametrize("place", [{"workspace": "none"}, {"workflow": "none"}])
def test_a_flow_that_names_nothing_there_apologises(
    small_office: Office, place: dict[str, str]
) -> None:
    office = Office(small_office.centre, flow=replace(load_call_flow(), **place))  # type: ignore[arg-type]
    assert office.flow.unavailable in office.post("/voice/incoming", arrival()).text


@pytest.mark.parametrize(
    "evil",
    [
        "</Enqueue><Dial>+19005550100</Dial><Enqueue>",
        "<Say>owned</Say>",
        '"/><Hangup/>',
        "&lt;Dial&gt;",
        "]]><Dial/>",
    ],
)
def test_nothing_that_a_caller_brings_along_becomes_twiml(small_office: Office, evil: str) -> None:
    parameters = arrival(From=evil, Caller=evil, FromCity=evil)
    answer = small_office.post("/voice/incoming", parameters)
    honest = small_office.post("/voice/incoming", arrival())
    assert answer.text == honest.text
    waiting = {**parameters, "QueuePosition": evil, "QueueTime": "0"}
    document = small_office.post("/voice/waiting", waiting).text
    assert {element.tag for element in parsed(document).iter()} == {
        "Response",
        "Pause",
    }


@pytest.mark.parametrize(
    "odd", ["\x00", "\x1b[2J", "١٢٣", "\U0001f4de", "x" * 5000, "anonymous", "sip:a@b", ""]
)
def test_odd_callers_are_answered(small_office: Office, odd: str) -> None:
    answer = small_office.post("/voice/incoming", arrival(From=odd, FromCity=odd))
    assert answer.status_code == 200
    parsed(answer.text)


@pytest.mark.parametrize("sid", ["", "CA1", "CA" + "g" * 32, "CF" + "0" * 32, "CA" + "0" * 33])
def test_a_call_without_a_proper_sid_is_refused(small_office: Office, sid: str) -> None:
    assert small_office.post("/voice/incoming", arrival(CallSid=sid)).status_code == 400
    assert number_of_tasks(small_office) == 0


def test_texts_of_the_flow_are_spoken_and_never_markup() -> None:
    flow = replace(load_call_flow(), greeting="<Dial>&", canceled='"<Hangup/>')
    settings = VoiceSettings(public_url=PUBLIC_URL, auth_tokens=("x",))
    announcements = Announcements(flow, settings)
    assert parsed(announcements.welcome)[0].text == "<Dial>&"
    assert parsed(announcements.canceled)[0].text == '"<Hangup/>'


def test_a_recorded_greeting_is_played() -> None:
    flow = replace(load_call_flow(), greeting_url="https://example.com/hello.mp3")
    settings = VoiceSettings(public_url=PUBLIC_URL, auth_tokens=("x",))
    document = parsed(Announcements(flow, settings).welcome)
    assert document[0].tag == "Play"


def test_the_waiting_room_tells_the_place_in_line(small_office: Office) -> None:
    parameters = arrival()
    small_office.post("/voice/incoming", parameters)
    answer = small_office.post("/voice/waiting", {**parameters, "QueuePosition": "3"})
    say, pause = parsed(answer.text)
    assert say.text == "You are number 3 in line."
    assert pause.get("length") == str(small_office.flow.interval_seconds)


def test_the_waiting_room_lets_nobody_wait_for_nothing(small_office: Office) -> None:
    call = small_office.dial_in()
    small_office.centre.cancel(small_office.task_sid(call))
    answer = small_office.post("/voice/waiting", {"CallSid": call.sid, "QueuePosition": "1"})
    assert [verb.tag for verb in parsed(answer.text)] == ["Leave"]
    left = small_office.post("/voice/queue-left", {"CallSid": call.sid, "QueueResult": "leave"})
    assert small_office.flow.canceled in left.text
    repeated = small_office.post("/voice/incoming", small_office.arrival(call))
    assert small_office.flow.canceled in repeated.text


@pytest.mark.parametrize("result", ["redirected", "bridged", "bridging-in-process", "new"])
def test_a_caller_whom_we_moved_is_not_told_anything_else(
    small_office: Office, result: str
) -> None:
    call = small_office.dial_in()
    answer = small_office.post("/voice/queue-left", {"CallSid": call.sid, "QueueResult": result})
    assert list(parsed(answer.text)) == []
    assert small_office.task_status(call) == "pending"


# ---- recordings ----------------------------------------------------------------------------------


def recordings() -> list[Path]:
    return sorted(RECORDINGS.glob("voice-inbound-*.json"))


@pytest.mark.skipif(not recordings(), reason=f"NO RECORDED WEBHOOKS at {RECORDINGS}")
def test_every_recorded_call_is_answered(office: Office) -> None:
    for number, recording in enumerate(recordings(), start=1):
        parameters: Parameters = json.loads(recording.read_text())
        for _ in range(2):
            answer = office.post("/voice/incoming", parameters)
            assert answer.status_code == 200, recording.name
            assert "<Enqueue" in answer.text, recording.name
        assert number_of_tasks(office) == number
        for task in office.centre.engine.read(lambda work: work.tasks.find()):
            assert set(json.loads(task.attributes)) == ATTRIBUTES
