"""What the statistics of every resource share: the time they are asked about, and their fields.

Without StartDate and Minutes the last quarter of an hour is told of. Both ends count. Twilio's own
limits (30 days back, worker statistics of at most 100 Workers) only protect its cloud; here they
are settings, and generous.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from routing.api.operations import RestSettings
from routing.api.parameters import MAX_TEXT_CHARACTERS, DateTime, Parameters, Text
from routing.api.representation import Body
from routing.clock import SECOND, Instant, iso_8601
from routing.configuration import Configuration
from routing.engine.statistics import DEFAULT_MINUTES
from routing.errors import InvalidParameter, RoutingError
from routing.statistics.period import DAY, Period
from routing.statistics.real_time import LIVE_STATUSES, LiveTasks, Members
from routing.statistics.tally import Durations, Spread, Tally, splits

#: As far back as the events' list can be asked for.
_MAX_MINUTES: Final = 5_256_000
#: Thresholds in one SplitByWaitTime; each is a walk over all the waits there were.
MAX_THRESHOLDS: Final = 100
MAX_THRESHOLD_SECONDS: Final = 1_000_000_000


Minutes: TypeAlias = Annotated[
    int, Meta(ge=0, le=_MAX_MINUTES, extra_json_schema={"default": DEFAULT_MINUTES})
]
SplitByWaitTime: TypeAlias = Annotated[
    str,
    Meta(
        max_length=MAX_TEXT_CHARACTERS,
        description=f"at most {MAX_THRESHOLDS} whole numbers of seconds, each at most "
        f"{MAX_THRESHOLD_SECONDS}, with commas between them",
    ),
]


class TooLongAgo(RoutingError):
    """Statistics of a time before the first one that is told of."""

    code = 14241


class RealTime(Parameters, frozen=True, kw_only=True, rename="pascal"):
    task_channel: Text | None = None


class Cumulative(RealTime, frozen=True, kw_only=True, rename="pascal"):
    end_date: DateTime | None = None
    minutes: Minutes | None = None
    start_date: DateTime | None = None


class SplitCumulative(Cumulative, frozen=True, kw_only=True, rename="pascal"):
    split_by_wait_time: SplitByWaitTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request for statistics is about, checked."""

    period: Period
    task_channel_sid: str | None
    #: Seconds; None where waits are not to be split.
    thresholds: tuple[int, ...] | None


def asked(
    given: Cumulative,
    configuration: Configuration,
    settings: RestSettings,
    now: Instant,
    *,
    default_minutes: int = DEFAULT_MINUTES,
) -> Asked:
    """Raises InvalidParameter for what contradicts itself, TooLongAgo for what is too old."""
    text = given.split_by_wait_time if isinstance(given, SplitCumulative) else None
    return Asked(
        period=_period(given, settings, now, default_minutes),
        task_channel_sid=channel_sid(given, configuration),
        thresholds=_thresholds(text) if text else None,
    )


def channel_sid(given: RealTime, configuration: Configuration) -> str | None:
    """The SID of the TaskChannel that was asked for by SID or unique name; None for all."""
    if given.task_channel is None:
        return None
    return configuration.task_channel(given.task_channel).sid


def _period(
    given: Cumulative, settings: RestSettings, now: Instant, default_minutes: int
) -> Period:
    if given.minutes is not None and (given.start_date, given.end_date) != (None, None):
        raise InvalidParameter("Minutes", "expected none together with StartDate or EndDate")
    end = now if given.end_date is None else given.end_date
    minutes = default_minutes if given.minutes is None else given.minutes
    start = end - minutes * 60 * SECOND if given.start_date is None else given.start_date
    if start > end:
        raise InvalidParameter("StartDate", "expected a time that is not after EndDate, or now")
    if start < now - settings.statistics_days * DAY:
        raise TooLongAgo(
            f"Statistics go back {settings.statistics_days} days: expected a later StartDate."
        )
    return Period(start=start, end=end)


def _thresholds(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if len(words) > MAX_THRESHOLDS or not all(
        word.isascii() and word.isdigit() and int(word) <= MAX_THRESHOLD_SECONDS for word in words
    ):
        raise InvalidParameter(
            "SplitByWaitTime",
            f"expected at most {MAX_THRESHOLDS} whole numbers of seconds, each at most "
            f"{MAX_THRESHOLD_SECONDS}, with commas between them",
        )
    return tuple(dict.fromkeys(map(int, words)))


def times(period: Period) -> Body:
    return {"start_time": iso_8601(period.start), "end_time": iso_8601(period.end)}


def of_reservations(tally: Tally) -> Body:
    counts = tally.counts
    return {
        "reservations_created": counts["reservations_created"],
        "reservations_accepted": counts["reservations_accepted"],
        "reservations_rejected": counts["reservations_rejected"],
        "reservations_timed_out": counts["reservations_timed_out"],
        "reservations_canceled": counts["reservations_canceled"],
        "reservations_rescinded": counts["reservations_rescinded"],
    }


def of_tasks(tally: Tally, about: Asked, *more: str) -> Body:
    """What cumulative statistics of Workspaces, Workflows and TaskQueues have in common.

    `more` are the counts that not all of them have.
    """
    counts = tally.counts
    return {
        **times(about.period),
        **of_reservations(tally),
        "avg_task_acceptance_time": tally.until_accepted.average,
        "tasks_canceled": counts["tasks_canceled"],
        "tasks_completed": counts["tasks_completed"],
        "tasks_deleted": counts["tasks_deleted"],
        "tasks_moved": counts["tasks_moved"],
        **{name: counts[name] for name in more},
        "wait_duration_until_accepted": wait(tally.until_accepted),
        "wait_duration_until_canceled": wait(tally.until_canceled),
        "split_by_wait_time": _splits(tally, about.thresholds),
    }


def wait(spread: Spread) -> Body:
    return {
        "avg": spread.average,
        "min": spread.least,
        "max": spread.most,
        "total": spread.total,
    }


def _splits(tally: Tally, thresholds: tuple[int, ...] | None) -> Body | None:
    if thresholds is None:
        return None
    return {
        str(split.threshold_seconds): {
            "above": {
                "tasks_canceled": split.canceled_above,
                "reservations_accepted": split.accepted_above,
            },
            "below": {
                "tasks_canceled": split.canceled_below,
                "reservations_accepted": split.accepted_below,
            },
        }
        for split in splits(tally, thresholds)
    }


def of_live_tasks(live: LiveTasks, now: Instant) -> Body:
    """What real-time statistics of Workspaces, Workflows and TaskQueues have in common."""
    return {
        "longest_task_waiting_age": live.longest_wait_seconds(now),
        "longest_task_waiting_sid": live.longest_task_sid,
        "tasks_by_priority": {str(key): live.by_priority[key] for key in sorted(live.by_priority)},
        "tasks_by_status": {status: live.by_status[status] for status in LIVE_STATUSES},
        "total_tasks": live.total,
    }


def of_activities(members: Members, configuration: Configuration) -> list[Body]:
    """How many Workers are in each Activity of the Workspace, the empty ones included."""
    return [
        {"friendly_name": activity.friendly_name, "sid": sid, "workers": members.by_activity[sid]}
        for sid, activity in configuration.activities.items()
    ]


def of_durations(durations: Mapping[str, Durations], configuration: Configuration) -> list[Body]:
    """Seconds in each Activity of the Workspace; 0 for those that nobody was in."""
    return [
        {
            "sid": sid,
            "friendly_name": activity.friendly_name,
            **_seconds(durations.get(sid, _NONE)),
        }
        for sid, activity in configuration.activities.items()
    ]


_NONE: Final = Durations()


def _seconds(durations: Durations) -> Body:
    average = durations.total // durations.number if durations.number else 0
    return {
        "avg": average // SECOND,
        "min": durations.least // SECOND,
        "max": durations.most // SECOND,
        "total": durations.total // SECOND,
    }
