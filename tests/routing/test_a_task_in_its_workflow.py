"""A task's way through its workflow: filters, targets, timeouts, and out."""

import json

import pytest

from routing import timers
from routing.engine.placement import Unwanted
from routing.errors import InvalidParameter
from tests.routing.centre import Centre, routing_document


def _target(queue: str, **members: object) -> dict[str, object]:
    return {"queue": queue, **members}


def _filter(expression: str, *targets: dict[str, object], name: str = "") -> dict[str, object]:
    return {"filter_friendly_name": name, "expression": expression, "targets": list(targets)}


def _queues(centre: Centre, *names: str) -> list[str]:
    return [centre.add_queue(name) for name in names]


def test_the_first_filter_that_is_true_takes_the_task(scratch: Centre) -> None:
    sales, support, rest = _queues(scratch, "Sales", "Support", "Rest")
    flow = scratch.add_workflow(
        _filter('topic == "sales"', _target(sales)),
        _filter('topic == "support" OR vip == true', _target(support)),
        _filter('topic == "support"', _target(rest)),
        default=_target(rest),
    )
    for attributes, queue in (
        ({"topic": "sales", "vip": True}, "Sales"),
        ({"topic": "support"}, "Support"),
        ({"vip": True}, "Support"),
        ({"topic": "other"}, "Rest"),
        ({}, "Rest"),
    ):
        assert scratch.queue_of(scratch.add_task(workflow=flow, **attributes)) == queue


def test_a_task_that_nothing_takes_is_refused_and_leaves_no_trace(centre: Centre) -> None:
    flow = centre.add_workflow(_filter("vip == true", _target(centre.queue_sid)))
    before = centre.picture()
    with pytest.raises(Unwanted, match=flow):
        centre.add_task(workflow=flow)
    assert centre.picture() == before


def test_a_targets_timeout_leads_to_the_next_target_and_the_next_filter_and_out(
    centre: Centre,
) -> None:
    first, second, third, rest = _queues(centre, "First", "Second", "Third", "Rest")
    flow = centre.add_workflow(
        _filter("vip == true", _target(first, timeout=10), _target(second, timeout=20)),
        _filter("vip == false", _target(rest)),
        _filter("1==1", _target(third, timeout=5)),
        default=_target(rest),
    )
    task = centre.add_task(workflow=flow, vip=True)
    seen = [centre.queue_of(task)]
    for seconds in (10, 20):
        centre.pass_time(seconds - 1)
        assert centre.queue_of(task) == seen[-1]
        centre.pass_time(1)
        seen.append(centre.queue_of(task))
    assert seen == ["First", "Second", "Third"]
    centre.pass_time(5)
    assert centre.status(task) == "canceled", "the default filter is never entered by a timeout"
    assert centre.task(task).reason == "Workflow timed out"
    assert centre.events("task-queue.timeout", "workflow.timeout", "task.canceled") == [
        "task-queue.timeout",
        "task-queue.timeout",
        "task-queue.timeout",
        "workflow.timeout",
        "task.canceled",
    ]


def test_a_later_target_without_a_queue_stays_in_the_one_before(scratch: Centre) -> None:
    scratch.add_worker("bob", level=1)
    flow = scratch.add_workflow(
        _filter(
            "1==1",
            _target(scratch.queue_sid, expression="worker.level > 5", timeout=10),
            {"expression": "worker.level > 0"},
        )
    )
    task = scratch.add_task(workflow=flow)
    entered = scratch.task(task).queue_entered_at
    assert scratch.offered_to(task) is None
    scratch.pass_time(10)
    assert scratch.offered_to(task) == "bob"
    assert scratch.task(task).queue_entered_at == entered


def test_a_target_sets_the_priority_or_leaves_it(scratch: Centre) -> None:
    flow = scratch.add_workflow(
        _filter(
            "1==1",
            _target(scratch.queue_sid, priority="40", timeout="10"),
            {"timeout": 10},
            {"priority": 2},
        )
    )
    task = scratch.add_task(workflow=flow, priority=7)
    seen = [scratch.task(task).priority]
    for _ in range(2):
        scratch.pass_time(10)
        seen.append(scratch.task(task).priority)
    assert seen == [40, 40, 2]
    plain = scratch.add_workflow(default=_target(scratch.queue_sid))
    assert scratch.task(scratch.add_task(workflow=plain, priority=7)).priority == 7


def test_a_timeout_does_not_cut_an_offer_off_but_counts_when_it_comes_to_nothing(
    centre: Centre,
) -> None:
    first, second = _queues(centre, "First", "Second")
    flow = centre.add_workflow(
        _filter("1==1", _target(first, timeout=10), _target(second)), task_reservation_timeout=60
    )
    centre.add_worker("alice")
    task = centre.add_task(workflow=flow)
    centre.pass_time(30)
    assert (centre.status(task), centre.queue_of(task)) == ("reserved", "First")
    centre.reject(task, worker_activity_sid=centre.activity("Offline"))
    assert (centre.status(task), centre.queue_of(task)) == ("pending", "Second")


def test_an_offer_that_fails_in_time_leaves_the_task_in_its_target(scratch: Centre) -> None:
    first, second = _queues(scratch, "First", "Second")
    flow = scratch.add_workflow(_filter("1==1", _target(first, timeout=10), _target(second)))
    scratch.add_worker("alice")
    task = scratch.add_task(workflow=flow)
    scratch.pass_time(4)
    scratch.reject(task, worker_activity_sid=scratch.activity("Offline"))
    assert scratch.queue_of(task) == "First"
    scratch.pass_time(6)
    assert scratch.queue_of(task) == "Second"


def test_timers_rest_while_a_target_that_is_over_waits_for_an_answer(centre: Centre) -> None:
    flow = centre.add_workflow(
        _filter("1==1", _target(centre.queue_sid, timeout=10)), task_reservation_timeout=60
    )
    centre.add_worker("alice")
    centre.add_task(workflow=flow)
    centre.pass_time(30)
    deadline = centre.next_deadline()
    assert deadline is not None
    assert deadline > centre.clock.now()


def test_an_accepted_task_never_falls_out_of_its_workflow(scratch: Centre) -> None:
    flow = scratch.add_workflow(_filter("1==1", _target(scratch.queue_sid, timeout=10)))
    scratch.add_worker("alice")
    task = scratch.add_task(workflow=flow, timeout_seconds=60)
    scratch.accept(task)
    scratch.pass_time(86_399)
    assert scratch.status(task) == "assigned"


def test_a_waiting_task_keeps_the_configuration_it_began_with(centre: Centre) -> None:
    old, older, new = _queues(centre, "Old", "Older", "New")
    flow = centre.add_workflow(_filter("1==1", _target(old, timeout=10), _target(older)))
    before = centre.add_task(workflow=flow)
    centre.change_workflow(flow, configuration=routing_document(default=_target(new)))
    after = centre.add_task(workflow=flow)
    centre.pass_time(10)
    assert (centre.queue_of(before), centre.queue_of(after)) == ("Older", "New")
    centre.add_worker("alice", capacity=2)
    centre.route()
    assert centre.offered_to(before) == centre.offered_to(after) == "alice"


def test_a_configuration_that_is_wrong_changes_nothing(centre: Centre) -> None:
    flow = centre.add_workflow(default=_target(centre.queue_sid))
    before = (centre.picture(), centre.set_up())
    for document, place in (
        ({"task_routing": {"filters": [{"expression": "a ==", "targets": []}]}}, "expression"),
        ({"task_routing": {"default_filter": {"queue": "WQ" + "0" * 32}}}, "default_filter.queue"),
        ({"task_routing": {"defualt_filter": {}}}, "task_routing"),
    ):
        with pytest.raises(InvalidParameter, match=place):
            centre.change_workflow(flow, configuration=json.dumps(document))
    assert (centre.picture(), centre.set_up()) == before


@pytest.mark.parametrize("by", ["known_worker_sid", "known_worker_friendly_name"])
def test_a_known_worker_is_the_only_one_asked(scratch: Centre, by: str) -> None:
    for name in ("alice", "bob"):
        scratch.add_worker(name, capacity=5)
    bob = next(worker.sid for worker in scratch.all_workers() if worker.friendly_name == "bob")
    flow = scratch.add_workflow(
        _filter("1==1", _target(scratch.queue_sid, **{by: "task.agent"}, timeout=10), {})
    )
    known = bob if by == "known_worker_sid" else "bob"
    for _ in range(3):
        assert scratch.offered_to(scratch.add_task(workflow=flow, agent=known)) == "bob"
    scratch.move(bob, "Offline")
    waiting = scratch.add_task(workflow=flow, agent=known)
    unknown = scratch.add_task(workflow=flow, agent=17)
    nobody = scratch.add_task(workflow=flow)
    assert {scratch.offered_to(task) for task in (waiting, unknown, nobody)} == {None}
    scratch.pass_time(10)
    assert {scratch.offered_to(task) for task in (waiting, unknown, nobody)} == {"alice"}


def test_a_targets_expression_compares_the_task_with_the_worker(scratch: Centre) -> None:
    scratch.add_worker("alice", languages=["en"])
    scratch.add_worker("bob", languages=["en", "es"])
    flow = scratch.add_workflow(
        _filter("1==1", _target(scratch.queue_sid, expression="task.language IN worker.languages"))
    )
    assert scratch.offered_to(scratch.add_task(workflow=flow, language="es")) == "bob"
    assert scratch.offered_to(scratch.add_task(workflow=flow, language="en")) == "alice"
    assert scratch.offered_to(scratch.add_task(workflow=flow, language="fr")) is None


def test_a_worker_enters_and_leaves_queues_with_its_attributes(centre: Centre) -> None:
    spanish = centre.add_queue("Spanish", 'languages HAS "es"')
    flow = centre.add_workflow(default=_target(spanish))
    alice = centre.add_worker("alice", languages=["en"], capacity=5)
    task = centre.add_task(workflow=flow)
    assert centre.offered_to(task) is None
    centre.change_worker(alice, attributes='{"languages": ["en", "es"]}')
    assert centre.offered_to(task) == "alice"
    centre.change_worker(alice, attributes='{"languages": ["en"]}')
    assert centre.status(task) == "reserved", "what was offered stays offered"
    assert centre.offered_to(centre.add_task(workflow=flow)) is None


def test_an_attribute_that_only_changes_its_kind_counts_as_changed(scratch: Centre) -> None:
    trained = scratch.add_queue("Trained", "trained == true")
    flow = scratch.add_workflow(default=_target(trained))
    alice = scratch.add_worker("alice", trained=1)
    task = scratch.add_task(workflow=flow)
    assert scratch.offered_to(task) is None
    scratch.change_worker(alice, attributes='{"trained": true}')
    assert scratch.offered_to(task) == "alice"


def test_changing_a_queues_expression_changes_who_is_asked(centre: Centre) -> None:
    centre.change_queue(target_workers="level > 5")
    centre.add_worker("alice", level=3)
    task = centre.add_task()
    assert centre.offered_to(task) is None
    centre.change_queue(target_workers="level > 2")
    centre.route()
    assert centre.offered_to(task) == "alice"


def test_a_task_whose_attributes_change_is_matched_by_the_new_ones(scratch: Centre) -> None:
    scratch.add_worker("alice", skill="billing")
    flow = scratch.add_workflow(
        _filter("1==1", _target(scratch.queue_sid, expression="task.need == worker.skill"))
    )
    task = scratch.add_task(workflow=flow, need="sales")
    assert scratch.offered_to(task) is None
    scratch.change_task(task, attributes='{"need": "billing"}')
    assert scratch.offered_to(task) == "alice"


def test_many_targets_that_wait_for_answers_do_not_hold_up_one_that_is_over(
    scratch: Centre,
) -> None:
    first, second = _queues(scratch, "First", "Second")
    flow = scratch.add_workflow(
        _filter("1==1", _target(first, timeout=10), _target(second)), task_reservation_timeout=600
    )
    scratch.add_worker("alice", capacity=timers.BATCH)
    asked = [scratch.add_task(workflow=flow) for _ in range(timers.BATCH)]
    waiting = scratch.add_task(workflow=flow)
    scratch.pass_time(10)
    assert scratch.queue_of(waiting) == "Second"
    assert {scratch.queue_of(task) for task in asked} == {"First"}
