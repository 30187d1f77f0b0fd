"""The Worker whom a Task names for a target of its Workflow: who it is, or what is wrong with it.

Twilio's debugger has a number for each such mistake; here the event of the match tells it. The Task
waits all the same, until the target's timeout, `skip_if` or its own time to live.
"""

from dataclasses import dataclass
from typing import Final

from routing import sids
from routing.configuration import Configuration
from routing.engine.worker_context import loaded_context
from routing.ports import Work
from routing.task_queue import belonging
from routing.worker import Worker
from routing.workflow import KnownWorker

NOT_IN_QUEUE: Final = 40152
NOBODY: Final = 40154
ELSEWHERE: Final = 40155


@dataclass(frozen=True, kw_only=True)
class Mistake:
    #: Twilio's, of its debugger.
    code: int
    message: str


def mistake(
    work: Work, configuration: Configuration, known: KnownWorker, value: object, queue_sid: str
) -> Mistake | None:
    """What is wrong with the Worker that the Task names, `value`, for a target with that TaskQueue.

    None where nothing is, and where the Task says nothing: that is how it names nobody on purpose.
    """
    if value is None:
        return None
    workspace_sid = configuration.workspace.sid
    worker = _worker(work, known, value, workspace_sid)
    if worker is None:
        return Mistake(code=NOBODY, message=f"no Worker has the {_what(known)} {_short(value)}")
    if worker.workspace_sid != workspace_sid:
        return Mistake(code=ELSEWHERE, message=f"{worker.sid} is a Worker of another Workspace")
    queue = configuration.task_queues.get(queue_sid)
    if queue is not None and not belonging(queue.target_workers).matches(
        loaded_context(work, configuration, worker)
    ):
        message = f"{worker.sid} does not belong to TaskQueue {queue.friendly_name}"
        return Mistake(code=NOT_IN_QUEUE, message=message)
    return None


def _worker(work: Work, known: KnownWorker, value: object, workspace_sid: str) -> Worker | None:
    if not isinstance(value, str):
        return None
    if known.by_sid:
        return work.workers.get(value) if sids.is_sid(value, sids.WORKER) else None
    found = work.workers.find(workspace_sid=workspace_sid, friendly_name=value, limit=1)
    return found[0] if found else None


def _what(known: KnownWorker) -> str:
    return "SID" if known.by_sid else "name"


def _short(value: object) -> str:
    return repr(value)[:100]
