"""The same engine, entered by the clock: deadlines are rows, and this does what is due.

The loop around `advance` only sleeps until the next deadline or a wake-up. Every verb looks at its
row again under lock, so that several processes may run this side by side.
"""

from collections.abc import Callable, Sequence

from routing.clock import Instant
from routing.engine import Engine, presences, reservations, tasks
from routing.ports import Work

#: The commits after which a deadline may be nearer than it was (see store/wake_up).
TOPICS = frozenset({"due reservations", "due tasks", "due presences"})

#: Rows of each kind dealt with before the loop looks up again.
BATCH = 100
#: Those that share a transaction: enough to spread the cost of its commit, few enough that nobody
#: is kept waiting for the rows that it holds.
TOGETHER = 20


def advance(engine: Engine) -> bool:
    """Does what is due now, the most overdue first; True when there may be more.

    Offers run out before Tasks expire, so that a Task's reasons tell what happened.
    """
    now = engine.clock.now()
    timed_out, expired, stepped, gone = engine.glance(_due, now)
    _perform(engine, reservations.time_out_all, timed_out)
    _perform(engine, tasks.expire_all, expired)
    _perform(engine, tasks.leave_step_all, stepped)
    for sid in gone:
        engine.perform(presences.lapse, presence_sid=sid)
    return BATCH in {len(timed_out), len(expired), len(stepped), len(gone)}


def _perform(
    engine: Engine, verb: Callable[[Work, Sequence[str]], None], sids: Sequence[str]
) -> None:
    """Some at a time; one that cannot be done keeps nobody else of its kind from being done.

    Raises what was wrong with it, in the end.
    """
    failure: Exception | None = None
    for first in range(0, len(sids), TOGETHER):
        some = sids[first : first + TOGETHER]
        try:
            engine.perform(verb, some)
        except Exception as error:  # noqa: BLE001 - whatever one of them has, the others go on
            failure = _perform_apart(engine, verb, some) if len(some) > 1 else error
    if failure is not None:
        raise failure


def _perform_apart(
    engine: Engine, verb: Callable[[Work, Sequence[str]], None], sids: Sequence[str]
) -> Exception | None:
    failure = None
    for sid in sids:
        try:
            engine.perform(verb, [sid])
        except Exception as error:  # noqa: BLE001 - as above
            failure = error
    return failure


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
