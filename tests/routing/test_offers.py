"""Offers: to several workers at once, rejected, moved away from, taken back."""

import pytest

from routing.engine import reservations
from routing.engine import workers as worker_verbs
from routing.errors import Gone, InvalidParameter, NotFound, PreconditionFailed
from routing.ports import Work
from routing.reservation import Reservation
from routing.task import MAX_ASSIGNMENT_COUNT
from tests.routing.centre import Centre


def _three(centre: Centre) -> list[str]:
    centre.change_queue(max_reserved_workers=3)
    workers = [centre.add_worker(name) for name in ("alice", "bob", "carol", "dave")]
    centre.route()
    return workers


def test_a_queue_may_ask_three_workers_at_once_and_the_losers_are_told(centre: Centre) -> None:
    everybody = _three(centre)
    task = centre.add_task()
    offers = centre.reservations(task)
    assert len({offer.worker_sid for offer in offers}) == 3
    assert centre.task(task).assignment_count == 1, "one burst counts once"

    winner, *losers = offers
    centre.answer("accept", winner.sid)
    assert centre.status(task) == "assigned"
    assert centre.reservation(winner.sid).reservation_status == "accepted"
    for loser in losers:
        assert centre.reservation(loser.sid).reservation_status == "rescinded"
        with pytest.raises(Gone) as refusal:
            centre.answer("accept", loser.sid)
        assert refusal.value.status == 410
    loads = [centre.channel(worker).assigned_tasks for worker in everybody]
    assert sorted(loads) == [0, 0, 0, 1]
    assert centre.events("reservation.rescinded") == ["reservation.rescinded"] * 2


def test_a_task_waits_again_only_when_the_last_of_them_has_rejected(centre: Centre) -> None:
    everybody = _three(centre)
    for worker in everybody[3:]:
        centre.move(worker, "Offline")
    task = centre.add_task()
    offers = centre.reservations(task)
    offline = centre.activity("Offline")
    for offer in offers[:2]:
        centre.answer("reject", offer.sid, worker_activity_sid=offline)
        assert centre.status(task) == "reserved"
    centre.answer("reject", offers[2].sid, worker_activity_sid=offline)
    assert centre.status(task) == "pending"


def test_with_fewer_free_workers_than_asked_for_those_are_asked(scratch: Centre) -> None:
    scratch.change_queue(max_reserved_workers=3)
    scratch.add_worker("alice")
    scratch.add_worker("bob")
    assert len(scratch.reservations(scratch.add_task())) == 2


def test_a_smaller_number_to_ask_holds_for_the_next_task(scratch: Centre) -> None:
    _three(scratch)
    scratch.change_queue(max_reserved_workers=2)
    assert len(scratch.reservations(scratch.add_task())) == 2


def test_a_larger_number_to_ask_holds_for_the_next_task(scratch: Centre) -> None:
    _three(scratch)
    scratch.change_queue(max_reserved_workers=4)
    assert len(scratch.reservations(scratch.add_task())) == 4


def test_rejecting_may_name_an_activity(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    centre.reject(task, worker_activity_sid=centre.activity("Unavailable"))
    assert centre.activity_of(alice) == "Unavailable"
    assert centre.status(task) == "pending"
    assert centre.channel(alice).assigned_tasks == 0


def test_rejecting_without_one_may_bring_the_task_straight_back(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    centre.reject(task)
    assert centre.offered_to(task) == "alice"
    statuses = {each.reservation_status for each in centre.reservations(task)}
    assert statuses == {"rejected", "pending"}
    assert centre.task(task).assignment_count == 2


def test_rejecting_into_an_activity_that_does_not_exist_changes_nothing(centre: Centre) -> None:
    centre.add_worker("alice")
    offer = centre.offer(centre.add_task())
    before = centre.picture()
    with pytest.raises(InvalidParameter, match="WorkerActivitySid"):
        centre.answer("reject", offer.sid, worker_activity_sid="WA" + "0" * 32)
    assert centre.picture() == before


def test_a_worker_who_leaves_may_reject_its_pending_offers_in_leaving(centre: Centre) -> None:
    alice = centre.add_worker("alice", capacity=3)
    accepted = centre.add_task()
    centre.accept(accepted)
    pending = [centre.add_task(), centre.add_task()]
    centre.change_worker(
        alice, activity_sid=centre.activity("Offline"), reject_pending_reservations=True
    )
    assert [centre.status(task) for task in pending] == ["pending", "pending"]
    assert centre.status(accepted) == "assigned"
    assert centre.channel(alice).assigned_tasks == 1
    assert centre.events("reservation.rejected", "worker.activity.update") == [
        "reservation.rejected",
        "reservation.rejected",
        "worker.activity.update",
    ]


def test_a_worker_who_just_leaves_keeps_its_pending_offers(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    centre.move(alice, "Offline")
    assert centre.status(task) == "reserved"
    centre.accept(task)
    assert centre.status(task) == "assigned"


@pytest.mark.parametrize("activity", ["Available", None])
def test_pending_offers_are_not_rejected_on_the_way_to_an_available_activity(
    centre: Centre, activity: str | None
) -> None:
    alice = centre.add_worker("alice")
    centre.add_task()
    before = centre.picture()
    sid = centre.activity(activity) if activity else None
    with pytest.raises(InvalidParameter, match="RejectPendingReservations"):
        centre.change_worker(alice, activity_sid=sid, reject_pending_reservations=True)
    assert centre.picture() == before


def test_a_stale_version_is_refused_and_changes_nothing(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    offer = centre.offer(centre.add_task())
    version = centre.worker(alice).version
    before = centre.picture()
    for verb in ("accept", "reject"):
        with pytest.raises(PreconditionFailed):
            centre.answer(verb, offer.sid, if_match=offer.version + 1)
    with pytest.raises(PreconditionFailed):
        centre.change_worker(
            alice,
            activity_sid=centre.activity("Offline"),
            reject_pending_reservations=True,
            if_match=version - 1,
        )
    assert centre.picture() == before
    centre.answer("accept", offer.sid, if_match=offer.version)


def test_an_offer_is_found_under_its_own_task_and_worker_only(centre: Centre) -> None:
    alice, bob = centre.add_worker("alice"), centre.add_worker("bob")
    first, second = centre.add_task(), centre.add_task()
    offer = centre.offer(first)
    other = bob if offer.worker_sid == alice else alice

    def found(**where: str) -> Reservation:
        return centre.engine.read(
            reservations.find,
            workspace_sid=centre.workspace_sid,
            reservation_sid=offer.sid,
            **where,
        )

    assert found() == found(task_sid=first) == found(worker_sid=offer.worker_sid) == offer
    for wrong in ({"task_sid": second}, {"worker_sid": other}):
        with pytest.raises(NotFound):
            found(**wrong)


def test_a_task_that_was_offered_a_thousand_times_is_canceled(scratch: Centre) -> None:
    scratch.add_worker("alice")
    task = scratch.add_task()

    def count_up(work: Work) -> None:
        work.tasks.change(task, assignment_count=MAX_ASSIGNMENT_COUNT - 1)

    scratch.engine.perform(count_up)
    scratch.reject(task)
    assert scratch.task(task).assignment_count == MAX_ASSIGNMENT_COUNT
    scratch.reject(task)
    assert scratch.status(task) == "canceled"
    assert scratch.task(task).reason == "Task TTL Exceeded or Max assignment count exceeded"


def test_nothing_is_claimed_twice_from_proposals_that_are_out_of_date(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    first = centre.add_task()
    centre.move(alice, "Offline")
    second = centre.add_task()

    def reserve(work: Work, *, task_sid: str) -> Reservation | None:
        return reservations.reserve(work, task_sid=task_sid, worker_sid=alice)

    before = centre.picture()
    assert centre.engine.perform(reserve, task_sid=second) is None, "alice is not available"
    assert centre.engine.perform(reserve, task_sid=first) is None, "she has it already"
    assert centre.picture() == before
    centre.move(alice, "Available")
    assert centre.engine.perform(reserve, task_sid=second) is None, "she has no capacity left"


def test_workers_of_another_workspace_cannot_be_changed_from_here(centre: Centre) -> None:
    elsewhere = Centre(centre.store, centre.engine, centre.clock)
    stranger = elsewhere.add_worker("alice")
    with pytest.raises(NotFound):
        centre.engine.perform(
            worker_verbs.update,
            workspace_sid=centre.workspace_sid,
            worker_sid=stranger,
            attributes='{"level": 1}',
        )
