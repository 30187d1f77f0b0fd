"""First the answer, then the event: what an application has asked for itself is told it last.

The SDK's own users begin to listen for an event once the request that causes it has been answered.
The answer and the events go over different connections, maybe from different processes; so events
that a request to the bridge causes are marked, and whoever sends them waits a moment. The offer of
a Task that a Worker has made for itself comes from the router, which knows nothing of that: it
waits as long after the Task was made.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from routing.engine import Engine
from routing.events import Event
from routing.ports import Work

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

#: Milliseconds after an event's own instant before which a marked one is not sent. An answer takes
#: a few of them; the rest is for a client that is busy.
LAG_MS: Final = 150
#: The key of the mark in an event's picture.
MARK: Final = "answered_first"


def is_marked(event: Event) -> bool:
    return event.picture is not None and MARK in event.picture


class AnswerFirst(Engine):
    """An Engine whose verbs mark the events that they emit."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.store, engine.clock)

    def perform(
        self,
        verb: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        return self.store.perform(lambda work: verb(_marking(work), *args, **kwargs))

    def add(
        self,
        verb: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        return self.store.perform(
            lambda work: verb(_marking(work), *args, **kwargs), only_adds=True
        )


class _Marking:
    """A unit of work, but for the mark on what it emits."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    def emit(self, event: Event) -> None:
        if event.picture is not None:
            event = replace(event, picture={**event.picture, MARK: True})
        self._work.emit(event)


def _marking(work: Work) -> Work:
    return cast("Work", _Marking(work))
