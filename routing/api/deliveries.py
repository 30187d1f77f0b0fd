"""/v1/Workspaces/{sid}/Deliveries: what callbacks were owed, how far they got, and once more.

An extension: Twilio keeps this to itself.
"""

from typing import Annotated, Literal

from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer
from routing.api.paging import By, Order, Page, Paged, page_answer, page_of
from routing.api.parameters import EventSid, Parameters, ReservationSid
from routing.api.representation import Body
from routing.api.stored import Stored
from routing.clock import Instant, iso_8601
from routing.delivery import Delivery
from routing.engine import deliveries
from routing.ports import Work

resource = Resource()
_ALL = "/Workspaces/<workspace_sid>/Deliveries"
_ONE = "/Workspaces/<workspace_sid>/Deliveries/<delivery_sid>"
_NEWEST_FIRST: Order = (By("created_at", descending=True), By("sid", descending=True))


class ListDelivery(Paged, frozen=True, kw_only=True, rename="pascal"):
    state: Literal["pending", "delivered", "dead", "skipped"] | None = None
    kind: Literal["event", "assignment"] | None = None
    event_sid: EventSid | None = None
    reservation_sid: ReservationSid | None = None


class UpdateDelivery(Parameters, frozen=True, kw_only=True, rename="pascal"):
    #: The one thing that can be asked for: that it is sent again.
    state: Annotated[Literal["pending"], Meta(description="pending, which sends it again")]


@resource.operation("ListDelivery", "GET", _ALL, ListDelivery, is_extension=True)
def list_deliveries(door: Door, given: ListDelivery, workspace_sid: str) -> Response:
    found = door.read(_page, workspace_sid=workspace_sid, given=given)
    return page_answer(
        "deliveries", given, found.result, lambda one: _body(door, one), door.represent.base
    )


def _page(work: Work, *, workspace_sid: str, given: ListDelivery) -> Page[Delivery]:
    filters = given.filters() | {"workspace_sid": workspace_sid}
    return page_of(given, Stored(work, Delivery, filters, _NEWEST_FIRST))


@resource.operation("FetchDelivery", "GET", _ONE, Parameters, is_extension=True)
def fetch(door: Door, _given: Parameters, workspace_sid: str, delivery_sid: str) -> Response:
    found = door.read(deliveries.find, workspace_sid=workspace_sid, delivery_sid=delivery_sid)
    return answer(_body(door, found.result))


@resource.operation("UpdateDelivery", "POST", _ONE, UpdateDelivery, is_extension=True)
def update(door: Door, _given: UpdateDelivery, workspace_sid: str, delivery_sid: str) -> Response:
    done = door.perform(
        deliveries.send_again, workspace_sid=workspace_sid, delivery_sid=delivery_sid
    )
    return answer(_body(door, done.result))


def _body(door: Door, delivery: Delivery) -> Body:
    workspace_url = f"{door.represent.base}/Workspaces/{delivery.workspace_sid}"
    return {
        "sid": delivery.sid,
        "account_sid": door.represent.account_sid,
        "workspace_sid": delivery.workspace_sid,
        "kind": delivery.kind,
        "state": delivery.state,
        "callback_url": delivery.url,
        "event_sid": delivery.event_sid,
        "reservation_sid": delivery.reservation_sid,
        "attempts": delivery.attempts,
        "date_next_attempt": _date(delivery.due_at),
        "date_given_up": _date(delivery.give_up_at),
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "date_created": iso_8601(delivery.created_at),
        "date_updated": iso_8601(delivery.updated_at),
        "url": f"{workspace_url}/Deliveries/{delivery.sid}",
        "links": {
            "workspace": workspace_url,
            "event": f"{workspace_url}/Events/{delivery.event_sid}",
        },
    }


def _date(instant: Instant | None) -> str | None:
    return None if instant is None else iso_8601(instant)
