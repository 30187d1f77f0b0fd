"""/v1/Workspaces/{sid}/...Statistics: a Workspace in numbers."""

from flask import Response

from routing.api.operations import Door, Resource, answer
from routing.api.representation import Body
from routing.api.statistics import (
    RealTime,
    SplitCumulative,
    asked,
    channel_sid,
    of_activities,
    of_live_tasks,
    of_tasks,
)
from routing.engine import statistics
from routing.ports import Work

resource = Resource()
_BELOW = "/Workspaces/<workspace_sid>"


@resource.operation(
    "FetchWorkspaceRealTimeStatistics", "GET", f"{_BELOW}/RealTimeStatistics", RealTime
)
def real_time(door: Door, given: RealTime, workspace_sid: str) -> Response:
    found = door.read(_real_time, workspace_sid=workspace_sid, given=given)
    return _answer(door, workspace_sid, "RealTimeStatistics", found.result)


@resource.operation(
    "FetchWorkspaceCumulativeStatistics", "GET", f"{_BELOW}/CumulativeStatistics", SplitCumulative
)
def cumulative(door: Door, given: SplitCumulative, workspace_sid: str) -> Response:
    found = door.read(_cumulative, workspace_sid=workspace_sid, given=given, door=door)
    return _answer(door, workspace_sid, "CumulativeStatistics", found.result)


@resource.operation("FetchWorkspaceStatistics", "GET", f"{_BELOW}/Statistics", SplitCumulative)
def both(door: Door, given: SplitCumulative, workspace_sid: str) -> Response:
    found = door.read(_both, workspace_sid=workspace_sid, given=given, door=door)
    return _answer(door, workspace_sid, "Statistics", found.result)


def _answer(door: Door, workspace_sid: str, name: str, numbers: Body) -> Response:
    url = f"{door.represent.base}/Workspaces/{workspace_sid}/{name}"
    whose = {"account_sid": door.represent.account_sid, "workspace_sid": workspace_sid}
    return answer({**whose, **numbers, "url": url})


def _both(work: Work, *, workspace_sid: str, given: SplitCumulative, door: Door) -> Body:
    return {
        "cumulative": _cumulative(work, workspace_sid=workspace_sid, given=given, door=door),
        "realtime": _real_time(work, workspace_sid=workspace_sid, given=given),
    }


def _real_time(work: Work, *, workspace_sid: str, given: RealTime) -> Body:
    configuration = work.configuration(workspace_sid)
    channel = channel_sid(given, configuration)
    live = statistics.live_tasks(
        work,
        workspace_sid=workspace_sid,
        subject_sids=[workspace_sid],
        task_channel_sid=channel,
    )
    members = statistics.workers_now(work, configuration, channel)
    return {
        **of_live_tasks(live[workspace_sid], work.now),
        "activity_statistics": of_activities(members, configuration),
        "total_workers": members.total,
    }


def _cumulative(work: Work, *, workspace_sid: str, given: SplitCumulative, door: Door) -> Body:
    about = asked(given, work.configuration(workspace_sid), door.settings, work.now)
    found = statistics.tallies(
        work,
        workspace_sid=workspace_sid,
        subject_sids=[workspace_sid],
        period=about.period,
        task_channel_sid=about.task_channel_sid,
        with_spreads=about.thresholds is not None,
    )
    return of_tasks(found[workspace_sid], about, "tasks_created", "tasks_timed_out_in_workflow")
