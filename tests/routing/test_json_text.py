"""JSON from outside either becomes a value that everything behind can carry, or is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InvalidParameter
from routing.json_text import JSONValue, kind_of, read_json, read_object


def refusal(text: str | bytes, limit: int = 65_536) -> str:
    with pytest.raises(InvalidParameter) as refused:
        read_json(text, parameter="Attributes", limit=limit)
    assert refused.value.parameter == "Attributes"
    assert refused.value.message.startswith("Invalid Attributes: expected ")
    return refused.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (b'{"language": "es"}', {"language": "es"}),
        (' [1, -2.5, 1e3, true, false, null, "x"] ', [1, -2.5, 1000.0, True, False, None, "x"]),
        ('"\\ud83d\\ude00 \\u00e9"', "\U0001f600 é"),
        (
            '"\\\\u0000 is a backslash and five characters"',
            "\\u0000 is a backslash and five characters",
        ),
        ('{"a": {"b": [{"c\\u0041": "\\u0041"}]}}', {"a": {"b": [{"cA": "A"}]}}),
        ("1" * 30, int("1" * 30)),
        ('"[[[{{{"', "[[[{{{"),
        ("[" * 100 + "]" * 100, None),
    ],
)
def test_json_is_read(text: str | bytes, value: JSONValue) -> None:
    assert value is None or read_json(text, parameter="Attributes") == value


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_numbers_that_json_does_not_have_are_refused(text: str) -> None:
    assert "JSON, which has no" in refusal(text)


@pytest.mark.parametrize("text", ["1e999", "-1e999", "[1.5e400]"])
def test_numbers_beyond_a_double_are_refused(text: str) -> None:
    assert "range of a double" in refusal(text)


@pytest.mark.parametrize("text", ["1" * 31, "0." + "3" * 40, "-" + "9" * 10_000])
def test_giant_numbers_are_refused(text: str) -> None:
    assert "at most 30 digits" in refusal(text)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_deep_nesting_is_refused_before_the_reader_recurses(opening: str) -> None:
    assert "levels of nesting" in refusal(opening * 9_000)


def test_brackets_side_by_side_are_no_nesting() -> None:
    assert read_json("[" + ",".join(["[{}]"] * 500) + "]", parameter="Attributes")


@pytest.mark.parametrize(
    "text", ['"\ud800"', '"\\ud800"', '{"\\udc00": 1}', '[{"a": ["\\ude00\\ud83d"]}]']
)
def test_lone_surrogates_are_refused(text: str) -> None:
    assert "lone surrogate" in refusal(text)


@pytest.mark.parametrize("text", ['"\\u0000"', '{"a\\u0000": 1}', '[["x\\u0000y"]]'])
def test_a_null_character_is_refused(text: str) -> None:
    assert "U+0000" in refusal(text)


def test_a_raw_null_character_is_refused() -> None:
    assert "line 1, column 2" in refusal('"\x00"')


@pytest.mark.parametrize("text", [b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}"])
def test_bytes_that_are_not_plain_utf_8_are_refused(text: bytes) -> None:
    assert "UTF-8" in refusal(text)


@pytest.mark.parametrize(
    ("text", "limit"), [("[1,2]", 4), (b"[1, 2]", 5), ('"ééé"'.encode(), 4), (b" " * 100, 10)]
)
def test_documents_over_the_limit_are_refused(text: str | bytes, limit: int) -> None:
    assert f"at most {limit} characters" in refusal(text, limit)


def test_the_limit_counts_characters_rather_than_bytes() -> None:
    assert read_json('"ééé"'.encode(), parameter="Attributes", limit=5) == "ééé"


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"x": 0, "a": 1, "a": 2}}]'])
def test_a_key_that_comes_twice_is_refused(text: str) -> None:
    assert 'each key once, found "a" again' in refusal(text)


def test_a_message_bears_only_the_beginning_of_a_long_key() -> None:
    key = json.dumps("k" * 20_000)
    assert len(refusal(f"{{{key}: 1, {key}: 2}}")) < 200


@pytest.mark.parametrize("text", ["", "  ", "{", '{"a"}', "[1,]", "undefined", '"open', "{} {}"])
def test_what_is_not_json_is_refused_with_line_and_column(text: str) -> None:
    assert "(line 1, column " in refusal(text)


def test_a_string_without_end_costs_no_more_than_its_length() -> None:
    """Quadratic work on this text would take hours: that the test ends is the proof."""
    text = '"' + '\\"' * 500_000
    assert "Unterminated string" in refusal(text, limit=2_000_000)


def test_an_object_is_demanded_where_one_is_needed() -> None:
    assert read_object('{"a": 1}', parameter="Attributes") == {"a": 1}
    with pytest.raises(InvalidParameter, match="expected a JSON object, found an array"):
        read_object("[]", parameter="Attributes")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("", "a string"),
        ([], "an array"),
        ({}, "an object"),
    ],
)
def test_kinds_have_names(value: JSONValue, kind: str) -> None:
    assert kind_of(value) == kind


FRAGMENTS = st.sampled_from(
    [
        *("{", "}", "[", "[", "]", ",", ":", '"', '"a"', "\\", "\\u", "\\ud800", "\\u0000"),
        *("1", "-", "e999", ".5", "9" * 31, "NaN", "Infinity", "true", "null"),
        *(" ", "\n", "é", "\x00", "\ud800"),
    ]
)
TEXTS = st.one_of(st.text(), st.binary(), st.lists(FRAGMENTS, max_size=60).map("".join))


@given(TEXTS)
def test_any_text_gives_a_value_that_can_be_written_again_or_is_refused(text: str | bytes) -> None:
    try:
        value = read_json(text, parameter="Attributes")
    except InvalidParameter:
        return
    again = json.dumps(value, allow_nan=False, ensure_ascii=False)
    again.encode()
    assert read_json(again, parameter="Attributes") == value


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**28), 10**28)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner
        )
    ),
    max_leaves=30,
)


@given(VALUES, st.booleans())
def test_every_sound_value_is_read_as_it_was_written(value: JSONValue, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert read_json(text, parameter="Attributes") == value
    assert read_json(text.encode(), parameter="Attributes") == value
