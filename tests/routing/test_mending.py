"""After-work that takes too long ends, and Tasks that nobody has any more are mended."""

import dataclasses
from collections.abc import Mapping

import pytest

from routing import sids
from routing.engine import mending
from routing.ports import Work
from tests.routing.centre import Centre


def wrapping(centre: Centre) -> tuple[str, str]:
    worker = centre.add_worker("Alice")
    task = centre.add_task()
    centre.accept(task)
    centre.wrap_up(task)
    return worker, task


def end(centre: Centre, limits: Mapping[str, int]) -> int:
    return len(centre.engine.perform(mending.end_after_work, limits=limits))


def test_after_work_ends_at_its_limit_and_the_capacity_comes_back(centre: Centre) -> None:
    worker, task = wrapping(centre)
    centre.clock.advance(119)
    assert end(centre, {mending.ALL: 120}) == 0
    centre.clock.advance(1)
    assert end(centre, {mending.ALL: 120}) == 1
    assert centre.status(task) == "completed"
    assert centre.channel(worker).assigned_tasks == 0
    assert end(centre, {mending.ALL: 120}) == 0


@pytest.mark.parametrize("of_queue", [True, False])
def test_the_limit_of_the_queue_comes_before_that_of_the_workspace(
    centre: Centre, of_queue: bool
) -> None:
    wrapping(centre)
    limits = {mending.ALL: 1000, centre.workspace_sid: 500}
    if of_queue:
        limits[centre.queue_sid] = 60
    centre.clock.advance(60)
    assert end(centre, limits) == (1 if of_queue else 0)


def test_without_a_limit_after_work_takes_as_long_as_it_takes(centre: Centre) -> None:
    wrapping(centre)
    centre.clock.advance(80_000)
    assert end(centre, {"WQ" + "0" * 32: 1}) == 0


@pytest.mark.parametrize("of_the_others", [None, 100_000])
def test_however_many_may_take_longer_those_who_may_not_are_ended(
    centre: Centre, of_the_others: int | None
) -> None:
    _worker, task = wrapping(centre)
    offer = centre.offer(task)

    def crowd(work: Work) -> None:
        known = work.tasks.get(task)
        assert known is not None
        for _ in range(2 * mending.LOOKED_AT + 1):
            another = dataclasses.replace(known, sid=sids.new_sid(sids.TASK))
            work.tasks.add(another)
            sid = sids.new_sid(sids.RESERVATION)
            work.reservations.add(dataclasses.replace(offer, sid=sid, task_sid=another.sid))

    centre.engine.perform(crowd)
    limited = centre.add_queue("Limited")
    flow = centre.add_workflow(default={"queue": limited})
    centre.add_worker("Bob")
    centre.clock.advance(10)
    other = centre.add_task(workflow=flow)
    centre.accept(other)
    centre.wrap_up(other)
    limits = {limited: 60}
    if of_the_others is not None:
        limits[centre.workspace_sid] = of_the_others
    centre.clock.advance(59)
    assert end(centre, limits) == 0
    centre.clock.advance(1)
    assert end(centre, limits) == 1
    assert centre.status(other) == "completed"
    assert centre.status(task) == "wrapping"


def mend(centre: Centre) -> list[str]:
    deserted = centre.engine.read(mending.deserted, workspace_sid=centre.workspace_sid)
    return centre.engine.perform(mending.mend_tasks, task_sids=deserted)


@pytest.mark.parametrize("wraps", [True, False])
def test_a_task_that_nobody_has_is_mended(centre: Centre, wraps: bool) -> None:
    worker, task = wrapping(centre) if wraps else (centre.add_worker("Alice"), centre.add_task())
    if not wraps:
        centre.accept(task)
    offer = centre.offer(task)
    centre.engine.perform(lambda work: work.reservations.remove(offer.sid))
    centre.engine.perform(lambda work: work.free_capacity(offer.worker_channel_sid))
    centre.clock.advance(mending.GRACE_SECONDS - 1)
    assert mend(centre) == [], "not at once"
    centre.clock.advance(1)
    assert mend(centre) == [task]
    assert centre.status(task) == ("completed" if wraps else "pending")
    assert mend(centre) == []
    assert centre.channel(worker).assigned_tasks == 0


def test_a_task_that_nobody_has_is_mended_however_many_others_somebody_has_for_longer(
    centre: Centre,
) -> None:
    _worker, task = wrapping(centre)
    offer = centre.offer(task)

    def crowd(work: Work) -> str:
        known = work.tasks.get(task)
        assert known is not None
        for _ in range(2 * mending.LOOKED_AT):
            another = dataclasses.replace(known, sid=sids.new_sid(sids.TASK))
            work.tasks.add(another)
            sid = sids.new_sid(sids.RESERVATION)
            work.reservations.add(dataclasses.replace(offer, sid=sid, task_sid=another.sid))
        lost = dataclasses.replace(known, sid=sids.new_sid(sids.TASK), updated_at=work.now + 1)
        work.tasks.add(lost)
        return lost.sid

    lost = centre.engine.perform(crowd)
    centre.clock.advance(mending.GRACE_SECONDS + 1)
    assert mend(centre) == [lost]
    assert centre.status(lost) == "completed"


def test_tasks_that_somebody_has_are_left_alone(centre: Centre) -> None:
    _worker, task = wrapping(centre)
    centre.clock.advance(10_000)
    assert mend(centre) == []
    assert centre.engine.perform(mending.mend_tasks, task_sids=[task]) == []
    assert centre.status(task) == "wrapping"
