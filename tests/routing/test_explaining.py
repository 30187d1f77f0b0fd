"""Why a task is where it is, in words that the deciding code itself gives."""

import pytest

from routing.engine import transfers, workers
from routing.engine.explaining import NAMED_WORKERS, Explanation, explain
from routing.errors import NotFound
from tests.routing.centre import Centre


def _explained(centre: Centre, task: str) -> Explanation:
    return centre.engine.read(explain, workspace_sid=centre.workspace_sid, task_sid=task)


def _counts(explanation: Explanation) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in explanation.groups:
        counts[group.obstacle] = counts.get(group.obstacle, 0) + group.count
    return counts


def test_each_worker_of_the_queue_is_counted_by_the_first_thing_in_the_way(
    centre: Centre,
) -> None:
    trained = centre.add_queue("Trained", "level >= 1")
    flow = centre.add_workflow(
        {
            "filter_friendly_name": "Spanish",
            "expression": "1==1",
            "targets": [
                {"queue": trained, "expression": "task.language IN worker.languages",
                 "timeout": 60},
            ],
        }
    )  # fmt: skip
    centre.add_worker("offline", level=1, activity="Offline")
    centre.switch(centre.add_worker("switched off", level=1), available=False)
    centre.add_worker("full", level=1, capacity=0)
    for number in (1, 2):
        centre.add_worker(f"english {number}", level=2, languages=["en"])
    centre.add_worker("untrained", languages=["es"])
    task = centre.add_task(workflow=flow, language="es")
    now = centre.clock.now()
    explanation = _explained(centre, task)
    assert (explanation.filter_name, explanation.position) == ("Spanish", (0, 0))
    assert (explanation.step_due_at, explanation.belonging) == (now + 60_000, 5)
    assert _counts(explanation) == {"activity": 1, "channel": 1, "capacity": 1, "target": 2}
    largest = explanation.groups[0]
    assert (largest.obstacle, largest.count, len(largest.worker_sids)) == ("target", 2, 2)
    assert [(each.text, each.values) for each in largest.clauses] == [
        ('"es" IN worker.languages', {"worker.languages": ["en"]})
    ]


def test_a_known_worker_and_load_are_named_as_reasons(scratch: Centre) -> None:
    flow = scratch.add_workflow(
        {
            "expression": "1==1",
            "targets": [
                {
                    "queue": scratch.queue_sid,
                    "known_worker_friendly_name": "task.agent",
                    "expression": "worker.channel.chat.assigned_tasks == 0",
                }
            ],
        }
    )
    scratch.add_worker("alice")
    scratch.add_task(channel="chat")
    scratch.add_worker("bob")
    task = scratch.add_task(workflow=flow, agent="alice")
    groups = {group.obstacle: group for group in _explained(scratch, task).groups}
    assert groups.keys() == {"known_worker", "target"}
    (clause,) = groups["target"].clauses
    assert clause.values == {"worker.channel.chat.assigned_tasks": 1}


def test_one_task_at_a_time_is_a_reason(one_at_a_time: Centre) -> None:
    one_at_a_time.add_worker("alice")
    one_at_a_time.add_task()
    task = one_at_a_time.add_task(channel="chat")
    assert _counts(_explained(one_at_a_time, task)) == {"busy": 1}


def test_what_the_router_has_not_seen_yet_is_only_a_matter_of_its_turn(scratch: Centre) -> None:
    task = scratch.add_task()
    for number in range(NAMED_WORKERS + 2):
        scratch.add_worker(f"worker {number}")
    (group,) = _explained(scratch, task).groups
    assert (group.obstacle, group.count) == ("turn", NAMED_WORKERS + 2)
    assert len(group.worker_sids) == NAMED_WORKERS
    scratch.route()
    offered = _explained(scratch, task)
    assert (offered.assignment_status, offered.belonging) == ("reserved", NAMED_WORKERS + 2)
    assert _counts(offered) == {"offered": 1, "reserved": NAMED_WORKERS + 1}


def test_a_task_for_one_worker_waits_for_nobody_else(scratch: Centre) -> None:
    nobody = scratch.add_queue("Nobody", "1==2")
    bob = scratch.add_worker("bob", activity="Offline")
    scratch.add_worker("alice")
    task = scratch.send_task(routing_target=bob, task_queue_sid=nobody, ignore_capacity=False)
    explanation = _explained(scratch, task)
    assert explanation.position is None
    assert _counts(explanation) == {"activity": 1, "known_worker": 1}


def test_nothing_is_said_of_a_task_that_is_not_there(scratch: Centre) -> None:
    with pytest.raises(NotFound):
        _explained(scratch, "WT" + "0" * 32)


def test_one_worker_is_asked_about_alone_even_one_who_does_not_belong(scratch: Centre) -> None:
    experts = scratch.add_queue("Experts", "level == 3")
    task = scratch.add_task(workflow=scratch.add_workflow(default={"queue": experts}))
    expert = scratch.add_worker("expert", activity="Offline", level=3)
    other = scratch.add_worker("other", level=1)

    def told(worker_sid: str) -> tuple[int, list[str]]:
        found = scratch.engine.read(
            explain,
            workspace_sid=scratch.workspace_sid,
            task_sid=task,
            worker_sid=worker_sid,
        )
        return found.belonging, [group.obstacle for group in found.groups]

    assert told(expert) == (1, ["activity"])
    assert told(other) == (0, ["queue"])
    with pytest.raises(NotFound):
        told("WK" + "0" * 32)


def test_of_an_offer_it_says_who_is_asked_who_has_declined_and_who_is_not_asked(
    scratch: Centre,
) -> None:
    scratch.change_queue(max_reserved_workers=2)
    first = {scratch.add_worker(name): name for name in ("alice", "bob")}
    task = scratch.add_task()
    scratch.add_worker("carol")
    scratch.add_worker("dave", activity="Offline")
    declined, asked = scratch.reservations(task)
    scratch.answer("reject", declined.sid)
    told = {
        group.obstacle: [scratch.worker(sid).friendly_name for sid in group.worker_sids]
        for group in _explained(scratch, task).groups
    }
    assert told == {
        "offered": [first[asked.worker_sid]],
        "rejected": [first[declined.worker_sid]],
        "reserved": ["carol"],
        "activity": ["dave"],
    }
    scratch.clock.advance(1)
    scratch.answer("reject", asked.sid)
    assert _counts(_explained(scratch, task)) == {"offered": 2, "reserved": 1, "activity": 1}
    scratch.answer("accept", scratch.reservations(task)[-1].sid)
    assert _explained(scratch, task).groups == ()


def test_who_was_asked_before_and_declined_may_be_asked_again(scratch: Centre) -> None:
    alice = scratch.add_worker("alice")
    task = scratch.add_task()
    scratch.reject(task, worker_activity_sid=scratch.activity("Offline"))
    assert _counts(_explained(scratch, task)) == {"activity": 1}
    scratch.engine.perform(
        workers.update,
        workspace_sid=scratch.workspace_sid,
        worker_sid=alice,
        activity_sid=scratch.activity("Available"),
    )
    assert _counts(_explained(scratch, task)) == {"turn": 1}


def test_capacity_is_no_reason_where_it_does_not_count(scratch: Centre) -> None:
    alice = scratch.add_worker("alice", activity="Offline", capacity=0)
    scratch.add_worker("bob")
    offered = scratch.send_task(
        routing_target=alice, workflow_sid=scratch.workflow_sid, ignore_capacity=True
    )
    assert _counts(_explained(scratch, offered)) == {"offered": 1, "known_worker": 1}
    waits = scratch.send_task(
        routing_target=alice, workflow_sid=scratch.workflow_sid, ignore_capacity=False
    )
    assert _counts(_explained(scratch, waits)) == {"activity": 1, "known_worker": 1}


def test_whoever_hands_a_task_on_has_it_already(scratch: Centre) -> None:
    scratch.add_worker("alice", capacity=2)
    task = scratch.add_task()
    held = scratch.accept(task)
    scratch.add_worker("bob", activity="Offline")
    scratch.engine.perform(
        transfers.initiate,
        workspace_sid=scratch.workspace_sid,
        task_sid=task,
        reservation_sid=held.sid,
        to=scratch.queue_sid,
    )
    scratch.route()
    assert _counts(_explained(scratch, task)) == {"holding": 1, "activity": 1}


def test_a_target_that_may_be_skipped_and_that_sorts_has_the_same_reasons(scratch: Centre) -> None:
    target: dict[str, object] = {
        "queue": scratch.queue_sid,
        "skip_if": "workers.available == 0",
        "order_by": "worker.level DESC",
        "expression": "worker.level > task.level",
    }
    flow = scratch.add_workflow({"expression": "1==1", "targets": [target]})
    for level in (1, 2):
        scratch.add_worker(f"level {level}", level=level)
    task = scratch.add_task(workflow=flow, level=1)
    assert _counts(_explained(scratch, task)) == {"offered": 1, "target": 1}
    hard = scratch.add_task(workflow=flow, level=1)
    assert _counts(_explained(scratch, hard)) == {"capacity": 1, "target": 1}
    (group,) = (each for each in _explained(scratch, hard).groups if each.obstacle == "target")
    assert group.clauses[0].values == {"worker.level": 1}
