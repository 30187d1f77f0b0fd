"""What happens to a Worker: created, changed, moved between Activities, deleted."""

from dataclasses import replace

from routing import reservation as reservation_states
from routing import sids
from routing.configuration import Configuration
from routing.engine import reservations
from routing.engine.journal import Subject, tell
from routing.engine.moves import changed_worker, locked_worker, move_worker
from routing.errors import InvalidParameter, NotFound, RoutingError
from routing.json_text import read_object
from routing.ports import Work
from routing.reservation import LIVE
from routing.worker import DEFAULT_CAPACITY, MAX_ATTRIBUTES_CHARACTERS, Worker, WorkerChannel
from routing.workspace import TaskChannel

MAX_CAPACITY = 1_000_000


def create(
    work: Work,
    *,
    workspace_sid: str,
    friendly_name: str,
    attributes: str = "{}",
    activity_sid: str | None = None,
) -> Worker:
    """A new Worker, with one WorkerChannel for each TaskChannel of the Workspace.

    Raises InvalidParameter for attributes that are no JSON object and for an unknown Activity,
    Conflict when the friendly name is taken, whatever its case.
    """
    configuration = work.configuration(workspace_sid)
    read_object(attributes, parameter="Attributes", limit=MAX_ATTRIBUTES_CHARACTERS)
    activity_sid = activity_sid or configuration.workspace.default_activity_sid
    if activity_sid is None or activity_sid not in configuration.activities:
        raise InvalidParameter("ActivitySid", "expected an Activity of this Workspace")
    worker = Worker(
        sid=sids.new_sid(sids.WORKER),
        workspace_sid=workspace_sid,
        friendly_name=friendly_name,
        attributes=attributes,
        activity_sid=activity_sid,
        status_changed_at=work.now,
        last_reserved_at=0,
        version=0,
        created_at=work.now,
        updated_at=work.now,
    )
    work.workers.add(worker)
    for channel in configuration.task_channels.values():
        add_channel(work, worker.sid, channel)
    tell(
        work,
        configuration,
        "worker.created",
        f"Worker {worker.friendly_name} created",
        Subject(worker=worker),
    )
    return worker


def add_channel(work: Work, worker_sid: str, channel: TaskChannel) -> None:
    work.worker_channels.add(
        WorkerChannel(
            sid=sids.new_sid(sids.WORKER_CHANNEL),
            workspace_sid=channel.workspace_sid,
            worker_sid=worker_sid,
            task_channel_sid=channel.sid,
            configured_capacity=DEFAULT_CAPACITY,
            assigned_tasks=0,
            available=True,
            last_reserved_at=0,
            created_at=work.now,
            updated_at=work.now,
        )
    )


def update(
    work: Work,
    *,
    workspace_sid: str,
    worker_sid: str,
    friendly_name: str | None = None,
    attributes: str | None = None,
    activity_sid: str | None = None,
    reject_pending_reservations: bool = False,
    if_match: int | None = None,
) -> Worker:
    """Changes a Worker. Moving it to an unavailable Activity keeps its pending Reservations, unless
    `reject_pending_reservations` says otherwise (which is refused for an available one).
    """
    configuration = work.configuration(workspace_sid)
    if attributes is not None:
        read_object(attributes, parameter="Attributes", limit=MAX_ATTRIBUTES_CHARACTERS)
    _check_activity(configuration, activity_sid, reject=reject_pending_reservations)
    if reject_pending_reservations:
        # Before the Worker is locked: rejecting locks Tasks first, as every verb does.
        for reservation in work.reservations.find(
            worker_sid=worker_sid, reservation_status=reservation_states.PENDING
        ):
            reservations.reject(work, reservation_sid=reservation.sid)
    worker = locked_worker(work, workspace_sid, worker_sid, if_match)
    columns: dict[str, object] = {}
    if friendly_name is not None:
        columns["friendly_name"] = friendly_name
    if attributes is not None and attributes != worker.attributes:
        columns["attributes"] = attributes
    if columns:
        worker = changed_worker(work, worker, **columns)
        tell(
            work,
            configuration,
            "worker.attributes.update",
            f"Worker {worker.friendly_name} attributes updated",
            Subject(worker=worker),
        )
    return move_worker(work, configuration, worker, activity_sid)


def _check_activity(
    configuration: Configuration, activity_sid: str | None, *, reject: bool
) -> None:
    if activity_sid is None:
        if reject:
            raise InvalidParameter(
                "RejectPendingReservations", "expected an unavailable ActivitySid beside it"
            )
        return
    if activity_sid not in configuration.activities:
        raise InvalidParameter("ActivitySid", "expected an Activity of this Workspace")
    if reject and configuration.is_available(activity_sid):
        raise InvalidParameter(
            "RejectPendingReservations", "expected an ActivitySid that is not available"
        )


def find(work: Work, *, workspace_sid: str, worker_sid: str) -> Worker:
    """The Worker of that Workspace; raises NotFound when there is none."""
    worker = work.workers.get(worker_sid)
    if worker is None or worker.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Workers/{worker_sid}")
    return worker


def find_channel(work: Work, *, workspace_sid: str, worker_sid: str, channel: str) -> WorkerChannel:
    """The Worker's channel by its own SID, its TaskChannel's SID or the unique name of that.

    Raises NotFound when the Worker or the channel is not there.
    """
    find(work, workspace_sid=workspace_sid, worker_sid=worker_sid)
    names = {
        task_channel.unique_name: task_channel.sid
        for task_channel in work.configuration(workspace_sid).task_channels.values()
    }
    for candidate in work.worker_channels.find(worker_sid=worker_sid):
        if channel in {candidate.sid, candidate.task_channel_sid} or (
            names.get(channel) == candidate.task_channel_sid
        ):
            return candidate
    raise NotFound(f"/Workspaces/{workspace_sid}/Workers/{worker_sid}/Channels/{channel}")


def set_channel(
    work: Work,
    *,
    workspace_sid: str,
    worker_sid: str,
    channel: str,
    capacity: int | None = None,
    available: bool | None = None,
) -> WorkerChannel:
    """Sets how much of a channel a Worker handles, or switches it on and off keeping that."""
    if capacity is not None and not 0 <= capacity <= MAX_CAPACITY:
        raise InvalidParameter("Capacity", f"expected a whole number from 0 to {MAX_CAPACITY}")
    configuration = work.configuration(workspace_sid)
    worker = locked_worker(work, workspace_sid, worker_sid)
    found = find_channel(work, workspace_sid=workspace_sid, worker_sid=worker_sid, channel=channel)
    previous = found.configured_capacity
    columns: dict[str, object] = {"updated_at": work.now}
    if capacity is not None:
        columns["configured_capacity"] = capacity
    if available is not None:
        columns["available"] = available
    work.worker_channels.change(found.sid, **columns)
    now = replace(found, **columns)  # type: ignore[arg-type]  # the names are the record's own
    # Each of the two events is one more version of the Worker, as Twilio's JavaScript SDK counts.
    changes = (now.configured_capacity != previous) + (now.available != found.available)
    if changes:
        work.workers.change(worker.sid, version=worker.version + changes)
        worker = replace(worker, version=worker.version + changes)
    if now.configured_capacity != previous:
        tell(
            work,
            configuration,
            "worker.capacity.update",
            f"Worker {worker.friendly_name} capacity updated",
            Subject(worker=worker, worker_channel=now),
            worker_channel_previous_capacity=str(previous),
        )
    if now.available != found.available:
        tell(
            work,
            configuration,
            "worker.channel.availability.update",
            f"Worker {worker.friendly_name} channel availability updated",
            Subject(worker=worker, worker_channel=now),
        )
    return now


def delete(work: Work, *, workspace_sid: str, worker_sid: str, if_match: int | None = None) -> None:
    """Removes a Worker who is not available and has no live Reservation."""
    worker = locked_worker(work, workspace_sid, worker_sid, if_match)
    configuration = work.configuration(workspace_sid)
    if configuration.is_available(worker.activity_sid):
        raise RoutingError(
            f"Cannot delete worker {worker_sid} while its Activity is available; "
            "move it to an unavailable Activity first."
        )
    if work.reservations.find(worker_sid=worker_sid, reservation_status=LIVE, limit=1):
        raise RoutingError(f"Cannot delete worker {worker_sid} while it has live Reservations.")
    tell(
        work,
        configuration,
        "worker.deleted",
        f"Worker {worker.friendly_name} deleted",
        Subject(worker=worker),
    )
    for reservation in work.reservations.find(worker_sid=worker_sid):
        work.reservations.remove(reservation.sid)
    for channel in work.worker_channels.find(worker_sid=worker_sid):
        work.worker_channels.remove(channel.sid)
    work.workers.remove(worker_sid)
