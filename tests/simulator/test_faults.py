"""Misfortune by order, and what both sides see of it."""

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from simulator.interpreter import APOLOGY
from tests.simulator.application import Application
from tests.simulator.town import LINE, Town


@pytest.fixture(autouse=True)
def _replies(application: Application) -> None:
    application.says("/voice", '<Say>Hello</Say><Pause length="600"/>')


def test_a_lost_callback_never_arrives(town: Town, application: Application) -> None:
    town.fault(webhook="/status", do="lose")
    town.hang_up(town.dial())
    assert not application.at("/status")
    town.hang_up(town.dial())
    assert len(application.at("/status")) == 1


def test_a_lost_document_is_an_error_to_the_caller(town: Town, application: Application) -> None:
    town.fault(webhook="/voice", do="lose")
    assert town.heard(town.dial()) == [APOLOGY]
    assert not application.at("/voice")


def test_a_doubled_webhook_arrives_twice_with_one_token(
    town: Town, application: Application
) -> None:
    town.fault(webhook="CallStatus=completed", do="duplicate", times=2)
    town.hang_up(town.dial())
    first, second = application.at("/status")
    assert first.form == second.form
    token = "I-Twilio-Idempotency-Token"
    assert first.headers[token] == second.headers[token]


def test_a_late_callback_arrives_late(town: Town, application: Application) -> None:
    town.fault(webhook="/status", do="delay", delay_seconds=30)
    town.hang_up(town.dial())
    town.wait(29)
    assert not application.at("/status")
    town.wait(1)
    assert application.at("/status")


def test_an_overtaken_callback_arrives_after_the_next(town: Town, application: Application) -> None:
    town.fault(webhook="CallStatus=ringing", do="reorder", delay_seconds=9)
    for _ in range(2):
        town.client.calls.create(
            to="client:ann",
            from_=LINE,
            twiml='<Response><Say>Hello</Say><Pause length="60"/></Response>',
            status_callback=application.url("/status"),
            status_callback_event=["initiated", "ringing", "answered"],
        )
        town.wait(0.2)
    numbers = [one.form["SequenceNumber"] for one in application.at("/status")]
    assert numbers == ["0", "2", "1", "0", "1", "2"]


def test_a_callback_that_nothing_overtakes_arrives_in_the_end(
    town: Town, application: Application
) -> None:
    town.fault(webhook="/status", do="reorder", delay_seconds=9)
    town.hang_up(town.dial())
    assert not application.at("/status")
    town.wait(9)
    assert application.at("/status")


@pytest.mark.parametrize(("do", "status"), [("429", 429), ("500", 500)])
def test_a_rest_call_fails_and_does_nothing(town: Town, do: str, status: int) -> None:
    town.fault(rest="POST /Calls", do=do)
    with pytest.raises(TwilioRestException) as caught:
        town.client.calls.create(to="client:ann", from_=LINE, twiml="<Response/>")
    assert caught.value.status == status
    assert town.state()["calls"] == []
    assert town.client.calls.create(to="client:ann", from_=LINE, twiml="<Response/>").sid


def test_a_connection_that_breaks_after_the_work_leaves_the_work_done(town: Town) -> None:
    town.fault(rest="POST /Participants", do="timeout_after_work")
    with pytest.raises(requests.ConnectionError):
        town.client.conferences("room").participants.create(from_=LINE, to="client:ann")
    assert [call["to"] for call in town.state()["calls"]] == ["client:ann"]


def test_a_rest_call_can_be_answered_late(town: Town) -> None:
    town.fault(rest="GET /Calls", do="delay", delay_seconds=0.3)
    assert town.client.calls.list() == []
    (line,) = [one for one in town.get("/simulator/log")["entries"] if one["kind"] == "rest"]
    assert line["status"] == 200


def test_faults_are_listed_and_cleared(town: Town, application: Application) -> None:
    town.fault(webhook="/status", do="lose", times=3)
    (fault,) = town.get("/simulator/faults")["faults"]
    assert (fault["webhook"], fault["do"], fault["times_left"]) == ("/status", "lose", 3)
    url = f"{town.simulator.url}/simulator/faults"
    assert requests.delete(url, timeout=20).status_code == 204
    town.hang_up(town.dial())
    assert application.at("/status")
