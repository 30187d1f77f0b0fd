"""Follows the log and keeps the tables of sums that statistics are read from.

What is read from a batch of events and the place in the log move in one transaction, in which no
row is looked at but that place: everything was worked out before. So the transaction is short, and
a crash, or a second process that does the same, neither counts anything twice nor leaves it out.
"""

import time
from collections.abc import Sequence

from routing.background.loops import Rest
from routing.errors import Conflict
from routing.events import Event
from routing.statistics import facts
from routing.store import FollowedLog, SqlStore
from routing.store.statistics import FOLLOWER, bucketed

#: The types of events that are followed.
CONCERNS = facts.CONCERNS
#: Events that are summed up in one transaction: few enough that nobody notices its writing.
BATCH = 500
#: Seconds between two looks at the log: what is not summed up yet, answers take from the log.
REST_SECONDS = 1.0
#: During a flood of events the summing up takes this share of the time, so that calls come first.
FLOOD_SHARE = 0.1
#: Full batches after which it hurries all the same: answers have to read what is left in the log.
MOST_BATCHES_BEHIND = 20
#: Seconds until a gap in the log is looked at again.
HELD_UP_SECONDS = 0.05


class StatisticsFollower:
    """Used by one thread."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._log: FollowedLog = store.event_log(FOLLOWER, CONCERNS)
        #: The durable place in the log, as far as it is known here.
        self._position: int | None = None
        #: Full batches one after the other.
        self._full = 0

    def step(self) -> bool | float:
        """Sums up a batch; True when there may be more, or seconds until it may go on."""
        begin = time.monotonic()
        is_behind = self._sum_up_some()
        if is_behind is not True:
            self._full = 0
            return is_behind
        self._full += 1
        if self._full > MOST_BATCHES_BEHIND:
            return True
        return Rest((time.monotonic() - begin) * (1 - FLOOD_SHARE) / FLOOD_SHARE)

    def _sum_up_some(self) -> bool | float:
        events = self._log.read(BATCH)
        if not events:
            return HELD_UP_SECONDS if self._log.is_held_up else False
        if self._position is None:
            self._position = self._store.read(lambda work: work.follower_position(FOLLOWER))
        after, position = self._position, events[-1].position
        try:
            self._sum_up(events, after, position)
            self._position = position
        except Conflict:
            self._position = None  # another process was faster: read on where that one is
        self._log.restart()
        # A batch is counted with what does not concern us, so a full one may look smaller.
        return position - after >= BATCH // 2

    def _sum_up(self, events: Sequence[Event], after: int, position: int) -> None:
        standings = self._store.read(
            lambda work: work.statistics.standings(facts.wanted_standings(events))
        )
        reading = facts.read(events, standings)
        added = bucketed(reading.facts)
        sums = self._store.read(lambda work: work.statistics.buckets(added))
        for bucket in sums.keys() & added.keys():
            added[bucket].add(sums[bucket])
        self._store.perform(
            lambda work: work.statistics.write(reading, added, after=after, position=position)
        )
