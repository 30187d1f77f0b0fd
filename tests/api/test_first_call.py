"""The path of a Task through the official client, on both databases."""

import json
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.api.service import PUBLIC_URL, Centre, Service


def test_a_new_workspace_has_its_activities_and_channels(service_on_each: Service) -> None:
    workspaces = service_on_each.client().taskrouter.v1.workspaces
    workspace = workspaces.create(friendly_name="Support")
    activities = {
        found.friendly_name: found for found in workspaces(workspace.sid).activities.list()
    }
    assert {name: found.available for name, found in activities.items()} == {
        "Offline": False,
        "Available": True,
        "Unavailable": False,
    }
    assert workspace.default_activity_name == workspace.timeout_activity_name == "Offline"
    assert workspace.default_activity_sid == activities["Offline"].sid
    assert workspace.multi_task_enabled is True
    assert workspace.event_callback_url == ""
    assert workspace.events_filter is None
    channels = workspaces(workspace.sid).task_channels.list()
    assert {found.unique_name for found in channels} == {"default", "voice", "chat", "sms", "video"}
    assert workspaces(workspace.sid).task_queues.list() == []


def test_the_fifo_template_brings_a_queue_and_a_workflow(centre_on_each: Centre) -> None:
    [queue] = centre_on_each.workspace.task_queues.list()
    [workflow] = centre_on_each.workspace.workflows.list()
    assert (queue.friendly_name, queue.target_workers) == ("Everyone", "1==1")
    assert workflow.friendly_name == "Default Fifo Workflow"
    assert json.loads(workflow.configuration)["task_routing"]["default_filter"] == {
        "queue": queue.sid
    }


def test_a_task_is_accepted_and_completed(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create(
        attributes='{"from": "+15550001"}', task_channel="voice", priority=3, timeout=600
    )
    assert task.assignment_status == "pending"
    assert task.task_queue_friendly_name == "Everyone"
    assert task.workflow_friendly_name == "Default Fifo Workflow"
    assert task.task_channel_unique_name == "voice"
    assert (task.priority, task.timeout, task.age) == (3, 600, 0)
    assert task.attributes == '{"from": "+15550001"}'
    assert task.url == f"{PUBLIC_URL}{centre_on_each.path}/Tasks/{task.sid}"

    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    of_task = workspace.tasks(task.sid).reservations(offered.sid)
    of_worker = workspace.workers(centre_on_each.worker_sid).reservations(offered.sid)
    assert of_task.fetch().reservation_status == "pending"
    assert of_worker.fetch().worker_name == "Alice"
    assert workspace.tasks(task.sid).fetch().assignment_status == "reserved"
    assert _channel(centre_on_each).assigned_tasks == 1
    assert _channel(centre_on_each).available_capacity_percentage == 0

    assert of_task.update(reservation_status="accepted").reservation_status == "accepted"
    assert workspace.tasks(task.sid).fetch().assignment_status == "assigned"
    centre_on_each.service.clock.advance(90)
    done = workspace.tasks(task.sid).update(assignment_status="completed", reason="solved")
    assert (done.assignment_status, done.reason, done.age) == ("completed", "solved", 90)
    assert of_worker.fetch().reservation_status == "completed"
    assert _channel(centre_on_each).assigned_tasks == 0


def _channel(centre: Centre) -> Any:
    return centre.workspace.workers(centre.worker_sid).worker_channels("voice").fetch()


def test_a_rejected_task_waits_again_and_the_worker_goes_where_told(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create()
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    rejected = (
        workspace.workers(centre_on_each.worker_sid)
        .reservations(offered.sid)
        .update(reservation_status="rejected", worker_activity_sid=centre_on_each.offline_sid)
    )
    assert rejected.reservation_status == "rejected"
    worker = workspace.workers(centre_on_each.worker_sid).fetch()
    assert (worker.activity_name, worker.available) == ("Offline", False)
    assert workspace.tasks(task.sid).fetch().assignment_status == "pending"


def test_wrapping_keeps_the_capacity_until_it_is_over(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create(task_channel="voice")
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    reservation = workspace.tasks(task.sid).reservations(offered.sid)
    reservation.update(instruction="accept")
    assert reservation.update(reservation_status="wrapping").reservation_status == "wrapping"
    assert workspace.tasks(task.sid).fetch().assignment_status == "wrapping"
    assert _channel(centre_on_each).assigned_tasks == 1
    assert reservation.update(reservation_status="completed").reservation_status == "completed"
    done = workspace.tasks(task.sid).fetch()
    assert (done.assignment_status, done.reason) == (
        "completed",
        "All reservations were completed",
    )
    assert _channel(centre_on_each).assigned_tasks == 0


def test_a_canceled_task_takes_its_offer_back(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create()
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    canceled = workspace.tasks(task.sid).update(assignment_status="canceled", reason="hung up")
    assert (canceled.assignment_status, canceled.reason) == ("canceled", "hung up")
    reservation = workspace.tasks(task.sid).reservations(offered.sid)
    assert reservation.fetch().reservation_status == "canceled"
    with pytest.raises(TwilioRestException) as refusal:
        reservation.update(reservation_status="accepted")
    assert (refusal.value.status, refusal.value.code) == (400, 20001)


def test_capacity_and_availability_of_a_channel_are_set(centre_on_each: Centre) -> None:
    channels = centre_on_each.workspace.workers(centre_on_each.worker_sid).worker_channels
    assert {found.task_channel_unique_name for found in channels.list()} == {
        "default",
        "voice",
        "chat",
        "sms",
        "video",
    }
    chat = channels("chat").update(capacity=4)
    assert (chat.configured_capacity, chat.available_capacity_percentage) == (4, 100)
    assert channels(chat.sid).update(available=False).available is False
    assert channels(chat.task_channel_sid).fetch().configured_capacity == 4


def test_workers_move_between_activities(centre_on_each: Centre) -> None:
    worker = centre_on_each.workspace.workers(centre_on_each.worker_sid)
    centre_on_each.service.clock.advance(60)
    moved = worker.update(activity_sid=centre_on_each.offline_sid)
    assert (moved.activity_name, moved.available) == ("Offline", False)
    assert moved.date_status_changed > moved.date_created


def test_a_conference_instruction_is_kept_for_the_phone_line(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create(attributes='{"call_sid": "CA1"}', task_channel="voice")
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    workspace.tasks(task.sid).reservations(offered.sid).update(
        instruction="conference",
        to="client:alice",
        from_="+15550002",
        timeout=20,
        end_conference_on_exit=True,
        conference_status_callback_event=["start", "end"],
    )
    [kept] = centre_on_each.service.engine.read(
        lambda work: work.instructions.find(reservation_sid=offered.sid)
    )
    assert kept.kind == "conference"
    assert json.loads(kept.parameters) == {
        "to": "client:alice",
        "from": "+15550002",
        "timeout": 20,
        "end_conference_on_exit": True,
        "conference_status_callback_event": ["start", "end"],
    }


def test_what_happened_can_be_read_newest_first(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create()
    events = workspace.events.list(task_sid=task.sid)
    assert [event.event_type for event in events] == [
        "workflow.entered",
        "task-queue.entered",
        "task.created",
        "workflow.target-matched",
    ]
    event = workspace.events(events[0].sid).fetch()
    assert event.event_data["task_sid"] == task.sid
    assert event.resource_type == "task"
    centre_on_each.service.clock.advance(16 * 60)
    assert workspace.events.list(task_sid=task.sid) == []
    assert len(workspace.events.list(task_sid=task.sid, minutes=17)) == 4
    assert workspace.events.list(event_type="worker.created", minutes=17)[0].resource_sid == (
        centre_on_each.worker_sid
    )
