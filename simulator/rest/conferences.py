"""Conferences and their participants."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request

from simulator.call import Call, DocumentRequest
from simulator.conference import (
    COMPLETED,
    INIT,
    MOVED_BY_API,
    OPEN,
    Conference,
    JoinRefused,
    Participant,
    RoomOptions,
)
from simulator.rest import errors, representation
from simulator.rest.door import Door, blueprint
from simulator.rest.errors import bad, not_found
from simulator.rest.forms import DETECTION, Form, dates
from simulator.rest.pages import PAGING, page

FILTERS = frozenset({"FriendlyName", "Status", *PAGING}) | dates("DateCreated", "DateUpdated")
PARTICIPANT_FILTERS = frozenset({"Muted", "Hold", "Coaching", *PAGING})
UPDATE = frozenset({"Status", "AnnounceUrl", "AnnounceMethod"})
CREATE_PARTICIPANT = frozenset({
    "From", "To", "StatusCallback", "StatusCallbackMethod", "StatusCallbackEvent", "Label",
    "Timeout", "Muted", "Beep", "StartConferenceOnEnter", "EndConferenceOnExit", "WaitUrl",
    "WaitMethod", "MaxParticipants", "ConferenceStatusCallback", "ConferenceStatusCallbackMethod",
    "ConferenceStatusCallbackEvent", "Coaching", "CallSidToCoach", "TimeLimit",
    "ConferenceRecord", "ConferenceRecordingStatusCallback",
    "ConferenceRecordingStatusCallbackMethod", "ConferenceRecordingStatusCallbackEvent",
    "Record", "RecordingChannels", "RecordingStatusCallback", "RecordingStatusCallbackMethod",
    "RecordingStatusCallbackEvent", "CallerId", "CallToken", "AmdStatusCallback",
    "AmdStatusCallbackMethod",
}) | DETECTION  # fmt: skip
UPDATE_PARTICIPANT = frozenset({
    "Muted", "Hold", "HoldUrl", "HoldMethod", "WaitUrl", "WaitMethod", "BeepOnExit",
    "EndConferenceOnExit", "Coaching", "CallSidToCoach", "AnnounceUrl", "AnnounceMethod",
})  # fmt: skip

CONFERENCE_EVENTS = (
    "start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement",
)  # fmt: skip
LABEL = re.compile(r"(?!CA[0-9a-f]{32}$)[^/]{0,128}")


class Conferences:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._network = door.network

    def routes(self) -> Blueprint:
        routes = blueprint("conferences", self._door)
        path = "/<account_sid>/Conferences"
        one = f"{path}/<room_name>/Participants"
        for rule, view, method in (
            (f"{path}.json", self.list, "GET"),
            (f"{path}/<room_name>.json", self.fetch, "GET"),
            (f"{path}/<room_name>.json", self.update, "POST"),
            (f"{one}.json", self.create_participant, "POST"),
            (f"{one}.json", self.list_participants, "GET"),
            (f"{one}/<name>.json", self.fetch_participant, "GET"),
            (f"{one}/<name>.json", self.update_participant, "POST"),
            (f"{one}/<name>.json", self.delete_participant, "DELETE"),
        ):
            routes.add_url_rule(rule, view_func=view, methods=[method])
        return routes

    # -- conferences

    def _find(self, name: str) -> Conference:
        """By SID; a live room by its friendly name, too."""
        room = self._network.conferences.get(name) or self._network.live_room(name)
        if room is None:
            raise not_found(request.path)
        return room

    def list(self, account_sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.args, FILTERS)
        name, status = form.text("FriendlyName"), form.one_of("Status", INIT, OPEN, COMPLETED)
        with self._network.agenda.turn():
            rows = [
                room
                for room in reversed(self._network.conferences.values())
                if name in (None, room.friendly_name)
                and status in (None, room.status)
                and form.within("DateCreated", room.created_at)
                and form.within("DateUpdated", room.updated_at)
            ]
            return page(
                key="conferences",
                rows=rows,
                sid_of=lambda room: room.sid,
                represent=representation.conference,
                path=request.path,
                query=request.args,
            )

    def fetch(self, account_sid: str, room_name: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return representation.conference(self._find(room_name))

    def update(self, account_sid: str, room_name: str) -> dict[str, Any]:
        """End a conference. One that has not opened or is over answers a bare 400, as reported."""
        del account_sid
        form = Form(request.form, UPDATE)
        with self._network.agenda.turn():
            room = self._find(room_name)
            if form.one_of("Status", COMPLETED) is not None:
                if room.status != OPEN:
                    raise bad(errors.BAD_VALUE, "Bad request")
                room.close("conference-ended-via-api")
            elif room.is_live:
                self._announce(room, room.inside, form)
            self._network.agenda.run_ready()
            return representation.conference(room)

    def _announce(self, room: Conference, listeners: Sequence[Participant], form: Form) -> None:
        url = form.url("AnnounceUrl")
        if url:
            order = DocumentRequest(url=url, method=form.method("AnnounceMethod"))
            self._door.exchange.announce(room, listeners, order)

    # -- participants

    def create_participant(self, account_sid: str, room_name: str) -> tuple[dict[str, Any], int]:
        del account_sid
        form = Form(request.form, CREATE_PARTICIPANT)
        with self._network.agenda.turn():
            from_, to = form.parties(self._network)
            timeout, progress, limit = form.timeout(), form.progress(), form.time_limit()
            recorded = form.leg_recording()
            detection = form.detection(is_aside=True, callback="AmdStatusCallback")
            options = _room_options(form)
            _check_participant(form)
            room = self._room(room_name, options)
            try:
                participant = self._door.exchange.add_participant(
                    room,
                    from_=from_,
                    to=to,
                    timeout_seconds=timeout,
                    progress=progress,
                    time_limit_seconds=limit,
                    recorded=recorded,
                    detection=detection,
                    describe=lambda call: _new_participant(call, form),
                )
            except JoinRefused as refusal:
                code = errors.OF_A_PARTICIPANT.get(refusal.code, refusal.code)
                raise bad(code, refusal.message) from refusal
            return representation.participant(participant, room), 201

    def _room(self, name: str, options: RoomOptions) -> Conference:
        """The room of that SID or friendly name; a name that is no SID makes a new one."""
        known = self._network.conferences.get(name)
        if known is not None and not known.is_live:
            raise bad(errors.CONFERENCE_IS_OVER, f"Conference {name} is completed")
        is_sid = len(name) == 34 and name.startswith("CF")  # noqa: PLR2004 - CF and 32 hex digits
        if known is None and is_sid:
            raise not_found(request.path)
        return known or self._network.room_named(name, options)

    def _participant(self, room_name: str, name: str) -> tuple[Conference, Participant]:
        room = self._find(room_name)
        participant = room.find(name)
        if participant is None:
            raise not_found(request.path)
        return room, participant

    def list_participants(self, account_sid: str, room_name: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.args, PARTICIPANT_FILTERS)
        muted, hold = form.optional_flag("Muted"), form.optional_flag("Hold")
        coaching = form.optional_flag("Coaching")
        with self._network.agenda.turn():
            room = self._find(room_name)
            rows = [
                one
                for one in room.participants.values()
                if muted in (None, one.muted)
                and hold in (None, one.hold)
                and coaching in (None, one.coached_call_sid is not None)
            ]
            return page(
                key="participants",
                rows=rows,
                sid_of=lambda one: one.call.sid,
                represent=lambda one: representation.participant(one, room),
                path=request.path,
                query=request.args,
            )

    def fetch_participant(self, account_sid: str, room_name: str, name: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            room, participant = self._participant(room_name, name)
            return representation.participant(participant, room)

    def update_participant(self, account_sid: str, room_name: str, name: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.form, UPDATE_PARTICIPANT)
        with self._network.agenda.turn():
            room, participant = self._participant(room_name, name)
            if not participant.is_in:
                raise bad(errors.BAD_VALUE, "Participant is not connected")
            _update(room, participant, form)
            self._announce(room, [participant], form)
            participant.updated_at = self._network.now()
            self._network.agenda.run_ready()
            return representation.participant(participant, room)

    def delete_participant(self, account_sid: str, room_name: str, name: str) -> tuple[str, int]:
        """Kick somebody out; a phone that still rings stops."""
        del account_sid
        with self._network.agenda.turn():
            room, participant = self._participant(room_name, name)
            if participant.is_in:
                room.leave(participant, MOVED_BY_API, was_kicked=True)
            else:
                self._network.hang_up(participant.call)
            return "", 204


def _room_options(form: Form) -> RoomOptions:
    events = form.several("ConferenceStatusCallbackEvent") or ("start", "end")
    unknown = set(events) - set(CONFERENCE_EVENTS)
    if unknown:
        message = f"ConferenceStatusCallbackEvent: unknown {', '.join(sorted(unknown))}"
        raise bad(errors.BAD_VALUE, message)
    record = form.one_of("ConferenceRecord", "true", "false", "record-from-start", "do-not-record")
    return RoomOptions(
        is_recorded=record in ("true", "record-from-start"),
        recording_callback=form.recording("Conference"),
        callback=form.url("ConferenceStatusCallback", errors.INVALID_STATUS_CALLBACK) or None,
        callback_method=form.method("ConferenceStatusCallbackMethod"),
        callback_events=events,
        max_participants=form.number("MaxParticipants", least=2, most=250) or 250,
    )


def _check_participant(form: Form) -> None:
    """Everything that can be wrong is found before a room or a call is made."""
    if not LABEL.fullmatch(form.text("Label") or ""):
        message = "Label has at most 128 characters, no / among them, and is no call's SID"
        raise bad(errors.INVALID_LABEL, message)
    form.one_of("Beep", "true", "false", "onEnter", "onExit")
    form.url("WaitUrl")
    form.method("WaitMethod")
    for name in ("Muted", "StartConferenceOnEnter", "EndConferenceOnExit", "Coaching"):
        form.flag(name, default=False)
    if form.flag("Coaching", default=False) and not form.text("CallSidToCoach"):
        raise bad(errors.BAD_VALUE, "Coaching needs CallSidToCoach")


def _new_participant(call: Call, form: Form) -> Participant:
    return Participant(
        call=call,
        created_at=call.created_at,
        updated_at=call.created_at,
        label=form.text("Label") or None,
        muted=form.flag("Muted", default=False),
        coached_call_sid=form.text("CallSidToCoach") if _coaches(form) else None,
        start_on_enter=form.flag("StartConferenceOnEnter", default=True),
        end_on_exit=form.flag("EndConferenceOnExit", default=False),
        beep=form.text("Beep") or "true",
        wait_url=form.url("WaitUrl"),
        wait_method=form.method("WaitMethod"),
    )


def _coaches(form: Form) -> bool:
    return form.flag("Coaching", default=form.has("CallSidToCoach"))


def _update(room: Conference, participant: Participant, form: Form) -> None:
    muted, hold = form.optional_flag("Muted"), form.optional_flag("Hold")
    hold_url, hold_method = form.url("HoldUrl"), form.method("HoldMethod", "GET")
    end_on_exit = form.optional_flag("EndConferenceOnExit")
    if form.has("WaitUrl"):
        participant.wait_url = form.url("WaitUrl")
        participant.wait_method = form.method("WaitMethod")
    beeps = form.optional_flag("BeepOnExit")
    if beeps is not None:
        room.beep_on_exit(participant, beeps=beeps)
    # Twilio silently keeps the old value while the participant is on hold.
    if end_on_exit is not None and not participant.hold and end_on_exit != participant.end_on_exit:
        participant.end_on_exit = end_on_exit
        room.modify(participant)
    if form.has("Coaching") or form.has("CallSidToCoach"):
        _coach(room, participant, form)
    if muted is not None:
        room.mute(participant, muted=muted)
    if hold is not None:
        room.hold(participant, hold=hold, url=hold_url if hold else None, method=hold_method)


def _coach(room: Conference, participant: Participant, form: Form) -> None:
    if not _coaches(form):
        coached = None
    else:
        coached = form.text("CallSidToCoach") or participant.coached_call_sid
        if coached is None or coached not in room.participants:
            message = f"CallSidToCoach {coached} is not in this conference"
            raise bad(errors.COACHED_CALL_IS_ABSENT, message)
        if room.participants[coached].hold:
            raise bad(errors.COACHED_CALL_IS_ON_HOLD, f"CallSidToCoach {coached} is on hold")
    if coached != participant.coached_call_sid:
        participant.coached_call_sid = coached
        room.modify(participant)
