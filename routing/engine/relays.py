"""Status callbacks that an instruction asked for: what Twilio tells us is told on to whom it names.

With Twilio's TaskRouter the network calls the instruction's URLs itself; here it calls us, who need
the news, too. What is owed is a Delivery like any other, with the fields in a row of its own; the
same news is never owed twice, however often it comes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from routing import call as states
from routing import sids
from routing.call import Instruction
from routing.clock import SECOND
from routing.delivery import PENDING, RELAY, Delivery
from routing.engine import deliveries
from routing.ports import Work

#: The kind of the row that keeps what is told.
KIND: Final = "relay"
#: Seconds after which nobody wants to hear of a phone's ringing any more.
GIVE_UP_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the news are about."""

    #: Of an Instruction or a call.
    sid: str
    workspace_sid: str
    task_sid: str
    reservation_sid: str = ""

    @classmethod
    def of(cls, instruction: Instruction) -> "Subject":
        return cls(
            sid=instruction.sid,
            workspace_sid=instruction.workspace_sid,
            task_sid=instruction.task_sid,
            reservation_sid=instruction.reservation_sid,
        )


def owe(
    work: Work,
    *,
    subject: Subject,
    line: str,
    key: str,
    url: str,
    method: str,
    fields: Mapping[str, str],
) -> None:
    """Has `fields` told to the URL; nothing where this was asked for before.

    `line` names what keeps an order: news of one leg, or of one room. `key` names the news in it.
    """
    named = hashlib.sha256(f"{subject.sid} {line} {key}".encode()).hexdigest()[:32]
    if work.deliveries.get(sids.DELIVERY + named) is not None:
        return
    row = Instruction(
        sid=sids.INSTRUCTION + named,
        workspace_sid=subject.workspace_sid,
        task_sid=subject.task_sid,
        reservation_sid=subject.reservation_sid,
        kind=KIND,
        state=states.DONE,
        step=KIND,
        parameters=json.dumps({"method": method, "fields": dict(fields)}),
        worker_call_sid=None,
        customer_call_sid=None,
        conference_sid=None,
        failure=None,
        due_at=None,
        leased_until=None,
        attempts=0,
        created_at=work.now,
        updated_at=work.now,
    )
    work.instructions.add(row)
    work.deliveries.add(
        Delivery(
            sid=sids.DELIVERY + named,
            workspace_sid=subject.workspace_sid,
            kind=RELAY,
            event_sid=row.sid,
            position=work.now * 100 + min(count(work, subject, line), 99),
            order_key=_order_key(subject, line),
            receiver=deliveries.receiver_of(RELAY, url),
            reservation_sid=subject.reservation_sid or None,
            url=url,
            state=PENDING,
            attempts=0,
            due_at=work.now,
            leased_until=None,
            give_up_at=work.now + GIVE_UP_SECONDS * SECOND,
            kept_until=None,
            last_status=None,
            last_error=None,
            created_at=work.now,
            updated_at=work.now,
        )
    )


def count(work: Work, subject: Subject, line: str) -> int:
    """How much news of that line has been owed so far."""
    return len(work.deliveries.find(order_key=_order_key(subject, line)))


def _order_key(subject: Subject, line: str) -> str:
    return f"{subject.sid} {line}"
