"""Where a Task goes next in its Workflow: into a target's TaskQueue, to the next, or out."""

from functools import lru_cache

from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine import known_worker
from routing.engine.journal import Subject, tell
from routing.engine.moves import changed_task
from routing.errors import RoutingError
from routing.json_text import JSONObject, read_object
from routing.ports import Work
from routing.records import changed
from routing.task import Task, next_task_state
from routing.workflow import (
    DEFAULT_FILTER,
    Step,
    WorkflowDocument,
    first_step,
    next_step,
    parse_workflow,
    step_at,
)

WORKFLOW_TIMEOUT = "Workflow timed out"
WORKFLOW_SKIPPED = "Workflow skipped"
NOTHING_MATCHES = "No filter of the Workflow matches any more"


class Unwanted(RoutingError):
    """No filter of the Workflow matches the Task, and it has no default filter."""


def enter_workflow(
    work: Work, configuration: Configuration, task: Task, attributes: JSONObject
) -> Task:
    """Writes a new Task where its Workflow's first matching filter puts it.

    `attributes` are the Task's own, read already. Raises Unwanted when there is none; nothing is
    written then.
    """
    document = document_of(work, configuration, task)
    step = first_step(document, _context(configuration, task, attributes))
    if step is None:
        raise Unwanted(
            f"No filter of workflow {task.workflow_sid} matches the Task's attributes, "
            "and it has no default filter."
        )
    task = _at_step(work, task, step, new=True)
    work.tasks.add(task)
    subject = Subject(task=task)
    _tell_match(work, configuration, step, subject)
    tell(work, configuration, "task.created", f"Task {task.sid} created", subject)
    tell_queue(work, configuration, subject)
    workflow = configuration.workflows[task.workflow_sid or ""].friendly_name
    entered = f"Task {task.sid} entered Workflow {workflow}"
    tell(work, configuration, "workflow.entered", entered, subject)
    return task


def enter_queue(work: Work, configuration: Configuration, task: Task) -> Task:
    """Writes a new Task straight into the TaskQueue that it names."""
    task = changed(task, queue_entered_at=work.now)
    work.tasks.add(task)
    subject = Subject(task=task)
    tell(work, configuration, "task.created", f"Task {task.sid} created", subject)
    tell_queue(work, configuration, subject)
    return task


def leave_step(work: Work, configuration: Configuration, task: Task) -> Task:
    """The target's time is over: on to the next target, the next matching filter, or out."""
    tell(
        work,
        configuration,
        "task-queue.timeout",
        f"Task {task.sid} timed out of its TaskQueue",
        Subject(task=task),
    )
    step = _following(work, configuration, task, skipped=False)
    if step is None:
        tell(
            work,
            configuration,
            "workflow.timeout",
            f"Task {task.sid} timed out of its Workflow",
            Subject(task=task),
        )
        return cancel_waiting(work, configuration, task, WORKFLOW_TIMEOUT)
    return _enter_step(work, configuration, task, step)


def stay_or_go(work: Work, configuration: Configuration, task: Task) -> Task:
    """Its last offer has come to nothing: where does the pending Task wait from now on?

    While the target has time left it stays, and others are asked; once that has run out meanwhile
    it goes on (Twilio, "Workflow timeout evaluation"). A Task whose attributes have changed so that
    its filter does not take it any more goes through the filters anew.
    """
    if task.step_due_at is not None and task.step_due_at <= work.now:
        return leave_step(work, configuration, task)
    if task.workflow_sid is None or task.filter_index in {None, DEFAULT_FILTER}:
        return task
    own = document_of(work, configuration, task).filters[task.filter_index or 0]
    if own.expression.matches(task_context(configuration, task)):
        return task
    return evaluate_again(work, configuration, task)


def evaluate_again(work: Work, configuration: Configuration, task: Task) -> Task:
    """Sends a pending Task through the filters from the first one on, as if it came in now.

    The configuration is that of its `workflow_version`. A Task that stands in a TaskQueue without
    a Workflow's doing stays there.
    """
    if task.workflow_sid is None or task.filter_index is None:
        return task
    context = task_context(configuration, task)
    document = document_of(work, configuration, task)
    step = _open_step(configuration, document, first_step(document, context), context)
    if step is None:
        return cancel_waiting(work, configuration, task, NOTHING_MATCHES)
    if step.queue_sid != task.task_queue_sid:
        tell(
            work,
            configuration,
            "task-queue.moved",
            f"Task {task.sid} moved out of its TaskQueue",
            Subject(task=task),
        )
    return _enter_step(work, configuration, task, step)


def skip_step(work: Work, configuration: Configuration, task: Task) -> Task:
    """Nobody can have the Task here, and `skip_if` says not to wait: on, or out.

    A filter that is skipped counts as not matching, so the default filter is still open.
    """
    step = _following(work, configuration, task, skipped=True)
    if step is None:
        tell(
            work,
            configuration,
            "workflow.skipped",
            f"Task {task.sid} was skipped through its Workflow",
            Subject(task=task),
        )
        return cancel_waiting(work, configuration, task, WORKFLOW_SKIPPED)
    return _enter_step(work, configuration, task, step)


def _following(
    work: Work, configuration: Configuration, task: Task, *, skipped: bool
) -> Step | None:
    assert task.filter_index is not None  # noqa: S101 - a Task leaves a step only that stands in one
    assert task.target_index is not None  # noqa: S101
    context = task_context(configuration, task)
    document = document_of(work, configuration, task)
    place = (task.filter_index, task.target_index)
    step = next_step(document, place, context, skipped=skipped)
    return _open_step(configuration, document, step, context)


def _open_step(
    configuration: Configuration,
    document: WorkflowDocument,
    step: Step | None,
    context: dict[str, object],
) -> Step | None:
    """That step, or the next one whose TaskQueue there still is.

    A TaskQueue may be deleted once no Workflow names it any more, and an older configuration, by
    which the Task goes, still does: its target then counts as skipped.
    """
    while step is not None and step.queue_sid not in configuration.task_queues:
        step = next_step(document, step.position, context, skipped=True)
    return step


def _enter_step(work: Work, configuration: Configuration, task: Task, step: Step) -> Task:
    moved = _at_step(work, task, step, new=False)
    task = changed_task(
        work,
        task,
        workflow_version=task.workflow_version,
        filter_index=moved.filter_index,
        target_index=moved.target_index,
        task_queue_sid=moved.task_queue_sid,
        priority=moved.priority,
        queue_entered_at=moved.queue_entered_at,
        step_due_at=moved.step_due_at,
    )
    subject = Subject(task=task)
    _tell_match(work, configuration, step, subject)
    tell_queue(work, configuration, subject)
    return task


def cancel_waiting(
    work: Work, configuration: Configuration, task: Task, reason: str | None
) -> Task:
    """The Task's own part of a cancellation; its offers have been taken back before."""
    task = changed_task(
        work,
        task,
        assignment_status=next_task_state(task, "cancel"),
        reason=reason,
        expires_at=None,
        step_due_at=None,
    )
    description = f"Task {task.sid} canceled" + (f": {reason}" if reason else "")
    tell(work, configuration, "task.canceled", description, Subject(task=task))
    return task


def step_of(work: Work, configuration: Configuration, task: Task) -> Step | None:
    """The step in which the Task stands, as its Workflow's document describes it.

    None for a Task whose Workflow was deleted after somebody had accepted it.
    """
    if task.workflow_sid is None or task.filter_index is None or task.target_index is None:
        return None
    document = document_of(work, configuration, task)
    return step_at(document, (task.filter_index, task.target_index))


def document_of(work: Work, configuration: Configuration, task: Task) -> WorkflowDocument:
    """The configuration that the Task goes through: the one its Workflow had when it came in."""
    assert task.workflow_sid is not None  # noqa: S101 - only Tasks with a Workflow are placed by one
    assert task.workflow_version is not None  # noqa: S101
    workflow = configuration.workflows.get(task.workflow_sid)
    if workflow is not None and workflow.configuration_version == task.workflow_version:
        return _parsed(workflow.configuration)
    return _parsed(work.workflow_configuration(task.workflow_sid, task.workflow_version))


@lru_cache(maxsize=256)
def _parsed(configuration: str) -> WorkflowDocument:
    # It was checked against the queues of its time when it was written.
    return parse_workflow(configuration, known_queue=lambda _sid: True)


def task_context(configuration: Configuration, task: Task) -> dict[str, object]:
    """What a filter's expression may ask about: bare task attributes, and the built-in names."""
    return _context(configuration, task, read_object(task.attributes, parameter="Attributes"))


def _context(configuration: Configuration, task: Task, attributes: JSONObject) -> dict[str, object]:
    context: dict[str, object] = dict(attributes)
    channel = configuration.task_channels[task.task_channel_sid]
    context["task_channel_unique_name"] = channel.unique_name
    context["task_channel_sid"] = channel.sid
    return context


def _at_step(work: Work, task: Task, step: Step, *, new: bool) -> Task:
    entered = new or step.queue_sid != task.task_queue_sid
    timeout = step.timeout_seconds
    return changed(
        task,
        filter_index=step.filter_index,
        target_index=step.target_index,
        task_queue_sid=step.queue_sid,
        priority=task.priority if step.priority is None else step.priority,
        queue_entered_at=work.now if entered else task.queue_entered_at,
        step_due_at=None if timeout is None else work.now + timeout * SECOND,
    )


def _tell_match(work: Work, configuration: Configuration, step: Step, subject: Subject) -> None:
    told: dict[str, str] = {}
    description = "Task matched a workflow target"
    if step.filter_name is not None:
        told["workflow_filter_name"] = step.filter_name
    if step.known_worker is not None and subject.task is not None:
        # Whom the Task names, as it names them: nobody of the sort may be there.
        value = step.known_worker.value(task_context(configuration, subject.task))
        if isinstance(value, str):
            field = "known_worker_sid" if step.known_worker.by_sid else "known_worker_friendly_name"
            told[field] = value
        wrong = known_worker.mistake(work, configuration, step.known_worker, value, step.queue_sid)
        if wrong is not None:
            told |= {"error_code": str(wrong.code), "error_message": wrong.message}
            description += f", but {wrong.code}: {wrong.message}"
    tell(
        work,
        configuration,
        "workflow.target-matched",
        description,
        subject,
        **told,
    )


def tell_queue(work: Work, configuration: Configuration, subject: Subject) -> None:
    """The subject's Task waits in the TaskQueue that it names from now on."""
    task = subject.task
    assert task is not None  # noqa: S101 - the event is about it
    queue = configuration.task_queues[task.task_queue_sid or ""].friendly_name
    entered = f"Task {task.sid} entered TaskQueue {queue}"
    tell(work, configuration, "task-queue.entered", entered, subject)
