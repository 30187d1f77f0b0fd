"""Texts of nothing but escapes: what reads them does not go through them one by one."""

import gc
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from routing.errors import ExpressionError, InvalidParameter
from routing.expressions import compile_expression
from routing.json_text import read_json

#: Of six characters each; the longest text that an expression may be has place for ten thousand.
FEW, MANY = 1_000, 10_000


def _calls(read: Callable[[str], object], text: str) -> int:
    """How many functions are called, in Python and below it, until the text is read or refused."""
    number = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal number
        number += event in {"call", "c_call"}

    before = sys.getprofile()
    gc.disable()  # nobody else's work is to be counted
    sys.setprofile(count)
    try:
        read(text)
    except (ExpressionError, InvalidParameter):
        pass
    finally:
        sys.setprofile(before)
        gc.enable()
    return number


def _json(text: str) -> object:
    return read_json(f'{{"a": "{text}"}}', parameter="Attributes")


def _expression(text: str) -> object:
    return compile_expression(f"a == '{text}'")


@pytest.mark.parametrize("read", [_json, _expression])
@pytest.mark.parametrize(
    "escape",
    [r"\u0041", r"\u00e9", r"\ud83d\ude00", r"\ud83d", r"\u0000", r"\u005c", r"\n", r"\\", r"\u12"],
)
def test_ten_times_as_many_escapes_take_not_one_call_more(
    read: Callable[[str], object], escape: str
) -> None:
    few, many = (escape * (number * 6 // len(escape)) for number in (FEW, MANY))
    _calls(read, few)  # what is made once is made now
    assert _calls(read, few) == _calls(read, many)
    assert len(many) > 9 * len(few)


def test_they_are_read_for_what_they_are() -> None:
    text = r"\u0041\ud83d\ude00\u00e9" * 100
    value = "A\U0001f600é" * 100
    assert _json(text) == {"a": value}
    assert compile_expression(f"a == '{text}'").matches({"a": value})
