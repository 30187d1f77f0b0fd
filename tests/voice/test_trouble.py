"""Callbacks lost, doubled and out of order; Twilio away; our own process gone at a bad moment."""

import pytest

from routing.engine import reservations
from tests.voice.office import Office
from voice.phone_line import Refused, Unreachable

# ---- callbacks lost, doubled and out of order ----------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


@pytest.mark.parametrize("seed", range(6))
def test_callbacks_that_come_twice_and_in_any_order_change_nothing(
    office: Office, seed: int
) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle_badly(seed)
    office.centre.accept(office.task_sid(call))
    office.settle_badly(seed)
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.settle_badly(seed)
    assert office.are_together(call, leg)
    assert office.reservation_statuses(call) == ["accepted"]
    office.line.end(call)
    office.settle_badly(seed)
    assert office.task_status(call) == "wrapping"
    office.centre.complete(office.task_sid(call))
    assert office.assigned(alice) == 0
    assert len([asked for asked in office.line.asked if asked.startswith("dial")]) == 1
    assert office.line.live_calls() == []


def test_a_call_goes_on_though_every_callback_is_lost(office: Office) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.lose_callbacks()
    office.centre.accept(office.task_sid(call))
    office.lose_callbacks()
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    for _ in range(6):
        office.centre.pass_time(10)
        office.lose_callbacks()
    assert office.are_together(call, leg)
    assert office.task_status(call) == "assigned"
    office.line.end(call)
    office.line.outbox.clear()
    office.centre.pass_time(20)
    office.sweep()
    assert office.task_status(call) == "wrapping"
    office.centre.complete(office.task_sid(call))
    assert office.assigned(alice) == 0


def test_the_sweep_finds_a_waiting_caller_who_is_gone(office: Office) -> None:
    call = office.dial_in()
    office.settle()
    call.status = "completed"
    call.queue_action = None
    office.centre.pass_time(20)
    office.sweep()
    task = office.centre.task(office.task_sid(call))
    assert (task.assignment_status, task.reason) == ("canceled", "hangup")


def test_the_sweep_takes_a_call_that_twilio_does_not_know_for_ended(office: Office) -> None:
    call = office.dial_in()
    office.settle()
    del office.line.calls[call.sid]
    office.centre.pass_time(20)
    office.sweep()
    assert office.task_status(call) == "pending"  # it may be unknown for a moment only
    office.centre.pass_time(20)
    office.sweep()
    assert office.task_status(call) == "canceled"


def test_the_sweep_concludes_nothing_from_silence(office: Office) -> None:
    call = office.dial_in()
    office.settle()
    office.line.faults["call_status"] = [Unreachable("no answer")]
    office.centre.pass_time(20)
    office.sweep()
    assert office.task_status(call) == "pending"


def test_a_look_at_those_who_talk_on_asks_one_thing(office: Office) -> None:
    call, leg, _alice = office.bridge()
    office.centre.pass_time(20)
    office.line.asked.clear()
    office.sweep()
    assert office.line.asked == ["members"]
    assert office.are_together(call, leg)
    assert office.task_status(call) == "assigned"


def test_the_sweep_finds_a_conversation_that_is_over(office: Office) -> None:
    call, leg, _alice = office.bridge()
    leg.status = "completed"
    office.line.rooms[-1].members.remove(leg)
    office.centre.pass_time(20)
    office.sweep()
    assert office.task_status(call) == "wrapping"


# ---- Twilio in trouble, and we ourselves ---------------------------------------------------------


def test_an_agent_is_dialled_once_though_twilios_answer_was_lost(office: Office) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.line.faults_after["dial"] = [Unreachable("ReadTimeout")]
    office.react()
    office.line.outbox.clear()
    office.pass_time(5)
    dials = [asked for asked in office.line.asked if asked.startswith("dial")]
    assert len(dials) == 1
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(call, leg)


def test_a_caller_is_moved_once_though_the_process_died_of_it(office: Office) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.settle()
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.line.faults_after["redirect"] = [Killed()]  # type: ignore[list-item]  # ours, not Twilio's
    with pytest.raises(Killed):
        office.settle()
    office.line.outbox.clear()
    office.restart()
    office.pass_time(40)
    assert office.are_together(call, leg)
    assert office.task_status(call) == "assigned"
    assert len([asked for asked in office.line.asked if asked.startswith("redirect")]) == 1


def test_an_error_that_comes_after_the_agent_answered_is_not_heard(office: Office) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))

    def answer() -> None:
        office.line.pick_up(office.line.leg_to("client:alice"))
        while office.line.outbox:
            office.deliver(office.line.outbox.pop(0))

    office.line.afterwards = answer
    office.line.faults_after["dial"] = [Refused("made up")]
    office.settle()
    assert office.are_together(call, office.line.leg_to("client:alice"))
    assert office.task_status(call) == "assigned"


def test_a_caller_who_arrives_when_the_offer_is_over_goes_back_in_line(office: Office) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.request_conference(call)
    office.settle()
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)

    def withdraw() -> None:
        office.centre.engine.perform(
            reservations.reject,
            reservation_sid=office.centre.offer(office.task_sid(call)).sid,
            worker_activity_sid=office.centre.activity("Offline"),
        )
        # The room's news are heard before the log is read on.
        while office.line.outbox:
            office.deliver(office.line.outbox.pop(0))

    office.line.afterwards = withdraw
    office.settle()
    office.pass_time(60)
    assert office.task_status(call) == "pending"
    assert call.queue_action is not None
    assert office.line.live_calls() == [call]
    assert office.assigned(alice) == 0


def test_an_older_status_of_a_call_does_not_replace_a_newer_one(office: Office) -> None:
    call = office.dial_in()
    for number, status in (("2", "in-progress"), ("1", "ringing"), ("2", "ringing")):
        parameters = {"CallSid": call.sid, "CallStatus": status, "SequenceNumber": number}
        assert office.post("/voice/call-status", parameters).status_code == 204
    assert office.call(call).status == "in-progress"


def test_twilio_may_be_away_for_a_while(office: Office) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.line.faults["dial"] = [Unreachable("503", code=20503)] * 3
    office.settle()
    for _ in range(6):
        office.pass_time(4)
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(call, leg)


def test_twilio_away_for_good_gives_the_call_to_the_next(office: Office) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.line.faults["dial"] = [Unreachable("503")] * 50
    for _ in range(30):
        office.pass_time(4)
    assert office.reservation_statuses(call) == ["canceled"]
    assert office.task_status(call) == "pending"


def test_a_number_that_twilio_refuses_is_not_tried_again(office: Office) -> None:
    office.centre.add_worker("Alice", contact_uri="+14155550199")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.line.faults["dial"] = [Refused("not a valid phone number", code=21217)]
    office.settle()
    reservation = office.centre.reservations(office.task_sid(call))[0]
    assert reservation.reservation_status == "canceled"
    # TaskRouter's code for a conference instruction that failed, then what Twilio said.
    assert reservation.reason == "40145: 21217: not a valid phone number"


@pytest.mark.parametrize("method", ["dial", "redirect", "hang_up"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_dies_at_the_phone_line_is_followed_by_one_that_knows(
    office: Office, method: str, moment: str
) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    faults = office.line.faults if moment == "before" else office.line.faults_after
    faults[method] = [Killed()]  # type: ignore[list-item]  # a fault of ours, not of Twilio's

    def go_on() -> None:
        for _ in range(8):
            try:
                office.pass_time(8)
            except Killed:
                office.restart()
        office.settle()

    go_on()
    leg = office.line.leg_to("client:alice")
    if leg.is_live and leg.status == "ringing" and method != "hang_up":
        office.line.pick_up(leg)
        go_on()
        assert office.are_together(call, leg)
    assert len([asked for asked in office.line.asked if asked.startswith("dial")]) <= 2
    office.line.end(call)
    go_on()
    assert office.task_status(call) in {"wrapping", "canceled"}
    if office.task_status(call) == "wrapping":
        office.centre.complete(office.task_sid(call))
    assert office.assigned(alice) == 0
    assert office.line.live_calls() == []
