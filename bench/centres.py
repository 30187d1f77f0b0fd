"""A call centre of any size in a database, for the benchmarks that drive the engine in process."""

import json
from dataclasses import dataclass

from routing.clock import SystemClock
from routing.engine import Engine, queues, workers, workflows, workspaces
from routing.ports import Work
from routing.store import SqlStore, open_store

#: Workers that one transaction makes.
_AT_ONCE = 100
CHANNEL = "voice"


@dataclass(frozen=True, kw_only=True)
class Centre:
    """One queue, one workflow, and so many agents who are all available."""

    store: SqlStore
    engine: Engine
    workspace_sid: str


def open_centre(url: str, *, agents: int, capacity: int) -> Centre:
    """Makes it in an empty database."""
    store = open_store(url, SystemClock())
    store.migrate()
    engine = Engine(store, SystemClock())
    workspace_sid = engine.perform(_set_up)
    for first in range(0, agents, _AT_ONCE):
        names = [f"agent {number}" for number in range(first, min(first + _AT_ONCE, agents))]
        engine.perform(_hire, workspace_sid, names, capacity)
    return Centre(store=store, engine=engine, workspace_sid=workspace_sid)


def _set_up(work: Work) -> str:
    workspace = workspaces.create(work, friendly_name="Benchmark")
    queue = queues.create(
        work,
        workspace_sid=workspace.sid,
        friendly_name="Support",
        target_workers='skills HAS "support"',
    )
    workflows.create(
        work,
        workspace_sid=workspace.sid,
        friendly_name="Calls",
        configuration=json.dumps(
            {"task_routing": {"filters": [], "default_filter": {"queue": queue.sid}}}
        ),
    )
    return workspace.sid


def _hire(work: Work, workspace_sid: str, names: list[str], capacity: int) -> None:
    activities = work.configuration(workspace_sid).activities.values()
    available = next(activity.sid for activity in activities if activity.available)
    for name in names:
        worker = workers.create(
            work,
            workspace_sid=workspace_sid,
            friendly_name=name,
            attributes=json.dumps({"skills": ["support", "sales"], "languages": ["en"]}),
            activity_sid=available,
        )
        workers.set_channel(
            work,
            workspace_sid=workspace_sid,
            worker_sid=worker.sid,
            channel=CHANNEL,
            capacity=capacity,
        )
