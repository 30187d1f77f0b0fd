"""Recordings: started, paused, stopped, and whom they tell. Of the sound only its length is kept.

A recording belongs to a call or to a conference and ends with it at the latest. When it has been
stopped it is processed for a moment, as Twilio's are, and then it is completed; or absent, where
there was nothing to hear. What follows from TwiML or REST is not this room's business.
"""

import dataclasses
from collections.abc import Callable, Iterator

from simulator.agenda import Agenda
from simulator.clock import MILLISECONDS, rfc_2822
from simulator.webhook import Parameters

RECORDING, PAUSED, STOPPED = "in-progress", "paused", "stopped"
PROCESSING, COMPLETED, ABSENT = "processing", "completed", "absent"
GOES_ON = (RECORDING, PAUSED)

EVENTS = ("in-progress", "completed", "absent")

TOO_SHORT, SILENT = 16101, 16102

PROCESSING_SECONDS = 1.0

#: How REST names the recording that goes on, whatever its SID.
CURRENT = "Twilio.CURRENT"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordingCallback:
    """Who is told about a recording, and of what."""

    url: str
    method: str = "POST"
    events: tuple[str, ...] = ("completed",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LegRecording:
    """How an outbound call is to be recorded, from its answer to its end."""

    channels: int = 1
    track: str = "both"
    callback: RecordingCallback | None = None


@dataclasses.dataclass(kw_only=True, eq=False)
class Recording:
    sid: str  # RE...
    account_sid: str
    call_sid: str
    conference_sid: str | None
    source: str  # Twilio's: RecordVerb, DialVerb, Conference, StartCallRecordingAPI
    channels: int
    track: str
    started_at: int
    updated_at: int
    callback: RecordingCallback | None
    status: str = RECORDING
    error_code: int | None = None
    paused_at: int | None = None  # only where what is said meanwhile is left out
    left_out_ms: int = 0
    stopped_at: int | None = None

    @property
    def goes_on(self) -> bool:
        return self.status in GOES_ON

    @property
    def is_over(self) -> bool:
        return self.status in (COMPLETED, ABSENT)

    @property
    def url(self) -> str:
        """Where Twilio would have the sound."""
        path = f"/2010-04-01/Accounts/{self.account_sid}/Recordings/{self.sid}"
        return f"https://api.twilio.com{path}"

    def duration_seconds(self) -> int:
        """Whole seconds; only of one that was stopped."""
        assert self.stopped_at is not None  # noqa: S101 - see above
        return (self.stopped_at - self.started_at - self.left_out_ms) // MILLISECONDS


Tell = Callable[[Recording, Parameters], None]


class Recorder:
    """All recordings of the account. Every method expects to be called inside a turn."""

    def __init__(self, account_sid: str, agenda: Agenda, new_sid: Callable[[str], str]) -> None:
        self._account_sid = account_sid
        self._agenda = agenda
        self._new_sid = new_sid
        #: How a webhook is sent; the network sets it.
        self.tell: Tell = lambda _recording, _parameters: None
        self.all: dict[str, Recording] = {}

    def start(
        self,
        *,
        call_sid: str,
        source: str,
        conference_sid: str | None = None,
        channels: int = 1,
        track: str = "both",
        callback: RecordingCallback | None = None,
    ) -> Recording:
        now = self._agenda.now()
        recording = Recording(
            sid=self._new_sid("RE"),
            account_sid=self._account_sid,
            call_sid=call_sid,
            conference_sid=conference_sid,
            source=source,
            channels=channels,
            track=track,
            started_at=now,
            updated_at=now,
            callback=callback,
        )
        self.all[recording.sid] = recording
        self._report(recording)
        return recording

    def pause(self, recording: Recording, *, leaves_out: bool) -> None:
        """`leaves_out`: what is said meanwhile is skipped, else there is silence in its place."""
        if recording.status == RECORDING:
            recording.status = PAUSED
            recording.updated_at = now = self._agenda.now()
            recording.paused_at = now if leaves_out else None

    def resume(self, recording: Recording) -> None:
        if recording.status == PAUSED:
            self._close_gap(recording)
            recording.status = RECORDING

    def _close_gap(self, recording: Recording) -> None:
        recording.updated_at = now = self._agenda.now()
        if recording.paused_at is not None:
            recording.left_out_ms += now - recording.paused_at
            recording.paused_at = None

    def stop(self, recording: Recording, status: str = PROCESSING, *, silent: bool = False) -> None:
        """Safe to repeat. A moment later it is completed, or absent."""
        if not recording.goes_on:
            return
        self._close_gap(recording)
        recording.status, recording.stopped_at = status, self._agenda.now()
        if silent:
            recording.error_code = SILENT
        elif recording.duration_seconds() < 1:
            recording.error_code = TOO_SHORT
        self._agenda.after(PROCESSING_SECONDS, lambda: self._finish(recording))

    def _finish(self, recording: Recording) -> None:
        recording.status = COMPLETED if recording.error_code is None else ABSENT
        recording.updated_at = self._agenda.now()
        self._report(recording)

    def of_call(self, call_sid: str) -> Iterator[Recording]:
        """Those of the call itself, newest first."""
        for recording in reversed(self.all.values()):
            if recording.call_sid == call_sid and recording.conference_sid is None:
                yield recording

    def of_conference(self, conference_sid: str) -> Iterator[Recording]:
        for recording in reversed(self.all.values()):
            if recording.conference_sid == conference_sid:
                yield recording

    def _report(self, recording: Recording) -> None:
        callback = recording.callback
        if callback is not None and recording.status in callback.events:
            self.tell(recording, parameters(recording))


def parameters(recording: Recording) -> Parameters:
    """What a recording's status callback says."""
    about: Parameters = (("CallSid", recording.call_sid), ("RecordingTrack", recording.track))
    if recording.conference_sid is not None:
        about = (("ConferenceSid", recording.conference_sid),)
    found = [
        ("AccountSid", recording.account_sid),
        *about,
        ("RecordingSid", recording.sid),
        ("RecordingUrl", recording.url),
        ("RecordingStatus", recording.status),
        ("RecordingChannels", str(recording.channels)),
        ("RecordingStartTime", rfc_2822(recording.started_at)),
        ("RecordingSource", recording.source),
        ("ErrorCode", str(recording.error_code or 0)),
    ]
    if recording.stopped_at is not None:
        found.append(("RecordingDuration", str(recording.duration_seconds())))
    return tuple(found)
