"""Every request of the SDK with every kind of token: who may, and who may not."""

import re
from typing import Any

import jwt
import pytest
from werkzeug.datastructures import Authorization

from routing.api import door as rest
from routing.engine import reservations
from routing.realtime import routes
from tests.realtime.conftest import ACCOUNT_SID, KEY_SID, SECRET, Office

ALL, AGENTS, OVERSEERS = "worker supervisor admin", "worker supervisor", "supervisor admin"

#: {operation: (roles that may use it for their own, roles that may use it for others' as well)}
TABLE = {
    "FetchWorker": (AGENTS, OVERSEERS),
    "UpdateWorker": (AGENTS, "supervisor"),
    "ListActivity": (ALL, ALL),
    "FetchActivity": (ALL, ALL),
    "ListWorkerChannel": (AGENTS, OVERSEERS),
    "ListReservationWithTask": (AGENTS, OVERSEERS),
    "FetchReservationWithTask": (AGENTS, OVERSEERS),
    "UpdateWorkerReservation": (AGENTS, ""),
    "CreateTask": (AGENTS, ""),
    "FetchTask": (AGENTS, OVERSEERS),
    "UpdateTask": (AGENTS, ""),
    "UpdateWorkerParticipant": (AGENTS, ""),
    "UpdateCustomerParticipant": (AGENTS, ""),
    "HoldWorkerParticipant": (AGENTS, ""),
    "KickWorkerParticipant": (AGENTS, ""),
    "CreateTransfer": (AGENTS, ""),
    "UpdateTransfer": (AGENTS, ""),
    "UpdateTaskReservation": ("supervisor", ""),
    "ListWorker": (OVERSEERS, OVERSEERS),
    "ListTaskQueue": (OVERSEERS, OVERSEERS),
    "FetchTaskQueue": (OVERSEERS, OVERSEERS),
    "FetchTaskConference": (AGENTS, OVERSEERS),
    "UpdateTaskConference": (AGENTS, ""),
    "RecordTaskConference": (AGENTS, ""),
    "PressTaskConferenceKeys": (AGENTS, ""),
    "CreateTaskConferenceParticipant": (AGENTS, ""),
    "UpdateTaskConferenceParticipant": (AGENTS, ""),
}
RULES = sorted(routes.ROUTES.iter_rules(), key=str)


class Scene:
    """Alice and Bob have accepted a Reservation each, and what a request for either looks like."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.mine = office.offer(office.alice)
        self.other = office.offer(office.bob)
        for offer in (self.mine, self.other):
            office.service.engine.perform(reservations.accept, reservation_sid=offer.sid)

    def request(self, rule: Any, *, own: bool) -> tuple[str, str, dict[str, Any]]:
        office, reservation = self.office, self.mine if own else self.other
        worker = office.alice if own else office.bob
        sids = {
            "workspace_sid": office.centre.workspace_sid,
            "worker_sid": worker,
            "task_sid": reservation.task_sid,
            "reservation_sid": reservation.sid,
            "activity_sid": office.centre.available_sid,
            "task_queue_sid": office.centre.queue_sid,
            "transfer_sid": "TT" + "0" * 32,
            "participant_sid": "IN" + "0" * 32,
        }
        path = str(rule)
        for name in rule.arguments:
            path = path.replace(f"<{name}>", sids[name])
        params = {
            "TaskSid": reservation.task_sid,
            "ReservationSid": reservation.sid,
            "RoutingTarget": worker,
            "Instruction": "supervise",
            "Supervisor": worker,
        }
        [method] = rule.methods - {"HEAD", "OPTIONS"}
        return method, path.lstrip("/"), params if method == "POST" else {}


@pytest.fixture
def scene(office: Office) -> Scene:
    return Scene(office)


def test_the_table_has_a_line_for_every_request() -> None:
    assert {rule.endpoint.operation.name for rule in RULES} == set(TABLE)


def test_a_role_reaches_as_far_as_the_table_says(scene: Scene) -> None:
    wrong = []
    for rule in RULES:
        name = rule.endpoint.operation.name
        own, others = TABLE[name]
        for role in ALL.split():
            token = scene.office.token(None if role == "admin" else scene.office.alice, role)
            for is_own, may in ((False, others), (True, f"{own} {others}")):
                answer = scene.office.ask(token, *scene.request(rule, own=is_own))
                allowed = answer.status_code not in {401, 403}
                if allowed != (role in may.split()):
                    wrong.append((name, role, is_own, answer.status_code))
    assert wrong == []


def test_a_wrong_token_reaches_nothing(scene: Scene) -> None:
    office = scene.office
    good = office.token(office.alice, "supervisor")
    now = office.service.clock.now() // 1000
    wrong = {
        "expired": (office.token(office.alice, "supervisor", seconds=-1), 401),
        "early": (office.token(office.alice, "supervisor", begin=now + 60), 401),
        "another secret": (
            office.token(office.alice, "supervisor", secret="of somebody else, 32 letters long"),
            401,
        ),
        "tampered": (good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"), 401),
        "another algorithm": (
            jwt.encode(jwt.decode(good, options={"verify_signature": False}), SECRET * 2, "HS512"),
            401,
        ),
        "another account": (office.token(office.alice, account_sid="AC" + "f" * 32), 401),
        "none": ("", 400),
        "another workspace": (
            office.token(office.alice, "supervisor", workspace_sid="WS" + "f" * 32),
            403,
        ),
    }
    let_in = []
    for rule in RULES:
        for name, (token, status) in wrong.items():
            answer = office.ask(token, *scene.request(rule, own=True))
            if answer.status_code != status or (token and token in answer.text):
                let_in.append((str(rule), name, answer.status_code))
    assert let_in == []


def test_a_token_is_no_key_to_the_rest_door(scene: Scene) -> None:
    office = scene.office
    client = office.service.app.test_client()
    let_in = []
    for role in ALL.split():
        token = office.token(office.alice, role)
        for auth in (
            Authorization("bearer", token=token),
            Authorization("basic", {"username": ACCOUNT_SID, "password": token}),
            Authorization("basic", {"username": KEY_SID, "password": token}),
        ):
            for operation in rest.OPERATIONS:
                path = "/v1" + re.sub("<[^>]+>", office.centre.workspace_sid, operation.path)
                answer = client.open(path, method=operation.method, auth=auth)
                if answer.status_code != 401 or token in answer.text:
                    let_in.append((operation.name, role, auth.type, answer.status_code))
    assert let_in == []


def test_what_a_worker_may_not_change_of_itself_stays(office: Office) -> None:
    token = office.token(office.alice)
    url = f"{office.base}/Workers/{office.alice}"
    office.payload(token, "POST", url, {"FriendlyName": "Queen", "Attributes": {"a": 1}})
    worker = office.payload(token, "GET", url)
    assert (worker["friendly_name"], worker["attributes"]) == ("Alice", '{"a":1}')


def test_a_task_that_was_declined_can_be_read_and_not_changed(office: Office) -> None:
    offer = office.offer()
    token = office.token(office.alice)
    reservation = f"{office.base}/Workers/{office.alice}/Reservations/{offer.sid}"
    task = f"{office.base}/Tasks/{offer.task_sid}"
    office.payload(token, "POST", reservation, {"ReservationStatus": "rejected"})
    asked: list[dict[str, Any]] = [{}, {"an": "option"}, {"Attributes": {}}]
    for params in asked:
        assert office.payload(token, "GET", task, params)["sid"] == offer.task_sid
        assert office.ask(token, "POST", task, params).status_code == 403


def test_who_is_only_asked_is_not_in_the_conversation(office: Office) -> None:
    offer = office.offer()
    token = office.token(office.alice)
    conference = f"{office.base}/Tasks/{offer.task_sid}/Conference"
    answer = office.ask(token, "POST", conference, {"Status": "completed"})
    assert answer.status_code == 403
    assert "not in the Task's conversation" in answer.text
    office.service.engine.perform(reservations.accept, reservation_sid=offer.sid)
    answer = office.ask(token, "POST", conference, {"Status": "completed"})
    assert (answer.status_code, answer.get_json()["code"]) == (400, 40149)
    for reservation_sid in (office.offer(office.bob).sid, "WR" + "0" * 32):
        params = {"To": "+15005550099", "ReservationSid": reservation_sid}
        answer = office.ask(token, "POST", f"{conference}/Participants", params)
        assert answer.status_code == 403
