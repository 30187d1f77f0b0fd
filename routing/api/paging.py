"""Lists, a page at a time, by keyset: a page begins after the last row of the one before.

So rows that are added or removed while a client pages neither repeat nor hide any other. The place
travels as an opaque `PageToken`; `Page` is decoration, and asking for a page by its number alone is
refused as Twilio refuses it (40153). `meta` tells of the neighbours in absolute URLs, since clients
follow them as they are.
"""

import base64
import binascii
import hashlib
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Protocol, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from flask import Response, request
from msgspec import Meta

from routing.api.operations import answer
from routing.api.parameters import MAX_TEXT_CHARACTERS, Parameters, Text
from routing.api.representation import Body
from routing.errors import InvalidParameter, RoutingError

Record = TypeVar("Record")

MAX_PAGE_SIZE = 1000
#: Rows that one page looks at, when a filter can only be answered by looking at them. A page that
#: ends there may be short, or empty, and still have a next one.
MAX_SCANNED = 500
_SCANNED_AT_ONCE = 250

#: Where a page begins or ends: the values of the order's columns.
Place: TypeAlias = tuple[int | str, ...]


class AbsolutePaging(RoutingError):
    """A page by its number alone, which Twilio no longer serves."""

    code = 40153


class Paged(Parameters, frozen=True, kw_only=True, rename="pascal"):
    """What every list takes."""

    page_size: Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE)] = 50
    page: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    page_token: Text | None = None

    def filters(self) -> dict[str, Any]:
        """What was given, without the paging."""
        given = self.given()
        for name in ("page_size", "page", "page_token", "ordering"):
            given.pop(name, None)
        return given


@dataclass(frozen=True, slots=True)
class By:
    """One column of an order."""

    column: str
    descending: bool = False


#: Columns in their order; the last one is unique, so that no two rows share a place.
Order: TypeAlias = tuple[By, ...]
BY_CREATION: Order = (By("created_at"), By("sid"))


@dataclass(frozen=True, slots=True)
class Rows(Generic[Record]):
    records: Sequence[Record]
    #: Where the source broke off its search; None where it did not.
    stopped_at: Place | None = None


class Versioned(Protocol):
    """A resource whose changes are counted."""

    @property
    def sid(self) -> str: ...

    @property
    def version(self) -> int: ...


class Source(Protocol[Record]):
    """Rows in one order, from a place on."""

    @property
    def order(self) -> Order: ...

    def rows(self, after: Place | None, limit: int, *, backwards: bool) -> Rows[Record]:
        """At most `limit` rows strictly after the place, or backwards from it."""
        ...


@dataclass(frozen=True, slots=True)
class InMemory(Generic[Record]):
    """A Source over the few rows of a kind that is kept whole, such as a Workspace's Activities."""

    records: Sequence[Record]
    order: Order = BY_CREATION

    def rows(self, after: Place | None, limit: int, *, backwards: bool) -> Rows[Record]:
        records = list(self.records)
        for by in reversed(self.order):
            records.sort(key=operator.attrgetter(by.column), reverse=by.descending != backwards)
        if after is not None:
            here = _sort_key(self.order, after)
            records = [
                record
                for record in records
                if (here < _sort_key(self.order, place_of(self.order, record))) != backwards
                and place_of(self.order, record) != after
            ]
        return Rows(records[:limit])


class _Descending:
    """Compares the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)


def _sort_key(order: Order, place: Place) -> tuple[Any, ...]:
    return tuple(
        _Descending(value) if by.descending else value
        for by, value in zip(order, place, strict=True)
    )


def place_of(order: Order, record: object) -> Place:
    return tuple(getattr(record, by.column) for by in order)


def ordered_by(columns: Iterable[str], *, default: str = "DateCreated:asc") -> Meta:
    """What an `Ordering` by these attributes may say, for the description."""
    return Meta(
        max_length=MAX_TEXT_CHARACTERS,
        description=f"{' or '.join(columns)}, with :asc or :desc, or several with commas between",
        extra_json_schema={"default": default},
    )


def ordering(text: str | None, columns: Mapping[str, str], default: Order) -> Order:
    """The order that `Ordering=DateCreated:desc,...` asks for.

    `columns` are the attributes that this list can be ordered by, with their columns. Raises
    InvalidParameter for any other.
    """
    if not text:
        return default
    keys: list[By] = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(":")
        if name not in columns or direction not in {"", "asc", "desc"}:
            expected = " or ".join(columns)
            raise InvalidParameter("Ordering", f"expected {expected}, with :asc or :desc")
        keys.append(By(columns[name], direction == "desc"))
    if len({by.column for by in keys}) < len(keys):
        raise InvalidParameter("Ordering", "expected each attribute once")
    return (*keys, By("sid", keys[-1].descending))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Record]):
    records: Sequence[Record]
    #: Tokens of the neighbours; None where there is none.
    previous_token: str | None
    next_token: str | None


def page_of(
    given: Paged, source: Source[Record], keep: Callable[[Record], bool] | None = None
) -> Page[Record]:
    """The page that was asked for, of those records that `keep` wants.

    Raises AbsolutePaging for a page by number, InvalidParameter for a token that is none of ours.
    """
    if given.page and not given.page_token:
        raise AbsolutePaging(
            "Absolute paging is not supported; follow meta.next_page_url, or send its PageToken."
        )
    after, backwards = _opened(given.page_token, source.order)
    records, beyond = _cut(source, after, given.page_size, backwards=backwards, keep=keep)
    ends = (
        (place_of(source.order, records[0]), place_of(source.order, records[-1]))
        if records
        else (after, after)
    )
    if backwards:
        records.reverse()
        here = ends[0] if records else after
        return Page(
            records=records,
            previous_token=_sealed(source.order, beyond, backwards=True),
            next_token=_sealed(source.order, here, backwards=False),
        )
    return Page(
        records=records,
        previous_token=_sealed(source.order, None if after is None else ends[0], backwards=True),
        next_token=_sealed(source.order, beyond, backwards=False),
    )


def _cut(
    source: Source[Record],
    after: Place | None,
    size: int,
    *,
    backwards: bool,
    keep: Callable[[Record], bool] | None,
) -> tuple[list[Record], Place | None]:
    """Up to `size` records, and the place after which there may be more; None at the end."""
    kept: list[Record] = []
    scanned = 0
    limit = size + 1 if keep is None else max(size + 1, _SCANNED_AT_ONCE)
    while True:
        found = source.rows(after, limit, backwards=backwards)
        rows = found.records
        kept.extend(rows if keep is None else filter(keep, rows))
        if len(kept) > size:
            return kept[:size], place_of(source.order, kept[size - 1])
        if found.stopped_at is not None:
            return kept, found.stopped_at
        if len(rows) < limit:
            return kept, None
        after = place_of(source.order, rows[-1])
        scanned += len(rows)
        if scanned >= MAX_SCANNED:
            return kept, after


_TOKEN = "PA"  # noqa: S105 - the letters that Twilio's page tokens begin with


def token_after(order: Order, record: object) -> str:
    """The PageToken of the page that begins after this record, in this order."""
    token = _sealed(order, place_of(order, record), backwards=False)
    assert token is not None  # noqa: S101 - there is a place
    return token


def _sealed(order: Order, place: Place | None, *, backwards: bool) -> str | None:
    if place is None:
        return None
    told = msgspec.json.encode([_name(order, backwards=backwards), *place])
    return _TOKEN + base64.urlsafe_b64encode(told).decode().rstrip("=")


def _opened(token: str | None, order: Order) -> tuple[Place | None, bool]:
    if token is None:
        return None, False
    try:
        told = base64.urlsafe_b64decode(token.removeprefix(_TOKEN) + "===")
        name, *place = msgspec.json.decode(told, type=list[str | int])
    except (ValueError, msgspec.MsgspecError, binascii.Error):
        name, place = "", []
    for backwards in (False, True):
        if name == _name(order, backwards=backwards) and _fits(order, place):
            return tuple(place), backwards
    raise InvalidParameter("PageToken", "expected one from the meta of a page of this list")


def _name(order: Order, *, backwards: bool) -> str:
    columns = ",".join(f"-{by.column}" if by.descending else by.column for by in order)
    return f"{'<' if backwards else '>'}{columns}"


def _fits(order: Order, place: Sequence[int | str]) -> bool:
    if len(place) != len(order):
        return False
    for by, value in zip(order, place, strict=True):
        if by.column == "sid":
            if not isinstance(value, str) or not value.isalnum():
                return False
        elif not isinstance(value, int) or abs(value) >= 1 << 62:
            return False
    return True


def page_answer(
    key: str,
    given: Paged,
    page: Page[Record],
    represent: Callable[[Record], Body],
    base: str,
    *,
    versioned: Callable[[Record], Versioned] | None = None,
) -> Response:
    """The page as Twilio's envelope; `base` is the public URL of `/v1`.

    Twilio documents an ETag for lists of what has versions (`versioned`). It is the page's own,
    made of the versions on it; If-Match is only for that of a single resource.
    """
    address = base + request.path.partition("/v1")[2]
    filters = [
        (name, value)
        for name, value in parse_qsl(request.query_string.decode(), keep_blank_values=True)
        if name not in {"Page", "PageSize", "PageToken"}
    ]
    number = given.page or 0

    def url(at: int, token: str | None) -> str:
        paging = [("PageSize", str(given.page_size)), ("Page", str(at))]
        if token is not None:
            paging.append(("PageToken", token))
        return f"{address}?{urlencode(filters + paging)}"

    meta = {
        "page": number,
        "page_size": given.page_size,
        "first_page_url": url(0, None),
        "previous_page_url": page.previous_token and url(max(0, number - 1), page.previous_token),
        "url": url(number, given.page_token),
        "next_page_url": page.next_token and url(number + 1, page.next_token),
        "key": key,
    }
    response = answer({"meta": meta, key: [represent(record) for record in page.records]})
    if versioned is not None:
        told = [(each.sid, each.version) for each in map(versioned, page.records)]
        response.set_etag(hashlib.blake2b(msgspec.json.encode(told), digest_size=8).hexdigest())
    return response
