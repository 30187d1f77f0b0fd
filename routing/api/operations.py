"""What the resource files share: an operation is a path, what it takes, and a view.

A resource file makes a `Resource`, adds its operations to it under Twilio's own names for them, and
knows nothing of the others; `door` puts them all on one blueprint. Views are plain functions of the
Door (engine and representation), their parameters and the SIDs in the path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

import msgspec
from flask import Response

from routing.api.parameters import Given, Parameters
from routing.api.representation import Body, Representation
from routing.api.streams import Streams
from routing.configuration import Configuration
from routing.engine import Engine
from routing.ports import SigningKeys, Work

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """What the REST door is told by the composition root."""

    account_sid: str
    #: Any of them opens the door: one, or the old and the new while one replaces the other.
    auth_tokens: tuple[str, ...]
    #: Where clients reach the server; links and pages are told from there.
    public_url: str
    #: What one set of credentials may ask for in the long run; 0 for no limit.
    requests_per_second: int = 0
    #: API keys open the door, too.
    signing_keys: SigningKeys | None = None
    #: How many days back statistics may be asked for.
    statistics_days: int = 3650
    #: Of how many Workers of a Workspace worker statistics are told at most.
    statistics_workers: int = 100_000
    streams: Streams = field(default_factory=Streams)


@dataclass(frozen=True, slots=True, kw_only=True)
class InWorkspace(Generic[Result]):
    """What a verb or query returned, with how its Workspace was set up at that moment."""

    result: Result
    configuration: Configuration


class Door:
    """What a view may use."""

    def __init__(self, engine: Engine, settings: RestSettings) -> None:
        self.engine = engine
        self.settings = settings
        self.streams = settings.streams
        self.represent = Representation(settings.account_sid, settings.public_url)

    def by(self, actor: Mapping[str, str]) -> "Door":
        """The same door for somebody of whom the events are to tell."""
        door = Door(self.engine.by(actor), self.settings)
        door.represent = self.represent
        return door

    def perform(
        self,
        verb: Callable[Concatenate[Work, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> InWorkspace[Result]:
        """Runs a verb of the engine in a transaction; `workspace_sid` is among its arguments.

        Raises NotFound when there is no such Workspace.
        """
        return self.engine.perform(_both, verb, args, kwargs)

    def add(
        self,
        verb: Callable[Concatenate[Work, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> InWorkspace[Result]:
        """The same for a verb that adds rows, and neither locks nor changes any."""
        return self.engine.add(_both, verb, args, kwargs)

    def read(
        self,
        query: Callable[Concatenate[Work, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> InWorkspace[Result]:
        """The same for what only reads."""
        return self.engine.read(_as_set_up, query, args, kwargs)

    def fetch(
        self,
        query: Callable[Concatenate[Work, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> InWorkspace[Result]:
        """The same for what reads one row: the least that an answer can cost.

        The Workspace is read after the row, so that it knows all that the row names.
        """
        return self.engine.glance(_and_set_up, query, args, kwargs)


def _both(
    work: Work,
    verb: Callable[..., Result],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> InWorkspace[Result]:
    workspace_sid: str = kwargs["workspace_sid"]
    work.foresee_configuration(workspace_sid)
    if "reservation_sid" in kwargs:
        work.reservations.foresee(kwargs["reservation_sid"])
    work.configuration(workspace_sid)  # an unknown Workspace is the first thing to say
    result = verb(work, *args, **kwargs)
    return InWorkspace(result=result, configuration=work.configuration(workspace_sid))


def _as_set_up(
    work: Work,
    query: Callable[..., Result],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> InWorkspace[Result]:
    configuration = work.configuration(kwargs["workspace_sid"])
    return InWorkspace(result=query(work, *args, **kwargs), configuration=configuration)


def _and_set_up(
    work: Work,
    query: Callable[..., Result],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> InWorkspace[Result]:
    work.bring_workspace()
    result = query(work, *args, **kwargs)
    return InWorkspace(result=result, configuration=work.configuration(kwargs["workspace_sid"]))


View = Callable[..., Response]

#: By the first word of an operation's name.
_STATUSES: Final = {"Create": 201, "Delete": 204}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    #: Twilio's operationId.
    name: str
    method: str
    path: str
    takes: type[Parameters]
    view: View
    #: The status of an answer that is no refusal.
    status: int
    content_type: str = "application/json"
    #: It looks at If-Match.
    has_version: bool = False
    #: Twilio has no such operation.
    is_extension: bool = False


def _status(name: str) -> int:
    return next((status for word, status in _STATUSES.items() if name.startswith(word)), 200)


class Resource:
    """The operations of one file."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def operation(
        self, name: str, method: str, path: str, takes: type[Given], **more: Any
    ) -> Callable[
        [Callable[Concatenate[Door, Given, ...], Response]],
        Callable[Concatenate[Door, Given, ...], Response],
    ]:
        """Adds a view under Twilio's name for it; `more` are further fields of an Operation."""

        def add(
            view: Callable[Concatenate[Door, Given, ...], Response],
        ) -> Callable[Concatenate[Door, Given, ...], Response]:
            more.setdefault("status", _status(name))
            self.operations.append(
                Operation(
                    name=name,
                    method=method,
                    path=path,
                    takes=takes,
                    view=view,
                    **more,
                )
            )
            return view

        return add


def answer(body: Body, status: int = 200, *, version: int | None = None) -> Response:
    """A resource as JSON; `version` is its entity tag, where it has one."""
    response = Response(msgspec.json.encode(body), status=status, mimetype="application/json")
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
    return response


def created(body: Body, *, version: int | None = None) -> Response:
    return answer(body, 201, version=version)


def deleted() -> Response:
    return Response(status=204)
