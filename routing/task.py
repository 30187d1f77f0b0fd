r"""The Task and its table of legal moves. Everything that decides about a Task's state is here.

pending -> reserved -> assigned -> wrapping -> completed
   \______/  |  \_ canceled _/
"""

from dataclasses import dataclass
from typing import Final

from routing.clock import Instant
from routing.errors import IllegalMove
from routing.sids import WORKER

PENDING: Final = "pending"
RESERVED: Final = "reserved"
ASSIGNED: Final = "assigned"
WRAPPING: Final = "wrapping"
COMPLETED: Final = "completed"
CANCELED: Final = "canceled"

#: Twilio's reason of a Task whose caller hung up before anybody spoke to them; statistics count it.
CALLER_HUNG_UP: Final = "hangup"

#: The seconds a Task may wait for an accepted Reservation: Twilio's default and its maximum.
DEFAULT_TIMEOUT_SECONDS = 86_400
MAX_TIMEOUT_SECONDS = 1_209_600
MAX_PRIORITY = 2_147_483_647
#: Attributes are refused beyond this many characters (Twilio, "Limits").
MAX_ATTRIBUTES_CHARACTERS = 4096
#: The seconds after which a Task that nobody completes is removed with all that it holds: Twilio's
#: limit ("Limits"), counted from the acceptance.
MAX_ASSIGNED_SECONDS = 86_400
#: A Task that was offered this often is canceled (Twilio, "Task lifecycle").
MAX_ASSIGNMENT_COUNT = 1000

#: {state: {move: next state}}. A missing entry *is* the illegal move.
TASK_MOVES: Final[dict[str, dict[str, str]]] = {
    PENDING: {"reserve": RESERVED, "cancel": CANCELED},
    RESERVED: {
        "reserve": RESERVED,  # offered to several Workers at once
        "release": PENDING,  # no Reservation is left
        "keep": ASSIGNED,  # the offer of a transfer came to nothing; whoever has it still does
        "accept": ASSIGNED,
        "cancel": CANCELED,
    },
    ASSIGNED: {
        "wrap_up": WRAPPING,
        "complete": COMPLETED,
        "hand_on": RESERVED,  # whoever has it hands it on
        # Ours: the agent's leg failed after a plain accept, and the caller still waits; or whoever
        # handed it on is gone before somebody has taken it.
        "release": PENDING,
    },
    WRAPPING: {"complete": COMPLETED},
    COMPLETED: {},
    CANCELED: {},
}
TERMINAL = frozenset(state for state, moves in TASK_MOVES.items() if not moves)
WAITING = frozenset({PENDING, RESERVED})

#: Twilio's own words for the moves that programs ask for at the wrong time: some compare them.
_REFUSALS: Final = {
    "cancel": ("cancel task", "it is not pending or reserved."),
    "complete": ("complete task", "it is not currently assigned."),
    "wrap_up": ("wrap up a task", "it's not currently assigned"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    sid: str
    workspace_sid: str
    assignment_status: str
    #: JSON text of an object, exactly as it was given.
    attributes: str
    priority: int
    #: Why it was canceled or completed.
    reason: str | None
    #: Time to live: seconds it may stay pending or reserved.
    timeout_seconds: int
    task_channel_sid: str
    workflow_sid: str | None
    #: Which of the Workflow's configurations it goes through; later ones do not touch it.
    workflow_version: int | None
    #: Where in the Workflow it stands; the default filter is -1.
    filter_index: int | None
    target_index: int | None
    task_queue_sid: str | None
    #: The Worker, TaskQueue or Workflow that its creator named for it.
    routing_target: str | None
    #: With a Worker as target: whatever its Activity and its capacity say.
    ignore_capacity: bool
    #: Times it was offered; several Reservations at once count once.
    assignment_count: int
    virtual_start_at: Instant
    queue_entered_at: Instant | None
    #: When its time to live ends, or, once somebody has accepted it, the time that it may stay
    #: assigned; None when it has ended.
    expires_at: Instant | None
    #: When its Workflow target times out; None for a target without timeout.
    step_due_at: Instant | None
    #: Counts changes; the ETag.
    version: int
    created_at: Instant
    updated_at: Instant
    #: The Transfer by which it is being handed on; None when it is not.
    transfer_sid: str | None = None

    @property
    def is_wanting(self) -> bool:
        """Does it wait for the router to find somebody: new, come back, or handed to a queue?"""
        handed_on = self.assignment_status == ASSIGNED and self.transfer_sid is not None
        return handed_on or self.assignment_status == PENDING

    @property
    def only_worker_sid(self) -> str | None:
        """The Worker it was created for; nobody else is asked."""
        target = self.routing_target
        return target if target is not None and target.startswith(WORKER) else None


def next_task_state(task: Task, move: str) -> str:
    """The state after `move`.

    Raises IllegalMove, in Twilio's words where it has some, when the two do not go together.
    """
    try:
        return TASK_MOVES[task.assignment_status][move]
    except KeyError:
        unknown = (f"{move.replace('_', ' ')} task", f"it is {task.assignment_status}.")
        attempt, because = _REFUSALS.get(move, unknown)
        raise IllegalMove(
            f"Cannot {attempt} {task.sid}", workspace_sid=task.workspace_sid, because=because
        ) from None
