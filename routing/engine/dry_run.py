"""What would become of a Task that came in now: the same code decides, and nothing is written.

The steps are followed as a Task would go: a target that nobody could serve at once and whose
`skip_if` is true is skipped, at any other one the Task waits; from there on the way is the one that
it would go by timeouts alone.
"""

from dataclasses import dataclass, replace

from routing import sids
from routing import task as states
from routing.clock import SECOND, Instant
from routing.configuration import Configuration
from routing.engine import matchable, placement
from routing.engine.skipping import worker_counts
from routing.errors import InvalidParameter
from routing.json_text import read_object
from routing.matching import MatchingIndex
from routing.ports import Work
from routing.task import Task
from routing.workflow import Step, WorkflowDocument, first_step, next_step, parse_workflow

OFFERED = "offered"
WAITS = "waits"
SKIPPED = "skipped"
#: It comes here only if the time of the target before runs out.
LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target on the Task's way, and what would happen there at this moment."""

    #: offered, waits, skipped or later.
    outcome: str
    filter_name: str | None
    filter_index: int
    target_index: int
    task_queue_sid: str
    priority: int
    #: When its time would run out; None for never.
    step_due_at: Instant | None
    #: Who would be asked, in that order.
    worker_sids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    targets: tuple[Target, ...]
    #: When the Task's time to live would end.
    expires_at: Instant


def try_workflow(
    work: Work,
    *,
    workspace_sid: str,
    attributes: str,
    workflow_sid: str | None = None,
    document: str | None = None,
    task_channel: str = "default",
    priority: int = 0,
    timeout_seconds: int = states.DEFAULT_TIMEOUT_SECONDS,
) -> DryRun:
    """Follows a Task with these attributes through a Workflow, or through a document that is none
    yet. A query; reads every Worker of the workspace. No targets: nothing would take the Task.

    Raises InvalidParameter for what a new Task, or a new Workflow, would be refused for.
    """
    configuration = work.configuration(workspace_sid)
    said = read_object(attributes, parameter="Attributes", limit=states.MAX_ATTRIBUTES_CHARACTERS)
    routing = _document(configuration, workflow_sid, document)
    task = _imagined(
        work, configuration, attributes, task_channel, priority=priority, timeout=timeout_seconds
    )
    context = {**said, **placement.task_context(configuration, task)}
    run = _Run(work, configuration)
    targets: list[Target] = []
    step = first_step(routing, context)
    now, settled = work.now, False
    while step is not None:
        if step.priority is not None:
            task = replace(task, priority=step.priority)
        due = None if step.timeout_seconds is None else now + step.timeout_seconds * SECOND
        outcome, workers = (LATER, ()) if settled else run.outcome(task, step)
        skipped = outcome == SKIPPED
        settled = settled or not skipped
        targets.append(_target(step, task, outcome, due, workers))
        if due is None and not skipped:
            break
        now = now if skipped or due is None else due
        step = next_step(routing, step.position, context, skipped=skipped)
    return DryRun(targets=tuple(targets), expires_at=work.now + timeout_seconds * SECOND)


def _document(
    configuration: Configuration, workflow_sid: str | None, document: str | None
) -> WorkflowDocument:
    if document is not None:
        if workflow_sid is not None:
            raise InvalidParameter("Configuration", "expected none beside a WorkflowSid")
        return parse_workflow(document, known_queue=configuration.task_queues.__contains__)
    workflows = configuration.workflows
    if workflow_sid is None and len(workflows) == 1:
        workflow_sid = next(iter(workflows))
    workflow = workflows.get(workflow_sid or "")
    if workflow is None:
        raise InvalidParameter("WorkflowSid", "expected a Workflow of this Workspace")
    return parse_workflow(workflow.configuration, known_queue=lambda _sid: True)


def _imagined(
    work: Work,
    configuration: Configuration,
    attributes: str,
    task_channel: str,
    *,
    priority: int,
    timeout: int,
) -> Task:
    """A Task that is nowhere but here."""
    return Task(
        sid=sids.new_sid(sids.TASK),
        workspace_sid=configuration.workspace.sid,
        assignment_status=states.PENDING,
        attributes=attributes,
        priority=priority,
        reason=None,
        timeout_seconds=timeout,
        task_channel_sid=configuration.task_channel(task_channel).sid,
        workflow_sid=None,
        workflow_version=None,
        filter_index=None,
        target_index=None,
        task_queue_sid=None,
        routing_target=None,
        ignore_capacity=False,
        assignment_count=0,
        virtual_start_at=work.now,
        queue_entered_at=work.now,
        expires_at=work.now + timeout * SECOND,
        step_due_at=None,
        version=0,
        created_at=work.now,
        updated_at=work.now,
    )


class _Run:
    """The present Workers, put into a matching index of their own."""

    def __init__(self, work: Work, configuration: Configuration) -> None:
        self._work = work
        self._configuration = configuration
        self._index = self._peopled()

    def _peopled(self) -> MatchingIndex:
        index = matchable.empty_index(self._configuration)
        workspace_sid = self._configuration.workspace.sid
        workers = self._work.workers.find(workspace_sid=workspace_sid)
        channels = self._work.worker_channels.find(workspace_sid=workspace_sid)
        matchable.put_workers(index, self._configuration, workers, channels)
        return index

    def outcome(self, task: Task, step: Step) -> tuple[str, tuple[str, ...]]:
        """What would happen at the step now, and whom the Task would be offered to."""
        placed = replace(task, task_queue_sid=step.queue_sid)
        self._index.put_task(matchable.waiting_task(self._configuration, placed, step))
        proposals = self._index.proposals(1, self._work.now)
        self._index.drop_task(task.sid)
        if proposals:
            return OFFERED, proposals[0].worker_sids
        return SKIPPED if self._skips(step) else WAITS, ()

    def _skips(self, step: Step) -> bool:
        if step.skip_if is None:
            return False
        if not step.skip_if.references:
            return step.skip_if.matches({})
        counts = worker_counts(self._work, self._configuration, step.queue_sid)
        return step.skip_if.matches({"workers": counts})


def _target(
    step: Step, task: Task, outcome: str, due: Instant | None, workers: tuple[str, ...]
) -> Target:
    return Target(
        outcome=outcome,
        filter_name=step.filter_name,
        filter_index=step.filter_index,
        target_index=step.target_index,
        task_queue_sid=step.queue_sid,
        priority=task.priority,
        step_due_at=due,
        worker_sids=workers,
    )
