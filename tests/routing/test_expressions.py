"""The expression language, rule by rule: what is written, what it means, what is refused."""

import json

import pytest

from routing.errors import ExpressionError, InvalidParameter
from routing.expressions import (
    And,
    Comparison,
    Literal,
    Node,
    Not,
    Or,
    Reference,
    compile_expression,
    compile_order_by,
    parse,
    parse_reference,
)

WORKER: dict[str, object] = {
    "languages": ["en", "es"],
    "skills": ["billing", 7, True, None],
    "level": 7,
    "ratio": 0.5,
    "grade": "6",
    "location": "US",
    "vip": True,
    "retired": False,
    "empty": [],
    "nothing": None,
    "address": {"city": "Lima", "floors": [3, {"room": "12a"}]},
    "zéro": 0,
    "$cost_1": 1,
    "in": "reserved",
}


def holds(text: str, context: dict[str, object] | None = None) -> bool:
    return compile_expression(text).matches(WORKER if context is None else context)


@pytest.mark.parametrize(
    "text",
    [
        "1 == 1",
        "1=1",
        "1 == 1.0",
        '"a" != "b"',
        "'a' == \"a\"",
        "true == true",
        "null == null",
        "level == 7",
        "7 = level",
        "level != 8",
        "level > 6 AND level >= 7 AND level < 8 AND level <= 7",
        "6 < level AND 7 <= level AND 8 > level AND 7 >= level",
        "ratio > -1 AND ratio == 5e-1 AND ratio < .75",
        "vip == true AND retired == false",
        'location CONTAINS "U"',
        '"US of A" CONTAINS location',
        'languages HAS "es"',
        'languages >- "es"',
        '"es" IN languages',
        '"es" <- languages',
        "skills HAS 7 AND skills HAS 7.0 AND skills HAS true AND skills HAS null",
        'location IN ["US", "CA"]',
        'location IN ["US", 1]',
        '["US", "CA"] HAS location',
        "level IN [1, 7] AND vip IN [true] AND nothing IN [null]",
        'location NOT IN ["CA", 1] AND location NOT IN []',
        '"de" NOT IN languages',
        "address.city == 'Lima'",
        "address.floors[0] == 3",
        'address.floors[1].room == "12a"',
        "languages[1] == 'es'",
        "languages[0] == 'en' AND languages[1] == 'es'",
        "address.city == 'Lima' AND address.floors[0] >= 3",
        "zéro == 0 AND $cost_1 == 1",
        "(level == 7)",
        "((level == 1) OR ((level == 7)))",
        "NOT level == 1",
        "not not level == 7",
        "NOT (level == 1 AND vip == true)",
        "level == 1 and vip == true or location == 'US'",
        "location == 'US' OR level == 1 AND vip == false",
        'languages has "es" aNd "es" iN languages AND vip == TRUE AND nothing == Null',
        "location not in ['CA']",
        "\n level\t==\r\n7 ",
    ],
)
def test_conditions_that_hold(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 == 2",
        "location == 'us'",
        "Location == 'US'",
        "level > 7 OR level < 7 OR level >= 8 OR level <= 6",
        "7 < level OR 8 <= level OR 7 > level OR 6 >= level",
        'languages HAS "fr"',
        'languages HAS "e"',
        'location CONTAINS "u"',
        "location NOT IN ['US']",
        '"es" NOT IN languages',
        "languages[2] == 'es'",
        "address.floors[0].room == 3",
        "address.street == 'Lima'",
        "location.city == 'US'",
        "vip.x[0] == true",
        "empty[0] == true",
        "address.floors[2].room == '12a'",
        "NOT level == 7",
        "(location == 'US' OR level == 1) AND vip == false",
    ],
)
def test_conditions_that_do_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        # a list or an object beside an operator for single values
        *("languages == 'en'", "languages != 'en'", "languages > 1", "languages CONTAINS 'en'"),
        *("['en', 'es'] == languages", "languages == ['en', 'es']", "languages != languages"),
        *("address == 'Lima'", "address != 'Lima'", "address <= 1", "'Lima' CONTAINS address"),
        # an operator for lists without a list
        *("location HAS 'US'", "location HAS 'U'", "'US' IN location", "'CA' NOT IN location"),
        *("level HAS 7", "missing HAS null", "null IN missing", "null HAS 1"),
        *("address HAS 'city'", "'city' IN address", "'city' NOT IN address"),
        # a list inside a list
        *("languages IN ['en', 'es']", "languages NOT IN ['fr']", "address NOT IN missing"),
        # values of different kinds
        *(
            "level == '7'",
            "vip == 1",
            "vip == 'true'",
            "retired == 0",
            "zéro == false",
            "1 == true",
        ),
        *("skills HAS 'true'", "skills HAS 1", "level CONTAINS 7", "'7' CONTAINS level"),
        *("level IN ['7']", "vip IN [1, 'true']", "location CONTAINS null"),
        # no order between them
        *("vip > false", "vip >= true", "retired < 1", "location > 5", "location <= 5"),
        *("missing > 1", "missing <= 1", "nothing < 1", "nothing >= null", "null <= null"),
    ],
)
def test_what_does_not_fit_is_false_and_no_error(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "missing == null",
        "missing.anything[3].else == null",
        "nothing == null",
        "missing == nothing",
        "missing != 'v'",
        "level != null",
        "null != level",
        "languages != null",
        "address != null",
        "missing NOT IN ['a']",
        "missing NOT IN [null] OR 1 == 1",
        "'a' NOT IN missing",
        "missing NOT IN nothing",
        "level != '7'",
        "vip != 1",
    ],
)
def test_null_equals_itself_and_nothing_else(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        *("grade > 5", "grade >= 6", "grade < 6.5", "5 < grade", "level > '6'", "level > grade"),
        *("'1e1' > 9", "'-2' < -1", "'0.5' <= ratio"),
    ],
)
def test_a_text_that_writes_a_number_has_that_numbers_order(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "written", ["nan", "inf", "Infinity", "1_0", " 8", "8 ", "+8", "0x8", "", "٨", "8" * 31, "8a"]
)
def test_a_text_that_only_python_reads_as_a_number_has_no_order(written: str) -> None:
    assert not holds("x > 5 OR x <= 5 OR 5 < x", {"x": written})


def test_two_texts_are_ordered_by_their_characters() -> None:
    assert holds('"10" < "9" AND since < "2024-02-01"', {"since": "2024-01-31"})
    assert holds('since >= "2024-01-31" AND "b" >= "b" AND "a" <= since', {"since": "b2"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"'it\'s'", "it's"),
        (r'"a \"quote\" and a \\"', 'a "quote" and a \\'),
        (r'"\n\t\r\b\f\/\x"', "\n\t\r\b\f/x"),
        (r'"\u00e9 \ud83d\ude00"', "é \U0001f600"),
        ('"two\nlines"', "two\nlines"),
        ('"don\'t"', "don't"),
        ("''", ""),
        ("-12", -12),
        ("0012", 12),
        ("-1.50", -1.5),
        (".5", 0.5),
        ("2E3", 2000.0),
        ("-0", 0),
    ],
)
def test_literals_are_read(text: str, value: object) -> None:
    tree = parse(f"x == {text}")
    assert tree == Comparison(
        operator="==", left=Reference(path=("x",)), right=Literal(value=value)
    )


def compared(name: str) -> Node:
    return Comparison(operator="==", left=Reference(path=(name,)), right=Literal(value=1))


def test_and_binds_tighter_than_or_and_not_tighter_than_both() -> None:
    a, b, c, d = (compared(name) for name in "abcd")
    assert parse("a=1 OR NOT b=1 AND c=1 OR d=1") == Or(
        operands=(a, And(operands=(Not(operand=b), c)), d)
    )
    assert parse("(a=1 OR b=1) AND (c=1 AND d=1)") == And(
        operands=(Or(operands=(a, b)), And(operands=(c, d)))
    )


def test_after_a_dot_every_word_is_a_name() -> None:
    assert parse("worker.in == worker.NOT.true[0].and") == Comparison(
        operator="==",
        left=Reference(path=("worker", "in")),
        right=Reference(path=("worker", "NOT", "true", 0, "and")),
    )


def test_an_arrow_before_a_digit_is_an_order_and_a_negative_number() -> None:
    assert holds("balance >-5 AND balance <-.5 AND balance>-1e1", {"balance": -2})
    assert holds("codes >- 5 AND 5 <- codes", {"codes": [5]})


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
    ],
)
def test_more_than_a_thousand_parts_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="at most 1000 operators, operands and list elements"):
        parse(text)


def test_a_reference_has_at_most_a_hundred_parts() -> None:
    assert holds(".".join(["a"] * 100) + " == null")
    for last in (".a", "[0]"):
        with pytest.raises(ExpressionError, match="at most 100 names and indexes"):
            parse(".".join(["a"] * 100) + last + " == null")


def test_references_are_listed_as_dotted_paths() -> None:
    expression = compile_expression("a.b[0].c > 1 AND NOT (a.b[0].c < x OR 1 == 1) OR y IN [1]")
    assert expression.references == {"a.b[0].c", "x", "y"}


def test_the_text_is_kept_and_the_key_is_one_spelling_of_it() -> None:
    text = " ( a=1 ) and NOT ( b <- ['x'] or c >- null ) "
    expression = compile_expression(text)
    assert expression.text == text
    assert expression.key == 'a == 1 AND NOT (b IN ["x"] OR c HAS null)'
    assert repr(expression) == f"Expression({text!r})"
    assert compile_expression(expression.key).key == expression.key


def test_the_key_tells_values_apart_that_python_holds_equal() -> None:
    keys = {compile_expression(f"a == {value}").key for value in ("1", "true", "'1'", "'true'")}
    assert len(keys) == 4


# --- binding


def bound_key(text: str, **task: object) -> str:
    return compile_expression(text).bind(task).key


def test_binding_puts_the_tasks_values_in() -> None:
    assert bound_key("task.worker_sid = worker.sid", worker_sid="WK1") == '"WK1" == worker.sid'
    assert bound_key("task.a.b[1] == worker.x", a={"b": [0, 5]}) == "5 == worker.x"
    assert bound_key("worker.sid IN task.agents", agents=["x", 1]) == 'worker.sid IN ["x", 1]'
    assert bound_key("task.missing == worker.x") == "null == worker.x"


def test_binding_settles_what_no_longer_depends_on_the_worker() -> None:
    text = 'task.kind == "vip" AND worker.level > 5 OR NOT task.kind != "open" AND worker.level > 0'
    assert bound_key(text, kind="vip") == "worker.level > 5"
    assert bound_key(text, kind="open") == "worker.level > 0"
    closed = compile_expression(text).bind({"kind": "closed"})
    assert closed.is_always_false
    assert not closed.is_always_true
    assert closed.key == "1 == 0"
    assert not closed.matches({})
    everybody = compile_expression("task.open == true OR worker.level > 0").bind({"open": True})
    assert everybody.is_always_true
    assert everybody.key == "1 == 1"
    assert everybody.matches({})
    assert bound_key("NOT task.kind == 'vip' AND worker.a == 1", kind="x") == "worker.a == 1"
    assert bound_key("task.a == 1 OR task.b == 1", a=2, b=2) == "1 == 0"
    assert bound_key("task.a == 1 AND task.b == 1", a=1, b=1) == "1 == 1"
    assert bound_key("NOT worker.a == task.a", a=1) == "NOT worker.a == 1"


def test_binding_flattens_what_it_leaves() -> None:
    text = "(task.a == 1 AND worker.b == 2 AND worker.c == 3 OR task.a == 2) AND worker.d == 4"
    assert bound_key(text, a=1) == "worker.b == 2 AND worker.c == 3 AND worker.d == 4"
    text = "(task.a == 1 OR worker.b == 2 OR worker.c == 3) AND task.a == 2 OR worker.d == 4"
    assert bound_key(text, a=2) == "worker.b == 2 OR worker.c == 3 OR worker.d == 4"


def test_tasks_that_wait_for_the_same_thing_have_the_same_key() -> None:
    first = compile_expression("worker.language = task.language and (worker.level>5)")
    second = compile_expression("worker.language == task.lang[0] AND worker.level > 5")
    one, other = first.bind({"language": "es", "id": 1}), second.bind({"lang": ["es"], "id": 2})
    assert one.key == other.key
    assert one.references == {"worker.language", "worker.level"}
    assert one.text == one.key


def test_a_bound_object_or_nested_list_is_a_value_like_any_other() -> None:
    expression = compile_expression("worker.x == task.o OR worker.x IN task.l OR task.o == null")
    bound = expression.bind({"o": {"b": 1, "a": [2]}, "l": [[1], {"c": 3}, 4]})
    assert not bound.matches({"worker": {"x": {"b": 1, "a": [2]}}})
    assert not bound.matches({"worker": {"x": [1]}})
    assert bound.matches({"worker": {"x": 4}})
    assert json.dumps({"a": [2], "b": 1}) in bound.key


def test_another_root_can_be_bound() -> None:
    expression = compile_expression("workers.available == 0 AND task.a == 1")
    assert expression.bind({"available": 0}, root="workers").key == "task.a == 1"


def test_what_is_settled_stays_settled() -> None:
    settled = compile_expression("task.a == 1").bind({"a": 1})
    assert settled.bind({"a": 2}).is_always_true
    assert settled.references == frozenset()
    assert settled.why_false({}) == ()


def test_binding_leaves_the_expression_itself_alone() -> None:
    expression = compile_expression("task.a == worker.a")
    assert expression.bind({"a": 1}).matches({"worker": {"a": 1}, "task": {"a": 2}})
    assert not expression.matches({"worker": {"a": 1}, "task": {"a": 2}})


# --- splitting


def test_live_load_is_split_off() -> None:
    expression = compile_expression(
        'worker.languages HAS "es" AND worker.channel.chat.assigned_tasks <= 1 '
        "AND (worker.level > 5 OR worker.channel.voice.available_capacity_percentage == 100) "
        "AND worker.channels == 2"
    )
    lasting, live = expression.split("worker.channel")
    assert lasting.key == 'worker.languages HAS "es" AND worker.channels == 2'
    assert live.key == (
        "worker.channel.chat.assigned_tasks <= 1 "
        "AND (worker.level > 5 OR worker.channel.voice.available_capacity_percentage == 100)"
    )


def test_a_part_that_would_be_empty_is_always_true() -> None:
    lasting, live = compile_expression("worker.level > 5").split("worker.channel")
    assert (lasting.key, live.is_always_true) == ("worker.level > 5", True)
    lasting, live = compile_expression("worker.channel.sms.assigned_tasks = 0").split(
        "worker.channel"
    )
    assert (lasting.is_always_true, live.key) == (True, "worker.channel.sms.assigned_tasks == 0")


# --- why not


def test_it_says_which_clause_is_false_and_what_it_saw() -> None:
    expression = compile_expression('languages HAS "es" AND level > 9 AND location == "CA"')
    [clause] = expression.why_false(WORKER)
    assert (clause.text, clause.values) == ("level > 9", {"level": 7})


def test_of_alternatives_all_are_named() -> None:
    expression = compile_expression("vip == false OR (level > 9 AND vip == true) OR NOT level == 7")
    assert [(clause.text, clause.values) for clause in expression.why_false(WORKER)] == [
        ("vip == false", {"vip": True}),
        ("level > 9", {"level": 7}),
        ("NOT level == 7", {"level": 7}),
    ]


def test_there_is_nothing_to_say_where_it_is_true() -> None:
    assert compile_expression("level == 7").why_false(WORKER) == ()


def test_what_is_missing_was_seen_as_nothing() -> None:
    [clause] = compile_expression("a.b == c.d").bind({}, root="x").why_false({"c": {"d": 1}})
    assert clause.values == {"a.b": None, "c.d": 1}


# --- order and references


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


# --- the multitasking guide


def channels(**assigned: tuple[int, int]) -> dict[str, object]:
    return {
        "worker": {
            "channel": {
                name: {
                    "assigned_tasks": tasks,
                    "configured_capacity": capacity,
                    "available_capacity_percentage": (capacity - tasks) * 100 // capacity,
                }
                for name, (tasks, capacity) in assigned.items()
            }
        }
    }


@pytest.mark.parametrize(
    "text",
    [
        "worker.channel.voice.available_capacity_percentage == 100",
        "worker.channel.voice.assigned_tasks == 0",
    ],
)
def test_no_chats_while_in_a_voice_call(text: str) -> None:
    assert holds(text, channels(voice=(0, 1), chat=(2, 3)))
    assert not holds(text, channels(voice=(1, 1), chat=(0, 3)))


def test_voice_only_with_at_most_one_chat() -> None:
    text = "worker.channel.chat.assigned_tasks <= 1"
    assert holds(text, channels(chat=(1, 3)))
    assert not holds(text, channels(chat=(2, 3)))


def test_only_below_half_the_load_on_another_channel() -> None:
    text = "worker.channel.chat.available_capacity_percentage <= 50"
    assert holds(text, channels(chat=(2, 4)))
    assert not holds(text, channels(chat=(1, 4)))


def test_a_channel_that_does_not_exist_is_missing() -> None:
    assert not holds("worker.channel.fax.assigned_tasks <= 1", channels(chat=(0, 1)))
