"""The moves that the verbs share: each changes a row, its version and its time."""

from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine.journal import Subject, tell
from routing.errors import NotFound, PreconditionFailed
from routing.ports import Work
from routing.records import changed
from routing.reservation import Reservation, next_reservation_state
from routing.task import Task
from routing.worker import Worker


def changed_task(work: Work, task: Task, **columns: object) -> Task:
    columns |= {"version": task.version + 1, "updated_at": work.now}
    work.tasks.change(task.sid, **columns)
    return changed(task, **columns)


def changed_reservation(work: Work, reservation: Reservation, **columns: object) -> Reservation:
    columns |= {"version": reservation.version + 1, "updated_at": work.now}
    work.reservations.change(reservation.sid, **columns)
    return changed(reservation, **columns)


def changed_worker(work: Work, worker: Worker, **columns: object) -> Worker:
    columns |= {"version": worker.version + 1, "updated_at": work.now}
    work.workers.change(worker.sid, **columns)
    return changed(worker, **columns)


def check_version(version: int, if_match: int | None) -> None:
    """Raises PreconditionFailed unless it is the version that the caller saw; None accepts any."""
    if if_match is not None and if_match != version:
        raise PreconditionFailed(f"Expected version {if_match}, but the present one is {version}.")


def locked_task(work: Work, workspace_sid: str, task_sid: str, if_match: int | None = None) -> Task:
    """The Task, held until the unit of work ends; raises NotFound for another workspace's.

    Raises PreconditionFailed when its version is not `if_match`.
    """
    task = work.tasks.get(task_sid, lock=True)
    if task is None or task.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Tasks/{task_sid}")
    check_version(task.version, if_match)
    return task


def locked_worker(
    work: Work, workspace_sid: str, worker_sid: str, if_match: int | None = None
) -> Worker:
    """The Worker, held until the unit of work ends; raises NotFound for another workspace's.

    Raises PreconditionFailed when its version is not `if_match`.
    """
    worker = work.workers.get(worker_sid, lock=True)
    if worker is None or worker.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Workers/{worker_sid}")
    check_version(worker.version, if_match)
    return worker


def end_reservation(
    work: Work,
    configuration: Configuration,
    reservation: Reservation,
    move: str,
    *,
    task: Task,
    description: str,
    event_type: str,
    reason: str | None = None,
    **extra: str,
) -> Worker:
    """Ends a Reservation, gives its capacity back and tells of it. Returns its Worker, locked.

    `extra` are fields that the event carries beside what it always carries.

    Raises IllegalMove or Gone when the Reservation does not allow the move.
    """
    state = next_reservation_state(reservation, move)
    reservation = changed_reservation(
        work, reservation, reservation_status=state, due_at=None, reason=reason
    )
    worker = locked_worker(work, reservation.workspace_sid, reservation.worker_sid)
    work.free_capacity(reservation.worker_channel_sid)
    subject = Subject(reservation=reservation, task=task, worker=worker)
    tell(work, configuration, event_type, description, subject, **extra)
    return worker


def move_worker(
    work: Work, configuration: Configuration, worker: Worker, activity_sid: str | None
) -> Worker:
    """Puts the Worker into that Activity, if it names one and the Worker is not in it already."""
    if activity_sid is None or activity_sid == worker.activity_sid:
        return worker
    previous = configuration.activities[worker.activity_sid]
    activity = configuration.activities[activity_sid]
    spent = work.now - worker.status_changed_at
    worker = changed_worker(work, worker, activity_sid=activity.sid, status_changed_at=work.now)
    tell(
        work,
        configuration,
        "worker.activity.update",
        f"Worker {worker.friendly_name} updated to {activity.friendly_name} Activity",
        Subject(worker=worker),
        worker_previous_activity_sid=previous.sid,
        worker_previous_activity_name=previous.friendly_name,
        worker_time_in_previous_activity=str(spent // SECOND),
        worker_time_in_previous_activity_ms=str(spent),
    )
    return worker
