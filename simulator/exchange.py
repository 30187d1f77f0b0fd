"""The exchange: how calls begin and how they are moved, by somebody at a phone or through REST.

Here the state (network) and what follows TwiML (interpreter and the verbs) come together; the two
doors, REST and control, enter through this file. Every method expects to be called inside a turn.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.agenda import Steps
from simulator.announcement import announce
from simulator.application import Application
from simulator.call import (
    BUSY,
    IN_PROGRESS,
    INBOUND,
    NO_ANSWER,
    OUTBOUND_API,
    QUEUED,
    RINGING,
    Attestation,
    Call,
    DocumentRequest,
    HungUp,
    ProgressCallback,
    Redirected,
)
from simulator.call_queue import Dequeued, Member
from simulator.clock import Clock
from simulator.conference import HUNG_UP, Conference, JoinRefused, Participant
from simulator.dial import dial
from simulator.enqueue import enqueue, leave
from simulator.gather import gather
from simulator.interpreter import END, Interpreter, Next, Verb
from simulator.machine import Detection, detect
from simulator.network import Network
from simulator.record import record
from simulator.recording import LegRecording
from simulator.ringing import ANSWERED, ring
from simulator.room import stay
from simulator.settings import Number, Settings
from simulator.speech import (
    SECONDS_PER_KEY,
    hangup,
    keys_pressed,
    pause,
    play,
    redirect,
    reject,
    say,
)
from simulator.webhook import Parameters

PERFORMERS: dict[str, Verb] = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Gather": gather,
    "Redirect": redirect,
    "Enqueue": enqueue,
    "Leave": leave,
    "Dial": dial,
    "Hangup": hangup,
    "Reject": reject,
    "Record": record,
}


class UnknownNumber(Exception):
    """Nobody has this number here: it is not configured and there is no default voice URL."""


class WrongMoment(Exception):
    """The call is not in a state in which this can be done."""


class Exchange:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.network = Network(settings, clock)

    def _interpreter(self, call: Call) -> Interpreter:
        return Interpreter(self.network, call, PERFORMERS)

    def _begin(self, call: Call, steps: Steps[None]) -> None:
        call.script = self.network.agenda.begin(steps, call.sid)

    # -- somebody at a phone

    def dial_in(
        self,
        *,
        from_: str,
        to: str,
        forwarded_from: str | None = None,
        caller_name: str = "",
        attestation: Attestation | None = None,
    ) -> Call:
        """Somebody dials a number of the account. Raises UnknownNumber."""
        number = self.network.number(to)
        leading = None if number is None else self._leading(number)
        if number is None or leading is None or leading.voice_url is None:
            raise UnknownNumber(to)
        call = self._incoming(leading, from_=from_, to=to)
        call.phone_number_sid = number.sid
        call.forwarded_from = forwarded_from
        call.attestation = attestation or call.attestation
        if leading.voice_caller_id_lookup:
            call.caller_name = caller_name
        self._ask(call, leading)
        return call

    def dial_application(
        self, application: Application, *, from_: str, to: str, parameters: Mapping[str, str]
    ) -> Call:
        """A client's telephone calls through an application, with parameters of its own."""
        call = self._incoming(application, from_=from_, to=to)
        self._ask(call, application, tuple(parameters.items()))
        return call

    def _leading(self, number: Number) -> Application | Number | None:
        """Whose URLs count: the application's, where the number has one."""
        sid = number.voice_application_sid
        return number if sid is None else self.network.applications.get(sid)

    def _incoming(self, leading: Application | Number, *, from_: str, to: str) -> Call:
        call = self.network.new_call(
            from_=from_, to=to, direction=INBOUND, progress=_progress_of(leading)
        )
        _fall_back(call, leading)
        return call

    def _ask(self, call: Call, leading: Application | Number, parameters: Parameters = ()) -> None:
        """Let it ring, and ask for the first document."""
        self.network.ring(call)
        first = DocumentRequest(
            url=leading.voice_url, method=leading.voice_method, parameters=parameters
        )
        self._begin(call, self._interpreter(call).live(first))

    def hang_up_at_phone(self, call: Call) -> None:
        """Somebody at the phone hangs up: a caller who still rings gives up, a callee declines."""
        if call.status == IN_PROGRESS:
            self.network.hang_up(call)
        else:
            self.network.hang_up(call, NO_ANSWER if call.direction == INBOUND else BUSY)

    def answer_at_phone(self, call: Call) -> None:
        """Raises WrongMoment unless the call rings at a phone."""
        if call.direction == INBOUND or call.status not in (QUEUED, RINGING):
            message = f"call {call.sid} is {call.status}; an outbound call that rings was expected"
            raise WrongMoment(message)
        assert call.picked_up is not None  # noqa: S101 - set when the call was made
        call.picked_up.fire(ANSWERED)

    def refer_at_phone(self, call: Call, target: str) -> None:
        """A phone sends whom it talks to on to `target` (SIP REFER).

        Raises WrongMoment unless it is a SIP phone that was dialled by a <Dial>, and talks.
        """
        if call.on_refer is None or not call.to.startswith(("sip:", "sips:")):
            message = f"call {call.sid}: a SIP phone that talks in a <Dial> was expected"
            raise WrongMoment(message)
        call.on_refer(target)

    # -- the application, through REST

    def place_call(
        self,
        *,
        from_: str,
        to: str,
        first: DocumentRequest,
        timeout_seconds: int,
        progress: ProgressCallback | None,
        time_limit_seconds: int | None = None,
        recorded: LegRecording | None = None,
        keys: str | None = None,
        detection: Detection | None = None,
    ) -> Call:
        call = self.network.new_call(from_=from_, to=to, direction=OUTBOUND_API, progress=progress)
        self._own_number(call)
        call.recorded = recorded
        interpreter = self._interpreter(call)
        steps = self._outbound(call, first, timeout_seconds, keys, detection)
        self._begin(call, interpreter.live(steps))
        self.limit(call, time_limit_seconds)
        return call

    def _own_number(self, call: Call) -> None:
        number = self.network.numbers.get(call.from_)
        call.phone_number_sid = None if number is None else number.sid

    def through_application(
        self, application: Application, *, from_: str, to: str, **wishes: Any
    ) -> Call:
        """As place_call, but with the application's document, fallback and status callback."""
        first = DocumentRequest(url=application.voice_url, method=application.voice_method)
        wishes["progress"] = _progress_of(application)
        call = self.place_call(from_=from_, to=to, first=first, **wishes)
        _fall_back(call, application)
        return call

    def _outbound(
        self,
        call: Call,
        first: DocumentRequest,
        timeout_seconds: int,
        keys: str | None,
        detection: Detection | None,
    ) -> Steps[Next]:
        yield from self.network.departure(call)
        yield from ring(self.network, call, timeout_seconds)
        if keys is not None:  # and then nothing is detected, Twilio says
            pressed = self.network.agenda.pause(len(keys) * SECONDS_PER_KEY)
            yield from self.network.play(call, keys_pressed(keys), pressed)
        elif detection is not None:
            found = yield from detect(self.network, call, detection)
            first = dataclasses.replace(first, parameters=found)
        return first

    def limit(self, call: Call, seconds: int | None) -> None:
        """End the call `seconds` from now, if it is not over by then."""
        if seconds is not None:
            self.network.agenda.after(seconds, lambda: self.network.hang_up(call))

    def redirect(self, call: Call, request: DocumentRequest) -> None:
        """Raises WrongMoment unless the call is in progress."""
        if call.status != IN_PROGRESS or call.script is None:
            raise WrongMoment(call.sid)
        call.updated_at = self.network.now()
        call.script.interrupt(Redirected(request))

    def dequeue(self, member: Member, request: DocumentRequest) -> None:
        if member.call.script is not None:
            member.call.script.interrupt(Dequeued(request), member.scope)

    def add_participant(
        self,
        room: Conference,
        *,
        from_: str,
        to: str,
        timeout_seconds: int,
        progress: ProgressCallback | None,
        time_limit_seconds: int | None,
        recorded: LegRecording | None,
        detection: Detection | None,
        describe: Callable[[Call], Participant],
    ) -> Participant:
        """Call somebody into a room. `describe` makes the participant of the new call.

        Raises JoinRefused, and then no call was made.
        """
        call = self.network.new_call(from_=from_, to=to, direction=OUTBOUND_API, progress=progress)
        self._own_number(call)
        call.recorded = recorded
        participant = describe(call)
        try:
            room.expect(participant)
        except JoinRefused:
            del self.network.calls[call.sid]
            raise
        interpreter = self._interpreter(call)
        steps = self._into_room(interpreter, room, participant, timeout_seconds, detection)
        self._begin(call, interpreter.live(steps))
        self.limit(call, time_limit_seconds)
        return participant

    def announce(
        self, room: Conference, listeners: Sequence[Participant], request: DocumentRequest
    ) -> None:
        """Let people in a room hear a document; nobody there, nothing happens."""
        if listeners:
            interpreter = self._interpreter(listeners[0].call)
            steps = announce(interpreter, room, listeners, request)
            self.network.agenda.begin(steps, f"an announcement in {room.sid}")

    def _into_room(
        self,
        interpreter: Interpreter,
        room: Conference,
        participant: Participant,
        timeout_seconds: int,
        detection: Detection | None,
    ) -> Steps[Next]:
        try:
            yield from self.network.departure(interpreter.call)
            yield from ring(self.network, interpreter.call, timeout_seconds)
        except HungUp:
            room.leave(participant, HUNG_UP)
            raise
        if detection is not None:
            yield from detect(self.network, interpreter.call, detection)
        room.join(participant)
        yield from stay(interpreter, room, participant)
        return END


def _progress_of(leading: Application | Number) -> ProgressCallback | None:
    """Who is told when the call has ended, as the number or the application says."""
    url = leading.status_callback
    return None if url is None else ProgressCallback(url=url, method=leading.status_callback_method)


def _fall_back(call: Call, leading: Application | Number) -> None:
    call.fallback_url = leading.voice_fallback_url
    call.fallback_method = leading.voice_fallback_method
    if isinstance(leading, Application):
        call.application_sid = leading.sid
