"""What the simulator sends has the keys that Twilio was recorded to send, no more and no less."""

import json
import os
from pathlib import Path

import pytest

from tests.simulator.application import Application
from tests.simulator.town import LINE, Town

_BESIDE = Path("../shared/reference/webhooks")
FOLDER = Path(os.environ.get("RECORDED_WEBHOOKS") or Path(__file__).parents[2] / _BESIDE)
PHONE = "+14155550111"
SILENCE = '<Response><Pause length="60"/></Response>'

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"NO RECORDINGS: {FOLDER} is not there; set RECORDED_WEBHOOKS"
)


def recorded(name: str) -> set[str]:
    kept = json.loads((FOLDER / f"{name}.json").read_text())
    return set(kept.get("parameters", kept))


def test_an_incoming_call_its_keys_its_message_and_its_dialling(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Gather action="/pressed" finishOnKey="#"/>')
    application.says("/pressed", '<Record action="/said"/>')
    application.says("/said", f'<Dial action="/dialled">{PHONE}</Dial>')
    application.says("/dialled", "<Hangup/>")
    sid = town.dial()
    town.press(sid, "12#")
    town.wait(3)
    town.press(sid, "#")
    town.wait(5)
    [leg] = town.legs(sid)
    town.hang_up(leg["sid"])
    forms = {path: set(application.last(path)) for path in application.paths}
    assert forms["/voice"] == recorded("voice-inbound-2025-us-headers")
    assert forms["/pressed"] == recorded("voice-gather-action-2022-finishonkey")
    assert forms["/said"] == recorded("voice-record-action-2024")
    # DialBridged is documented, and was not sent yet when this was recorded.
    assert forms["/dialled"] == recorded("voice-dial-action-2021") | {"DialBridged"}
    assert forms["/status"] == recorded("call-status-completed-inbound-2021")


@pytest.mark.parametrize(
    ("to", "phone", "wish", "name"),
    [
        (PHONE, "answer", {}, "call-status-completed-outbound-2022"),
        (PHONE, "answer", {"record": True}, "call-status-completed-recorded-2021"),
        (PHONE, "busy", {}, "call-status-busy-2022"),
        ("client:ann", "no-answer", {}, "call-status-noanswer-client-2020"),
        (PHONE, "answer", {"machine_detection": "Enable"}, "call-status-completed-amd-2025"),
    ],
)
def test_the_end_of_an_outbound_call(  # noqa: PLR0917 - one case
    town: Town, application: Application, to: str, phone: str, wish: dict[str, object], name: str
) -> None:
    town.phone(to, phone)
    call = town.client.calls.create(
        from_=LINE,
        to=to,
        twiml=SILENCE,
        timeout=5,
        status_callback=application.url("/progress"),
        status_callback_event=["initiated", "completed"],
        **wish,
    )
    town.wait(20)
    if phone == "answer":
        town.hang_up(call.sid)
    begun, ended = (set(one.form) for one in application.at("/progress"))
    own = {key for key in recorded("call-status-initiated-2026") if to == PHONE or key in ended}
    assert begun == own
    assert ended == recorded(name)


def test_a_message_in_words(town: Town, application: Application) -> None:
    application.says("/words", ("", 204))
    application.says("/voice", '<Record transcribeCallback="/words"/>')
    dialled = town.post(
        "/simulator/calls", {"from": PHONE, "to": LINE, "forwarded_from": "+14155550199"}
    )
    town.wait(4)
    town.hang_up(dialled.json()["sid"])
    town.wait(3)
    assert set(application.last("/words")) == recorded("transcribe-callback-2020")


def test_what_a_conference_tells(town: Town, application: Application) -> None:
    application.says(
        "/voice",
        '<Dial><Conference statusCallback="/room" statusCallbackEvent="start end join leave">'
        "x</Conference></Dial>",
    )
    application.says("/room", ("", 204))
    sid = town.dial()
    assert set(application.last("/room")) == recorded("conference-participant-event-2021")
    town.hang_up(sid)
    assert set(application.last("/room")) == recorded("conference-end-shape")
