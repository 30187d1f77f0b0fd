"""What expressions cost: for one worker beside simpleeval, and for 15,000 by columns.

All of it is measured in this process and in its CPU time, so that other programs on the machine do
not count. Workers and expressions come from a fixed seed.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable
from random import Random
from typing import Any

import simpleeval  # type: ignore[import-untyped]  # it has no types

from bench.figures import Figure, median, quantile
from routing.errors import ExpressionError
from routing.expressions import Expression, compile_expression
from routing.population import Population

_OURS = (
    'languages HAS "es" AND skills HAS "billing" AND level > 5 '
    'AND (location == "US" OR vip == true)'
)
_THEIRS = (
    '"es" in languages and "billing" in skills and level > 5 and (location == "US" or vip == True)'
)
_WORKERS = 15_000
_SKILLS = tuple(f"skill{number}" for number in range(60))
_LANGUAGES = ("es", "en", "de", "fr", "it", "pt", "zh", "ja")
_COUNTRIES = ("US", "UK", "DE", "FR")

Context = dict[str, Any]


def measure(options: argparse.Namespace) -> list[Figure]:
    random = Random(7)
    workers = [_worker(number, random) for number in range(_WORKERS)]
    return [
        *_one_by_one(options.rounds),
        *_first_answers(workers, random),
        *_worst(workers, random),
        *_changes(workers, random, options.samples),
    ]


def _worker(number: int, random: Random) -> Context:
    """A worker with thirty attributes of all kinds."""
    worker: Context = {
        "sid": f"WK{number:032x}",
        "friendly_name": f"agent {number}",
        "activity_name": random.choice(("Available", "Offline", "Break")),
        "contact_uri": f"+1555{number:07}",
        "languages": random.sample(_LANGUAGES, random.randint(1, 3)),
        "skills": random.sample(_SKILLS, random.randint(2, 8)),
        "level": random.randrange(1, 11),
        "cost": random.random() * 100,
        "location": random.choice(_COUNTRIES),
        "vip": random.random() < 0.1,
        "team": {"name": f"team{number % 200}", "site": {"city": f"city{number % 50}"}},
    }
    for index in range(20):
        drawn = random.randrange(1000)
        worker[f"attribute{index}"] = random.choice(
            (drawn, str(drawn), drawn > 500, None, [drawn % 10, "x"])
        )
    return worker


def _cpu_ms(what: Callable[[], object]) -> float:
    begin = time.process_time()
    what()
    return (time.process_time() - begin) * 1000


def _populated(workers: list[Context]) -> Population:
    population = Population()
    for slot, worker in enumerate(workers):
        population.put(slot, worker)
    return population


# --- one worker


def _one_by_one(rounds: int) -> list[Figure]:
    """A worker who meets every part, so that nothing is left out; baseline and subject in turn."""
    worker: Context = {
        "languages": ["en", "es"],
        "skills": ["sales", "billing"],
        "level": 7,
        "location": "UK",
        "vip": True,
    }
    ours = compile_expression(_OURS).matches
    evaluator = simpleeval.SimpleEval(names=worker)
    tree = evaluator.parse(_THEIRS)

    def theirs(_context: Context) -> object:
        return evaluator.eval(_THEIRS, previously_parsed=tree)

    if ours(worker) is not True or theirs(worker) is not True:
        raise AssertionError("the two expressions do not mean the same")
    our_rates, their_rates = [], []
    for _ in range(max(3, rounds)):
        their_rates.append(_rate(theirs, worker, 10_000))
        our_rates.append(_rate(ours, worker, 300_000))
    baseline = median(their_rates)
    return [
        Figure(
            name="evaluations of one expression",
            value=median(our_rates) / 1e6,
            unit="M/s",
            at_least=1,
            beside=f"simpleeval, its tree parsed before: {baseline / 1e6:.3f} M/s",
        ),
        Figure(
            name="  times simpleeval",
            value=median(our_rates) / baseline,
            unit="x",
            at_least=10,
            beside="the same meaning, the same worker",
        ),
    ]


def _rate(ask: Callable[[Context], object], worker: Context, times: int) -> float:
    begin = time.process_time()
    for _ in range(times):
        ask(worker)
    return times / (time.process_time() - begin)


# --- 15,000 workers


def _skill_expressions(count: int, random: Random) -> list[Expression]:
    found: dict[str, Expression] = {}
    while len(found) < count:
        first, second = random.sample(_SKILLS, 2)
        expression = compile_expression(
            f'languages HAS "{random.choice(_LANGUAGES)}" AND skills HAS "{first}" AND '
            f"level > {random.randrange(10)} AND "
            f'(location == "{random.choice(_COUNTRIES)}" OR vip == true OR skills HAS "{second}")'
        )
        found[expression.key] = expression
    return list(found.values())


def _first_answers(workers: list[Context], random: Random) -> list[Figure]:
    expressions = _skill_expressions(200, random)
    tracemalloc.start()
    population = _populated(workers)
    _ask(population, expressions)
    kept = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    population = _populated(workers)
    asked = expressions[:10]
    one_by_one = _cpu_ms(
        lambda: [[each.matches(worker) for worker in workers] for each in asked]
    ) * (len(expressions) / len(asked))
    first = _cpu_ms(lambda: _ask(population, expressions[:1]))
    rest = _cpu_ms(lambda: _ask(population, expressions[1:]))
    return [
        Figure(
            name=f"first answers to 200 expressions, {_WORKERS} workers",
            value=first + rest,
            unit="ms",
            at_most=2000,
            beside=f"{first:.0f} of it to make the columns; asking each worker: {one_by_one:.0f}",
        ),
        Figure(
            name="  times quicker than asking each worker, columns made",
            value=one_by_one / rest,
            unit="x",
        ),
        Figure(name="  memory of columns and answers", value=kept, unit="MB", at_most=200),
    ]


def _ask(population: Population, expressions: list[Expression]) -> None:
    for expression in expressions:
        population.matching(expression)


def _worst(workers: list[Context], random: Random) -> list[Figure]:
    """Expressions up to the limits of the language, by what fills them; none is asked twice."""
    population = _populated(workers)
    population.matching(compile_expression("level > 0"))
    fillings = {name: (name,) for name in _CLAUSES} | {"everything": tuple(_CLAUSES)}
    taken = {
        name: [
            _cpu_ms(lambda: population.matching(expression))  # noqa: B023 - called at once
            for expression in [_filled(kinds, random) for _ in range(5)]
        ]
        for name, kinds in fillings.items()
    }
    longest = compile_expression(
        "(" * 99 + " OR ".join(f'sid == "{number:0240}"' for number in range(249)) + ")" * 99
    )
    taken["64 KiB, 99 levels deep"] = [_cpu_ms(lambda: population.matching(longest))]
    dearest = max(taken, key=lambda name: max(taken[name]))
    told = ", ".join(f"{name} {max(times):.1f}" for name, times in taken.items())
    return [
        Figure(
            name=f"worst legal expression, {_WORKERS} workers: {dearest}",
            value=max(taken[dearest]),
            unit="ms",
            at_most=50,
            beside=told,
        )
    ]


#: Clauses of one kind, of attributes and a number.
_CLAUSES = {
    "equality": ("{one} == {x}", '{one} == "{x}"', "{one} != {x}", "{one} == null"),
    "order": ("{one} > {x}", "{one} <= {x}.5", '{one} >= "WK{x}"', '{one} < "{x}"'),
    "membership": ('{one} HAS "skill{x}"', '{one} IN ["x", {x}]', "{x} NOT IN {one}"),
    "CONTAINS": ('{one} CONTAINS "{x}x"', 'sid CONTAINS "{x}f"'),
    "two attributes": ("{one} == {two}", "{one} != {two}", "{one} > {two}", "{one} HAS {two}"),
}


def _filled(kinds: tuple[str, ...], random: Random) -> Expression:
    """As many clauses as are legal, in turns of AND and OR, so that few settle the others."""
    names = [*_worker(0, random), "team.name", "team.site.city", "nobody"]
    text = ""
    legal: Expression | None = None
    while True:
        clause = random.choice(_CLAUSES[random.choice(kinds)])
        one, two = random.choices(names, k=2)
        clause = clause.format(one=one, two=two, x=random.randrange(1000))
        text = f"{text} {random.choice(('AND', 'OR', 'AND NOT'))} {clause}" if text else clause
        try:
            legal = compile_expression(text)
        except ExpressionError:
            if legal is None:
                raise
            return legal


def _changes(workers: list[Context], random: Random, samples: int) -> list[Figure]:
    """A worker's attributes change; then all remembered expressions are asked again."""
    figures = []
    for count in (200, 2000):
        population = _populated(workers)
        expressions = _skill_expressions(count, random)
        for _ in range(2):  # the second time, what asks a single worker is compiled
            population.put(0, {**workers[0], "skills": [str(_)], "level": _})
            _ask(population, expressions)
        put, asked = [], []
        for _ in range(samples):
            slot = random.randrange(_WORKERS)
            changed = {**workers[slot], "skills": random.sample(_SKILLS, 5)}
            put.append(_cpu_ms(lambda: population.put(slot, changed)))  # noqa: B023 - at once
            asked.append(_cpu_ms(lambda: _ask(population, expressions)))  # noqa: B023
        figures.append(
            Figure(
                name=f"a worker's change and {count} answers after it, p50",
                value=median(put) + median(asked),
                unit="ms",
                at_most=10,
                beside=f"the change alone {median(put):.3f}; p99 {quantile(asked, 0.99):.2f}",
            )
        )
    return figures
