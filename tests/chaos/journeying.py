"""Every course that a call can take, while something goes wrong in it."""

from tests.chaos.running import Case
from tests.journeys.every_course import play_with_a_mishap


def play(case: Case) -> None:
    """Webhooks twice, late or lost; Twilio failing; ourselves killed: the end is the same."""
    case.counts[play_with_a_mishap(case.chance)] += 1
