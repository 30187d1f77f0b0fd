"""What may be deleted while work goes on, and what becomes of that work."""

from collections.abc import Callable

import pytest

from routing.engine import (
    instructions,
    queues,
    reservations,
    task_channels,
    tasks,
    workers,
    workflows,
    workspaces,
)
from routing.errors import RoutingError
from tests.routing.centre import Centre


def _refused(centre: Centre, verb: Callable[..., None], **what: str) -> None:
    before = (centre.picture(), centre.set_up())
    with pytest.raises(RoutingError, match="Cannot delete"):
        centre.engine.perform(verb, workspace_sid=centre.workspace_sid, **what)
    assert (centre.picture(), centre.set_up()) == before


def _delete(centre: Centre, verb: Callable[..., None], **what: str) -> None:
    centre.engine.perform(verb, workspace_sid=centre.workspace_sid, **what)
    centre.route()


def test_a_worker_is_only_deleted_when_it_is_away_and_free(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    _refused(centre, workers.delete, worker_sid=alice)
    centre.move(alice, "Offline")
    _refused(centre, workers.delete, worker_sid=alice)
    centre.accept(task)
    _refused(centre, workers.delete, worker_sid=alice)
    centre.complete(task)
    _delete(centre, workers.delete, worker_sid=alice)
    assert centre.all_workers() == []
    assert centre.reservations(task) == []
    centre.add_worker("alice", activity="Available")
    assert centre.offered_to(centre.add_task()) == "alice"


def test_a_queue_is_kept_while_a_workflow_names_it_or_tasks_wait_in_it(centre: Centre) -> None:
    queue = centre.add_queue("Short-lived")
    flow = centre.add_workflow(default={"queue": queue})
    _refused(centre, queues.delete, task_queue_sid=queue)
    task = centre.add_task(workflow=flow)
    centre.change_workflow(flow, configuration=centre.simple_document())
    _refused(centre, queues.delete, task_queue_sid=queue)
    centre.cancel(task)
    _delete(centre, queues.delete, task_queue_sid=queue)
    assert centre.task(task).task_queue_sid is None


def test_a_workflow_is_kept_while_tasks_go_through_it(centre: Centre) -> None:
    flow = centre.add_workflow(default={"queue": centre.queue_sid})
    task = centre.add_task(workflow=flow)
    _refused(centre, workflows.delete, workflow_sid=flow)
    centre.add_worker("alice")
    centre.route()
    _refused(centre, workflows.delete, workflow_sid=flow)
    centre.accept(task)
    _delete(centre, workflows.delete, workflow_sid=flow)
    assert centre.status(task) == "assigned"
    centre.complete(task)


def test_a_task_that_comes_back_after_its_workflow_has_gone_waits_in_its_queue(
    centre: Centre,
) -> None:
    flow = centre.add_workflow(default={"queue": centre.queue_sid})
    centre.add_worker("alice")
    task = centre.add_task(workflow=flow)
    offer = centre.accept(task)
    _delete(centre, workflows.delete, workflow_sid=flow)
    centre.answer("cancel", offer.sid, reason="no answer")
    assert centre.status(task) == "pending"
    centre.add_worker("bob")
    centre.route()
    assert centre.offered_to(task) == "bob"


def test_a_task_that_comes_back_after_its_queue_has_gone_is_canceled(centre: Centre) -> None:
    queue = centre.add_queue("Short-lived")
    flow = centre.add_workflow(default={"queue": queue})
    alice = centre.add_worker("alice")
    task = centre.add_task(workflow=flow)
    offer = centre.accept(task)
    _delete(centre, workflows.delete, workflow_sid=flow)
    _delete(centre, queues.delete, task_queue_sid=queue)
    centre.answer("cancel", offer.sid, reason="no answer")
    assert centre.status(task) == "canceled"
    assert centre.channel(alice).assigned_tasks == 0


def test_an_activity_is_kept_while_anything_refers_to_it(centre: Centre) -> None:
    made = centre.engine.perform(
        workspaces.create_activity, workspace_sid=centre.workspace_sid, friendly_name="Lunch"
    ).sid
    alice = centre.add_worker("alice", activity="Lunch")
    _refused(centre, workspaces.delete_activity, activity_sid=made)
    centre.move(alice, "Available")
    centre.change_queue(assignment_activity_sid=made)
    _refused(centre, workspaces.delete_activity, activity_sid=made)
    for used in ("Offline", "Available"):
        _refused(centre, workspaces.delete_activity, activity_sid=centre.activity(used))
    unused = centre.activity("Unavailable")
    _delete(centre, workspaces.delete_activity, activity_sid=unused)
    assert unused not in centre.set_up().activities


def test_a_channel_is_kept_while_it_has_tasks_and_if_it_is_everybodys(centre: Centre) -> None:
    centre.engine.perform(
        workspaces.create_task_channel,
        workspace_sid=centre.workspace_sid,
        friendly_name="Fax",
        unique_name="fax",
    )
    alice = centre.add_worker("alice")
    task = centre.add_task(channel="fax")
    assert centre.offered_to(task) == "alice"
    _refused(centre, task_channels.delete, channel="fax")
    _refused(centre, task_channels.delete, channel="voice")
    _delete(centre, tasks.delete, task_sid=task)
    _delete(centre, task_channels.delete, channel="fax")
    with pytest.raises(RoutingError):
        centre.channel(alice, "fax")
    assert centre.offered_to(centre.add_task()) == "alice"


@pytest.mark.parametrize("state", ["pending", "reserved", "assigned", "wrapping", "completed"])
def test_a_deleted_task_gives_back_what_it_took_in_any_state(centre: Centre, state: str) -> None:
    alice = centre.add_worker("alice", activity="Offline" if state == "pending" else "Available")
    task = centre.add_task()
    if state in {"assigned", "wrapping", "completed"}:
        centre.accept(task)
    if state == "wrapping":
        centre.wrap_up(task)
    elif state == "completed":
        centre.complete(task)
    assert centre.status(task) == state
    _delete(centre, tasks.delete, task_sid=task)
    assert centre.channel(alice).assigned_tasks == 0
    assert centre.engine.read(lambda work: work.tasks.get(task)) is None
    assert centre.events("task.deleted") == ["task.deleted"]


def test_what_comes_too_late_for_a_deleted_task_does_nothing(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    offer = centre.offer(task)
    centre.request_conference(offer.sid)
    instruction = centre.instruction(offer.sid)
    _delete(centre, tasks.delete, task_sid=task)
    perform = centre.engine.perform
    assert perform(tasks.expire, task_sid=task) is False
    assert perform(tasks.leave_step, task_sid=task) is False
    assert perform(reservations.time_out, reservation_sid=offer.sid) is False
    assert perform(instructions.succeed, instruction_sid=instruction.sid) is False
    assert centre.instruction(offer.sid).failure == "the Task was deleted"
    assert perform(instructions.fail, instruction_sid=instruction.sid, failure="x") is False
    assert perform(instructions.lease, limit=10, seconds=10) == []


def test_an_instruction_outlives_its_worker(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    offer = centre.offer(task)
    centre.request_conference(offer.sid)
    instruction = centre.instruction(offer.sid)
    centre.cancel(task)
    centre.move(alice, "Offline")
    _delete(centre, workers.delete, worker_sid=alice)
    centre.engine.perform(instructions.fail, instruction_sid=instruction.sid, failure="canceled")
    assert centre.instruction(offer.sid).state == "failed"
    assert centre.status(task) == "canceled"


def test_a_workspace_goes_with_everything_in_it(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    centre.accept(task)
    _delete(centre, workspaces.delete)
    picture = centre.picture()
    assert not any(picture[:-1])
    assert centre.router.waiting() == 0
