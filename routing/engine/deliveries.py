"""Callbacks that are owed: written once, leased for a try, settled, sent again.

They are read and sent by routing.background.callbacks; here is only what happens to their rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from routing import sids
from routing.clock import SECOND, Instant
from routing.delivery import DEAD, DELIVERED, PENDING, Delivery
from routing.errors import NotFound, RoutingError
from routing.events import Event
from routing.ports import Work

#: Rows that one sweep gives up or forgets at most, so that it never holds others up for long.
SWEPT_AT_ONCE = 500
#: Seconds after which what is sent again because somebody said so is given up once more.
AGAIN_SECONDS = 86_400
#: Seconds that what was given up is kept to be looked into: as long as Twilio keeps events.
DEAD_KEPT_SECONDS = 30 * 86_400


def of_event(event: Event, kind: str, url: str, *, now: Instant, give_up_at: Instant) -> Delivery:
    """What is owed for the event at that URL.

    An assignment is asked for by itself; events arrive in the order of what happened to one Task
    (its Reservations included), or to one resource of another kind.
    """
    of_reservation = event.reservation_sid if kind == "assignment" else None
    subject = of_reservation or event.sid
    return Delivery(
        sid=sids.DELIVERY + subject[2:],
        workspace_sid=event.workspace_sid,
        kind=kind,
        event_sid=event.sid,
        position=event.position,
        order_key=of_reservation or event.task_sid or event.resource_sid,
        receiver=receiver_of(kind, url),
        reservation_sid=event.reservation_sid,
        url=url,
        state=PENDING,
        attempts=0,
        due_at=now,
        leased_until=None,
        give_up_at=give_up_at,
        kept_until=None,
        last_status=None,
        last_error=None,
        created_at=now,
        updated_at=now,
    )


def receiver_of(kind: str, url: str) -> str:
    """Whose limit the URL's requests count towards: its kind and origin."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError:
        return f"{kind} {url}"
    return f"{kind} {parts.scheme}://{parts.hostname}:{port}"


def owe(work: Work, owed: Iterable[Delivery]) -> int:
    """Writes what is not written yet; how many there were of those.

    Raises Conflict when another process writes the same at this moment: it is there then.
    """
    by_sid = {delivery.sid: delivery for delivery in owed}
    for known in work.deliveries.find(sid=frozenset(by_sid)):
        del by_sid[known.sid]
    for delivery in by_sid.values():
        work.deliveries.add(delivery)
    return len(by_sid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a try."""

    #: As it was leased.
    delivery: Delivery
    #: The state it has now.
    state: str
    #: When it is tried again, where it is still pending.
    due_at: Instant | None = None
    #: It was leased and then not tried after all.
    was_not_sent: bool = False
    status: int | None = None
    error: str | None = None


def settle(work: Work, tried: Iterable[Tried], *, keep_seconds: int) -> None:
    """Writes what came of tries; where a lease was lost meanwhile, only a success counts."""
    by_sid = {one.delivery.sid: one for one in tried}
    # In the order of their SIDs, so that two processes do not wait for one another.
    alike: dict[tuple[tuple[str, object], ...], set[str]] = {}
    for row in work.deliveries.find(sid=frozenset(by_sid), order_by="sid", lock=True):
        one = by_sid[row.sid]
        is_ours = row.leased_until == one.delivery.leased_until
        if row.state == PENDING and (is_ours or one.state == DELIVERED):
            columns = settled(work.now, one, keep_seconds)
            alike.setdefault(tuple(columns.items()), set()).add(row.sid)
    for changes, same in alike.items():
        work.deliveries.set_all(same, **dict(changes))


def settled(now: Instant, tried: Tried, keep_seconds: int) -> dict[str, object]:
    """The columns of a row whose try ended like this."""
    kept = {PENDING: None, DEAD: now + DEAD_KEPT_SECONDS * SECOND}
    return {
        "attempts": tried.delivery.attempts - tried.was_not_sent,
        "state": tried.state,
        "due_at": tried.due_at if tried.state == PENDING else None,
        "leased_until": None,
        "kept_until": kept.get(tried.state, now + keep_seconds * SECOND),
        "last_status": tried.status,
        "last_error": tried.error,
        "updated_at": now,
    }


def lease(work: Work, wishes: Mapping[str, int], *, seconds: int) -> list[Delivery]:
    """Deliveries that are due, at most so many for each receiver, for this caller alone."""
    leased_until = work.now + seconds * SECOND
    leased: list[Delivery] = []
    by_attempts: dict[int, set[str]] = {}
    for receiver, most in wishes.items():
        for delivery in work.due_deliveries(receiver, work.now, most):
            attempts = delivery.attempts + 1
            leased.append(replace(delivery, leased_until=leased_until, attempts=attempts))
            by_attempts.setdefault(attempts, set()).add(delivery.sid)
    for attempts, sids_ in by_attempts.items():
        work.deliveries.set_all(sids_, leased_until=leased_until, attempts=attempts)
    return leased


def release_all(work: Work) -> None:
    """No other process can be at work: whoever holds a lease is dead."""
    for delivery in work.deliveries.find(state=PENDING):
        if delivery.leased_until is not None:
            work.deliveries.change(delivery.sid, leased_until=None)


def give_up(work: Work, receiver: str) -> int:
    """Gives up the receiver's oldest deliveries whose time is over; how many there were."""
    oldest = work.deliveries.find(
        receiver=receiver, state=PENDING, order_by="position", limit=SWEPT_AT_ONCE, lock=True
    )
    over = [row for row in oldest if row.give_up_at <= work.now and not _is_leased(work, row)]
    for row in over:
        error = row.last_error or "the receiver could not be reached in time"
        gone = Tried(delivery=row, state=DEAD, status=row.last_status, error=error)
        work.deliveries.change(row.sid, **settled(work.now, gone, 0))
    return len(over)


def _is_leased(work: Work, delivery: Delivery) -> bool:
    return delivery.leased_until is not None and delivery.leased_until > work.now


def forget(work: Work) -> int:
    """Deletes rows that are over and were kept long enough; how many there were."""
    old = work.kept_deliveries(work.now, SWEPT_AT_ONCE)
    return sum(work.deliveries.remove(sid) for sid in old)


def find(work: Work, *, workspace_sid: str, delivery_sid: str) -> Delivery:
    """The Delivery of that Workspace; raises NotFound when there is none."""
    delivery = work.deliveries.get(delivery_sid)
    if delivery is None or delivery.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Deliveries/{delivery_sid}")
    return delivery


def send_again(work: Work, *, workspace_sid: str, delivery_sid: str) -> Delivery:
    """Somebody wants it to be sent now, whatever became of it.

    Its receiver sees the same event SID and the same token as before. Raises RoutingError for an
    assignment callback that is over: its Reservation has been decided.
    """
    find(work, workspace_sid=workspace_sid, delivery_sid=delivery_sid)
    delivery = work.deliveries.get(delivery_sid, lock=True)
    if delivery is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/Deliveries/{delivery_sid}")
    if delivery.kind == "assignment" and delivery.state != PENDING:
        raise RoutingError(
            f"Cannot send delivery {delivery_sid} again: its Reservation has been decided."
        )
    columns: dict[str, object] = {
        "state": PENDING,
        "due_at": work.now,
        "give_up_at": max(delivery.give_up_at, work.now + AGAIN_SECONDS * SECOND),
        "kept_until": None,
        "updated_at": work.now,
    }
    work.deliveries.change(delivery_sid, **columns)
    return replace(delivery, **columns)  # type: ignore[arg-type]  # the names are the record's own
