"""The legacy browser SDK (v1): capability tokens, REST's own words, events in words of its own."""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import jwt
import pytest
from twilio.jwt.taskrouter.capabilities import (
    TaskQueueCapabilityToken,
    WorkerCapabilityToken,
    WorkspaceCapabilityToken,
)

from routing.api.operations import RestSettings
from routing.engine import reservations
from routing.realtime import routes
from routing.realtime.bridge import Bridge
from routing.realtime.policies import covers
from routing.reservation import Reservation
from routing.store import SqlStore
from tests.api.service import PUBLIC_URL
from tests.realtime.clients import Running
from tests.realtime.conftest import ACCOUNT_SID, AUTH_TOKEN, Office

#: What the helper library complains of is the tests' own short secret.
pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")

WORKER, QUEUE, WORKSPACE = (
    WorkerCapabilityToken,
    TaskQueueCapabilityToken,
    WorkspaceCapabilityToken,
)
RULES = sorted(routes.legacy_routes().iter_rules(), key=str)

_TASKS = {"ListTask", "FetchTask", "ListTaskReservation", "FetchTaskReservation"}
_SELF = {"FetchWorker", "ListWorkerReservation", "FetchWorkerReservation"}
_ANSWERS = {"CreateTask", "UpdateTask", "UpdateTaskReservation"}
_ALL = {rule.endpoint.name for rule in RULES}
_OF_QUEUE = {name for name in _ALL if name.startswith("FetchTaskQueue")} | {
    "UpdateTaskQueue",
    "DeleteTaskQueue",
}
_OF_WORKER = (
    _SELF
    | {name for name in _ALL if "WorkerChannel" in name}
    | {"UpdateWorker", "DeleteWorker", "UpdateWorkerReservation", "FetchWorkerInstanceStatistics"}
)
#: The library's switches of a token, all of them.
EVERYTHING = (
    "update_self delete_self fetch_subresources update_subresources delete_subresources "
    "update_activities update_reservations"
)
#: (kind, what the library is asked to allow, what it may of its own, what it may of others')
TABLE = [
    (WORKER, "", _SELF | _TASKS | {"ListActivity"}, _TASKS | {"ListActivity"}),
    (
        WORKER,
        "update_activities update_reservations",
        _SELF | _TASKS | _ANSWERS | {"ListActivity", "UpdateWorker", "UpdateWorkerReservation"},
        _TASKS | _ANSWERS | {"ListActivity"},
    ),
    (
        WORKER,
        EVERYTHING,
        _OF_WORKER | _TASKS | _ANSWERS | {"ListActivity"},
        _TASKS | _ANSWERS | {"ListActivity"},
    ),
    (QUEUE, "", {"FetchTaskQueue"}, set()),
    (QUEUE, EVERYTHING, _OF_QUEUE, set()),
    (WORKSPACE, "", {"FetchWorkspace"}, {"FetchWorkspace"}),
    (WORKSPACE, EVERYTHING, _ALL - {"ListWorkspace", "CreateWorkspace"}, None),
]


class Scene:
    """Alice and Bob, who can have a Reservation each, and two TaskQueues."""

    def __init__(self, office: Office) -> None:
        self.office = office
        other = office.centre.workspace.task_queues.create(friendly_name="Another").sid
        self.queues = (office.centre.queue_sid, str(other))
        self.workers = (office.alice, office.bob)

    @cached_property
    def offers(self) -> tuple[Reservation, Reservation]:
        return self.office.offer(self.office.alice), self.office.offer(self.office.bob)

    def channel(self, kind: Any) -> str:
        workspace_sid = self.office.centre.workspace_sid
        channels = {WORKER: self.office.alice, QUEUE: self.queues[0], WORKSPACE: workspace_sid}
        return str(channels[kind])

    def token(self, kind: Any = WORKER, allowed: str = "", **other: Any) -> str:
        now = self.office.service.clock.now() // 1000
        sids = [other.get("workspace_sid", self.office.centre.workspace_sid)]
        if kind is not WORKSPACE:
            sids.append(self.channel(kind))
        made = kind(
            other.get("account_sid", ACCOUNT_SID),
            other.get("secret", AUTH_TOKEN),
            *sids,
            nbf=now + other.get("begin", 0),
            valid_until=now + other.get("seconds", 3600),
            **{f"allow_{name}": True for name in allowed.split()},
            **({"allow_web_sockets": False} if other.get("deaf") else {}),
        )
        return str(made.to_jwt())

    def request(self, rule: Any, *, own: bool) -> tuple[str, str, dict[str, Any]]:
        which = 0 if own else 1
        sids = {
            "workspace_sid": self.office.centre.workspace_sid,
            "worker_sid": self.workers[which],
            "task_queue_sid": self.queues[which],
            "task_sid": self.offers[which].task_sid,
            "reservation_sid": self.offers[which].sid,
            "activity_sid": self.office.centre.available_sid,
            "workflow_sid": self.office.centre.workflow_sid,
            "event_sid": "EV" + "0" * 32,
            "channel": "voice",
        }
        path = str(rule)
        for name in rule.arguments:
            path = path.replace(f"<{name}>", sids[name])
        [method] = rule.methods - {"HEAD", "OPTIONS"}
        moved = {"ActivitySid": self.office.centre.available_sid}
        return method, path.lstrip("/"), moved if method == "POST" else {}

    def ask(
        self,
        token: str,
        method: str,
        path: str,
        params: Any = None,
        *,
        channel: str | None = None,
        **more: str,
    ) -> tuple[int, Any]:
        """What the browser SDK is answered: status, and what is in the body."""
        body = {
            "url": path if "://" in path else f"https://taskrouter.twilio.com/v1/{path}",
            "method": method,
            "token": token,
            **more,
        } | ({"params": params} if params is not None else {})
        answer = self.office.service.app.test_client().post(
            f"/v1/wschannels/{ACCOUNT_SID}/{channel or self.office.alice}", data=json.dumps(body)
        )
        assert not token or token not in answer.text
        return answer.status_code, answer.json


@pytest.fixture
def scene(office: Office) -> Scene:
    return Scene(office)


@pytest.fixture
def running(office: Office) -> Iterator[Running]:
    store = office.service.engine.store
    assert isinstance(store, SqlStore)
    settings = RestSettings(
        account_sid=ACCOUNT_SID, auth_tokens=(AUTH_TOKEN,), public_url=PUBLIC_URL
    )
    with Running(Bridge(office.service.engine, settings, _NoKeys()), store) as running:
        yield running


class _NoKeys:
    def secret(self, key_sid: str) -> str | None:  # noqa: ARG002 - a SigningKeys
        return None


def test_a_token_reaches_as_far_as_its_policies_say(scene: Scene) -> None:
    wrong = []
    for kind, allowed, own, others in TABLE:
        token, channel = scene.token(kind, allowed), scene.channel(kind)
        for is_own, may in ((False, own if others is None else others), (True, own)):
            for rule in RULES:
                status, _ = scene.ask(token, *scene.request(rule, own=is_own), channel=channel)
                if (status not in {401, 403}) != (rule.endpoint.name in may):
                    wrong.append((kind.__name__, allowed, rule.endpoint.name, is_own, status))
    assert wrong == []


def test_a_wrong_token_reaches_nothing(scene: Scene) -> None:
    good = scene.token(WORKSPACE, EVERYTHING)
    claims = jwt.decode(good, options={"verify_signature": False})
    wrong = {
        "expired": (scene.token(WORKSPACE, EVERYTHING, seconds=-1), 401),
        "early": (scene.token(WORKSPACE, EVERYTHING, begin=60), 401),
        "another secret": (scene.token(WORKSPACE, EVERYTHING, secret="of somebody else"), 401),
        "tampered": (good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"), 401),
        "another algorithm": (jwt.encode(claims, AUTH_TOKEN * 4, "HS512"), 401),
        "another account": (scene.token(WORKSPACE, EVERYTHING, account_sid="AC" + "f" * 32), 401),
        "none": ("", 400),
        "another workspace": (
            scene.token(WORKSPACE, EVERYTHING, workspace_sid="WS" + "f" * 32),
            403,
        ),
        "no policy for the bridge": (scene.token(WORKSPACE, EVERYTHING, deaf=True), 403),
        "an access token": (scene.office.token(scene.office.alice, "supervisor"), 403),
    }
    let_in = []
    for rule in RULES:
        for name, (token, status) in wrong.items():
            channel = scene.channel(WORKSPACE)
            if name == "another workspace":
                channel = "WS" + "f" * 32
            told, _ = scene.ask(token, *scene.request(rule, own=True), channel=channel)
            if told != status:
                let_in.append((rule.endpoint.name, name, told))
    assert let_in == []


def test_a_token_opens_its_own_channel_alone(scene: Scene) -> None:
    for kind in (WORKER, QUEUE, WORKSPACE):
        me = f"{scene.office.base}/Workers/{scene.office.alice}"
        for channel in (scene.office.bob, scene.queues[1], "WS" + "0" * 32):
            status, _ = scene.ask(scene.token(kind), "GET", me, channel=channel)
            assert status == 403


def test_it_is_answered_as_rest_answers(scene: Scene) -> None:
    office, me = scene.office, f"Workers/{scene.office.alice}"
    token = scene.token(WORKER, "update_activities")
    status, told = scene.ask(token, "GET", f"{office.base}/{me}", event_type="ready")
    assert (status, told["event_type"]) == (200, "ready")
    assert told["payload"]["date_created"].endswith("Z")
    status, told = scene.ask(token, "GET", f"{office.base}/Activities")
    assert (status, told["payload"]["meta"]["key"]) == (200, "activities")
    assert "event_type" not in told
    moved = {"ActivitySid": office.centre.offline_sid}
    assert scene.ask(token, "POST", f"{office.base}/{me}", moved)[0] == 200
    for params in ({}, {"Attributes": "{}"}, {**moved, "Attributes": "{}"}):
        assert scene.ask(token, "POST", f"{office.base}/{me}", params)[0] == 403
    assert scene.ask(token, "POST", f"{office.base}/{me}/Token")[0] in {403, 404}


def test_its_workspace_is_ready_though_it_asks_with_a_slash_at_the_end(scene: Scene) -> None:
    status, told = scene.ask(
        scene.token(WORKSPACE),
        "GET",
        f"{scene.office.base}/",
        channel=scene.channel(WORKSPACE),
        event_type="ready",
    )
    assert (status, told["event_type"]) == (200, "ready")
    assert told["payload"]["sid"] == scene.office.centre.workspace_sid


def test_it_goes_on_to_the_next_page_and_back_by_the_urls_that_it_was_given(scene: Scene) -> None:
    token, channel = scene.token(WORKSPACE, "fetch_subresources"), scene.channel(WORKSPACE)

    def page(url: str, params: Any = None) -> tuple[str, Any]:
        status, told = scene.ask(token, "GET", url, params, channel=channel)
        assert status == 200
        [worker] = told["payload"]["workers"]
        return worker["friendly_name"], told["payload"]["meta"]

    first, meta = page(f"{scene.office.base}/Workers", {"PageSize": 1})
    second, further = page(meta["next_page_url"])
    assert {first, second} == {"Alice", "Bob"}
    assert further["next_page_url"] is None
    assert page(further["previous_page_url"])[0] == first


def test_it_hears_of_offers_as_tasks_with_a_reservation_and_of_its_worker_in_short(
    scene: Scene, running: Running
) -> None:
    office = scene.office
    path = f"/v1/wschannels/{ACCOUNT_SID}/{office.alice}"
    with running.connected(scene.token(), path, closeExistingSessions="false") as socket:
        running.until_sockets(1)
        office.centre.workspace.workers(office.alice).update(attributes='{"n":1}')
        told = socket.frame()
        # There is no first frame for it.
        assert (told["event_type"], told["payload"]["attributes"]) == (
            "attributes.update",
            '{"n":1}',
        )
        assert told["payload"]["date_created"].endswith("Z")
        offer = office.offer(office.alice, attributes='{"to":"be told"}')
        made = socket.until("reservation.created")
        assert (made["sid"], made["reservation_sid"]) == (offer.task_sid, offer.sid)
        assert made["attributes"] == '{"to":"be told"}'
        office.service.engine.perform(reservations.accept, reservation_sid=offer.sid)
        accepted = socket.until("reservation.accepted")
        assert (accepted["assignment_status"], accepted["reservation_sid"]) == (
            "assigned",
            offer.sid,
        )


def test_whose_token_says_nothing_of_a_socket_or_names_another_channel_hears_nothing(
    scene: Scene, running: Running
) -> None:
    for token, channel in (
        (scene.token(deaf=True), scene.office.alice),
        (scene.token(), scene.office.bob),
        (scene.token(QUEUE), scene.queues[1]),
    ):
        with running.connected(token, f"/v1/wschannels/{ACCOUNT_SID}/{channel}") as socket:
            assert "Permission denied" in socket.farewell()
    for kind in (QUEUE, WORKSPACE):
        path = f"/v1/wschannels/{ACCOUNT_SID}/{scene.channel(kind)}"
        with running.connected(scene.token(kind), path):
            running.until_sockets(1)
        running.until_sockets(0)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("Workspaces/WS1", "Workspaces/WS1", True),
        ("Workspaces/WS1", "Workspaces/WS1/Tasks", False),
        ("Workspaces/*", "Workspaces/WS1", True),
        ("Workspaces/*/Tasks", "Workspaces/WS1/Tasks", True),
        ("Workspaces/*", "Workspaces/WS1/Tasks", False),
        ("Workspaces/**", "Workspaces/WS1/Tasks/WT1", True),
        ("Workspaces/WS1/Tasks/**", "Workspaces/WS1/Tasks", True),
        ("Workspaces/WS1/Tasks/**", "Workspaces/WS1/TasksAndMore", False),
        ("**", "anything/at/all", True),
    ],
)
def test_a_pattern_fits_by_its_parts(pattern: str, path: str, fits: bool) -> None:
    assert covers(pattern, path) == fits
