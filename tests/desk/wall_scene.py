"""A centre in the middle of its day, for the wall's pictures: a morning is played by the engine
with a clock of its own, then the house is opened and the present is played through its doors.
"""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

from commands.provision import provision
from routing.clock import SECOND, Instant, SystemClock
from routing.engine import Engine, queues, reservations, tasks, workers
from routing.store import open_store
from tests.desk.whole_house import WholeHouse
from tests.fakes import ManualClock

HOUR = 3_600 * SECOND
#: Opens a page in a browser that nobody else uses.
Open = Callable[..., Page]
#: Calls of an hour, from seven hours ago until now, and the share of them that is answered at once.
_DAY = ((14, 0.97), (26, 0.95), (41, 0.9), (52, 0.78), (47, 0.7), (38, 0.86), (44, 0.93))
_QUEUES = {"Billing": "billing", "Claims": "claims", "Sales": "sales", "VIP": "vip"}
_STAFF = (
    "Amara Nwosu", "Chloé Martin", "Daniel Kim", "Elif Kaya", "Farid Haddad", "Grace Okoro",
    "Hiroshi Tanaka", "Inés Romero", "Jonas Weber", "Keiko Mori", "Lucas Silva", "Maya Patel",
)  # fmt: skip
_CALLERS = (
    "Priya Raman", "Tom Becker", "佐藤 美咲", "Olga Ivanova", "Sam Carter", "Lea Dubois",
    "Marta Nowak", "Ahmed Aziz", "Noah Smith",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Day:
    engine: Engine
    clock: ManualClock
    workspace_sid: str
    staff: list[str]
    lines: list[str]
    #: The same picture every time.
    chance: random.Random = field(default_factory=lambda: random.Random(4))  # noqa: S311


def morning(folder: Path) -> None:
    """Writes the day so far into the database that the house will open in that folder."""
    began = SystemClock().now() - len(_DAY) * HOUR
    clock = ManualClock(began - HOUR)
    store = open_store(f"sqlite:///{folder / 'tandem.db'}", clock)
    store.migrate()
    engine = Engine(store, clock)
    workspace_sid = engine.perform(provision).sid
    staff, lines = _set_up(engine, workspace_sid)
    day = _Day(engine, clock, workspace_sid, staff, lines)
    for hour, (calls, share) in enumerate(_DAY):
        for number in range(calls):
            begins = began + hour * HOUR + number * HOUR // calls
            _call(day, begins, share)
    store.close()


def _set_up(engine: Engine, workspace_sid: str) -> tuple[list[str], list[str]]:
    """Who works there, and the queues; the SIDs of both."""
    configuration = engine.read(lambda work: work.configuration(workspace_sid))
    lines = list(configuration.task_queues)
    activities = {each.friendly_name: each.sid for each in configuration.activities.values()}
    for name, skill in _QUEUES.items():
        made = engine.perform(
            queues.create,
            workspace_sid=workspace_sid,
            friendly_name=name,
            target_workers=f'skills HAS "{skill}"',
        )
        lines.append(made.sid)
    staff = []
    for number, name in enumerate(_STAFF):
        skills = [list(_QUEUES.values())[number % 4], "support"]
        attributes = {"skills": skills, "contact_uri": f"client:{name.split()[0].lower()}"}
        made_worker = engine.perform(
            workers.create,
            workspace_sid=workspace_sid,
            friendly_name=name,
            attributes=json.dumps(attributes),
            activity_sid=activities["Offline" if number in {4, 9} else "Available"],
        )
        if made_worker.activity_sid == activities["Available"]:
            staff.append(made_worker.sid)
    return staff, lines


def _call(day: _Day, begins: Instant, share: float) -> None:
    """Somebody calls, and is answered soon, or late, or gives up."""
    day.clock.advance(max(0.0, (begins - day.clock.now()) / SECOND))
    task = day.engine.perform(
        tasks.create,
        workspace_sid=day.workspace_sid,
        task_channel="voice",
        attributes=json.dumps({"name": day.chance.choice(_CALLERS)}),
        task_queue_sid=day.chance.choice(day.lines),
    )
    is_quick = day.chance.random() < share
    day.clock.advance(day.chance.uniform(3, 15) if is_quick else day.chance.uniform(21, 60))
    if not is_quick and day.chance.random() < 0.4:
        day.engine.perform(
            tasks.cancel, workspace_sid=day.workspace_sid, task_sid=task.sid, reason="hangup"
        )
        return
    offer = day.engine.perform(
        reservations.reserve, task_sid=task.sid, worker_sid=day.chance.choice(day.staff)
    )
    assert offer is not None, "everybody has time"
    day.engine.perform(reservations.accept, reservation_sid=offer.sid)
    day.clock.advance(1)
    day.engine.perform(tasks.complete, workspace_sid=day.workspace_sid, task_sid=task.sid)


def present(house: WholeHouse) -> None:
    """Most agents have something in hand, and a few callers wait."""
    sids = {
        each["friendly_name"]: each["sid"]
        for each in house.get(f"{house.base}/TaskQueues")["task_queues"]
    }
    chance = random.Random(11)  # noqa: S311 - the same picture every time
    for worker in house.workers:
        is_there = worker not in {"Carol", _STAFF[4], _STAFF[9]}
        house.move(worker, "Available" if is_there else "Offline")
    for worker in ("Chloé Martin", "Maya Patel"):
        house.post(f"{house.base}/Workers/{house.workers[worker]}/Channels/chat", Capacity=3)
    for number in range(15):
        attributes = {"name": _CALLERS[number % len(_CALLERS)], "from": f"+1555010{number:04}"}
        queue = list(sids)[number % len(sids)]
        channel = chance.choice(["voice", "voice", "chat"])
        house.task(
            attributes,
            channel,
            WorkflowSid="",
            TaskQueueSid=sids[queue],
            Priority=chance.choice([0, 0, 5]),
        )
    _all_accepted(house)
    for number in range(5):
        attributes = {"name": _CALLERS[number], "from": f"+1555019{number:04}"}
        house.task(
            attributes, "voice", WorkflowSid="", TaskQueueSid=sids["VIP"], Priority=number * 5
        )


def _all_accepted(house: WholeHouse) -> None:
    """Whatever is offered is taken, until nothing is."""
    for _ in range(40):
        offered = house.get(f"{house.base}/Tasks", AssignmentStatus="reserved", PageSize=100)
        for task in offered["tasks"]:
            path = f"{house.base}/Tasks/{task['sid']}/Reservations"
            for each in house.get(path, ReservationStatus="pending")["reservations"]:
                house.post(f"{path}/{each['sid']}", ReservationStatus="accepted")
        waiting = house.get(f"{house.base}/Tasks", AssignmentStatus="pending,reserved")["tasks"]
        if len(waiting) <= 1:
            return
        house._tick.wait(0.1)


def _wall(open_page: Open, path: str = "/wall", **context: object) -> Page:
    page = open_page(**context)
    page.goto("/sign-in?next=/wall")
    page.get_by_role("button", name=re.compile("Carol")).click()
    page.wait_for_url("**/wall")
    if path != "/wall":
        page.goto(path)
        page.reload()
    page.locator('.charts[aria-busy="false"]').wait_for()
    return page


def empty(_house: WholeHouse, open_page: Open) -> Page:
    """Before anybody has called."""
    return _wall(open_page, viewport={"width": 1280, "height": 900})


def busy(house: WholeHouse, open_page: Open) -> Page:
    """In the middle of the day."""
    present(house)
    return _wall(open_page, viewport={"width": 1440, "height": 1160})


def screen(house: WholeHouse, open_page: Open) -> Page:
    present(house)
    return _wall(open_page, "/wall#screen", viewport={"width": 1920, "height": 1080})


def phone(house: WholeHouse, open_page: Open) -> Page:
    present(house)
    return _wall(open_page, viewport={"width": 390, "height": 844}, locale="ja-JP")
