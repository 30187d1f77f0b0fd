"""One transaction as the engine sees it: routing.ports.Work, on either database.

It reads and writes; when the transaction begins, commits and is tried again is decided by the
databases' rooms (sqlite.py, postgresql.py), which lend it a cursor.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from routing.call import Call, Instruction
from routing.clock import Clock, Instant
from routing.configuration import Configuration, Workflow
from routing.delivery import Delivery
from routing.errors import NotFound
from routing.events import CATALOGUE, Event
from routing.reservation import Reservation
from routing.store.configurations import Configurations
from routing.store.errors import BrokenInvariant, StoreError
from routing.store.event_rows import written_row
from routing.store.refusals import refusal
from routing.store.rows import SqlRows
from routing.store.statements import Cursor, SqlDialect, Statement
from routing.store.work_statements import WorkStatements
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.worker import Worker, WorkerChannel
from routing.workspace import Activity, TaskChannel, Workspace


class _Over:
    """Stands where the cursor was, so that a unit that is over cannot touch the database."""

    rowcount = 0

    def _refuse(self, *_: object) -> NoReturn:
        raise StoreError("This unit of work is over; rows are read and written within one.")

    execute = executemany = fetchone = fetchall = close = _refuse


_OVER: Final[Cursor] = _Over()


class UnitOfWork:
    """Fulfils routing.ports.Work.

    One object per connection, used for one transaction after another: `begin` opens it with a
    cursor, `end` closes it again.
    """

    def __init__(
        self,
        dialect: SqlDialect,
        statements: WorkStatements,
        clock: Clock,
        configurations: Configurations,
    ) -> None:
        self._cursor: Cursor = _OVER
        self.dialect = dialect
        self._statements = statements
        self._clock = clock
        self._configurations = configurations
        self._commit: Callable[[], None] | None = None
        self._events: list[Event] = []
        #: What this verb has read of configurations: one picture from its beginning to its end.
        self._pictures: dict[str, Configuration] = {}
        self.now: Instant = 0
        self.locks_rows = False
        #: Somebody may have to be woken after the commit.
        self.stirs = False
        #: What the database refused. It spoils the whole unit, whether the verb caught it or not.
        self.failure: Exception | None = None
        #: Workspaces whose configuration this transaction has changed.
        self.reconfigured: set[str] = set()
        self.workspaces = SqlRows(self, dialect, Workspace)
        self.activities = SqlRows(self, dialect, Activity)
        self.task_channels = SqlRows(self, dialect, TaskChannel)
        self.workers = SqlRows(self, dialect, Worker)
        self.worker_channels = SqlRows(self, dialect, WorkerChannel)
        self.task_queues = SqlRows(self, dialect, TaskQueue)
        self.workflows = SqlRows(self, dialect, Workflow)
        self.tasks = SqlRows(self, dialect, Task)
        self.reservations = SqlRows(self, dialect, Reservation)
        self.calls = SqlRows(self, dialect, Call)
        self.instructions = SqlRows(self, dialect, Instruction)
        self.deliveries = SqlRows(self, dialect, Delivery)

    # How the databases' rooms drive it.

    def begin(
        self, cursor: Cursor, *, writes: bool, commit: Callable[[], None] | None = None
    ) -> None:
        """A verb begins, in a transaction that is open on the cursor's connection."""
        self._cursor = cursor
        self._commit = commit
        self.locks_rows = writes and self.dialect.has_row_locks
        self.now = self._clock.now()
        self.stirs = False
        self.failure = None
        if self._pictures:
            self._pictures = {}
        if self._events:
            self._events = []

    def flush(self) -> None:
        """Writes what was emitted, right before the commit. Raises what spoilt the unit."""
        if self.failure is not None:
            raise self.failure
        if self._events:
            self._write_events()

    def end(self) -> None:
        self._cursor = _OVER
        self._commit = None
        self.failure = None

    def execute(self, text: str, values: tuple[object, ...]) -> Cursor:
        """Runs a compiled text; the cursor has the rows until the next one runs."""
        cursor = self._cursor
        try:
            cursor.execute(text, values)
        except (self.dialect.error, UnicodeEncodeError, OverflowError) as error:
            self._fail(error)
        return cursor

    def write(self, text: str, values: tuple[object, ...]) -> int:
        """Runs a compiled text that changes rows; how many it changed."""
        return self.execute(text, values).rowcount

    def _fail(self, error: Exception) -> NoReturn:
        refused = refusal(error)
        self.failure = refused
        if refused is error:
            raise error
        raise refused from error

    def _write_events(self) -> None:
        statements = self._statements.events
        rows = [written_row(event) for event in self._events]
        try:
            if len(rows) == 1:
                self._cursor.execute(statements.insert, rows[0])
            else:
                self._cursor.executemany(statements.insert, rows)
        except (self.dialect.error, UnicodeEncodeError, OverflowError) as error:
            self._fail(error)
        self._events = []
        self.stirs = True

    # What the engine does with it.

    def commit(self) -> None:
        """Without it, leaving the unit of work rolls everything back. The unit is over after it."""
        if self._commit is None:
            raise StoreError("perform() commits by itself, and read() has nothing to commit.")
        self._commit()

    def emit(self, event: Event) -> None:
        """Appends to the event log, in this transaction."""
        if event.type not in CATALOGUE:
            raise StoreError(f"{event.type!r} is not in the catalogue of events.")
        self._events.append(event)

    def configuration(self, workspace_sid: str) -> Configuration:
        """How the workspace is set up; raises NotFound when there is no such workspace."""
        known = self._pictures.get(workspace_sid)
        if known is None:
            known = self._pictures[workspace_sid] = self._configurations.read(self, workspace_sid)
        return known

    def configuration_changed(self, workspace_sid: str) -> None:
        """To be said by whoever wrote a row that Configuration holds."""
        self.reconfigured.add(workspace_sid)
        self._pictures.pop(workspace_sid, None)
        self.write(self._statements.reconfigure, (workspace_sid,))

    def workflow_configuration(self, workflow_sid: str, version: int) -> str:
        """The JSON text of a Workflow's configuration of that version; raises NotFound."""
        row = self.execute(
            self._statements.workflow_configuration, (workflow_sid, version)
        ).fetchone()
        if row is None:
            raise NotFound(f"/Workflows/{workflow_sid} (configuration {version})")
        return str(row[0])

    def keep_workflow_configuration(self, workflow: Workflow) -> None:
        """Keeps the Workflow's present configuration for the Tasks that will go through it."""
        self.write(
            self._statements.keep_workflow_configuration,
            (workflow.sid, workflow.configuration_version, workflow.configuration),
        )

    def take_capacity(self, worker_channel_sid: str, *, regardless: bool) -> bool:
        """One unit of the channel's capacity, if it is switched on and has one; the claim.

        With `regardless` (IgnoreCapacity) it is taken in any case. False: nothing was taken.
        """
        text = self._statements.take_regardless if regardless else self._statements.take
        return self.write(text, (worker_channel_sid,)) == 1

    def free_capacity(self, worker_channel_sid: str) -> None:
        """Gives one unit back; raises BrokenInvariant where none was taken."""
        if self.write(self._statements.free, (worker_channel_sid,)) != 1:
            self.failure = BrokenInvariant(
                f"WorkerChannel {worker_channel_sid} has no task whose capacity could be freed."
            )
            raise self.failure

    def assigned_tasks(self, worker_sid: str) -> int:
        """Live Reservations of the Worker over all its channels."""
        return int(self._one_value(self._statements.assigned_tasks, (worker_sid,)))

    # What is due.

    def due_reservations(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Reservations whose offer has run out, the most overdue first."""
        return self._sids(self._statements.due_reservations, now, limit)

    def due_task_steps(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of pending Tasks whose Workflow target has timed out, the most overdue first."""
        return self._sids(self._statements.due_task_steps, now, limit)

    def expired_tasks(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Tasks whose time to live has run out, the most overdue first."""
        return self._sids(self._statements.expired_tasks, now, limit)

    def due_instructions(self, now: Instant, limit: int) -> Sequence[Instruction]:
        """Instructions to be worked on that nobody holds a lease on, the most overdue first.

        Another unit that asks at the same time gets others: take the lease in this one.
        """
        due = self._statements.due_instructions(lock=self.locks_rows)
        values = due.values(now=now, lease_now=now, row_limit=limit)
        return self.instructions.select(due.text, values)

    def due_deliveries(self, now: Instant, limit: int) -> Sequence[Delivery]:
        """Deliveries to be tried that nobody holds a lease on, the most overdue first."""
        due = self._statements.due_deliveries(lock=self.locks_rows)
        values = due.values(now=now, lease_now=now, row_limit=limit)
        return self.deliveries.select(due.text, values)

    def due_calls(self, now: Instant, limit: int) -> Sequence[Call]:
        """Calls of which it is time to ask whether they still live, the most overdue first."""
        due = self._statements.due_calls(lock=self.locks_rows)
        return self.calls.select(due.text, due.values(now=now, row_limit=limit))

    def next_deadline(self) -> Instant | None:
        """The earliest instant at which timers have something to do."""
        return self._earliest(self._statements.next_deadlines)

    def next_voice_deadline(self) -> Instant | None:
        """The earliest instant at which an Instruction or a Call is due and free to be taken."""
        return self._earliest(self._statements.next_voice_deadlines)

    def next_delivery(self) -> Instant | None:
        """The earliest instant at which a Delivery is due and free to be taken."""
        return self._earliest(self._statements.next_deliveries)

    # The followers' cursors.

    def follower_position(self, name: str) -> int:
        """The position of the last event that the follower has dealt with; 0 before the first."""
        row = self.execute(self._statements.follower_position, (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def move_follower(self, name: str, position: int) -> None:
        """Moves the follower's cursor, with whatever else this unit does; never backwards."""
        self.write(self._statements.move_follower, (name, position, self.now))

    def purge_events_before(self, instant: Instant, limit: int) -> int:
        """Deletes the oldest events before the instant that all followers are done with."""
        purge = self._statements.purge_events
        return self.write(purge.text, purge.values(instant=instant, row_limit=limit))

    def _sids(self, due: Statement, now: Instant, limit: int) -> list[str]:
        values = due.values(now=now, row_limit=limit)
        return [row[0] for row in self.execute(due.text, values).fetchall()]

    def _one_value(self, text: str, values: tuple[object, ...]) -> Any:
        row = self.execute(text, values).fetchone()
        return None if row is None else row[0]

    def _earliest(self, deadlines: Statement) -> Instant | None:
        row = self.execute(deadlines.text, deadlines.values()).fetchone() or ()
        return min((instant for instant in row if instant is not None), default=None)
