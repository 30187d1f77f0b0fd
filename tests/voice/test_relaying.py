"""Instructions name URLs that are to hear how a leg and its room are doing, as from Twilio."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from twilio.request_validator import RequestValidator

from routing.background.callbacks.settings import CallbackSettings
from routing.engine import giving
from tests.callbacks.bureau import Bureau, FakePoster, posted
from tests.voice.exchange import FakeCall
from tests.voice.office import TOKEN, Office
from tests.voice.test_the_flow_of_a_number import enqueue

LEG, ROOM = "https://program.example/leg", "https://program.example/room?of=7"


class Program:
    """Somebody who gives instructions, and hears what becomes of them."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.poster = FakePoster(lambda _url: posted())
        settings = CallbackSettings(account_sid="AC" + "5" * 32, auth_tokens=(TOKEN,))
        self.bureau = Bureau(office.centre, settings=settings, poster=self.poster)
        self.alice = office.centre.add_worker("Alice", contact_uri="client:alice")
        self.call = office.dial_in()
        office.settle()
        self.offer = office.centre.offer(office.task_sid(self.call))

    def give(self, instruction: str, **parameters: object) -> FakeCall:
        self.office.centre.engine.perform(
            giving.give,
            reservation_sid=self.offer.sid,
            instruction=instruction,
            parameters=parameters,
        )
        self.office.settle()
        return self.office.line.leg_to("client:alice")

    def heard(self) -> list[tuple[str, dict[str, str]]]:
        """(address, what it was told) of all so far, each signed as Twilio signs."""
        self.bureau.work()
        found = []
        for url, body, headers in self.poster.posted:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
            signature = headers["X-Twilio-Signature"]
            assert RequestValidator(TOKEN).validate(url, fields, signature)
            query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
            found.append((url.partition("?")[0], query | fields))
        return found

    def events(self, address: str, name: str) -> list[tuple[str, str]]:
        """(what it was, its number) of the news that the address heard."""
        return [
            (told[name], told["SequenceNumber"])
            for url, told in self.heard()
            if url == address.partition("?")[0]
        ]


@pytest.fixture
def program(office: Office) -> Program:
    return Program(office)


def test_a_conference_tells_of_leg_and_room_what_was_asked_for(program: Program) -> None:
    leg = program.give(
        "conference",
        status_callback=LEG,
        status_callback_event=["ringing", "answered", "completed"],
        conference_status_callback=ROOM,
        conference_status_callback_event="start,end,leave",
    )
    program.office.line.pick_up(leg)
    program.office.settle()
    program.office.line.end(program.call)
    program.office.settle()
    assert program.events(LEG, "CallStatus") == [
        ("ringing", "0"),
        ("in-progress", "1"),
        ("completed", "2"),
    ]
    room = program.events(ROOM, "StatusCallbackEvent")
    assert [event for event, _number in room] == [
        "conference-start",
        "participant-leave",
        "participant-leave",
        "conference-end",
    ]
    assert [number for _event, number in room] == ["1", "2", "3", "4"]
    told = next(told for url, told in program.heard() if url == "https://program.example/room")
    assert told["of"] == "7"
    assert told["TaskSid"] == program.office.task_sid(program.call)
    assert told["ReservationSid"] == program.offer.sid
    assert told["CustomerCallSid"] == program.call.sid
    assert told["EndConferenceOnCustomerExit"] == "true"
    assert told["StatusCallbackEvents"] == "ringing,answered,completed"


def test_what_was_not_asked_for_is_not_told(program: Program) -> None:
    leg = program.give("conference", status_callback=LEG, conference_status_callback=ROOM)
    program.office.line.end(leg, "busy")
    program.office.settle()
    assert program.events(LEG, "CallStatus") == [("busy", "0")]
    # The room has ended without anybody in it: its default events are start and end.
    assert program.events(ROOM, "StatusCallbackEvent") == [("conference-end", "1")]


def test_a_dequeue_asks_by_get_and_names_the_callers_call(program: Program) -> None:
    leg = program.give(
        "dequeue", status_callback_url=LEG, status_callback_events="initiated,completed"
    )
    program.office.line.end(leg, "no-answer")
    program.office.settle()
    assert program.events(LEG, "CallStatus") == [("initiated", "0"), ("no-answer", "1")]
    assert all(body == b"" for _url, body, _headers in program.poster.posted)
    assert {told["taskCallSid"] for _url, told in program.heard()} == {program.call.sid}


def test_news_that_come_twice_are_told_once(program: Program) -> None:
    leg = program.give("conference", status_callback=LEG, conference_status_callback=ROOM)
    program.office.line.pick_up(leg)
    program.office.settle_badly(3)
    program.office.line.end(leg)
    program.office.settle_badly(4)
    assert program.events(LEG, "CallStatus") == [("completed", "0")]
    assert sorted(event for event, _ in program.events(ROOM, "StatusCallbackEvent")) == [
        "conference-end",
        "conference-start",
    ]


def test_a_private_address_is_never_called(office: Office) -> None:
    program = Program(office)
    program.bureau = Bureau(office.centre)  # with the real poster
    leg = program.give("conference", status_callback="http://169.254.169.254/latest")
    program.office.line.end(leg, "busy")
    program.office.settle()
    program.bureau.work()
    [delivery] = program.bureau.deliveries()
    assert (delivery.kind, delivery.state) == ("relay", "dead")
    assert "which callbacks are not sent to" in (delivery.last_error or "")


@pytest.mark.parametrize("talks", [False, True])
def test_the_action_of_another_application_hears_that_its_caller_hung_up(
    office: Office, talks: bool
) -> None:
    program = Program(office)
    call = office.line.new_call("+14155550188", program.call.to_address, None)
    call.status = "in-progress"
    twiml = enqueue(office, call, action=ROOM)
    office.line.obey(call, twiml)
    office.settle()
    if talks:
        office.line.end(program.call)
        office.settle()
        office.centre.accept(office.task_sid(call))
        office.settle()
        office.line.pick_up(office.line.leg_to("client:alice"))
        office.settle()
    office.line.end(call)
    office.settle_badly(1)
    [(url, told)] = program.heard()
    assert url == "https://program.example/room"
    assert (told["CallSid"], told["CallStatus"]) == (call.sid, "completed")
    assert told["QueueResult"] == ("bridged" if talks else "hangup")
    assert told["QueueTime"] == "0"
    assert not [name for name in told if name.startswith("Dial")]
