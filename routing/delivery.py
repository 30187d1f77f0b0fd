"""A callback that somebody outside is owed: which event, where to, and how far it got."""

from dataclasses import dataclass

from routing.clock import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    sid: str
    workspace_sid: str
    #: event or assignment.
    kind: str
    event_sid: str | None
    reservation_sid: str | None
    url: str
    #: pending, delivered or dead.
    state: str
    attempts: int
    #: When to try next; None once it is delivered or dead.
    due_at: Instant | None
    leased_until: Instant | None
    last_status: int | None
    last_error: str | None
    created_at: Instant
    updated_at: Instant
