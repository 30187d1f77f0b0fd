"""How a field of an answer to an assignment callback is read: JSON's own types, or Twilio's words.

People answer `"timeout": 15` and `"timeout": "15"` alike, and Twilio takes both. What cannot be
meant is refused with the code that Twilio documents for it, where it documents one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from routing import sids
from routing.errors import RoutingError
from routing.json_text import JSONObject, JSONValue, kind_of

#: "Invalid Instruction passed to TaskRouter": what has no code of its own.
INVALID_INSTRUCTION: Final = 55555

_ADDRESS: Final = re.compile(r"\+[1-9]\d{1,14}|(?:client|sips?):[!-~]{1,250}")
_URL: Final = re.compile(r"https?://[^\s/?#]\S*")
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,9}")
MAX_URL_CHARACTERS: Final = 2048
MAX_TEXT_CHARACTERS: Final = 4096


class WrongAnswer(RoutingError):
    """An answer that cannot be followed, with Twilio's code for what is wrong with it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Unfit(Exception):
    """What was expected."""


Read: TypeAlias = Callable[[JSONValue], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    read: Read
    code: int = INVALID_INSTRUCTION
    is_required: bool = False


def read_fields(instruction: str, given: JSONObject, fields: Mapping[str, Field]) -> JSONObject:
    """The fields of that instruction which were given, checked; others are passed over.

    Raises WrongAnswer with the code of the field that is missing or wrong.
    """
    read: dict[str, JSONValue] = {}
    for name, field in fields.items():
        value = given.get(name)
        if value is None or value == "":
            if field.is_required:
                raise WrongAnswer(field.code, f"The {instruction} instruction has no '{name}'")
            continue
        try:
            read[name] = field.read(value)  # type: ignore[assignment]  # readers return JSON's types
        except _Unfit as unfit:
            raise WrongAnswer(
                field.code, f"'{name}' of the {instruction} instruction: {unfit}"
            ) from None
    return read


def text(value: JSONValue) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Unfit(f"expected a string, found {kind_of(value)}")
    if len(str(value)) > MAX_TEXT_CHARACTERS:
        raise _Unfit(f"expected at most {MAX_TEXT_CHARACTERS} characters")
    return str(value)


def address(value: JSONValue) -> str:
    """Somebody who can be dialled."""
    if _ADDRESS.fullmatch(text(value)) is None:
        raise _Unfit("expected +E.164, client: or sip:")
    return text(value)


def url(value: JSONValue) -> str:
    said = text(value)
    if len(said) > MAX_URL_CHARACTERS or _URL.fullmatch(said) is None:
        raise _Unfit("expected an absolute http or https URL")
    return said


def flag(value: JSONValue) -> bool:
    said = value if isinstance(value, bool) else str(value).lower() if value in _FLAGS else None
    if said is None:
        raise _Unfit("expected true or false")
    return said in {True, "true"}


_FLAGS: Final = ("true", "false", "True", "False")


def sid(prefix: str) -> Read:
    def read(value: JSONValue) -> str:
        if not isinstance(value, str) or not sids.is_sid(value, prefix):
            raise _Unfit(f"expected a SID that begins with {prefix}")
        return value

    return read


def whole_number(lowest: int, highest: int) -> Read:
    def read(value: JSONValue) -> int:
        said = "" if isinstance(value, bool) else str(value)
        if _WHOLE_NUMBER.fullmatch(said) is None or not lowest <= int(said) <= highest:
            raise _Unfit(f"expected a whole number from {lowest} to {highest}")
        return int(said)

    return read


def one_of(*words: str) -> Read:
    def read(value: JSONValue) -> str:
        said = str(value).lower() if isinstance(value, bool) else value
        if said not in words:
            raise _Unfit(f"expected one of {', '.join(words)}")
        return str(said)

    return read


def some_of(*words: str) -> Read:
    """A list, or its members with commas or spaces between them."""

    def read(value: JSONValue) -> list[str]:
        said = re.split(r"[,\s]+", value.strip()) if isinstance(value, str) else value
        if not isinstance(said, list) or not all(member in words for member in said):
            raise _Unfit(f"expected some of {', '.join(words)}")
        return [str(member) for member in said]

    return read
