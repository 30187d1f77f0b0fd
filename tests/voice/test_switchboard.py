"""Operators: each has one instruction at a time, and what is due waits for whoever is free."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from routing.background.loops import Loop
from routing.call import Instruction
from routing.clock import SECOND
from routing.store.wake_up import WakeUp
from tests.routing.centre import Centre
from tests.voice.office import Office
from voice import assignment
from voice.phone_line import Unreachable
from voice.switchboard import Switchboard

PATIENCE = 10


class Room:
    """A switchboard whose operators are held up at each instruction until they are let go on."""

    def __init__(self, operators: int) -> None:
        self._changed = threading.Condition()
        self.due: list[str] = []
        self.begun: list[str] = []
        self._done: set[str] = set()
        self.board = Switchboard(
            self._lease,
            self._carry_out,
            signals=[WakeUp() for _ in range(operators)],
            signal=WakeUp(),
        )
        self.loops = [
            Loop("phone line", self.board.step, self.board.signal),
            *(Loop("operator", each.step, each.signal) for each in self.board.operators),
        ]

    def _lease(self, limit: int) -> Sequence[Instruction]:
        leased, self.due[:limit] = self.due[:limit], []
        return [instruction(name) for name in leased]

    def _carry_out(self, instruction: Instruction) -> None:
        with self._changed:
            self.begun.append(instruction.sid)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: instruction.sid in self._done, PATIENCE)
        if instruction.sid == "odd":
            raise ValueError("nobody thought of that")

    def is_due(self, *names: str) -> None:
        self.due.extend(names)
        self.board.signal.notify()

    def finish(self, name: str) -> None:
        with self._changed:
            self._done.add(name)
            self._changed.notify_all()

    def has_begun(self, *names: str) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: set(names) <= set(self.begun), PATIENCE)


def instruction(name: str) -> Instruction:
    return Instruction(
        sid=name, workspace_sid="", task_sid="", reservation_sid="", kind="", state="", step="",
        parameters="{}", worker_call_sid=None, customer_call_sid=None, conference_sid=None,
        failure=None, due_at=0, leased_until=None, attempts=1, created_at=0, updated_at=0,
    )  # fmt: skip


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room(operators=2)
    for loop in room.loops:
        loop.start()
    yield room
    for name in room.begun:
        room.finish(name)
    for loop in room.loops:
        loop.stop()
    for loop in room.loops:
        loop.join(PATIENCE)
        assert not loop._thread.is_alive()


def test_so_many_are_at_work_at_once_and_the_next_begins_as_soon_as_one_is_free(room: Room) -> None:
    room.is_due("one", "two", "three")
    assert room.has_begun("one", "two")
    assert room.board.engage() is None
    assert "three" not in room.begun
    room.finish("two")
    assert room.has_begun("three")
    room.finish("one")
    room.finish("three")


def test_whoever_trips_over_one_instruction_carries_out_the_next(room: Room) -> None:
    room.is_due("odd", "long")
    assert room.has_begun("odd", "long")
    room.finish("odd")
    room.is_due("after it")
    assert room.has_begun("after it")


def test_what_cannot_wait_is_given_to_somebody_who_is_free(room: Room) -> None:
    operator = room.board.engage()
    assert operator is not None
    room.is_due("one", "two")
    assert room.has_begun("one")
    assert "two" not in room.begun
    operator.give(instruction("at once"))
    assert room.has_begun("one", "at once")
    room.finish("at once")
    assert room.has_begun("two")


def test_nobody_is_lost_where_nothing_can_be_leased() -> None:
    def refuse(_limit: int) -> Sequence[Instruction]:
        raise Unreachable("the database is away")

    board = Switchboard(
        refuse, lambda _instruction: None, signals=[WakeUp(), WakeUp()], signal=WakeUp()
    )
    for _ in range(3):
        with pytest.raises(Unreachable):
            board.step()
    assert board.engage() is not None
    assert board.engage() is not None
    assert board.engage() is None


# ---- what the log's follower hands over ---------------------------------------------------------


def switchboard(office: Office) -> Switchboard:
    """One operator, who begins when the test says so."""
    board = Switchboard(
        office.assignments.lease, office.assignments.carry_out, signals=[WakeUp()], signal=WakeUp()
    )
    office.assignments.board = board
    return board


def legs(office: Office, address: str) -> int:
    return sum(call.to_address == address for call in office.line.calls.values())


@pytest.mark.parametrize("bridge", ["on_accept", "on_offer"])
def test_a_phone_rings_without_its_instruction_having_to_be_found(
    office: Office, centre: Centre, bridge: str
) -> None:
    if bridge == "on_offer":
        office.ring_on_offer()
    centre.add_worker("Alice", contact_uri="client:alice")
    (operator,) = switchboard(office).operators
    call = office.dial_in()
    office.settle()
    if bridge == "on_accept":
        centre.accept(office.task_sid(call))
        office.settle()
    # It is leased to the operator, so that nobody else has found it.
    assert legs(office, "client:alice") == 0
    (asked,) = office.rows_of("conference")
    assert (asked.attempts, asked.leased_until) == (
        1, centre.clock.now() + assignment.LEASE_SECONDS * SECOND
    )  # fmt: skip
    operator.step()
    office.settle()
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(call, leg)
    assert office.task_status(call) == "assigned"


def test_an_operator_who_dies_with_it_in_hand_is_found_out_when_the_lease_ends(
    office: Office, centre: Centre
) -> None:
    centre.add_worker("Alice", contact_uri="client:alice")
    switchboard(office)
    call = office.dial_in()
    office.settle()
    centre.accept(office.task_sid(call))
    office.settle()
    office.restart()
    office.settle()
    assert legs(office, "client:alice") == 0
    office.pass_time(assignment.LEASE_SECONDS)
    assert legs(office, "client:alice") == 1


def test_an_event_that_asks_for_nothing_leaves_the_operator_free(
    office: Office, centre: Centre
) -> None:
    """The same acceptance heard twice, and a Task that is no call of ours."""
    centre.add_worker("Alice", contact_uri="client:alice")
    (operator,) = switchboard(office).operators
    call = office.dial_in()
    office.settle()
    centre.accept(office.task_sid(call))
    office.settle()
    operator.step()
    accepted = [
        event
        for event in centre.store.event_log("once more").read(500)
        if event.type == "reservation.accepted"
    ]
    stranger = replace(accepted[0], task_sid="WT" + "0" * 32, resource_sid="WR" + "0" * 32)
    office.assignments.follow([*accepted, stranger])
    assert office.assignments.board is not None
    assert office.assignments.board.engage() is operator
    assert legs(office, "client:alice") == 1
