"""The wall's model (desk/source/wall/model.js) against the server that it is a picture of."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from routing.api.representation import Representation
from routing.clock import SECOND, iso_8601
from routing.engine import rerouting, tasks
from tests.api.service import ACCOUNT_SID, PUBLIC_URL, Service, open_app
from tests.chaos.history import History
from tests.chaos.running import Case
from tests.node import programs
from tests.routing.scratch import scratch_centre

MODEL = Path(__file__).parent / "modules" / "wall_model.mjs"
DAY = 24 * 60 * 60 * SECOND
#: Pieces of one history, each followed by a model of its own from somewhere in its first half on.
PIECES = 4
STEPS = 60
TARGET_SECONDS = 20


class Recording:
    """A centre in which anything happens, with what a wall would be told of it."""

    def __init__(self, history: History, service: Service, *, hands_on: bool) -> None:
        self.history, self.service = history, service
        self.weights = [
            weight if hands_on or deed != history.hand_on else 0
            for deed, weight in zip(history.deeds, history.weights, strict=True)
        ]
        self.chance = history.chance
        self.represent = Representation(ACCOUNT_SID, PUBLIC_URL)
        self.log = service.engine.store.event_log("the wall's")  # type: ignore[attr-defined]
        now = service.clock.now()
        self.day_start = now - now % DAY
        self.day_end = self.day_start + 5 * DAY
        self.events: list[dict[str, Any]] = []

    def happen(self, steps: int) -> None:
        for number in range(steps):
            if self.chance.random() < 0.1:
                self.chance.choice([self.hang_up, self.reroute])()
            deed = self.chance.choices(self.history.deeds, self.weights)[0]
            self.history.told.append(deed.__name__)
            deed()
            if number % 5 == 0:
                self.history.look()
            else:
                self.history.read_on()
        self.listen()

    def hang_up(self) -> None:
        self.history._try_one(tasks.cancel, "task_sid", self.waiting(), reason="hangup")

    def reroute(self) -> None:
        queues = list(self.history.centre.set_up().task_queues)
        to = self.chance.choice(queues)
        self.history._try_one(rerouting.move, "task_sid", self.waiting(), task_queue_sid=to)
        self.history.is_routed = False

    def waiting(self) -> list[str]:
        return [
            task.sid
            for task in self.history.tables.tasks.values()
            if task.assignment_status in {"pending", "reserved"}
        ]

    def listen(self) -> None:
        while events := self.log.read(1000):
            self.events += [self.represent.event(event) for event in events]
            self.log.advance(events)

    def get(self, path: str, **query: Any) -> Any:
        where = f"/v1/Workspaces/{self.history.centre.workspace_sid}/{path}"
        answer = self.service.ask("GET", where, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def all(self, path: str, **query: Any) -> list[Any]:
        page = self.get(path, PageSize=1000, **query)
        assert page["meta"]["next_page_url"] is None
        found: list[Any] = page[page["meta"]["key"]]
        return found

    def picture(self, counted_from: int, *, pause: int = 0) -> dict[str, Any]:
        """What the wall reads when it begins; between any two lists so many things happen."""
        lists = {}
        for name, path, query in (
            ("activities", "Activities", {}),
            ("channels", "TaskChannels", {}),
            ("workflows", "Workflows", {}),
            ("queues", "TaskQueues", {}),
            ("tasks", "Tasks", {"AssignmentStatus": "pending,reserved,assigned,wrapping"}),
            ("workers", "LiveWorkers", {}),
        ):
            self.happen(pause)
            lists[name] = self.all(path, **query)
        return {"lists": lists, "counts": self.counts(counted_from), "numbers": self.numbers()}

    def counts(self, until: int) -> dict[str, Any]:
        queue_sid = self.history.centre.queue_sid
        period = {
            "StartDate": iso_8601(self.day_start),
            "EndDate": iso_8601(until - SECOND)[:-1] + ".999Z",
            "ServiceLevelSeconds": TARGET_SECONDS,
        }
        series = self.get("Series", Interval="15m", **period)["series"]
        of_queue = []
        if queue_sid in self.history.centre.set_up().task_queues:
            asked = {"Interval": "15m", "TaskQueueSid": queue_sid, **period}
            of_queue = self.get("Series", **asked)["series"]
        return {
            "from": until,
            "dayStart": self.day_start,
            "dayEnd": self.day_end,
            "seconds": TARGET_SECONDS,
            "queueSid": queue_sid,
            "series": series,
            "seriesOfQueue": of_queue,
            "queues": self.all("TaskQueueTotals", **period),
        }

    def numbers(self) -> dict[str, Any]:
        """The same things, as other operations tell of them."""
        now = self.get("RealTimeStatistics")
        queues = self.all("TaskQueues/Statistics")
        return {
            "by_status": {
                each["task_queue_sid"]: each["realtime"]["tasks_by_status"] for each in queues
            },
            "activities": {each["sid"]: each["workers"] for each in now["activity_statistics"]},
            "loads": {
                f"{each['worker_sid']} {each['task_channel_unique_name']}": each["assigned_tasks"]
                for worker in self.all("Workers")
                for each in self.all(f"Workers/{worker['sid']}/Channels")
            },
        }

    def piece(self) -> dict[str, Any]:
        """A wall is opened, and followed for a while."""
        self.happen(self.chance.randint(0, STEPS // 3))
        # A whole second, as the page chooses it.
        self.service.clock.advance((2000.5 - self.service.clock.now() % SECOND) / SECOND)
        self.events.clear()
        counted_from = self.service.clock.now()
        assert counted_from % SECOND == 0
        self.service.clock.advance(0.001)
        self.happen(self.chance.randint(0, 6))
        begins = self.picture(counted_from, pause=self.chance.randint(0, 4))
        self.happen(STEPS)
        self.service.clock.advance(1)
        ends = self.picture(self.service.clock.now() // SECOND * SECOND + SECOND)
        return {"begins": begins, "ends": ends, "events": list(self.events)}


@pytest.mark.parametrize("seed", range(4))
def test_whoever_follows_the_events_sees_what_whoever_asks_anew_sees(
    seed: int, tmp_path: Path
) -> None:
    case = Case(seed=f"wall/model/{seed}", chance=random.Random(seed))  # noqa: S311 - a test's dice
    hands_on, multi_task = seed % 2 == 0, seed % 4 != 3
    with scratch_centre(multi_task=multi_task) as centre:
        history = History(centre, case, multi_task=multi_task)
        history.open()
        service = open_app(centre.store, centre.clock)
        recording = Recording(history, service, hands_on=hands_on)
        pieces = [recording.piece() for _ in range(PIECES)]
    path = tmp_path / "recording.json"
    # A Transfer that is called off puts its Task back without telling where: which of its later
    # entries are new ones is then known to the server's sums alone.
    path.write_text(json.dumps({"pieces": pieces, "counts_arrivals": not hands_on}))
    told = compared(path)
    assert told == {"pieces": PIECES, "differences": []}
    assert sum(len(piece["events"]) for piece in pieces) > PIECES * STEPS / 2


def compared(path: Path) -> Any:
    ended = subprocess.run(
        [programs.node(), str(MODEL), str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
