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
from routing.matching import (
    Candidate,
    ChannelLoad,
    MatchingIndex,
    Proposal,
    Scrutiny,
    WaitingTask,
)
from routing.matching.ranking import Ranking, numbers_in
from routing.task_queue import TaskQueue
from routing.worker import available_capacity_percentage
from tests.fakes import MONDAY_MORNING

CHANNELS = ("voice", "chat")
ACTIVITIES = ("Available", "Break", "Training")
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
#: What a queue's expression may become.
CONDITIONS = (
    *(queue.target_workers for queue in QUEUE_ROWS.values()),
    "trained == true",
    "channel.voice.assigned_tasks < level",
    "trained.x == true OR cost > 1",
)


# ---- the oracle ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Oracle:
    """Knows the same rows, remembers nothing else, and looks at all of them for each decision."""

    lifo_first: bool
    one_at_a_time: bool
    idle_per_channel: frozenset[str]
    queues: dict[str, TaskQueue]
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
                    channel_sid=task.channel_sid,
                    worker_sids=tuple(worker.sid for worker in chosen),
                )
        return None

    def _rank(self, task: WaitingTask) -> tuple[object, ...]:
        is_lifo = self.queues[task.queue_sid].task_order == "LIFO"
        line: tuple[object, ...] = (
            (0, -task.created_at, 0)
            if is_lifo
            else (-task.priority, task.virtual_start_at, task.created_at)
        )
        return (0 if is_lifo == self.lifo_first else 1, line, task.sid)

    def _choose(self, task: WaitingTask) -> list[Candidate]:
        able = [worker for worker in self.workers.values() if self.may_have(worker, task)]
        able.sort(key=lambda worker: (self._idle_since(worker, task), worker.sid))
        if task.order_by is not None:
            able = _sorted_by(task.order_by, able)
        return able[: self.queues[task.queue_sid].max_reserved_workers]

    def _idle_since(self, worker: Candidate, task: WaitingTask) -> Instant:
        if task.channel_sid in self.idle_per_channel:
            return worker.channels[task.channel_sid].last_reserved_at
        return worker.last_reserved_at

    def may_have(self, worker: Candidate, task: WaitingTask) -> bool:
        if worker.sid in task.spared:
            return False
        if task.known_worker is not None:
            by_sid, name = task.known_worker
            if name != (worker.sid if by_sid else worker.friendly_name):
                return False
        if not task.ignores_capacity and not self._is_free(worker, task):
            return False
        if not task.is_personal and not self.belongs(worker, task.queue_sid):
            return False
        context = {**worker.context, "channel": _loads(worker)}
        return task.expression is None or task.expression.matches({"worker": context})

    def belongs(self, worker: Candidate, queue_sid: str) -> bool:
        context = {**worker.context, "channel": _loads(worker)}
        target_workers = self.queues[queue_sid].target_workers
        return bool(target_workers) and compile_expression(target_workers).matches(context)

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
        "activity": random.choice([*ACTIVITIES[:1] * 8, *ACTIVITIES[1:]]),
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
        "spared": random.choice(
            [*[frozenset[str]()] * 5, frozenset({"WK1"}), frozenset(WORKERS[:2])]
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
        available=drawn["activity"] == "Available",
        last_reserved_at=drawn["last_reserved_at"],
        context={
            **attributes,
            "sid": sid,
            "friendly_name": f"name of {sid}",
            "activity_sid": drawn["activity"],
        },
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
                "known_worker", "is_personal", "ignores_capacity", "spared",
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
        workers: tuple[str, ...] = WORKERS,
    ) -> None:
        idle = frozenset({"chat"} if per_channel else ())
        self.index = kind(
            QUEUE_ROWS,
            lifo_first=lifo_first,
            one_at_a_time=one_at_a_time,
            idle_per_channel=idle,
        )
        self.oracle = Oracle(lifo_first, one_at_a_time, idle, dict(QUEUE_ROWS))
        self.workers = workers
        self.now = MONDAY_MORNING

    def happen(self, random: Random) -> None:
        """Something or other."""
        ways = [self._worker, self._worker, self._retrain, self._worker_gone, self._task,
                self._task, self._task, self._task_gone, self._again, self._queue, self.match,
                self.match]  # fmt: skip
        random.choice(ways)(random)

    def everybody_comes(self, random: Random) -> None:
        for sid in self.workers:
            self._worker(random, sid)

    def _worker(self, random: Random, sid: str | None = None) -> None:
        sid = sid or random.choice(self.workers)
        drawn = _drawn_worker(random)
        self.oracle.workers[sid] = _candidate(sid, copy.deepcopy(drawn))
        self.index.put_worker(_candidate(sid, copy.deepcopy(drawn)))

    def _retrain(self, random: Random) -> None:
        """Only one attribute of a worker changes."""
        known = self.oracle.workers.get(random.choice(self.workers))
        if known is not None:
            changed = copy.deepcopy(known)
            changed.context["trained"] = _drawn_worker(random)["trained"]
            self.oracle.workers[known.sid] = changed
            self.index.put_worker(copy.deepcopy(changed))

    def _worker_gone(self, random: Random) -> None:
        sid = random.choice(self.workers)
        self.oracle.workers.pop(sid, None)
        self.index.drop_worker(sid)

    def _task(self, random: Random) -> None:
        draw = random.choice([_drawn_task] * 5 + [_drawn_personal_task])
        task = _waiting(random.choice(TASKS), draw(random))
        self.oracle.tasks.pop(task.sid, None)
        if task.queue_sid in self.oracle.queues:
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

    def _queue(self, random: Random) -> None:
        """Queues change while Tasks wait in them, go, and come."""
        queues = self.oracle.queues
        sid = random.choice(QUEUES)
        if sid in queues and random.random() < 0.2:
            del queues[sid]
            for task in [task for task in self.oracle.tasks.values() if task.queue_sid == sid]:
                del self.oracle.tasks[task.sid]
        else:
            was = queues.get(sid, QUEUE_ROWS[sid])
            queues[sid] = dataclasses.replace(
                was,
                target_workers=random.choice([was.target_workers, *CONDITIONS]),
                task_order=random.choice([was.task_order, "FIFO", "LIFO"]),
                max_reserved_workers=random.choice([was.max_reserved_workers, 1, 2]),
            )
        self.index.put_queues(dict(queues))

    def match(self, random: Random) -> bool:
        """Each proposal is what looking at everything would have chosen at that moment."""
        self.now += 1
        proposals = self.index.proposals(random.randint(1, 4), self.now)
        for proposal in proposals:
            assert proposal == self.oracle.next(self.now)
        if not proposals:
            assert copy.deepcopy(self.oracle).next(self.now) is None
        assert self.index.waiting == len(self.oracle.tasks)
        self._compare_counts(random)
        self._compare_obstacles(random)
        return bool(proposals)

    def _compare_counts(self, random: Random) -> None:
        """Who belongs to a queue, as `skip_if` asks."""
        sid = random.choice(QUEUES)
        if sid not in self.oracle.queues:
            return
        belonging = [
            each for each in self.oracle.workers.values() if self.oracle.belongs(each, sid)
        ]
        counts = self.index.headcount(sid)
        assert counts["available"] == sum(worker.available for worker in belonging)
        for activity in ACTIVITIES:
            there = [each for each in belonging if each.context["activity_sid"] == activity]
            assert counts.get(activity, 0) == len(there)

    def _compare_obstacles(self, random: Random) -> None:
        """Nothing but the turn is in the way of those whom the task could be given to."""
        if not self.oracle.tasks:
            return
        task = random.choice(list(self.oracle.tasks.values()))
        queue = self.oracle.queues[task.queue_sid]
        scrutiny = Scrutiny(task, queue, one_at_a_time=self.oracle.one_at_a_time)
        for worker in self.oracle.workers.values():
            obstacle = scrutiny.obstacle(worker)
            assert (obstacle.kind == "turn") == self.oracle.may_have(worker, task)
            assert bool(obstacle.clauses) == (obstacle.kind == "target")


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


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**32), one_at_a_time=st.booleans(), per_channel=st.booleans())
def test_the_same_decisions_are_made_in_a_crowd(
    seed: int, *, one_at_a_time: bool, per_channel: bool
) -> None:
    """More Workers than are sorted at once: the longest idle is looked for in blocks."""
    both = _Both(
        MatchingIndex,
        lifo_first=False,
        one_at_a_time=one_at_a_time,
        per_channel=per_channel,
        workers=tuple(f"WK{number:03}" for number in range(160)),
    )
    random = Random(seed)  # noqa: S311 - a history that can be told again
    both.everybody_comes(random)
    for _ in range(60):
        both.happen(random)
    while both.match(random):
        pass


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), crowd=st.sampled_from([10, 100, 1000]))
def test_a_ranking_walks_any_set_in_the_order_of_its_keys(seed: int, crowd: int) -> None:
    random = Random(seed)  # noqa: S311 - a history that can be told again
    ranking: Ranking[tuple[int, str]] = Ranking()
    keys: dict[int, tuple[int, str]] = {}
    for _ in range(3 * crowd):
        number = random.randrange(crowd)
        if random.random() < 0.2:
            keys.pop(number, None)
            ranking.drop(number)
        else:
            keys[number] = (random.randrange(crowd), f"WK{number}")
            ranking.put(number, keys[number])
    for share in (0.0, 0.05, 1.0):
        wanted = {number for number in range(crowd) if random.random() < share}
        bits = sum(1 << number for number in wanted)
        assert set(numbers_in(bits)) == wanted
        assert list(ranking.walk(bits)) == sorted(wanted & keys.keys(), key=keys.__getitem__)
    assert len(ranking) == len(keys)


def test_demands_that_nobody_has_any_more_do_not_pile_up() -> None:
    index = Forgetful(QUEUE_ROWS)
    index.put_worker(_candidate(WORKERS[0], _drawn_worker(Random(0))))  # noqa: S311 - just anybody
    waiting = _waiting("WT-waits", {**_drawn_task(Random(0)), "queue_sid": "nobody"})  # noqa: S311
    index.put_task(waiting)
    for number in range(10 * Forgetful.kept_classes):
        only = dataclasses.replace(waiting, sid=f"WT{number}", known_worker=(True, f"WK-{number}"))
        index.put_task(only)
        index.drop_task(only.sid)
    assert index.demands <= Forgetful.kept_classes + 2, "one has somebody waiting, one is new"
    assert index.waiting == 1
