"""The router: follows the log, keeps each workspace's matching index current, claims its proposals.

It never trusts the index for truth. An event only names rows; the router reads them again and puts
them into the index, so that reading an event twice, or late, does no harm. A claim that fails means
that somebody was faster: the rows are read again, and the Task is proposed anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from routing.engine import Engine, matchable, offers, skipping
from routing.errors import NotFound
from routing.events import CATALOGUE, Event
from routing.matching import MatchingIndex, Proposal
from routing.ports import Work
from routing.task import ASSIGNED, PENDING
from routing.transfer import INITIATED

#: Claims that share one transaction: enough to spread the cost of its commit, few enough that the
#: first of them is not kept waiting.
CLAIMS_PER_COMMIT = 100

#: Events after which the whole workspace is read anew: they change what many rows mean.
_UPHEAVALS = ("workspace.", "activity.", "task-channel.", "task-queue.created",
              "task-queue.deleted", "task-queue.expression.updated")  # fmt: skip

#: Events that change nothing for matching, or that another one always comes with.
_BESIDE_THE_POINT = frozenset(
    {
        "reservation.failed",  # reservation.canceled follows where it changes anything
        "reservation.wrapup",
        "task.created",  # task-queue.entered says when it waits
        "task.wrapup",
        "task-queue.timeout",
        "workflow.created",
        "workflow.deleted",
        "workflow.entered",
        "workflow.skipped",
        "workflow.target-matched",
        "workflow.timeout",
        "workflow.updated",  # Tasks on their way keep the document they began with
    }
)
#: The types of events that the router follows.
CONCERNS = frozenset(CATALOGUE) - _BESIDE_THE_POINT


@dataclass(slots=True)
class _Touched:
    """What the events of a batch named in one workspace."""

    everything: bool = False
    task_sids: set[str] = field(default_factory=set)
    worker_sids: set[str] = field(default_factory=set)
    #: Tasks that came to a step of their Workflow: its `skip_if` is asked after a first look.
    arrived: set[str] = field(default_factory=set)


class Router:
    """Finds matches for every workspace of the store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: Reservations that were made here and whose events have not come yet: the index went on
        #: when it proposed them.
        self._made: set[str] = set()
        self._indexes: dict[str, MatchingIndex] = {}

    def start(self) -> None:
        """Builds the index of each workspace from the tables and offers what already waits."""
        for workspace in self._engine.read(lambda work: work.workspaces.find()):
            self._rebuild(workspace.sid)
            self._offer(workspace.sid)

    def follow(self, events: Sequence[Event]) -> None:
        """Takes a batch of events in, then offers whatever can be offered."""
        touched: dict[str, _Touched] = {}
        for event in events:
            if self._knows_already(event):
                continue
            here = touched.setdefault(event.workspace_sid, _Touched())
            if event.type.startswith(_UPHEAVALS):
                here.everything = True
            if event.task_sid is not None:
                here.task_sids.add(event.task_sid)
                if event.type == "task-queue.entered":
                    here.arrived.add(event.task_sid)
            if event.worker_sid is not None:
                here.worker_sids.add(event.worker_sid)
        for workspace_sid, here in touched.items():
            self._take_in(workspace_sid, here)
            self._offer(workspace_sid)
            self._skip(workspace_sid, here.arrived)

    def _knows_already(self, event: Event) -> bool:
        """Reading again what was just claimed would cost as much as claiming it."""
        if event.type != "reservation.created" or event.reservation_sid not in self._made:
            return False
        self._made.discard(event.reservation_sid)
        return True

    def waiting(self) -> int:
        """Tasks that wait for a Worker, over all workspaces."""
        return sum(index.waiting for index in self._indexes.values())

    def _take_in(self, workspace_sid: str, touched: _Touched) -> None:
        index = self._indexes.get(workspace_sid)
        if (
            index is None
            or touched.everything
            or not self._engine.glance(_refresh, index, workspace_sid, touched)
        ):
            self._rebuild(workspace_sid)

    def _rebuild(self, workspace_sid: str) -> None:
        index = self._engine.read(_build, workspace_sid)
        if index is None:
            self._indexes.pop(workspace_sid, None)
        else:
            self._indexes[workspace_sid] = index

    def _offer(self, workspace_sid: str) -> None:
        while (index := self._indexes.get(workspace_sid)) is not None:
            proposals = index.proposals(CLAIMS_PER_COMMIT, self._engine.clock.now())
            if not proposals:
                return
            try:
                made, lost = self._engine.perform(_claim, proposals)
            except Exception:
                # The index has gone on as if they were claimed; the same events come again, and
                # then it is built anew.
                del self._indexes[workspace_sid]
                raise
            self._made |= made
            if lost:
                touched = _Touched(
                    task_sids={proposal.task_sid for proposal in lost},
                    worker_sids={sid for proposal in lost for sid in proposal.worker_sids},
                )
                self._take_in(workspace_sid, touched)

    def _skip(self, workspace_sid: str, arrived: Iterable[str]) -> None:
        """Has `skip_if` asked for those that arrived and could not be offered to anybody.

        An arrival that is told again, after a crash, is looked at again.
        """
        while (index := self._indexes.get(workspace_sid)) is not None:
            unmatched = index.may_skip(arrived)
            if not unmatched:
                return
            arrived = self._engine.perform(skipping.skip_steps, unmatched)
            if arrived:
                self._take_in(workspace_sid, _Touched(task_sids=set(arrived)))
                self._offer(workspace_sid)


def _claim(work: Work, proposals: Sequence[Proposal]) -> tuple[set[str], list[Proposal]]:
    """Claims what it can: the SIDs of the Reservations that were made, and the proposals of which
    something could not be claimed.
    """
    wanted = [
        offers.Offer(
            task_sid=proposal.task_sid,
            task_version=proposal.task_version,
            worker_sids=proposal.worker_sids,
        )
        for proposal in proposals
    ]
    made = offers.make(work, wanted)
    lost = [
        proposal
        for proposal, reservations in zip(proposals, made, strict=True)
        if len(reservations) < len(proposal.worker_sids)
    ]
    return {each.sid for reservations in made for each in reservations}, lost


def _build(work: Work, workspace_sid: str) -> MatchingIndex | None:
    if work.workspaces.get(workspace_sid) is None:
        return None
    configuration = work.configuration(workspace_sid)
    index = matchable.empty_index(configuration)
    workers = work.workers.find(workspace_sid=workspace_sid)
    channels = work.worker_channels.find(workspace_sid=workspace_sid)
    matchable.put_workers(index, configuration, workers, channels)
    handed_on = work.transfers.find(workspace_sid=workspace_sid, transfer_status=INITIATED)
    waiting = work.tasks.find(workspace_sid=workspace_sid, assignment_status=PENDING)
    waiting += work.tasks.find(
        sid=frozenset(transfer.task_sid for transfer in handed_on), assignment_status=ASSIGNED
    )
    for task in waiting:
        matchable.put_task(work, index, configuration, task)
    return index


def _refresh(work: Work, index: MatchingIndex, workspace_sid: str, touched: _Touched) -> bool:
    """Reads the named rows again and puts them into the index as they are.

    False when that is not enough: the workspace is gone by now, or its queues are no longer those
    of the index (Twilio has no event for a queue whose order or number of workers to ask changes).
    """
    try:
        configuration = work.configuration(workspace_sid)
    except NotFound:
        return False
    if configuration.task_queues != index.queues:
        return False
    if touched.worker_sids:
        workers = work.workers.find(sid=touched.worker_sids)
        channels = work.worker_channels.find(worker_sid=touched.worker_sids)
        for sid in touched.worker_sids.difference(worker.sid for worker in workers):
            index.drop_worker(sid)
        matchable.put_workers(index, configuration, workers, channels)
    if touched.task_sids:
        tasks = {task.sid: task for task in work.tasks.find(sid=touched.task_sids)}
        for sid in touched.task_sids:
            task = tasks.get(sid)
            if task is not None and task.is_wanting:
                matchable.put_task(work, index, configuration, task)
            else:
                index.drop_task(sid)
    return True
