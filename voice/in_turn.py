"""News of the same Task, taken in one after the other, and together where several have come.

When somebody hangs up, Twilio tells so six times within a few milliseconds: the leg, the room, each
who was in it. All of them want the Task's row, and each that waits for it does so within a
transaction, with a connection to the database. Here whoever comes while another is at it waits
before that, and what has come by then is taken in within one transaction, in the order of arrival.

Other processes may be at the same Task all the same; rows are locked as ever. And so many Tasks are
seen to at once, and no more: whoever waits here has no transaction open.
"""

import threading
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, cast

from routing.engine import Engine
from routing.errors import Unavailable
from routing.ports import Work
from voice import conversation

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

#: Calls and Instructions of which the Task is remembered; beyond that all are asked for anew.
MOST_REMEMBERED: Final = 2_000
#: Transactions at once. On PostgreSQL each of more only lengthens the others, in which rows stay
#: locked: they share the interpreter. With 500 calls at 20 a second the slowest hundredth of all
#: webhooks took a fifth to a half longer without a bound; a server far away wants more than 4.
AT_ONCE: Final = 6


class _Job(Generic[Result]):
    """A verb that waits, and what became of it."""

    __slots__ = ("batch", "error", "instruction_sid", "result", "turn", "verb")

    def __init__(self, verb: Callable[[Work], Result], instruction_sid: str | None) -> None:
        self.verb = verb
        self.instruction_sid = instruction_sid
        #: Set when it is done, or when it is to see to its `batch`.
        self.turn = threading.Event()
        self.batch: Sequence[_Job[Any]] = ()
        self.result: Result | None = None
        self.error: Exception | None = None

    def outcome(self) -> Result:
        if self.error is not None:
            raise self.error
        return cast("Result", self.result)


class InTurn:
    """In front of the engine, for the news of one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._door = threading.Lock()
        self._places = threading.Semaphore(AT_ONCE)
        #: By Task: who has come while somebody is at it.
        self._waiting: dict[str, list[_Job[Any]]] = {}
        #: SID of a call or an Instruction -> the Task's.
        self._tasks: dict[str, str] = {}

    def waiting(self, task_sid: str) -> int:
        """How many wait for that Task."""
        return len(self._waiting.get(task_sid, ()))

    def of_call(
        self,
        call_sid: str,
        verb: Callable[Concatenate[Work, Parameters], Result],
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """As Engine.perform, after what has come before for the Task of that call."""
        job = _Job[Result](lambda work: verb(work, *args, **kwargs), None)
        return self._perform(self._task_of(call_sid, _task_of_call), job)

    def of_instruction(
        self,
        instruction_sid: str,
        verb: Callable[Concatenate[Work, Parameters], Result],
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """The same for the Task of an Instruction, which the verb will want to hold."""
        job = _Job[Result](lambda work: verb(work, *args, **kwargs), instruction_sid)
        return self._perform(self._task_of(instruction_sid, _task_of_instruction), job)

    def _perform(self, task_sid: str, job: _Job[Result]) -> Result:
        with self._door:
            waiting = self._waiting.get(task_sid)
            if waiting is None:
                self._waiting[task_sid] = []
            else:
                waiting.append(job)
        if waiting is None:
            job.batch = (job,)
        else:
            job.turn.wait()
        if job.batch:
            self._take_in(task_sid, job.batch)
        return job.outcome()

    def _take_in(self, task_sid: str, batch: Sequence[_Job[Any]]) -> None:
        try:
            self._commit(task_sid, batch)
        finally:
            with self._door:
                following = self._waiting.pop(task_sid)
                if following:
                    self._waiting[task_sid] = []
            if following:
                following[0].batch = following
                following[0].turn.set()
            for job in batch[1:]:
                job.turn.set()

    def _commit(self, task_sid: str, batch: Sequence[_Job[Any]]) -> None:
        """In one transaction; where that is refused, each in its own, since one may be to blame."""
        try:
            with self._places:
                results = self._engine.perform(_all, task_sid, batch)
        except Exception as error:  # noqa: BLE001 - each raises it where it was asked for
            if len(batch) == 1 or isinstance(error, Unavailable):
                for job in batch:
                    job.error = error
                return
            for job in batch:
                self._commit(task_sid, (job,))
        else:
            for job, result in zip(batch, results, strict=True):
                job.result = result

    def _task_of(self, sid: str, task_of: Callable[[Work, str], str]) -> str:
        """The SID of the Task; where there is none, or it is not known, `sid` stands for it."""
        known = self._tasks.get(sid)
        if known is None:
            known = self._engine.glance(task_of, sid)
            if not known:
                return sid
            if len(self._tasks) >= MOST_REMEMBERED:
                self._tasks.clear()
            self._tasks[sid] = known
        return known


def _all(work: Work, task_sid: str, batch: Sequence[_Job[Any]]) -> list[Any]:
    _hold(work, task_sid, {job.instruction_sid for job in batch} - {None, task_sid})
    return [job.verb(work) for job in batch]


def _hold(work: Work, task_sid: str, instruction_sids: AbstractSet[str | None]) -> None:
    """What the verbs will lock first, in one trip to the database: the Task, its Instructions."""
    held = sorted(sid for sid in instruction_sids if sid is not None)
    if not held:
        return
    work.tasks.foresee(task_sid, lock=True)
    for sid in held:
        work.instructions.foresee(sid, lock=True)
    conversation.foresee_call_of(work, task_sid)
    work.tasks.get(task_sid, lock=True)
    for sid in held:
        work.instructions.get(sid, lock=True)


def _task_of_call(work: Work, call_sid: str) -> str:
    call = work.calls.get(call_sid)
    return "" if call is None else call.task_sid


def _task_of_instruction(work: Work, instruction_sid: str) -> str:
    instruction = work.instructions.get(instruction_sid)
    return "" if instruction is None else instruction.task_sid
