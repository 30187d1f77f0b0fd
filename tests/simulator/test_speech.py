"""What people say and what is announced to them."""

import pytest

from tests.simulator.application import Application
from tests.simulator.town import LINE, Town


def test_what_the_caller_says_goes_to_the_action(town: Town, application: Application) -> None:
    application.says(
        "/voice",
        '<Gather input="dtmf speech" action="answer" language="en-GB" speechTimeout="auto">'
        "<Say>Yes or no?</Say></Gather>",
    )
    application.says("/answer", "<Say>Noted</Say>")
    sid = town.dial()
    said = town.post(f"/simulator/calls/{sid}/say", {"text": "yes please", "confidence": 0.5})
    assert said.status_code == 200
    town.wait(1)
    form = application.last("/answer")
    assert form["SpeechResult"] == "yes please"
    assert form["Confidence"] == "0.50000000"
    assert form["Language"] == "en-GB"
    assert town.heard(sid) == ["Yes or no?", "Noted"]


def test_keys_are_lost_where_only_speech_is_wanted(town: Town, application: Application) -> None:
    application.says("/voice", '<Gather input="speech" timeout="5"/><Say>Nothing came</Say>')
    sid = town.dial()
    town.press(sid, "1")
    town.wait(5)
    assert town.heard(sid) == ["Nothing came"]


@pytest.mark.parametrize("body", [{"text": ""}, {"text": "x", "confidence": 2}, {}])
def test_a_wrong_sentence_is_refused(town: Town, application: Application, body: object) -> None:
    application.says("/voice", '<Gather input="speech"/>')
    sid = town.dial()
    assert town.post(f"/simulator/calls/{sid}/say", body).status_code == 400


@pytest.fixture
def room(town: Town, application: Application) -> tuple[str, str, str]:
    """A conference of two: its SID and theirs."""
    application.says(
        "/voice",
        '<Dial><Conference statusCallback="room" statusCallbackEvent="announcement" '
        'waitUrl="">sales</Conference></Dial>',
    )
    application.says("/room", ("", 204))
    application.says("/news", "<Say>We close soon</Say><Play>bell.mp3</Play>")
    first, second = town.dial(), town.dial()
    return town.room("sales")["sid"], first, second


def test_an_announcement_to_the_room_is_fetched_once_and_heard_by_all(
    town: Town, application: Application, room: tuple[str, str, str]
) -> None:
    sid, first, second = room
    town.client.conferences(sid).update(announce_url=application.url("/news"))
    town.wait(10)
    expected = ["We close soon", application.url("/bell.mp3")]
    assert town.heard(first) == ["a beep", *expected], "somebody came in before"
    assert town.heard(second) == expected
    assert len(application.at("/news")) == 1
    told = application.last("/room")
    assert told["StatusCallbackEvent"] == "announcement-end"
    assert told["AnnounceUrl"] == application.url("/news")


def test_an_announcement_to_one_is_heard_by_no_other(
    town: Town, application: Application, room: tuple[str, str, str]
) -> None:
    sid, first, second = room
    one = town.client.conferences(sid).participants(first)
    one.update(announce_url=application.url("/news"), announce_method="GET")
    town.wait(10)
    assert town.heard(first)[1] == "We close soon"
    assert town.heard(second) == []
    assert application.at("/news")[0].method == "GET"


def test_an_announcement_may_lead_to_another_but_not_in_a_circle(
    town: Town, application: Application, room: tuple[str, str, str]
) -> None:
    sid, first, _ = room
    application.says("/more", "<Say>For good</Say>")
    application.says("/news", "<Say>We close</Say><Redirect>more</Redirect>")
    town.client.conferences(sid).update(announce_url=application.url("/news"))
    town.wait(10)
    assert town.heard(first)[1:] == ["We close", "For good"]
    application.says("/more", "<Redirect>more</Redirect>")
    town.client.conferences(sid).update(announce_url=application.url("/more"))
    town.wait(10)
    assert len(application.at("/more")) == 11


def test_a_broken_announcement_is_told(
    town: Town, application: Application, room: tuple[str, str, str]
) -> None:
    application.says("/news", f"<Dial>{LINE}</Dial>")
    sid, first, _ = room
    town.client.conferences(sid).update(announce_url=application.url("/news"))
    town.settle()
    told = application.last("/room")
    assert told["StatusCallbackEvent"] == "announcement-fail"
    assert "Dial" in told["ReasonAnnouncementFailed"]
    assert town.call(first)["status"] == "in-progress"
