"""Twilio's own JavaScript SDK, unmodified, from first connection to last: what agents work with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.agents import (
    NEWEST,
    OLDEST,
    Agent,
    NodeAgent,
    PageAgent,
    Refused,
    access_token,
    bundle,
    pages,
)
from tests.journeys.house import House
from tests.node.programs import node


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    node()
    with House(sqlite_url, tmp_path) as house:
        yield house


def workspace(house: House) -> str:
    return house.base.rpartition("/")[2]


def worker(house: House, name: str) -> str:
    [found] = house.get(f"{house.base}/Workers", FriendlyName=name)["workers"]
    return str(found["sid"])


def idle(house: House) -> str:
    """The Activity of those who are not there."""
    [found] = house.get(f"{house.base}/Activities", FriendlyName="Offline")["activities"]
    return str(found["sid"])


def only(house: House, name: str) -> None:
    """Nobody but this Worker is there."""
    activities = {
        each["friendly_name"]: each["sid"]
        for each in house.get(f"{house.base}/Activities")["activities"]
    }
    for each in house.get(f"{house.base}/Workers")["workers"]:
        wanted = activities["Available" if each["friendly_name"] == name else "Offline"]
        house.post(f"{house.base}/Workers/{each['sid']}", ActivitySid=wanted)


def a_day(house: House, alice: Agent) -> None:
    """What every kind of application goes through; Alice alone is there."""
    ready = alice.until("ready")
    assert ready["name"] == "Alice"
    assert set(ready["activities"]) == {"Available", "Offline", "Unavailable"}
    assert "voice" in ready["channels"]

    alice.do("activity", name="Unavailable")
    alice.until("activityUpdated", name="Unavailable")
    alice.do("activity", name="Available")
    alice.until("activityUpdated", name="Available")

    caller = house.dial()
    offer = alice.until("reservationCreated")
    assert (offer["status"], offer["task"]["status"]) == ("pending", "reserved")
    answered = alice.do("conference", sid=offer["sid"])
    assert answered["sid"] == offer["sid"]
    accepted = alice.until("reservation accepted")
    assert accepted["task"]["status"] == "assigned"
    assert caller in house.until_together()

    wrapped = alice.do("wrapUp", sid=offer["sid"], reason="They have hung up")
    assert wrapped["task"]["status"] == "wrapping"
    alice.until("reservation wrapup")
    alice.until("task wrapup")
    done = alice.do("complete", sid=offer["sid"], reason="Work is done")
    assert done["task"]["status"] == "completed"
    alice.until("reservation completed")
    alice.until("task completed")
    assert alice.do("state")["reservations"] == []


def a_transfer(house: House, alice: Agent, bob: Agent, bob_sid: str) -> None:
    """Alice hands a Task on, twice: Bob declines, and then takes it."""
    alice.forget()
    task = house.post(f"{house.base}/Tasks", Attributes="{}", RoutingTarget=worker(house, "Alice"))
    mine = alice.until("reservationCreated")
    assert mine["task"]["sid"] == task["sid"]
    alice.do("accept", sid=mine["sid"])
    alice.until("reservation accepted")

    assert alice.do("transfer", sid=mine["sid"], to=bob_sid)["status"] == "initiated"
    alice.until("task transferInitiated")
    his = bob.until("reservationCreated")
    assert his["transfer"] == {"status": "initiated", "mode": "WARM", "type": "WORKER"}
    bob.do("reject", sid=his["sid"])
    assert bob.until("reservation rejected")["transfer"]["status"] == "failed"
    alice.until("transfer failed", status="failed")
    assert alice.until("task updated")["status"] == "assigned"

    alice.do("transfer", sid=mine["sid"], to=bob_sid)
    his = bob.until("reservationCreated")
    bob.do("accept", sid=his["sid"])
    bob.until("reservation accepted")
    alice.until("transfer completed", status="complete")
    bob.do("complete", sid=his["sid"], reason="by both")
    bob.until("reservation completed")
    alice.until("reservation completed")


def a_renewal(house: House, alice: Agent, alice_sid: str) -> None:
    """Alice's token of a few seconds ends, and she shows the next one."""
    alice.until("ready")
    alice.until("tokenExpired")
    alice.do("updateToken", token=access_token(workspace(house), alice_sid))
    # The next request shows the new one, so that the socket outlives the old one.
    for name in ("Unavailable", "Available"):
        alice.do("activity", name=name)
        alice.until("activityUpdated", name=name)


def a_supervision(house: House, alice: Agent, boss: Agent) -> None:
    """A supervisor listens in on what Alice and a caller say."""
    boss.until("ready")
    caller = house.dial()
    offer = alice.until("reservationCreated")
    alice.do("conference", sid=offer["sid"])
    alice.until("reservation accepted", sid=offer["sid"])
    house.until(lambda: house.room(caller), "Alice and the caller to be in one conference")
    boss.do("monitor", task=offer["task"]["sid"], reservation=offer["sid"])
    house.until(lambda: len(house.room(caller)) == 3, "the supervisor to listen in")
    alice.do("complete", sid=offer["sid"], reason="It was said")
    alice.until("reservation completed", sid=offer["sid"])


#: Seconds of a token that ends soon: the SDK says so 5 seconds before its end.
SHORT = 7


@pytest.mark.parametrize("sdk", [NEWEST, OLDEST])
def test_a_day_of_an_agent_in_node(house: House, sdk: str) -> None:
    only(house, "Alice")
    here, alice_sid = workspace(house), worker(house, "Alice")
    bob_sid = worker(house, "Bob")
    ends = access_token(here, alice_sid, seconds=SHORT)
    with NodeAgent(house, "Worker", ends, sdk=sdk, closeExistingSessions=True) as alice:
        a_renewal(house, alice, alice_sid)
    token = access_token(here, alice_sid)
    with NodeAgent(house, "Worker", token, sdk=sdk, enableVersionCheck=True) as alice:
        a_day(house, alice)
        oversees = access_token(here, bob_sid, role="supervisor")
        with NodeAgent(house, "Supervisor", oversees, sdk=sdk) as boss:
            a_supervision(house, alice, boss)
        with NodeAgent(house, "Worker", access_token(here, bob_sid), sdk=sdk) as bob:
            bob.until("ready")
            bob.do("activity", name="Available")
            a_transfer(house, alice, bob, bob_sid)
        alice.forget()
        house.kill()
        alice.until("disconnected")
        house.start()
        again = alice.until("ready")
        assert again["reservations"] == []
        task = house.post(f"{house.base}/Tasks", Attributes="{}", RoutingTarget=alice_sid)
        offer = alice.until("reservationCreated")
        assert offer["task"]["sid"] == task["sid"]
        house.post(
            f"{house.base}/Tasks/{task['sid']}", AssignmentStatus="canceled", Reason="Enough"
        )
        alice.until("reservation canceled", sid=offer["sid"])
        alice.until("task canceled", status="canceled", reason="Enough")
        # The SDK would throw, and end the program, at an Activity that it has not read.
        alice.forget()
        lunch = house.post(f"{house.base}/Activities", FriendlyName="Lunch", Available="false")
        house.post(f"{house.base}/Workers/{alice_sid}", ActivitySid=lunch["sid"])
        assert alice.until("ready")["activity"] == "Lunch"


def test_agents_in_one_conference_hold_mute_kick_and_listen_in(house: House) -> None:
    """All of it asked for by the SDK, and looked at in the phone network."""
    only(house, "Alice")
    here = workspace(house)
    sids = {name: worker(house, name) for name in ("Alice", "Bob")}
    eve = house.post(
        f"{house.base}/Workers", FriendlyName="Eve", Attributes='{"contact_uri":"client:eve"}'
    )["sid"]

    def room(number: int) -> dict[str, dict[str, Any]]:
        found = [
            {each["label"] or "caller": each for each in room["participants"]}
            for room in house.network("GET", "/state")["conferences"]
            if room["status"] == "in-progress" and len(room["participants"]) == number
        ]
        return found[0] if found else {}

    def until(number: int, who: str, **state: object) -> None:
        def look() -> bool:
            found = room(number).get(who, {})
            return all(found.get(name) == value for name, value in state.items()) and bool(found)

        house.until(look, f"{number} in the room, {who} {state}")

    with (
        NodeAgent(house, "Worker", access_token(here, sids["Alice"])) as alice,
        NodeAgent(house, "Worker", access_token(here, sids["Bob"])) as bob,
        NodeAgent(house, "Supervisor", access_token(here, eve, role="supervisor")) as boss,
    ):
        for agent in (alice, bob, boss):
            agent.until("ready")
        house.dial()
        mine = alice.until("reservationCreated")
        alice.do("conference", sid=mine["sid"])
        alice.until("reservation accepted")
        until(2, "caller", hold=False)
        alice.do("customer", sid=mine["sid"], options={"hold": True})
        until(2, "caller", hold=True)
        alice.do("customer", sid=mine["sid"], options={"hold": False})
        until(2, "caller", hold=False)
        alice.do("participant", sid=mine["sid"], options={"mute": True})
        until(2, mine["sid"], muted=True)

        bob.do("activity", name="Available")
        alice.do("transfer", sid=mine["sid"], to=sids["Bob"])
        his = bob.until("reservationCreated")
        bob.do("conference", sid=his["sid"])
        bob.until("reservation accepted")
        until(3, his["sid"], hold=False)
        alice.do("hold", sid=mine["sid"], worker=sids["Bob"], on=True)
        until(3, his["sid"], hold=True)
        boss.do("monitor", task=mine["task"]["sid"], reservation=mine["sid"])
        house.until(lambda: room(4), "the supervisor to listen in")
        alice.do("kick", sid=mine["sid"], worker=sids["Bob"])
        house.until(lambda: his["sid"] not in room(3) and room(3), "Bob to be gone")


def test_a_supervisor_sees_and_changes_others(house: House) -> None:
    here = workspace(house)
    alice_sid, bob_sid = worker(house, "Alice"), worker(house, "Bob")
    offline = idle(house)
    token = access_token(here, alice_sid, role="supervisor")
    with NodeAgent(house, "Supervisor", token, enableVersionCheck=True) as alice:
        alice.until("ready")
        told = alice.do("setWorkerActivity", worker=bob_sid, activity=offline)
        assert (told["sid"], told["activity_sid"]) == (bob_sid, offline)
        told = alice.do("setWorkerAttributes", worker=bob_sid, attributes={"team": "night"})
        assert told["attributes"] == '{"team":"night"}'
    with NodeAgent(house, "Workspace", access_token(here, None, role="admin"), pageSize=1) as admin:
        assert admin.do("workers", params={}) == ["Alice", "Bob"]
        assert admin.do("workers", params={"Ordering": "DateStatusChanged:desc"}) == [
            "Bob",
            "Alice",
        ]
        assert admin.do("workers", params={"AfterSid": alice_sid}) == ["Bob"]
        for wrong, status in (("WK" + "0" * 32, 400), ("nonsense", 400)):
            with pytest.raises(Refused, match=f"Request failed with status code {status}"):
                admin.do("workers", params={"AfterSid": wrong})
        with pytest.raises(Refused, match="Request failed with status code 404"):
            admin.do("worker", sid="WQ" + "0" * 32)


def test_a_page_of_another_origin_is_an_agents_application(house: House, tmp_path: Path) -> None:
    only(house, "Alice")
    here, script = workspace(house), tmp_path / "agent.js"
    sids = {name: worker(house, name) for name in ("Alice", "Bob")}
    bundle(script)
    with pages(script) as page:

        def agent(kind: str, name: str, *, role: str = "worker", seconds: int = 3600) -> PageAgent:
            token = access_token(here, sids[name], role, seconds)
            return PageAgent(page(), house, kind, token)

        a_renewal(house, agent("Worker", "Alice", seconds=SHORT), sids["Alice"])
        alice = agent("Worker", "Alice")
        a_day(house, alice)
        boss = agent("Supervisor", "Bob", role="supervisor")
        a_supervision(house, alice, boss)
        offline = boss.do("setWorkerActivity", worker=sids["Bob"], activity=idle(house))
        assert (offline["sid"], offline["activity_sid"]) == (sids["Bob"], idle(house))
        bob = agent("Worker", "Bob")
        bob.until("ready")
        bob.do("activity", name="Available")
        a_transfer(house, alice, bob, sids["Bob"])
        alice.forget()
        house.kill()
        alice.until("disconnected")
        house.start()
        alice.until("ready")
