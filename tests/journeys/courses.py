"""The courses that a call can take: what happens, and how everything must stand in the end.

A course is played on a stage by people who do what people do: an agent who was sent offline comes
back, who is offered a call takes it. So the same course can be played while something goes wrong,
and must come to the same end.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import stamina

from routing.engine import instructions
from tests.journeys.mishaps import Mishap
from tests.journeys.stage import Agent, Stage
from tests.routing.centre import Centre
from tests.voice.test_the_flow_of_a_number import flow_of
from voice.call_flow import CallFlow, load_call_flow

#: Seconds after which everything is over that a course has left to time.
AFTERWARDS = 75
#: How offers end that did not lead to a conversation.
DECLINED: Final = frozenset({"canceled", "rejected", "rescinded", "timeout"})

#: Somebody outside.
OUTSIDE: Final = "+14155550199"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How everything stands when it is over."""

    #: The caller's Task: its status, its reason, and how its Reservations ended.
    call: str
    status: str
    reason: str | None = None
    reservations: tuple[str, ...] = ()
    #: What the caller heard last; None where that is no matter.
    heard: str | None = None
    #: The events of Task and Reservations that must have been told, in this order; others between.
    told: tuple[str, ...] = ()
    #: More that must hold, also when something went wrong.
    holds: Callable[[], object] = lambda: True


Play = Callable[[Stage], End]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    name: str
    #: Which rows of tests/journeys/rows.py it walks.
    rows: tuple[str, ...]
    play: Play
    flow: CallFlow | None
    multi_task: bool
    #: Something always goes wrong in it already, or it takes too long to be repeated.
    once: bool


COURSES: Final[dict[str, Course]] = {}


def course(
    *rows: str,
    flow: Mapping[str, Any] | None = None,
    multi_task: bool = True,
    once: bool = False,
) -> Callable[[Play], Play]:
    """Adds what it decorates, under its own name."""

    def add(play: Play) -> Play:
        COURSES[play.__name__] = Course(
            name=play.__name__,
            rows=rows,
            play=play,
            flow=None if flow is None else flow_of(**flow),
            multi_task=multi_task,
            once=once,
        )
        return play

    return add


def run(course_: Course, centre: Centre, mishap: Mishap | None = None) -> Mishap:
    """Plays it to its end, and holds everything against what must be."""
    mishap = mishap or Mishap()
    stamina.set_testing(True, attempts=3)  # as often as in earnest, without the pauses
    try:
        with Stage(centre, flow=course_.flow, mishap=mishap) as stage:
            end = course_.play(stage)
            mishap.end()
            stage.pass_time(AFTERWARDS)
            _check(stage, end)
    finally:
        stamina.set_testing(False)
    return mishap


def _check(stage: Stage, end: End) -> None:
    centre, is_quiet = stage.office.centre, not stage.mishap.kind
    task = stage.task_of(end.call)
    assert task is not None
    wraps = task.assignment_status == "wrapping"
    stage.finish_work()
    stage.pass_time(2)
    status = "wrapping" if wraps else stage.office.centre.status(task.sid)
    statuses = [each.reservation_status for each in centre.reservations(task.sid)]
    wanted = list(end.reservations)
    if not is_quiet:
        statuses = [each for each in statuses if each not in DECLINED]
        wanted = [each for each in wanted if each not in DECLINED]
    found = (status, task.reason, sorted(statuses))
    assert found == (end.status, end.reason, sorted(wanted)), stage.picture()
    assert [agent.load for agent in stage.agents.values()] == [0] * len(stage.agents)
    assert stage.left_behind() == [], stage.picture()
    if end.heard is not None:
        assert stage.heard(end.call)[-1] == end.heard, stage.picture()
    assert end.holds(), stage.picture()
    if is_quiet:
        events = iter(stage.told(task.sid))
        missing = [each for each in end.told if each not in events]
        assert missing == [], stage.told(task.sid)


# ---- what happens again and again ----------------------------------------------------------------


def call_in(stage: Stage) -> str:
    """Somebody calls, has heard the greeting, and waits."""
    call = stage.dial()
    stage.until(lambda: stage.is_waiting(call), "the caller waits")
    return call


def task_sid(stage: Stage, call: str) -> str:
    task = stage.task_of(call)
    assert task is not None
    return task.sid


def come_back(stage: Stage, agent: Agent) -> None:
    """Who was sent offline, and has nothing in hand, is available again."""
    if agent.activity != "Available" and not agent.load:
        stage.office.centre.move(agent.worker_sid, "Available")


def takes(stage: Stage, agent: Agent, sid: str) -> None:
    """The agent accepts the Task as soon as it is offered."""

    def accepted() -> bool:
        if agent.reservations().get(sid) == "accepted":
            return True
        come_back(stage, agent)
        if agent.name in stage.offered(sid):
            agent.accept(sid)
            return True
        return False

    stage.until(accepted, f"{agent.name} accepts")


def stands(stage: Stage, agent: Agent, sid: str) -> bool:
    """Is it known here, too, that they talk?"""
    standing = instructions.standing
    return (
        stage.office.centre.engine.read(lambda work: standing(work, agent.offer(sid))) is not None
    )


def connect(stage: Stage, agent: Agent, call: str) -> str:
    """The agent takes the caller's Task, and they talk; the Task's SID."""
    sid = task_sid(stage, call)

    def talks() -> bool:
        if agent.is_talking_to(call) and agent.reservations().get(sid) == "accepted":
            return stands(stage, agent, sid)
        come_back(stage, agent)
        if agent.name in stage.offered(sid) and agent.reservations().get(sid) == "pending":
            agent.accept(sid)
        return False

    stage.until(talks, f"{agent.name} talks to the caller")
    return sid


def talk(stage: Stage, *, name: str = "Alice") -> tuple[str, str, Agent]:
    """A caller who talks to an agent: the call, the Task, the agent."""
    agent = stage.agent(name)
    call = call_in(stage)
    return call, connect(stage, agent, call), agent


def rings(stage: Stage, agent: Agent, call: str) -> str:
    """The agent has accepted, and the phone rings; the Task's SID."""
    sid = task_sid(stage, call)

    def ringing() -> bool:
        come_back(stage, agent)
        if agent.name in stage.offered(sid):
            agent.accept(sid)
        return agent.is_ringing()

    stage.until(ringing, f"{agent.name}'s phone rings")
    return sid


def is_over(stage: Stage, call: str) -> Callable[[], bool]:
    """Has the caller's call ended?"""
    return lambda: stage.status(call) == "completed"


def example() -> CallFlow:
    """The document that ships, which is played where a course has none of its own."""
    return load_call_flow()


ENDED: Final = example().ended
CANCELED: Final = example().canceled


def attributes(stage: Stage, sid: str) -> dict[str, Any]:
    return dict(json.loads(stage.office.centre.task(sid).attributes))


@dataclass(slots=True)
class Seen:
    """What a course wants to know at its end of what it saw on the way."""

    facts: dict[str, Any] = field(default_factory=dict)
