"""What is due, as a unit of work finds it: for timers, and for those who work something off."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from routing.call import Call, Instruction
from routing.clock import Instant
from routing.delivery import Delivery
from routing.store.rows import SqlRows
from routing.store.statements import Cursor, Statement
from routing.store.work_statements import WorkStatements


class Deadlines(ABC):
    """A part of routing.ports.Work."""

    _statements: WorkStatements
    instructions: SqlRows[Instruction]
    deliveries: SqlRows[Delivery]
    calls: SqlRows[Call]

    @abstractmethod
    def execute(self, text: str, values: tuple[object, ...]) -> Cursor:
        """Runs any compiled SELECT; the cursor has the rows until the next one."""

    @abstractmethod
    def locks(self, *, wanted: bool) -> bool:
        """Is a row that is to be locked locked by its SELECT?"""

    def due_reservations(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Reservations whose offer has run out, the most overdue first."""
        return self._sids(self._statements.due_reservations, now, limit)

    def due_task_steps(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of pending Tasks whose Workflow target has timed out, the most overdue first."""
        return self._sids(self._statements.due_task_steps, now, limit)

    def expired_tasks(self, now: Instant, limit: int) -> Sequence[str]:
        """SIDs of Tasks whose time to live has run out, the most overdue first."""
        return self._sids(self._statements.expired_tasks, now, limit)

    def deserted_tasks(
        self, workspace_sid: str, unchanged_since: Instant, limit: int
    ) -> Sequence[str]:
        """SIDs of Tasks that are assigned or wrapping, have been as they are since then at least,
        and have no live Reservation; those of the longest standing first.
        """
        deserted = self._statements.deserted_tasks
        values = deserted.values(
            workspace=workspace_sid, unchanged_since=unchanged_since, row_limit=limit
        )
        return [row[0] for row in self.execute(deserted.text, values).fetchall()]

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

    def _sids(self, due: Statement, now: Instant, limit: int) -> list[str]:
        values = due.values(now=now, row_limit=limit)
        return [row[0] for row in self.execute(due.text, values).fetchall()]

    def _earliest(self, deadlines: Statement) -> Instant | None:
        row = self.execute(deadlines.text, deadlines.values()).fetchone() or ()
        return min((instant for instant in row if instant is not None), default=None)
