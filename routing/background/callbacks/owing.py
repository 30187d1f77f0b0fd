"""The follower of the log: what happened becomes rows of what is owed to whom."""

from collections.abc import Callable, Sequence
from typing import Final

from routing.background.callbacks.rules import CHANGES, Rules
from routing.clock import SECOND
from routing.delivery import Delivery
from routing.engine import Engine, deliveries
from routing.errors import Conflict
from routing.events import Event

_DELETED: Final = "workspace.deleted"


class Owing:
    """Reads events, writes Deliveries; to the same event twice the same as to once."""

    def __init__(
        self,
        engine: Engine,
        *,
        give_up_seconds: int,
        concern: Callable[[frozenset[str]], None],
    ) -> None:
        """`concern` is told which types of events it wants to be given from now on."""
        self._engine = engine
        self._give_up = give_up_seconds * SECOND
        self._rules = Rules(engine)
        self._concern = concern
        self._concerns: frozenset[str] = frozenset()

    def start(self) -> None:
        """Reads who wants what, before the first event."""
        self._rules.load()
        self._tell_concerns()

    def follow(self, events: Sequence[Event]) -> int:
        """Writes what the events are owed to; how many it has dealt with, from the first one on.

        Where one of them changes what concerns it, the rest must be read again.
        """
        dealt, owed = 0, list[Delivery]()
        for event in events:
            dealt += 1
            if event.type in CHANGES:
                self._rules.look_again(event.workspace_sid)
            owed += self._owed(event)
            if event.type == _DELETED:
                self._rules.forget(event.workspace_sid)
            if event.type in CHANGES and self._rules.concerns() != self._concerns:
                break
        if owed:
            self._write(owed)
        self._tell_concerns()
        return dealt

    def _owed(self, event: Event) -> list[Delivery]:
        give_up_at = event.occurred_at + self._give_up
        now = self._engine.clock.now()
        if give_up_at <= now:
            return []
        return [
            deliveries.of_event(event, kind, url, now=now, give_up_at=give_up_at)
            for kind, url in self._rules.owed(event)
        ]

    def _write(self, owed: list[Delivery]) -> None:
        try:
            self._engine.add(deliveries.owe, owed)
        except Conflict:  # another process follows the same log, and was faster
            self._engine.add(deliveries.owe, owed)

    def _tell_concerns(self) -> None:
        concerns = self._rules.concerns()
        if concerns != self._concerns:
            self._concern(concerns)
            self._concerns = concerns
