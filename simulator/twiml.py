"""TwiML, read strictly: text -> verbs whose names, attributes and values are all known.

Where Twilio only warns (12200) and goes on as it pleases, the simulator refuses: an application
should hear of its mistake here, not from a caller. What is allowed stands in the tables below;
what a verb does is not this room's business.
"""

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping

PARSE_FAILURE = 12100
SCHEMA_WARNING = 12200
TOO_LARGE = 11750
LARGEST_DOCUMENT = 64 * 1024  # bytes; Twilio's own limit


class TwimlError(Exception):
    """The document cannot be followed. `code` is the number in Twilio's debugger."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclasses.dataclass(frozen=True, kw_only=True)
class Element:
    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple["Element", ...]

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.attributes.get(name)
        return default if value is None else value.lower() == "true"

    def number(self, name: str, default: int) -> int:
        value = self.attributes.get(name)
        return default if value is None else int(value)


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


def _words(*allowed: str) -> Rule:
    def accepts(value: str) -> bool:
        return bool(value.split()) and set(value.split()) <= set(allowed)

    return Rule(f"of {', '.join(allowed)}, separated by spaces", accepts)


def _flag(code: int = SCHEMA_WARNING) -> Rule:
    return Rule("true or false", lambda value: value.lower() in ("true", "false"), code)


def _matches(pattern: str, meaning: str, code: int = SCHEMA_WARNING) -> Rule:
    return Rule(meaning, lambda value: re.fullmatch(pattern, value) is not None, code)


ANY = Rule("text", lambda _: True)
URL = _matches(r"[^\s]+", "a URL without blanks")
URL_OR_EMPTY = _matches(r"[^\s]*", "a URL without blanks, or nothing")
METHOD = _one_of("GET", "POST")
NOT_HERE = Rule("nothing, since it is Twilio's but not simulated,", lambda _: False)
FLAG = _flag()
PROGRESS = _words("initiated", "ringing", "answered", "completed")
LEG_RECORDING = _one_of(
    "do-not-record", "record-from-answer", "record-from-ringing",
    "record-from-answer-dual", "record-from-ringing-dual", "true", "false",
)  # fmt: skip
TRIM = _one_of("trim-silence", "do-not-trim")
RECORDING = {
    "recordingStatusCallback": URL,
    "recordingStatusCallbackMethod": METHOD,
    "recordingStatusCallbackEvent": _words("in-progress", "completed", "absent"),
    "recordingConfigurationId": NOT_HERE,
    "recordingTrack": _one_of("inbound", "outbound", "both"),
}
CALLEE = {
    "url": URL,
    "method": METHOD,
    "statusCallback": URL,
    "statusCallbackMethod": METHOD,
    "statusCallbackEvent": PROGRESS,
}
SPEECH_LIMITS = _matches(r"auto|\d+", "auto or a number of seconds")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """What an element may hold."""

    attributes: Mapping[str, Rule]
    children: tuple[str, ...] = ()
    has_text: bool = False


SHAPES: Mapping[str, Shape] = {
    "Say": Shape(
        attributes={"voice": ANY, "language": ANY, "loop": _number(0, 1000)},
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
            "loop": _number(0, 1000),
            "digits": _matches(r"[0-9wW#*]+", "keys to press: 0-9, *, #, w"),
        },
        has_text=True,
    ),
    "Pause": Shape(attributes={"length": _number(1, 3600)}),
    "Gather": Shape(
        attributes={
            "input": _words("dtmf", "speech"),
            "action": URL,
            "method": METHOD,
            "timeout": SPEECH_LIMITS,
            "speechTimeout": SPEECH_LIMITS,
            "maxSpeechTime": _number(1, 600),
            "profanityFilter": FLAG,
            "finishOnKey": _matches(r"[0-9*#]?", "one key, or nothing"),
            "numDigits": _number(1, 1000),
            "partialResultCallback": NOT_HERE,
            "partialResultCallbackMethod": NOT_HERE,
            "language": ANY,
            "hints": ANY,
            "bargeIn": FLAG,
            "actionOnEmptyResult": FLAG,
            "dtmfDetection": ANY,
            "speechModel": ANY,
            "enhanced": FLAG,
            "debug": FLAG,
        },
        children=("Say", "Play", "Pause"),
    ),
    "Redirect": Shape(attributes={"method": METHOD}, has_text=True),
    "Enqueue": Shape(
        attributes={
            "action": URL,
            "method": METHOD,
            "maxQueueSize": _number(1, 5000),
            "waitUrl": URL_OR_EMPTY,
            "waitUrlMethod": METHOD,
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
            "method": METHOD,
            "timeout": _number(1, 600, 13212),
            "hangupOnStar": _flag(13213),
            "timeLimit": _number(1, 86_400, 13216),
            "callerId": _matches(r"\+[1-9]\d{1,14}|client:.+|sip:.+", "an address", 13214),
            "record": LEG_RECORDING,
            "trim": TRIM,
            **RECORDING,
            "answerOnBridge": FLAG,
            "ringTone": ANY,
            "sequential": FLAG,
            "referUrl": NOT_HERE,
            "referMethod": NOT_HERE,
            "callReason": _matches(r".{1,50}", "at most 50 characters"),
            "events": NOT_HERE,
        },
        children=("Number", "Client", "Sip", "Conference", "Queue"),
        has_text=True,
    ),
    "Number": Shape(
        attributes={
            **CALLEE,
            "sendDigits": _matches(r"[0-9wW#*]+", "keys", 13222),
            "byoc": NOT_HERE,
        },
        has_text=True,
    ),
    "Client": Shape(attributes=CALLEE, children=("Identity", "Parameter"), has_text=True),
    "Identity": Shape(attributes={}, has_text=True),
    "Parameter": Shape(attributes={"name": ANY, "value": ANY}),
    "Sip": Shape(attributes={**CALLEE, "username": ANY, "password": ANY}, has_text=True),
    "Conference": Shape(
        attributes={
            "muted": _flag(13230),
            "beep": _one_of("true", "false", "onEnter", "onExit", code=13235),
            "startConferenceOnEnter": _flag(13232),
            "endConferenceOnExit": _flag(13231),
            "participantLabel": _matches(r".{1,128}", "at most 128 characters"),
            "jitterBufferSize": _one_of("small", "medium", "large", "off"),
            "maxParticipants": _number(2, 250),
            "record": _one_of("do-not-record", "record-from-start"),
            "trim": TRIM,
            "region": _one_of("us1", "ie1", "de1", "sg1", "br1", "au1", "jp1", "auto"),
            "coach": _matches(r"CA[0-9a-f]{32}", "a call's SID", 13240),
            "waitUrl": Rule("a URL, or nothing", URL_OR_EMPTY.accepts, 13233),
            "waitMethod": _one_of("GET", "POST", code=13234),
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
            "url": URL,
            "method": METHOD,
            "reservationSid": _matches(r"WR[0-9a-f]{32}", "a reservation's SID", 14215),
            "postWorkActivitySid": _matches(r"WA[0-9a-f]{32}", "an activity's SID", 14218),
        },
        has_text=True,
    ),
    "Record": Shape(
        attributes={
            "action": URL,
            "method": METHOD,
            "timeout": _number(1, 3600),
            "finishOnKey": _matches(r"[0-9*#]*", "keys, or nothing"),
            "maxLength": _number(1, 14_400),
            "playBeep": FLAG,
            "trim": TRIM,
            "transcribe": Rule("false, as there are no transcriptions here", "false".__eq__),
            **RECORDING,
        }
    ),
    "Hangup": Shape(attributes={}),
    "Reject": Shape(attributes={"reason": _one_of("rejected", "busy")}),
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


def parse(text: str) -> tuple[Element, ...]:
    """The verbs of a document, in order. Raises TwimlError, which names what was wrong."""
    if len(text.encode()) > LARGEST_DOCUMENT:
        raise TwimlError(TOO_LARGE, "the document is longer than 64 kB")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TwimlError(PARSE_FAILURE, "a document type or entity is not allowed in TwiML")
    try:
        # Without a document type there are no entities to expand, and the length is bounded.
        root = ET.fromstring(text.strip())  # noqa: S314 - see the two checks above
    except ET.ParseError as error:
        raise TwimlError(PARSE_FAILURE, f"not XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(SCHEMA_WARNING, f"<{root.tag}> at the root, <Response> was expected")
    if root.attrib:
        raise TwimlError(SCHEMA_WARNING, "<Response> has no attributes")
    _refuse_text(root)
    return tuple(_element(child, VERBS, "Response") for child in root)


def _element(node: ET.Element, allowed: tuple[str, ...], parent: str) -> Element:
    name = node.tag
    if name not in allowed:
        if name in NOT_SIMULATED:
            raise TwimlError(SCHEMA_WARNING, f"<{name}> is Twilio's, but it is not simulated")
        raise TwimlError(
            SCHEMA_WARNING, f"<{name}> in <{parent}>; one of {', '.join(allowed)} was expected"
        )
    if name not in SHAPES:  # SSML inside <Say>: only its words matter
        return Element(name=name, attributes={}, text="".join(node.itertext()), children=())
    shape = SHAPES[name]
    _check_attributes(node, shape)
    if not shape.has_text:
        _refuse_text(node)
    text = "".join(node.itertext()) if name == "Say" else (node.text or "")
    return Element(
        name=name,
        attributes=dict(node.attrib),
        text=" ".join(text.split()) if name != "Task" else text.strip(),
        children=tuple(_element(child, shape.children, name) for child in node),
    )


def _check_attributes(node: ET.Element, shape: Shape) -> None:
    for name, value in node.attrib.items():
        rule = shape.attributes.get(name)
        if rule is None:
            expected = ", ".join(shape.attributes) or "none"
            message = f'<{node.tag}> has no attribute "{name}"; it knows: {expected}'
            raise TwimlError(SCHEMA_WARNING, message)
        if not rule.accepts(value):
            message = f'<{node.tag} {name}="{value}">: {rule.meaning} was expected'
            raise TwimlError(rule.code, message)


def _refuse_text(node: ET.Element) -> None:
    texts = [node.text or "", *(child.tail or "" for child in node)]
    if any(text.strip() for text in texts):
        raise TwimlError(SCHEMA_WARNING, f"text in <{node.tag}>, only elements were expected")
