"""Events as rows of the log, and back."""

import operator
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from routing.events import INDEXED_FIELDS, Event
from routing.ports import Arrival
from routing.records import maker
from routing.store.inserts import Inserts, inserts
from routing.store.statements import SqlDialect
from routing.store.tables import events
from routing.task import Task

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
_FIELDS: Final = (*READ, PICTURE)
_event: Final = maker(Event, _FIELDS)
_fields: Final = operator.attrgetter(*_FIELDS)
_decode_arrival: Final = msgspec.json.Decoder(tuple[int, Task]).decode
_CARRIED, _ACTOR = READ.index("carried"), READ.index("actor")


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
    cells = list(row)
    carried = cells[_CARRIED]
    cells[_CARRIED] = _decode(carried) if carried else {}
    if cells[_ACTOR] is not None:
        cells[_ACTOR] = _decode(cells[_ACTOR])
    if len(row) == len(READ):
        return _event(*cells, None)
    if cells[-1] is not None:
        cells[-1] = _decode_picture(cells[-1])
    return _event(*cells)


def arrival_of(row: Sequence[Any]) -> Event:
    """The event of a row of the columns READ and one more: an Arrival where that is not empty, a
    JSON array of the configuration's version and the Task.
    """
    event = event_of(row[:-1])
    if row[-1] is None:
        return event
    version, task = _decode_arrival(row[-1])
    return Arrival(
        **dict(zip(_FIELDS, _fields(event), strict=True)),
        task=task,
        configuration_version=version,
    )


def event_inserts(dialect: SqlDialect) -> Inserts:
    """How events are appended to the log, in one dialect."""
    return inserts(dialect, events, WRITTEN, written_row)
