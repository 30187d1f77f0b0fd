"""The Tasks' side of the index: who waits, in which class, and which class is next for a Worker."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from routing.clock import Instant
from routing.matching.demand import (
    ClassKey,
    DemandClass,
    Group,
    Place,
    Rank,
    class_key,
    new_class,
)
from routing.matching.profiles import Profiles
from routing.matching.ranking import Ranking
from routing.matching.records import WaitingTask
from routing.matching.requirement import requirement_of
from routing.matching.staff import Placed, Staff
from routing.memory import Settled
from routing.task_queue import TaskQueue

#: What is kept of a Task: number of its class, priority, virtual start, creation, version, whether
#: it may skip. Nothing but whole numbers, because there are so many of them: the garbage collector
#: stops looking at a tuple that holds nothing it would have to follow.
_Standing: TypeAlias = tuple[int, int, Instant, Instant, int, bool]
_CLASS, _PRIORITY, _START, _CREATED, _VERSION, _MAY_SKIP = range(6)


#: A line may be so much longer than those who wait in it before the others are thrown out.
_SLACK = 64


class Waiting:
    """All waiting Tasks of a workspace."""

    def __init__(self, staff: Staff, *, lifo_first: bool, kept: int) -> None:
        """`kept` is how many classes stay known in which nobody waits."""
        self._staff = staff
        self._lifo_first = lifo_first
        self._kept = kept
        self._tasks = Settled[str, _Standing]()
        self._classes: dict[ClassKey, DemandClass] = {}
        self._numbered: dict[int, DemandClass] = {}
        #: Classes in which nobody waits, the longest so first.
        self._idle: dict[int, DemandClass] = {}
        #: How many classes ask for an order of Workers.
        self._orders: Counter[str] = Counter()
        self._next_class = 0
        self._profiles = Profiles(staff)
        self._groups: dict[tuple[int, str], Group] = {}
        #: By channel, the numbers of the profiles whose group has somebody waiting, next first.
        self._heads: dict[str, Ranking[Rank]] = {}
        self._addressed: dict[tuple[bool, object], dict[int, DemandClass]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def classes(self) -> int:
        """How many demands are known, whether or not anybody has them."""
        return len(self._classes)

    # ---- Tasks ----------------------------------------------------------------------------------

    def put(self, task: WaitingTask, queue: TaskQueue) -> DemandClass:
        """A Task waits, or waits in another way than before: the class it is in."""
        key = class_key(task)
        demand = self._classes.get(key)
        if demand is None:
            demand = self._new_class(task, key, queue)
        standing = (
            demand.number,
            task.priority,
            task.virtual_start_at,
            task.created_at,
            task.version,
            task.may_skip,
        )
        known = self._tasks.get(task.sid)
        if known is not None:
            if known[:_VERSION] == standing[:_VERSION]:
                self._tasks[task.sid] = standing
                return demand
            self.drop(task.sid)
        self._tasks[task.sid] = standing
        demand.waiting += 1
        place = demand.place(task.sid, task.priority, task.virtual_start_at, task.created_at)
        heappush(demand.line, place)
        self._look_at_head(demand)
        return demand

    def drop(self, sid: str) -> int | None:
        """A Task no longer waits; its version, if it did."""
        standing = self._tasks.pop(sid, None)
        if standing is None:
            return None
        demand = self._numbered[standing[_CLASS]]
        demand.waiting -= 1
        if demand.head is not None and demand.head[-1] == sid:
            self._look_at_head(demand)
        return standing[_VERSION]

    def may_skip(self, sids: Iterable[str]) -> Iterator[tuple[str, int, TaskQueue]]:
        """Those that wait where `skip_if` may let them go on: SID, version and queue."""
        for sid in sids:
            standing = self._tasks.get(sid)
            if standing is not None and standing[_MAY_SKIP]:
                yield sid, standing[_VERSION], self._numbered[standing[_CLASS]].queue

    # ---- what is next ---------------------------------------------------------------------------

    def next_for(self, slot: int) -> DemandClass | None:
        """The class whose head is the most deserving of those that the Worker could have."""
        best: DemandClass | None = None
        met = self._profiles.met_by(slot)
        for channel_sid, heads in self._heads.items():
            if not len(heads) or not self._staff.is_free(slot, channel_sid):
                continue
            for number in heads.walk(met):
                group = self._groups[number, channel_sid]
                mood = group.profile.mood
                if mood is None or self._staff.is_willing(mood, slot):
                    best = _better(best, self._class_of(group.heads[0]))
                    break
        return self._best_addressed(slot, best)

    def _class_of(self, head: Rank) -> DemandClass:
        return self._numbered[self._tasks[head[-1]][_CLASS]]

    def _best_addressed(self, slot: int, best: DemandClass | None) -> DemandClass | None:
        if self._addressed:
            for name in self._staff.names_of(slot):
                for demand in self._addressed.get(name, {}).values():
                    if demand.head is not None and self.able(demand) >> slot & 1:
                        mood = demand.mood
                        if mood is None or self._staff.is_willing(mood, slot):
                            best = _better(best, demand)
        return best

    def able(self, demand: DemandClass) -> int:
        """The Workers whose attributes match and who could be given something of that channel."""
        if demand.group is not None:
            free = self._staff.free(demand.channel_sid)
            return free and free & self._staff.members(demand.requirement)
        if demand.known_worker is None:
            return 0
        named = self._staff.known(demand.known_worker, demand.requirement)
        if demand.ignores_capacity:
            return self._staff.having(named, demand.channel_sid)
        return named & self._staff.free(demand.channel_sid)

    def look_at_worker(self, placed: Placed) -> None:
        """A Worker came, or changed."""
        self._profiles.look_at(*placed)

    # ---- classes --------------------------------------------------------------------------------

    def _new_class(self, task: WaitingTask, key: ClassKey, queue: TaskQueue) -> DemandClass:
        demand = new_class(self._next_class, task, key, queue)
        self._next_class += 1
        self._classes[key] = self._numbered[demand.number] = demand
        if demand.order_by is not None:
            self._orders[demand.order_by.text] += 1
        self._settle(demand)
        while len(self._idle) > self._kept:
            # Where an expression or a known worker makes every Task one of a kind, classes come
            # and go without end.
            self._forget(next(iter(self._idle.values())))
        return demand

    def _settle(self, demand: DemandClass) -> None:
        """Puts a class without a head where its requirement belongs."""
        demand.mood = self._staff.mood(demand.requirement)
        if demand.known_worker is not None:
            self._addressed.setdefault(demand.known_worker, {})[demand.number] = demand
            return
        profile = self._profiles.of(demand.requirement)
        key = (profile.number, demand.channel_sid)
        group = self._groups.get(key)
        if group is None:
            group = Group(profile=profile, channel_sid=demand.channel_sid)
            self._groups[key] = group
            profile.groups += 1
        group.classes += 1
        demand.group = group

    def _unsettle(self, demand: DemandClass) -> None:
        """Takes a class without a head away from there, and what nobody needs any more."""
        self._staff.release(demand.mood)
        demand.mood = None
        group, demand.group = demand.group, None
        if group is None:
            if demand.known_worker is not None:
                addressed = self._addressed[demand.known_worker]
                del addressed[demand.number]
                if not addressed:
                    del self._addressed[demand.known_worker]
            return
        group.classes -= 1
        if not group.classes:
            profile = group.profile
            del self._groups[profile.number, group.channel_sid]
            profile.groups -= 1
            if not profile.groups:
                self._profiles.drop(profile)

    def change_queue(self, queue: TaskQueue) -> list[DemandClass]:
        """The queue's expression, order or number of Workers to ask is another: its classes."""
        found = [demand for demand in self._classes.values() if demand.key[0] == queue.sid]
        for demand in found:
            self._set_head(demand, None)
            was = demand.queue
            demand.queue = queue
            if was.target_workers != queue.target_workers:
                self._unsettle(demand)
                demand.requirement = requirement_of(
                    queue,
                    demand.expression,
                    is_personal=demand.is_personal,
                    spared=demand.requirement.spared,
                )
                self._settle(demand)
            if was.task_order != queue.task_order:
                self._line_up_again(demand)
            self._look_at_head(demand)
        return found

    def drop_queue(self, queue_sid: str) -> None:
        """The queue is gone, with all that is left in it."""
        classes = [each for each in self._classes.values() if each.key[0] == queue_sid]
        numbers = {each.number for each in classes if each.waiting}
        if numbers:
            for sid in [sid for sid, each in self._tasks.items() if each[_CLASS] in numbers]:
                self.drop(sid)
        for demand in classes:
            self._forget(demand)

    def _forget(self, demand: DemandClass) -> None:
        """Nobody waits in that class."""
        del self._classes[demand.key]
        del self._numbered[demand.number]
        self._idle.pop(demand.number, None)
        self._unsettle(demand)
        if demand.order_by is not None:
            text = demand.order_by.text
            self._orders[text] -= 1
            if not self._orders[text]:
                del self._orders[text]
                self._staff.forget_order(text)

    # ---- lines and heads ------------------------------------------------------------------------

    def _look_at_head(self, demand: DemandClass) -> None:
        """Finds out who is first in line now."""
        line = demand.line
        if len(line) > 2 * demand.waiting + _SLACK:
            line[:] = {place for place in line if self._stands(demand, place)}
            heapify(line)
        while line and not self._stands(demand, line[0]):
            heappop(line)
        head = demand.rank(line[0], lifo_first=self._lifo_first) if line else None
        self._set_head(demand, head)

    def _stands(self, demand: DemandClass, place: Place) -> bool:
        sid = place[-1]
        standing = self._tasks.get(sid)
        return (
            standing is not None
            and standing[_CLASS] == demand.number
            and demand.place(sid, *standing[_PRIORITY:_VERSION]) == place
        )

    def _line_up_again(self, demand: DemandClass) -> None:
        own = {place[-1] for place in demand.line}
        demand.line = [
            demand.place(sid, *standing[_PRIORITY:_VERSION])
            for sid in own
            if (standing := self._tasks.get(sid)) is not None and standing[_CLASS] == demand.number
        ]
        heapify(demand.line)

    def _set_head(self, demand: DemandClass, head: Rank | None) -> None:
        before, demand.head = demand.head, head
        if head is None:
            self._idle[demand.number] = demand
        elif before is None:
            self._idle.pop(demand.number, None)
        group = demand.group
        if group is None or before == head:
            return
        if before is not None:
            del group.heads[bisect_left(group.heads, before)]
        if head is not None:
            insort(group.heads, head)
        self._rank_group(group)

    def _rank_group(self, group: Group) -> None:
        heads = self._heads.get(group.channel_sid)
        if heads is None:
            heads = self._heads[group.channel_sid] = Ranking()
        if group.heads:
            heads.put(group.profile.number, group.heads[0])
        else:
            heads.drop(group.profile.number)


def _better(one: DemandClass | None, other: DemandClass) -> DemandClass:
    if one is None or one.head is None:
        return other
    return one if other.head is None or one.head < other.head else other
