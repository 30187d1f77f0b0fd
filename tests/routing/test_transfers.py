"""A Task is handed on: warm and cold, to a Worker and to a queue, and the books stay right."""

import pytest

from routing.engine import reservations, tasks, transfers
from routing.errors import IllegalMove, InvalidParameter, NotFound, RoutingError
from routing.transfer import Transfer
from tests.routing.centre import Centre


class Handover:
    """Alice has a Task, Bob could have it, Carol is of another queue."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.alice = centre.add_worker("Alice")
        self.task = centre.add_task()
        self.first = centre.accept(self.task)
        self.bob = centre.add_worker("Bob")
        self.experts = centre.add_queue("Experts", "expert == true")
        self.carol = centre.add_worker("Carol", expert=True)

    def to(self, target: str, mode: str = "WARM", **columns: object) -> Transfer:
        made = self.centre.engine.perform(
            transfers.initiate,
            workspace_sid=self.centre.workspace_sid,
            task_sid=self.task,
            reservation_sid=self.first.sid,
            to=target,
            mode=mode,
            **columns,  # type: ignore[arg-type]
        )
        self.centre.route()
        return made

    def cancel(self, transfer: Transfer) -> Transfer:
        done = self.centre.engine.perform(
            transfers.cancel,
            workspace_sid=self.centre.workspace_sid,
            task_sid=self.task,
            transfer_sid=transfer.sid,
        )
        self.centre.route()
        return done

    def again(self, transfer: Transfer) -> Transfer:
        return self.centre.engine.read(
            lambda work: transfers.find(
                work, workspace_sid=self.centre.workspace_sid, transfer_sid=transfer.sid
            )
        )

    def statuses(self) -> dict[str, str]:
        """{Worker: status of their last Reservation of the Task}."""
        return {
            self.centre.worker(each.worker_sid).friendly_name: each.reservation_status
            for each in self.centre.reservations(self.task)
        }

    def offer_to(self, worker_sid: str) -> str:
        return next(
            each.sid
            for each in self.centre.reservations(self.task)
            if each.worker_sid == worker_sid and each.reservation_status == "pending"
        )

    def load(self) -> list[int]:
        return [
            self.centre.channel(sid).assigned_tasks for sid in (self.alice, self.bob, self.carol)
        ]

    def told(self) -> list[str]:
        told = self.centre.events()
        return told[told.index("task.transfer-initiated") :]


@pytest.fixture
def handover(centre: Centre) -> Handover:
    return Handover(centre)


def test_a_warm_transfer_to_a_worker_leaves_the_first_one_in_it_until_they_leave(
    handover: Handover,
) -> None:
    centre = handover.centre
    made = handover.to(handover.bob)
    assert centre.status(handover.task) == "reserved"
    assert handover.statuses() == {"Alice": "accepted", "Bob": "pending"}
    centre.answer("accept", handover.offer_to(handover.bob))
    assert centre.status(handover.task) == "assigned"
    assert handover.again(made).transfer_status == "complete"
    assert handover.statuses() == {"Alice": "accepted", "Bob": "accepted"}
    assert handover.load() == [1, 1, 0]
    centre.answer("wrap_up", handover.first.sid)
    assert centre.status(handover.task) == "assigned"
    assert handover.statuses() == {"Alice": "wrapping", "Bob": "accepted"}
    centre.answer("complete", handover.first.sid)
    assert handover.load() == [0, 1, 0]
    centre.complete(handover.task)
    assert handover.load() == [0, 0, 0]
    assert handover.told()[:4] == [
        "task.transfer-initiated",
        "reservation.created",
        "reservation.accepted",
        "task.transfer-completed",
    ]


def test_a_cold_transfer_begins_the_first_ones_after_work_at_once(handover: Handover) -> None:
    centre = handover.centre
    handover.to(handover.bob, "COLD")
    assert centre.status(handover.task) == "reserved"
    assert handover.statuses() == {"Alice": "wrapping", "Bob": "pending"}
    assert handover.told() == [
        "task.transfer-initiated",
        "reservation.created",
        "reservation.wrapup",
    ]
    centre.answer("accept", handover.offer_to(handover.bob))
    centre.answer("complete", handover.first.sid)
    assert centre.status(handover.task) == "assigned"
    centre.wrap_up(handover.task)
    centre.complete(handover.task)
    assert handover.load() == [0, 0, 0]


def test_a_worker_who_declines_leaves_the_task_with_the_first_one(handover: Handover) -> None:
    centre = handover.centre
    made = handover.to(handover.bob)
    centre.answer("reject", handover.offer_to(handover.bob))
    failed = handover.again(made)
    assert failed.transfer_status == "failed"
    assert failed.transfer_failed_reason == "Transfer failed because the reservation was rejected"
    assert centre.status(handover.task) == "assigned"
    assert handover.statuses() == {"Alice": "accepted", "Bob": "rejected"}
    assert handover.told() == [
        "task.transfer-initiated",
        "reservation.created",
        "reservation.rejected",
        "task.transfer-failed",
        "task.updated",
    ]
    handover.to(handover.carol)
    assert handover.statuses()["Carol"] == "pending"


def test_a_worker_who_does_not_answer_makes_the_transfer_fail_too(handover: Handover) -> None:
    made = handover.to(handover.bob)
    handover.centre.pass_time(30)
    reason = handover.again(made).transfer_failed_reason
    assert reason == "Transfer failed because the reservation was timed out"
    assert handover.centre.status(handover.task) == "assigned"


def test_a_cold_transfer_that_is_declined_waits_in_its_queue(handover: Handover) -> None:
    centre = handover.centre
    handover.to(handover.bob, "COLD")
    centre.answer(
        "reject", handover.offer_to(handover.bob), worker_activity_sid=centre.activity("Offline")
    )
    assert handover.statuses() == {"Alice": "wrapping", "Bob": "rejected", "Carol": "pending"}
    centre.answer("accept", handover.offer_to(handover.carol))
    assert centre.status(handover.task) == "assigned"
    assert handover.load() == [1, 0, 1]


def test_a_task_that_waits_again_is_not_offered_to_whoever_has_after_work_of_it(
    handover: Handover,
) -> None:
    centre = handover.centre
    centre.set_capacity(handover.alice, 3)
    for worker in (handover.carol, handover.bob):
        centre.move(worker, "Offline")
    handover.to(centre.queue_sid, "COLD")
    assert centre.status(handover.task) == "pending"
    assert handover.statuses() == {"Alice": "wrapping"}
    centre.answer("complete", handover.first.sid)
    assert centre.status(handover.task) == "reserved", "now Alice may have it again"


def test_a_transfer_to_a_queue_asks_one_after_the_other(handover: Handover) -> None:
    centre = handover.centre
    dave = centre.add_worker("Dave", expert=True)
    made = handover.to(handover.experts, priority=7, attributes='{"topic": "wine"}')
    assert centre.queue_of(handover.task) == "Experts"
    assert centre.task(handover.task).priority == 7
    first = next(each for each in (handover.carol, dave) if _has_offer(handover, each))
    centre.answer(
        "reject", handover.offer_to(first), worker_activity_sid=centre.activity("Offline")
    )
    assert handover.again(made).transfer_status == "initiated"
    other = dave if first == handover.carol else handover.carol
    centre.answer("accept", handover.offer_to(other))
    assert handover.again(made).transfer_status == "complete"
    assert "task.transfer-attempt-failed" in handover.told()
    assert handover.statuses()["Alice"] == "accepted"


def _has_offer(handover: Handover, worker_sid: str) -> bool:
    found = handover.centre.reservations(handover.task)
    return any(
        each.worker_sid == worker_sid and each.reservation_status == "pending" for each in found
    )


def test_a_transfer_to_a_queue_with_nobody_in_it_waits_while_the_first_one_goes_on(
    handover: Handover,
) -> None:
    centre = handover.centre
    centre.move(handover.carol, "Offline")
    made = handover.to(handover.experts)
    assert centre.status(handover.task) == "assigned"
    centre.move(handover.carol, "Available")
    assert centre.status(handover.task) == "reserved"
    handover.cancel(made)
    assert centre.status(handover.task) == "assigned"
    assert centre.queue_of(handover.task) == "Everybody"
    assert handover.load() == [1, 0, 0]


def test_the_first_one_may_leave_before_anybody_has_taken_it(handover: Handover) -> None:
    centre = handover.centre
    centre.move(handover.carol, "Offline")
    handover.to(handover.experts)
    centre.answer("wrap_up", handover.first.sid)
    centre.answer("complete", handover.first.sid)
    assert centre.status(handover.task) == "pending"
    centre.move(handover.carol, "Available")
    centre.answer("accept", handover.offer_to(handover.carol))
    assert centre.status(handover.task) == "assigned"
    centre.complete(handover.task)
    assert handover.load() == [0, 0, 0]


def test_a_canceled_transfer_is_the_first_ones_again(handover: Handover) -> None:
    made = handover.to(handover.bob)
    assert handover.cancel(made).transfer_status == "canceled"
    assert handover.statuses() == {"Alice": "accepted", "Bob": "canceled"}
    assert handover.centre.status(handover.task) == "assigned"
    assert handover.told()[-3:] == [
        "reservation.canceled",
        "task.transfer-canceled",
        "task.updated",
    ]
    with pytest.raises(RoutingError, match=r"is already canceled \. Cannot cancel transfer\."):
        handover.cancel(made)


def test_a_task_is_handed_on_once_at_a_time(handover: Handover) -> None:
    handover.to(handover.bob)
    before = handover.centre.picture()
    with pytest.raises(RoutingError, match="is being transferred already"):
        handover.to(handover.carol)
    assert handover.centre.picture() == before


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"mode": "TEPID"}, "Mode"),
        ({"attributes": "[]"}, "Attributes"),
        ({"priority": -1}, "Priority"),
        ({"target": "WQ" + "0" * 32}, "To"),
        ({"target": "WK" + "0" * 32}, "To"),
    ],
)
def test_what_cannot_be_used_is_named_and_changes_nothing(
    handover: Handover, columns: dict[str, object], named: str
) -> None:
    before = handover.centre.picture()
    target = str(columns.get("target", handover.bob))
    columns = {name: value for name, value in columns.items() if name != "target"}
    with pytest.raises(InvalidParameter, match=named):
        handover.to(target, **columns)  # type: ignore[arg-type]
    assert handover.centre.picture() == before


def test_a_worker_who_cannot_have_it_is_refused(handover: Handover) -> None:
    handover.centre.move(handover.bob, "Offline")
    with pytest.raises(transfers.Unreachable):
        handover.to(handover.bob)
    with pytest.raises(InvalidParameter, match="somebody else"):
        handover.to(handover.alice)


def test_only_an_accepted_reservation_of_the_task_hands_it_on(handover: Handover) -> None:
    handover.centre.wrap_up(handover.task)
    with pytest.raises(RoutingError, match="not currently assigned"):
        handover.to(handover.bob)
    with pytest.raises(NotFound):
        handover.centre.engine.read(
            lambda work: transfers.find(
                work, workspace_sid="WS" + "0" * 32, transfer_sid="TT" + "0" * 32
            )
        )


def test_whoever_completes_the_task_calls_the_transfer_off(handover: Handover) -> None:
    made = handover.to(handover.bob)
    handover.centre.complete(handover.task)
    assert handover.again(made).transfer_status == "canceled"
    assert handover.statuses() == {"Alice": "completed", "Bob": "canceled"}
    assert handover.load() == [0, 0, 0]


def test_a_task_that_somebody_has_cannot_be_canceled_while_a_colleague_is_asked(
    handover: Handover,
) -> None:
    handover.to(handover.bob)
    with pytest.raises(IllegalMove):
        handover.centre.cancel(handover.task)


def test_a_task_that_was_left_lives_its_time_to_live_anew(handover: Handover) -> None:
    centre = handover.centre
    centre.move(handover.carol, "Offline")
    made = handover.to(handover.experts, "COLD")
    centre.pass_time(86_399)
    assert centre.status(handover.task) == "pending"
    centre.pass_time(1)
    assert centre.status(handover.task) == "canceled"
    assert handover.again(made).transfer_status == "canceled"
    centre.answer("complete", handover.first.sid)
    assert handover.load() == [0, 0, 0]


def test_an_offer_that_cannot_be_carried_out_fails_the_transfer(handover: Handover) -> None:
    made = handover.to(handover.bob)
    offer = handover.offer_to(handover.bob)
    handover.centre.engine.perform(
        reservations.cancel, reservation_sid=offer, reason="the agent's phone was busy"
    )
    assert handover.again(made).transfer_status == "failed"
    assert handover.centre.status(handover.task) == "assigned"


def test_the_reservation_tells_of_its_transfers(handover: Handover) -> None:
    made = handover.to(handover.bob)
    centre = handover.centre
    offer = centre.reservation(handover.offer_to(handover.bob))
    assert centre.engine.read(lambda work: transfers.incoming(work, offer)) == made
    assert centre.engine.read(lambda work: transfers.outgoing(work, handover.first)) == made
    assert centre.engine.read(lambda work: transfers.outgoing(work, offer)) is None


def test_a_deleted_task_takes_its_transfers_along(handover: Handover) -> None:
    made = handover.to(handover.bob)
    handover.centre.engine.perform(
        tasks.delete, workspace_sid=handover.centre.workspace_sid, task_sid=handover.task
    )
    with pytest.raises(NotFound):
        handover.again(made)
    assert handover.load() == [0, 0, 0]
