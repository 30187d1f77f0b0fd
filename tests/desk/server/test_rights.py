"""Every role at every line of the table of rights, and at what lies beyond it."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from desk.rights import RIGHTS
from routing.engine import workers, workspaces
from tests.desk.server.front import Browser, Front


class Town(Front):
    """The example workspace with a user of each role, and another Workspace beside it."""

    def __init__(self, folder: Path, template: Path) -> None:
        super().__init__(folder, template)
        for name in ("Alice", "Bob", "Carol"):
            self.make_room(name)
        self.available = self.everybody[0].activity_sid
        self.engine.perform(
            workers.update,
            workspace_sid=self.workspace.sid,
            worker_sid=self.worker_sid("Carol"),
            activity_sid=self.available,
        )
        self.elsewhere = self.engine.perform(workspaces.create, friendly_name="Elsewhere").sid
        self.add_user("root", "admin")
        self.browsers: Mapping[str, Browser] = {
            "agent": self.browser().demo("alice"),
            "supervisor": self.browser().demo("carol"),
            "admin": self.browser().sign_in("root"),
        }

    def filled(self, text: str, role: str) -> str:
        """What stands in braces, as it is for that role's user."""
        mine = {"agent": "Alice", "supervisor": "Carol", "admin": "Bob"}[role]
        found: Mapping[str, Callable[[], str]] = {
            "{ws}": lambda: f"/Workspaces/{self.workspace.sid}",
            "{elsewhere}": lambda: f"/Workspaces/{self.elsewhere}",
            "{mine}": lambda: self.worker_sid(mine),
            "{bob}": lambda: self.worker_sid("Bob"),
            "{activity}": lambda: self.available,
            "{queue}": lambda: self.one("task_queues"),
            "{channel}": lambda: self.one("task_channels"),
            "{waiting}": lambda: self.task().sid,
            "{held}": lambda: self.held(mine).sid,
            "{bobs}": lambda: self.held("Bob").sid,
            "{offer}": lambda: self.offered(mine)[1],
            "{bobs_offer}": lambda: self.offered("Bob")[1],
            "{bobs_task_and_offer}": self._bobs,
        }
        for name, value in found.items():
            if name in text:
                text = text.replace(name, value())
        return text

    def _bobs(self) -> str:
        task, reservation_sid = self.offered("Bob")
        return f"Tasks/{task.sid}/Reservations/{reservation_sid}"

    def one(self, table: str) -> str:
        here = self.workspace.sid
        rows = self.store.read(lambda work: getattr(work, table).find(workspace_sid=here))
        return str(rows[0].sid)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"), migrated)
    yield made
    made.close()


class Case(NamedTuple):
    method: str
    path: str
    given: dict[str, str]
    #: Who may, beside an admin, who may everything.
    roles: str


def both(method: str, path: str, **given: str) -> Case:
    return Case(method, path, given, "agent supervisor")


def supervisor(method: str, path: str, **given: str) -> Case:
    return Case(method, path, given, "supervisor")


def nobody(method: str, path: str, **given: str) -> Case:
    return Case(method, path, given, "")


CASES = [
    # How the Workspace is set up.
    both("GET", "{ws}"),
    both("GET", "{ws}/Activities", Available="true", PageSize="2"),
    both("GET", "{ws}/Activities/{activity}"),
    both("GET", "{ws}/TaskChannels"),
    both("GET", "{ws}/TaskChannels/{channel}"),
    both("GET", "{ws}/TaskQueues", FriendlyName="Support"),
    both("GET", "{ws}/TaskQueues/{queue}"),
    both("GET", "{ws}/Workers", ActivityName="Available"),
    supervisor("GET", "{ws}/Workers", TargetWorkersExpression='contact_uri == "client:bob"'),
    supervisor("GET", "{ws}/Workflows"),
    nobody("POST", "{ws}", FriendlyName="Mine"),
    nobody("DELETE", "{ws}"),
    nobody("POST", "{ws}/Activities", FriendlyName="Lunch"),
    nobody("POST", "{ws}/Activities/{activity}", FriendlyName="Lunch"),
    nobody("DELETE", "{ws}/Activities/{activity}"),
    nobody("POST", "{ws}/TaskQueues", FriendlyName="Mine"),
    nobody("POST", "{ws}/TaskQueues/{queue}", TargetWorkers="1==1"),
    nobody("DELETE", "{ws}/TaskQueues/{queue}"),
    nobody("POST", "{ws}/Workflows", FriendlyName="Mine", Configuration="{}"),
    nobody("POST", "{ws}/TaskChannels", FriendlyName="Mine", UniqueName="mine"),
    nobody("POST", "{ws}/Workers", FriendlyName="Mallory"),
    # Workers.
    both("GET", "{ws}/Workers/{mine}"),
    both("POST", "{ws}/Workers/{mine}", ActivitySid="{activity}"),
    both("POST", "{ws}/Workers/{mine}", RejectPendingReservations="false"),
    nobody("POST", "{ws}/Workers/{mine}", Attributes='{"skills": ["sales"]}'),
    nobody("POST", "{ws}/Workers/{mine}", ActivitySid="{activity}", Attributes="{}"),
    nobody("POST", "{ws}/Workers/{mine}", FriendlyName="Boss"),
    nobody("DELETE", "{ws}/Workers/{mine}"),
    supervisor("GET", "{ws}/Workers/{bob}"),
    supervisor("POST", "{ws}/Workers/{bob}", ActivitySid="{activity}"),
    nobody("POST", "{ws}/Workers/{bob}", Attributes="{}"),
    nobody("DELETE", "{ws}/Workers/{bob}"),
    nobody("POST", "{ws}/Workers/{mine}/Token"),
    nobody("POST", "{ws}/Workers/{bob}/Token"),
    both("GET", "{ws}/Workers/{mine}/Channels"),
    both("GET", "{ws}/Workers/{mine}/Channels/voice"),
    both("POST", "{ws}/Workers/{mine}/Channels/voice", Available="true"),
    supervisor("POST", "{ws}/Workers/{mine}/Channels/voice", Capacity="1"),
    supervisor("GET", "{ws}/Workers/{bob}/Channels"),
    supervisor("GET", "{ws}/Workers/{bob}/Channels/voice"),
    supervisor("POST", "{ws}/Workers/{bob}/Channels/voice", Capacity="1", Available="true"),
    both("GET", "{ws}/Workers/{mine}/Reservations", ReservationStatus="pending"),
    both("GET", "{ws}/Workers/{mine}/Reservations/{offer}"),
    both("POST", "{ws}/Workers/{mine}/Reservations/{offer}", ReservationStatus="rejected"),
    supervisor("GET", "{ws}/Workers/{bob}/Reservations"),
    supervisor("GET", "{ws}/Workers/{bob}/Reservations/{bobs_offer}"),
    nobody("POST", "{ws}/Workers/{bob}/Reservations/{bobs_offer}", ReservationStatus="accepted"),
    both("GET", "{ws}/Workers/{mine}/Statistics", Minutes="60"),
    supervisor("GET", "{ws}/Workers/{bob}/Statistics"),
    supervisor("GET", "{ws}/Workers/Statistics"),
    # Events.
    both("GET", "{ws}/Events", WorkerSid="{mine}", Minutes="60"),
    supervisor("GET", "{ws}/Events", WorkerSid="{bob}"),
    supervisor("GET", "{ws}/Events"),
    supervisor("GET", "{ws}/Events", ActorType="user"),
    nobody("GET", "{ws}/EventStream"),
    # Tasks.
    both("GET", "{ws}/Tasks", AssignmentStatus="pending", Ordering="Priority:desc"),
    supervisor("GET", "{ws}/Tasks"),
    supervisor("GET", "{ws}/Tasks", AssignmentStatus="pending,assigned"),
    supervisor("GET", "{ws}/Tasks", EvaluateTaskAttributes='vip == "x"'),
    both("GET", "{ws}/Tasks/{waiting}"),
    both("GET", "{ws}/Tasks/{held}"),
    supervisor("GET", "{ws}/Tasks/{bobs}"),
    both("GET", "{ws}/Tasks/{held}/Reservations"),
    supervisor("GET", "{ws}/Tasks/{bobs}/Reservations"),
    both("GET", "{ws}/Tasks/{waiting}/Explanation"),
    both("GET", "{ws}/Tasks/{held}/Explanation"),
    supervisor("GET", "{ws}/Tasks/{bobs}/Explanation"),
    both("POST", "{ws}/Tasks/{held}", AssignmentStatus="completed", Reason="sold"),
    both("POST", "{ws}/Tasks/{held}", AssignmentStatus="wrapping"),
    both("POST", "{ws}/Tasks/{held}", Attributes='{"notes": "calls back", "disposition": "sold"}'),
    supervisor("POST", "{ws}/Tasks/{held}", Attributes='{"selected_language": "ja"}'),
    supervisor("POST", "{ws}/Tasks/{held}", Priority="5"),
    nobody("POST", "{ws}/Tasks/{bobs}", AssignmentStatus="completed"),
    supervisor("POST", "{ws}/Tasks/{bobs}", Attributes='{"notes": "of another"}'),
    supervisor("POST", "{ws}/Tasks/{waiting}", AssignmentStatus="canceled", Reason="a prank"),
    supervisor("POST", "{ws}/Tasks/{waiting}", Priority="5"),
    supervisor("POST", "{ws}/Tasks/{waiting}", TaskQueueSid="{queue}"),
    supervisor("POST", "{ws}/Tasks/{waiting}", Attributes="{}", ReEvaluateTasks="true"),
    nobody("POST", "{ws}/Tasks/{waiting}", TaskChannel="chat"),
    nobody("POST", "{ws}/Tasks/{waiting}", VirtualStartTime="2020-01-01"),
    nobody("POST", "{ws}/Tasks", Attributes="{}"),
    nobody("DELETE", "{ws}/Tasks/{held}"),
    nobody("DELETE", "{ws}/Tasks/{waiting}"),
    nobody("POST", "{ws}/{bobs_task_and_offer}", ReservationStatus="accepted"),
    supervisor(
        "POST",
        "{ws}/{bobs_task_and_offer}",
        Instruction="supervise",
        Supervisor="{mine}",
        SupervisorMode="whisper",
    ),
    nobody("POST", "{ws}/{bobs_task_and_offer}", Instruction="supervise", Supervisor="{bob}"),
    nobody("POST", "{ws}/{bobs_task_and_offer}", Instruction="call", Supervisor="{mine}"),
    # The call of a Task.
    both("GET", "{ws}/Tasks/{held}/Conference"),
    both("POST", "{ws}/Tasks/{held}/Conference", Status="completed"),
    both("POST", "{ws}/Tasks/{held}/Conference/Digits", Digits="1"),
    both("DELETE", "{ws}/Tasks/{held}/Conference/Participants/IN0"),
    supervisor("GET", "{ws}/Tasks/{bobs}/Conference"),
    nobody("POST", "{ws}/Tasks/{bobs}/Conference", Status="completed"),
    nobody("POST", "{ws}/Tasks/{bobs}/Conference/Digits", Digits="1"),
    nobody("DELETE", "{ws}/Tasks/{bobs}/Conference/Participants/IN0"),
    # What is only for those who see everything.
    supervisor("GET", "{ws}/Statistics"),
    supervisor("GET", "{ws}/Series"),
    supervisor("GET", "{ws}/TaskQueues/RealTimeStatistics"),
    supervisor("GET", "{ws}/Exports/Tasks", Format="csv"),
    supervisor("GET", "{ws}/Deliveries"),
    supervisor("POST", "{ws}/TaskQueues/RealTimeStatistics"),
    supervisor("POST", "{ws}/Workflows/Test", Attributes="{}"),
    # Beyond the Workspace.
    nobody("GET", "/Workspaces"),
    nobody("GET", "/openapi.json"),
    nobody("POST", "/Workspaces", FriendlyName="Mine"),
    nobody("GET", "{elsewhere}"),
    nobody("GET", "{elsewhere}/Workers"),
    nobody("GET", "{elsewhere}/Workers/{mine}"),
    nobody("POST", "{elsewhere}/Workers/{mine}", ActivitySid="{activity}"),
    nobody("GET", "{elsewhere}/Tasks", AssignmentStatus="pending"),
    nobody("GET", "{elsewhere}/Statistics"),
]


@pytest.mark.parametrize("role", ["agent", "supervisor", "admin"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method} {case.path} {case.given}")
def test_each_role_may_do_what_the_table_says_and_nothing_else(
    town: Town, case: Case, role: str
) -> None:
    if role == "admin" and case.method == "DELETE":
        return  # an admin may, and the town would be gone
    path = town.filled(case.path, role)
    given = {name: town.filled(value, role) for name, value in case.given.items()}
    answer = town.browsers[role].rest(case.method, path, **given)
    is_stream = case.path.endswith("/EventStream")
    if role in case.roles.split() or (role == "admin" and not is_stream):
        assert answer.status_code not in {401, 403, 500}, answer.text
    else:
        assert answer.status_code == 403, answer.text
        assert answer.json is not None
        assert answer.json["message"].startswith("Forbidden: ")


@pytest.mark.parametrize(
    "path",
    [
        "{ws}/../../Workspaces",
        "{ws}//Tasks",
        "{ws}/Tasks/",
        "{ws}/Workers%3FTargetWorkersExpression=1==1",
        "{ws}/Events%3FMinutes=9%26WorkerSid=x",
        "{ws}/Workers%2F..%2FTasks",
        "{ws}/Tasks%00",
        "{ws}/Activities;a=b",
        "/../desk/session",
    ],
)
def test_a_path_says_nothing_but_what_it_is(town: Town, path: str) -> None:
    for browser in town.browsers.values():
        assert browser.rest("GET", path).status_code in {308, 404}


def test_every_line_of_the_table_is_tried(town: Town) -> None:
    from werkzeug.routing import Map, Rule

    tried = set()
    for right in RIGHTS:
        adapter = Map([Rule(right.path, endpoint="it")]).bind("")
        for case in CASES:
            path = town.filled(case.path.replace("{held}", "{waiting}"), "agent")
            if case.method == right.method and case.roles and adapter.test(path):
                tried.add(right)
    assert {(right.method, right.path) for right in set(RIGHTS) - tried} == set()


def test_nobody_comes_to_the_rest_door_through_the_desk_without_a_session(town: Town) -> None:
    browser = town.browser()
    browser.look()
    for method, path in (("GET", "/Workspaces"), ("POST", "{ws}/Tasks")):
        answer = browser.rest(method, path)
        assert answer.status_code == 401
    forged = {"tandem.actor": "x", "Tandem-Actor": "x", "tandem_actor": "x"}
    assert town.browser().open("GET", "/v1/Workspaces", headers=forged).status_code == 401


def test_an_agent_sees_the_names_of_colleagues_and_not_what_else_is_known(town: Town) -> None:
    told = town.browsers["agent"].rest("GET", "{ws}/Workers").json
    assert told is not None
    attributes = {each["sid"]: each["attributes"] for each in told["workers"]}
    own = json.loads(attributes.pop(town.worker_sid("Alice")))
    assert own["contact_uri"] == "client:alice"
    assert attributes.keys() >= {town.worker_sid("Bob"), town.worker_sid("Carol")}
    assert set(attributes.values()) == {"{}"}
    seen = town.browsers["supervisor"].rest("GET", "{ws}/Workers").json
    assert seen is not None
    assert sum("client:" in each["attributes"] for each in seen["workers"]) >= 2


def test_a_parameter_that_is_given_twice_is_looked_at_twice(town: Town) -> None:
    alice = town.browsers["agent"]
    mine = town.worker_sid("Alice")
    for query in (
        f"WorkerSid={mine}&WorkerSid={town.worker_sid('Bob')}",
        f"WorkerSid={mine},{town.worker_sid('Bob')}",
        f"WorkerSid={mine}&workersid=x",
    ):
        answer = alice.rest("GET", f"{{ws}}/Events?{query}")
        assert answer.status_code == 403
    held = town.held("Alice").sid
    body = "AssignmentStatus=completed&AssignmentStatus=canceled"
    path = f"/desk/rest/Workspaces/{town.workspace.sid}/Tasks/{held}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert alice.open("POST", path, data=body, headers=form).status_code == 403
    twice = "Attributes={}&Attributes=%7B%22notes%22:1%7D"
    assert alice.open("POST", path, data=twice, headers=form).status_code == 403


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"Attributes": "{}"}', "application/json", 415),
        (b"Attributes=%7B%7D", "text/plain", 415),
        (b"Attributes=%ff", "application/x-www-form-urlencoded", 400),
        (b"Attributes", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 1001, "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * 3_200_001, "application/x-www-form-urlencoded", 413),
    ],
)
def test_a_body_of_another_kind_says_nothing(
    town: Town, body: bytes, kind: str, status: int
) -> None:
    path = f"/desk/rest/Workspaces/{town.workspace.sid}/Tasks/{town.held('Alice').sid}"
    answer = town.browsers["agent"].open("POST", path, data=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text


def test_notes_may_be_added_when_the_work_is_over_and_nothing_else(town: Town) -> None:
    alice = town.browsers["agent"]
    held = town.held("Alice", attributes='{"call_sid": "CA1", "notes": ""}').sid
    path = f"{{ws}}/Tasks/{held}"
    assert alice.rest("POST", path, AssignmentStatus="completed").status_code == 200
    said = '{"call_sid": "CA1", "notes": "wants an offer", "disposition": "lead"}'
    assert alice.rest("POST", path, Attributes=said).status_code == 200
    for other in ('{"notes": "x"}', '{"call_sid": "CA2"}', '{"call_sid": "CA1", "manual": 1}'):
        assert alice.rest("POST", path, Attributes=other).status_code == 403
    bobs = f"{{ws}}/Tasks/{town.held('Bob').sid}"
    assert alice.rest("POST", bobs, Attributes='{"notes": "x"}').status_code == 403


def test_whoever_did_it_is_in_the_events_and_in_the_log(
    town: Town, capfd: pytest.CaptureFixture[str]
) -> None:
    carol = town.browsers["supervisor"]
    task_sid = town.task(attributes='{"from": "+15550123456"}').sid
    capfd.readouterr()
    where = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    path = f"/desk/rest/Workspaces/{town.workspace.sid}/Tasks/{task_sid}"
    answer = carol.open("POST", path, data={"Priority": "7"}, **where)
    assert answer.status_code == 200
    said = capfd.readouterr().out
    assert "changed by a user" in said
    assert carol.told["user"]["sid"] in said
    assert task_sid in said
    told = carol.rest("GET", "{ws}/Events", TaskSid=task_sid).json
    assert told is not None
    by_type = {event["event_type"]: event for event in told["events"]}
    actor = {
        "actor_type": "user",
        "actor_sid": carol.told["user"]["sid"],
        "actor_url": None,
        "source": "web",
        "source_ip_address": "203.0.113.9",
    }
    assert by_type["task.updated"].items() >= actor.items()
    assert by_type["task.created"]["actor_type"] == "workspace"
    assert by_type["task.created"]["actor_sid"] == town.workspace.sid
    assert by_type["task.created"]["source"] == "twilio"
    peoples = carol.rest("GET", "{ws}/Events", ActorType="user", TaskSid=task_sid).json
    assert peoples is not None
    assert [event["event_type"] for event in peoples["events"]] == ["task.updated"]
    one = carol.rest("GET", f"{{ws}}/Events/{by_type['task.updated']['sid']}").json
    assert one == by_type["task.updated"]


def test_supervisors_are_told_who_is_behind_a_sid_and_agents_are_not(town: Town) -> None:
    told = town.browsers["supervisor"].open("GET", "/desk/users").json
    assert told is not None
    names = {each["name"]: each for each in told["users"]}
    assert names.keys() == {"alice", "bob", "carol", "root"}
    assert names["alice"]["sid"] == town.browsers["agent"].told["user"]["sid"]
    assert "password" not in json.dumps(told)
    assert town.browsers["agent"].open("GET", "/desk/users").status_code == 403
    assert town.browser().open("GET", "/desk/users").status_code == 401


def test_tokens_are_for_what_the_user_is(town: Town) -> None:
    import jwt

    def granted(browser: Browser, wanted: str) -> Any:
        answer = browser.open("POST", "/desk/token", json={"for": wanted})
        if answer.status_code != 200:
            return answer.status_code
        assert answer.json is not None
        claims = jwt.decode(answer.json["token"], options={"verify_signature": False})
        assert claims["exp"] - claims["nbf"] == 600
        return claims["grants"]["task_router"]

    ws = {"workspace_sid": town.workspace.sid}
    alice, carol, root = (town.browsers[role] for role in ("agent", "supervisor", "admin"))
    of_alice = {"worker_sid": town.worker_sid("Alice"), "role": "worker"}
    assert granted(alice, "worker") == ws | of_alice
    assert granted(alice, "feed") == 403
    of_carol = {"worker_sid": town.worker_sid("Carol"), "role": "supervisor"}
    assert granted(carol, "worker") == ws | of_carol
    assert granted(carol, "feed") == ws | {"role": "admin"}
    assert granted(root, "worker") == 403
    assert granted(root, "feed") == ws | {"role": "admin"}
    assert granted(root, "other") == 400
    front = town.browser()
    front.look()
    assert granted(front, "worker") == 401
