"""The example workspace that a first `make run` begins with."""

import json

from routing.engine import queues, users, workers, workflows, workspaces
from routing.ports import Work
from routing.user import AGENT, SUPERVISOR
from routing.workspace import Workspace

EXAMPLE_NAME = "Tandem"

#: Two agents who can be reached on the simulated network as they are.
_AGENTS = (
    ("Alice", {"skills": ["support", "sales"], "languages": ["en"], "contact_uri": "client:alice"}),
    ("Bob", {"skills": ["support"], "languages": ["en", "ja"], "contact_uri": "client:bob"}),
)
#: Chats of an agent at once; the last place is for those that are taken by hand.
_CHATS = 4
#: Seconds that a Task which was taken by hand waits for that agent alone.
_BY_HAND_SECONDS = 60


def provision(work: Work) -> Workspace:
    """A workspace with two available agents, a queue and a workflow; or the oldest there is.

    Run again, it changes nothing.
    """
    existing = work.workspaces.find(limit=1)
    if existing:
        return existing[0]
    workspace = workspaces.create(work, friendly_name=EXAMPLE_NAME)
    activities = work.configuration(workspace.sid).activities.values()
    available = next(activity.sid for activity in activities if activity.available)
    support = queues.create(
        work,
        workspace_sid=workspace.sid,
        friendly_name="Support",
        target_workers='skills HAS "support"',
    )
    workflows.create(
        work,
        workspace_sid=workspace.sid,
        friendly_name="Calls",
        configuration=json.dumps(_routing(support.sid)),
    )
    for name, attributes in _AGENTS:
        worker = workers.create(
            work,
            workspace_sid=workspace.sid,
            friendly_name=name,
            attributes=json.dumps(attributes),
            activity_sid=available,
        )
        workers.set_channel(
            work,
            workspace_sid=workspace.sid,
            worker_sid=worker.sid,
            channel="chat",
            capacity=_CHATS,
        )
    return workspace


def _routing(queue: str) -> dict[str, object]:
    """Calls go to whoever is free; of chats a place is left for those that an agent takes by hand.

    The two filters are those of Twilio's multitasking guide ("Let Workers pick Tasks manually").
    A Task that was taken and then let go is offered to everybody after a while.
    """
    by_hand = {"queue": queue, "expression": "task.worker_sid == worker.sid", "priority": 1000}
    pushed = {
        "queue": queue,
        "expression": f"worker.channel.chat.available_capacity_percentage > {100 // _CHATS}",
    }
    return {
        "task_routing": {
            "filters": [
                {
                    "filter_friendly_name": "Taken by hand",
                    "expression": "manual == 1",
                    "targets": [by_hand | {"timeout": _BY_HAND_SECONDS}, {"queue": queue}],
                },
                {
                    "filter_friendly_name": "Chats",
                    "expression": 'task_channel_unique_name == "chat"',
                    "targets": [pushed],
                },
            ],
            "default_filter": {"queue": queue},
        }
    }


#: Those who sign in by one click; each with the Worker of the same name.
_DEMO_USERS = (("Alice", AGENT), ("Bob", AGENT), ("Carol", SUPERVISOR))
#: Takes no calls, and can be reached to listen to those of others.
_SUPERVISOR = {"skills": [], "languages": ["en"], "contact_uri": "client:carol"}


def provision_demo_users(work: Work) -> None:
    """The example agents and a supervisor as users, where there are such Workers and no such users.

    They have no password: only the demo's own way lets them in.
    """
    oldest = work.workspaces.find(limit=1)
    if not oldest:
        return
    workspace = oldest[0]
    for name, role in _DEMO_USERS:
        if users.named(work, name=name) is not None:
            continue
        worker = users.worker_named(work, workspace_sid=workspace.sid, worker=name)
        if worker is None and role == SUPERVISOR:
            worker = workers.create(
                work,
                workspace_sid=workspace.sid,
                friendly_name=name,
                attributes=json.dumps(_SUPERVISOR),
            )
        if worker is not None:
            users.add(
                work,
                name=name,
                display_name=name,
                role=role,
                workspace_sid=workspace.sid,
                worker=worker.sid,
                is_demo=True,
            )
