"""TwiML applications: calls that a client makes, numbers and REST calls that lead to one."""

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.simulator.application import Application
from tests.simulator.town import CALLER, LINE, Town

NOBODY = "AP" + "0" * 32
PHONE = "+13125550104"


@pytest.fixture
def made(town: Town, application: Application) -> str:
    """An application; its SID."""
    application.says("/app", f"<Dial callerId='{LINE}' action='/after'>{PHONE}</Dial>")
    application.says("/after", "<Say>Bye</Say>")
    application.says("/over", ("", 204))
    made = town.client.applications.create(
        friendly_name="telephones",
        voice_url=application.url("/app"),
        voice_fallback_url=application.url("/after"),
        status_callback=application.url("/over"),
    )
    sid: str = made.sid
    return sid


def test_a_client_calls_through_an_application_with_parameters_of_its_own(
    town: Town, application: Application, made: str
) -> None:
    dialled = town.post(
        "/simulator/calls",
        {"from": "client:ann", "to": PHONE, "application_sid": made, "parameters": {"Task": "7"}},
    )
    town.wait(1)
    asked = application.last("/app")
    assert (asked["From"], asked["To"], asked["Task"]) == ("client:ann", PHONE, "7")
    assert (asked["ApplicationSid"], asked["Direction"]) == (made, "inbound")
    assert "CallToken" not in asked
    [leg] = town.legs(dialled.json()["sid"])
    assert (leg["from"], leg["status"]) == (LINE, "in-progress")
    town.hang_up(leg["sid"])
    assert "Task" not in application.last("/after")
    town.wait(1)
    assert application.last("/over")["ApplicationSid"] == made


def test_a_number_and_a_call_by_rest_may_lead_to_an_application(
    town: Town, application: Application, made: str
) -> None:
    [number] = town.client.incoming_phone_numbers.list()
    assert number.update(voice_application_sid=made).voice_application_sid == made
    town.dial()
    assert application.last("/app")["From"] == CALLER
    call = town.client.calls.create(from_=LINE, to="client:ann", application_sid=made)
    town.wait(1)
    assert application.last("/app")["CallSid"] == call.sid
    changed = town.client.applications(made).update(voice_url=application.url("/nowhere"))
    assert changed.friendly_name == "telephones"
    sid = town.dial()
    assert application.last("/after")["ErrorCode"] == "11200"
    assert town.heard(sid) == ["Bye"]
    assert town.client.applications(made).delete()
    assert town.client.applications.list() == []
    assert town.post("/simulator/calls", {"from": CALLER, "to": LINE}).status_code == 404


def test_an_application_that_is_none_is_refused(town: Town) -> None:
    [number] = town.client.incoming_phone_numbers.list()
    for ask in (
        lambda: town.client.calls.create(from_=LINE, to="client:ann", application_sid=NOBODY),
        lambda: number.update(voice_application_sid=NOBODY),
    ):
        with pytest.raises(TwilioRestException) as refusal:
            ask()
        assert refusal.value.code == 21218
    for order, status in (
        ({"from": "client:ann", "to": "", "application_sid": NOBODY}, 404),
        ({"from": CALLER, "to": LINE, "application_sid": NOBODY}, 400),
        ({"from": CALLER, "to": LINE, "parameters": {"a": "b"}}, 400),
    ):
        assert town.post("/simulator/calls", order).status_code == status
