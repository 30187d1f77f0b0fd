"""Conditions made at random, and the plainest way there is to answer them.

The evaluator walks a generated condition without the parser, the closures, the folding or the
columns that it is compared with.
"""

import json
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import strategies as st


@dataclass(frozen=True, kw_only=True)
class Path:
    parts: tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A generated comparison; its operands are values or Paths."""

    operator: str
    left: object
    right: object


@dataclass(frozen=True, kw_only=True)
class Joined:
    """NOT, AND or OR over others."""

    word: str
    parts: tuple["Asked | Joined", ...]


Condition: TypeAlias = Asked | Joined


def kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"


def same(left: object, right: object) -> bool:
    single = kind(left) in {"null", "boolean", "number", "text"}
    return single and kind(left) == kind(right) and bool(left == right)


def naive_value(operand: object, context: object) -> object:
    if not isinstance(operand, Path):
        return operand
    for part in operand.parts:
        if isinstance(context, dict):
            context = context.get(part)
        elif isinstance(context, list) and part in range(len(context)):
            context = context[int(part)]
        else:
            return None
    return context


def as_number(value: object) -> float | int | None:
    if kind(value) == "number":
        return value  # type: ignore[return-value]  # its kind says that it is one
    if kind(value) == "text" and str(value) == str(value).strip():
        try:
            read = json.loads(str(value))
        except ValueError:
            return None
        return read if kind(read) == "number" else None
    return None


def naive_order(left: object, right: object) -> int | None:
    """Negative, zero or positive; None where there is no order between the two."""
    if kind(left) == kind(right) == "text":
        return (str(left) > str(right)) - (str(left) < str(right))
    first, second = as_number(left), as_number(right)
    return None if first is None or second is None else (first > second) - (first < second)


def naive_membership(item: object, list_: object) -> bool:
    return isinstance(list_, list) and any(same(each, item) for each in list_)


def naive_absence(item: object, list_: object) -> bool:
    if kind(item) in {"list", "object"}:
        return False
    return list_ is None or (isinstance(list_, list) and not naive_membership(item, list_))


def naive_difference(left: object, right: object) -> bool:
    if None in (left, right):
        return left is not right
    return not {kind(left), kind(right)} & {"list", "object"} and not same(left, right)


def naive_comparison(symbol: str, left: object, right: object) -> bool:
    order = naive_order(left, right)
    answers = {
        "==": same(left, right),
        "!=": naive_difference(left, right),
        ">": order is not None and order > 0,
        ">=": order is not None and order >= 0,
        "<": order is not None and order < 0,
        "<=": order is not None and order <= 0,
        "CONTAINS": kind(left) == kind(right) == "text" and str(right) in str(left),
        "HAS": naive_membership(right, left),
        "IN": naive_membership(left, right),
        "NOT IN": naive_absence(left, right),
    }
    return answers[symbol]


def naive(condition: Condition, context: dict[str, object]) -> bool:
    if isinstance(condition, Asked):
        left = naive_value(condition.left, context)
        right = naive_value(condition.right, context)
        return naive_comparison(condition.operator, left, right)
    answers = [naive(part, context) for part in condition.parts]
    if condition.word == "NOT":
        return not answers[0]
    return all(answers) if condition.word == "AND" else any(answers)


def text_of(condition: Condition) -> str:
    if isinstance(condition, Asked):
        sides = [operand_text(side) for side in (condition.left, condition.right)]
        return f"{sides[0]} {condition.operator} {sides[1]}"
    if condition.word == "NOT":
        return f"NOT ({text_of(condition.parts[0])})"
    return "(" + f" {condition.word} ".join(text_of(part) for part in condition.parts) + ")"


def operand_text(operand: object) -> str:
    if not isinstance(operand, Path):
        return json.dumps(operand)
    first, *rest = operand.parts
    return str(first) + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in rest)


SCALARS = st.sampled_from(
    [None, True, False, 0, 1, 7, -2, 1.0, 0.5, "", "a", "ab", "b", "1", "7", "-2", "1e1", "nan"]
)
LISTS = st.lists(SCALARS, max_size=3)
ROOTS = st.sampled_from(["x", "y", "worker", "task"])
PATHS = st.builds(
    lambda root, rest: Path(parts=(root, *rest)),
    ROOTS,
    st.lists(st.sampled_from(["p", "q", 0, 1]), max_size=3),
)
OPERATORS = st.sampled_from(["==", "!=", ">", ">=", "<", "<=", "CONTAINS", "HAS", "IN", "NOT IN"])
ASKED = st.builds(
    Asked, operator=OPERATORS, left=PATHS | SCALARS | LISTS, right=SCALARS | LISTS | PATHS
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    ASKED,
    lambda inner: (
        st.builds(Joined, word=st.just("NOT"), parts=st.tuples(inner))
        | st.builds(
            Joined,
            word=st.sampled_from(["AND", "OR"]),
            parts=st.lists(inner, min_size=2, max_size=6).map(tuple),
        )
    ),
    max_leaves=12,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["p", "q"]), inner, max_size=2)
    ),
    max_leaves=6,
)
CONTEXTS: st.SearchStrategy[dict[str, object]] = st.dictionaries(ROOTS, VALUES, max_size=4)


def moved(condition: Condition, root: str) -> Condition:
    if isinstance(condition, Joined):
        return Joined(word=condition.word, parts=tuple(moved(p, root) for p in condition.parts))
    sides = [
        Path(parts=(root, *side.parts)) if isinstance(side, Path) else side
        for side in (condition.left, condition.right)
    ]
    return Asked(operator=condition.operator, left=sides[0], right=sides[1])
