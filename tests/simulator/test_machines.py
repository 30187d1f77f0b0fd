"""Who has answered: found before the document is asked for, aside, in a room and in a <Dial>."""

from typing import Any

import pytest

from tests.simulator.application import Application
from tests.simulator.town import CALLER, LINE, Town

PHONE = "+13125550104"
SILENCE = '<Response><Pause length="60"/></Response>'


def answers(town: Town, who: str) -> None:
    answer = town.put(f"/simulator/endpoints/{PHONE}", {"on_ring": "answer", "answered_by": who})
    assert answer.status_code == 200, answer.text


@pytest.fixture(autouse=True)
def _replies(application: Application) -> None:
    application.says("/hello", '<Say>Hello</Say><Pause length="60"/>')
    for path in ("/who", "/leg"):
        application.says(path, ("", 204))


@pytest.mark.parametrize(
    ("who", "wish", "found", "seconds"),
    [
        ("human", {}, "human", 2),
        ("machine", {}, "machine_start", 4),
        ("machine", {"machine_detection": "DetectMessageEnd"}, "machine_end_beep", 10),
        ("human", {"machine_detection": "DetectMessageEnd"}, "human", 2),
        ("machine", {"machine_detection_timeout": 3}, "unknown", 3),
        ("unknown", {"machine_detection_silence_timeout": 7000}, "unknown", 7),
    ],
)
def test_the_document_is_asked_for_when_it_is_known_who_answered(
    town: Town,
    application: Application,
    *,
    who: str,
    wish: dict[str, Any],
    found: str,
    seconds: int,
) -> None:
    answers(town, who)
    call = town.client.calls.create(
        from_=LINE,
        to=PHONE,
        url=application.url("/hello"),
        status_callback=application.url("/leg"),
        **{"machine_detection": "Enable", **wish},
    )
    town.wait(seconds + 0.1)
    assert application.at("/hello") == []
    town.wait(0.2)
    told = application.last("/hello")
    assert (told["AnsweredBy"], told["MachineDetectionDuration"]) == (found, f"{seconds}000")
    assert town.client.calls(call.sid).fetch().answered_by == found
    town.hang_up(call.sid)
    assert application.last("/leg")["AnsweredBy"] == found


def test_the_call_goes_on_where_it_is_found_out_aside(town: Town, application: Application) -> None:
    answers(town, "fax")
    url = application.url("/who")
    aside = {"machine_detection": "Enable", "async_amd": "true"}
    call = town.client.calls.create(
        from_=LINE,
        to=PHONE,
        url=application.url("/hello"),
        async_amd_status_callback=url,
        async_amd_status_callback_method="GET",
        **aside,
    )
    town.wait(1)
    assert town.heard(call.sid) == ["Hello"]
    assert "AnsweredBy" not in application.last("/hello")
    town.wait(4)
    [told] = application.at("/who")
    assert told.query["AnsweredBy"] == "fax"
    assert set(told.query) == {"AccountSid", "CallSid", "AnsweredBy", "MachineDetectionDuration"}
    gone = town.client.calls.create(from_=LINE, to=PHONE, twiml=SILENCE, **aside)
    town.wait(1)
    town.hang_up(gone.sid)
    town.wait(9)
    assert len(application.at("/who")) == 1
    assert town.errors() == [21262]


def test_keys_that_are_sent_leave_no_time_to_find_out(town: Town, application: Application) -> None:
    town.client.calls.create(
        from_=LINE,
        to=PHONE,
        url=application.url("/hello"),
        send_digits="1",
        machine_detection="Enable",
    )
    town.wait(1)
    assert "AnsweredBy" not in application.last("/hello")


def test_in_a_room_and_in_a_dial_it_is_found_out_aside(
    town: Town, application: Application
) -> None:
    answers(town, "machine")
    people = town.client.conferences("room").participants
    agent = people.create(
        from_=LINE,
        to=PHONE,
        machine_detection="DetectMessageEnd",
        amd_status_callback=application.url("/who"),
    )
    town.wait(1)
    assert people(agent.call_sid).fetch().status == "connected"
    town.wait(10)
    assert application.last("/who")["AnsweredBy"] == "machine_end_beep"
    application.says(
        "/voice",
        f'<Dial><Number machineDetection="Enable" amdStatusCallback="who">{PHONE}</Number></Dial>',
    )
    sid = town.dial(CALLER)
    town.wait(5)
    [leg] = town.legs(sid)
    told = application.last("/who")
    assert (told["CallSid"], told["AnsweredBy"]) == (leg["sid"], "machine_start")
