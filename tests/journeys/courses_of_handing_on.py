"""Courses of a conversation that is handed on: to a colleague, to a queue, to a number outside."""

from tests.journeys.courses import (
    ENDED,
    OUTSIDE,
    End,
    connect,
    course,
    is_over,
    takes,
    talk,
)
from tests.journeys.stage import Agent, Stage

OVER = "Conference ended"
HANDED_OUT = "Transferred to somebody outside"


def _offered_again(
    stage: Stage, agent: Agent, call: str, sid: str, *, by: Agent | None = None
) -> None:
    """Whom the Task is handed on to takes it, also when it must be offered, or handed on, again."""

    def talks() -> bool:
        status = agent.reservations().get(sid)
        if agent.is_talking_to(call) and status == "accepted":
            return True
        if agent.activity != "Available" and not agent.load:
            stage.office.centre.move(agent.worker_sid, "Available")
        if by is not None and status is None and stage.office.centre.status(sid) == "assigned":
            by.hand_on(sid, agent.worker_sid, "WARM")
        elif status == "pending":
            agent.accept(sid)
        return False

    stage.until(talks, f"{agent.name} has the caller")


@course("transfer", "hold and hand on")
def a_colleague_is_brought_in_and_left_with_the_caller(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    bob = stage.agent("Bob")
    _offered_again(stage, bob, call, sid, by=alice)
    assert bob.is_talking_to(call, *alice.legs)
    assert (alice.load, bob.load) == (1, 1)
    alice.hang_up()
    stage.until(lambda: alice.reservations().get(sid) == "wrapping", "Alice wraps up")
    assert stage.office.centre.status(sid) == "assigned"
    assert bob.is_talking_to(call)
    bob.hang_up()
    stage.until(is_over(stage, call), "the caller is let go")
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed", "completed"),
        heard=ENDED,
        told=(
            "task.transfer-initiated",
            "reservation.created",
            "reservation.accepted",
            "task.transfer-completed",
            "reservation.wrapup",
            "reservation.wrapup",
            "task.wrapup",
        ),
    )


@course("transfer", "hold and hand on")
def a_caller_on_hold_talks_to_the_colleague_once_the_first_agent_has_left(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    alice.hold(sid, True)
    bob = stage.agent("Bob")
    _offered_again(stage, bob, call, sid, by=alice)
    alice.hang_up()
    stage.until(lambda: not stage.is_held(call) and bob.is_talking_to(call), "fetched back")
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed", "completed"))


@course("transfer", "hold and hand on")
def a_caller_handed_on_cold_hears_music_until_the_colleague_answers(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    bob = stage.agent("Bob")
    alice.hand_on(sid, bob.worker_sid, "COLD")
    stage.until(lambda: not alice.legs, "Alice is out")
    stage.until(lambda: alice.reservations().get(sid) == "wrapping")
    _offered_again(stage, bob, call, sid)
    assert stage.office.centre.status(sid) == "assigned"
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed", "completed"),
        told=("task.transfer-initiated", "reservation.wrapup", "task.transfer-completed"),
    )


@course("transfer", "hold and hand on")
def a_cold_transfer_that_nobody_takes_goes_back_in_line(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    bob = stage.agent("Bob", "busy")
    alice.hand_on(sid, bob.worker_sid, "COLD")
    takes(stage, bob, sid)
    stage.until(lambda: bob.activity == "Offline", "Bob cannot be reached")
    stage.until(lambda: stage.is_waiting(call), "the caller waits")
    carol = stage.agent("Carol")
    connect(stage, carol, call)
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed", "canceled", "completed"),
    )


@course("transfer")
def a_colleague_who_declines_leaves_the_caller_with_the_first_agent(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    bob = stage.agent("Bob")
    alice.hand_on(sid, bob.worker_sid, "WARM")
    offline = stage.office.centre.activity("Offline")
    bob.answer(sid, "rejected", WorkerActivitySid=offline)
    assert alice.is_talking_to(call)
    assert stage.office.centre.status(sid) == "assigned"
    alice.hang_up()
    stage.until(is_over(stage, call))
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed", "rejected"),
        heard=ENDED,
        told=("task.transfer-initiated", "reservation.rejected", "task.transfer-failed"),
    )


@course("transfer")
def a_queue_finds_somebody_for_a_caller_who_is_handed_on(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    experts = stage.office.centre.add_queue("Experts", "skill == 'expert'")
    bob = stage.agent("Bob", skill="expert")
    alice.hand_on(sid, experts, "COLD")
    _offered_again(stage, bob, call, sid)
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed", "completed"),
        holds=lambda: stage.office.centre.queue_of(sid) == "Experts",
    )


@course("transfer", "gone while ringing", "phones stop")
def a_caller_who_hangs_up_while_a_colleagues_phone_rings_stops_it(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    bob = stage.agent("Bob", "manual")
    alice.hand_on(sid, bob.worker_sid, "WARM")
    takes(stage, bob, sid)
    stage.until(lambda: bob.is_ringing() or not bob.load)
    stage.hang_up(call)
    stage.until(lambda: not alice.legs and not bob.legs)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed", "canceled"))


# ---- to a number that is nobody's ----------------------------------------------------------------


def _somebody_outside(stage: Stage, on_ring: str = "answer") -> None:
    stage.phone(OUTSIDE, on_ring, 1 if on_ring == "answer" else None)


def _is_in(stage: Stage, call: str) -> bool:
    return stage.are_together(*stage.legs_to(OUTSIDE), call) and bool(stage.legs_to(OUTSIDE))


def _call(stage: Stage, agent: Agent, sid: str, mode: str) -> None:
    agent.conference(sid, "/Participants", To=OUTSIDE, Mode=mode, Timeout=20)
    stage.settle()


def _failed(stage: Stage) -> bool:
    """Something went wrong, so that Twilio would not call them, and that was said."""
    rows = stage.office.rows_of("outside")
    return bool(stage.mishap.kind) and rows[-1].state == "failed"


@course("numbers outside", "transfer", "hold and hand on")
def somebody_outside_is_brought_in_and_left_with_the_caller(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage)
    _call(stage, alice, sid, "WARM")
    stage.until(lambda: _is_in(stage, call) or _failed(stage), "three are together")
    handed_out = not _failed(stage)
    if handed_out:
        assert stage.are_together(call, *alice.legs, *stage.legs_to(OUTSIDE))
        stage.until(lambda: _told_of(stage, sid) == "in-progress")
    alice.hang_up()
    if handed_out:
        stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
        assert _is_in(stage, call)
        stage.pass_time(20)
        assert _is_in(stage, call)
        for leg in stage.legs_to(OUTSIDE):
            stage.hang_up(leg)
    stage.until(is_over(stage, call), "the caller is let go")
    return End(
        call=call,
        status="wrapping",
        reason=HANDED_OUT if handed_out else OVER,
        reservations=("completed",),
        heard=ENDED,
        told=("reservation.accepted", "task.updated", "reservation.wrapup", "task.wrapup"),
    )


def _told_of(stage: Stage, sid: str) -> str | None:
    said = stage.attributes(sid)["conference"].get("outside") or [{"status": None}]
    return str(said[-1]["status"])


@course("numbers outside", "hold and hand on")
def somebody_outside_may_leave_again_and_the_agent_talks_on(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage)
    _call(stage, alice, sid, "WARM")
    stage.until(lambda: _is_in(stage, call) or _failed(stage))
    for leg in stage.legs_to(OUTSIDE):
        stage.hang_up(leg)
    stage.pass_time(5)
    assert alice.is_talking_to(call)
    alice.hang_up()
    stage.until(is_over(stage, call), "the caller is let go")
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",), heard=ENDED)


@course("numbers outside", "hold and hand on")
def somebody_outside_is_taken_out_again_by_the_desk(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage)
    _call(stage, alice, sid, "WARM")
    stage.until(lambda: _is_in(stage, call) or _failed(stage))
    for party in alice.conference(sid)["participants"]:
        if party["kind"] == "outside":
            alice.conference(sid, f"/Participants/{party['sid']}", Status="completed")
    stage.until(lambda: not stage.legs_to(OUTSIDE), "out")
    assert alice.is_talking_to(call)
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("numbers outside", "hold and hand on")
def a_number_that_is_busy_leaves_the_caller_with_the_agent(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage, "busy")
    _call(stage, alice, sid, "WARM")
    stage.until(lambda: stage.office.rows_of("outside")[-1].state == "failed")
    assert alice.is_talking_to(call)
    alice.hang_up()
    stage.until(is_over(stage, call), "the caller is let go")
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed",),
        heard=ENDED,
        told=("reservation.accepted", "reservation.failed", "reservation.wrapup"),
    )


@course("numbers outside", "transfer")
def a_blind_transfer_to_a_number_goes_through(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage)
    _call(stage, alice, sid, "COLD")
    stage.until(lambda: _is_in(stage, call) or _failed(stage))
    handed_out = not _failed(stage)
    if handed_out:
        stage.until(lambda: not alice.legs, "Alice is out")
        stage.until(lambda: not stage.is_held(call), "they talk")
        stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
    stage.hang_up(call)
    stage.until(lambda: not stage.legs_to(OUTSIDE))
    return End(
        call=call,
        status="wrapping",
        reason=HANDED_OUT if handed_out else OVER,
        reservations=("completed",),
    )


@course("numbers outside", "hold and hand on")
def a_blind_transfer_that_nobody_answers_goes_back_in_line(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage, "no-answer")
    _call(stage, alice, sid, "COLD")
    if not _failed(stage):
        stage.until(lambda: not alice.legs or _failed(stage), "Alice is out")
    if not alice.legs:
        stage.until(
            lambda: stage.is_held(call) or stage.is_waiting(call) or _could_not_hold(stage),
            "music",
        )
        stage.until(lambda: stage.is_waiting(call), "the caller waits")
        bob = stage.agent("Bob")
        connect(stage, bob, call)
        stage.hang_up(call)
        return End(
            call=call, status="wrapping", reason=OVER, reservations=("completed", "completed")
        )
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


def _could_not_hold(stage: Stage) -> bool:
    return bool(stage.mishap.kind) and any(
        row.state == "failed" for row in stage.office.rows_of("hold")
    )


@course("numbers outside", "hold and hand on")
def an_agent_who_leaves_while_the_number_rings_leaves_music_and_then_the_other(
    stage: Stage,
) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage, "manual")
    _call(stage, alice, sid, "WARM")
    stage.until(lambda: bool(stage.legs_to(OUTSIDE)) or _failed(stage))
    alice.hang_up()
    if _failed(stage):
        stage.until(is_over(stage, call))
        return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))
    stage.until(lambda: stage.is_held(call) or _could_not_hold(stage), "music")
    for leg in stage.legs_to(OUTSIDE):
        stage.control("POST", f"calls/{leg}/answer")
    stage.settle()
    stage.until(lambda: _is_in(stage, call) and not stage.is_held(call), "they talk")
    stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
    for leg in stage.legs_to(OUTSIDE):
        stage.hang_up(leg)
    stage.until(is_over(stage, call), "the caller is let go")
    return End(
        call=call, status="wrapping", reason=HANDED_OUT, reservations=("completed",), heard=ENDED
    )


@course("numbers outside", "phones stop", "teardown races")
def a_caller_who_hangs_up_while_the_number_rings_stops_it(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    _somebody_outside(stage, "manual")
    _call(stage, alice, sid, "COLD")
    stage.until(lambda: bool(stage.legs_to(OUTSIDE)) or _failed(stage))
    stage.hang_up(call)
    stage.until(lambda: not stage.legs_to(OUTSIDE) and not alice.legs, "all phones stop")
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))
