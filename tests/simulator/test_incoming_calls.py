"""Somebody dials a number: the first webhook, speech, keys, redirects, the end."""

import json
import urllib.parse
import uuid

import pytest

from tests.simulator.application import Application, Received
from tests.simulator.town import CALLER, LINE, Town

#: The keys of Twilio's first webhook of a call from the phone network, as recorded.
FIRST_KEYS = {
    "AccountSid", "ApiVersion", "CallSid", "CallStatus", "CallToken", "Called", "CalledCity",
    "CalledCountry", "CalledState", "CalledZip", "Caller", "CallerCity", "CallerCountry",
    "CallerState", "CallerZip", "Direction", "From", "FromCity", "FromCountry", "FromState",
    "FromZip", "StirVerstat", "To", "ToCity", "ToCountry", "ToState", "ToZip",
}  # fmt: skip
END_KEYS = (FIRST_KEYS - {"CallToken", "StirVerstat"}) | {
    "CallDuration", "CallbackSource", "Duration", "SequenceNumber", "Timestamp",
}  # fmt: skip


def test_the_first_webhook_has_the_recorded_keys_and_headers(
    town: Town, application: Application
) -> None:
    application.says("/voice", "<Say>Hello</Say>")
    sid = town.dial()
    (webhook,) = application.at("/voice")
    assert set(webhook.form) == FIRST_KEYS
    assert webhook.form["CallSid"] == sid
    assert webhook.form["CallStatus"] == "ringing"
    assert webhook.form["Direction"] == "inbound"
    assert webhook.form["From"] == webhook.form["Caller"] == CALLER
    assert webhook.form["To"] == webhook.form["Called"] == LINE
    assert (webhook.form["FromCountry"], webhook.form["FromCity"]) == ("US", "NEW YORK")
    assert webhook.form["ToCity"] == ""
    token = json.loads(urllib.parse.unquote(webhook.form["CallToken"]))
    assert set(token) == {"parentCallInfoToken", "identityHeaderTokens"}
    assert webhook.headers["User-Agent"] == "TwilioProxy/1.1"
    assert webhook.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    uuid.UUID(webhook.headers["I-Twilio-Idempotency-Token"])


def test_a_call_from_a_client_has_no_geography_of_its_side(
    town: Town, application: Application
) -> None:
    application.says("/voice", "<Hangup/>")
    town.dial(from_="client:ann")
    form = application.last("/voice")
    assert "FromCity" not in form
    assert "CallToken" not in form
    assert form["ToCountry"] == "US"


def test_a_caller_who_keeps_the_number_back_has_a_word_for_it(
    town: Town, application: Application
) -> None:
    application.says("/voice", "<Say>Hello</Say>")
    town.dial("anonymous")
    form = application.last("/voice")
    assert (form["From"], form["Caller"], form["FromCountry"]) == ("anonymous", "anonymous", "")
    assert (form["StirVerstat"], "CallToken" in form) == ("No-TN-Validation", True)
    refused = town.post("/simulator/calls", {"from": "nobody", "to": LINE})
    assert "anonymous" in refused.json()["error"]


def test_the_name_of_a_caller_is_told_where_it_is_looked_up(
    town: Town, application: Application
) -> None:
    application.says("/voice", "<Hangup/>")
    order = {"from": CALLER, "to": LINE, "caller_name": "ADA LOVELACE"}
    town.post("/simulator/calls", order)
    town.settle()
    assert "CallerName" not in application.last("/voice")
    [number] = town.client.incoming_phone_numbers.list()
    assert number.update(voice_caller_id_lookup=True).voice_caller_id_lookup is True
    town.post("/simulator/calls", order)
    town.settle()
    assert application.last("/voice")["CallerName"] == "ADA LOVELACE"
    sid = town.dial()
    assert application.last("/status")["CallerName"] == ""
    assert town.client.calls(sid).fetch().caller_name == ""


def test_the_caller_hears_what_is_said_and_the_call_ends_with_the_document(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Say>Good morning</Say><Pause length="3"/><Play>hold.mp3</Play>')
    sid = town.dial()
    assert town.call(sid)["status"] == "in-progress"
    town.wait(30)
    assert town.heard(sid) == ["Good morning", application.url("/hold.mp3")]
    assert town.call(sid)["status"] == "completed"
    ended = application.last("/status")
    assert set(ended) == END_KEYS
    assert ended["CallStatus"] == "completed"
    assert ended["CallbackSource"] == "call-progress-events"
    assert ended["SequenceNumber"] == "0"
    assert ended["CallDuration"] == "8"  # 13 characters of speech, the pause, five seconds of play
    assert ended["Duration"] == "1"
    assert ended["Timestamp"].endswith(" +0000")


def test_a_caller_who_hangs_up_ends_the_call(town: Town, application: Application) -> None:
    application.says("/voice", '<Pause length="1"/><Say>Hello</Say><Pause length="60"/>')
    sid = town.dial()
    assert town.call(sid)["status"] == "ringing"  # a pause alone does not pick up
    town.wait(5)
    town.hang_up(sid)
    assert application.last("/status")["CallStatus"] == "completed"
    assert town.post(f"/simulator/calls/{sid}/hangup").status_code == 409


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_a_rejected_call_is_never_answered(
    town: Town, application: Application, reason: str, status: str
) -> None:
    application.says("/voice", f'<Reject reason="{reason}"/>')
    sid = town.dial()
    assert town.call(sid)["status"] == status
    assert application.last("/status")["CallStatus"] == status
    assert application.last("/status")["CallDuration"] == "0"


def test_a_redirect_leads_to_the_next_document_without_the_first_keys(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Redirect method="GET">next?lang=en</Redirect><Say>never</Say>')
    application.says("/next", "<Say>There</Say>")
    sid = town.dial()
    (webhook,) = application.at("/next")
    assert webhook.method == "GET"
    assert webhook.query["lang"] == "en"
    assert webhook.query["CallSid"] == sid
    assert "CallToken" not in webhook.query
    assert "StirVerstat" not in webhook.query
    assert town.heard(sid) == ["There"]


def test_keys_pressed_during_the_prompt_stop_it_and_go_to_the_action(
    town: Town, application: Application
) -> None:
    application.says(
        "/voice", '<Gather action="keys" numDigits="2"><Say>Press two keys</Say></Gather>'
    )
    application.says("/keys", "<Say>Thanks</Say>")
    sid = town.dial()
    town.press(sid, "4")
    town.wait(3)
    assert not application.at("/keys")
    town.press(sid, "2")
    form = application.last("/keys")
    assert form["Digits"] == "42"
    assert form["msg"] == "Gather End"
    assert form["CallStatus"] == "in-progress"
    assert town.heard(sid) == ["Press two keys", "Thanks"]


def test_the_finishing_key_ends_gathering_and_is_named(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Gather action="keys"/>')
    application.says("/keys", "<Hangup/>")
    sid = town.dial()
    town.press(sid, "123#")
    assert application.last("/keys")["Digits"] == "123"
    assert application.last("/keys")["FinishedOnKey"] == "#"


def test_the_timeout_of_gathering_sends_what_was_pressed(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Gather action="keys" timeout="4"/>')
    application.says("/keys", "<Hangup/>")
    sid = town.dial()
    town.press(sid, "7")
    town.wait(3.9)
    assert not application.at("/keys")
    town.wait(0.2)
    assert application.last("/keys")["Digits"] == "7"


def test_nothing_pressed_falls_through_unless_the_empty_result_is_wanted(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Gather action="keys"/><Redirect>again</Redirect>')
    application.says("/again", '<Gather action="keys" actionOnEmptyResult="true"/>')
    application.says("/keys", "<Hangup/>")
    town.dial()
    town.wait(5)
    assert application.paths == ["/voice", "/again"]
    town.wait(5)
    assert application.last("/keys")["Digits"] == ""


def test_cookies_are_kept_within_a_call(town: Town, application: Application) -> None:
    def voice(_: Received) -> object:
        from flask import Response

        answer = Response("<Response><Redirect>next</Redirect></Response>", content_type="text/xml")
        answer.set_cookie("visitor", "seven")
        return answer

    application.says("/voice", voice)  # type: ignore[arg-type]  # answers a Response
    application.says("/next", "<Hangup/>")
    town.dial()
    assert application.at("/next")[0].headers["Cookie"] == "visitor=seven"
    town.dial()
    assert "Cookie" not in application.at("/voice")[1].headers


def test_what_others_say_of_the_caller_is_told_once(town: Town, application: Application) -> None:
    passport = "eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJCIn0.c2lnbmVk"
    add_ons = {"status": "successful", "results": {"spam": {"score": 1}}}
    application.says("/voice", '<Gather action="pressed" numDigits="1"/>')
    application.says("/pressed", "<Hangup/>")
    order = {
        "from": CALLER,
        "to": LINE,
        "stir_verstat": "TN-Validation-Failed-B-Passthrough",
        "stir_passport_token": passport,
        "add_ons": add_ons,
    }
    answer = town.post("/simulator/calls", order)
    assert answer.status_code == 201, answer.text
    town.settle()
    first = application.last("/voice")
    assert set(first) == FIRST_KEYS | {"StirPassportToken", "AddOns"}
    assert first["StirVerstat"] == "TN-Validation-Failed-B-Passthrough"
    assert first["StirPassportToken"] == passport
    assert json.loads(first["AddOns"]) == add_ons
    token = json.loads(urllib.parse.unquote(first["CallToken"]))
    assert token["identityHeaderTokens"] == [passport]
    town.press(answer.json()["sid"], "1")
    later = {"CallToken", "StirVerstat", "StirPassportToken", "AddOns"}
    assert not later & set(application.last("/pressed"))


def test_what_nobody_could_say_of_a_caller_is_refused(town: Town) -> None:
    wrong: tuple[dict[str, object], ...] = (
        {"stir_verstat": "believed"},
        {"stir_passport_token": "a token"},
        {"add_ons": "spam"},
        {"add_ons": {}, "from": "client:ann"},
        {"stir_verstat": "No-TN-Validation", "from": "sip:ann@example.com"},
    )
    for order in wrong:
        answer = town.post("/simulator/calls", {"from": CALLER, "to": LINE, **order})
        assert answer.status_code == 400, order
        assert next(iter(order)) in answer.json()["error"]
    assert town.state()["calls"] == []
