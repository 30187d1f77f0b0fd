"""Events as rows of the log, and back."""

import operator
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from routing.events import INDEXED_FIELDS, Event
from routing.store.inserts import Inserts, inserts
from routing.store.statements import SqlDialect
from routing.store.tables import events

#: The columns of a row that is written; its position is the database's to give.
WRITTEN: Final = (
    "sid",
    "workspace_sid",
    "type",
    "resource_type",
    "resource_sid",
    "description",
    "carried",
    "occurred_at",
    *INDEXED_FIELDS,
    "actor",
    "picture",
)
#: The columns of a row that is read, in the order that `event_of` expects; who wants the picture,
#: too, names it after them.
READ: Final = ("position", *WRITTEN[:-1])
PICTURE: Final = "picture"

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, str]).decode
_decode_picture: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_indexed: Final = operator.attrgetter(*INDEXED_FIELDS)


def written_row(event: Event) -> tuple[object, ...]:
    return (
        event.sid,
        event.workspace_sid,
        event.type,
        event.resource_type,
        event.resource_sid,
        event.description,
        _encode(event.carried).decode(),
        event.occurred_at,
        *_indexed(event),
        None if event.actor is None else _encode(event.actor).decode(),
        None if event.picture is None else _encode(event.picture).decode(),
    )


def event_of(row: Sequence[Any]) -> Event:
    """The event of a row of the columns READ, and PICTURE where there is one more.

    It carries nothing where that was left out.
    """
    named = dict(zip(READ, row, strict=False))
    carried = named["carried"]
    named["carried"] = _decode(carried) if carried else {}
    if named["actor"] is not None:
        named["actor"] = _decode(named["actor"])
    if len(row) > len(READ) and row[-1] is not None:
        named[PICTURE] = _decode_picture(row[-1])
    return Event(**named)


def event_inserts(dialect: SqlDialect) -> Inserts:
    """How events are appended to the log, in one dialect."""
    return inserts(dialect, events, WRITTEN, written_row)
