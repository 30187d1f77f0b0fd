"""One transaction as the engine sees it: routing.ports.Work, on either database.

It reads and writes; when the transaction begins, commits and is tried again is decided by the
databases' rooms (sqlite.py, postgresql.py), which lend it a cursor.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
from routing.store.deadlines import Deadlines
from routing.store.errors import BrokenInvariant, StoreError
from routing.store.foresight import Ahead, Foresight
from routing.store.pending import Pending
from routing.store.refusals import refusal
from routing.store.rows import SqlRows
from routing.store.statements import (
    Cursor,
    ManyChanges,
    SqlDialect,
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
#: PostgreSQL's COMMIT then does not wait for the disk.
_NEED_NOT_LAST: Final = "SET LOCAL synchronous_commit TO OFF"
#: What is foreseen of a Workspace beside its row.
_VERSION: Final = "configuration version"


class UnitOfWork(Deadlines):
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
        *,
        at_once: AtOnce | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        self._cursor: Cursor = _OVER
        #: What is read and written ahead of the next statement; it needs PostgreSQL's cursor.
        self.foresight = Foresight(ahead, dialect.refusals, self._fail)
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
        self.locked: dict[TableStatements[Any], dict[str, Any]] = {}
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
        self.foresight.begin()
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
        self.foresight.forget()
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
            if before_last is None:
                self.foresight.arrive()
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

    def write(
        self, text: str, values: tuple[object, ...], table: TableStatements[Any] | None = None
    ) -> int:
        """Runs a compiled text that changes rows, those of that table alone where one is named;
        how many it changed.
        """
        self._begin_writing(table)
        return self._run(text, values).rowcount

    def write_and_tell(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Runs a compiled text that changes rows; what it says it returns of them."""
        self._begin_writing()
        return self._run(text, values).fetchall()

    def write_unheard(
        self, text: str, values: tuple[object, ...], table: TableStatements[Any] | None = None
    ) -> None:
        """The same where nobody asks how many rows it changes; it may be refused later."""
        self._begin_writing(table)
        if not self.foresight.write(text, values):
            self._run(text, values)

    def foresee(
        self, table: TableStatements[Any], what: Hashable, text: str, values: tuple[object, ...]
    ) -> None:
        """A compiled SELECT from that table alone, of which the rows will be asked for by the name
        `what`.
        """
        if table not in self._pending.tables:
            self.foresight.ask(table, what, text, values)

    def foreseen(
        self, table: TableStatements[Any], what: Hashable
    ) -> Sequence[tuple[Any, ...]] | None:
        """Those rows; None where they have to be asked for now."""
        return None if table in self._pending.tables else self.foresight.take(table, what)

    def _begin_writing(self, table: TableStatements[Any] | None = None) -> None:
        self._refuse_change()
        self.foresight.is_out_of_date(table)
        if self._is_shared or self._pending.tables:
            self._settle()
        if table is None:
            self.locked = {}
        else:
            self.locked.pop(table, None)

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
        self.foresight.is_out_of_date()
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

    def foresee_configuration(self, workspace_sid: str) -> None:
        """To be said by whoever will ask for it after other rows."""
        brought = self._brought is not None and self._brought[0] == workspace_sid
        if not brought and workspace_sid not in self._pictures:
            table, text = self.workspaces.statements, self._statements.configuration_version
            self.foresee(table, (_VERSION, workspace_sid), text, (workspace_sid,))

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
        table, text = self.workspaces.statements, self._statements.configuration_version
        rows = self.foreseen(table, (_VERSION, workspace_sid))
        if rows is None:
            rows = self.select(table, text, (workspace_sid,)).fetchall()
        if not rows:
            raise NotFound(f"/Workspaces/{workspace_sid}")
        return int(rows[0][0])

    def configuration_changed(self, workspace_sid: str) -> None:
        """To be said by whoever wrote a row that Configuration holds."""
        self.reconfigured.add(workspace_sid)
        self._pictures.pop(workspace_sid, None)
        self.write_unheard(self._statements.reconfigure, (workspace_sid,))

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
        if self.dialect.has_row_locks:
            return capacity.take_locked(self.worker_channels, claims, self.now)
        return capacity.take(self, self._statements, claims)

    def foresee_capacity(
        self, worker_sids: AbstractSet[str], task_channel_sids: AbstractSet[str]
    ) -> None:
        """That of these Workers on these channels will be taken (see SqlRows.foresee)."""
        if self.dialect.has_row_locks:
            capacity.foresee(self.worker_channels, worker_sids, task_channel_sids)

    def free_capacity(self, worker_channel_sid: str) -> None:
        """Gives one unit back; raises BrokenInvariant where none was taken."""
        if not capacity.free(self, self._statements, worker_channel_sid):
            self.failure = BrokenInvariant(
                f"WorkerChannel {worker_channel_sid} has no task whose capacity could be freed."
            )
            raise self.failure

    # The followers' cursors.

    def follower_position(self, name: str) -> int:
        """The position of the last event that the follower has dealt with; 0 before the first."""
        row = self.execute(self._statements.follower_position, (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def move_follower(self, name: str, position: int, *, lasting: bool = True) -> None:
        """Moves the follower's cursor, with whatever else this unit does; never backwards.

        Where it need not be `lasting`, a crash of the database's server may undo the whole unit.
        """
        if not lasting:
            self.foresight.write(_NEED_NOT_LAST, ())
        self.write_unheard(self._statements.move_follower, (name, position, self.now))

    def purge_events_before(self, instant: Instant, limit: int) -> int:
        """Deletes the oldest events before the instant that all followers are done with."""
        purge = self._statements.purge_events
        return self.write(purge.text, purge.values(instant=instant, row_limit=limit))
