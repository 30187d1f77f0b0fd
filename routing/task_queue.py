"""The TaskQueue: who belongs to it, and in what order its Tasks wait."""

from dataclasses import dataclass
from functools import lru_cache

from routing.clock import Instant
from routing.expressions import (
    Expression,
    Operand,
    Reference,
    compile_expression,
    with_operands,
)
from routing.workspace import LIFO

#: What Twilio gives a queue whose creator says nothing: everybody belongs to it.
EVERYBODY = "1==1"

MAX_RESERVED_WORKERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQueue:
    sid: str
    workspace_sid: str
    friendly_name: str
    #: Expression over worker attributes; an empty one is met by nobody, so its Tasks wait.
    target_workers: str
    #: To how many Workers at once a Task is offered (1 to 50).
    max_reserved_workers: int
    task_order: str
    #: Where a Worker goes on reservation and on acceptance, in a workspace without multitasking.
    reservation_activity_sid: str | None
    assignment_activity_sid: str | None
    created_at: Instant
    updated_at: Instant


@lru_cache(maxsize=8192)
def belonging(target_workers: str) -> Expression:
    """The condition on a Worker's bare attributes; an empty text is met by nobody."""
    return of_workers(compile_expression(target_workers if target_workers.strip() else "1==2"))


def of_workers(expression: Expression) -> Expression:
    """An expression on bare attributes of a Worker, as a queue or a list of Workers has it.

    The load may be written with the prefix that it has in a Workflow, `worker.channel.chat...`, as
    the multitasking guide and programs do.
    """

    def bare(operand: Operand) -> Operand:
        if isinstance(operand, Reference) and operand.path[:2] == ("worker", "channel"):
            return Reference(path=operand.path[1:])
        return operand

    return Expression(with_operands(expression.tree, bare), expression.text)


def reads_load(expression: Expression) -> bool:
    """Does it, on bare attributes, ask for what a Worker has on some channel?"""
    return any(path[0] == "channel" for path in expression.paths)


def place_in_line(
    order: str, *, priority: int, virtual_start_at: Instant, created_at: Instant
) -> tuple[int, int, int]:
    """The sort key of a waiting Task in a queue of this order; the smallest is next.

    FIFO: priority descending, then virtual start time, then creation. LIFO: the newest first,
    priority ignored (Twilio, "Queue ordering").
    """
    if order == LIFO:
        return (0, -created_at, 0)
    return (-priority, virtual_start_at, created_at)
