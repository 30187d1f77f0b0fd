"""What the log tells: every type, in the order of what happened, with all that it has to carry."""

from typing import Any

import pytest

from routing.engine import (
    instructions,
    queues,
    task_channels,
    tasks,
    transfers,
    workers,
    workflows,
    workspaces,
)
from routing.events import CATALOGUE, INDEXED_FIELDS, Event
from routing.reservation import Reservation
from routing.sids import is_sid
from routing.task import MAX_ASSIGNED_SECONDS
from routing.transfer import Transfer
from tests.routing.centre import Centre, routing_document

#: The fields of each group that are always there, as the callbacks of TaskRouter name them.
FIELDS = {
    "task": "task_sid task_attributes task_age task_priority task_assignment_status task_version "
    "task_date_created task_virtual_start_time task_ignore_capacity task_channel_sid "
    "task_channel_unique_name",
    "queue": "task_queue_sid task_queue_name task_queue_target_expression",
    "workflow": "workflow_sid workflow_name",
    "worker": "worker_sid worker_name worker_attributes worker_activity_sid worker_activity_name "
    "worker_version",
    "worker_channel": "task_channel_sid task_channel_unique_name worker_channel_available "
    "worker_channel_available_capacity worker_channel_configured_capacity "
    "worker_channel_task_count",
    "reservation": "reservation_sid reservation_status reservation_version",
    "activity": "activity_sid activity_name activity_available",
    "task_channel": "task_channel_sid task_channel_name task_channel_unique_name "
    "task_channel_optimized_routing",
}
#: The Worker who had the Task until it was completed.
FIELDS["last_worker"] = FIELDS["worker"]
#: What some events of a group carry beside that.
SOMETIMES = {
    "task_queue_entered_date",
    "reason",
    "reservation_reason",
    "task_canceled_reason",
    "task_completed_reason",
    "workflow_filter_name",
    "known_worker_sid",
    "known_worker_friendly_name",
    "worker_channel_previous_capacity",
    "worker_previous_activity_sid",
    "worker_previous_activity_name",
    "worker_time_in_previous_activity",
    "worker_time_in_previous_activity_ms",
    "instruction",
    "failure",
    "transfer_sid",
    "transfer_mode",
    "transfer_type",
    "transfer_to",
    "transfer_status",
    "transfer_failed_reason",
    "initiating_reservation_sid",
    "initiating_worker_sid",
}


def _all(centre: Centre) -> list[Event]:
    return list(centre.store.event_log("all").read(10_000))


def _a_full_day(centre: Centre) -> None:
    """Something of everything."""
    perform, workspace = centre.engine.perform, centre.workspace_sid
    lunch = perform(workspaces.create_activity, workspace_sid=workspace, friendly_name="Lunch").sid
    perform(
        workspaces.rename_activity,
        workspace_sid=workspace,
        activity_sid=lunch,
        friendly_name="Dinner",
    )
    perform(workspaces.delete_activity, workspace_sid=workspace, activity_sid=lunch)
    perform(
        workspaces.create_task_channel,
        workspace_sid=workspace,
        friendly_name="Fax",
        unique_name="fax",
    )
    perform(task_channels.update, workspace_sid=workspace, channel="fax", friendly_name="Telefax")
    queue = centre.add_queue("Short-lived")
    centre.change_queue(queue, target_workers="level > 3")
    flow = centre.add_workflow(
        {
            "filter_friendly_name": "all",
            "expression": "1==1",
            "targets": [{"queue": centre.queue_sid, "timeout": 5}],
        }
    )
    fallen_out = centre.add_task(workflow=flow)
    centre.pass_time(5)
    assert centre.status(fallen_out) == "canceled"
    _moves_without_workers(centre, flow, queue)

    centre.change_queue(max_reserved_workers=2)
    alice, bob = centre.add_worker("alice"), centre.add_worker("bob")
    centre.set_capacity(bob, 2)
    centre.switch(bob, available=False, channel="chat")
    centre.change_worker(alice, attributes='{"level": 4}')
    task = centre.add_task()
    for offer in centre.reservations(task):
        centre.answer("reject", offer.sid)
    first = centre.reservations(task)
    centre.change_task(task, priority=3)
    pending = [each for each in first if each.reservation_status == "pending"]
    centre.answer("accept", pending[0].sid)
    _hand_on(centre, task, pending[0])
    centre.wrap_up(task)
    centre.complete(task)
    centre.add_task()
    centre.pass_time(30)
    for worker in (alice, bob):
        centre.move(worker, "Available")
    centre.cancel(next(sid for sid in centre.task_sids() if centre.status(sid) == "reserved"))

    centre.route()
    mine = centre.send_task(routing_target=alice, workflow_sid=centre.workflow_sid)
    centre.accept(mine)
    centre.pass_time(MAX_ASSIGNED_SECONDS)
    for worker in (alice, bob):
        centre.move(worker, "Offline")
    perform(tasks.delete, workspace_sid=workspace, task_sid=task)
    perform(workers.delete, workspace_sid=workspace, worker_sid=alice)
    centre.change_workflow(flow, friendly_name="Renamed")
    perform(workflows.delete, workspace_sid=workspace, workflow_sid=flow)
    perform(queues.delete, workspace_sid=workspace, task_queue_sid=queue)
    perform(task_channels.delete, workspace_sid=workspace, channel="fax")
    centre.change_workspace(friendly_name="Renamed")
    perform(workspaces.delete, workspace_sid=workspace)


def _hand_on(centre: Centre, task: str, holder: Reservation) -> None:
    """To a colleague who cannot be reached, to a queue that declines, and to one who takes it."""
    colleague = centre.add_worker("carol")

    def hand_on(to: str) -> Transfer:
        made = centre.engine.perform(
            transfers.initiate,
            workspace_sid=centre.workspace_sid,
            task_sid=task,
            reservation_sid=holder.sid,
            to=to,
        )
        centre.route()
        return made

    def offer() -> str:
        offers = [
            each for each in centre.reservations(task) if each.reservation_status == "pending"
        ]
        return offers[-1].sid

    hand_on(colleague)
    centre.request_conference(offer())
    centre.engine.perform(
        instructions.fail, instruction_sid=centre.instruction(offer()).sid, failure="40145: busy"
    )
    centre.move(colleague, "Available")
    to_queue = hand_on(centre.queue_sid)
    away = centre.activity("Offline")
    while any(each.reservation_status == "pending" for each in centre.reservations(task)):
        centre.answer("reject", offer(), worker_activity_sid=away)
    centre.engine.perform(
        transfers.cancel,
        workspace_sid=centre.workspace_sid,
        task_sid=task,
        transfer_sid=to_queue.sid,
    )
    centre.move(colleague, "Available")
    hand_on(colleague)
    centre.answer("accept", offer())
    centre.move(colleague, "Offline")


def _moves_without_workers(centre: Centre, flow: str, queue: str) -> None:
    """Through a workflow and out of it, and from one queue to another."""
    skipping: dict[str, object] = {"queue": centre.queue_sid, "skip_if": "workers.available == 0"}
    centre.change_workflow(flow, configuration=routing_document(default=skipping))
    assert centre.status(centre.add_task(workflow=flow)) == "canceled"
    moved = centre.add_task()
    centre.change_workflow(
        centre.workflow_sid,
        configuration=routing_document(default={"queue": queue}),
        re_evaluate_tasks=True,
    )
    centre.change_workflow(centre.workflow_sid, configuration=centre.simple_document())
    assert centre.queue_of(moved) == "Short-lived"
    centre.cancel(moved)


@pytest.fixture
def full_day(centre: Centre) -> list[Event]:
    _a_full_day(centre)
    return _all(centre)


def test_every_type_of_the_catalogue_is_emitted_with_all_that_it_carries(
    full_day: list[Event],
) -> None:
    assert {event.type for event in full_day} == CATALOGUE.keys()
    for event in full_day:
        resource_type, groups = CATALOGUE[event.type]
        due = {"workspace_sid", "workspace_name"}.union(*(FIELDS[each].split() for each in groups))
        assert due <= event.carried.keys(), event.type
        assert event.carried.keys() - due <= SOMETIMES, event.type
        assert all(isinstance(value, str) for value in event.carried.values())
        assert event.resource_type == resource_type
        assert event.resource_sid in event.carried.values()
        assert is_sid(event.resource_sid)
        assert event.description


def test_events_can_be_found_by_what_they_carry(full_day: list[Event]) -> None:
    for event in full_day:
        for field in INDEXED_FIELDS:
            assert getattr(event, field) == event.carried.get(field)


def test_every_event_has_a_place_and_a_name_of_its_own(full_day: list[Event]) -> None:
    positions = [event.position for event in full_day]
    assert positions == sorted(set(positions))
    assert len({event.sid for event in full_day}) == len(full_day)
    assert [event.occurred_at for event in full_day] == sorted(
        event.occurred_at for event in full_day
    )


def test_the_life_of_a_task_is_told_in_its_order(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    centre.accept(task)
    centre.wrap_up(task)
    centre.complete(task)
    story = [event for event in _all(centre) if event.task_sid == task]
    assert [event.type for event in story] == [
        "workflow.target-matched",
        "task.created",
        "task-queue.entered",
        "workflow.entered",
        "reservation.created",
        "reservation.accepted",
        "reservation.wrapup",
        "task.wrapup",
        "reservation.completed",
        "task.completed",
    ]
    told = [(event.type, event.carried["task_assignment_status"]) for event in story]
    assert ("task.created", "pending") in told
    assert ("reservation.created", "reserved") in told
    assert ("reservation.accepted", "assigned") in told
    assert told[-1] == ("task.completed", "completed")


def test_an_activity_change_tells_how_long_the_one_before_lasted(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    centre.clock.advance(2.6)
    centre.move(alice, "Unavailable")
    last = _all(centre)[-1]
    assert last.type == "worker.activity.update"
    assert last.carried["worker_activity_name"] == "Unavailable"
    assert last.carried["worker_previous_activity_name"] == "Available"
    assert last.carried["worker_time_in_previous_activity"] == "2"
    assert last.carried["worker_time_in_previous_activity_ms"] == "2600"


def test_a_capacity_change_tells_both_numbers(centre: Centre) -> None:
    alice = centre.add_worker("alice", capacity=2)
    centre.add_task()
    centre.set_capacity(alice, 4)
    last = _all(centre)[-1]
    assert last.type == "worker.capacity.update"
    assert last.carried["worker_channel_previous_capacity"] == "2"
    assert last.carried["worker_channel_configured_capacity"] == "4"
    assert last.carried["worker_channel_task_count"] == "1"
    assert last.carried["worker_channel_available_capacity"] == "75"


def test_reasons_are_told_under_the_names_that_callbacks_have_for_them(centre: Centre) -> None:
    task = centre.add_task()
    centre.cancel(task, "hangup")
    canceled = _all(centre)[-1].carried
    assert (canceled["reason"], canceled["task_canceled_reason"]) == ("hangup", "hangup")
    assert "task_completed_reason" not in canceled


@pytest.mark.parametrize(
    ("key", "attributes", "expected"),
    [
        ("known_worker_sid", {"agent": "WK" + "0" * 32}, "WK" + "0" * 32),
        ("known_worker_friendly_name", {"agent": "alice"}, "alice"),
        ("known_worker_friendly_name", {}, None),
        ("known_worker_sid", {"agent": 7}, None),
    ],
)
def test_a_target_that_knows_its_worker_tells_whom_the_task_names(
    centre: Centre, key: str, attributes: dict[str, Any], expected: str | None
) -> None:
    flow = centre.add_workflow(
        {"expression": "1==1", "targets": [{"queue": centre.queue_sid, key: "task.agent"}]}
    )
    centre.add_task(workflow=flow, **attributes)
    matched = next(each for each in _all(centre) if each.type == "workflow.target-matched")
    assert matched.carried.get(key) == expected


@pytest.mark.parametrize("key", ["known_worker_sid", "known_worker_friendly_name"])
@pytest.mark.parametrize(
    ("whom", "code"),
    [
        ("alice", None),
        (None, None),  # nobody, on purpose
        ("nobody", 40154),
        (7, 40154),
        ("bob", 40152),  # does not belong to the TaskQueue
        ("carol", 40155),  # works elsewhere
    ],
)
def test_a_target_whose_known_worker_cannot_come_tells_twilios_code(
    centre: Centre, key: str, whom: object, code: int | None
) -> None:
    elsewhere = centre.engine.perform(workspaces.create, friendly_name="Elsewhere").sid
    sids = {
        "alice": centre.add_worker("alice", level=2),
        "bob": centre.add_worker("bob", level=1),
        "carol": centre.engine.perform(
            workers.create, workspace_sid=elsewhere, friendly_name="carol"
        ).sid,
    }
    if key == "known_worker_sid":
        whom = sids.get(whom, whom) if isinstance(whom, str) else whom
    elif code == 40155:
        code = 40154  # a name is looked for in the Task's own Workspace only
    queue = centre.add_queue("Able", "level > 1")
    flow = centre.add_workflow({"expression": "1==1", "targets": [{"queue": queue, key: "task.a"}]})
    centre.add_task(workflow=flow, a=whom)
    [matched] = [each for each in _all(centre) if each.type == "workflow.target-matched"]
    assert matched.carried.get("error_code") == (None if code is None else str(code))
    assert (f"but {code}: " in matched.description) == (code is not None)


def test_a_verb_that_is_refused_tells_nothing(centre: Centre) -> None:
    centre.add_worker("alice")
    task = centre.add_task()
    centre.cancel(task)
    before = centre.events()
    with pytest.raises(Exception, match="Cannot cancel"):
        centre.cancel(task)
    assert centre.events() == before
