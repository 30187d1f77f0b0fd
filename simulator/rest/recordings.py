"""Recordings: of the account, of a call, of a conference; start, pause, resume, stop, delete."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, request

from simulator.call import IN_PROGRESS
from simulator.recording import (
    CURRENT,
    PAUSED,
    RECORDING,
    STOPPED,
    Recording,
)
from simulator.rest import errors, representation
from simulator.rest.door import Door, blueprint
from simulator.rest.errors import bad, not_found
from simulator.rest.forms import Form, dates
from simulator.rest.pages import PAGING, page

MADE = dates("DateCreated")
FILTERS = frozenset({"CallSid", "ConferenceSid", *PAGING}) | MADE
CREATE = frozenset({"RecordingTrack"})
UPDATE = frozenset({"Status", "PauseBehavior"})

Represent = Callable[[Recording], dict[str, Any]]


class Recordings:
    def __init__(self, door: Door) -> None:
        self._network = door.network
        self._recorder = door.network.recorder
        self._door = door

    def routes(self) -> Blueprint:
        routes = blueprint("recordings", self._door)
        every = "/<account_sid>/Recordings"
        of_call = "/<account_sid>/Calls/<call_sid>/Recordings"
        of_room = "/<account_sid>/Conferences/<room_name>/Recordings"
        for rule, view, method in (
            (f"{every}.json", self.list, "GET"),
            (f"{every}/<sid>.json", self.fetch, "GET"),
            (f"{every}/<sid>.json", self.delete, "DELETE"),
            (f"{of_call}.json", self.start, "POST"),
            (f"{of_call}.json", self.list_of_call, "GET"),
            (f"{of_call}/<sid>.json", self.fetch_of_call, "GET"),
            (f"{of_call}/<sid>.json", self.update_of_call, "POST"),
            (f"{of_call}/<sid>.json", self.delete_of_call, "DELETE"),
            (f"{of_room}.json", self.list_of_room, "GET"),
            (f"{of_room}/<sid>.json", self.fetch_of_room, "GET"),
            (f"{of_room}/<sid>.json", self.update_of_room, "POST"),
            (f"{of_room}/<sid>.json", self.delete_of_room, "DELETE"),
        ):
            routes.add_url_rule(rule, view_func=view, methods=[method])
        return routes

    # -- whose they are

    def _of_account(self) -> Iterable[Recording]:
        return reversed(self._recorder.all.values())

    def _of_call(self, call_sid: str) -> Iterable[Recording]:
        if call_sid not in self._network.calls:
            raise not_found(request.path)
        return self._recorder.of_call(call_sid)

    def _of_room(self, name: str) -> Iterable[Recording]:
        room = self._network.conferences.get(name) or self._network.live_room(name)
        if room is None:
            raise not_found(request.path)
        return self._recorder.of_conference(room.sid)

    # -- what all three share

    def _page(self, rows: Iterable[Recording], represent: Represent) -> dict[str, Any]:
        return page(
            key="recordings",
            rows=list(rows),
            sid_of=lambda one: one.sid,
            represent=represent,
            path=request.path,
            query=request.args,
        )

    def _update(self, recording: Recording, form: Form) -> None:
        status = form.one_of("Status", RECORDING, PAUSED, STOPPED)
        behavior = form.one_of("PauseBehavior", "skip", "silence")
        if status is None:
            raise bad(errors.BAD_VALUE, "Status is in-progress, paused or stopped")
        if not recording.goes_on:
            message = f"Recording {recording.sid} is {recording.status}; it does not go on"
            raise bad(errors.NOT_IN_PROGRESS, message)
        if status == PAUSED:
            self._recorder.pause(recording, leaves_out=behavior == "skip")
        elif status == STOPPED:
            self._recorder.stop(recording, STOPPED)
        else:
            self._recorder.resume(recording)

    def _delete(self, recording: Recording) -> tuple[str, int]:
        if not recording.is_over:
            message = f"Recording {recording.sid} is {recording.status}: stop it first"
            raise bad(errors.BAD_VALUE, message)
        del self._recorder.all[recording.sid]
        return "", 204

    # -- of the account

    def list(self, account_sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.args, FILTERS)
        call, room = form.text("CallSid"), form.text("ConferenceSid")
        with self._network.agenda.turn():
            rows = [
                one
                for one in self._of_account()
                if call in (None, one.call_sid)
                and room in (None, one.conference_sid)
                and form.within("DateCreated", one.started_at)
            ]
            return self._page(rows, representation.account_recording)

    def fetch(self, account_sid: str, sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return representation.account_recording(_find(self._of_account(), sid))

    def delete(self, account_sid: str, sid: str) -> tuple[str, int]:
        del account_sid
        with self._network.agenda.turn():
            return self._delete(_find(self._of_account(), sid))

    # -- of a call

    def start(self, account_sid: str, call_sid: str) -> tuple[dict[str, Any], int]:
        del account_sid
        form = Form(request.form, CREATE | RECORDING_PARAMETERS)
        with self._network.agenda.turn():
            call = self._network.calls.get(call_sid)
            if call is None:
                raise not_found(request.path)
            channels, track, callback = _channels(form), _track(form), form.recording()
            if call.status != IN_PROGRESS:
                message = "Requested resource is not eligible for recording"
                raise bad(errors.NOT_IN_PROGRESS, message)
            recording = self._recorder.start(
                call_sid=call.sid,
                source="StartCallRecordingAPI",
                channels=channels,
                track=track,
                callback=callback,
            )
            return representation.call_recording(recording), 201

    def list_of_call(self, account_sid: str, call_sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.args, MADE | frozenset(PAGING))
        with self._network.agenda.turn():
            return self._page(_made(form, self._of_call(call_sid)), representation.call_recording)

    def fetch_of_call(self, account_sid: str, call_sid: str, sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return representation.call_recording(_find(self._of_call(call_sid), sid))

    def update_of_call(self, account_sid: str, call_sid: str, sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.form, UPDATE)
        with self._network.agenda.turn():
            recording = _find(self._of_call(call_sid), sid)
            self._update(recording, form)
            return representation.call_recording(recording)

    def delete_of_call(self, account_sid: str, call_sid: str, sid: str) -> tuple[str, int]:
        del account_sid
        with self._network.agenda.turn():
            return self._delete(_find(self._of_call(call_sid), sid))

    # -- of a conference

    def list_of_room(self, account_sid: str, room_name: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.args, MADE | frozenset(PAGING))
        with self._network.agenda.turn():
            found = _made(form, self._of_room(room_name))
            return self._page(found, representation.conference_recording)

    def fetch_of_room(self, account_sid: str, room_name: str, sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return representation.conference_recording(_find(self._of_room(room_name), sid))

    def update_of_room(self, account_sid: str, room_name: str, sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.form, UPDATE)
        with self._network.agenda.turn():
            recording = _find(self._of_room(room_name), sid)
            self._update(recording, form)
            return representation.conference_recording(recording)

    def delete_of_room(self, account_sid: str, room_name: str, sid: str) -> tuple[str, int]:
        del account_sid
        with self._network.agenda.turn():
            return self._delete(_find(self._of_room(room_name), sid))


def _made(form: Form, recordings: Iterable[Recording]) -> list[Recording]:
    return [one for one in recordings if form.within("DateCreated", one.started_at)]


def _find(recordings: Iterable[Recording], sid: str) -> Recording:
    for recording in recordings:
        if recording.sid == sid or (sid == CURRENT and recording.goes_on):
            return recording
    raise not_found(request.path)


RECORDING_PARAMETERS = frozenset({
    "RecordingChannels", "RecordingStatusCallback", "RecordingStatusCallbackMethod",
    "RecordingStatusCallbackEvent",
})  # fmt: skip


def _channels(form: Form) -> int:
    return 2 if form.one_of("RecordingChannels", "mono", "dual") == "dual" else 1


def _track(form: Form) -> str:
    return form.one_of("RecordingTrack", "inbound", "outbound", "both") or "both"
