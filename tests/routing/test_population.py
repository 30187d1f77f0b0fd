"""Who of all workers matches: the same answer as asking each of them, whatever happened before."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.expressions import Expression, compile_expression
from routing.population import Population
from routing.population.bitmaps import bitmap, from_flags, slots_in
from routing.population.changes import REMEMBERED
from tests.routing.conditions import CONDITIONS, VALUES, Asked, Joined, Path, text_of

Context: TypeAlias = dict[str, object]
#: A slot and what stands there from now on; None empties it.
Change: TypeAlias = tuple[int, Context | None]

CONTEXTS: st.SearchStrategy[Context] = st.dictionaries(
    st.sampled_from(["x", "y", "worker", "task"]), VALUES, max_size=4
)
SLOTS = st.integers(0, 12)
CHANGES = st.lists(st.tuples(SLOTS, st.none() | CONTEXTS), max_size=16)


def everybody_asked(
    workers: dict[int, Context], expression: Expression, root: str | None = None
) -> set[int]:
    return {
        slot
        for slot, context in workers.items()
        if expression.matches(context if root is None else {root: context})
    }


def change(population: Population, workers: dict[int, Context], to: list[Change]) -> None:
    for slot, context in to:
        if context is None:
            population.drop(slot)
            workers.pop(slot, None)
        else:
            population.put(slot, context)
            workers[slot] = context


def numbered(**attributes: object) -> tuple[Population, dict[int, Context]]:
    """A thousand workers; what is callable is asked for each worker's value."""
    population = Population()
    workers: dict[int, Context] = {}
    for slot in range(1000):
        workers[slot] = {
            name: value(slot) if callable(value) else value for name, value in attributes.items()
        }
        population.put(slot, workers[slot])
    return population, workers


def check(
    population: Population, workers: dict[int, Context], text: str, root: str | None = None
) -> None:
    expression = compile_expression(text)
    expected = everybody_asked(workers, expression, root)
    assert set(slots_in(population.matching(expression, root=root))) == expected


# --- any population, any expression, any change


@settings(max_examples=150)
@given(
    CHANGES,
    st.lists(st.tuples(CONDITIONS, st.sampled_from([None, "worker"])), min_size=1, max_size=3),
    st.lists(CHANGES.filter(bool), max_size=3),
)
@example(
    [(0, {"x": True}), (1, {"x": 1}), (2, {"x": [1]})],
    [(Asked(operator="==", left=Path(parts=("x",)), right=1), None)],
    [[(0, {"x": 1})], [(0, {"x": True})], [(2, {"x": [True]})]],
)
def test_any_population_answers_as_each_worker_does(
    first: list[Change],
    conditions: list[tuple[Asked | Joined, str | None]],
    changes: list[list[Change]],
) -> None:
    population = Population()
    workers: dict[int, Context] = {}
    expressions = [(compile_expression(text_of(each)), root) for each, root in conditions]
    for each in [first, *changes]:
        change(population, workers, each)
        assert set(slots_in(population.everybody)) == set(workers)
        for expression, root in expressions:
            expected = everybody_asked(workers, expression, root)
            assert set(slots_in(population.matching(expression, root=root))) == expected
            for slot in range(14):
                assert population.meets(slot, expression, root) is (slot in expected)
            # The same with nothing remembered: by columns that are behind.
            bits = population.matching(Expression(expression.tree), root=root)
            assert set(slots_in(bits)) == expected


@given(CHANGES, CONDITIONS, VALUES)
def test_a_tasks_values_may_be_bound_into_the_expression(
    changes: list[Change], condition: Asked | Joined, task: object
) -> None:
    population = Population()
    workers: dict[int, Context] = {}
    change(population, workers, changes)
    bound = compile_expression(text_of(condition)).bind(task if isinstance(task, dict) else {})
    for root in (None, "worker"):
        expected = everybody_asked(workers, bound, root)
        assert set(slots_in(population.matching(bound, root=root))) == expected


@given(st.sets(st.integers(0, 3000)))
def test_a_bitmap_holds_the_slots_that_were_put_into_it(slots: set[int]) -> None:
    assert list(slots_in(bitmap(slots))) == sorted(slots)
    flags = bytearray(max(slots, default=-1) + 1)
    for slot in slots:
        flags[slot] = 1
    assert from_flags(flags) == bitmap(slots) == sum(1 << slot for slot in slots)


# --- many workers: what is done otherwise where there are many

VARIED: dict[str, object] = {
    "sid": lambda slot: f"WK{slot:04x}",
    "level": lambda slot: slot % 17 - 3,
    "score": lambda slot: slot / 7,
    "text": lambda slot: str(slot * 37 % 1000),
    "mixed": lambda slot: [None, True, False, slot, str(slot), [slot % 5, "a"], {"a": slot}][
        slot % 7
    ],
    "skills": lambda slot: [f"s{slot % each}" for each in (2, 3, 5, 7)] + [slot % 2 == 0, slot],
    "other": lambda slot: [0, 1.0, "s1", None, True, [1], str(slot)][slot * 31 % 7],
    "place": lambda slot: {"city": f"c{slot % 40}", "floors": list(range(slot % 6))},
}
NAMES = ("sid", "level", "score", "text", "mixed", "skills", "other", "place.city", "nobody")
CONSTANTS = (
    *('"WK0100"', '"s1"', '"5"', '"1"', '""', "0", "5", "5.0", "-2", "71.5", "1e3", "true"),
    *("false", "null", "[]", '["s1", 1, true, null]', "[0, 5, 7]"),
)
SYMBOLS = ("==", "!=", ">", ">=", "<", "<=", "CONTAINS", "HAS", "IN", "NOT IN")


@pytest.fixture(scope="module")
def varied() -> tuple[Population, dict[int, Context]]:
    return numbered(**VARIED)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_many_workers_are_compared_as_one_is(
    symbol: str, varied: tuple[Population, dict[int, Context]]
) -> None:
    sides = [*((name, const) for name in NAMES for const in CONSTANTS)]
    sides += [(const, name) for name, const in sides]
    sides += [(name, other) for name in NAMES for other in NAMES]
    for left, right in sides:
        check(*varied, f"{left} {symbol} {right}")


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ('level > 5 AND (skills HAS "s1" OR NOT score <= 20) AND other != null', None),
        ('worker.level > 5 AND worker.skills HAS "s1" AND worker.place.floors[2] == 2', "worker"),
        ("worker != null AND worker.level >= task.level OR worker[0] == 1", "worker"),
        ("worker == worker OR worker.sid == worker", "worker"),
        ("level == 1 OR level == 1 AND NOT (mixed == true OR mixed == false)", None),
        ("place.floors[4] >= place.floors[1] AND place.nowhere.at == all", None),
        ("NOT (sid CONTAINS '0' AND 'WK0001WK0002' CONTAINS sid)", None),
        ("1 == 1", None),
        ("1 == 2 OR [1] HAS 1", None),
    ],
)
def test_a_question_below_a_root_or_deep_inside_is_answered(
    text: str, root: str | None, varied: tuple[Population, dict[int, Context]]
) -> None:
    check(*varied, text, root)


def test_more_changes_than_are_remembered_are_told_all_the_same() -> None:
    population, workers = numbered(level=lambda slot: slot % 10, name=str)
    for step in (1, REMEMBERED - 1, REMEMBERED, REMEMBERED + 1, 2 * REMEMBERED, 999):
        for slot in range(step):
            workers[slot] = {"level": (slot + step) % 10, "name": str(slot)}
            population.put(slot, workers[slot])
            if slot % 100 == 0:
                check(population, workers, "level > 5")
        check(population, workers, "level > 5")
        check(population, workers, f"level == {step % 10} AND name != null")
        check(population, workers, f"name >= {step}")


def test_columns_that_are_behind_in_different_workers_are_made_anew() -> None:
    population, workers = numbered(a=1, b=1, c=1)
    check(population, workers, "a == 1 AND b == 1 AND c == 1")
    for first, name in ((0, "a"), (200, "b"), (400, "c")):
        for slot in range(first, first + 200):
            workers[slot] = {**workers[slot], name: 2}
            population.put(slot, workers[slot])
    check(population, workers, "a == 2 OR b == 2 OR c == 2")


def test_a_slot_is_used_again() -> None:
    population, workers = numbered(level=1)
    check(population, workers, "level == 1")
    population.drop(7)
    population.drop(7)
    population.drop(5000)
    del workers[7]
    check(population, workers, "level == 1")
    check(population, workers, "level == null")
    population.put(7, {})
    population.put(1007, {"level": 1})
    workers |= {7: {}, 1007: {"level": 1}}
    check(population, workers, "level == 1")
    check(population, workers, "level == null")
    assert not population.meets(1006, compile_expression("level == null"))


def test_what_is_forgotten_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "most_answers", 3)
    monkeypatch.setattr(Population, "most_characters", 40)
    monkeypatch.setattr(Population, "most_columns", 2)
    population, workers = numbered(**VARIED)
    for _ in range(3):
        for name in ("level", "score", "text", "place.city", "skills", "nobody"):
            check(population, workers, f"{name} != null")
            check(population, workers, f"{name} == null AND level > 1")
        check(population, workers, "sid == 'somebody whose name is longer than all we keep'")


def test_ever_new_names_do_not_pile_up() -> None:
    population = Population()
    asked = compile_expression("level == 1")
    population.put(0, {"level": 1})
    for number in range(10_000):
        population.put(0, {"level": number % 2, f"name{number}": 1})
        assert population.matching(asked) == number % 2


def test_a_thousand_slots_cost_no_more_than_their_number() -> None:
    """An expression that is asked once per change asks the changed worker and nobody else."""
    asked = []

    class Watched(Expression):
        @property
        def matches(self) -> Callable[[Mapping[str, object]], bool]:
            asked.append(self.text)
            return super().matches

    population, _workers = numbered(level=1, name=str)
    expression = Watched(compile_expression("level == 2").tree)
    assert population.matching(expression) == 0
    population.put(3, {"level": 1, "name": "new"})
    assert population.matching(expression) == 0
    assert asked == []
    population.put(3, {"level": 2, "name": "new"})
    assert population.matching(expression) == population.matching(expression) == 1 << 3
    assert len(asked) == 1
