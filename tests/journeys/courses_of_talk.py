"""Courses of a conversation: what those who talk do with it, and how it ends."""

import pytest

from tests.journeys.courses import (
    ENDED,
    OUTSIDE,
    End,
    call_in,
    connect,
    course,
    is_over,
    talk,
    task_sid,
)
from tests.journeys.stage import Agent, Refusal, Stage
from tests.voice.office import NUMBER

OVER = "Conference ended"
MUSIC = "https://music.example.com/hold.mp3"


@course("agent ends")
def the_agent_hangs_up_and_the_caller_hears_a_farewell(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    alice.hang_up()
    stage.until(is_over(stage, call))
    assert alice.load == 1
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed",),
        heard=ENDED,
        told=("reservation.accepted", "reservation.wrapup", "task.wrapup"),
        holds=lambda: stage.attributes(sid)["conference"].get("hang_up_by", "worker") == "worker",
    )


@course("agent ends")
def the_agent_hangs_up_by_the_desk(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    alice.hang_up_by_desk(sid)
    stage.until(is_over(stage, call))
    stage.until(lambda: not alice.legs)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",), heard=ENDED)


@course("agent ends", multi_task=False)
def without_multitasking_the_end_of_the_conversation_completes_the_task(stage: Stage) -> End:
    call, _sid, alice = talk(stage)
    alice.hang_up()
    stage.until(is_over(stage, call))
    return End(
        call=call,
        status="completed",
        reason=OVER,
        reservations=("completed",),
        heard=ENDED,
        told=("reservation.accepted", "task.completed"),
    )


@course("agent ends", "hold and hand on")
def an_agent_who_leaves_a_room_that_does_not_end_leaves_nobody_alone(stage: Stage) -> End:
    alice, call = stage.agent("Alice"), call_in(stage)
    sid = task_sid(stage, call)

    def talks() -> bool:
        if stage.offered(sid) and not alice.legs:
            alice.instruct(sid, "conference", EndConferenceOnExit=False)
        if alice.activity != "Available" and not alice.load:
            stage.office.centre.move(alice.worker_sid, "Available")
        return alice.is_talking_to(call) and alice.reservations().get(sid) == "accepted"

    stage.until(talks)
    alice.hang_up()
    stage.until(is_over(stage, call), "the caller is let go")
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",), heard=ENDED)


@course("caller ends")
def a_room_that_outlives_its_caller_ends_with_the_agent(stage: Stage) -> End:
    alice, call = stage.agent("Alice"), call_in(stage)
    sid = task_sid(stage, call)

    def talks() -> bool:
        if stage.offered(sid) and not alice.legs:
            alice.instruct(sid, "conference", EndConferenceOnCustomerExit=False)
        if alice.activity != "Available" and not alice.load:
            stage.office.centre.move(alice.worker_sid, "Available")
        return alice.is_talking_to(call) and alice.reservations().get(sid) == "accepted"

    stage.until(talks)
    stage.hang_up(call)
    stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
    stage.pass_time(10)
    assert len(alice.legs) == 1
    alice.hang_up()
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("assigned for good")
def a_call_that_is_being_talked_cannot_be_canceled(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    with pytest.raises(Refusal) as refusal:
        stage.rest("POST", f"Tasks/{sid}", AssignmentStatus="canceled", Reason="no")
    assert refusal.value.status == 400
    assert alice.is_talking_to(call)
    stage.rest("POST", f"Tasks/{sid}", AssignmentStatus="wrapping", Reason="soon done")
    stage.pass_time(5)
    assert alice.is_talking_to(call)
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason="soon done", reservations=("completed",))


@course("hold and hand on", "recording and the rest")
def a_caller_is_held_with_music_and_talks_on(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    alice.hold(sid, True)
    stage.until(lambda: stage.is_held(call) or _could_not(stage, "hold"))
    alice.mute(sid, True)
    alice.hold(sid, False)
    stage.until(lambda: not stage.is_held(call))
    alice.mute(sid, False)
    stage.pass_time(3)
    alice.hang_up()
    stage.until(is_over(stage, call))
    announcement = stage.office.flow.hold_announcement
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed",),
        heard=ENDED,
        holds=lambda: bool(stage.mishap.kind) or announcement in stage.heard(call),
    )


def _could_not(stage: Stage, kind: str) -> bool:
    """Has something gone wrong, so that Twilio refused it, and was that said?"""
    rows = stage.office.rows_of(kind)
    return bool(stage.mishap.kind) and any(row.state == "failed" for row in rows)


@course(
    "recording and the rest",
    flow={"hold": {"music_url": MUSIC}, "farewell": {"unavailable": "No.", "canceled": "No."}},
)
def a_flow_has_music_of_its_own(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    alice.hold(sid, True)
    stage.until(lambda: MUSIC in stage.heard(call) or _could_not(stage, "hold"))
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("recording and the rest")
def a_conversation_is_recorded_with_a_pause(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    for action, status in (
        ("start", "in-progress"),
        ("pause", "paused"),
        ("resume", "in-progress"),
    ):
        alice.conference(sid, "/Recording", Action=action)
        stage.until(
            lambda status=status: (
                _recording(stage, call) == status  # type: ignore[misc]
                or _could_not(stage, "recording")
            )
        )
    assert alice.conference(sid)["recording"] in {"in-progress", None} or stage.mishap.kind
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed",),
        holds=lambda: bool(stage.mishap.kind) or len(_recordings(stage, call)) == 1,
    )


def _recordings(stage: Stage, call: str) -> list[str]:
    recorder = stage.simulator.exchange.network.recorder
    return [each.status for each in recorder.all.values() if each.call_sid == call]


def _recording(stage: Stage, call: str) -> str | None:
    found = _recordings(stage, call)
    return found[-1] if found else None


@course("recording and the rest")
def an_agent_presses_keys_for_the_other_side(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    alice.conference(sid, "/Digits", Digits="12#")
    stage.until(lambda: "keys 12#" in stage.heard(call) or _could_not(stage, "digits"))
    assert stage.heard(call).count("keys 12#") <= 1
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed",),
        holds=lambda: (
            all("12#" not in row.parameters for row in stage.office.rows_of("digits"))
            or bool(stage.mishap.kind)
        ),
    )


@course("recording and the rest", "abandoned")
def who_hung_up_and_what_it_was_about_is_kept(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    said = stage.attributes(sid) | {"conversations": {"outcome": "sold"}}
    alice.ask("POST", f"Tasks/{sid}", Attributes=said)
    stage.hang_up(call)
    stage.until(lambda: stage.office.centre.status(sid) == "wrapping")
    stage.pass_time(5)
    known = stage.attributes(sid)
    assert known["conversations"] == {"outcome": "sold"}
    if not stage.mishap.kind:
        assert known["conference"]["hang_up_by"] == "customer"
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("recording and the rest")
def two_agents_talk_by_a_call_that_one_of_them_makes(stage: Stage) -> End:
    """An internal call: the number called is a colleague's client."""
    call, sid, alice = talk(stage)
    bob = stage.agent("Bob", activity="Offline")
    alice.conference(sid, "/Participants", To=bob.address)
    stage.until(lambda: bob.is_talking_to(call, *alice.legs) or _could_not(stage, "outside"))
    stage.hang_up(call)
    stage.until(lambda: not bob.legs and not alice.legs)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


def _supervised(stage: Stage, mode: str) -> End:
    call, sid, alice = talk(stage)
    boss = stage.agent("Boss", activity="Offline")
    stage.rest(
        "POST",
        f"Tasks/{sid}/Reservations/{alice.offer(sid)}",
        Instruction="supervise",
        Supervisor=boss.worker_sid,
        SupervisorMode=mode,
    )
    stage.until(lambda: boss.is_talking_to(call, *alice.legs) or _gave_up(stage))
    for leg in boss.legs:
        part = stage.part_of(leg)
        coached = alice.legs[0] if mode == "whisper" else None
        assert (part["muted"], part["coaching"]) == (mode == "monitor", coached)
    boss.hang_up()
    stage.pass_time(5)
    assert alice.is_talking_to(call)
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


def _gave_up(stage: Stage) -> bool:
    rows = stage.office.rows_of("supervise")
    return bool(stage.mishap.kind) and rows[-1].state == "failed"


@course("supervision")
def a_supervisor_listens(stage: Stage) -> End:
    return _supervised(stage, "monitor")


@course("supervision")
def a_supervisor_whispers(stage: Stage) -> End:
    return _supervised(stage, "whisper")


@course("supervision")
def a_supervisor_barges_in(stage: Stage) -> End:
    return _supervised(stage, "barge")


@course("supervision")
def a_supervisor_who_cannot_be_called_disturbs_nobody(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    boss = stage.agent("Boss", "busy", activity="Offline")
    stage.rest(
        "POST",
        f"Tasks/{sid}/Reservations/{alice.offer(sid)}",
        Instruction="supervise",
        Supervisor=boss.worker_sid,
        From=OUTSIDE,  # not a number of ours: Twilio refuses it
    )
    stage.until(lambda: stage.office.rows_of("supervise")[-1].state == "failed")
    stage.pass_time(60)
    assert alice.is_talking_to(call)
    stage.hang_up(call)
    return End(
        call=call,
        status="wrapping",
        reason=OVER,
        reservations=("completed",),
        told=("reservation.accepted", "reservation.failed", "reservation.wrapup"),
    )


@course("ending rooms")
def everybody_is_sent_home_at_once(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    alice.conference(sid, Status="completed")
    stage.until(lambda: not alice.legs or _could_not(stage, "end-conference"))
    stage.until(lambda: stage.status(call) == "completed" or bool(alice.legs))
    stage.hang_up(call)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("ending rooms", "teardown races")
def the_end_of_a_room_that_is_over_is_no_trouble(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    stage.control("POST", f"calls/{call}/hangup")
    alice.conference(sid, Status="completed")
    stage.until(lambda: not alice.legs)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("teardown races", "hold and hand on")
def a_caller_who_hangs_up_is_not_held_any_more(stage: Stage) -> End:
    call, sid, alice = talk(stage)
    stage.control("POST", f"calls/{call}/hangup")
    alice.hold(sid, True)
    stage.until(lambda: not alice.legs)
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("teardown races")
def both_hang_up_in_the_same_moment(stage: Stage) -> End:
    call, _sid, alice = talk(stage)
    for leg in (*alice.legs, call):
        stage.control("POST", f"calls/{leg}/hangup") if stage.status(leg) == "in-progress" else None
    stage.settle()
    return End(call=call, status="wrapping", reason=OVER, reservations=("completed",))


@course("caller ends", "abandoned")
def a_second_call_of_the_same_caller_is_a_task_of_its_own(stage: Stage) -> End:
    first, _sid, alice = talk(stage)
    second = call_in(stage)
    stage.hang_up(first)
    stage.until(lambda: alice.load == 1 and not alice.legs)
    stage.hang_up(second)
    tasks = {str(stage.attributes(each.sid)["call_sid"]) for each in stage.tasks()}
    assert tasks == {first, second}
    assert NUMBER in {call["to"] for call in stage.calls().values()}
    return End(call=second, status="canceled", reason="hangup")


def hangs_on(stage: Stage, agent: Agent, call: str) -> None:
    """They talk on for a while."""
    stage.pass_time(5)
    assert agent.is_talking_to(call)


@course("local")
def one_agent_talks_to_two_callers_one_after_the_other(stage: Stage) -> End:
    first, sid, alice = talk(stage)
    alice.hang_up()
    stage.until(is_over(stage, first))
    stage.until(lambda: alice.reservations().get(sid) == "wrapping")
    alice.complete(sid)
    second = call_in(stage)
    connect(stage, alice, second)
    hangs_on(stage, alice, second)
    stage.hang_up(second)
    return End(call=second, status="wrapping", reason=OVER, reservations=("completed",))
