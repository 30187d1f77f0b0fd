"""Rows are leased, sent by a pool of threads, and what came of them is written.

One `round` writes what has come of the tries since the last one, and leases what may be sent next:
one transaction for many deliveries. The threads of the pool only send. Whoever dies between sending
and writing leaves leases that run out; somebody else sends those again, under the same token.
"""

import queue
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from routing.background.callbacks import lanes, payloads
from routing.background.callbacks.assignments import Assignments
from routing.background.callbacks.lanes import Chance, Lane
from routing.background.callbacks.payloads import Message
from routing.background.callbacks.posting import (
    NeverPosted,
    NotPosted,
    Poster,
    credentials,
    wire_url,
)
from routing.background.callbacks.settings import CallbackSettings
from routing.call import Instruction
from routing.clock import SECOND, Instant
from routing.delivery import ASSIGNMENT, DEAD, DELIVERED, PENDING, RELAY, Delivery
from routing.engine import Engine, deliveries
from routing.engine.deliveries import Tried
from routing.events import Event
from routing.json_text import read_object
from routing.ports import Work
from routing.store import UnitOfWork
from routing.store.pages import ASCENDING, page

#: Seconds that a receiver of events has to answer (Twilio's).
ANSWER_SECONDS: Final = 15.0
#: Seconds that a delivery is ours: longer than both URLs of an assignment callback take, or one
#: event with a slow name server before it.
LEASE_SECONDS: Final = 45
#: Threads that send, over all receivers; they are made when they are needed.
THREADS: Final = 64
#: Seconds between two looks for what is to be given up or forgotten.
SWEEP_SECONDS: Final = 30
#: The most that a receiver may ask to be left alone for, in seconds.
MAX_RETRY_AFTER_SECONDS: Final = 3600
#: The commits after which something may be due.
TOPICS: Final = frozenset({"due deliveries"})

#: Runs it in a thread of its own, or at once.
Start = Callable[[Callable[[], None]], None]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    delivery: Delivery
    #: None when the event is not in the log any more, or where there is none.
    event: Event | None
    #: What is told on, for a relay.
    relay: Instruction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finished:
    delivery: Delivery
    #: What is to be written; None where that is done, or nobody knows what came of it.
    tried: Tried | None
    #: Is the receiver well? None where it was not asked.
    is_success: bool | None


class Dispatch:
    """`round` is called by one thread; the pool's threads call `_send` only."""

    def __init__(
        self,
        engine: Engine,
        settings: CallbackSettings,
        poster: Poster,
        *,
        start: Start,
        wake: Callable[[], None],
        chance: Chance = random.random,
    ) -> None:
        """`wake` tells the thread that calls `round` that something has come of a try."""
        self._engine = engine
        self._settings = settings
        self._poster = poster
        self._start = start
        self._wake = wake
        self._chance = chance
        self._assignments = Assignments(engine, settings, poster)
        self._lanes: dict[str, Lane[_Job]] = {}
        self._finished: queue.SimpleQueue[_Finished] = queue.SimpleQueue()
        self._unwritten: list[Tried] = []
        self._swept_at: Instant = 0
        self._is_stopping = False

    def round(self) -> bool:
        """Writes what has come of tries, starts the next ones; False: wait until it is woken."""
        now = self._engine.clock.now()
        self._collect(now)
        wishes = {} if self._is_stopping else self._wishes(now)
        if not wishes and not self._unwritten:
            self._sweep(now)
            return False
        leased = self._engine.perform(self._turn, tuple(self._unwritten), wishes)
        self._unwritten.clear()
        self._begin(leased)
        self._sweep(now)
        return False

    def stop(self) -> None:
        """Nothing new is begun; `round` still writes what comes of what is under way."""
        self._is_stopping = True

    @property
    def in_flight(self) -> int:
        return sum(lane.in_flight for lane in self._lanes.values())

    def _collect(self, now: Instant) -> None:
        while not self._finished.empty():
            finished = self._finished.get()
            lane = self._lanes[finished.delivery.receiver]
            if finished.is_success is None:
                lane.was_not_sent()
            elif finished.is_success:
                lane.succeeded()
            else:
                lane.failed(now)
            if finished.tried is not None:
                self._unwritten.append(finished.tried)

    def _turn(
        self, work: Work, tried: Sequence[Tried], wishes: Mapping[str, int]
    ) -> Sequence[Delivery]:
        deliveries.settle(work, tried, keep_seconds=self._settings.keep_seconds)
        return deliveries.lease(work, wishes, seconds=LEASE_SECONDS)

    # ---- who may be sent how much ----------------------------------------------------------------

    def _wishes(self, now: Instant) -> dict[str, int]:
        """How much of what is due each receiver may be sent now."""
        room = self._room(now, self._engine.glance(_receivers))
        if not room or self._unwritten:
            return room  # a transaction is needed in any case, and finds what is due
        return self._engine.glance(_due, room, now)

    def _room(self, now: Instant, receivers: Sequence[str]) -> dict[str, int]:
        for receiver in set(self._lanes).difference(receivers):
            if not self._lanes[receiver].in_flight:
                del self._lanes[receiver]  # all has arrived
        rooms = {receiver: self._lane(receiver).room(now) for receiver in receivers}
        return {receiver: room for receiver, room in rooms.items() if room and self._share}

    @property
    def _share(self) -> int:
        """The threads that one receiver may have more of now.

        Half of what is left at most: however slow some are, others find threads.
        """
        return (THREADS - sum(lane.running for lane in self._lanes.values()) + 1) // 2

    def _lane(self, receiver: str) -> Lane[_Job]:
        lane = self._lanes.get(receiver)
        if lane is None:
            lane = self._lanes[receiver] = Lane[_Job](
                limit=self._settings.at_once,
                closes=not receiver.startswith(ASSIGNMENT),
                chance=self._chance,
            )
        return lane

    # ---- sending ---------------------------------------------------------------------------------

    def _begin(self, leased: Sequence[Delivery]) -> None:
        if not leased:
            return
        events = self._engine.glance(_events, frozenset(each.event_sid for each in leased))
        relayed = frozenset(each.event_sid for each in leased if each.kind == RELAY)
        rows = self._engine.glance(_relayed, relayed) if relayed else {}
        now = self._engine.clock.now()
        for delivery in leased:
            lane = self._lane(delivery.receiver)
            sid = delivery.event_sid
            job = _Job(delivery=delivery, event=events.get(sid), relay=rows.get(sid))
            if lane.take_on(job, now, threads=lane.running + self._share):
                self._start(lambda lane=lane, job=job: self._work(lane, job))  # type: ignore[misc]  # bound at once

    def _work(self, lane: Lane[_Job], job: _Job | None) -> None:
        """Sends one delivery after the other, as long as there are some and they arrive."""
        while job is not None:
            is_success = self._is_in_time(job) and self._send(job)
            if is_success:
                job = lane.next_job()
                continue
            for waiting in lane.give_back():
                self._put_back(waiting.delivery)
            job = None
        self._wake()

    def _is_in_time(self, job: _Job) -> bool:
        """Is there time to send it before the lease runs out? Otherwise it is put back."""
        leased_until = job.delivery.leased_until or 0
        if self._engine.clock.now() + ANSWER_SECONDS * SECOND < leased_until:
            return True
        self._put_back(job.delivery)
        return False

    def _put_back(self, delivery: Delivery) -> None:
        unsent = Tried(
            delivery=delivery,
            state=PENDING,
            due_at=delivery.due_at,
            was_not_sent=True,
            status=delivery.last_status,
            error=delivery.last_error,
        )
        self._finished.put(_Finished(delivery=delivery, tried=unsent, is_success=None))

    def _send(self, job: _Job) -> bool:
        tried: Tried | None = None
        is_success = False
        try:
            tried, is_success = self._try(job)
        except Exception:  # noqa: BLE001 - whatever it was, the others go on
            # The lease runs out, and it is tried again.
            _log.exception("delivery failed", delivery=job.delivery.sid)
        finally:
            finished = _Finished(delivery=job.delivery, tried=tried, is_success=is_success)
            self._finished.put(finished)
            self._wake()
        return is_success

    def _try(self, job: _Job) -> tuple[Tried | None, bool]:
        """What is to be written, and whether the receiver is well."""
        if job.relay is not None:
            return self._post(job.delivery, lambda url: self._relayed(job, url))
        if job.event is None:
            gone = "the event is not in the log any more"
            return Tried(delivery=job.delivery, state=DEAD, error=gone), True
        if job.delivery.kind == ASSIGNMENT:
            return self._assignments.ask(job.delivery, job.event), True
        return self._post(job.delivery, lambda url: self._told(job, url))

    def _told(self, job: _Job, url: str) -> Message:
        settings = self._settings
        assert job.event is not None  # noqa: S101 - looked at before
        return payloads.signed(
            payloads.of_event(job.event, settings.account_sid),
            url=url,
            delivery_sid=job.delivery.sid,
            auth_tokens=settings.auth_tokens,
            form=settings.form,
        )

    def _relayed(self, job: _Job, url: str) -> Message:
        assert job.relay is not None  # noqa: S101 - looked at before
        kept = read_object(job.relay.parameters, parameter="parameters")
        fields = kept["fields"]
        assert isinstance(fields, dict)  # noqa: S101 - as it was written
        return payloads.relayed(
            {name: str(value) for name, value in fields.items()},
            url=url,
            method=str(kept["method"]),
            delivery_sid=job.delivery.sid,
            auth_tokens=self._settings.auth_tokens,
        )

    def _post(self, delivery: Delivery, message_to: Callable[[str], Message]) -> tuple[Tried, bool]:
        try:
            message = message_to(wire_url(delivery.url))
            by = {} if message.method == "POST" else {"method": message.method}
            posted = self._poster.post(
                message.url,
                body=message.body,
                headers={**message.headers, **credentials(delivery.url)},
                seconds=ANSWER_SECONDS,
                **by,
            )
        except NeverPosted as error:
            return Tried(delivery=delivery, state=DEAD, error=str(error)), False
        except NotPosted as error:
            return self._again(delivery, None, str(error), 0), False
        if posted.is_ok:
            return Tried(delivery=delivery, state=DELIVERED, status=posted.status), True
        error_text = f"answered with status {posted.status}"
        wait = min(posted.retry_after or 0, MAX_RETRY_AFTER_SECONDS)
        return self._again(delivery, posted.status, error_text, wait), False

    def _again(self, delivery: Delivery, status: int | None, error: str, wait: float) -> Tried:
        """It failed: when it is tried again, or that its time is over."""
        pause = max(wait, lanes.pause_seconds(delivery.attempts, self._chance))
        now = self._engine.clock.now()
        state = PENDING if now < delivery.give_up_at else DEAD
        due_at = min(now + int(pause * SECOND), delivery.give_up_at)
        return Tried(delivery=delivery, state=state, due_at=due_at, status=status, error=error)

    # ---- what is over ----------------------------------------------------------------------------

    def _sweep(self, now: Instant) -> None:
        """Now and then: gives up what is too old, and forgets what was kept long enough."""
        if now - self._swept_at < SWEEP_SECONDS * SECOND or self._is_stopping:
            return
        self._swept_at = now
        for receiver in self._engine.glance(_overdue_receivers):
            while self._engine.perform(deliveries.give_up, receiver) == deliveries.SWEPT_AT_ONCE:
                pass
        if self._engine.glance(_is_anything_old):
            self._engine.perform(deliveries.forget)


def _receivers(work: Work) -> Sequence[str]:
    return work.due_receivers()


def _due(work: Work, room: Mapping[str, int], now: Instant) -> dict[str, int]:
    due = {receiver: work.due_deliveries(receiver, now, wide) for receiver, wide in room.items()}
    return {receiver: len(found) for receiver, found in due.items() if found}


def _overdue_receivers(work: Work) -> list[str]:
    """Receivers whose oldest delivery is to be given up."""
    overdue = []
    for receiver in work.due_receivers():
        oldest = work.deliveries.find(
            receiver=receiver, state=PENDING, order_by="position", limit=1
        )
        if oldest and oldest[0].give_up_at <= work.now:
            overdue.append(receiver)
    return overdue


def _is_anything_old(work: Work) -> bool:
    return bool(work.kept_deliveries(work.now, 1))


def _events(work: Work, sids: frozenset[str]) -> dict[str, Event]:
    assert isinstance(work, UnitOfWork)  # noqa: S101 - the log is read in a unit of the store
    order = (("position", ASCENDING),)
    found = page(work, Event, filters={"sid": sids}, order=order, limit=len(sids))
    return {event.sid: event for event in found.records}


def _relayed(work: Work, sids: frozenset[str]) -> dict[str, Instruction]:
    return {row.sid: row for row in work.instructions.find(sid=sids)}


class Threads:
    """A pool whose threads are made when they are needed, and end with the process."""

    def __init__(self, most: int = THREADS) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._free = threading.Semaphore(0)
        self._number = 0

    def start(self, job: Callable[[], None]) -> None:
        """Runs it soon; called by one thread."""
        if not self._free.acquire(blocking=False) and self._number < self._most:
            self._number += 1
            name = f"callback {self._number}"
            threading.Thread(target=self._run, name=name, daemon=True).start()
        self._jobs.put(job)

    def _run(self) -> None:
        while True:
            self._jobs.get()()
            self._free.release()
