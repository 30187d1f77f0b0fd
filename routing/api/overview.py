"""Ours, not Twilio's: how a whole Workspace stands, in a few lists, for whoever then listens to it.

Twilio tells of one Worker's channels and Reservations at a time; a wall that begins with a thousand
Workers would ask two thousand times.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource
from routing.api.paging import BY_CREATION, By, InMemory, Page, Paged, page_answer, page_of
from routing.api.parameters import DateTime
from routing.api.representation import Body
from routing.api.statistics import MAX_THRESHOLD_SECONDS, Cumulative, Minutes, asked
from routing.api.stored import Stored
from routing.clock import SECOND, Instant
from routing.engine import statistics
from routing.ports import Work
from routing.reservation import ACCEPTED, COMPLETED, LIVE, WRAPPING, Reservation
from routing.statistics.tally import Tally, splits
from routing.store.pages import Between
from routing.task_queue import TaskQueue
from routing.worker import Worker, WorkerChannel

resource = Resource()
Record = TypeVar("Record", WorkerChannel, Reservation)

#: Of how many answers of a TaskQueue, and how old at most, the instants are told: as many as an
#: estimated wait is made of (voice/estimate.py).
ANSWERS: Final = 25
_ANSWERS_SECONDS: Final = 7_200
#: Reservations of the Workspace that are looked at for them, from the newest on.
_LOOKED_AT: Final = 5_000
_TAKEN: Final = frozenset({ACCEPTED, WRAPPING, COMPLETED})
_NEWEST_FIRST: Final = (By("created_at", descending=True), By("sid", descending=True))

#: A Worker with what it handles, and has in hand.
_Found = tuple[Worker, list[WorkerChannel], list[Reservation]]


class ListLiveWorkers(Paged, frozen=True, kw_only=True, rename="pascal"):
    pass


@resource.operation(
    "ListLiveWorkers",
    "GET",
    "/Workspaces/<workspace_sid>/LiveWorkers",
    ListLiveWorkers,
    is_extension=True,
)
def live_workers(door: Door, given: ListLiveWorkers, workspace_sid: str) -> Response:
    """Workers as their own list tells of them, each with its channels and live Reservations."""
    found = door.read(_live_workers, workspace_sid=workspace_sid, given=given)
    configuration = found.configuration

    def told(row: _Found) -> Body:
        worker, channels, reservations = row
        kinds = {channel.sid: channel.task_channel_sid for channel in channels}
        return {
            **door.represent.worker(worker, configuration),
            "channels": [
                door.represent.worker_channel(channel, configuration) for channel in channels
            ],
            "reservations": [
                {
                    **door.represent.reservation(each, worker, below="Workers"),
                    "task_queue_sid": each.task_queue_sid,
                    "task_channel_sid": kinds.get(each.worker_channel_sid),
                }
                for each in reservations
            ],
        }

    return page_answer("workers", given, found.result, told, door.represent.base)


def _live_workers(work: Work, *, workspace_sid: str, given: ListLiveWorkers) -> Page[_Found]:
    work.configuration(workspace_sid)
    page = page_of(given, Stored(work, Worker, {"workspace_sid": workspace_sid}, BY_CREATION))
    sids = {worker.sid for worker in page.records}
    channels = _by_worker(work.worker_channels.find(worker_sid=sids))
    reservations = _by_worker(work.reservations.find(worker_sid=sids, reservation_status=LIVE))
    return Page(
        records=[
            (worker, channels[worker.sid], reservations[worker.sid]) for worker in page.records
        ],
        previous_token=page.previous_token,
        next_token=page.next_token,
    )


def _by_worker(records: list[Record]) -> defaultdict[str, list[Record]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for record in records:
        found[record.worker_sid].append(record)
    return found


class ListTaskQueueTotals(Paged, frozen=True, kw_only=True, rename="pascal"):
    end_date: DateTime | None = None
    minutes: Minutes | None = None
    start_date: DateTime | None = None
    service_level_seconds: Annotated[int, Meta(ge=0, le=MAX_THRESHOLD_SECONDS)] | None = None


@resource.operation(
    "ListTaskQueueTotals",
    "GET",
    "/Workspaces/<workspace_sid>/TaskQueueTotals",
    ListTaskQueueTotals,
    is_extension=True,
)
def task_queue_totals(door: Door, given: ListTaskQueueTotals, workspace_sid: str) -> Response:
    """What a Series tells of one TaskQueue, as one row for each of them."""
    found = door.read(_totals, workspace_sid=workspace_sid, given=given, door=door)
    page, tallies, answers = found.result
    level = given.service_level_seconds
    return page_answer(
        "task_queues_totals",
        given,
        page,
        lambda queue: {
            "account_sid": door.represent.account_sid,
            "workspace_sid": workspace_sid,
            "task_queue_sid": queue.sid,
            "task_queue_friendly_name": queue.friendly_name,
            **_sums(tallies[queue.sid], level),
            "last_answered_ms": answers.get(queue.sid, []),
        },
        door.represent.base,
    )


def _sums(tally: Tally, level: int | None) -> Body:
    counts = tally.counts
    return {
        "arrived": counts["tasks_entered"],
        "answered": counts["reservations_accepted"],
        "answered_within_service_level": (
            None if level is None else splits(tally, [level])[0].accepted_below
        ),
        "abandoned": counts["tasks_abandoned"],
        "canceled": counts["tasks_canceled"],
        "completed": counts["tasks_completed"],
    }


def _totals(
    work: Work, *, workspace_sid: str, given: ListTaskQueueTotals, door: Door
) -> tuple[Page[TaskQueue], Mapping[str, Tally], Mapping[str, Sequence[Instant]]]:
    configuration = work.configuration(workspace_sid)
    period = Cumulative(start_date=given.start_date, end_date=given.end_date, minutes=given.minutes)
    about = asked(period, configuration, door.settings, work.now)
    page = page_of(given, InMemory(list(configuration.task_queues.values())))
    tallies = statistics.tallies(
        work,
        workspace_sid=workspace_sid,
        subject_sids=[queue.sid for queue in page.records],
        period=about.period,
        with_spreads=given.service_level_seconds is not None,
    )
    return page, tallies, _last_answered(work, workspace_sid, about.period.end)


def _last_answered(work: Work, workspace_sid: str, end: Instant) -> dict[str, list[Instant]]:
    """By TaskQueue: when its last Tasks were offered to those who took them, the oldest first."""
    recent = Between(at_least=end - _ANSWERS_SECONDS * SECOND, below=end + 1)
    filters = {"workspace_sid": workspace_sid, "created_at": recent}
    rows = Stored(work, Reservation, filters, _NEWEST_FIRST).rows(None, _LOOKED_AT, backwards=False)
    found: defaultdict[str, list[Instant]] = defaultdict(list)
    for each in rows.records:
        instants = found[each.task_queue_sid]
        if each.reservation_status in _TAKEN and len(instants) < ANSWERS:
            instants.insert(0, each.created_at)
    return found
