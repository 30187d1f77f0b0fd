"""Expressions nobody thought of: any text is safe to read, and every answer is the plain one.

The evaluator below walks a generated condition in the plainest way there is, without the parser,
the closures or the folding it is compared with.
"""

import json
from dataclasses import dataclass
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import ExpressionError
from routing.expressions import compile_expression, compile_order_by, parse_reference

# --- any text

PIECES = st.sampled_from(
    [
        *("a", "worker", ".", "[", "]", "(", ")", "((((", ",", "0", "-1", "1.5", "1e999", "'x'"),
        *("==", "=", "!=", ">", ">=", "<", "<=", ">-", "<-", "HAS", "in", "NOT", "NOT IN"),
        *("CONTAINS", "AND", "or", "true", "FALSE", "null", '"', "'", "\\", "\\u", "\\ud800"),
        *(" ", "\n", "\x00", "\ud800", "é", "-", "$", "_", "ASC", "DESC", "a == 1", "9" * 31),
    ]
)
TEXTS = st.one_of(
    st.text(),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(PIECES, max_size=40).map("".join),
)
CONTEXT: dict[str, object] = {"a": [1, "x", {"b": None}], "worker": {"a": 1.5, "b": "7"}}


def check_place(text: str, error: ExpressionError) -> None:
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1


@given(TEXTS)
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        expression = compile_expression(text)
    except ExpressionError as error:
        check_place(text, error)
        return
    answer = expression.matches(CONTEXT)
    assert answer is True or answer is False
    assert compile_expression(expression.key).matches(CONTEXT) is answer


@given(TEXTS)
def test_any_text_is_an_order_and_a_reference_or_is_refused(text: str) -> None:
    for compiler in (compile_order_by, lambda text: parse_reference(text, root="a")):
        try:
            compiler(text)
        except ExpressionError:
            continue


@pytest.mark.parametrize(
    "text",
    [
        *(
            piece * (65_536 // len(piece))
            for piece in ("(", "a", " ", "1", "'", '"', "\\", ".", "-")
        ),
        *(piece * (65_536 // len(piece)) for piece in ("a.", "a[0]", "[", "NOT ", "a=1 OR ")),
        *(quote + '\\"' * 32_767 for quote in "'\""),
        "1" + "e1" * 32_767,
        "a IN [" + "1," * 32_000,
        "(a=1) AND " * 6_553 + "a=1",
    ],
)
def test_the_longest_texts_are_refused_without_harm(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text)


# --- every answer

Value: TypeAlias = object


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
    if kind(value) == "text":
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


@given(CONDITIONS, CONTEXTS)
def test_every_condition_is_answered_as_the_naive_evaluator_answers(
    condition: Condition, context: dict[str, object]
) -> None:
    expression = compile_expression(text_of(condition))
    expected = naive(condition, context)
    assert expression.matches(context) is expected
    assert bool(expression.why_false(context)) is not expected


@given(CONDITIONS, CONTEXTS)
def test_one_comparison_alone_under_each_root_is_answered_alike(
    condition: Condition, context: dict[str, object]
) -> None:
    """All references below one root: the way they share is walked once."""
    expression = compile_expression(text_of(condition))
    for root in ("x", "worker"):
        below = Joined(word="AND", parts=(condition, Asked(operator="==", left=1, right=1)))
        deep = compile_expression(text_of(moved(below, root)))
        assert deep.matches({root: context}) is expression.matches(context)
        assert deep.matches({root: 5}) is expression.matches({})


def moved(condition: Condition, root: str) -> Condition:
    if isinstance(condition, Joined):
        return Joined(word=condition.word, parts=tuple(moved(p, root) for p in condition.parts))
    sides = [
        Path(parts=(root, *side.parts)) if isinstance(side, Path) else side
        for side in (condition.left, condition.right)
    ]
    return Asked(operator=condition.operator, left=sides[0], right=sides[1])


@given(CONDITIONS, VALUES, CONTEXTS)
def test_binding_and_splitting_change_no_answer(
    condition: Condition, task: object, context: dict[str, object]
) -> None:
    attributes = task if isinstance(task, dict) else {}
    whole = {**context, "task": attributes}
    expression = compile_expression(text_of(condition))
    bound = expression.bind(attributes)
    assert bound.matches(context) is expression.matches(whole)
    assert not any(path.startswith("task") for path in bound.references)
    lasting, live = bound.split("worker.p", "x")
    assert (lasting.matches(context) and live.matches(context)) is bound.matches(context)
    assert not any(path == "x" or path.startswith(("x.", "x[")) for path in lasting.references)
