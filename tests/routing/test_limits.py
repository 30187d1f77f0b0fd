"""How long a task may wait or stay assigned."""

import pytest

from routing.errors import NotFound
from routing.task import MAX_ASSIGNED_SECONDS
from tests.routing.centre import Centre


@pytest.mark.parametrize("wraps_up", [False, True])
def test_a_task_that_nobody_completes_is_removed_after_a_day(
    centre: Centre, *, wraps_up: bool
) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task(timeout_seconds=60)
    centre.pass_time(10)
    offer = centre.accept(task)
    if wraps_up:
        centre.wrap_up(task)
    centre.pass_time(MAX_ASSIGNED_SECONDS - 1)
    assert centre.status(task) == ("wrapping" if wraps_up else "assigned")
    centre.pass_time(1)
    assert centre.task_sids() == []
    assert centre.channel(alice).assigned_tasks == 0
    assert centre.story(offer.sid)[-1] == "reservation.completed"
    assert centre.events()[-1] == "task.system-deleted"
    assert "task.deleted" not in centre.events()
    with pytest.raises(NotFound):
        centre.complete(task)
    assert centre.offered_to(centre.add_task()) == "alice"


def test_a_completed_task_has_no_deadline_left(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    centre.accept(task)
    assert centre.next_deadline() is not None
    centre.complete(task)
    assert centre.next_deadline() is None
    centre.pass_time(2 * MAX_ASSIGNED_SECONDS)
    assert centre.status(task) == "completed"


def test_a_task_that_comes_back_has_its_first_time_to_live(scratch: Centre) -> None:
    scratch.add_worker("alice")
    task = scratch.add_task(timeout_seconds=60)
    created_at = scratch.task(task).created_at
    accepted = scratch.accept(task)
    scratch.answer("cancel", accepted.sid, reason="busy")
    assert scratch.task(task).expires_at == created_at + 60_000
