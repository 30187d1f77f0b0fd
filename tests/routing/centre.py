"""A small call centre for tests: its workspace set up, the router and the timers at hand."""

import json
from pathlib import Path

from routing import timers
from routing.background.loops import following
from routing.background.router import CONCERNS, Router
from routing.call import Instruction
from routing.clock import Instant
from routing.configuration import Configuration
from routing.engine import (
    Engine,
    instructions,
    queues,
    reservations,
    tasks,
    workers,
    workflows,
    workspaces,
)
from routing.events import Event
from routing.ports import Work
from routing.reservation import LIVE, Reservation
from routing.store.store import SqlStore
from routing.task import Task
from routing.worker import Worker, WorkerChannel
from tests.fakes import ManualClock


def routing_document(*filters: dict[str, object], default: dict[str, object] | None = None) -> str:
    """A Workflow's configuration."""
    routing: dict[str, object] = {"filters": list(filters)}
    if default is not None:
        routing["default_filter"] = default
    return json.dumps({"task_routing": routing})


class Centre:
    #: The file of its database, where it has one of its own.
    path: Path | None = None

    def __init__(
        self, store: SqlStore, engine: Engine, clock: ManualClock, *, multi_task: bool = True
    ) -> None:
        self.store = store
        self.engine = engine
        self.clock = clock
        self.workspace_sid = engine.perform(
            workspaces.create, friendly_name="Centre", multi_task_enabled=multi_task
        ).sid
        self.queue_sid = self.add_queue("Everybody")
        self.workflow_sid = engine.perform(
            workflows.create,
            workspace_sid=self.workspace_sid,
            friendly_name="Calls",
            configuration=self.simple_document(),
            task_reservation_timeout=30,
        ).sid
        self.router = Router(engine)
        self.router.start()
        self._log = store.event_log("router", CONCERNS, bare=True, with_arrivals=True)
        self._whole_log = store.event_log("test")
        self._told: list[Event] = []

    def add_queue(self, name: str, target_workers: str = "1==1", **columns: object) -> str:
        queue = self.engine.perform(
            queues.create,
            workspace_sid=self.workspace_sid,
            friendly_name=name,
            target_workers=target_workers,
            **columns,  # type: ignore[arg-type]
        )
        return queue.sid

    def add_workflow(
        self,
        *filters: dict[str, object],
        default: dict[str, object] | None = None,
        name: str = "Filtered",
        **columns: object,
    ) -> str:
        workflow = self.engine.perform(
            workflows.create,
            workspace_sid=self.workspace_sid,
            friendly_name=name,
            configuration=routing_document(*filters, default=default),
            **columns,  # type: ignore[arg-type]
        )
        return workflow.sid

    def simple_document(self) -> str:
        """A configuration that sends everything to the queue that everything begins with."""
        return routing_document(default={"queue": self.queue_sid})

    def change_workflow(self, workflow_sid: str, **columns: object) -> None:
        self.engine.perform(
            workflows.update,
            workspace_sid=self.workspace_sid,
            workflow_sid=workflow_sid,
            **columns,  # type: ignore[arg-type]
        )

    def change_workspace(self, **columns: object) -> None:
        self.engine.perform(
            workspaces.update,
            workspace_sid=self.workspace_sid,
            **columns,  # type: ignore[arg-type]
        )

    def change_queue(self, queue_sid: str | None = None, **columns: object) -> None:
        """Changes the queue of that SID, or the one that everything begins with."""
        self.engine.perform(
            queues.update,
            workspace_sid=self.workspace_sid,
            task_queue_sid=queue_sid or self.queue_sid,
            **columns,  # type: ignore[arg-type]
        )

    def route(self) -> None:
        """Lets the router read on until it has read everything and offered what can be offered."""
        step = following(self._log, self.router.follow)
        while step():
            pass

    def pass_time(self, seconds: float) -> None:
        """Moves the clock, does what has fallen due, and lets the router see it."""
        self.clock.advance(seconds)
        while timers.advance(self.engine):
            pass
        self.route()

    def next_deadline(self) -> Instant | None:
        return timers.next_deadline(self.engine)

    def set_up(self) -> Configuration:
        return self.engine.read(lambda work: work.configuration(self.workspace_sid))

    def activity(self, name: str) -> str:
        activities = self.set_up().activities.values()
        return next(each.sid for each in activities if each.friendly_name == name)

    def add_worker(
        self,
        name: str,
        *,
        activity: str = "Available",
        channel: str = "voice",
        capacity: int = 1,
        **attributes: object,
    ) -> str:
        worker = self.engine.perform(
            workers.create,
            workspace_sid=self.workspace_sid,
            friendly_name=name,
            attributes=json.dumps(attributes),
            activity_sid=self.activity(activity),
        )
        if capacity != 1:
            self.set_capacity(worker.sid, capacity, channel=channel)
        return worker.sid

    def set_capacity(self, worker_sid: str, capacity: int, *, channel: str = "voice") -> None:
        self.engine.perform(
            workers.set_channel,
            workspace_sid=self.workspace_sid,
            worker_sid=worker_sid,
            channel=channel,
            capacity=capacity,
        )

    def switch(self, worker_sid: str, *, available: bool, channel: str = "voice") -> None:
        """Switches a Worker's channel on or off."""
        self.engine.perform(
            workers.set_channel,
            workspace_sid=self.workspace_sid,
            worker_sid=worker_sid,
            channel=channel,
            available=available,
        )
        self.route()

    def change_worker(self, worker_sid: str, **columns: object) -> None:
        self.engine.perform(
            workers.update,
            workspace_sid=self.workspace_sid,
            worker_sid=worker_sid,
            **columns,  # type: ignore[arg-type]
        )
        self.route()

    def move(self, worker_sid: str, activity: str) -> None:
        self.change_worker(worker_sid, activity_sid=self.activity(activity))

    def change_task(self, task_sid: str, **columns: object) -> None:
        self.engine.perform(
            tasks.update,
            workspace_sid=self.workspace_sid,
            task_sid=task_sid,
            **columns,  # type: ignore[arg-type]
        )
        self.route()

    def add_task(
        self,
        *,
        channel: str = "voice",
        priority: int = 0,
        timeout_seconds: int = 86_400,
        workflow: str | None = None,
        **attributes: object,
    ) -> str:
        """A Task that comes in a millisecond after whatever came before it."""
        return self.send_task(
            workflow_sid=workflow or self.workflow_sid,
            attributes=json.dumps(attributes),
            task_channel=channel,
            priority=priority,
            timeout_seconds=timeout_seconds,
        )

    def send_task(self, **columns: object) -> str:
        """The same, with every parameter as it is told."""
        self.clock.advance(0.001)
        task = self.engine.perform(
            tasks.create,
            workspace_sid=self.workspace_sid,
            **columns,  # type: ignore[arg-type]
        )
        self.route()
        return task.sid

    def task(self, sid: str) -> Task:
        task = self.engine.read(lambda work: work.tasks.get(sid))
        assert task is not None
        return task

    def task_sids(self) -> list[str]:
        found = self.engine.read(lambda work: work.tasks.find(workspace_sid=self.workspace_sid))
        return [task.sid for task in found]

    def worker(self, sid: str) -> Worker:
        worker = self.engine.read(lambda work: work.workers.get(sid))
        assert worker is not None
        return worker

    def activity_of(self, worker_sid: str) -> str:
        return self.set_up().activities[self.worker(worker_sid).activity_sid].friendly_name

    def channel(self, worker_sid: str, name: str = "voice") -> WorkerChannel:
        def query(work: Work) -> WorkerChannel:
            return workers.find_channel(
                work, workspace_sid=self.workspace_sid, worker_sid=worker_sid, channel=name
            )

        return self.engine.read(query)

    def reservations(self, task_sid: str) -> list[Reservation]:
        return self.engine.read(lambda work: work.reservations.find(task_sid=task_sid))

    def reservation(self, sid: str) -> Reservation:
        reservation = self.engine.read(lambda work: work.reservations.get(sid))
        assert reservation is not None
        return reservation

    def all_workers(self) -> list[Worker]:
        return self.engine.read(lambda work: work.workers.find(workspace_sid=self.workspace_sid))

    def picture(self) -> list[object]:
        """Everything that a verb may change, to be compared with a later picture."""

        def query(work: Work) -> list[object]:
            return [
                work.tasks.find(order_by="sid"),
                work.reservations.find(order_by="sid"),
                work.workers.find(order_by="sid"),
                work.worker_channels.find(order_by="sid"),
                work.instructions.find(order_by="sid"),
                work.transfers.find(order_by="sid"),
            ]

        return [*self.engine.read(query), len(self._read_on())]

    def answer(self, verb: str, reservation_sid: str, **arguments: object) -> None:
        """accept, reject, wrap_up, complete, ...: a verb of reservations by its name."""
        self.engine.perform(
            getattr(reservations, verb), reservation_sid=reservation_sid, **arguments
        )
        self.route()

    def offer(self, task_sid: str) -> Reservation:
        """The one live Reservation of the Task."""
        live = [each for each in self.reservations(task_sid) if each.reservation_status in LIVE]
        assert len(live) == 1, [each.reservation_status for each in self.reservations(task_sid)]
        return live[0]

    def offered_to(self, task_sid: str) -> str | None:
        """The name of the Worker with the one live Reservation; None when nobody has it."""
        live = [each for each in self.reservations(task_sid) if each.reservation_status in LIVE]
        return self.worker(live[0].worker_sid).friendly_name if live else None

    def status(self, task_sid: str) -> str:
        return self.task(task_sid).assignment_status

    def queue_of(self, task_sid: str) -> str:
        """The name of the queue in which the Task is."""
        queue_sid = self.task(task_sid).task_queue_sid
        return self.set_up().task_queues[queue_sid].friendly_name if queue_sid else "none"

    def served(self, *task_sids: str) -> list[int]:
        """Has everything done that is offered, one after the other: the order, by place given."""
        order: list[int] = []
        while True:
            self.route()
            offered = [sid for sid in task_sids if self.status(sid) == "reserved"]
            if not offered:
                return order
            for sid in offered:
                order.append(task_sids.index(sid))
                self.accept(sid)
                self.complete(sid)

    def accept(self, task_sid: str) -> Reservation:
        offer = self.offer(task_sid)
        accepted = self.engine.perform(reservations.accept, reservation_sid=offer.sid)
        self.route()
        return accepted

    def accept_pending(self, task_sid: str) -> None:
        """Has the one who is being asked accept, while others have the Task already."""
        self.route()
        offers = [
            each for each in self.reservations(task_sid) if each.reservation_status == "pending"
        ]
        assert len(offers) == 1
        self.answer("accept", offers[0].sid)

    def reject(self, task_sid: str, worker_activity_sid: str | None = None) -> Reservation:
        offer = self.offer(task_sid)
        rejected = self.engine.perform(
            reservations.reject, reservation_sid=offer.sid, worker_activity_sid=worker_activity_sid
        )
        self.route()
        return rejected

    def wrap_up(self, task_sid: str) -> None:
        self.engine.perform(tasks.wrap_up, workspace_sid=self.workspace_sid, task_sid=task_sid)
        self.route()

    def complete(self, task_sid: str) -> None:
        self.engine.perform(tasks.complete, workspace_sid=self.workspace_sid, task_sid=task_sid)
        self.route()

    def cancel(self, task_sid: str, reason: str = "not needed") -> None:
        self.engine.perform(
            tasks.cancel, workspace_sid=self.workspace_sid, task_sid=task_sid, reason=reason
        )
        self.route()

    def instruction(self, reservation_sid: str) -> Instruction:
        found = self.engine.read(
            lambda work: work.instructions.find(reservation_sid=reservation_sid)
        )
        return found[0]

    def request_conference(self, reservation_sid: str) -> None:
        self.engine.perform(
            instructions.request_conference, reservation_sid=reservation_sid, parameters={}
        )

    def events(self, *types: str) -> list[str]:
        """The types of all events since the start, or of those types only, in their order."""
        return [each.type for each in self._read_on() if not types or each.type in types]

    def story(self, reservation_sid: str) -> list[str]:
        """The types of the Reservation's events, in their order."""
        return [each.type for each in self._read_on() if each.reservation_sid == reservation_sid]

    def _read_on(self) -> list[Event]:
        """Every event since the start."""
        while new := self._whole_log.read(10_000):
            self._told += new
            self._whole_log.start_after(new[-1].position)
        return self._told
