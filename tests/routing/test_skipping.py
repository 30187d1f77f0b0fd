"""`skip_if`: a target that nobody can serve at once is left at once, where it says so."""

import pytest

from routing.background.router import Router
from routing.engine import skipping, tasks
from tests.routing.centre import Centre

NOBODY = "workers.available == 0"


def _filter(expression: str, *targets: dict[str, object]) -> dict[str, object]:
    return {"expression": expression, "targets": list(targets)}


def test_a_target_that_nobody_can_serve_is_skipped(centre: Centre) -> None:
    first, second = (centre.add_queue(name, f'team == "{name}"') for name in ("one", "two"))
    flow = centre.add_workflow(
        _filter("1==1", {"queue": first, "skip_if": NOBODY, "timeout": 60}, {"queue": second})
    )
    centre.add_worker("alice", team="one", activity="Offline")
    task = centre.add_task(workflow=flow)
    assert centre.queue_of(task) == "two"
    assert centre.events("workflow.target-matched", "task-queue.entered", "task-queue.timeout") == [
        "workflow.target-matched",
        "task-queue.entered",
        "workflow.target-matched",
        "task-queue.entered",
    ]


def test_whoever_can_be_served_at_once_skips_nothing(scratch: Centre) -> None:
    second = scratch.add_queue("Second")
    flow = scratch.add_workflow(
        _filter("1==1", {"queue": scratch.queue_sid, "skip_if": "1==1"}, {"queue": second})
    )
    scratch.add_worker("alice")
    served, not_served = scratch.add_task(workflow=flow), scratch.add_task(workflow=flow)
    assert scratch.offered_to(served) == "alice"
    assert scratch.queue_of(served) == "Everybody"
    assert scratch.queue_of(not_served) == "Second", "1==1 skips on lack of capacity, too"


def test_it_is_asked_on_arrival_and_never_again(centre: Centre) -> None:
    second = centre.add_queue("Second")
    flow = centre.add_workflow(
        _filter(
            "1==1",
            {"queue": centre.queue_sid, "skip_if": NOBODY, "timeout": 60},
            {"queue": second},
        )
    )
    alice = centre.add_worker("alice", capacity=0)
    task = centre.add_task(workflow=flow)
    assert centre.queue_of(task) == "Everybody", "alice is available, if without capacity"
    centre.move(alice, "Offline")
    centre.change_task(task, priority=3)
    assert centre.queue_of(task) == "Everybody"
    centre.pass_time(60)
    assert centre.queue_of(task) == "Second"


def test_an_offer_that_is_rejected_does_not_make_it_skip(scratch: Centre) -> None:
    second = scratch.add_queue("Second")
    flow = scratch.add_workflow(
        _filter("1==1", {"queue": scratch.queue_sid, "skip_if": "1==1"}, {"queue": second})
    )
    scratch.add_worker("alice")
    task = scratch.add_task(workflow=flow)
    scratch.reject(task, worker_activity_sid=scratch.activity("Offline"))
    assert scratch.queue_of(task) == "Everybody"


@pytest.mark.parametrize(
    ("skip_if", "skips"),
    [
        ("workers.available == 1", True),
        ("workers.unavailable == 2", True),
        ("workers.OFFLINE == 1 AND workers.BREAK == 1", True),
        ("workers.OFFLINE > workers.BREAK", False),
        ("workers.available > 1 OR workers.unavailable > 2", False),
        ("workers.WA00000000000000000000000000000000 == 0", False),
        ("1==2", False),
    ],
)
def test_it_counts_the_workers_of_its_queue_by_activity(
    scratch: Centre, skip_if: str, *, skips: bool
) -> None:
    trained = scratch.add_queue("Trained", "trained == true")
    offline, pause = scratch.activity("Offline"), scratch.activity("Unavailable")
    flow = scratch.add_workflow(
        _filter(
            "1==1",
            {
                "queue": trained,
                "skip_if": skip_if.replace("OFFLINE", offline).replace("BREAK", pause),
            },
            {"queue": scratch.queue_sid, "expression": "1==2"},
        )
    )
    scratch.add_worker("alice", trained=True, capacity=0)
    scratch.add_worker("bob", trained=True, activity="Offline")
    scratch.add_worker("carol", trained=True, activity="Unavailable")
    for name in ("dan", "eve"):
        scratch.add_worker(name, trained=False, activity="Offline")
    task = scratch.add_task(workflow=flow)
    assert scratch.queue_of(task) == ("Everybody" if skips else "Trained")


def test_a_queue_that_asks_for_load_is_counted_by_load(scratch: Centre) -> None:
    idle = scratch.add_queue("Idle", "channel.chat.assigned_tasks == 0")
    flow = scratch.add_workflow(
        _filter("1==1", {"queue": idle, "skip_if": NOBODY}, {"queue": scratch.queue_sid})
    )
    scratch.add_worker("alice", capacity=0)
    assert scratch.queue_of(scratch.add_task(workflow=flow)) == "Idle"
    scratch.add_task(channel="chat")
    assert scratch.queue_of(scratch.add_task(workflow=flow)) == "Everybody"


def test_skipping_leads_through_the_filters_that_match_to_the_default_filter(
    centre: Centre,
) -> None:
    queues = [centre.add_queue(name, "1==2") for name in ("one", "two", "three", "four")]
    skip = {"skip_if": NOBODY}
    flow = centre.add_workflow(
        _filter("1==1", {"queue": queues[0], **skip}, {"queue": queues[1], **skip}),
        _filter("vip == true", {"queue": centre.queue_sid}),
        _filter("1==1", {"queue": queues[2], **skip}),
        default={"queue": queues[3]},
    )
    task = centre.add_task(workflow=flow)
    assert centre.queue_of(task) == "four"
    assert centre.status(task) == "pending"
    assert centre.events("task-queue.entered") == ["task-queue.entered"] * 4


def test_a_task_that_skips_everything_is_canceled(centre: Centre) -> None:
    flow = centre.add_workflow(
        _filter("1==1", {"queue": centre.queue_sid, "skip_if": NOBODY}),
        _filter("vip == true", {"queue": centre.queue_sid}),
    )
    task = centre.add_task(workflow=flow)
    assert centre.status(task) == "canceled"
    assert centre.task(task).reason == "Workflow skipped"
    assert centre.events()[-2:] == ["workflow.skipped", "task.canceled"]


def test_a_default_filter_that_is_skipped_leads_out(scratch: Centre) -> None:
    flow = scratch.add_workflow(default={"queue": scratch.queue_sid, "skip_if": NOBODY})
    assert scratch.status(scratch.add_task(workflow=flow)) == "canceled"


def test_what_has_changed_since_the_router_looked_is_looked_at_again(centre: Centre) -> None:
    second = centre.add_queue("Second")
    flow = centre.add_workflow(
        _filter("1==1", {"queue": centre.queue_sid, "skip_if": "1==1"}, {"queue": second})
    )
    task = centre.add_task(workflow=flow)
    assert centre.queue_of(task) == "Second"
    seen = centre.task(task)
    assert centre.engine.perform(skipping.skip_steps, {task: seen.version - 1}, {}) == [task]
    assert centre.engine.perform(skipping.skip_steps, {task: seen.version}, {}) == []
    assert centre.task(task) == seen, "its present step has no skip_if"


def test_a_task_that_is_gone_or_taken_is_not_skipped(scratch: Centre) -> None:
    flow = scratch.add_workflow(default={"queue": scratch.queue_sid, "skip_if": "1==1"})
    scratch.add_worker("alice")
    task = scratch.add_task(workflow=flow)
    reserved = scratch.task(task)
    versions = {task: reserved.version, "WT" + "0" * 32: 0}
    assert scratch.engine.perform(skipping.skip_steps, versions, {}) == []
    assert scratch.task(task) == reserved


def test_a_router_that_starts_anew_asks_for_those_that_came_in_between(centre: Centre) -> None:
    second = centre.add_queue("Second")
    flow = centre.add_workflow(
        _filter("1==1", {"queue": centre.queue_sid, "skip_if": NOBODY}, {"queue": second})
    )
    centre.route()
    late = Router(centre.engine)
    centre.router = late
    centre.engine.perform(tasks.create, workspace_sid=centre.workspace_sid, workflow_sid=flow)
    late.start()
    task = centre.task_sids()[0]
    assert centre.queue_of(task) == "Everybody", "the log has not been read yet"
    centre.route()
    assert centre.queue_of(task) == "Second"
