"""A conference: who is in the room, when it opens and closes, and whom it tells.

The rules are Twilio's: the first participant fixes the callback and its events; the room opens
when two are in and one of them may open it; labels are unique; whoever leaves with
endConferenceOnExit closes it, unless on hold. It tells through the `tell` it is given and never
touches a call's script itself.
"""

import dataclasses
from collections.abc import Callable, Iterable

from simulator.agenda import Interruption, Scope
from simulator.call import IN_PROGRESS, QUEUED, RINGING, Call
from simulator.clock import rfc_2822
from simulator.recording import RecordingCallback
from simulator.webhook import Parameters

INIT, OPEN, COMPLETED = "init", "in-progress", "completed"

LARGEST_ROOM = 250
ROOM_IS_FULL = 16020
LABEL_IS_TAKEN = 16025
COACHED_CALL_IS_ABSENT = 16022
COACHED_CALL_IS_ON_HOLD = 16027

#: What one subscribes to -> the events one gets.
EVENTS_OF = {
    "start": ("conference-start",),
    "end": ("conference-end",),
    "join": ("participant-join",),
    "leave": ("participant-leave",),
    "mute": ("participant-mute", "participant-unmute"),
    "hold": ("participant-hold", "participant-unhold"),
    "modify": ("participant-modify",),
    "speaker": ("participant-speech-start", "participant-speech-stop"),
    "announcement": ("announcement-end", "announcement-fail"),
}

HUNG_UP = "participant_hung_up"
MOVED_BY_API = "participant_updated_via_api"
CLOSED_BY_MODERATOR = "moderator_ended_conference"
CLOSED_BY_API = "conference_ended_via_api"


#: When a participant makes the others hear a beep.
ALWAYS, NEVER, ON_ENTER, ON_EXIT = "true", "false", "onEnter", "onExit"


class LeftRoom(Interruption):
    """The participant is out of the room, though its call may go on."""


class MusicChanged(Interruption):
    """What the participant hears in the room is another now: held, resumed, opened, alone."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoomOptions:
    """What the first participant fixes for all."""

    callback: str | None = None
    callback_method: str = "POST"
    callback_events: tuple[str, ...] = ()
    max_participants: int = LARGEST_ROOM
    #: Recorded from the moment it opens.
    is_recorded: bool = False
    recording_callback: RecordingCallback | None = None


@dataclasses.dataclass(kw_only=True, eq=False)
class Participant:
    call: Call
    created_at: int
    label: str | None = None
    muted: bool = False
    hold: bool = False
    hold_url: str | None = None
    hold_method: str = "GET"
    coached_call_sid: str | None = None
    start_on_enter: bool = True
    end_on_exit: bool = False
    beep: str = "true"
    wait_url: str | None = None
    wait_method: str = "POST"
    updated_at: int = 0
    #: Open from joining to leaving; news for the participant is dropped after that.
    scope: Scope = dataclasses.field(default_factory=Scope)
    is_in: bool = False
    has_heard_wait_music: bool = False

    @property
    def status(self) -> str:
        """queued, connecting, ringing, connected, complete or failed."""
        if self.is_in:
            return "connected"
        waiting = {QUEUED: "queued", RINGING: "ringing", IN_PROGRESS: "connecting"}
        return waiting.get(self.call.status, "complete" if self.call.answered_at else "failed")


Tell = Callable[["Conference", Parameters], None]


class JoinRefused(Exception):
    """The room does not take this participant. `code` is the number in Twilio's debugger."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclasses.dataclass(kw_only=True, eq=False)
class Conference:
    sid: str
    friendly_name: str
    account_sid: str
    created_at: int
    options: RoomOptions
    now: Callable[[], int]
    tell: Tell
    #: Ends the call of somebody who was still ringing when the room closed.
    give_up: Callable[[Call], None]
    #: Called when the room has opened and when it has closed.
    turned: Callable[["Conference"], None]
    #: Called when anything in the room is another than before.
    changed: Callable[["Conference"], None]
    #: Called with those who hear a beep, since somebody has come in or gone out.
    beeps: Callable[[list["Participant"]], None]
    #: Called when a call has come in or gone out.
    moved: Callable[[Call], None]
    status: str = INIT
    updated_at: int = 0
    sequence: int = 0
    #: By call SID, in the order of joining; those who still ring are among them, `is_in` tells.
    participants: dict[str, Participant] = dataclasses.field(default_factory=dict)
    reason_ended: str | None = None
    call_sid_ending: str | None = None
    was_joined: bool = False

    # -- who is there

    @property
    def inside(self) -> list[Participant]:
        return [one for one in self.participants.values() if one.is_in]

    @property
    def is_live(self) -> bool:
        return self.status != COMPLETED

    def find(self, name: str) -> Participant | None:
        """A participant by call SID or label."""
        by_label = (one for one in self.participants.values() if one.label == name)
        return self.participants.get(name) or next(by_label, None)

    def hears_music(self, participant: Participant) -> bool:
        """Before the room opens, and whenever nobody else is there."""
        return self.status == INIT or self.inside == [participant]

    # -- coming and going

    def expect(self, participant: Participant) -> None:
        """Somebody is being called into the room. Raises JoinRefused."""
        self._check(participant)
        self.participants[participant.call.sid] = participant
        participant.call.conference_sid = self.sid
        self.changed(self)
        self.moved(participant.call)

    def join(self, participant: Participant) -> None:
        """Raises JoinRefused where the label is taken or the room is full."""
        if participant.call.sid not in self.participants:
            self.expect(participant)
        alone_before = self.inside if len(self.inside) == 1 else []
        participant.is_in = True
        self.was_joined = True
        if participant.beep in (ALWAYS, ON_ENTER):
            self._beep(but=participant)
        self.updated_at = self.now()
        self._tell_of(participant, "participant-join")
        was_open = self.status == OPEN
        if not was_open and self._may_open():
            self.status = OPEN
            self._announce("conference-start")
            self.turned(self)
            self._change_music(one for one in self.inside if one is not participant)
        elif was_open:
            self._change_music(alone_before)
        self.changed(self)

    def _check(self, participant: Participant) -> None:
        if participant.label and self.find(participant.label):
            raise JoinRefused(LABEL_IS_TAKEN, f"label {participant.label} is taken in this room")
        if len(self.participants) >= self.options.max_participants:
            raise JoinRefused(ROOM_IS_FULL, "the conference is full")
        coached = participant.coached_call_sid
        if coached is None:
            return
        if coached not in self.participants:
            raise JoinRefused(COACHED_CALL_IS_ABSENT, f"{coached} is not in this room")
        if self.participants[coached].hold:
            raise JoinRefused(COACHED_CALL_IS_ON_HOLD, f"{coached} is on hold")

    def _may_open(self) -> bool:
        inside = self.inside
        return len(inside) > 1 and any(one.start_on_enter for one in inside)

    def leave(self, participant: Participant, reason: str, *, was_kicked: bool = False) -> None:
        """Take somebody out, and close the room where its rules say so. Safe to repeat."""
        if self.participants.pop(participant.call.sid, None) is None:
            return
        was_in = participant.is_in
        self._take_out(participant, reason)
        gone = "kicked" if was_kicked else "left"
        if was_in and participant.end_on_exit and not participant.hold:
            self.close(f"participant-with-end-conference-on-exit-{gone}", ending=participant)
        elif not self.participants:
            self.close(f"last-participant-{gone}", ending=participant)
        elif len(self.inside) == 1:
            self._change_music(self.inside)
        self.changed(self)

    def _take_out(self, participant: Participant, reason: str) -> None:
        participant.call.conference_sid = None
        self.moved(participant.call)
        self.updated_at = self.now()
        if participant.is_in:
            participant.is_in = False
            extra = (
                ("ParticipantCallStatus", participant.call.status),
                ("ReasonParticipantLeft", reason),
            )
            self._tell_of(participant, "participant-leave", extra)
            if participant.beep in (ALWAYS, ON_EXIT):
                self._beep(but=participant)
            script = participant.call.script
            if script is not None:
                script.interrupt(LeftRoom(), participant.scope)

    def _beep(self, *, but: Participant) -> None:
        """Whoever is on hold hears nothing of the room."""
        self.beeps([one for one in self.inside if one is not but and not one.hold])

    def close(self, reason: str, *, ending: Participant | None = None) -> None:
        """End the conference; everybody in it leaves, who still rings is given up."""
        if not self.is_live:
            return
        self.status = COMPLETED
        self.reason_ended = reason
        self.turned(self)
        ringing = [one.call for one in self.participants.values() if not one.is_in]
        why = CLOSED_BY_API if ending is None else CLOSED_BY_MODERATOR
        for participant in list(self.participants.values()):
            del self.participants[participant.call.sid]
            self._take_out(participant, why)
        self.updated_at = self.now()
        self.call_sid_ending = None if ending is None else ending.call.sid
        if self.was_joined:
            self._announce("conference-end", self._ending_parameters(reason, ending))
        for call in ringing:
            self.give_up(call)
        self.changed(self)

    def _ending_parameters(self, reason: str, ending: Participant | None) -> Parameters:
        found = [("ReasonConferenceEnded", reason)]
        if ending is None:
            return (*found, ("Reason", "Conference ended via API"))
        found.append(("CallSidEndingConference", ending.call.sid))
        if ending.label:
            found.append(("ParticipantLabelEndingConference", ending.label))
        how = "with endConferenceOnExit left" if ending.end_on_exit else "was last to leave"
        return (*found, ("Reason", f"Participant {ending.call.sid} {how} the conference"))

    # -- changes in the room

    def mute(self, participant: Participant, *, muted: bool) -> None:
        if participant.muted != muted:
            participant.muted = muted
            self._tell_of(participant, "participant-mute" if muted else "participant-unmute")
            self.changed(self)

    def hold(self, participant: Participant, *, hold: bool, url: str | None, method: str) -> None:
        if participant.hold == hold and url == participant.hold_url:
            return
        changed = participant.hold != hold
        participant.hold, participant.hold_url, participant.hold_method = hold, url, method
        if changed:
            self._tell_of(participant, "participant-hold" if hold else "participant-unhold")
            self.changed(self)
        self._change_music([participant])

    def beep_on_exit(self, participant: Participant, *, beeps: bool) -> None:
        enters = participant.beep in (ALWAYS, ON_ENTER)
        exits = ON_EXIT if beeps else NEVER
        participant.beep = (ALWAYS if beeps else ON_ENTER) if enters else exits

    def spoke(self, participant: Participant, *, begins: bool) -> None:
        """Somebody in the room, whom the others can hear, has begun to speak, or has ended."""
        if participant.is_in and not participant.muted and not participant.hold:
            self._tell_of(participant, f"participant-speech-{'start' if begins else 'stop'}")

    def modify(self, participant: Participant) -> None:
        self._tell_of(participant, "participant-modify")
        self.changed(self)

    def announced(self, participant: Participant, *, url: str, failure: str | None) -> None:
        if not self.is_live:
            return
        extra: Parameters = (("AnnounceUrl", url),)
        if failure is not None:
            extra = (*extra, ("ReasonAnnouncementFailed", failure))
        event = "announcement-end" if failure is None else "announcement-fail"
        self._tell_of(participant, event, extra)

    def _change_music(self, participants: Iterable[Participant]) -> None:
        for participant in list(participants):
            script = participant.call.script
            if script is not None:
                script.interrupt(MusicChanged(), participant.scope)

    # -- telling

    def _tell_of(self, participant: Participant, event: str, extra: Parameters = ()) -> None:
        found = [
            ("CallSid", participant.call.sid),
            ("Muted", _word(participant.muted)),
            ("Hold", _word(participant.hold)),
            ("Coaching", _word(participant.coached_call_sid is not None)),
            ("EndConferenceOnExit", _word(participant.end_on_exit)),
            ("StartConferenceOnEnter", _word(participant.start_on_enter)),
        ]
        if participant.label:
            found.append(("ParticipantLabel", participant.label))
        self._announce(event, (*found, *extra))

    def _announce(self, event: str, extra: Parameters = ()) -> None:
        """Numbered like a call's progress: over the events that are subscribed to, here from 1."""
        wanted = {name for word in self.options.callback_events for name in EVENTS_OF[word]}
        if self.options.callback is None or event not in wanted:
            return
        self.sequence += 1
        common = (
            ("AccountSid", self.account_sid),
            ("ConferenceSid", self.sid),
            ("FriendlyName", self.friendly_name),
            ("SequenceNumber", str(self.sequence)),
            ("StatusCallbackEvent", event),
            ("Timestamp", rfc_2822(self.now())),
        )
        self.tell(self, (*common, *extra))


def _word(flag: bool) -> str:
    return "true" if flag else "false"
