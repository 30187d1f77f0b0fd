"""What is asked of the phone line, and what its success or failure does to the work."""

import json

import pytest

from routing.engine import instructions, reservations, tasks
from routing.engine.instructions import NotPending
from routing.json_text import read_object
from tests.routing.centre import Centre


@pytest.fixture
def centre(centre: Centre) -> Centre:
    centre.add_worker("alice")
    return centre


def _progress(centre: Centre, sid: str) -> None:
    centre.engine.perform(
        lambda work: instructions.progress(
            work,
            instruction_sid=sid,
            state="in-progress",
            step="answered",
            worker_call_sid="CA-agent",
            customer_call_sid="CA-caller",
            conference_sid="CF-room",
        )
    )


def _requested(centre: Centre) -> tuple[str, str, str]:
    """A task with a conference asked for: task, reservation, instruction."""
    task = centre.add_task(caller="+15550100")
    offer = centre.offer(task)
    centre.request_conference(offer.sid)
    return task, offer.sid, centre.instruction(offer.sid).sid


def _accepted(centre: Centre) -> tuple[str, str, str]:
    """The same after a plain accept."""
    task = centre.add_task(caller="+15550100")
    offer = centre.accept(task)
    made = centre.engine.perform(
        instructions.bridge_accepted, reservation_sid=offer.sid, parameters={}
    )
    assert made is not None
    return task, offer.sid, made.sid


def test_success_accepts_the_reservation_and_tells_the_task_of_its_conference(
    centre: Centre,
) -> None:
    task, offer, instruction = _requested(centre)
    _progress(centre, instruction)
    assert centre.engine.perform(instructions.succeed, instruction_sid=instruction)
    assert centre.status(task) == "assigned"
    assert centre.reservation(offer).reservation_status == "accepted"
    attributes = read_object(centre.task(task).attributes, parameter="Attributes")
    assert attributes == {
        "caller": "+15550100",
        "conference": {
            "sid": "CF-room",
            "participants": {"worker": "CA-agent", "customer": "CA-caller"},
        },
    }
    before = centre.picture()
    assert centre.engine.perform(instructions.succeed, instruction_sid=instruction) is False
    assert (
        centre.engine.perform(instructions.fail, instruction_sid=instruction, failure="late")
        is False
    )
    assert centre.picture() == before


def test_failure_takes_the_offer_back_and_sends_the_worker_away(centre: Centre) -> None:
    task, offer, instruction = _requested(centre)
    alice = centre.reservation(offer).worker_sid
    assert centre.engine.perform(
        instructions.fail, instruction_sid=instruction, failure="no answer"
    )
    centre.route()
    assert centre.status(task) == "pending"
    assert centre.reservation(offer).reservation_status == "canceled"
    assert centre.reservation(offer).reason == "no answer"
    assert centre.activity_of(alice) == "Offline"
    assert centre.channel(alice).assigned_tasks == 0
    before = centre.picture()
    assert (
        centre.engine.perform(instructions.fail, instruction_sid=instruction, failure="again")
        is False
    )
    assert centre.engine.perform(instructions.succeed, instruction_sid=instruction) is False
    assert centre.picture() == before


def test_a_bridge_that_fails_after_a_plain_accept_puts_the_task_back(centre: Centre) -> None:
    task, offer, instruction = _accepted(centre)
    centre.pass_time(10)
    centre.engine.perform(instructions.fail, instruction_sid=instruction, failure="busy")
    centre.route()
    assert centre.status(task) == "pending"
    assert centre.reservation(offer).reservation_status == "canceled"
    centre.add_worker("bob")
    centre.route()
    assert centre.offered_to(task) == "bob"
    now = centre.task(task)
    assert now.expires_at == now.created_at + 86_400_000, "its time to live goes on"


def test_a_bridge_after_a_plain_accept_changes_nothing_but_the_attributes(centre: Centre) -> None:
    task, offer, instruction = _accepted(centre)
    version = centre.reservation(offer).version
    assert centre.engine.perform(instructions.succeed, instruction_sid=instruction)
    assert centre.status(task) == "assigned"
    assert centre.reservation(offer).version == version
    assert "conference" in read_object(centre.task(task).attributes, parameter="Attributes")
    assert centre.events("reservation.accepted") == ["reservation.accepted"]


def test_asking_twice_is_asking_once(centre: Centre) -> None:
    _task, offer, instruction = _requested(centre)
    before = centre.picture()
    centre.request_conference(offer)
    assert centre.picture() == before
    assert centre.instruction(offer).sid == instruction
    centre.answer("accept", offer)
    again = centre.engine.perform(
        instructions.bridge_accepted, reservation_sid=offer, parameters={}
    )
    assert again is None


@pytest.mark.parametrize("end", ["accept", "reject"])
def test_a_conference_is_only_for_a_pending_reservation(centre: Centre, end: str) -> None:
    offer = centre.offer(centre.add_task())
    centre.answer(end, offer.sid)
    before = centre.picture()
    with pytest.raises(NotPending) as refusal:
        centre.request_conference(offer.sid)
    assert refusal.value.code == 40136
    assert centre.picture() == before


def test_a_caller_who_hangs_up_meanwhile_wins(centre: Centre) -> None:
    task, offer, instruction = _requested(centre)
    centre.cancel(task, "hangup")
    assert centre.reservation(offer).reservation_status == "canceled"
    centre.engine.perform(instructions.succeed, instruction_sid=instruction)
    assert centre.status(task) == "canceled"
    assert centre.reservation(offer).reservation_status == "canceled"


def test_an_agent_who_accepts_meanwhile_is_bridged_all_the_same(centre: Centre) -> None:
    task, offer, instruction = _requested(centre)
    centre.answer("accept", offer)
    assert centre.engine.perform(instructions.succeed, instruction_sid=instruction)
    assert centre.status(task) == "assigned"


def test_a_bridge_that_fails_when_all_is_over_changes_nothing_else(centre: Centre) -> None:
    task, offer, instruction = _accepted(centre)
    centre.complete(task)
    assert centre.engine.perform(instructions.fail, instruction_sid=instruction, failure="late")
    assert centre.status(task) == "completed"
    assert centre.reservation(offer).reservation_status == "completed"
    assert centre.instruction(offer).failure == "late"


def test_a_lease_keeps_others_away_until_it_ends_or_is_given_back(centre: Centre) -> None:
    _task, offer, instruction = _requested(centre)

    def leased() -> list[int]:
        taken = centre.engine.perform(instructions.lease, limit=5, seconds=10)
        return [each.attempts for each in taken if each.sid == instruction]

    assert leased() == [1]
    assert leased() == []
    centre.clock.advance(10)
    assert leased() == [2], "whoever had it must have died"
    _progress(centre, instruction)
    assert leased() == [3]
    centre.engine.perform(instructions.succeed, instruction_sid=instruction)
    centre.clock.advance(60)
    assert leased() == []
    assert centre.instruction(offer).state == "done"


def test_the_time_to_live_goes_on_while_the_offers_time_stands_still(centre: Centre) -> None:
    task = centre.add_task(timeout_seconds=60)
    offer = centre.offer(task)
    centre.request_conference(offer.sid)
    centre.pass_time(59)
    assert centre.status(task) == "reserved"
    assert centre.engine.perform(reservations.time_out, reservation_sid=offer.sid) is False
    assert centre.engine.perform(tasks.expire, task_sid=task) is False
    centre.pass_time(1)
    assert centre.status(task) == "canceled"
    assert centre.reservation(offer.sid).reservation_status == "canceled"


def test_the_parameters_are_kept_as_they_were_given(centre: Centre) -> None:
    offer = centre.offer(centre.add_task())
    parameters = {"to": "client:alice", "end_conference_on_exit": True}
    centre.engine.perform(
        instructions.request_conference, reservation_sid=offer.sid, parameters=parameters
    )
    assert centre.instruction(offer.sid).parameters == json.dumps(parameters)
