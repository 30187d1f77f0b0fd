"""Handing a Task on: by the Worker who has it, to another Worker or to a TaskQueue.

Warm, the first Worker stays with the Task until they wrap up or complete their own Reservation;
cold, that Reservation begins to wrap up at once. Whoever is asked gets a Reservation of their own,
with capacity of their own; the first one's capacity comes back when their Reservation is completed.
A Task is handed on at most once at a time.
"""

from routing import sids
from routing import transfer as states
from routing.configuration import Configuration
from routing.engine import handing_over, outside, placement, reservations
from routing.engine.journal import Subject
from routing.engine.moves import changed_task, locked_task
from routing.errors import InvalidParameter, NotFound, RoutingError
from routing.json_text import read_object
from routing.ports import Work
from routing.reservation import ACCEPTED, LIVE, Reservation
from routing.task import ASSIGNED, MAX_ATTRIBUTES_CHARACTERS, MAX_PRIORITY, Task
from routing.transfer import Transfer

#: Why offers are taken back when their Transfer is canceled.
CALLED_OFF = "the transfer was canceled"


class Unreachable(RoutingError):
    """The Worker to whom the Task should go cannot have it now."""


def initiate(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    reservation_sid: str,
    to: str,
    mode: str = states.WARM,
    attributes: str | None = None,
    priority: int | None = None,
) -> Transfer:
    """Hands the Task on to the Worker or TaskQueue `to`; `reservation_sid` is who hands it on.

    A Worker is offered the Task at once and must be able to have it; in a TaskQueue the router
    looks for somebody, and those who decline are followed by others. `attributes` replace the
    Task's, `priority` its place in line. Raises InvalidParameter naming what is wrong, Unreachable
    for a Worker who is not available or has no capacity, RoutingError when the Task is being handed
    on already or the Reservation is not accepted.
    """
    task = locked_task(work, workspace_sid, task_sid)
    configuration = work.configuration(workspace_sid)
    initiator = _initiator(work, task, reservation_sid)
    kind = _kind_of(configuration, to)
    columns = _checked(mode, attributes, priority)
    transfer = Transfer(
        sid=sids.new_sid(sids.TRANSFER),
        workspace_sid=workspace_sid,
        task_sid=task_sid,
        initiating_reservation_sid=initiator.sid,
        initiating_worker_sid=initiator.worker_sid,
        initiating_queue_sid=task.task_queue_sid or initiator.task_queue_sid,
        initiating_workflow_sid=task.workflow_sid,
        transfer_mode=mode,
        transfer_type=kind,
        transfer_to=to,
        transfer_status=states.INITIATED,
        transfer_failed_reason=None,
        created_at=work.now,
        updated_at=work.now,
    )
    work.transfers.add(transfer)
    columns |= {"transfer_sid": transfer.sid, "routing_target": None, "ignore_capacity": False}
    if kind == states.TO_QUEUE:
        columns |= {
            "task_queue_sid": to,
            "queue_entered_at": work.now,
            "filter_index": None,
            "target_index": None,
        }
    task = changed_task(work, task, **columns)
    handing_over.tell_transfer(work, configuration, "initiated", task, transfer)
    if kind == states.TO_WORKER:
        _offer(work, task, to)
    if mode == states.COLD:
        _leave(work, configuration, initiator)
    if kind == states.TO_QUEUE:
        now = work.tasks.get(task_sid) or task
        placement.tell_queue(work, configuration, Subject(task=now))
    return transfer


def _initiator(work: Work, task: Task, reservation_sid: str) -> Reservation:
    """The accepted Reservation of the Task; raises where it cannot be handed on by it now."""
    if task.transfer_sid is not None or outside.is_awaited(work, task.sid):
        raise RoutingError(f"Task {task.sid} is being transferred already.")
    if task.assignment_status != ASSIGNED:
        raise RoutingError(f"Cannot transfer task {task.sid} because it is not currently assigned.")
    reservation = work.reservations.get(reservation_sid, lock=True)
    if reservation is None or reservation.task_sid != task.sid:
        raise InvalidParameter("ReservationSid", "expected a Reservation of the Task")
    if reservation.reservation_status != ACCEPTED:
        raise InvalidParameter("ReservationSid", "expected one that is accepted")
    return reservation


def _kind_of(configuration: Configuration, to: str) -> str:
    if sids.is_sid(to, sids.WORKER):
        return states.TO_WORKER
    if to in configuration.task_queues:
        return states.TO_QUEUE
    raise InvalidParameter("To", "expected the SID of a Worker or TaskQueue of this Workspace")


def _checked(mode: str, attributes: str | None, priority: int | None) -> dict[str, object]:
    columns: dict[str, object] = {}
    if mode not in states.MODES:
        raise InvalidParameter("Mode", f"expected {' or '.join(states.MODES)}")
    if attributes is not None:
        read_object(attributes, parameter="Attributes", limit=MAX_ATTRIBUTES_CHARACTERS)
        columns["attributes"] = attributes
    if priority is not None:
        if not 0 <= priority <= MAX_PRIORITY:
            raise InvalidParameter("Priority", f"expected a whole number from 0 to {MAX_PRIORITY}")
        columns["priority"] = priority
    return columns


def _offer(work: Work, task: Task, worker_sid: str) -> None:
    worker = work.workers.get(worker_sid)
    if worker is None or worker.workspace_sid != task.workspace_sid:
        raise InvalidParameter("To", "expected the SID of a Worker or TaskQueue of this Workspace")
    if work.reservations.find(
        task_sid=task.sid, worker_sid=worker_sid, reservation_status=LIVE, limit=1
    ):
        raise InvalidParameter("To", "expected somebody else than those who have the Task already")
    if reservations.reserve(work, task_sid=task.sid, worker_sid=worker_sid) is None:
        raise Unreachable(
            f"Cannot transfer task {task.sid} to worker {worker_sid}, "
            "who is not available or has no capacity for it."
        )


def _leave(work: Work, configuration: Configuration, initiator: Reservation) -> None:
    """The first Worker begins after-work, and the Task goes on without them."""
    task = work.tasks.get(initiator.task_sid)
    assert task is not None  # noqa: S101 - it is locked
    reservations.wrap_up_one(work, configuration, initiator, task)
    handing_over.left(work, configuration, task)


def cancel(work: Work, *, workspace_sid: str, task_sid: str, transfer_sid: str) -> Transfer:
    """Takes the Transfer back; offers of the Task are canceled.

    Raises NotFound for another Task's, and RoutingError in Twilio's words when it is over.
    """
    task = locked_task(work, workspace_sid, task_sid)
    transfer = find(work, workspace_sid=workspace_sid, transfer_sid=transfer_sid)
    if transfer.task_sid != task_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Tasks/{task_sid}/Transfers/{transfer_sid}")
    if not transfer.is_live:
        raise RoutingError(
            f"Transfer {transfer_sid} is already {transfer.transfer_status} . "
            "Cannot cancel transfer."
        )
    handing_over.call_off(work, work.configuration(workspace_sid), task, reason=CALLED_OFF)
    return find(work, workspace_sid=workspace_sid, transfer_sid=transfer_sid)


def call_off(work: Work, *, task_sid: str, reason: str) -> bool:
    """Nobody needs to be asked any more, as when the caller hung up. False when nobody was."""
    task = work.tasks.get(task_sid, lock=True)
    if task is None or task.transfer_sid is None:
        return False
    handing_over.call_off(work, work.configuration(task.workspace_sid), task, reason=reason)
    return True


def find(work: Work, *, workspace_sid: str, transfer_sid: str) -> Transfer:
    """The Transfer of that Workspace; raises NotFound when there is none."""
    transfer = work.transfers.get(transfer_sid)
    if transfer is None or transfer.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Transfers/{transfer_sid}")
    return transfer


def incoming(work: Work, reservation: Reservation) -> Transfer | None:
    """The Transfer by which the Task came to this Reservation, whatever became of it."""
    return (
        None if reservation.transfer_sid is None else work.transfers.get(reservation.transfer_sid)
    )


def outgoing(work: Work, reservation: Reservation) -> Transfer | None:
    """The live Transfer by which this Reservation's Worker hands the Task on."""
    found = work.transfers.find(
        initiating_reservation_sid=reservation.sid, transfer_status=states.INITIATED, limit=1
    )
    return found[0] if found else None
