"""Taking capacity: the claim that keeps two routers from giving a Worker more than it can handle.

On SQLite all that is wanted of a channel is taken by one conditional UPDATE; what comes back are
the channels that had it. So the database decides, whatever the index or an earlier SELECT believed.
On PostgreSQL the channels are locked while they are read, on the way of the other rows that a claim
locks, and what is taken of them is written with the rest: one trip to the server less.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from routing.clock import Instant
from routing.store.work_statements import WorkStatements
from routing.worker import CapacityClaim, WorkerChannel

if TYPE_CHECKING:
    from routing.store.rows import SqlRows
    from routing.store.unit_of_work import UnitOfWork

#: Worker SID, TaskChannel SID.
_Key = tuple[str, str]

_encode: Final = msgspec.json.Encoder().encode


def take(
    unit: "UnitOfWork", statements: WorkStatements, claims: Sequence[CapacityClaim]
) -> list[str | None]:
    """For each claim the SID of its WorkerChannel, or None where nothing could be taken."""
    taken: list[str | None] = [None] * len(claims)
    for regardless in (False, True):
        places: dict[_Key, list[int]] = defaultdict(list)
        for place, claim in enumerate(claims):
            if claim.regardless is regardless:
                places[claim.worker_sid, claim.task_channel_sid].append(place)
        run = partial(_take_units, unit, statements, regardless=regardless)
        found = run({key: len(wanted) for key, wanted in places.items()})
        for key, wanted in places.items():
            if key in found:
                for place in wanted:
                    taken[place] = found[key]
            elif len(wanted) > 1:
                _take_one_by_one(run, key, wanted, taken)
    return taken


def foresee(
    channels: "SqlRows[WorkerChannel]",
    worker_sids: AbstractSet[str],
    task_channel_sids: AbstractSet[str],
) -> None:
    """What `take_locked` reads first."""
    channels.foresee_all(
        worker_sid=worker_sids, task_channel_sid=task_channel_sids, order_by="sid", lock=True
    )


def take_locked(
    channels: "SqlRows[WorkerChannel]", claims: Sequence[CapacityClaim], now: Instant
) -> list[str | None]:
    """As `take`, by row locks: those that ask for what there is come first."""
    found = channels.find(
        worker_sid={claim.worker_sid for claim in claims},
        task_channel_sid={claim.task_channel_sid for claim in claims},
        order_by="sid",
        lock=True,
    )
    here = {(channel.worker_sid, channel.task_channel_sid): channel for channel in found}
    loads = {channel.sid: channel.assigned_tasks for channel in found}
    taken: list[str | None] = [None] * len(claims)
    for place, claim in sorted(enumerate(claims), key=lambda each: each[1].regardless):
        channel = here.get((claim.worker_sid, claim.task_channel_sid))
        if channel is None:
            continue
        has_room = channel.available and loads[channel.sid] < channel.configured_capacity
        if has_room or claim.regardless:
            loads[channel.sid] += 1
            taken[place] = channel.sid
    channels.change_all(
        {
            sid: {"assigned_tasks": loads[sid], "last_reserved_at": now}
            for sid in dict.fromkeys(sid for sid in taken if sid is not None)
        }
    )
    return taken


def free(unit: "UnitOfWork", statements: WorkStatements, worker_channel_sid: str) -> bool:
    """Gives one unit of the channel back; False where none was taken.

    On PostgreSQL the channel is locked on the way of other rows, and what it has from now on is
    written with the rest.
    """
    channels = unit.worker_channels
    if not unit.dialect.has_row_locks:
        return unit.write(statements.free, (worker_channel_sid,), channels.statements) == 1
    channel = channels.get(worker_channel_sid, lock=True)
    if channel is None or not channel.assigned_tasks:
        return False
    channels.change(worker_channel_sid, assigned_tasks=channel.assigned_tasks - 1)
    return True


def _take_one_by_one(
    run: Callable[[Mapping[_Key, int]], dict[_Key, str]],
    key: _Key,
    places: Iterable[int],
    taken: list[str | None],
) -> None:
    """All of them were too many: the first ones get what there is."""
    for place in places:
        sid = run({key: 1}).get(key)
        if sid is None:
            return
        taken[place] = sid


def _take_units(
    unit: "UnitOfWork",
    statements: WorkStatements,
    units: Mapping[_Key, int],
    *,
    regardless: bool,
) -> dict[_Key, str]:
    """Takes so many units of each channel; the SIDs of those that had them."""
    if not units:
        return {}
    wanted = [
        {
            "worker_sid": worker_sid,
            "task_channel_sid": task_channel_sid,
            "assigned_tasks": number,
            "last_reserved_at": unit.now,
        }
        for (worker_sid, task_channel_sid), number in units.items()
    ]
    text = statements.take(len(units), regardless=regardless)
    rows = unit.write_and_tell(text, (_encode(wanted).decode(),))
    return {(worker_sid, channel_sid): sid for worker_sid, channel_sid, sid in rows}
