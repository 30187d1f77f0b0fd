"""The example workspace that a first `make run` begins with."""

import json

from routing.engine import queues, workers, workflows, workspaces
from routing.ports import Work
from routing.workspace import Workspace

EXAMPLE_NAME = "Tandem"

#: Two agents who can be reached on the simulated network as they are.
_AGENTS = (
    ("Alice", {"skills": ["support", "sales"], "languages": ["en"], "contact_uri": "client:alice"}),
    ("Bob", {"skills": ["support"], "languages": ["en", "ja"], "contact_uri": "client:bob"}),
)


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
        configuration=json.dumps(
            {"task_routing": {"filters": [], "default_filter": {"queue": support.sid}}}
        ),
    )
    for name, attributes in _AGENTS:
        workers.create(
            work,
            workspace_sid=workspace.sid,
            friendly_name=name,
            attributes=json.dumps(attributes),
            activity_sid=available,
        )
    return workspace
