"""The same engine, entered by the clock: deadlines are rows, and this does what is due.

The loop around `advance` only sleeps until the next deadline or a wake-up. Every verb looks at its
row again under lock, so that several processes may run this side by side.
"""

from routing.clock import Instant
from routing.engine import Engine, presences, reservations, tasks
from routing.ports import Work

#: The commits after which a deadline may be nearer than it was (see store/wake_up).
TOPICS = frozenset({"due reservations", "due tasks", "due presences"})

#: Rows dealt with before the loop looks up again; each is a short transaction of its own.
BATCH = 100


def advance(engine: Engine) -> bool:
    """Does what is due now, the most overdue first; True when there may be more.

    Offers run out before Tasks expire, so that a Task's reasons tell what happened.
    """
    now = engine.clock.now()
    timed_out, expired, stepped, gone = engine.glance(_due, now)
    for sid in timed_out:
        engine.perform(reservations.time_out, reservation_sid=sid)
    for sid in expired:
        engine.perform(tasks.expire, task_sid=sid)
    for sid in stepped:
        engine.perform(tasks.leave_step, task_sid=sid)
    for sid in gone:
        engine.perform(presences.lapse, presence_sid=sid)
    return BATCH in {len(timed_out), len(expired), len(stepped), len(gone)}


def next_deadline(engine: Engine) -> Instant | None:
    """When `advance` has something to do next, in milliseconds since the epoch."""
    return engine.glance(lambda work: work.next_deadline())


def _due(work: Work, now: Instant) -> tuple[list[str], list[str], list[str], list[str]]:
    return (
        list(work.due_reservations(now, BATCH)),
        list(work.expired_tasks(now, BATCH)),
        list(work.due_task_steps(now, BATCH)),
        list(work.due_presences(now, BATCH)),
    )
