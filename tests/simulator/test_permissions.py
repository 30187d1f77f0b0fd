"""Numbers that an account may not call: refused by REST, failed by <Dial>, told by the debugger."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.simulator.application import Application
from tests.simulator.town import CALLER, LINE, Town

SILENCE = '<Response><Pause length="60"/></Response>'
ABROAD = "+442079460123"


def refused(town: Town, to: str) -> tuple[int, int]:
    """HTTP's status and Twilio's code, the same for a call and for a participant."""
    found = set()
    for ask in (
        lambda: town.client.calls.create(from_=LINE, to=to, twiml=SILENCE),
        lambda: town.client.conferences("room").participants.create(from_=LINE, to=to),
    ):
        with pytest.raises(TwilioRestException) as error:
            ask()
        found.add((error.value.status, error.value.code))
    [answer] = found
    assert town.state()["calls"] == []
    return answer


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", 21217),
        ("+15005550002", 21214),
        ("+15005550003", 21215),
        ("+15005550004", 21216),
    ],
)
def test_twilios_own_numbers_for_tests_are_refused_as_twilio_does(
    town: Town, number: str, code: int
) -> None:
    assert refused(town, number) == (400, code)
    assert town.client.calls.create(from_=LINE, to="+15005550006", twiml=SILENCE).sid


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"geo_permissions": ("+1", "+4930")}, 21215),
        ({"international": False}, 21203),
        ({"blocked_numbers": frozenset({ABROAD})}, 21216),
        ({"verified_numbers": frozenset({CALLER})}, 21219),
    ],
)
def test_what_the_account_may_not_call_is_refused_and_all_else_is_called(
    application: Application, settings: dict[str, Any], code: int
) -> None:
    town = Town(application, **settings)
    with town.simulator:
        assert refused(town, ABROAD) == (400, code)
        for permitted in (CALLER, "client:ann", "sip:ann@example.com"):
            assert town.client.calls.create(from_=LINE, to=permitted, twiml=SILENCE).sid


@pytest.mark.parametrize(
    ("number", "debugger"),
    [
        ("+15005550001", [13224]),
        ("+15005550002", []),
        ("+15005550003", [13227]),
        ("+15005550004", [13225]),
    ],
)
def test_a_dial_to_such_a_number_fails_and_the_caller_goes_on(
    town: Town, application: Application, number: str, debugger: list[int]
) -> None:
    application.says("/voice", f'<Dial action="/dialled"><Number>{number}</Number></Dial>')
    application.says("/dialled", "<Say>Sorry</Say>")
    sid = town.dial()
    assert application.last("/dialled")["DialCallStatus"] == "failed"
    assert town.heard(sid) == ["Sorry"]
    assert town.errors() == debugger


@pytest.mark.parametrize(
    ("caller", "shown", "status"),
    [
        (CALLER, None, "completed"),
        (CALLER, LINE, "completed"),
        (CALLER, "+13125550199", "failed"),
        ("client:ann", LINE, "completed"),
        ("client:ann", None, "failed"),
        ("anonymous", None, "failed"),
    ],
)
def test_a_dial_shows_a_number_of_the_account_or_of_the_call(
    town: Town, application: Application, caller: str, *, shown: str | None, status: str
) -> None:
    given = "" if shown is None else f'callerId="{shown}"'
    application.says("/voice", f'<Dial {given} action="/dialled">+13125550104</Dial>')
    application.says("/dialled", "<Hangup/>")
    sid = town.dial(caller)
    town.wait(1)
    [leg] = town.legs(sid)
    if leg["status"] == "in-progress":
        town.hang_up(leg["sid"])
    assert application.last("/dialled")["DialCallStatus"] == status
    assert town.errors() == ([13214] if status == "failed" else [])


def test_the_debugger_tells_of_a_queue_that_is_full(town: Town, application: Application) -> None:
    application.says("/voice", '<Enqueue maxQueueSize="1" action="/left">line</Enqueue>')
    application.says("/left", "<Hangup/>")
    town.dial()
    assert town.errors() == []
    town.dial()
    assert application.last("/left")["QueueResult"] == "queue-full"
    assert town.errors() == [14207]
