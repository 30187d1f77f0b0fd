"""Who is next: the order in which tasks wait, and in which workers are asked."""

import pytest

from routing.engine import task_channels
from tests.routing.centre import Centre


def test_a_first_in_first_out_queue_goes_by_priority_and_then_by_age(scratch: Centre) -> None:
    tasks = [scratch.add_task(priority=priority) for priority in (0, 5, 0, 5, 9)]
    scratch.add_worker("alice")
    assert scratch.served(*tasks) == [4, 1, 3, 0, 2]


def test_a_last_in_first_out_queue_takes_the_newest_and_knows_no_priority(scratch: Centre) -> None:
    scratch.change_queue(task_order="LIFO")
    tasks = [scratch.add_task(priority=priority) for priority in (9, 0, 5)]
    scratch.add_worker("alice")
    assert scratch.served(*tasks) == [2, 1, 0]


def test_a_queues_order_can_be_turned_while_tasks_wait(scratch: Centre) -> None:
    tasks = [scratch.add_task() for _ in range(3)]
    scratch.change_queue(task_order="LIFO")
    scratch.add_worker("alice")
    assert scratch.served(*tasks) == [2, 1, 0]


def test_a_virtual_start_time_counts_instead_of_the_creation(scratch: Centre) -> None:
    tasks = [scratch.add_task() for _ in range(3)]
    scratch.change_task(tasks[2], virtual_start_at=scratch.clock.now() - 60_000)
    scratch.add_worker("alice")
    assert scratch.served(*tasks) == [2, 0, 1]


def test_a_task_that_is_given_more_priority_moves_up(scratch: Centre) -> None:
    tasks = [scratch.add_task() for _ in range(3)]
    scratch.change_task(tasks[1], priority=7)
    scratch.add_worker("alice")
    assert scratch.served(*tasks) == [1, 0, 2]


@pytest.mark.parametrize(("first", "expected"), [("FIFO", [0, 2, 3, 1]), ("LIFO", [3, 1, 0, 2])])
def test_the_workspace_says_which_kind_of_queue_comes_first(
    scratch: Centre, first: str, expected: list[int]
) -> None:
    newest_first = scratch.add_queue("Newest first", task_order="LIFO")
    flow = scratch.add_workflow(default={"queue": newest_first})
    scratch.change_workspace(prioritize_queue_order=first)
    workflows = [scratch.workflow_sid, flow, scratch.workflow_sid, flow]
    tasks = [scratch.add_task(workflow=workflow) for workflow in workflows]
    scratch.add_worker("alice")
    if first == "FIFO":
        expected = [0, 2, 3, 1]
    assert scratch.served(*tasks) == expected


def test_among_queues_of_one_kind_priority_and_age_decide_over_all(scratch: Centre) -> None:
    other = scratch.add_workflow(default={"queue": scratch.add_queue("Other")})
    plan = [(None, 0), (other, 0), (None, 3), (other, 7), (other, 0)]
    tasks = [scratch.add_task(workflow=flow, priority=priority) for flow, priority in plan]
    scratch.add_worker("alice")
    assert scratch.served(*tasks) == [3, 2, 0, 1, 4]


def test_the_longest_idle_worker_is_asked_over_all_its_channels(scratch: Centre) -> None:
    for name in ("alice", "bob"):
        scratch.add_worker(name)
    chat = scratch.add_task(channel="chat")
    had_the_chat = scratch.offered_to(chat)
    assert scratch.offered_to(scratch.add_task()) not in {None, had_the_chat}


def test_a_channel_may_count_idleness_for_itself(scratch: Centre) -> None:
    scratch.engine.perform(
        task_channels.update,
        workspace_sid=scratch.workspace_sid,
        channel="voice",
        channel_optimized_routing=True,
    )
    for name in ("alice", "bob"):
        scratch.add_worker(name, capacity=5)
    had_a_call = scratch.offered_to(scratch.add_task())
    for _ in range(2):
        scratch.add_task(channel="chat")  # one each, the last of them to whoever had the call
    assert scratch.offered_to(scratch.add_task()) not in {None, had_a_call}


def test_work_goes_round(scratch: Centre) -> None:
    names = {"alice", "bob", "carol"}
    for name in sorted(names):
        scratch.add_worker(name)
    for _ in range(3):
        asked = set()
        for _ in names:
            task = scratch.add_task()
            asked.add(scratch.offered_to(task))
            scratch.accept(task)
            scratch.complete(task)
        assert asked == names


def _by(scratch: Centre, order_by: str) -> str:
    return scratch.add_workflow(
        {"expression": "1==1", "targets": [{"queue": scratch.queue_sid, "order_by": order_by}]}
    )


def _asked_in_turn(scratch: Centre, flow: str, number: int) -> list[str | None]:
    return [scratch.offered_to(scratch.add_task(workflow=flow)) for _ in range(number)]


def test_a_target_may_sort_the_workers(scratch: Centre) -> None:
    scratch.add_worker("alice", level=1, cost=5)
    scratch.add_worker("bob", level=9, cost=7)
    scratch.add_worker("carol", level=9, cost=2)
    scratch.add_worker("dave", cost=1)
    flow = _by(scratch, "worker.level DESC, worker.cost ASC")
    assert _asked_in_turn(scratch, flow, 5) == ["carol", "bob", "alice", "dave", None]


def test_whoever_lacks_the_attribute_is_last_in_both_directions(scratch: Centre) -> None:
    scratch.add_worker("alice", level=1)
    scratch.add_worker("bob")
    assert _asked_in_turn(scratch, _by(scratch, "worker.level ASC"), 2) == ["alice", "bob"]


def test_among_equals_the_longest_idle_comes_first(scratch: Centre) -> None:
    for name in ("alice", "bob"):
        scratch.add_worker(name, capacity=2, level=3)
    scratch.add_worker("carol", level=1)
    flow = _by(scratch, "worker.level DESC")
    first, second, third, fourth = _asked_in_turn(scratch, flow, 4)
    assert {first, second} == {third, fourth} == {"alice", "bob"}
    assert first == third


def test_one_value_that_is_no_whole_number_makes_the_order_void(scratch: Centre) -> None:
    scratch.add_worker("alice", level=9)
    scratch.add_worker("bob", level="high")
    had_one = scratch.offered_to(scratch.add_task(channel="chat"))
    flow = _by(scratch, "worker.level DESC")
    assert _asked_in_turn(scratch, flow, 1) == [{"alice": "bob", "bob": "alice"}[str(had_one)]]
