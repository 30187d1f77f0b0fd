"""Decides whether a Task skips its step: nobody could have it at once, and `skip_if` is true.

The router has looked first; here the rows are read once more, under the Task's lock. `skip_if` asks
who belongs to the step's TaskQueue, whether or not they could have this Task (Twilio, "Skipping
based on worker availability").
"""

from collections import Counter
from collections.abc import Mapping

from routing.configuration import Configuration
from routing.engine import placement
from routing.engine.workers import channel_loads, worker_context
from routing.matching import load_context
from routing.ports import Work
from routing.task import PENDING, Task
from routing.task_queue import belonging


def skip_steps(work: Work, versions: Mapping[str, int]) -> list[str]:
    """Sends those Tasks on that skip their step. `versions` are {SID: version that was looked at}.

    Returns the SIDs of Tasks that still wait but have changed since: the router looks again. A Task
    that has gone on, or is being offered, is left alone.
    """
    changed = []
    counted: dict[str, dict[str, object]] = {}
    # Sorted: one order of locks for all who take many.
    for sid in sorted(versions):
        task = work.tasks.get(sid, lock=True)
        if task is None or task.assignment_status != PENDING:
            continue
        if task.version != versions[sid]:
            changed.append(sid)
        elif _is_skipped(work, work.configuration(task.workspace_sid), task, counted):
            placement.skip_step(work, work.configuration(task.workspace_sid), task)
    return changed


def _is_skipped(
    work: Work, configuration: Configuration, task: Task, counted: dict[str, dict[str, object]]
) -> bool:
    """`counted` remembers the counts of queues: they are the same for all Tasks of this verb."""
    step = placement.step_of(work, configuration, task)
    if step is None or step.skip_if is None:
        return False
    if not step.skip_if.references:
        return step.skip_if.matches({})  # "1==1", most often
    queue_sid = task.task_queue_sid or step.queue_sid
    if queue_sid not in counted:
        counted[queue_sid] = worker_counts(work, configuration, queue_sid)
    return step.skip_if.matches({"workers": counted[queue_sid]})


def worker_counts(
    work: Work, configuration: Configuration, task_queue_sid: str
) -> dict[str, object]:
    """How many Workers of the queue are `available`, `unavailable`, and in each Activity (SID)."""
    wanted = belonging(configuration.task_queues[task_queue_sid].target_workers)
    workspace_sid = configuration.workspace.sid
    loads = {}
    if any(path.split(".")[0] == "channel" for path in wanted.references):
        channels = work.worker_channels.find(workspace_sid=workspace_sid)
        loads = channel_loads(configuration, channels)
    by_activity: Counter[str] = Counter(dict.fromkeys(configuration.activities, 0))
    for worker in work.workers.find(workspace_sid=workspace_sid):
        context = worker_context(configuration, worker)
        if worker.sid in loads:
            context["channel"] = load_context(loads[worker.sid].values())
        by_activity[worker.activity_sid] += wanted.matches(context)
    free = sum(by_activity[sid] for sid in configuration.available_activity_sids())
    return {**by_activity, "available": free, "unavailable": by_activity.total() - free}
