"""Every move of a Task and a Reservation: what triggers it, and what the log tells of it, in order.

The descriptions and reasons are TaskRouter's own where callbacks of it are known.
"""

import pytest

from routing.engine import reservations, tasks, workers
from routing.errors import InvalidParameter
from routing.events import Event
from routing.task import MAX_ASSIGNED_SECONDS
from tests.routing.centre import Centre

#: Why a Task ended, in the fields that callbacks have for it.
TTL = "Task TTL Exceeded"
TOO_OFTEN = "Task TTL Exceeded or Max assignment count exceeded"


class Log:
    """What is told from now on, with SIDs written as what they belong to."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._read = len(centre.events())
        self.names: dict[str, str] = {}

    def news(self) -> list[str]:
        """Lines of the type and the description, and of every reason that is carried."""
        log = self._centre.store.event_log("transitions")
        events = list(log.read(10_000))[self._read :]
        self._read += len(events)
        return [self._line(event) for event in events]

    def _line(self, event: Event) -> str:
        reasons = {name: text for name, text in event.carried.items() if "reason" in name}
        line = f"{event.type}: {event.description}"
        for name, text in sorted(reasons.items()):
            line += f" [{name}={text}]"
        for sid, kind in ((event.task_sid, "WT"), (event.reservation_sid, "WR")):
            line = line.replace(sid or kind, kind)
        return line


@pytest.fixture
def log(centre: Centre) -> Log:
    """Two Workers are there, and each Task is offered to both."""
    centre.change_queue(max_reserved_workers=2)
    for name in ("alice", "bob"):
        centre.add_worker(name)
    return Log(centre)


def _sids(centre: Centre, *names: str) -> list[str]:
    found = {worker.friendly_name: worker.sid for worker in centre.all_workers()}
    return [found[name] for name in names]


def _pending(centre: Centre, task: str) -> list[str]:
    """The SIDs of what is offered, alice's first."""
    live = [each for each in centre.reservations(task) if each.reservation_status == "pending"]
    return [
        each.sid for each in sorted(live, key=lambda e: centre.worker(e.worker_sid).friendly_name)
    ]


def _why(reason: str, of: str | None = None) -> str:
    """What an end of a Reservation tells; `of` a Task that has ended in that way, too."""
    if of is None:
        return f" [reservation_reason={reason}]"
    return f" [reason={reason}] [reservation_reason={reason}] [task_{of}_reason={reason}]"


def _ended(reason: str, how: str) -> str:
    return f" [reason={reason}] [task_{how}_reason={reason}]"


NEW = [
    "workflow.target-matched: Task matched a workflow target",
    "task.created: Task WT created",
    "task-queue.entered: Task WT entered TaskQueue Everybody",
    "workflow.entered: Task WT entered Workflow Calls",
]
OFFERED = "reservation.created: Reservation WR created"


def test_created_offered_to_two_and_accepted_by_one(centre: Centre, log: Log) -> None:
    task = centre.add_task()
    assert log.news() == [*NEW, OFFERED, OFFERED]
    centre.answer("accept", _pending(centre, task)[0])
    assert centre.status(task) == "assigned"
    assert log.news() == [
        "reservation.accepted: Reservation WR accepted by Worker alice",
        "reservation.rescinded: Reservation WR rescinded"
        + _why("another Worker accepted the Task"),
    ]


def test_rejected_by_everybody_it_waits_again(centre: Centre, log: Log) -> None:
    task = centre.add_task()
    log.news()
    first, second = _pending(centre, task)
    away = centre.activity("Offline")
    centre.answer("reject", first, worker_activity_sid=away, reason="lunch")
    assert centre.status(task) == "reserved"
    centre.answer("reject", second, worker_activity_sid=away)
    assert centre.status(task) == "pending"
    assert log.news() == [
        "reservation.rejected: Reservation WR rejected [reservation_reason=lunch]",
        "worker.activity.update: Worker alice updated to Offline Activity",
        "reservation.rejected: Reservation WR rejected",
        "worker.activity.update: Worker bob updated to Offline Activity",
    ]


def test_timed_out_it_waits_again_and_the_worker_goes_to_the_timeout_activity(
    centre: Centre, log: Log
) -> None:
    centre.change_queue(max_reserved_workers=1)
    task = centre.add_task()
    log.news()
    centre.pass_time(30)
    assert centre.status(task) == "reserved"  # by the other one
    assert log.news() == [
        "reservation.timeout: Reservation WR timed out",
        "worker.activity.update: Worker alice updated to Offline Activity",
        OFFERED,
    ]


def test_a_worker_who_is_moved_away_keeps_offers_or_rejects_them(centre: Centre, log: Log) -> None:
    task = centre.add_task()
    log.news()
    alice, bob = _sids(centre, "alice", "bob")
    centre.move(bob, "Offline")
    centre.engine.perform(
        workers.update,
        workspace_sid=centre.workspace_sid,
        worker_sid=alice,
        activity_sid=centre.activity("Offline"),
        reject_pending_reservations=True,
    )
    assert log.news() == [
        "worker.activity.update: Worker bob updated to Offline Activity",
        "reservation.rejected: Reservation WR rejected",
        "worker.activity.update: Worker alice updated to Offline Activity",
    ]
    assert [centre.worker(centre.offer(task).worker_sid).friendly_name] == ["bob"]


def test_an_offer_that_no_callback_answers_is_canceled(centre: Centre, log: Log) -> None:
    centre.change_queue(max_reserved_workers=1)
    task = centre.add_task()
    log.news()
    centre.engine.perform(
        reservations.cancel, reservation_sid=centre.offer(task).sid, reason="no URL answered"
    )
    assert centre.status(task) == "pending"
    assert log.news() == [
        "reservation.canceled: Reservation WR canceled: no URL answered" + _why("no URL answered"),
        "worker.activity.update: Worker alice updated to Offline Activity",
    ]


@pytest.mark.parametrize("is_offered", [True, False])
def test_canceled_by_a_program(centre: Centre, log: Log, *, is_offered: bool) -> None:
    if not is_offered:
        for sid in _sids(centre, "alice", "bob"):
            centre.move(sid, "Offline")
    task = centre.add_task()
    log.news()
    centre.cancel(task, "hangup")
    offer = f"reservation.canceled: Reservation WR canceled: hangup{_why('hangup', of='canceled')}"
    assert log.news() == [
        *([offer, offer] if is_offered else []),
        f"task.canceled: Task WT canceled: hangup{_ended('hangup', 'canceled')}",
    ]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, 86_400), ({"timeout_seconds": 1_209_600}, 1_209_600), ({"timeout_seconds": 1}, 1)],
)
def test_its_time_to_live_ends_it(
    centre: Centre, log: Log, given: dict[str, int], seconds: int
) -> None:
    for sid in _sids(centre, "alice", "bob"):
        centre.move(sid, "Offline")
    task = centre.send_task(workflow_sid=centre.workflow_sid, **given)
    log.news()
    centre.pass_time(seconds - 1)
    assert centre.status(task) == "pending"
    centre.pass_time(1)
    assert log.news() == [f"task.canceled: Task WT canceled: {TTL}{_ended(TTL, 'canceled')}"]


@pytest.mark.parametrize("seconds", [0, -1, 1_209_601])
def test_no_other_time_to_live_can_be_had(scratch: Centre, seconds: int) -> None:
    with pytest.raises(
        InvalidParameter, match="Timeout: expected a whole number from 1 to 1209600"
    ):
        scratch.send_task(workflow_sid=scratch.workflow_sid, timeout_seconds=seconds)


def test_offered_too_often_it_is_canceled(
    centre: Centre, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.engine.reservations.MAX_ASSIGNMENT_COUNT", 2)
    task = centre.add_task()
    log.news()
    for _ in range(2):
        for offer in _pending(centre, task):
            centre.answer("reject", offer)
    rejected = "reservation.rejected: Reservation WR rejected"
    assert log.news() == [
        *[rejected, rejected, OFFERED, OFFERED, rejected, rejected],
        f"task.canceled: Task WT canceled: {TOO_OFTEN}{_ended(TOO_OFTEN, 'canceled')}",
    ]


@pytest.mark.parametrize("by", ["task", "reservation"])
def test_wrapped_up_and_completed_by_the_task_or_by_the_reservation(
    centre: Centre, log: Log, by: str
) -> None:
    task = centre.add_task()
    offer = _pending(centre, task)[0]
    centre.answer("accept", offer)
    log.news()
    if by == "task":
        centre.wrap_up(task)
        centre.engine.perform(
            tasks.complete, workspace_sid=centre.workspace_sid, task_sid=task, reason="sold"
        )
    else:
        centre.answer("wrap_up", offer)
        centre.answer("complete", offer)
    why = "sold" if by == "task" else "All reservations were completed"
    assert centre.status(task) == "completed"
    assert log.news() == [
        "reservation.wrapup: Reservation WR wrapping",
        "task.wrapup: Task WT wrapping",
        "reservation.completed: Reservation WR completed",
        f"task.completed: Task WT completed{_ended(why, 'completed')}",
    ]


def test_completed_without_after_work(centre: Centre, log: Log) -> None:
    task = centre.add_task()
    centre.answer("accept", _pending(centre, task)[0])
    log.news()
    centre.complete(task)
    assert log.news() == [
        "reservation.completed: Reservation WR completed",
        "task.completed: Task WT completed",
    ]


def test_assigned_for_a_day_it_is_removed(centre: Centre, log: Log) -> None:
    task = centre.add_task()
    centre.answer("accept", _pending(centre, task)[0])
    log.news()
    centre.pass_time(MAX_ASSIGNED_SECONDS)
    assert task not in centre.task_sids()
    assert log.news() == [
        "reservation.completed: Reservation WR completed",
        "task.system-deleted: Task was assigned for too long",
    ]


def test_deleted_in_the_middle_of_an_offer(centre: Centre, log: Log) -> None:
    task = centre.add_task()
    log.news()
    centre.engine.perform(tasks.delete, workspace_sid=centre.workspace_sid, task_sid=task)
    why = "the Task was deleted"
    canceled = f"reservation.canceled: Reservation WR canceled: {why}{_why(why)}"
    assert log.news() == [canceled, canceled, "task.deleted: Task WT deleted"]


def test_out_of_its_workflow_it_is_canceled(centre: Centre, log: Log) -> None:
    for sid in _sids(centre, "alice", "bob"):
        centre.move(sid, "Offline")
    first, second = centre.add_queue("First"), centre.add_queue("Second")
    flow = centre.add_workflow(
        {
            "filter_friendly_name": "all",
            "expression": "1==1",
            "targets": [{"queue": first, "timeout": 5}, {"queue": second, "timeout": 5}],
        },
        name="Short",
    )
    task = centre.add_task(workflow=flow)
    log.news()
    centre.pass_time(5)
    centre.pass_time(5)
    assert centre.status(task) == "canceled"
    why = "Workflow timed out"
    assert log.news() == [
        "task-queue.timeout: Task WT timed out of its TaskQueue",
        "workflow.target-matched: Task matched a workflow target",
        "task-queue.entered: Task WT entered TaskQueue Second",
        "task-queue.timeout: Task WT timed out of its TaskQueue",
        "workflow.timeout: Task WT timed out of its Workflow",
        f"task.canceled: Task WT canceled: {why}{_ended(why, 'canceled')}",
    ]


def test_without_multitasking_the_queue_moves_the_worker(centre: Centre, log: Log) -> None:
    centre.change_workspace(multi_task_enabled=False)
    centre.change_queue(
        max_reserved_workers=1,
        reservation_activity_sid=centre.activity("Unavailable"),
        assignment_activity_sid=centre.activity("Offline"),
    )
    log.news()
    task = centre.add_task()
    centre.accept(task)
    centre.complete(task)
    assert log.news() == [
        *NEW,
        OFFERED,
        "worker.activity.update: Worker alice updated to Unavailable Activity",
        "reservation.accepted: Reservation WR accepted by Worker alice",
        "worker.activity.update: Worker alice updated to Offline Activity",
        "reservation.completed: Reservation WR completed",
        "task.completed: Task WT completed",
    ]
