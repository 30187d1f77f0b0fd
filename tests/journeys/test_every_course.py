"""Every course of a call, played once as it should go and again while something goes wrong.

`make chaos ARGS=journeys` plays them two thousand times.
"""

import contextlib
import random

import pytest

from routing.engine import Engine
from routing.store.store import open_store
from tests.fakes import ManualClock
from tests.journeys.courses import run
from tests.journeys.every_course import COURSES, play_with_a_mishap
from tests.journeys.mishaps import KINDS, Mishap
from tests.journeys.rows import ROWS
from tests.routing.centre import Centre
from tests.routing.scratch import scratch_centre


@pytest.mark.parametrize("name", COURSES)
def test_a_course_comes_to_its_end(name: str) -> None:
    course = COURSES[name]
    with scratch_centre(multi_task=course.multi_task) as centre:
        run(course, centre)


def test_every_row_has_a_course() -> None:
    walked = {row for course in COURSES.values() for row in course.rows}
    assert walked == set(ROWS)


@pytest.mark.parametrize(
    "name",
    [
        "a_caller_talks_to_an_agent_and_hangs_up",
        "a_colleague_is_brought_in_and_left_with_the_caller",
        "a_blind_transfer_that_nobody_answers_goes_back_in_line",
        "somebody_outside_is_brought_in_and_left_with_the_caller",
    ],
)
def test_a_course_comes_to_its_end_on_postgresql(name: str, postgres_url: str) -> None:
    clock = ManualClock()
    store = open_store(postgres_url, clock)
    with contextlib.closing(store):
        run(COURSES[name], Centre(store, Engine(store, clock), clock))


@pytest.mark.parametrize("kind", KINDS)
def test_a_course_comes_to_the_same_end_whatever_goes_wrong(kind: str) -> None:
    """Two of them for each kind, others each time the list of courses changes."""
    chance = random.Random(f"{kind} {len(COURSES)}")  # noqa: S311 - a repeatable choice
    for _ in range(2):
        play_with_a_mishap(chance, kind)


@pytest.mark.parametrize(
    ("name", "kind", "at"),
    [
        ("a_blind_transfer_to_a_number_goes_through", "20404", 2),
        ("a_caller_on_hold_talks_to_the_colleague_once_the_first_agent_has_left", "21220", 3),
        ("an_agent_who_leaves_while_the_number_rings_leaves_music_and_then_the_other", "21220", 2),
        ("everybody_is_sent_home_at_once", "20404", 2),
        ("a_colleague_is_brought_in_and_left_with_the_caller", "late", 8),
        ("a_caller_handed_on_cold_hears_music_until_the_colleague_answers", "late", 14),
    ],
)
def test_what_has_gone_wrong_once_does_not_again(name: str, kind: str, at: int) -> None:
    """Rare moments, which chance does not find each time."""
    with scratch_centre(multi_task=COURSES[name].multi_task) as centre:
        run(COURSES[name], centre, Mishap(kind, at))
