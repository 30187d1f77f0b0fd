"""Whole calls between the voice side and the simulated network, over real HTTP on both ways."""

from collections.abc import Iterator

import pytest

from routing.engine import Engine
from routing.store.store import open_store
from tests.fakes import ManualClock
from tests.routing.centre import Centre
from tests.voice.town import Town

ALICE, BOB = "client:alice", "client:bob"


@pytest.fixture
def town(sqlite_url: str, clock: ManualClock) -> Iterator[Town]:
    store = open_store(sqlite_url, clock)
    store.migrate()
    with Town(Centre(store, Engine(store, clock), clock)) as town:
        yield town
    store.close()


def waiting_call(town: Town) -> str:
    """A caller who has heard the greeting and waits; Alice has accepted."""
    town.office.centre.add_worker("Alice", contact_uri=ALICE)
    call_sid = town.dial()
    town.pass_time(6)
    town.office.centre.accept(town.task(call_sid).sid)
    return call_sid


def test_a_call_is_answered_accepted_bridged_and_ended(town: Town) -> None:
    town.phone(ALICE, "answer", 2)
    call_sid = waiting_call(town)
    town.pass_time(4)
    assert town.task(call_sid).assignment_status == "assigned"
    assert call_sid in town.together()
    assert len(town.together()) == 2
    assert "You are number 1 in line." in town.heard(call_sid)

    town.pass_time(60)
    assert len(town.together()) == 2
    town.hang_up(call_sid)
    assert town.task(call_sid).assignment_status == "wrapping"
    assert town.live() == set()
    assert town.errors() == []


def test_the_agent_hangs_up_and_the_caller_hears_a_farewell(town: Town) -> None:
    town.phone(ALICE, "answer", 1)
    call_sid = waiting_call(town)
    town.pass_time(4)
    [leg] = town.together() - {call_sid}
    town.hang_up(leg)
    town.pass_time(5)
    assert town.heard(call_sid)[-1] == town.office.flow.ended
    assert town.task(call_sid).assignment_status == "wrapping"
    assert town.live() == set()


@pytest.mark.parametrize("on_ring", ["busy", "no-answer", "fail"])
def test_the_next_agent_takes_the_call_that_the_first_does_not_answer(
    town: Town, on_ring: str
) -> None:
    town.phone(ALICE, on_ring)
    town.phone(BOB, "answer", 1)
    call_sid = waiting_call(town)
    town.office.centre.add_worker("Bob", contact_uri=BOB)
    town.pass_time(30)
    assert town.office.centre.offered_to(town.task(call_sid).sid) == "Bob"
    town.office.centre.accept(town.task(call_sid).sid)
    town.pass_time(5)
    assert call_sid in town.together()
    assert len(town.together()) == 2


def test_the_caller_hangs_up_while_the_agents_phone_rings(town: Town) -> None:
    town.phone(ALICE, "manual")
    call_sid = waiting_call(town)
    town.pass_time(2)
    assert len(town.live()) == 2
    town.hang_up(call_sid)
    assert town.live() == set()
    assert town.task(call_sid).reason == "hangup"


def test_a_canceled_task_ends_the_call_with_words(town: Town) -> None:
    call_sid = town.dial()
    town.pass_time(6)
    town.office.centre.cancel(town.task(call_sid).sid)
    town.pass_time(10)
    assert town.heard(call_sid)[-1] == town.office.flow.canceled
    assert town.live() == set()


@pytest.mark.parametrize("status", ["429", "500", "timeout_after_work"])
@pytest.mark.parametrize("request_line", ["POST /Participants", "POST /Calls"])
def test_twilio_may_fail_at_any_moment(town: Town, status: str, request_line: str) -> None:
    town.phone(ALICE, "answer", 1)
    call_sid = waiting_call(town)
    town.fault(rest=request_line, do=status, times=1)
    town.pass_time(30)
    assert call_sid in town.together()
    assert len(town.together()) == 2
    assert len(town.live()) == 2
    assert town.has_struck()
    town.hang_up(call_sid)
    town.pass_time(30)
    assert town.live() == set()
    assert town.task(call_sid).assignment_status == "wrapping"


@pytest.mark.parametrize("webhook", ["agent-leg", "/conference?", "call-status", "queue-left"])
@pytest.mark.parametrize("do", ["lose", "duplicate", "delay"])
def test_callbacks_may_be_lost_doubled_or_late(town: Town, webhook: str, do: str) -> None:
    town.phone(ALICE, "answer", 1)
    town.fault(webhook=webhook, do=do, times=20, delay_seconds=7)
    call_sid = waiting_call(town)
    town.pass_time(60)
    assert call_sid in town.together()
    assert len(town.together()) == 2
    town.hang_up(call_sid)
    town.pass_time(40)
    assert town.has_struck()
    assert town.live() == set()
    assert town.task(call_sid).assignment_status == "wrapping"
