"""The matching index as the router drives it."""

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from itertools import islice
from typing import ClassVar, NamedTuple, TypeAlias

from routing.clock import Instant
from routing.matching.demand import DemandClass, Rank
from routing.matching.records import Candidate, Proposal, WaitingTask
from routing.matching.requirement import requirement_of
from routing.matching.staff import Staff
from routing.matching.waiting import Waiting
from routing.task_queue import TaskQueue

#: Where a match may be: in a class, or with the Worker of a slot.
_Place: TypeAlias = DemandClass | int


class Skippable(NamedTuple):
    """A Task that nobody could have, where `skip_if` may let it go on."""

    task_sid: str
    version: int
    queue_sid: str


class MatchingIndex:
    """One workspace's waiting Tasks and its Workers.

    A match that was not proposed yet has on one side something that was put since the last look.
    Those places are its agenda; `proposals` works through it, the most deserving Task first, until
    there is nothing left to be matched.
    """

    #: Demand classes that stay known though nobody waits in them: the next Task that asks for the
    #: same finds all that it needs. Each takes about a kilobyte.
    kept_classes: ClassVar[int] = 10_000

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
        self._queues = dict(queues)
        self._staff = Staff(one_at_a_time=one_at_a_time, idle_per_channel=idle_per_channel)
        self._waiting = Waiting(self._staff, lifo_first=lifo_first, kept=self.kept_classes)
        #: Places where a match may be; each knows no better Task than that of its rank.
        self._agenda: list[tuple[Rank, int, _Place]] = []
        self._ranks: dict[_Place, Rank] = {}
        #: The class at a place, as it was last looked for, and when that was.
        self._seen: tuple[_Place, int, DemandClass | None] | None = None
        #: Grows with each change of anything.
        self._moment = 0
        self._stirred: dict[_Place, None] = {}
        self._turn = 0

    @property
    def waiting(self) -> int:
        """How many Tasks wait."""
        return len(self._waiting)

    @property
    def size(self) -> int:
        """How many Workers and waiting Tasks it holds."""
        return len(self._waiting) + len(self._staff)

    @property
    def demands(self) -> int:
        """How many demand classes are known."""
        return self._waiting.classes

    # ---- what is told ---------------------------------------------------------------------------

    def put_worker(self, worker: Candidate) -> None:
        """A Worker came, or changed in any way. The record is the index's own from now on."""
        self._moment += 1
        placed = self._staff.put(worker)
        if placed is None:
            return
        self._waiting.look_at_worker(placed)
        if len(self._waiting):
            self._stirred[placed.slot] = None

    def drop_worker(self, sid: str) -> None:
        """A Worker is gone."""
        self._moment += 1
        self._staff.drop(sid)

    def put_task(self, task: WaitingTask) -> None:
        """A Task waits, or waits in another way than before."""
        self._moment += 1
        queue = self._queues.get(task.queue_sid)
        if queue is None:
            self.drop_task(task.sid)
        else:
            self._stirred[self._waiting.put(task, queue)] = None

    def drop_task(self, sid: str) -> None:
        """A Task no longer waits."""
        self._moment += 1
        self._waiting.drop(sid)

    def put_queues(self, queues: Mapping[str, TaskQueue]) -> None:
        """The workspace's queues as they are now: each that is another than before is taken in by
        itself, with the Tasks that wait in it.
        """
        self._moment += 1
        for sid, queue in queues.items():
            was = self._queues.get(sid)
            if was is queue or was == queue:
                continue
            self._queues[sid] = queue
            self._staff.forget_counted()
            if was is not None:
                self._stirred.update(dict.fromkeys(self._waiting.change_queue(queue)))
        for sid in [sid for sid in self._queues if sid not in queues]:
            del self._queues[sid]
            self._waiting.drop_queue(sid)

    # ---- what is asked --------------------------------------------------------------------------

    def skippable(self, task_sids: Iterable[str]) -> list[Skippable]:
        """Those of the Tasks that wait where `skip_if` may let them go on."""
        return [
            Skippable(sid, version, queue.sid)
            for sid, version, queue in self._waiting.may_skip(task_sids)
        ]

    def headcount(self, queue_sid: str) -> dict[str, int]:
        """How many Workers belong to the queue: by Activity (SID), and `available` of them all."""
        queue = self._queues[queue_sid]
        return self._staff.headcount(requirement_of(queue, None, is_personal=False))

    def proposals(self, limit: int, now: Instant) -> list[Proposal]:
        """The next matches, the most deserving Task first; fewer than `limit` when that is all.

        `now` counts as the moment at which the chosen Workers were last given something.
        """
        made: list[Proposal] = []
        while len(made) < limit:
            self._line_up()
            if not self._agenda:
                break
            rank, _turn, place = heappop(self._agenda)
            if self._ranks.get(place) != rank:
                continue  # it has been lined up anew, further ahead
            del self._ranks[place]
            proposal = self._match(place, rank, now)
            if proposal is not None:
                made.append(proposal)
        return made

    def _line_up(self) -> None:
        """Takes what was stirred onto the agenda, the last match's own doing included."""
        for place in self._stirred:
            demand = self._demand_at(place)
            if demand is None or demand.head is None:
                continue
            known = self._ranks.get(place)
            if known is None or demand.head < known:
                self._ranks[place] = demand.head
                self._turn += 1  # ties are never broken by comparing places
                heappush(self._agenda, (demand.head, self._turn, place))
        self._stirred.clear()

    def _demand_at(self, place: _Place) -> DemandClass | None:
        """The class to look at: the best one for a Worker."""
        if isinstance(place, DemandClass):
            return place
        if self._seen is not None and self._seen[:2] == (place, self._moment):
            return self._seen[2]
        found = self._waiting.next_for(place) if self._staff.has(place) else None
        self._seen = (place, self._moment, found)
        return found

    def _match(self, place: _Place, rank: Rank, now: Instant) -> Proposal | None:
        demand = self._demand_at(place)
        if demand is None or demand.head is None:
            return None
        # What it was lined up for may be gone by now; then it waits for the turn of the next.
        proposal = self._propose(demand, demand.head, now) if demand.head <= rank else None
        if proposal is not None or demand.head != rank:
            self._stirred[place] = None
        return proposal

    def _propose(self, demand: DemandClass, head: Rank, now: Instant) -> Proposal | None:
        able = self._waiting.able(demand)
        if not able:
            return None
        most = demand.queue.max_reserved_workers
        slots = list(
            islice(self._staff.chosen(able, demand.channel_sid, demand.order_by, demand.mood), most)
        )
        if not slots:
            return None
        self._moment += 1
        task_sid = head[-1]
        version = self._waiting.drop(task_sid)
        assert version is not None  # noqa: S101 - the head of a class waits
        for slot in slots:
            self._staff.reserve(slot, demand.channel_sid, now)
            if self._staff.is_moody:
                self._stirred[slot] = None  # one match may make another one possible
        return Proposal(
            task_sid=task_sid,
            task_version=version,
            channel_sid=demand.channel_sid,
            worker_sids=tuple(self._staff[slot].sid for slot in slots),
        )
