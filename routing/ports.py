"""What the engine needs from outside, as Protocols. The store fulfils them; tests can, too."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from routing.api_key import ApiKey
from routing.call import Call, Instruction
from routing.clock import Instant
from routing.configuration import Configuration, Workflow
from routing.delivery import Delivery
from routing.events import Event
from routing.presence import Presence
from routing.reservation import Reservation
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.transfer import Transfer
from routing.worker import Worker, WorkerChannel
from routing.workspace import Activity, TaskChannel, Workspace

Record = TypeVar("Record")
Result = TypeVar("Result")


class Rows(Protocol[Record]):
    """One table, as records. Equality filters only; everything cleverer is a method of Work."""

    def get(self, sid: str, *, lock: bool = False) -> Record | None:
        """The row of that SID; with `lock`, nobody else changes it before this unit ends."""
        ...

    def find(
        self,
        *,
        order_by: str = "created_at",
        limit: int | None = None,
        lock: bool = False,
        **equal: object,
    ) -> list[Record]:
        """Rows in which each named column equals the value, or is in it where it is a set.

        `order_by` names a column, with a minus before it for the greatest first.
        """
        ...

    def add(self, record: Record) -> None:
        """The row may be written as late as at the end of the unit, and refused then."""
        ...

    def change(self, sid: str, **columns: object) -> int:
        """Sets columns of one row; how many rows there were (0 or 1)."""
        ...

    def remove(self, sid: str) -> int: ...


class Work(Protocol):
    """One transaction: all of it happens, or none of it."""

    #: The instant of this unit of work, the same from its beginning to its end.
    now: Instant

    @property
    def workspaces(self) -> Rows[Workspace]: ...
    @property
    def activities(self) -> Rows[Activity]: ...
    @property
    def task_channels(self) -> Rows[TaskChannel]: ...
    @property
    def workers(self) -> Rows[Worker]: ...
    @property
    def worker_channels(self) -> Rows[WorkerChannel]: ...
    @property
    def task_queues(self) -> Rows[TaskQueue]: ...
    @property
    def workflows(self) -> Rows[Workflow]: ...
    @property
    def tasks(self) -> Rows[Task]: ...
    @property
    def reservations(self) -> Rows[Reservation]: ...
    @property
    def transfers(self) -> Rows[Transfer]: ...
    @property
    def calls(self) -> Rows[Call]: ...
    @property
    def instructions(self) -> Rows[Instruction]: ...
    @property
    def deliveries(self) -> Rows[Delivery]: ...
    @property
    def api_keys(self) -> Rows[ApiKey]: ...

    @property
    def presences(self) -> Rows[Presence]: ...

    def configuration(self, workspace_sid: str) -> Configuration:
        """How the workspace is set up; raises NotFound when there is no such workspace."""
        ...

    def configuration_changed(self, workspace_sid: str) -> None:
        """To be said by whoever wrote a row that Configuration holds."""
        ...

    def workflow_configuration(self, workflow_sid: str, version: int) -> str:
        """The JSON text of a Workflow's configuration of that version."""
        ...

    def keep_workflow_configuration(self, workflow: Workflow) -> None:
        """Keeps the Workflow's present configuration for the Tasks that will go through it."""
        ...

    def emit(self, event: Event) -> None:
        """Appends to the event log, in this transaction."""
        ...

    def take_capacity(self, worker_channel_sid: str, *, regardless: bool) -> bool:
        """One unit of the channel's capacity, if it is switched on and has one; the claim.

        With `regardless` (IgnoreCapacity) it is taken in any case. False: nothing was taken.
        """
        ...

    def free_capacity(self, worker_channel_sid: str) -> None: ...

    def assigned_tasks(self, worker_sid: str) -> int:
        """Live Reservations of the Worker over all its channels."""
        ...

    def due_reservations(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Reservations whose offer has run out, the most overdue first."""
        ...

    def due_task_steps(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of pending Tasks whose Workflow target has timed out; not of reserved ones."""
        ...

    def expired_tasks(self, now: Instant, limit: int) -> Sequence[str]: ...

    def due_presences(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Presences whose Worker counts as gone, the most overdue first."""
        ...

    def due_instructions(self, now: Instant, limit: int) -> Sequence[Instruction]:
        """Instructions to be worked on that nobody holds a lease on."""
        ...

    def due_calls(self, now: Instant, limit: int) -> Sequence[Call]: ...

    def next_deadline(self) -> Instant | None:
        """The earliest instant at which timers have something to do."""
        ...

    def commit(self) -> None:
        """Without it, leaving the unit of work rolls everything back."""
        ...


class Store(Protocol):
    def perform(self, verb: Callable[[Work], Result], *, only_adds: bool = False) -> Result:
        """Runs the verb in a transaction and commits; may run it again, and with others' verbs.

        A verb must therefore do nothing but read and write through its Work. It returns after the
        commit: what it reports has survived. `only_adds` promises that the verb neither locks nor
        changes a row; verbs of that kind share transactions most cheaply.
        """
        ...

    def read(self, query: Callable[[Work], Result]) -> Result:
        """Runs the query on one consistent picture of the tables; nothing is written."""
        ...

    def glance(self, query: Callable[[Work], Result]) -> Result:
        """Runs the query, each statement of it on the newest state: for those whose next step looks
        again under lock in any case.
        """
        ...


class EventLog(Protocol):
    """The log as one follower reads it."""

    def read(self, limit: int) -> Sequence[Event]:
        """The next events in their order, none left out; empty when there are none yet."""
        ...

    @property
    def is_held_up(self) -> bool:
        """There are events, but one before them may still come: look again soon."""
        ...

    def advance(self, events: Iterable[Event]) -> None:
        """Remembers, for good, that these were dealt with."""
        ...

    def go_on(self, events: Sequence[Event]) -> None:
        """Reads on after these; `save` remembers it for good."""
        ...

    def save(self) -> None:
        """Remembers for good how far `go_on` went."""
        ...


class Signal(Protocol):
    """Tells sleepers that something was committed. A wake-up only shortens a wait."""

    def seen(self) -> int:
        """The number of changes so far."""
        ...

    def wait(self, seen: int, timeout: float | None) -> int:
        """Returns when there was a change after `seen`, or after so many seconds."""
        ...

    def notify(self) -> None: ...


class SigningKeys(Protocol):
    """The API keys (SK...) whose secrets sign access tokens, and open the REST door."""

    def secret(self, key_sid: str) -> str | None:
        """The key's secret; None for a key that there is not, or not any more.

        Called for every token that is verified: it takes no longer than a look into memory, but
        for a key that was not asked for lately.
        """
        ...


class Leadership(Protocol):
    """One process of all those that share a store leads. What is asked never raises."""

    def take(self) -> bool:
        """Tries to lead; True if this process does now."""
        ...

    def is_held(self) -> bool:
        """Does this process lead still?"""
        ...

    def is_taken(self) -> bool:
        """Does any process lead?"""
        ...

    def give_up(self) -> None:
        """Another process may lead now; nothing happens where this one does not."""
        ...
