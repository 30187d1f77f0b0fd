"""The one door for JSON from outside: a text becomes a value, or the sender is told what is wrong.

Python's reader accepts what no other part of the house could carry: `NaN` and `Infinity`, `1e999`
(which becomes infinity), nesting so deep that it ends in a RecursionError, integers of thousands of
digits (a ValueError), lone surrogates (which cannot be encoded as UTF-8) and U+0000 (which
PostgreSQL cannot store). All of it is refused here, with the name of the parameter, so that no room
behind this door needs to think of it. Repeated keys are refused too: which of two values was meant
is not ours to guess, and a key that one reader sees and another does not is how checks are passed
by. This file decides nothing about the meaning of a document.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from routing.errors import InvalidParameter

JSONValue: TypeAlias = "dict[str, JSONValue] | list[JSONValue] | str | int | float | bool | None"
JSONObject: TypeAlias = dict[str, JSONValue]

#: Characters, where the caller names no limit of its own.
DEFAULT_LIMIT = 65_536

#: Python's reader recurses once per level, and fails somewhere below a thousand.
MAX_DEPTH = 100

#: A number that a double or a 64-bit integer can hold never needs more.
MAX_DIGITS = 30

#: Whole strings (so that brackets inside them do not count), or one bracket. The closing quote is
#: optional: a string that never ends is passed over at once instead of being tried at each quote.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_json(text: str | bytes, *, parameter: str, limit: int = DEFAULT_LIMIT) -> JSONValue:
    """The value that `text` stands for; `limit` is in characters.

    Raises InvalidParameter, which names `parameter` and what was expected.
    """
    try:
        return _value(text, limit)
    except _Unfit as error:
        raise InvalidParameter(parameter, str(error)) from None


def read_object(text: str | bytes, *, parameter: str, limit: int = DEFAULT_LIMIT) -> JSONObject:
    """The JSON object that `text` stands for; anything else raises InvalidParameter."""
    value = read_json(text, parameter=parameter, limit=limit)
    if not isinstance(value, dict):
        raise InvalidParameter(parameter, f"expected a JSON object, found {kind_of(value)}")
    return value


def kind_of(value: object) -> str:
    """What JSON calls a value: for sentences such as 'expected a string, found an array'."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


class _Unfit(Exception):
    """What was expected of a document; its sender's name for it is added at the door."""


def _value(text: str | bytes, limit: int) -> JSONValue:
    # A character has at most four bytes: what is longer need not be decoded to be refused.
    if len(text) > limit * (4 if isinstance(text, bytes) else 1):
        raise _Unfit(f"expected at most {limit} characters")
    document = _decoded(text)
    if document.startswith("\ufeff"):
        raise _Unfit("expected UTF-8 without a byte order mark")
    if len(document) > limit:
        raise _Unfit(f"expected at most {limit} characters")
    # So few brackets cannot be nested too deeply, wherever they stand.
    if document.count("[") + document.count("{") > MAX_DEPTH:
        _check_depth(document)
    value = _parsed(document)
    if "\\u" in document:  # the only way left for a surrogate or U+0000 to get into a string
        _check_strings(value)
    return value


def _decoded(text: str | bytes) -> str:
    try:
        if isinstance(text, bytes):
            return text.decode()
        if not text.isascii():
            text.encode()
    except UnicodeDecodeError as error:
        raise _Unfit(f"expected UTF-8, found another byte at position {error.start}") from None
    except UnicodeEncodeError as error:
        problem = f"expected no lone surrogate, found one at position {error.start}"
        raise _Unfit(problem) from None
    return text


def _check_depth(document: str) -> None:
    depth = 0
    for token in _STRUCTURE.finditer(document):
        mark = token[0]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _Unfit(f"expected at most {MAX_DEPTH} levels of nesting")
        elif mark in "]}":
            depth -= 1


def _parsed(document: str) -> JSONValue:
    try:
        value: JSONValue = _DECODER.decode(document)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _Unfit(f"expected JSON: {error.msg} ({place})") from None
    return value


def _integer(digits: str) -> int:
    _check_length(digits)
    return int(digits)


def _fraction(digits: str) -> float:
    _check_length(digits)
    number = float(digits)
    if math.isinf(number):
        raise _Unfit(f"expected a number within the range of a double, found {digits}")
    return number


def _check_length(digits: str) -> None:
    if len(digits) > MAX_DIGITS:
        raise _Unfit(f"expected numbers of at most {MAX_DIGITS} digits")


def _constant(name: str) -> NoReturn:
    raise _Unfit(f"expected JSON, which has no {name}")


def _object(pairs: list[tuple[str, JSONValue]]) -> JSONObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Unfit(f"expected each key once, found {_repeated(pairs)} again")
    return members


#: Made once: making one takes longer than reading most documents.
_DECODER = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_fraction,
    parse_constant=_constant,
    object_pairs_hook=_object,
)


def _check_strings(value: JSONValue) -> None:
    for string in _strings(value):
        if "\x00" in string:
            raise _Unfit("expected no U+0000 in a string")
        try:
            string.encode()
        except UnicodeEncodeError:
            raise _Unfit("expected no lone surrogate in a string") from None


def _repeated(pairs: list[tuple[str, JSONValue]]) -> str:
    """A key that comes more than once, in quotes, shortened to what a message can bear."""
    [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
    return json.dumps(key[:64])


def _strings(value: JSONValue) -> Iterator[str]:
    """Every key and every string of a value."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            yield from part
            waiting.extend(part.values())
