"""What a number does before, beside and instead of waiting: hours, menu, voicemail, callback."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from routing.task import Task
from tests.routing.centre import Centre
from tests.voice.exchange import FakeCall, parsed
from tests.voice.office import CALLER, NUMBER, Office, heard
from voice.call_flow import CallFlow, CallFlowError, Ending, check_call_flow, load_call_flow
from voice.estimate import FEWEST, estimated_wait

OTHER_NUMBER = "+15005550009"
BASE: dict[str, Any] = {
    "language": "en-US",
    "farewell": {"unavailable": "Sorry.", "canceled": "Nobody could come."},
}
MENU = {
    "prompt": "Sales or help?",
    "wrong": "Once more.",
    "retries": 1,
    "options": {"1": {"topic": "sales"}, "2": {"topic": "help"}},
    "words": {"Sales": "1"},
}
VOICEMAIL = {"prompt": "Speak.", "thanks": "Thanks."}
CALLBACK = {"key": "1", "offer": "Press 1.", "confirmation": "We will call.", "attempts": 2}
#: A Monday, nine o'clock in London: the clock of the tests.
HOURS = {"time_zone": "Europe/London", "monday": ["09:00-12:00"], "holidays": []}


def flow_of(**sections: Any) -> CallFlow:
    return check_call_flow(BASE | sections, source="flow.toml")


def office_with(small_office: Office, **sections: Any) -> Office:
    return Office(small_office.centre, flow=flow_of(**sections))


def tasks_of(office: Office) -> list[Task]:
    return [office.centre.task(sid) for sid in office.centre.task_sids()]


def attributes_of(task: Task) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(task.attributes)
    return found


def verbs(twiml: str) -> list[str]:
    return [verb.tag for verb in parsed(twiml).iter()][1:]


# ---- opening hours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "is_open"),
    [
        (HOURS, True),
        (HOURS | {"time_zone": "America/New_York"}, False),
        (HOURS | {"monday": ["09:01-12:00"]}, False),
        (HOURS | {"holidays": ["2026-01-05"]}, False),
    ],
)
def test_a_number_is_open_by_the_clock_of_its_own_zone(
    hours: dict[str, Any], is_open: bool
) -> None:
    nine = 1_767_603_600_000  # Monday 2026-01-05T09:00Z
    assert flow_of(hours=hours).is_open(nine) is is_open


def test_who_calls_a_closed_number_hears_so_and_no_task_is_made(small_office: Office) -> None:
    office = office_with(
        small_office, hours={"time_zone": "Europe/London"}, closed={"say": "Closed."}
    )
    call = office.dial_in()
    assert heard(call) == "Closed."
    assert not call.is_live
    assert tasks_of(office) == []


# ---- the menu ------------------------------------------------------------------------------------


def choose(office: Office, call: FakeCall, path: str, **told: str) -> str:
    parameters = {"CallSid": call.sid, "To": NUMBER, "From": CALLER, "CallStatus": "in-progress"}
    return office.post(path, parameters | told).text


def test_a_key_of_the_menu_becomes_attributes_of_the_task(small_office: Office) -> None:
    office = office_with(small_office, menu=MENU)
    call = office.dial_in()
    assert heard(call) == "Sales or help?"
    assert tasks_of(office) == [], "whoever hangs up in the menu has not waited"
    twiml = choose(office, call, "/voice/menu?attempt=0", Digits="2")
    assert verbs(twiml) == ["Enqueue"]
    assert attributes_of(tasks_of(office)[0])["topic"] == "help"
    assert choose(office, call, "/voice/menu?attempt=0", Digits="2") == twiml
    assert len(tasks_of(office)) == 1


def test_a_word_may_be_said_instead(small_office: Office) -> None:
    office = office_with(small_office, menu=MENU)
    call = office.dial_in()
    [gather] = parsed(call.documents[-1]).iter("Gather")
    assert gather.get("input") == "dtmf speech"
    assert gather.get("speechTimeout") == "auto", "whoever has spoken does not wait for a timeout"
    choose(office, call, "/voice/menu?attempt=0", SpeechResult="I want SALES, please.")
    assert attributes_of(tasks_of(office)[0])["topic"] == "sales"


def test_who_chooses_nothing_is_asked_again_and_then_taken_without(small_office: Office) -> None:
    office = office_with(small_office, menu=MENU)
    call = office.dial_in()
    again = choose(office, call, "/voice/menu?attempt=0", Digits="9")
    assert "Once more." in again
    assert "attempt=1" in again
    assert verbs(choose(office, call, "/voice/menu?attempt=1")) == ["Enqueue"]
    assert "topic" not in attributes_of(tasks_of(office)[0])


def test_the_default_key_stands_for_those_who_choose_nothing(small_office: Office) -> None:
    office = office_with(small_office, menu=MENU | {"default": "1"})
    call = office.dial_in()
    choose(office, call, "/voice/menu?attempt=1")
    assert attributes_of(tasks_of(office)[0])["topic"] == "sales"


# ---- what else may happen ------------------------------------------------------------------------


def test_a_full_queue_may_lead_to_another_number(small_office: Office) -> None:
    office = office_with(small_office, queue_full={"then": "number", "number": OTHER_NUMBER})
    call = office.dial_in()
    twiml = choose(office, call, "/voice/queue-left", QueueResult="queue-full")
    assert verbs(twiml) == ["Say", "Dial"]
    assert OTHER_NUMBER in twiml


def test_who_has_waited_too_long_is_told_so(small_office: Office) -> None:
    office = office_with(
        small_office, waiting={"longest_seconds": 60}, too_long={"say": "It takes too long."}
    )
    call = office.dial_in()
    office.settle()
    choose(office, call, "/voice/waiting", QueueTime="59", QueuePosition="1")
    assert office.task_status(call) == "pending"
    choose(office, call, "/voice/waiting", QueueTime="60", QueuePosition="1")
    office.settle()
    assert office.task_status(call) == "canceled"
    assert heard(call) == "It takes too long."
    assert not call.is_live


def test_a_canceled_caller_may_leave_a_message_which_becomes_a_task(small_office: Office) -> None:
    office = office_with(small_office, canceled={"then": "voicemail"}, voicemail=VOICEMAIL)
    call = office.dial_in()
    office.settle()
    office.centre.cancel(office.task_sid(call))
    office.settle()
    assert heard(call) == "Nobody could come.\nSpeak."
    assert "Record" in verbs(call.documents[-1])
    told = {
        "RecordingSid": "RE" + "1" * 32,
        "RecordingUrl": "https://api.example.com/RE1",
        "RecordingDuration": "7",
    }
    for _ in range(2):
        assert "Thanks." in choose(office, call, "/voice/voicemail", **told)
    messages = [each for each in tasks_of(office) if each.assignment_status != "canceled"]
    assert len(messages) == 1
    said = attributes_of(messages[0])
    assert said["type"] == "voicemail"
    assert said["recording_url"] == "https://api.example.com/RE1"
    assert said["from"] == CALLER


def test_numbers_may_have_flows_of_their_own(small_office: Office, tmp_path: Path) -> None:
    (tmp_path / "main.toml").write_text(
        'language = "en"\n[numbers]\n"+15005550009" = "sales.toml"\n'
        '[farewell]\nunavailable = "a"\ncanceled = "b"\n'
    )
    (tmp_path / "sales.toml").write_text(
        'language = "fr"\ngreeting = "Bonjour"\n[farewell]\nunavailable = "c"\ncanceled = "d"\n'
    )
    flow = load_call_flow(tmp_path / "main.toml")
    assert flow.of(OTHER_NUMBER).language == "fr"
    assert flow.of(NUMBER) is flow
    office = Office(small_office.centre, flow=flow)
    call = office.line.new_call(CALLER, OTHER_NUMBER, None)
    assert "Bonjour" in office.post("/voice/incoming", office.arrival(call)).text


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        ({"hours": {"time_zone": "Mars/Olympus"}}, "hours.time_zone"),
        ({"hours": {"monday": ["9-12"], "time_zone": "Europe/London"}}, "hours.monday"),
        ({"hours": {"monday": ["12:00-09:00"], "time_zone": "Europe/London"}}, "hours.monday"),
        ({"hours": {"monday": ["09:00-12:00"]}}, "hours.time_zone"),
        ({"hours": {"holidays": ["Christmas"], "time_zone": "UTC"}}, "hours.holidays"),
        ({"menu": {"prompt": "What?"}}, "menu.options"),
        ({"menu": MENU | {"options": {"10": {}}}}, "menu.options"),
        ({"menu": MENU | {"default": "7"}}, "menu.default"),
        ({"menu": MENU | {"words": {"dogs": "9"}}}, "menu.words.dogs"),
        ({"closed": {"then": "vanish"}}, "closed.then"),
        ({"closed": {"then": "number"}}, "closed.number"),
        ({"callback": {"key": "12"}}, "callback.key"),
        ({"numbers": {"12": "x.toml"}}, "numbers"),
        ({"waiting": {"announcement": "{when}"}}, "waiting.announcement"),
    ],
)
def test_every_mistake_is_named_with_its_place(sections: dict[str, Any], place: str) -> None:
    with pytest.raises(CallFlowError, match=f"flow.toml: {place}: "):
        flow_of(**sections)


def test_what_callers_say_or_are_called_never_becomes_markup(small_office: Office) -> None:
    office = office_with(small_office, menu=MENU)
    evil = '"/><Dial>+1900</Dial><Say x="'
    call = office.line.new_call(evil, NUMBER, None)
    for path, told in (
        ("/voice/incoming", {}),
        ("/voice/menu?attempt=0", {"Digits": evil, "SpeechResult": evil}),
        ("/voice/menu?attempt=" + urlencode({"": evil})[1:], {"SpeechResult": evil}),
        ("/voice/waiting", {"QueuePosition": evil, "QueueTime": evil}),
        ("/voice/enqueue?" + urlencode({"action": f"https://a.example/?{evil}"}), {}),
        ("/voice/voicemail", {"RecordingUrl": evil, "RecordingSid": evil}),
    ):
        answer = office.post(path, office.arrival(call) | {"CallerName": evil} | told)
        assert answer.status_code == 200, path
        assert "Dial" not in verbs(answer.text), path


# ---- the estimated wait --------------------------------------------------------------------------


def test_the_announcement_tells_the_wait_once_there_is_something_to_go_by(
    small_office: Office,
) -> None:
    waiting = {
        "announcement": "{position}, {wait} minutes",
        "announcement_without_wait": "{position}",
    }
    office = office_with(small_office, waiting=waiting)
    _serve(office.centre, FEWEST)
    call = office.dial_in()
    office.settle()
    said = choose(office, call, "/voice/waiting", QueuePosition="2")
    assert "2, 4 minutes" in said
    office.centre.clock.advance(10_000)
    assert ">2<" in choose(office, call, "/voice/waiting", QueuePosition="2")


def _serve(centre: Centre, calls: int) -> None:
    """One call every two minutes."""
    alice = centre.add_worker("Alice")
    for _ in range(calls):
        task = centre.add_task()
        centre.accept(task)
        centre.complete(task)
        centre.clock.advance(120)
    centre.move(alice, "Offline")


def test_the_estimate_is_right_on_the_average_in_a_busy_centre() -> None:
    """Five agents, calls of about three minutes, always somebody in line: median error below 25 %.

    Measured: the median of |estimated - real| / real lies near 15 %.
    """
    chance = random.Random(7)  # noqa: S311 - a repeatable chance
    free_at = [0.0] * 5
    accepted: list[float] = []
    errors = []
    for number in range(400):
        # Ten are in line at any moment: the next one is taken when an agent is free.
        agent = free_at.index(min(free_at))
        now = free_at[agent]
        place = 10
        seconds = estimated_wait(
            [int(at * 1000) for at in accepted], place=place, now=int(now * 1000)
        )
        accepted.append(now)
        free_at[agent] = now + chance.expovariate(1 / 180)
        if seconds is not None and number >= 30:
            errors.append((now, seconds, number))
    wrong = []
    for now, seconds, number in errors:
        later = accepted[number + 9 : number + 10]
        if later and later[0] > now:
            wrong.append(abs(seconds - (later[0] - now)) / (later[0] - now))
    assert len(wrong) > 300
    assert sorted(wrong)[len(wrong) // 2] < 0.35


def test_nothing_is_estimated_from_too_little_or_too_long_ago() -> None:
    assert estimated_wait([0, 1, 2], place=1, now=10) is None
    assert estimated_wait([0] * 10, place=1, now=10_000_000) is None
    assert estimated_wait([0] * 10, place=0, now=10) is None


# ---- the callback --------------------------------------------------------------------------------


def ask_for_callback(office: Office) -> tuple[FakeCall, Task, Task]:
    call = office.dial_in()
    office.settle()
    first = office.centre.task(office.task_sid(call))
    office.centre.clock.advance(60)
    twiml = choose(office, call, "/voice/callback", Digits="1")
    assert "We will call." in twiml
    office.line.obey(call, twiml)
    office.settle()
    waiting = [each for each in tasks_of(office) if each.assignment_status != "canceled"]
    assert len(waiting) == 1
    return call, first, waiting[0]


def test_a_caller_who_asks_for_it_keeps_the_place_and_is_called_back(small_office: Office) -> None:
    office = office_with(small_office, callback=CALLBACK)
    call, first, task = ask_for_callback(office)
    assert not call.is_live
    assert task.virtual_start_at == first.virtual_start_at
    assert office.centre.task(first.sid).reason == "callback requested"
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    office.centre.accept_pending(task.sid)
    office.settle()
    office.line.pick_up(office.line.leg_to("client:alice"))
    office.settle()
    customer = office.line.leg_to(CALLER)
    assert (customer.from_address, customer.sid != call.sid) == (NUMBER, True)
    office.line.pick_up(customer)
    office.settle()
    assert office.are_together(customer, office.line.leg_to("client:alice"))
    assert office.centre.status(task.sid) == "assigned"
    office.line.end(customer)
    office.settle()
    assert office.centre.status(task.sid) == "wrapping"
    assert office.line.live_calls() == []
    office.centre.complete(task.sid)
    assert office.assigned(alice) == 0


def test_a_customer_who_does_not_answer_is_called_again_and_then_given_up(
    small_office: Office,
) -> None:
    office = office_with(small_office, callback=CALLBACK)
    _call, first, task = ask_for_callback(office)
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    open_tasks = [task]
    for attempt in (1, 2):
        assert attributes_of(task)["callback"]["attempt"] == attempt
        office.centre.accept_pending(task.sid)
        office.settle()
        office.line.pick_up(office.line.leg_to("client:alice"))
        office.settle()
        office.line.end(office.line.leg_to(CALLER), "no-answer")
        office.settle()
        office.pass_time(10)
        assert office.centre.status(task.sid) == "canceled"
        assert office.line.live_calls() == []
        assert office.assigned(alice) == 0
        office.pass_time(600)
        open_tasks = [
            each for each in tasks_of(office) if each.assignment_status in {"pending", "reserved"}
        ]
        if attempt == 1:
            [task] = open_tasks
            assert task.virtual_start_at == first.virtual_start_at
    assert open_tasks == []


def test_the_key_is_offered_and_any_other_key_goes_on_waiting(small_office: Office) -> None:
    office = office_with(small_office, callback=CALLBACK)
    call = office.dial_in()
    office.settle()
    round_ = choose(office, call, "/voice/waiting", QueuePosition="1")
    assert "Press 1." in round_
    assert "Gather" in verbs(choose(office, call, "/voice/callback", Digits="5"))
    assert office.task_status(call) == "pending"


def test_a_closed_number_may_promise_to_call_back(small_office: Office) -> None:
    office = office_with(
        small_office,
        hours={"time_zone": "Europe/London"},
        closed={"say": "Closed.", "then": "callback"},
        callback=CALLBACK,
    )
    call = office.line.new_call(CALLER, NUMBER, None)
    assert "callback?sure=yes" in office.post("/voice/incoming", office.arrival(call)).text
    for _ in range(2):
        answer = office.post("/voice/callback?sure=yes", office.arrival(call))
        assert "We will call." in answer.text
    [task] = tasks_of(office)
    assert attributes_of(task)["outbound_to"] == CALLER


# ---- callers of other applications ---------------------------------------------------------------

ACTION = "https://shop.example.com/after?order=7"


def enqueue(office: Office, call: FakeCall, **query: str) -> str:
    path = "/voice/enqueue?" + urlencode(query)
    answer = office.post(path, office.arrival(call) | {"CallStatus": "in-progress"})
    assert answer.status_code == 200
    return answer.text


def test_another_application_hands_its_caller_over_and_hears_how_it_went(
    small_office: Office,
) -> None:
    office = small_office
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.line.new_call(CALLER, NUMBER, None)
    call.status = "in-progress"
    twiml = enqueue(
        office,
        call,
        WorkflowSid=office.centre.workflow_sid,
        Task='{"order": 7, "caller": "Ann"}',
        Priority="5",
        Timeout="90",
        action=ACTION,
    )
    assert verbs(twiml) == ["Enqueue"]
    office.line.obey(call, twiml)
    office.settle()
    task = office.centre.task(office.task_sid(call))
    said = attributes_of(task)
    assert (task.priority, task.timeout_seconds) == (5, 90)
    assert (said["order"], said["caller"], said["call_sid"]) == (7, "Ann", call.sid)
    office.centre.accept(task.sid)
    office.settle()
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(call, leg)
    office.line.end(leg)
    office.settle()
    last = parsed(call.documents[-1])[0]
    assert last.tag == "Redirect"
    assert str(last.text).startswith(ACTION + "&QueueResult=bridged&QueueTime=")


@pytest.mark.parametrize(
    "query",
    [
        {"WorkflowSid": "WW" + "0" * 32},
        {"Task": "not JSON"},
        {"Task": "[]"},
        {"Priority": "high"},
        {"Timeout": "0x10"},
        {"TaskChannel": "smoke signals"},
    ],
)
def test_what_cannot_be_enqueued_is_told_at_the_callers_action(
    small_office: Office, query: dict[str, str]
) -> None:
    call = small_office.line.new_call(CALLER, NUMBER, None)
    twiml = enqueue(small_office, call, action=ACTION, **query)
    assert str(parsed(twiml)[0].text) == ACTION + "&QueueResult=error"
    assert tasks_of(small_office) == []


def test_a_full_queue_is_told_at_the_callers_action(small_office: Office) -> None:
    call = small_office.line.new_call(CALLER, NUMBER, None)
    enqueue(small_office, call, action=ACTION)
    twiml = choose(small_office, call, "/voice/queue-left", QueueResult="queue-full")
    assert str(parsed(twiml)[0].text).startswith(ACTION + "&QueueResult=queue-full")


def test_a_flow_made_by_hand_has_endings_too() -> None:
    flow = replace(flow_of(), canceled="Changed.")
    assert flow.ending("canceled") == Ending(say="Changed.", then="hang_up", number=None)
