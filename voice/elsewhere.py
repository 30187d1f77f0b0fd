"""Callers whom another TwiML application hands over, as if Twilio's own Enqueue had run.

`<Redirect>/voice/enqueue?WorkflowSid=...&Task={...}&action=...</Redirect>` takes what
`<Enqueue workflowSid action><Task priority timeout>` takes; Twilio's signature covers the query.
The caller's own `action` is requested in the end with QueueResult and QueueTime, as the call's next
document; of a caller who has hung up, and needs none, it is told by a request of ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from routing.call import Call, Instruction
from routing.clock import SECOND
from routing.engine import relays
from routing.errors import InvalidParameter
from routing.json_text import read_object
from routing.ports import Work
from voice.attributes import attributes_of
from voice.signature import Webhook

#: Where the caller's own document goes on, among what is known of a call.
ACTION: Final = "enqueue_action"
METHOD: Final = "enqueue_method"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the query says of the Task; None where it says nothing."""

    workflow: str | None
    attributes: str
    priority: int | None
    timeout_seconds: int | None
    task_channel: str | None
    #: Kept with the Call.
    parameters: str

    @classmethod
    def plain(cls, attributes: str, task_channel: str | None = None) -> "Wish":
        """Nothing but the attributes, and a channel where the flow's is not the right one."""
        return cls(
            workflow=None,
            attributes=attributes,
            priority=None,
            timeout_seconds=None,
            task_channel=task_channel,
            parameters=attributes,
        )


def wish_of(webhook: Webhook) -> Wish:
    """Raises InvalidParameter for what cannot be used, by the parameter's name."""
    said = webhook.query
    own = read_object(said.get("Task", "{}") or "{}", parameter="Task")
    attributes = dict(read_object(attributes_of(webhook), parameter="Task")) | own
    action, method = said.get("action", ""), said.get("method", "POST").upper()
    if action and not action.startswith(("https://", "http://")):
        raise InvalidParameter("action", "expected an absolute http or https URL")
    if method not in {"GET", "POST"}:
        raise InvalidParameter("method", "expected GET or POST")
    return Wish(
        workflow=said.get("WorkflowSid") or None,
        attributes=json.dumps(attributes, ensure_ascii=False),
        priority=_number(said, "Priority"),
        timeout_seconds=_number(said, "Timeout"),
        task_channel=said.get("TaskChannel") or None,
        parameters=json.dumps(attributes | {ACTION: action, METHOD: method}, ensure_ascii=False),
    )


def _number(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidParameter(name, "expected a whole number")
    return int(text)


def goes_on(work: Work, *, call_sid: str, result: str) -> tuple[str, str, dict[str, str]] | None:
    """(URL, method, what it is told) of the caller's own document; None where there is none."""
    call = work.calls.get(call_sid)
    if call is None:
        return None
    known = read_object(call.parameters, parameter="parameters")
    action = known.get(ACTION)
    if not isinstance(action, str) or not action:
        return None
    told = {"QueueResult": result, "QueueTime": str(_waited(work, call))}
    return action, str(known.get(METHOD, "POST")), told


def tell_hang_up(work: Work, *, webhook: Webhook, result: str) -> None:
    """The caller's own `action` hears that the caller has hung up, as from Twilio's Enqueue."""
    call = work.calls.get(webhook.get("CallSid"))
    found = goes_on(work, call_sid=webhook.get("CallSid"), result=result)
    if call is None or found is None:
        return
    url, method, told = found
    fields = {
        name: value for name, value in webhook.parameters.items() if not name.startswith("Dial")
    }
    subject = relays.Subject(sid=call.sid, workspace_sid=call.workspace_sid, task_sid=call.task_sid)
    relays.owe(
        work,
        subject=subject,
        line="action",
        key="hung up",
        url=url,
        method=method,
        fields=fields | told,
    )


def _waited(work: Work, call: Call) -> int:
    """Seconds until somebody came, or until now."""
    bridges: list[Instruction] = work.instructions.find(task_sid=call.task_sid, state="done")
    until = min((each.updated_at for each in bridges if each.conference_sid), default=work.now)
    return max(0, until - call.created_at) // SECOND
