"""Events as rows of the log, and back."""

import operator
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
)
#: The columns of a row that is read, in the order that `event_of` expects.
READ: Final = ("position", *WRITTEN)

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, str]).decode
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
    )


def event_of(row: tuple[Any, ...]) -> Event:
    """The event of a row of the columns READ; it carries nothing where that was left out."""
    named = dict(zip(READ, row, strict=True))
    carried = named["carried"]
    named["carried"] = _decode(carried) if carried else {}
    return Event(**named)


def event_inserts(dialect: SqlDialect) -> Inserts:
    """How events are appended to the log, in one dialect."""
    return inserts(dialect, events, WRITTEN, written_row)
