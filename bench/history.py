"""A month of a large call centre, written at once: a million finished Tasks and their sums.

Tasks and Reservations are rows as the engine leaves them; the sums are made by the follower's own
code from events that are made up here and kept nowhere, since ten million of them would say nothing
more to who asks for statistics.
"""

import itertools
import operator
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from routing import sids
from routing.background.statistics import StatisticsFollower
from routing.clock import SECOND, Instant
from routing.engine import Engine, queues, tasks, workers, workflows, workspaces
from routing.events import Event
from routing.reservation import COMPLETED as RESERVATION_COMPLETED
from routing.reservation import REJECTED, Reservation
from routing.statistics import facts
from routing.statistics.period import DAY
from routing.store import SqlStore, UnitOfWork
from routing.store.statistics import bucketed
from routing.task import CANCELED, COMPLETED, Task

DAYS = 30
QUEUES = 100
WORKFLOWS = 4
WORKERS = 500
LIVE_TASKS = 2_000
#: Of a day's Tasks, how many come in each of its hours, in parts.
_HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 18, 14, 18, 20, 18, 14, 10, 7, 5, 4, 3, 2, 1)
_CHANNELS, _WEIGHTS = ("voice", "chat", "sms"), (80, 15, 5)
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    workspace_sid: str
    queue_sids: list[str]
    workflow_sids: list[str]
    worker_sids: list[str]
    activity_sids: list[str]
    channel_sids: dict[str, str]


def fill(store: SqlStore, engine: Engine, number: int) -> House:
    """So many finished Tasks over the last days, and those that live now."""
    house = _house(engine)
    chance = random.Random(20)
    for day in range(DAYS):
        _write_day(store, house, chance, day=day, number=number // DAYS)
    for _ in range(LIVE_TASKS):
        _new_task(engine, house, chance)
    follower = StatisticsFollower(store)
    while follower.step():
        pass
    return house


def _house(engine: Engine) -> House:
    workspace_sid = engine.perform(workspaces.create, friendly_name="Large").sid
    configuration = engine.read(lambda work: work.configuration(workspace_sid))
    activities = {each.friendly_name: sid for sid, each in configuration.activities.items()}
    channels = {each.unique_name: sid for sid, each in configuration.task_channels.items()}
    queue_sids = [
        engine.perform(
            queues.create,
            workspace_sid=workspace_sid,
            friendly_name=f"Queue {number}",
            target_workers=f'skills HAS "{number % 20}" AND level >= {number % 3}',
        ).sid
        for number in range(QUEUES)
    ]
    workflow_sids = [
        engine.perform(
            workflows.create,
            workspace_sid=workspace_sid,
            friendly_name=f"Workflow {number}",
            configuration=f'{{"task_routing": {{"default_filter": {{"queue": "{queue}"}}}}}}',
        ).sid
        for number, queue in enumerate(queue_sids[:WORKFLOWS])
    ]
    worker_sids = [
        engine.perform(
            workers.create,
            workspace_sid=workspace_sid,
            friendly_name=f"Worker {number}",
            activity_sid=activities["Available" if number % 3 else "Offline"],
            attributes=f'{{"skills": ["{number % 20}", "{number % 7}"], "level": {number % 4}, '
            f'"contact_uri": "client:worker{number}"}}',
        ).sid
        for number in range(WORKERS)
    ]
    return House(
        workspace_sid=workspace_sid,
        queue_sids=queue_sids,
        workflow_sids=workflow_sids,
        worker_sids=worker_sids,
        activity_sids=list(activities.values()),
        channel_sids=channels,
    )


def _new_task(engine: Engine, house: House, chance: random.Random) -> None:
    engine.add(
        tasks.create,
        workspace_sid=house.workspace_sid,
        task_queue_sid=chance.choice(house.queue_sids),
        workflow_sid=chance.choice(house.workflow_sids),
        task_channel=_channel(chance),
        priority=chance.choice((0, 0, 0, 10)),
    )


def _channel(chance: random.Random) -> str:
    return chance.choices(_CHANNELS, _WEIGHTS)[0]


def _write_day(
    store: SqlStore, house: House, chance: random.Random, *, day: int, number: int
) -> None:
    begin = store.read(lambda work: work.now) // DAY * DAY - (DAYS - day) * DAY
    stories = [_Story(house, chance, begin) for _ in range(number)]
    for place in range(0, number, _ROWS_AT_ONCE):
        store.perform(partial(_add_rows, stories=stories[place : place + _ROWS_AT_ONCE]))
    told = [event for story in stories for event in story.told]
    told += _activity_changes(house, chance, begin)
    told.sort(key=operator.itemgetter("occurred_at"))
    # Positions that the log itself will not give away.
    events = [Event(position=(day + 1) * 1_000_000_000 + place, **event)
              for place, event in enumerate(told)]  # fmt: skip
    reading = facts.read(events, {})
    reading.standings.clear()  # all of it is over
    sums = bucketed(reading.facts)
    store.perform(lambda work: work.statistics.write(reading, sums, after=day, position=day + 1))


def _add_rows(work: UnitOfWork, stories: Iterable["_Story"]) -> None:
    for story in stories:
        work.tasks.add(story.task)
        for reservation in story.reservations:
            work.reservations.add(reservation)


class _Story:
    """One Task from its creation to its end, within the day."""

    def __init__(self, house: House, chance: random.Random, day: Instant) -> None:
        self._house = house
        self._chance = chance
        hour = chance.choices(range(24), _HOURS)[0]
        # Early enough to be over before midnight, so that each day's sums can be written at once.
        self._now = self._created_at = day + int((hour + chance.random() * 0.6) * 3600) * SECOND
        self._queue_sid = chance.choice(house.queue_sids)
        self._workflow_sid = chance.choice(house.workflow_sids)
        self._channel_sid = house.channel_sids[_channel(chance)]
        self._sid = sids.new_sid(sids.TASK)
        self.told: list[dict[str, Any]] = []
        self.reservations: list[Reservation] = []
        self._tell("task.created")
        self._tell("task-queue.entered")
        self._tell("workflow.entered")
        self.task = self._lived()

    def _lived(self) -> Task:
        chance = self._chance
        if chance.random() < 0.08:
            self._now += int(chance.expovariate(1 / 90)) * SECOND
            self._tell("task.canceled")
            return self._task(CANCELED)
        self._now += int(chance.expovariate(1 / 45) * SECOND)
        while chance.random() < 0.1:
            self._offer(REJECTED, "reservation.rejected", 12)
        self._offer(RESERVATION_COMPLETED, "reservation.accepted", 4)
        self._now += int(chance.expovariate(1 / 240) * SECOND)
        self._tell("task.completed")
        return self._task(COMPLETED)

    def _offer(self, status: str, event_type: str, seconds: int) -> None:
        worker_sid = self._chance.choice(self._house.worker_sids)
        self._tell("reservation.created", worker_sid=worker_sid)
        created_at = self._now
        self._now += self._chance.randrange(seconds * SECOND)
        self._tell(event_type, worker_sid=worker_sid)
        self.reservations.append(
            Reservation(
                sid=sids.new_sid(sids.RESERVATION),
                workspace_sid=self._house.workspace_sid,
                task_sid=self._sid,
                worker_sid=worker_sid,
                worker_channel_sid="WC" + worker_sid[2:],
                task_queue_sid=self._queue_sid,
                workflow_sid=self._workflow_sid,
                reservation_status=status,
                reason=None,
                due_at=None,
                version=2,
                created_at=created_at,
                updated_at=self._now,
            )
        )

    def _tell(self, event_type: str, worker_sid: str | None = None) -> None:
        self.told.append(
            _event(
                self._house,
                event_type,
                self._now,
                {"task_age": str((self._now - self._created_at) // SECOND)},
                task_sid=self._sid,
                task_queue_sid=self._queue_sid,
                workflow_sid=self._workflow_sid,
                task_channel_sid=self._channel_sid,
                worker_sid=worker_sid,
            )
        )

    def _task(self, status: str) -> Task:
        return Task(
            sid=self._sid,
            workspace_sid=self._house.workspace_sid,
            assignment_status=status,
            attributes='{"from": "+15005550006", "language": "en", "topic": "billing"}',
            priority=0,
            reason="done",
            timeout_seconds=86_400,
            task_channel_sid=self._channel_sid,
            workflow_sid=self._workflow_sid,
            workflow_version=0,
            filter_index=0,
            target_index=0,
            task_queue_sid=self._queue_sid,
            routing_target=None,
            ignore_capacity=False,
            assignment_count=len(self.reservations),
            virtual_start_at=self._created_at,
            queue_entered_at=self._created_at,
            expires_at=None,
            step_due_at=None,
            version=4,
            created_at=self._created_at,
            updated_at=self._now,
        )


def _activity_changes(
    house: House, chance: random.Random, day: Instant
) -> Iterator[dict[str, Any]]:
    """Each Worker comes, has breaks and goes: eight changes a day."""
    for worker_sid in house.worker_sids:
        changes = (day + chance.randrange(7, 20 * 60) * 60 * SECOND for _ in range(8))
        at = [day, *sorted(changes)]
        for before, now in itertools.pairwise(at):
            left, entered = chance.sample(house.activity_sids, 2)
            carried = {
                "worker_activity_sid": entered,
                "worker_previous_activity_sid": left,
                "worker_time_in_previous_activity_ms": str(now - before),
            }
            yield _event(house, "worker.activity.update", now, carried, worker_sid=worker_sid)


def _event(
    house: House, event_type: str, at: Instant, carried: dict[str, str], **named: str | None
) -> dict[str, Any]:
    return {
        "sid": "EV",
        "workspace_sid": house.workspace_sid,
        "type": event_type,
        "resource_type": "",
        "resource_sid": "",
        "description": "",
        "carried": carried,
        "occurred_at": at,
        **named,
    }
