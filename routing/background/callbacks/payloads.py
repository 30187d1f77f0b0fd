"""What a callback says, in Twilio's fields, and the signature that proves whose it is.

The fields are those that were recorded from Twilio: what an event carries in snake_case is sent
under the same names in PascalCase, every value a string.
"""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

from routing.clock import SECOND
from routing.events import Event

FORM: Final = "form"
JSON: Final = "json"

#: What Twilio signs with; receivers check it with their helper library's RequestValidator.
SIGNATURE: Final = "X-Twilio-Signature"
#: Ours: the same made with the previous token, for receivers that have not changed theirs yet.
PREVIOUS_SIGNATURE: Final = "X-Tandem-Previous-Signature"
#: The same for every try of one delivery.
TOKEN: Final = "I-Twilio-Idempotency-Token"  # noqa: S105 - a header's name

#: The assignment callback's fields, as recorded, by the names under which the event carries them.
_ASSIGNMENT: Final = (
    "task_age",
    "task_attributes",
    "task_priority",
    "task_queue_sid",
    "task_sid",
    "worker_attributes",
    "worker_sid",
    "workflow_sid",
    "workspace_sid",
    "reservation_sid",
)


def of_event(event: Event, account_sid: str) -> dict[str, str]:
    """The fields of an event callback."""
    fields = {
        "AccountSid": account_sid,
        "EventDescription": event.description,
        "EventType": event.type,
        "ResourceSid": event.resource_sid,
        "ResourceType": event.resource_type,
        "Sid": event.sid,
        "Timestamp": str(event.occurred_at // SECOND),
        "TimestampMs": str(event.occurred_at),
        "WorkspaceSid": event.workspace_sid,
    }
    if "task_attributes" in event.carried:
        fields["TaskAddons"] = "{}"  # Twilio's marketplace, which there is none of here
    fields.update((_pascal(name), value) for name, value in event.carried.items())
    return fields


def of_assignment(event: Event, account_sid: str) -> dict[str, str]:
    """The eleven fields of an assignment callback, from the `reservation.created` it is about."""
    carried = event.carried
    fields = {_pascal(name): carried.get(name, "") for name in _ASSIGNMENT}
    return {"AccountSid": account_sid, **fields}


@lru_cache(maxsize=512)
def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request that is ready to be sent, as often as it takes."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"


def signed(
    fields: Mapping[str, str],
    *,
    url: str,
    delivery_sid: str,
    auth_tokens: Sequence[str],
    form: str = FORM,
) -> Message:
    """The request that carries these fields to the URL (`posting.wire_url` has been over it).

    The first of the tokens signs, as with Twilio the primary one does.
    """
    if form == JSON:
        body = json.dumps(fields, ensure_ascii=False).encode()
        url += f"{'&' if '?' in url else '?'}bodySHA256={hashlib.sha256(body).hexdigest()}"
        content_type, covered = "application/json", {}
    else:
        body = urlencode(fields).encode()
        content_type, covered = "application/x-www-form-urlencoded; charset=utf-8", dict(fields)
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Content-Type": content_type,
        "User-Agent": "TwilioProxy/1.1",
        TOKEN: str(uuid.UUID(hex=delivery_sid[2:])),
    }
    for name, token in zip((SIGNATURE, PREVIOUS_SIGNATURE), auth_tokens, strict=False):
        headers[name] = signature(url, covered, token)
    return Message(url=url, body=body, headers=headers)


def relayed(
    fields: Mapping[str, str],
    *,
    url: str,
    method: str,
    delivery_sid: str,
    auth_tokens: Sequence[str],
) -> Message:
    """A status callback as Twilio sends it: a form, or by GET the same in the query."""
    if method == "POST":
        return signed(fields, url=url, delivery_sid=delivery_sid, auth_tokens=auth_tokens)
    url += ("&" if "?" in url else "?") + urlencode(fields)
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": "TwilioProxy/1.1",
        TOKEN: str(uuid.UUID(hex=delivery_sid[2:])),
    }
    for name, token in zip((SIGNATURE, PREVIOUS_SIGNATURE), auth_tokens, strict=False):
        headers[name] = signature(url, {}, token)
    return Message(url=url, body=b"", headers=headers, method=method)


def signature(url: str, fields: Mapping[str, str], auth_token: str) -> str:
    """Base64 of HMAC-SHA1 over the URL and each field's name and value, the names in order."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    made = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(made.digest()).decode()
