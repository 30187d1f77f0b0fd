"""/v1/Workspaces/{sid}/TaskQueues/...Statistics: TaskQueues in numbers, one, a page or a bulk."""

from collections.abc import Collection
from typing import Annotated

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer
from routing.api.paging import InMemory, Page, Paged, page_answer, page_of
from routing.api.parameters import DateTime, JSONParameters, TaskQueueSid, Text
from routing.api.representation import Body
from routing.api.statistics import (
    Asked,
    Minutes,
    RealTime,
    SplitByWaitTime,
    SplitCumulative,
    asked,
    channel_sid,
    of_activities,
    of_live_tasks,
    of_tasks,
    wait,
)
from routing.configuration import Configuration
from routing.engine import statistics
from routing.errors import NotFound
from routing.ports import Work
from routing.statistics.real_time import Members
from routing.task_queue import TaskQueue, belonging

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/TaskQueues"
_ONE = f"{_ALL}/<task_queue_sid>"
#: Twilio's limit, which its clients see as an error.
MAX_BULK = 50


class ListTaskQueuesStatistics(Paged, frozen=True, kw_only=True, rename="pascal"):
    friendly_name: Text | None = None
    task_channel: Text | None = None
    end_date: DateTime | None = None
    minutes: Minutes | None = None
    start_date: DateTime | None = None
    split_by_wait_time: SplitByWaitTime | None = None

    def about(self) -> SplitCumulative:
        """What is asked about each TaskQueue of the page."""
        return SplitCumulative(
            task_channel=self.task_channel,
            end_date=self.end_date,
            minutes=self.minutes,
            start_date=self.start_date,
            split_by_wait_time=self.split_by_wait_time,
        )


class BulkRealTime(JSONParameters, frozen=True, kw_only=True, rename="camel"):
    queue_sids: Annotated[
        list[TaskQueueSid],
        Meta(
            min_length=1,
            max_length=MAX_BULK,
            description=f"1 to {MAX_BULK} SIDs of TaskQueues, each WQ and 32 hexadecimal digits",
        ),
    ]


@resource.operation(
    "FetchTaskQueueRealTimeStatistics", "GET", f"{_ONE}/RealTimeStatistics", RealTime
)
def real_time(door: Door, given: RealTime, workspace_sid: str, task_queue_sid: str) -> Response:
    found = door.read(_real_time, workspace_sid=workspace_sid, sid=task_queue_sid, given=given)
    return _answer(door, workspace_sid, task_queue_sid, "RealTimeStatistics", found.result)


@resource.operation(
    "FetchTaskQueueCumulativeStatistics", "GET", f"{_ONE}/CumulativeStatistics", SplitCumulative
)
def cumulative(
    door: Door, given: SplitCumulative, workspace_sid: str, task_queue_sid: str
) -> Response:
    found = door.read(
        _cumulative, workspace_sid=workspace_sid, sid=task_queue_sid, given=given, door=door
    )
    return _answer(door, workspace_sid, task_queue_sid, "CumulativeStatistics", found.result)


@resource.operation("FetchTaskQueueStatistics", "GET", f"{_ONE}/Statistics", SplitCumulative)
def both(door: Door, given: SplitCumulative, workspace_sid: str, task_queue_sid: str) -> Response:
    found = door.read(
        _both, workspace_sid=workspace_sid, sid=task_queue_sid, given=given, door=door
    )
    return _answer(door, workspace_sid, task_queue_sid, "Statistics", found.result)


@resource.operation(
    "ListTaskQueuesStatistics", "GET", f"{_ALL}/Statistics", ListTaskQueuesStatistics
)
def list_statistics(door: Door, given: ListTaskQueuesStatistics, workspace_sid: str) -> Response:
    found = door.read(_page, workspace_sid=workspace_sid, given=given, door=door)
    page, numbers = found.result
    return page_answer(
        "task_queues_statistics",
        given,
        page,
        lambda queue: {**_whose(door, workspace_sid, queue.sid), **numbers[queue.sid]},
        door.represent.base,
    )


@resource.operation(
    "CreateTaskQueueBulkRealTimeStatistics",
    "POST",
    f"{_ALL}/RealTimeStatistics",
    BulkRealTime,
    status=200,  # nothing is created
)
def bulk_real_time(door: Door, given: BulkRealTime, workspace_sid: str) -> Response:
    """A well-formed SID of no TaskQueue of the Workspace is answered with noughts, as by Twilio."""
    sids = list(dict.fromkeys(given.queue_sids))
    found = door.read(_real_times, workspace_sid=workspace_sid, sids=sids, channel=None)
    url = f"{door.represent.base}/Workspaces/{workspace_sid}/TaskQueues/RealTimeStatistics"
    numbers = [{"task_queue_sid": sid, **found.result[sid]} for sid in sids]
    return answer(
        {
            "account_sid": door.represent.account_sid,
            "workspace_sid": workspace_sid,
            "task_queue_data": numbers,
            "task_queue_response_count": len(numbers),
            "url": url,
        }
    )


def _whose(door: Door, workspace_sid: str, task_queue_sid: str) -> Body:
    return {
        "account_sid": door.represent.account_sid,
        "workspace_sid": workspace_sid,
        "task_queue_sid": task_queue_sid,
    }


def _answer(
    door: Door, workspace_sid: str, task_queue_sid: str, name: str, numbers: Body
) -> Response:
    url = f"{door.represent.base}/Workspaces/{workspace_sid}/TaskQueues/{task_queue_sid}/{name}"
    return answer({**_whose(door, workspace_sid, task_queue_sid), **numbers, "url": url})


def _page(
    work: Work, *, workspace_sid: str, given: ListTaskQueuesStatistics, door: Door
) -> tuple[Page[TaskQueue], dict[str, Body]]:
    configuration = work.configuration(workspace_sid)
    about = asked(given.about(), configuration, door.settings, work.now)
    queues = [
        queue
        for queue in configuration.task_queues.values()
        if given.friendly_name in {None, queue.friendly_name}
    ]
    page = page_of(given, InMemory(queues))
    sids = [queue.sid for queue in page.records]
    now = _real_times(work, workspace_sid=workspace_sid, sids=sids, channel=about.task_channel_sid)
    happened = _cumulatives(work, workspace_sid=workspace_sid, sids=sids, about=about)
    return page, {sid: {"cumulative": happened[sid], "realtime": now[sid]} for sid in sids}


def _both(work: Work, *, workspace_sid: str, sid: str, given: SplitCumulative, door: Door) -> Body:
    return {
        "cumulative": _cumulative(
            work, workspace_sid=workspace_sid, sid=sid, given=given, door=door
        ),
        "realtime": _real_time(work, workspace_sid=workspace_sid, sid=sid, given=given),
    }


def _known(work: Work, workspace_sid: str, sid: str) -> Configuration:
    """How the Workspace is set up; raises NotFound unless the TaskQueue is one of its own."""
    configuration = work.configuration(workspace_sid)
    if sid not in configuration.task_queues:
        raise NotFound(f"/Workspaces/{workspace_sid}/TaskQueues/{sid}")
    return configuration


def _real_time(work: Work, *, workspace_sid: str, sid: str, given: RealTime) -> Body:
    channel = channel_sid(given, _known(work, workspace_sid, sid))
    return _real_times(work, workspace_sid=workspace_sid, sids=[sid], channel=channel)[sid]


def _real_times(
    work: Work, *, workspace_sid: str, sids: Collection[str], channel: str | None
) -> dict[str, Body]:
    configuration = work.configuration(workspace_sid)
    live = statistics.live_tasks(
        work, workspace_sid=workspace_sid, subject_sids=sids, task_channel_sid=channel
    )
    crowd = statistics.crowd(work, configuration, channel)
    available = configuration.available_activity_sids()
    numbers = {}
    for sid in sids:
        queue = configuration.task_queues.get(sid)
        members = Members() if queue is None else crowd.members(belonging(queue.target_workers))
        numbers[sid] = {
            **of_live_tasks(live[sid], work.now),
            "longest_relative_task_age_in_queue": live[sid].longest_queue_seconds(work.now),
            "longest_relative_task_sid_in_queue": live[sid].longest_in_queue_task_sid,
            "activity_statistics": of_activities(members, configuration),
            "total_available_workers": members.available(available),
            "total_eligible_workers": members.total,
        }
    return numbers


def _cumulative(
    work: Work, *, workspace_sid: str, sid: str, given: SplitCumulative, door: Door
) -> Body:
    about = asked(given, _known(work, workspace_sid, sid), door.settings, work.now)
    return _cumulatives(work, workspace_sid=workspace_sid, sids=[sid], about=about)[sid]


def _cumulatives(
    work: Work, *, workspace_sid: str, sids: Collection[str], about: Asked
) -> dict[str, Body]:
    found = statistics.tallies(
        work,
        workspace_sid=workspace_sid,
        subject_sids=sids,
        period=about.period,
        task_channel_sid=about.task_channel_sid,
        with_spreads=about.thresholds is not None,
    )
    return {
        sid: {
            **of_tasks(tally, about, "tasks_entered"),
            "wait_duration_in_queue_until_accepted": wait(tally.in_queue_until_accepted),
        }
        for sid, tally in found.items()
    }
