"""The event bridge: what the SDK asks, in its words, and what it is answered."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.realtime.conftest import ACCOUNT_SID, Office

#: What the SDK wants to find in each thing, at least.
KEYS = {
    "worker": """account_sid activity_name activity_sid attributes available date_created
        date_status_changed date_updated friendly_name sid workspace_sid version""",
    "activity": """account_sid available date_created date_updated friendly_name sid
        workspace_sid""",
    "channel": """account_sid assigned_tasks available available_capacity_percentage
        configured_capacity date_created date_updated last_reserved_time sid task_channel_sid
        task_channel_unique_name worker_sid workspace_sid""",
    "task": """addons age attributes date_created date_updated priority queue_name queue_sid
        reason routing_target sid assignment_status task_channel_unique_name task_channel_sid
        timeout workflow_name workflow_sid version virtual_start_time""",
    "reservation": """account_sid date_created date_updated reservation_status sid task
        reservation_timeout worker_sid workspace_sid version""",
    "queue": """friendly_name reservation_activity_name assignment_activity_name target_workers
        max_reserved_workers task_order reservation_activity_sid assignment_activity_sid
        workspace_sid account_sid sid date_created date_updated lifo_queue""",
}


def has_all(kind: str, body: dict[str, Any]) -> bool:
    return set(KEYS[kind].split()) <= set(body)


def test_what_an_application_reads_first(office: Office) -> None:
    offer = office.offer()
    token, me = office.token(office.alice), f"{office.base}/Workers/{office.alice}"
    worker = office.payload(token, "GET", me)
    assert has_all("worker", worker)
    assert worker["date_created"] == office.service.clock.now() // 1000
    activities = office.payload(token, "GET", f"{office.base}/Activities", {"PageSize": 1000})
    assert all(has_all("activity", each) for each in activities["contents"])
    assert worker["activity_sid"] in {each["sid"] for each in activities["contents"]}
    channels = office.payload(token, "GET", f"{me}/WorkerChannels")["contents"]
    assert all(has_all("channel", each) for each in channels)
    active = office.payload(token, "GET", f"{me}/Reservations", {"Active": "true"})
    [reservation] = active["contents"]
    assert has_all("reservation", reservation)
    assert has_all("task", reservation["task"])
    assert (reservation["sid"], active["after_sid"]) == (offer.sid, None)
    assert not {"task_transfer", "active_outgoing_task_transfer"} & set(reservation)


def test_a_supervisor_reads_queues(office: Office) -> None:
    token = office.token(office.alice, "supervisor")
    listed = office.payload(token, "GET", f"{office.base}/TaskQueues")
    assert all(has_all("queue", each) for each in listed["contents"])


def test_who_gives_a_wrong_sid_is_shown_it_again(office: Office) -> None:
    token = office.token(office.alice, "supervisor")
    params = {"ActivitySid": "invalid_activitySid"}
    answer = office.ask(token, "POST", f"{office.base}/Workers/{office.bob}", params)
    assert answer.status_code == 400
    assert answer.json is not None
    assert "found 'invalid_activitySid'" in answer.json["message"]
    params = {"ActivitySid": office.centre.offline_sid}
    assert office.ask(token, "POST", f"{office.base}/Workers/nobody", params).status_code == 404


def test_objects_booleans_and_options_arrive_as_the_rest_door_wants_them(office: Office) -> None:
    token, me = office.token(office.alice), f"{office.base}/Workers/{office.alice}"
    changed = office.payload(token, "POST", me, {"Attributes": {"languages": ["ja"], "n": 1}})
    assert json.loads(changed["attributes"]) == {"languages": ["ja"], "n": 1}
    office.offer()
    gone = {"ActivitySid": office.centre.offline_sid, "RejectPendingReservations": True}
    office.payload(token, "POST", me, {**gone, "undefined": {"an": "option"}})
    assert office.payload(token, "GET", f"{me}/Reservations", {"Active": "true"})["contents"] == []


def test_a_worker_creates_a_task_for_itself(office: Office) -> None:
    token = office.token(office.alice)
    params = {
        "WorkflowSid": office.centre.workflow_sid,
        "TaskQueueSid": office.centre.queue_sid,
        "RoutingTarget": office.alice,
        "Attributes": {"outbound_to": "+15550100000", "from": "+15550123456"},
        "TaskChannelUniqueName": "voice",
        "VirtualStartTime": "2026-01-05T08:00:00Z",
    }
    task = office.payload(token, "POST", f"{office.base}/Tasks", params)
    assert task["routing_target"] == office.alice
    assert task["task_channel_unique_name"] == "voice"
    assert json.loads(task["attributes"])["outbound_to"] == "+15550100000"
    for wrong, message in (
        (
            {"WorkflowSid": "WWxxx"},
            (
                "Value 'WWxxx' provided for WorkflowSid as RoutingTarget has an invalid format. "
                f"WorkspaceSid: {office.centre.workspace_sid}, AccountSid: {ACCOUNT_SID}"
            ),
        ),
        ({"TaskQueueSid": "WQxxx"}, "HTTP 400 Bad Request"),
        ({"VirtualStartTime": "2036-01-05T08:00:00Z"}, "future"),
    ):
        refused = office.ask(token, "POST", f"{office.base}/Tasks", params | wrong)
        assert refused.status_code == 400
        assert message in refused.json["message"]  # type: ignore[index]  # it has one
        # The older SDKs show nothing but this.
        assert message[:100] in refused.status


def test_pages_go_by_sid_or_by_token(office: Office) -> None:
    token, workers = office.token(None, "admin"), f"{office.base}/Workers"
    first = office.payload(token, "GET", workers, {"PageSize": 1})
    assert [each["sid"] for each in first["contents"]] == [office.alice]
    assert first["after_sid"] == office.alice
    rest = office.payload(token, "GET", workers, {"PageSize": 1, "AfterSid": office.alice})
    assert [each["sid"] for each in rest["contents"]] == [office.bob]
    assert rest["after_sid"] is None
    ordered = {"PageSize": 1, "Ordering": "DateStatusChanged:desc"}
    first = office.payload(token, "GET", workers, ordered)
    following = {**ordered, "NextToken": first["meta"]["next_token"]}
    rest = office.payload(token, "GET", workers, following)
    found = {each["sid"] for page in (first, rest) for each in page["contents"]}
    assert found == {office.alice, office.bob}
    assert rest["meta"]["next_token"] is None
    for wrong in ("WK" + "0" * 32, office.centre.queue_sid, "nonsense"):
        assert office.ask(token, "GET", workers, {"AfterSid": wrong}).status_code == 400
    assert office.ask(token, "GET", workers, {"ActivitySid": "WAxxx"}).status_code == 400


def test_another_version_is_refused_but_not_a_supervisors_own(office: Office) -> None:
    token, me = office.token(office.alice, "supervisor"), f"{office.base}/Workers/{office.alice}"
    version = office.payload(token, "GET", me)["version"]
    change = {"Attributes": {"a": 1}}
    stale = {"If-Match": str(version + 1)}
    assert office.ask(token, "POST", me, change, **stale).status_code == 412
    assert office.payload(token, "POST", me, change, **{"If-Match": str(version)})
    other = f"{office.base}/Workers/{office.bob}"
    assert office.payload(token, "POST", other, change, **stale)["attributes"] == '{"a":1}'


def test_every_change_of_a_task_and_a_reservation_asks_for_the_version_that_is_there(
    office: Office,
) -> None:
    """As the SDK sends it with enableVersionCheck: a bare number, and nothing is done for a wrong
    one.
    """
    token, me = office.token(office.alice), f"{office.base}/Workers/{office.alice}"

    def change(url: str, **params: Any) -> None:
        before = office.payload(token, "GET", url)
        for wrong in (before["version"] + 1, before["version"] - 1):
            answer = office.ask(token, "POST", url, params, **{"If-Match": str(wrong)})
            assert answer.status_code == 412
            assert answer.json is not None
            assert answer.json["message"]
        assert office.payload(token, "GET", url) == before
        right = {"If-Match": str(before["version"])}
        assert office.payload(token, "POST", url, params, **right)["version"] == (
            before["version"] + 1
        )

    for steps in (
        ("accepted", "Attributes", "VirtualStartTime", "task wrapping", "task completed"),
        ("accepted", "wrapping", "completed"),
        ("rejected",),
    ):
        offer = office.offer()
        reservation = f"{me}/Reservations/{offer.sid}"
        task = f"{office.base}/Tasks/{offer.task_sid}"
        for step in steps:
            if step.startswith("task "):
                change(task, AssignmentStatus=step.removeprefix("task "), Reason="over")
            elif step == "Attributes":
                change(task, Attributes={"a": 1})
            elif step == "VirtualStartTime":
                change(task, VirtualStartTime="2026-01-05T08:00:00Z")
            else:
                change(reservation, ReservationStatus=step)


def test_the_worker_counts_offers_as_the_sdk_does(office: Office) -> None:
    token, me = office.token(office.alice), f"{office.base}/Workers/{office.alice}"
    before = office.payload(token, "GET", me)["version"]
    offer = office.offer()
    assert office.payload(token, "GET", me)["version"] == before + 1
    office.payload(
        token, "POST", f"{me}/Reservations/{offer.sid}", {"ReservationStatus": "rejected"}
    )
    assert office.payload(token, "GET", me)["version"] == before + 1


def test_browsers_may_ask_from_anywhere(office: Office) -> None:
    client = office.service.app.test_client()
    preflight = client.options("/v1/wschannels", headers={"Origin": "https://agents.example"})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    allowed = preflight.headers["Access-Control-Allow-Headers"].replace(" ", "").split(",")
    assert {"apiVersion", "clientVersion", "If-Match", "Content-Type"} <= set(allowed)
    refused = client.post("/v1/wschannels", data=b"{")
    assert refused.status_code == 400
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


BAD = {
    "nothing": b"",
    "no JSON": b"token=abc&url=Workspaces",
    "an array": b"[]",
    "deep JSON": b'{"params":' + b"[" * 2000 + b"]" * 2000 + b"}",
    "a number beyond numbers": b'{"url":"x","method":"GET","token":"t","params":{"a":1e999}}',
    "no token": b'{"url":"x","method":"GET","params":{}}',
    "a token that is none": b'{"url":"x","method":"GET","params":{},"token":7}',
    "keys twice": b'{"token":"a","token":"b"}',
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_refused_with_what_was_expected(office: Office, name: str) -> None:
    answer = office.service.app.test_client().post("/v1/wschannels", data=BAD[name])
    assert answer.status_code == 400
    assert "expected" in answer.json["message"]  # type: ignore[index]  # it has one


def test_too_much_is_refused(office: Office) -> None:
    client = office.service.app.test_client()
    body = b'{"url":"' + b"x" * 300_000 + b'"}'
    assert client.post("/v1/wschannels", data=body).status_code == 413
    assert office.ask("x" * 9000, "GET", office.base).status_code == 401


def test_unknown_paths_and_methods_are_named(office: Office) -> None:
    token = office.token(office.alice)
    for method, url, status in (
        ("GET", f"{office.base}/Nowhere", 404),
        ("GET", f"{office.base}/Workers/../Workers", 404),
        ("DELETE", f"{office.base}/Workers/{office.alice}", 405),
        ("BREW", f"{office.base}/Workers/{office.alice}", 405),
        ("GET", "", 400),
        ("GET", "/" * 500, 404),
    ):
        answer = office.ask(token, method, url)
        assert answer.status_code == status, url
        assert answer.json["message"]  # type: ignore[index]  # it has one


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20) | st.none(), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_no_parameter_is_more_than_a_refusal(office: Office, params: dict[str, Any]) -> None:
    token = office.token(office.alice)
    url = f"{office.base}/Workers/{office.alice}"
    assert office.ask(token, "POST", url, params).status_code in {200, 400}
