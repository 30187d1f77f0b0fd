"""Ours, not Twilio's: why a Task waits, and what would become of one that came in now.

Both are queries: nothing is written, and what official operations answer is not touched.
"""

from typing import Annotated, Any

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer
from routing.api.parameters import (
    MAX_DOCUMENT_BODY_BYTES,
    AttributesText,
    ConfigurationText,
    Parameters,
    Text,
    WorkerSid,
    WorkflowSid,
)
from routing.clock import Instant, iso_8601
from routing.configuration import Configuration
from routing.engine import dry_run, explaining
from routing.engine.dry_run import Target
from routing.engine.explaining import Group
from routing.task import MAX_PRIORITY, MAX_TIMEOUT_SECONDS

resource = Resource()
_EXPLANATION = "/Workspaces/<workspace_sid>/Tasks/<task_sid>/Explanation"
_TEST = "/Workspaces/<workspace_sid>/Workflows/Test"


class Explain(Parameters, frozen=True, kw_only=True, rename="pascal"):
    #: Why does this one not have it?
    worker_sid: WorkerSid | None = None


class TryWorkflow(Parameters, frozen=True, kw_only=True, rename="pascal"):
    """A Task's own parameters, and a Workflow: one that there is, or the document of a new one."""

    max_body_bytes = MAX_DOCUMENT_BODY_BYTES

    attributes: AttributesText = "{}"
    workflow_sid: WorkflowSid | None = None
    configuration: ConfigurationText | None = None
    task_channel: Text | None = None
    priority: Annotated[int, Meta(ge=0, le=MAX_PRIORITY)] | None = None
    timeout: Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_SECONDS)] | None = None


@resource.operation("FetchTaskExplanation", "GET", _EXPLANATION, Explain, is_extension=True)
def explain(door: Door, given: Explain, workspace_sid: str, task_sid: str) -> Response:
    found = door.read(
        explaining.explain,
        workspace_sid=workspace_sid,
        task_sid=task_sid,
        worker_sid=given.worker_sid,
    )
    told, queues = found.result, found.configuration.task_queues
    queue = queues.get(told.task_queue_sid or "")
    return answer(
        {
            "task_sid": told.task_sid,
            "assignment_status": told.assignment_status,
            "task_queue_sid": told.task_queue_sid,
            "task_queue_friendly_name": None if queue is None else queue.friendly_name,
            "filter_friendly_name": told.filter_name,
            "filter_index": None if told.position is None else told.position[0],
            "target_index": None if told.position is None else told.position[1],
            "step_due_date": _date(told.step_due_at),
            "expiry_date": _date(told.expires_at),
            "workers_in_task_queue": told.belonging,
            "obstacles": [_obstacle(group) for group in told.groups],
            "url": f"{door.represent.base}/Workspaces/{workspace_sid}/Tasks/{task_sid}/Explanation",
        }
    )


def _obstacle(group: Group) -> dict[str, Any]:
    return {
        "obstacle": group.obstacle,
        "workers": group.count,
        "worker_sids": group.worker_sids,
        "false_clauses": [{"text": each.text, "values": each.values} for each in group.clauses],
    }


@resource.operation("TestWorkflow", "POST", _TEST, TryWorkflow, is_extension=True)
def try_workflow(door: Door, given: TryWorkflow, workspace_sid: str) -> Response:
    asked = given.given()
    for theirs, ours in (("configuration", "document"), ("timeout", "timeout_seconds")):
        if theirs in asked:
            asked[ours] = asked.pop(theirs)
    found = door.read(dry_run.try_workflow, workspace_sid=workspace_sid, **asked)
    run, configuration = found.result, found.configuration
    return answer(
        {
            "is_taken": bool(run.targets),
            "targets": [_target(configuration, target) for target in run.targets],
            "expiry_date": _date(run.expires_at),
        }
    )


def _target(configuration: Configuration, target: Target) -> dict[str, Any]:
    return {
        "outcome": target.outcome,
        "filter_friendly_name": target.filter_name,
        "filter_index": target.filter_index,
        "target_index": target.target_index,
        "task_queue_sid": target.task_queue_sid,
        "task_queue_friendly_name": configuration.task_queues[target.task_queue_sid].friendly_name,
        "priority": target.priority,
        "step_due_date": _date(target.step_due_at),
        "worker_sids": target.worker_sids,
    }


def _date(instant: Instant | None) -> str | None:
    return None if instant is None else iso_8601(instant)
