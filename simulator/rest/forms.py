"""The parameters of a REST call: every name known, every value checked, errors in Twilio's
numbers.
"""

import re
import urllib.parse
from collections.abc import Iterable
from typing import Any

from werkzeug.datastructures import MultiDict

from simulator import permissions
from simulator.call import DocumentRequest, ProgressCallback
from simulator.clock import iso_8601
from simulator.endpoint import is_address, is_phone_number
from simulator.machine import DETECT_MESSAGE_END, ENABLE, Detection
from simulator.network import Network
from simulator.recording import EVENTS, LegRecording, RecordingCallback
from simulator.rest import errors
from simulator.rest.errors import bad
from simulator.twiml import TwimlError, parse
from simulator.vocabulary import BYOC_TRUNK
from simulator.webhook import parse_overrides

LONGEST_TWIML = 4000  # characters

#: Twilio's, and of no effect where there is no sound and no other network: only checked.
INAUDIBLE = {
    "Trim": r"trim-silence|do-not-trim",
    "ConferenceTrim": r"trim-silence|do-not-trim",
    "RecordingTrack": r"inbound|outbound|both",
    "Region": r"us1|us2|ie1|de1|sg1|br1|au1|jp1",
    "JitterBufferSize": r"small|medium|large|off",
    "EarlyMedia": r"(?i)true|false",
    "CallReason": r".{1,50}",
    "CallerDisplayName": r".{0,256}",
    "SipAuthUsername": r".{1,256}",
    "SipAuthPassword": r".{1,256}",
    "Byoc": BYOC_TRUNK,
}

#: Twilio's, but not simulated: refused unless they say "off".
NOT_SIMULATED = frozenset({
    "ClientNotificationUrl", "IncludeSoftDeleted", "Beta", "Origin",
    "AccountSid", "ApiVersion", "AddressSid", "BundleSid", "IdentitySid", "EmergencyStatus",
    "EmergencyAddressSid", "TrunkSid", "VoiceReceiveMode", "SmsApplicationSid",
    "SmsFallbackMethod", "SmsFallbackUrl", "SmsMethod", "SmsUrl", "SmsStatusCallback",
    "MessageStatusCallback", "PublicApplicationConnectEnabled",
})  # fmt: skip
OFF = ("", "false")

#: How far machine detection can be tuned: seconds, then milliseconds. Two of them tell how long a
#: greeting is, of which there is none to be heard here.
DETECTION_RANGES = {
    "Timeout": (3, 60),
    "SpeechThreshold": (1000, 6000),
    "SpeechEndThreshold": (500, 5000),
    "SilenceTimeout": (2000, 10_000),
}
DETECTION = frozenset(f"MachineDetection{name}" for name in ("", *DETECTION_RANGES))


class Form:
    """What was sent, with one method per kind of value. Raises RestError."""

    def __init__(self, sent: "MultiDict[str, str]", known: Iterable[str]) -> None:
        self._sent = sent
        for name in sent:
            if name in known:
                continue
            if name in NOT_SIMULATED:
                if sent[name].lower() not in OFF:
                    raise bad(errors.BAD_VALUE, f"{name} is Twilio's, but it is not simulated")
            elif name not in INAUDIBLE:
                expected = ", ".join(sorted(known)) or "none"
                raise bad(errors.BAD_VALUE, f"Unknown parameter {name}; known are: {expected}")
            elif sent[name] and not re.fullmatch(INAUDIBLE[name], sent[name]):
                code = errors.INVALID_BYOC_TRUNK if name == "Byoc" else errors.BAD_VALUE
                raise bad(code, f"{name} is {INAUDIBLE[name]}, not {sent[name]!r}")

    def has(self, name: str) -> bool:
        return name in self._sent

    def text(self, name: str) -> str | None:
        return self._sent.get(name)

    def several(self, name: str) -> tuple[str, ...]:
        """A repeated parameter; several words in one value count, too."""
        return tuple(word for value in self._sent.getlist(name) for word in value.split())

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._sent.get(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise bad(errors.BAD_VALUE, f"{name} is true or false, not {value!r}")
        return value.lower() == "true"

    def optional_flag(self, name: str) -> bool | None:
        return self.flag(name, default=False) if self.has(name) else None

    def number(
        self, name: str, *, least: int, most: int, code: int = errors.BAD_VALUE
    ) -> int | None:
        value = self._sent.get(name)
        if value is None:
            return None
        if not re.fullmatch(r"\d{1,9}", value) or not least <= int(value) <= most:
            raise bad(code, f"{name} is a whole number from {least} to {most}, not {value!r}")
        return int(value)

    def method(self, name: str, default: str = "POST") -> str:
        value = self._sent.get(name, default).upper()
        if value not in ("GET", "POST"):
            raise bad(errors.INVALID_METHOD, f"{name} is GET or POST, not {value!r}")
        return value

    def url(self, name: str, code: int = errors.INVALID_URL) -> str | None:
        value = self._sent.get(name)
        if value is None or value == "":
            return value
        parts = urllib.parse.urlsplit(parse_overrides(value)[0])
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in value:
            raise bad(code, f"{name} is an absolute http or https URL, not {value!r}")
        if code == errors.INVALID_STATUS_CALLBACK and "_" in parts.hostname:
            raise bad(code, f"{name}: Twilio refuses a host name with an underscore: {value!r}")
        return value

    def one_of(self, name: str, *words: str) -> str | None:
        value = self._sent.get(name)
        if value is not None and value not in words:
            raise bad(errors.BAD_VALUE, f"{name} is one of {', '.join(words)}, not {value!r}")
        return value

    # -- what several resources share

    def parties(self, network: Network) -> tuple[str, str]:
        """From and To of an outbound call."""
        to, from_ = self.text("To"), self.text("From")
        if not to:
            raise bad(errors.NO_TO, "No 'To' number is specified")
        if not is_address(to):
            raise bad(errors.INVALID_TO, f"Invalid 'To' phone number: {to}")
        if not from_:
            raise bad(errors.NO_FROM, "Caller phone number is required: 'From'")
        if not is_address(from_) and not is_phone_number(from_):
            raise bad(errors.INVALID_FROM, f"Invalid 'From' phone number: {from_}")
        caller_id = self.text("CallerId") or from_
        if not is_address(caller_id):
            raise bad(errors.INVALID_FROM, f"Invalid 'CallerId': {caller_id}")
        refused = permissions.refusal(network.settings, from_=caller_id, to=to)
        if refused is not None:
            raise bad(refused.code, f"{refused.message}: {to}")
        # With the token of a caller's own call, that caller may be shown to the callee.
        is_forwarded = bool(self.text("CallToken"))
        if is_phone_number(to) and not is_forwarded and network.number(caller_id) is None:
            message = f"Source phone number {caller_id} is not a number of this account"
            raise bad(errors.FROM_NOT_OWNED, message)
        return caller_id, to

    def timeout(self) -> int:
        """Seconds of ringing."""
        found = self.number("Timeout", least=5, most=600, code=errors.INVALID_TIMEOUT)
        return 60 if found is None else found

    def time_limit(self) -> int | None:
        return self.number("TimeLimit", least=1, most=86_400)

    def progress(self) -> ProgressCallback | None:
        url = self.url("StatusCallback", errors.INVALID_STATUS_CALLBACK)
        if not url:
            return None
        return ProgressCallback(
            url=url,
            method=self.method("StatusCallbackMethod"),
            events=self.several("StatusCallbackEvent") or ("completed",),
        )

    def leg_recording(self) -> "LegRecording | None":
        """What `Record` of an outbound call asks for."""
        channels = 2 if self.one_of("RecordingChannels", "mono", "dual") == "dual" else 1
        callback = self.recording()
        if not self.flag("Record", default=False):
            return None
        track = self.text("RecordingTrack") or "both"
        return LegRecording(channels=channels, track=track, callback=callback)

    def keys(self) -> str | None:
        """SendDigits: pressed as soon as somebody has answered; w waits half a second."""
        value = self.text("SendDigits")
        if value is not None and not re.fullmatch(r"[0-9wW#*]{1,32}", value):
            message = f"SendDigits are up to 32 of 0-9, *, # and w, not {value!r}"
            raise bad(errors.INVALID_DIGITS, message)
        return value

    def detection(self, *, is_aside: bool, callback: str) -> Detection | None:
        """What `MachineDetection` asks for; its verdict goes to the parameter named `callback`."""
        numbers = {
            name: self.number(f"MachineDetection{name}", least=least, most=most)
            for name, (least, most) in DETECTION_RANGES.items()
        }
        url = self.url(callback, errors.INVALID_STATUS_CALLBACK) or None
        method = self.method(f"{callback}Method")
        mode = self.one_of("MachineDetection", "", "none", ENABLE, DETECT_MESSAGE_END)
        if mode not in (ENABLE, DETECT_MESSAGE_END):
            return None
        return Detection(
            mode=mode,
            is_aside=is_aside,
            timeout_seconds=numbers["Timeout"] or 30,
            silence_ms=numbers["SilenceTimeout"] or 5000,
            callback_url=url,
            callback_method=method,
        )

    def within(self, name: str, instant: int | None) -> bool:
        """Does an instant meet the filters `name`, `name<` (until) and `name>` (from)?"""
        asked = [(mark, self.text(name + mark)) for mark in ("", "<", ">")]
        for mark, text in asked:
            if text is None:
                continue
            found = re.match(r"(\d{4}-\d\d-\d\d)(T[\d:]+(\.\d+)?Z)?$", text)
            if found is None:
                message = f"{name}{mark} is YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, not {text!r}"
                raise bad(errors.BAD_VALUE, message)
            if instant is None:
                return False
            # The clients write a day as its midnight.
            wanted = text.rstrip("Z").partition(".")[0].removesuffix("T00:00:00")
            told = iso_8601(instant)[: len(wanted)]
            if not {"": told == wanted, "<": told <= wanted, ">": told >= wanted}[mark]:
                return False
        return True

    def recording(self, prefix: str = "") -> RecordingCallback | None:
        """Who is told of a recording, from `prefix` + RecordingStatusCallback and its like."""
        name = f"{prefix}RecordingStatusCallback"
        url = self.url(name, errors.INVALID_STATUS_CALLBACK)
        events = self.several(f"{name}Event") or ("completed",)
        unknown = set(events) - set(EVENTS)
        if unknown:
            raise bad(errors.BAD_VALUE, f"{name}Event: unknown {', '.join(sorted(unknown))}")
        method = self.method(f"{name}Method")
        return RecordingCallback(url=url, method=method, events=events) if url else None

    def document(self) -> DocumentRequest | None:
        """Url (it wins) or Twiml. TwiML that cannot be read is refused at once."""
        url = self.url("Url")
        if url:
            return DocumentRequest(url=url, method=self.method("Method"))
        twiml = self.text("Twiml")
        if twiml is None:
            return None
        if len(twiml) > LONGEST_TWIML:
            raise bad(errors.BAD_VALUE, f"Twiml is at most {LONGEST_TWIML} characters long")
        try:
            parse(twiml)
        except TwimlError as error:
            raise bad(error.code, f"Twiml: {error.message}") from error
        return DocumentRequest(twiml=twiml)


def dates(*names: str) -> frozenset[str]:
    """The parameters of a list that filter by a date: exactly, until and from."""
    return frozenset(name + mark for name in names for mark in ("", "<", ">"))


def where_calls_lead(form: Form) -> dict[str, Any]:
    """What numbers and applications have in common, by the names of their fields."""
    changes: dict[str, Any] = {}
    if form.has("FriendlyName"):
        changes["friendly_name"] = form.text("FriendlyName")
    if form.has("VoiceCallerIdLookup"):
        changes["voice_caller_id_lookup"] = form.flag("VoiceCallerIdLookup", default=False)
    for wire, field, code in (
        ("VoiceUrl", "voice_url", errors.INVALID_URL),
        ("VoiceFallbackUrl", "voice_fallback_url", errors.INVALID_URL),
        ("StatusCallback", "status_callback", errors.INVALID_STATUS_CALLBACK),
    ):
        if form.has(wire):
            changes[field] = form.url(wire, code) or None
    for wire, field in (
        ("VoiceMethod", "voice_method"),
        ("VoiceFallbackMethod", "voice_fallback_method"),
        ("StatusCallbackMethod", "status_callback_method"),
    ):
        if form.has(wire):
            changes[field] = form.method(wire)
    return changes
