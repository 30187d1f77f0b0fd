"""A queue: callers in line, first come, first served. It decides nothing about calls."""

import dataclasses
from collections import deque
from collections.abc import Callable

from simulator.agenda import Interruption, Scope, Signal
from simulator.call import Call, DocumentRequest
from simulator.webhook import Parameters

#: A queue made by <Enqueue> holds 100 callers, one made by REST 1000, none more than 5000.
SIZE_BY_ENQUEUE, SIZE_BY_REST, LARGEST_SIZE = 100, 1000, 5000
WAITS_REMEMBERED = 50  # how many past waits the average is made of


class LeftQueue(Interruption):
    """<Leave> was met in the waiting document."""


class Dequeued(Interruption):
    """A member is taken out by REST, to follow a document."""

    def __init__(self, request: DocumentRequest) -> None:
        super().__init__()
        self.request = request


@dataclasses.dataclass(kw_only=True, eq=False)
class Member:
    call: Call
    enqueued_at: int
    scope: Scope
    task_attributes: str | None = None


@dataclasses.dataclass(kw_only=True, eq=False)
class CallQueue:
    sid: str
    friendly_name: str
    created_at: int
    #: Called when the line, its name or its size is another than before.
    changed: Callable[["CallQueue"], None]
    #: Called when a call has come in or gone out.
    moved: Callable[[Call], None]
    max_size: int = SIZE_BY_ENQUEUE
    updated_at: int = 0
    members: list[Member] = dataclasses.field(default_factory=list)
    #: Who dials the queue while nobody waits in it, in order.
    dialers: list[Signal[None]] = dataclasses.field(default_factory=list)
    waits: deque[float] = dataclasses.field(default_factory=lambda: deque(maxlen=WAITS_REMEMBERED))

    @property
    def is_full(self) -> bool:
        return len(self.members) >= self.max_size

    def position(self, member: Member) -> int:
        """1 for the first in line."""
        return self.members.index(member) + 1

    def member_of(self, call_sid: str) -> Member | None:
        """The member by its call's SID, or the first in line by the name `Front`."""
        if call_sid == "Front":
            return self.members[0] if self.members else None
        return next((member for member in self.members if member.call.sid == call_sid), None)

    def enter(self, member: Member) -> None:
        self.members.append(member)
        member.call.queue_sid = self.sid
        self.changed(self)
        self.moved(member.call)
        if self.dialers:
            self.dialers.pop(0).fire(None)

    def leave(self, member: Member, now: int) -> None:
        """Safe to repeat."""
        if member in self.members:
            self.members.remove(member)
            self.waits.append((now - member.enqueued_at) / 1000)
            member.call.queue_sid = None
            self.changed(self)
            self.moved(member.call)

    @property
    def average_wait_seconds(self) -> int:
        return int(sum(self.waits) / len(self.waits)) if self.waits else 0

    def wait_parameters(self, member: Member, now: int) -> Parameters:
        """What a waitUrl is told of a caller's place."""
        return (
            ("QueueSid", self.sid),
            ("QueueTime", str((now - member.enqueued_at) // 1000)),
            ("QueuePosition", str(self.position(member))),
            ("AvgQueueTime", str(self.average_wait_seconds)),
            ("CurrentQueueSize", str(len(self.members))),
            ("MaxQueueSize", str(self.max_size)),
        )
