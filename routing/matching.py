"""The matching index: waiting Tasks x free Workers -> proposals. Pure, in memory, no I/O.

The cost of one decision does not depend on how many Tasks wait, because Tasks that wait for the
same thing share a *demand class* (same queue, channel, expression with the Task's own values bound
in, known worker and order of workers) and differ only in their place in line. A class knows the set
of Workers whose attributes match as a bitmap, one bit per Worker; an intersection with the bitmap
of the free ones answers "is there anybody?" at once. What depends on the load of the moment
(`worker.channel.*`) is split off the expression and asked last.

It proposes and never decides: the claim in the database does. After a proposal the index goes on as
if it had been claimed; whoever claims tells it how the rows really are by putting them anew.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice
from typing import ClassVar

from routing.clock import Instant
from routing.expressions import Expression, FalseClause, WorkerOrder
from routing.task_queue import EVERYBODY, TaskQueue, belonging, place_in_line
from routing.worker import available_capacity_percentage
from routing.workspace import LIFO

#: Where an expression reads load instead of attributes: bare in queues, prefixed in targets.
_LOAD_IN_QUEUE = "channel"
_LOAD_IN_TARGET = "worker.channel"


@dataclass(slots=True, kw_only=True)
class ChannelLoad:
    """A Worker's channel as the index sees it."""

    unique_name: str
    configured_capacity: int
    assigned_tasks: int
    available: bool
    last_reserved_at: Instant


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A Worker as the index sees it."""

    sid: str
    friendly_name: str
    #: Its Activity is an available one.
    available: bool
    last_reserved_at: Instant
    #: Bare names: attributes and built-ins; `channel` is filled in from `channels` when asked.
    context: dict[str, object]
    #: By TaskChannel SID.
    channels: dict[str, ChannelLoad]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A pending Task as the index sees it."""

    sid: str
    queue_sid: str
    channel_sid: str
    priority: int
    virtual_start_at: Instant
    created_at: Instant
    #: The version of the row that was read: only what it says is proposed.
    version: int
    #: Its target has a `skip_if`: it may go on if nobody can have it at once.
    may_skip: bool = False
    #: The target's expression with the Task's own values bound in; None asks nothing more.
    expression: Expression | None = None
    order_by: WorkerOrder | None = None
    #: (is a SID, value): the only Worker to be asked; None asks anybody.
    known_worker: tuple[bool, object] | None = None
    #: It was created for the known Worker, who need not belong to the queue.
    is_personal: bool = False
    #: The known Worker is asked whatever its Activity and its capacity say.
    ignores_capacity: bool = False
    #: Workers who are not to be asked: they have it, or had it just now.
    spared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Offer this Task to these Workers; several where its queue asks several at once."""

    task_sid: str
    #: The version of the Task's row that the proposal is about.
    task_version: int
    worker_sids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """The first thing that stands between a waiting Task and a Worker."""

    #: queue, known_worker, activity, channel, busy, capacity, target, or turn: nothing but that
    #: the router has not come to it yet.
    kind: str
    #: What is false, where it is an expression.
    clauses: tuple[FalseClause, ...] = ()


_ClassKey = tuple[str, str, str, str, object, bool, bool, frozenset[str]]
#: Kind of queue, place in line, SID; the smallest is next.
_Rank = tuple[int, tuple[int, int, int], str]


@dataclass(slots=True, kw_only=True)
class _DemandClass:
    queue: TaskQueue
    channel_sid: str
    #: On bare worker names, and on {"worker": ...}; together what a Worker must meet.
    settled: tuple[Expression, Expression | None]
    lively: tuple[Expression, Expression | None]
    known_worker: tuple[bool, object] | None
    order_by: WorkerOrder | None
    ignores_capacity: bool
    spared: frozenset[str]
    #: The Workers whose attributes match.
    members: int = 0
    #: (place, sid) of the waiting Tasks; those that left are dropped when they come to the head.
    line: list[tuple[tuple[int, int, int], str]] = field(default_factory=list)


class MatchingIndex:
    """One workspace's waiting Tasks and its Workers."""

    #: Demand classes that are kept in any case: to make one again means to ask every Worker. More
    #: come and go where an expression or a known worker makes every Task one of a kind.
    kept_classes: ClassVar[int] = 1000

    def __init__(
        self,
        queues: Mapping[str, TaskQueue],
        *,
        lifo_first: bool = False,
        one_at_a_time: bool = False,
        idle_per_channel: frozenset[str] = frozenset(),
    ) -> None:
        """`queues` by SID; `lifo_first` is the workspace's queue order, `one_at_a_time` that it
        has no multitasking; `idle_per_channel` are the TaskChannels that optimise their routing.
        """
        self.queues = queues
        self._idle_per_channel = idle_per_channel
        self._lifo_first = lifo_first
        self._one_at_a_time = one_at_a_time
        self._workers: list[Candidate | None] = []
        self._slots: dict[str, int] = {}
        self._unused: list[int] = []
        self._free: dict[str, int] = {}
        self._tasks: dict[str, tuple[WaitingTask, _ClassKey, tuple[int, int, int]]] = {}
        self._classes: dict[_ClassKey, _DemandClass] = {}
        self._most_classes = self.kept_classes
        #: Classes that may have a match which was not looked for yet.
        self._stirred: set[_ClassKey] = set()

    @property
    def waiting(self) -> int:
        """How many Tasks wait."""
        return len(self._tasks)

    def put_worker(self, worker: Candidate) -> None:
        """A Worker came, or changed in any way."""
        slot = self._slots.get(worker.sid)
        previous = None if slot is None else self._workers[slot]
        if slot is None:
            slot = self._unused.pop() if self._unused else len(self._workers)
            if slot == len(self._workers):
                self._workers.append(None)
            self._slots[worker.sid] = slot
        self._workers[slot] = worker
        if previous is None or not _is_same(previous.context, worker.context):
            for demand in self._classes.values():
                self._join(demand, slot, worker)
        self._mark_load(slot, worker)

    def drop_worker(self, sid: str) -> None:
        """A Worker is gone."""
        slot = self._slots.pop(sid, None)
        if slot is None:
            return
        self._workers[slot] = None
        self._unused.append(slot)
        for channel_sid in self._free:
            self._free[channel_sid] &= ~(1 << slot)
        for demand in self._classes.values():
            demand.members &= ~(1 << slot)

    def put_task(self, task: WaitingTask) -> None:
        """A Task waits, or waits in another way than before."""
        queue = self.queues.get(task.queue_sid)
        known = self._tasks.get(task.sid)
        if known is not None and known[0] == task:
            self._stirred.add(known[1])
            return
        if queue is None:
            self.drop_task(task.sid)
            return
        key = _class_key(task)
        demand = self._classes.get(key)
        if demand is None:
            self._forget_idle_classes()
            demand = self._classes[key] = self._new_class(task, queue)
        place = place_in_line(
            queue.task_order,
            priority=task.priority,
            virtual_start_at=task.virtual_start_at,
            created_at=task.created_at,
        )
        self._tasks[task.sid] = (task, key, place)
        if known is None or known[1:] != (key, place):
            heappush(demand.line, (place, task.sid))
        self._stirred.add(key)

    def drop_task(self, sid: str) -> None:
        """A Task no longer waits."""
        self._tasks.pop(sid, None)

    def may_skip(self, task_sids: Iterable[str]) -> dict[str, int]:
        """Those of the Tasks that wait where `skip_if` may let them go on, with their versions."""
        known = (self._tasks.get(sid) for sid in task_sids)
        return {each[0].sid: each[0].version for each in known if each and each[0].may_skip}

    def proposals(self, limit: int, now: Instant) -> list[Proposal]:
        """The next matches, the most deserving Task first; fewer than `limit` when that is all.

        `now` counts as the moment at which the chosen Workers were last given something.
        """
        ready: list[tuple[_Rank, _ClassKey]] = []
        lined_up: set[_ClassKey] = set()
        made: list[Proposal] = []
        while len(made) < limit:
            self._line_up(ready, lined_up)
            if not ready:
                break
            _rank, key = heappop(ready)
            lined_up.remove(key)
            proposal = self._propose(key, now)
            if proposal is not None:
                made.append(proposal)
                self._stirred.add(key)
        self._stirred |= lined_up
        return made

    def _line_up(self, ready: list[tuple[_Rank, _ClassKey]], lined_up: set[_ClassKey]) -> None:
        """Adds the classes that were stirred, the last match's own doing included: where load
        decides, one match may make another one possible.
        """
        for key in self._stirred - lined_up:
            rank = self._rank(key)
            if rank is not None:
                heappush(ready, (rank, key))
                lined_up.add(key)
        self._stirred.clear()

    def _forget_idle_classes(self) -> None:
        """Lets go of classes for which nobody waits once there are many, lest they pile up.

        What stays may double before the next look at all of them.
        """
        if len(self._classes) < self._most_classes:
            return
        self._classes = {
            key: demand
            for key, demand in self._classes.items()
            if any(self._stands_at(entry, key) for entry in demand.line)
        }
        self._most_classes = max(self.kept_classes, 2 * len(self._classes))

    def _new_class(self, task: WaitingTask, queue: TaskQueue) -> _DemandClass:
        target_workers = EVERYBODY if task.is_personal else queue.target_workers
        of_queue = belonging(target_workers).split(_LOAD_IN_QUEUE)
        of_target = task.expression.split(_LOAD_IN_TARGET) if task.expression else (None, None)
        demand = _DemandClass(
            queue=queue,
            channel_sid=task.channel_sid,
            settled=(of_queue[0], of_target[0]),
            lively=(of_queue[1], of_target[1]),
            known_worker=task.known_worker,
            order_by=task.order_by,
            ignores_capacity=task.ignores_capacity,
            spared=task.spared,
        )
        for slot, worker in enumerate(self._workers):
            if worker is not None:
                self._join(demand, slot, worker)
        return demand

    def _join(self, demand: _DemandClass, slot: int, worker: Candidate) -> None:
        """Sets or clears the Worker's bit in the class, as its attributes say."""
        if (
            worker.sid not in demand.spared
            and _is_known(demand.known_worker, worker)
            and _meets(demand.settled, worker.context)
        ):
            demand.members |= 1 << slot
        else:
            demand.members &= ~(1 << slot)

    def _mark_load(self, slot: int, worker: Candidate) -> None:
        """Sets or clears the Worker's bit among the free of each channel, and stirs who waits."""
        bit = 1 << slot
        busy = self._is_busy(worker)
        for channel_sid, load in worker.channels.items():
            if self._hindrance(worker, load, busy=busy) is None:
                self._free[channel_sid] = self._free.get(channel_sid, 0) | bit
            else:
                self._free[channel_sid] = self._free.get(channel_sid, 0) & ~bit
        for key, demand in self._classes.items():
            if demand.line and bit & self._able(demand):
                self._stirred.add(key)

    def _is_busy(self, worker: Candidate) -> bool:
        return self._one_at_a_time and any(load.assigned_tasks for load in worker.channels.values())

    def _hindrance(self, worker: Candidate, load: ChannelLoad, *, busy: bool) -> str | None:
        """What keeps the Worker from being given more on a channel; None for nothing."""
        if not worker.available:
            return "activity"
        if not load.available:
            return "channel"
        if busy:
            return "busy"
        has_room = self._one_at_a_time or load.assigned_tasks < load.configured_capacity
        return None if has_room else "capacity"

    def obstacle(self, task_sid: str, worker_sid: str) -> Obstacle:
        """Why that waiting Task is not with that Worker. KeyError if either is not here."""
        task, key, _place = self._tasks[task_sid]
        demand = self._classes[key]
        worker = self._workers[self._slots[worker_sid]]
        assert worker is not None  # noqa: S101 - a slot that is in use has its Worker
        context = {**worker.context, "channel": load_context(worker.channels.values())}
        clauses = _why_false((demand.settled[0], demand.lively[0]), context)
        if clauses:
            return Obstacle(kind="queue", clauses=clauses)
        if worker_sid in demand.spared or not _is_known(demand.known_worker, worker):
            return Obstacle(kind="known_worker")
        load = worker.channels[demand.channel_sid]
        hindrance = self._hindrance(worker, load, busy=self._is_busy(worker))
        if hindrance is not None and not task.ignores_capacity:
            return Obstacle(kind=hindrance)
        clauses = _why_false((demand.settled[1], demand.lively[1]), {"worker": context})
        return Obstacle(kind="target", clauses=clauses) if clauses else Obstacle(kind="turn")

    def _able(self, demand: _DemandClass) -> int:
        """The Workers who match and could be given something of that channel."""
        if demand.ignores_capacity:
            return demand.members
        return demand.members & self._free.get(demand.channel_sid, 0)

    def _rank(self, key: _ClassKey) -> _Rank | None:
        """Where the head of the class stands among all heads; None if it has nothing to match."""
        demand = self._classes.get(key)
        if demand is None:
            return None
        line = demand.line
        while line and not self._stands_at(line[0], key):
            heappop(line)
        if not line or not self._able(demand):
            return None
        is_lifo = demand.queue.task_order == LIFO
        place, sid = line[0]
        return (0 if is_lifo == self._lifo_first else 1, place, sid)

    def _stands_at(self, entry: tuple[tuple[int, int, int], str], key: _ClassKey) -> bool:
        place, sid = entry
        known = self._tasks.get(sid)
        return known is not None and known[1] == key and known[2] == place

    def _propose(self, key: _ClassKey, now: Instant) -> Proposal | None:
        demand = self._classes[key]
        chosen = self._choose(demand)
        if not chosen:
            return None
        _place, task_sid = heappop(demand.line)
        task, _key, _place = self._tasks.pop(task_sid)
        for slot, worker in chosen:
            load = worker.channels[demand.channel_sid]
            load.assigned_tasks += 1
            load.last_reserved_at = worker.last_reserved_at = now
            self._mark_load(slot, worker)
        return Proposal(
            task_sid=task_sid,
            task_version=task.version,
            worker_sids=tuple(worker.sid for _slot, worker in chosen),
        )

    def _choose(self, demand: _DemandClass) -> list[tuple[int, Candidate]]:
        """The Workers to ask: in the target's order if it has one, else the longest idle first."""
        candidates = list(self._of(self._able(demand)))
        candidates.sort(key=lambda pair: self._idle_rank(demand, pair[1]))
        able: Iterator[tuple[int, Candidate]] = (
            pair for pair in candidates if _meets(demand.lively, pair[1].context, load=pair[1])
        )
        if demand.order_by is not None:
            # Whoever cannot have the Task has no say in whether the order is void, either.
            able = iter(_in_order(demand.order_by, list(able)))
        return list(islice(able, demand.queue.max_reserved_workers))

    def _idle_rank(self, demand: _DemandClass, worker: Candidate) -> tuple[Instant, str]:
        """Longest without a new Task comes first; the SID only makes the order definite."""
        if demand.channel_sid in self._idle_per_channel:
            return (worker.channels[demand.channel_sid].last_reserved_at, worker.sid)
        return (worker.last_reserved_at, worker.sid)

    def _of(self, bits: int) -> Iterator[tuple[int, Candidate]]:
        while bits:
            lowest = bits & -bits
            slot = lowest.bit_length() - 1
            worker = self._workers[slot]
            if worker is not None:
                yield slot, worker
            bits ^= lowest


def _class_key(task: WaitingTask) -> _ClassKey:
    return (
        task.queue_sid,
        task.channel_sid,
        task.expression.key if task.expression else "",
        task.order_by.text if task.order_by else "",
        task.known_worker,
        task.is_personal,
        task.ignores_capacity,
        task.spared,
    )


def _is_same(one: object, other: object) -> bool:
    """Equal in kind, too: Python holds 1 == True, and expressions do not."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _is_same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return type(one) is type(other) and one == other


def _is_known(known_worker: tuple[bool, object] | None, worker: Candidate) -> bool:
    if known_worker is None:
        return True
    by_sid, value = known_worker
    return value == (worker.sid if by_sid else worker.friendly_name)


def _meets(
    parts: tuple[Expression, Expression | None],
    context: dict[str, object],
    *,
    load: Candidate | None = None,
) -> bool:
    of_queue, of_target = parts
    if load is not None and not (
        of_queue.is_always_true and (of_target is None or of_target.is_always_true)
    ):
        context = {**context, "channel": load_context(load.channels.values())}
    return of_queue.matches(context) and (
        of_target is None or of_target.matches({"worker": context})
    )


def _why_false(
    parts: Iterable[Expression | None], context: dict[str, object]
) -> tuple[FalseClause, ...]:
    return tuple(clause for part in parts if part is not None for clause in part.why_false(context))


def load_context(channels: Iterable[ChannelLoad]) -> dict[str, object]:
    """What `worker.channel` stands for in an expression."""
    return {
        load.unique_name: {
            "configured_capacity": load.configured_capacity,
            "assigned_tasks": load.assigned_tasks,
            "available_capacity_percentage": available_capacity_percentage(
                load.assigned_tasks, load.configured_capacity
            ),
        }
        for load in channels
    }


def _in_order(
    order: WorkerOrder, candidates: list[tuple[int, Candidate]]
) -> list[tuple[int, Candidate]]:
    """Stable, so that the longest idle stays first among equals; a void order changes nothing."""
    ranks = {}
    for _slot, worker in candidates:
        rank = order.rank({"worker": worker.context})
        if rank is None:
            return candidates
        ranks[worker.sid] = rank
    return sorted(candidates, key=lambda pair: ranks[pair[1].sid])
