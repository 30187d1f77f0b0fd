"""The router: follows the log, keeps each workspace's matching index current, claims its proposals.

It never trusts the index for truth. An event only names rows; the router reads them again and puts
them into the index, so that reading an event twice, or late, does no harm. A claim that fails means
that somebody was faster: the rows are read again, and the Task is proposed anew.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from routing.background.loops import Loop, following
from routing.configuration import Configuration
from routing.engine import Engine, matchable, offers, skipping
from routing.errors import NotFound
from routing.events import CATALOGUE, Event
from routing.matching import MatchingIndex, Proposal
from routing.memory import settle_memory, undisturbed
from routing.ports import Arrival, Work
from routing.store import SqlStore
from routing.task import ASSIGNED, PENDING
from routing.transfer import INITIATED

#: Claims that share one transaction: enough to spread the cost of its commit, few enough that the
#: first of them is not kept waiting.
CLAIMS_PER_COMMIT = 100

#: From so many Workers and Tasks on, what an index holds is hidden from the garbage collector.
MANY_ROWS = 5000

#: Events that change nothing for matching, or that another one always comes with.
_BESIDE_THE_POINT = frozenset(
    {
        # The capacity was taken with the offer, and the Task has not waited since; offers that are
        # rescinded, a Worker's Activity and a Transfer that is complete have events of their own.
        "reservation.accepted",
        "reservation.failed",  # reservation.canceled follows where it changes anything
        "reservation.wrapup",
        "task.completed",  # nobody waited for it; what its Reservations give back they tell
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
#: What it has offered itself need not wake it: the index went on when it proposed that.
_UNLESS_OWN = frozenset({"reservation.created"})


@dataclass(slots=True)
class _Touched:
    """What the events of a batch named in one workspace."""

    task_sids: set[str] = field(default_factory=set)
    worker_sids: set[str] = field(default_factory=set)
    #: Of the Tasks those that came with their row, by SID.
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    #: Tasks that came to a step of their Workflow: its `skip_if` is asked after a first look.
    arrived: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Known:
    """A workspace as the router knows it."""

    index: MatchingIndex
    #: The picture by which the index was last made current.
    configuration: Configuration


class Router:
    """Finds matches for every workspace of the store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: Reservations that were made here and whose events have not come yet: the index went on
        #: when it proposed them.
        self._made: set[str] = set()
        self._known: dict[str, _Known] = {}
        #: Reservations that were made here so far.
        self.made = 0

    def loop(self, store: SqlStore) -> Loop:
        """The thread that follows the store's log."""
        signal = store.subscribe(CONCERNS, unless_own=_UNLESS_OWN)
        return Loop("router", self.step(store), signal)

    def step(self, store: SqlStore, name: str = "router") -> Callable[[], bool | float]:
        """Its step, for a follower of that name."""
        log = store.event_log(name, CONCERNS, bare=True, with_arrivals=True)
        return following(log, self.follow, lambda: self.made)

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
            if event.task_sid is not None:
                here.task_sids.add(event.task_sid)
                if event.type == "task-queue.entered":
                    here.arrived.add(event.task_sid)
                if isinstance(event, Arrival):
                    here.arrivals[event.task_sid] = event
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
        return sum(known.index.waiting for known in self._known.values())

    def _take_in(self, workspace_sid: str, touched: _Touched) -> None:
        known = self._known.get(workspace_sid)
        if known is None or not self._engine.glance(_refresh, known, workspace_sid, touched):
            self._rebuild(workspace_sid)

    def _rebuild(self, workspace_sid: str) -> None:
        # The old one goes first: both together would be the most that memory ever has to hold.
        self._known.pop(workspace_sid, None)
        with undisturbed():
            built = self._engine.read(_build, workspace_sid)
        if built is None:
            return
        self._known[workspace_sid] = built
        if built.index.size >= MANY_ROWS:
            settle_memory()

    def _offer(self, workspace_sid: str) -> None:
        while (known := self._known.get(workspace_sid)) is not None:
            proposals = known.index.proposals(CLAIMS_PER_COMMIT, self._engine.clock.now())
            if not proposals:
                return
            try:
                made, lost = self._engine.perform(_claim, workspace_sid, proposals)
            except Exception:
                # The index has gone on as if they were claimed; the same events come again, and
                # then it is built anew.
                del self._known[workspace_sid]
                raise
            self._made |= made
            self.made += len(made)
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
        while (known := self._known.get(workspace_sid)) is not None:
            index = known.index
            unmatched = index.skippable(arrived)
            if not unmatched:
                return
            versions = {each.task_sid: each.version for each in unmatched}
            headcounts = {
                sid: index.headcount(sid) for sid in {each.queue_sid for each in unmatched}
            }
            arrived = self._engine.perform(skipping.skip_steps, versions, headcounts)
            if arrived:
                self._take_in(workspace_sid, _Touched(task_sids=set(arrived)))
                self._offer(workspace_sid)


def _claim(
    work: Work, workspace_sid: str, proposals: Sequence[Proposal]
) -> tuple[set[str], list[Proposal]]:
    """Claims what it can: the SIDs of the Reservations that were made, and the proposals of which
    something could not be claimed.
    """
    wanted = [
        offers.Offer(
            task_sid=proposal.task_sid,
            task_version=proposal.task_version,
            worker_sids=proposal.worker_sids,
            foreseen=(workspace_sid, proposal.channel_sid),
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


def _build(work: Work, workspace_sid: str) -> _Known | None:
    if work.workspaces.get(workspace_sid) is None:
        return None
    configuration = work.configuration(workspace_sid)
    index = matchable.empty_index(configuration)
    _put_workers(work, index, configuration, workspace_sid=workspace_sid)
    handed_on = work.transfers.find(workspace_sid=workspace_sid, transfer_status=INITIATED)
    waiting = work.tasks.find(workspace_sid=workspace_sid, assignment_status=PENDING)
    waiting += work.tasks.find(
        sid=frozenset(transfer.task_sid for transfer in handed_on), assignment_status=ASSIGNED
    )
    for task in waiting:
        matchable.put_task(work, index, configuration, task)
    return _Known(index, configuration)


def _refresh(work: Work, known: _Known, workspace_sid: str, touched: _Touched) -> bool:
    """Reads the named rows again and puts them into the index as they are.

    False when that is not enough: the workspace is gone by now, or has other rules.
    """
    arrivals = touched.arrivals
    for arrival in arrivals.values():
        work.bring(workspace_sid, arrival.configuration_version)
    to_read = touched.task_sids - arrivals.keys()
    work.foresee_configuration(workspace_sid)
    work.workers.foresee_all(sid=touched.worker_sids)
    work.worker_channels.foresee_all(worker_sid=touched.worker_sids)
    work.tasks.foresee_all(sid=to_read)
    try:
        configuration = work.configuration(workspace_sid)
    except NotFound:
        return False
    index = known.index
    if configuration is not known.configuration:
        if matchable.rules_of(configuration) != matchable.rules_of(known.configuration):
            return False
        _reconfigure(work, known, configuration)
    _refresh_workers(work, index, configuration, touched.worker_sids)
    tasks = {task.sid: task for task in work.tasks.find(sid=to_read)}
    tasks |= {sid: arrival.task for sid, arrival in arrivals.items()}
    for sid in touched.task_sids:
        task = tasks.get(sid)
        if task is not None and task.is_wanting:
            matchable.put_task(work, index, configuration, task)
        else:
            index.drop_task(sid)
    return True


def _refresh_workers(
    work: Work, index: MatchingIndex, configuration: Configuration, sids: set[str]
) -> None:
    present = _put_workers(work, index, configuration, sid=sids)
    for sid in sids - present:
        index.drop_worker(sid)


def _reconfigure(work: Work, known: _Known, configuration: Configuration) -> None:
    """Takes in what is set up in another way than when the index was last made current.

    It is seen in the picture, not told by events: Twilio has none for a queue whose order or number
    of Workers to ask changes.
    """
    before, known.configuration = known.configuration, configuration
    known.index.put_queues(configuration.task_queues)
    if before.task_channels.keys() != configuration.task_channels.keys():
        # Every Worker has one channel more, or one less.
        workspace_sid = configuration.workspace.sid
        _put_workers(work, known.index, configuration, workspace_sid=workspace_sid)
        return
    # An expression may ask for an Activity by its name.
    renamed = {
        sid
        for sid, activity in configuration.activities.items()
        if sid in before.activities
        and before.activities[sid].friendly_name != activity.friendly_name
    }
    if renamed:
        _put_workers(work, known.index, configuration, activity_sid=renamed)


def _put_workers(
    work: Work, index: MatchingIndex, configuration: Configuration, **equal: object
) -> set[str]:
    """Puts those Workers in whose rows have these values; their SIDs."""
    workers = work.workers.find(**equal)  # type: ignore[arg-type]  # columns, all of them
    present = {worker.sid for worker in workers}
    of_them: dict[str, object] = {"worker_sid": present}
    if "workspace_sid" in equal:
        of_them = equal
    channels = work.worker_channels.find(**of_them)  # type: ignore[arg-type]
    matchable.put_workers(index, configuration, workers, channels)
    return present
