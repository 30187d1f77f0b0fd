"""Who wants to hear of what, as the tables say: kept in memory, read again after each change.

From it follows which events concern the callbacks at all: where nobody has given a URL, next to
none, and nobody is woken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from routing.delivery import ASSIGNMENT, EVENT
from routing.engine import Engine
from routing.errors import NotFound
from routing.events import CATALOGUE, Event
from routing.ports import Work

#: The events after which a URL may be another one.
CHANGES: Final = frozenset(
    {
        "workspace.created",
        "workspace.updated",
        "workspace.deleted",
        "workflow.created",
        "workflow.updated",
        "workflow.deleted",
    }
)
_OFFERED: Final = "reservation.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What one Workspace wants."""

    event_url: str
    #: The types that it wants; None for all.
    types: frozenset[str] | None
    #: {Workflow: its AssignmentCallbackUrl}, of those that have one.
    assignment_urls: Mapping[str, str]

    @property
    def is_nothing(self) -> bool:
        return not self.event_url and not self.assignment_urls

    def concerns(self) -> frozenset[str]:
        types = (self.types or frozenset(CATALOGUE)) if self.event_url else frozenset()
        return types | {_OFFERED} if self.assignment_urls else types


class Rules:
    """Used by one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wanted: dict[str, _Wanted] = {}

    def load(self) -> None:
        """Reads what all Workspaces want."""
        found = self._engine.read(_all)
        self._wanted = {sid: wanted for sid, wanted in found.items() if not wanted.is_nothing}

    def concerns(self) -> frozenset[str]:
        """The types of events that anybody wants, and those after which that may be otherwise."""
        return CHANGES.union(*(wanted.concerns() for wanted in self._wanted.values()))

    def look_again(self, workspace_sid: str) -> None:
        """The Workspace has changed. What a deleted one wanted stays until `forget`."""
        try:
            wanted = self._engine.read(_of_one, workspace_sid)
        except NotFound:
            return
        self._wanted.pop(workspace_sid, None)
        if not wanted.is_nothing:
            self._wanted[workspace_sid] = wanted

    def forget(self, workspace_sid: str) -> None:
        self._wanted.pop(workspace_sid, None)

    def owed(self, event: Event) -> Iterator[tuple[str, str]]:
        """The kinds and URLs of the callbacks that the event is owed to."""
        wanted = self._wanted.get(event.workspace_sid)
        if wanted is None:
            return
        if event.type == _OFFERED and event.workflow_sid is not None:
            url = wanted.assignment_urls.get(event.workflow_sid)
            if url is not None:
                yield ASSIGNMENT, url
        if wanted.event_url and (wanted.types is None or event.type in wanted.types):
            yield EVENT, wanted.event_url


def _all(work: Work) -> dict[str, _Wanted]:
    return {each.sid: _of_one(work, each.sid) for each in work.workspaces.find()}


def _of_one(work: Work, workspace_sid: str) -> _Wanted:
    configuration = work.configuration(workspace_sid)
    workspace = configuration.workspace
    words = [word.strip() for word in (workspace.events_filter or "").split(",")]
    types = frozenset(word for word in words if word)
    return _Wanted(
        event_url=workspace.event_callback_url,
        types=types or None,
        assignment_urls={
            workflow.sid: workflow.assignment_callback_url
            for workflow in configuration.workflows.values()
            if workflow.assignment_callback_url
        },
    )
