"""Where the creator of a Task sends it: through a Workflow, into a TaskQueue, or to one Worker.

Without a word it goes through the Workflow. A TaskQueue, and a Worker in one, are gone to directly:
a Workflow that is named beside them lends its callbacks and its reservation timeout, and no filter,
target or timeout of it applies.
"""

from dataclasses import dataclass

from routing.configuration import Configuration, Workflow
from routing.engine.worker_context import loaded_context
from routing.errors import InvalidParameter
from routing.ports import Work
from routing.sids import TASK_QUEUE, WORKER, WORKFLOW
from routing.task_queue import belonging


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    workflow: Workflow | None
    #: None: the Workflow says.
    task_queue_sid: str | None
    #: With a Worker as target: it is asked whatever its Activity and its capacity say.
    ignore_capacity: bool = False


def destination(
    work: Work,
    configuration: Configuration,
    *,
    workflow_sid: str | None,
    task_queue_sid: str | None,
    routing_target: str | None,
    ignore_capacity: bool | None,
) -> Destination:
    """What the parameters of a new Task say together.

    `ignore_capacity` goes with a Worker as target only, and is true where nothing is said. Raises
    InvalidParameter, naming it, for a parameter that is of no use here or contradicts another one.
    """
    kind = None if routing_target is None else routing_target[:2]
    if ignore_capacity is not None and kind != WORKER:
        raise InvalidParameter("IgnoreCapacity", "expected only beside a Worker as RoutingTarget")
    if task_queue_sid is not None:
        _check_queue(configuration, "TaskQueueSid", task_queue_sid)
    if routing_target is None:
        pass
    elif kind == WORKFLOW:
        _check_same("WorkflowSid", workflow_sid, routing_target)
        _check_same("TaskQueueSid", task_queue_sid, None)
        return Destination(
            workflow=_workflow(configuration, "RoutingTarget", routing_target), task_queue_sid=None
        )
    elif kind == TASK_QUEUE:
        _check_same("TaskQueueSid", task_queue_sid, routing_target)
        task_queue_sid = _check_queue(configuration, "RoutingTarget", routing_target)
    else:
        task_queue_sid = _queue_for(work, configuration, routing_target, task_queue_sid)
    workflow = None
    if workflow_sid is not None or task_queue_sid is None:
        workflow = _workflow(configuration, "WorkflowSid", workflow_sid)
    return Destination(
        workflow=workflow,
        task_queue_sid=task_queue_sid,
        ignore_capacity=kind == WORKER and ignore_capacity is not False,
    )


def _workflow(configuration: Configuration, parameter: str, workflow_sid: str | None) -> Workflow:
    workflows = configuration.workflows
    if workflow_sid is None:
        if len(workflows) == 1:
            return next(iter(workflows.values()))
        raise InvalidParameter(
            parameter,
            f"expected one, since this Workspace has {len(workflows)} Workflows to choose from",
        )
    if workflow_sid not in workflows:
        raise InvalidParameter(parameter, "expected the SID of a Workflow of this Workspace")
    return workflows[workflow_sid]


def _queue_for(
    work: Work, configuration: Configuration, worker_sid: str, task_queue_sid: str | None
) -> str:
    """The queue that a Task for this Worker stands in: the one given, or the Worker's oldest."""
    worker = work.workers.get(worker_sid)
    if worker is None or worker.workspace_sid != configuration.workspace.sid:
        raise InvalidParameter(
            "RoutingTarget", "expected the SID of a Worker, TaskQueue or Workflow of this Workspace"
        )
    if task_queue_sid is not None:
        return task_queue_sid
    context = loaded_context(work, configuration, worker)
    queues = sorted(
        configuration.task_queues.values(), key=lambda each: (each.created_at, each.sid)
    )
    for queue in queues:
        if belonging(queue.target_workers).matches(context):
            return queue.sid
    raise InvalidParameter("TaskQueueSid", "expected one, since the Worker belongs to none")


def _check_queue(configuration: Configuration, parameter: str, task_queue_sid: str) -> str:
    if task_queue_sid not in configuration.task_queues:
        raise InvalidParameter(parameter, "expected the SID of a TaskQueue of this Workspace")
    return task_queue_sid


def _check_same(parameter: str, given: str | None, routing_target: str | None) -> None:
    if given not in {None, routing_target}:
        raise InvalidParameter(parameter, "expected nothing else than what the RoutingTarget says")
