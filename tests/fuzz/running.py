"""Batches of inputs, each input from a seed of its own, in as many processes as there are cores.

The seed of an input is `run/subject/number`. It alone decides what the input is, whatever else was
tried before it and however many processes there are.
"""

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from tests.fuzz.shrinking import smallest
from tests.fuzz.subjects import SUBJECTS, Broken, Subject
from tests.fuzz.writing import drawn_from

BATCH = 500

#: A reading that took too long is repeated so often: other programs must not make it look slow.
_REPEATS = 7

#: CPU seconds after which an input counts as endless. Far beyond every limit.
_HANGS_SECONDS = 10


class Endless(Exception):
    """An input did not come to an end."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    seed: str
    problem: str
    found: Any
    smallest: Any


@dataclass(kw_only=True)
class Report:
    inputs: int = 0
    taken: int = 0
    failures: list[Failure] = field(default_factory=list)
    #: The slowest reading: milliseconds of CPU time, and the seed.
    slowest: tuple[float, str] = (0.0, "")

    def add(self, other: "Report") -> None:
        self.inputs += other.inputs
        self.taken += other.taken
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)


def made(seed: str) -> Any:
    """The input of a seed."""
    return _subject(seed).make(drawn_from(seed))


def _subject(seed: str) -> Subject:
    return SUBJECTS[seed.split("/")[1]]


def try_one(seed: str, *, timed: bool) -> Report:
    """One input. With `timed`, its time to be read counts, and a failure is made small."""
    subject = _subject(seed)
    given = subject.make(drawn_from(seed))
    report = Report(inputs=1)
    error = _error(subject, given, report, seed, timed=timed)
    if error is not None:
        kind = type(error), str(error)[:12]

        def fails_alike(smaller: Any) -> bool:
            again = _error(subject, smaller, Report(), seed, timed=timed)
            return again is not None and (type(again), str(again)[:12]) == kind

        problem = f"{type(error).__name__}: {error}"
        small = smallest(given, fails_alike)
        report.failures.append(Failure(seed=seed, problem=problem, found=given, smallest=small))
    return report


def _error(
    subject: Subject, given: Any, report: Report, seed: str, *, timed: bool
) -> Exception | None:
    """What trying this input raises and must not; what it does otherwise goes to the report."""
    try:
        elapsed, taken = _tried(subject, given, timed=timed)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what we are looking for)
        return error
    report.taken = int(taken)
    report.slowest = (elapsed, seed)
    return None


def _tried(subject: Subject, given: Any, *, timed: bool) -> tuple[float, bool]:
    """Milliseconds for reading, and whether the input was taken. Raises what must not happen."""
    with _alarm() if timed else contextlib.nullcontext():
        begin = time.thread_time()
        try:
            product = subject.read(given)
        except subject.refusal as error:
            elapsed = (time.thread_time() - begin) * 1000
            subject.refused(given, error)
            taken = False
        else:
            elapsed = (time.thread_time() - begin) * 1000
            subject.check(given, product)
            taken = True
        if timed:
            elapsed = _within_limit(subject, given, elapsed)
        return elapsed, taken


def _within_limit(subject: Subject, given: Any, elapsed: float) -> float:
    limit = subject.limit_ms
    if isinstance(given, str):
        limit += subject.limit_ms_per_kib * len(given) / 1024
    for _ in range(_REPEATS):
        if elapsed <= limit:
            return elapsed
        begin = time.thread_time()
        with contextlib.suppress(subject.refusal):
            subject.read(given)
        elapsed = min(elapsed, (time.thread_time() - begin) * 1000)
    if elapsed > limit:
        raise Broken(f"takes {elapsed:.1f} ms to be read, expected at most {limit:.1f} ms")
    return elapsed


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    """Raises Endless inside of what runs for too long; in CPU time, so that a busy machine is no
    reason. While it is set, the process's own clock may run in steps of milliseconds: what is
    measured is the thread's.
    """
    signal.setitimer(signal.ITIMER_VIRTUAL, _HANGS_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise Endless(f"did not come to an end within {_HANGS_SECONDS} s of CPU time")


def _be_quiet() -> None:
    """Ctrl-C is the command's to answer: it lets the processes finish their batch."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def batch(run: int, subject: str, start: int, count: int) -> Report:
    """Inputs `start` to `start + count` of a subject, timed."""
    report = Report()
    signal.signal(signal.SIGVTALRM, _ring)
    for number in range(start, start + count):
        report.add(try_one(f"{run}/{subject}/{number}", timed=True))
        if report.failures:  # the rest of the batch would likely tell the same
            break
    return report


def batch_of_one(seed: str) -> Report:
    run, subject, number = seed.split("/")
    return batch(int(run), subject, int(number), 1)


def all_batches(
    run: int, subjects: Sequence[str], inputs: int, jobs: int
) -> Iterator[tuple[str, Report]]:
    """The subjects' reports, batch by batch as they are done; every subject gets its share."""
    share = -(-inputs // len(subjects))
    waiting = [
        (run, subject, start, min(BATCH, share - start))
        for start in range(0, share, BATCH)
        for subject in subjects
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_be_quiet) as pool:
        tasks = {pool.submit(batch, *each): each[1] for each in waiting}
        try:
            for done in as_completed(tasks):
                yield tasks[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
