"""Rooms: who opens and closes them, whom they tell, hold, mute, labels, music."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.simulator.application import Application
from tests.simulator.town import LINE, Town

PARTICIPANT_KEYS = {
    "AccountSid", "CallSid", "Coaching", "ConferenceSid", "EndConferenceOnExit", "FriendlyName",
    "Hold", "Muted", "SequenceNumber", "StartConferenceOnEnter", "StatusCallbackEvent", "Timestamp",
}  # fmt: skip
ALL_EVENTS = "start end join leave mute hold modify"


def conference(attributes: str = "") -> str:
    return (
        '<Dial action="after"><Conference statusCallback="room" '
        f'statusCallbackEvent="{ALL_EVENTS}" {attributes}>sales</Conference></Dial>'
    )


@pytest.fixture(autouse=True)
def _replies(application: Application) -> None:
    application.says("/voice", conference())
    application.says("/room", ("", 204))
    application.says("/leg", ("", 204))
    application.says("/after", "<Say>You are out</Say>")


def events(application: Application) -> list[str]:
    return [one.form["StatusCallbackEvent"] for one in application.at("/room")]


def add_agent(town: Town, **options: Any) -> Any:
    participants = town.client.conferences("sales").participants
    created = participants.create(from_=LINE, to="client:ann", **options)
    town.settle()
    return created


def test_a_room_opens_with_two_and_closes_with_the_last(
    town: Town, application: Application
) -> None:
    first = town.dial()
    assert events(application) == ["participant-join"]
    assert set(application.last("/room")) == PARTICIPANT_KEYS
    assert town.room("sales")["status"] == "init"
    assert town.heard(first) == ["Twilio's hold music"]
    second = town.dial()
    assert events(application)[1:] == ["participant-join", "conference-start"]
    assert town.room("sales")["status"] == "in-progress"
    town.hang_up(first)
    leave = application.last("/room")
    assert leave["StatusCallbackEvent"] == "participant-leave"
    assert leave["ReasonParticipantLeft"] == "participant_hung_up"
    assert leave["ParticipantCallStatus"] == "completed"
    assert town.heard(second) == ["a beep", "Twilio's hold music"]  # left alone
    town.hang_up(second)
    end = application.last("/room")
    assert end["StatusCallbackEvent"] == "conference-end"
    assert end["ReasonConferenceEnded"] == "last-participant-left"
    assert end["CallSidEndingConference"] == second
    numbers = [int(one.form["SequenceNumber"]) for one in application.at("/room")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_dial_action_hears_of_the_room(town: Town, application: Application) -> None:
    sid = town.dial()
    town.hang_up(sid)
    form = application.last("/after")
    assert form["DialCallStatus"] == "completed"
    assert form["CallStatus"] == "completed"
    assert town.heard(sid) == ["Twilio's hold music"]


def test_who_leaves_with_end_conference_on_exit_closes_the_room(
    town: Town, application: Application
) -> None:
    other = town.dial()
    application.says("/voice", conference('endConferenceOnExit="true" participantLabel="boss"'))
    boss = town.dial()
    town.hang_up(boss)
    end = application.last("/room")
    assert end["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    assert end["CallSidEndingConference"] == boss
    assert end["ParticipantLabelEndingConference"] == "boss"
    left = [one.form for one in application.at("/room")][-2]
    assert left["CallSid"] == other
    assert left["ReasonParticipantLeft"] == "moderator_ended_conference"
    reports = {one.form["CallSid"]: one.form for one in application.at("/after")}
    assert reports[other]["DialCallStatus"] == "answered"
    assert town.heard(other)[-1] == "You are out"


def test_nobody_opens_a_room_without_leave_to(town: Town, application: Application) -> None:
    application.says("/voice", conference('startConferenceOnEnter="false"'))
    town.dial()
    town.dial()
    assert town.room("sales")["status"] == "init"
    application.says("/voice", conference())
    town.dial()
    assert town.room("sales")["status"] == "in-progress"


def test_the_first_participant_fixes_callback_and_events(
    town: Town, application: Application
) -> None:
    application.says(
        "/voice",
        '<Dial><Conference statusCallback="room" statusCallbackEvent="end">sales'
        "</Conference></Dial>",
    )
    first = town.dial()
    application.says("/voice", conference())
    second = town.dial()
    town.hang_up(first)
    town.hang_up(second)
    assert events(application) == ["conference-end"]
    assert application.last("/room")["SequenceNumber"] == "1"


def test_a_taken_label_is_refused_and_the_caller_goes_on(
    town: Town, application: Application
) -> None:
    application.says("/voice", conference('participantLabel="customer"'))
    town.dial()
    second = town.dial()
    assert town.errors() == [16025]
    assert town.heard(second) == ["You are out"]


def test_the_waiting_document_of_a_room_runs_once(town: Town, application: Application) -> None:
    application.says("/voice", conference('waitUrl="music" waitMethod="GET"'))
    application.says("/music", "<Say>Please wait</Say>")
    sid = town.dial()
    town.wait(60)
    assert town.heard(sid) == ["Please wait"]
    assert [one.method for one in application.at("/music")] == ["GET"]
    application.says("/music", "<Gather/>")
    town.dial(from_="+13125550104")
    assert town.errors() == []  # the room is open: no music any more


def test_a_wrong_verb_in_the_waiting_document_leaves_silence(
    town: Town, application: Application
) -> None:
    application.says("/voice", conference('waitUrl="music"'))
    application.says("/music", "<Gather/>")
    sid = town.dial()
    assert town.errors() == [13238]
    assert town.call(sid)["status"] == "in-progress"


def test_an_agent_is_called_into_the_room(town: Town, application: Application) -> None:
    customer = town.dial()
    agent = add_agent(
        town,
        label="worker",
        end_conference_on_exit=True,
        status_callback=application.url("/leg"),
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    assert agent.status == "queued"
    assert agent.label == "worker"
    (room,) = town.client.conferences.list(friendly_name="sales")
    assert room.sid == agent.conference_sid
    assert town.client.conferences(room.sid).participants("worker").fetch().status == "ringing"
    town.wait(0.2)
    assert town.client.conferences(room.sid).participants(agent.call_sid).fetch().status == (
        "connected"
    )
    assert town.client.conferences(room.sid).fetch().status == "in-progress"
    town.wait(61)
    town.hang_up(customer)
    town.hang_up(agent.call_sid)
    legs = [one.form for one in application.at("/leg")]
    assert [one["CallStatus"] for one in legs] == [
        "initiated", "ringing", "in-progress", "completed",
    ]  # fmt: skip
    assert [one["SequenceNumber"] for one in legs] == ["0", "1", "2", "3"]
    assert legs[-1]["SipResponseCode"] == "200"
    assert (legs[-1]["CallDuration"], legs[-1]["Duration"]) == ("61", "2")
    assert legs[0]["Direction"] == "outbound-api"
    assert "ToCity" not in legs[0]  # a client has no place
    assert "FromCity" in legs[0]
    assert town.room("sales")["status"] == "completed"


@pytest.mark.parametrize(
    ("on_ring", "status", "sip_code"),
    [("busy", "busy", "486"), ("no-answer", "no-answer", "487"), ("fail", "failed", "404")],
)
def test_an_agent_who_does_not_answer_leaves_no_room_behind(
    town: Town, application: Application, on_ring: str, status: str, sip_code: str
) -> None:
    town.phone("client:ann", on_ring)
    agent = add_agent(town, timeout=15, status_callback=application.url("/leg"))
    town.wait(20)
    assert town.call(agent.call_sid)["status"] == status
    form = application.last("/leg")
    assert (form["CallStatus"], form["SipResponseCode"]) == (status, sip_code)
    assert town.room("sales")["status"] == "completed"
    assert town.client.conferences("sales").participants.create(from_=LINE, to="client:bob")


def test_a_timeout_rings_five_seconds_longer(town: Town) -> None:
    town.phone("client:ann", "manual")
    agent = add_agent(town, timeout=15)
    town.wait(19.9)
    assert town.call(agent.call_sid)["status"] == "ringing"
    town.wait(0.1)
    assert town.call(agent.call_sid)["status"] == "no-answer"


def test_an_agent_answers_by_hand(town: Town) -> None:
    town.phone("client:ann", "manual")
    agent = add_agent(town)
    town.wait(30)
    town.answer(agent.call_sid)
    assert town.call(agent.call_sid)["status"] == "in-progress"
    assert town.post(f"/simulator/calls/{agent.call_sid}/answer").status_code == 409


def test_hold_and_mute_are_told_and_heard(town: Town, application: Application) -> None:
    application.says("/hold", "<Play>hold.mp3</Play>")
    customer = town.dial()
    agent = add_agent(town)
    town.wait(0.2)
    one = town.client.conferences(agent.conference_sid).participants(customer)
    held = one.update(hold=True, hold_url=application.url("/hold"))
    assert held.hold is True
    town.wait(10)
    assert town.heard(customer)[-1] == application.url("/hold.mp3")
    assert application.at("/hold")[0].method == "GET"
    assert one.update(muted=True).muted is True
    assert one.update(hold=False).hold is False
    town.settle()
    told = events(application)[-3:]
    assert told == ["participant-hold", "participant-mute", "participant-unhold"]
    assert application.last("/room")["Muted"] == "true"


def test_who_is_on_hold_neither_closes_the_room_nor_changes_that(
    town: Town, application: Application
) -> None:
    town.dial()
    agent = add_agent(town, end_conference_on_exit=True)
    town.wait(0.2)
    one = town.client.conferences(agent.conference_sid).participants(agent.call_sid)
    one.update(hold=True)
    assert one.update(end_conference_on_exit=False).end_conference_on_exit is True
    town.hang_up(agent.call_sid)
    assert town.room("sales")["status"] == "in-progress"
    assert events(application)[-1] == "participant-leave"


def test_a_kicked_participant_goes_on_with_the_document(
    town: Town, application: Application
) -> None:
    customer = town.dial()
    agent = add_agent(town)
    town.wait(0.2)
    assert town.client.conferences(agent.conference_sid).participants(customer).delete()
    town.settle()
    assert town.heard(customer)[-1] == "You are out"
    assert application.at("/room")[-1].form["CallSid"] == customer
    with pytest.raises(TwilioRestException) as caught:
        town.client.conferences(agent.conference_sid).participants(customer).fetch()
    assert (caught.value.status, caught.value.code) == (404, 20404)


def test_a_conference_is_ended_by_rest_only_while_it_is_open(
    town: Town, application: Application
) -> None:
    customer = town.dial()
    sid = town.room("sales")["sid"]
    with pytest.raises(TwilioRestException) as caught:
        town.client.conferences(sid).update(status="completed")
    assert caught.value.status == 400
    agent = add_agent(town)
    town.wait(0.2)
    ended = town.client.conferences(sid).update(status="completed")
    town.settle()
    assert ended.status == "completed"
    assert ended.reason_conference_ended == "conference-ended-via-api"
    assert application.last("/room")["ReasonConferenceEnded"] == "conference-ended-via-api"
    assert town.call(agent.call_sid)["status"] == "completed"
    assert town.heard(customer)[-1] == "You are out"


def test_a_redirect_out_of_a_room_reports_first_and_then_wins(
    town: Town, application: Application
) -> None:
    customer = town.dial()
    town.client.calls(customer).update(twiml="<Response><Say>Elsewhere</Say></Response>")
    town.settle()
    assert town.heard(customer)[-1] == "Elsewhere"
    assert application.last("/after")["DialCallStatus"] == "completed"
    reasons = [one.form.get("ReasonParticipantLeft") for one in application.at("/room")]
    assert "participant_updated_via_api" in reasons


def test_a_coach_must_coach_somebody_in_the_room(town: Town) -> None:
    customer = town.dial()
    with pytest.raises(TwilioRestException) as caught:
        add_agent(town, coaching=True, call_sid_to_coach="CA" + "0" * 32)
    assert caught.value.code == 16028
    coach = add_agent(town, coaching=True, call_sid_to_coach=customer)
    assert (coach.coaching, coach.call_sid_to_coach) == (True, customer)


def test_nobody_coaches_somebody_on_hold(town: Town) -> None:
    customer = town.dial()
    agent = add_agent(town)
    town.wait(0.2)
    room = town.client.conferences(agent.conference_sid)
    room.participants(customer).update(hold=True)
    for coaches in (
        lambda: add_agent(town, coaching=True, call_sid_to_coach=customer),
        lambda: room.participants(agent.call_sid).update(coaching=True, call_sid_to_coach=customer),
    ):
        with pytest.raises(TwilioRestException) as caught:
            coaches()
        assert caught.value.code == 16027


def test_what_a_participant_may_not_be_called_is_refused(town: Town) -> None:
    town.dial()
    add_agent(town, label="agent")
    for label, code in (("agent", 16026), ("a/b", 16024), ("CA" + "0" * 32, 16024)):
        with pytest.raises(TwilioRestException) as caught:
            add_agent(town, label=label)
        assert caught.value.code == code


def test_who_speaks_in_the_room_is_told(town: Town, application: Application) -> None:
    application.says("/voice", conference().replace(ALL_EVENTS, "speaker"))
    first = town.dial()
    second = town.dial()
    town.post(f"/simulator/calls/{first}/say", {"text": "x" * 30})
    town.wait(1.9)
    assert events(application) == ["participant-speech-start"]
    town.wait(0.2)
    assert events(application)[1:] == ["participant-speech-stop"]
    assert application.last("/room")["CallSid"] == first
    town.client.conferences(town.room("sales")["sid"]).participants(second).update(muted=True)
    town.post(f"/simulator/calls/{second}/say", {"text": "Nobody hears this"})
    town.wait(2)
    assert len(events(application)) == 2


def test_a_conference_callback_that_is_refused_has_a_number_of_its_own(
    town: Town, application: Application
) -> None:
    application.says("/room", ("no", 500))
    town.dial()
    lines = town.get("/simulator/log")["entries"]
    assert {line["error"]["code"] for line in lines if line["error"]} == {16011}
