"""A Presence: an open socket whose Worker is to be put offline when it has gone.

It has a deadline while the socket is open, too, which whoever holds the socket moves on now and
then: should that process die, the Worker goes offline all the same.
"""

from dataclasses import dataclass

from routing.clock import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    sid: str
    workspace_sid: str
    worker_sid: str
    #: Where the Worker goes; None for the Workspace's own way of being offline.
    activity_sid: str | None
    #: When the Worker counts as gone.
    due_at: Instant
    created_at: Instant
    updated_at: Instant
