"""Facts, summed up for one subject: a Workspace, TaskQueue, Workflow or Worker.

Sums of sums are sums: a Tally of a day, one of a quarter of an hour and the facts of a few minutes
add up to the numbers of the time between two instants.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from routing.sids import TASK_QUEUE, WORKER, WORKFLOW, WORKSPACE
from routing.statistics.facts import Fact, Kind

#: What is counted, in the order in which it is stored.
COUNTS: Final = (
    "tasks_created",
    "tasks_entered",
    "tasks_moved",
    "tasks_canceled",
    "tasks_completed",
    "tasks_deleted",
    "tasks_timed_out_in_workflow",
    "reservations_created",
    "reservations_accepted",
    "reservations_rejected",
    "reservations_timed_out",
    "reservations_canceled",
    "reservations_rescinded",
    "tasks_abandoned",
)
_OF_RESERVATIONS: Final[Mapping[Kind, str]] = {
    Kind.RESERVATION_CREATED: "reservations_created",
    Kind.RESERVATION_ACCEPTED: "reservations_accepted",
    Kind.RESERVATION_REJECTED: "reservations_rejected",
    Kind.RESERVATION_TIMED_OUT: "reservations_timed_out",
    Kind.RESERVATION_CANCELED: "reservations_canceled",
    Kind.RESERVATION_RESCINDED: "reservations_rescinded",
}
_OF_TASKS: Final[Mapping[Kind, str]] = {
    Kind.TASK_MOVED: "tasks_moved",
    Kind.TASK_CANCELED: "tasks_canceled",
    Kind.TASK_COMPLETED: "tasks_completed",
    Kind.TASK_DELETED: "tasks_deleted",
    Kind.TASK_ABANDONED: "tasks_abandoned",
    **_OF_RESERVATIONS,
}
_IN_WORKFLOWS: Final = {Kind.WORKFLOW_TIMED_OUT: "tasks_timed_out_in_workflow"}
#: {the letters that a subject's SID begins with: {what happened: as what it counts there}}.
COUNTED: Final[Mapping[str, Mapping[Kind, str]]] = {
    WORKSPACE: {Kind.TASK_CREATED: "tasks_created", **_OF_TASKS, **_IN_WORKFLOWS},
    WORKFLOW: {Kind.WORKFLOW_ENTERED: "tasks_entered", **_OF_TASKS, **_IN_WORKFLOWS},
    TASK_QUEUE: {Kind.QUEUE_ENTERED: "tasks_entered", **_OF_TASKS},
    WORKER: _OF_RESERVATIONS,
}


def subjects_of(fact: Fact) -> Iterable[str]:
    """SIDs of those for whom the fact counts."""
    for sid in (fact.workspace_sid, fact.task_queue_sid, fact.workflow_sid, fact.worker_sid):
        if sid is not None and fact.kind in COUNTED[sid[:2]]:
            yield sid


@dataclass(slots=True)
class Spread:
    """Whole seconds of waits: how many, and between what."""

    number: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def add(self, other: "Spread") -> None:
        if other.number:
            self.least = min(self.least, other.least) if self.number else other.least
            self.most = max(self.most, other.most) if self.number else other.most
            self.number += other.number
            self.total += other.total

    @property
    def average(self) -> int:
        return self.total // self.number if self.number else 0


#: The waits of a Tally, in the order in which they are stored.
WAITS: Final = ("until_accepted", "until_canceled", "in_queue_until_accepted")


def number_of(wait: str) -> str:
    """The count of those who waited like that."""
    return "tasks_canceled" if wait == "until_canceled" else "reservations_accepted"


@dataclass(slots=True)
class Tally:
    """What happened to one subject in some time."""

    counts: Counter[str] = field(default_factory=Counter)
    until_accepted: Spread = field(default_factory=Spread)
    until_canceled: Spread = field(default_factory=Spread)
    in_queue_until_accepted: Spread = field(default_factory=Spread)
    #: {seconds of wait: how many}; only where somebody asks how they are spread.
    accepted_after: Counter[int] = field(default_factory=Counter)
    canceled_after: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.counts.update(other.counts)
        for name in WAITS:
            getattr(self, name).add(getattr(other, name))
        self.accepted_after.update(other.accepted_after)
        self.canceled_after.update(other.canceled_after)

    def add_group(self, column: str, number: int, waited: Spread, in_queue: Spread) -> None:
        """So many facts of one kind; `waited` and `in_queue` are of those that have any."""
        self.counts[column] += number
        if column == "reservations_accepted":
            self.until_accepted.add(waited)
            self.in_queue_until_accepted.add(in_queue)
        elif column == "tasks_canceled":
            self.until_canceled.add(waited)

    def add_fact(self, fact: Fact, prefix: str) -> None:
        """One fact, as it counts for subjects whose SIDs begin with these letters."""
        column = COUNTED[prefix][fact.kind]
        self.counts[column] += 1
        if fact.kind is Kind.RESERVATION_ACCEPTED:
            self.until_accepted.add(_one(fact.wait_seconds))
            self.in_queue_until_accepted.add(_one(fact.queue_seconds))
            self.accepted_after[fact.wait_seconds] += 1
        elif fact.kind is Kind.TASK_CANCELED:
            self.until_canceled.add(_one(fact.wait_seconds))
            self.canceled_after[fact.wait_seconds] += 1


def _one(seconds: int) -> Spread:
    return Spread(1, seconds, seconds, seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Acceptances and cancellations on either side of a threshold."""

    threshold_seconds: int
    accepted_below: int
    accepted_above: int
    canceled_below: int
    canceled_above: int


def splits(tally: Tally, thresholds: Sequence[int]) -> list[Split]:
    """For each threshold in seconds; a wait of exactly so long is not below it."""
    return [_split(tally, threshold) for threshold in thresholds]


def _split(tally: Tally, threshold: int) -> Split:
    accepted_below = _below(tally.accepted_after, threshold)
    canceled_below = _below(tally.canceled_after, threshold)
    return Split(
        threshold_seconds=threshold,
        accepted_below=accepted_below,
        accepted_above=tally.accepted_after.total() - accepted_below,
        canceled_below=canceled_below,
        canceled_above=tally.canceled_after.total() - canceled_below,
    )


def _below(numbers: Mapping[int, int], threshold: int) -> int:
    return sum(number for seconds, number in numbers.items() if seconds < threshold)


@dataclass(slots=True)
class Durations:
    """Stays in one Activity, in milliseconds, as far as they lie in the time asked about."""

    number: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def add(self, number: int, total: int, least: int, most: int) -> None:
        if number:
            self.least = min(self.least, least) if self.number else least
            self.most = max(self.most, most) if self.number else most
            self.number += number
            self.total += total

    def add_all(self, other: "Durations") -> None:
        self.add(other.number, other.total, other.least, other.most)
