"""What a phone number does: greeting, workflow, waiting room, farewells; one checked document.

All texts that callers hear stand in the document, in its language; none stand in code. The example
beside app.py, `call_flow.toml`, is what runs when no other is named. This room reads and checks; it
decides nothing about a call.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from routing.task import DEFAULT_TIMEOUT_SECONDS, MAX_PRIORITY, MAX_TIMEOUT_SECONDS

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "call_flow.toml"

ON_ACCEPT: Final = "on_accept"
ON_OFFER: Final = "on_offer"

#: Twilio's limit for the name of a queue.
MAX_QUEUE_NAME = 64
#: Characters of one spoken text; the whole TwiML document may have 64 kB, and 4,000 through REST.
MAX_TEXT = 1_000
#: Seconds an agent's phone may ring (participants.create, `Timeout`).
MIN_RING_SECONDS, MAX_RING_SECONDS = 5, 600
MAX_INTERVAL_SECONDS = 600

#: Stands for the caller's place in line, in `waiting.announcement`.
POSITION: Final = "{position}"


class CallFlowError(Exception):
    """A document that cannot be used; the message names every mistake with its place."""


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
    #: When no Task can be made of a call, or the queue is full.
    unavailable: str
    #: When the Task was canceled by anybody but the caller.
    canceled: str
    #: When the conversation is over and the caller is still there; empty to just hang up.
    ended: str


def load_call_flow(path: Path = EXAMPLE) -> CallFlow:
    """Reads the document; raises CallFlowError, which names the file and every mistake in it."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CallFlowError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CallFlowError(f"{path}: expected UTF-8, byte {error.start} is not") from None
    except tomllib.TOMLDecodeError as error:
        raise CallFlowError(f"{path}: not TOML: {error}") from None
    return check_call_flow(document, source=str(path))


def check_call_flow(document: Mapping[str, object], *, source: str) -> CallFlow:
    """The flow that the document describes; `source` is what errors call the document."""
    mistakes: list[str] = []
    values: dict[str, object] = {}
    known: set[tuple[str, str]] = set()
    for name, field in _FIELDS.items():
        known.add((field.section, field.key))
        values[name] = _value(document, field, mistakes)
    mistakes += _strangers(document, known)
    if mistakes:
        raise CallFlowError("\n".join(f"{source}: {mistake}" for mistake in mistakes))
    return CallFlow(**values)  # type: ignore[arg-type]  # each was checked by its own rule


class _Wrong(Exception):
    pass


Check = Callable[[object], object]
_REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a value stands in the document, what it must be, and what it is if left out."""

    section: str
    key: str
    check: Check
    default: object = _REQUIRED


def _value(document: Mapping[str, object], field: _Field, mistakes: list[str]) -> object:
    section, key = field.section, field.key
    table = document.get(section) if section else document
    if table is not None and not isinstance(table, Mapping):
        return None  # told of by _strangers
    place = f"{section}.{key}" if section else key
    if table is None or key not in table:
        if field.default is _REQUIRED:
            mistakes.append(f"{place}: is missing")
        return field.default
    try:
        return field.check(table[key])
    except _Wrong as wrong:
        mistakes.append(f"{place}: expected {wrong}, found {table[key]!r}"[:300])
        return None


def _strangers(document: Mapping[str, object], known: set[tuple[str, str]]) -> list[str]:
    sections = {section for section, _key in known if section}
    mistakes = []
    for key, value in document.items():
        if key in sections:
            if not isinstance(value, Mapping):
                mistakes.append(f"{key}: expected a table, found {value!r}"[:300])
                continue
            mistakes += [
                f"{key}.{inner}: is not known" for inner in value if (key, inner) not in known
            ]
        elif ("", key) not in known:
            mistakes.append(f"{key}: is not known")
    return mistakes


def _text(*, longest: int = MAX_TEXT, empty: bool = True) -> Check:
    def check(value: object) -> str:
        printable = isinstance(value, str) and all(
            character.isprintable() or character == "\n" for character in value
        )
        if not isinstance(value, str) or not printable or len(value) > longest:
            raise _Wrong(f"printable text of at most {longest} characters")
        if not empty and not value.strip():
            raise _Wrong("a text that is not empty")
        return value

    return check


def _announcement(value: object) -> str:
    text = str(_text()(value))
    if "{" in text.replace(POSITION, "") or "}" in text.replace(POSITION, ""):
        raise _Wrong(f"no braces but those of {POSITION}")
    return text


def _url(value: object) -> str:
    text = str(_text(empty=False)(value))
    if not text.startswith(("https://", "http://")):
        raise _Wrong("an absolute http or https URL")
    return text


def _number(lowest: int, highest: int) -> Check:
    def check(value: object) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not lowest <= value <= highest:  # type: ignore[operator]  # whole says so
            raise _Wrong(f"a whole number from {lowest} to {highest}")
        return value  # type: ignore[return-value]  # as above

    return check


def _one_of(*words: str) -> Check:
    def check(value: object) -> str:
        if value not in words:
            raise _Wrong(" or ".join(repr(word) for word in words))
        return str(value)

    return check


_NAME = _text(longest=MAX_QUEUE_NAME, empty=False)

#: {field of CallFlow: its place and rule}; nothing else may be in a document.
_FIELDS: Final[dict[str, _Field]] = {
    "greeting": _Field("", "greeting", _text(), ""),
    "greeting_url": _Field("", "greeting_url", _url, None),
    "language": _Field("", "language", _NAME),
    "voice": _Field("", "voice", _NAME, None),
    "workspace": _Field("task", "workspace", _NAME, None),
    "workflow": _Field("task", "workflow", _NAME, None),
    "task_channel": _Field("task", "channel", _NAME, "voice"),
    "priority": _Field("task", "priority", _number(0, MAX_PRIORITY), 0),
    "task_timeout_seconds": _Field(
        "task",
        "timeout_seconds",
        _number(1, MAX_TIMEOUT_SECONDS),
        DEFAULT_TIMEOUT_SECONDS,
    ),
    "bridge": _Field("agent", "bridge", _one_of(ON_ACCEPT, ON_OFFER), ON_ACCEPT),
    "ring_seconds": _Field(
        "agent", "ring_seconds", _number(MIN_RING_SECONDS, MAX_RING_SECONDS), 20
    ),
    "queue": _Field("waiting", "queue", _NAME, "callers"),
    "announcement": _Field("waiting", "announcement", _announcement, ""),
    "music_url": _Field("waiting", "music_url", _url, None),
    "interval_seconds": _Field("waiting", "interval_seconds", _number(1, MAX_INTERVAL_SECONDS), 20),
    "hold_music_url": _Field("hold", "music_url", _url, None),
    "hold_announcement": _Field("hold", "announcement", _text(), ""),
    "unavailable": _Field("farewell", "unavailable", _text()),
    "canceled": _Field("farewell", "canceled", _text()),
    "ended": _Field("farewell", "ended", _text(), ""),
}
