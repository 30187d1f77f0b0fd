"""Flat combining: concurrent verbs share a transaction, and so its cost.

Verbs line up, and the thread that finds nobody writing writes for all who wait by then: it commits
once, hands each its result, and the next in line goes on. Nobody waits for others to come, and
nobody is answered before the commit that holds its verb.

Only verbs that add are short enough for others to wait for them without need: those of the batch
before are answered while such a batch waits for its commit, and at once before any other.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar, cast

from routing.store.errors import StoreError, StoreUnavailable
from routing.store.unit_of_work import UnitOfWork

Result = TypeVar("Result")

#: Verbs that may share a commit. More would make the first of them wait longer for little gain: at
#: this number the commit is a small part of the batch.
MAX_BATCH: Final = 64


class Job(Generic[Result]):
    """A verb in line, and what became of it."""

    __slots__ = ("_error", "_result", "done", "only_adds", "turn", "verb")

    def __init__(
        self, verb: Callable[[UnitOfWork], Result] | None, *, only_adds: bool = False
    ) -> None:
        #: None for whoever wants the writer for itself.
        self.verb = verb
        self.only_adds = only_adds
        self.done = False
        #: Released when it is done, or when it leads.
        self.turn = threading.Lock()
        self._result: Result | None = None
        self._error: BaseException | None = None

    def run(self, unit: UnitOfWork) -> None:
        """Raises what the verb raises."""
        unit.begin(only_adds=self.only_adds)
        self._result = cast("Callable[[UnitOfWork], Result]", self.verb)(unit)
        self._error = None

    def fail(self, error: BaseException) -> None:
        self._error = error

    @property
    def has_failed(self) -> bool:
        return self._error is not None

    def outcome(self) -> Result:
        if self._error is not None:
            raise self._error
        return cast("Result", self._result)


Batch = Sequence[Job[Any]]


class Combiner:
    """The line, and whose turn it is."""

    def __init__(self, write: Callable[[Batch, Callable[[], None]], None]) -> None:
        """`write` runs a batch in one transaction; it tells each job its outcome, raises nothing
        that concerns one of them, and returns after the commit. What it is given beside the batch
        it calls right before it waits for the commit: that lets those of the batch before go on.
        """
        self._write = write
        self._door = threading.Lock()
        self._line: deque[Job[Any]] = deque()
        #: Committed, and still to be told so.
        self._committed: deque[Job[Any]] = deque()
        #: Whose thread has to write for all in line; None while nobody writes.
        self._leader: Job[Any] | None = None
        self._writing_thread: int | None = None

    @property
    def waiting(self) -> int:
        """How many verbs wait for the writer."""
        return len(self._line)

    def perform(self, verb: Callable[[UnitOfWork], Result], *, only_adds: bool = False) -> Result:
        """Runs the verb, maybe together with others' verbs; returns after their commit."""
        self.refuse_misuse()
        job = Job(verb, only_adds=only_adds)
        self._wait_for_turn(job)
        if not job.done:
            self._write_for_all()
        return job.outcome()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """When it is our turn; nobody else writes as long as it is open."""
        self.refuse_misuse()
        job = Job[None](None)
        self._wait_for_turn(job)
        self._tell_committed()
        with self._door:
            self._line.popleft()
        self._writing_thread = threading.get_ident()
        try:
            yield
        finally:
            self._writing_thread = None
            self._hand_over([job])

    def refuse_misuse(self) -> None:
        """Raises StoreError in a thread that writes for the line: it would wait for itself."""
        if self._writing_thread == threading.get_ident():
            raise StoreError("A unit of work is open in this thread: use that one.")

    def _wait_for_turn(self, job: Job[Any]) -> None:
        """Lines up; returns when the job is done, or when it leads."""
        try:
            if self._must_wait(job):
                job.turn.acquire()
        except BaseException:  # a signal in the main thread: the others must not wait for it
            with self._door:
                if job in self._line:
                    self._line.remove(job)
            if self._leader is job:
                self._hand_over([])
            raise

    def _must_wait(self, job: Job[Any]) -> bool:
        with self._door:
            if self._leader is None:
                self._leader = job
            else:
                job.turn.acquire()
            self._line.append(job)
            return self._leader is not job

    def _write_for_all(self) -> None:
        with self._door:
            batch: list[Job[Any]] = []
            while self._line and self._line[0].verb is not None and len(batch) < MAX_BATCH:
                batch.append(self._line.popleft())
        if not all(job.only_adds for job in batch):
            self._tell_committed()
        self._writing_thread = threading.get_ident()
        try:
            self._write(batch, self._tell_committed)
        finally:
            self._writing_thread = None
            self._hand_over(batch)

    def _hand_over(self, batch: Batch) -> None:
        """Lets the next in line write. The jobs of the batch hear that they are done when that one
        waits for its commit, or now where nobody follows.

        Until then they would only take the interpreter from the one whom the others wait for: each
        statement lets go of it, and comes back to a queue of those who have just been woken.
        """
        self._tell_committed()
        self._committed.extend(batch)
        with self._door:
            following = self._line[0] if self._line else None
            self._leader = following
        if following is None:
            self._tell_committed()
        else:
            following.turn.release()

    def _tell_committed(self) -> None:
        while self._committed:
            try:
                job = self._committed.popleft()
            except IndexError:
                return  # another thread, which has found nobody writing, tells them
            job.done = True
            if job.turn.locked():
                job.turn.release()


def run(unit: UnitOfWork, batch: Batch) -> set[str]:
    """Runs verbs in the unit's transaction; the topics of what those that succeeded did.

    What they have added is still to be flushed.
    A verb that fails by itself is taken back alone. Raises what the database refused: it spoils the
    batch, since one of the verbs that share its writes may be to blame for all of them; or, where
    there is only one verb, whatever that one raises.
    """
    if len(batch) == 1:
        batch[0].run(unit)
        return unit.topics
    topics: set[str] = set()
    for job in batch:
        try:
            job.run(unit)
        except BaseException as error:
            if unit.failure is not None:
                raise unit.failure from error
            unit.undo()
            job.fail(error)
        else:
            topics |= unit.topics
            unit.keep()
    return topics


def run_assuming(unit: UnitOfWork, batch: Batch) -> set[str]:
    """The same for a unit that assumes what it decides by; raises Mistaken where that is not so.

    What is left to be asked, `flush` asks.
    """
    try:
        topics = run(unit, batch)
    except Exception:
        unit.check_assumption()  # it may have failed for what is not so any more
        raise
    if any(job.has_failed for job in batch):
        unit.check_assumption()
    return topics


def run_apart(unit: UnitOfWork, batch: Batch, transient: tuple[type[Exception], ...]) -> set[str]:
    """The same for a batch that was spoilt: each verb's writes are its own, and so is its refusal.

    Raises errors that are `transient`, and those of a transaction that cannot go on.
    """
    topics: set[str] = set()
    for job in batch:
        unit.hold()
        try:
            job.run(unit)
            unit.flush()
        except BaseException as error:
            if isinstance(unit.failure, transient):
                raise unit.failure from error
            unit.undo()
            job.fail(error)
        else:
            topics |= unit.topics
            unit.keep()
    return topics


def is_of_one(error: BaseException, batch: Batch) -> bool:
    """May the error that spoilt the batch concern only one of its verbs, so that each is tried?"""
    return (
        len(batch) > 1 and isinstance(error, Exception) and not isinstance(error, StoreUnavailable)
    )


def fail_all(batch: Batch, error: BaseException) -> None:
    """Nothing of the batch has happened; who had failed already keeps its own error."""
    for job in batch:
        if not job.has_failed:
            job.fail(error)
