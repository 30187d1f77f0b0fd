"""What a new Workspace may be furnished with: nothing more, or a queue that takes all in turn."""

import json
from typing import Final

from routing.engine import queues, workflows, workspaces
from routing.errors import InvalidParameter
from routing.ports import Work
from routing.workspace import FIFO, Workspace

NONE: Final = "NONE"


def create_workspace(
    work: Work,
    *,
    friendly_name: str,
    template: str = NONE,
    event_callback_url: str = "",
    events_filter: str | None = None,
    multi_task_enabled: bool = True,
    prioritize_queue_order: str = FIFO,
) -> Workspace:
    """A new Workspace; by the template FIFO, with a TaskQueue of everybody and a Workflow into it.

    The names are those that Twilio's template gives. Raises InvalidParameter for another template.
    """
    if template not in {NONE, FIFO}:
        raise InvalidParameter("Template", f"expected {NONE} or {FIFO}, got {template!r}")
    workspace = workspaces.create(
        work,
        friendly_name=friendly_name,
        event_callback_url=event_callback_url,
        events_filter=events_filter,
        multi_task_enabled=multi_task_enabled,
        prioritize_queue_order=prioritize_queue_order,
    )
    if template == NONE:
        return workspace
    queue = queues.create(work, workspace_sid=workspace.sid, friendly_name="Everyone")
    document = {"task_routing": {"filters": [], "default_filter": {"queue": queue.sid}}}
    workflows.create(
        work,
        workspace_sid=workspace.sid,
        friendly_name="Default Fifo Workflow",
        configuration=json.dumps(document),
    )
    return work.configuration(workspace.sid).workspace
