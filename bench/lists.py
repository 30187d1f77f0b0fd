"""How long a page of a long list takes: a million Tasks, ten thousand Workers, every filter.

The rows are written straight into fresh tables, once per database; the requests go through the REST
door inside this process, so that what is measured is the answer and not the network.
"""

import argparse
import itertools
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import flask
import psycopg
from psycopg import sql
from sqlalchemy import make_url

from bench import servers
from bench.figures import Figure, median
from routing import sids
from routing.api.door import rest_door
from routing.api.operations import RestSettings
from routing.api.paging import token_after
from routing.api.tasks import order_of
from routing.clock import SystemClock
from routing.configuration import Configuration
from routing.engine import Engine, queues, templates, workflows
from routing.ports import Work
from routing.store import SqlStore, open_store
from routing.store.tables import events, reservations, tasks, worker_channels, workers
from routing.task import Task

WORKERS = 10_000
QUEUES = 20
#: One Task a second or so: a million are not quite twelve days of them.
GAP_MS = 1_000
MOST_MS = 50.0
#: Rows that are written by one statement.
CHUNK = 20_000
_LANGUAGES = ("en", "es", "fr", "de", "ja")
_AUTH = (servers.ACCOUNT_SID, servers.AUTH_TOKEN)

Row = tuple[object, ...]


@dataclass(frozen=True)
class _Centre:
    configuration: Configuration
    worker_sids: Sequence[str]
    task_sids: Sequence[str]
    #: The SIDs of the first of each, and a rare one.
    reserved: tuple[str, str]
    middle_task_sid: str

    @property
    def path(self) -> str:
        return f"/v1/Workspaces/{self.configuration.workspace.sid}"


def measure(options: argparse.Namespace) -> list[Figure]:
    """Milliseconds of a page with each documented filter and order, first and tenth page."""
    figures = []
    with servers.databases(options.database) as urls:
        for name, url in urls.items():
            clock = SystemClock()
            store = open_store(url, clock)
            store.migrate()
            begin = time.perf_counter()
            centre = _filled(store, url, options.tasks)
            print(f"  {options.tasks} Tasks in {time.perf_counter() - begin:.0f} s ({name})")
            settings = RestSettings(
                account_sid=_AUTH[0], auth_tokens=(_AUTH[1],), public_url="http://127.0.0.1"
            )
            app = flask.Flask("lists")
            app.register_blueprint(rest_door(Engine(store, clock), settings))
            client = app.test_client()
            middle = store.read(lambda work, centre=centre: work.tasks.get(centre.middle_task_sid))  # type: ignore[misc]
            assert middle is not None  # noqa: S101 - it was written a moment ago
            figures += [
                _figure(client, f"{what} ({name})", f"{centre.path}/{list_path}", query, options)
                for what, list_path, query in (*_lists(centre), *_in_the_middle(middle))
            ]
            store.close()
    return figures


def _figure(
    client: Any, name: str, path: str, query: dict[str, str], options: argparse.Namespace
) -> Figure:
    """The slower of the first page and the one after it, each the median of some tries."""
    url: str | None = f"{path}?{urlencode(query)}" if query else path
    slowest, rows = 0.0, []
    for _page in range(2):
        if url is None:
            break
        answer = client.get(url, auth=_AUTH)
        times = []
        for _ in range(max(3, options.rounds)):
            begin = time.perf_counter()
            answer = client.get(url, auth=_AUTH)
            times.append((time.perf_counter() - begin) * 1000)
        body = answer.get_json()
        if answer.status_code != 200:
            raise RuntimeError(f"{url}: {body}")
        slowest = max(slowest, median(times))
        rows.append(len(body[body["meta"]["key"]]))
        following = body["meta"]["next_page_url"]
        url = following.removeprefix("http://127.0.0.1") if following else None
    told = f"{' and '.join(map(str, rows))} rows"
    return Figure(name=name, value=slowest, unit="ms", at_most=MOST_MS, beside=told)


def _lists(centre: _Centre) -> Iterator[tuple[str, str, dict[str, str]]]:
    setup = centre.configuration
    queue, workflow = (next(iter(each)) for each in (setup.task_queues, setup.workflows))
    a_queue, a_workflow = setup.task_queues[queue], setup.workflows[workflow]
    day = "2000-01-01T00:00:00Z"
    tasks_by: list[dict[str, str]] = [
        {},
        {"AssignmentStatus": "pending"},
        {"AssignmentStatus": "completed"},
        {"AssignmentStatus": "completed,canceled,pending"},
        {"Priority": "0"},
        {"Priority": "7"},
        {"Priority": "99"},
        {"WorkflowSid": workflow},
        {"WorkflowName": a_workflow.friendly_name},
        {"TaskQueueSid": queue},
        {"TaskQueueName": a_queue.friendly_name},
        {"RoutingTarget": centre.worker_sids[0]},
        {"RoutingTarget": centre.worker_sids[-1]},
        {"HasAddons": "true"},
        {"HasAddons": "false"},
        {"EvaluateTaskAttributes": "language == 'es'"},
        {"EvaluateTaskAttributes": "language == 'nobody'"},
        {"EvaluateTaskAttributes": "n > 10", "AssignmentStatus": "pending"},
        {"TaskQueueSid": queue, "AssignmentStatus": "pending"},
        {"WorkflowSid": workflow, "AssignmentStatus": "pending", "Priority": "7"},
        {"WorkflowSid": workflow, "AssignmentStatus": "completed", "Priority": "99"},
        {"TaskQueueSid": queue, "Priority": "7"},
        {"Ordering": "DateCreated:desc"},
        {"Ordering": "Priority:desc"},
        {"Ordering": "Priority:asc"},
        {"Ordering": "VirtualStartTime:asc"},
        {"Ordering": "VirtualStartTime:desc"},
        {"Ordering": "Priority:desc,DateCreated:asc"},
        {"Ordering": "DateCreated:asc,Priority:desc"},
        {"Ordering": "Priority:desc,VirtualStartTime:asc", "AssignmentStatus": "pending"},
        {"Ordering": "DateCreated:desc", "AssignmentStatus": "completed"},
        {"Ordering": "Priority:desc", "AssignmentStatus": "canceled", "TaskQueueSid": queue},
    ]
    workers_by: list[dict[str, str]] = [
        {},
        {"ActivityName": "Available"},
        {"ActivitySid": setup.workspace.default_activity_sid or ""},
        {"Available": "true"},
        {"FriendlyName": "Worker 9999"},
        {"TargetWorkersExpression": "level > 8"},
        {"TargetWorkersExpression": "languages HAS 'nobody'"},
        {"TaskQueueSid": queue},
        {"TaskQueueName": a_queue.friendly_name},
        {"Ordering": "DateStatusChanged:desc"},
    ]
    events_by: list[dict[str, str]] = [
        {},
        {"EventType": "task.created"},
        {"EventType": "task.deleted"},
        {"TaskQueueSid": queue},
        {"WorkflowSid": workflow},
        {"TaskChannel": "voice"},
        {"TaskChannel": "video"},
        {"WorkerSid": centre.worker_sids[0]},
        {"TaskSid": centre.task_sids[0]},
        {"ReservationSid": centre.reserved[1]},
        {"Minutes": "15"},
    ]
    events_by = [query if "Minutes" in query else query | {"StartDate": day} for query in events_by]
    for folder, filters in (("Tasks", tasks_by), ("Workers", workers_by), ("Events", events_by)):
        for query in filters:
            told = " ".join(f"{name}={_shown(value)}" for name, value in query.items())
            yield f"{folder} {told}"[:48], folder, query
    worker, task = centre.worker_sids[0], centre.reserved[0]
    for parent, query in (
        (f"Workers/{worker}", {}),
        (f"Workers/{worker}", {"ReservationStatus": "completed"}),
        (f"Tasks/{task}", {}),
    ):
        name = f"Reservations of {parent.split('/')[0]} {' '.join(query.values())}"
        yield name, f"{parent}/Reservations", query


def _in_the_middle(task: Task) -> Iterator[tuple[str, str, dict[str, str]]]:
    """In every order, the page after half a million Tasks, of all and of those that it may skip."""
    instants = ("DateCreated", "VirtualStartTime")
    names = [
        ("Priority",), *((one,) for one in instants),
        *((one, "Priority") for one in instants),
        *(("Priority", one) for one in instants),
    ]  # fmt: skip
    for by in names:
        for directions in itertools.product(("asc", "desc"), repeat=len(by)):
            told = ",".join(f"{name}:{way}" for name, way in zip(by, directions, strict=True))
            token = token_after(order_of(told), task)
            for more in ({}, {"AssignmentStatus": "canceled"}):
                title = f"Tasks, middle, {told} {' '.join(more.values())}"
                yield title, "Tasks", {"Ordering": told, "PageToken": token, **more}


def _shown(value: str) -> str:
    return f"{value[:2]}..." if sids.is_sid(value) else value


def _filled(store: SqlStore, url: str, number: int) -> _Centre:
    """A Workspace with its queues and Workflows, and so many Tasks that most are over."""

    def set_up(work: Work) -> str:
        workspace = templates.create_workspace(work, friendly_name="Lists", template="FIFO")
        queue_sid = next(iter(work.configuration(workspace.sid).task_queues))
        for n in range(QUEUES - 1):
            expression = f'languages HAS "{_LANGUAGES[n % len(_LANGUAGES)]}"'
            queues.create(
                work,
                workspace_sid=workspace.sid,
                friendly_name=f"Queue {n}",
                target_workers=expression,
            )
        for n in range(4):
            document = f'{{"task_routing": {{"default_filter": {{"queue": "{queue_sid}"}}}}}}'
            workflows.create(
                work,
                workspace_sid=workspace.sid,
                friendly_name=f"Workflow {n}",
                configuration=document,
            )
        return workspace.sid

    workspace_sid = store.perform(set_up)
    configuration = store.read(lambda work: work.configuration(workspace_sid))
    rows = _Rows(configuration, number)
    write = _into_sqlite if url.startswith("sqlite") else _into_postgresql
    write(url, rows)
    return _Centre(
        configuration,
        rows.worker_sids,
        rows.task_sids,
        (rows.task_sids[0], rows.reservation_sids[0]),
        rows.task_sids[number // 2],
    )


class _Rows:
    """The rows of the long tables, made as they are written."""

    def __init__(self, configuration: Configuration, number: int) -> None:
        self._setup = configuration
        self._random = random.Random(7)
        self.worker_sids = [sids.new_sid(sids.WORKER) for _ in range(WORKERS)]
        self.task_sids = [sids.new_sid(sids.TASK) for _ in range(number)]
        self.reservation_sids = [sids.new_sid(sids.RESERVATION) for _ in range(number)]
        self._begin = SystemClock().now() - number * GAP_MS
        self._activities = list(configuration.activities)
        self._channels = list(configuration.task_channels)
        self._queues = list(configuration.task_queues)
        self._workflows = list(configuration.workflows)

    def tables(self) -> Iterator[tuple[Any, Callable[[int], dict[str, object]], int]]:
        """Each table, its n-th row, and how many rows there are."""
        channels = len(self._channels)
        yield workers, self._worker, WORKERS
        yield worker_channels, self._worker_channel, WORKERS * channels
        yield tasks, self._task, len(self.task_sids)
        yield reservations, self._reservation, len(self.task_sids)
        yield events, self._event, len(self.task_sids)

    def _at(self, n: int) -> int:
        return self._begin + n * GAP_MS

    def _dated(self, n: int) -> dict[str, object]:
        return {"created_at": self._at(n), "updated_at": self._at(n)}

    def _worker(self, n: int) -> dict[str, object]:
        languages = self._random.sample(_LANGUAGES, 2)
        return self._dated(n) | {
            "sid": self.worker_sids[n],
            "workspace_sid": self._setup.workspace.sid,
            "friendly_name": f"Worker {n}",
            "attributes": f'{{"languages": {languages}, "level": {n % 10}}}'.replace("'", '"'),
            "activity_sid": self._activities[n % len(self._activities)],
            "status_changed_at": self._at(self._random.randrange(WORKERS)),
            "last_reserved_at": 0,
            "version": 0,
        }

    def _worker_channel(self, n: int) -> dict[str, object]:
        channels = len(self._channels)
        return self._dated(n) | {
            "sid": sids.new_sid(sids.WORKER_CHANNEL),
            "workspace_sid": self._setup.workspace.sid,
            "worker_sid": self.worker_sids[n // channels],
            "task_channel_sid": self._channels[n % channels],
            "configured_capacity": 1,
            "assigned_tasks": 0,
            "available": True,
            "last_reserved_at": 0,
        }

    def _task(self, n: int) -> dict[str, object]:
        drawn = self._random.random()
        # The last few thousand wait; the others are over.
        waits = n >= len(self.task_sids) - 5000
        status = "pending" if waits else "canceled" if drawn < 0.05 else "completed"
        priority = 99 if n % 100_000 == 5 else n % 10 if n % 5 == 0 else 0
        return self._dated(n) | {
            "sid": self.task_sids[n],
            "workspace_sid": self._setup.workspace.sid,
            "assignment_status": status,
            "attributes": f'{{"language": "{_LANGUAGES[n % 5]}", "n": {n % 100}}}',
            "priority": priority,
            "reason": None if waits else "done",
            "timeout_seconds": 86_400,
            "task_channel_sid": self._channels[n % 3],
            "workflow_sid": self._workflows[n % len(self._workflows)],
            "workflow_version": 1,
            "filter_index": -1,
            "target_index": 0,
            "task_queue_sid": self._queues[n % len(self._queues)],
            "routing_target": self.worker_sids[n // 1000 % WORKERS] if n % 1000 == 0 else None,
            "ignore_capacity": False,
            "assignment_count": 1,
            "virtual_start_at": self._at(n) - self._random.randrange(1000),
            "queue_entered_at": self._at(n),
            "expires_at": self._at(n) + 86_400_000 if waits else None,
            "step_due_at": None,
            "version": 3,
        }

    def _reservation(self, n: int) -> dict[str, object]:
        return self._dated(n) | {
            "sid": self.reservation_sids[n],
            "workspace_sid": self._setup.workspace.sid,
            "task_sid": self.task_sids[n],
            "worker_sid": self.worker_sids[n % WORKERS],
            "worker_channel_sid": sids.WORKER_CHANNEL + "0" * 32,
            "task_queue_sid": self._queues[n % len(self._queues)],
            "workflow_sid": self._workflows[n % len(self._workflows)],
            "reservation_status": "completed",
            "reason": None,
            "due_at": None,
            "version": 2,
        }

    def _event(self, n: int) -> dict[str, object]:
        return {
            "sid": sids.new_sid(sids.EVENT),
            "workspace_sid": self._setup.workspace.sid,
            "type": "task.created" if n % 3 else "reservation.created",
            "resource_type": "task",
            "resource_sid": self.task_sids[n],
            "description": "Task created",
            "carried": f'{{"task_sid": "{self.task_sids[n]}", "task_priority": "0"}}',
            "occurred_at": self._at(n),
            "task_sid": self.task_sids[n],
            "reservation_sid": self.reservation_sids[n],
            "worker_sid": self.worker_sids[n % WORKERS],
            "task_queue_sid": self._queues[n % len(self._queues)],
            "workflow_sid": self._workflows[n % len(self._workflows)],
            "task_channel_sid": self._channels[n % 3],
        }


def _into_sqlite(url: str, rows: _Rows) -> None:
    database = sqlite3.connect(Path(make_url(url).database or ""))
    database.execute("PRAGMA synchronous = OFF")
    for table, row, number in rows.tables():
        columns = list(row(0))
        marks = ", ".join("?" for _ in columns)
        # S608: names of our own tables and columns
        text = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        for first in range(0, number, CHUNK):
            chunk = range(first, min(number, first + CHUNK))
            database.executemany(text, [tuple(row(n).values()) for n in chunk])
            database.commit()
    database.close()


def _into_postgresql(url: str, rows: _Rows) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as database:
        for table, row, number in rows.tables():
            columns = list(row(0))
            copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with database.cursor() as cursor, cursor.copy(copy) as stream:
                for n in range(number):
                    stream.write_row(tuple(row(n).values()))
            database.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.name)))
