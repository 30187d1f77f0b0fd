"""Every operation but the statistics (test_statistics), through the official client."""

import json
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from routing.api.door import OPERATIONS
from tests.api.service import ACCOUNT_SID, PUBLIC_URL, Centre, Service
from tests.openapi import taskrouter


def _into(queue_sid: str) -> str:
    return json.dumps({"task_routing": {"filters": [], "default_filter": {"queue": queue_sid}}})


def test_every_operation_is_served() -> None:
    if taskrouter.document is None:
        pytest.skip(f"NO OPENAPI DOCUMENT at {taskrouter.path}: answers were not held against it")
    assert {operation.name for operation in OPERATIONS} == set(taskrouter.operations)
    for operation in OPERATIONS:
        method, path = taskrouter.operations[operation.name]
        assert (method, path.count("{")) == (operation.method, operation.path.count("<"))


def test_the_judge_of_answers_finds_faults(centre: Centre) -> None:
    if taskrouter.document is None:
        pytest.skip(f"NO OPENAPI DOCUMENT at {taskrouter.path}")
    path = f"{centre.path}/Workers/{centre.worker_sid}"
    good = centre.service.ask("GET", path).get_json()
    assert taskrouter.faults("GET", path, 200, json.dumps(good).encode()) == []
    for wrong in (
        {"sid": "WK1"},
        {"date_created": "2026-01-01T00:00:00.000Z"},
        {"available": "true"},
        {"more": 1},
        {"url": "/v1"},
    ):
        assert taskrouter.faults("GET", path, 200, json.dumps({**good, **wrong}).encode())
    assert taskrouter.faults("GET", path, 201, json.dumps(good).encode())
    assert taskrouter.faults("GET", path, 404, b'{"code": 1, "status": 404, "title": ""}')


def test_a_workspace_is_changed_and_deleted(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    changed = workspace.update(
        friendly_name="Service",
        event_callback_url="https://example.com/events",
        events_filter="task.created, task.completed",
        default_activity_sid=centre_on_each.available_sid,
        prioritize_queue_order="LIFO",
    )
    assert changed.friendly_name == "Service"
    assert changed.default_activity_name == "Available"
    assert changed.events_filter == "task.created, task.completed"
    assert changed.prioritize_queue_order == "LIFO"
    cleared = workspace.update(event_callback_url="", events_filter="")
    assert (cleared.event_callback_url, cleared.events_filter) == ("", None)
    task = workspace.tasks.create()
    centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    assert workspace.delete() is True
    with pytest.raises(TwilioRestException) as refusal:
        workspace.fetch()
    assert refusal.value.status == 404


def test_activities_come_and_go(centre_on_each: Centre) -> None:
    activities = centre_on_each.workspace.activities
    lunch = activities.create(friendly_name="Lunch", available=False)
    assert (lunch.friendly_name, lunch.available) == ("Lunch", False)
    assert activities(lunch.sid).update(friendly_name="Dinner").friendly_name == "Dinner"
    assert activities(lunch.sid).fetch().friendly_name == "Dinner"
    assert [found.sid for found in activities.list(friendly_name="Dinner")] == [lunch.sid]
    assert [found.sid for found in activities.list(available="true")] == [
        centre_on_each.available_sid
    ]
    assert activities(lunch.sid).delete() is True
    for used in (centre_on_each.offline_sid, centre_on_each.available_sid):
        with pytest.raises(TwilioRestException) as refusal:
            activities(used).delete()
        assert (refusal.value.status, refusal.value.code) == (400, 20001)


def test_task_channels_come_and_go(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    channels = workspace.task_channels
    fax = channels.create(friendly_name="Fax", unique_name="fax")
    assert (fax.unique_name, fax.channel_optimized_routing) == ("fax", False)
    assert channels("fax").fetch().sid == channels(fax.sid).fetch().sid == fax.sid
    changed = channels("fax").update(friendly_name="Telefax", channel_optimized_routing=True)
    assert (changed.friendly_name, changed.channel_optimized_routing) == ("Telefax", True)
    worker = workspace.workers(centre_on_each.worker_sid)
    assert worker.worker_channels("fax").fetch().configured_capacity == 1
    with pytest.raises(TwilioRestException) as refusal:
        channels.create(friendly_name="Fax", unique_name="fax")
    assert (refusal.value.status, refusal.value.code) == (409, 20409)
    task = workspace.tasks.create(task_channel="fax")
    for used in ("fax", "default"):
        with pytest.raises(TwilioRestException) as refusal:
            channels(used).delete()
        assert refusal.value.status == 400
    workspace.tasks(task.sid).delete()
    assert channels("fax").delete() is True
    assert "fax" not in {found.task_channel_unique_name for found in worker.worker_channels.list()}


def test_task_queues_come_and_go(centre_on_each: Centre) -> None:
    queues = centre_on_each.workspace.task_queues
    spanish = queues.create(
        friendly_name="Spanish",
        target_workers='languages HAS "es"',
        max_reserved_workers=3,
        task_order="LIFO",
        assignment_activity_sid=centre_on_each.offline_sid,
    )
    assert (spanish.max_reserved_workers, spanish.task_order) == (3, "LIFO")
    assert spanish.assignment_activity_name == "Offline"
    assert spanish.reservation_activity_sid is None
    assert spanish.links["assignment_activity"].endswith(centre_on_each.offline_sid)
    changed = queues(spanish.sid).update(target_workers='languages HAS "fr"', task_order="FIFO")
    assert (changed.target_workers, changed.task_order) == ('languages HAS "fr"', "FIFO")
    assert queues(spanish.sid).fetch().friendly_name == "Spanish"
    assert queues(spanish.sid).delete() is True
    with pytest.raises(TwilioRestException) as refusal:
        queues(centre_on_each.queue_sid).delete()
    assert (refusal.value.status, refusal.value.code) == (400, 20001)


def test_workflows_come_and_go(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    document = _into(centre_on_each.queue_sid)
    made = workspace.workflows.create(
        friendly_name="Orders",
        configuration=document,
        assignment_callback_url="https://example.com/assign",
        task_reservation_timeout=30,
    )
    assert made.configuration == document
    assert made.document_content_type == "application/json"
    assert (made.task_reservation_timeout, made.fallback_assignment_callback_url) == (30, None)
    one = workspace.workflows(made.sid)
    assert one.update(assignment_callback_url="").assignment_callback_url is None
    assert one.update(task_reservation_timeout=60, re_evaluate_tasks="false").friendly_name == (
        "Orders"
    )
    assert one.fetch().task_reservation_timeout == 60
    assert [found.sid for found in workspace.workflows.list(friendly_name="Orders")] == [made.sid]
    task = workspace.tasks.create(workflow_sid=made.sid)
    with pytest.raises(TwilioRestException) as refusal:
        one.delete()
    assert refusal.value.status == 400
    with pytest.raises(TwilioRestException, match="WorkflowSid"):
        workspace.tasks.create()  # there are two to choose from
    workspace.tasks(task.sid).update(assignment_status="canceled")
    assert one.delete() is True
    gone = workspace.tasks(task.sid).fetch()
    assert (gone.workflow_sid, gone.workflow_friendly_name) == (None, None)


def test_workers_come_and_go(centre_on_each: Centre) -> None:
    workers = centre_on_each.workspace.workers
    bob = workers.create(friendly_name="Bob")
    assert (bob.attributes, bob.activity_name, bob.available) == ("{}", "Offline", False)
    changed = workers(bob.sid).update(friendly_name="Rob", attributes='{"skill": 1}')
    assert (changed.friendly_name, changed.attributes) == ("Rob", '{"skill": 1}')
    with pytest.raises(TwilioRestException) as refusal:
        workers.create(friendly_name="ROB")
    assert (refusal.value.status, refusal.value.code) == (409, 20409)
    assert workers(bob.sid).delete() is True
    with pytest.raises(TwilioRestException) as refusal:
        workers(centre_on_each.worker_sid).delete()
    assert (refusal.value.status, refusal.value.code) == (400, 20001)


def test_pending_reservations_are_rejected_on_the_way_out(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create()
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    workspace.workers(centre_on_each.worker_sid).update(
        activity_sid=centre_on_each.offline_sid, reject_pending_reservations=True
    )
    reservation = workspace.tasks(task.sid).reservations(offered.sid).fetch()
    assert reservation.reservation_status == "rejected"
    assert workspace.tasks(task.sid).fetch().assignment_status == "pending"


def test_tasks_come_change_and_go(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create(virtual_start_time="2026-01-05T08:00:00Z")
    assert task.virtual_start_time.hour == 8
    one = workspace.tasks(task.sid)
    changed = one.update(attributes='{"b": 2}', priority=7, task_channel="chat")
    assert (changed.attributes, changed.priority) == ('{"b": 2}', 7)
    assert changed.task_channel_unique_name == "chat"
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    assert one.delete() is True
    for gone in (one, one.reservations(offered.sid)):
        with pytest.raises(TwilioRestException) as refusal:
            gone.fetch()
        assert refusal.value.status == 404
    worker = workspace.workers(centre_on_each.worker_sid)
    assert worker.worker_channels("chat").fetch().assigned_tasks == 0


def test_a_status_and_attributes_need_a_request_each(centre: Centre) -> None:
    task = centre.workspace.tasks.create(attributes='{"a": 1}')
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    one = centre.workspace.tasks(task.sid)
    one.reservations(offered.sid).update(reservation_status="accepted")
    for status in ("wrapping", "completed"):
        with pytest.raises(TwilioRestException, match="Invalid Attributes"):
            one.update(assignment_status=status, attributes='{"a": 2}', reason="done")
    seen = one.fetch()
    assert (seen.assignment_status, seen.attributes) == ("assigned", '{"a": 1}')


@pytest.mark.parametrize("status", ["pending", "reserved", "assigned", "lost"])
def test_a_status_that_only_reservations_bring_about_is_refused(
    centre: Centre, status: str
) -> None:
    task = centre.workspace.tasks.create()
    with pytest.raises(TwilioRestException, match="Invalid AssignmentStatus"):
        centre.workspace.tasks(task.sid).update(assignment_status=status)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("completed", "Cannot complete task {place} because it is not currently assigned."),
        ("wrapping", "Cannot wrap up a task {place} because it's not currently assigned"),
    ],
)
def test_a_move_at_the_wrong_time_changes_nothing(
    centre: Centre, status: str, message: str
) -> None:
    task = centre.workspace.tasks.create(priority=1)
    form = {"AssignmentStatus": status, "Priority": "9"}
    answer = centre.service.ask("POST", f"{centre.path}/Tasks/{task.sid}", data=form)
    assert (answer.status_code, answer.get_json()["code"]) == (400, 20001)
    place = f"{task.sid} in workspace {centre.workspace_sid} for account {ACCOUNT_SID}"
    assert answer.get_json()["message"] == message.format(place=place)
    seen = centre.workspace.tasks(task.sid).fetch()
    assert (seen.priority, seen.assignment_status) == (1, "pending")


def test_the_creator_of_a_task_may_say_where_it_goes(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    mine = workspace.tasks.create(routing_target=centre_on_each.worker_sid)
    assert (mine.routing_target, mine.ignore_capacity) == (centre_on_each.worker_sid, True)
    assert mine.task_queue_sid is not None
    patient = workspace.tasks.create(
        routing_target=centre_on_each.worker_sid, ignore_capacity="false"
    )
    assert patient.ignore_capacity is False
    queue = workspace.task_queues.create(friendly_name="Direct")
    for direct in (
        workspace.tasks.create(routing_target=queue.sid),
        workspace.tasks.create(task_queue_sid=queue.sid),
    ):
        assert (direct.task_queue_friendly_name, direct.workflow_sid) == ("Direct", None)
    found = workspace.tasks.list(routing_target=centre_on_each.worker_sid)
    assert {task.sid for task in found} == {mine.sid, patient.sid}
    with pytest.raises(TwilioRestException, match="Invalid RoutingTarget"):
        workspace.tasks.create(routing_target="WK" + "0" * 32)


def test_accepting_what_another_has_taken_is_gone(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    both = workspace.task_queues.create(friendly_name="Both", max_reserved_workers=2)
    workflow = workspace.workflows.create(friendly_name="Both", configuration=_into(both.sid))
    bob = workspace.workers.create(friendly_name="Bob", activity_sid=centre_on_each.available_sid)
    task = workspace.tasks.create(workflow_sid=workflow.sid)
    first, second = (
        centre_on_each.service.reserve(task.sid, worker).sid
        for worker in (centre_on_each.worker_sid, bob.sid)
    )
    reservations = workspace.tasks(task.sid).reservations
    reservations(first).update(reservation_status="accepted")
    assert reservations(second).fetch().reservation_status == "rescinded"
    with pytest.raises(TwilioRestException) as refusal:
        reservations(second).update(reservation_status="accepted")
    assert (refusal.value.status, refusal.value.code) == (410, 20410)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, "Invalid ReservationStatus"),
        ({"ReservationStatus": "timeout"}, "Invalid ReservationStatus"),
        ({"ReservationStatus": "taken"}, "Invalid ReservationStatus"),
        ({"Instruction": "dance"}, "Invalid Instruction: expected accept or reject or"),
        ({"Instruction": "accept", "ReservationStatus": "accepted"}, "Invalid Instruction"),
        ({"Instruction": "conference", "Timeout": "0"}, "Invalid Timeout"),
        ({"Instruction": "conference", "Beep": "loud"}, "Invalid Beep"),
        ({"Instruction": "conference", "Record": "perhaps"}, "Invalid Record"),
        ({"Instruction": "conference", "WaitUrl": "music"}, "Invalid WaitUrl"),
        ({"Instruction": "conference", "MaxParticipants": "251"}, "Invalid MaxParticipants"),
        (
            {"Instruction": "conference", "StatusCallbackEvent": ["ringing", "sleeping"]},
            "Invalid StatusCallbackEvent",
        ),
        (
            {"ReservationStatus": "rejected", "WorkerActivitySid": "WA" + "0" * 32},
            "Invalid WorkerActivitySid",
        ),
    ],
)
def test_what_a_reservation_cannot_become_is_refused(
    centre: Centre, form: dict[str, Any], expected: str
) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    path = f"{centre.path}/Tasks/{task.sid}/Reservations/{offered.sid}"
    answer = centre.service.ask("POST", path, data=form)
    assert answer.status_code == 400
    assert answer.get_json()["message"].startswith(expected)
    assert centre.service.ask("GET", path).get_json()["reservation_status"] == "pending"


def test_a_conference_for_what_is_no_longer_offered_has_its_own_code(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    reservation = centre.workspace.tasks(task.sid).reservations(offered.sid)
    reservation.update(reservation_status="rejected", worker_activity_sid=centre.offline_sid)
    with pytest.raises(TwilioRestException) as refusal:
        reservation.update(instruction="conference")
    assert (refusal.value.status, refusal.value.code) == (400, 40136)


def test_events_are_filtered(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    task = workspace.tasks.create(task_channel="chat")
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)

    def found(**filters: Any) -> list[str]:
        return [event.event_type for event in workspace.events.list(**filters)]

    assert found(reservation_sid=offered.sid) == ["reservation.created"]
    assert found(worker_sid=centre_on_each.worker_sid) == ["reservation.created", "worker.created"]
    assert "task.created" in found(workflow_sid=centre_on_each.workflow_sid)
    assert "task-queue.entered" in found(task_queue_sid=centre_on_each.queue_sid)
    assert "task.created" in found(task_channel="chat")
    assert found(task_channel="sms") == ["task-channel.created"]
    assert found(event_type="task.created", start_date="2026-01-05T09:00:00Z") == ["task.created"]
    assert found(event_type="task.created", end_date="2026-01-05T08:59:59Z") == []
    centre_on_each.service.clock.advance(3600)
    assert found() == []
    [event] = workspace.events.list(event_type="reservation.created", minutes=120)
    assert found(sid=event.sid) == ["reservation.created"]
    assert event.resource_url.endswith(f"/Tasks/{task.sid}/Reservations/{offered.sid}")
    assert (event.actor_sid, event.source) == (centre_on_each.workspace_sid, "twilio")


def test_links_lead_to_what_they_name(service: Service, centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    for path in (
        "",
        f"/Tasks/{task.sid}",
        f"/Workers/{centre.worker_sid}",
        f"/TaskQueues/{centre.queue_sid}",
        f"/Activities/{centre.offline_sid}",
        "/TaskChannels/voice",
        f"/Tasks/{task.sid}/Reservations/{offered.sid}",
        f"/Workers/{centre.worker_sid}/Reservations/{offered.sid}",
    ):
        body = service.ask("GET", f"{centre.path}{path}").get_json()
        for name, url in {**body["links"], "url": body["url"]}.items():
            assert url.startswith(f"{PUBLIC_URL}/v1/")
            if name != "bulk_real_time_statistics":  # it is asked with a POST
                answer = service.ask("GET", url.removeprefix(PUBLIC_URL))
                assert answer.status_code == 200, (name, url)


def test_waiting_tasks_are_evaluated_again_where_asked(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    one, two = (workspace.task_queues.create(friendly_name=name) for name in ("One", "Two"))
    workflow = workspace.workflows.create(friendly_name="Moving", configuration=_into(one.sid))
    task = workspace.tasks.create(workflow_sid=workflow.sid)
    for asked, queue in (("false", "One"), ("true", "Two")):
        workflow.update(configuration=_into(two.sid), re_evaluate_tasks=asked)
        seen = workspace.tasks(task.sid).fetch()
        assert seen.task_queue_friendly_name == queue
    path = f"{centre_on_each.path}/Tasks/{task.sid}"
    form = {"Attributes": '{"vip": true}', "ReEvaluateTasks": "true"}
    assert centre_on_each.service.ask("POST", path, data=form).status_code == 200
