"""Tasks whose creator says where they go: to one worker, into a queue, through a workflow."""

import pytest

from routing.engine import reservations
from routing.errors import InvalidParameter
from tests.routing.centre import Centre


def test_a_task_for_a_worker_is_offered_to_that_worker_alone(centre: Centre) -> None:
    centre.add_worker("alice", capacity=5)
    bob = centre.add_worker("bob", activity="Offline", capacity=0)
    task = centre.send_task(routing_target=bob, task_channel="voice")
    assert centre.offered_to(task) == "bob", "neither activity nor capacity is asked"
    assert centre.task(task).ignore_capacity
    assert centre.channel(bob).assigned_tasks == 1
    centre.accept(task)
    centre.complete(task)
    assert centre.channel(bob).assigned_tasks == 0


def test_it_waits_for_that_worker_where_capacity_counts(centre: Centre) -> None:
    bob = centre.add_worker("bob", activity="Offline", capacity=0)
    task = centre.send_task(routing_target=bob, ignore_capacity=False, task_channel="voice")
    centre.add_worker("alice", capacity=5)
    centre.move(bob, "Available")
    assert centre.offered_to(task) is None
    centre.set_capacity(bob, 1)
    centre.route()
    assert centre.offered_to(task) == "bob"


def test_a_worker_may_be_named_who_is_in_none_of_the_queue(scratch: Centre) -> None:
    trained = scratch.add_queue("Trained", "trained == true")
    bob = scratch.add_worker("bob")
    task = scratch.send_task(routing_target=bob, task_queue_sid=trained)
    assert (scratch.queue_of(task), scratch.offered_to(task)) == ("Trained", "bob")


def test_it_stands_in_the_oldest_queue_to_which_the_worker_belongs(scratch: Centre) -> None:
    scratch.change_queue(target_workers="team == 1")
    scratch.clock.advance(1)
    scratch.add_queue("Second", "team == 2")
    scratch.clock.advance(1)
    scratch.add_queue("Third", "team > 1")
    bob = scratch.add_worker("bob", team=2)
    assert scratch.queue_of(scratch.send_task(routing_target=bob)) == "Second"
    carol = scratch.add_worker("carol")
    with pytest.raises(InvalidParameter, match="TaskQueueSid: expected one"):
        scratch.send_task(routing_target=carol)


def test_several_that_ignore_capacity_come_at_once(scratch: Centre) -> None:
    bob = scratch.add_worker("bob")
    tasks = [scratch.send_task(routing_target=bob) for _ in range(3)]
    assert {scratch.offered_to(task) for task in tasks} == {"bob"}
    assert scratch.channel(bob, "default").assigned_tasks == 3
    plain = scratch.add_task(channel="default")
    for task in tasks:
        assert scratch.offered_to(plain) is None
        scratch.accept(task)
        scratch.complete(task)
    assert scratch.offered_to(plain) == "bob"


def test_without_multitasking_a_worker_may_be_given_a_second_one_by_name(
    one_at_a_time: Centre,
) -> None:
    bob = one_at_a_time.add_worker("bob")
    first, second = one_at_a_time.add_task(), one_at_a_time.add_task()
    named = one_at_a_time.send_task(routing_target=bob)
    waits = one_at_a_time.send_task(routing_target=bob, ignore_capacity=False)
    assert one_at_a_time.offered_to(first) == one_at_a_time.offered_to(named) == "bob"
    assert one_at_a_time.offered_to(second) is one_at_a_time.offered_to(waits) is None


def test_a_rejected_task_for_a_worker_comes_back_to_that_worker(centre: Centre) -> None:
    centre.add_worker("alice")
    bob = centre.add_worker("bob")
    task = centre.send_task(routing_target=bob, ignore_capacity=False)
    centre.reject(task, worker_activity_sid=centre.activity("Offline"))
    assert (centre.status(task), centre.offered_to(task)) == ("pending", None)
    centre.move(bob, "Available")
    assert centre.offered_to(task) == "bob"


@pytest.mark.parametrize("parameter", ["routing_target", "task_queue_sid"])
def test_a_task_for_a_queue_goes_by_no_workflow(centre: Centre, parameter: str) -> None:
    trained = centre.add_queue("Trained", "trained == true")
    centre.add_worker("alice", capacity=5)
    task = centre.send_task(**{parameter: trained})
    assert (centre.queue_of(task), centre.offered_to(task)) == ("Trained", None)
    kept = centre.task(task)
    assert (kept.workflow_sid, kept.ignore_capacity) == (None, False)
    assert kept.routing_target == (trained if parameter == "routing_target" else None)
    centre.add_worker("bob", trained=True)
    centre.route()
    assert centre.offered_to(task) == "bob"
    centre.pass_time(119)
    assert centre.status(task) == "reserved", "an offer stands two minutes where nothing is said"
    centre.pass_time(1)
    assert centre.status(task) == "pending"
    assert centre.events("task.created", "task-queue.entered", "workflow.entered") == [
        "task.created",
        "task-queue.entered",
    ]


def test_a_workflow_named_beside_a_queue_lends_its_reservation_timeout_only(
    scratch: Centre,
) -> None:
    trained = scratch.add_queue("Trained")
    flow = scratch.add_workflow(
        {"expression": "1==2", "targets": [{"queue": scratch.queue_sid}]},
        task_reservation_timeout=7,
    )
    task = scratch.send_task(task_queue_sid=trained, workflow_sid=flow)
    scratch.add_worker("alice")
    scratch.route()
    assert scratch.queue_of(task) == "Trained"
    assert scratch.offer(task).workflow_sid == flow
    scratch.pass_time(7)
    assert scratch.status(task) == "pending"


def test_a_task_for_a_workflow_goes_through_it(scratch: Centre) -> None:
    second = scratch.add_queue("Second")
    flow = scratch.add_workflow(default={"queue": second})
    task = scratch.send_task(routing_target=flow)
    assert scratch.queue_of(task) == "Second"
    assert (scratch.task(task).workflow_sid, scratch.task(task).routing_target) == (flow, flow)


def test_what_contradicts_itself_or_does_not_exist_is_refused(scratch: Centre) -> None:
    other = scratch.add_queue("Other")
    bob = scratch.add_worker("bob")
    elsewhere = Centre(scratch.store, scratch.engine, scratch.clock)
    flow = scratch.add_workflow(default={"queue": other})
    target = "RoutingTarget"
    refusals: list[tuple[str, dict[str, object]]] = [
        (target, {"routing_target": "WK" + "0" * 32}),
        (target, {"routing_target": "WQ" + "0" * 32}),
        (target, {"routing_target": "WW" + "0" * 32}),
        (target, {"routing_target": scratch.workspace_sid}),
        (target, {"routing_target": elsewhere.queue_sid}),
        (target, {"routing_target": elsewhere.add_worker("carol")}),
        ("TaskQueueSid", {"task_queue_sid": elsewhere.queue_sid}),
        ("TaskQueueSid", {"routing_target": scratch.queue_sid, "task_queue_sid": other}),
        ("TaskQueueSid", {"routing_target": flow, "task_queue_sid": other}),
        ("WorkflowSid", {"routing_target": flow, "workflow_sid": scratch.workflow_sid}),
        ("WorkflowSid", {"routing_target": bob, "workflow_sid": "WW" + "0" * 32}),
        ("IgnoreCapacity", {"ignore_capacity": True}),
        ("IgnoreCapacity", {"ignore_capacity": False, "routing_target": other}),
    ]
    before = scratch.picture()
    for parameter, columns in refusals:
        with pytest.raises(InvalidParameter, match=f"Invalid {parameter}"):
            scratch.send_task(**columns)
    assert scratch.picture()[:-1] == before[:-1]


def test_a_task_that_its_only_worker_declines_is_canceled(scratch: Centre) -> None:
    bob = scratch.add_worker("Bob")
    task = scratch.send_task(routing_target=bob)
    scratch.route()
    scratch.engine.perform(reservations.reject, reservation_sid=scratch.offer(task).sid)
    canceled = scratch.task(task)
    assert canceled.assignment_status == "canceled"
    assert canceled.reason == f"RoutingTarget not available for Reservation acceptance: {bob}"
