"""The fuzzer with a few inputs; and a fuzzer that finds nothing must not be blind."""

import dataclasses
import json
from random import Random

import pytest

from routing.errors import ExpressionError
from tests.fuzz import __main__ as command
from tests.fuzz import running, writing
from tests.fuzz.shrinking import smallest
from tests.fuzz.subjects import SUBJECTS, Broken, Subject

#: Of each subject; `make fuzz` tries a million altogether.
INPUTS = 500


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_input_does_harm(subject: str) -> None:
    report = running.Report()
    for number in range(INPUTS):
        report.add(running.try_one(f"1/{subject}/{number}", timed=False))
    assert report.failures == []
    # Neither is all refused nor all taken: the inputs are worth their time.
    assert report.taken > INPUTS // 10
    assert report.taken < INPUTS or subject == "meaning"


def test_an_input_depends_on_its_seed_alone() -> None:
    for subject in SUBJECTS:
        first = [running.made(f"5/{subject}/{number}") for number in range(20)]
        assert first == [running.made(f"5/{subject}/{number}") for number in range(20)]
        assert first != [running.made(f"6/{subject}/{number}") for number in range(20)]


@pytest.fixture
def credulous(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subject that fails of texts with a "b" behind an "a"."""

    def read(text: str) -> str:
        if "(" in text:
            raise ExpressionError("expected no parenthesis")
        return text

    def check(_text: str, product: str) -> None:
        if "b" in product[product.find("a") + 1 :] and "a" in product:
            raise Broken("a b follows an a")

    def make(random: Random) -> str:
        return "".join(random.choices("abc( ", k=40))

    subject = Subject(about="", make=make, read=read, refusal=ExpressionError, check=check)
    monkeypatch.setattr("tests.fuzz.running.SUBJECTS", {"credulous": subject})


@pytest.mark.usefixtures("credulous")
def test_a_failure_is_told_with_its_seed_and_its_smallest_input() -> None:
    reports = [running.try_one(f"1/credulous/{number}", timed=False) for number in range(20_000)]
    [failure, *_] = [failure for report in reports for failure in report.failures]
    assert failure.smallest == "ab"
    assert failure.problem == "Broken: a b follows an a"
    assert running.made(failure.seed) == failure.found


def test_what_is_too_slow_or_endless_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = dataclasses.replace(SUBJECTS["json"], limit_ms=-1.0)
    monkeypatch.setattr("tests.fuzz.running.SUBJECTS", {"json": slow})
    [failure] = running.try_one("1/json/1", timed=True).failures
    assert "expected at most -1.0 ms" in failure.problem


def test_an_error_that_nobody_expects_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = dataclasses.replace(SUBJECTS["expressions"], refusal=KeyError)
    monkeypatch.setattr("tests.fuzz.running.SUBJECTS", {"expressions": strict})
    found = [
        failure
        for number in range(50)
        for failure in running.try_one(f"1/expressions/{number}", timed=False).failures
    ]
    assert any("ExpressionError" in failure.problem for failure in found)
    assert all(len(failure.smallest) <= len(failure.found) for failure in found)


def test_the_smallest_input_has_no_part_to_spare() -> None:
    found = {"a": [1, "xyx", {"b": ["y"]}], "c": "long " * 100}
    assert smallest(found, lambda each: "y" in json.dumps(each)) in (
        {"a": ["y"]},
        {"a": [{"b": ["y"]}]},
        {"a": [["y"]]},
    )


def test_the_command_teaches_how_to_use_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz", "--help"])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in SUBJECTS)
    assert "--again" in told
    assert "examples:" in told


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing"], "no subject nothing; expected expressions"),
        (["--inputs", "0"], "expected at least one input"),
        (["--again", "7/nothing/1"], "expected run/subject/number"),
        (["--again", "7/json/x"], "expected run/subject/number"),
    ],
)
def test_a_wrong_argument_is_told(
    arguments: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz", *arguments])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 2
    assert problem in capsys.readouterr().err


def test_texts_of_every_kind_are_written() -> None:
    random = writing.drawn_from("kinds")
    texts = [writing.any_text(random, ("x", "("), "sound") for _ in range(5000)]
    assert "sound" in texts
    assert max(map(len, texts)) >= writing.LONGEST
    assert any("\ud7ff" < character < "\ue000" for text in texts for character in text)
