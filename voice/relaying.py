"""News of a leg or a room is told on to the URLs that the instruction named.

As Twilio would call them: with its parameters, of the events that were asked for, numbered over
those, and with what TaskRouter adds to a conference's. (Recordings' callbacks need no relay: their
URLs are given to Twilio itself.)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from routing.call import Instruction
from routing.engine import instructions, relays
from routing.ports import Work
from voice import bridge, conversation
from voice.phone_line import ENDED_STATUSES, LEG_EVENTS
from voice.signature import Webhook

#: {Twilio's CallStatus: the event by which one asks for it}.
_LEG_EVENT: Final[Mapping[str, str]] = {
    "initiated": "initiated",
    "queued": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
    **dict.fromkeys(ENDED_STATUSES, "completed"),
}
#: {StatusCallbackEvent: the event by which one asks for it}.
_ROOM_EVENT: Final[Mapping[str, str]] = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-speech-start": "speaker",
    "participant-speech-stop": "speaker",
}
#: What a room tells where nothing is said (Twilio's), and a leg.
_ROOM_DEFAULT: Final = ("start", "end")
_LEG_DEFAULT: Final = ("completed",)

#: {kind: (parameter of the URL, of its method or the method, of the events)}.
_OF_LEG: Final[Mapping[str, tuple[str, str, str]]] = {
    instructions.CONFERENCE: ("status_callback", "POST", "status_callback_event"),
    instructions.DEQUEUE: ("status_callback_url", "GET", "status_callback_events"),
    instructions.CALL: ("status_callback_url", "POST", "status_callback_events"),
}


def room_events(given: Mapping[str, object]) -> frozenset[str]:
    """What the room is to tell for the instruction's own sake; nothing where it names no URL."""
    if not given.get("conference_status_callback"):
        return frozenset()
    return frozenset(_words(given.get("conference_status_callback_event"), _ROOM_DEFAULT))


def leg_events(kind: str, given: Mapping[str, object]) -> frozenset[str]:
    """What the leg is to tell for the instruction's own sake; nothing where it names no URL."""
    if kind not in _OF_LEG:
        return frozenset()
    url, _method, events = _OF_LEG[kind]
    return frozenset(_words(given.get(events), _LEG_DEFAULT) if given.get(url) else ())


def of_the_leg(work: Work, *, instruction_sid: str, webhook: Webhook) -> None:
    """A status callback of the agent's leg, which its own verb has heard of already."""
    instruction = work.instructions.get(instruction_sid)
    if instruction is None or instruction.kind not in _OF_LEG:
        return
    url_name, default_method, events_name = _OF_LEG[instruction.kind]
    given = conversation.parameters_of(instruction)
    url, status = given.get(url_name), webhook.get("CallStatus")
    wanted = _words(given.get(events_name), _LEG_DEFAULT)
    event = _LEG_EVENT.get(status, "")
    if not isinstance(url, str) or not url or event not in wanted:
        return
    instruction = bridge.held(work, instruction_sid) or instruction
    fields = dict(webhook.parameters) | {"SequenceNumber": str(_number(event, status, wanted))}
    if instruction.kind == instructions.DEQUEUE:
        fields["taskCallSid"] = instruction.customer_call_sid or ""
    relays.owe(
        work,
        subject=relays.Subject.of(instruction),
        line="leg",
        key=f"{webhook.get('CallSid')} {event}",
        url=url,
        method=_method(given.get("status_callback_method"), default_method),
        fields=fields,
    )


def _number(event: str, status: str, wanted: Iterable[str]) -> int:
    """From 0, over the events that were asked for; who was never answered skips one."""
    skipped = "answered" if status in ENDED_STATUSES - {"completed"} else ""
    before = LEG_EVENTS[: LEG_EVENTS.index(event)]
    return sum(each in set(wanted) and each != skipped for each in before)


def of_the_room(work: Work, *, instruction_sid: str, webhook: Webhook) -> None:
    """A status callback of the conference, which its own verb has heard of already."""
    instruction = work.instructions.get(instruction_sid)
    if instruction is None:
        return
    given = conversation.parameters_of(instruction)
    url, said = given.get("conference_status_callback"), webhook.get("StatusCallbackEvent")
    if not isinstance(url, str) or _ROOM_EVENT.get(said) not in room_events(given):
        return
    instruction = bridge.held(work, instruction_sid) or instruction
    line = f"room {webhook.get('ConferenceSid')}"
    number = relays.count(work, relays.Subject.of(instruction), line) + 1
    relays.owe(
        work,
        subject=relays.Subject.of(instruction),
        line=line,
        key=f"{webhook.get('SequenceNumber')} {said} {webhook.get('CallSid')}",
        url=url,
        method=_method(given.get("conference_status_callback_method"), "POST"),
        fields={
            **webhook.parameters,
            "SequenceNumber": str(number),
            **_of_task(work, instruction, given),
        },
    )


def _of_task(work: Work, instruction: Instruction, given: Mapping[str, object]) -> dict[str, str]:
    """What TaskRouter adds to a conference's callbacks; programs join by the TaskSid."""
    call = conversation.call_of(work, instruction.task_sid)
    told = {
        "WorkspaceSid": instruction.workspace_sid,
        "TaskSid": instruction.task_sid,
        "ReservationSid": instruction.reservation_sid,
        "CustomerCallSid": call.sid if call is not None else "",
        "EndConferenceOnCustomerExit": _word(given.get("end_conference_on_customer_exit", True)),
        "BeepOnCustomerEntrance": _word(given.get("beep_on_customer_entrance", False)),
    }
    if given.get("status_callback"):
        told["StatusCallback"] = str(given["status_callback"])
        events = _words(given.get("status_callback_event"), _LEG_DEFAULT)
        told["StatusCallbackEvents"] = ",".join(events)
    return told


def heard(verb: Callable[..., None], relay: Callable[..., None]) -> Callable[..., None]:
    """First what the news mean to us, then whom else they are told, in one transaction."""

    def both(work: Work, *, instruction_sid: str, webhook: Webhook, **more: Any) -> None:
        verb(work, instruction_sid=instruction_sid, **more)
        relay(work, instruction_sid=instruction_sid, webhook=webhook)

    return both


def _words(said: object, default: tuple[str, ...]) -> tuple[str, ...]:
    """A list, or its words with commas between them."""
    words = said.split(",") if isinstance(said, str) else said
    if not isinstance(words, list | tuple) or not words:
        return default
    return tuple(str(word).strip() for word in words)


def _method(said: object, default: str) -> str:
    return str(said).upper() if said else default


def _word(flag: object) -> str:
    return str(flag).lower()
