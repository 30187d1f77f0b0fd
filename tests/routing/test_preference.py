"""An order of Workers that is new is the right one from the first, and stays so as they change."""

import random
from typing import Any

import pytest

from routing.expressions import compile_order_by, value_at
from routing.matching.preference import Preference
from routing.matching.ranking import Ranking
from routing.population import Population, bitmap

CROWD = 1_700
ORDERS = (
    "worker.level DESC",
    "worker.level ASC, worker.cost DESC",
    "worker.number ASC",
    "worker.rates.day DESC, worker.rates.night ASC",
)


def drawn(dice: random.Random, number: int, *, odd: bool) -> dict[str, object]:
    worker: dict[str, object] = {"number": number * 7919 % CROWD, "cost": dice.randrange(50)}
    if dice.random() < 0.9:
        worker["level"] = dice.randrange(8)
    if dice.random() < 0.9:
        # Many share one, and nobody else the others.
        day = 500 if dice.random() < 0.4 else number
        worker["rates"] = {"day": day, "night": dice.randrange(3)} if day % 11 else "unknown"
    if odd and dice.random() < 0.01:
        worker["level"] = dice.choice([True, "high", 2.5, [1]])
    return worker


def has_odd_value(worker: dict[str, object], order: str) -> bool:
    return "level" in order and type(worker.get("level", 0)) is not int


def sorted_by(order: str, workers: dict[int, dict[str, Any]], slots: set[int]) -> list[int]:
    """What looking at everybody says: missing values last, the number decides among equals."""

    def key(slot: int) -> list[Any]:
        found: list[Any] = []
        for part in order.split(", "):
            name, direction = part.removeprefix("worker.").split()
            value: Any = value_at(workers[slot], tuple(name.split(".")))
            signed = 0 if value is None else -value if direction == "DESC" else value
            found.append((value is None, signed))
        return [*found, slot]

    return sorted(slots, key=key)


def taken_up(order: str, workers: dict[int, dict[str, Any]]) -> Preference:
    """The order is asked for: by columns of which the last few Workers have changed since."""
    compiled, population = compile_order_by(order), Population()
    paths = [key.reference.path[1:] for key in compiled.keys]
    for slot, worker in workers.items():
        population.put(slot, worker)
    population.columns(paths)
    changed = range(CROWD - 10, CROWD)
    for slot in changed:
        workers[slot] = {**workers[slot], "level": 9, "cost": 9, "number": slot}
        population.put(slot, workers[slot])
    columns, behind = population.columns(paths)
    assert set(behind) <= set(changed)
    preference = Preference(compiled, columns, population.everybody & ~bitmap(behind))
    for slot in behind:
        preference.put(slot, workers[slot])
    return preference


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(3))
def test_an_order_is_right_from_the_first_question_on(order: str, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a test that can be repeated
    workers = {slot: drawn(dice, slot, odd=True) for slot in range(CROWD)}
    preference = taken_up(order, workers)
    idle = Ranking[tuple[int]]()
    for slot in workers:
        idle.put(slot, (slot,))
    for _ in range(8):
        for slot in dice.sample(range(CROWD), 40):
            workers[slot] = drawn(dice, slot, odd=False)
            preference.put(slot, workers[slot])
        for slot in dice.sample(sorted(workers), 10):
            preference.drop(slot)
            del workers[slot]
        slots = set(dice.sample(sorted(workers), dice.choice([3, 300, len(workers)])))
        odd = {slot for slot in slots if has_odd_value(workers[slot], order)}
        among = preference.among(sum(1 << slot for slot in slots))
        assert among.void == sum(1 << slot for slot in odd)
        sound = slots - odd
        assert list(among.walk(idle)) == sorted_by(order, workers, sound)
        among = preference.among(sum(1 << slot for slot in sound))
        assert not among.void
        assert list(among.walk(idle)) == sorted_by(order, workers, sound)
