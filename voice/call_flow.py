"""What a phone number does: greeting, workflow, waiting room, farewells; one checked document.

All texts that callers hear stand in the document, in its language; none stand in code. The example
beside app.py, `call_flow.toml`, is what runs when no other is named. This room reads and checks; it
decides nothing about a call.
"""

import datetime
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from routing.clock import Instant
from routing.errors import InvalidParameter
from routing.json_text import read_object
from routing.task import DEFAULT_TIMEOUT_SECONDS, MAX_PRIORITY, MAX_TIMEOUT_SECONDS
from voice import checks

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "call_flow.toml"

ON_ACCEPT: Final = "on_accept"
ON_OFFER: Final = "on_offer"

#: What becomes of a caller who is not, or no longer, kept waiting.
HANG_UP: Final = "hang_up"
VOICEMAIL: Final = "voicemail"
CALLBACK: Final = "callback"
NUMBER: Final = "number"
ENDINGS: Final = (HANG_UP, VOICEMAIL, CALLBACK, NUMBER)

#: The cases in which that is decided, as the document names them.
CLOSED: Final = "closed"
QUEUE_FULL: Final = "queue_full"
TOO_LONG: Final = "too_long"
CANCELED: Final = "canceled"
CASES: Final = (CLOSED, QUEUE_FULL, TOO_LONG, CANCELED)

WEEKDAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip

#: Twilio's limit for the name of a queue.
MAX_QUEUE_NAME = 64
#: Seconds an agent's phone may ring (participants.create, `Timeout`).
MIN_RING_SECONDS, MAX_RING_SECONDS = 5, 600
MAX_INTERVAL_SECONDS = 600
#: A document that is longer is none.
MAX_DOCUMENT_CHARACTERS = 1_000_000


class CallFlowError(Exception):
    """A document that cannot be used; the message names every mistake with its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a caller is told who is not kept waiting, and what happens then."""

    say: str
    #: One of ENDINGS.
    then: str
    #: Where the call goes with NUMBER.
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlow:
    #: Said to the caller first; empty for no greeting.
    greeting: str
    #: Played instead of the greeting being said; None to say it.
    greeting_url: str | None
    #: Twilio's `language` of every spoken text, such as en-US.
    language: str
    #: Twilio's `voice`; None for the language's own.
    voice: str | None
    #: Friendly name or SID; None where there is only one.
    workspace: str | None
    #: Friendly name or SID; None where the workspace has only one.
    workflow: str | None
    #: SID or unique name of the Task's channel.
    task_channel: str
    priority: int
    #: Seconds the Task may wait for somebody to accept it.
    task_timeout_seconds: int
    #: When agent and caller are bridged: on_accept, or on_offer (the agent's phone is the offer).
    bridge: str
    #: Twilio's name of the queue in which callers wait.
    queue: str
    #: Seconds the agent's phone rings.
    ring_seconds: int
    #: Said each time round; POSITION in it is the place in line. Empty for none.
    announcement: str
    #: Played while waiting; None for silence.
    music_url: str | None
    #: Seconds of silence between two announcements, where there is no music.
    interval_seconds: int
    #: Played to whoever is on hold; None: hold_announcement, again and again.
    hold_music_url: str | None
    hold_announcement: str
    #: {number that was dialled: its own flow}; this one serves all others.
    numbers: Mapping[str, "CallFlow"] = field(default_factory=dict)
    #: IANA name of the zone of the opening hours; None: always open.
    time_zone: str | None = None
    #: By weekday, Monday first: spans of minutes since midnight.
    opening: tuple[tuple[tuple[int, int], ...], ...] = ((),) * 7
    #: Days on which it is closed: ISO dates.
    holidays: frozenset[str] = frozenset()
    #: Asked before the caller is put in line; empty for no menu.
    menu_prompt: str = ""
    menu_wrong: str = ""
    menu_timeout_seconds: int = 5
    menu_retries: int = 2
    #: The key taken for callers who choose nothing.
    menu_default: str | None = None
    #: {key: Task attributes}, and {word that may be said: key}.
    menu_options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    menu_words: Mapping[str, str] = field(default_factory=dict)
    #: Seconds after which a caller who waits is told so; None for never.
    longest_wait_seconds: int | None = None
    #: Said instead of `announcement` where the wait cannot be estimated yet.
    announcement_without_wait: str = ""
    #: The key with which a waiting caller asks to be called back; None for no such offer.
    callback_key: str | None = None
    callback_offer: str = ""
    callback_confirmation: str = ""
    callback_attempts: int = 3
    callback_pause_seconds: int = 600
    voicemail_prompt: str = ""
    voicemail_thanks: str = ""
    voicemail_seconds: int = 120
    voicemail_channel: str = "default"
    #: {case: (what is said, what happens then, the number)}.
    endings: Mapping[str, "Ending"] = field(default_factory=dict)
    #: When no Task can be made of a call, or the queue is full.
    unavailable: str
    #: When the Task was canceled by anybody but the caller.
    canceled: str
    #: When the conversation is over and the caller is still there; empty to just hang up.
    ended: str

    def of(self, number: str) -> "CallFlow":
        """The flow of the number that was dialled."""
        return self.numbers.get(number, self)

    def ending(self, case: str) -> Ending:
        """What happens to a caller in one of CASES."""
        said = {QUEUE_FULL: self.unavailable, CANCELED: self.canceled}
        ending = self.endings.get(case) or Ending(say="", then=HANG_UP, number=None)
        return replace(ending, say=ending.say or said.get(case, ""))

    def is_open(self, now: Instant) -> bool:
        """Is anybody there at that instant, by the clock of the flow's own zone?"""
        if self.time_zone is None:
            return True
        local = datetime.datetime.fromtimestamp(now / 1000, zoneinfo.ZoneInfo(self.time_zone))
        if local.date().isoformat() in self.holidays:
            return False
        minute = 60 * local.hour + local.minute
        return any(start <= minute < end for start, end in self.opening[local.weekday()])


def load_call_flow(path: Path = EXAMPLE) -> CallFlow:
    """Reads the document (TOML, or JSON where its name ends so), and those of other numbers.

    Raises CallFlowError, which names the file and every mistake in it.
    """
    flow, others = _checked(_read(path), source=str(path))
    numbers = {}
    for number, name in others:
        own, more = _checked(_read(path.parent / name), source=str(path.parent / name))
        if more:
            raise CallFlowError(f"{path.parent / name}: numbers: expected in {path} only")
        numbers[number] = own
    return replace(flow, numbers=numbers)


def _read(path: Path) -> Mapping[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".json":
            return tomllib.loads(text)
        return read_object(text, parameter=path.name, limit=MAX_DOCUMENT_CHARACTERS)
    except OSError as error:
        raise CallFlowError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CallFlowError(f"{path}: expected UTF-8, byte {error.start} is not") from None
    except tomllib.TOMLDecodeError as error:
        raise CallFlowError(f"{path}: not TOML: {error}") from None
    except InvalidParameter as error:
        raise CallFlowError(f"{path}: not a JSON object: {error.message}") from None


def check_call_flow(document: Mapping[str, object], *, source: str) -> CallFlow:
    """The flow that the document describes; `source` is what errors call the document."""
    return _checked(document, source=source)[0]


def _checked(
    document: Mapping[str, object], *, source: str
) -> tuple[CallFlow, tuple[tuple[str, str], ...]]:
    """The flow, and {number: document} of the flows beside it."""
    mistakes: list[str] = []
    values: dict[str, object] = {}
    for name, place in _FIELDS.items():
        values[name] = checks.value_of(document, place, mistakes)
    known = {(place.section, place.key) for place in _FIELDS.values()}
    mistakes += checks.strangers(document, known)
    if not mistakes:
        mistakes += _contradictions(values)
    if mistakes:
        raise CallFlowError("\n".join(f"{source}: {mistake}" for mistake in mistakes))
    return _made(values)


def _contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """What no value is guilty of alone."""
    keys = dict(values["menu_options"])
    if values["menu_prompt"] and not keys:
        yield "menu.options: is missing"
    for word, key in values["menu_words"]:
        if key not in keys:
            yield f"menu.words.{word}: expected a key of menu.options, found {key!r}"
    if values["menu_default"] is not None and values["menu_default"] not in keys:
        yield f"menu.default: expected a key of menu.options, found {values['menu_default']!r}"
    for case in CASES:
        if values[f"{case}_then"] == NUMBER and values[f"{case}_number"] is None:
            yield f"{case}.number: is missing"
    if any(values[day] for day in WEEKDAYS) and values["time_zone"] is None:
        yield "hours.time_zone: is missing"


def _made(values: dict[str, Any]) -> tuple[CallFlow, tuple[tuple[str, str], ...]]:
    others = values.pop("documents")
    values["opening"] = tuple(values.pop(day) for day in WEEKDAYS)
    values["endings"] = {
        case: Ending(
            say=values.pop(f"{case}_say"),
            then=values.pop(f"{case}_then"),
            number=values.pop(f"{case}_number"),
        )
        for case in CASES
    }
    for name in ("menu_options", "menu_words"):
        values[name] = dict(values[name])
    values["holidays"] = frozenset(values["holidays"])
    return CallFlow(**values), others


_NAME = checks.text(longest=MAX_QUEUE_NAME, empty=False)

#: {field of CallFlow: its place and rule}; nothing else may be in a document.
_FIELDS: Final[dict[str, checks.Field]] = {
    "greeting": checks.Field("", "greeting", checks.text(), ""),
    "greeting_url": checks.Field("", "greeting_url", checks.url, None),
    "language": checks.Field("", "language", _NAME),
    "voice": checks.Field("", "voice", _NAME, None),
    "workspace": checks.Field("task", "workspace", _NAME, None),
    "workflow": checks.Field("task", "workflow", _NAME, None),
    "task_channel": checks.Field("task", "channel", _NAME, "voice"),
    "priority": checks.Field("task", "priority", checks.number(0, MAX_PRIORITY), 0),
    "task_timeout_seconds": checks.Field(
        "task",
        "timeout_seconds",
        checks.number(1, MAX_TIMEOUT_SECONDS),
        DEFAULT_TIMEOUT_SECONDS,
    ),
    "bridge": checks.Field("agent", "bridge", checks.one_of(ON_ACCEPT, ON_OFFER), ON_ACCEPT),
    "ring_seconds": checks.Field(
        "agent", "ring_seconds", checks.number(MIN_RING_SECONDS, MAX_RING_SECONDS), 20
    ),
    "queue": checks.Field("waiting", "queue", _NAME, "callers"),
    "announcement": checks.Field("waiting", "announcement", checks.announcement, ""),
    "music_url": checks.Field("waiting", "music_url", checks.url, None),
    "interval_seconds": checks.Field(
        "waiting", "interval_seconds", checks.number(1, MAX_INTERVAL_SECONDS), 20
    ),
    "hold_music_url": checks.Field("hold", "music_url", checks.url, None),
    "hold_announcement": checks.Field("hold", "announcement", checks.text(), ""),
    "unavailable": checks.Field("farewell", "unavailable", checks.text()),
    "canceled": checks.Field("farewell", "canceled", checks.text()),
    "ended": checks.Field("farewell", "ended", checks.text(), ""),
    "documents": checks.Field("", "numbers", checks.documents, ()),
    "time_zone": checks.Field("hours", "time_zone", checks.time_zone, None),
    **{day: checks.Field("hours", day, checks.spans, ()) for day in WEEKDAYS},
    "holidays": checks.Field("hours", "holidays", checks.days, ()),
    "menu_prompt": checks.Field("menu", "prompt", checks.text(), ""),
    "menu_wrong": checks.Field("menu", "wrong", checks.text(), ""),
    "menu_timeout_seconds": checks.Field("menu", "timeout_seconds", checks.number(1, 60), 5),
    "menu_retries": checks.Field("menu", "retries", checks.number(0, 9), 2),
    "menu_default": checks.Field("menu", "default", checks.digit, None),
    "menu_options": checks.Field("menu", "options", checks.options, ()),
    "menu_words": checks.Field("menu", "words", checks.words, ()),
    "longest_wait_seconds": checks.Field(
        "waiting", "longest_seconds", checks.number(1, MAX_TIMEOUT_SECONDS), None
    ),
    "announcement_without_wait": checks.Field(
        "waiting", "announcement_without_wait", checks.announcement, ""
    ),
    "callback_key": checks.Field("callback", "key", checks.digit, None),
    "callback_offer": checks.Field("callback", "offer", checks.text(), ""),
    "callback_confirmation": checks.Field("callback", "confirmation", checks.text(), ""),
    "callback_attempts": checks.Field("callback", "attempts", checks.number(1, 20), 3),
    "callback_pause_seconds": checks.Field(
        "callback", "pause_seconds", checks.number(1, 86_400), 600
    ),
    "voicemail_prompt": checks.Field("voicemail", "prompt", checks.text(), ""),
    "voicemail_thanks": checks.Field("voicemail", "thanks", checks.text(), ""),
    "voicemail_seconds": checks.Field("voicemail", "longest_seconds", checks.number(1, 3600), 120),
    "voicemail_channel": checks.Field("voicemail", "channel", _NAME, "default"),
    **{
        f"{case}_{key}": checks.Field(case, key, check, default)
        for case in CASES
        for key, check, default in (
            ("say", checks.text(), ""),
            ("then", checks.one_of(*ENDINGS), HANG_UP),
            ("number", checks.phone_number, None),
        )
    },
}
