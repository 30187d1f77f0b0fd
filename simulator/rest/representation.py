"""Calls, rooms, queues and recordings as Twilio's JSON shows them."""

import re
from typing import Any

from simulator.application import Application
from simulator.call import QUEUED, Call
from simulator.call_queue import CallQueue, Member
from simulator.clock import rfc_2822
from simulator.conference import Conference, Participant
from simulator.parameters import API_VERSION
from simulator.recording import Recording
from simulator.settings import Number


def root(account_sid: str) -> str:
    return f"/{API_VERSION}/Accounts/{account_sid}"


def _date(instant: int | None) -> str | None:
    return None if instant is None else rfc_2822(instant)


def _formatted(address: str) -> str:
    """A North American number as people there write it; any other address as it is."""
    found = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", address)
    return f"({found[1]}) {found[2]}-{found[3]}" if found else address


def call(one: Call, account_sid: str, now: int) -> dict[str, Any]:
    uri = f"{root(account_sid)}/Calls/{one.sid}"
    fresh = one.status == QUEUED  # a call that is only queued has no dates yet, as recorded
    return {
        "sid": one.sid,
        "account_sid": account_sid,
        "annotation": None,
        "answered_by": one.answered_by,
        "api_version": API_VERSION,
        "caller_name": one.caller_name,
        "date_created": None if fresh else _date(one.created_at),
        "date_updated": None if fresh else _date(one.updated_at),
        "direction": one.direction,
        "duration": str(one.duration_seconds(now)) if one.has_ended else None,
        "end_time": _date(one.ended_at),
        "forwarded_from": one.forwarded_from,
        "from": one.from_,
        "from_formatted": _formatted(one.from_),
        "group_sid": one.group_sid,
        "parent_call_sid": None if one.parent is None else one.parent.sid,
        "phone_number_sid": one.phone_number_sid,
        "price": None,
        "price_unit": "USD",
        "queue_time": str(one.queued_ms),
        "start_time": _date(one.answered_at or one.started_at),
        "status": one.status,
        "subresource_uris": {
            name: f"{uri}/{path}.json"
            for name, path in (
                ("notifications", "Notifications"),
                ("recordings", "Recordings"),
                ("events", "Events"),
            )
        },
        "to": one.to,
        "to_formatted": _formatted(one.to),
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def conference(one: Conference) -> dict[str, Any]:
    uri = f"{root(one.account_sid)}/Conferences/{one.sid}"
    return {
        "account_sid": one.account_sid,
        "api_version": API_VERSION,
        "call_sid_ending_conference": one.call_sid_ending,
        "date_created": _date(one.created_at),
        "date_updated": _date(one.updated_at),
        "friendly_name": one.friendly_name,
        "reason_conference_ended": one.reason_ended,
        "region": "us1",
        "sid": one.sid,
        "status": one.status,
        "subresource_uris": {
            "participants": f"{uri}/Participants.json",
            "recordings": f"{uri}/Recordings.json",
        },
        "uri": f"{uri}.json",
    }


def participant(one: Participant, room: Conference) -> dict[str, Any]:
    uri = f"{root(room.account_sid)}/Conferences/{room.sid}/Participants/{one.call.sid}.json"
    return {
        "account_sid": room.account_sid,
        "call_sid": one.call.sid,
        "call_sid_to_coach": one.coached_call_sid,
        "coaching": one.coached_call_sid is not None,
        "conference_sid": room.sid,
        "date_created": _date(one.created_at),
        "date_updated": _date(one.updated_at),
        "end_conference_on_exit": one.end_on_exit,
        "hold": one.hold,
        "label": one.label,
        "muted": one.muted,
        "queue_time": str(one.call.queued_ms),
        "start_conference_on_enter": one.start_on_enter,
        "status": one.status,
        "uri": uri,
    }


def queue(one: CallQueue, account_sid: str) -> dict[str, Any]:
    uri = f"{root(account_sid)}/Queues/{one.sid}"
    return {
        "account_sid": account_sid,
        "average_wait_time": one.average_wait_seconds,
        "current_size": len(one.members),
        "date_created": _date(one.created_at),
        "date_updated": _date(one.updated_at),
        "friendly_name": one.friendly_name,
        "max_size": one.max_size,
        "sid": one.sid,
        "uri": f"{uri}.json",
    }


def member(one: Member, queue: CallQueue, account_sid: str, now: int) -> dict[str, Any]:
    position = queue.position(one) if one in queue.members else 0
    return {
        "call_sid": one.call.sid,
        "date_enqueued": _date(one.enqueued_at),
        "position": position,
        "queue_sid": queue.sid,
        "uri": f"{root(account_sid)}/Queues/{queue.sid}/Members/{one.call.sid}.json",
        "wait_time": (now - one.enqueued_at) // 1000,
    }


def recording(one: Recording) -> dict[str, Any]:
    """A recording as a resource of its call or conference, and, but for the address, its own."""
    return {
        "account_sid": one.account_sid,
        "api_version": API_VERSION,
        "call_sid": one.call_sid,
        "conference_sid": one.conference_sid,
        "channels": one.channels,
        "date_created": _date(one.started_at),
        "date_updated": _date(one.updated_at),
        "start_time": _date(one.started_at),
        "price": None,
        "price_unit": "USD",
        "duration": None if one.stopped_at is None else str(one.duration_seconds()),
        "sid": one.sid,
        "source": one.source,
        "status": one.status,
        "error_code": one.error_code if one.is_over else None,
        "encryption_details": None,
    }


def account_recording(one: Recording) -> dict[str, Any]:
    uri = f"{root(one.account_sid)}/Recordings/{one.sid}"
    parts = (("add_on_results", "AddOnResults"), ("transcriptions", "Transcriptions"))
    return {
        **recording(one),
        "uri": f"{uri}.json",
        "media_url": one.url,
        "subresource_uris": {name: f"{uri}/{path}.json" for name, path in parts},
    }


def call_recording(one: Recording) -> dict[str, Any]:
    uri = f"{root(one.account_sid)}/Calls/{one.call_sid}/Recordings/{one.sid}.json"
    return {**recording(one), "track": one.track, "uri": uri}


def conference_recording(one: Recording) -> dict[str, Any]:
    uri = f"{root(one.account_sid)}/Conferences/{one.conference_sid}/Recordings/{one.sid}.json"
    return {**recording(one), "uri": uri}


def number(one: Number, account_sid: str, born_at: int) -> dict[str, Any]:
    uri = f"{root(account_sid)}/IncomingPhoneNumbers/{one.sid}.json"
    return {
        "account_sid": account_sid,
        "address_requirements": "none",
        "address_sid": None,
        "api_version": API_VERSION,
        "beta": False,
        "bundle_sid": None,
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "date_created": _date(born_at),
        "date_updated": _date(born_at),
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "friendly_name": one.friendly_name,
        "identity_sid": None,
        "origin": "twilio",
        "phone_number": one.phone_number,
        "sid": one.sid,
        "sms_application_sid": None,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status": "in-use",
        "status_callback": one.status_callback or "",
        "status_callback_method": one.status_callback_method,
        "trunk_sid": None,
        "type": "local",
        "uri": uri,
        "voice_application_sid": one.voice_application_sid,
        "voice_caller_id_lookup": one.voice_caller_id_lookup,
        "voice_fallback_method": one.voice_fallback_method,
        "voice_fallback_url": one.voice_fallback_url or "",
        "voice_method": one.voice_method,
        "voice_receive_mode": "voice",
        "voice_url": one.voice_url or "",
    }


def application(one: Application, account_sid: str) -> dict[str, Any]:
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "date_created": _date(one.created_at),
        "date_updated": _date(one.updated_at),
        "friendly_name": one.friendly_name,
        "message_status_callback": "",
        "public_application_connect_enabled": False,
        "sid": one.sid,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_status_callback": "",
        "sms_url": "",
        "status_callback": one.status_callback or "",
        "status_callback_method": one.status_callback_method,
        "uri": f"{root(account_sid)}/Applications/{one.sid}.json",
        "voice_caller_id_lookup": one.voice_caller_id_lookup,
        "voice_fallback_method": one.voice_fallback_method,
        "voice_fallback_url": one.voice_fallback_url or "",
        "voice_method": one.voice_method,
        "voice_url": one.voice_url or "",
    }
