"""The threads around the followers and the timers."""

import threading

import pytest

from routing.background.loops import BATCH, Loop, following
from tests.routing.centre import Centre
from tests.store.records import emit_all, event


class _Signal:
    """Wakes at once whoever waits, and knows for how long each wanted to sleep."""

    def __init__(self) -> None:
        self.waits: list[float | None] = []

    def seen(self) -> int:
        return 0

    def wait(self, seen: int, timeout: float | None) -> int:
        self.waits.append(timeout)
        return seen + 1

    def notify(self) -> None:
        """Nobody sleeps."""


def _twice(result: float, **of_the_loop: float) -> _Signal:
    """What happens between two steps of a loop."""
    signal, steps, done = _Signal(), iter(range(2)), threading.Event()

    def step() -> bool | float:
        if next(steps, None) is None:
            done.set()
        return result

    loop = Loop("probe", step, signal, **of_the_loop)
    loop.start()
    assert done.wait(30)
    loop.stop()
    loop.join(30)
    return signal


@pytest.mark.parametrize(
    ("wanted", "slept"),
    [
        pytest.param(0.5, 0.49, id="the gathering is a part of it"),
        pytest.param(0.001, 0.0, id="never less than nothing"),
        pytest.param(60.0, 0.99, id="nor longer than a slow poll"),
    ],
)
def test_a_step_that_asked_for_a_moment_is_not_put_off_by_gathering(
    wanted: float, slept: float
) -> None:
    assert _twice(wanted, gather_seconds=0.01).waits[0] == pytest.approx(slept)


def test_a_loop_that_gathers_nothing_sleeps_as_long_as_it_may() -> None:
    assert _twice(0.5).waits[0] == 0.5


def test_a_follower_goes_on_at_once_as_long_as_there_is_more(centre: Centre) -> None:
    kinds = ("task.canceled", "task.updated") * (2 * BATCH)
    emit_all(centre.store, [event(centre.workspace_sid, type=kind) for kind in kinds])
    seen: list[str] = []
    log = centre.store.event_log("probe", frozenset({"task.canceled"}))
    step = following(log, lambda events: seen.extend(each.type for each in events))
    while step() is True:
        pass
    assert len(seen) == 2 * BATCH
