"""The expression language, rule by rule: what is written, what it means, what is refused."""

import pytest

from routing.expressions import (
    And,
    Comparison,
    Literal,
    Node,
    Not,
    Or,
    Reference,
    compile_expression,
    parse,
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
