"""The path of a piece of work through the engine, on both databases."""

import pytest

from routing.engine import reservations
from routing.errors import IllegalMove
from tests.routing.centre import Centre


def test_a_task_waits_until_a_matching_worker_is_available(centre: Centre) -> None:
    alice = centre.add_worker("alice", activity="Offline")
    task = centre.add_task()
    assert centre.task(task).assignment_status == "pending"

    centre.move(alice, "Available")
    assert centre.task(task).assignment_status == "reserved"
    assert centre.offered_to(task) == "alice"
    assert centre.channel(alice).assigned_tasks == 1


def test_an_accepted_task_is_assigned_and_completion_gives_the_capacity_back(
    centre: Centre,
) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    centre.accept(task)
    assert centre.task(task).assignment_status == "assigned"
    assert centre.channel(alice).assigned_tasks == 1

    centre.complete(task)
    assert centre.task(task).assignment_status == "completed"
    assert [each.reservation_status for each in centre.reservations(task)] == ["completed"]
    assert centre.channel(alice).assigned_tasks == 0


def test_the_longest_idle_worker_is_asked_first(centre: Centre) -> None:
    for name in ("alice", "bob"):
        centre.add_worker(name)
    first = centre.add_task()
    asked_first = centre.offered_to(first)
    centre.accept(first)
    centre.complete(first)
    centre.clock.advance(1)
    second = centre.add_task()
    assert {asked_first, centre.offered_to(second)} == {"alice", "bob"}


def test_a_rejected_task_is_offered_to_the_next_worker(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    bob = centre.add_worker("bob")
    task = centre.add_task()
    first = centre.offered_to(task)
    centre.clock.advance(1)
    centre.reject(task, worker_activity_sid=centre.activity("Offline"))
    assert {first, centre.offered_to(task)} == {"alice", "bob"}
    assert sorted(centre.activity_of(sid) for sid in (alice, bob)) == ["Available", "Offline"]


def test_an_offer_that_times_out_sends_the_worker_offline_and_the_task_back(
    centre: Centre,
) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    centre.pass_time(29)
    assert centre.task(task).assignment_status == "reserved"
    centre.pass_time(1)
    assert centre.task(task).assignment_status == "pending"
    assert centre.activity_of(alice) == "Offline"
    assert centre.channel(alice).assigned_tasks == 0
    assert centre.events("reservation.timeout", "worker.activity.update") == [
        "reservation.timeout",
        "worker.activity.update",
    ]


def test_a_task_that_waited_its_whole_life_is_canceled(centre: Centre) -> None:
    task = centre.add_task(timeout_seconds=60)
    centre.pass_time(59)
    assert centre.task(task).assignment_status == "pending"
    centre.pass_time(1)
    assert centre.task(task).assignment_status == "canceled"
    assert centre.task(task).reason == "Task TTL Exceeded"


def test_canceling_a_task_takes_its_offer_back(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    centre.cancel(task, "hangup")
    assert [each.reservation_status for each in centre.reservations(task)] == ["canceled"]
    assert centre.channel(alice).assigned_tasks == 0
    with pytest.raises(IllegalMove):
        centre.cancel(task)


def test_tasks_of_one_priority_are_served_in_the_order_of_their_arrival(centre: Centre) -> None:
    tasks = []
    for _ in range(3):
        tasks.append(centre.add_task())
        centre.clock.advance(1)
    urgent = centre.add_task(priority=10)
    alice = centre.add_worker("alice")
    order = []
    for _ in range(4):
        centre.route()
        task = next(sid for sid in (*tasks, urgent) if centre.offered_to(sid))
        order.append(task)
        centre.accept(task)
        centre.complete(task)
    assert order == [urgent, *tasks]
    assert centre.channel(alice).assigned_tasks == 0


def test_the_offers_timer_stands_still_while_a_conference_is_set_up(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    offer = centre.offer(task)
    centre.request_conference(offer.sid)
    centre.pass_time(600)
    assert centre.offer(task).reservation_status == "pending"


def test_a_second_accept_is_refused(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    offer = centre.accept(task)
    with pytest.raises(IllegalMove):
        centre.engine.perform(reservations.accept, reservation_sid=offer.sid)
    assert centre.events("reservation.accepted") == ["reservation.accepted"]
