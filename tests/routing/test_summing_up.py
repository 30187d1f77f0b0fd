"""The follower that keeps the sums: nothing twice, nothing left out, whoever else does the same."""

import pytest

from routing.background.statistics import StatisticsFollower
from routing.engine import statistics, workspaces
from routing.errors import Conflict
from routing.statistics import facts
from routing.statistics.period import DAY, Period, Span
from routing.store.statistics import bucketed
from tests.routing.centre import Centre


def created(centre: Centre) -> int:
    """How many Tasks were created in the last day, as statistics tell."""
    now = centre.clock.now()
    found = centre.engine.read(
        statistics.tallies,
        workspace_sid=centre.workspace_sid,
        subject_sids=[centre.workspace_sid],
        period=Period(start=now - DAY, end=now),
    )
    return found[centre.workspace_sid].counts["tasks_created"]


def unread(centre: Centre) -> int:
    return len(centre.store.read(lambda work: work.statistics.unread(centre.workspace_sid)))


def sum_up(follower: StatisticsFollower) -> None:
    while follower.step():
        pass


def test_two_who_sum_up_the_same_log_count_nothing_twice(centre: Centre) -> None:
    one, other = StatisticsFollower(centre.store), StatisticsFollower(centre.store)
    for number in range(4):
        centre.add_task()
        sum_up(one if number % 2 else other)
        centre.add_task()
        sum_up(other)
        sum_up(one)  # believes that it is where it was, until it is told
        sum_up(one)
    assert created(centre) == 8
    assert unread(centre) == 0


def test_a_follower_that_begins_anew_goes_on_where_the_last_one_was(centre: Centre) -> None:
    for _ in range(3):
        centre.add_task()
        sum_up(StatisticsFollower(centre.store))
        assert unread(centre) == 0
    assert created(centre) == 3


def test_sums_from_another_place_in_the_log_are_refused_whole(centre: Centre) -> None:
    centre.add_task()
    events = centre.store.event_log("another", facts.CONCERNS).read(100)
    reading = facts.read(events, {})
    with pytest.raises(Conflict):
        centre.store.perform(
            lambda work: work.statistics.write(
                reading, bucketed(reading.facts), after=5, position=events[-1].position
            )
        )
    assert created(centre) == 1
    assert unread(centre) == len(events)


def test_many_events_are_summed_up_in_many_steps(scratch: Centre) -> None:
    for _ in range(150):
        scratch.add_task()
    sum_up(StatisticsFollower(scratch.store))
    assert unread(scratch) == 0
    assert created(scratch) == 150


def test_nothing_is_left_of_a_workspace_that_was_deleted(centre: Centre) -> None:
    centre.add_worker("Alice")
    centre.add_task()
    centre.clock.advance(10)
    centre.move(centre.all_workers()[0].sid, "Offline")
    follower = StatisticsFollower(centre.store)
    sum_up(follower)
    period = Period(start=0, end=centre.clock.now())
    span = Span(begin=0, end=centre.clock.now())

    activities = list(centre.set_up().activities)

    def left() -> tuple[int, int]:
        def query(work):
            tallies = work.statistics.tallies(
                centre.workspace_sid,
                [centre.workspace_sid],
                period.parts(),
                task_channel_sid=None,
                with_spreads=False,
            )
            stays = work.statistics.stays(centre.workspace_sid, activities, span, None)
            return tallies[centre.workspace_sid].counts.total(), len(stays)

        found: tuple[int, int] = centre.store.read(query)
        return found

    assert left() != (0, 0)
    centre.engine.perform(workspaces.delete, workspace_sid=centre.workspace_sid)
    sum_up(follower)
    assert left() == (0, 0)


def test_a_further_target_of_the_same_queue_is_no_new_arrival(scratch: Centre) -> None:
    flow = scratch.add_workflow(
        {
            "expression": "1==1",
            "targets": [
                {"queue": scratch.queue_sid, "timeout": 10},
                {"queue": scratch.queue_sid, "timeout": 20, "priority": 5},
            ],
        }
    )
    scratch.add_task(workflow=flow)
    scratch.pass_time(11)
    now = scratch.clock.now()
    found = scratch.engine.read(
        statistics.tallies,
        workspace_sid=scratch.workspace_sid,
        subject_sids=[scratch.queue_sid],
        period=Period(start=now - DAY, end=now),
    )[scratch.queue_sid]
    assert (found.counts["tasks_entered"], found.counts["tasks_moved"]) == (1, 0)
