"""What ends by itself, or should have ended: after-work that takes too long, Tasks that nobody has.

Verbs for a sweep that runs now and then. Each looks again under lock, so it may run beside itself
and beside everybody else; what it mends it tells by the same events as if somebody had done it.
"""

from collections.abc import Mapping, Sequence

from routing import sids
from routing import task as states
from routing.clock import SECOND
from routing.engine import reservations
from routing.errors import RoutingError
from routing.ports import Work
from routing.reservation import LIVE, WRAPPING, Reservation
from routing.task import ASSIGNED, next_task_state

#: The limit for all that have none of their own.
ALL = "*"
#: Rows mended in one go.
BATCH = 50
#: Rows of after-work looked at in one go.
LOOKED_AT = 500
#: Seconds that a Task may be without a live Reservation before that is believed.
GRACE_SECONDS = 60

NOBODY = "nobody had the Task any more"


def end_after_work(work: Work, *, limits: Mapping[str, int]) -> list[str]:
    """Completes Reservations that wrap up longer than they may; their SIDs.

    `limits` are seconds by the SID of a TaskQueue or Workspace, or by ALL; the queue's own comes
    first. Where none fits, after-work may take as long as it does.
    """
    ended = []
    for reservation in _due(work, limits) if limits else ():
        try:
            reservations.complete(work, reservation_sid=reservation.sid)
        except RoutingError:
            continue  # somebody was faster
        ended.append(reservation.sid)
        if len(ended) == BATCH:
            break
    return ended


def _due(work: Work, limits: Mapping[str, int]) -> list[Reservation]:
    """Those that wrap up longer than they may: some of them, if there are any.

    Some who may take longer, or as long as they like, may have begun long before them.
    """
    concerned: dict[str, object] = {"reservation_status": WRAPPING}
    if all(sids.is_sid(key, sids.TASK_QUEUE) for key in limits):
        concerned["task_queue_sid"] = frozenset(limits)
    latest = work.now - min(limits.values()) * SECOND
    most = LOOKED_AT
    while True:
        wrapping = work.reservations.find(
            order_by="updated_at",
            limit=most,
            **concerned,  # type: ignore[arg-type]  # columns, all of them
        )
        due = [each for each in wrapping if _is_due(work, each, limits)]
        if due or len(wrapping) < most or wrapping[-1].updated_at > latest:
            return due
        most *= 2


def _is_due(work: Work, reservation: Reservation, limits: Mapping[str, int]) -> bool:
    limit = _limit(reservation, limits)
    return limit is not None and work.now - reservation.updated_at >= limit * SECOND


def _limit(reservation: Reservation, limits: Mapping[str, int]) -> int | None:
    for key in (reservation.task_queue_sid, reservation.workspace_sid, ALL):
        if key in limits:
            return limits[key]
    return None


def deserted(work: Work, *, workspace_sid: str) -> Sequence[str]:
    """SIDs of Tasks that are assigned or wrapping though no Reservation of them lives; a query.

    However many Tasks somebody has, and for however long: all of them are asked about.
    """
    return work.deserted_tasks(workspace_sid, work.now - GRACE_SECONDS * SECOND, BATCH)


def mend_tasks(work: Work, *, task_sids: Sequence[str]) -> list[str]:
    """Repairs those of the Tasks that are deserted; their SIDs.

    One in after-work is completed, one that was assigned waits again. No verb leaves one behind;
    whatever did (a row that was written by hand, a half-restored backup) is mended here.
    """
    return [sid for sid in sorted(task_sids) if _mend(work, sid)]


def _mend(work: Work, task_sid: str) -> bool:
    task = work.tasks.get(task_sid, lock=True)
    if task is None or task.assignment_status not in {ASSIGNED, states.WRAPPING}:
        return False
    if work.reservations.find(task_sid=task_sid, reservation_status=LIVE, limit=1):
        return False
    configuration = work.configuration(task.workspace_sid)
    if task.assignment_status == states.WRAPPING:
        next_task_state(task, "complete")
        reservations.complete_task(work, configuration, task, reason=NOBODY)
    else:
        reservations.release(work, configuration, task, move="cancel")
    return True
