"""Random texts and values: nonsense, what is sound, and what was sound before it was damaged."""

import json
from collections.abc import Sequence
from random import Random
from typing import TypeAlias

Value: TypeAlias = object

#: The longest text that an expression or attributes may have, and a little beyond.
LONGEST = 65_536

EXPRESSION_PIECES = (
    *("a", "b", "worker", "task", ".", "[", "]", "(", ")", "((((", ",", "0", "-1", "1.5", "1e999"),
    *("==", "=", "!=", ">", ">=", "<", "<=", ">-", "<-", "HAS", "in", "NOT", "NOT IN", "!", "&&"),
    *("CONTAINS", "AND", "or", "true", "FALSE", "null", '"', "'", "\\", "\\u", "\\ud800", "'x'"),
    *(" ", "\n", "\t", "\x00", "\ud800", "\U0001f600", "é", "\u2028", "-", "$", "_", "9" * 31),
    *("ASC", "DESC", "a == 1", "worker.level", "task.x", '["es", 1]', "1==1", "NOT (a == b)"),
)
JSON_PIECES = (
    *("{", "}", "[", "]", ",", ":", '"', '"a"', "\\", "\\u", "\\ud800", "\\u0000", "\\u00e9"),
    *("0", "1", "-", "-0", "e999", "1e5", ".5", "9" * 31, "NaN", "Infinity", "true", "false"),
    *("null", " ", "\n", "é", "\x00", "\ud800", "\ufeff", "[[[[", '{"a":', '{"a":1,"a":2}'),
)
NAMES = ("a", "b", "c", "worker", "task", "sid", "level", "é", "$x", "_")
TEXTS = (
    *("", "a", "ab", "b", "A", "1", "7", "-2", "1e1", "0.5", "1e999", "nan", " 1", "0x1", "true"),
    *("é", "\U0001f600", "\\", '"', "'", "\n", "x" * 300),
)
#: What is easily taken for one another; often enough to meet in one comparison.
ALIKE = (None, True, False, 1, 1.0, 0, "1", "", "a", "ab")
NUMBERS = (0, 1, -1, 7, 2**53 + 1, 10**29, -0.0, 0.5, 1.0, 7.0, 1e308, -1e-320)
SYMBOLS = ("==", "!=", ">", ">=", "<", "<=", "CONTAINS", "HAS", "IN", "NOT IN")


def drawn_from(seed: str) -> Random:
    """The same choices for the same seed, on any machine."""
    return Random(seed)  # noqa: S311  (nobody's secret depends on it)


# --- values


def scalar(random: Random) -> Value:
    if random.random() < 0.6:
        return random.choice(ALIKE)
    return random.choice(random.choice((TEXTS, NUMBERS, NAMES)))


def value(random: Random, depth: int = 3) -> Value:
    """Anything that JSON can hold; mostly small, sometimes a tower."""
    kind = random.randrange(12 if depth else 6)
    if kind < 8:
        return scalar(random)
    if kind < 10:
        return [value(random, depth - 1) for _ in range(random.randrange(4))]
    if random.randrange(50) == 0:
        return _tower(random)
    return {random.choice(NAMES): value(random, depth - 1) for _ in range(random.randrange(4))}


def _tower(random: Random) -> Value:
    built = scalar(random)
    for _ in range(random.randrange(98)):
        built = [built] if random.random() < 0.5 else {"a": built}
    return built


def attributes(random: Random) -> dict[str, Value]:
    return {name: value(random) for name in NAMES if random.random() < 0.5}


# --- conditions, as JSON has them: ["==", ["path", "a", 0], ["is", 5]], ["AND", ..., ...]


def condition(random: Random, depth: int = 3) -> list[Value]:
    kind = random.randrange(10) if depth else 0
    if kind < 5:
        return [random.choice(SYMBOLS), operand(random), operand(random)]
    if kind == 5:
        return ["NOT", condition(random, depth - 1)]
    word = "AND" if kind < 8 else "OR"
    return [word, *(condition(random, depth - 1) for _ in range(random.randint(2, 6)))]


def operand(random: Random) -> list[Value]:
    if random.random() < 0.6:
        parts: list[Value] = [random.choice(NAMES)]
        while random.random() < 0.3:
            parts.append(random.choice((*NAMES, 0, 1, 2)))
        return ["path", *parts]
    if random.random() < 0.3:
        return ["is", [scalar(random) for _ in range(random.randrange(4))]]
    return ["is", scalar(random)]


# --- texts


def nonsense(random: Random, pieces: Sequence[str]) -> str:
    if random.random() < 0.3:
        return "".join(_character(random) for _ in range(random.randrange(40)))
    joint = random.choice((" ", "", ""))
    return joint.join(random.choices(pieces, k=random.randrange(1, 40)))


def _character(random: Random) -> str:
    top = random.choice((0x7F, 0xFF, 0xFFFF, 0x10FFFF))
    return chr(random.randrange(top + 1))


def endless(random: Random, pieces: Sequence[str]) -> str:
    """One thing over and over, to the limit of the length or just beyond it."""
    piece = random.choice((*pieces, nonsense(random, pieces))) or " "
    size = random.choice((LONGEST, LONGEST, LONGEST + 8, LONGEST // 2, 5000))
    body = piece * (size // len(piece))
    start, end = random.choice((("", ""), ("a == '", "'"), ('"', '"'), ("a IN [", "]"), ("(", ")")))
    return (start + body + end)[: size + 8]


def nested(random: Random, text: str) -> str:
    """As deep as is allowed, a level more, or as deep as the length allows."""
    start, end = random.choice(
        (("(", ")"), ("NOT ", ""), ("(NOT(", "))"), ("[", "]"), ('{"a":', "}"))
    )
    levels = random.choice((10, 49, 50, 98, 99, 100, 101, 1000, 5000, LONGEST // len(start)))
    return start * levels + text + end * levels


def damaged(random: Random, text: str, pieces: Sequence[str]) -> str:
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.choice((0, 0, 1, 1, 3, 12)))
        new = random.choice((random.choice(pieces), text[start:end] * 2, "", _character(random)))
        text = text[:start] + new + text[end:]
    return text


def any_text(random: Random, pieces: Sequence[str], sound: str) -> str:
    """Mostly near to what is sound: nonsense is refused at its first word."""
    kind = random.randrange(1000)
    if kind < 2:
        return endless(random, pieces)
    if kind < 12:
        return nested(random, sound)
    if kind < 250:
        return nonsense(random, pieces)
    return sound if kind < 400 else damaged(random, sound, pieces)


# --- documents


def json_text(random: Random) -> str:
    made = value(random, random.randrange(6))
    return json.dumps(made, ensure_ascii=random.random() < 0.5)


def workflow(random: Random, sound_expression: str, queue_sids: Sequence[str]) -> dict[str, Value]:
    """A configuration as it should be, but for an odd place here and there."""

    def odd(usual: Value) -> Value:
        return value(random) if random.random() < 0.02 else usual

    def target(keys: Sequence[str]) -> dict[str, Value]:
        usual: dict[str, Value] = {
            "queue": random.choice(queue_sids),
            "expression": random.choice((sound_expression, "worker.level >= task.level", "")),
            "priority": random.choice((5, "1000", 0)),
            "timeout": random.choice((30, "60", 0)),
            "skip_if": random.choice(("workers.available == 0", "1==1", sound_expression)),
            "order_by": random.choice(("worker.level DESC", "worker.a ASC, worker.b")),
            "known_worker_sid": "task.sid",
            "known_worker_friendly_name": "task.name",
            "unknown": 1,
        }
        chosen = ["queue", *(key for key in keys if random.random() < 0.2)]
        return {key: odd(usual[key]) for key in chosen}

    keys = ("expression", "priority", "skip_if", "order_by", "known_worker_sid")
    filters = [
        {
            random.choice(("filter_friendly_name", "friendly_name")): odd("a filter"),
            "expression": odd(random.choice((sound_expression, "1==1", "a == 1"))),
            "targets": odd([target((*keys, "timeout")) for _ in range(random.randint(1, 3))]),
        }
        for _ in range(random.randrange(4))
    ]
    routing: dict[str, Value] = {"filters": odd([odd(each) for each in filters])}
    if random.random() < 0.5:
        routing["default_filter"] = odd(target(keys))
    return {"task_routing": odd(routing)}
