"""If-Match: who changes something only as it was when they saw it."""

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.api.service import Centre


def _etag(centre: Centre, path: str) -> str:
    return centre.service.ask("GET", f"{centre.path}/{path}").headers["ETag"]


def test_every_change_of_a_task_gives_it_a_new_tag(centre: Centre) -> None:
    made = centre.service.ask("POST", f"{centre.path}/Tasks")
    assert made.headers["ETag"] == '"0"'
    path = f"Tasks/{made.get_json()['sid']}"
    assert _etag(centre, path) == '"0"'
    changed = centre.service.ask("POST", f"{centre.path}/{path}", data={"Priority": "1"})
    assert changed.headers["ETag"] == '"1"' == _etag(centre, path)


def test_the_lists_of_what_has_versions_have_tags_of_their_own(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    lists = {
        "Tasks": (f"Tasks/{task.sid}", {"Priority": "1"}),
        "Workers": (f"Workers/{centre.worker_sid}", {"FriendlyName": "Alicia"}),
        f"Tasks/{task.sid}/Reservations": (
            f"Tasks/{task.sid}/Reservations/{offered.sid}",
            {"ReservationStatus": "accepted"},
        ),
        f"Workers/{centre.worker_sid}/Reservations": (
            f"Workers/{centre.worker_sid}/Reservations/{offered.sid}",
            {"ReservationStatus": "completed"},
        ),
    }
    for path, (one, form) in lists.items():
        before = _etag(centre, path)
        centre.service.clock.advance(60)  # a Task's age is told, and is no change
        assert before == _etag(centre, path)
        changed = centre.service.ask("POST", f"{centre.path}/{one}", data=form)
        assert changed.status_code == 200, changed.text
        assert _etag(centre, path) != before
    for path in ("Activities", "TaskQueues", "Workflows", "TaskChannels", "Events"):
        answer = centre.service.ask("GET", f"{centre.path}/{path}")
        assert "ETag" not in answer.headers, path


@pytest.mark.parametrize("tag", ["0", '"0"', 'W/"0"', "*"])
def test_whoever_saw_the_present_version_may_change_it(centre: Centre, tag: str) -> None:
    task = centre.workspace.tasks.create()
    changed = centre.workspace.tasks(task.sid).update(if_match=tag, priority=1)
    assert changed.priority == 1


@pytest.mark.parametrize("tag", ["1", '"7"', "abc", '""', "-1", "0, 1", "9" * 40])
def test_whoever_saw_another_version_changes_nothing(centre: Centre, tag: str) -> None:
    task = centre.workspace.tasks.create(priority=5)
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    changes = [
        (f"Tasks/{task.sid}", {"Priority": "1"}),
        (f"Tasks/{task.sid}", {"AssignmentStatus": "canceled", "Reason": "r"}),
        (f"Workers/{centre.worker_sid}", {"ActivitySid": centre.offline_sid}),
        (
            f"Workers/{centre.worker_sid}",
            {"ActivitySid": centre.offline_sid, "RejectPendingReservations": "true"},
        ),
        (f"Tasks/{task.sid}/Reservations/{offered.sid}", {"ReservationStatus": "rejected"}),
        (f"Workers/{centre.worker_sid}/Reservations/{offered.sid}", {"Instruction": "conference"}),
    ]
    tag = "99" if tag == "1" else tag
    for path, form in changes:
        answer = centre.service.ask(
            "POST", f"{centre.path}/{path}", data=form, headers={"If-Match": tag}
        )
        assert answer.status_code == 412, (path, answer.text)
        assert answer.get_json()["code"] == 20412
    for path in (f"Tasks/{task.sid}", f"Workers/{centre.worker_sid}"):
        answer = centre.service.ask("DELETE", f"{centre.path}/{path}", headers={"If-Match": tag})
        assert answer.status_code == 412
    seen = centre.workspace.tasks(task.sid).fetch()
    assert (seen.priority, seen.assignment_status) == (5, "reserved")
    assert centre.workspace.workers(centre.worker_sid).fetch().available is True
    reservation = centre.workspace.tasks(task.sid).reservations(offered.sid).fetch()
    assert reservation.reservation_status == "pending"


def test_the_second_of_two_who_saw_the_same_offer_is_told(centre_on_each: Centre) -> None:
    task = centre_on_each.workspace.tasks.create()
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    path = f"Tasks/{task.sid}/Reservations/{offered.sid}"
    tag = _etag(centre_on_each, path)
    reservation = centre_on_each.workspace.tasks(task.sid).reservations(offered.sid)
    reservation.update(if_match=tag, reservation_status="accepted")
    with pytest.raises(TwilioRestException) as refusal:
        reservation.update(if_match=tag, reservation_status="accepted")
    assert (refusal.value.status, refusal.value.code) == (412, 20412)
