"""Dequeue, call and redirect: agents are brought to calls in other ways than by a conference."""

import json

import pytest

from routing.engine import giving, reservations
from tests.voice.exchange import FakeCall
from tests.voice.office import CALLER, NUMBER, Office
from voice.phone_line import PhoneLineError, Refused, Unreachable

URL = "https://elsewhere.example.com/document"


def offered(office: Office) -> tuple[FakeCall, str]:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    return call, office.centre.offer(office.task_sid(call)).sid


def give(office: Office, offer: str, instruction: str, **given: object) -> None:
    office.centre.engine.perform(
        giving.give, reservation_sid=offer, instruction=instruction, parameters=given
    )
    office.settle()


RECORDED = [
    ({}, False),
    ({"record": "record-from-answer"}, True),
    ({"record": "true"}, True),
    ({"record": "do-not-record"}, False),
    ({"record": "false"}, False),
]


@pytest.mark.parametrize(("given", "recorded"), RECORDED)
@pytest.mark.parametrize("instruction", ["dequeue", "call"])
def test_the_agents_leg_is_recorded_where_the_instruction_says_so(
    small_office: Office, instruction: str, given: dict[str, object], recorded: bool
) -> None:
    _call, offer = offered(small_office)
    give(small_office, offer, instruction, **{"from": NUMBER, "url": URL}, **given)
    leg = small_office.line.leg_to("client:alice")
    assert leg.part["record"] is recorded


def test_a_dequeue_bridges_and_accepts_when_both_are_in(small_office: Office) -> None:
    call, offer = offered(small_office)
    give(small_office, offer, "dequeue", record="record-from-answer", timeout=15)
    leg = small_office.line.leg_to("client:alice")
    assert leg.part["record"] is True
    assert small_office.reservation_statuses(call) == ["pending"]
    small_office.line.pick_up(leg)
    small_office.settle()
    assert small_office.are_together(call, leg)
    assert small_office.reservation_statuses(call) == ["accepted"]
    attributes = json.loads(small_office.centre.task(small_office.task_sid(call)).attributes)
    assert attributes["worker_call_sid"] == leg.sid


def test_a_dequeue_that_nobody_answers_cancels_with_twilios_code(small_office: Office) -> None:
    call, offer = offered(small_office)
    give(small_office, offer, "dequeue")
    small_office.line.end(small_office.line.leg_to("client:alice"), "no-answer")
    small_office.settle()
    reservation = small_office.centre.reservation(offer)
    assert reservation.reservation_status == "canceled"
    assert str(reservation.reason).startswith("40133: ")
    assert call.is_live


@pytest.mark.parametrize("accept", [True, False])
def test_a_call_rings_the_agent_with_somebodys_own_document(
    small_office: Office, accept: bool
) -> None:
    _call, offer = offered(small_office)
    give(small_office, offer, "call", **{"from": NUMBER, "url": URL, "accept": accept})
    leg = small_office.line.leg_to("client:alice")
    assert URL in leg.documents[0]
    leg.status = "in-progress"
    small_office.line.tell_status(leg, "in-progress")
    small_office.settle()
    status = small_office.centre.reservation(offer).reservation_status
    assert status == ("accepted" if accept else "pending")
    small_office.settle()
    assert len([each for each in small_office.line.calls.values() if each.is_live]) == 2


def test_a_call_whose_answer_was_lost_is_not_made_twice(small_office: Office) -> None:
    _call, offer = offered(small_office)
    small_office.line.faults_after["call"] = [Unreachable("timed out")]
    give(small_office, offer, "call", **{"from": NUMBER, "url": URL, "accept": True})
    small_office.pass_time(5)
    assert small_office.line.asked.count("call client:alice from +15005550006") == 1
    assert small_office.rows_of("call")[0].worker_call_sid is not None


@pytest.mark.parametrize("error", [Refused("invalid number", code=21211)])
def test_a_call_that_twilio_refuses_cancels_what_it_was_to_accept(
    small_office: Office, error: PhoneLineError
) -> None:
    _call, offer = offered(small_office)
    small_office.line.faults["call"] = [error]
    give(small_office, offer, "call", **{"from": NUMBER, "url": URL, "accept": True})
    assert small_office.centre.reservation(offer).reservation_status == "canceled"
    assert "reservation.failed" in small_office.centre.story(offer)


@pytest.mark.parametrize("accept", [True, False])
def test_a_redirect_sends_a_call_elsewhere(small_office: Office, accept: bool) -> None:
    call, offer = offered(small_office)
    give(small_office, offer, "redirect", call_sid=call.sid, url=URL, accept=accept)
    assert URL in call.documents[-1]
    status = small_office.centre.reservation(offer).reservation_status
    assert status == ("accepted" if accept else "pending")


def test_a_redirect_of_a_call_that_is_gone_fails_with_twilios_code(small_office: Office) -> None:
    _call, offer = offered(small_office)
    give(small_office, offer, "redirect", call_sid="CA" + "9" * 32, url=URL, accept=True)
    reservation = small_office.centre.reservation(offer)
    assert reservation.reservation_status == "canceled"
    assert str(reservation.reason).startswith("40122: ")


def test_an_agent_may_still_reject_what_is_being_dialled(small_office: Office) -> None:
    call, offer = offered(small_office)
    give(small_office, offer, "dequeue")
    small_office.centre.engine.perform(
        reservations.reject,
        reservation_sid=offer,
        worker_activity_sid=small_office.centre.activity("Offline"),
    )
    small_office.settle()
    assert small_office.line.live_calls() == [call]
    assert call.from_address == CALLER
