"""A Task that waits is sent to another TaskQueue, by somebody who looks after them all.

Ours: Twilio moves Tasks by their Workflow alone.
"""

from routing import task as states
from routing.engine import placement, tasks
from routing.engine.journal import Subject, tell
from routing.engine.moves import changed_task, locked_task
from routing.errors import IllegalMove, InvalidParameter
from routing.ports import Work
from routing.task import Task, next_task_state

MOVED = "the Task was moved to another TaskQueue"


def move(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    task_queue_sid: str,
    if_match: int | None = None,
) -> Task:
    """The Task waits in that TaskQueue from now on, until somebody takes it or its time is over.

    Offers of it are taken back, and its Workflow's targets and their timeouts no longer matter; its
    age, its priority and its time to live stay. Raises IllegalMove unless it waits in nobody's
    hands, InvalidParameter for a TaskQueue that there is not.
    """
    task = locked_task(work, workspace_sid, task_sid, if_match)
    configuration = work.configuration(workspace_sid)
    if task_queue_sid not in configuration.task_queues:
        raise InvalidParameter("TaskQueueSid", "expected the SID of a TaskQueue of this Workspace")
    if task.assignment_status not in states.WAITING or task.transfer_sid is not None:
        raise IllegalMove(
            f"Cannot move task {task.sid}",
            workspace_sid=workspace_sid,
            because="it is not pending or reserved, or is being handed on.",
        )
    if task_queue_sid == task.task_queue_sid:
        return task
    if task.assignment_status == states.RESERVED:
        tasks.cancel_offers(work, configuration, task, MOVED)
        task = changed_task(work, task, assignment_status=next_task_state(task, "release"))
    description = f"Task {task.sid} moved out of its TaskQueue"
    tell(work, configuration, "task-queue.moved", description, Subject(task=task))
    task = changed_task(
        work,
        task,
        filter_index=None,
        target_index=None,
        task_queue_sid=task_queue_sid,
        routing_target=None,
        ignore_capacity=False,
        queue_entered_at=work.now,
        step_due_at=None,
    )
    placement.tell_queue(work, configuration, Subject(task=task))
    return task
