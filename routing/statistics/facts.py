"""What a run of events says, as the facts that are counted.

A fact needs no other fact to be counted. Two things are known only from what came before, and are
handed in as standings: in which TaskQueue a live Task stands since when (a further target of the
same TaskQueue is no new arrival there), and in which Activity a Worker is since when.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from routing.clock import SECOND, Instant
from routing.events import Event
from routing.task import CALLER_HUNG_UP


class Kind(IntEnum):
    """What is counted. The numbers are stored: never give one away twice."""

    TASK_CREATED = 1
    WORKFLOW_ENTERED = 2
    QUEUE_ENTERED = 3
    #: It left its TaskQueue for another one.
    TASK_MOVED = 4
    TASK_CANCELED = 5
    TASK_COMPLETED = 6
    #: By the API, or by the system after a day.
    TASK_DELETED = 7
    WORKFLOW_TIMED_OUT = 8
    RESERVATION_CREATED = 9
    RESERVATION_ACCEPTED = 10
    RESERVATION_REJECTED = 11
    RESERVATION_TIMED_OUT = 12
    RESERVATION_CANCELED = 13
    RESERVATION_RESCINDED = 14
    #: Whoever called hung up before anybody had spoken to them; the Task was canceled, too.
    TASK_ABANDONED = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    workspace_sid: str
    occurred_at: Instant
    #: Of the event that tells of it.
    position: int
    kind: Kind
    task_queue_sid: str | None
    workflow_sid: str | None
    task_channel_sid: str
    worker_sid: str | None
    #: Whole seconds since the Task was created; for acceptances and cancellations, else 0.
    wait_seconds: int = 0
    #: Whole seconds since the Task entered its TaskQueue; for acceptances, else 0.
    queue_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The TaskQueue that a live Task stands in, or a Worker's Activity, and since when."""

    sid: str
    workspace_sid: str
    place_sid: str
    since: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A Worker was in an Activity from `began_at` to `ended_at`."""

    #: Of the event that ended it.
    position: int
    workspace_sid: str
    worker_sid: str
    activity_sid: str
    began_at: Instant
    ended_at: Instant


@dataclass(slots=True)
class Reading:
    """What was read from events, in their order."""

    facts: list[Fact] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    #: Standings that have changed; None for a Task or Worker that is no more.
    standings: dict[str, Standing | None] = field(default_factory=dict)
    #: Workspaces that were deleted, with everything that was known of them.
    ended_workspaces: set[str] = field(default_factory=set)


#: What becomes one fact, and nothing else.
_PLAIN: Final[Mapping[str, Kind]] = {
    "task.created": Kind.TASK_CREATED,
    "workflow.entered": Kind.WORKFLOW_ENTERED,
    "workflow.timeout": Kind.WORKFLOW_TIMED_OUT,
    "reservation.created": Kind.RESERVATION_CREATED,
    "reservation.rejected": Kind.RESERVATION_REJECTED,
    "reservation.timeout": Kind.RESERVATION_TIMED_OUT,
    "reservation.canceled": Kind.RESERVATION_CANCELED,
    "reservation.rescinded": Kind.RESERVATION_RESCINDED,
}
#: How a Task ends.
_ENDS: Final[Mapping[str, Kind]] = {
    "task.canceled": Kind.TASK_CANCELED,
    "task.completed": Kind.TASK_COMPLETED,
    "task.deleted": Kind.TASK_DELETED,
    "task.system-deleted": Kind.TASK_DELETED,
}
_OTHERS: Final = (
    "task-queue.entered",
    "reservation.accepted",
    "worker.created",
    "worker.activity.update",
    "worker.deleted",
    "workspace.deleted",
)
#: The types of events that say anything here.
CONCERNS: Final = frozenset(_PLAIN) | frozenset(_ENDS) | frozenset(_OTHERS)
#: Those for which it must be known where something stands, and what: the field with its SID.
_ASKS: Final[Mapping[str, str]] = {
    "task-queue.entered": "task_sid",
    "reservation.accepted": "task_sid",
    "worker.deleted": "worker_sid",
}


def wanted_standings(events: Iterable[Event]) -> set[str]:
    """SIDs of the Tasks and Workers whose standings `read` has to be given, where there are any."""
    wanted = set()
    for event in events:
        name = _ASKS.get(event.type)
        if name is not None:
            wanted.add(str(getattr(event, name)))
    return wanted


def read(events: Iterable[Event], standings: Mapping[str, Standing]) -> Reading:
    """What these events say, given how things stood before the first of them."""
    reader = _Reader(standings)
    for event in events:
        reader.take(event)
    return reader.reading


class _Reader:
    def __init__(self, standings: Mapping[str, Standing]) -> None:
        self._before = standings
        self.reading = Reading()
        self._special: Mapping[str, Callable[[Event], None]] = {
            "task-queue.entered": self._entered,
            "reservation.accepted": self._accepted,
            "worker.created": self._appeared,
            "worker.activity.update": self._changed_activity,
            "worker.deleted": self._disappeared,
            "workspace.deleted": self._ended,
        }

    def take(self, event: Event) -> None:
        kind = _PLAIN.get(event.type)
        if kind is not None:
            self._add(event, kind)
        elif event.type in _ENDS:
            self._over(event, _ENDS[event.type])
        elif event.type in self._special:
            self._special[event.type](event)

    def _standing(self, sid: str | None) -> Standing | None:
        if sid is None:
            return None
        changed = self.reading.standings
        return changed[sid] if sid in changed else self._before.get(sid)

    def _add(
        self,
        event: Event,
        kind: Kind,
        *,
        task_queue_sid: str | None = None,
        wait_seconds: int = 0,
        queue_seconds: int = 0,
    ) -> None:
        self.reading.facts.append(
            Fact(
                workspace_sid=event.workspace_sid,
                occurred_at=event.occurred_at,
                position=event.position,
                kind=kind,
                task_queue_sid=task_queue_sid or event.task_queue_sid,
                workflow_sid=event.workflow_sid,
                task_channel_sid=event.task_channel_sid or "",
                worker_sid=event.worker_sid,
                wait_seconds=wait_seconds,
                queue_seconds=queue_seconds,
            )
        )

    def _over(self, event: Event, kind: Kind) -> None:
        wait = _age(event) if kind is Kind.TASK_CANCELED else 0
        self._add(event, kind, wait_seconds=wait)
        if kind is Kind.TASK_CANCELED and event.carried.get("reason") == CALLER_HUNG_UP:
            self._add(event, Kind.TASK_ABANDONED)
        if event.task_sid is not None:
            self.reading.standings[event.task_sid] = None

    def _entered(self, event: Event) -> None:
        """A Task came to a target's TaskQueue, which may be the one that it stands in already."""
        before = self._standing(event.task_sid)
        if before is not None and before.place_sid == event.task_queue_sid:
            return
        if before is not None:
            self._add(event, Kind.TASK_MOVED, task_queue_sid=before.place_sid)
        self._add(event, Kind.QUEUE_ENTERED)
        self._stands(event, event.task_sid, event.task_queue_sid)

    def _accepted(self, event: Event) -> None:
        standing = self._standing(event.task_sid)
        waited = _age(event)
        in_queue = waited
        if standing is not None:
            in_queue = max(0, event.occurred_at - standing.since) // SECOND
        self._add(event, Kind.RESERVATION_ACCEPTED, wait_seconds=waited, queue_seconds=in_queue)

    def _appeared(self, event: Event) -> None:
        self._stands(event, event.worker_sid, event.carried.get("worker_activity_sid"))

    def _changed_activity(self, event: Event) -> None:
        spent = int(event.carried.get("worker_time_in_previous_activity_ms", "0"))
        previous = event.carried.get("worker_previous_activity_sid")
        self._stayed(event, previous, event.occurred_at - spent)
        self._appeared(event)

    def _disappeared(self, event: Event) -> None:
        standing = self._standing(event.worker_sid)
        if standing is not None:
            self._stayed(event, standing.place_sid, standing.since)
        if event.worker_sid is not None:
            self.reading.standings[event.worker_sid] = None

    def _stayed(self, event: Event, activity_sid: str | None, began_at: Instant) -> None:
        # Whoever came and went within one millisecond was nowhere.
        if event.worker_sid is None or activity_sid is None or began_at >= event.occurred_at:
            return
        self.reading.stays.append(
            Stay(
                position=event.position,
                workspace_sid=event.workspace_sid,
                worker_sid=event.worker_sid,
                activity_sid=activity_sid,
                began_at=began_at,
                ended_at=event.occurred_at,
            )
        )

    def _stands(self, event: Event, sid: str | None, place_sid: str | None) -> None:
        if sid is not None and place_sid is not None:
            self.reading.standings[sid] = Standing(
                sid=sid,
                workspace_sid=event.workspace_sid,
                place_sid=place_sid,
                since=event.occurred_at,
            )

    def _ended(self, event: Event) -> None:
        """Nothing is left that could be asked about; the same SIDs never come again."""
        gone = event.workspace_sid
        reading = self.reading
        reading.ended_workspaces.add(gone)
        reading.facts = [fact for fact in reading.facts if fact.workspace_sid != gone]
        reading.stays = [stay for stay in reading.stays if stay.workspace_sid != gone]
        reading.standings = {
            sid: standing
            for sid, standing in reading.standings.items()
            if standing is None or standing.workspace_sid != gone
        }


def _age(event: Event) -> int:
    """Whole seconds since the event's Task was created."""
    return int(event.carried.get("task_age", "0"))
