"""The assignment callback: an application is asked what to do with a Reservation."""

import pytest

from routing.events import Event
from routing.reservation import Reservation
from tests.callbacks.bureau import ACCOUNT_SID, Bureau
from tests.callbacks.receiver import TOKEN, Receiver, Reply, json_reply
from tests.routing.centre import Centre

#: The keys of the assignment callback that was recorded.
RECORDED = {
    "AccountSid",
    "ReservationSid",
    "TaskAge",
    "TaskAttributes",
    "TaskPriority",
    "TaskQueueSid",
    "TaskSid",
    "WorkerAttributes",
    "WorkerSid",
    "WorkflowSid",
    "WorkspaceSid",
}


def offered(bureau: Bureau, receiver: Receiver, reply: Reply, fallback: Reply | None = None) -> str:
    """A Task is offered to Alice, and the application answers like this; the Reservation's SID."""
    receiver.answers("/assign", reply)
    if fallback is not None:
        receiver.answers("/fallback", fallback)
    bureau.ask_at(
        receiver.url("/assign"), receiver.url("/fallback") if fallback is not None else None
    )
    bureau.centre.add_worker("alice", language="en")
    task = bureau.centre.add_task(language="en")
    (reservation,) = bureau.centre.reservations(task)
    bureau.work()
    return reservation.sid


def now(bureau: Bureau, sid: str) -> Reservation:
    return bureau.centre.reservation(sid)


def failures(centre: Centre) -> list[Event]:
    log = centre.store.event_log("test")
    return [event for event in log.read(10_000) if event.type == "reservation.failed"]


def test_the_application_is_asked_in_the_recorded_shape(bureau: Bureau, receiver: Receiver) -> None:
    sid = offered(bureau, receiver, json_reply({"instruction": "accept"}))
    (asked,) = receiver.received
    assert asked.path == "/assign"
    assert asked.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert asked.fields.keys() == RECORDED
    task = bureau.centre.task(now(bureau, sid).task_sid)
    assert asked.fields["ReservationSid"] == sid
    assert asked.fields["AccountSid"] == ACCOUNT_SID
    assert asked.fields["TaskAttributes"] == task.attributes
    assert asked.fields["WorkerAttributes"] == '{"language": "en"}'
    assert (asked.fields["TaskAge"], asked.fields["TaskPriority"]) == ("0", "0")
    assert asked.is_signed_with(TOKEN)
    assert not asked.is_signed_with("another token")


def test_accept_accepts(bureau: Bureau, receiver: Receiver) -> None:
    sid = offered(bureau, receiver, json_reply({"instruction": "accept"}))
    assert now(bureau, sid).reservation_status == "accepted"
    assert bureau.the_delivery().state == "delivered"
    assert bureau.the_delivery().last_status == 200
    bureau.work()
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=200),
        Reply(status=204),
        Reply(status=200, body=b" \n", headers={"Content-Type": "text/html"}),
        json_reply({}),
    ],
)
def test_an_empty_answer_leaves_it_for_later(
    bureau: Bureau, receiver: Receiver, reply: Reply
) -> None:
    sid = offered(bureau, receiver, reply)
    assert now(bureau, sid).reservation_status == "pending"
    assert bureau.the_delivery().state == "delivered"
    bureau.centre.pass_time(30)
    assert now(bureau, sid).reservation_status == "timeout"


def test_reject_sends_the_worker_where_it_says(bureau: Bureau, receiver: Receiver) -> None:
    activity = bureau.centre.activity("Unavailable")
    sid = offered(bureau, receiver, json_reply({"instruction": "reject", "activity_sid": activity}))
    assert now(bureau, sid).reservation_status == "rejected"
    assert bureau.centre.activity_of(now(bureau, sid).worker_sid) == "Unavailable"


def test_a_conference_is_asked_for_with_all_that_was_said(
    bureau: Bureau, receiver: Receiver
) -> None:
    said = {
        "instruction": "Conference",
        "to": "client:alice",
        "from": "+15550100000",
        "timeout": "15",
        "record": "true",
        "end_conference_on_customer_exit": True,
        "status_callback_event": "initiated, answered",
        "unheard_of": 1,
    }
    sid = offered(bureau, receiver, json_reply(said))
    assert now(bureau, sid).reservation_status == "pending"
    instruction = bureau.centre.instruction(sid)
    assert instruction.kind == "conference"
    assert '"timeout": 15' in instruction.parameters
    assert '"record": true' in instruction.parameters
    assert '["initiated", "answered"]' in instruction.parameters
    assert "unheard_of" not in instruction.parameters


def html(body: bytes) -> Reply:
    return Reply(status=200, body=body, headers={"Content-Type": "text/html"})


def plain_json(body: bytes) -> Reply:
    return Reply(status=200, body=body, headers={"Content-Type": "application/json"})


WRONG = {
    "not said to be JSON": (html(b'{"instruction": "accept"}'), 40000),
    "no JSON": (plain_json(b"{instruction: accept}"), 40001),
    "no object": (plain_json(b"[]"), 40001),
    "a repeated key": (plain_json(b'{"instruction":"accept","instruction":"reject"}'), 40001),
    "too deep": (plain_json(b"[" * 200 + b"]" * 200), 40001),
    "too long": (plain_json(b'{"a":"' + b"x" * 70_000 + b'"}'), 40001),
    "no instruction": (json_reply({"activity_sid": "WA" + "0" * 32}), 40005),
    "an unknown instruction": (json_reply({"instruction": "dance"}), 55555),
    "an instruction of another type": (json_reply({"instruction": 5}), 55555),
    "reject without an Activity": (json_reply({"instruction": "reject"}), 40100),
    "reject to no Activity of ours": (
        json_reply({"instruction": "reject", "activity_sid": "WA" + "0" * 32}),
        40100,
    ),
    "call to nobody": (json_reply({"instruction": "call", "to": "alice"}), 40110),
    "call from nobody": (json_reply({"instruction": "call", "to": "client:alice"}), 40111),
    "call without a URL": (
        json_reply({"instruction": "call", "from": "+15550100000", "url": "/twiml"}),
        40112,
    ),
    "call with a wrong status callback": (
        json_reply(
            {
                "instruction": "call",
                "from": "+15550100000",
                "url": "https://example.com",
                "status_callback_url": "nowhere",
            }
        ),
        40158,
    ),
    "redirect without a URL": (
        json_reply({"instruction": "redirect", "call_sid": "CA" + "0" * 32}),
        40120,
    ),
    "redirect of no call": (
        json_reply({"instruction": "redirect", "url": "https://example.com"}),
        40121,
    ),
    "dequeue to an Activity that is none": (
        json_reply({"instruction": "dequeue", "post_work_activity_sid": "lunch"}),
        40130,
    ),
    "dequeue to nobody": (json_reply({"instruction": "dequeue", "to": "12"}), 40131),
    "dequeue from nobody": (json_reply({"instruction": "dequeue", "from": "12"}), 40132),
    "dequeue with unknown events": (
        json_reply({"instruction": "dequeue", "status_callback_events": "sung"}),
        40134,
    ),
    "dequeue with a wrong status callback": (
        json_reply({"instruction": "dequeue", "status_callback_url": 7}),
        40157,
    ),
    "conference with a wrong number": (json_reply({"instruction": "conference", "to": "x"}), 40137),
    "conference from nobody": (json_reply({"instruction": "conference", "from": "x"}), 40141),
    "conference to an Activity that is none": (
        json_reply({"instruction": "conference", "post_work_activity_sid": "WA" + "0" * 32}),
        40143,
    ),
    "conference with a wrong status callback": (
        json_reply({"instruction": "conference", "status_callback": "ftp://x"}),
        40159,
    ),
    "conference that rings for ever": (
        json_reply({"instruction": "conference", "timeout": 1000}),
        55555,
    ),
    "supervise what nobody has accepted": (json_reply({"instruction": "supervise"}), 40146),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_has_its_documented_code_and_the_fallback_is_asked(
    bureau: Bureau, receiver: Receiver, name: str
) -> None:
    reply, code = WRONG[name]
    sid = offered(bureau, receiver, reply, json_reply({"instruction": "accept"}))
    assert [each.path for each in receiver.received] == ["/assign", "/fallback"]
    assert receiver.received[0].token == receiver.received[1].token
    assert now(bureau, sid).reservation_status == "accepted"
    (failure,) = failures(bureau.centre)
    assert failure.carried["error_code"] == str(code)
    assert failure.reservation_sid == sid
    assert sid in failure.description


def test_where_both_fail_the_reservation_is_canceled(bureau: Bureau, receiver: Receiver) -> None:
    sid = offered(bureau, receiver, Reply(status=500), html(b"<h1>Hello</h1>"))
    canceled = now(bureau, sid)
    assert canceled.reservation_status == "canceled"
    assert canceled.reason is not None
    assert "40000" in canceled.reason
    assert bureau.centre.status(canceled.task_sid) == "pending"
    delivery = bureau.the_delivery()
    assert (delivery.state, delivery.last_status) == ("dead", 200)
    assert delivery.last_error is not None
    assert delivery.last_error.startswith("11200: answered with status 500; 40000: ")


def test_without_a_fallback_one_failure_is_enough(bureau: Bureau, receiver: Receiver) -> None:
    receiver.answers("/assign", Reply(status=302, headers={"Location": receiver.url("/other")}))
    bureau.ask_at(receiver.url("/assign"))
    bureau.centre.add_worker("alice")
    task = bureau.centre.add_task()
    bureau.work()
    assert [each.path for each in receiver.received] == ["/assign"]
    (reservation,) = bureau.centre.reservations(task)
    assert reservation.reservation_status == "canceled"
    assert failures(bureau.centre) == []


def test_an_application_that_is_not_there_cancels_too(bureau: Bureau) -> None:
    bureau.ask_at("http://127.0.0.1:1/assign", "http://[::1]:1/assign")
    bureau.centre.add_worker("alice")
    task = bureau.centre.add_task()
    bureau.work()
    (reservation,) = bureau.centre.reservations(task)
    assert reservation.reservation_status == "canceled"


def test_nobody_is_asked_about_a_reservation_that_is_over(
    bureau: Bureau, receiver: Receiver
) -> None:
    bureau.ask_at(receiver.url("/assign"))
    bureau.centre.add_worker("alice")
    task = bureau.centre.add_task()
    bureau.centre.accept(task)
    bureau.work()
    assert receiver.received == []
    assert bureau.the_delivery().state == "skipped"


def test_an_answer_that_comes_too_late_changes_nothing(bureau: Bureau, receiver: Receiver) -> None:
    """The agent accepts while the application thinks."""

    def think(_: object) -> Reply:
        bureau.centre.accept(bureau.centre.task_sids()[0])
        return json_reply(
            {"instruction": "reject", "activity_sid": bureau.centre.activity("Offline")}
        )

    receiver.answers("/assign", think)
    bureau.ask_at(receiver.url("/assign"), receiver.url("/fallback"))
    bureau.centre.add_worker("alice")
    task = bureau.centre.add_task()
    bureau.work()
    assert [each.path for each in receiver.received] == ["/assign"]
    assert bureau.centre.status(task) == "assigned"
    assert bureau.the_delivery().state == "delivered"
    assert failures(bureau.centre) == []


def test_a_conference_for_a_reservation_that_is_over_says_so(
    bureau: Bureau, receiver: Receiver
) -> None:
    def think(_: object) -> Reply:
        bureau.centre.accept(bureau.centre.task_sids()[0])
        return json_reply({"instruction": "conference"})

    receiver.answers("/assign", think)
    bureau.ask_at(receiver.url("/assign"))
    bureau.centre.add_worker("alice")
    bureau.centre.add_task()
    bureau.work()
    (failure,) = failures(bureau.centre)
    assert failure.carried["error_code"] == "40136"


def test_where_no_url_is_set_nobody_is_asked(bureau: Bureau, receiver: Receiver) -> None:
    bureau.centre.add_worker("alice")
    bureau.centre.add_task()
    bureau.work()
    assert bureau.deliveries() == []
    assert receiver.received == []


def test_an_answer_is_followed_once_whoever_else_has_asked(
    centre_on_each: Centre, receiver: Receiver
) -> None:
    """A process dies after it has asked; another one asks again when the lease has run out."""
    receiver.answers("/assign", json_reply({"instruction": "accept"}))
    first, second = Bureau(centre_on_each), Bureau(centre_on_each)
    first.ask_at(receiver.url("/assign"))
    first.holds = True
    centre_on_each.add_worker("alice")
    task = centre_on_each.add_task()
    first.work()
    assert len(first.held) == 1
    second.pass_time(20)
    assert receiver.received == []
    second.pass_time(40)  # the offer has not run out: nobody has moved the timers
    assert centre_on_each.status(task) == "assigned"
    first.held.pop()()
    first.send()
    assert len(receiver.received) <= 2
    assert len({each.token for each in receiver.received}) == 1
    assert centre_on_each.events("reservation.accepted") == ["reservation.accepted"]
    assert failures(centre_on_each) == []
