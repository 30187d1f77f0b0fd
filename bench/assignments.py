"""Durable assignments as fast as they go, beside the bare driver writing the same rows.

An assignment is a Task created, placed by its Workflow, and a Reservation committed for it. Tasks
come in batches as large as the router's own, each batch one commit; the router follows the log and
claims. The bare driver is given the very rows that came of it, in batches of the same size, with
nothing to decide: the same inserts and updates by prepared statements, with the same durability.
"""

import argparse
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

from app import COLLECTED_AFTER
from bench import raw, servers
from bench.centres import CHANNEL, Centre, open_centre
from bench.figures import Figure, median
from routing.background.router import CLAIMS_PER_COMMIT, Router
from routing.engine import tasks
from routing.memory import settle_memory
from routing.ports import Work

#: Agents who never run out of capacity: it is the writing that is measured.
_PLENTY = 1_000_000
_ATTRIBUTES = '{"from": "+15550100", "call_sid": "CA00000000000000000000000000000000", "vip": true}'


@dataclass(frozen=True, kw_only=True)
class _Taken:
    """Seconds: on the wall, and of this process's processor."""

    wall: float
    cpu: float


def measure(options: argparse.Namespace) -> list[Figure]:
    """Assignments a second of both, and their ratio; the middle one of several rounds."""
    figures = []
    for name in servers.names(options.database):
        ours, bare = [], []
        for _ in range(options.rounds):
            subject, baseline = _round(name, options.assignments, options.agents)
            ours.append(subject)
            bare.append(baseline)
        figures += _figures(name, options.assignments, ours, bare)
    return figures


def _figures(name: str, number: int, ours: list[_Taken], bare: list[_Taken]) -> list[Figure]:
    wall = median([one.wall for one in ours])
    ratios = [two.wall / one.wall for one, two in zip(ours, bare, strict=True)]
    cpu = median([one.cpu for one in ours])
    bare_wall = median([two.wall for two in bare])
    bare_cpu = median([two.cpu for two in bare])
    return [
        Figure(
            name=f"durable assignments ({name})",
            value=number / wall,
            unit="/s",
            beside=f"bare driver {number / bare_wall:.0f} /s",
        ),
        Figure(
            name=f"durable assignments, of the bare driver's ({name})",
            value=median(ratios),
            unit="",
            at_least=0.5,
            beside=" ".join(f"{ratio:.2f}" for ratio in ratios),
        ),
        Figure(
            name=f"processor time of an assignment ({name})",
            value=cpu / number * 1_000_000,
            unit="us",
            beside=f"bare driver {bare_cpu / number * 1_000_000:.0f} us",
        ),
    ]


def _round(name: str, number: int, agents: int) -> tuple[_Taken, _Taken]:
    with servers.databases(name) as urls, servers.databases(name) as others:
        centre = open_centre(urls[name], agents=agents, capacity=_PLENTY)
        # As the house does when it has started: what is set up is not looked through again.
        settle_memory()
        gc.set_threshold(*COLLECTED_AFTER)
        subject = _timed(lambda: assign(centre, number))
        offered = centre.engine.read(lambda work: len(work.reservations.find()))
        if offered != number:
            raise RuntimeError(f"of {number} tasks {offered} were offered")
        centre.store.close()
        rows = raw.written(urls[name])
        with raw.driver(urls[name], others[name]) as write:
            baseline = _timed(lambda: write(rows, CLAIMS_PER_COMMIT))
        return subject, baseline


def _timed(deed: Callable[[], object]) -> _Taken:
    wall, cpu = time.perf_counter(), time.process_time()
    deed()
    return _Taken(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)


def assign(centre: Centre, number: int) -> None:
    """So many Tasks, each with its Reservation, when it returns."""
    router = Router(centre.engine)
    router.start()
    step = router.step(centre.store)
    for first in range(0, number, CLAIMS_PER_COMMIT):
        batch = min(CLAIMS_PER_COMMIT, number - first)
        centre.engine.add(_create, centre.workspace_sid, batch)
        step()
    while step():
        pass


def _create(work: Work, workspace_sid: str, batch: int) -> None:
    for _ in range(batch):
        tasks.create(
            work, workspace_sid=workspace_sid, attributes=_ATTRIBUTES, task_channel=CHANNEL
        )
