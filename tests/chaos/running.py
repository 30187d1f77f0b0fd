"""Cases in as many processes as there are cores, each case from a seed of its own.

The seed of a case is `run/subject/number`. It alone decides what happens in the case: the SIDs that
decide between equals are drawn from it, and strings hash alike in every process.
"""

import contextlib
import itertools
import logging
import math
import multiprocessing
import os
import signal
import tempfile
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType, SimpleNamespace

import structlog

from routing import sids
from tests import postgres
from tests.fuzz.writing import drawn_from

#: Seconds after which a case counts as endless; the longest takes a few minutes on a busy machine.
_HANGS_SECONDS = 1800

_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it has a name of its own


class Endless(Exception):
    """A case did not come to an end."""


@dataclass(kw_only=True)
class Case:
    """One try: what it may draw from, where it may store, and what it has to tell."""

    seed: str
    chance: Random
    server: postgres.Server | None = None
    #: Told again because it failed: looks after every step.
    closely: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    #: {what was measured: its largest value}
    worst: dict[str, float] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return int(self.seed.split("/")[2])

    def measured(self, what: str, value: float) -> None:
        self.worst[what] = max(value, self.worst.get(what, value))

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """In memory where the machine has such a place, so that commits cost no disk."""
        where = _MEMORY if _MEMORY.is_dir() else None
        with tempfile.TemporaryDirectory(dir=where) as folder:
            yield Path(folder)

    @contextlib.contextmanager
    def database(self, *, postgres_every: int) -> Iterator[str]:
        """The URL of an empty database: on PostgreSQL for every so many cases, else on SQLite."""
        if self.server is not None and self.number % postgres_every == 0:
            self.counts["on PostgreSQL"] += 1
            url = self.server.create_database()
            try:
                yield url
            finally:
                self.server.drop_database(url)
        else:
            with self.folder() as folder:
                yield f"sqlite:///{folder / 'tandem.sqlite'}"


@dataclass(frozen=True, kw_only=True)
class Subject:
    about: str
    #: Cases of the full count, and what one of them is.
    cases: int
    case: str
    play: Callable[[Case], None]
    #: Can it be told again exactly, or do other processes have a say in it?
    is_exact: bool = True


@dataclass(frozen=True, kw_only=True)
class Failure:
    seed: str
    problem: str


@dataclass(kw_only=True)
class Report:
    cases: int = 0
    #: Which of them have been played.
    numbers: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def next_number(self, first: int) -> int:
        """The least of those from `first` on that is still to be played."""
        return next(number for number in itertools.count(first) if number not in self.numbers)

    def add(self, other: "Report") -> None:
        self.cases += other.cases
        self.numbers |= other.numbers
        self.counts += other.counts
        self.failures += other.failures
        for what, value in other.worst.items():
            self.worst[what] = max(value, self.worst.get(what, value))


def play(
    subject: Subject, seed: str, *, server: postgres.Server | None, closely: bool = False
) -> Report:
    """One case; what it raises is its failure."""
    case = Case(seed=seed, chance=drawn_from(seed), server=server, closely=closely)
    report = Report(cases=1, numbers={case.number}, counts=case.counts, worst=case.worst)
    try:
        with seeded_sids(drawn_from(f"{seed}/sids")):
            subject.play(case)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what we are looking for)
        report.failures.append(Failure(seed=seed, problem=_told(error)))
    return report


def _told(error: Exception) -> str:
    """What went wrong and where in the tests, without the pages of the libraries."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename
    ]
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.line}" for frame in frames[-6:]]
    text = f"{type(error).__name__}: {error}"
    if not str(error) and frames:
        text = f"{type(error).__name__} at {frames[-1].line}"
    notes = getattr(error, "__notes__", [])
    return "\n    ".join([text[:3000], *where, *notes])


@contextlib.contextmanager
def seeded_sids(chance: Random) -> Iterator[None]:
    """SIDs decide between equals: whoever tells a case again needs the same ones."""
    digits = itertools.count()
    names = vars(sids)
    kept = {name: names[name] for name in ("os", "time", "_drawn")}
    names["_drawn"] = deque()  # what was drawn before is not of this seed
    names["os"] = SimpleNamespace(urandom=chance.randbytes)
    names["time"] = SimpleNamespace(monotonic_ns=lambda: next(digits) * 1_000_000)
    try:
        yield
    finally:
        names.update(kept)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise Endless(f"did not come to an end within {_HANGS_SECONDS} s")


_stopping = threading.Event()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    if not _stopping.is_set():
        _stopping.set()
        raise KeyboardInterrupt


def _begin() -> None:
    """Ctrl-C is the command's to answer: it tells us, and we clear up what we have begun."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGALRM, _ring)
    # What is told of faults that were ordered is not for the command's line.
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent)


def _played(name: str, seed: str, server: postgres.Server | None, *, closely: bool) -> Report:
    from tests.chaos.subjects import SUBJECTS

    if _stopping.is_set():
        return Report()
    signal.alarm(_HANGS_SECONDS)
    try:
        return play(SUBJECTS[name], seed, server=server, closely=closely)
    finally:
        signal.alarm(0)


def all_cases(
    seeds: Sequence[str],
    processes: int,
    server: postgres.Server | None,
    *,
    closely: bool = False,
) -> Generator[tuple[str, Report], None, None]:
    """(seed, its report), case by case as they are done; to be closed, or cases go on."""
    os.environ["PYTHONHASHSEED"] = "0"  # for the processes that are started now
    context = multiprocessing.get_context("spawn")
    waiting = iter(seeds)
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin) as pool:
        try:
            while batch := list(itertools.islice(waiting, 64 * processes)):
                played = {
                    pool.submit(_played, seed.split("/")[1], seed, server, closely=closely): seed
                    for seed in batch
                }
                for done in as_completed(played):
                    yield played[done], done.result()
        except BaseException:  # stopped: by somebody, or because enough has failed
            for each in list(pool._processes.values()):
                each.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def seeds_of(run: int, counts: dict[str, int], *, first: int = 0) -> list[str]:
    """The subjects take turns, each as often as its share asks: what is wrong shows early.

    `first` is the number with which each begins, where those before it have been played.
    """
    seeds = [
        ((number + 0.5) / count, f"{run}/{name}/{number}")
        for name, count in counts.items()
        for number in range(first, count)
    ]
    return [seed for _turn, seed in sorted(seeds)]


def share_of(cases: int, share: float) -> int:
    return max(1, math.ceil(cases * share))
