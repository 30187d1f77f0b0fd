"""When a waiting task goes through its workflow's filters once more, and when it does not."""

import pytest

from routing.engine import queues
from routing.errors import InvalidParameter
from tests.routing.centre import Centre, routing_document

VIP, PLAIN = '{"vip": true}', '{"vip": false}'
MOVES = ("task-queue.moved", "task-queue.entered", "workflow.target-matched", "task.canceled")


def _filter(expression: str, *targets: dict[str, object]) -> dict[str, object]:
    return {"expression": expression, "targets": list(targets)}


def _end_offer(centre: Centre, how: str, task: str) -> None:
    if how == "time_out":
        centre.pass_time(30)
    elif how == "reject":
        centre.reject(task, worker_activity_sid=centre.activity("Offline"))
    else:
        centre.answer("cancel", centre.offer(task).sid, reason="busy")


def _flow(centre: Centre, **first: object) -> str:
    one, two = centre.add_queue("One"), centre.add_queue("Two")
    return centre.add_workflow(
        _filter("vip == true", {"queue": one, **first}),
        _filter("vip == false", {"queue": two}),
        task_reservation_timeout=30,
    )


@pytest.mark.parametrize("how", ["reject", "time_out", "cancel"])
def test_an_offer_that_fails_shows_whether_the_filter_still_takes_the_task(
    centre: Centre, how: str
) -> None:
    flow = _flow(centre)
    centre.add_worker("alice", capacity=2)
    kept, changed = (centre.add_task(workflow=flow, vip=True) for _ in range(2))
    centre.change_task(changed, attributes=PLAIN)
    assert centre.queue_of(changed) == "One", "as long as it is being offered"
    for task in (changed, kept)[: 1 if how == "time_out" else 2]:
        _end_offer(centre, how, task)
    assert (centre.queue_of(kept), centre.queue_of(changed)) == ("One", "Two")
    assert centre.status(changed) == "pending"
    assert centre.events(*MOVES)[4:] == [
        "task-queue.moved", "workflow.target-matched", "task-queue.entered",
    ]  # fmt: skip
    centre.add_worker("bob")
    centre.route()
    assert centre.offered_to(kept) == "bob", "others are asked while its target has time"


def test_a_task_that_nothing_takes_any_more_is_canceled(centre: Centre) -> None:
    flow = _flow(centre)
    centre.add_worker("alice")
    task = centre.add_task(workflow=flow, vip=True)
    centre.change_task(task, attributes="{}")
    _end_offer(centre, "reject", task)
    assert centre.status(task) == "canceled"
    assert centre.task(task).reason == "No filter of the Workflow matches any more"


def test_a_target_whose_time_is_over_comes_before_everything_else(scratch: Centre) -> None:
    flow = _flow(scratch, timeout=10)
    scratch.add_worker("alice")
    task = scratch.add_task(workflow=flow, vip=True)
    scratch.change_task(task, attributes=PLAIN)
    scratch.pass_time(15)
    _end_offer(scratch, "reject", task)
    assert scratch.queue_of(task) == "Two"
    assert "task-queue.timeout" in scratch.events()
    assert "task-queue.moved" not in scratch.events()


def test_who_is_in_the_default_filter_stays_there_after_an_offer(scratch: Centre) -> None:
    one = scratch.add_queue("One")
    flow = scratch.add_workflow(
        _filter("vip == true", {"queue": one}), default={"queue": scratch.queue_sid}
    )
    scratch.add_worker("alice")
    task = scratch.add_task(workflow=flow, vip=False)
    scratch.change_task(task, attributes=VIP)
    _end_offer(scratch, "reject", task)
    assert scratch.queue_of(task) == "Everybody"


@pytest.mark.parametrize("asked", [True, False])
def test_changed_attributes_lead_through_the_filters_anew_where_asked(
    centre: Centre, *, asked: bool
) -> None:
    flow = _flow(centre)
    task = centre.add_task(workflow=flow, vip=True)
    centre.clock.advance(5)
    centre.change_task(task, attributes=PLAIN, re_evaluate=asked)
    assert centre.queue_of(task) == ("Two" if asked else "One")
    assert (centre.task(task).queue_entered_at == centre.clock.now()) is asked
    centre.add_worker("alice")
    centre.route()
    assert centre.offered_to(task) == "alice"


def test_a_chat_that_waits_is_pulled_by_hand(scratch: Centre) -> None:
    """The multitasking guide's manual pull, of a task that is waiting already."""
    flow = scratch.add_workflow(
        _filter(
            'manual == 1 AND task_channel_unique_name == "chat"',
            {
                "queue": scratch.queue_sid,
                "expression": "task.worker_sid = worker.sid",
                "priority": "1000",
            },
        ),
        _filter(
            'task_channel_unique_name == "chat"',
            {"queue": scratch.queue_sid, "expression": "1==2", "priority": "50"},
        ),
    )
    scratch.add_worker("alice")
    bob = scratch.add_worker("bob")
    task = scratch.add_task(channel="chat", workflow=flow)
    assert scratch.offered_to(task) is None
    scratch.change_task(
        task, attributes=f'{{"manual": 1, "worker_sid": "{bob}"}}', re_evaluate=True
    )
    assert (scratch.offered_to(task), scratch.task(task).priority) == ("bob", 1000)
    assert "task-queue.moved" not in scratch.events(), "it has not left its queue"


def test_a_changed_workflow_takes_waiting_tasks_along_where_asked(centre: Centre) -> None:
    flow = _flow(centre, timeout=10)
    three = centre.add_queue("Three", "1==2")
    moved, out = centre.add_task(workflow=flow, vip=True), centre.add_task(workflow=flow, vip=False)
    elsewhere = centre.add_task(vip=True)
    direct = centre.send_task(task_queue_sid=three, workflow_sid=flow)
    centre.clock.advance(4)
    centre.change_workflow(
        flow,
        configuration=routing_document(_filter("vip == true", {"queue": three, "timeout": 60})),
        re_evaluate_tasks=True,
    )
    centre.route()
    assert [centre.queue_of(task) for task in (moved, elsewhere, direct)] == [
        "Three", "Everybody", "Three",
    ]  # fmt: skip
    assert centre.status(out) == "canceled"
    assert centre.events("task-queue.moved") == ["task-queue.moved"]
    centre.pass_time(59)
    assert centre.status(moved) == "pending", "its new target's time began with the change"
    centre.pass_time(1)
    assert (centre.status(moved), centre.status(direct)) == ("canceled", "pending")


def test_a_task_that_is_being_offered_keeps_the_old_configuration(centre: Centre) -> None:
    flow = _flow(centre)
    centre.add_worker("alice")
    task = centre.add_task(workflow=flow, vip=True)
    before = centre.task(task)
    new = routing_document(default={"queue": centre.queue_sid})
    centre.change_workflow(flow, configuration=new, re_evaluate_tasks=True)
    centre.route()
    assert centre.task(task) == before
    _end_offer(centre, "reject", task)
    assert centre.queue_of(task) == "One"


def test_a_workflow_that_has_not_changed_can_be_gone_through_again(scratch: Centre) -> None:
    flow = _flow(scratch)
    task = scratch.add_task(workflow=flow, vip=True)
    scratch.change_task(task, attributes=PLAIN)
    scratch.change_workflow(flow, re_evaluate_tasks=True)
    assert scratch.queue_of(task) == "Two"


def test_skip_if_is_asked_anew_where_a_task_arrives_again(scratch: Centre) -> None:
    flow = _flow(scratch)
    task = scratch.add_task(workflow=flow, vip=False)
    document = routing_document(
        _filter(
            "1==1",
            {"queue": scratch.add_queue("Empty", "1==2"), "skip_if": "workers.available == 0"},
            {"queue": scratch.queue_sid},
        )
    )
    scratch.change_workflow(flow, configuration=document, re_evaluate_tasks=True)
    scratch.route()
    assert scratch.queue_of(task) == "Everybody"


def test_a_configuration_that_is_wrong_moves_nobody(scratch: Centre) -> None:
    flow = _flow(scratch)
    scratch.add_task(workflow=flow, vip=True)
    before = scratch.picture()
    with pytest.raises(InvalidParameter):
        scratch.change_workflow(flow, configuration="{}", re_evaluate_tasks=True)
    assert scratch.picture() == before


def _by_an_old_configuration(centre: Centre, *rest: dict[str, object]) -> str:
    """A task that waits by a configuration that goes on to a queue deleted since."""
    gone = centre.add_queue("Gone", "1==2")
    first: dict[str, object] = {"queue": centre.queue_sid, "timeout": 5}
    flow = centre.add_workflow(
        {"expression": "1==1", "targets": [first, {"queue": gone, "timeout": 5}, *rest]}
    )
    task = centre.add_task(workflow=flow)
    centre.change_workflow(flow, configuration=centre.simple_document())
    centre.engine.perform(queues.delete, workspace_sid=centre.workspace_sid, task_queue_sid=gone)
    return task


def test_a_task_goes_on_to_the_next_queue_that_is_there(centre: Centre) -> None:
    last = centre.add_queue("Last", "1==2")
    task = _by_an_old_configuration(centre, {"queue": last})
    centre.pass_time(5)
    assert centre.queue_of(task) == "Last"


def test_without_any_queue_left_the_workflow_is_over(centre: Centre) -> None:
    task = _by_an_old_configuration(centre)
    centre.pass_time(5)
    assert centre.status(task) == "canceled"
    assert centre.task(task).reason == "Workflow timed out"
