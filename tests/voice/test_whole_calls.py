"""One call from ringing to hanging up, in each way in which it can go."""

from dataclasses import replace

import pytest

from routing.engine import reservations, tasks, workspaces
from tests.voice.office import NUMBER, Office, heard


def test_an_accepted_call_is_bridged_and_wrapped_up_when_the_caller_hangs_up(
    office: Office,
) -> None:
    call, leg, alice = office.bridge()
    assert office.are_together(call, leg)
    assert leg.from_address == NUMBER
    assert office.task_status(call) == "assigned"
    assert office.reservation_statuses(call) == ["accepted"]

    office.line.end(call)
    office.settle()

    assert office.task_status(call) == "wrapping"
    assert office.reservation_statuses(call) == ["wrapping"]
    assert office.assigned(alice) == 1
    assert office.line.live_calls() == []
    office.centre.complete(office.task_sid(call))
    assert office.assigned(alice) == 0


def test_when_the_agent_hangs_up_the_caller_hears_a_farewell(office: Office) -> None:
    call, leg, _alice = office.bridge()
    office.line.end(leg)
    office.settle()
    assert office.task_status(call) == "wrapping"
    assert heard(call).endswith(office.flow.ended)
    assert office.line.live_calls() == []


def test_the_task_says_in_which_conference_it_is_handled(office: Office) -> None:
    call, leg, _alice = office.bridge()
    attributes = office.centre.task(office.task_sid(call)).attributes
    for sid in (call.sid, leg.sid, office.line.rooms[0].sid):
        assert sid in attributes


def test_without_multitasking_the_end_of_the_conference_completes_the_task(
    office: Office,
) -> None:
    office.centre.engine.perform(
        workspaces.update, workspace_sid=office.centre.workspace_sid, multi_task_enabled=False
    )
    call, _leg, alice = office.bridge()
    office.line.end(call)
    office.settle()
    assert office.task_status(call) == "completed"
    assert office.assigned(alice) == 0


def test_with_a_conference_instruction_the_reservation_is_accepted_when_both_are_in(
    office: Office,
) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.request_conference(call, to="+14155550199", timeout=30)
    office.settle()
    leg = office.line.leg_to("+14155550199")
    office.centre.pass_time(25)
    assert office.reservation_statuses(call) == ["pending"]
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(call, leg)
    assert office.reservation_statuses(call) == ["accepted"]
    assert office.task_status(call) == "assigned"


def test_a_flow_may_ring_the_agent_at_once(office: Office) -> None:
    office.ring_on_offer()
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(call, leg)
    assert office.reservation_statuses(call) == ["accepted"]


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_an_agent_who_does_not_answer_is_passed_over(office: Office, status: str) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.add_worker("Bob", contact_uri="client:bob")
    task_sid = office.task_sid(call)
    assert office.centre.offered_to(task_sid) == "Alice"
    office.centre.accept(task_sid)
    office.settle()
    office.line.end(office.line.leg_to("client:alice"), status)
    office.settle()

    assert sorted(office.reservation_statuses(call)) == ["canceled", "pending"]
    assert office.centre.activity_of(alice) == "Offline"
    assert office.assigned(alice) == 0
    assert office.centre.offered_to(task_sid) == "Bob"
    assert call.is_live
    office.centre.accept(task_sid)
    office.settle()
    leg = office.line.leg_to("client:bob")
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(call, leg)
    assert office.task_status(call) == "assigned"


@pytest.mark.parametrize(
    ("attributes", "code"), [({}, "40137"), ({"contact_uri": "alice"}, "40137")]
)
def test_an_agent_who_cannot_be_called_is_passed_over_with_twilios_code(
    office: Office, attributes: dict[str, object], code: str
) -> None:
    office.centre.add_worker("Alice", **attributes)  # type: ignore[arg-type]
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.settle()
    reservation = office.centre.reservations(office.task_sid(call))[0]
    assert reservation.reservation_status == "canceled"
    assert reservation.reason is not None
    assert reservation.reason.startswith(code)
    assert office.task_status(call) == "pending"


# ---- the caller hangs up at every step -----------------------------------------------------------


def test_a_caller_who_hangs_up_while_waiting_cancels_the_task(office: Office) -> None:
    call = office.dial_in()
    office.settle()
    office.line.end(call)
    office.settle()
    task = office.centre.task(office.task_sid(call))
    assert (task.assignment_status, task.reason) == ("canceled", "hangup")


def test_a_caller_who_hangs_up_while_offered_frees_the_agent(office: Office) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    assert office.assigned(alice) == 1
    office.line.end(call)
    office.settle()
    assert office.reservation_statuses(call) == ["canceled"]
    assert office.assigned(alice) == 0


@pytest.mark.parametrize("accepted", [True, False])
def test_a_caller_who_hangs_up_while_the_agents_phone_rings_stops_it(
    office: Office, accepted: bool
) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    if accepted:
        office.centre.accept(office.task_sid(call))
    else:
        office.request_conference(call)
    office.settle()
    leg = office.line.leg_to("client:alice")
    assert leg.is_live
    office.line.end(call)
    office.settle()
    task = office.centre.task(office.task_sid(call))
    assert (task.assignment_status, task.reason) == ("canceled", "hangup")
    assert office.reservation_statuses(call) == ["canceled"]
    assert not leg.is_live
    assert office.assigned(alice) == 0
    assert office.centre.activity_of(alice) == "Available"


def test_a_caller_who_hangs_up_while_the_agent_is_being_dialled_stops_that(
    office: Office,
) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))

    def hang_up_meanwhile() -> None:
        office.line.end(call)
        while office.line.outbox:
            office.deliver(office.line.outbox.pop(0))

    office.line.meanwhile = hang_up_meanwhile
    office.settle()
    assert office.task_status(call) == "canceled"
    office.pass_time(60)
    assert office.line.live_calls() == []


def test_a_caller_who_hangs_up_as_the_agent_answers_leaves_nobody_in_the_room(
    office: Office,
) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.settle()
    office.line.pick_up(office.line.leg_to("client:alice"))
    call.status = "completed"  # and nobody has told us yet
    office.settle()
    office.pass_time(60)
    assert office.task_status(call) == "canceled"
    assert office.assigned(alice) == 0
    assert office.line.live_calls() == []


@pytest.mark.parametrize("first_heard", ["the call ended", "the room ended", "nothing at all"])
def test_a_caller_who_hangs_up_at_once_after_meeting_the_agent_is_wrapped_up(
    office: Office, first_heard: str
) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.settle()
    office.line.pick_up(office.line.leg_to("client:alice"))
    office.deliver_all()
    office.react()  # the caller is moved into the room, and nobody has told us yet that they are in
    office.line.end(call)
    if first_heard == "the call ended":
        office.line.outbox.reverse()
    elif first_heard == "the room ended":
        office.line.outbox.sort(key=lambda callback: "conference-end" not in str(callback))
    else:
        office.line.outbox = [each for each in office.line.outbox if "call-status" in each.path]
    office.settle()
    office.pass_time(10)
    task = office.centre.task(office.task_sid(call))
    assert (task.assignment_status, task.reason) == ("wrapping", "Conference ended")
    assert office.reservation_statuses(call) == ["wrapping"]
    assert office.assigned(alice) == 1
    assert office.line.live_calls() == []


def test_a_caller_who_hangs_up_on_the_way_to_the_agent_has_given_up(office: Office) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.settle()
    office.line.pick_up(office.line.leg_to("client:alice"))
    office.deliver_all()

    def hang_up_meanwhile() -> None:
        office.line.end(call)
        office.deliver_all()

    office.line.meanwhile = hang_up_meanwhile
    office.settle()
    office.pass_time(60)
    task = office.centre.task(office.task_sid(call))
    assert (task.assignment_status, task.reason) == ("canceled", "hangup")
    assert office.assigned(alice) == 0
    assert office.line.live_calls() == []


def test_an_agent_who_hangs_up_before_the_caller_is_in_sends_the_caller_back_in_line(
    office: Office,
) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.settle()
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.line.meanwhile = lambda: office.line.end(leg)
    office.settle()
    office.pass_time(30)
    assert office.task_status(call) == "pending"
    assert call.is_live
    assert call.queue_action is not None
    assert office.line.live_calls() == [call]


# ---- somebody else ends the Task -----------------------------------------------------------------


def test_a_caller_whose_task_is_canceled_hears_so(office: Office) -> None:
    call = office.dial_in()
    office.settle()
    office.centre.cancel(office.task_sid(call))
    office.settle()
    assert heard(call).endswith(office.flow.canceled)
    assert not call.is_live


def test_a_caller_whose_task_has_waited_too_long_hears_so(office: Office) -> None:
    call = office.dial_in()
    office.settle()
    office.pass_time(office.flow.task_timeout_seconds + 1)
    assert office.centre.task(office.task_sid(call)).reason == "Task TTL Exceeded"
    assert heard(call).endswith(office.flow.canceled)
    assert not call.is_live


def test_a_caller_whose_task_is_deleted_hears_so_and_the_agents_phone_stops(
    office: Office,
) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.centre.accept(office.task_sid(call))
    office.settle()
    office.centre.engine.perform(
        tasks.delete, workspace_sid=office.centre.workspace_sid, task_sid=office.task_sid(call)
    )
    office.settle()
    office.pass_time(60)
    assert heard(call).endswith(office.flow.canceled)
    assert office.line.live_calls() == []


def test_a_task_completed_while_people_talk_leaves_them_talking(office: Office) -> None:
    call, leg, _alice = office.bridge()
    office.centre.complete(office.task_sid(call))
    office.settle()
    office.sweep()
    assert office.are_together(call, leg)
    office.line.end(call)
    office.settle()
    assert office.task_status(call) == "completed"


def test_the_agents_phone_stops_when_the_reservation_ends(office: Office) -> None:
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    office.settle()
    office.request_conference(call)
    office.settle()
    office.centre.engine.perform(
        reservations.reject,
        reservation_sid=office.centre.offer(office.task_sid(call)).sid,
        worker_activity_sid=office.centre.activity("Offline"),
    )
    office.settle()
    assert office.line.live_calls() == [call]
    assert office.task_status(call) == "pending"


def test_a_queue_that_is_full_apologises_and_cancels(office: Office) -> None:
    call = office.dial_in()
    parameters = {"CallSid": call.sid, "CallStatus": "in-progress", "QueueResult": "queue-full"}
    answer = office.post("/voice/queue-left", parameters)
    assert office.flow.unavailable in answer.text
    assert office.centre.task(office.task_sid(call)).reason == "the queue is full"
    office.react()
    assert not any(asked.startswith("redirect") for asked in office.line.asked)


def test_one_callers_flow_may_name_its_workspace_and_workflow(office: Office) -> None:
    office.flow = replace(office.flow, workspace="Centre", workflow="Calls")
    other = Office(office.centre, flow=office.flow)
    call = other.dial_in()
    assert other.task_status(call) == "pending"
