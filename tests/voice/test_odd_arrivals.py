"""What nobody planned for: news of a call before the call, bridges and waits without one."""

import secrets

from routing.engine import workspaces
from tests.voice.office import CALLER, NUMBER, Office

ENDED = "/voice/call-status"


def arrival(call_sid: str, status: str) -> dict[str, str]:
    return {
        "CallSid": call_sid,
        "CallStatus": status,
        "From": CALLER,
        "To": NUMBER,
        "Direction": "inbound",
    }


def test_a_call_whose_end_is_told_before_its_beginning_opens_no_task(office: Office) -> None:
    call_sid = "CA" + secrets.token_hex(16)
    assert office.post(ENDED, arrival(call_sid, "no-answer")).status_code == 204
    answer = office.post("/voice/incoming", arrival(call_sid, "ringing"))
    assert answer.status_code == 200
    assert b"<Enqueue" not in answer.data
    assert office.centre.engine.read(lambda work: work.tasks.find()) == []


def test_a_conference_for_a_task_without_a_call_gives_the_task_back(office: Office) -> None:
    alice = office.centre.add_worker("Alice", contact_uri="client:alice")
    task_sid = office.centre.add_task(channel="voice")
    office.centre.request_conference(office.centre.offer(task_sid).sid)
    office.settle()
    [reservation] = office.centre.reservations(task_sid)
    assert reservation.reservation_status == "canceled"
    assert "40142" in (reservation.reason or "")
    assert office.centre.task(task_sid).assignment_status == "pending"
    assert office.assigned(alice) == 0


def test_a_caller_whose_workspace_was_deleted_is_not_kept_waiting(office: Office) -> None:
    call = office.dial_in()
    office.settle()
    office.centre.engine.perform(workspaces.delete, workspace_sid=office.centre.workspace_sid)
    answer = office.post("/voice/waiting", arrival(call.sid, "in-progress"))
    assert b"<Leave" in answer.data
    told = arrival(call.sid, "in-progress") | {"QueueResult": "leave"}
    assert office.flow.canceled.encode() in office.post("/voice/queue-left", told).data
