"""What the engine keeps for the voice side: its Calls, and the Instructions it carries out.

The engine stores and times them in the same transactions as Tasks; what they mean is voice's
matter.
"""

from dataclasses import dataclass
from typing import Final

from routing.clock import Instant

REQUESTED: Final = "requested"
IN_PROGRESS: Final = "in-progress"
DONE: Final = "done"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A caller's call that our voice door answered."""

    #: Twilio's CallSid.
    sid: str
    workspace_sid: str
    task_sid: str
    from_address: str
    to_address: str
    #: Twilio's CallStatus as last heard.
    status: str
    #: The highest SequenceNumber of a status callback that was heard; -1 before the first.
    sequence_number: int
    #: JSON text of what is known of the call, for whoever comes later: its attributes as they rang.
    parameters: str
    #: When to ask Twilio whether it still lives; None once it has ended.
    due_at: Instant | None
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """Something to be done on the phone line for a Reservation, and how far it got."""

    sid: str
    workspace_sid: str
    task_sid: str
    reservation_sid: str
    #: conference, or what voice needs beside it; later dequeue, call, redirect, supervise.
    kind: str
    state: str
    #: How far it got within the state; the kind decides the words.
    step: str
    #: JSON text of the parameters it was given.
    parameters: str
    worker_call_sid: str | None
    customer_call_sid: str | None
    conference_sid: str | None
    #: What went wrong, for people; None unless it failed.
    failure: str | None
    #: When its next step is due; None once it is done or has failed.
    due_at: Instant | None
    #: Whoever works on it has it until then; None when nobody does.
    leased_until: Instant | None
    attempts: int
    created_at: Instant
    updated_at: Instant
