"""A telephone exchange in memory: keeps PhoneLine's contract, and tells of it as Twilio does.

Callbacks are not sent but kept in `outbox`, so that a test may deliver them late, twice, shuffled
or not at all.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree

from voice.phone_line import (
    ENDED_STATUSES,
    CallGone,
    Calling,
    Dialling,
    Leg,
    PhoneLineError,
    Room,
)

Parameters = dict[str, str]


def parsed(twiml: str) -> ElementTree.Element:
    """The document's <Response>; fails for what is no XML."""
    return ElementTree.fromstring(twiml)  # noqa: S314 - our own server's answer


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


@dataclass
class FakeCall:
    sid: str
    from_address: str
    to_address: str
    direction: str
    status: str = "ringing"
    #: What the caller hears or does: every document it was given.
    documents: list[str] = field(default_factory=list)
    callback: str | None = None
    told: int = 0
    room: "FakeRoom | None" = None
    dial_action: str | None = None
    queue_action: str | None = None
    label: str | None = None
    ends_room: bool = False
    #: What a participant's part was changed to.
    part: dict[str, object] = field(default_factory=dict)
    recording: str | None = None

    @property
    def is_live(self) -> bool:
        return self.status not in ENDED_STATUSES


@dataclass
class FakeRoom:
    sid: str
    name: str
    callback: str
    members: list[FakeCall] = field(default_factory=list)
    #: Dialled and not yet in.
    expected: list[FakeCall] = field(default_factory=list)
    is_over: bool = False
    ended_by: str | None = None
    told: int = 0


@dataclass(frozen=True)
class Callback:
    """A webhook that Twilio would send; `path` is path and query of our own URL."""

    path: str
    parameters: Parameters


class Exchange:
    """Fulfils voice.phone_line.PhoneLine."""

    def __init__(self) -> None:
        self.calls: dict[str, FakeCall] = {}
        self.rooms: list[FakeRoom] = []
        self.outbox: list[Callback] = []
        #: Every REST call, in words.
        self.asked: list[str] = []
        #: {method: errors it raises, one after the other; None for a call that works}
        self.faults: dict[str, list[PhoneLineError | None]] = {}
        #: {method: errors it raises though it has done the work}
        self.faults_after: dict[str, list[PhoneLineError]] = {}
        #: Tells that a phone is called and rings though nobody has asked for it.
        self.tells_early = False
        #: Called in the middle of a REST call, as if something happened meanwhile.
        self.meanwhile: Callable[[], None] | None = None
        #: The same, when the work is done and the answer is on its way.
        self.afterwards: Callable[[], None] | None = None

    # ---- what PhoneLine promises -----------------------------------------------------------------

    def dial(self, dialling: Dialling) -> Leg:
        self._begin("dial", f"dial {dialling.to} from {dialling.from_address}")
        room = self._room_named(dialling.room)
        if room is None:
            room = FakeRoom(sid=new_sid("CF"), name=dialling.room, callback=dialling.room_url)
            self.rooms.append(room)
        leg = FakeCall(
            sid=new_sid("CA"),
            from_address=dialling.from_address,
            to_address=dialling.to,
            direction="outbound-api",
            callback=dialling.leg_url,
            label=dialling.label,
            ends_room=dialling.options.get("end_conference_on_exit", True) is True,
            part=dict(dialling.options),
        )
        self.calls[leg.sid] = leg
        room.expected.append(leg)
        leg.room = room
        self._tell_early(leg, dialling.more_of_leg)
        self._end("dial")
        return Leg(call_sid=leg.sid, conference_sid=room.sid)

    def find_leg(self, *, room: str, label: str) -> Leg | None:
        self._begin("find_leg", "find leg")
        found = self._room_named(room)
        for leg in [*found.members, *found.expected] if found else []:
            if leg.label == label and leg.is_live and found is not None:
                return Leg(call_sid=leg.sid, conference_sid=found.sid)
        return None

    def find_room(self, name: str) -> Room | None:
        self._begin("find_room", "find room")
        room = self._room_named(name)
        if room is None:
            return None
        return Room(sid=room.sid, call_sids=frozenset(member.sid for member in room.members))

    def members(self, conference_sid: str) -> frozenset[str]:
        self._begin("members", "members")
        return frozenset(
            member.sid
            for room in self.rooms
            if room.sid == conference_sid and not room.is_over
            for member in room.members
        )

    def who_ended(self, name: str) -> str | None:
        self._begin("who_ended", "who ended")
        newest = [room for room in self.rooms if room.name == name][-1:]
        return newest[0].ended_by if newest else None

    def call_status(self, call_sid: str) -> str:
        self._begin("call_status", "call status")
        if call_sid not in self.calls:
            raise CallGone("not found", code=20404)
        return self.calls[call_sid].status

    def redirect(self, call_sid: str, *, twiml: str) -> None:
        self._begin("redirect", f"redirect {_first_verb(twiml)}")
        call = self.calls.get(call_sid)
        if call is None or call.status != "in-progress":
            raise CallGone("Call is not in-progress. Cannot redirect.", code=21220)
        self._leave_room(call, told=True)
        if call.queue_action is not None:
            self._tell(call.queue_action, self._standard(call) | {"QueueResult": "redirected"})
            call.queue_action = None
        self.obey(call, twiml)
        self._end("redirect")

    def redirect_to(self, call_sid: str, *, url: str) -> None:
        self._begin("redirect", f"redirect to {url}")
        call = self.calls.get(call_sid)
        if call is None or call.status != "in-progress":
            raise CallGone("Call is not in-progress. Cannot redirect.", code=21220)
        self._leave_room(call, told=True)
        if call.queue_action is not None:
            self._tell(call.queue_action, self._standard(call) | {"QueueResult": "redirected"})
            call.queue_action = None
        call.documents.append(f"<Response><Redirect>{url}</Redirect></Response>")
        self._end("redirect")

    def call(self, calling: Calling) -> str:
        self._begin("call", f"call {calling.to} from {calling.from_address}")
        made = self.new_call(calling.from_address, calling.to, calling.leg_url)
        made.direction = "outbound-api"
        made.part = {"record": calling.record}
        made.documents.append(f"<Response><Redirect>{calling.url}</Redirect></Response>")
        self._tell_early(made, calling.more_of_leg)
        self._end("call")
        return made.sid

    def find_call(self, *, to: str, from_address: str, since: int) -> str | None:
        self._begin("find_call", f"find call since {since}")
        found = [
            call.sid
            for call in self.calls.values()
            if (call.to_address, call.from_address) == (to, from_address)
        ]
        return found[-1] if found else None

    def change(self, conference_sid: str, call_sid: str, **part: object) -> None:
        self._begin("change", f"change {part}")
        call = self._member(conference_sid, call_sid)
        call.part |= part
        if "end_conference_on_exit" in part:
            call.ends_room = part["end_conference_on_exit"] is True
        self._end("change")

    def kick(self, conference_sid: str, call_sid: str) -> None:
        self._begin("kick", "kick")
        call = self._member(conference_sid, call_sid)
        self.end(call)
        self._end("kick")

    def end_room(self, conference_sid: str) -> None:
        self._begin("end_room", "end room")
        for room in self.rooms:
            if room.sid == conference_sid and not room.is_over:
                self._end_room(room, ended_by="")
                self._end("end_room")
                return
        raise CallGone("the room is over")

    def record(self, call_sid: str, *, action: str, pause_behavior: str) -> None:
        self._begin("record", f"record {action} {pause_behavior}")
        if call_sid not in self.calls:
            raise CallGone("not found", code=20404)
        self.calls[call_sid].recording = action
        self._end("record")

    def _member(self, conference_sid: str, call_sid: str) -> FakeCall:
        for room in self.rooms:
            for member in room.members:
                if (room.sid, member.sid) == (conference_sid, call_sid):
                    return member
        raise CallGone("not in this room", code=20404)

    def hang_up(self, call_sid: str) -> None:
        self._begin("hang_up", "hang up")
        call = self.calls.get(call_sid)
        if call is None or not call.is_live:
            raise CallGone("Call is not in-progress. Cannot redirect.", code=21220)
        self.end(call, "completed" if call.status == "in-progress" else "canceled")
        self._end("hang_up")

    # ---- what people do --------------------------------------------------------------------------

    def new_call(self, from_address: str, to_address: str, callback: str | None) -> FakeCall:
        call = FakeCall(
            sid=new_sid("CA"),
            from_address=from_address,
            to_address=to_address,
            direction="inbound",
            callback=callback,
        )
        self.calls[call.sid] = call
        return call

    def obey(self, call: FakeCall, twiml: str) -> None:
        """The call does what the document says, as far as one can tell at once."""
        call.documents.append(twiml)
        for verb in parsed(twiml):
            if verb.tag == "Enqueue":
                call.queue_action = verb.get("action")
            elif verb.tag == "Dial":
                conference = verb.find("Conference")
                assert conference is not None
                call.dial_action = verb.get("action")
                self._enter_room(call, conference)
            elif verb.tag == "Hangup":
                self.end(call, "completed")

    def leg_to(self, address: str) -> FakeCall:
        """The last leg that was dialled to that address."""
        return [leg for leg in self.calls.values() if leg.to_address == address][-1]

    def pick_up(self, leg: FakeCall) -> None:
        leg.status = "in-progress"
        self.tell_status(leg, "in-progress")
        if leg.room is not None:
            leg.room.expected.remove(leg)
            self._join(leg, leg.room)

    def end(self, call: FakeCall, status: str = "completed") -> None:
        """The call ends: hung up, or never answered."""
        call.status = status
        if call.queue_action is not None:
            self._tell(call.queue_action, self._standard(call) | {"QueueResult": "hangup"})
            call.queue_action = None
        self._leave_room(call, told=True)
        self.tell_status(call, status)

    # ---- the rest --------------------------------------------------------------------------------

    def live_calls(self) -> list[FakeCall]:
        return [call for call in self.calls.values() if call.is_live]

    def _begin(self, method: str, words: str) -> None:
        self.asked.append(words)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        faults = self.faults.get(method)
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault

    def _end(self, method: str) -> None:
        afterwards, self.afterwards = self.afterwards, None
        if afterwards is not None:
            afterwards()
        faults = self.faults_after.get(method)
        if faults:
            raise faults.pop(0)

    def _room_named(self, name: str) -> FakeRoom | None:
        live = [room for room in self.rooms if room.name == name and not room.is_over]
        return live[-1] if live else None

    def _enter_room(self, call: FakeCall, conference: ElementTree.Element) -> None:
        name = conference.text or ""
        room = self._room_named(name)
        if room is None:
            callback = conference.get("statusCallback") or ""
            room = FakeRoom(sid=new_sid("CF"), name=name, callback=callback)
            self.rooms.append(room)
        call.ends_room = conference.get("endConferenceOnExit") == "true"
        self._join(call, room)

    def _join(self, call: FakeCall, room: FakeRoom) -> None:
        call.room = room
        room.members.append(call)
        self._tell_room(room, "participant-join", call)
        if len(room.members) == 2:
            self._tell_room(room, "conference-start", None)

    def _leave_room(self, call: FakeCall, *, told: bool) -> None:
        room, call.room = call.room, None
        if room is None:
            return
        if call in room.expected:
            room.expected.remove(call)
        was_in = call in room.members
        if was_in:
            room.members.remove(call)
            self._tell_room(room, "participant-leave", call)
        if told and call.dial_action is not None:
            action, call.dial_action = call.dial_action, None
            self._tell(action, self._standard(call) | {"DialCallStatus": "answered"})
        ends = (call.ends_room and was_in) or not room.members
        if ends and not room.expected and not room.is_over:
            self._end_room(room, ended_by=call.sid)

    def _end_room(self, room: FakeRoom, *, ended_by: str) -> None:
        room.is_over = True
        room.ended_by = ended_by
        for member in list(room.members):
            room.members.remove(member)
            member.room = None
            self._tell_room(room, "participant-leave", member)
            if member.dial_action is None:
                # An agent's leg has nothing else to do.
                self.end(member, "completed")
            else:
                action, member.dial_action = member.dial_action, None
                answer_to = self._standard(member) | {"DialCallStatus": "answered"}
                self.outbox.append(Callback(_path(action), answer_to | {"_obey": member.sid}))
        self._tell_room(room, "conference-end", None, CallSidEndingConference=ended_by)

    def _tell_room(self, room: FakeRoom, event: str, call: FakeCall | None, **more: str) -> None:
        room.told += 1
        parameters = {
            "ConferenceSid": room.sid,
            "FriendlyName": room.name,
            "AccountSid": ACCOUNT_SID,
            "SequenceNumber": str(room.told),
            "Timestamp": "Mon, 05 Jan 2026 09:00:00 +0000",
            "StatusCallbackEvent": event,
        }
        if call is not None:
            parameters |= {
                "CallSid": call.sid,
                "Muted": "false",
                "Hold": "false",
                "Coaching": "false",
                "EndConferenceOnExit": "true" if call.ends_room else "false",
                "StartConferenceOnEnter": "true",
            }
            if call.label:
                parameters["ParticipantLabel"] = call.label
        self._tell(room.callback, parameters | more)

    def _tell_early(self, leg: FakeCall, events: frozenset[str]) -> None:
        """The events that nobody is told of who has not asked for them."""
        for event in ("initiated", "ringing"):
            if self.tells_early or event in events:
                self.tell_status(leg, event)

    def tell_status(self, call: FakeCall, status: str) -> None:
        if call.callback is not None:
            self._tell(
                call.callback,
                self._standard(call)
                | {
                    "CallStatus": status,
                    "CallbackSource": "call-progress-events",
                    "SequenceNumber": str(call.told),
                    "Timestamp": "Mon, 05 Jan 2026 09:00:00 +0000",
                },
            )
            call.told += 1

    def _standard(self, call: FakeCall) -> Parameters:
        return standard_parameters(call)

    def _tell(self, url: str, parameters: Parameters) -> None:
        self.outbox.append(Callback(_path(url), parameters))


ACCOUNT_SID = "AC" + "5" * 32


def standard_parameters(call: FakeCall) -> Parameters:
    """What Twilio tells of a call in every webhook of its own."""
    return {
        "CallSid": call.sid,
        "AccountSid": ACCOUNT_SID,
        "From": call.from_address,
        "Caller": call.from_address,
        "To": call.to_address,
        "Called": call.to_address,
        "CallStatus": call.status,
        "ApiVersion": "2010-04-01",
        "Direction": call.direction,
    }


def geographical_parameters() -> Parameters:
    """Where caller and called are, as a call between two American numbers has it."""
    return {
        f"{party}{what}": value
        for party in ("From", "Caller", "To", "Called")
        for what, value in (("City", ""), ("State", "CA"), ("Zip", "94016"), ("Country", "US"))
    }


def _first_verb(twiml: str) -> str:
    root = parsed(twiml)
    return root[0].tag if len(root) else "nothing"


def _path(url: str) -> str:
    parts = urlsplit(url)
    assert parts.scheme, f"{url} is not absolute"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
