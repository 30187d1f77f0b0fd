"""Calls that go any way at all: people, callbacks, Twilio and we ourselves at our worst."""

import random

import pytest

from tests.voice.exchange import FakeCall
from tests.voice.office import Office
from voice.phone_line import Unreachable

AGENTS = ("Alice", "Bob", "Carol")
RUNS = 40
STEPS = 60

#: Where a caller may be after a calm while, and how their Task must stand then.
FINE = {
    "in line, task pending",
    "in line, task reserved",
    "talking, task assigned",
    "talking, task completed",  # a program's doing, while they talked
}


class Killed(BaseException):
    """The process is gone in the middle of what it did."""


class Course:
    """One random course of several calls, repeatable by its seed."""

    def __init__(self, office: Office, seed: int) -> None:
        self.office = office
        self.chance = random.Random(seed)  # noqa: S311 - a repeatable course
        self.callers: list[FakeCall] = []
        if self.chance.random() < 0.3:
            office.ring_on_offer()
        self.agents = [
            office.centre.add_worker(name, contact_uri=f"client:{name.lower()}") for name in AGENTS
        ]

    def go(self) -> None:
        moves = [
            self.somebody_calls,
            self.an_agent_accepts,
            self.a_phone_is_picked_up,
            self.a_phone_is_not_answered,
            self.somebody_hangs_up,
            self.an_agent_comes_back,
            self.a_task_is_canceled,
            self.an_agent_finishes,
            self.twilio_fails,
            self.time_passes,
        ]
        for _ in range(STEPS):
            self.chance.choice(moves)()
            self.work()

    # ---- what may happen -------------------------------------------------------------------------

    def somebody_calls(self) -> None:
        if len(self.callers) < 6:
            self.callers.append(self.office.dial_in())

    def an_agent_accepts(self) -> None:
        offers = self.office.centre.engine.read(
            lambda work: work.reservations.find(reservation_status="pending")
        )
        if offers and self.office.flow.bridge == "on_accept":
            self.office.centre.accept(self.chance.choice(offers).task_sid)

    def _ringing(self) -> list[FakeCall]:
        return [leg for leg in self.office.line.live_calls() if leg.status == "ringing"]

    def a_phone_is_picked_up(self) -> None:
        if ringing := self._ringing():
            self.office.line.pick_up(self.chance.choice(ringing))

    def a_phone_is_not_answered(self) -> None:
        if ringing := self._ringing():
            status = self.chance.choice(["busy", "no-answer", "failed"])
            self.office.line.end(self.chance.choice(ringing), status)

    def somebody_hangs_up(self) -> None:
        if (live := self.office.line.live_calls()) and self.chance.random() < 0.5:
            self.office.line.end(self.chance.choice(live))

    def an_agent_comes_back(self) -> None:
        self.office.centre.move(self.chance.choice(self.agents), "Available")

    def a_task_is_canceled(self) -> None:
        waiting = self.office.centre.engine.read(
            lambda work: work.tasks.find(assignment_status={"pending", "reserved"})
        )
        if waiting and self.chance.random() < 0.3:
            self.office.centre.cancel(self.chance.choice(waiting).sid)

    def an_agent_finishes(self) -> None:
        wrapping = self.office.centre.engine.read(
            lambda work: work.tasks.find(assignment_status={"wrapping"})
        )
        if wrapping:
            self.office.centre.complete(self.chance.choice(wrapping).sid)

    def twilio_fails(self) -> None:
        method = self.chance.choice(["dial", "redirect", "hang_up", "call_status", "find_leg"])
        fault: BaseException = self.chance.choice([Unreachable("503"), Killed()])
        before = self.chance.random() < 0.5
        faults = self.office.line.faults if before else self.office.line.faults_after
        faults[method] = [fault]  # type: ignore[list-item]  # death is no error

    def time_passes(self) -> None:
        self.office.centre.pass_time(self.chance.choice([1, 5, 20, 40]))

    # ---- how we and the callbacks do -------------------------------------------------------------

    def work(self) -> None:
        for _ in range(3):
            self.survive(self.office.react)
        line = self.office.line
        batch, line.outbox = line.outbox, []
        for callback in batch:
            fate = self.chance.random()
            if "_obey" in callback.parameters or fate < 0.6:
                self.office.deliver(callback)
            elif fate < 0.7:
                self.office.deliver(callback)
                self.office.deliver(callback)
            elif fate < 0.9:
                line.outbox.append(callback)
            # and a tenth of them is lost
        if self.chance.random() < 0.5:
            self.chance.shuffle(line.outbox)

    def survive(self, what: object) -> None:
        try:
            what()  # type: ignore[operator]
        except Killed:
            self.office.restart()

    def calm_down(self) -> None:
        """No more faults, and no news of what has been; phones that ring are not answered."""
        line = self.office.line
        line.faults.clear()
        line.faults_after.clear()
        line.outbox = [one for one in line.outbox if "_obey" in one.parameters]
        for _ in range(30):
            for leg in self._ringing():
                line.end(leg, "no-answer")
            self.office.pass_time(10)
            self.office.sweep()

    def where(self, caller: FakeCall) -> str:
        """Where a caller is who is still there, and what we believe."""
        status = self.office.task_status(caller)
        if caller.room is None:
            place = "in line" if caller.queue_action is not None else "nowhere"
        else:
            place = "alone" if len(caller.room.members) == 1 else "talking"
        return f"{place}, task {status}"

    def come_to_an_end(self) -> None:
        """Everybody hangs up, no fault is left, and enough time passes."""
        line = self.office.line
        line.faults.clear()
        line.faults_after.clear()
        for caller in self.callers:
            if caller.is_live:
                line.end(caller)
        for _ in range(40):
            for leg in self._ringing():
                line.end(leg, "no-answer")
            for agent in self.agents:
                self.office.centre.move(agent, "Available")
            line.outbox.clear()  # and nobody tells us
            self.office.pass_time(10)
            self.office.sweep()


@pytest.mark.parametrize("seed", range(RUNS))
def test_whatever_happened_nothing_is_left_behind(small_office: Office, seed: int) -> None:
    course = Course(small_office, seed)
    course.go()
    course.calm_down()
    for caller in course.callers:
        if caller.is_live:
            assert course.where(caller) in FINE

    course.come_to_an_end()
    assert small_office.line.live_calls() == []
    centre = small_office.centre
    tasks = centre.engine.read(lambda work: work.tasks.find())
    assert len(tasks) == len(course.callers)
    assert {task.assignment_status for task in tasks} <= {"wrapping", "completed", "canceled"}
    for task in tasks:
        if task.assignment_status == "wrapping":
            centre.complete(task.sid)
    assert [small_office.assigned(agent) for agent in course.agents] == [0, 0, 0]
    left = centre.engine.read(
        lambda work: work.instructions.find(state={"requested", "in-progress"})
    )
    assert left == []
