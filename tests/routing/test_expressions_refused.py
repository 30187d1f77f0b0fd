"""What is no expression, no order and no reference is refused with its place."""

import pytest

from routing.errors import ExpressionError, InvalidParameter
from routing.expressions import compile_expression, compile_order_by, parse, parse_reference

WORKER: dict[str, object] = {"level": 7}


def holds(text: str) -> bool:
    return compile_expression(text).matches(WORKER)


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("", 1, 1, "expected an expression, the text is empty"),
        (" \n ", 1, 1, "expected an expression, the text is empty"),
        ("vip", 1, 4, "expected an operator (== != > >= < <= CONTAINS HAS IN or NOT IN), the text"),
        ("level ==", 1, 9, "expected a value or an attribute after ==, the text ends"),
        ("level == AND", 1, 10, "expected a value or an attribute after ==, found 'AND'"),
        ("level = = 1", 1, 9, "expected a value or an attribute after ==, found '='"),
        ("level === 1", 1, 9, "expected a value or an attribute after ==, found '='"),
        ("level == 1 vip", 1, 12, "expected AND, OR or the end of the expression, found 'vip'"),
        ("level == 1 AND", 1, 15, 'expected a value, an attribute, NOT or "(", the text ends'),
        ("AND level == 1", 1, 1, "expected a value, an attribute, NOT or \"(\", found 'AND'"),
        ("(level == 1", 1, 12, 'expected AND, OR or ")", the text ends'),
        ("level == 1)", 1, 11, "expected AND, OR or the end of the expression, found ')'"),
        ("(level) == 1", 1, 7, "expected an operator"),
        ("()", 1, 2, 'expected a value, an attribute, NOT or "(", found'),
        ("level NOT HAS 1", 1, 11, "expected IN after NOT, found 'HAS'"),
        ("level NOT", 1, 10, "expected IN after NOT, the text ends"),
        ("a IN [1, 2", 1, 11, 'expected "," or "]", the text ends'),
        ("a IN [1 2]", 1, 9, 'expected "," or "]", found \'2\''),
        ("a IN [1,]", 1, 9, "expected a text, a number, true, false or null, found ']'"),
        ("a IN [b]", 1, 7, "expected a text, a number, true, false or null, found 'b'"),
        ("a IN [[1]]", 1, 7, "expected a text, a number, true, false or null, found '['"),
        ("a. == 1", 1, 4, "expected a name after \".\", found '=='"),
        ("a.<- b", 1, 3, "expected a name after \".\", found '<-'"),
        ("a.1 == 1", 1, 2, "expected an operator"),
        ("a[-1] == 1", 1, 3, "expected an index: 0, 1, 2, ..., found '-1'"),
        ("a[1.0] == 1", 1, 3, "expected an index"),
        ("a[b] == 1", 1, 3, "expected an index"),
        ("a[0 == 1", 1, 5, "expected \"]\", found '=='"),
        ("first-name == 1", 1, 6, 'expected no "-": it cannot be part of a name'),
        ("a - 1 == 1", 1, 3, 'expected no "-"'),
        ("a == +1", 1, 6, "expected no '+'"),
        ("a == 1 & b == 1", 1, 8, "expected no '&'"),
        ("a ! b", 1, 3, "expected no '!'"),
        ("a == 5abc", 1, 7, "expected AND, OR or the end"),
        ('a == "x', 1, 6, 'expected a closing " to this text'),
        ("a == 'it\\'", 1, 6, "expected a closing ' to this text"),
        ("a == 1\nAND b == 2\nAND ? == 3", 3, 5, "expected no '?'"),
        ("a == '\n\n' b", 3, 3, "expected AND, OR or the end"),
        ("a == 1e999", 1, 6, "expected a number within the range of a double, found '1e999'"),
        ("a == " + "1" * 31, 1, 6, "expected a number of at most 30 digits"),
        ("a[" + "1" * 31 + "] == 1", 1, 3, "expected a number of at most 30 digits"),
        (r"a == '\u12'", 1, 6, "expected four hexadecimal digits after \\u"),
        (r"a == '\u\0041'", 1, 6, "expected four hexadecimal digits after \\u"),
        (r"a == '\ud800'", 1, 6, "expected no lone surrogate in a text"),
        (r"a == '\u0000'", 1, 6, "expected no U+0000 in a text"),
        ("a == '\x00'", 1, 7, "expected no U+0000"),
        ("a == 1 AND\n\x00", 2, 1, "expected no U+0000"),
        ("a == '\ud800'", 1, 7, "expected no lone surrogate"),
        ("a == '" + "x" * 65_536 + "'", 1, 1, "expected at most 65536 bytes"),
        ("a == '" + "é" * 32_768 + "'", 1, 1, "expected at most 65536 bytes"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(
    text: str, line: int, column: int, expected: str
) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    error = refused.value
    assert (error.line, error.column) == (line, column)
    assert error.expected.startswith(expected)
    assert f"(line {error.line}, column {error.column})" in error.message
    assert isinstance(error, InvalidParameter)


def test_a_message_bears_only_the_beginning_of_what_was_found() -> None:
    with pytest.raises(ExpressionError) as refused:
        parse("a == 1 " + "b" * 60_000)
    assert len(refused.value.message) < 200


def test_a_hundred_levels_are_enough() -> None:
    assert holds("(" * 99 + "level == 7" + ")" * 99)
    assert holds("NOT " * 98 + "level == 7")
    assert not holds("(NOT " * 49 + "level == 7" + ")" * 49)


@pytest.mark.parametrize("length", range(2, 8))
def test_chains_of_any_length_ask_each_of_their_parts(length: int) -> None:
    names = [f"a{index}" for index in range(length)]
    all_of = compile_expression(" AND ".join(f"{name} == 1" for name in names))
    one_of = compile_expression(" OR ".join(f"{name} == 1" for name in names))
    assert all_of.matches(dict.fromkeys(names, 1))
    assert not one_of.matches(dict.fromkeys(names, 2))
    for name in names:
        assert not all_of.matches({**dict.fromkeys(names, 1), name: 2})
        assert one_of.matches({**dict.fromkeys(names, 2), name: 1})


def test_the_deepest_tree_leaves_half_of_the_stack_to_others() -> None:
    """A parenthesis can hold an AND within an OR: two levels of the tree for one of the text."""
    text = "a == 1 OR worker.b == 1 AND (" * 99 + "task.c == 1" + ")" * 99

    def from_far_below(frames: int) -> bool:
        if frames:
            return from_far_below(frames - 1)
        bound = compile_expression(text).bind({"c": 2})
        assert compile_expression(text).why_false({"a": 0})
        return bound.matches({"a": 1}) and bool(bound.key) and bool(bound.split("worker"))

    assert from_far_below(400)


@pytest.mark.parametrize("opening", ["(", "NOT ", "not(", " ( NOT NOT "])
def test_any_deeper_nesting_is_refused(opening: str) -> None:
    for levels in (100, 5_000):
        with pytest.raises(ExpressionError, match="at most 100 levels of parentheses and NOT"):
            parse(opening * levels + "level == 7")


def test_chains_are_no_nesting() -> None:
    assert holds(" OR ".join(["level == 1"] * 249 + ["level == 7"]))
    assert not holds(" AND ".join(["level == 7"] * 249 + ["level == 1"]))


@pytest.mark.parametrize(
    "text",
    [
        " OR ".join(["a == 1"] * 251),
        " AND ".join(["a == 1"] * 251),
        "a IN [" + ",".join(["1"] * 998) + "]",
        " OR ".join(["NOT a == 1"] * 201),
        " OR ".join(["a CONTAINS 'x'"] * 33),
        " OR ".join(["a >= b"] * 33),
    ],
)
def test_more_than_a_thousand_parts_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="at most 1000 operators, operands and list elements"):
        parse(text)


def test_what_has_to_look_at_every_worker_counts_for_more() -> None:
    assert holds(" OR ".join(["level CONTAINS 'x'"] * 31 + ["level == level"]))
    with pytest.raises(ExpressionError, match="CONTAINS, and one attribute beside another, count"):
        parse(" OR ".join(["a CONTAINS 'x'", "a == b"] * 20))


def test_a_reference_has_at_most_a_hundred_parts() -> None:
    assert holds(".".join(["a"] * 100) + " == null")
    for last in (".a", "[0]"):
        with pytest.raises(ExpressionError, match="at most 100 names and indexes"):
            parse(".".join(["a"] * 100) + last + " == null")


# --- orders and references


def test_workers_are_ranked_by_several_keys() -> None:
    order = compile_order_by("worker.level DESC, worker.skill.cost asc,worker.age")
    assert [key.reference.text for key in order.keys] == [
        "worker.level",
        "worker.skill.cost",
        "worker.age",
    ]
    workers: list[dict[str, object]] = [
        {"name": "none"},
        {"name": "low", "level": 1, "age": 20},
        {"name": "high and dear", "level": 5, "skill": {"cost": 9}},
        {"name": "high and cheap", "level": 5, "skill": {"cost": 2}, "age": 30},
        {"name": "high, cheap and young", "level": 5, "skill": {"cost": 2}, "age": 20},
        {"name": "cost only", "skill": {"cost": 1}},
    ]
    ranked = sorted(workers, key=lambda worker: order.rank({"worker": worker}) or ())
    assert [worker["name"] for worker in ranked] == [
        "high, cheap and young",
        "high and cheap",
        "high and dear",
        "low",
        "cost only",
        "none",
    ]


@pytest.mark.parametrize("value", ["5", 5.0, True, [5], {"x": 5}])
def test_a_value_that_is_no_whole_number_makes_the_order_void(value: object) -> None:
    assert compile_order_by("worker.a, worker.level").rank({"worker": {"level": value}}) is None


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "expected an expression, the text is empty"),
        ("level DESC", 1, "expected worker.<attribute>"),
        ("worker DESC", 1, "expected worker.<attribute>"),
        ("5 DESC", 1, "expected worker.<attribute>, found '5'"),
        ("worker.level down", 14, 'expected ASC, DESC, "," or the end of the order, found'),
        ("worker.level DESC ASC", 19, 'expected "," or the end of the order, found'),
        ("worker.level DESC,", 19, "expected worker.<attribute>, the text ends"),
        ("worker.level DESC, task.x", 20, "expected worker.<attribute>"),
    ],
)
def test_what_is_no_order_is_refused_with_its_place(text: str, column: int, expected: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_order_by(text)
    assert refused.value.column == column
    assert refused.value.expected.startswith(expected)


def test_a_reference_alone_is_read() -> None:
    assert parse_reference(" task.agents[0].sid ", root="task").text == "task.agents[0].sid"
    for text in ("worker.sid", "task", "'WK1'", "task.sid == 1", "task.sid, task.x"):
        with pytest.raises(ExpressionError):
            parse_reference(text, root="task")
