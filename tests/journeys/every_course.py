"""All courses together, and one of them by chance with something that goes wrong by chance."""

from functools import cache
from random import Random

from tests.journeys import (  # noqa: F401 - each adds its courses
    courses_of_handing_on,
    courses_of_offers,
    courses_of_talk,
    courses_of_waiting,
)
from tests.journeys.courses import COURSES, Course, run
from tests.journeys.mishaps import KINDS, Mishap
from tests.routing.scratch import scratch_centre

__all__ = ["COURSES", "play_with_a_mishap"]


@cache
def _occasions(name: str, kind: str) -> int:
    """How often there is something to strike while all goes well: counted by a number too high."""
    course = COURSES[name]
    with scratch_centre(multi_task=course.multi_task) as centre:
        return run(course, centre, Mishap(kind, 10**9)).occasions


def play_with_a_mishap(chance: Random, kind: str | None = None) -> str:
    """Plays some course while something goes wrong in it; which, in words."""
    course: Course = chance.choice([one for one in COURSES.values() if not one.once])
    kind = kind or chance.choice(KINDS)
    at = chance.randrange(max(1, _occasions(course.name, kind)))
    mishap = Mishap(kind, at)
    try:
        with scratch_centre(multi_task=course.multi_task) as centre:
            run(course, centre, mishap)
    except Exception as error:
        error.add_note(f"{course.name}: {mishap}")
        raise
    return f"{kind}"
