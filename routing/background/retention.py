"""What has ended is forgotten after so many days, in small batches that nobody has to wait for.

Off unless a setting says how many days, but for sessions that have ended. Each step is one short
transaction and then a rest, so that routing goes on between any two of them; only what nobody works
on any more is touched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from routing.call import Call, Instruction
from routing.clock import SECOND, Clock, Instant
from routing.delivery import Delivery
from routing.store import SqlStore, UnitOfWork
from routing.store.pages import ASCENDING, Between, Page, page
from routing.task import TERMINAL, Task
from routing.user import Session, SignInAttempts

#: Rows that one transaction removes.
BATCH: Final = 100
#: Events are many and small.
EVENTS_BATCH: Final = 500
#: Seconds between two batches.
REST_SECONDS: Final = 0.1
#: Seconds until it looks again, when there was nothing left to remove.
LOOK_SECONDS: Final = 60
_DAY: Final = 86_400 * SECOND
_BY_CREATION: Final = (("created_at", ASCENDING),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days; 0 keeps for ever."""

    #: Tasks that have ended, with their Reservations and all that was to be done for them.
    task_days: int = 0
    event_days: int = 0


class Purge:
    """Removes what is older than the retention says, a batch at a time."""

    def __init__(self, store: SqlStore, clock: Clock, retention: Retention) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention
        self._next_look: Instant = 0

    def step(self) -> bool | float:
        """One batch of each kind; seconds until the next one."""
        now = self._clock.now()
        if now < self._next_look:
            return (self._next_look - now) / SECOND
        if self.batch():
            return REST_SECONDS
        self._next_look = now + LOOK_SECONDS * SECOND
        return float(LOOK_SECONDS)

    def batch(self) -> int:
        """Removes one batch of each kind; how many rows, without what hung on them."""
        removed = self._store.perform(_bound(_purge_people, self._clock.now()))
        if self._retention.task_days:
            before = self._clock.now() - self._retention.task_days * _DAY
            for purge in _PURGES:
                removed += self._store.perform(_bound(purge, before))
        if self._retention.event_days:
            before = self._clock.now() - self._retention.event_days * _DAY
            removed += self._store.purge_events_before(before, limit=EVENTS_BATCH)
        return removed


_Purge = Callable[[UnitOfWork, Instant], int]


def _bound(purge: _Purge, before: Instant) -> Callable[[UnitOfWork], int]:
    return lambda work: purge(work, before)


def _purge_tasks(work: UnitOfWork, before: Instant) -> int:
    """Tasks that ended before the instant; the tables take their Reservations along."""
    removed = 0
    for workspace in work.workspaces.find():
        for status in sorted(TERMINAL):
            filters = {
                "workspace_sid": workspace.sid,
                "assignment_status": status,
                "created_at": Between(below=before),
                "updated_at": Between(below=before),
            }
            if removed < BATCH:
                removed += _remove(work, Task, work.tasks, filters, BATCH - removed)
    return removed


def _purge_work(work: UnitOfWork, before: Instant) -> int:
    """What was to be done on the phone line or told to somebody, and is settled."""
    removed = 0
    for workspace in work.workspaces.find():
        for record, rows in (
            (Instruction, work.instructions),
            (Call, work.calls),
            (Delivery, work.deliveries),
        ):
            filters: dict[str, object] = {
                "workspace_sid": workspace.sid,
                "due_at": None,
                "created_at": Between(below=before),
                "updated_at": Between(below=before),
            }
            if removed < BATCH:
                removed += _remove(work, record, rows, filters, BATCH - removed)
    return removed


def _purge_people(work: UnitOfWork, now: Instant) -> int:
    """Sessions that have ended, and counts of tries that are full again: always."""
    ended: dict[str, object] = {"ends_at": Between(below=now)}
    full: dict[str, object] = {"full_at": Between(below=now)}
    return _remove(work, Session, work.sessions, ended, BATCH) + _remove(
        work, SignInAttempts, work.sign_in_attempts, full, BATCH
    )


_PURGES: Final[tuple[_Purge, ...]] = (_purge_tasks, _purge_work)


def _remove(
    work: UnitOfWork, record: type, rows: Any, filters: dict[str, object], limit: int
) -> int:
    found: Page[Any] = page(work, record, filters=filters, order=_BY_CREATION, limit=limit)
    return sum(rows.remove(each.sid) for each in found.records)
