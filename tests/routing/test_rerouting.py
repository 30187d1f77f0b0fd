"""A supervisor sends a waiting Task to another TaskQueue."""

import pytest

from routing.engine import rerouting
from routing.errors import IllegalMove, InvalidParameter
from tests.routing.centre import Centre


def _move(centre: Centre, task: str, queue: str) -> None:
    centre.engine.perform(
        rerouting.move, workspace_sid=centre.workspace_sid, task_sid=task, task_queue_sid=queue
    )


def test_a_waiting_task_goes_to_who_belongs_to_its_new_queue(centre: Centre) -> None:
    experts = centre.add_queue("Experts", "level == 3")
    task = centre.add_task(vip=True)
    before = centre.task(task)
    centre.clock.advance(5)
    _move(centre, task, experts)
    moved = centre.task(task)
    assert centre.queue_of(task) == "Experts"
    assert moved.queue_entered_at == before.created_at + 5000
    assert (moved.created_at, moved.expires_at) == (before.created_at, before.expires_at)
    assert centre.events("task-queue.moved", "task-queue.entered")[-2:] == [
        "task-queue.moved",
        "task-queue.entered",
    ]
    centre.add_worker("alice", level=1)
    centre.route()
    assert centre.status(task) == "pending"
    centre.add_worker("bob", level=3)
    centre.route()
    assert centre.offered_to(task) == "bob"


def test_an_offer_is_taken_back_and_its_capacity_with_it(centre: Centre) -> None:
    experts = centre.add_queue("Experts", "level == 3")
    alice = centre.add_worker("alice", level=1)
    task = centre.add_task()
    centre.route()
    assert centre.offered_to(task) == "alice"
    _move(centre, task, experts)
    assert centre.status(task) == "pending"
    assert centre.channel(alice, "default").assigned_tasks == 0
    assert "reservation.canceled" in centre.events()
    centre.route()
    assert centre.status(task) == "pending", "alice does not belong to it"


def test_a_target_that_it_has_left_has_no_say_any_more(scratch: Centre) -> None:
    one, two = scratch.add_queue("One"), scratch.add_queue("Two")
    flow = scratch.add_workflow(
        {
            "expression": "1==1",
            "targets": [{"queue": one, "timeout": 10}, {"queue": two, "timeout": 10}],
        }
    )
    task = scratch.add_task(workflow=flow)
    _move(scratch, task, scratch.queue_sid)
    scratch.pass_time(60)
    assert scratch.queue_of(task) == "Everybody"
    scratch.add_worker("alice")
    scratch.route()
    scratch.reject(task, worker_activity_sid=scratch.activity("Offline"))
    assert (scratch.status(task), scratch.queue_of(task)) == ("pending", "Everybody")


def test_what_somebody_has_cannot_be_moved(scratch: Centre) -> None:
    experts = scratch.add_queue("Experts")
    scratch.add_worker("alice")
    task = scratch.add_task()
    with pytest.raises(InvalidParameter, match="TaskQueueSid"):
        _move(scratch, task, "WQ" + "0" * 32)
    scratch.route()
    scratch.answer("accept", scratch.offer(task).sid)
    with pytest.raises(IllegalMove, match="Cannot move task"):
        _move(scratch, task, experts)
