"""How a document of ours is checked: every value by its own rule, every mistake with its place."""

import datetime
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

#: Characters of one spoken text; the whole TwiML document may have 64 kB, and 4,000 through REST.
MAX_TEXT = 1_000

#: Stand for the caller's place in line and the minutes of waiting, in `waiting.announcement`.
POSITION: Final = "{position}"
WAIT: Final = "{wait}"
_NUMBER: Final = re.compile(r"\+[1-9]\d{1,14}")
_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-4]):([0-5]\d))")
MINUTES_OF_A_DAY = 1_440


class Wrong(Exception):
    pass


Check = Callable[[object], object]
REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    """Where a value stands in the document, what it must be, and what it is if left out."""

    section: str
    key: str
    check: Check
    default: object = REQUIRED


def value_of(document: Mapping[str, object], field: Field, mistakes: list[str]) -> object:
    section, key = field.section, field.key
    table = document.get(section) if section else document
    if table is not None and not isinstance(table, Mapping):
        return None  # told of by strangers
    place = f"{section}.{key}" if section else key
    if table is None or key not in table:
        if field.default is REQUIRED:
            mistakes.append(f"{place}: is missing")
        return field.default
    try:
        return field.check(table[key])
    except Wrong as wrong:
        mistakes.append(f"{place}: expected {wrong}, found {table[key]!r}"[:300])
        return None


def strangers(document: Mapping[str, object], known: set[tuple[str, str]]) -> list[str]:
    sections = {section for section, _key in known if section}
    mistakes = []
    for key, value in document.items():
        if key in sections:
            if not isinstance(value, Mapping):
                mistakes.append(f"{key}: expected a table, found {value!r}"[:300])
                continue
            mistakes += [
                f"{key}.{inner}: is not known" for inner in value if (key, inner) not in known
            ]
        elif ("", key) not in known:
            mistakes.append(f"{key}: is not known")
    return mistakes


def text(*, longest: int = MAX_TEXT, empty: bool = True) -> Check:
    def check(value: object) -> str:
        printable = isinstance(value, str) and all(
            character.isprintable() or character == "\n" for character in value
        )
        if not isinstance(value, str) or not printable or len(value) > longest:
            raise Wrong(f"printable text of at most {longest} characters")
        if not empty and not value.strip():
            raise Wrong("a text that is not empty")
        return value

    return check


def announcement(value: object) -> str:
    said = str(text()(value))
    plain = said.replace(POSITION, "").replace(WAIT, "")
    if "{" in plain or "}" in plain:
        raise Wrong(f"no braces but those of {POSITION} and {WAIT}")
    return said


def url(value: object) -> str:
    address = str(text(empty=False)(value))
    if not address.startswith(("https://", "http://")):
        raise Wrong("an absolute http or https URL")
    return address


def number(lowest: int, highest: int) -> Check:
    def check(value: object) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not lowest <= value <= highest:  # type: ignore[operator]  # whole says so
            raise Wrong(f"a whole number from {lowest} to {highest}")
        return value  # type: ignore[return-value]  # as above

    return check


def one_of(*words: str) -> Check:
    def check(value: object) -> str:
        if value not in words:
            raise Wrong(" or ".join(repr(word) for word in words))
        return str(value)

    return check


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong("true or false")
    return value


def phone_number(value: object) -> str:
    if not isinstance(value, str) or _NUMBER.fullmatch(value) is None:
        raise Wrong("a number as +E.164")
    return value


def digit(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or value not in "0123456789*#":
        raise Wrong("one key of a telephone, such as '1'")
    return value


def time_zone(value: object) -> str:
    try:
        zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("a time zone such as 'Europe/Berlin'") from None
    return str(value)


def spans(value: object) -> tuple[tuple[int, int], ...]:
    """Opening hours of a day, as minutes since its beginning: "09:00-12:30", ..."""
    if not isinstance(value, list):
        raise Wrong("a list such as ['09:00-12:30', '13:30-18:00']")
    found = []
    for each in value:
        match = _SPAN.fullmatch(each) if isinstance(each, str) else None
        if match is None:
            raise Wrong("times such as '09:00-12:30'")
        hour, minute, end_hour, end_minute = (int(part) for part in match.groups())
        start, end = 60 * hour + minute, 60 * end_hour + end_minute
        if not start < end <= MINUTES_OF_A_DAY:
            raise Wrong(f"{each} to end after it has begun, and on the same day")
        found.append((start, end))
    return tuple(found)


def days(value: object) -> tuple[str, ...]:
    """Dates, as TOML's own or as text of the form 2026-12-24."""
    if not isinstance(value, list):
        raise Wrong("a list of dates such as 2026-12-24")
    found = []
    for each in value:
        try:
            found.append(datetime.date.fromisoformat(str(each)).isoformat())
        except ValueError:
            raise Wrong(f"dates such as 2026-12-24, not {each}") from None
    return tuple(found)


def options(value: object) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """A menu's keys, each with the Task attributes that it stands for."""
    if not isinstance(value, Mapping) or not value:
        raise Wrong("a table of keys, each with a table of attributes")
    for key, attributes in value.items():
        digit(key)
        if not isinstance(attributes, Mapping):
            raise Wrong(f"{key} to be a table of attributes")
    return tuple((key, dict(attributes)) for key, attributes in value.items())


def words(value: object) -> tuple[tuple[str, str], ...]:
    """What callers may say instead of pressing a key: {word: key}."""
    if not isinstance(value, Mapping):
        raise Wrong("a table of words, each with the key it stands for")
    return tuple((str(word).casefold(), digit(key)) for word, key in value.items())


def documents(value: object) -> tuple[tuple[str, str], ...]:
    """{number: the document of its own flow}."""
    if not isinstance(value, Mapping):
        raise Wrong("a table of numbers, each with the name of a document")
    return tuple((phone_number(key), str(text(empty=False)(name))) for key, name in value.items())
