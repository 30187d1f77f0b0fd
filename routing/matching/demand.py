"""Tasks that wait for the same thing, and what they wait for.

Tasks of a class differ only in their place in line. Classes that require the same of a Worker, on
the same channel, stand together in a group behind one `Profile`, however many queues they are in:
whoever looks for work asks each group once.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from routing.clock import Instant
from routing.expressions import Expression, WorkerOrder
from routing.matching.profiles import Profile
from routing.matching.records import WaitingTask
from routing.matching.requirement import Requirement, requirement_of
from routing.matching.staff import Mood
from routing.task_queue import TaskQueue, place_in_line
from routing.workspace import LIFO

#: Where a Task stands in line, and its SID; the smallest is next. Flat, to be quickly compared.
Place: TypeAlias = tuple[int, int, int, str]
#: Kind of queue, and the place.
Rank: TypeAlias = tuple[int, int, int, int, str]
ClassKey: TypeAlias = tuple[
    str, str, str, str, tuple[bool, object] | None, bool, bool, frozenset[str]
]


@dataclass(slots=True, kw_only=True, eq=False)
class Group:
    """The classes of one profile on one channel."""

    profile: Profile
    channel_sid: str
    #: How many there are, whether or not anybody waits in them.
    classes: int = 0
    #: The heads of its classes, the next one first.
    heads: list[Rank] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class DemandClass:
    """Tasks that wait for the same thing."""

    number: int
    key: ClassKey
    queue: TaskQueue
    channel_sid: str
    requirement: Requirement
    expression: Expression | None
    order_by: WorkerOrder | None
    #: Only that Worker is asked, so there is no group to look through.
    known_worker: tuple[bool, object] | None
    is_personal: bool
    ignores_capacity: bool
    group: Group | None
    mood: Mood | None
    #: The places of the waiting Tasks; those that left are dropped when they come to the head.
    line: list[Place] = field(default_factory=list)
    #: How many wait; the line may be longer.
    waiting: int = 0
    head: Rank | None = None

    def place(
        self, sid: str, priority: int, virtual_start_at: Instant, created_at: Instant
    ) -> Place:
        line = place_in_line(
            self.queue.task_order,
            priority=priority,
            virtual_start_at=virtual_start_at,
            created_at=created_at,
        )
        return (*line, sid)

    def rank(self, place: Place, *, lifo_first: bool) -> Rank:
        is_lifo = self.queue.task_order == LIFO
        return (0 if is_lifo == lifo_first else 1, *place)


def class_key(task: WaitingTask) -> ClassKey:
    return (
        task.queue_sid,
        task.channel_sid,
        task.expression.key if task.expression else "",
        task.order_by.text if task.order_by else "",
        task.known_worker,
        task.is_personal,
        task.ignores_capacity,
        task.spared,
    )


def new_class(number: int, task: WaitingTask, key: ClassKey, queue: TaskQueue) -> DemandClass:
    """The class of that Task; nobody waits in it yet, and it stands in no group."""
    return DemandClass(
        number=number,
        key=key,
        queue=queue,
        channel_sid=task.channel_sid,
        requirement=requirement_of(
            queue, task.expression, is_personal=task.is_personal, spared=task.spared
        ),
        expression=task.expression,
        order_by=task.order_by,
        known_worker=task.known_worker,
        is_personal=task.is_personal,
        ignores_capacity=task.ignores_capacity,
        group=None,
        mood=None,
    )
