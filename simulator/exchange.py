"""The exchange: how calls begin and how they are moved, by somebody at a phone or through REST.

Here the state (network) and what follows TwiML (interpreter and the verbs) come together; the two
doors, REST and control, enter through this file. Every method expects to be called inside a turn.
"""

from collections.abc import Callable, Sequence

from simulator.agenda import Steps
from simulator.announcement import announce
from simulator.call import (
    BUSY,
    IN_PROGRESS,
    INBOUND,
    NO_ANSWER,
    OUTBOUND_API,
    QUEUED,
    RINGING,
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
from simulator.network import Network
from simulator.record import record
from simulator.recording import LegRecording
from simulator.ringing import ANSWERED, ring
from simulator.room import stay
from simulator.settings import Settings
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

    def dial_in(self, *, from_: str, to: str, forwarded_from: str | None = None) -> Call:
        """Somebody dials a number of the account. Raises UnknownNumber."""
        number = self.network.number(to)
        if number is None or number.voice_url is None:
            raise UnknownNumber(to)
        progress = None
        if number.status_callback is not None:
            progress = ProgressCallback(
                url=number.status_callback, method=number.status_callback_method
            )
        call = self.network.new_call(from_=from_, to=to, direction=INBOUND, progress=progress)
        call.phone_number_sid = number.sid
        call.forwarded_from = forwarded_from
        call.fallback_url = number.voice_fallback_url
        call.fallback_method = number.voice_fallback_method
        self.network.ring(call)
        first = DocumentRequest(url=number.voice_url, method=number.voice_method)
        self._begin(call, self._interpreter(call).live(first))
        return call

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
    ) -> Call:
        call = self.network.new_call(from_=from_, to=to, direction=OUTBOUND_API, progress=progress)
        self._own_number(call)
        call.recorded = recorded
        interpreter = self._interpreter(call)
        steps = self._outbound(call, first, timeout_seconds, keys)
        self._begin(call, interpreter.live(steps))
        self.limit(call, time_limit_seconds)
        return call

    def _own_number(self, call: Call) -> None:
        number = self.network.numbers.get(call.from_)
        call.phone_number_sid = None if number is None else number.sid

    def _outbound(
        self, call: Call, first: DocumentRequest, timeout_seconds: int, keys: str | None
    ) -> Steps[Next]:
        yield from self.network.departure(call)
        yield from ring(self.network, call, timeout_seconds)
        if keys is not None:
            pressed = self.network.agenda.pause(len(keys) * SECONDS_PER_KEY)
            yield from self.network.play(call, keys_pressed(keys), pressed)
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
        steps = self._into_room(interpreter, room, participant, timeout_seconds)
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
    ) -> Steps[Next]:
        try:
            yield from self.network.departure(interpreter.call)
            yield from ring(self.network, interpreter.call, timeout_seconds)
        except HungUp:
            room.leave(participant, HUNG_UP)
            raise
        room.join(participant)
        yield from stay(interpreter, room, participant)
        return END
