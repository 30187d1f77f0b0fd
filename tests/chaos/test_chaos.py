"""A little of each subject; and a command that finds nothing must not be blind."""

import dataclasses
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests import postgres
from tests.chaos import __main__ as command
from tests.chaos import (
    calling,
    delivering,
    forging,
    fuzzing,
    history,
    journeying,
    killing,
    machines,
    racing,
    running,
)
from tests.chaos.running import Case, Report, Subject
from tests.chaos.subjects import SUBJECTS

#: {subject: how it is played when it must not take long}
SMALL: dict[str, Callable[[Case], None]] = {
    "invariants": partial(history.play, steps=300),
    "machines": partial(machines.play_machines, examples=2),
    "decisions": partial(machines.play_decisions, histories=3),
    "calls": calling.play_any_course,
    "journeys": journeying.play,
    "webhooks": calling.play_late_webhooks,
    "requests": fuzzing.play,
    "deliveries": partial(delivering.play, steps=100),
    "signatures": forging.play,
    "races": partial(racing.play, races=64, processes=2),
    "kills": partial(killing.play, calls=6, kills=1),
}


def _played(name: str, number: int, server: postgres.Server | None = None) -> Report:
    subject = dataclasses.replace(SUBJECTS[name], play=SMALL[name])
    return running.play(subject, f"1/{name}/{number}", server=server)


@pytest.fixture(scope="module", autouse=True)
def _nobody_stays() -> Iterator[None]:
    yield
    racing.dismiss(2)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_whatever_happens_everything_holds(subject: str) -> None:
    report = _played(subject, 1)
    assert report.failures == []
    assert report.counts


@pytest.mark.parametrize("subject", ["invariants", "races"])
def test_it_holds_on_postgresql_too(subject: str, postgres_server: postgres.Server) -> None:
    report = _played(subject, 0, postgres_server)
    assert report.failures == []
    assert report.counts["on PostgreSQL"] == 1


def test_a_history_is_told_again_by_its_seed() -> None:
    def deeds(seed: str) -> tuple[list[str], list[str]]:
        told: list[str] = []
        sids: list[str] = []

        def play(case: Case) -> None:
            with history.opened(case, multi_task=True, postgres_every=1) as centre:
                played = history.History(centre, case, multi_task=True)
                played.go(60)
                told.extend(played.told)
                sids.extend([*played.tables.tasks, *played.tables.workers])

        running.play(dataclasses.replace(SUBJECTS["invariants"], play=play), seed, server=None)
        return told, sids

    first = deeds("5/invariants/1")
    assert first[0]
    assert first == deeds("5/invariants/1")
    assert first != deeds("5/invariants/2")


@pytest.mark.parametrize(
    ("place", "instead"),
    [
        ("routing.engine.handing_over.holders", lambda _work, _task: []),
        ("routing.engine.reservations.handing_over.taken", lambda _work, _setup, task: task),
    ],
)
def test_an_engine_that_is_broken_is_found_out(
    place: str, instead: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, instead)
    found = [
        failure for number in range(1, 5) for failure in _played("invariants", number).failures
    ]
    assert found
    assert "before: " in found[0].problem


@pytest.mark.parametrize(
    ("place", "instead"),
    [("voice.door._number", int), ("voice.signature.Signatures.are_right", lambda *_, **__: True)],
)
def test_a_door_that_is_broken_is_found_out(
    place: str, instead: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, instead)
    assert any(_played("requests", number).failures for number in range(1, 6))


def _fails(_case: Case) -> None:
    raise AssertionError("as it was told to")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose second case fails, without the processes."""
    subject = Subject(about="", cases=200, case="try", play=_fails)

    def cases(seeds: list[str], *_: object, **__: object) -> Iterator[tuple[str, Report]]:
        for place, seed in enumerate(seeds[:2]):
            yield (
                seed,
                (running.play(subject, seed, server=None) if place else Report(cases=1)),
            )

    monkeypatch.setattr("tests.chaos.__main__.running.all_cases", cases)
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["chaos", *arguments])
    return command.main()


@pytest.mark.usefixtures("broken")
def test_a_failure_is_told_with_how_to_repeat_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = _run(monkeypatch, "--seed", "7", "--share", "0.001", "invariants")
    told = capsys.readouterr().out
    assert status == 1
    assert "FAILURE at 7/invariants/1" in told
    assert 'make chaos ARGS="--again 7/invariants/1"' in told
    assert "1 FAILURES" in told


def test_whoever_stops_a_run_is_told_what_it_has_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cases(*_: object, **__: object) -> Iterator[tuple[str, Report]]:
        for number in (40, 42, 41, 44):
            yield f"7/decisions/{number}", Report(cases=1, counts=Counter(histories=10))
        raise KeyboardInterrupt

    monkeypatch.setattr("tests.chaos.__main__.running.all_cases", cases)
    monkeypatch.setattr("tests.chaos.__main__.signal.signal", lambda *_: None)
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert _run(monkeypatch, "--seed", "7", "--from", "40", "decisions") == 130
    told = capsys.readouterr().out
    assert "decisions   4 cases, 0 failures: 40 histories" in told
    assert 'go on: make chaos ARGS="--seed 7 --from 43 decisions"' in told
    assert "stopped\neverything held" in told


def test_the_command_teaches_how_to_use_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        _run(monkeypatch, "--help")
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in SUBJECTS)
    assert "examples:" in told


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing"], "no subject nothing; expected invariants"),
        (["--share", "0"], "expected a share above 0"),
        (["--from", "-1"], "expected its seed, too, and a number of a case"),
        (["--from", "7"], "expected its seed, too"),
        (["--processes", "0"], "expected at least one process"),
        (["--again", "7/nothing/1"], "expected run/subject/number"),
        (["--again", "7/invariants/x"], "expected run/subject/number"),
    ],
)
def test_a_wrong_argument_is_told(
    arguments: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SystemExit) as end:
        _run(monkeypatch, *arguments)
    assert end.value.code == 2
    assert problem in capsys.readouterr().err


def test_subjects_take_turns() -> None:
    seeds = running.seeds_of(3, {"a": 4, "b": 2})
    assert len(set(seeds)) == 6
    assert [seed.split("/")[1] for seed in seeds[:3]] == ["a", "b", "a"]
    assert running.seeds_of(3, {"a": 4, "b": 2}, first=2) == ["3/a/2", "3/a/3"]
    assert running.share_of(10_000, 0.01) == 100
    assert running.share_of(3, 0.01) == 1
