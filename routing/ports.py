"""What the engine needs from outside, as Protocols. The store fulfils them; tests can, too."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol, TypeVar

from routing.api_key import ApiKey
from routing.call import Call, Instruction
from routing.clock import Instant
from routing.configuration import Configuration, Workflow
from routing.delivery import Delivery
from routing.events import Event
from routing.presence import Presence
from routing.reservation import Reservation
from routing.statistics.facts import Standing
from routing.statistics.period import Parts, Span
from routing.statistics.real_time import LiveTasks, Profile
from routing.statistics.tally import Durations, Tally
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.transfer import Transfer
from routing.user import Session, SignInAttempts, User
from routing.worker import CapacityClaim, Worker, WorkerChannel
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

    def foresee(self, sid: str, *, lock: bool = False) -> None:
        """A `get` of the same will follow, once: where that saves a trip to the database, it is
        asked for together with what is foreseen before and after it, and with the next statement.

        So rows are locked in the order in which they are foreseen. What this unit changes of the
        table in between is seen by the `get` all the same.
        """
        ...

    def foresee_all(
        self,
        *,
        order_by: str = "created_at",
        limit: int | None = None,
        lock: bool = False,
        **equal: object,
    ) -> None:
        """The same for a `find`."""
        ...

    def add(self, record: Record) -> None:
        """The row may be written as late as at the end of the unit, and refused then."""
        ...

    def change(self, sid: str, **columns: object) -> int:
        """Sets columns of one row; how many rows there were (0 or 1)."""
        ...

    def change_all(self, changes: Mapping[str, Mapping[str, object]]) -> None:
        """Sets the same columns of many rows, by SID, each to its own values.

        They are rows that this unit has locked; the writing may wait until its end.
        """
        ...

    def set_all(self, sids: AbstractSet[str], **columns: object) -> int:
        """Sets the same columns of many rows; how many there were."""
        ...

    def remove(self, sid: str) -> int: ...


class Statistics(Protocol):
    """What has been counted, as far as a follower of the log has come, and how things stand."""

    def unread(self, workspace_sid: str) -> Sequence[Event]:
        """The Workspace's events that are in none of the sums yet, in their order."""
        ...

    def standings(self, sids: Collection[str]) -> Mapping[str, Standing]:
        """Where those Tasks and Workers stood at the last event that is in the sums."""
        ...

    def tallies(
        self,
        workspace_sid: str,
        subject_sids: Collection[str],
        parts: Parts,
        *,
        task_channel_sid: str | None,
        with_spreads: bool,
    ) -> dict[str, Tally]:
        """What is in the sums of those subjects, all of one kind, in that time."""
        ...

    def series(
        self,
        workspace_sid: str,
        subject_sid: str,
        parts: Parts,
        *,
        task_channel_sid: str | None,
        with_spreads: bool,
    ) -> dict[Instant, Tally]:
        """The same of one subject, by the beginning of each quarter of an hour, or day."""
        ...

    def stays(
        self,
        workspace_sid: str,
        activity_sids: Collection[str],
        span: Span,
        worker_sids: Collection[str] | None,
    ) -> dict[str, Durations]:
        """By Activity: how long Workers were in it, as far as the sums tell; None for all."""
        ...

    def present_stays(
        self, workspace_sid: str, span: Span, worker_sids: Collection[str] | None
    ) -> dict[str, Durations]:
        """By Activity: how long those Workers who are in it now have been so, up to the end."""
        ...

    def live_tasks(
        self,
        workspace_sid: str,
        subject_sids: Collection[str],
        *,
        task_channel_sid: str | None,
    ) -> dict[str, LiveTasks]:
        """The Tasks that live, of those TaskQueues or Workflows, or of the Workspace itself."""
        ...

    def workers_by_activity(self, activity_sids: Collection[str]) -> Mapping[str, int]: ...

    def profiles(self, workspace_sid: str) -> Sequence[Profile]:
        """Every Worker of the Workspace, as far as expressions may ask about it."""
        ...

    def serving(self, task_channel_sid: str) -> Collection[str]:
        """SIDs of the Workers whose channel of that kind is switched on and has a capacity."""
        ...


class Work(Protocol):
    """One transaction: all of it happens, or none of it."""

    #: The instant of this unit of work, the same from its beginning to its end.
    now: Instant
    #: Who does it, as the events are to tell: type, sid, source and source_ip_address. None for
    #: the Workspace itself.
    actor: Mapping[str, str] | None

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
    def statistics(self) -> Statistics: ...

    @property
    def users(self) -> Rows[User]: ...
    @property
    def sessions(self) -> Rows[Session]: ...
    @property
    def sign_in_attempts(self) -> Rows[SignInAttempts]: ...
    @property
    def presences(self) -> Rows[Presence]: ...

    def bring_workspace(self) -> None:
        """To be said by whoever reads one row and then asks for its configuration."""
        ...

    def bring(self, workspace_sid: str, version: int) -> None:
        """Which configuration it has, where that was read just now."""
        ...

    def configuration(self, workspace_sid: str) -> Configuration:
        """How the workspace is set up; raises NotFound when there is no such workspace."""
        ...

    def foresee_configuration(self, workspace_sid: str) -> None:
        """It will be asked for (see Rows.foresee)."""
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

    def foresee_capacity(
        self, worker_sids: AbstractSet[str], task_channel_sids: AbstractSet[str]
    ) -> None:
        """That of these Workers on these channels will be taken (see Rows.foresee)."""
        ...

    def take_capacity(self, claims: Sequence[CapacityClaim]) -> Sequence[str | None]:
        """For each claim the SID of the WorkerChannel of which one unit was taken; None where
        there was none to take. The Workers are locked.
        """
        ...

    def free_capacity(self, worker_channel_sid: str) -> None: ...

    def due_reservations(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Reservations whose offer has run out, the most overdue first."""
        ...

    def due_task_steps(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of pending Tasks whose Workflow target has timed out; not of reserved ones."""
        ...

    def expired_tasks(self, now: Instant, limit: int) -> Sequence[str]: ...

    def deserted_tasks(
        self, workspace_sid: str, unchanged_since: Instant, limit: int
    ) -> Sequence[str]:
        """SIDs of Tasks that are assigned or wrapping though no Reservation of them lives."""
        ...

    def due_presences(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Presences whose Worker counts as gone, the most overdue first."""
        ...

    def due_instructions(self, now: Instant, limit: int) -> Sequence[Instruction]:
        """Instructions to be worked on that nobody holds a lease on."""
        ...

    def due_deliveries(self, receiver: str, now: Instant, limit: int) -> Sequence[Delivery]:
        """Deliveries that the receiver may be sent now, in the order of their events.

        Of one order_key only the first that is pending; none that somebody holds a lease on.
        """
        ...

    def due_receivers(self) -> Sequence[str]:
        """Everybody who is owed a Delivery that is pending, due or not."""
        ...

    def kept_deliveries(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Deliveries that are over and were kept for as long as they should be."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival(Event):
    """A Task came into a TaskQueue: told with what was there when that was read.

    Both are newer than the event, or as old; so is what other events say that were read with it.
    """

    task: Task
    #: Of the Task's Workspace.
    configuration_version: int


class EventLog(Protocol):
    """The log as one follower reads it."""

    def read(self, limit: int) -> Sequence[Event]:
        """The next events in their order, none left out; empty when there are none yet."""
        ...

    @property
    def is_held_up(self) -> bool:
        """There are events, but one before them may still come: look again soon."""
        ...

    @property
    def has_more(self) -> bool:
        """The last `read` ended at its limit, counting those that do not concern the follower."""
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


class SigningKeys(Protocol):
    """The API keys (SK...) whose secrets sign access tokens, and open the REST door."""

    def secret(self, key_sid: str) -> str | None:
        """The key's secret; None for a key that there is not, or not any more.

        Called for every token that is verified: it takes no longer than a look into memory, but
        for a key that was not asked for lately.
        """
        ...
