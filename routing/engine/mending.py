"""What ends by itself, or should have ended: after-work that takes too long, Tasks that nobody has.

Verbs for a sweep that runs now and then. Each looks again under lock, so it may run beside itself
and beside everybody else; what it mends it tells by the same events as if somebody had done it.
"""

from collections.abc import Mapping

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
#: Rows looked at in one go.
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


def mend_tasks(work: Work, *, workspace_sid: str) -> list[str]:
    """Repairs Tasks that are assigned or wrapping though no Reservation of them lives.

    One in after-work is completed, one that was assigned waits again. No verb leaves one behind;
    whatever did (a row that was written by hand, a half-restored backup) is mended here.
    """
    mended: list[str] = []
    found = work.tasks.find(
        workspace_sid=workspace_sid,
        assignment_status=frozenset({ASSIGNED, states.WRAPPING}),
        order_by="updated_at",
        limit=LOOKED_AT,
    )
    for seen in found:
        if work.now - seen.updated_at < GRACE_SECONDS * SECOND or len(mended) == BATCH:
            break
        if work.reservations.find(task_sid=seen.sid, reservation_status=LIVE, limit=1):
            continue
        task = work.tasks.get(seen.sid, lock=True)
        if task is None or task.version != seen.version:
            continue
        configuration = work.configuration(workspace_sid)
        if task.assignment_status == states.WRAPPING:
            next_task_state(task, "complete")
            reservations.complete_task(work, configuration, task, reason=NOBODY)
        else:
            reservations.release(work, configuration, task, move="cancel")
        mended.append(task.sid)
    return mended
