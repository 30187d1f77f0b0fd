"""What is required of Workers, and for each Worker which of it it meets, as a bitmap.

The other way round than `Staff.members`: there the Workers who meet a requirement, here the
requirements that a Worker meets. A freed Worker so finds what it may have by one intersection.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from routing.matching.ranking import numbers_in
from routing.matching.requirement import TARGET_ROOT, Requirement, RequirementKey
from routing.matching.staff import Mood, Staff

#: Stands for all names: an expression may ask for a Worker as a whole.
_ANY = ""

#: Workers to whom a new profile is told with each question, and how many profiles may be new: in a
#: large centre, to tell everybody of one that all meet would keep other decisions waiting.
_AT_ONCE: Final = 1000
_MOST_NEW: Final = 4


@dataclass(slots=True, kw_only=True, eq=False)
class Profile:
    """What some classes require of a Worker."""

    number: int
    requirement: Requirement
    mood: Mood | None
    #: The groups that go by it.
    groups: int = 0


@dataclass(slots=True, eq=False)
class _New:
    """What is still to be told of a profile: to those who meet it, and to those who may have the
    bit of another that had its number. All of that is on slots from `begin` on.
    """

    met: int
    unmet: int
    begin: int = 0

    def leave_out(self, slot: int) -> None:
        """That one has been told."""
        self.met &= ~(1 << slot)
        self.unmet &= ~(1 << slot)


class Profiles:
    """All that is required at present."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff
        self._profiles: dict[RequirementKey, Profile] = {}
        #: By slot: the numbers of the profiles that its Worker meets, and of some that are gone.
        self._met: list[int] = []
        #: By number, what is not in there yet; the longest known comes first.
        self._new: dict[int, _New] = {}
        #: By attribute, the profiles that read it.
        self._readers: dict[str, dict[int, Profile]] = {}
        #: Numbers of profiles that are gone, with the slots that may still have their bit.
        self._unused: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._profiles)

    def of(self, requirement: Requirement) -> Profile:
        """The profile of that requirement, kept current from now on."""
        known = self._profiles.get(requirement.key)
        if known is not None:
            return known
        number, stained = self._unused.pop() if self._unused else (len(self._profiles), 0)
        profile = Profile(
            number=number, requirement=requirement, mood=self._staff.mood(requirement)
        )
        self._profiles[requirement.key] = profile
        for name in _names_in(requirement):
            self._readers.setdefault(name, {})[number] = profile
        members = self._staff.members(requirement)
        self._met += [0] * (self._staff.everybody.bit_length() - len(self._met))
        self._new[number] = _New(members, stained & ~members)
        while len(self._new) > _MOST_NEW:
            self._tell(len(self._met))
        return profile

    def met_by(self, slot: int) -> int:
        """The numbers of the profiles that the attributes of that slot's Worker meet."""
        if self._new:
            self._tell(_AT_ONCE)
        met = self._met[slot] if slot < len(self._met) else 0
        for number, new in self._new.items():
            if slot >= new.begin:
                met |= (new.met >> slot & 1) << number
                met &= ~((new.unmet >> slot & 1) << number)
        return met

    def _tell(self, most: int) -> None:
        """Takes so many slots in of what is new for the longest."""
        number, new = next(iter(self._new.items()))
        met, bit, begin = self._met, 1 << number, new.begin
        window = (1 << most) - 1
        for slot in numbers_in(new.unmet >> begin & window):
            met[begin + slot] &= ~bit
        for slot in numbers_in(new.met >> begin & window):
            met[begin + slot] |= bit
        new.begin += most
        if new.begin >= len(met):
            del self._new[number]

    def look_at(self, slot: int, changed: Collection[str] | None) -> None:
        """The Worker of that slot has other attributes of these names; None: it is a new one."""
        readers: dict[int, Profile] = {}
        if changed is None:
            readers = {profile.number: profile for profile in self._profiles.values()}
        else:
            for name in (_ANY, *changed):
                readers.update(self._readers.get(name, {}))
        if not readers:
            return
        self._met += [0] * (slot + 1 - len(self._met))
        met = 0 if changed is None else self._met[slot]
        worker = self._staff[slot]
        for number, profile in readers.items():
            if profile.requirement.is_met(worker):
                met |= 1 << number
            else:
                met &= ~(1 << number)
            if number in self._new:
                self._new[number].leave_out(slot)
        self._met[slot] = met

    def drop(self, profile: Profile) -> None:
        """Nobody requires that any more; its number is given away again."""
        del self._profiles[profile.requirement.key]
        for name in _names_in(profile.requirement):
            readers = self._readers[name]
            del readers[profile.number]
            if not readers:
                del self._readers[name]
        new = self._new.pop(profile.number, None)
        stained = self._staff.members(profile.requirement) | (0 if new is None else new.unmet)
        self._unused.append((profile.number, stained))
        self._staff.release(profile.mood)


def _names_in(requirement: Requirement) -> set[str]:
    """The attributes by which it is decided."""
    names = {str(path[0]) for path in requirement.of_queue[0].paths}
    if requirement.of_target is not None:
        for path in requirement.of_target[0].paths:
            if path[0] == TARGET_ROOT:
                names.add(str(path[1]) if len(path) > 1 else _ANY)
    return names
