"""The tests that generate their own histories, with as many steps as one asks for."""

from functools import cache

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from routing.matching import MatchingIndex
from tests.chaos.running import Case
from tests.routing import test_any_history, test_matching

EXAMPLES, STEPS = 20, 50
#: Histories of one case, 120 things each, then as many decisions as are left.
DECISIONS = 10

_MACHINES = (
    test_any_history.CallCentre,
    test_any_history.CallCentre,
    test_any_history.OneTaskAtATime,
)


def play_machines(case: Case, examples: int = EXAMPLES) -> None:
    """The stateful test of the whole engine, from this case's seed on."""
    machine = case.chance.choice(_MACHINES)
    seeded = type(machine.__name__, (machine,), {})
    run_state_machine_as_test(
        seed(case.chance.randrange(2**32))(seeded), settings=_settings(examples)
    )
    case.counts["histories"] += examples
    case.counts["steps"] += examples * STEPS


@cache
def _settings(examples: int) -> settings:
    return settings(
        database=None,
        deadline=None,
        max_examples=examples,
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
    )


def play_decisions(case: Case, histories: int = DECISIONS) -> None:
    """The matching index against a router that looks at everybody, each time."""
    test = test_matching.test_every_decision_is_the_one_that_looking_at_everything_makes
    compare = test.hypothesis.inner_test  # type: ignore[attr-defined]  # hypothesis's own
    chance = case.chance
    for _ in range(histories):
        compare(
            kind=chance.choice([MatchingIndex, test_matching.Forgetful]),
            seed=chance.randrange(2**32),
            lifo_first=chance.random() < 0.5,
            one_at_a_time=chance.random() < 0.5,
            per_channel=chance.random() < 0.5,
        )
        case.counts["histories"] += 1
