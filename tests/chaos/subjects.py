"""What is tried, and how often in full."""

from collections.abc import Mapping

from tests.chaos import history, machines
from tests.chaos.running import Subject

SUBJECTS: Mapping[str, Subject] = {
    "invariants": Subject(
        about="a whole call centre in which anything happens; what must hold, holds all the time",
        cases=10_000,
        case="1,000 steps of a history, every 20th on PostgreSQL",
        play=history.play,
    ),
    "machines": Subject(
        about="the engine as hypothesis would have it: the same, and found in its fewest steps",
        cases=1_000,
        case="1,000 steps in histories of 50",
        play=machines.play_machines,
    ),
    "decisions": Subject(
        about="who is offered what, against a router that looks at everybody each time",
        cases=1_000,
        case="10 histories of 120 changes",
        play=machines.play_decisions,
    ),
}
