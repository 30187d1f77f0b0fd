"""What a request says, as typed parameters: the one place where PascalCase forms are read.

Each operation declares a `Parameters` record of what it takes. Reading one checks encoding, types,
ranges and lengths; whatever is wrong is answered by name, with what was expected. Names that an
operation does not know are ignored, as Twilio ignores them (clients send `FriendlyName` and
`Available` alike to an Activity's update, and only one of them counts).

Nothing here knows what a parameter means.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, NoReturn, TypeAlias, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from flask import Request
from msgspec import Meta, inspect
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from routing.clock import SECOND, Instant
from routing.engine.workspaces import MAX_LONG_NAME_CHARACTERS
from routing.errors import ExpressionError, InvalidParameter
from routing.expressions import Expression, compile_expression
from routing.json_text import read_object
from routing.worker import MAX_ATTRIBUTES_CHARACTERS
from routing.workflow import MAX_BYTES

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
#: The longest text of most operations is an expression of 64 KiB; a form may need three bytes for
#: each of its own.
MAX_BODY_BYTES = 400_000
#: The longest document that we take is a Workflow's configuration of a megabyte.
MAX_DOCUMENT_BODY_BYTES = 3_200_000
MAX_FIELDS = 1_000
#: Bytes that are decoded at once: the library takes eighty times as much memory meanwhile.
_DECODED_AT_ONCE = 32_768

_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
#: Twilio takes no VirtualStartTime before 1900; nor does any other date make sense before it.
_EARLIEST = datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _sid_of(prefix: str, resource: str) -> Any:
    # Python's $ also matches before a last line feed; what follows it here rules that out.
    return Meta(
        pattern=rf"^{prefix}[0-9a-fA-F]{{32}}$(?!\n)",
        description=f"the SID of {resource}: {prefix} and 32 hexadecimal digits",
        extra={"read": "sid"},
    )


#: What an expression can name: letters, digits, _ and $.
UniqueName: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z_$][A-Za-z0-9_$]*$(?!\n)",
        description="1 to 64 letters, digits, _ and $, not starting with a digit",
    ),
]
ActivitySid: TypeAlias = Annotated[str, _sid_of("WA", "an Activity")]
CallSid: TypeAlias = Annotated[str, _sid_of("CA", "a Call")]
EventSid: TypeAlias = Annotated[str, _sid_of("EV", "an Event")]
ReservationSid: TypeAlias = Annotated[str, _sid_of("WR", "a Reservation")]
TaskQueueSid: TypeAlias = Annotated[str, _sid_of("WQ", "a TaskQueue")]
TaskSid: TypeAlias = Annotated[str, _sid_of("WT", "a Task")]
WorkerSid: TypeAlias = Annotated[str, _sid_of("WK", "a Worker")]
WorkflowSid: TypeAlias = Annotated[str, _sid_of("WW", "a Workflow")]
RoutingTarget: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^W[KQW][0-9a-fA-F]{32}$(?!\n)",
        description="the SID of a Worker, TaskQueue or Workflow",
        extra={"read": "sid"},
    ),
]

#: Where Twilio documents no limit of its own.
MAX_TEXT_CHARACTERS = 4096
Text: TypeAlias = Annotated[
    str,
    Meta(max_length=MAX_TEXT_CHARACTERS, description=f"at most {MAX_TEXT_CHARACTERS} characters"),
]
Name: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=64, description="1 to 64 characters")
]
#: Twilio documents no limit for the names of TaskQueues and Workflows.
LongName: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_LONG_NAME_CHARACTERS,
        description=f"1 to {MAX_LONG_NAME_CHARACTERS} characters",
    ),
]
#: An expression has a limit of its own, in the language's parser.
ExpressionText: TypeAlias = Annotated[
    str, Meta(max_length=65_536, description="an expression of at most 65536 characters")
]
#: JSON text; the engine reads it, and what it says of it is more than its length.
AttributesText: TypeAlias = Annotated[
    str,
    Meta(
        max_length=MAX_ATTRIBUTES_CHARACTERS,
        description=f"JSON text of an object, of at most {MAX_ATTRIBUTES_CHARACTERS} characters",
    ),
]
ConfigurationText: TypeAlias = Annotated[
    str,
    Meta(max_length=MAX_BYTES, description=f"JSON text of an object, of at most {MAX_BYTES} bytes"),
]
#: An empty one takes a URL away again.
Url: TypeAlias = Annotated[
    str,
    Meta(
        max_length=2048,
        pattern=r"^(https?://[^\s/?#][^\s]*)?$",
        description="an absolute http or https URL of at most 2048 characters",
    ),
]
HttpMethod: TypeAlias = Literal["GET", "POST"]
QueueOrder: TypeAlias = Literal["FIFO", "LIFO"]
Template: TypeAlias = Literal["NONE", "FIFO"]
#: Twilio's words for a date and a time; `2026-01-31` and `2026-01-31T09:30:00Z` alike.
DateTime: TypeAlias = Annotated[
    Instant,
    Meta(
        description="a date and time in ISO 8601, from 1900 on, such as 2026-01-31T09:30:00Z",
        extra={"read": "date-time"},
    ),
]
#: Anything but true, 1 and yes is false: Twilio's rule for an Activity's Available and its filters.
Truth: TypeAlias = Annotated[bool, Meta(description="true or false", extra={"read": "truth"})]
#: Several values: the name repeated, or one comma list.
StatusList: TypeAlias = Annotated[
    list[Literal["pending", "reserved", "assigned", "canceled", "completed", "wrapping"]],
    Meta(extra={"read": "comma list"}),
]


class Parameters(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What an operation takes; None stands for what was not given."""

    #: Longer bodies are refused, unread.
    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES

    def given(self) -> dict[str, Any]:
        """The parameters that were given, by their own names, as verbs and columns are called."""
        present: dict[str, Any] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None:
                present[name.removesuffix("_")] = value
        return present


class JSONParameters(Parameters, frozen=True, kw_only=True, rename="camel"):
    """What an operation takes as a JSON object instead of a form."""


Given = TypeVar("Given", bound=Parameters)


class _Field:
    """How the texts given for one parameter become what its type wants to see."""

    def __init__(self, field: inspect.Field) -> None:
        self.name = field.encode_name
        self.expected = ""
        self._read = ""
        self._unwrap(field.type)

    def _unwrap(self, type_: inspect.Type) -> None:
        if isinstance(type_, inspect.Metadata):
            self._read = str((type_.extra or {}).get("read", ""))
            described = str((type_.extra_json_schema or {}).get("description", ""))
            self.expected = self.expected or described  # of a list, not of each in it
            self._unwrap(type_.type)
        elif isinstance(type_, inspect.UnionType):
            [one] = [kind for kind in type_.types if not isinstance(kind, inspect.NoneType)]
            self._unwrap(one)
        elif isinstance(type_, inspect.ListType):
            read = self._read or "list"
            self._read = ""
            self._unwrap(type_.item_type)
            self._read = read
        elif not self._read:
            self._read, expected = _reading_of(type_)
            self.expected = self.expected or expected

    @property
    def reading(self) -> str:
        """`sid`, `date-time`, `comma list`, ...; empty for a plain text."""
        return self._read

    def value(self, texts: list[str]) -> object:
        """What msgspec is to check; None where nothing was given."""
        if self._read == "list":
            return texts
        if self._read == "comma list":
            parts = [part.strip() for text in texts for part in text.split(",")]
            return [part for part in parts if part] or None
        if len(texts) > 1:
            raise InvalidParameter(self.name, "expected one value, found it repeated")
        [text] = texts
        if not self._read:
            return text
        if not text:
            return None  # an empty number, SID or choice says as much as none
        value = _READERS[self._read](text)
        if value is None:
            self.refuse()
        return value

    def refuse(self) -> NoReturn:
        raise InvalidParameter(self.name, f"expected {self.expected}")


def _boolean(text: str) -> bool | None:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    return False if lowered in _FALSE else None


def _whole_number(text: str) -> int | None:
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def _reading_of(type_: inspect.Type) -> tuple[str, str]:
    """How a plain type is read, and what it expects."""
    if isinstance(type_, inspect.LiteralType):
        return "choice", "one of " + ", ".join(map(str, type_.values))
    if isinstance(type_, inspect.BoolType):
        return "boolean", "true or false"
    if isinstance(type_, inspect.IntType):
        return "whole number", _range(type_)
    return "", "text"


def _range(type_: inspect.IntType) -> str:
    if type_.ge is None and type_.le is None:
        return "a whole number"
    if type_.le is None:
        return f"a whole number from {type_.ge} on"
    return f"a whole number from {type_.ge} to {type_.le}"


def _instant(text: str) -> Instant | None:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    try:
        if moment < _EARLIEST:
            return None
    except OverflowError:  # an offset that leads out of the calendar
        return None
    return int((moment - _EPOCH).total_seconds() * SECOND)


#: How one text becomes a value; None where it cannot.
_READERS: Mapping[str, Callable[[str], object]] = {
    "boolean": _boolean,
    "choice": str,
    "date-time": _instant,
    "sid": str,
    "truth": lambda text: text.lower() in _TRUE,
    "whole number": _whole_number,
}


@cache
def _fields(kind: type[Parameters]) -> tuple[_Field, ...]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - Parameters is a Struct
    return tuple(_Field(field) for field in described.fields)


def described_fields(kind: type[Parameters]) -> tuple[_Field, ...]:
    """How each parameter is read, in the order in which they are declared."""
    return _fields(kind)


def read_parameters(request: Request, kind: type[Given]) -> Given:
    """The request's parameters, checked: from the form of a POST, from the query of anything else.

    Raises InvalidParameter by name, and what werkzeug raises for a body that is too large or of
    another type.
    """
    if issubclass(kind, JSONParameters):
        return _of_json(request, kind)
    fields = _fields(kind)
    if not fields and request.method != "POST":
        return kind()
    if request.method == "POST":
        texts = _form(request, kind.max_body_bytes)
    else:
        texts = _split(request.query_string)
    values: dict[str, object] = {}
    for field in fields:
        if field.name in texts:
            value = field.value(_checked(field.name, texts[field.name]))
            if value is not None:
                values[field.name] = value
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        _refuse(fields, str(error), error)


def prepare(kind: type[Parameters]) -> None:
    """Has the parameters looked at once, by one thread, before any request is read.

    msgspec learns a class when it is first asked for, and lets other threads see it half learned:
    several first requests at once would end the process (msgspec 0.22, a segmentation fault).
    """
    with suppress(msgspec.ValidationError):
        msgspec.convert({}, kind)


def _of_json(request: Request, kind: type[Given]) -> Given:
    """The members of the JSON object, whichever way the first letters of their names are spelt."""
    body = _body(request, JSON)
    values = {
        name[:1].lower() + name[1:]: value
        for name, value in read_object(body, parameter="body").items()
    }
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        _refuse(_fields(kind), str(error), error)


_MISSING = re.compile(r"missing required field `(\w+)`")
_PLACE = re.compile(r"at `\$\.(\w+)")


def _refuse(fields: tuple[_Field, ...], text: str, error: Exception) -> NoReturn:
    missing = _MISSING.search(text)
    place = missing or _PLACE.search(text)
    for field in fields:
        if place is not None and field.name == place[1]:
            if missing:
                raise InvalidParameter(field.name, "it is required") from None
            field.refuse()
    raise InvalidParameter("parameters", text) from error


def _form(request: Request, most: int) -> Mapping[str, list[str]]:
    return _split(_body(request, FORM, most))


def _body(request: Request, content_type: str, most: int = MAX_BODY_BYTES) -> bytes:
    request.max_content_length = most
    body = request.get_data(cache=False)
    if len(body) >= most:
        # Of a body that comes in chunks and tells no length, werkzeug hands out what is within the
        # limit and leaves the rest unread; half a form must not pass for a whole one.
        raise RequestEntityTooLarge
    if body and request.mimetype != content_type:
        raise UnsupportedMediaType(f"Expected a body of content type {content_type}.")
    return body


def _split(encoded: bytes) -> Mapping[str, list[str]]:
    if encoded.count(b"&") >= MAX_FIELDS:
        raise InvalidParameter("parameters", f"expected at most {MAX_FIELDS}")
    texts: dict[str, list[str]] = {}
    begin = 0
    while begin < len(encoded):
        end = _place_of(b"&", encoded, begin, len(encoded))
        equals = _place_of(b"=", encoded, begin, end)
        if end > begin:
            name = _decoded(encoded[begin:equals])
            texts.setdefault(name, []).append(_decoded(encoded[equals + 1 : end]))
        begin = end + 1
    return texts


def _place_of(sign: bytes, encoded: bytes, begin: int, end: int) -> int:
    """Where it first is; the end where it is not."""
    found = encoded.find(sign, begin, end)
    return end if found < 0 else found


def _decoded(encoded: bytes) -> str:
    """A name or a value. Bytes that are not UTF-8 become lone surrogates, to be refused by name."""
    if b"%" not in encoded and b"+" not in encoded:
        return encoded.decode(errors="surrogateescape")
    decoded, begin = bytearray(), 0
    while begin < len(encoded):
        end = min(len(encoded), begin + _DECODED_AT_ONCE)
        cut = encoded.rfind(b"%", max(begin, end - 2), end)
        if cut > begin and end < len(encoded):
            end = cut  # an escape is decoded as a whole
        decoded += unquote_to_bytes(encoded[begin:end].replace(b"+", b" "))
        begin = end
    del encoded  # two copies at a time are enough
    return decoded.decode(errors="surrogateescape")


def _checked(name: str, texts: list[str]) -> list[str]:
    for text in texts:
        if "\x00" in text:
            raise InvalidParameter(name, "expected no U+0000")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidParameter(name, "expected UTF-8") from None
    return texts


def read_expression(text: str, parameter: str) -> Expression:
    """The expression in that parameter; raises InvalidParameter with the place of the mistake."""
    try:
        return compile_expression(text)
    except ExpressionError as error:
        place = f"line {error.line}, column {error.column}"
        raise InvalidParameter(parameter, f"{error.expected} ({place})") from None


_ENTITY_TAG = re.compile(r'(?:W/)?"?([0-9]{1,18})"?')


def if_match(request: Request) -> int | None:
    """The version that the If-Match header asks for, bare or in quotes; None for any version.

    What cannot be a version of ours matches none: -1.
    """
    text = request.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    version = _ENTITY_TAG.fullmatch(text)
    return int(version[1]) if version else -1
