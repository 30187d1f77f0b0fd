"""A house that dies at random moments, in the middle of many calls, beside a network that lives on.

`kill -9` of every process of it while people call, accept, talk, hang up and finish; it is started
again at once, and the people go on. What was acknowledged (a webhook or a request answered with
200) must be there in the end, and the whole log must tell a lawful story.
"""

import contextlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import requests

from routing.clock import SystemClock
from routing.ports import Work
from routing.reservation import LIVE
from routing.store.store import SqlStore, open_store
from tests.chaos.running import Case
from tests.journeys.house import CALLER, NUMBER, House, Refused
from tests.routing import invariants

CALLS, KILLS = 200, 2
#: Callers who are there at the same time, and agents beside those of the example: some of them wait
#: in line, some ring or wrap up.
_AT_ONCE, _AGENTS = 24, 18
#: Seconds between a start and the next kill.
_LIFE = (0.2, 8.0)
#: Looks at the people until all of it must be over.
_PATIENCE = 2000
#: How probably each of them hangs up between two looks, wherever they are then; while the house is
#: down, and nothing comes of it, most of them wait.
_HANGS_UP = {True: 0.06, False: 0.01}
_BETWEEN_LOOKS = {True: 0.02, False: 0.1}
_GOING_DOWN = 503
_TAKEN = frozenset({"accepted", "wrapping", "completed"})


class Crowd:
    """Callers and agents: what they do, and what they were told."""

    def __init__(self, house: House, chance: Random, counts: Counter[str]) -> None:
        self.house, self.chance, self.counts = house, chance, counts
        self.base = house.base
        self.dialled = 0
        #: Did the house answer when it was last asked? Else nobody calls in vain for long.
        self.is_answered = True
        #: Reservations and Tasks for which a request was answered with 200.
        self.accepted: set[str] = set()
        self.completed: set[str] = set()
        self._tick = threading.Event()
        self._hire()

    def _hire(self) -> None:
        activities = self.house.get(f"{self.base}/Activities")["activities"]
        self._available = next(each["sid"] for each in activities if each["available"])
        for number in range(_AGENTS):
            self.house.post(
                f"{self.base}/Workers",
                FriendlyName=f"agent {number}",
                ActivitySid=self._available,
                Attributes=f'{{"skills": ["support"], "contact_uri": "client:agent{number}"}}',
            )

    def go(self, calls: int) -> None:
        """So many call, and are talked to until all of it is over."""
        for _ in range(calls * _PATIENCE // 10 + _PATIENCE):
            live = self._callers()
            if self.dialled >= calls and not live and self._is_over():
                return
            if self.is_answered:
                self._dial(min(calls - self.dialled, _AT_ONCE - len(live)))
            self._try(self._look_at_the_tasks)
            self._try(self._call_back_agents)
            for sid in live:
                if self.chance.random() < _HANGS_UP[self.is_answered]:
                    self._hang_up(sid)
            self._tick.wait(_BETWEEN_LOOKS[self.is_answered])
        raise AssertionError(f"it does not come to an end: {self._callers()}")

    def _try(self, deed: Callable[[], object]) -> None:
        """A house that is down, or going down, does not answer; to say no is an answer."""
        try:
            deed()
            self.is_answered = True
        except requests.RequestException:
            self.is_answered = False
            self.counts["requests without an answer"] += 1
        except Refused as refusal:
            if refusal.status >= 500 and refusal.status != _GOING_DOWN:
                raise
            self.counts[f"refused with {refusal.status}"] += 1

    def _dial(self, most: int) -> None:
        for _ in range(self.chance.randint(0, max(0, most))):
            self.house.network("POST", "/calls", {"from": CALLER, "to": NUMBER})
            self.dialled += 1

    def _callers(self) -> list[str]:
        """Those who are in a call that came in."""
        calls: list[dict[str, Any]] = self.house.network("GET", "/state?live=true")["calls"]
        return [call["sid"] for call in calls if call["direction"] == "inbound"]

    def _hang_up(self, sid: str) -> None:
        with contextlib.suppress(AssertionError):  # over since we looked
            self.house.network("POST", f"/calls/{sid}/hangup")

    def _tasks(self, *statuses: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.house.get(
            f"{self.base}/Tasks", AssignmentStatus=",".join(statuses), PageSize=1000
        )["tasks"]
        return found

    def _look_at_the_tasks(self) -> None:
        """Offers are accepted, and after-work is done."""
        for task in self._tasks("reserved", "wrapping"):
            if task["assignment_status"] == "wrapping":
                self._try(lambda task=task: self._complete(task["sid"]))  # type: ignore[misc]
                continue
            for offer in self.house.reservations(task["sid"], ReservationStatus="pending"):
                self._try(lambda offer=offer: self._accept(offer))  # type: ignore[misc]

    def _accept(self, offer: dict[str, Any]) -> None:
        self.house.answer(offer, ReservationStatus="accepted")
        self.accepted.add(offer["sid"])

    def _call_back_agents(self) -> None:
        """Those who did not answer come back."""
        workers = self.house.get(f"{self.base}/Workers", Available="false")["workers"]
        for worker in workers:
            self.house.post(f"{self.base}/Workers/{worker['sid']}", ActivitySid=self._available)

    def _complete(self, sid: str) -> None:
        self.house.post(f"{self.base}/Tasks/{sid}", AssignmentStatus="completed")
        self.completed.add(sid)

    def _is_over(self) -> bool:
        open_tasks = 1
        with contextlib.suppress(requests.RequestException, Refused):
            open_tasks = len(self._tasks("pending", "reserved", "assigned", "wrapping"))
        return not open_tasks and not self.house.live_legs()

    def acknowledged(self) -> set[str]:
        """The calls whose arrival was answered with 200."""
        return {
            entry["call_sid"]
            for entry in self.house.network("GET", "/log")["entries"]
            if entry["kind"] == "webhook"
            and entry["url"].endswith("/voice/incoming")
            and entry["status"] == 200
        }


class Death(threading.Thread):
    """Kills the house and starts it again, so often."""

    def __init__(self, case: Case, house: House, kills: int) -> None:
        super().__init__(name="death")
        self.case, self.house, self.kills = case, house, kills
        self.moments = [case.chance.uniform(*_LIFE) for _ in range(kills)]
        self.error: Exception | None = None
        self._tick = threading.Event()

    def run(self) -> None:
        try:
            for moment in self.moments:
                self._tick.wait(moment)
                self.house.kill()
                begin = time.monotonic()
                self.house.start()
                self.case.measured("ready again after seconds", time.monotonic() - begin)
                self.case.counts["kills"] += 1
        except Exception as error:  # noqa: BLE001 - told by whoever waits for us
            self.error = error


def play(case: Case, calls: int = CALLS, kills: int = KILLS) -> None:
    """So many calls, and so many deaths in the middle of them."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(case.database(postgres_every=2))
        folder: Path = stack.enter_context(case.folder())
        house = stack.enter_context(House(url, folder))
        crowd = Crowd(house, case.chance, case.counts)
        death = Death(case, house, kills)
        death.start()
        try:
            crowd.go(calls)
        finally:
            death.join()
        if death.error is not None:
            raise death.error
        crowd.go(0)  # whatever the last death has left over
        acknowledged = crowd.acknowledged()
        house.kill()
        _judge(case, url, crowd, acknowledged)
    case.counts["calls"] += calls


def _judge(case: Case, url: str, crowd: Crowd, acknowledged: set[str]) -> None:
    store = open_store(url, SystemClock())
    with contextlib.closing(store):
        tables = invariants.check_store(store)
        invariants.check_orphans(tables)
        case.counts["instants"] += _check_every_instant(store)

        def known(work: Work) -> dict[str, str]:
            return {call.sid: call.task_sid for call in work.calls.find()}

        calls = store.read(known)
        lost = acknowledged - calls.keys()
        assert not lost, f"acknowledged and lost: {lost}"
        # Whoever had hung up before the house knew that they called has no Task.
        case.counts["gone before they were known"] += sum(not task for task in calls.values())
        assert {task for task in calls.values() if task} <= tables.tasks.keys()
        taken = Counter(
            each.task_sid for each in tables.reservations if each.reservation_status in _TAKEN
        )
        assert not [task for task, count in taken.items() if count > 1], taken
        status = {each.sid: each.reservation_status for each in tables.reservations}
        assert {status.get(sid) for sid in crowd.accepted} <= {*_TAKEN, "canceled"}
        done = {tables.tasks[sid].assignment_status for sid in crowd.completed}
        assert done <= {"completed"}, done
        assert not [each for each in tables.reservations if each.reservation_status in LIVE]
        case.counts["tasks"] += len(tables.tasks)
        case.counts["acknowledged calls"] += len(acknowledged)


def _check_every_instant(store: SqlStore) -> int:
    """At no moment of the log had a worker more than their one call, or a task two who took it.

    Returns how many moments there were.
    """
    log = store.event_log("every instant")
    of_worker: dict[str, set[str]] = defaultdict(set)
    of_task: dict[str, set[str]] = defaultdict(set)
    instants = 0
    while events := log.read(1000):
        log.advance(events)
        for event in events:
            offer = event.reservation_sid
            if offer is None or event.type == "reservation.failed":
                continue
            instants += 1
            status = event.carried["reservation_status"]
            for sets, sid, counts in (
                (of_worker, event.worker_sid, status in LIVE),
                (of_task, event.task_sid, status in _TAKEN),
            ):
                assert sid is not None
                (sets[sid].add if counts else sets[sid].discard)(offer)
                assert len(sets[sid]) <= 1, event
    return instants
