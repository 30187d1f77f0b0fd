"""Expressions nobody thought of: any text is safe to read, and every answer is the plain one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import ExpressionError
from routing.expressions import compile_expression, compile_order_by, parse_reference
from tests.routing.conditions import (
    CONDITIONS,
    CONTEXTS,
    VALUES,
    Asked,
    Condition,
    Joined,
    moved,
    naive,
    text_of,
)

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
