"""How long an agent sits idle while somebody waits whom this agent could serve.

A call centre under full load, through the real engine, router and loops in one process: each agent
accepts what is offered at once, works on it for the same time, completes it, and is free again,
while a fixed number of Tasks always waits. The gap is from the completion to the moment at which
the next Reservation, committed, is seen by somebody who follows the log.
"""

import argparse
import heapq
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench import servers
from bench.centres import CHANNEL, Centre, open_centre
from bench.figures import Figure, quantile
from routing import timers
from routing.background.loops import Loop, following, timing
from routing.background.router import Router
from routing.engine import reservations, tasks
from routing.events import Event
from routing.ports import Work
from routing.task import PENDING

#: Threads that carry out what agents do, so that they can share commits as web requests do.
_HANDS = 8
_SETTLE_SECONDS = 1.0
_LONG_AGO = 1e9


@dataclass(frozen=True, kw_only=True)
class _Load:
    agents: int
    work_seconds: float
    waiting: int
    #: Bounds: assignments a second, and the gap's p50 and p99 in milliseconds.
    least: float
    p50: float | None
    p99: float


_LOADS = (
    _Load(agents=100, work_seconds=2.0, waiting=200, least=49, p50=10, p99=50),
    _Load(agents=500, work_seconds=5.0, waiting=1000, least=97, p50=None, p99=100),
)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    rate: float
    #: Milliseconds.
    gaps: list[float]
    dropped: int


def measure(options: argparse.Namespace) -> list[Figure]:
    """Both loads on both databases; each is looked at for twice `--seconds`."""
    figures = []
    for name in servers.names(options.database):
        for load in _LOADS:
            with servers.databases(name) as urls:
                seen = _Shift(urls[name], load).run(2 * options.seconds)
            figures += _figures(f"{load.agents} agents, {name}", load, seen)
    return figures


def _figures(name: str, load: _Load, seen: _Seen) -> list[Figure]:
    ideal = load.agents / load.work_seconds
    beside = f"{len(seen.gaps)} gaps, longest {max(seen.gaps):.0f} ms"
    return [
        Figure(
            name=f"assignments ({name})",
            value=seen.rate,
            unit="/s",
            at_least=load.least,
            beside=f"ideal {ideal:.0f}",
        ),
        Figure(
            name=f"idle gap ({name}), p50",
            value=quantile(seen.gaps, 0.5),
            unit="ms",
            at_most=load.p50,
            beside=beside,
        ),
        Figure(
            name=f"idle gap ({name}), p99",
            value=quantile(seen.gaps, 0.99),
            unit="ms",
            at_most=load.p99,
        ),
        Figure(name=f"dropped ({name})", value=seen.dropped, unit="", at_most=0),
    ]


class _Shift:
    """The agents at work, for a while."""

    def __init__(self, url: str, load: _Load) -> None:
        self._load = load
        self._centre: Centre = open_centre(url, agents=load.agents, capacity=1)
        self._engine = self._centre.engine
        self._deeds: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_over = False
        self._draw = random.Random(1)
        self._begun_at = 0.0
        #: {worker SID: when the capacity came back}
        self._free_at: dict[str, float] = {}
        #: (when it was seen, how long the agent had been idle)
        self._offers: list[tuple[float, float]] = []
        self._failures: list[Exception] = []
        self._created = self._completed = 0
        self._counts = threading.Lock()

    def run(self, seconds: float) -> _Seen:
        load = self._load
        self._begun_at = time.perf_counter()
        # One for each agent to begin with, and those who wait.
        self._engine.add(self._create, load.agents + load.waiting)
        self._created = load.agents + load.waiting
        loops = self._loops()
        hands = [threading.Thread(target=self._lend_a_hand) for _ in range(_HANDS)]
        hands.append(threading.Thread(target=self._keep_the_agenda))
        for loop in loops:
            loop.start()
        for hand in hands:
            hand.start()
        time.sleep(2 * load.work_seconds + _SETTLE_SECONDS)
        begin = time.perf_counter()
        time.sleep(seconds)
        end = time.perf_counter()
        self._stop(loops, hands)
        seen = [gap for at, gap in self._offers if begin <= at < end]
        dropped = self._missing() + len(self._failures)
        self._centre.store.close()
        for failure in self._failures[:3]:
            print(f"  {failure!r}")
        return _Seen(
            rate=len(seen) / (end - begin), gaps=[gap * 1000 for gap in seen], dropped=dropped
        )

    def _loops(self) -> list[Loop]:
        store = self._centre.store
        router = Router(self._engine)
        router.start()
        offers = frozenset({"reservation.created"})
        return [
            router.loop(store),
            Loop("timers", timing(self._engine), store.subscribe(timers.TOPICS), rest_seconds=0.1),
            Loop(
                "agents",
                following(store.event_log("agents", offers, bare=True), self._answer),
                store.subscribe(offers),
            ),
        ]

    def _stop(self, loops: Sequence[Loop], hands: Sequence[threading.Thread]) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        for _ in range(_HANDS):
            self._deeds.put(None)
        for thread in hands:
            thread.join(10)
        for loop in loops:
            loop.stop()
        for loop in loops:
            loop.join(10)

    def _missing(self) -> int:
        """Tasks that are neither where they should be nor done."""

        def count(work: Work) -> int:
            found = work.tasks.find()
            waiting = sum(task.assignment_status == PENDING for task in found)
            lost = self._created - len(found)
            done = sum(task.assignment_status == "completed" for task in found)
            taken = self._created - waiting - done
            return lost + abs(done - self._completed) + max(0, taken - self._load.agents)

        return self._engine.read(count)

    # What agents do.

    def _answer(self, events: Sequence[Event]) -> None:
        now = time.perf_counter()
        for event in events:
            worker_sid, offer = str(event.worker_sid), str(event.reservation_sid)
            task_sid = str(event.task_sid)
            is_first = worker_sid not in self._free_at
            gap = _LONG_AGO if is_first else now - self._free_at[worker_sid]
            self._free_at[worker_sid] = now
            self._offers.append((now, gap))
            self._deeds.put(partial(self._take, offer, task_sid, worker_sid, is_first=is_first))

    def _take(self, offer: str, task_sid: str, worker_sid: str, *, is_first: bool) -> None:
        self._engine.perform(reservations.accept, reservation_sid=offer)
        seconds = self._load.work_seconds
        end = time.perf_counter() + seconds
        if is_first:
            # All are offered something at once in the beginning, and keep step from then on. They
            # end that first piece spread over a whole round which begins when the crowd is through:
            # whoever ended within it would end together with the rest of it in each round.
            end = self._begun_at + seconds * (1 + self._draw.random())
        self._at(end, partial(self._finish, task_sid, worker_sid))
        self._engine.add(self._create, 1)
        with self._counts:
            self._created += 1

    def _finish(self, task_sid: str, worker_sid: str) -> None:
        self._engine.perform(self._complete, task_sid, worker_sid)
        with self._counts:
            self._completed += 1

    def _complete(self, work: Work, task_sid: str, worker_sid: str) -> None:
        tasks.complete(work, workspace_sid=self._centre.workspace_sid, task_sid=task_sid)
        # Before the commit, so that what the observer says is never too little.
        self._free_at[worker_sid] = time.perf_counter()

    def _create(self, work: Work, number: int) -> None:
        for _ in range(number):
            tasks.create(work, workspace_sid=self._centre.workspace_sid, task_channel=CHANNEL)

    # Who does it, and when.

    def _at(self, when: float, deed: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._agenda, (when, next(self._numbers), deed))
            self._changed.notify()

    def _keep_the_agenda(self) -> None:
        while True:
            with self._changed:
                if self._is_over:
                    return
                now = time.perf_counter()
                if not self._agenda or self._agenda[0][0] > now:
                    self._changed.wait(self._agenda[0][0] - now if self._agenda else None)
                    continue
                _when, _number, deed = heapq.heappop(self._agenda)
            self._deeds.put(deed)

    def _lend_a_hand(self) -> None:
        while (deed := self._deeds.get()) is not None:
            try:
                deed()
            except Exception as error:  # noqa: BLE001 - it counts as dropped, and is shown
                self._failures.append(error)
