"""/v1/Workspaces/{sid}/Workflows/{sid}/...Statistics: a Workflow in numbers."""

from flask import Response

from routing.api.operations import Door, Resource, answer
from routing.api.representation import Body
from routing.api.statistics import (
    RealTime,
    SplitCumulative,
    asked,
    channel_sid,
    of_live_tasks,
    of_tasks,
)
from routing.configuration import Configuration
from routing.engine import statistics
from routing.errors import NotFound
from routing.ports import Work

resource = Resource()
_BELOW = "/Workspaces/<workspace_sid>/Workflows/<workflow_sid>"


@resource.operation(
    "FetchWorkflowRealTimeStatistics", "GET", f"{_BELOW}/RealTimeStatistics", RealTime
)
def real_time(door: Door, given: RealTime, workspace_sid: str, workflow_sid: str) -> Response:
    found = door.read(
        _real_time, workspace_sid=workspace_sid, workflow_sid=workflow_sid, given=given
    )
    return _answer(door, workspace_sid, workflow_sid, "RealTimeStatistics", found.result)


@resource.operation(
    "FetchWorkflowCumulativeStatistics", "GET", f"{_BELOW}/CumulativeStatistics", SplitCumulative
)
def cumulative(
    door: Door, given: SplitCumulative, workspace_sid: str, workflow_sid: str
) -> Response:
    found = door.read(
        _cumulative, workspace_sid=workspace_sid, workflow_sid=workflow_sid, given=given, door=door
    )
    return _answer(door, workspace_sid, workflow_sid, "CumulativeStatistics", found.result)


@resource.operation("FetchWorkflowStatistics", "GET", f"{_BELOW}/Statistics", SplitCumulative)
def both(door: Door, given: SplitCumulative, workspace_sid: str, workflow_sid: str) -> Response:
    found = door.read(
        _both, workspace_sid=workspace_sid, workflow_sid=workflow_sid, given=given, door=door
    )
    return _answer(door, workspace_sid, workflow_sid, "Statistics", found.result)


def _answer(
    door: Door, workspace_sid: str, workflow_sid: str, name: str, numbers: Body
) -> Response:
    url = f"{door.represent.base}/Workspaces/{workspace_sid}/Workflows/{workflow_sid}/{name}"
    whose = {
        "account_sid": door.represent.account_sid,
        "workspace_sid": workspace_sid,
        "workflow_sid": workflow_sid,
    }
    return answer({**whose, **numbers, "url": url})


def _both(
    work: Work, *, workspace_sid: str, workflow_sid: str, given: SplitCumulative, door: Door
) -> Body:
    return {
        "cumulative": _cumulative(
            work, workspace_sid=workspace_sid, workflow_sid=workflow_sid, given=given, door=door
        ),
        "realtime": _real_time(
            work, workspace_sid=workspace_sid, workflow_sid=workflow_sid, given=given
        ),
    }


def _known(work: Work, workspace_sid: str, workflow_sid: str) -> Configuration:
    """How the Workspace is set up; raises NotFound unless the Workflow is one of its own."""
    configuration = work.configuration(workspace_sid)
    if workflow_sid not in configuration.workflows:
        raise NotFound(f"/Workspaces/{workspace_sid}/Workflows/{workflow_sid}")
    return configuration


def _real_time(work: Work, *, workspace_sid: str, workflow_sid: str, given: RealTime) -> Body:
    channel = channel_sid(given, _known(work, workspace_sid, workflow_sid))
    live = statistics.live_tasks(
        work,
        workspace_sid=workspace_sid,
        subject_sids=[workflow_sid],
        task_channel_sid=channel,
    )
    return of_live_tasks(live[workflow_sid], work.now)


def _cumulative(
    work: Work, *, workspace_sid: str, workflow_sid: str, given: SplitCumulative, door: Door
) -> Body:
    configuration = _known(work, workspace_sid, workflow_sid)
    about = asked(given, configuration, door.settings, work.now)
    found = statistics.tallies(
        work,
        workspace_sid=workspace_sid,
        subject_sids=[workflow_sid],
        period=about.period,
        task_channel_sid=about.task_channel_sid,
        with_spreads=about.thresholds is not None,
    )
    return of_tasks(found[workflow_sid], about, "tasks_entered", "tasks_timed_out_in_workflow")
