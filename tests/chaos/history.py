"""A call centre in which anything happens, in any order, for as long as one likes.

The clock is moved by hand and the router steps when it is told to, so that a history is told again
by its seed. What must hold is looked at every few steps, and after every one when a failure is
looked for again; to look changes nothing.
"""

import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from routing.background.router import Router
from routing.engine import (
    Engine,
    instructions,
    queues,
    reservations,
    tasks,
    transfers,
    workers,
    workspaces,
)
from routing.errors import RoutingError
from routing.reservation import LIVE
from routing.store.store import open_store
from routing.task import TERMINAL
from tests.chaos.running import Case
from tests.fakes import ManualClock
from tests.routing import invariants
from tests.routing.centre import Centre, routing_document
from tests.routing.reading import Reading, reading
from tests.routing.scratch import scratch_centre

STEPS = 1000
CHANNELS = ("voice", "voice", "chat", "sms")
#: Steps between two looks at everything.
_LOOKS = 5
#: Tasks that wait or are worked on, and workers: a centre in which there is always too much to do.
_OPEN, _KEPT, _PEOPLE = 12, 30, 6
_TOLD = 25
_A_LONG_DAY = 90_000


class History:
    """What happens, drawn from the case's chance; what must hold, asserted."""

    def __init__(
        self, centre: Centre, case: Case, reading: Reading | None = None, *, multi_task: bool
    ) -> None:
        """Without a `reading` of its own all is read again after each step."""
        self.centre, self.case, self.chance = centre, case, case.chance
        self.multi_task = multi_task
        self.log = centre.store.event_log("replay")
        self.replay = invariants.Replay()
        self.is_routed = True
        #: Channels with more than they should have: capacity lowered, or ignored.
        self.raised: set[str] = set()
        self.at_once = self.chance.choice([1, 1, 2, 3])
        self.names = 0
        self.told: deque[str] = deque(maxlen=_TOLD)
        self.reading = reading
        #: What `reading` told of when all was read last.
        self.read_at: int | None = None
        self.tables = self.looked_at = invariants.read_tables(centre.store)
        #: What there was when all was looked at last, and whether the router was quiet.
        self.looked_when: tuple[int | None, bool] | None = None
        self.deeds, self.weights = zip(*self._deeds().items(), strict=True)

    def _deeds(self) -> dict[Callable[[], None], float]:
        return {
            self.new_task: 14, self.new_task_for: 2, self.route: 14, self.pass_time: 6,
            self.answer: 22, self.reject_and_leave: 3, self.end: 5, self.hand_on: 5,
            self.call_off: 1, self.change_task: 4, self.change_workflow: 1, self.change_queue: 2,
            self.new_queue: 0.5, self.delete_queue: 0.5, self.change_activities: 1,
            self.delete_task: 3, self.new_worker: 3, self.move_worker: 6, self.train_worker: 3,
            self.set_channel: 4, self.delete_worker: 1, self.request_conference: 2,
            self.settle_conference: 2, self.restart_router: 1, self.switch_multitasking: 0.2,
        }  # fmt: skip

    def go(self, steps: int) -> None:
        """So many things happen, and in the end all of it is worked off."""
        try:
            self.open()
            for number in range(steps):
                deed = self.chance.choices(self.deeds, self.weights)[0]
                self.told.append(f"{number} {deed.__name__}")
                deed()
                if self.case.closely or number % _LOOKS == 0:
                    self.look()
                else:
                    self.read_on()
            self.work_off()
        except Exception as error:
            error.add_note("before: " + "; ".join(self.told))
            raise
        self.case.counts["steps"] += steps

    # ---- what may happen ------------------------------------------------------------------------

    def open(self) -> None:
        centre = self.centre
        centre.change_workspace(
            timeout_activity_sid=centre.activity(self.chance.choice(["Offline", "Available"])),
            prioritize_queue_order=self.chance.choice(["FIFO", "LIFO"]),
        )
        centre.change_queue(max_reserved_workers=self.at_once)
        self.queues = [centre.queue_sid, self._another_queue("level >= 2")]
        self.flows = [
            centre.add_workflow(
                *self._filters(), default={"queue": centre.queue_sid},
                name=f"Flow {number}", task_reservation_timeout=self.chance.choice([10, 30]),
            )
            for number in range(2)
        ]  # fmt: skip
        for _ in range(self.chance.randint(1, 4)):
            self.new_worker()

    def _another_queue(self, target_workers: str) -> str:
        return self.centre.add_queue(
            self._name("Queue"),
            target_workers,
            max_reserved_workers=self.at_once,
            task_order=self.chance.choice(["FIFO", "FIFO", "LIFO"]),
        )

    def _filters(self) -> list[dict[str, object]]:
        first, second = self.chance.choice(self.queues), self.chance.choice(self.queues)
        return [
            {
                "expression": "hard == true",
                "targets": [
                    {"queue": first, "timeout": self.chance.choice([5, 20]), "priority": 5,
                     "skip_if": "workers.available == 0"},
                    {"queue": second, "expression": "task.level <= worker.level", "timeout": 40,
                     "order_by": "worker.level DESC"},
                ],
            },
            {
                "expression": "level == 3",
                "targets": [
                    {"queue": first, "known_worker_friendly_name": "task.agent", "timeout": 10},
                    {"queue": second},
                ],
            },
        ]  # fmt: skip

    def new_task(self) -> None:
        if self._count_open() < _OPEN:
            self.centre.clock.advance(0.001)
            self._try(
                tasks.create,
                workflow_sid=self.chance.choice(self.flows),
                attributes=self._attributes(),
                task_channel=self.chance.choice(CHANNELS),
                priority=self.chance.choice([0, 0, 1, 2]),
                timeout_seconds=self.chance.choice([60, 120, 600]),
            )

    def new_task_for(self) -> None:
        """A task for one worker, who may be given too much by it, or for one queue."""
        target = self.chance.choice([*self.tables.workers, *self.queues])
        ignores = target.startswith("WK") and self.chance.random() < 0.3
        if self._count_open() < _OPEN:
            self._try(
                tasks.create,
                task_channel=self.chance.choice(CHANNELS),
                routing_target=target,
                attributes=self._attributes(),
                ignore_capacity=(ignores and self.multi_task) or None,
            )

    def route(self) -> None:
        self.centre.route()
        self.is_routed = True

    def restart_router(self) -> None:
        """What it had in memory is gone; it reads on from where it was."""
        self.centre.router = Router(self.centre.engine)
        self.centre.router.start()
        self.route()

    def pass_time(self) -> None:
        self.centre.pass_time(self.chance.choice([1, 5, 10, 30, 60]))
        self.is_routed = True

    def answer(self) -> None:
        verb = self.chance.choice(["accept", "accept", "accept", "reject", "wrap_up", "complete"])
        self._try_one(getattr(reservations, verb), "reservation_sid", self._offers(LIVE))

    def reject_and_leave(self) -> None:
        self._try_one(
            reservations.reject,
            "reservation_sid",
            self._offers({"pending"}),
            worker_activity_sid=self._activity(),
        )

    def end(self) -> None:
        verb = self.chance.choice([tasks.cancel, tasks.wrap_up, tasks.complete, tasks.complete])
        self._try_one(verb, "task_sid", list(self.tables.tasks))

    def hand_on(self) -> None:
        accepted = [e for e in self.tables.reservations if e.reservation_status == "accepted"]
        if accepted:
            offer = self.chance.choice(accepted)
            self._try(
                transfers.initiate,
                task_sid=offer.task_sid,
                reservation_sid=offer.sid,
                to=self.chance.choice([*self.tables.workers, *self.queues]),
                mode=self.chance.choice(["WARM", "COLD"]),
                priority=self.chance.choice([None, None, 3]),
            )

    def call_off(self) -> None:
        if self.tables.transfers:
            transfer = self.chance.choice(self.tables.transfers)
            self._try(transfers.cancel, task_sid=transfer.task_sid, transfer_sid=transfer.sid)

    def change_task(self) -> None:
        self._try_one(
            tasks.update,
            "task_sid",
            list(self.tables.tasks),
            attributes=self._attributes(),
            priority=self.chance.choice([None, 0, 4]),
            re_evaluate=self.chance.random() < 0.5,
        )

    def change_workflow(self) -> None:
        """Another configuration, of which waiting tasks may or may not learn."""
        self.centre.change_workflow(
            self.chance.choice(self.flows),
            configuration=routing_document(
                *self._filters(), default={"queue": self.chance.choice(self.queues)}
            ),
            re_evaluate_tasks=self.chance.random() < 0.5,
        )
        self.is_routed = False

    def change_queue(self) -> None:
        """Workers enter and leave a queue in which tasks wait."""
        self.centre.change_queue(
            self.chance.choice(self.queues),
            target_workers=self.chance.choice(
                ["1==1", "level >= 2", "level == 1 OR skills HAS 'vip'",
                 "channel.chat.assigned_tasks == 0"]
            ),
            task_order=self.chance.choice(["FIFO", "LIFO"]),
        )  # fmt: skip
        self.is_routed = False

    def new_queue(self) -> None:
        if len(self.queues) < 5:
            self.queues.append(self._another_queue("1==1"))

    def delete_queue(self) -> None:
        queue = self.chance.choice(self.queues)
        self._try(queues.delete, task_queue_sid=queue)
        self.queues = list(self.centre.set_up().task_queues)

    def change_activities(self) -> None:
        if self.chance.random() < 0.5:
            self._try(
                workspaces.create_activity,
                friendly_name=self._name("Activity"),
                available=self.chance.random() < 0.5,
            )
        else:
            made = [a for a in self.centre.set_up().activities.values() if "Act" in a.friendly_name]
            self._try_one(workspaces.delete_activity, "activity_sid", [each.sid for each in made])

    def delete_task(self) -> None:
        """Those that are over go first, so that a long history stays readable."""
        found = list(self.tables.tasks.values())
        over = [task.sid for task in found if task.assignment_status in TERMINAL]
        anything = [task.sid for task in found]
        few = len(found) < _KEPT and self.chance.random() < 0.3
        for sid in over[:1] if not few else [self.chance.choice(anything or [""])]:
            self._try(tasks.delete, task_sid=sid)

    def new_worker(self) -> None:
        if len(self.tables.workers) < _PEOPLE:
            skills = self.chance.choice([[], ["vip"]])
            capacity = self.chance.choice([1, 1, 2])
            level = self.chance.randint(1, 3)
            self.centre.add_worker(
                self._name("worker"), level=level, capacity=capacity, skills=skills
            )
            self.is_routed = False

    def move_worker(self) -> None:
        activity = self._activity()
        available = self.centre.set_up().is_available(activity)
        self._try_one(
            workers.update,
            "worker_sid",
            list(self.tables.workers),
            activity_sid=activity,
            reject_pending_reservations=not available and self.chance.random() < 0.5,
        )

    def train_worker(self) -> None:
        attributes = {"level": self.chance.randint(1, 3), "skills": ["vip"]}
        self._try_one(
            workers.update,
            "worker_sid",
            list(self.tables.workers),
            attributes=json.dumps(attributes),
        )

    def set_channel(self) -> None:
        capacity = self.chance.randint(0, 3)
        if self.tables.workers:
            worker, channel = (
                self.chance.choice(list(self.tables.workers)),
                self.chance.choice(CHANNELS),
            )
            now = self.centre.channel(worker, channel) if self._is_there(worker) else None
            if now is not None and capacity < now.assigned_tasks:
                self.raised.add(now.sid)
            self._try(
                workers.set_channel,
                worker_sid=worker,
                channel=channel,
                capacity=capacity,
                available=self.chance.random() < 0.8,
            )

    def delete_worker(self) -> None:
        self._try_one(workers.delete, "worker_sid", list(self.tables.workers))

    def request_conference(self) -> None:
        self._try_one(
            instructions.request_conference, "reservation_sid", self._offers(LIVE), parameters={}
        )

    def settle_conference(self) -> None:
        asked = self.centre.engine.read(lambda work: work.instructions.find(order_by="sid"))
        sids = [each.sid for each in asked]
        if self.chance.random() < 0.7:
            self._try_one(instructions.succeed, "instruction_sid", sids)
        else:
            self._try_one(instructions.fail, "instruction_sid", sids, failure="busy")

    def switch_multitasking(self) -> None:
        self._know_raised(self._read_tables(whole=True))
        self.multi_task = not self.multi_task
        self.centre.change_workspace(multi_task_enabled=self.multi_task)
        self.is_routed = False

    # ---- how it is drawn ------------------------------------------------------------------------

    def _name(self, kind: str) -> str:
        self.names += 1
        return f"{kind} {self.names}"

    def _attributes(self) -> str:
        return json.dumps({
            "hard": self.chance.random() < 0.3,
            "level": self.chance.randint(1, 3),
            "agent": f"worker {self.chance.randint(1, 9)}",
        })  # fmt: skip

    def _activity(self) -> str:
        there = list(self.centre.set_up().activities)
        return self.chance.choice([*there, *[self.centre.activity("Available")] * 4])

    def _offers(self, statuses: set[str] | frozenset[str]) -> list[str]:
        return [e.sid for e in self.tables.reservations if e.reservation_status in statuses]

    def _count_open(self) -> int:
        return sum(t.assignment_status not in TERMINAL for t in self.tables.tasks.values())

    def _is_there(self, worker: str) -> bool:
        return self.centre.engine.read(lambda work: work.workers.get(worker)) is not None

    def _try_one(
        self, verb: Callable[..., object], parameter: str, sids: Sequence[str], **arguments: Any
    ) -> None:
        if sids:
            self._try(verb, **{parameter: self.chance.choice(sids)}, **arguments)

    def _try(self, verb: Callable[..., object], **arguments: Any) -> None:
        """Does it, or is refused: then nothing has changed."""
        if verb.__module__ not in _WITHOUT_WORKSPACE or "worker_sid" in arguments:
            arguments["workspace_sid"] = self.centre.workspace_sid
        # With a reading of one's own a look costs nothing.
        looks = self.reading is not None or self.chance.random() < 0.05
        before = self._picture() if looks else None
        try:
            self.centre.engine.perform(verb, **arguments)
        except RoutingError as error:
            assert not looks or self._picture() == before
            self.case.counts["refused"] += 1
            self.told[-1] += f" refused ({error.message[:60]})" if self.told else ""
        else:
            self.is_routed = False

    def _picture(self) -> object:
        """What stays as it is when something is refused."""
        return self.centre.picture() if self.reading is None else self.reading.version()

    # ---- what must hold -------------------------------------------------------------------------

    def read_on(self, *, whole: bool = False) -> None:
        """Each event is a legal move from what was told before."""
        now = None if self.reading is None else self.reading.version()
        if now is not None and now == self.read_at:
            return
        self.read_at = now
        while new := self.log.read(1000):
            for event in new:
                self.replay.follow(event)
                self.case.counts["events"] += 1
            self.log.start_after(new[-1].position)
        self.tables = self._read_tables(whole=whole)
        self._know_raised(self.tables)

    def _read_tables(self, *, whole: bool) -> invariants.Tables:
        if self.reading is None:
            return invariants.read_tables(self.centre.store)
        return self.reading.tables(whole=whole)

    def look(self) -> None:
        self.read_on(whole=True)
        now = (self.read_at, self.is_routed)
        if now == self.looked_when and self.reading is not None:
            return  # nothing has changed since
        self.looked_when = now
        before, after = self.looked_at, self.tables
        self.looked_at = after
        invariants.check_load(after, raised=self.raised)
        invariants.check_offers(after, at_once=self.at_once)
        invariants.check_terminal(before, after)
        invariants.check_orphans(after)
        invariants.check_replay(after, self.replay)
        if self.is_routed:
            invariants.check_nobody_waits_in_vain(self.centre.store)
            self.case.counts["looks at a quiet router"] += 1

    def _know_raised(self, tables: invariants.Tables) -> None:
        over = {e.sid for e in tables.channels if e.assigned_tasks > e.configured_capacity}
        ignoring = {t.sid for t in tables.tasks.values() if t.ignore_capacity}
        self.raised |= {e.worker_channel_sid for e in tables.reservations if e.task_sid in ignoring}
        if not self.multi_task:
            # One at a time, whatever the capacities say, and none beside what there was before.
            self.raised |= over
        self.raised &= over

    def work_off(self) -> None:
        """Everybody finishes what they have; nothing is left, and nobody has a load."""
        for _ in range(5):
            self.told.append("work off")
            for sid in self._offers({"pending", "accepted"}):
                self._try(reservations.accept, reservation_sid=sid)
            self.read_on()
            for sid in self._offers({"accepted", "wrapping"}):
                self._try(reservations.complete, reservation_sid=sid)
            self.centre.pass_time(_A_LONG_DAY)  # who waits for nobody waits no longer
            self.is_routed = True
            self.look()
            if not self._count_open() and not self._offers(LIVE):
                break
        left = [t for t in self.tables.tasks.values() if t.assignment_status not in TERMINAL]
        assert not left, left
        assert not any(channel.assigned_tasks for channel in self.tables.channels)


#: Whose verbs know the workspace from the reservation or the instruction.
_WITHOUT_WORKSPACE = {"routing.engine.reservations", "routing.engine.instructions"}


def play(case: Case, steps: int = STEPS, *, postgres_every: int = 20) -> None:
    """One history on a database of its own."""
    multi_task = case.chance.random() < 0.8
    with opened(case, multi_task=multi_task, postgres_every=postgres_every) as centre:
        if centre.path is None:
            History(centre, case, None, multi_task=multi_task).go(steps)
            return
        with reading(centre.path) as own:
            History(centre, case, own, multi_task=multi_task).go(steps)


@contextlib.contextmanager
def opened(case: Case, *, multi_task: bool, postgres_every: int) -> Iterator[Centre]:
    if case.server is None or case.number % postgres_every:
        with scratch_centre(multi_task=multi_task) as centre:
            yield centre
        return
    clock = ManualClock()
    with case.database(postgres_every=postgres_every) as url:
        store = open_store(url, clock)
        with contextlib.closing(store):
            store.migrate()
            yield Centre(store, Engine(store, clock), clock, multi_task=multi_task)
