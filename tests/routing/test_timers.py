"""What falls due at the same moment is done together, and each as if it were alone."""

import pytest

from routing import timers
from routing.engine import reservations, tasks
from routing.store import BrokenInvariant
from tests.routing import invariants
from tests.routing.centre import Centre

#: More than share a transaction.
MANY = timers.TOGETHER + 3


def test_offers_that_run_out_together_all_run_out(centre: Centre) -> None:
    centre.change_workspace(timeout_activity_sid=centre.activity("Offline"))
    for number in range(MANY):
        centre.add_worker(f"worker {number}")
    waiting = [centre.add_task() for _ in range(MANY)]
    centre.pass_time(120)
    assert {centre.status(task) for task in waiting} == {"pending"}
    assert centre.events("reservation.timeout") == ["reservation.timeout"] * MANY
    assert {worker.activity_sid for worker in centre.all_workers()} == {centre.activity("Offline")}
    invariants.check_store(centre.store)


def test_tasks_that_expire_together_all_expire(centre: Centre) -> None:
    alice = centre.add_worker("alice", capacity=5)
    waiting = [centre.add_task(timeout_seconds=60) for _ in range(MANY)]
    centre.pass_time(60)
    assert {centre.status(task) for task in waiting} == {"canceled"}
    assert {centre.task(task).reason for task in waiting} == {tasks.TTL_EXCEEDED}
    assert centre.channel(alice).assigned_tasks == 0
    invariants.check_store(centre.store)


def test_one_that_cannot_be_done_keeps_nobody_else_from_being_done(centre: Centre) -> None:
    workers = [centre.add_worker(f"worker {number}") for number in range(3)]
    offered = [centre.add_task() for _ in workers]
    broken = centre.channel(workers[1])
    # Nothing in the engine does this; somebody's hand in the database might.
    centre.store.perform(lambda work: work.worker_channels.change(broken.sid, assigned_tasks=0))
    centre.clock.advance(120)
    with pytest.raises(BrokenInvariant, match=broken.sid):
        timers.advance(centre.engine)
    ended = [each for task in offered for each in centre.reservations(task)]
    states = {each.worker_sid: each.reservation_status for each in ended}
    assert states == {workers[0]: "timeout", workers[1]: "pending", workers[2]: "timeout"}


def test_what_was_answered_meanwhile_is_left_alone(centre: Centre) -> None:
    for number in range(2):
        centre.add_worker(f"worker {number}")
    first, second = (centre.add_task() for _ in range(2))
    offers = [centre.offer(task).sid for task in (first, second)]
    centre.accept(first)
    centre.clock.advance(120)
    gone = [*offers, "WR" + "0" * 32]
    centre.engine.perform(reservations.time_out_all, gone)
    centre.engine.perform(tasks.expire_all, [first, second, "WT" + "0" * 32])
    centre.engine.perform(tasks.leave_step_all, [first, second, "WT" + "0" * 32])
    assert [centre.status(task) for task in (first, second)] == ["assigned", "pending"]
