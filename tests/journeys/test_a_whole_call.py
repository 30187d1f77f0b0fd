"""What `make run` starts carries a call from its first ring to the end, both ways into the room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.house import House


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with House(database_url, tmp_path) as house:
        yield house


def finish(house: House, leg: str) -> None:
    """One of them hangs up; the agent does the after-work; everything is as it was before."""
    house.network("POST", f"/calls/{leg}/hangup")
    task = house.until_task_is("wrapping")
    assert sum(house.loads().values()) == 1
    house.post(f"{house.base}/Tasks/{task['sid']}", AssignmentStatus="completed", Reason="done")
    assert house.task()["assignment_status"] == "completed"
    assert set(house.loads().values()) == {0}
    house.until(lambda: not house.live_legs(), "all legs to end")


def test_accept_then_bridge(house: House) -> None:
    caller = house.dial()
    offer = house.offer(house.task()["sid"])
    house.answer(offer, ReservationStatus="accepted")
    assert house.task()["assignment_status"] == "assigned"
    assert caller in house.until_together()
    finish(house, caller)


def test_the_conference_instruction_accepts_when_both_are_in(house: House) -> None:
    caller = house.dial()
    offer = house.offer(house.task()["sid"])
    house.answer(offer, Instruction="conference")
    legs = house.until_together()
    task = house.until_task_is("assigned")
    assert caller in legs
    assert "conference" in task["attributes"]
    [agent] = [leg for leg in legs if leg != caller]
    finish(house, agent)


def test_a_busy_agent_loses_the_offer_and_the_next_one_takes_it(house: House) -> None:
    for name in ("alice", "bob"):
        house.network("PUT", f"/endpoints/client:{name}", {"on_ring": "busy"})
    caller = house.dial()
    task_sid = house.task()["sid"]
    first = house.offer(task_sid)
    other = {"Alice": "bob", "Bob": "alice"}[first["worker_name"]]
    house.network("PUT", f"/endpoints/client:{other}", {"on_ring": "answer"})
    house.answer(first, ReservationStatus="accepted")

    second = house.offer(task_sid)
    assert second["worker_name"] != first["worker_name"]
    house.answer(second, ReservationStatus="accepted")
    assert caller in house.until_together()
    finish(house, caller)


def test_a_caller_who_hangs_up_leaves_nothing_behind(house: House) -> None:
    caller = house.dial()
    house.offer(house.task()["sid"])
    house.network("POST", f"/calls/{caller}/hangup")
    assert house.until_task_is("canceled")["reason"] == "hangup"
    assert set(house.loads().values()) == {0}


def test_ctrl_c_stops_everything_and_a_second_start_keeps_the_data(house: House) -> None:
    house.dial()
    sid = house.task()["sid"]
    assert house.stop() == 0
    house.start()
    assert house.task()["sid"] == sid
