"""Ours, not Twilio's: what happened in a Workspace or one of its TaskQueues, row after row of time.

The rows of a time add up to its cumulative statistics: they are read from the same sums.
"""

from typing import Annotated, Final, Literal

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer
from routing.api.parameters import TaskQueueSid
from routing.api.representation import Body
from routing.api.statistics import MAX_THRESHOLD_SECONDS, Asked, Cumulative, asked, times
from routing.clock import iso_8601
from routing.engine import statistics
from routing.engine.statistics import SeriesRow
from routing.errors import InvalidParameter
from routing.ports import Work
from routing.statistics.period import DAY, HOUR, QUARTER, Period, Span
from routing.statistics.tally import splits

resource = Resource()

#: A day, where nobody says of what time.
DEFAULT_MINUTES: Final = 1_440
#: Up to so long a time, the rows are quarters of an hour where nobody says otherwise.
_FINE_UP_TO: Final = 2 * DAY
#: A month of quarters of an hour, or ten years of days.
MAX_ROWS: Final = 4_000
_SIZES: Final = {"15m": QUARTER, "1h": HOUR, "1d": DAY}


class Series(Cumulative, frozen=True, kw_only=True, rename="pascal"):
    task_queue_sid: TaskQueueSid | None = None
    #: Without one the rows are quarters of an hour, and days where the time is longer than two.
    interval: Literal["15m", "1h", "1d"] | None = None
    service_level_seconds: Annotated[int, Meta(ge=0, le=MAX_THRESHOLD_SECONDS)] | None = None


@resource.operation(
    "FetchWorkspaceSeries", "GET", "/Workspaces/<workspace_sid>/Series", Series, is_extension=True
)
def series(door: Door, given: Series, workspace_sid: str) -> Response:
    found = door.read(_series, workspace_sid=workspace_sid, given=given, door=door)
    return answer(
        {
            "account_sid": door.represent.account_sid,
            "workspace_sid": workspace_sid,
            "task_queue_sid": given.task_queue_sid,
            **found.result,
            "url": f"{door.represent.base}/Workspaces/{workspace_sid}/Series",
        }
    )


def _series(work: Work, *, workspace_sid: str, given: Series, door: Door) -> Body:
    configuration = work.configuration(workspace_sid)
    about = asked(given, configuration, door.settings, work.now, default_minutes=DEFAULT_MINUTES)
    queue_sid, level = given.task_queue_sid, given.service_level_seconds
    if queue_sid is not None and queue_sid not in configuration.task_queues:
        raise InvalidParameter("TaskQueueSid", "expected the SID of a TaskQueue of this Workspace")
    interval = _interval(given, about)
    rows = statistics.series(
        work,
        workspace_sid=workspace_sid,
        subject_sid=queue_sid or workspace_sid,
        period=about.period,
        row_size=_SIZES[interval],
        task_channel_sid=about.task_channel_sid,
        with_spreads=level is not None,
    )
    arrived = "tasks_created" if queue_sid is None else "tasks_entered"
    return {
        **times(about.period),
        "interval": interval,
        "service_level_seconds": level,
        "series": [_row(row, arrived, level, about.period) for row in rows],
    }


def _interval(given: Series, about: Asked) -> str:
    period = about.period
    fine = period.end - period.start <= _FINE_UP_TO
    interval = given.interval or ("15m" if fine else "1d")
    if (period.end - period.start) // _SIZES[interval] >= MAX_ROWS:
        raise InvalidParameter("Interval", f"expected at most {MAX_ROWS} rows: choose a longer one")
    return interval


def _row(row: SeriesRow, arrived: str, level: int | None, period: Period) -> Body:
    counts = row.tally.counts
    return {
        "start_time": iso_8601(row.span.begin),
        "end_time": iso_8601(_end(row.span, period)),
        "arrived": counts[arrived],
        "answered": counts["reservations_accepted"],
        "answered_within_service_level": (
            None if level is None else splits(row.tally, [level])[0].accepted_below
        ),
        "abandoned": counts["tasks_abandoned"],
        "canceled": counts["tasks_canceled"],
        "completed": counts["tasks_completed"],
    }


def _end(span: Span, period: Period) -> int:
    """Where the next row begins; the last one ends with the time that was asked about."""
    return min(span.end, period.end)
