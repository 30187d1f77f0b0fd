r"""The Reservation and its table of legal moves: a Task offered to a Worker.

pending -> accepted -> wrapping -> completed
   \_ rejected, timeout, canceled, rescinded
"""

from dataclasses import dataclass
from typing import Final

from routing.clock import Instant
from routing.errors import Gone, IllegalMove

PENDING: Final = "pending"
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
TIMEOUT: Final = "timeout"
CANCELED: Final = "canceled"
RESCINDED: Final = "rescinded"
WRAPPING: Final = "wrapping"
COMPLETED: Final = "completed"

#: {state: {move: next state}}. A missing entry *is* the illegal move.
RESERVATION_MOVES: Final[dict[str, dict[str, str]]] = {
    PENDING: {
        "accept": ACCEPTED,
        "reject": REJECTED,
        "time_out": TIMEOUT,
        "cancel": CANCELED,
        "rescind": RESCINDED,
    },
    ACCEPTED: {
        "wrap_up": WRAPPING,
        "complete": COMPLETED,
        # Ours: the agent's leg failed after a plain accept of a call.
        "cancel": CANCELED,
    },
    WRAPPING: {"complete": COMPLETED},
    REJECTED: {},
    TIMEOUT: {},
    CANCELED: {},
    RESCINDED: {},
    COMPLETED: {},
}

#: The states that take a unit of the Worker's capacity.
LIVE = frozenset(state for state, moves in RESERVATION_MOVES.items() if moves)

#: Seconds an offer stands: Twilio's default and its maximum.
DEFAULT_TIMEOUT_SECONDS = 120
MAX_TIMEOUT_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    sid: str
    workspace_sid: str
    task_sid: str
    worker_sid: str
    #: The WorkerChannel whose capacity it takes.
    worker_channel_sid: str
    task_queue_sid: str
    workflow_sid: str | None
    reservation_status: str
    #: Why it was canceled, for people; None otherwise.
    reason: str | None
    #: When the offer times out; None while an instruction is being carried out, and afterwards.
    due_at: Instant | None
    #: Counts changes; the ETag.
    version: int
    created_at: Instant
    updated_at: Instant
    #: The Transfer by which the Task came to this Worker; None when it came from a queue.
    transfer_sid: str | None = None


def next_reservation_state(reservation: Reservation, move: str) -> str:
    """The state after `move`.

    Raises Gone for a rescinded Reservation that somebody still wants to accept, IllegalMove for any
    other pair that does not go together.
    """
    state = reservation.reservation_status
    try:
        return RESERVATION_MOVES[state][move]
    except KeyError:
        attempt = f"Cannot {move.replace('_', ' ')} reservation {reservation.sid}"
        because = f"it is {state}, not {' or '.join(_states_that_allow(move))}."
        if state == RESCINDED and move == "accept":
            raise Gone(f"{attempt} because {because}") from None
        raise IllegalMove(
            attempt, workspace_sid=reservation.workspace_sid, because=because
        ) from None


def _states_that_allow(move: str) -> list[str]:
    return [state for state, moves in RESERVATION_MOVES.items() if move in moves]
