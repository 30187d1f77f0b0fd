"""What an outbound call may be asked for, what an account may not do at once, what is refused."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from simulator.clock import ManualClock, RealClock
from simulator.server import Simulator
from simulator.settings import Settings
from tests.simulator.application import TOKEN, Application
from tests.simulator.town import ACCOUNT, CALLER, LINE, Town

PHONE = "+14155550111"
SILENCE = '<Response><Pause length="60"/></Response>'


def test_an_outbound_call_is_recorded_from_its_answer_to_its_end(
    town: Town, application: Application
) -> None:
    application.says("/recorded", ("", 204))
    town.phone("client:ann", "answer", 3)
    call = town.client.calls.create(
        from_=LINE,
        to="client:ann",
        twiml=SILENCE,
        record=True,
        recording_channels="dual",
        recording_status_callback=application.url("/recorded"),
        recording_status_callback_event=["in-progress", "completed"],
    )
    town.wait(10)
    town.hang_up(call.sid)
    town.wait(5)
    begun, done = (one.form for one in application.at("/recorded"))
    assert (begun["RecordingStatus"], done["RecordingStatus"]) == ("in-progress", "completed")
    assert (done["RecordingSource"], done["RecordingChannels"]) == ("OutboundAPI", "2")
    assert done["RecordingDuration"] == "7"
    [recording] = town.client.calls(call.sid).recordings.list()
    assert (recording.sid, recording.channels) == (done["RecordingSid"], 2)


def test_a_called_participant_is_recorded_beside_the_room(
    town: Town, application: Application
) -> None:
    application.says("/recorded", ("", 204))
    person = town.client.conferences("room").participants.create(
        from_=LINE,
        to="client:ann",
        record=True,
        recording_status_callback=application.url("/recorded"),
    )
    town.wait(5)
    town.hang_up(person.call_sid)
    town.wait(5)
    assert application.last("/recorded")["CallSid"] == person.call_sid
    assert town.client.conferences(person.conference_sid).recordings.list() == []


def test_keys_are_sent_as_soon_as_somebody_has_answered(town: Town) -> None:
    call = town.client.calls.create(from_=LINE, to="client:pbx", twiml=SILENCE, send_digits="ww12#")
    town.wait(5)
    assert town.heard(call.sid) == ["keys ww12#"]


def test_a_caller_may_be_shown_with_the_token_of_their_call_and_not_without(
    town: Town, application: Application
) -> None:
    application.says("/voice", "<Enqueue>line</Enqueue>")
    town.dial()
    token = application.last("/voice")["CallToken"]
    order = {"to": "+14155550111", "from_": CALLER, "twiml": SILENCE}
    with pytest.raises(TwilioRestException) as refusal:
        town.client.calls.create(**order)
    assert refusal.value.code == 21210
    call = town.client.calls.create(**order, call_token=token)
    assert (call.status, call.from_formatted) == ("queued", "(212) 555-0123")
    shown = town.client.calls.create(
        to="client:ann", from_=LINE, caller_id="client:desk", twiml=SILENCE
    )
    assert town.call(shown.sid)["from"] == "client:desk"


def test_lists_are_narrowed_by_dates(town: Town, application: Application) -> None:
    application.says("/voice", "<Dial><Conference>room</Conference></Dial>")
    town.dial()
    town.wait(86_400)
    late = town.dial(from_="+12125550124")
    client = town.client
    today = client.calls(late).fetch().start_time.date()  # the manual clock's own day
    assert [one.sid for one in client.calls.list(start_time_after=today)] == [late]
    assert late not in [one.sid for one in client.calls.list(start_time=_before(today))]
    assert len(client.calls.list(start_time_before=today)) == 2
    assert client.calls.list(end_time_after="2030-01-01") == []
    assert len(client.conferences.list(date_created_after=today)) == 1
    assert len(client.conferences.list(date_created_before=today)) == 2
    with pytest.raises(Exception, match="Unable to fetch page"):
        client.conferences.list(date_created_after="soon")


def _before(day: object) -> object:
    import datetime

    assert isinstance(day, datetime.date)
    return day - datetime.timedelta(days=1)


def settled(application: Application, **limits: int) -> Town:
    town = Town(application)
    settings = Settings(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        voice_urls={LINE: application.url("/voice")},
        **limits,  # type: ignore[arg-type]  # one of the limits
    )
    town.simulator = Simulator(settings, ManualClock())
    return town


def test_calls_beyond_the_accounts_rate_wait_for_their_turn(application: Application) -> None:
    town = settled(application, calls_per_second=2)
    with town.simulator:
        calls = [
            town.client.calls.create(from_=LINE, to=f"client:{name}", twiml=SILENCE)
            for name in ("ann", "bob", "carl", "dan")
        ]
        sids = [call.sid for call in calls]

        def statuses() -> list[str]:
            return [town.call(sid)["status"] for sid in sids]

        town.wait(0.4)
        assert statuses() == ["in-progress", "queued", "queued", "queued"]
        town.client.calls(sids[2]).update(status="canceled")
        town.wait(0.5)
        assert statuses() == ["in-progress", "in-progress", "canceled", "queued"]
        town.wait(1)
        assert statuses() == ["in-progress", "in-progress", "canceled", "in-progress"]
        assert town.client.calls(sids[3]).fetch().queue_time == "1500"


def test_more_rest_calls_at_once_than_allowed_are_refused_and_not_done(
    application: Application,
) -> None:
    town = settled(application, rest_concurrency=1)
    with town.simulator:
        town.fault(rest="GET /Queues", do="delay", delay_seconds=3, times=1)
        url = f"{town.simulator.url}/2010-04-01/Accounts/{ACCOUNT}"

        def list_queues() -> int:
            return requests.get(f"{url}/Queues.json", auth=(ACCOUNT, TOKEN), timeout=20).status_code

        def is_in() -> bool:
            faults = town.get("/simulator/faults")["faults"]
            return bool(faults[0]["times_left"] == 0)

        with ThreadPoolExecutor() as pool:
            slow = pool.submit(list_queues)
            while not is_in():
                threading.Event().wait(0.005)
            answer = requests.post(
                f"{url}/Queues.json", {"FriendlyName": "x"}, auth=(ACCOUNT, TOKEN), timeout=20
            )
            assert (answer.status_code, answer.json()["code"]) == (429, 20429)
            assert slow.result() == 200
        assert town.state()["queues"] == []
        assert town.client.queues.create(friendly_name="x").max_size == 1000


def test_the_fallback_is_asked_each_time_but_never_in_a_circle(application: Application) -> None:
    application.says("/voice", "<Say>Hello</Say><Redirect>/gone</Redirect>")
    application.says("/rescue", "<Pause length='1'/><Redirect>/voice</Redirect>")
    town = Town(application, RealClock())
    settings = Settings(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        voice_urls={LINE: application.url("/voice")},
        fallback_url=application.url("/rescue"),
    )
    town.simulator = Simulator(settings, ManualClock())
    with town.simulator:
        sid = town.dial()
        town.wait(2)
        assert len(application.at("/rescue")) == 2
        town.wait(60)
        assert len(application.at("/rescue")) == 10
        assert town.call(sid)["status"] == "completed"
        assert town.heard(sid)[-1].startswith("We are sorry")


@pytest.mark.parametrize(
    "verbs",
    [
        '<Dial><Conference eventCallbackUrl="/x">room</Conference></Dial>',
        "<Connect/>",
    ],
)
def test_what_is_not_simulated_is_refused_by_its_name(
    town: Town, application: Application, verbs: str
) -> None:
    application.says("/voice", verbs)
    sid = town.dial()
    assert 12200 in town.errors()
    errors = [line["error"] for line in town.get("/simulator/log")["entries"] if line["error"]]
    assert "not simulated" in errors[0]["message"]
    assert town.call(sid)["status"] == "completed"


def test_what_only_others_would_notice_is_checked_and_changes_nothing(
    town: Town, application: Application
) -> None:
    """A trunk of one's own, a recording's configuration, events that go to a stream."""
    trunk = "BY" + "1" * 32
    application.says(
        "/voice",
        '<Dial events="answered" record="record-from-answer" recordingConfigurationId="config_1">'
        f'<Number byoc="{trunk}">{PHONE}</Number></Dial>',
    )
    sid = town.dial()
    made = town.client.calls.create(from_=LINE, to=PHONE, twiml=SILENCE, byoc=trunk)
    town.client.conferences("room").participants.create(from_=LINE, to=PHONE, byoc=trunk)
    town.wait(1)
    assert town.errors() == []
    assert [town.call(one)["status"] for one in (sid, made.sid)] == ["in-progress"] * 2
    application.says("/voice", f'<Dial><Number byoc="BY1">{PHONE}</Number></Dial>')
    town.dial()
    assert town.errors() == [21300]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"send_digits": "12x"}, 21206),
        ({"recording_channels": "three", "record": True}, 20001),
        ({"machine_detection": "Guess"}, 20001),
        ({"machine_detection": "Enable", "machine_detection_timeout": 61}, 20001),
        ({"trim": "a bit"}, 20001),
        ({"byoc": "TK" + "1" * 32}, 21300),
        ({"caller_id": "me"}, 21212),
        ({"call_reason": "x" * 51}, 20001),
    ],
)
def test_a_wrong_wish_for_a_call_is_refused_and_no_call_is_made(
    town: Town, wrong: dict[str, object], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        town.client.calls.create(from_=LINE, to="client:ann", twiml=SILENCE, **wrong)
    assert refusal.value.code == code
    assert town.state()["calls"] == []


def test_who_comes_and_goes_makes_the_others_hear_a_beep(
    town: Town, application: Application
) -> None:
    people = town.client.conferences("room").participants
    ann = people.create(from_=LINE, to="client:ann", beep="false").call_sid
    town.wait(1)
    bob = people.create(from_=LINE, to="client:bob", beep="onEnter").call_sid
    town.wait(1)
    assert town.heard(ann)[-1] == "a beep"
    assert "a beep" not in town.heard(bob)
    people(bob).update(beep_on_exit=True)
    town.hang_up(bob)
    assert town.heard(ann).count("a beep") == 2
    assert application.received == []
