"""How much of each channel a worker handles at once."""

import pytest

from routing.worker import available_capacity_percentage
from tests.routing.centre import Centre


def _offered(centre: Centre, *tasks: str) -> int:
    return sum(centre.offered_to(task) is not None for task in tasks)


@pytest.mark.parametrize("capacity", [0, 1, 2, 3])
def test_a_worker_is_offered_as_much_as_its_channel_takes(scratch: Centre, capacity: int) -> None:
    alice = scratch.add_worker("alice", capacity=capacity)
    tasks = [scratch.add_task() for _ in range(5)]
    assert _offered(scratch, *tasks) == capacity
    assert scratch.channel(alice).assigned_tasks == capacity


def test_each_channel_has_a_capacity_of_its_own(centre: Centre) -> None:
    alice = centre.add_worker("alice", capacity=2)
    centre.set_capacity(alice, 3, channel="chat")
    centre.set_capacity(alice, 0, channel="sms")
    for channel, capacity in (("voice", 2), ("chat", 3), ("sms", 0), ("video", 1), ("default", 1)):
        tasks = [centre.add_task(channel=channel) for _ in range(4)]
        assert _offered(centre, *tasks) == capacity
        assert centre.channel(alice, channel).assigned_tasks == capacity
    assert centre.activity_of(alice) == "Available", "multitasking never moves it"


def test_what_comes_back_is_given_out_again(scratch: Centre) -> None:
    scratch.add_worker("alice", capacity=2)
    tasks = [scratch.add_task() for _ in range(4)]
    assert scratch.served(*tasks) == [0, 1, 2, 3]


def test_a_raised_capacity_is_used_at_once_and_a_lowered_one_takes_nothing_away(
    scratch: Centre,
) -> None:
    alice = scratch.add_worker("alice")
    tasks = [scratch.add_task() for _ in range(4)]
    scratch.set_capacity(alice, 3)
    scratch.route()
    assert _offered(scratch, *tasks) == 3
    scratch.set_capacity(alice, 1)
    scratch.route()
    assert _offered(scratch, *tasks) == 3
    for task in tasks[:2]:
        scratch.accept(task)
        scratch.complete(task)
    assert scratch.status(tasks[3]) == "pending"
    scratch.accept(tasks[2])
    scratch.complete(tasks[2])
    assert scratch.status(tasks[3]) == "reserved"


def test_a_channel_that_is_switched_off_keeps_its_capacity_and_its_tasks(centre: Centre) -> None:
    alice = centre.add_worker("alice", capacity=2)
    first = centre.add_task()
    centre.switch(alice, available=False)
    second = centre.add_task()
    chat = centre.add_task(channel="chat")
    assert centre.offered_to(second) is None
    assert centre.offered_to(chat) == "alice", "the other channels stay on"
    centre.accept(first)
    assert centre.channel(alice).configured_capacity == 2
    assert centre.channel(alice).assigned_tasks == 1
    centre.switch(alice, available=True)
    assert centre.offered_to(second) == "alice"


def test_wrapping_still_takes_the_capacity(scratch: Centre) -> None:
    alice = scratch.add_worker("alice")
    first, second = scratch.add_task(), scratch.add_task()
    scratch.accept(first)
    scratch.wrap_up(first)
    assert scratch.channel(alice).assigned_tasks == 1
    assert scratch.offered_to(second) is None
    scratch.complete(first)
    assert scratch.offered_to(second) == "alice"


def test_a_worker_in_an_unavailable_activity_keeps_what_it_has_and_gets_nothing_new(
    scratch: Centre,
) -> None:
    alice = scratch.add_worker("alice", capacity=3)
    first, second = scratch.add_task(), scratch.add_task()
    scratch.accept(first)
    scratch.move(alice, "Unavailable")
    third = scratch.add_task()
    assert scratch.offered_to(third) is None
    assert scratch.status(second) == "reserved"
    scratch.accept(second)
    scratch.complete(first)
    assert scratch.channel(alice).assigned_tasks == 1


@pytest.mark.parametrize(
    ("assigned", "configured", "free"),
    [(0, 1, 100), (1, 1, 0), (3, 4, 25), (2, 4, 50), (2, 3, 33), (1, 3, 66), (0, 0, 0), (2, 1, 0)],
)
def test_the_free_share_is_the_guides_formula(assigned: int, configured: int, free: int) -> None:
    assert available_capacity_percentage(assigned, configured) == free
