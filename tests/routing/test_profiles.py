"""What each Worker meets of all that is required, while a large centre is still being told."""

from random import Random

from routing.matching import Candidate
from routing.matching.profiles import Profile, Profiles
from routing.matching.requirement import Halves, Requirement, halves_of_queue
from routing.matching.staff import Staff

CROWD = 2500
LEVELS = 8


def candidate(number: int, level: int) -> Candidate:
    return Candidate(
        sid=f"WK{number}",
        friendly_name=f"worker {number}",
        available=True,
        last_reserved_at=0,
        context={"sid": f"WK{number}", "level": level},
        channels={},
    )


def requirement(dice: Random) -> Requirement:
    halves: Halves = halves_of_queue(
        dice.choice([f"level >= {dice.randrange(LEVELS)}", f"level != {dice.randrange(LEVELS)}"])
    )
    return Requirement(of_queue=halves, of_target=None)


class Crowd:
    """Workers who come, change and go; requirements that come and go."""

    def __init__(self) -> None:
        self.dice = Random(1)  # noqa: S311 - a history that can be told again
        self.staff = Staff(one_at_a_time=False, idle_per_channel=frozenset())
        self.profiles = Profiles(self.staff)
        self.workers: dict[int, Candidate] = {}
        self.known: dict[int, Profile] = {}
        self.found = 0
        for number in range(CROWD):
            self.put(number)

    def put(self, number: int) -> None:
        worker = candidate(number, self.dice.randrange(LEVELS))
        placed = self.staff.put(worker)
        if placed is not None:
            self.profiles.look_at(*placed)
            self.workers[placed.slot] = worker

    def change(self) -> None:
        self.put(self.dice.randrange(CROWD + 20))

    def leave(self) -> None:
        self.staff.drop(self.workers.pop(self.dice.choice(list(self.workers))).sid)

    def require(self) -> None:
        profile = self.profiles.of(requirement(self.dice))
        self.known[profile.number] = profile

    def require_no_more(self) -> None:
        if self.known:
            self.profiles.drop(self.known.pop(self.dice.choice(list(self.known))))

    def ask(self) -> None:
        slot, worker = self.dice.choice(list(self.workers.items()))
        bits = self.profiles.met_by(slot)
        for number, profile in self.known.items():  # bits of those that are gone mean nothing
            assert bool(bits >> number & 1) is profile.requirement.is_met(worker)
            self.found += bits >> number & 1


def test_who_looks_for_work_finds_all_that_they_meet_however_new_it_is() -> None:
    crowd = Crowd()
    deeds = [crowd.change, crowd.leave, crowd.require, crowd.require, crowd.require_no_more]
    for _ in range(800):
        crowd.dice.choice([*deeds, crowd.ask, crowd.ask])()
    assert crowd.found > 100
