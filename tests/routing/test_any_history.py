"""The whole engine under any history of a small call centre: what must hold, holds after each step.

The clock is moved by hand and the router steps when it is told to, so that a failure is told again
by the steps that hypothesis prints.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from routing.engine import instructions, reservations, tasks, workers
from routing.engine.explaining import explain
from routing.errors import RoutingError
from routing.reservation import LIVE
from tests.routing import invariants
from tests.routing.centre import Centre, routing_document
from tests.routing.scratch import scratch_centre

CHANNELS = st.sampled_from(["voice", "chat"])
ACTIVITIES = st.sampled_from(["Available", "Available", "Available", "Offline"])
PICK = st.integers(0, 1_000_000)
LEVELS = st.integers(1, 3)


class CallCentre(RuleBasedStateMachine):
    """Everything that may happen, in any order."""

    multi_task = True

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        scratch = scratch_centre(multi_task=self.multi_task)
        self.centre: Centre = self._stack.enter_context(scratch)
        self.log = self.centre.store.event_log("replay")
        self.replay = invariants.Replay()
        self.lowered: set[str] = set()
        self.tables = invariants.read_tables(self.centre.store)
        self.is_routed = True

    def teardown(self) -> None:
        self._stack.close()

    # ---- what may happen ----------------------------------------------------------------------

    @initialize(at_once=st.integers(1, 3), names=st.integers(1, 3))
    def open(self, at_once: int, names: int) -> None:
        centre = self.centre
        self.at_once = at_once
        centre.change_queue(max_reserved_workers=at_once)
        self.second = second = centre.add_queue(
            "Trained", "level >= 2", max_reserved_workers=at_once
        )
        self.flow = centre.add_workflow(
            {
                "expression": "hard == true",
                "targets": [
                    {"queue": second, "timeout": 20, "priority": 5,
                     "skip_if": "workers.available == 0"},
                    {"queue": centre.queue_sid, "expression": "task.level <= worker.level",
                     "timeout": 40},
                ],
            },
            default={"queue": centre.queue_sid},
            task_reservation_timeout=30,
        )  # fmt: skip
        for number in range(names):
            self.new_worker(level=number + 1)

    @rule(level=LEVELS)
    def new_worker(self, level: int) -> None:
        if len(self.tables.workers) < 5:
            name = f"worker {len(self.centre.events('worker.created'))}"
            self.centre.add_worker(name, level=level)
        self._something()

    @rule(channel=CHANNELS, priority=st.integers(0, 2), hard=st.booleans(), level=LEVELS)
    def new_task(self, channel: str, priority: int, level: int, *, hard: bool) -> None:
        self.centre.clock.advance(0.001)
        self.centre.engine.perform(
            tasks.create,
            workspace_sid=self.centre.workspace_sid,
            workflow_sid=self.flow,
            attributes=f'{{"hard": {str(hard).lower()}, "level": {level}}}',
            task_channel=channel,
            priority=priority,
            timeout_seconds=120,
        )
        self._something()

    @rule(pick=PICK, channel=CHANNELS, ignore_capacity=st.booleans())
    def new_task_for(self, pick: int, channel: str, *, ignore_capacity: bool) -> None:
        """A task for one worker, who may be given too much by it."""
        worker = self._one_of(list(self.tables.workers))(pick)
        if worker is None:
            return
        if ignore_capacity and self.multi_task:
            self.lowered.add(self.centre.channel(worker, channel).sid)
        self._try(
            tasks.create,
            workspace_sid=self.centre.workspace_sid,
            task_channel=channel,
            routing_target=worker,
            ignore_capacity=ignore_capacity and self.multi_task,
        )

    @rule()
    def route(self) -> None:
        self.centre.route()
        self.is_routed = True

    @rule(seconds=st.sampled_from([1, 10, 30, 60]))
    def pass_time(self, seconds: int) -> None:
        self.centre.pass_time(seconds)
        self.is_routed = True

    @rule(pick=PICK, verb=st.sampled_from(["accept", "accept", "reject", "wrap_up", "complete"]))
    def answer(self, pick: int, verb: str) -> None:
        offer = self._one_of([each.sid for each in self.tables.reservations
                              if each.reservation_status in LIVE])  # fmt: skip
        self._try(getattr(reservations, verb), reservation_sid=offer(pick))

    @rule(pick=PICK, activity=ACTIVITIES)
    def reject_and_leave(self, pick: int, activity: str) -> None:
        offer = self._one_of([each.sid for each in self.tables.reservations])
        self._try(
            reservations.reject,
            reservation_sid=offer(pick),
            worker_activity_sid=self.centre.activity(activity),
        )

    @rule(pick=PICK, verb=st.sampled_from(["cancel", "wrap_up", "complete", "complete"]))
    def end(self, pick: int, verb: str) -> None:
        task = self._one_of(list(self.tables.tasks))
        self._try(
            getattr(tasks, verb), workspace_sid=self.centre.workspace_sid, task_sid=task(pick)
        )

    @rule(
        pick=PICK, level=LEVELS, priority=st.integers(0, 2), hard=st.booleans(), again=st.booleans()
    )
    def change_task(self, pick: int, level: int, priority: int, *, hard: bool, again: bool) -> None:
        task = self._one_of(list(self.tables.tasks))
        self._try(
            tasks.update,
            workspace_sid=self.centre.workspace_sid,
            task_sid=task(pick),
            attributes=f'{{"level": {level}, "hard": {str(hard).lower()}}}',
            priority=priority,
            re_evaluate=again,
        )

    @rule(again=st.booleans(), timeout=st.sampled_from([5, 20]))
    def change_workflow(self, timeout: int, *, again: bool) -> None:
        """Another configuration, of which waiting tasks may or may not learn."""
        queue = self.centre.queue_sid
        first = {"queue": self.second, "timeout": timeout, "skip_if": "workers.available == 0"}
        self.centre.change_workflow(
            self.flow,
            configuration=routing_document(
                {"expression": "hard == true", "targets": [first, {"queue": queue}]},
                default={"queue": queue},
            ),
            re_evaluate_tasks=again,
        )
        self._something()

    @rule(level=LEVELS, order=st.sampled_from(["FIFO", "LIFO"]))
    def change_queue(self, level: int, order: str) -> None:
        """Workers enter and leave a queue in which tasks wait."""
        self.centre.change_queue(self.second, target_workers=f"level >= {level}", task_order=order)
        self._something()

    @rule(pick=PICK)
    def delete_task(self, pick: int) -> None:
        task = self._one_of(list(self.tables.tasks))
        self._try(tasks.delete, workspace_sid=self.centre.workspace_sid, task_sid=task(pick))

    @rule(pick=PICK, activity=ACTIVITIES, reject=st.booleans())
    def move_worker(self, pick: int, activity: str, *, reject: bool) -> None:
        worker = self._one_of(list(self.tables.workers))
        self._try(
            workers.update,
            workspace_sid=self.centre.workspace_sid,
            worker_sid=worker(pick),
            activity_sid=self.centre.activity(activity),
            reject_pending_reservations=reject and activity == "Offline",
        )

    @rule(pick=PICK, level=LEVELS)
    def train_worker(self, pick: int, level: int) -> None:
        worker = self._one_of(list(self.tables.workers))
        self._try(
            workers.update,
            workspace_sid=self.centre.workspace_sid,
            worker_sid=worker(pick),
            attributes=f'{{"level": {level}}}',
        )

    @rule(pick=PICK, channel=CHANNELS, capacity=st.integers(0, 3), available=st.booleans())
    def set_channel(self, pick: int, channel: str, capacity: int, *, available: bool) -> None:
        worker = self._one_of(list(self.tables.workers))(pick)
        if worker is None:
            return
        now = self.centre.channel(worker, channel)
        if capacity < now.assigned_tasks:
            self.lowered.add(now.sid)
        self._try(
            workers.set_channel,
            workspace_sid=self.centre.workspace_sid,
            worker_sid=worker,
            channel=channel,
            capacity=capacity,
            available=available or capacity > 1,
        )

    @rule(pick=PICK)
    def delete_worker(self, pick: int) -> None:
        worker = self._one_of(list(self.tables.workers))
        self._try(workers.delete, workspace_sid=self.centre.workspace_sid, worker_sid=worker(pick))

    @rule(pick=PICK)
    def request_conference(self, pick: int) -> None:
        offer = self._one_of([each.sid for each in self.tables.reservations
                              if each.reservation_status in LIVE])  # fmt: skip
        self._try(instructions.request_conference, reservation_sid=offer(pick), parameters={})

    @rule(pick=PICK, failure=st.sampled_from([None, "busy"]))
    def settle_conference(self, pick: int, failure: str | None) -> None:
        asked = self.centre.engine.read(lambda work: work.instructions.find(order_by="sid"))
        sid = self._one_of([each.sid for each in asked])(pick)
        if failure is None:
            self._try(instructions.succeed, instruction_sid=sid)
        else:
            self._try(instructions.fail, instruction_sid=sid, failure=failure)

    def _one_of(self, sids: list[str]) -> Callable[[int], str | None]:
        # By age, not by SID: the same steps then mean the same things when they are told again.
        return lambda pick: sids[pick % len(sids)] if sids else None

    def _try(self, verb: Callable[..., object], **arguments: Any) -> None:
        """Does it, or is refused: then nothing has changed."""
        if None in [arguments.get(name, "") for name in _SIDS]:
            return
        before = self.centre.picture()
        try:
            self.centre.engine.perform(verb, **arguments)
        except RoutingError:
            assert self.centre.picture() == before
        else:
            self._something()

    def _something(self) -> None:
        self.is_routed = False

    # ---- what must hold -----------------------------------------------------------------------

    @invariant()
    def what_must_hold(self) -> None:
        centre, before = self.centre, self.tables
        self.tables = after = invariants.read_tables(centre.store)
        raised = self.lowered if self.multi_task else {each.sid for each in after.channels}
        invariants.check_load(after, raised=raised)
        invariants.check_offers(after, at_once=getattr(self, "at_once", 1))
        invariants.check_terminal(before, after)
        while new := self.log.read(10_000):
            for event in new:
                self.replay.follow(event)
            self.log.start_after(new[-1].position)
        invariants.check_replay(after, self.replay)
        if self.is_routed:
            invariants.check_nobody_waits_in_vain(centre.store)
            self._everybody_has_a_reason_to_wait()
        if not self.multi_task:
            self._one_task_each()

    def _everybody_has_a_reason_to_wait(self) -> None:
        """The router is quiet, so it is nobody's turn: something else is in the way."""
        for task in self.tables.tasks.values():
            if task.assignment_status == "pending":
                explanation = self.centre.engine.read(
                    explain, workspace_sid=task.workspace_sid, task_sid=task.sid
                )
                assert "turn" not in {group.obstacle for group in explanation.groups}

    def _one_task_each(self) -> None:
        loads: dict[str, int] = {}
        for channel in self.tables.channels:
            loads[channel.worker_sid] = loads.get(channel.worker_sid, 0) + channel.assigned_tasks
        assert all(load <= 1 for load in loads.values())


_SIDS = ("task_sid", "worker_sid", "reservation_sid", "instruction_sid")


class OneTaskAtATime(CallCentre):
    """The same without multitasking."""

    multi_task = False


_SETTINGS = settings(
    deadline=None,
    max_examples=200,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestCallCentre = CallCentre.TestCase
TestCallCentre.settings = _SETTINGS
TestOneTaskAtATime = OneTaskAtATime.TestCase
TestOneTaskAtATime.settings = settings(_SETTINGS, max_examples=50)
