"""A SIP phone that was dialled sends the caller on to somebody else."""

import pytest

from tests.simulator.application import Application
from tests.simulator.town import LINE, Town

ANN, BOB = "sip:ann@example.com", "+14155550105"
TARGET = "<sip:+14155550105@example.com?User-to-User=7%3Bencoding%3Dhex>"


def talk(town: Town, application: Application, attributes: str, callee: str) -> tuple[str, str]:
    """A caller and whom they talk to: their calls' SIDs."""
    application.says("/done", "<Hangup/>")
    application.says("/voice", f'<Dial action="done" {attributes}>{callee}</Dial>')
    sid = town.dial()
    town.wait(2)
    return sid, town.legs(sid)[0]["sid"]


def refer(town: Town, sid: str, to: str = TARGET) -> int:
    status = town.post(f"/simulator/calls/{sid}/refer", {"to": to}).status_code
    town.settle()
    return status


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_application_hears_where_to_and_leads_the_caller_there(
    town: Town, application: Application, method: str
) -> None:
    attributes = f'referUrl="moved" referMethod="{method}" record="record-from-answer"'
    application.says("/moved", f"<Dial>{BOB}</Dial><Say>Goodbye</Say>")
    sid, ann = talk(town, application, attributes, f"<Sip>{ANN}</Sip>")
    assert refer(town, ann) == 200
    [asked] = application.at("/moved")
    assert asked.method == method
    told = asked.query if method == "GET" else asked.form
    assert (told["CallSid"], told["CallStatus"]) == (sid, "in-progress")
    assert told["ReferTransferTarget"] == TARGET
    town.wait(1)
    assert [(leg["to"], leg["status"]) for leg in town.legs(sid)] == [
        (ANN, "completed"),
        (BOB, "in-progress"),
    ]
    assert not application.at("/done"), "the answer of referUrl goes on in its place"
    assert [one.status for one in town.client.recordings.list()] == ["completed"]
    town.hang_up(town.legs(sid)[1]["sid"])
    assert town.heard(sid) == ["Goodbye"]


def test_without_an_address_for_it_both_talk_on(town: Town, application: Application) -> None:
    sid, ann = talk(town, application, "", f"<Sip>{ANN}</Sip>")
    assert refer(town, ann) == 200
    town.wait(1)
    assert town.errors() == [13802]
    assert {one["status"] for one in (town.call(sid), town.call(ann))} == {"in-progress"}


def test_only_a_sip_phone_that_talks_in_a_dial_can_send_somebody_on(
    town: Town, application: Application
) -> None:
    sid, bob = talk(town, application, 'referUrl="moved"', f"<Number>{BOB}</Number>")
    assert refer(town, bob) == 409, "not a SIP phone"
    assert refer(town, sid) == 409
    called = town.client.calls.create(
        from_=LINE, to=ANN, twiml='<Response><Pause length="60"/></Response>'
    )
    town.wait(1)
    assert refer(town, called.sid) == 409, "not in a <Dial>"
    assert refer(town, called.sid, "somebody") == 400
    assert refer(town, "CA" + "0" * 32) == 404
