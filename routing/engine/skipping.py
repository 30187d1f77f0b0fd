"""Decides whether a Task skips its step: nobody could have it at once, and `skip_if` is true.

The router has looked first; here the Task's row is read once more, under its lock. `skip_if` asks
who belongs to the step's TaskQueue, whether or not they could have this Task (Twilio, "Skipping
based on worker availability"). How many those are is counted by the router's index, which stands
where its last look at the log left it: to read every Worker's row again, under the lock of a
transaction, would not make the answer more lasting.
"""

from collections.abc import Mapping

from routing.configuration import Configuration
from routing.engine import placement
from routing.ports import Work
from routing.task import PENDING, Task

#: By TaskQueue: how many of its Workers are in each Activity (SID), and how many `available`.
Headcounts = Mapping[str, Mapping[str, int]]


def skip_steps(work: Work, versions: Mapping[str, int], headcounts: Headcounts) -> list[str]:
    """Sends those Tasks on that skip their step. `versions` are {SID: version that was looked at};
    `headcounts` hold the TaskQueues in which they stood then.

    Returns the SIDs of Tasks that still wait but have changed since: the router looks again. A Task
    that has gone on, or is being offered, is left alone.
    """
    changed = []
    # Sorted: one order of locks for all who take many.
    for sid in sorted(versions):
        task = work.tasks.get(sid, lock=True)
        if task is None or task.assignment_status != PENDING:
            continue
        if task.version != versions[sid]:
            changed.append(sid)
        elif _is_skipped(work, work.configuration(task.workspace_sid), task, headcounts):
            placement.skip_step(work, work.configuration(task.workspace_sid), task)
    return changed


def _is_skipped(
    work: Work, configuration: Configuration, task: Task, headcounts: Headcounts
) -> bool:
    step = placement.step_of(work, configuration, task)
    if step is None or step.skip_if is None:
        return False
    if not step.skip_if.references:
        return step.skip_if.matches({})  # "1==1", most often
    counts = worker_counts(configuration, headcounts[task.task_queue_sid or step.queue_sid])
    return step.skip_if.matches({"workers": counts})


def worker_counts(configuration: Configuration, headcount: Mapping[str, int]) -> dict[str, object]:
    """What `workers` stands for: `available`, `unavailable`, and every Activity by its SID."""
    by_activity = {sid: headcount.get(sid, 0) for sid in configuration.activities}
    free = headcount["available"]
    return {**by_activity, "available": free, "unavailable": sum(by_activity.values()) - free}
