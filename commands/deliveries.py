"""What callbacks are owed, for people: a list, one of them in full, and sending again."""

import json
from collections.abc import Callable, Iterable

from routing.clock import Instant, iso_8601
from routing.delivery import Delivery
from routing.engine import Engine, deliveries
from routing.errors import NotFound, RoutingError
from routing.events import Event
from routing.ports import Work
from routing.store import UnitOfWork
from routing.store.pages import DESCENDING, page

#: What prints a line.
Write = Callable[[str], None]


def show_list(engine: Engine, write: Write, *, state: str | None, limit: int) -> None:
    """The newest deliveries, of that state where one is named."""
    equal = {} if state is None else {"state": state}
    found = engine.read(_newest, equal, limit)
    for one in found:
        error = f"  {one.last_error}" if one.last_error else ""
        write(
            f"{one.sid}  {one.state:9}  {one.kind:10}  {iso_8601(one.created_at)}"
            f"  tries {one.attempts:<3}  {one.url}{error}"
        )
    if not found:
        write("There are none.")


def _newest(work: Work, equal: dict[str, str], limit: int) -> list[Delivery]:
    return work.deliveries.find(order_by="-position", limit=limit, **equal)  # type: ignore[arg-type]  # columns


def show_one(engine: Engine, write: Write, sid: str) -> bool:
    """All that is known of one; False where there is no such delivery."""
    delivery = engine.read(lambda work: work.deliveries.get(sid))
    if delivery is None:
        return False
    for name in Delivery.__dataclass_fields__:
        value = getattr(delivery, name)
        is_instant = name.endswith(("_at", "_until")) and value is not None
        write(f"{name:16} {_instant(value) if is_instant else '' if value is None else value}")
    event = engine.read(_event, delivery.event_sid)
    if event is not None:
        write(f"{'event':16} {event.type}: {event.description}")
        write(json.dumps(dict(event.carried), indent=2, ensure_ascii=False))
    return True


def _instant(value: Instant) -> str:
    return iso_8601(value)


def _event(work: Work, sid: str) -> Event | None:
    assert isinstance(work, UnitOfWork)  # noqa: S101 - the log is read in a unit of the store
    found = page(work, Event, filters={"sid": sid}, order=(("position", DESCENDING),), limit=1)
    return found.records[0] if found.records else None


def send_again(engine: Engine, write: Write, sids: Iterable[str], *, all_dead: bool) -> bool:
    """Sends those again, and `all_dead` those that were given up; False where one cannot be."""
    wanted = list(sids)
    if all_dead:
        dead = engine.read(lambda work: work.deliveries.find(state="dead", kind="event"))
        wanted += [delivery.sid for delivery in dead]
    is_well = True
    for sid in wanted:
        try:
            engine.perform(_again, sid)
            write(f"{sid} is sent again")
        except RoutingError as error:
            write(f"{sid}: {error.message}")
            is_well = False
    return is_well


def _again(work: Work, sid: str) -> None:
    delivery = work.deliveries.get(sid)
    if delivery is None:
        raise NotFound(f"/Deliveries/{sid}")
    deliveries.send_again(work, workspace_sid=delivery.workspace_sid, delivery_sid=sid)
