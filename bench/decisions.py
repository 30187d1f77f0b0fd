"""How long a decision of the matching index takes in a large centre, and in a hundredth of it.

All agents are busy with voice, so that the Tasks there wait, and free for chat, where nobody waits:

- a Worker becomes free: a call ends, and the Worker is proposed the best of what waits;
- a Task arrives: a chat, which is proposed to the longest idle of those who are free, or to the
  best of them in an order that nobody asked for before.

The large and the small centre are asked in turn, so that both meet the same machine, and the time
that counts is the thread's own. What the router does about a change is measured on real tables:

    python -m bench.decisions URL WORKSPACE_SID

rebuilds the index of one workspace, makes it take in changes, and prints what each took, as JSON.
"""

import argparse
import copy
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from bench.centre import RATES, Size, drawn_attributes, fill, skill_expression
from bench.figures import Figure, median, quantile
from routing.background.loops import following
from routing.background.router import Router
from routing.clock import SystemClock
from routing.configuration import Configuration
from routing.engine import Engine, explaining, matchable, queues, workers
from routing.expressions import compile_order_by
from routing.matching import Candidate, MatchingIndex, WaitingTask
from routing.memory import settle_memory
from routing.ports import Work
from routing.store import SqlStore, open_store
from routing.task import PENDING
from routing.task_queue import TaskQueue

_CHANGES = 50
#: Orders that nobody asked for before, and decisions with each of them.
_ORDERS, _WITH_AN_ORDER = 20, 40


def measure(options: argparse.Namespace) -> list[Figure]:
    """Decisions by the index alone; rebuilding, changes and explanations on real tables."""
    size = Size(
        workers=options.workers,
        queues=options.queues,
        tasks=options.waiting,
        expressions=options.expressions,
    )
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'decisions.sqlite'}"
        store = open_store(url, SystemClock())
        store.migrate()
        sids = [fill(store, each) for each in (size, size.hundredth())]
        figures = _of_changes(url, sids[0])
        large, small = (_Centre(store, sid) for sid in sids)
        settle_memory()
        store.close()
    return _of_decisions(large, small, options.decisions) + figures


def _of_decisions(large: "_Centre", small: "_Centre", rounds: int) -> list[Figure]:
    figures = []
    pace = median([_pace() for _ in range(1000)])
    for name, ways in (
        ("a Worker becomes free", (large.end_call, small.end_call)),
        ("a Task arrives", (large.start_chat, small.start_chat)),
    ):
        taken = [(ways[0](), ways[1]()) for _ in range(rounds)]
        many, few = ([pair[way] for pair in taken] for way in (0, 1))
        beside = f"a hundredth: {quantile(few, 0.99):.0f} us, at most {max(few):.0f}"
        figures += [
            Figure(name=f"{name}, p50", value=median(many), unit="us", at_most=100,
                   beside=f"a hundredth: {median(few):.0f} us; a thousand additions: {pace:.0f}"),
            Figure(name=f"{name}, p99 beside a hundredth of the size", unit="times", at_most=2,
                   value=quantile(many, 0.99) / quantile(few, 0.99),
                   beside=f"{quantile(many, 0.99):.0f} us, {beside}"),
            Figure(name=f"{name}, the longest of {rounds}", value=max(many) / 1000, unit="ms",
                   at_most=20),
        ]  # fmt: skip
    ordered = [large.start_ordered_chat() for _ in range(_ORDERS * _WITH_AN_ORDER)]
    return [
        *figures,
        Figure(name=f"{_ORDERS} new orders of all Workers, the longest decision", unit="ms",
               value=max(ordered) / 1000, at_most=20,
               beside=f"the first of each, p50: {median(ordered[::_WITH_AN_ORDER]) / 1000:.1f}"),
    ]  # fmt: skip


def _pace() -> float:
    """Microseconds of a thousand additions: what this machine does at this moment."""
    begin = time.thread_time_ns()
    total = 0
    for number in range(1000):
        total += number
    return (time.thread_time_ns() - begin) / 1000


class _Centre:
    """An index, and what is needed to give it work to do."""

    def __init__(self, store: SqlStore, workspace_sid: str) -> None:
        self._random = Random(2)
        self._now = 100 * 86_400_000
        self._ordered = 0
        store.read(lambda work: self._read(work, workspace_sid))

    def _read(self, work: Work, workspace_sid: str) -> None:
        set_up = work.configuration(workspace_sid)
        self._voice, self._chat = (set_up.task_channel(name).sid for name in ("voice", "chat"))
        self._queues, self._queue_sids = set_up.task_queues, list(set_up.task_queues)
        self.index = matchable.empty_index(set_up)
        found = work.workers.find(workspace_sid=workspace_sid)
        channels = work.worker_channels.find(workspace_sid=workspace_sid)
        self._workers = {each.sid: each for each in matchable.candidates(set_up, found, channels)}
        self._sids = list(self._workers)
        for sid in self._sids:
            self.index.put_worker(self._with_load(sid, self._voice, 1))
        for task in work.tasks.find(workspace_sid=workspace_sid, assignment_status=PENDING):
            waiting = matchable.waiting(work, set_up, task)
            if waiting is not None:
                self.index.put_task(waiting)
        assert not self.index.proposals(1, self._now)  # noqa: S101 - all are busy

    def end_call(self) -> float:
        """Microseconds from the end of a call to the next; another caller comes in for it."""
        free = self._with_load(self._random.choice(self._sids), self._voice, 0)
        taken, sids = self._decide(lambda: self.index.put_worker(free))
        for sid in sids:
            self.index.put_task(self._task(sid, self._voice))
        if not sids:  # nobody who waits can be served by this one
            self.index.put_worker(self._with_load(free.sid, self._voice, 1))
        self.index.proposals(1, self._now)
        return taken

    def start_chat(self) -> float:
        """Microseconds from a chat to whom it is proposed, who ends it at once."""
        chat = self._task(f"WT{self._random.getrandbits(128):032x}", self._chat)
        taken, sids = self._decide(lambda: self.index.put_task(chat))
        if not sids:
            self.index.drop_task(chat.sid)
        return taken

    def start_ordered_chat(self) -> float:
        """Microseconds from a chat that any Worker may have, in an order that is soon another."""
        if not self._ordered:
            self.index.put_queues({**self._queues, _EVERYBODY.sid: _EVERYBODY})
        number = self._ordered // _WITH_AN_ORDER
        rates = f"worker.rates.r{number % RATES} DESC, worker.rates.r{(number + 1) % RATES}"
        text = f"worker.cost{number}, {f'worker.level, {rates}' if number % 2 else rates}"
        self._ordered += 1
        chat = self._task(f"WT{self._random.getrandbits(128):032x}", self._chat)
        chat = dataclasses.replace(chat, queue_sid=_EVERYBODY.sid, order_by=compile_order_by(text))
        taken, sids = self._decide(lambda: self.index.put_task(chat))
        assert sids == [chat.sid]  # noqa: S101 - somebody is free
        return taken

    def _decide(self, change: Callable[[], None]) -> tuple[float, list[str]]:
        """Microseconds of the thread's own time, and the Tasks that were proposed."""
        self._now += 1
        begin = time.thread_time_ns()
        change()
        proposals = self.index.proposals(100, self._now)
        taken = (time.thread_time_ns() - begin) / 1000
        for proposal in proposals:
            for sid in proposal.worker_sids:
                known = self._workers[sid]
                known.last_reserved_at = self._now
                self.index.put_worker(self._with_load(sid, self._chat, 0))
        return taken, [proposal.task_sid for proposal in proposals]

    def _with_load(self, sid: str, channel_sid: str, assigned_tasks: int) -> Candidate:
        """The Worker as it would be read again; attributes are parsed once, there as here."""
        known = self._workers[sid]
        changed = copy.copy(known)
        changed.channels = {key: copy.copy(load) for key, load in known.channels.items()}
        changed.channels[channel_sid].assigned_tasks = assigned_tasks
        return changed

    def _task(self, sid: str, channel_sid: str) -> WaitingTask:
        return WaitingTask(
            sid=sid,
            queue_sid=self._random.choice(self._queue_sids),
            channel_sid=channel_sid,
            priority=self._random.choice([0, 0, 0, 0, 5, 10]),
            virtual_start_at=self._now,
            created_at=self._now,
            version=0,
        )


_EVERYBODY = TaskQueue(
    sid="WQ" + "e" * 32,
    workspace_sid="",
    friendly_name="Everybody",
    target_workers="1==1",
    max_reserved_workers=1,
    task_order="FIFO",
    reservation_activity_sid=None,
    assignment_activity_sid=None,
    created_at=0,
    updated_at=0,
)


# ---- on real tables ------------------------------------------------------------------------------


def _of_changes(url: str, workspace_sid: str) -> list[Figure]:
    """Measured in a process of its own, whose memory holds nothing else."""
    command = [sys.executable, "-m", "bench.decisions", url, workspace_sid]
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    bounds = {
        "rebuilding the index": ("s", 10),
        "memory that the index takes": ("MB", 600),
        "a Worker's attributes change, p99": ("ms", 10),
        "a queue's expression changes, the longest": ("ms", 50),
        "an explanation, p50": ("ms", 150),
        "a headcount for skip_if, the longest": ("ms", 5),
    }
    return [
        Figure(name=name, value=told[name], unit=unit, at_most=most)
        for name, (unit, most) in bounds.items()
    ]


def _changes(url: str, workspace_sid: str) -> dict[str, float]:
    store = open_store(url, SystemClock())
    engine = Engine(store, SystemClock())
    before = _resident_mb()
    router = Router(engine)
    rebuilding = _seconds(router.start)
    memory = _resident_mb() - before
    follow = following(store.event_log("router"), router.follow)
    set_up = engine.read(lambda work: work.configuration(workspace_sid))
    random = Random(3)
    found = engine.read(lambda work: work.workers.find(workspace_sid=workspace_sid, limit=_CHANGES))
    attributes = []
    for worker in (found[0], *found):
        engine.perform(
            workers.update,
            workspace_sid=workspace_sid,
            worker_sid=worker.sid,
            attributes=json.dumps(drawn_attributes(random)),
        )
        attributes.append(_seconds(follow) * 1000)
    expressions = []
    for number, queue_sid in enumerate(list(set_up.task_queues)[:_CHANGES]):
        engine.perform(
            queues.update,
            workspace_sid=workspace_sid,
            task_queue_sid=queue_sid,
            target_workers=skill_expression(10_000 + number),
        )
        expressions.append(_seconds(follow) * 1000)
    tasks = engine.read(
        lambda work: work.tasks.find(workspace_sid=workspace_sid, limit=_CHANGES // 5)
    )
    explanations = [
        1000
        * _seconds(
            partial(engine.read, explaining.explain, workspace_sid=workspace_sid, task_sid=task.sid)
        )
        for task in tasks
    ]
    headcounts = _headcounts(engine.read(_index, workspace_sid), set_up)
    return {
        "rebuilding the index": rebuilding,
        "memory that the index takes": memory,
        # The first is not counted: what is made once is made there.
        "a Worker's attributes change, p99": quantile(attributes[1:], 0.99),
        "a queue's expression changes, the longest": max(expressions),
        "an explanation, p50": median(explanations),
        "a headcount for skip_if, the longest": max(headcounts),
    }


def _index(work: Work, workspace_sid: str) -> MatchingIndex:
    set_up = work.configuration(workspace_sid)
    index = matchable.empty_index(set_up)
    found = work.workers.find(workspace_sid=workspace_sid)
    channels = work.worker_channels.find(workspace_sid=workspace_sid)
    for candidate in matchable.candidates(set_up, found, channels):
        index.put_worker(candidate)
    return index


def _headcounts(index: MatchingIndex, set_up: Configuration) -> list[float]:
    index.headcount(next(iter(set_up.task_queues)))  # the attributes are gathered once
    return [
        1000 * _seconds(partial(index.headcount, sid))
        for sid in list(set_up.task_queues)[:_CHANGES]
    ]


def _seconds(act: Callable[[], object]) -> float:
    begin = time.process_time()
    act()
    return time.process_time() - begin


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("expected a line VmRSS in /proc/self/status")


if __name__ == "__main__":
    print(json.dumps(_changes(sys.argv[1], sys.argv[2])))
