"""Transfers and holds over real HTTP: signed webhooks, Twilio's own library, the simulator."""

from collections.abc import Iterator
from typing import Any

import pytest

from routing.engine import giving, participants, transfers
from tests.routing.centre import Centre
from tests.voice.town import Town


@pytest.fixture
def town(small_office: Any) -> Iterator[Town]:
    with Town(small_office.centre) as opened:
        yield opened


def talk(town: Town) -> tuple[str, str, Centre]:
    """Alice talks to a caller; the caller's call, Alice's Reservation."""
    centre = town.office.centre
    centre.add_worker("Alice", contact_uri="client:alice")
    town.phone("client:alice", "answer")
    call = town.dial()
    task = town.task(call)
    offer = centre.offer(task.sid)
    centre.accept(task.sid)
    town.settle()
    town.pass_time(3)
    assert len(town.together()) == 2
    return call, offer.sid, centre


def hand_on(town: Town, call: str, reservation_sid: str, mode: str) -> str:
    centre = town.office.centre
    bob = centre.add_worker("Bob", contact_uri="client:bob")
    centre.engine.perform(
        transfers.initiate,
        workspace_sid=centre.workspace_sid,
        task_sid=town.task(call).sid,
        reservation_sid=reservation_sid,
        to=bob,
        mode=mode,
    )
    town.settle()
    return bob


def leg_to(town: Town, address: str) -> str:
    return next(sid for sid, call in town.calls().items() if call["to"] == address)


def test_a_warm_transfer_leaves_the_second_agent_with_the_caller(town: Town) -> None:
    call, offer, centre = talk(town)
    town.phone("client:bob", "answer")
    hand_on(town, call, offer, "WARM")
    centre.accept_pending(town.task(call).sid)
    town.settle()
    town.pass_time(3)
    assert len(town.together()) == 3
    town.hang_up(leg_to(town, "client:alice"))
    town.pass_time(2)
    assert town.together() == {call, leg_to(town, "client:bob")}
    town.hang_up(leg_to(town, "client:bob"))
    town.pass_time(10)
    assert town.live() == set()
    assert town.task(call).assignment_status == "wrapping"
    assert town.heard(call)[-1] == town.office.flow.ended
    assert town.errors() == []


def test_a_cold_transfer_whose_colleague_does_not_answer_keeps_the_caller(town: Town) -> None:
    call, offer, centre = talk(town)
    town.phone("client:bob", "busy")
    hand_on(town, call, offer, "COLD")
    centre.accept_pending(town.task(call).sid)
    town.settle()
    town.pass_time(5)
    assert town.live() == {call}
    assert town.task(call).assignment_status == "pending"
    town.hang_up(call)
    town.pass_time(5)
    assert town.task(call).reason == "hangup"
    assert town.live() == set()


def test_a_caller_is_held_and_fetched_back_and_an_agent_is_muted(town: Town) -> None:
    call, offer, centre = talk(town)
    here: dict[str, Any] = {"workspace_sid": centre.workspace_sid}
    task = town.task(call).sid
    centre.engine.perform(participants.hold_customer, **here, task_sid=task, hold=True)
    town.settle()
    assert town.office.flow.hold_announcement in town.heard(call)
    centre.engine.perform(participants.hold_customer, **here, task_sid=task, hold=False)
    centre.engine.perform(participants.change_worker, **here, reservation_sid=offer, mute=True)
    town.settle()
    [room] = town.control("GET", "state")["conferences"]
    parts = {each["call_sid"]: each for each in room["participants"]}
    assert parts[call]["hold"] is False
    assert parts[leg_to(town, "client:alice")]["muted"] is True
    centre.engine.perform(participants.end_conference, **here, task_sid=task)
    town.settle()
    town.pass_time(5)
    assert town.live() == set()
    assert town.errors() == []


def test_a_supervisor_comes_and_goes_without_a_trace(town: Town) -> None:
    call, offer, centre = talk(town)
    boss = centre.add_worker("Boss", activity="Offline", contact_uri="client:boss")
    town.phone("client:boss", "answer")
    centre.engine.perform(
        giving.give,
        reservation_sid=offer,
        instruction="supervise",
        parameters={"supervisor": boss, "supervisor_mode": "whisper"},
    )
    town.settle()
    town.pass_time(3)
    assert len(town.together()) == 3
    town.hang_up(leg_to(town, "client:boss"))
    town.pass_time(3)
    assert len(town.together()) == 2
    assert town.task(call).assignment_status == "assigned"
