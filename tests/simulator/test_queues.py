"""Callers in line: places, waiting documents, and every way out with what the action is told."""

from collections.abc import Iterator

import pytest

from tests.simulator.application import Application, Reply
from tests.simulator.town import Town

ENQUEUE = '<Enqueue waitUrl="wait" action="left">support</Enqueue>'


@pytest.fixture
def _waiting_room(application: Application) -> None:
    application.says("/voice", ENQUEUE)
    application.says("/wait", '<Pause length="10"/>')
    application.says("/left", "<Say>Goodbye</Say>")


pytestmark = pytest.mark.usefixtures("_waiting_room")


def test_the_waiting_document_is_told_the_place_in_line(
    town: Town, application: Application
) -> None:
    first, second = town.dial(), town.dial()
    form = application.last("/wait")
    assert form["CallSid"] == second
    assert form["QueuePosition"] == "2"
    assert form["CurrentQueueSize"] == "2"
    assert form["MaxQueueSize"] == "100"
    assert form["QueueTime"] == "0"
    assert form["AvgQueueTime"] == "0"
    assert form["CallStatus"] == "in-progress"
    assert town.call(first)["queue"] == form["QueueSid"]


def test_the_waiting_document_is_fetched_again_when_it_runs_out(
    town: Town, application: Application
) -> None:
    first = town.dial()
    second = town.dial()
    town.wait(9)
    town.hang_up(first)
    town.wait(1)
    last = application.last("/wait")
    assert last["CallSid"] == second
    assert last["QueuePosition"] == "1"
    assert last["QueueTime"] == "10"
    assert last["AvgQueueTime"] == "9"


def test_a_caller_who_hangs_up_leaves_the_queue(town: Town, application: Application) -> None:
    sid = town.dial()
    town.wait(7)
    town.hang_up(sid)
    form = application.last("/left")
    assert form["QueueResult"] == "hangup"
    assert form["QueueTime"] == "7"
    assert form["CallStatus"] == "completed"
    assert town.state()["queues"][0]["members"] == []
    assert town.heard(sid) == []


def test_leave_goes_to_the_action_at_once(town: Town, application: Application) -> None:
    application.says("/wait", '<Gather numDigits="1" action="menu"/>')
    application.says("/menu", "<Leave/>")
    sid = town.dial()
    town.press(sid, "1")
    assert application.last("/left")["QueueResult"] == "leave"
    assert town.heard(sid) == ["Goodbye"]


def test_a_redirect_by_rest_reports_first_and_then_wins(
    town: Town, application: Application
) -> None:
    application.says("/elsewhere", "<Say>Moved</Say>")
    sid = town.dial()
    town.client.calls(sid).update(url=application.url("/elsewhere"))
    town.settle()
    assert application.paths[-2:] == ["/left", "/elsewhere"]
    assert application.last("/left")["QueueResult"] == "redirected"
    assert town.heard(sid) == ["Moved"]


def test_members_are_listed_fetched_and_dequeued_by_rest(
    town: Town, application: Application
) -> None:
    application.says("/agent", "<Say>Found you</Say>")
    first, second = town.dial(), town.dial()
    (queue,) = town.client.queues.list()
    assert (queue.friendly_name, queue.current_size) == ("support", 2)
    members = town.client.queues(queue.sid).members
    assert [(one.call_sid, one.position) for one in members.list()] == [(first, 1), (second, 2)]
    assert members("Front").fetch().call_sid == first
    assert members("Front").update(url=application.url("/agent")).call_sid == first
    town.settle()
    assert town.heard(first) == ["Found you"]
    assert members(second).fetch().position == 1


def test_a_full_queue_sends_the_caller_to_the_action(town: Town, application: Application) -> None:
    application.says(
        "/voice", '<Enqueue waitUrl="wait" action="left" maxQueueSize="1">small</Enqueue>'
    )
    town.dial()
    turned_away = town.dial()
    form = application.last("/left")
    assert form["CallSid"] == turned_away
    assert form["QueueResult"] == "queue-full"
    assert "QueueSid" not in form


def test_dialling_a_queue_connects_with_the_first_in_line(
    town: Town, application: Application
) -> None:
    application.says("/agent", '<Dial action="done"><Queue url="whisper">support</Queue></Dial>')
    application.says("/whisper", "<Say>You are connected</Say>")
    application.says("/done", "<Hangup/>")
    caller = town.dial()
    town.wait(4)
    agent = town.client.calls.create(
        to="+13125550199", from_="+15550100", url=application.url("/agent")
    )
    town.wait(5)
    whisper = application.last("/whisper")
    assert whisper["CallSid"] == caller
    assert whisper["DequeingCallSid"] == agent.sid
    assert town.heard(caller) == ["You are connected"]
    assert not application.at("/left")  # the action waits until the conversation is over
    town.hang_up(agent.sid)
    assert application.last("/left")["QueueResult"] == "bridged"


def test_a_whisper_that_cannot_be_followed_lets_both_go_on(
    town: Town, application: Application
) -> None:
    application.says("/agent", '<Dial action="done"><Queue url="whisper">support</Queue></Dial>')
    application.says("/whisper", "<Dial>+13125550104</Dial>")
    application.says("/done", "<Say>Nobody</Say>")
    caller = town.dial()
    agent = town.client.calls.create(
        to="+13125550199", from_="+15550100", url=application.url("/agent")
    )
    town.wait(1)
    told, left = application.last("/done"), application.last("/left")
    assert (told["DialCallStatus"], told["DialBridged"]) == ("failed", "false")
    assert left["QueueResult"] == "error"
    assert (town.heard(agent.sid), town.heard(caller)) == (["Nobody"], ["Goodbye"])
    assert town.errors() == [12200]


def test_a_redirect_out_of_the_bridge_is_reported_as_such(
    town: Town, application: Application
) -> None:
    application.says("/agent", "<Dial><Queue>support</Queue></Dial><Say>Alone</Say>")
    caller = town.dial()
    agent = town.client.calls.create(
        to="+13125550199", from_="+15550100", url=application.url("/agent")
    )
    town.wait(1)
    town.client.calls(caller).update(twiml="<Response><Say>Moved</Say></Response>")
    town.settle()
    assert application.last("/left")["QueueResult"] == "redirected-from-bridged"
    assert town.heard(caller) == ["Moved"]
    assert town.heard(agent.sid) == ["Alone"]


@pytest.mark.parametrize(
    ("leaves_by", "result"), [("redirect", "bridging-in-process"), ("hangup", "hangup")]
)
def test_who_leaves_before_they_could_talk_was_not_bridged(
    town: Town, application: Application, leaves_by: str, result: str
) -> None:
    application.says("/agent", "<Dial><Queue url='whisper'>support</Queue></Dial><Say>Alone</Say>")
    application.says("/whisper", "<Say>You will be connected</Say>")
    caller = town.dial()
    agent = town.client.calls.create(
        to="+13125550199", from_="+15550100", url=application.url("/agent")
    )
    town.wait(1)
    assert town.heard(caller) == ["You will be connected"]
    if leaves_by == "hangup":
        town.hang_up(caller)
    else:
        town.client.calls(caller).update(twiml="<Response><Say>Moved</Say></Response>")
        town.settle()
    assert application.last("/left")["QueueResult"] == result
    assert town.heard(agent.sid) == ["Alone"]


def test_a_queue_that_breaks_down_is_told_as_twilios_own_fault(
    town: Town, application: Application
) -> None:
    town.fault(queue="support", do="system-error")
    sid = town.dial()
    form = application.last("/left")
    assert form["QueueResult"] == "system-error"
    assert "QueueSid" not in form, "it was never in the queue"
    assert town.heard(sid) == ["Goodbye"]
    other = town.dial()
    assert town.call(other)["queue"] is not None, "once is enough"


def test_whoever_dials_an_empty_queue_waits_for_the_first(
    town: Town, application: Application
) -> None:
    application.says("/agent", '<Dial action="done" timeout="20"><Queue>support</Queue></Dial>')
    application.says("/done", "<Hangup/>")
    for _ in range(2):
        town.client.calls.create(
            to="+13125550199", from_="+15550100", url=application.url("/agent")
        )
    town.wait(10)
    caller = town.dial()
    town.hang_up(caller)
    assert application.last("/done")["DialCallStatus"] == "completed"
    town.wait(20)
    assert application.last("/done")["DialCallStatus"] == "no-answer"


def test_a_broken_waiting_document_ends_the_wait_with_an_error(
    town: Town, application: Application
) -> None:
    application.says("/wait", "<Dial>+13125550199</Dial>")
    sid = town.dial()
    assert application.last("/left")["QueueResult"] == "error"
    assert town.errors() == [12200]
    assert town.heard(sid) == ["Goodbye"]


def test_a_wait_document_out_of_reach_is_asked_again_if_so_told(application: Application) -> None:
    town = Town(application, wait_errors="hold")
    replies: Iterator[Reply] = iter([("", 503), ("", 503), "<Say>Welcome back</Say>"])
    application.says("/wait", lambda _: next(replies))
    with town.simulator:
        sid = town.dial()
        town.wait(4)
        music = "Twilio's hold music"
        assert town.heard(sid) == [music, music, "Welcome back"]
        assert town.call(sid)["queue"]


def test_a_workflow_queue_keeps_the_attributes_of_the_task(
    town: Town, application: Application
) -> None:
    workflow = "WW" + "0" * 32
    application.says(
        "/voice", f'<Enqueue workflowSid="{workflow}"><Task>{{"skill": "sales"}}</Task></Enqueue>'
    )
    town.dial()
    (queue,) = town.state()["queues"]
    assert queue["friendly_name"] == workflow
    assert queue["members"][0]["task_attributes"] == '{"skill": "sales"}'
    application.says("/voice", f'<Enqueue workflowSid="{workflow}"><Task>nonsense</Task></Enqueue>')
    town.dial()
    assert town.errors() == [14221]


def test_silence_and_hold_music_need_no_document(town: Town, application: Application) -> None:
    application.says("/voice", '<Enqueue waitUrl="">silent</Enqueue>')
    assert town.heard(town.dial()) == []
    application.says("/voice", "<Enqueue>music</Enqueue>")
    assert town.heard(town.dial()) == ["Twilio's hold music"]
