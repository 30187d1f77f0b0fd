"""Many at once over the same reservations, on both databases: one wins, and the others are told.

Real threads that start together at a barrier; nothing is slept for or timed.
"""

import random
import threading
from collections.abc import Callable, Sequence

import pytest

from routing.background.router import Router
from routing.engine import instructions, reservations, tasks, workers
from routing.errors import RoutingError
from tests.routing import invariants
from tests.routing.centre import Centre

THREADS = 16

Deed = Callable[[], object]


def at_once(deeds: Sequence[Deed]) -> list[object]:
    """Does each in a thread of its own, all from the same moment: what each gave back or raised."""
    barrier = threading.Barrier(len(deeds))
    results: list[object] = [None] * len(deeds)

    def run(place: int, deed: Deed) -> None:
        barrier.wait()
        try:
            results[place] = deed()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[place] = error

    threads = [threading.Thread(target=run, args=(place, deed)) for place, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def winners(results: Sequence[object]) -> int:
    """How many did it. The others were refused, in a way that a client is told of; nothing else."""
    for result in results:
        if isinstance(result, Exception):
            assert isinstance(result, RoutingError), repr(result)
            assert 400 <= result.status < 500
    return sum(result is not False and not isinstance(result, Exception) for result in results)


def _ways_to_end_an_offer(centre: Centre, task: str, offer: str) -> list[Deed]:
    perform = centre.engine.perform
    where = {"workspace_sid": centre.workspace_sid, "task_sid": task}
    return [
        lambda: perform(reservations.accept, reservation_sid=offer),
        lambda: perform(reservations.reject, reservation_sid=offer),
        lambda: perform(reservations.time_out, reservation_sid=offer),
        lambda: perform(reservations.cancel, reservation_sid=offer, reason="busy"),
        lambda: perform(tasks.cancel, **where),
        lambda: perform(tasks.expire, task_sid=task),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_an_offer_ends_in_one_way(centre: Centre, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - the same race again
    alice = centre.add_worker("alice", capacity=10)
    for _ in range(4):
        task = centre.add_task(timeout_seconds=30)
        offer = centre.offer(task).sid
        centre.clock.advance(30)
        ways = _ways_to_end_an_offer(centre, task, offer)
        winners(at_once([draw.choice(ways) for _ in range(THREADS)]))
        state = centre.reservation(offer).reservation_status
        assert state in {"accepted", "rejected", "timeout", "canceled"}
        created, *told = centre.story(offer)
        assert created == "reservation.created"
        taken_back = ["reservation.accepted", "reservation.canceled"]
        assert told in ([f"reservation.{state}"], taken_back)
        invariants.check_store(centre.store)
        centre.move(alice, "Available")


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_of_many_who_say_the_same_one_is_heard(centre: Centre, verb: str) -> None:
    centre.add_worker("alice")
    offer = centre.offer(centre.add_task()).sid
    deed = getattr(reservations, verb)
    results = at_once(
        [lambda: centre.engine.perform(deed, reservation_sid=offer) for _ in range(THREADS)]
    )
    assert winners(results) == 1
    assert centre.events(f"reservation.{verb}ed") == [f"reservation.{verb}ed"]
    invariants.check_store(centre.store)


def test_of_many_workers_asked_at_once_one_has_the_task(centre: Centre) -> None:
    centre.change_queue(max_reserved_workers=THREADS)
    for number in range(THREADS):
        centre.add_worker(f"worker {number}")
    for _ in range(3):
        task = centre.add_task()
        offers = [offer.sid for offer in centre.reservations(task)]
        assert len(offers) == THREADS
        deeds: list[Deed] = [
            lambda sid=sid: centre.engine.perform(  # type: ignore[misc]
                reservations.accept, reservation_sid=sid
            )
            for sid in offers
        ]
        results = at_once(deeds)
        assert winners(results) == 1
        assert {result.status for result in results if isinstance(result, RoutingError)} == {410}
        invariants.check_store(centre.store, at_once=THREADS)
        centre.complete(task)


def test_completing_wrapping_up_and_failing_agree_on_one_end(centre: Centre) -> None:
    perform = centre.engine.perform
    centre.add_worker("alice", capacity=10)
    for _ in range(4):
        task = centre.add_task()
        offer = centre.accept(task).sid
        made = perform(instructions.bridge_accepted, reservation_sid=offer, parameters={})
        assert made is not None
        instruction = made.sid
        where = {"workspace_sid": centre.workspace_sid, "task_sid": task}
        ways: list[Deed] = [
            lambda where=where: perform(tasks.complete, **where),  # type: ignore[misc]
            lambda where=where: perform(tasks.wrap_up, **where),  # type: ignore[misc]
            lambda sid=offer: perform(reservations.complete, reservation_sid=sid),  # type: ignore[misc]
            lambda sid=instruction: perform(  # type: ignore[misc]
                instructions.fail, instruction_sid=sid, failure="busy"
            ),
            lambda sid=instruction: perform(instructions.succeed, instruction_sid=sid),  # type: ignore[misc]
            lambda where=where: perform(tasks.delete, **where),  # type: ignore[misc]
        ]
        winners(at_once([ways[place % len(ways)] for place in range(THREADS)]))
        invariants.check_store(centre.store)
        for worker in centre.all_workers():
            centre.move(worker.sid, "Available")


def test_capacity_is_never_given_twice(centre: Centre) -> None:
    alice = centre.add_worker("alice", activity="Offline", capacity=3)
    waiting = [centre.add_task() for _ in range(THREADS)]
    centre.engine.perform(
        workers.update,
        workspace_sid=centre.workspace_sid,
        worker_sid=alice,
        activity_sid=centre.activity("Available"),
    )
    claims: list[Deed] = [
        lambda sid=sid: centre.engine.perform(  # type: ignore[misc]
            reservations.reserve, task_sid=sid, worker_sid=alice
        )
        for sid in waiting
    ]
    results = at_once(claims)
    assert sum(result is not None for result in results) == 3
    assert not any(isinstance(result, Exception) for result in results)
    invariants.check_store(centre.store)


def test_a_worker_who_leaves_while_it_answers_is_dealt_with_once(centre: Centre) -> None:
    offline = centre.activity("Offline")
    alice = centre.add_worker("alice", capacity=8)
    for _ in range(3):
        offers = [centre.offer(centre.add_task()).sid for _ in range(8)]
        deeds: list[Deed] = [
            lambda sid=sid: centre.engine.perform(  # type: ignore[misc]
                reservations.accept, reservation_sid=sid
            )
            for sid in offers
        ]
        deeds.append(
            lambda: centre.engine.perform(
                workers.update,
                workspace_sid=centre.workspace_sid,
                worker_sid=alice,
                activity_sid=offline,
                reject_pending_reservations=True,
            )
        )
        winners(at_once(deeds))
        invariants.check_store(centre.store)
        for sid in centre.task_sids():
            if centre.status(sid) == "assigned":
                centre.complete(sid)
            elif centre.status(sid) != "completed":
                centre.engine.perform(
                    tasks.delete, workspace_sid=centre.workspace_sid, task_sid=sid
                )
        centre.move(alice, "Available")


def test_two_routers_at_once_never_book_twice(centre: Centre) -> None:
    for number in range(6):
        centre.add_worker(f"worker {number}", capacity=2)
    routers = []
    for number in range(3):
        router = Router(centre.engine)
        router.start()
        routers.append(router.step(centre.store, f"router {number}"))

    def route(step: Callable[[], bool | float]) -> None:
        while step():
            pass

    def create() -> None:
        for _ in range(5):
            centre.engine.perform(
                tasks.create,
                workspace_sid=centre.workspace_sid,
                workflow_sid=centre.workflow_sid,
                task_channel="voice",
            )

    results = at_once(
        [*[lambda step=step: route(step) for step in routers], create, create, create, create]
    )
    assert not any(isinstance(result, Exception) for result in results), results
    for step in routers:
        route(step)
    invariants.check_store(centre.store)
    invariants.check_nobody_waits_in_vain(centre.store)
    assert sum(centre.status(sid) == "reserved" for sid in centre.task_sids()) == 12
