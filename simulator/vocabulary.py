"""What TwiML may hold: every verb and noun, their attributes, what each of these may be.

A value that is wrong has its number in Twilio's debugger, where Twilio has one for it; what is left
is the general 12200. What a verb does is not this room's business.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping

SCHEMA_WARNING = 12200


@dataclasses.dataclass(frozen=True)
class Rule:
    """What one attribute may be, in words and as a test, and the error code when it is not."""

    meaning: str
    accepts: Callable[[str], bool]
    code: int = SCHEMA_WARNING


def _one_of(*words: str, code: int = SCHEMA_WARNING) -> Rule:
    return Rule(f"one of {', '.join(words)}", lambda value: value in words, code)


def _number(least: int, most: int, code: int = SCHEMA_WARNING) -> Rule:
    def accepts(value: str) -> bool:
        return re.fullmatch(r"\d{1,9}", value) is not None and least <= int(value) <= most

    return Rule(f"a whole number from {least} to {most}", accepts, code)


def _words(*allowed: str, code: int = SCHEMA_WARNING) -> Rule:
    def accepts(value: str) -> bool:
        return bool(value.split()) and set(value.split()) <= set(allowed)

    return Rule(f"of {', '.join(allowed)}, separated by spaces", accepts, code)


def _flag(code: int = SCHEMA_WARNING) -> Rule:
    return Rule("true or false", lambda value: value.lower() in ("true", "false"), code)


def _matches(pattern: str, meaning: str, code: int = SCHEMA_WARNING) -> Rule:
    return Rule(meaning, lambda value: re.fullmatch(pattern, value) is not None, code)


def _url(code: int = SCHEMA_WARNING) -> Rule:
    return _matches(r"[^\s]+", "a URL without blanks", code)


def _url_or_empty(code: int) -> Rule:
    return _matches(r"[^\s]*", "a URL without blanks, or nothing", code)


def _method(code: int = SCHEMA_WARNING) -> Rule:
    return _one_of("GET", "POST", code=code)


ANY = Rule("text", lambda _: True)
URL = _url()
METHOD = _method()
NOT_HERE = Rule("nothing, since it is Twilio's but not simulated,", lambda _: False)
FLAG = _flag()
#: Of what a trunk does there is nothing to be seen where there is no other network.
BYOC_TRUNK = r"BY[0-9a-fA-F]{32}"
PROGRESS = _words("initiated", "ringing", "answered", "completed")
LEG_RECORDING = _one_of(
    "do-not-record", "record-from-answer", "record-from-ringing",
    "record-from-answer-dual", "record-from-ringing-dual", "true", "false", code=13217,
)  # fmt: skip
TRIM = _one_of("trim-silence", "do-not-trim")
RECORDING = {
    "recordingStatusCallback": _url(13256),
    "recordingStatusCallbackMethod": METHOD,
    "recordingStatusCallbackEvent": _words("in-progress", "completed", "absent", code=13621),
    "recordingConfigurationId": _matches(r"[^\s]+", "a recording configuration's identifier"),
    "recordingTrack": _one_of("inbound", "outbound", "both", code=13622),
}
CALLEE = {
    "url": URL,
    "method": METHOD,
    "statusCallback": URL,
    "statusCallbackMethod": METHOD,
    "statusCallbackEvent": PROGRESS,
}
#: Of <Number> and <Sip>. What tunes how a greeting is heard is only checked.
DETECTION = {
    "machineDetection": _one_of("Enable", "DetectMessageEnd"),
    "machineDetectionTimeout": _number(3, 60),
    "machineDetectionSpeechThreshold": _number(1000, 6000),
    "machineDetectionSpeechEndThreshold": _number(500, 5000),
    "machineDetectionSilenceTimeout": _number(2000, 10_000),
    "amdStatusCallback": URL,
    "amdStatusCallbackMethod": METHOD,
}


def _speech_limit(code: int) -> Rule:
    return _matches(r"auto|\d+", "auto or a number of seconds", code)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """What an element may hold."""

    attributes: Mapping[str, Rule]
    children: tuple[str, ...] = ()
    has_text: bool = False
    #: The number of anything else inside it.
    wrong_child: int = SCHEMA_WARNING


SHAPES: Mapping[str, Shape] = {
    "Say": Shape(
        attributes={"voice": ANY, "language": ANY, "loop": _number(0, 1000, 13510)},
        children=(
            "break",
            "emphasis",
            "lang",
            "p",
            "phoneme",
            "prosody",
            "s",
            "say-as",
            "sub",
            "w",
        ),
        has_text=True,
    ),
    "Play": Shape(
        attributes={
            "loop": _number(0, 1000, 13410),
            "digits": _matches(r"[0-9wW#*]+", "keys to press: 0-9, *, #, w", 13430),
        },
        has_text=True,
    ),
    "Pause": Shape(attributes={"length": _number(1, 3600, 13910)}),
    "Gather": Shape(
        attributes={
            "input": _words("dtmf", "speech", code=13326),
            "action": URL,
            "method": _method(13312),
            "timeout": _speech_limit(13313),
            "speechTimeout": _speech_limit(13327),
            "maxSpeechTime": _number(1, 600, 13328),
            "profanityFilter": _flag(13333),
            "finishOnKey": _matches(r"[0-9*#]?", "one key, or nothing", 13310),
            "numDigits": _number(1, 1000, 13314),
            "partialResultCallback": URL,
            "partialResultCallbackMethod": _method(13329),
            "language": ANY,
            "hints": ANY,
            "bargeIn": _flag(13332),
            "actionOnEmptyResult": _flag(13338),
            "dtmfDetection": ANY,
            "speechModel": ANY,
            "enhanced": FLAG,
            "debug": FLAG,
        },
        children=("Say", "Play", "Pause"),
        wrong_child=13320,
    ),
    "Redirect": Shape(attributes={"method": _method(13710)}, has_text=True),
    "Enqueue": Shape(
        attributes={
            "action": _url(14203),
            "method": _method(14201),
            "maxQueueSize": _number(1, 5000),
            "waitUrl": _url_or_empty(14202),
            "waitUrlMethod": _method(14206),
            "workflowSid": _matches(r"WW[0-9a-f]{32}", "a workflow's SID", 14220),
        },
        children=("Task", "TaskAttributes"),
        has_text=True,
    ),
    "Task": Shape(
        attributes={"priority": _number(0, 2**31 - 1), "timeout": _number(1, 1_209_600)},
        has_text=True,
    ),
    "TaskAttributes": Shape(attributes={}, has_text=True),
    "Leave": Shape(attributes={}),
    "Dial": Shape(
        attributes={
            "action": URL,
            "method": _method(13210),
            "timeout": _number(1, 600, 13212),
            "hangupOnStar": _flag(13213),
            "timeLimit": _number(1, 86_400, 13216),
            "callerId": _matches(r"\+[1-9]\d{1,14}|client:.+|sip:.+", "an address", 13214),
            "record": LEG_RECORDING,
            "trim": TRIM,
            **RECORDING,
            "answerOnBridge": _flag(13219),
            "ringTone": ANY,
            "sequential": _flag(13218),
            "referUrl": URL,
            "referMethod": METHOD,
            "callReason": _matches(r".{1,50}", "at most 50 characters"),
            "events": ANY,
        },
        children=("Number", "Client", "Sip", "Conference", "Queue"),
        has_text=True,
        wrong_child=13215,
    ),
    "Number": Shape(
        attributes={
            **CALLEE,
            **DETECTION,
            "method": _method(13221),
            "sendDigits": _matches(r"[0-9wW#*]+", "keys", 13222),
            "byoc": _matches(BYOC_TRUNK, "a BYOC trunk's SID", 21300),
        },
        has_text=True,
    ),
    "Client": Shape(attributes=CALLEE, children=("Identity", "Parameter"), has_text=True),
    "Identity": Shape(attributes={}, has_text=True),
    "Parameter": Shape(attributes={"name": ANY, "value": ANY}),
    "Sip": Shape(
        attributes={
            **CALLEE,
            **DETECTION,
            "method": _method(13241),
            "username": ANY,
            "password": ANY,
        },
        has_text=True,
    ),
    "Conference": Shape(
        attributes={
            "muted": _flag(13230),
            "beep": _one_of("true", "false", "onEnter", "onExit", code=13235),
            "startConferenceOnEnter": _flag(13232),
            "endConferenceOnExit": _flag(13231),
            "participantLabel": _matches(
                r"(?!CA[0-9a-f]{32}$)[^/]{1,128}",
                "at most 128 characters, no /, no call's SID",
                16023,
            ),
            "jitterBufferSize": _one_of("small", "medium", "large", "off"),
            "maxParticipants": _number(2, 250),
            "record": _one_of("do-not-record", "record-from-start"),
            "trim": _one_of("trim-silence", "do-not-trim", code=13239),
            "region": _one_of("us1", "ie1", "de1", "sg1", "br1", "au1", "jp1", "auto"),
            "coach": _matches(r"CA[0-9a-f]{32}", "a call's SID", 13240),
            "waitUrl": _url_or_empty(13233),
            "waitMethod": _method(13234),
            "statusCallback": URL,
            "statusCallbackMethod": METHOD,
            "statusCallbackEvent": _words(
                "start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"
            ),
            "eventCallbackUrl": NOT_HERE,
            **RECORDING,
        },
        has_text=True,
    ),
    "Queue": Shape(
        attributes={
            "url": _url(14211),
            "method": _method(14210),
            "reservationSid": _matches(r"WR[0-9a-f]{32}", "a reservation's SID", 14215),
            "postWorkActivitySid": _matches(r"WA[0-9a-f]{32}", "an activity's SID", 14218),
        },
        has_text=True,
    ),
    "Record": Shape(
        attributes={
            "action": URL,
            "method": _method(13610),
            "timeout": _number(1, 3600, 13611),
            "finishOnKey": _matches(r"[0-9*#]*", "keys, or nothing", 13613),
            "maxLength": _number(1, 14_400, 13612),
            "playBeep": _flag(13616),
            "trim": _one_of("trim-silence", "do-not-trim", code=13699),
            "transcribe": _flag(13614),
            "transcribeCallback": _url(13257),
            **RECORDING,
        }
    ),
    "Hangup": Shape(attributes={}),
    "Reject": Shape(attributes={"reason": _one_of("rejected", "busy", code=13810)}),
}

#: What may stand right under <Response>.
VERBS = (
    "Say", "Play", "Pause", "Gather", "Redirect", "Enqueue", "Leave", "Dial", "Hangup", "Reject",
    "Record",
)  # fmt: skip

#: What Twilio knows and the simulator does not yet: told apart from a plain misspelling.
NOT_SIMULATED = (
    "Connect", "Echo", "Pay", "Prompt", "Refer", "Siprec", "Sms", "Start", "Stop",
)  # fmt: skip
