"""The matching index against a router that simply looks at everybody and everything, each time."""

import copy
import dataclasses
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.clock import Instant
from routing.expressions import Expression, WorkerOrder, compile_expression, compile_order_by
from routing.matching import Candidate, ChannelLoad, MatchingIndex, Proposal, WaitingTask
from routing.task_queue import TaskQueue
from routing.worker import available_capacity_percentage
from tests.fakes import MONDAY_MORNING

CHANNELS = ("voice", "chat")
WORKERS = tuple(f"WK{number}" for number in range(6))
TASKS = tuple(f"WT{number:02}" for number in range(14))
QUEUES = ("everybody", "skilled", "nobody", "idle", "newest", "burst")


def _queue(sid: str, target_workers: str, *, order: str = "FIFO", at_once: int = 1) -> TaskQueue:
    return TaskQueue(
        sid=sid,
        workspace_sid="WS",
        friendly_name=sid,
        target_workers=target_workers,
        max_reserved_workers=at_once,
        task_order=order,
        reservation_activity_sid=None,
        assignment_activity_sid=None,
        created_at=0,
        updated_at=0,
    )


QUEUE_ROWS = {
    queue.sid: queue
    for queue in (
        _queue("everybody", "1==1"),
        _queue("skilled", 'skill == "a" AND trained == true'),
        _queue("nobody", ""),
        _queue("idle", "channel.chat.assigned_tasks == 0 AND level > 1"),
        _queue("newest", "level >= 1", order="LIFO"),
        _queue("burst", "1==1", at_once=3),
    )
}
TARGETS = (
    None,
    'worker.skill == "b"',
    "task.level <= worker.level",
    "worker.channel.voice.available_capacity_percentage == 100",
    "worker.channel.chat.available_capacity_percentage <= 50",
    "worker.level > 1 AND worker.channel.chat.assigned_tasks <= 1",
)
ORDERS = (None, "worker.level DESC", "worker.level ASC, worker.cost DESC")


# ---- the oracle ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Oracle:
    """Knows the same rows, remembers nothing else, and looks at all of them for each decision."""

    lifo_first: bool
    one_at_a_time: bool
    idle_per_channel: frozenset[str]
    workers: dict[str, Candidate] = dataclasses.field(default_factory=dict)
    tasks: dict[str, WaitingTask] = dataclasses.field(default_factory=dict)

    def next(self, now: Instant) -> Proposal | None:
        for task in sorted(self.tasks.values(), key=self._rank):
            chosen = self._choose(task)
            if chosen:
                del self.tasks[task.sid]
                for worker in chosen:
                    load = worker.channels[task.channel_sid]
                    load.assigned_tasks += 1
                    load.last_reserved_at = worker.last_reserved_at = now
                return Proposal(
                    task_sid=task.sid,
                    task_version=task.version,
                    worker_sids=tuple(worker.sid for worker in chosen),
                )
        return None

    def _rank(self, task: WaitingTask) -> tuple[object, ...]:
        is_lifo = QUEUE_ROWS[task.queue_sid].task_order == "LIFO"
        line: tuple[object, ...] = (
            (0, -task.created_at, 0)
            if is_lifo
            else (-task.priority, task.virtual_start_at, task.created_at)
        )
        return (0 if is_lifo == self.lifo_first else 1, line, task.sid)

    def _choose(self, task: WaitingTask) -> list[Candidate]:
        able = [worker for worker in self.workers.values() if self._may_have(worker, task)]
        able.sort(key=lambda worker: (self._idle_since(worker, task), worker.sid))
        if task.order_by is not None:
            able = _sorted_by(task.order_by, able)
        return able[: QUEUE_ROWS[task.queue_sid].max_reserved_workers]

    def _idle_since(self, worker: Candidate, task: WaitingTask) -> Instant:
        if task.channel_sid in self.idle_per_channel:
            return worker.channels[task.channel_sid].last_reserved_at
        return worker.last_reserved_at

    def _may_have(self, worker: Candidate, task: WaitingTask) -> bool:
        if task.known_worker is not None:
            by_sid, name = task.known_worker
            if name != (worker.sid if by_sid else worker.friendly_name):
                return False
        if not task.ignores_capacity and not self._is_free(worker, task):
            return False
        context = {**worker.context, "channel": _loads(worker)}
        target_workers = QUEUE_ROWS[task.queue_sid].target_workers
        if not task.is_personal and (
            not target_workers or not compile_expression(target_workers).matches(context)
        ):
            return False
        return task.expression is None or task.expression.matches({"worker": context})

    def _is_free(self, worker: Candidate, task: WaitingTask) -> bool:
        load = worker.channels.get(task.channel_sid)
        if load is None or not (worker.available and load.available):
            return False
        if self.one_at_a_time:
            return not any(each.assigned_tasks for each in worker.channels.values())
        return load.assigned_tasks < load.configured_capacity


def _loads(worker: Candidate) -> dict[str, object]:
    return {
        load.unique_name: {
            "configured_capacity": load.configured_capacity,
            "assigned_tasks": load.assigned_tasks,
            "available_capacity_percentage": available_capacity_percentage(
                load.assigned_tasks, load.configured_capacity
            ),
        }
        for load in worker.channels.values()
    }


def _sorted_by(order: WorkerOrder, workers: list[Candidate]) -> list[Candidate]:
    ranks = {worker.sid: order.rank({"worker": worker.context}) for worker in workers}
    if None in ranks.values():
        return workers
    return sorted(workers, key=lambda worker: ranks[worker.sid] or ())


# ---- histories -----------------------------------------------------------------------------------


def _drawn_load(random: Random) -> dict[str, Any]:
    return {
        "configured_capacity": random.choice([0, 1, 1, 2, 3]),
        "assigned_tasks": random.choice([0, 0, 0, 1, 2]),
        "available": random.random() < 0.85,
        "last_reserved_at": random.randint(0, 5),
    }


def _drawn_worker(random: Random) -> dict[str, Any]:
    return {
        "available": random.random() < 0.8,
        "last_reserved_at": random.randint(0, 5),
        "skill": random.choice(["a", "b"]),
        "level": random.choice([None, 1, 2, 3, 3, 2, True, "2"]),
        "cost": random.choice([None, 1, 2]),
        "trained": random.choice([True, True, 1, 1.0, "true", [1], [True], {"x": 1}, {"x": True}]),
        "voice": _drawn_load(random),
        "chat": _drawn_load(random),
    }


def _drawn_task(random: Random) -> dict[str, Any]:
    return {
        "queue_sid": random.choice(QUEUES),
        "channel_sid": random.choice(CHANNELS),
        "priority": random.choice([0, 0, 0, 1, 2]),
        "virtual_start_at": random.randint(0, 9),
        "created_at": random.randint(0, 9),
        "target": random.choice(TARGETS),
        "level": random.randint(1, 3),
        "order_by": random.choice(ORDERS),
        "known_worker": random.choice(
            [*[None] * 9, (True, "WK1"), (False, "name of WK2"), (True, None)]
        ),
    }


def _drawn_personal_task(random: Random) -> dict[str, Any]:
    """One that was created for a worker: it comes by no workflow, and so asks nothing else."""
    drawn = _drawn_task(random)
    known_worker = (True, random.choice(WORKERS))
    return {
        **drawn,
        "target": None,
        "order_by": None,
        "known_worker": known_worker,
        "is_personal": True,
        "ignores_capacity": random.random() < 0.5,
    }


def _candidate(sid: str, drawn: Mapping[str, Any]) -> Candidate:
    names = ("skill", "level", "cost", "trained")
    attributes = {name: drawn[name] for name in names if drawn[name] is not None}
    return Candidate(
        sid=sid,
        friendly_name=f"name of {sid}",
        available=drawn["available"],
        last_reserved_at=drawn["last_reserved_at"],
        context={**attributes, "sid": sid, "friendly_name": f"name of {sid}"},
        channels={name: ChannelLoad(unique_name=name, **drawn[name]) for name in CHANNELS},
    )


def _bound(target: str | None, level: int) -> Expression | None:
    return None if target is None else compile_expression(target).bind({"level": level})


def _waiting(sid: str, drawn: Mapping[str, Any]) -> WaitingTask:
    order_by = drawn["order_by"]
    return WaitingTask(
        sid=sid,
        version=0,
        expression=_bound(drawn["target"], drawn["level"]),
        order_by=None if order_by is None else compile_order_by(order_by),
        **{
            name: drawn[name]
            for name in (
                "queue_sid", "channel_sid", "priority", "virtual_start_at", "created_at",
                "known_worker", "is_personal", "ignores_capacity",
            )
            if name in drawn
        },
    )  # fmt: skip


class Forgetful(MatchingIndex):
    """Lets go of what nobody waits for at the first opportunity."""

    kept_classes = 2


class _Both:
    """The index and the oracle, told the same."""

    def __init__(
        self,
        kind: type[MatchingIndex],
        *,
        lifo_first: bool,
        one_at_a_time: bool,
        per_channel: bool,
    ) -> None:
        idle = frozenset({"chat"} if per_channel else ())
        self.index = kind(
            QUEUE_ROWS,
            lifo_first=lifo_first,
            one_at_a_time=one_at_a_time,
            idle_per_channel=idle,
        )
        self.oracle = Oracle(lifo_first, one_at_a_time, idle)
        self.now = MONDAY_MORNING

    def happen(self, random: Random) -> None:
        """Something or other."""
        ways = [self._worker, self._worker, self._retrain, self._worker_gone, self._task,
                self._task, self._task, self._task_gone, self._again, self.match]  # fmt: skip
        random.choice(ways)(random)

    def _worker(self, random: Random) -> None:
        sid = random.choice(WORKERS)
        drawn = _drawn_worker(random)
        self.oracle.workers[sid] = _candidate(sid, copy.deepcopy(drawn))
        self.index.put_worker(_candidate(sid, copy.deepcopy(drawn)))

    def _retrain(self, random: Random) -> None:
        """Only one attribute of a worker changes."""
        known = self.oracle.workers.get(random.choice(WORKERS))
        if known is not None:
            changed = copy.deepcopy(known)
            changed.context["trained"] = _drawn_worker(random)["trained"]
            self.oracle.workers[known.sid] = changed
            self.index.put_worker(copy.deepcopy(changed))

    def _worker_gone(self, random: Random) -> None:
        sid = random.choice(WORKERS)
        self.oracle.workers.pop(sid, None)
        self.index.drop_worker(sid)

    def _task(self, random: Random) -> None:
        draw = random.choice([_drawn_task] * 5 + [_drawn_personal_task])
        task = _waiting(random.choice(TASKS), draw(random))
        self.oracle.tasks[task.sid] = task
        self.index.put_task(task)

    def _task_gone(self, random: Random) -> None:
        sid = random.choice(TASKS)
        self.oracle.tasks.pop(sid, None)
        self.index.drop_task(sid)

    def _again(self, random: Random) -> None:
        task = self.oracle.tasks.get(random.choice(TASKS))
        if task is not None:
            self.index.put_task(task)

    def match(self, random: Random) -> bool:
        """Each proposal is what looking at everything would have chosen at that moment."""
        self.now += 1
        proposals = self.index.proposals(random.randint(1, 4), self.now)
        for proposal in proposals:
            assert proposal == self.oracle.next(self.now)
        if not proposals:
            assert copy.deepcopy(self.oracle).next(self.now) is None
        assert self.index.waiting == len(self.oracle.tasks)
        return bool(proposals)


@settings(deadline=None, max_examples=150)
@given(
    kind=st.sampled_from([MatchingIndex, Forgetful]),
    seed=st.integers(0, 2**32),
    lifo_first=st.booleans(),
    one_at_a_time=st.booleans(),
    per_channel=st.booleans(),
)
def test_every_decision_is_the_one_that_looking_at_everything_makes(
    kind: type[MatchingIndex],
    seed: int,
    *,
    lifo_first: bool,
    one_at_a_time: bool,
    per_channel: bool,
) -> None:
    both = _Both(kind, lifo_first=lifo_first, one_at_a_time=one_at_a_time, per_channel=per_channel)
    random = Random(seed)  # noqa: S311 - a history that can be told again
    for _ in range(120):
        both.happen(random)
    while both.match(random):
        pass


def test_demands_that_nobody_has_any_more_do_not_pile_up() -> None:
    index = MatchingIndex(QUEUE_ROWS)
    index.put_worker(_candidate(WORKERS[0], _drawn_worker(Random(0))))  # noqa: S311 - just anybody
    waiting = _waiting("WT-waits", {**_drawn_task(Random(0)), "queue_sid": "nobody"})  # noqa: S311
    index.put_task(waiting)
    for number in range(5 * MatchingIndex.kept_classes):
        only = dataclasses.replace(waiting, sid=f"WT{number}", known_worker=(True, f"WK-{number}"))
        index.put_task(only)
        index.drop_task(only.sid)
    assert index.demands <= MatchingIndex.kept_classes
    assert index.waiting == 1
