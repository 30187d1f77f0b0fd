"""A call centre of any size in the tables, for benchmarks of what is slow only where it is large.

All Workers are busy with voice, so that the Tasks there wait; nobody waits for chat.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from routing import sids
from routing.configuration import Configuration, Workflow
from routing.engine import workspaces
from routing.ports import Work
from routing.store import SqlStore
from routing.task import PENDING, Task
from routing.task_queue import TaskQueue
from routing.worker import Worker, WorkerChannel

_LANGUAGES = 20
_SKILLS = 40
#: Numbers that nearly no two Workers have in common.
RATES = 4
#: Rows that share a transaction.
_AT_ONCE = 5000
#: Queues that one Workflow leads to.
_TARGETS = 100
_DAY = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Size:
    """A centre; `expressions` are the different skill expressions of its queues."""

    workers: int
    queues: int
    tasks: int
    expressions: int

    def hundredth(self) -> "Size":
        """A hundredth of it; with as many different expressions as it has queues, if fewer."""
        queues = max(1, self.queues // 100)
        return Size(
            workers=max(1, self.workers // 100),
            queues=queues,
            tasks=max(1, self.tasks // 100),
            expressions=min(self.expressions, queues),
        )


def skill_expression(number: int) -> str:
    """One of as many different expressions as there are numbers."""
    random = Random(number)
    language, skill = random.randrange(_LANGUAGES), random.randrange(_SKILLS)
    return f'languages HAS "l{language}" AND skills HAS "s{skill}" AND level >= {number % 4}'


def drawn_attributes(random: Random) -> dict[str, object]:
    """A Worker's attributes: some languages, a quarter of the skills, a level, what they cost."""
    return {
        "languages": [f"l{number}" for number in sorted(random.sample(range(_LANGUAGES), 5))],
        "skills": [f"s{number}" for number in sorted(random.sample(range(_SKILLS), 10))],
        "level": random.randrange(1, 6),
        "location": f"town {random.randrange(50)}",
        "contact_uri": f"client:{random.getrandbits(48):x}",
        "rates": {f"r{number}": random.randrange(100_000) for number in range(RATES)},
    }


def fill(store: SqlStore, size: Size) -> str:
    """Writes the centre straight into the tables, without the events of its history; its SID."""
    random = Random(1)
    workspace = store.perform(
        lambda work: workspaces.create(work, friendly_name=f"{size.workers} Workers")
    )
    set_up = store.read(lambda work: work.configuration(workspace.sid))
    _add(store, _queues(workspace.sid, size))
    queue_sids = list(store.read(lambda work: work.configuration(workspace.sid)).task_queues)
    _add(store, _workflows(workspace.sid, queue_sids))
    _add(store, _workers(set_up, size, random))
    with_flows = store.read(lambda work: work.configuration(workspace.sid))
    _add(store, _tasks(with_flows, size, random))
    return workspace.sid


def _add(store: SqlStore, records: Iterator[object]) -> None:
    def write(work: Work) -> None:
        for record in chunk:
            _table(work, record)
        work.configuration_changed(chunk[0].workspace_sid)  # type: ignore[attr-defined]

    chunk: list[object] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == _AT_ONCE:
            store.perform(write)
            chunk.clear()
    if chunk:
        store.perform(write)


def _table(work: Work, record: object) -> None:
    match record:
        case TaskQueue():
            work.task_queues.add(record)
        case Workflow():
            work.workflows.add(record)
            work.keep_workflow_configuration(record)
        case Worker():
            work.workers.add(record)
        case WorkerChannel():
            work.worker_channels.add(record)
        case Task():
            work.tasks.add(record)


def _queues(workspace_sid: str, size: Size) -> Iterator[TaskQueue]:
    for number in range(size.queues):
        yield TaskQueue(
            sid=sids.new_sid(sids.TASK_QUEUE),
            workspace_sid=workspace_sid,
            friendly_name=f"Queue {number}",
            target_workers=skill_expression(number % size.expressions),
            max_reserved_workers=1,
            task_order="FIFO",
            reservation_activity_sid=None,
            assignment_activity_sid=None,
            created_at=number,
            updated_at=number,
        )


def _workflows(workspace_sid: str, queue_sids: list[str]) -> Iterator[Workflow]:
    for first in range(0, len(queue_sids), _TARGETS):
        targets = [{"queue": sid, "timeout": 600} for sid in queue_sids[first : first + _TARGETS]]
        document = {"task_routing": {"filters": [{"expression": "1==1", "targets": targets}]}}
        yield Workflow(
            sid=sids.new_sid(sids.WORKFLOW),
            workspace_sid=workspace_sid,
            friendly_name=f"Workflow {first}",
            configuration=json.dumps(document),
            configuration_version=1,
            assignment_callback_url=None,
            fallback_assignment_callback_url=None,
            task_reservation_timeout=120,
            created_at=first,
            updated_at=first,
        )


def _workers(set_up: Configuration, size: Size, random: Random) -> Iterator[Worker | WorkerChannel]:
    (available,) = set_up.available_activity_sids()
    for number in range(size.workers):
        worker = Worker(
            sid=sids.new_sid(sids.WORKER),
            workspace_sid=set_up.workspace.sid,
            friendly_name=f"Worker {number}",
            attributes=json.dumps(drawn_attributes(random)),
            activity_sid=available,
            status_changed_at=0,
            last_reserved_at=random.randrange(_DAY),
            version=0,
            created_at=number,
            updated_at=number,
        )
        yield worker
        for channel in set_up.task_channels.values():
            yield WorkerChannel(
                sid=sids.new_sid(sids.WORKER_CHANNEL),
                workspace_sid=set_up.workspace.sid,
                worker_sid=worker.sid,
                task_channel_sid=channel.sid,
                configured_capacity=1,
                assigned_tasks=int(channel.unique_name == "voice"),
                available=True,
                last_reserved_at=worker.last_reserved_at,
                created_at=number,
                updated_at=number,
            )


def _tasks(set_up: Configuration, size: Size, random: Random) -> Iterator[Task]:
    queues = list(set_up.task_queues.values())
    flows = sorted(set_up.workflows.values(), key=lambda flow: flow.created_at)
    voice = set_up.task_channel("voice")
    for number in range(size.tasks):
        place = random.randrange(len(queues))
        yield Task(
            sid=sids.new_sid(sids.TASK),
            workspace_sid=set_up.workspace.sid,
            assignment_status=PENDING,
            attributes=json.dumps({"type": "call", "from": f"+1555{number:07}"}),
            priority=random.choice([0, 0, 0, 0, 5, 10]),
            reason=None,
            timeout_seconds=86_400,
            task_channel_sid=voice.sid,
            workflow_sid=flows[place // _TARGETS].sid,
            workflow_version=1,
            filter_index=0,
            target_index=place % _TARGETS,
            task_queue_sid=queues[place].sid,
            routing_target=None,
            ignore_capacity=False,
            assignment_count=0,
            virtual_start_at=number,
            queue_entered_at=number,
            expires_at=_DAY * 365 * 100,
            step_due_at=None,
            version=0,
            created_at=number,
            updated_at=number,
        )
