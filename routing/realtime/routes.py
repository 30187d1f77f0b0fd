"""What the SDK may ask the event bridge for, and who may: one line for each request it makes.

Each route names the view that carries it out (the REST door's, wherever there is one), the
parameters that it passes on, the roles that may use it and what has to be the Worker's own.
Parameters that are not named are ignored: the SDK sends options it does not know along.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.routing import Map, Rule

from routing.api import conferences, deliveries, event_stream
from routing.api import door as rest
from routing.api.operations import Operation
from routing.api.tokens import ADMIN_ROLE, SUPERVISOR_ROLE, WORKER_ROLE
from routing.realtime import participants, reading, transfers

#: What has to be the Worker's own, for those whose role reaches no further.
NOTHING: Final = "nothing"
WORKER: Final = "the Worker in the path"
TASK: Final = "a live Reservation of the Task in the path, or of the one that TaskSid names"
SEEN_TASK: Final = "a Reservation of that Task, be it over, or the Task itself as its target"
WORKER_AND_TASK: Final = "both of these"
CONVERSATION: Final = "an accepted or wrapping Reservation of the Task in the path"
TARGET: Final = "the RoutingTarget"
SUPERVISOR: Final = "the Supervisor"

_EVERYBODY: Final = frozenset({WORKER_ROLE, SUPERVISOR_ROLE, ADMIN_ROLE})
_AGENTS: Final = frozenset({WORKER_ROLE, SUPERVISOR_ROLE})
_OVERSEERS: Final = frozenset({SUPERVISOR_ROLE, ADMIN_ROLE})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    operation: Operation
    roles: frozenset[str]
    #: What it must be of one's own, and the roles for which it need not be.
    own: str
    reaching: frozenset[str]
    takes: frozenset[str]
    #: {the SDK's name of a parameter: ours}, where they differ.
    renames: Mapping[str, str]


_OPERATIONS: Final = {
    operation.name: operation
    for operation in (
        *rest.OPERATIONS,
        *reading.resource.operations,
        *transfers.resource.operations,
        *participants.resource.operations,
        *conferences.resource.operations,
    )
}
_WORKSPACE: Final = "/Workspaces/<workspace_sid>"
_WORKER: Final = f"{_WORKSPACE}/Workers/<worker_sid>"
_TASK: Final = f"{_WORKSPACE}/Tasks/<task_sid>"
_PAGE: Final = ("PageSize", "PageToken", "Ordering")

_rules: list[Rule] = []


def _route(
    path: str,
    name: str,
    takes: tuple[str, ...] = (),
    *,
    roles: frozenset[str] = _AGENTS,
    own: str = NOTHING,
    reaching: frozenset[str] = frozenset(),
    renames: Mapping[str, str] | None = None,
) -> None:
    operation = _OPERATIONS[name]
    route = Route(
        operation=operation,
        roles=roles,
        own=own,
        reaching=reaching,
        takes=frozenset(takes),
        renames=renames or {},
    )
    _rules.append(Rule(path, endpoint=route, methods=[operation.method]))


def _all_of(name: str) -> tuple[str, ...]:
    """Every parameter that the operation knows."""
    return tuple(_OPERATIONS[name].takes.__struct_encode_fields__)


_route(_WORKER, "FetchWorker", roles=_EVERYBODY, own=WORKER, reaching=_OVERSEERS)
_route(
    _WORKER,
    "UpdateWorker",
    ("ActivitySid", "Attributes", "RejectPendingReservations"),
    own=WORKER,
    reaching=_OVERSEERS,
)
_route(f"{_WORKSPACE}/Activities", "ListActivity", _PAGE[:2], roles=_EVERYBODY)
_route(f"{_WORKSPACE}/Activities/<activity_sid>", "FetchActivity", roles=_EVERYBODY)
for _folder in ("WorkerChannels", "Channels"):
    _route(
        f"{_WORKER}/{_folder}",
        "ListWorkerChannel",
        _PAGE[:2],
        roles=_EVERYBODY,
        own=WORKER,
        reaching=_OVERSEERS,
    )
_route(
    f"{_WORKER}/Reservations",
    "ListReservationWithTask",
    ("Active", "ReservationStatus", *_PAGE[:2]),
    roles=_EVERYBODY,
    own=WORKER,
    reaching=_OVERSEERS,
)
_route(
    f"{_WORKER}/Reservations/<reservation_sid>",
    "FetchReservationWithTask",
    roles=_EVERYBODY,
    own=WORKER,
    reaching=_OVERSEERS,
)
_route(
    f"{_WORKER}/Reservations/<reservation_sid>",
    "UpdateWorkerReservation",
    _all_of("UpdateWorkerReservation"),
    own=WORKER,
    renames={"DequeueStatusCallbackEvents": "DequeueStatusCallbackEvent"},
)
_route(
    f"{_WORKSPACE}/Tasks",
    "CreateTask",
    (
        "Attributes",
        "WorkflowSid",
        "TaskQueueSid",
        "RoutingTarget",
        "TaskChannel",
        "VirtualStartTime",
        "Priority",
        "Timeout",
    ),
    own=TARGET,
    renames={"TaskChannelUniqueName": "TaskChannel", "TaskChannelSid": "TaskChannel"},
)
_route(_TASK, "FetchTask", roles=_EVERYBODY, own=SEEN_TASK, reaching=_OVERSEERS)
_route(
    _TASK,
    "UpdateTask",
    ("AssignmentStatus", "Reason", "Attributes", "VirtualStartTime"),
    own=TASK,
)
_route(
    f"{_WORKER}/WorkerParticipant",
    "UpdateWorkerParticipant",
    _all_of("UpdateWorkerParticipant"),
    own=WORKER,
)
for _folder, _name in (
    ("CustomerParticipant", "UpdateCustomerParticipant"),
    ("HoldWorkerParticipant", "HoldWorkerParticipant"),
    ("KickWorkerParticipant", "KickWorkerParticipant"),
):
    _route(f"{_WORKER}/{_folder}", _name, _all_of(_name), own=WORKER_AND_TASK)
_route(f"{_WORKER}/Transfers", "CreateTransfer", _all_of("CreateTransfer"), own=WORKER)
_route(
    f"{_WORKER}/Transfers/<transfer_sid>",
    "UpdateTransfer",
    _all_of("UpdateTransfer"),
    own=WORKER,
)
_route(
    f"{_TASK}/Reservations/<reservation_sid>",
    "UpdateTaskReservation",
    _all_of("UpdateTaskReservation"),
    roles=frozenset({SUPERVISOR_ROLE}),
    own=SUPERVISOR,
)
_route(
    f"{_WORKSPACE}/Workers",
    "ListWorker",
    ("FriendlyName", "ActivitySid", "ActivityName", "TargetWorkersExpression", *_PAGE),
    roles=_OVERSEERS,
)
_route(
    f"{_WORKSPACE}/TaskQueues",
    "ListTaskQueue",
    ("FriendlyName", "WorkerSid", *_PAGE),
    roles=_OVERSEERS,
)
_route(f"{_WORKSPACE}/TaskQueues/<task_queue_sid>", "FetchTaskQueue", roles=_OVERSEERS)

_route(
    f"{_TASK}/Conference",
    "FetchTaskConference",
    roles=_EVERYBODY,
    own=SEEN_TASK,
    reaching=_OVERSEERS,
)
for _folder, _name in (
    ("", "UpdateTaskConference"),
    ("/Recording", "RecordTaskConference"),
    ("/Digits", "PressTaskConferenceKeys"),
    ("/Participants", "CreateTaskConferenceParticipant"),
    ("/Participants/<participant_sid>", "UpdateTaskConferenceParticipant"),
):
    _route(f"{_TASK}/Conference{_folder}", _name, _all_of(_name), own=CONVERSATION)

#: The current SDK's requests, by path (below the version, with a slash before it) and method.
ROUTES: Final = Map(_rules, merge_slashes=False)

#: What is ours and not Twilio's: no policy of Twilio's means it, and a stream would never end.
_OURS: Final = frozenset(
    operation.name
    for room in (conferences, deliveries, event_stream)
    for operation in room.resource.operations
)


@functools.cache
def legacy_routes() -> Map:
    """The legacy SDK's: whatever REST has, within its token's policies.

    Made when the first of them asks; a start need not wait for it.
    """
    return Map(
        [
            Rule(operation.path, endpoint=operation, methods=[operation.method])
            for operation in rest.OPERATIONS
            if not operation.is_extension and operation.name not in _OURS
        ],
        merge_slashes=False,
    )
