"""Event callbacks: what is told, to whom, how it is signed."""

import pytest

from routing.background.callbacks.addresses import LOOPBACK
from routing.background.callbacks.settings import CallbackSettings
from routing.engine import tasks, workers, workspaces
from tests.callbacks.bureau import ACCOUNT_SID, Bureau
from tests.callbacks.receiver import TOKEN, Receiver

_COMMON = {
    "AccountSid",
    "EventDescription",
    "EventType",
    "ResourceSid",
    "ResourceType",
    "Sid",
    "Timestamp",
    "TimestampMs",
    "WorkspaceName",
    "WorkspaceSid",
}
_TASK = {
    "TaskAddons",
    "TaskAge",
    "TaskAssignmentStatus",
    "TaskAttributes",
    "TaskChannelSid",
    "TaskChannelUniqueName",
    "TaskPriority",
    "TaskQueueName",
    "TaskQueueSid",
    "TaskQueueTargetExpression",
    "TaskSid",
    "WorkflowName",
    "WorkflowSid",
}
_WORKER = {"WorkerActivitySid", "WorkerAttributes", "WorkerName", "WorkerSid"}
#: The keys of each kind of event callback that was recorded.
RECORDED = {
    "reservation.created": _COMMON | _TASK | _WORKER | {"ReservationSid", "WorkerActivityName"},
    "task.completed": _COMMON | _TASK | _WORKER | {"WorkerActivityName"},
    "task.created": _COMMON | _TASK,
    "task-queue.entered": _COMMON | _TASK,
    "workflow.entered": _COMMON | _TASK,
    "worker.created": _COMMON | _WORKER,
    "worker.deleted": _COMMON | _WORKER | {"WorkerActivityName"},
}


def a_task_from_beginning_to_end(bureau: Bureau) -> str:
    centre = bureau.centre
    alice = centre.add_worker("alice", language="en")
    task = centre.add_task(language="en")
    centre.accept(task)
    centre.wrap_up(task)
    centre.complete(task)
    centre.move(alice, "Offline")
    centre.engine.perform(workers.delete, workspace_sid=centre.workspace_sid, worker_sid=alice)
    bureau.work()
    return task


def test_every_recorded_field_is_there(bureau: Bureau, receiver: Receiver) -> None:
    bureau.subscribe(receiver.url())
    receiver.received.clear()
    a_task_from_beginning_to_end(bureau)
    told = {each.event: each for each in receiver.received}
    for event, keys in RECORDED.items():
        assert keys <= told[event].fields.keys(), (event, keys - told[event].fields.keys())
    assert all(each.is_signed_with(TOKEN) for each in receiver.received)


def test_the_values_are_what_happened(bureau: Bureau, receiver: Receiver) -> None:
    bureau.subscribe(receiver.url(), "reservation.created")
    alice = bureau.centre.add_worker("alice", language="en")
    task = bureau.centre.add_task(language="en")
    bureau.work()
    (told,) = receiver.received
    (reservation,) = bureau.centre.reservations(task)
    fields = told.fields
    assert told.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    expected = {
        "AccountSid": ACCOUNT_SID,
        "EventType": "reservation.created",
        "EventDescription": f"Reservation {reservation.sid} created",
        "ResourceType": "reservation",
        "ResourceSid": reservation.sid,
        "ReservationSid": reservation.sid,
        "Timestamp": str(bureau.centre.clock.now() // 1000),
        "TimestampMs": str(bureau.centre.clock.now()),
        "TaskSid": task,
        "TaskAttributes": '{"language": "en"}',
        "TaskAssignmentStatus": "reserved",
        "TaskAddons": "{}",
        "TaskQueueName": "Everybody",
        "TaskChannelUniqueName": "voice",
        "WorkerSid": alice,
        "WorkerName": "alice",
        "WorkerActivityName": "Available",
        "WorkspaceName": "Centre",
        "WorkflowName": "Calls",
    }
    assert {name: fields.get(name) for name in expected} == expected


def test_a_filter_names_the_types_that_are_told(bureau: Bureau, receiver: Receiver) -> None:
    bureau.subscribe(receiver.url(), "task.created, task.canceled")
    task = bureau.centre.add_task()
    bureau.centre.cancel(task)
    bureau.work()
    assert receiver.events() == ["task.created", "task.canceled"]
    assert bureau.concerns >= {"task.created", "task.canceled"}
    assert "reservation.created" not in bureau.concerns


def test_without_a_url_nothing_is_read_written_or_woken(bureau: Bureau, receiver: Receiver) -> None:
    seen = bureau.signal.seen()
    bureau.centre.add_worker("alice")
    bureau.centre.accept(bureau.centre.add_task())
    bureau.work()
    assert bureau.signal.seen() == seen
    assert bureau.deliveries() == []
    assert receiver.received == []


def test_what_happens_after_a_url_was_set_is_told_and_nothing_before(
    bureau: Bureau, receiver: Receiver
) -> None:
    bureau.centre.add_task()
    bureau.centre.change_workspace(event_callback_url=receiver.url())
    late = bureau.centre.add_task()
    bureau.centre.change_workspace(event_callback_url="")
    bureau.centre.add_task()
    bureau.work()
    # The follower was behind: what it reads is what is wanted now, which is nothing again.
    assert receiver.events() == []
    bureau.subscribe(receiver.url())
    bureau.centre.cancel(late)
    bureau.work()
    assert receiver.events() == ["workspace.updated", "task.canceled"]


def test_the_end_of_a_workspace_is_told(bureau: Bureau, receiver: Receiver) -> None:
    bureau.subscribe(receiver.url(), "task.created,workspace.deleted")
    bureau.centre.add_task()
    bureau.centre.engine.perform(workspaces.delete, workspace_sid=bureau.centre.workspace_sid)
    bureau.work()
    assert receiver.events() == ["task.created", "workspace.deleted"]


def test_json_is_a_setting(bureau: Bureau, receiver: Receiver) -> None:
    settings = CallbackSettings(
        account_sid=ACCOUNT_SID, auth_tokens=(TOKEN, "the old one"), form="json", allowed=LOOPBACK
    )
    json_bureau = Bureau(bureau.centre, settings=settings, name="json")
    json_bureau.subscribe(receiver.url("/events?a=b"), "task.created")
    json_bureau.centre.add_task(name="Zoë")
    json_bureau.work()
    (told,) = receiver.received
    assert told.headers["Content-Type"] == "application/json"
    assert told.fields["TaskAttributes"] == '{"name": "Zo\\u00eb"}'
    assert "/events?a=b&bodySHA256=" in told.url
    assert told.is_signed_with(TOKEN)
    assert not told.is_signed_with("the old one")
    assert told.is_signed_with("the old one", "X-Tandem-Previous-Signature")


@pytest.mark.parametrize(
    "path", ["/events", "/events?x=1&y=%20z", "/events?a b", "/ü?q=ü", "?only=query", ""]
)
def test_what_is_signed_is_what_the_receiver_sees(
    bureau: Bureau, receiver: Receiver, path: str
) -> None:
    bureau.subscribe(receiver.url(path), "task.created")
    bureau.centre.add_task(text="a=b&c d+é\n")
    bureau.work()
    (told,) = receiver.received
    assert told.is_signed_with(TOKEN)


def test_credentials_in_the_url_are_sent_and_not_signed(bureau: Bureau, receiver: Receiver) -> None:
    url = receiver.url().replace("http://", "http://user:pass%20word@")
    bureau.subscribe(url, "task.created")
    bureau.centre.add_task()
    bureau.work()
    (told,) = receiver.received
    assert told.headers["Authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="
    assert told.is_signed_with(TOKEN)


def test_an_event_is_owed_once_to_whoever_reads_it_again(
    bureau: Bureau, receiver: Receiver
) -> None:
    bureau.subscribe(receiver.url(), "task.created")
    bureau.centre.add_task()
    bureau.work()
    again = Bureau(bureau.centre, name="a follower that lost its place")
    again.work()
    assert receiver.events() == ["task.created"]


def test_what_is_older_than_a_callback_may_be_is_not_owed(
    bureau: Bureau, receiver: Receiver
) -> None:
    bureau.subscribe(receiver.url(), "task.created")
    bureau.centre.add_task()
    bureau.centre.clock.advance(3601)
    bureau.work()
    assert receiver.received == []


def test_a_url_that_changes_in_the_middle_is_obeyed_at_once(
    bureau: Bureau, receiver: Receiver
) -> None:
    bureau.subscribe(receiver.url("/first"), "task.created")
    bureau.centre.add_task()
    bureau.work()
    bureau.subscribe(receiver.url("/second"), "task.created")
    bureau.centre.engine.perform(
        tasks.create,
        workspace_sid=bureau.centre.workspace_sid,
        workflow_sid=bureau.centre.workflow_sid,
    )
    bureau.work()
    assert [each.path for each in receiver.received] == ["/first", "/second"]
