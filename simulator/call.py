"""A call: one leg between the network and a phone, and everything that is known of it.

Changed only by `network` and the scripts that it runs, under the network's lock.
"""

import dataclasses
from collections.abc import Callable

from requests.cookies import RequestsCookieJar

from simulator.agenda import Interruption, Script, Signal, Timer
from simulator.recording import LegRecording, Recording
from simulator.webhook import Parameters

QUEUED, RINGING, IN_PROGRESS = "queued", "ringing", "in-progress"
COMPLETED, BUSY, FAILED = "completed", "busy", "failed"
NO_ANSWER, CANCELED = "no-answer", "canceled"

LIVE = (QUEUED, RINGING, IN_PROGRESS)

INBOUND, OUTBOUND_API, OUTBOUND_DIAL = "inbound", "outbound-api", "outbound-dial"

#: What the callee's network answers, by the call's last status.
SIP_CODES = {COMPLETED: 200, BUSY: 486, NO_ANSWER: 487, CANCELED: 487, FAILED: 404}


class HungUp(Interruption):
    """The call has ended; its status says how."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DocumentRequest:
    """TwiML that a call is to follow: fetched from `url`, or given as `twiml`."""

    url: str | None = None
    twiml: str | None = None
    method: str = "POST"
    parameters: Parameters = ()


class Redirected(Interruption):
    """The call is to leave what it does and follow another document."""

    def __init__(self, request: DocumentRequest) -> None:
        super().__init__()
        self.request = request


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sound:
    """One sound on a line, with all that a loudspeaker needs; `text` reads the same to an eye."""

    verb: str  # Say or Play
    text: str
    #: Of a <Say>, as it was written there.
    language: str | None = None
    voice: str | None = None
    #: Of a <Play>: where the sound is.
    url: str | None = None
    #: What has no address: hold-music, beep or keys.
    tone: str | None = None
    #: 0: again and again, until something else is heard; a repeat that is counted is a sound anew.
    loop: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heard(Sound):
    number: int  # 1, 2, 3, ... within its call
    at: int


HOLD_MUSIC = Sound(verb="Play", text="Twilio's hold music", tone="hold-music", loop=0)
BEEP = Sound(verb="Play", text="a beep", tone="beep")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProgressCallback:
    """Who is told about a call's progress, and of what."""

    url: str
    method: str = "POST"
    events: tuple[str, ...] = ("completed",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attestation:
    """What others say of whoever calls; None: nothing but the usual."""

    #: How far the carriers vouch for the number: TN-Validation-Passed-A, ...
    stir_verstat: str | None = None
    #: The PASSporT that came with the call (a JWT).
    passport_token: str | None = None
    #: What the account's add-ons have found out, as JSON.
    add_ons: str | None = None


@dataclasses.dataclass(kw_only=True, eq=False)
class Call:
    sid: str
    from_: str
    to: str
    direction: str
    created_at: int
    status: str = QUEUED
    parent: "Call | None" = None
    phone_number_sid: str | None = None
    forwarded_from: str | None = None
    caller_name: str | None = None  # "" where it was looked up and is not known
    attestation: Attestation = Attestation()
    #: The TwiML application through which its documents come.
    application_sid: str | None = None
    #: What machine detection has found: human, machine_start, ...
    answered_by: str | None = None
    #: What the callee's network said, where it is not what it usually says.
    sip_code: int | None = None
    group_sid: str | None = None
    #: How the call is recorded from its answer on; None: not.
    recorded: LegRecording | None = None
    recording: Recording | None = None  # what came of that
    #: How long it stood in line for its turn to be dialled.
    queued_ms: int = 0
    updated_at: int = 0
    started_at: int | None = None  # when it began to ring
    answered_at: int | None = None
    ended_at: int | None = None
    fallback_url: str | None = None
    fallback_method: str = "POST"
    progress: ProgressCallback | None = None
    progress_sent: int = 0  # the next SequenceNumber
    #: The first request of an inbound call carries CallToken and StirVerstat, the others do not.
    is_first_request: bool = True
    heard: list[Heard] = dataclasses.field(default_factory=list)
    #: The number of the sound that goes on now; None: there is none, or it was cut off.
    sounding: int | None = None
    cookies: RequestsCookieJar = dataclasses.field(default_factory=RequestsCookieJar)
    script: Script | None = None
    #: Fires with "answered" or the status with which ringing ended.
    picked_up: Signal[str] | None = None
    ring_timers: list[Timer] = dataclasses.field(default_factory=list)
    #: Who takes the keys that are pressed; None: nobody listens.
    on_key: Callable[[str], None] | None = None
    #: Who takes what is said, with the confidence of having understood it.
    on_speech: Callable[[str, float], None] | None = None
    #: Who takes it that the phone sends the other side on; None: it talks to nobody in a <Dial>.
    on_refer: Callable[[str], None] | None = None
    queue_sid: str | None = None
    conference_sid: str | None = None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def has_ended(self) -> bool:
        return self.status not in LIVE

    def duration_seconds(self, now: int) -> int:
        """Whole seconds of conversation, counted from the answer."""
        if self.answered_at is None:
            return 0
        return ((self.ended_at or now) - self.answered_at) // 1000
