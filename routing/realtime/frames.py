"""Events as what is sent to a socket: `{"event_type": ..., "payload": ...}` as JSON text.

A payload is made of the event alone, of what it carries and of the picture taken when it was
written: by the time it is sent its rows may have gone on, or away. Applications of the current SDK
and of the legacy browser SDK are told the same in different words.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

import msgspec

from routing import transfer as transfers
from routing.api.representation import Body, Representation
from routing.clock import Instant
from routing.configuration import Configuration
from routing.events import Event
from routing.realtime.wire import Wire
from routing.reservation import Reservation
from routing.task import Task
from routing.transfer import Transfer
from routing.worker import Worker, WorkerChannel

Record = TypeVar("Record")

_encode: Final = msgspec.json.Encoder().encode

#: A text frame of white space alone: the only thing that the SDK counts as a sign of life.
HEARTBEAT: Final = " "


def frame(event_type: str, payload: Body) -> str:
    return _encode({"event_type": event_type, "payload": payload}).decode()


def event_text(event: Event, representation: Representation) -> bytes:
    """For those who hear of everything: the event as REST tells of it, and its place in the log."""
    return _encode({"sequence": event.position, **representation.event(event)})


def current(event: Event, wire: Wire, configuration: Configuration) -> str:
    """For versions 0.2 to 3 of the SDK."""
    return frame(event.type, _payload(_CURRENT, event, wire, configuration))


def legacy(event: Event, representation: Representation, configuration: Configuration) -> str:
    """For the v1 browser SDK: resources as REST tells them, `worker.` left out of the type."""
    payload = _payload(_LEGACY, event, representation, configuration)
    return frame(event.type.removeprefix("worker."), payload)


def _picture(event: Event, kind: str, record: type[Record]) -> Record:
    told = (event.picture or {})[kind]
    if not isinstance(told, msgspec.Raw):
        raise TypeError("an event that is told live comes from the log, with its picture")
    return msgspec.json.decode(told, type=record)


def _task(event: Event) -> Task:
    return replace(_picture(event, "task", Task), attributes=event.carried["task_attributes"])


def _worker(event: Event) -> Worker:
    worker = _picture(event, "worker", Worker)
    return replace(worker, attributes=event.carried["worker_attributes"])


def _of_reservation(event: Event, wire: Wire, configuration: Configuration) -> Body:
    reservation = _picture(event, "reservation", Reservation)
    payload = wire.reservation_with_task(
        reservation,
        _task(event),
        configuration,
        event.occurred_at,
        incoming=_incoming(event),
    )
    payload["worker_name"] = event.carried.get("worker_name")
    code = event.carried.get("reservation_reason_code")
    if code is not None:
        payload["canceled_reason_code"] = int(code)
    return payload


def _incoming(event: Event) -> Transfer | None:
    """The Transfer that led to the Reservation, as it is once the Reservation's event is over.

    What becomes of the Transfer is written after that event, in the same transaction.
    """
    if "transfer" not in (event.picture or {}):
        return None
    transfer = _picture(event, "transfer", Transfer)
    status = _OUTCOMES.get((event.type, transfer.transfer_type))
    if not transfer.is_live or status is None:
        return transfer
    return replace(transfer, transfer_status=status)


def _of_transfer(event: Event, wire: Wire, _configuration: Configuration) -> Body:
    return wire.transfer(_picture(event, "transfer", Transfer))


def _of_task(event: Event, told: Representation, configuration: Configuration) -> Body:
    return told.task(_task(event), configuration, event.occurred_at)


def _of_worker(event: Event, told: Representation, configuration: Configuration) -> Body:
    return told.worker(_worker(event), configuration)


def _of_channel(event: Event, told: Representation, configuration: Configuration) -> Body:
    channel = _picture(event, "worker_channel", WorkerChannel)
    return told.worker_channel(channel, configuration)


def needs(event: Event, configuration: Configuration) -> Instant | None:
    """When that was made which an application must know to be told of the event."""
    if event.type == "worker.activity.update":
        activity = configuration.activities.get(event.carried["worker_activity_sid"])
        return activity.created_at if activity else None
    if event.type in {"worker.capacity.update", "worker.channel.availability.update"}:
        return _picture(event, "worker_channel", WorkerChannel).created_at
    return None


def _of_legacy_reservation(
    event: Event, told: Representation, configuration: Configuration
) -> Body:
    """The Task, with the Reservation's SID beside its own."""
    return _of_task(event, told, configuration) | {"reservation_sid": event.reservation_sid}


#: {(the Reservation's event, the Transfer's type): what the Transfer is by it}. In a TaskQueue
#: others are asked, so that it goes on.
_OUTCOMES: Final = {
    ("reservation.accepted", transfers.TO_WORKER): transfers.COMPLETE,
    ("reservation.accepted", transfers.TO_QUEUE): transfers.COMPLETE,
    ("reservation.rejected", transfers.TO_WORKER): transfers.FAILED,
    ("reservation.timeout", transfers.TO_WORKER): transfers.FAILED,
    ("reservation.canceled", transfers.TO_WORKER): transfers.FAILED,
}

_Maker = Callable[[Event, Any, Configuration], Body]
#: By the beginning of the type; the longest that fits.
_CURRENT: Final[Mapping[str, _Maker]] = {
    "reservation.failed": _of_task,
    "reservation.": _of_reservation,
    "task.": _of_task,
    "task.transfer-": _of_transfer,
    "worker.capacity": _of_channel,
    "worker.channel": _of_channel,
    "worker.": _of_worker,
}
_LEGACY: Final[Mapping[str, _Maker]] = {
    **_CURRENT,
    "reservation.": _of_legacy_reservation,
    "task.transfer-": _of_task,
}


def _payload(
    makers: Mapping[str, _Maker], event: Event, told: Representation, configuration: Configuration
) -> Body:
    fitting = max((begin for begin in makers if event.type.startswith(begin)), key=len)
    return makers[fitting](event, told, configuration)
