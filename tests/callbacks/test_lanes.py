"""How much one receiver is sent at a time, whatever it does."""

from hypothesis import given
from hypothesis import strategies as st

from routing.background.callbacks.lanes import AHEAD, Lane, pause_seconds

LIMIT = 8


def lane(*, closes: bool = True) -> Lane[int]:
    return Lane[int](limit=LIMIT, closes=closes, chance=lambda: 1.0)


def fail(of: Lane[int], times: int, now: int = 0) -> None:
    for _ in range(times):
        of.take_on(0, now, threads=99)
        of.failed(now)


@given(st.integers(1, 1000), st.floats(0, 1))
def test_pauses_double_up_to_a_limit_and_half_of_them_is_chance(
    attempts: int, chance: float
) -> None:
    whole = min(600.0, 2.0 ** min(attempts - 1, 30))
    assert whole / 2 <= pause_seconds(attempts, lambda: chance) <= whole


def test_a_lane_is_closed_after_some_failures_and_opens_for_one_at_a_time() -> None:
    dead = lane()
    fail(dead, 5)
    assert dead.is_closed
    assert dead.room(999) == 0
    assert dead.room(1000) == 1
    fail(dead, 1, now=1000)
    assert dead.room(2999) == 0
    assert dead.room(3000) == 1
    dead.take_on(0, 3000, threads=99)
    assert dead.room(3000) == 0
    dead.succeeded()
    assert not dead.is_closed
    assert dead.room(3000) == 1


def test_the_peace_of_a_closed_lane_has_an_end() -> None:
    dead = lane()
    now = 0
    for _ in range(50):
        fail(dead, 1, now)
        now += 60_000
    assert dead.room(now) == 1


def test_failures_that_were_under_way_when_it_closed_say_nothing_new() -> None:
    dead = lane()
    for _ in range(12):
        dead.take_on(0, 0, threads=99)
    for _ in range(12):
        dead.failed(0)
    assert dead.room(1000) == 1


def test_what_cannot_wait_is_never_closed_out() -> None:
    urgent = lane(closes=False)
    fail(urgent, 50)
    assert urgent.room(0) == LIMIT


@given(st.lists(st.sampled_from(["take", "good", "bad", "next", "wait"]), max_size=80))
def test_a_lane_never_runs_more_than_its_limit_and_forgets_no_job(moves: list[str]) -> None:
    one, now, running, taken = lane(), 0, 0, 0
    for move in moves:
        if move == "wait":
            now += 500
        elif move == "take" and one.room(now):
            taken += 1
            running += one.take_on(taken, now, threads=99)
        elif move in {"good", "bad"} and running:
            running -= 1
            if move == "good":
                running += one.next_job() is not None
                one.succeeded()
            else:
                for _ in one.give_back():
                    one.was_not_sent()
                one.failed(now)
        assert one.running == running <= LIMIT
        assert 0 <= one.in_flight <= LIMIT * (AHEAD + 1)
        assert one.room(now) >= 0
