"""Calls, conferences, queues and phones as plain JSON, for the control door and its stream.

No shape of Twilio's; instants are milliseconds since the epoch. It reads, and changes nothing.
"""

from typing import Any

from simulator.call import Call, Heard
from simulator.call_queue import CallQueue
from simulator.conference import Conference
from simulator.endpoint import Endpoint
from simulator.settings import Number


def call(one: Call) -> dict[str, Any]:
    """The call without what is heard."""
    return {
        "sid": one.sid,
        "from": one.from_,
        "to": one.to,
        "direction": one.direction,
        "status": one.status,
        "parent": None if one.parent is None else one.parent.sid,
        "queue": one.queue_sid,
        "conference": one.conference_sid,
        "created_at": one.created_at,
        "answered_at": one.answered_at,
        "ended_at": one.ended_at,
        "sounding": one.sounding,
    }


def whole_call(one: Call) -> dict[str, Any]:
    return {**call(one), "heard": [heard(sound) for sound in one.heard]}


def heard(one: Heard) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": one.at,
        "verb": one.verb,
        "text": one.text,
        "language": one.language,
        "voice": one.voice,
        "url": one.url,
        "tone": one.tone,
        "loop": one.loop,
    }


def number(one: Number) -> dict[str, Any]:
    return {"phone_number": one.phone_number, "voice_url": one.voice_url}


def endpoint(address: str, one: Endpoint) -> dict[str, Any]:
    return {
        "address": address,
        "on_ring": one.on_ring,
        "delay_seconds": one.delay_seconds,
        "answered_by": one.answered_by,
        "sip_code": one.sip_code,
    }


def conference(one: Conference) -> dict[str, Any]:
    return {
        "sid": one.sid,
        "friendly_name": one.friendly_name,
        "status": one.status,
        "reason_ended": one.reason_ended,
        "participants": [
            {
                "call_sid": person.call.sid,
                "label": person.label,
                "status": person.status,
                "muted": person.muted,
                "hold": person.hold,
                "coaching": person.coached_call_sid,
                "start_conference_on_enter": person.start_on_enter,
                "end_conference_on_exit": person.end_on_exit,
            }
            for person in one.participants.values()
        ],
    }


def queue(one: CallQueue) -> dict[str, Any]:
    return {
        "sid": one.sid,
        "friendly_name": one.friendly_name,
        "current_size": len(one.members),
        "max_size": one.max_size,
        "members": [
            {
                "call_sid": member.call.sid,
                "position": position,
                "enqueued_at": member.enqueued_at,
                "task_attributes": member.task_attributes,
            }
            for position, member in enumerate(one.members, 1)
        ],
    }
