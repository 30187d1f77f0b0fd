"""Recordings: messages after the beep, calls and conferences, and what is told of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.simulator.application import Application
from tests.simulator.town import ACCOUNT, LINE, Town

NOBODY = "CA" + "0" * 32

#: What Twilio documents for the status callback of a call's recording.
CALLBACK_KEYS = {
    "AccountSid", "CallSid", "ErrorCode", "RecordingChannels", "RecordingDuration", "RecordingSid",
    "RecordingSource", "RecordingStartTime", "RecordingStatus", "RecordingTrack", "RecordingUrl",
}  # fmt: skip

SHARED_KEYS = {
    "account_sid", "api_version", "call_sid", "channels", "conference_sid", "date_created",
    "date_updated", "duration", "encryption_details", "error_code", "price", "price_unit", "sid",
    "source", "start_time", "status", "uri",
}  # fmt: skip


def refused(call: Callable[[], Any]) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        call()
    return caught.value.status, caught.value.code


def say(town: Town, sid: str, text: str) -> None:
    assert town.post(f"/simulator/calls/{sid}/say", {"text": text}).status_code == 200
    town.settle()


@pytest.fixture
def message(town: Town, application: Application) -> str:
    """Somebody is asked for a message; the beep has been heard."""
    application.says("/recording", ("", 204))
    application.says("/done", "<Say>Thank you</Say>")
    application.says(
        "/voice",
        '<Record action="/done" timeout="4" maxLength="60" finishOnKey="#" '
        'recordingStatusCallback="/recording" '
        'recordingStatusCallbackEvent="in-progress completed absent"/><Say>Nothing was said</Say>',
    )
    sid = town.dial()
    assert town.heard(sid) == ["a beep"]
    return sid


def test_a_message_that_ends_with_a_key_leads_to_the_action(
    town: Town, application: Application, message: str
) -> None:
    town.wait(2)
    say(town, message, "Please call me back")
    town.wait(3)
    town.press(message, "1")
    town.press(message, "#")
    form = application.last("/done")
    assert (form["Digits"], form["RecordingDuration"], form["CallStatus"]) == (
        "#", "5", "in-progress",
    )  # fmt: skip
    assert form["RecordingUrl"].endswith(f"/Accounts/{ACCOUNT}/Recordings/{form['RecordingSid']}")
    assert town.heard(message) == ["a beep", "Thank you"]


def test_a_caller_who_hangs_up_has_left_a_message(
    town: Town, application: Application, message: str
) -> None:
    town.wait(3)
    town.hang_up(message)
    form = application.last("/done")
    assert (form["Digits"], form["CallStatus"]) == ("hangup", "completed")
    town.wait(2)
    told = application.last("/recording")
    assert set(told) == CALLBACK_KEYS
    assert (told["RecordingStatus"], told["RecordingDuration"], told["RecordingSource"]) == (
        "completed", "3", "RecordVerb",
    )  # fmt: skip
    first = application.at("/recording")[0].form
    assert set(first) == CALLBACK_KEYS - {"RecordingDuration"}
    assert first["RecordingStatus"] == "in-progress"


@pytest.mark.parametrize(
    ("words", "seconds", "status", "errors"),
    [
        (("Please call", "me back"), 3, "completed", []),
        ((), 3, "failed", []),
        (("Hi",), 1, "failed", [13617]),
    ],
)
def test_a_message_is_told_in_words(
    town: Town,
    application: Application,
    *,
    words: tuple[str, ...],
    seconds: int,
    status: str,
    errors: list[int],
) -> None:
    application.says("/words", ("", 204))
    application.says("/voice", '<Record transcribe="true" transcribeCallback="words"/>')
    sid = town.dial()
    for word in words:
        say(town, sid, word)
    town.wait(seconds)
    town.hang_up(sid)
    town.wait(3)
    told = application.last("/words")
    assert (told["TranscriptionStatus"], told["CallStatus"]) == (status, "completed")
    assert told["TranscriptionText"] == (" ".join(words) if status == "completed" else "")
    assert town.client.recordings(told["RecordingSid"]).fetch().call_sid == sid
    assert town.errors() == errors


def test_a_silence_after_the_last_word_ends_the_message(
    town: Town, application: Application, message: str
) -> None:
    say(town, message, "x" * 30)  # two seconds of speech
    town.wait(5.9)
    assert application.at("/done") == []
    town.wait(0.2)
    assert application.last("/done")["Digits"] == ""
    assert application.last("/done")["RecordingDuration"] == "6"


def test_without_a_word_the_document_goes_on_and_the_recording_is_absent(
    town: Town, application: Application, message: str
) -> None:
    town.wait(6)
    assert town.heard(message) == ["a beep", "Nothing was said"]
    assert application.at("/done") == []
    told = application.last("/recording")
    assert (told["RecordingStatus"], told["ErrorCode"]) == ("absent", "16102")
    (recording,) = town.client.recordings.list(call_sid=message)
    assert (recording.status, recording.error_code) == ("absent", 16102)


def test_the_longest_length_ends_a_message_and_without_an_action_the_document_comes_again(
    town: Town, application: Application
) -> None:
    said = iter(['<Record maxLength="7" timeout="30" playBeep="false"/>', "<Say>Again</Say>"])
    application.says("/voice", lambda _: next(said))
    sid = town.dial()
    town.wait(8)
    assert town.heard(sid) == ["Again"]
    assert application.last("/voice")["RecordingDuration"] == "7"


def test_a_call_is_recorded_paused_and_stopped_through_rest(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Pause length="1"/><Say>Hello</Say><Pause length="600"/>')
    application.says("/recording", ("", 204))
    sid = town.dial()
    recordings = town.client.calls(sid).recordings
    assert refused(recordings.create) == (400, 21220)  # it still rings
    town.wait(2)
    started = recordings.create(
        recording_channels="dual", recording_status_callback=application.url("/recording")
    )
    assert (started.status, started.channels, started.source, started.duration) == (
        "in-progress", 2, "StartCallRecordingAPI", None,
    )  # fmt: skip
    town.wait(10)
    current = recordings("Twilio.CURRENT")
    assert current.update(status="paused", pause_behavior="skip").status == "paused"
    town.wait(20)
    assert current.update(status="in-progress").status == "in-progress"
    town.wait(5)
    assert current.update(status="paused").status == "paused"  # with silence in its place
    town.wait(5)
    stopped = current.update(status="stopped")
    assert (stopped.status, stopped.duration) == ("stopped", "20")
    assert refused(lambda: current.update(status="stopped")) == (404, 20404)
    assert refused(lambda: recordings(started.sid).update(status="paused")) == (400, 21220)
    assert refused(recordings(started.sid).delete) == (400, 20001)
    town.wait(2)
    assert recordings(started.sid).fetch().status == "completed"
    assert application.last("/recording")["RecordingChannels"] == "2"
    assert town.client.recordings(started.sid).delete()
    assert refused(town.client.recordings(started.sid).fetch) == (404, 20404)
    assert recordings.list() == []


def test_a_recording_ends_with_its_call(town: Town, application: Application) -> None:
    application.says("/voice", '<Say>Hello</Say><Pause length="600"/>')
    sid = town.dial()
    town.client.calls(sid).recordings.create()
    town.wait(9)
    town.hang_up(sid)
    town.wait(2)
    (recording,) = town.client.calls(sid).recordings.list()
    assert (recording.status, recording.duration) == ("completed", "9")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"recording_channels": "three"}, 20001),
        ({"recording_track": "none"}, 20001),
        ({"recording_status_callback": "nowhere"}, 21609),
        ({"recording_status_callback_event": ["finished"]}, 20001),
        ({"recording_status_callback_method": "PUT"}, 21209),
    ],
)
def test_a_wrong_parameter_of_a_recording_is_refused_and_nothing_is_recorded(
    town: Town, application: Application, wrong: dict[str, Any], code: int
) -> None:
    application.says("/voice", '<Say>Hello</Say><Pause length="600"/>')
    sid = town.dial()
    recordings = town.client.calls(sid).recordings
    assert refused(lambda: recordings.create(**wrong)) == (400, code)
    assert recordings.list() == []
    assert refused(town.client.calls(NOBODY).recordings.create) == (404, 20404)
    recordings.create()
    assert refused(lambda: recordings("Twilio.CURRENT").update(status="completed")) == (400, 20001)


def test_a_recording_has_the_documented_keys_wherever_it_is_asked_for(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Say>Hello</Say><Pause length="600"/>')
    sid = town.dial()
    one = town.client.calls(sid).recordings.create()
    for path, more in (
        (f"Recordings/{one.sid}", {"media_url", "subresource_uris"}),
        (f"Calls/{sid}/Recordings/{one.sid}", {"track"}),
    ):
        answer = town.client.request("GET", f"{ROOT}/{path}.json")
        assert set(json.loads(answer.text)) == SHARED_KEYS | more


ROOT = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"


@pytest.mark.parametrize(
    ("record", "seconds", "channels"),
    [("record-from-answer", 9, 1), ("record-from-ringing-dual", 11, 2), ("true", 9, 1)],
)
def test_a_dialled_conversation_is_recorded(
    town: Town, application: Application, record: str, seconds: int, channels: int
) -> None:
    application.says("/recording", ("", 204))
    application.says("/done", "<Hangup/>")
    application.says(
        "/voice",
        f'<Dial action="/done" record="{record}" recordingStatusCallback="/recording">'
        "<Client>ann</Client></Dial>",
    )
    town.phone("client:ann", "answer", 2)
    sid = town.dial()
    town.wait(11)
    town.hang_up(town.legs(sid)[0]["sid"])
    town.wait(2)
    (recording,) = town.client.calls(sid).recordings.list()
    assert (recording.status, recording.source, recording.duration, recording.channels) == (
        "completed", "DialVerb", str(seconds), channels,
    )  # fmt: skip
    assert application.last("/done")["RecordingUrl"].endswith(recording.sid)
    assert application.last("/recording")["RecordingSid"] == recording.sid
    assert set(application.last("/recording")) == CALLBACK_KEYS


def test_nobody_answers_and_nothing_is_recorded(town: Town, application: Application) -> None:
    application.says("/done", "<Hangup/>")
    application.says(
        "/voice", '<Dial action="/done" record="record-from-answer"><Client>ann</Client></Dial>'
    )
    town.phone("client:ann", "busy")
    town.dial()
    town.wait(2)
    assert application.last("/done")["DialCallStatus"] == "busy"
    assert "RecordingUrl" not in application.last("/done")
    assert town.client.recordings.list() == []


def test_a_conversation_with_the_first_in_line_is_recorded(
    town: Town, application: Application
) -> None:
    application.says("/done", "<Hangup/>")
    application.says("/voice", "<Enqueue>support</Enqueue>")
    waiting = town.dial()
    application.says(
        "/voice", '<Dial action="/done" record="record-from-answer"><Queue>support</Queue></Dial>'
    )
    sid = town.dial(from_="+13125550104")
    town.wait(5)
    town.hang_up(waiting)
    town.wait(2)
    (recording,) = town.client.calls(sid).recordings.list()
    assert (recording.status, recording.duration) == ("completed", "5")
    assert application.last("/done")["RecordingUrl"].endswith(recording.sid)


def test_a_conference_is_recorded_from_its_opening_to_its_end(
    town: Town, application: Application
) -> None:
    application.says("/recording", ("", 204))
    application.says(
        "/voice",
        '<Dial><Conference record="record-from-start" recordingStatusCallback="/recording" '
        'recordingStatusCallbackEvent="in-progress completed">sales</Conference></Dial>',
    )
    first = town.dial()
    town.wait(5)
    assert town.client.recordings.list() == []  # music for one who waits is not recorded
    second = town.dial(from_="+13125550104")
    room = town.client.conferences(town.room("sales")["sid"])
    town.wait(4)
    current = room.recordings("Twilio.CURRENT")
    assert current.update(status="paused", pause_behavior="skip").status == "paused"
    town.wait(3)
    current.update(status="in-progress")
    town.wait(2)
    answer = town.client.request("GET", f"{ROOT}/Conferences/{room.fetch().sid}/Recordings.json")
    (row,) = json.loads(answer.text)["recordings"]
    assert set(row) == SHARED_KEYS
    town.hang_up(first)
    town.hang_up(second)
    town.wait(2)
    (recording,) = room.recordings.list()
    assert (recording.status, recording.source, recording.duration) == (
        "completed", "Conference", "6",
    )  # fmt: skip
    told = application.last("/recording")
    assert set(told) == CALLBACK_KEYS - {"CallSid", "RecordingTrack"} | {"ConferenceSid"}
    assert len(application.at("/recording")) == 2
    assert list(town.client.calls(first).recordings.list()) == []
    assert room.recordings(recording.sid).delete()
    assert refused(room.recordings(recording.sid).fetch) == (404, 20404)


def test_a_conference_is_not_recorded_by_its_dial(town: Town, application: Application) -> None:
    application.says(
        "/voice", '<Dial record="record-from-answer"><Conference>sales</Conference></Dial>'
    )
    town.dial()
    assert town.errors() == [12200]


def test_a_participant_who_is_called_may_have_the_conference_recorded(
    town: Town, application: Application
) -> None:
    application.says("/recording", ("", 204))
    room = town.client.conferences("sales")
    wrong = {"conference_record": "sometimes"}
    to = {"from_": LINE, "to": "client:ann"}
    assert refused(lambda: room.participants.create(**to, **wrong)) == (400, 20001)
    room.participants.create(
        **to,
        conference_record="record-from-start",
        conference_recording_status_callback=application.url("/recording"),
    )
    room.participants.create(from_=LINE, to="client:bob")
    town.wait(3)
    assert room.update(status="completed").status == "completed"
    town.wait(2)
    told = application.last("/recording")
    assert (told["RecordingStatus"], told["RecordingSource"]) == ("completed", "Conference")
