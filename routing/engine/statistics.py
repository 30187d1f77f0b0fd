"""What statistics ask: what has happened in a time, and how things stand now. Nothing is written.

Answers take in what happened a moment ago: what a follower has summed up already comes from the
tables of sums, the few events after it are read from the log, on one consistent picture of both.

`queue_lines` is for everybody who wants to know how long a caller will wait, or to show it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine.worker_context import channel_loads, worker_context
from routing.errors import NotFound
from routing.matching import load_context
from routing.ports import Work
from routing.statistics import facts
from routing.statistics.facts import Reading
from routing.statistics.period import DAY, Period, Span
from routing.statistics.real_time import Crowd, LiveTasks, Members, Profile
from routing.statistics.tally import Durations, Tally, subjects_of
from routing.task_queue import belonging, reads_load

#: Twilio's default for the minutes that cumulative statistics look back.
DEFAULT_MINUTES = 15
_MINUTE = 60 * SECOND


def tallies(
    work: Work,
    *,
    workspace_sid: str,
    subject_sids: Collection[str],
    period: Period,
    task_channel_sid: str | None = None,
    with_spreads: bool = False,
) -> dict[str, Tally]:
    """What happened in that time to each subject: Workspaces, TaskQueues, Workflows or Workers.

    The subjects are of one kind; those that nothing happened to are there, too. How the waits are
    spread is told only where it is asked for: it is what costs most.
    """
    found = work.statistics.tallies(
        workspace_sid,
        subject_sids,
        period.parts(),
        task_channel_sid=task_channel_sid,
        with_spreads=with_spreads,
    )
    for fact in _unread(work, workspace_sid).facts:
        if fact.occurred_at in period and task_channel_sid in {None, fact.task_channel_sid}:
            for sid in found.keys() & set(subjects_of(fact)):
                found[sid].add_fact(fact, sid[:2])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRow:
    """What happened in one part of a time."""

    span: Span
    tally: Tally


def series(
    work: Work,
    *,
    workspace_sid: str,
    subject_sid: str,
    period: Period,
    row_size: int,
    task_channel_sid: str | None = None,
    with_spreads: bool = False,
) -> list[SeriesRow]:
    """What `tallies` tells of that time, row by row; their sums are what it tells.

    `row_size` is QUARTER, HOUR or DAY; the rows begin at multiples of it in UTC, the first and the
    last one are cut off where the time begins and ends.
    """
    summed_up = work.statistics.series(
        workspace_sid,
        subject_sid,
        period.parts(with_days=row_size >= DAY),
        task_channel_sid=task_channel_sid,
        with_spreads=with_spreads,
    )
    rows = {
        span.begin // row_size: SeriesRow(span=span, tally=Tally())
        for span in period.rows(row_size)
    }
    for begins_at, tally in summed_up.items():
        rows[begins_at // row_size].tally.add(tally)
    for fact in _unread(work, workspace_sid).facts:
        if (
            fact.occurred_at in period
            and task_channel_sid in {None, fact.task_channel_sid}
            and subject_sid in subjects_of(fact)
        ):
            rows[fact.occurred_at // row_size].tally.add_fact(fact, subject_sid[:2])
    return list(rows.values())


def activity_durations(
    work: Work,
    *,
    workspace_sid: str,
    period: Period,
    worker_sids: Collection[str] | None = None,
) -> dict[str, Durations]:
    """By Activity: the times that Workers spent in it, cut off at both ends of that time.

    `None` means all Workers, those who are gone included. An Activity that somebody is in counts up
    to now.
    """
    span = Span(begin=period.start, end=min(period.end, work.now))
    if span.begin >= span.end:
        return {}
    statistics = work.statistics
    activities = work.configuration(workspace_sid).activities.keys()
    found = statistics.stays(workspace_sid, activities, span, worker_sids)
    for activity_sid, present in statistics.present_stays(workspace_sid, span, worker_sids).items():
        found.setdefault(activity_sid, Durations()).add_all(present)
    for stay in _unread(work, workspace_sid).stays:
        if worker_sids is not None and stay.worker_sid not in worker_sids:
            continue
        length = min(stay.ended_at, span.end) - max(stay.began_at, span.begin)
        if length > 0:
            durations = found.setdefault(stay.activity_sid, Durations())
            durations.add(1, length, length, length)
    return found


def _unread(work: Work, workspace_sid: str) -> Reading:
    """What the events say that are in none of the sums yet."""
    events = work.statistics.unread(workspace_sid)
    return facts.read(events, work.statistics.standings(facts.wanted_standings(events)))


def live_tasks(
    work: Work,
    *,
    workspace_sid: str,
    subject_sids: Collection[str],
    task_channel_sid: str | None = None,
) -> dict[str, LiveTasks]:
    """The Tasks that live, of the Workspace, or of each of those TaskQueues or Workflows."""
    return work.statistics.live_tasks(
        workspace_sid, subject_sids, task_channel_sid=task_channel_sid
    )


def workers_now(
    work: Work, configuration: Configuration, task_channel_sid: str | None = None
) -> Members:
    """The Workspace's Workers by Activity; with a TaskChannel, only those who serve it."""
    if task_channel_sid is not None:
        return crowd(work, configuration, task_channel_sid).all()
    members = Members()
    members.by_activity.update(work.statistics.workers_by_activity(configuration.activities.keys()))
    return members


def crowd(work: Work, configuration: Configuration, task_channel_sid: str | None = None) -> Crowd:
    """The Workspace's Workers, to be asked who of them belongs to which TaskQueue.

    With a TaskChannel, only those who serve it: whose channel is switched on and has a capacity.
    """
    workspace_sid = configuration.workspace.sid
    profiles = work.statistics.profiles(workspace_sid)
    if task_channel_sid is not None:
        serving = work.statistics.serving(task_channel_sid)
        profiles = [profile for profile in profiles if profile.sid in serving]
    loads = {}
    if any(_asks_for_load(queue.target_workers) for queue in configuration.task_queues.values()):
        channels = work.worker_channels.find(workspace_sid=workspace_sid)
        loads = channel_loads(configuration, channels)

    def context_of(profile: Profile) -> Mapping[str, object]:
        context = worker_context(configuration, profile)
        if profile.sid in loads:
            context["channel"] = load_context(loads[profile.sid].values())
        return context

    return Crowd(profiles, context_of)


def _asks_for_load(target_workers: str) -> bool:
    return reads_load(belonging(target_workers))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """How long the line of a TaskQueue is, and how quickly it has been moving."""

    #: Tasks that nobody has accepted yet.
    waiting: int
    #: Seconds since the creation of the Task that has waited longest, and its SID; 0 and None
    #: where nobody waits.
    longest_wait_seconds: int
    longest_waiting_task_sid: str | None
    #: Tasks that somebody works on.
    in_hand: int
    #: In the minutes that were asked about: acceptances, cancellations, and the average seconds
    #: from a Task's creation to its acceptance; None where none was accepted.
    accepted: int
    canceled: int
    average_wait_seconds: int | None


def queue_lines(
    work: Work,
    *,
    workspace_sid: str,
    task_queue_sids: Collection[str],
    minutes: int = DEFAULT_MINUTES,
) -> dict[str, QueueLine]:
    """The lines of those TaskQueues, by SID, with what happened in the last so many minutes.

    Raises NotFound when there is no such Workspace, or one of the queues is none of its own.
    """
    known = work.configuration(workspace_sid).task_queues
    for sid in task_queue_sids:
        if sid not in known:
            raise NotFound(f"/Workspaces/{workspace_sid}/TaskQueues/{sid}")
    period = Period(start=work.now - minutes * _MINUTE, end=work.now)
    live = live_tasks(work, workspace_sid=workspace_sid, subject_sids=task_queue_sids)
    happened = tallies(
        work, workspace_sid=workspace_sid, subject_sids=task_queue_sids, period=period
    )
    return {
        sid: QueueLine(
            waiting=live[sid].waiting,
            longest_wait_seconds=live[sid].longest_wait_seconds(work.now),
            longest_waiting_task_sid=live[sid].longest_task_sid,
            in_hand=live[sid].total - live[sid].waiting,
            accepted=happened[sid].until_accepted.number,
            canceled=happened[sid].until_canceled.number,
            average_wait_seconds=(
                happened[sid].until_accepted.average
                if happened[sid].until_accepted.number
                else None
            ),
        )
        for sid in task_queue_sids
    }
