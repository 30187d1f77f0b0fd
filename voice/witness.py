"""When a webhook was last believed, and when and why one was refused: in this process, since it
started. For whoever sets up the connection; nothing is decided by it.
"""

from dataclasses import dataclass

from routing.clock import Clock, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    since: Instant
    believed_at: Instant | None = None
    refused_at: Instant | None = None
    #: Why the last one was refused; nothing of what it said.
    why: str | None = None


class Witness:
    """Each field is written whole, so threads need no lock: the last one counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.now()
        self._believed_at: Instant | None = None
        self._refused: tuple[Instant, str] | None = None

    def believed(self) -> None:
        self._believed_at = self._clock.now()

    def refused(self, why: str) -> None:
        self._refused = (self._clock.now(), why)

    @property
    def seen(self) -> Seen:
        at, why = self._refused or (None, None)
        return Seen(since=self._since, believed_at=self._believed_at, refused_at=at, why=why)
