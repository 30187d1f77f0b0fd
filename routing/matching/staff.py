"""The Workers' side of the index: each in a slot of its own, and sets of them as bitmaps.

Who meets an expression is known to `routing.population`, once for all that ask the same. What
depends on load (a `Mood`) is asked as late as it is needed, and remembered until the load changes.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

from routing.clock import Instant
from routing.expressions import WorkerOrder
from routing.matching.preference import Preference
from routing.matching.ranking import Ranking, numbers_in
from routing.matching.records import Candidate, ChannelLoad
from routing.matching.requirement import (
    TARGET_ROOT,
    Requirement,
    RequirementKey,
    hindrance,
    is_known,
)
from routing.population import Population, bitmap

_Key = TypeVar("_Key", bound=Hashable)
_IdleRank: TypeAlias = tuple[Instant, str]


@dataclass(slots=True, kw_only=True, eq=False)
class Mood:
    """The Workers whose load meets the lively half of a requirement, as far as it was asked."""

    requirement: Requirement
    willing: int
    unknown: int
    #: Who asks for it; one without any is kept until queues change.
    users: int = 0


class Placed(NamedTuple):
    """Where a Worker is, and what is new about it."""

    slot: int
    #: The attributes that are others than before; None: the Worker itself is new.
    changed: frozenset[str] | None


class Staff:
    """All Workers of a workspace."""

    def __init__(self, *, one_at_a_time: bool, idle_per_channel: frozenset[str]) -> None:
        self._one_at_a_time = one_at_a_time
        self._workers: list[Candidate | None] = []
        self._slots: dict[str, int] = {}
        self._unused: list[int] = []
        self._population = Population()
        self._named: dict[str, int] = {}
        self._free: dict[str, int] = {}
        self._available = 0
        self._in_activity: dict[object, int] = {}
        #: Longest without a new Task comes first; the SID only makes the order definite.
        self._idle: Ranking[_IdleRank] = Ranking()
        self._idle_on: dict[str, Ranking[_IdleRank]] = {
            channel_sid: Ranking() for channel_sid in idle_per_channel
        }
        self._moods: dict[tuple[str, str], Mood] = {}
        self._preferences: dict[str, Preference] = {}

    # ---- who is there ---------------------------------------------------------------------------

    def put(self, worker: Candidate) -> Placed | None:
        """A Worker came, or changed in any way; None where nothing has changed at all."""
        slot = self._slot_for(worker.sid)
        previous = self._workers[slot]
        changed = None if previous is None else _changed_names(previous.context, worker.context)
        if not changed and previous == worker:
            return None
        if previous is None or changed or previous.friendly_name != worker.friendly_name:
            self._take_attributes(slot, worker, previous)
        if previous is None or previous.available != worker.available:
            self._available = _with(self._available, slot, worker.available)
        self._take_load(slot, worker, previous)
        for channel_sid in () if previous is None else previous.channels.keys() - worker.channels:
            self._free[channel_sid] &= ~(1 << slot)
            if channel_sid in self._idle_on:
                self._idle_on[channel_sid].drop(slot)
        if previous is None:
            self._workers[slot] = worker
        else:
            previous.become(worker, has_other_context=bool(changed))
        return Placed(slot, changed)

    def _slot_for(self, sid: str) -> int:
        """The Worker's own, or an empty one that is its own from now on."""
        slot = self._slots.get(sid)
        if slot is None:
            slot = self._unused.pop() if self._unused else len(self._workers)
            if slot == len(self._workers):
                self._workers.append(None)
            self._slots[sid] = slot
        return slot

    def drop(self, sid: str) -> None:
        """A Worker is gone."""
        slot = self._slots.pop(sid, None)
        if slot is None:
            return
        worker = self[slot]
        self._workers[slot] = None
        self._unused.append(slot)
        self._population.drop(slot)
        _leave(self._named, worker.friendly_name, slot)
        _leave(self._in_activity, worker.context.get("activity_sid"), slot)
        gone = ~(1 << slot)
        self._available &= gone
        for channel_sid in self._free:
            self._free[channel_sid] &= gone
        for ranking in (self._idle, *self._idle_on.values()):
            ranking.drop(slot)
        for mood in self._moods.values():
            mood.willing &= gone
            mood.unknown &= gone
        for preference in self._preferences.values():
            preference.drop(slot)

    def _take_attributes(self, slot: int, worker: Candidate, previous: Candidate | None) -> None:
        self._population.put(slot, worker.context)
        if previous is not None:
            _leave(self._named, previous.friendly_name, slot)
            _leave(self._in_activity, previous.context.get("activity_sid"), slot)
        bit = 1 << slot
        self._named[worker.friendly_name] = self._named.get(worker.friendly_name, 0) | bit
        activity = worker.context.get("activity_sid")
        self._in_activity[activity] = self._in_activity.get(activity, 0) | bit
        for preference in self._preferences.values():
            preference.put(slot, worker.context)

    def _take_load(self, slot: int, worker: Candidate, previous: Candidate | None = None) -> None:
        """`previous` is what is known, so that only channels that changed are looked at."""
        known: dict[str, ChannelLoad] = {}
        if (
            previous is not None
            and previous.available == worker.available
            and not self._one_at_a_time  # what one channel has, all are busy with
        ):
            known = previous.channels
        for channel_sid, load in worker.channels.items():
            if known.get(channel_sid) != load:
                self._take_channel(slot, worker, channel_sid, load)
        self._idle.put(slot, (worker.last_reserved_at, worker.sid))
        for mood in self._moods.values():
            mood.unknown |= 1 << slot

    def _take_channel(
        self, slot: int, worker: Candidate, channel_sid: str, load: ChannelLoad
    ) -> None:
        free = self._free.get(channel_sid, 0)
        is_free = hindrance(worker, load, one_at_a_time=self._one_at_a_time) is None
        self._free[channel_sid] = _with(free, slot, is_free)
        if channel_sid in self._idle_on:
            self._idle_on[channel_sid].put(slot, (load.last_reserved_at, worker.sid))

    def reserve(self, slot: int, channel_sid: str, now: Instant) -> None:
        """The Worker is given something, as far as the index is concerned."""
        worker = self[slot]
        load = worker.channels[channel_sid]
        load.assigned_tasks += 1
        load.last_reserved_at = worker.last_reserved_at = now
        if self._one_at_a_time:
            self._take_load(slot, worker)  # it is busy on all channels
            return
        self._take_channel(slot, worker, channel_sid, load)
        self._idle.put(slot, (now, worker.sid))
        for mood in self._moods.values():
            mood.unknown |= 1 << slot

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, slot: int) -> Candidate:
        worker = self._workers[slot]
        assert worker is not None  # noqa: S101 - bitmaps hold no slots but those in use
        return worker

    def has(self, slot: int) -> bool:
        return self._workers[slot] is not None

    # ---- sets of them ---------------------------------------------------------------------------

    @property
    def everybody(self) -> int:
        return self._population.everybody

    def free(self, channel_sid: str) -> int:
        """Those who could be given something of that channel."""
        return self._free.get(channel_sid, 0)

    def is_free(self, slot: int, channel_sid: str) -> bool:
        return bool(self._free.get(channel_sid, 0) >> slot & 1)

    def having(self, bits: int, channel_sid: str) -> int:
        """Those of `bits` who have the channel at all."""
        for slot in numbers_in(bits):
            if channel_sid not in self[slot].channels:
                bits ^= 1 << slot
        return bits

    @property
    def is_moody(self) -> bool:
        """Somebody asks for load."""
        return bool(self._moods)

    def members(self, requirement: Requirement) -> int:
        """Those whose attributes meet it."""
        found = self._population.matching(requirement.of_queue[0])
        of_target = requirement.of_target
        if of_target is not None and not of_target[0].is_always_true:
            found &= self._population.matching(of_target[0], root=TARGET_ROOT)
        for sid in requirement.spared:
            slot = self._slots.get(sid)
            if slot is not None:
                found &= ~(1 << slot)
        return found

    def mood(self, requirement: Requirement) -> Mood | None:
        """Whose load meets its lively half, until it is released; None where it has none."""
        mood = self._mood(requirement)
        if mood is not None:
            mood.users += 1
        return mood

    def release(self, mood: Mood | None) -> None:
        """Somebody does not need that any more."""
        if mood is not None:
            mood.users -= 1
            if not mood.users:
                self._moods.pop(_lively_key(mood.requirement.key), None)

    def forget_counted(self) -> None:
        """Queues have changed: what was asked only to count Workers goes."""
        for key in [key for key, mood in self._moods.items() if not mood.users]:
            del self._moods[key]

    def _mood(self, requirement: Requirement) -> Mood | None:
        if not requirement.is_lively:
            return None
        key = _lively_key(requirement.key)
        known = self._moods.get(key)
        if known is None:
            known = self._moods[key] = Mood(
                requirement=requirement, willing=0, unknown=self.everybody
            )
        return known

    def is_willing(self, mood: Mood, slot: int) -> bool:
        bit = 1 << slot
        if mood.unknown & bit:
            mood.unknown ^= bit
            is_met = mood.requirement.is_met_now(self[slot])
            mood.willing = _with(mood.willing, slot, is_met)
        return bool(mood.willing & bit)

    def known(self, known_worker: tuple[bool, object], requirement: Requirement) -> int:
        """The Worker that is named so, if its attributes meet what is required."""
        by_sid, value = known_worker
        if not isinstance(value, str):
            return 0
        if by_sid:
            slot = self._slots.get(value)
            bits = 0 if slot is None else 1 << slot
        else:
            bits = self._named.get(value, 0)
        for slot in numbers_in(bits):
            worker = self[slot]
            if not (is_known(known_worker, worker) and requirement.is_met(worker)):
                bits ^= 1 << slot
        return bits

    def names_of(self, slot: int) -> tuple[tuple[bool, object], tuple[bool, object]]:
        """What a Task may know the Worker by."""
        worker = self[slot]
        return (True, worker.sid), (False, worker.friendly_name)

    def headcount(self, requirement: Requirement) -> dict[str, int]:
        """How many meet the queue's part of it: by Activity (SID), and `available` of all."""
        members = self._population.matching(requirement.of_queue[0])
        mood = self._mood(requirement)
        if mood is not None:
            for slot in numbers_in(members & mood.unknown):
                self.is_willing(mood, slot)
            members &= mood.willing
        counts = {
            str(activity): (members & bits).bit_count()
            for activity, bits in self._in_activity.items()
        }
        return {**counts, "available": (members & self._available).bit_count()}

    # ---- their orders ---------------------------------------------------------------------------

    def chosen(
        self, able: int, channel_sid: str, order_by: WorkerOrder | None, mood: Mood | None
    ) -> Iterator[int]:
        """Those of the able ones whose load does, too: in the order asked for, if there is one and
        it is not void, else the longest idle first.
        """
        if mood is not None:
            able &= mood.willing | mood.unknown
        idle = self._idle_on.get(channel_sid, self._idle)
        walk = idle.walk(able)
        if order_by is not None:
            among = self._preference(order_by).among(able)
            if not self._is_void(among.void, mood):
                walk = among.walk(idle)
        for slot in walk:
            if mood is None or self.is_willing(mood, slot):
                yield slot

    def _is_void(self, odd: int, mood: Mood | None) -> bool:
        """Whoever cannot have the Task has no say in whether the order is void, either."""
        if mood is None:
            return bool(odd)
        return any(self.is_willing(mood, slot) for slot in numbers_in(odd))

    def _preference(self, order_by: WorkerOrder) -> Preference:
        known = self._preferences.get(order_by.text)
        if known is None:
            paths = [key.reference.path[1:] for key in order_by.keys]
            columns, changed = self._population.columns(paths)
            known = Preference(order_by, columns, self.everybody & ~bitmap(changed))
            self._preferences[order_by.text] = known
            for slot in changed:
                if self.has(slot):
                    known.put(slot, self[slot].context)
        return known

    def forget_order(self, text: str) -> None:
        """Nobody asks for that order any more."""
        self._preferences.pop(text, None)


def _with(bits: int, slot: int, is_in: bool) -> int:
    return bits | 1 << slot if is_in else bits & ~(1 << slot)


def _leave(groups: dict[_Key, int], key: _Key, slot: int) -> None:
    """Takes the slot out of its group, and the group away when it was the last."""
    left = groups.get(key, 0) & ~(1 << slot)
    if left:
        groups[key] = left
    else:
        groups.pop(key, None)


def _lively_key(key: RequirementKey) -> tuple[str, str]:
    return key[1], key[3]


def _changed_names(before: dict[str, object], now: dict[str, object]) -> frozenset[str]:
    """The attributes in which the two differ."""
    if before is now:
        return frozenset()
    return frozenset(
        name
        for name in before.keys() | now.keys()
        if name not in before or name not in now or not _is_same(before[name], now[name])
    )


def _is_same(one: object, other: object) -> bool:
    """Equal in kind, too: Python holds 1 == True, and expressions do not."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _is_same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return type(one) is type(other) and one == other
