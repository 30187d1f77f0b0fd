"""What goes into the matching index and what comes out of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from routing.clock import Instant
from routing.expressions import Expression, FalseClause, WorkerOrder
from routing.worker import available_capacity_percentage


@dataclass(slots=True, kw_only=True)
class ChannelLoad:
    """A Worker's channel as the index sees it."""

    unique_name: str
    configured_capacity: int
    assigned_tasks: int
    available: bool
    last_reserved_at: Instant

    def become(self, newer: "ChannelLoad") -> None:
        """It is as the newer record of the same channel says."""
        self.unique_name = newer.unique_name
        self.configured_capacity = newer.configured_capacity
        self.assigned_tasks = newer.assigned_tasks
        self.available = newer.available
        self.last_reserved_at = newer.last_reserved_at


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A Worker as the index sees it."""

    sid: str
    friendly_name: str
    #: Its Activity is an available one.
    available: bool
    last_reserved_at: Instant
    #: Bare names: attributes and built-ins; `channel` is filled in from `channels` when asked.
    context: dict[str, object]
    #: By TaskChannel SID.
    channels: dict[str, ChannelLoad]

    @property
    def is_at_work(self) -> bool:
        """Some Task is its own, on whatever channel."""
        return any(load.assigned_tasks for load in self.channels.values())

    def become(self, newer: "Candidate", *, has_other_context: bool) -> None:
        """It is as the newer record of the same Worker says.

        A record that is written anew, object for object, with every offer would be one at which the
        garbage collector has not looked yet; this one it has set aside.
        """
        self.friendly_name = newer.friendly_name
        self.available = newer.available
        self.last_reserved_at = newer.last_reserved_at
        if has_other_context:
            self.context = newer.context
        channels = self.channels
        for sid, load in newer.channels.items():
            known = channels.get(sid)
            if known is None:
                channels[sid] = load
            elif known != load:
                known.become(load)
        for sid in channels.keys() - newer.channels.keys():
            del channels[sid]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A pending Task as the index sees it."""

    sid: str
    queue_sid: str
    channel_sid: str
    priority: int
    virtual_start_at: Instant
    created_at: Instant
    #: The version of the row that was read: only what it says is proposed.
    version: int
    #: Its target has a `skip_if`: it may go on if nobody can have it at once.
    may_skip: bool = False
    #: The target's expression with the Task's own values bound in; None asks nothing more.
    expression: Expression | None = None
    order_by: WorkerOrder | None = None
    #: (is a SID, value): the only Worker to be asked; None asks anybody.
    known_worker: tuple[bool, object] | None = None
    #: It was created for the known Worker, who need not belong to the queue.
    is_personal: bool = False
    #: The known Worker is asked whatever its Activity and its capacity say.
    ignores_capacity: bool = False
    #: Workers who are not to be asked: they have it, or had it just now.
    spared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Offer this Task to these Workers; several where its queue asks several at once."""

    task_sid: str
    #: The version of the Task's row that the proposal is about.
    task_version: int
    channel_sid: str
    worker_sids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """The first thing that stands between a waiting Task and a Worker."""

    #: queue, holding (it has the Task), known_worker, activity, channel, busy, capacity, target,
    #: or turn: nothing but that the router has not come to it yet.
    kind: str
    #: What is false of the target's expression.
    clauses: tuple[FalseClause, ...] = ()


def load_context(channels: Iterable[ChannelLoad]) -> dict[str, object]:
    """What `worker.channel` stands for in an expression."""
    return {
        load.unique_name: {
            "configured_capacity": load.configured_capacity,
            "assigned_tasks": load.assigned_tasks,
            "available_capacity_percentage": available_capacity_percentage(
                load.assigned_tasks, load.configured_capacity
            ),
        }
        for load in channels
    }
