"""Courses of a call until somebody has taken it."""

from routing.ports import Work
from routing.task import MAX_ASSIGNMENT_COUNT
from tests.journeys.courses import (
    CANCELED,
    ENDED,
    End,
    call_in,
    come_back,
    connect,
    course,
    is_over,
    rings,
    task_sid,
)
from tests.journeys.stage import Stage


@course("local", "caller ends")
def a_caller_talks_to_an_agent_and_hangs_up(stage: Stage) -> End:
    alice = stage.agent("Alice")
    call = call_in(stage)
    sid = connect(stage, alice, call)
    assert alice.load == 1
    assert stage.attributes(sid)["conference"]["participants"]["customer"] == call
    stage.pass_time(20)
    assert alice.is_talking_to(call)
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason="Conference ended",
        reservations=("completed",),
        told=(
            "task.created",
            "task-queue.entered",
            "reservation.created",
            "reservation.accepted",
            "reservation.wrapup",
            "task.wrapup",
        ),
        holds=lambda: "You are number 1 in line." in stage.heard(call),
    )


@course("offer ignored", "missed offers")
def an_ignored_offer_times_out_and_the_next_agent_gets_it(stage: Stage) -> End:
    alice = stage.agent("Alice")
    call = call_in(stage)
    sid = task_sid(stage, call)
    stage.until(lambda: stage.offered(sid) == ["Alice"])
    bob = stage.agent("Bob")
    stage.until(lambda: stage.offered(sid) == ["Bob"], "Bob is asked")
    assert (alice.activity, alice.load) == ("Offline", 0)
    assert stage.is_waiting(call)
    connect(stage, bob, call)
    bob.hang_up()
    stage.until(is_over(stage, call))
    return End(
        call=call,
        status="wrapping",
        reason="Conference ended",
        reservations=("timeout", "completed"),
        heard=ENDED,
        told=("reservation.timeout", "reservation.created", "reservation.accepted"),
    )


def _not_reached(stage: Stage, on_ring: str, instruction: str | None) -> End:
    alice, call = stage.agent("Alice", on_ring), call_in(stage)
    sid = task_sid(stage, call)
    stage.until(lambda: stage.offered(sid) == ["Alice"])
    if instruction is None:
        alice.accept(sid)
    else:
        alice.instruct(sid, instruction, Timeout=15, DequeueTimeout=15)
    stage.until(lambda: alice.activity == "Offline", "Alice is away")
    assert alice.load == 0
    stage.until(lambda: stage.office.centre.status(sid) == "pending")
    assert stage.is_waiting(call)
    bob = stage.agent("Bob")
    connect(stage, bob, call)
    assert alice.legs == []
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason="Conference ended",
        reservations=("canceled", "completed"),
        told=("reservation.failed", "reservation.canceled", "reservation.accepted"),
    )


@course("agent not reached", "missed offers")
def an_agent_whose_phone_is_busy_is_passed_over(stage: Stage) -> End:
    return _not_reached(stage, "busy", None)


@course("agent not reached")
def an_agent_who_does_not_answer_is_passed_over(stage: Stage) -> End:
    return _not_reached(stage, "no-answer", None)


@course("agent not reached", "missed offers")
def a_conference_instruction_to_a_phone_that_fails_is_canceled(stage: Stage) -> End:
    return _not_reached(stage, "fail", "conference")


@course("agent not reached")
def a_dequeue_instruction_that_nobody_answers_is_canceled(stage: Stage) -> End:
    return _not_reached(stage, "no-answer", "dequeue")


@course("agent not reached")
def a_conference_instruction_accepts_when_both_are_in(stage: Stage) -> End:
    alice, call = stage.agent("Alice"), call_in(stage)
    sid = task_sid(stage, call)

    def talks() -> bool:
        come_back(stage, alice)
        if stage.offered(sid) and not alice.legs:
            alice.instruct(sid, "conference", EndConferenceOnExit=True)
        return alice.is_talking_to(call) and alice.reservations().get(sid) == "accepted"

    stage.until(talks)
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason="Conference ended",
        reservations=("completed",),
        told=("reservation.created", "reservation.accepted", "reservation.wrapup"),
    )


@course("target invalid", "missed offers")
def an_agent_who_has_no_number_that_can_be_called_is_passed_over(stage: Stage) -> End:
    alice, call = stage.agent("Alice", address="extension 12"), call_in(stage)
    sid = task_sid(stage, call)
    stage.until(lambda: stage.offered(sid) == ["Alice"])
    alice.accept(sid)
    stage.until(lambda: alice.activity == "Offline")
    connect(stage, stage.agent("Bob"), call)
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason="Conference ended",
        reservations=("canceled", "completed"),
        told=("reservation.failed", "reservation.canceled", "reservation.accepted"),
    )


@course("gone while waiting", "abandoned")
def a_caller_who_gives_up_in_the_queue_has_hung_up(stage: Stage) -> End:
    call = call_in(stage)
    stage.pass_time(10)
    stage.hang_up(call)
    return End(
        call=call,
        status="canceled",
        reason="hangup",
        told=("task.created", "task.canceled"),
    )


@course("gone while waiting", "phones stop")
def a_caller_who_gives_up_takes_all_offers_along(stage: Stage) -> End:
    stage.office.centre.change_queue(max_reserved_workers=2)
    alice, bob = stage.agent("Alice"), stage.agent("Bob")
    call = call_in(stage)
    sid = task_sid(stage, call)
    stage.until(lambda: sorted(stage.offered(sid)) == ["Alice", "Bob"])
    stage.hang_up(call)
    stage.until(lambda: not alice.reservations() and not bob.reservations())
    assert (alice.activity, bob.activity) == ("Available", "Available")
    return End(call=call, status="canceled", reason="hangup", reservations=("canceled", "canceled"))


@course("phones stop", "offer ignored")
def an_offer_to_two_is_taken_back_from_the_slower_one(stage: Stage) -> End:
    stage.office.centre.change_queue(max_reserved_workers=2)
    alice, bob = stage.agent("Alice"), stage.agent("Bob")
    call = call_in(stage)
    sid = task_sid(stage, call)
    stage.until(lambda: sorted(stage.offered(sid)) == ["Alice", "Bob"])
    connect(stage, alice, call)
    assert bob.legs == []
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason="Conference ended",
        reservations=("completed", "rescinded"),
        told=("reservation.accepted", "reservation.rescinded"),
    )


@course("gone while ringing", "phones stop", "teardown races")
def a_caller_who_gives_up_while_the_agents_phone_rings_stops_it(stage: Stage) -> End:
    alice, call = stage.agent("Alice", "manual"), call_in(stage)
    rings(stage, alice, call)
    stage.hang_up(call)
    stage.until(lambda: not alice.legs, "the phone stops")
    return End(
        call=call,
        status="canceled",
        reason="hangup",
        reservations=("canceled",),
        holds=lambda: alice.activity == "Available",
    )


@course("gone while ringing", "teardown races")
def a_caller_who_gives_up_as_the_agent_answers_leaves_nobody_behind(stage: Stage) -> End:
    alice, call = stage.agent("Alice", "manual"), call_in(stage)
    sid = rings(stage, alice, call)
    [leg] = alice.legs
    stage.control("POST", f"calls/{leg}/answer")
    stage.hang_up(call)
    stage.until(lambda: not alice.legs)
    task = stage.office.centre.task(sid)
    # They may have met in the last moment, or not: what is booked must fit.
    met = task.assignment_status == "wrapping"
    return End(
        call=call,
        status="wrapping" if met else "canceled",
        reason="Conference ended" if met else "hangup",
        reservations=("completed",) if met else ("canceled",),
    )


@course("missed offers")
def an_agent_who_declines_goes_where_they_say_and_is_not_asked_again(stage: Stage) -> End:
    alice, call = stage.agent("Alice"), call_in(stage)
    sid = task_sid(stage, call)
    stage.until(lambda: stage.offered(sid) == ["Alice"])
    offline = stage.office.centre.activity("Offline")
    alice.answer(sid, "rejected", WorkerActivitySid=offline)
    assert (alice.activity, alice.load) == ("Offline", 0)
    stage.pass_time(10)
    assert stage.offered(sid) == []
    connect(stage, stage.agent("Bob"), call)
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason="Conference ended",
        reservations=("rejected", "completed"),
        told=("reservation.rejected", "reservation.created", "reservation.accepted"),
    )


@course("declined too often")
def a_task_that_a_thousand_offers_did_not_help_is_canceled(stage: Stage) -> End:
    call = call_in(stage)
    sid = task_sid(stage, call)
    stage.office.centre.engine.perform(_almost_a_thousand_times, sid)
    alice = stage.agent("Alice")
    stage.until(lambda: stage.offered(sid) == ["Alice"])
    alice.answer(sid, "rejected")
    stage.until(is_over(stage, call))
    return End(
        call=call,
        status="canceled",
        reason="Task TTL Exceeded or Max assignment count exceeded",
        reservations=("rejected",),
        heard=CANCELED,
        told=("reservation.rejected", "task.canceled"),
    )


def _almost_a_thousand_times(work: Work, task_sid: str) -> None:
    work.tasks.change(task_sid, assignment_count=MAX_ASSIGNMENT_COUNT - 1)


@course("target invalid", once=True)
def a_number_that_cannot_be_called_is_told_with_its_code(stage: Stage) -> End:
    """An agent calls somebody out of their own application, as the SDK does."""
    alice = stage.agent("Alice")
    call = call_in(stage)
    sid = connect(stage, alice, call)
    stage.hang_up(call)
    stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
    alice.complete(sid)
    made = alice.ask(
        "POST",
        "Tasks",
        WorkflowSid=stage.office.centre.workflow_sid,
        TaskQueueSid=stage.office.centre.queue_sid,
        RoutingTarget=alice.worker_sid,
        Attributes={"outbound_to": "+1", "from": "+15005550006"},
    )
    stage.settle()
    stage.until(lambda: alice.reservations().get(made["sid"]) == "pending")
    alice.instruct(made["sid"], "conference")
    stage.until(lambda: stage.office.centre.status(made["sid"]) == "canceled")
    task = stage.office.centre.task(made["sid"])
    assert task.reason == (
        f"RoutingTarget not available for Reservation acceptance: {alice.worker_sid}"
    )
    [reason] = stage.reason_codes(made["sid"])
    assert reason == "13223"
    return End(call=call, status="completed", reason=stage.office.centre.task(sid).reason,
               reservations=("completed",))  # fmt: skip
