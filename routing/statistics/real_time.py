"""How things stand now: live Tasks by status and priority, Workers, and those of a TaskQueue."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from routing.clock import SECOND, Instant
from routing.expressions import Expression
from routing.task import ASSIGNED, PENDING, RESERVED, WAITING, WRAPPING

#: The statuses of Tasks that live, in the order in which they are told.
LIVE_STATUSES: Final = (PENDING, RESERVED, ASSIGNED, WRAPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Longest:
    """The Task that has waited longest, since then."""

    since: Instant
    task_sid: str

    def age_seconds(self, now: Instant) -> int:
        return max(0, now - self.since) // SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """Live Tasks of one status and priority."""

    assignment_status: str
    priority: int
    number: int
    #: Of those that wait, by their creation and by when they entered their TaskQueue.
    longest: Longest | None
    longest_in_queue: Longest | None


@dataclass(slots=True)
class LiveTasks:
    by_status: Counter[str] = field(
        default_factory=lambda: Counter(dict.fromkeys(LIVE_STATUSES, 0))
    )
    by_priority: Counter[int] = field(default_factory=Counter)
    longest: Longest | None = None
    longest_in_queue: Longest | None = None

    def add(self, group: TaskGroup) -> None:
        self.by_status[group.assignment_status] += group.number
        self.by_priority[group.priority] += group.number
        if group.assignment_status in WAITING:
            self.longest = _longer(self.longest, group.longest)
            self.longest_in_queue = _longer(self.longest_in_queue, group.longest_in_queue)

    @property
    def total(self) -> int:
        return self.by_status.total()

    @property
    def waiting(self) -> int:
        """Tasks that nobody has accepted yet."""
        return sum(self.by_status[status] for status in WAITING)

    def longest_wait_seconds(self, now: Instant) -> int:
        """Seconds since the creation of the Task that has waited longest; 0 where none waits."""
        return 0 if self.longest is None else self.longest.age_seconds(now)

    @property
    def longest_task_sid(self) -> str | None:
        return None if self.longest is None else self.longest.task_sid

    def longest_queue_seconds(self, now: Instant) -> int:
        """The same since it entered its TaskQueue."""
        return 0 if self.longest_in_queue is None else self.longest_in_queue.age_seconds(now)

    @property
    def longest_in_queue_task_sid(self) -> str | None:
        return None if self.longest_in_queue is None else self.longest_in_queue.task_sid


def _longer(one: Longest | None, other: Longest | None) -> Longest | None:
    both = [each for each in (one, other) if each is not None]
    return min(both, key=lambda each: (each.since, each.task_sid), default=None)


@dataclass(slots=True)
class Members:
    """Workers by Activity."""

    by_activity: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.by_activity.total()

    def available(self, available_activity_sids: frozenset[str]) -> int:
        return sum(self.by_activity[sid] for sid in available_activity_sids)


class Profile(NamedTuple):
    """A Worker, as far as expressions may ask about it."""

    sid: str
    friendly_name: str
    attributes: str
    activity_sid: str


class Crowd:
    """The Workers of a Workspace, of whom one TaskQueue after another asks who belongs to it.

    Workers who look the same to an expression are asked once: those of whom all that it names is
    the same. So a hundred TaskQueues over ten thousand Workers cost little more than one.
    """

    def __init__(
        self,
        workers: Iterable[Profile],
        context_of: Callable[[Profile], Mapping[str, object]],
    ) -> None:
        """`context_of` tells what an expression sees of a Worker."""
        self.workers = list(workers)
        self._context_of = context_of
        self._alike: dict[frozenset[str], list[_Group]] = {}

    def all(self) -> Members:
        return Members(Counter(worker.activity_sid for worker in self.workers))

    def members(self, belonging: Expression) -> Members:
        """Those for whom the expression is true, by Activity."""
        found = Members()
        for group in self._groups(belonging.references):
            if belonging.matches(group.context):
                found.by_activity.update(group.by_activity)
        return found

    def sids(self, belonging: Expression) -> list[str]:
        """SIDs of those for whom the expression is true."""
        return [
            sid
            for group in self._groups(belonging.references)
            if belonging.matches(group.context)
            for sid in group.sids
        ]

    def _groups(self, references: frozenset[str]) -> "list[_Group]":
        names = frozenset(path.partition(".")[0].partition("[")[0] for path in references)
        known = self._alike.get(names)
        if known is None:
            known = self._alike[names] = self._grouped(sorted(names))
        return known

    def _grouped(self, names: list[str]) -> "list[_Group]":
        groups: dict[str, _Group] = {}
        for worker in self.workers:
            context = self._context_of(worker) if names else {}
            # `repr`, since 1, 1.0, "1" and true are not the same to an expression.
            key = repr([context.get(name) for name in names])
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group(context)
            group.by_activity[worker.activity_sid] += 1
            group.sids.append(worker.sid)
        return list(groups.values())


@dataclass(slots=True)
class _Group:
    """Workers that look the same to an expression: what it sees of them."""

    context: Mapping[str, object]
    by_activity: Counter[str] = field(default_factory=Counter)
    sids: list[str] = field(default_factory=list)
