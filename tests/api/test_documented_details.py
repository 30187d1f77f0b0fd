"""What Twilio's reference says in passing, and clients come to rely on."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from routing.store import SqlStore
from tests.api.service import ACCOUNT_SID, AUTH_TOKEN, NEXT_AUTH_TOKEN, Centre, Service, open_app


def test_names_without_a_documented_limit_may_be_long(centre: Centre) -> None:
    name = "A queue with a name that is longer than the 64 characters of other resources " * 2
    queue = centre.workspace.task_queues.create(friendly_name=name)
    document = f'{{"task_routing": {{"default_filter": {{"queue": "{queue.sid}"}}}}}}'
    workflow = centre.workspace.workflows.create(friendly_name=name, configuration=document)
    assert (queue.friendly_name, workflow.friendly_name) == (name, name)


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("1", True), ("perhaps", False)])
def test_any_other_word_makes_a_task_respect_capacity(
    centre: Centre, said: str, meant: bool
) -> None:
    task = centre.workspace.tasks.create(routing_target=centre.worker_sid, ignore_capacity=said)
    assert task.ignore_capacity is meant


def test_sids_in_capitals_are_sids_too(centre: Centre) -> None:
    unknown = "WQ" + "ABCDEF01" * 4
    assert centre.workspace.tasks.list(task_queue_sid=unknown) == []


def test_an_events_end_date_is_part_of_the_period(centre: Centre) -> None:
    centre.service.clock.advance(60)
    task = centre.workspace.tasks.create()
    [created] = centre.workspace.events.list(task_sid=task.sid, event_type="task.created")
    found = centre.workspace.events.list(
        task_sid=task.sid, event_type="task.created", end_date=created.event_date
    )
    assert [event.sid for event in found] == [created.sid]


def test_workers_of_any_queue_of_that_name_are_found(centre: Centre) -> None:
    bob = centre.workspace.workers.create(friendly_name="Bob", attributes='{"languages": ["fr"]}')
    for language in ("es", "fr"):
        centre.workspace.task_queues.create(
            friendly_name="Languages", target_workers=f"languages HAS '{language}'"
        )
    found = centre.workspace.workers.list(task_queue_name="Languages")
    assert [worker.sid for worker in found] == [centre.worker_sid, bob.sid]


def test_an_unknown_reservation_is_told_with_its_whole_path(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    unknown = "WR" + "0" * 32
    for parent in (f"Tasks/{task.sid}", f"Workers/{centre.worker_sid}"):
        for method in ("GET", "POST"):
            path = f"{centre.path}/{parent}/Reservations/{unknown}"
            how: dict[str, Any] = {"data": {"ReservationStatus": "accepted"}}
            answer = centre.service.ask(method, path, **(how if method == "POST" else {}))
            assert answer.get_json()["message"] == (
                f"The requested resource {path.removeprefix('/v1')} was not found"
            )


def test_a_supervisor_is_named_by_sid_or_address(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    below = {"Tasks": task.sid, "Workers": centre.worker_sid}
    for supervisor in (centre.worker_sid, "client:supervisor"):
        for folder, sid in below.items():
            path = f"{centre.path}/{folder}/{sid}/Reservations/{offered.sid}"
            form = {"Instruction": "supervise", "SupervisorMode": "monitor"}
            answer = centre.service.ask("POST", path, data={**form, "Supervisor": supervisor})
            assert "Supervisor: " not in answer.text


def test_a_conference_is_recorded_in_documented_ways_only(centre: Centre) -> None:
    task = centre.workspace.tasks.create()
    offered = centre.service.reserve(task.sid, centre.worker_sid)
    reservation = centre.workspace.tasks(task.sid).reservations(offered.sid)
    with pytest.raises(TwilioRestException, match="Invalid ConferenceRecord: expected one of"):
        reservation.update(instruction="conference", conference_record="always")
    reservation.update(instruction="conference", conference_record="record-from-start")


def _limited(service: Service, requests_per_second: int) -> Service:
    store = service.engine.store
    assert isinstance(store, SqlStore)
    return open_app(store, service.clock, requests_per_second=requests_per_second)


def test_without_a_limit_nothing_is_told_of_one(service: Service) -> None:
    answer = service.ask("GET", "/v1/Workspaces")
    assert not [name for name in answer.headers.keys() if name.startswith("X-Rate-Limit")]  # noqa: SIM118 - no dict


def test_who_asks_too_often_is_told_when_to_come_again(service: Service) -> None:
    limited = _limited(service, 5)
    left = []
    for _ in range(10):
        answer = limited.ask("GET", "/v1/Workspaces")
        assert answer.status_code == 200
        assert answer.headers["X-Rate-Limit-Limit"] == "5"
        left.append(int(answer.headers["X-Rate-Limit-Remaining"]))
    assert left == list(range(9, -1, -1))
    refused = limited.ask("POST", "/v1/Workspaces", data={"FriendlyName": "Too many"})
    assert (refused.status_code, refused.get_json()["code"]) == (429, 20429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["X-Rate-Limit-Remaining"] == "0"
    limited.clock.advance(1)
    assert [limited.ask("GET", "/v1/Nothing").status_code for _ in range(6)] == [404] * 5 + [429]
    assert limited.client().taskrouter.v1.workspaces is not None
    assert service.client().taskrouter.v1.workspaces.list() == []


def test_strangers_use_up_nobodys_requests(service: Service) -> None:
    limited = _limited(service, 1)
    for _ in range(10):
        assert limited.ask("GET", "/v1/Workspaces", auth=(ACCOUNT_SID, "x")).status_code == 401
    for token in (AUTH_TOKEN, NEXT_AUTH_TOKEN):
        answer = limited.ask("GET", "/v1/Workspaces", auth=(ACCOUNT_SID, token))
        assert answer.status_code == 200
