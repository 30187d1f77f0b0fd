"""Whom an event concerns: the Worker it names, or those who have a part in its Task.

Kept by reading the log: at each event it is known who had a Reservation of the Task at that moment,
which later looks at the tables could no longer tell.
"""

from collections.abc import Iterable
from typing import Final

from routing.clock import SECOND, Instant
from routing.events import Event
from routing.ports import Work
from routing.reservation import LIVE

#: Applications keep an ended Reservation for 5 seconds, so that they hear how its Task went on.
LINGER_SECONDS: Final = 10

_ENDINGS: Final = frozenset(
    f"reservation.{ending}"
    for ending in ("rejected", "timeout", "canceled", "rescinded", "completed")
)
#: What was asked for could not be done; the Reservation itself may go on, or be over already.
_FAILED: Final = "reservation.failed"


class Audience:
    """Used by one thread, which shows it every event that is told live, in order."""

    def __init__(self) -> None:
        self._workers: dict[str, set[str]] = {}
        #: {(Task, Worker): when their Reservation ended}, the oldest first.
        self._ended: dict[tuple[str, str], Instant] = {}

    def load(self, work: Work) -> None:
        """Takes in the Reservations there are; events that are shown later may repeat some."""
        for reservation in work.reservations.find(reservation_status=LIVE):
            self._workers.setdefault(reservation.task_sid, set()).add(reservation.worker_sid)

    def of(self, event: Event) -> Iterable[str]:
        """The SIDs of the Workers that it is told to."""
        self._forget(event.occurred_at)
        if event.type.startswith("reservation."):
            return self._of_reservation(event)
        if event.type.startswith("worker."):
            return (event.worker_sid,) if event.worker_sid is not None else ()
        # A Transfer is told to whoever has begun it; the end of a Task, though it names who had it
        # last, to all who have a part in it.
        initiator_sid = event.carried.get("initiating_worker_sid")
        if initiator_sid is not None:
            return (initiator_sid,)
        return tuple(self._workers.get(event.task_sid or "", ()))

    def _of_reservation(self, event: Event) -> Iterable[str]:
        task_sid, worker_sid = event.task_sid, event.worker_sid
        if task_sid is None or worker_sid is None:
            return ()
        if event.type == _FAILED:
            return (worker_sid,)
        # Offered again before the last time was forgotten: it stays.
        self._ended.pop((task_sid, worker_sid), None)
        if event.type in _ENDINGS:
            self._ended[task_sid, worker_sid] = event.occurred_at
        else:
            self._workers.setdefault(task_sid, set()).add(worker_sid)
        return (worker_sid,)

    def _forget(self, now: Instant) -> None:
        over = []
        for (task_sid, worker_sid), ended_at in self._ended.items():
            if ended_at >= now - LINGER_SECONDS * SECOND:
                break
            over.append((task_sid, worker_sid))
        for task_sid, worker_sid in over:
            del self._ended[task_sid, worker_sid]
            workers = self._workers.get(task_sid)
            if workers is not None:
                workers.discard(worker_sid)
                if not workers:
                    del self._workers[task_sid]
