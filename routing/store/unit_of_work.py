"""One transaction as the engine sees it: routing.ports.Work, on either database.

It reads and writes; when the transaction begins, commits and is tried again is decided by the
databases' rooms (sqlite.py, postgresql.py), which lend it a cursor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

from routing.api_key import ApiKey
from routing.call import Call, Instruction
from routing.clock import Clock, Instant
from routing.configuration import Configuration, Workflow
from routing.delivery import Delivery
from routing.errors import NotFound
from routing.events import CATALOGUE, Event
from routing.presence import Presence
from routing.reservation import Reservation
from routing.store import capacity
from routing.store.at_once import AtOnce
from routing.store.configurations import Assumption, Configurations
from routing.store.errors import BrokenInvariant, StoreError
from routing.store.pending import Pending
from routing.store.refusals import refusal
from routing.store.rows import SqlRows
from routing.store.statements import (
    Cursor,
    ManyChanges,
    SqlDialect,
    Statement,
    TableStatements,
)
from routing.store.statistics import SqlStatistics
from routing.store.work_statements import WorkStatements
from routing.task import Task
from routing.task_queue import TaskQueue
from routing.transfer import Transfer
from routing.user import Session, SignInAttempts, User
from routing.worker import CapacityClaim, Worker, WorkerChannel
from routing.workspace import Activity, TaskChannel, Workspace


class _Over:
    """Stands where the cursor was, so that a unit that is over cannot touch the database."""

    rowcount = 0

    def _refuse(self, *_: object) -> NoReturn:
        raise StoreError("This unit of work is over; rows are read and written within one.")

    execute = fetchone = fetchall = close = _refuse


_OVER: Final[Cursor] = _Over()
_HOLD: Final = "SAVEPOINT verb"
_RELEASE: Final = "RELEASE SAVEPOINT verb"
_UNDO: Final = "ROLLBACK TO SAVEPOINT verb"


class UnitOfWork:
    """Fulfils routing.ports.Work.

    One object per connection, used for one transaction after another: `open` gives it a cursor,
    `end` takes that away again. What verbs add and emit is written when something else that they
    do may depend on it, and at the end; so what is wrong with a row may be told as late as that.
    """

    def __init__(
        self,
        dialect: SqlDialect,
        statements: WorkStatements,
        clock: Clock,
        configurations: Configurations,
        at_once: AtOnce | None = None,
    ) -> None:
        self._cursor: Cursor = _OVER
        self.dialect = dialect
        self._statements = statements
        self._clock = clock
        self._commit: Callable[[], None] | None = None
        #: Is it one that writes, in a transaction of its own?
        self.writes = False
        self._is_shared = False
        self._only_adds = False
        #: What begins the transaction, as long as it has not begun.
        self._begin_later: str | None = None
        self._assumption = Assumption(configurations)
        #: A savepoint stands before the present verb's first row.
        self._is_held = False
        self._pending = Pending(statements.events, at_once)
        #: What was read of configurations: one picture from the beginning to the end.
        self._pictures: dict[str, Configuration] = {}
        #: The next row that is read by its SID brings the version of its Workspace's configuration
        #: along; and what came like that.
        self.brings_workspace = False
        self._brought: tuple[str, int] | None = None
        self.now: Instant = 0
        #: Rows that this transaction holds locked, as they are now, by table and SID: nobody else
        #: can change them, so they need not be read again. What is written otherwise than row by
        #: row may be about any of them.
        self.locked: dict[tuple[TableStatements[Any], str], Any] = {}
        #: Who does what the present verb does; None for the Workspace itself.
        self.actor: Mapping[str, str] | None = None
        #: What the verb did that somebody may have to be woken for (see wake_up).
        self.topics: set[str] = set()
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
        self.transfers = SqlRows(self, dialect, Transfer)
        self.calls = SqlRows(self, dialect, Call)
        self.instructions = SqlRows(self, dialect, Instruction)
        self.deliveries = SqlRows(self, dialect, Delivery)
        self.api_keys = SqlRows(self, dialect, ApiKey)
        self.statistics = SqlStatistics(self)
        self.users = SqlRows(self, dialect, User)
        self.sessions = SqlRows(self, dialect, Session)
        self.sign_in_attempts = SqlRows(self, dialect, SignInAttempts)
        self.presences = SqlRows(self, dialect, Presence)

    # How the databases' rooms drive it.

    def open(
        self,
        cursor: Cursor,
        *,
        writes: bool = True,
        shared: bool = False,
        begin: str | None = None,
        commit: Callable[[], None] | None = None,
        assumes: bool = False,
    ) -> None:
        """A transaction has begun on the cursor's connection, and with it a first verb.

        Where it is `shared`, several verbs follow one another, each with a `begin` of its own, and
        what they add is written together. With a statement to `begin`, that one is said as late as
        it is needed: never where all that is written is written by `flush`. One that `assumes`
        goes by the latest known configuration (see Assumption).
        """
        self._cursor = cursor
        self._commit = commit
        self.writes = writes
        self._is_shared = shared
        self._is_held = False
        self._begin_later = begin
        self._assumption.begin(allowed=assumes)
        self._pending.clear()
        self.brings_workspace = False
        self._brought = None
        if self.locked:
            self.locked = {}
        if self._pictures:
            self._pictures = {}
        if self.reconfigured:
            self.reconfigured = set()
        self.begin()

    def begin(self, *, only_adds: bool = False) -> None:
        """A verb begins; one that `only_adds` has promised to read and to add, nothing else."""
        self._only_adds = only_adds
        self._pending.begin_verb()
        self.now = self._clock.now()
        self.actor = None
        self.topics = set()
        self.failure = None

    @property
    def is_one_statement(self) -> bool:
        """No transaction has begun: what `flush` writes in one statement is committed by that."""
        return self._begin_later is not None

    def hold(self) -> None:
        """Sets a savepoint; `undo` goes back to it, `keep` gives it up."""
        self._cursor.execute(_HOLD)
        self._is_held = True

    def keep(self) -> None:
        """The verb has succeeded. Raises what spoilt the unit."""
        if self.failure is not None:
            raise self.failure
        if self._is_held:
            self._cursor.execute(_RELEASE)
            self._is_held = False

    def undo(self) -> None:
        """The verb has failed: what it did is taken back."""
        self._pending.drop()
        self.locked = {}
        self.topics = set()
        self.failure = None
        if self._is_held:
            self._cursor.execute(_UNDO)
            self._cursor.execute(_RELEASE)
            self._is_held = False
            self._pictures = {}

    def flush(self, before_last: Callable[[], None] | None = None) -> None:
        """Writes what was added and emitted, right before the commit.

        PostgreSQL's room has itself told right before the one statement that writes it, if there is
        one. Raises what spoilt the unit, and Mistaken where it has assumed what is not so.
        """
        if self.failure is not None:
            raise self.failure
        if not self.is_one_statement or self._pending.is_empty:
            self.check_assumption()
        if before_last is not None and not self._pending.is_empty:
            before_last()
        try:
            self._pending.write_all(
                self._cursor, self._assumption.proviso, is_one_statement=self.is_one_statement
            )
        except self.dialect.refusals as error:
            self._fail(error)

    def check_assumption(self) -> None:
        """Raises Mistaken where the configuration is another than the one that was assumed."""
        if self.failure is None:
            self._assumption.check(self)

    def end(self) -> None:
        self._cursor = _OVER
        self._commit = None
        self.failure = None

    # How rows and pages are read and written.

    def select(self, table: TableStatements[Any], text: str, values: tuple[object, ...]) -> Cursor:
        """Runs a compiled SELECT from that table alone; the cursor has the rows until the next."""
        if table in self._pending.tables:
            self._settle()
        return self._run(text, values)

    def execute(self, text: str, values: tuple[object, ...]) -> Cursor:
        """Runs any compiled SELECT; the cursor has the rows until the next one."""
        if self._pending.tables:
            self._settle()
        return self._run(text, values)

    def write(self, text: str, values: tuple[object, ...]) -> int:
        """Runs a compiled text that changes rows; how many it changed."""
        self._begin_writing()
        return self._run(text, values).rowcount

    def write_and_tell(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Runs a compiled text that changes rows; what it says it returns of them."""
        self._begin_writing()
        return self._run(text, values).fetchall()

    def _begin_writing(self) -> None:
        self._refuse_change()
        if self._is_shared or self._pending.tables:
            self._settle()
        if self.locked:
            self.locked = {}

    def locks(self, *, wanted: bool) -> bool:
        """Is a row that is to be locked locked by its SELECT?"""
        if not wanted or not self.writes:
            return False
        self._refuse_change()
        return self.dialect.has_row_locks

    def add(self, table: TableStatements[Any], record: object) -> None:
        self._refuse_writing()
        self._pending.add(table, record)
        if table.is_due(record):
            self.topics.add(table.topic)

    def change_all(self, changes: ManyChanges, records: Sequence[object]) -> None:
        """Keeps the changes until something depends on them."""
        self._refuse_change()
        self._refuse_writing()
        self.locked = {}
        if changes.rows_of in self._pending.tables:
            self._settle()
        self._pending.change(changes, records)

    def _refuse_writing(self) -> None:
        if not self.writes:
            raise StoreError("Nothing is written by a query: it has a read-only unit of work.")
        if self._cursor is _OVER:
            _OVER.close()

    def _refuse_change(self) -> None:
        if self._only_adds:
            self.failure = StoreError(
                "A verb of which it was said that it only adds rows has locked or changed one."
            )
            raise self.failure

    def _settle(self) -> None:
        """Writes the rows that were added so far: the next statement may be about them.

        Where others share the transaction, a savepoint keeps them apart from this verb's.
        """
        try:
            if self._begin_later is not None:
                self._cursor.execute(self._begin_later)
                self._begin_later = None
            if self._is_shared and not self._is_held:
                self._pending.write_rows_of_others(self._cursor)
                self.hold()
            self._pending.write_rows(self._cursor)
        except self.dialect.refusals as error:
            self._fail(error)

    def _run(self, text: str, values: tuple[object, ...]) -> Cursor:
        cursor = self._cursor
        try:
            cursor.execute(text, values)
        except self.dialect.refusals as error:
            self._fail(error)
        return cursor

    def _fail(self, error: Exception) -> NoReturn:
        refused = refusal(error)
        self.failure = refused
        if refused is error:
            raise error
        raise refused from error

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
        self._refuse_writing()
        if self.actor is not None:
            event = replace(event, actor=self.actor)
        self._pending.emit(event)
        self.topics.add(event.type)

    def bring_workspace(self) -> None:
        """To be said by whoever reads one row and then asks for its configuration."""
        self.brings_workspace = True

    def bring(self, workspace_sid: str, version: int) -> None:
        """Which configuration a Workspace has, read beside a row of it."""
        self._brought = (workspace_sid, version)

    def brought(self, workspace_sid: str) -> int | None:
        """That version, if it was brought along; once, since whoever asks again wants it anew."""
        brought, self._brought = self._brought, None
        return brought[1] if brought is not None and brought[0] == workspace_sid else None

    def configuration(self, workspace_sid: str) -> Configuration:
        """How the workspace is set up; raises NotFound when there is no such workspace."""
        known = self._pictures.get(workspace_sid)
        if known is None:
            known = self._pictures[workspace_sid] = self._assumption.picture(self, workspace_sid)
        return known

    def configuration_version(self, workspace_sid: str) -> int:
        """Moved by everything that changes the configuration; NotFound without the workspace."""
        statement = self._statements.configuration_version
        row = self.select(self.workspaces.statements, statement, (workspace_sid,)).fetchone()
        if row is None:
            raise NotFound(f"/Workspaces/{workspace_sid}")
        return int(row[0])

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

    def take_capacity(self, claims: Sequence[CapacityClaim]) -> list[str | None]:
        """For each claim the SID of the WorkerChannel of which one unit was taken; None where
        there was none to take. The Workers are locked.
        """
        return capacity.take(self, self._statements, claims)

    def free_capacity(self, worker_channel_sid: str) -> None:
        """Gives one unit back; raises BrokenInvariant where none was taken."""
        if self.write(self._statements.free, (worker_channel_sid,)) != 1:
            self.failure = BrokenInvariant(
                f"WorkerChannel {worker_channel_sid} has no task whose capacity could be freed."
            )
            raise self.failure

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

    def due_presences(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Presences whose Worker counts as gone, the most overdue first."""
        return self._sids(self._statements.due_presences, now, limit)

    def due_instructions(self, now: Instant, limit: int) -> Sequence[Instruction]:
        """Instructions to be worked on that nobody holds a lease on, the most overdue first.

        Another unit that asks at the same time gets others: take the lease in this one.
        """
        due = self._statements.due_instructions(lock=self.locks(wanted=True))
        values = due.values(now=now, lease_now=now, row_limit=limit)
        return self.instructions.due(due, values)

    def due_deliveries(self, receiver: str, now: Instant, limit: int) -> Sequence[Delivery]:
        """Deliveries that the receiver may be sent now, in the order of their events.

        Of one order_key only the first that is pending. Another unit that asks at the same time
        gets others: take the lease in this one.
        """
        due = self._statements.due_deliveries(lock=self.locks(wanted=True))
        values = due.values(receiver=receiver, now=now, lease_now=now, row_limit=limit)
        return self.deliveries.due(due, values)

    def due_receivers(self) -> Sequence[str]:
        """Everybody who is owed a Delivery that is pending, due or not."""
        owed = self._statements.due_receivers
        return [row[0] for row in self.execute(owed.text, owed.values()).fetchall()]

    def kept_deliveries(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Deliveries that are over and were kept for as long as they should be."""
        return self._sids(self._statements.kept_deliveries, now, limit)

    def due_calls(self, now: Instant, limit: int) -> Sequence[Call]:
        """Calls of which it is time to ask whether they still live, the most overdue first."""
        due = self._statements.due_calls(lock=self.locks(wanted=True))
        return self.calls.due(due, due.values(now=now, row_limit=limit))

    def next_deadline(self) -> Instant | None:
        """The earliest instant at which timers have something to do."""
        return self._earliest(self._statements.next_deadlines)

    def next_voice_deadline(self) -> Instant | None:
        """The earliest instant at which an Instruction or a Call is due and free to be taken."""
        return self._earliest(self._statements.next_voice_deadlines)

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

    def _earliest(self, deadlines: Statement) -> Instant | None:
        row = self.execute(deadlines.text, deadlines.values()).fetchone() or ()
        return min((instant for instant in row if instant is not None), default=None)
