"""What each role may do through the REST door: one table, and what it takes besides.

A line names an operation by method and path, the roles that may, the parameters that they may give
and what has to be so: that the Worker or the Task is their own, that it waits. The first line that
fits lets a request through; where none does, the refusal says what the nearest one lacks. An admin
may do everything. Whatever is not here is allowed to nobody else.

Everybody but an admin is kept to their own Workspace by every line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from werkzeug.routing import Map, Rule

from routing.engine import tasks
from routing.errors import RoutingError
from routing.json_text import read_object
from routing.ports import Work
from routing.reservation import ACCEPTED, COMPLETED, WRAPPING
from routing.task import PENDING
from routing.user import ADMIN, AGENT, SUPERVISOR, User

#: Each parameter with everything that was given for it.
Given = Mapping[str, Sequence[str]]

#: Every parameter that the operation knows.
ANYTHING: Final = None
#: What an agent writes down about a Task of theirs.
NOTED: Final = frozenset({"disposition", "notes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as the table sees it."""

    user: User
    method: str
    #: Below /v1, with a slash before it.
    path: str
    given: Given
    #: What the path names.
    names: Mapping[str, str]


#: What is missing, or None where nothing is.
Condition = Callable[[Work, Asked], str | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Right:
    roles: frozenset[str]
    method: str
    path: str
    takes: frozenset[str] | None
    conditions: tuple[Condition, ...]
    #: Others' Attributes are no business of whoever asks: they are left out of the answer.
    hides_attributes: bool = False


class Missing(RoutingError):
    """The right that whoever asks does not have."""

    status = 403
    code = 20003


def own_worker(_work: Work, asked: Asked) -> str | None:
    if asked.names["worker_sid"] == asked.user.worker_sid:
        return None
    return "the Worker is not the user's own"


def own_task(work: Work, asked: Asked) -> str | None:
    """To look at: the Task was offered to the user's Worker once."""
    sid = asked.user.worker_sid
    task_sid = asked.names["task_sid"]
    if sid is not None and work.reservations.find(task_sid=task_sid, worker_sid=sid, limit=1):
        return None
    return "the Task was never offered to the user's Worker"


def held_task(work: Work, asked: Asked) -> str | None:
    """To change: the user's Worker has it."""
    held = asked.user.worker_sid is not None and work.reservations.find(
        task_sid=asked.names["task_sid"],
        worker_sid=asked.user.worker_sid,
        reservation_status=frozenset({ACCEPTED, WRAPPING}),
        limit=1,
    )
    return None if held else "the user's Worker does not have the Task"


def had_task(work: Work, asked: Asked) -> str | None:
    """To note down what came of it: the user's Worker has or had it (after-work may be cut off)."""
    had = asked.user.worker_sid is not None and work.reservations.find(
        task_sid=asked.names["task_sid"],
        worker_sid=asked.user.worker_sid,
        reservation_status=frozenset({ACCEPTED, WRAPPING, COMPLETED}),
        limit=1,
    )
    return None if had else "the user's Worker did not have the Task"


def own_or_waiting_task(work: Work, asked: Asked) -> str | None:
    task = work.tasks.get(asked.names["task_sid"])
    if task is not None and task.assignment_status == PENDING:
        return None
    return own_task(work, asked)


def those_that_wait(_work: Work, asked: Asked) -> str | None:
    statuses = _values(asked, "AssignmentStatus")
    return None if statuses == {PENDING} else f"expected AssignmentStatus={PENDING}"


def of_own_worker(_work: Work, asked: Asked) -> str | None:
    workers = _values(asked, "WorkerSid")
    return None if workers == {asked.user.worker_sid} else "expected WorkerSid of the user's own"


def ends_only(_work: Work, asked: Asked) -> str | None:
    if _values(asked, "AssignmentStatus") <= {"wrapping", "completed"}:
        return None
    return "expected AssignmentStatus=wrapping or completed"


def cancels_only(_work: Work, asked: Asked) -> str | None:
    if _values(asked, "AssignmentStatus") <= {"canceled"}:
        return None
    return "expected AssignmentStatus=canceled"


def notes_only(work: Work, asked: Asked) -> str | None:
    """Of the Attributes nothing else is changed."""
    texts = asked.given.get("Attributes", ())
    if not texts:
        return None
    task = tasks.find(
        work, workspace_sid=asked.names["workspace_sid"], task_sid=asked.names["task_sid"]
    )
    before = read_object(task.attributes, parameter="Attributes")
    after = read_object(texts[0], parameter="Attributes")
    changed = {
        name
        for name in before.keys() | after.keys()
        if name not in before or name not in after or before[name] != after[name]
    }
    if len(texts) == 1 and changed <= NOTED:
        return None
    return f"expected no other changes of Attributes than of {' and '.join(sorted(NOTED))}"


def supervises(_work: Work, asked: Asked) -> str | None:
    own = asked.user.worker_sid is not None
    if (
        own
        and _values(asked, "Instruction") == {"supervise"}
        and _values(asked, "Supervisor") == {asked.user.worker_sid}
    ):
        return None
    return "expected Instruction=supervise with the user's own Worker as Supervisor"


def _values(asked: Asked, name: str) -> set[str]:
    return {part.strip() for text in asked.given.get(name, ()) for part in text.split(",")}


_AGENTS: Final = frozenset({AGENT})
_BOTH: Final = frozenset({AGENT, SUPERVISOR})
_OVERSEERS: Final = frozenset({SUPERVISOR})
_WORKSPACE: Final = "/Workspaces/<workspace_sid>"
_WORKER: Final = f"{_WORKSPACE}/Workers/<worker_sid>"
_TASK: Final = f"{_WORKSPACE}/Tasks/<task_sid>"
#: Nothing else that may stand there, such as Statistics.
_SID: Final = "string(length=34):sid"
_PAGE: Final = ("PageSize", "Page", "PageToken")
_PERIOD: Final = ("Minutes", "StartDate", "EndDate", "TaskChannel")


def _may(
    roles: frozenset[str],
    method: str,
    path: str,
    takes: Sequence[str] | None = (),
    *conditions: Condition,
    hides_attributes: bool = False,
) -> Right:
    return Right(
        roles=roles,
        method=method,
        path=path,
        takes=None if takes is None else frozenset(takes),
        conditions=conditions,
        hides_attributes=hides_attributes,
    )


RIGHTS: Final = (
    # How the Workspace is set up, as far as whoever takes calls has to know.
    _may(_BOTH, "GET", _WORKSPACE),
    _may(_BOTH, "GET", f"{_WORKSPACE}/Activities", ("FriendlyName", "Available", *_PAGE)),
    _may(_BOTH, "GET", f"{_WORKSPACE}/Activities/<{_SID}>"),
    _may(_BOTH, "GET", f"{_WORKSPACE}/TaskChannels", _PAGE),
    _may(_BOTH, "GET", f"{_WORKSPACE}/TaskChannels/<sid>"),
    _may(_BOTH, "GET", f"{_WORKSPACE}/TaskQueues", ("FriendlyName", "Ordering", *_PAGE)),
    _may(_BOTH, "GET", f"{_WORKSPACE}/TaskQueues/<{_SID}>"),
    # The directory: names and activities.
    _may(
        _AGENTS,
        "GET",
        f"{_WORKSPACE}/Workers",
        ("FriendlyName", "ActivityName", "ActivitySid", "Available", "Ordering", *_PAGE),
        hides_attributes=True,
    ),
    # One's own Worker.
    _may(_BOTH, "GET", _WORKER, (), own_worker),
    _may(_BOTH, "POST", _WORKER, ("ActivitySid", "RejectPendingReservations"), own_worker),
    _may(_BOTH, "GET", f"{_WORKER}/Channels", _PAGE, own_worker),
    _may(_BOTH, "GET", f"{_WORKER}/Channels/<sid>", (), own_worker),
    _may(_BOTH, "POST", f"{_WORKER}/Channels/<sid>", ("Available",), own_worker),
    _may(_BOTH, "GET", f"{_WORKER}/Reservations", ("ReservationStatus", *_PAGE), own_worker),
    _may(_BOTH, "GET", f"{_WORKER}/Reservations/<sid>", (), own_worker),
    _may(_BOTH, "POST", f"{_WORKER}/Reservations/<sid>", ANYTHING, own_worker),
    _may(_BOTH, "GET", f"{_WORKER}/Statistics", _PERIOD, own_worker),
    _may(
        _BOTH,
        "GET",
        f"{_WORKSPACE}/Events",
        ("WorkerSid", "TaskSid", "ReservationSid", "EventType", *_PERIOD, *_PAGE),
        of_own_worker,
    ),
    # Tasks that one has, or might take.
    _may(
        _BOTH,
        "GET",
        f"{_WORKSPACE}/Tasks",
        ("AssignmentStatus", "TaskQueueSid", "TaskQueueName", "Priority", "Ordering", *_PAGE),
        those_that_wait,
    ),
    _may(_BOTH, "GET", _TASK, (), own_or_waiting_task),
    _may(_BOTH, "GET", f"{_TASK}/Reservations", ("ReservationStatus", *_PAGE), own_task),
    _may(_BOTH, "GET", f"{_TASK}/Explanation", (), own_or_waiting_task),
    _may(_BOTH, "POST", _TASK, ("AssignmentStatus", "Reason"), held_task, ends_only),
    _may(_BOTH, "POST", _TASK, ("Attributes",), had_task, notes_only),
    # The call of a Task that one has.
    _may(_BOTH, "GET", f"{_TASK}/Conference", (), held_task),
    _may(_BOTH, "POST", f"{_TASK}/Conference", ANYTHING, held_task),
    _may(_BOTH, "POST", f"{_TASK}/Conference/<path:part>", ANYTHING, held_task),
    _may(_BOTH, "DELETE", f"{_TASK}/Conference/<path:part>", ANYTHING, held_task),
    # A supervisor sees everything, and changes how it runs.
    _may(_OVERSEERS, "GET", f"{_WORKSPACE}/<path:anything>", ANYTHING),
    _may(_OVERSEERS, "POST", f"{_WORKSPACE}/TaskQueues/RealTimeStatistics", ANYTHING),
    _may(_OVERSEERS, "POST", f"{_WORKSPACE}/Workflows/Test", ANYTHING),
    _may(_OVERSEERS, "POST", _WORKER, ("ActivitySid", "RejectPendingReservations")),
    _may(_OVERSEERS, "POST", f"{_WORKER}/Channels/<sid>", ("Capacity", "Available")),
    _may(
        _OVERSEERS,
        "POST",
        _TASK,
        ("Priority", "Attributes", "ReEvaluateTasks", "TaskQueueSid", "AssignmentStatus", "Reason"),
        cancels_only,
    ),
    _may(
        _OVERSEERS,
        "POST",
        f"{_TASK}/Reservations/<sid>",
        ("Instruction", "Supervisor", "SupervisorMode", "To"),
        supervises,
    ),
)


def _map(rights: Sequence[Right]) -> Map:
    return Map(
        [Rule(right.path, endpoint=right, methods=[right.method]) for right in rights],
        merge_slashes=False,
        redirect_defaults=False,
    )


#: Each line by itself: of several that fit a path, each has to be looked at.
_LINES: Final = tuple((right, _map((right,)).bind("")) for right in RIGHTS)


def right_to(work: Work, *, user: User, method: str, path: str, given: Given) -> Right | None:
    """The line that allows it; None for an admin, who needs none. Raises Missing."""
    if path.endswith("/EventStream"):
        # It would hold a thread for ever, and outlive the session.
        raise Missing(f"Forbidden: events are followed at the realtime server ({path})")
    if user.role == ADMIN:
        return None
    why = f"the role {user.role} may not {method} this"
    for right, adapter in _LINES:
        if user.role not in right.roles or not adapter.test(path, method):
            continue
        _, names = adapter.match(path, method)
        asked = Asked(user=user, method=method, path=path, given=given, names=names)
        lacking = _lacking(work, right, asked)
        if lacking is None:
            return right
        why = lacking
    raise Missing(f"Forbidden: {why} ({method} {path})")


def _lacking(work: Work, right: Right, asked: Asked) -> str | None:
    if asked.names["workspace_sid"] != asked.user.workspace_sid:
        return "the Workspace is not the user's own"
    for condition in right.conditions:
        lacking = condition(work, asked)
        if lacking is not None:
            return lacking
    beyond = set() if right.takes is None else asked.given.keys() - right.takes
    if beyond:
        return f"the role {asked.user.role} may not give {', '.join(sorted(beyond))} here"
    return None
