"""How Workflows are set up. A document is checked when it is written, and kept for its Tasks."""

from dataclasses import replace

from routing import sids
from routing.configuration import (
    DEFAULT_RESERVATION_TIMEOUT_SECONDS,
    MAX_RESERVATION_TIMEOUT_SECONDS,
    Configuration,
    Workflow,
)
from routing.engine import placement
from routing.engine.journal import Subject, tell
from routing.engine.workspaces import MAX_LONG_NAME_CHARACTERS, check_name
from routing.errors import InvalidParameter, NotFound, RoutingError
from routing.ports import Work
from routing.task import PENDING, WAITING
from routing.workflow import parse_workflow


def create(
    work: Work,
    *,
    workspace_sid: str,
    friendly_name: str,
    configuration: str,
    assignment_callback_url: str | None = None,
    fallback_assignment_callback_url: str | None = None,
    task_reservation_timeout: int = DEFAULT_RESERVATION_TIMEOUT_SECONDS,
) -> Workflow:
    """A new Workflow. Raises InvalidParameter with the JSON path of what is wrong in it."""
    setup = work.configuration(workspace_sid)
    workflow = Workflow(
        sid=sids.new_sid(sids.WORKFLOW),
        workspace_sid=workspace_sid,
        friendly_name=friendly_name,
        configuration=configuration,
        configuration_version=1,
        assignment_callback_url=assignment_callback_url or None,
        fallback_assignment_callback_url=fallback_assignment_callback_url or None,
        task_reservation_timeout=task_reservation_timeout,
        created_at=work.now,
        updated_at=work.now,
    )
    _check(setup, workflow)
    work.workflows.add(workflow)
    work.keep_workflow_configuration(workflow)
    work.configuration_changed(workspace_sid)
    _tell(work, "workflow.created", f"Workflow {friendly_name} created", workflow)
    return workflow


def update(
    work: Work,
    *,
    workspace_sid: str,
    workflow_sid: str,
    friendly_name: str | None = None,
    configuration: str | None = None,
    assignment_callback_url: str | None = None,
    fallback_assignment_callback_url: str | None = None,
    task_reservation_timeout: int | None = None,
    re_evaluate_tasks: bool = False,
) -> Workflow:
    """Changes what is given. Tasks on their way go through the document they began with.

    With `re_evaluate_tasks` those that are pending go through the new one, from its first filter
    on; a Task that is being offered keeps the old one (Twilio, "Managing TaskRouter Workflows").
    """
    setup = work.configuration(workspace_sid)
    workflow = setup.workflows.get(workflow_sid)
    if workflow is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/Workflows/{workflow_sid}")
    given = {
        "friendly_name": friendly_name,
        "task_reservation_timeout": task_reservation_timeout,
        "assignment_callback_url": assignment_callback_url,
        "fallback_assignment_callback_url": fallback_assignment_callback_url,
    }
    columns: dict[str, object] = {k: v for k, v in given.items() if v is not None}
    for url in columns.keys() & {"assignment_callback_url", "fallback_assignment_callback_url"}:
        columns[url] = columns[url] or None  # an empty one takes it away
    columns["updated_at"] = work.now
    if configuration is not None and configuration != workflow.configuration:
        columns["configuration"] = configuration
        columns["configuration_version"] = workflow.configuration_version + 1
    changed = replace(workflow, **columns)  # type: ignore[arg-type]  # the names are the record's own
    _check(setup, changed)
    work.workflows.change(workflow_sid, **columns)
    if changed.configuration_version != workflow.configuration_version:
        work.keep_workflow_configuration(changed)
    work.configuration_changed(workspace_sid)
    _tell(work, "workflow.updated", f"Workflow {changed.friendly_name} updated", changed)
    if re_evaluate_tasks:
        _re_evaluate(work, changed)
    return changed


def _re_evaluate(work: Work, workflow: Workflow) -> None:
    setup = work.configuration(workflow.workspace_sid)
    for task in work.tasks.find(
        order_by="sid", lock=True, workflow_sid=workflow.sid, assignment_status=PENDING
    ):
        now = replace(task, workflow_version=workflow.configuration_version)
        placement.evaluate_again(work, setup, now)


def delete(work: Work, *, workspace_sid: str, workflow_sid: str) -> None:
    """Removes a Workflow that no pending or reserved Task goes through."""
    setup = work.configuration(workspace_sid)
    workflow = setup.workflows.get(workflow_sid)
    if workflow is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/Workflows/{workflow_sid}")
    if work.tasks.find(workflow_sid=workflow_sid, assignment_status=WAITING, limit=1):
        raise RoutingError(
            f"Cannot delete workflow {workflow_sid} while pending or reserved Tasks are in it."
        )
    _tell(work, "workflow.deleted", f"Workflow {workflow.friendly_name} deleted", workflow)
    work.workflows.remove(workflow_sid)
    work.configuration_changed(workspace_sid)


def _check(setup: Configuration, workflow: Workflow) -> None:
    check_name(workflow.friendly_name, longest=MAX_LONG_NAME_CHARACTERS)
    if not 1 <= workflow.task_reservation_timeout <= MAX_RESERVATION_TIMEOUT_SECONDS:
        raise InvalidParameter(
            "TaskReservationTimeout",
            f"expected a whole number of seconds from 1 to {MAX_RESERVATION_TIMEOUT_SECONDS}",
        )
    parse_workflow(workflow.configuration, known_queue=setup.task_queues.__contains__)


def _tell(work: Work, event_type: str, description: str, workflow: Workflow) -> None:
    configuration = work.configuration(workflow.workspace_sid)
    tell(work, configuration, event_type, description, Subject(workflow=workflow))
