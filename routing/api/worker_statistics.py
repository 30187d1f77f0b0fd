"""/v1/Workspaces/{sid}/Workers/...Statistics: all Workers in numbers, some, or one."""

from collections import Counter
from collections.abc import Collection

from flask import Response

from routing.api.operations import Door, Resource, answer
from routing.api.parameters import TaskQueueSid, Text
from routing.api.representation import Body
from routing.api.statistics import (
    Asked,
    Cumulative,
    RealTime,
    asked,
    channel_sid,
    of_activities,
    of_durations,
    of_reservations,
    times,
)
from routing.configuration import Configuration
from routing.engine import statistics, workers
from routing.errors import RoutingError
from routing.ports import Work
from routing.statistics.real_time import Members, Profile
from routing.statistics.tally import Tally
from routing.task_queue import belonging

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Workers"


class WorkerStatistics(Cumulative, frozen=True, kw_only=True, rename="pascal"):
    task_queue_sid: TaskQueueSid | None = None
    task_queue_name: Text | None = None
    friendly_name: Text | None = None


@resource.operation("FetchWorkersRealTimeStatistics", "GET", f"{_ALL}/RealTimeStatistics", RealTime)
def real_time(door: Door, given: RealTime, workspace_sid: str) -> Response:
    found = door.read(_real_time, workspace_sid=workspace_sid, given=given, door=door)
    return _answer(door, workspace_sid, "RealTimeStatistics", found.result)


@resource.operation(
    "FetchWorkersCumulativeStatistics", "GET", f"{_ALL}/CumulativeStatistics", Cumulative
)
def cumulative(door: Door, given: Cumulative, workspace_sid: str) -> Response:
    found = door.read(_cumulative, workspace_sid=workspace_sid, given=given, door=door)
    return _answer(door, workspace_sid, "CumulativeStatistics", found.result)


@resource.operation("FetchWorkerStatistics", "GET", f"{_ALL}/Statistics", WorkerStatistics)
def both(door: Door, given: WorkerStatistics, workspace_sid: str) -> Response:
    found = door.read(_both, workspace_sid=workspace_sid, given=given, door=door)
    return _answer(door, workspace_sid, "Statistics", found.result)


@resource.operation(
    "FetchWorkerInstanceStatistics", "GET", f"{_ALL}/<worker_sid>/Statistics", Cumulative
)
def of_one(door: Door, given: Cumulative, workspace_sid: str, worker_sid: str) -> Response:
    found = door.read(
        _of_one, workspace_sid=workspace_sid, worker_sid=worker_sid, given=given, door=door
    )
    numbers = {"worker_sid": worker_sid, "cumulative": found.result}
    return _answer(door, workspace_sid, f"{worker_sid}/Statistics", numbers)


def _answer(door: Door, workspace_sid: str, name: str, numbers: Body) -> Response:
    url = f"{door.represent.base}/Workspaces/{workspace_sid}/Workers/{name}"
    whose = {"account_sid": door.represent.account_sid, "workspace_sid": workspace_sid}
    return answer({**whose, **numbers, "url": url})


def _real_time(work: Work, *, workspace_sid: str, given: RealTime, door: Door) -> Body:
    configuration = work.configuration(workspace_sid)
    _check_number(work, configuration, door)
    channel = channel_sid(given, configuration)
    return _present(statistics.workers_now(work, configuration, channel), configuration)


def _present(members: Members, configuration: Configuration) -> Body:
    return {
        "activity_statistics": of_activities(members, configuration),
        "total_workers": members.total,
    }


def _cumulative(work: Work, *, workspace_sid: str, given: Cumulative, door: Door) -> Body:
    configuration = work.configuration(workspace_sid)
    _check_number(work, configuration, door)
    about = asked(given, configuration, door.settings, work.now)
    return _happened(work, configuration, about, worker_sids=None)


def _both(work: Work, *, workspace_sid: str, given: WorkerStatistics, door: Door) -> Body:
    configuration = work.configuration(workspace_sid)
    _check_number(work, configuration, door)
    about = asked(given, configuration, door.settings, work.now)
    channel = about.task_channel_sid
    if (given.task_queue_sid, given.task_queue_name, given.friendly_name) == (None, None, None):
        members, worker_sids = statistics.workers_now(work, configuration, channel), None
    else:
        chosen = _chosen(work, configuration, given)
        serving = None if channel is None else work.statistics.serving(channel)
        members = Members(
            Counter(each.activity_sid for each in chosen if serving is None or each.sid in serving)
        )
        worker_sids = [worker.sid for worker in chosen]
    return {
        "cumulative": _happened(work, configuration, about, worker_sids=worker_sids),
        "realtime": _present(members, configuration),
    }


def _of_one(
    work: Work, *, workspace_sid: str, worker_sid: str, given: Cumulative, door: Door
) -> Body:
    workers.find(work, workspace_sid=workspace_sid, worker_sid=worker_sid)
    configuration = work.configuration(workspace_sid)
    about = asked(given, configuration, door.settings, work.now)
    return _happened(work, configuration, about, worker_sids=[worker_sid])


def _check_number(work: Work, configuration: Configuration, door: Door) -> None:
    """Raises RoutingError where the Workspace has more Workers than statistics are told of."""
    limit = door.settings.statistics_workers
    if statistics.workers_now(work, configuration).total > limit:
        raise RoutingError(
            f"Worker statistics are told of Workspaces with at most {limit} Workers; "
            "ask about one Worker."
        )


def _chosen(work: Work, configuration: Configuration, given: WorkerStatistics) -> list[Profile]:
    """The Workers that the filters leave."""
    crowd = statistics.crowd(work, configuration)
    chosen = [
        worker for worker in crowd.workers if given.friendly_name in {None, worker.friendly_name}
    ]
    if (given.task_queue_sid, given.task_queue_name) != (None, None):
        members = {
            sid
            for queue in configuration.task_queues.values()
            if given.task_queue_sid in {None, queue.sid}
            and given.task_queue_name in {None, queue.friendly_name}
            for sid in crowd.sids(belonging(queue.target_workers))
        }
        chosen = [worker for worker in chosen if worker.sid in members]
    return chosen


def _happened(
    work: Work,
    configuration: Configuration,
    about: Asked,
    *,
    worker_sids: Collection[str] | None,
) -> Body:
    """What those Workers did in that time; None for all there are and were."""
    workspace_sid = configuration.workspace.sid
    found = statistics.tallies(
        work,
        workspace_sid=workspace_sid,
        subject_sids=[workspace_sid] if worker_sids is None else worker_sids,
        period=about.period,
        task_channel_sid=about.task_channel_sid,
    )
    total = Tally()
    for tally in found.values():
        total.add(tally)
    durations = statistics.activity_durations(
        work, workspace_sid=workspace_sid, period=about.period, worker_sids=worker_sids
    )
    return {
        **times(about.period),
        **of_reservations(total),
        "activity_durations": of_durations(durations, configuration),
    }
