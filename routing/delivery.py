"""A callback that somebody outside is owed: of which event, where to, and how far it got."""

from dataclasses import dataclass
from typing import Final

from routing.clock import Instant

#: It is still to arrive.
PENDING: Final = "pending"
#: The receiver has confirmed it.
DELIVERED: Final = "delivered"
#: Given up: seen by people, and sent again when they say so.
DEAD: Final = "dead"
#: An assignment callback whose Reservation was over before anybody could be asked.
SKIPPED: Final = "skipped"
STATES: Final = (PENDING, DELIVERED, DEAD, SKIPPED)

#: What happened in a Workspace, told to its EventCallbackUrl.
EVENT: Final = "event"
#: What to do with a Reservation, asked of its Workflow's AssignmentCallbackUrl.
ASSIGNMENT: Final = "assignment"
#: What the network told of a call, told on to the URL that an instruction named.
RELAY: Final = "relay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    #: The event's SID (a Reservation's for an assignment) with other letters before it, so that the
    #: same thing is never owed twice.
    sid: str
    #: It may outlive its Workspace: that one's deletion is told, too.
    workspace_sid: str
    #: event, assignment or relay.
    kind: str
    #: The event's; of a relay, the row's that keeps what is told.
    event_sid: str
    #: The event's place in the log. Of one `order_key` the lower one arrives first.
    position: int
    order_key: str
    #: Kind and origin (scheme, host, port): what shares one limit of requests at a time.
    receiver: str
    reservation_sid: str | None
    url: str
    #: pending, delivered, dead or skipped.
    state: str
    #: How often it was tried.
    attempts: int
    #: When to try next; None once it is over.
    due_at: Instant | None
    #: Whoever tries it has it until then; None when nobody does.
    leased_until: Instant | None
    #: When it is given up.
    give_up_at: Instant
    #: When a row that is over may be deleted; None while it is pending.
    kept_until: Instant | None
    #: The HTTP status that the last try was answered with; None where no answer came.
    last_status: int | None
    #: What was wrong with the last try, for people; None when nothing was.
    last_error: str | None
    created_at: Instant
    updated_at: Instant
