"""Courses of a caller who waits: for how long, with what to hear, and for nothing."""

import json
from typing import Any

from routing.task import MAX_ASSIGNED_SECONDS
from tests.journeys.courses import (
    CANCELED,
    End,
    call_in,
    connect,
    course,
    is_over,
    takes,
    talk,
    task_sid,
)
from tests.journeys.stage import Stage
from tests.voice.office import CALLER, NUMBER

FAREWELL = {"unavailable": "Sorry.", "canceled": "Nobody could come.", "ended": "Goodbye."}
CALLBACK = {
    "key": "1",
    "offer": "Press 1.",
    "confirmation": "We will call.",
    "attempts": 2,
    "pause_seconds": 60,
}
MENU = {
    "prompt": "Sales or help?",
    "options": {"1": {"topic": "sales"}, "2": {"topic": "help"}},
    "default": "2",
}


def flow(**sections: Any) -> dict[str, Any]:
    return {"farewell": FAREWELL, **sections}


@course("time to live", "waiting for nothing", "abandoned", flow=flow(task={"timeout_seconds": 40}))
def a_task_that_waits_too_long_is_canceled_and_the_caller_told(stage: Stage) -> End:
    call = call_in(stage)
    stage.until(is_over(stage, call), "the caller is told")
    return End(
        call=call,
        status="canceled",
        reason="Task TTL Exceeded",
        heard="Nobody could come.",
        told=("task.created", "task.canceled"),
    )


@course("out of steps", "waiting for nothing", flow=flow())
def a_workflow_that_is_out_of_steps_takes_the_caller_off_the_line(stage: Stage) -> End:
    centre = stage.office.centre
    target = {"queue": centre.queue_sid, "timeout": 20}
    document = {"task_routing": {"filters": [{"expression": "1==1", "targets": [target]}]}}
    centre.change_workflow(centre.workflow_sid, configuration=json.dumps(document))
    call = call_in(stage)
    sid = task_sid(stage, call)
    stage.until(is_over(stage, call), "the caller is told")
    return End(
        call=call,
        status="canceled",
        reason=centre.task(sid).reason,
        heard="Nobody could come.",
        told=("task.created", "workflow.timeout", "task.canceled"),
    )


@course("abandoned", "waiting for nothing")
def a_task_that_a_program_cancels_ends_the_call_with_words(stage: Stage) -> End:
    call = call_in(stage)
    sid = task_sid(stage, call)
    stage.rest("POST", f"Tasks/{sid}", AssignmentStatus="canceled", Reason="we are closing")
    stage.until(is_over(stage, call), "the caller is told")
    return End(call=call, status="canceled", reason="we are closing", heard=CANCELED)


@course(
    "callback and voicemail",
    "waiting for nothing",
    flow=flow(
        waiting={"longest_seconds": 40, "interval_seconds": 10},
        too_long={"say": "Too long.", "then": "voicemail"},
        voicemail={"prompt": "Speak.", "thanks": "Thanks."},
    ),
)
def who_has_waited_too_long_leaves_a_message_that_becomes_a_task(stage: Stage) -> End:
    call = call_in(stage)
    stage.until(lambda: "Speak." in stage.heard(call), "may speak")
    stage.pass_time(2)
    stage.press(call, "#")
    stage.until(is_over(stage, call))
    messages = [
        attributes
        for task in stage.tasks()
        if (attributes := stage.attributes(task.sid)).get("type") == "voicemail"
    ]
    assert len(messages) == 1
    assert messages[0]["recording_url"].startswith("http")
    return End(
        call=call,
        status="canceled",
        reason="the caller has waited too long",
        heard="Thanks.",
    )


@course("callback and voicemail", flow=flow(callback=CALLBACK, waiting={"interval_seconds": 10}))
def a_caller_keeps_the_place_and_is_called_back(stage: Stage) -> End:
    call = call_in(stage)
    first = stage.task_of(call)
    assert first is not None
    stage.until(lambda: "Press 1." in stage.heard(call))
    stage.press(call, "1")
    stage.until(is_over(stage, call))
    [again] = [task for task in stage.tasks() if task.sid != first.sid]
    assert again.virtual_start_at == first.virtual_start_at
    alice = stage.agent("Alice")
    stage.phone(CALLER, "answer", 1)
    _called_back(stage, alice, again.sid)
    customer = stage.legs_to(CALLER)[0]
    stage.hang_up(customer)
    stage.until(lambda: not alice.legs)
    return End(
        call=customer,
        status="wrapping",
        reason="Conference ended",
        reservations=("completed",),
        holds=lambda: stage.office.centre.task(first.sid).reason == "callback requested",
    )


def _called_back(stage: Stage, alice: Any, sid: str) -> None:
    """Until both talk; a Task that could not be carried out is followed by the next attempt's."""

    def talks() -> bool:
        if alice.activity != "Available" and not alice.load:
            stage.office.centre.move(alice.worker_sid, "Available")
        for task in stage.tasks():
            if task.assignment_status == "reserved" and alice.reservations().get(task.sid) == (
                "pending"
            ):
                alice.accept(task.sid)
        return alice.is_talking_to(*stage.legs_to(CALLER)) and bool(stage.legs_to(CALLER))

    del sid
    stage.until(talks, "the customer is called back")


@course(
    "callback and voicemail",
    flow=flow(callback=CALLBACK, waiting={"interval_seconds": 10}),
    once=True,
)
def a_customer_who_does_not_answer_is_called_again_and_then_given_up(stage: Stage) -> End:
    call = call_in(stage)
    first = stage.task_of(call)
    assert first is not None
    stage.until(lambda: "Press 1." in stage.heard(call))
    stage.press(call, "1")
    stage.phone(CALLER, "no-answer", None)
    alice = stage.agent("Alice")
    for number in (1, 2):
        stage.until(lambda: bool(_open(stage)), f"attempt {number}")
        [sid] = _open(stage)
        assert stage.attributes(sid)["callback"]["attempt"] == number
        takes(stage, alice, sid)
        stage.until(lambda sid=sid: stage.office.centre.status(sid) == "canceled")  # type: ignore[misc]
    stage.pass_time(120)
    assert _open(stage) == []
    return End(call=call, status="canceled", reason="callback requested")


def _open(stage: Stage) -> list[str]:
    waiting = {"pending", "reserved", "assigned"}
    return [task.sid for task in stage.tasks() if task.assignment_status in waiting]


@course(
    "callback and voicemail",
    "waiting for nothing",
    flow=flow(
        waiting={"longest_seconds": 40, "interval_seconds": 10},
        too_long={"say": "Too long.", "then": "callback"},
        callback={"confirmation": "We will call.", "attempts": 1},
    ),
)
def who_has_waited_too_long_is_called_back(stage: Stage) -> End:
    call = call_in(stage)
    first = stage.task_of(call)
    assert first is not None
    stage.until(is_over(stage, call))
    assert stage.heard(call)[-2:] == ["Too long.", "We will call."]
    [again] = [task for task in stage.tasks() if task.sid != first.sid]
    assert again.virtual_start_at == first.virtual_start_at
    stage.rest("POST", f"Tasks/{again.sid}", AssignmentStatus="canceled", Reason="enough")
    return End(
        call=call, status="canceled", reason="the caller has waited too long", heard="We will call."
    )


@course(
    "announcements",
    flow=flow(
        waiting={
            "announcement": "You are number {position}, about {wait} minutes.",
            "announcement_without_wait": "You are number {position}.",
            "interval_seconds": 10,
        }
    ),
)
def the_place_in_line_and_the_wait_are_told(stage: Stage) -> End:
    alice = stage.agent("Alice")
    for _ in range(4):
        call = call_in(stage)
        sid = connect(stage, alice, call)
        stage.pass_time(20)
        stage.hang_up(call)
        stage.until(lambda sid=sid: stage.office.centre.status(sid) == "wrapping")  # type: ignore[misc]
        alice.complete(sid)
    stage.office.centre.move(alice.worker_sid, "Offline")
    call, other = call_in(stage), call_in(stage)
    stage.until(lambda: "You are number 2, about 1 minutes." in stage.heard(other))
    stage.hang_up(call)
    stage.until(lambda: "You are number 1, about 1 minutes." in stage.heard(other))
    stage.hang_up(other)
    return End(call=other, status="canceled", reason="hangup")


@course("recording and the rest", flow=flow(menu=MENU))
def a_key_of_the_menu_says_what_the_call_is_about(stage: Stage) -> End:
    call = stage.dial()
    stage.until(lambda: "Sales or help?" in stage.heard(call))
    stage.press(call, "1")
    stage.until(lambda: stage.is_waiting(call))
    assert stage.attributes(task_sid(stage, call))["topic"] == "sales"
    connect(stage, stage.agent("Alice"), call)
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason="Conference ended", reservations=("completed",))


@course(
    "recording and the rest",
    flow=flow(
        hours={"time_zone": "Europe/London", "monday": ["09:00-09:01"]},
        closed={"say": "We are closed."},
    ),
)
def who_calls_a_closed_number_hears_so_and_leaves_nothing(stage: Stage) -> End:
    open_call = call_in(stage)
    stage.hang_up(open_call)
    stage.pass_time(60)
    closed = stage.dial()
    stage.until(is_over(stage, closed))
    assert stage.heard(closed) == ["We are closed."]
    assert len(stage.tasks()) == 1
    return End(call=open_call, status="canceled", reason="hangup")


@course("stuck tasks", once=True)
def after_an_outage_nothing_is_stuck(stage: Stage) -> End:
    """The process is away while both hang up, and every callback of it is lost."""
    call, sid, alice = talk(stage)
    waiting = call_in(stage)
    stage.mishap.is_away = True
    for leg in (call, waiting):
        stage.control("POST", f"calls/{leg}/hangup")
    stage.simulator.settle()
    stage.mishap.is_away = False
    assert stage.office.centre.status(sid) == "assigned"
    stage.until(lambda: stage.office.centre.status(sid) == "wrapping", "found out")
    stage.until(lambda: stage.office.centre.status(task_sid(stage, waiting)) == "canceled")
    assert alice.load == 1
    alice.complete(sid)
    assert alice.load == 0
    return End(
        call=call, status="completed", reason=stage.office.centre.task(sid).reason,
        reservations=("completed",),
    )  # fmt: skip


@course("stuck tasks", once=True)
def after_work_that_nobody_ends_ends_by_itself(stage: Stage) -> End:
    stage.limit_after_work(60)
    call, sid, alice = talk(stage)
    stage.hang_up(call)
    stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
    stage.until(lambda: stage.office.centre.status(sid) == "completed", "after-work is over")
    assert alice.load == 0
    return End(
        call=call, status="completed", reason=stage.office.centre.task(sid).reason,
        reservations=("completed",), told=("task.wrapup", "reservation.completed"),
    )  # fmt: skip


@course("assigned for good", "stuck tasks", once=True)
def after_work_that_lasts_for_a_day_ends_with_its_task_and_the_agent_is_free(stage: Stage) -> End:
    forgotten, sid, alice = talk(stage)
    stage.hang_up(forgotten)
    stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
    stage.office.centre.pass_time(MAX_ASSIGNED_SECONDS - 60)
    assert alice.load == 1
    stage.office.centre.pass_time(60)
    stage.settle()
    assert (alice.load, alice.reservations()) == (0, {})
    assert stage.told(sid)[-1] == "task.system-deleted"
    call = call_in(stage)
    connect(stage, alice, call)
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason="Conference ended", reservations=("completed",))


@course("abandoned", flow=flow())
def a_caller_whom_the_queue_cannot_take_hears_so_and_leaves_no_task(stage: Stage) -> End:
    centre = stage.office.centre
    alice = stage.agent("Alice")
    stage.control("POST", "faults", {"queue": stage.office.flow.queue, "do": "system-error"})
    call = stage.dial()
    stage.until(is_over(stage, call))
    assert centre.channel(alice.worker_sid).assigned_tasks == 0
    return End(
        call=call,
        status="canceled",
        reason="the queue failed",
        heard="Sorry.",
        told=("task.created", "task.canceled"),
    )


@course("signatures")
def what_twilio_did_not_sign_changes_nothing(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    forged = {
        "CallSid": call,
        "CallStatus": "completed",
        "From": CALLER,
        "To": NUMBER,
    }
    for headers in (
        {},
        {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"X-Forwarded-Host": "evil.example", "X-Twilio-Signature": "x"},
    ):
        answer = stage.office.app.test_client().post(
            "/voice/call-status", data=forged, headers=headers
        )
        assert answer.status_code == 403
    stage.pass_time(3)
    assert alice.is_talking_to(call)
    assert stage.office.centre.status(sid) == "assigned"
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason="Conference ended", reservations=("completed",))


@course("transfer", "time to live", flow=flow(task={"timeout_seconds": 60}))
def a_caller_handed_on_cold_who_waits_too_long_is_told(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    empty = stage.office.centre.add_queue("Nobody", "1==2")
    alice.hand_on(sid, empty, "COLD")
    stage.until(lambda: stage.is_waiting(call), "the queue's music")
    stage.until(is_over(stage, call), "the caller is told")
    alice.complete(sid)
    return End(
        call=call,
        status="canceled",
        reason="Task TTL Exceeded",
        reservations=("completed",),
        heard="Nobody could come.",
    )
