"""A workspace without multitasking: queues move workers between activities, and one task is all."""

import pytest

from routing.engine import tasks, workspaces
from routing.ports import Work
from tests.routing.centre import Centre


@pytest.fixture
def centre(one_at_a_time: Centre) -> Centre:
    def activities(work: Work) -> tuple[str, str]:
        made = [
            workspaces.create_activity(
                work, workspace_sid=one_at_a_time.workspace_sid, friendly_name=name
            )
            for name in ("Reserved", "Busy")
        ]
        return made[0].sid, made[1].sid

    reserved, busy = one_at_a_time.engine.perform(activities)
    one_at_a_time.change_queue(reservation_activity_sid=reserved, assignment_activity_sid=busy)
    return one_at_a_time


def test_the_queue_moves_its_workers_through_its_activities(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    assert centre.activity_of(alice) == "Reserved"
    centre.accept(task)
    assert centre.activity_of(alice) == "Busy"
    centre.complete(task)
    assert centre.activity_of(alice) == "Busy", "only the application moves it on"
    second = centre.add_task()
    assert centre.offered_to(second) is None
    centre.move(alice, "Available")
    assert centre.offered_to(second) == "alice"


def test_a_queue_without_activities_leaves_them_alone_and_still_gives_one_task(
    one_at_a_time: Centre,
) -> None:
    alice = one_at_a_time.add_worker("alice")
    first, second = one_at_a_time.add_task(), one_at_a_time.add_task()
    one_at_a_time.accept(first)
    assert one_at_a_time.activity_of(alice) == "Available"
    assert one_at_a_time.offered_to(second) is None
    one_at_a_time.wrap_up(first)
    assert one_at_a_time.offered_to(second) is None
    one_at_a_time.complete(first)
    assert one_at_a_time.offered_to(second) == "alice"


def test_capacities_say_nothing_but_are_kept_for_later(one_at_a_time: Centre) -> None:
    alice = one_at_a_time.add_worker("alice", capacity=0)
    one_at_a_time.set_capacity(alice, 3, channel="chat")
    call, chat = one_at_a_time.add_task(), one_at_a_time.add_task(channel="chat")
    assert one_at_a_time.offered_to(call) == "alice"
    assert one_at_a_time.offered_to(chat) is None
    one_at_a_time.change_workspace(multi_task_enabled=True)
    one_at_a_time.route()
    assert one_at_a_time.offered_to(chat) == "alice"
    assert one_at_a_time.channel(alice).configured_capacity == 0
    assert one_at_a_time.channel(alice, "chat").configured_capacity == 3
    one_at_a_time.accept(call)
    one_at_a_time.complete(call)
    assert one_at_a_time.channel(alice).assigned_tasks == 0
    assert one_at_a_time.offered_to(one_at_a_time.add_task()) is None


def test_multitasking_is_switched_off_and_on_again_while_work_goes_on(centre: Centre) -> None:
    centre.change_workspace(multi_task_enabled=True)
    alice = centre.add_worker("alice", capacity=3)
    first, second = centre.add_task(), centre.add_task()
    assert centre.activity_of(alice) == "Available", "multitasking moves nobody"
    centre.accept(first)
    centre.change_workspace(multi_task_enabled=False)
    third = centre.add_task()
    assert centre.offered_to(second) == "alice", "what she has she keeps"
    assert centre.offered_to(third) is None, "there is capacity, but she has work"
    centre.complete(first)
    assert centre.offered_to(third) is None
    centre.accept(second)
    assert centre.activity_of(alice) == "Busy"
    centre.complete(second)
    centre.move(alice, "Available")
    assert (centre.offered_to(third), centre.activity_of(alice)) == ("alice", "Reserved")
    fourth = centre.add_task()
    centre.change_workspace(multi_task_enabled=True)
    centre.move(alice, "Available")
    assert centre.offered_to(fourth) == "alice"
    assert centre.channel(alice).configured_capacity == 3
    assert centre.activity_of(alice) == "Available"


def test_after_work_counts_as_the_one_task(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    first, second = centre.add_task(), centre.add_task()
    centre.accept(first)
    centre.move(alice, "Available")
    centre.wrap_up(first)
    assert centre.offered_to(second) is None
    centre.complete(first)
    assert centre.offered_to(second) == "alice"


def test_an_offer_that_runs_out_moves_the_worker_to_the_timeout_activity(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    centre.change_workspace(timeout_activity_sid=centre.activity("Unavailable"))
    task = centre.add_task()
    centre.pass_time(30)
    assert centre.activity_of(alice) == "Unavailable"
    assert centre.status(task) == "pending"
    assert centre.channel(alice).assigned_tasks == 0


def test_a_worker_who_rejects_goes_where_it_asks_to(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    centre.reject(task, worker_activity_sid=centre.activity("Offline"))
    assert centre.activity_of(alice) == "Offline"
    assert centre.status(task) == "pending"


def test_completion_may_name_where_the_worker_goes_next(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    centre.accept(task)
    centre.engine.perform(
        tasks.complete,
        workspace_sid=centre.workspace_sid,
        task_sid=task,
        post_work_activity_sid=centre.activity("Unavailable"),
    )
    assert centre.activity_of(alice) == "Unavailable"
