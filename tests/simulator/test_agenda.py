"""The agenda by itself: timers in order, scripts that wait and are interrupted, late news."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.agenda import Agenda, Interruption, Scope, Script, Signal, Steps
from simulator.clock import ManualClock, RealClock, ScaledClock


class News(Interruption):
    pass


@given(st.lists(st.integers(0, 1000)), st.integers(0, 1000))
def test_timers_run_in_order_and_at_their_instant(delays: list[int], step: int) -> None:
    agenda = Agenda(ManualClock(0))
    ran: list[tuple[int, int]] = []
    with agenda.turn():
        for place, delay in enumerate(delays):
            agenda.after(delay, lambda place=place: ran.append((agenda.now(), place)))  # type: ignore[misc]  # the default binds it
    agenda.advance(step)
    early = [(delay * 1000, place) for place, delay in enumerate(delays) if delay <= step]
    assert ran == sorted(early)
    assert agenda.now() == step * 1000
    agenda.advance(1000)
    assert [place for _, place in ran] == [
        place for _, place in sorted((delay, place) for place, delay in enumerate(delays))
    ]


def test_a_canceled_timer_does_not_run() -> None:
    agenda = Agenda(ManualClock(0))
    ran: list[int] = []
    with agenda.turn():
        agenda.after(1, lambda: ran.append(1)).cancel()
        agenda.after(2, lambda: ran.append(2))
    agenda.advance(3)
    assert ran == [2]


def test_news_for_a_closed_scope_is_dropped() -> None:
    agenda = Agenda(ManualClock(0))
    scope, reached = Scope(), []

    def steps() -> Steps[None]:
        yield from agenda.pause(1)
        scope.close()
        yield from agenda.pause(1)
        reached.append(agenda.now())

    with agenda.turn():
        script = agenda.begin(steps(), "a script")
    agenda.advance(1)
    with agenda.turn():
        script.interrupt(News(), scope)
    agenda.advance(1)
    assert reached == [2000]
    assert script.is_over


def test_an_interruption_meets_the_script_where_it_waits_and_its_signal_comes_too_late() -> None:
    agenda = Agenda(ManualClock(0))
    signal: Signal[str] = Signal(agenda)
    seen: list[str] = []

    def steps() -> Steps[None]:
        try:
            seen.append((yield from signal.wait()))
        except News:
            seen.append("news")
        yield from agenda.pause(5)
        seen.append("end")

    with agenda.turn():
        script = agenda.begin(steps(), "a script")
    with agenda.turn():
        script.interrupt(News())
        signal.fire("signal")
    agenda.advance(4)
    assert seen == ["news"]
    agenda.advance(1)
    assert seen == ["news", "end"]


def test_a_signal_fires_once_and_also_for_those_who_come_later() -> None:
    agenda = Agenda(ManualClock(0))
    signal: Signal[int] = Signal(agenda)
    seen: list[int] = []

    def steps() -> Steps[None]:
        seen.append((yield from signal.wait()))

    with agenda.turn():
        agenda.begin(steps(), "early")
        signal.fire(1)
        signal.fire(2)
        agenda.begin(steps(), "late")
    assert seen == [1, 1]


def test_a_script_that_breaks_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    agenda = Agenda(ManualClock(0))
    seen: list[str] = []

    def broken() -> Steps[None]:
        yield from agenda.pause(1)
        message = "a mistake"
        raise RuntimeError(message)

    def sound() -> Steps[None]:
        yield from agenda.pause(1)
        seen.append("sound")

    with agenda.turn():
        script: Script = agenda.begin(broken(), "the broken one")
        agenda.begin(sound(), "the sound one")
    agenda.advance(1)
    assert script.is_over
    assert seen == ["sound"]
    assert "the broken one" in caplog.text


def test_a_nearer_timer_wakes_the_thread_that_waits_for_a_far_one() -> None:
    agenda = Agenda(RealClock())
    agenda.start()
    rang = threading.Event()
    with agenda.turn():
        agenda.after(3600, lambda: None)
    with agenda.turn():
        agenda.after(0.001, rang.set)
    assert rang.wait(20)
    agenda.stop()


def test_only_a_manual_clock_can_be_moved() -> None:
    with pytest.raises(TypeError):
        Agenda(RealClock()).advance(1)
    with pytest.raises(ValueError, match="positive"):
        ScaledClock(0)


def test_settling_gives_up_with_what_is_still_on_its_way() -> None:
    agenda = Agenda(ManualClock(0))
    with agenda.turn():
        agenda.departed()
    with pytest.raises(TimeoutError, match="1 webhooks"):
        agenda.settle(patience_seconds=0)
