"""How long a caller will wait, from the queue's own recent history and its load.

Method: in the last while, Workers took one of the queue's Tasks every so many seconds; whoever is
n-th in line has n such spells ahead. The rate is counted over the newest SAMPLE acceptances of the
queue, up to now: `acceptances / (now - the oldest of them)`. So it follows the load (an idle spell
or a slow one stretches it at once) and needs no model of how long calls last or who has which
skills. With fewer than FEWEST acceptances nothing is estimated. Its error, measured in a simulated
centre, stands in the test of this file.
"""

from typing import Final

from routing.clock import SECOND, Instant
from routing.ports import Work
from routing.reservation import ACCEPTED, COMPLETED, WRAPPING

#: Acceptances looked at: enough to even out long and short calls, few enough to follow the day.
SAMPLE: Final = 25
FEWEST: Final = 4
#: Seconds after which an acceptance says nothing about now.
HORIZON_SECONDS: Final = 7_200

_TAKEN: Final = frozenset({ACCEPTED, WRAPPING, COMPLETED})


def estimated_wait(accepted_at: list[Instant], *, place: int, now: Instant) -> float | None:
    """Seconds that the `place`-th in line will wait; None where there is too little to go by.

    `accepted_at` are the instants of the queue's acceptances in any order.
    """
    recent = sorted(at for at in accepted_at if now - at <= HORIZON_SECONDS * SECOND)[-SAMPLE:]
    if len(recent) < FEWEST or place < 1:
        return None
    return place * (now - recent[0]) / SECOND / len(recent)


def wait_minutes(work: Work, *, call_sid: str, place: int) -> int | None:
    """Whole minutes, at least one, that the caller at that place in line will wait."""
    call = work.calls.get(call_sid)
    task = None if call is None else work.tasks.get(call.task_sid)
    if task is None or task.task_queue_sid is None:
        return None
    taken = work.reservations.find(
        workspace_sid=task.workspace_sid,
        task_queue_sid=task.task_queue_sid,
        reservation_status=_TAKEN,
        order_by="-created_at",
        limit=SAMPLE,
    )
    seconds = estimated_wait([each.created_at for each in taken], place=place, now=work.now)
    return None if seconds is None else max(1, round(seconds / 60))
