"""What is tried, and how often in full."""

from collections.abc import Mapping

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
)
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
    "calls": Subject(
        about="calls in any course, callbacks lost, doubled and disordered, Twilio failing, kills",
        cases=3_000,
        case="60 things that happen to some calls",
        play=calling.play_any_course,
    ),
    "journeys": Subject(
        about="each course of a call over real HTTP, with a mishap at each moment: the same end",
        cases=2_000,
        case="a course in which something goes wrong once",
        play=journeying.play,
        is_exact=False,
    ),
    "webhooks": Subject(
        about="callbacks five times over, in any order, up to a day late: all ends as in order",
        cases=2_000,
        case="4 calls, once with a quiet post and once with a wild one",
        play=calling.play_late_webhooks,
    ),
    "requests": Subject(
        about="any request at the voice door, signed or not: never 5xx, no trace of what is not",
        cases=1_000,
        case="100 requests while calls go on",
        play=fuzzing.play,
    ),
    "deliveries": Subject(
        about="callbacks to receivers that fail nearly every third time: all arrive, in order",
        cases=2_000,
        case="250 steps of a history and of two processes that send, every 10th on PostgreSQL",
        play=delivering.play,
    ),
    "signatures": Subject(
        about="webhooks that Twilio did not sign: none is believed, none leaves a trace",
        cases=1_000,
        case="100 mutants",
        play=forging.play,
    ),
    "races": Subject(
        about="32 clients in 4 processes over the same offers: one wins, the others are told",
        cases=1_000,
        case="1,000 offers, every second one on PostgreSQL",
        play=racing.play,
        is_exact=False,
    ),
    "kills": Subject(
        about="kill -9 of the whole house in the middle of many calls: nothing is lost or doubled",
        cases=500,
        case="200 calls and 2 kills, every second one on PostgreSQL",
        play=killing.play,
        is_exact=False,
    ),
}
