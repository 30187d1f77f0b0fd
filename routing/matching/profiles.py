"""What is required of Workers, and for each Worker which of it it meets, as a bitmap.

The other way round than `Staff.members`: there the Workers who meet a requirement, here the
requirements that a Worker meets. A freed Worker so finds what it may have by one intersection.
"""

from collections.abc import Collection
from dataclasses import dataclass

from routing.matching.ranking import numbers_in
from routing.matching.requirement import TARGET_ROOT, Requirement, RequirementKey
from routing.matching.staff import Mood, Staff

#: Stands for all names: an expression may ask for a Worker as a whole.
_ANY = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Profile:
    """What some classes require of a Worker."""

    number: int
    requirement: Requirement
    mood: Mood | None
    #: The groups that go by it.
    groups: int = 0


class Profiles:
    """All that is required at present."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff
        self._profiles: dict[RequirementKey, Profile] = {}
        #: By slot: the numbers of the profiles that its Worker meets, and of some that are gone.
        self._met: list[int] = []
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
        met, bit = self._met, 1 << number
        met += [0] * (self._staff.everybody.bit_length() - len(met))
        members = self._staff.members(requirement)
        for slot in numbers_in(stained & ~members):
            met[slot] &= ~bit
        for slot in numbers_in(members):
            met[slot] |= bit
        return profile

    def met_by(self, slot: int) -> int:
        """The numbers of the profiles that the attributes of that slot's Worker meet."""
        return self._met[slot] if slot < len(self._met) else 0

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
        self._met[slot] = met

    def drop(self, profile: Profile) -> None:
        """Nobody requires that any more; its number is given away again."""
        del self._profiles[profile.requirement.key]
        for name in _names_in(profile.requirement):
            readers = self._readers[name]
            del readers[profile.number]
            if not readers:
                del self._readers[name]
        self._unused.append((profile.number, self._staff.members(profile.requirement)))
        self._staff.release(profile.mood)


def _names_in(requirement: Requirement) -> set[str]:
    """The attributes by which it is decided."""
    names = {str(path[0]) for path in requirement.of_queue[0].paths}
    if requirement.of_target is not None:
        for path in requirement.of_target[0].paths:
            if path[0] == TARGET_ROOT:
                names.add(str(path[1]) if len(path) > 1 else _ANY)
    return names
