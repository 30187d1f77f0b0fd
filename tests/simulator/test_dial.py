"""<Dial>: phones that answer or do not, several at once, whispers, limits, redirects."""

import pytest

from tests.simulator.application import Application
from tests.simulator.town import CALLER, LINE, Town

ANN, BOB = "+13125550104", "+14155550105"


@pytest.fixture(autouse=True)
def _replies(application: Application) -> None:
    application.says("/leg", ("", 204))
    application.says("/done", "<Hangup/>")


def test_a_dialled_phone_answers_and_both_talk_until_one_hangs_up(
    town: Town, application: Application
) -> None:
    application.says(
        "/voice",
        f'<Dial action="done" callerId="{LINE}"><Number statusCallback="leg" '
        f'statusCallbackEvent="initiated ringing answered completed">{ANN}</Number></Dial>',
    )
    sid = town.dial()
    town.wait(0.2)
    (leg,) = town.legs(sid)
    assert (leg["status"], leg["direction"], leg["from"]) == ("in-progress", "outbound-dial", LINE)
    town.wait(9)
    town.hang_up(leg["sid"])
    form = application.last("/done")
    assert form["DialCallStatus"] == "completed"
    assert form["DialCallSid"] == leg["sid"]
    assert form["DialCallDuration"] == "9"
    assert form["DialBridged"] == "true"
    told = application.at("/leg")
    assert [one.form["CallStatus"] for one in told] == [
        "initiated", "ringing", "in-progress", "completed",
    ]  # fmt: skip
    last = told[-1].form
    assert last["ParentCallSid"] == sid
    assert last["ForwardedFrom"] == last["CalledVia"] == LINE
    assert "FromCity" not in last


@pytest.mark.parametrize(
    ("on_ring", "status"), [("busy", "busy"), ("no-answer", "no-answer"), ("fail", "failed")]
)
def test_a_phone_that_does_not_answer_is_reported(
    town: Town, application: Application, on_ring: str, status: str
) -> None:
    town.phone(ANN, on_ring)
    application.says("/voice", f'<Dial action="done" timeout="10">{ANN}</Dial>')
    town.dial()
    town.wait(15)
    form = application.last("/done")
    assert form["DialCallStatus"] == status
    assert form["DialBridged"] == "false"
    assert "DialCallDuration" not in form


def test_without_an_action_the_document_goes_on(town: Town, application: Application) -> None:
    town.phone(ANN, "busy")
    application.says("/voice", f"<Dial>{ANN}</Dial><Say>Sorry</Say>")
    sid = town.dial()
    town.wait(1)
    assert town.heard(sid) == ["Sorry"]


def test_of_several_phones_the_first_to_answer_wins(town: Town, application: Application) -> None:
    town.phone(ANN, "answer", 5)
    town.phone(BOB, "answer", 3)
    application.says("/voice", f"<Dial><Number>{ANN}</Number><Number>{BOB}</Number></Dial>")
    sid = town.dial()
    town.wait(6)
    assert [(leg["to"], leg["status"]) for leg in town.legs(sid)] == [
        (ANN, "canceled"),
        (BOB, "in-progress"),
    ]


def test_phones_ring_one_after_the_other_if_asked(town: Town, application: Application) -> None:
    town.phone(ANN, "busy", 2)
    application.says(
        "/voice",
        f'<Dial sequential="true"><Number>{ANN}</Number><Client>bob</Client></Dial>',
    )
    sid = town.dial()
    town.wait(1)
    assert [leg["to"] for leg in town.legs(sid)] == [ANN]
    town.wait(2)
    assert [(leg["to"], leg["status"]) for leg in town.legs(sid)] == [
        (ANN, "busy"),
        ("client:bob", "in-progress"),
    ]


def test_a_caller_who_hangs_up_stops_the_ringing(town: Town, application: Application) -> None:
    town.phone("sip:ann@example.com", "manual")
    application.says("/voice", '<Dial action="done"><Sip>sip:ann@example.com</Sip></Dial>')
    sid = town.dial()
    town.wait(3)
    town.hang_up(sid)
    (leg,) = town.legs(sid)
    assert leg["status"] == "canceled"
    assert application.last("/done")["CallStatus"] == "completed"


def test_the_callee_hears_the_whisper_before_talking(town: Town, application: Application) -> None:
    application.says("/voice", f'<Dial><Number url="whisper">{ANN}</Number></Dial>')
    application.says("/whisper", "<Say>A call from the web site</Say>")
    sid = town.dial()
    town.wait(0.2)
    (leg,) = town.legs(sid)
    assert application.last("/whisper")["CallSid"] == leg["sid"]
    assert application.last("/whisper")["ParentCallSid"] == sid
    assert town.heard(leg["sid"]) == ["A call from the web site"]


def test_the_line_is_not_answered_before_the_bridge_if_so_asked(
    town: Town, application: Application
) -> None:
    application.says("/voice", f'<Dial answerOnBridge="true">{ANN}</Dial>')
    sid = town.dial()
    assert town.call(sid)["status"] == "ringing"
    town.wait(0.2)
    assert town.call(sid)["status"] == "in-progress"


def test_the_time_limit_ends_the_conversation(town: Town, application: Application) -> None:
    application.says("/voice", f'<Dial action="done" timeLimit="60">{ANN}</Dial>')
    sid = town.dial()
    town.wait(60.1)
    assert town.call(sid)["status"] == "in-progress"
    town.wait(0.2)
    assert application.last("/done")["DialCallDuration"] == "60"


def test_the_star_key_hangs_up_on_the_callee(town: Town, application: Application) -> None:
    application.says("/voice", f'<Dial hangupOnStar="true">{ANN}</Dial><Say>Bye</Say>')
    sid = town.dial()
    town.wait(1)
    town.press(sid, "*")
    assert town.heard(sid) == ["Bye"]
    assert town.legs(sid)[0]["status"] == "completed"


def test_a_redirect_of_the_caller_reports_first_and_drops_the_callee(
    town: Town, application: Application
) -> None:
    application.says("/voice", f'<Dial action="done">{ANN}</Dial>')
    application.says("/new", '<Say>Moved</Say><Pause length="60"/>')
    sid = town.dial()
    town.wait(1)
    town.client.calls(sid).update(url=application.url("/new"), method="GET")
    town.settle()
    assert application.paths[-2:] == ["/done", "/new"]
    assert application.last("/done")["DialCallStatus"] == "completed"
    assert town.heard(sid) == ["Moved"]
    assert town.legs(sid)[0]["status"] == "completed"


def test_a_redirect_of_the_callee_lets_the_caller_go_on(
    town: Town, application: Application
) -> None:
    application.says("/voice", f"<Dial>{ANN}</Dial><Say>Alone again</Say>")
    sid = town.dial()
    town.wait(1)
    (leg,) = town.legs(sid)
    town.client.calls(leg["sid"]).update(
        twiml='<Response><Say>To the room</Say><Pause length="9"/></Response>'
    )
    town.settle()
    assert town.heard(leg["sid"]) == ["To the room"]
    assert town.heard(sid) == ["Alone again"]


def test_a_phones_network_may_say_another_code_than_usual(
    town: Town, application: Application
) -> None:
    """A busy with 487 was recorded, too."""
    town.put(f"/simulator/endpoints/{ANN}", {"on_ring": "busy", "sip_code": 487})
    application.says("/leg", ("", 204))
    application.says("/voice", f'<Dial><Number statusCallback="/leg">{ANN}</Number></Dial>')
    town.dial()
    town.wait(1)
    told = application.last("/leg")
    assert (told["CallStatus"], told["SipResponseCode"]) == ("busy", "487")


def test_the_end_of_an_outbound_call_has_the_recorded_keys(
    town: Town, application: Application
) -> None:
    town.phone(CALLER, "busy")
    town.client.calls.create(
        to=CALLER, from_=LINE, twiml="<Response/>", status_callback=application.url("/leg")
    )
    town.wait(0.2)
    sides = ("From", "To", "Caller", "Called")
    geography = {f"{side}{what}" for side in sides for what in ("City", "State", "Zip", "Country")}
    assert set(application.last("/leg")) == {
        "AccountSid", "ApiVersion", "CallSid", "CallStatus", "Direction", "CallbackSource",
        "SequenceNumber", "Timestamp", "SipResponseCode", "Duration", "CallDuration",
        *sides, *geography,
    }  # fmt: skip
    assert application.last("/leg")["CallDuration"] == "0"
    assert application.last("/leg")["Duration"] == "0"


def test_an_outbound_call_follows_its_document_when_answered(
    town: Town, application: Application
) -> None:
    application.says("/hello", '<Say>It is us</Say><Gather timeout="2"/>')
    call = town.client.calls.create(
        to=CALLER,
        from_=LINE,
        url=application.url("/hello"),
        status_callback=application.url("/leg"),
        status_callback_event=["answered", "completed"],
    )
    assert (call.status, call.direction, call.date_created) == ("queued", "outbound-api", None)
    town.wait(0.2)
    assert application.last("/hello")["CallStatus"] == "in-progress"
    assert application.last("/hello")["Direction"] == "outbound-api"
    town.wait(10)
    assert town.heard(call.sid) == ["It is us"]
    assert [one.form["SequenceNumber"] for one in application.at("/leg")] == ["0", "1"]
    fetched = town.client.calls(call.sid).fetch()
    assert (fetched.status, fetched.duration) == ("completed", "2")
