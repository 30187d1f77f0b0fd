"""The router as such: late, interrupted, restarted, beside another one."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from routing import timers
from routing.background.router import Router
from routing.engine import Engine, queues, workspaces
from routing.ports import Work
from routing.store import StoreUnavailable
from routing.store.store import SqlStore
from tests.routing.centre import Centre

Result = TypeVar("Result")


class Unsteady:
    """A store that fails to write as often as it is told to, and counts what is read at length."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.failures = 0
        self.reads = 0

    def perform(self, verb: Callable[[Work], Result], *, only_adds: bool = False) -> Result:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("The database does not answer.")
        return self._store.perform(verb, only_adds=only_adds)

    def read(self, query: Callable[[Work], Result]) -> Result:
        self.reads += 1
        return self._store.read(query)

    def glance(self, query: Callable[[Work], Result]) -> Result:
        return self._store.glance(query)


def test_what_could_not_be_claimed_is_offered_when_the_database_is_back(scratch: Centre) -> None:
    store = Unsteady(scratch.store)
    scratch.router = Router(Engine(store, scratch.clock))
    scratch.router.start()
    tasks = [scratch.add_task() for _ in range(3)]
    scratch.add_worker("alice", capacity=3)
    store.failures = 1
    with pytest.raises(StoreUnavailable):
        scratch.route()
    scratch.route()
    assert {scratch.offered_to(task) for task in tasks} == {"alice"}


def test_events_of_a_workspace_that_is_gone_by_now_do_no_harm(scratch: Centre) -> None:
    elsewhere = Centre(scratch.store, scratch.engine, scratch.clock)
    elsewhere.add_worker("alice")
    elsewhere.route()
    scratch.route()
    elsewhere.change_task(elsewhere.add_task(), priority=3)
    events = scratch.store.event_log("late").read(1000)
    scratch.engine.perform(workspaces.delete, workspace_sid=elsewhere.workspace_sid)
    before_the_end = [event for event in events if event.type == "task.updated"]
    assert before_the_end
    scratch.router.follow(before_the_end)
    scratch.route()
    assert scratch.router.waiting() == 0


def test_a_router_that_starts_offers_what_already_waits(centre: Centre) -> None:
    task = centre.add_task()
    centre.add_worker("alice")
    assert centre.offered_to(task) is None, "nobody has told the router yet"
    Router(centre.engine).start()
    assert centre.offered_to(task) == "alice"


def test_reading_events_twice_or_late_changes_nothing(scratch: Centre) -> None:
    scratch.add_worker("alice", capacity=2)
    first, second = scratch.add_task(), scratch.add_task()
    scratch.accept(first)
    scratch.complete(first)
    scratch.cancel(second)
    before = scratch.picture()
    events = scratch.store.event_log("again").read(1000)
    scratch.router.follow(events)
    for event in reversed(events):
        scratch.router.follow([event])
    assert scratch.picture() == before


def test_a_task_that_has_moved_on_is_not_offered_where_it_stood(centre: Centre) -> None:
    first, second = (centre.add_queue(name, f'team == "{name}"') for name in ("one", "two"))
    targets = [{"queue": first, "timeout": 10}, {"queue": second}]
    flow = centre.add_workflow({"expression": "1==1", "targets": targets})
    task = centre.add_task(workflow=flow)
    centre.clock.advance(10)
    timers.advance(centre.engine)
    centre.add_worker("alice", team="one")
    news = centre.store.event_log("late").read(1000)
    centre.router.follow([event for event in news if event.type == "worker.created"])
    assert (centre.offered_to(task), centre.queue_of(task)) == (None, "two")
    centre.add_worker("bob", team="two")
    centre.route()
    assert centre.offered_to(task) == "bob"


def test_two_routers_that_look_at_the_same_moment_offer_each_task_once(centre: Centre) -> None:
    second = Router(centre.engine)
    second.start()
    for name in ("alice", "bob"):
        centre.add_worker(name, capacity=2)
    tasks = [centre.add_task() for _ in range(6)]
    second.follow(centre.store.event_log("second").read(1000))
    centre.route()
    assert sum(centre.offered_to(task) is not None for task in tasks) == 4
    assert [centre.channel(worker.sid).assigned_tasks for worker in centre.all_workers()] == [2, 2]


def test_a_set_up_that_changes_is_taken_in_without_reading_everything_anew(
    scratch: Centre,
) -> None:
    store = Unsteady(scratch.store)
    scratch.router = Router(Engine(store, scratch.clock))
    scratch.router.start()
    trained = scratch.add_queue("Trained", "level >= 2")
    flow = scratch.add_workflow(default={"queue": trained})
    scratch.add_worker("alice", level=1)
    scratch.add_worker("bob", level=1, activity="Unavailable")
    first = scratch.add_task(workflow=flow)
    scratch.route()
    store.reads = 0
    assert scratch.offered_to(first) is None
    scratch.change_queue(trained, target_workers="level == 1")
    scratch.route()
    assert scratch.offered_to(first) == "alice"
    scratch.change_queue(trained, target_workers='activity_name == "Lunch"')
    pause = scratch.activity("Unavailable")
    counted = scratch.add_workflow(
        default={"queue": trained, "skip_if": "workers.unavailable == 1"}, name="Counted"
    )
    scratch.engine.perform(
        workspaces.rename_activity,
        workspace_sid=scratch.workspace_sid,
        activity_sid=pause,
        friendly_name="Lunch",
    )
    scratch.route()
    assert scratch.status(scratch.add_task(workflow=counted)) == "canceled", "bob is at lunch"
    scratch.engine.perform(
        workspaces.create_task_channel,
        workspace_sid=scratch.workspace_sid,
        friendly_name="Fax",
        unique_name="fax",
    )
    scratch.route()
    scratch.add_worker("carol")
    fax = scratch.add_task(channel="fax")
    assert scratch.offered_to(fax) in {"alice", "carol"}
    gone = scratch.add_queue("Gone")
    scratch.engine.perform(queues.delete, workspace_sid=scratch.workspace_sid, task_queue_sid=gone)
    scratch.route()
    assert store.reads == 0


def test_rules_of_the_workspace_that_change_hold_for_those_who_wait_already(
    scratch: Centre,
) -> None:
    newest = scratch.add_queue("Newest", task_order="LIFO")
    lifo = scratch.add_workflow(default={"queue": newest}, name="Newest")
    in_turn, last = scratch.add_task(), scratch.add_task(workflow=lifo)
    scratch.change_workspace(prioritize_queue_order="LIFO")
    scratch.route()
    scratch.add_worker("alice")
    scratch.route()
    assert (scratch.offered_to(last), scratch.offered_to(in_turn)) == ("alice", None)


def test_a_queue_whose_order_changes_serves_those_who_wait_in_the_new_one(scratch: Centre) -> None:
    first, second = scratch.add_task(), scratch.add_task()
    scratch.change_queue(task_order="LIFO")
    scratch.add_worker("alice")
    scratch.route()
    assert (scratch.offered_to(first), scratch.offered_to(second)) == (None, "alice")
