"""<Dial>: other phones, a room, or whoever is first in a queue; and the report to its `action`."""

import dataclasses
import functools
from collections.abc import Callable

from simulator import permissions
from simulator.agenda import Interruption, Scope, Signal, Steps, Timer
from simulator.bridge import Bridge, Bridged
from simulator.call import (
    CANCELED,
    COMPLETED,
    FAILED,
    INBOUND,
    NO_ANSWER,
    OUTBOUND_DIAL,
    Call,
    DocumentRequest,
    HungUp,
    ProgressCallback,
    Redirected,
)
from simulator.call_queue import CallQueue, Member
from simulator.conference import JoinRefused, Participant, RoomOptions
from simulator.endpoint import is_address, is_phone_number
from simulator.enqueue import check_name
from simulator.interpreter import END, Interpreter, Next
from simulator.machine import Detection, detect
from simulator.record import DialRecording, recording_callback
from simulator.ringing import ring
from simulator.room import stay
from simulator.speech import keys_pressed
from simulator.twiml import Element, TwimlError
from simulator.vocabulary import SCHEMA_WARNING
from simulator.webhook import Parameters

TIMEOUT_SECONDS = 30
TIME_LIMIT_SECONDS = 14_400

INVALID_PHONE_NUMBER, INVALID_SIP_URI, INVALID_ROOM_NAME = 13223, 13243, 13237
NO_REFER_URL = 13802
ANSWERED_BY_CONFERENCE = "answered"  # Twilio's DialCallStatus of a conference
NOT_RECORDED = ("do-not-record", "false")


def dial(interpreter: Interpreter, element: Element) -> Steps[Next]:
    nouns = _nouns(element)
    recording = DialRecording(interpreter, element)
    if nouns[0].name == "Conference":
        if element.get("record") not in (None, *NOT_RECORDED):
            message = "<Dial record> with a <Conference>, which is recorded by its own attribute"
            raise TwimlError(SCHEMA_WARNING, message)
        return (yield from _dial_conference(interpreter, element, nouns[0]))
    if nouns[0].name == "Queue":
        steps = _dial_queue(interpreter, element, nouns[0], recording)
    else:
        steps = _dial_phones(interpreter, element, nouns, recording)
    try:
        following = yield from steps
    except Exception:  # not in `finally`: a call that is left when the simulator is gone has no end
        recording.stop()
        raise
    recording.stop()
    return following


def _nouns(element: Element) -> tuple[Element, ...]:
    nouns = element.children
    if element.text:
        if nouns:
            raise TwimlError(SCHEMA_WARNING, "<Dial> with a number and with elements")
        return (Element(name="Number", attributes={}, text=element.text, children=()),)
    if not nouns:
        raise TwimlError(SCHEMA_WARNING, "<Dial> without anybody to dial")
    if len(nouns) > 1 and any(noun.name in ("Conference", "Queue") for noun in nouns):
        raise TwimlError(SCHEMA_WARNING, "<Conference> and <Queue> stand alone in a <Dial>")
    return nouns


# -- phones


class Referred(Interruption):
    """The phone that was dialled sends the caller on (SIP REFER)."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target


@dataclasses.dataclass(eq=False)
class _Attempt:
    """Several phones ring; the first to answer is connected, the others stop."""

    interpreter: Interpreter
    settled: Signal[Call | None]
    bridge: Bridge
    recording: DialRecording
    legs: list[Call] = dataclasses.field(default_factory=list)
    winner: Call | None = None

    def is_won_by(self, leg: Call) -> bool:
        if self.winner is not None:
            return False
        self.winner = leg
        for other in self.legs:
            if other is not leg:
                self.interpreter.network.hang_up(other, CANCELED)
        return True

    def ended(self, leg: Call) -> None:
        """A leg is over before it was connected."""
        if leg is self.winner or all(one.has_ended for one in self.legs):
            self.settled.fire(None)

    def give_up(self) -> None:
        for leg in self.legs:
            self.interpreter.network.hang_up(leg)


def _dial_phones(
    interpreter: Interpreter,
    element: Element,
    nouns: tuple[Element, ...],
    recording: DialRecording,
) -> Steps[Next]:
    if not element.flag("answerOnBridge", default=False):
        interpreter.answer()
    groups = [[noun] for noun in nouns] if element.flag("sequential", default=False) else [nouns]
    leg: Call | None = None
    was_bridged = False
    for group in groups:
        agenda = interpreter.network.agenda
        attempt = _Attempt(interpreter, agenda.signal(), Bridge(agenda), recording)
        try:
            was_bridged = yield from _try(attempt, element, group)
        except Referred as news:
            attempt.give_up()
            return _referral(interpreter, element, news.target)
        except (HungUp, Redirected):
            attempt.give_up()
            found = _report(attempt, interpreter.network.now())
            yield from interpreter.report(element, (*found, *recording.stop()))
            raise
        leg = attempt.winner or attempt.legs[-1]
        if was_bridged:
            break
    assert leg is not None  # noqa: S101 - there is at least one noun
    found = _leg_report(leg, was_bridged=was_bridged, now=interpreter.network.now())
    return interpreter.action(element, (*found, *recording.stop()))


def _try(
    attempt: _Attempt, element: Element, nouns: "tuple[Element, ...] | list[Element]"
) -> Steps[bool]:
    """Ring one group of phones. True when one was connected and the conversation is over."""
    interpreter, network = attempt.interpreter, attempt.interpreter.network
    for noun in nouns:
        attempt.legs.append(_new_leg(interpreter, element, noun))
    for leg, noun in zip(attempt.legs, nouns, strict=True):
        follower = Interpreter(network, leg, interpreter.verbs)
        steps = follower.live(_leg_steps(follower, attempt, element, noun))
        leg.script = network.agenda.begin(steps, leg.sid)
    attempt.recording.reached("ringing")
    leg_or_none = yield from attempt.settled.wait()
    if leg_or_none is None:
        return False
    interpreter.answer()
    attempt.recording.reached("answer")
    limits, talking = _limits(attempt, element, leg_or_none), Scope()
    leg_or_none.on_refer = _on_refer(interpreter, element, talking)
    try:
        yield from attempt.bridge.hold()
    finally:
        talking.close()
        limits.cancel()
        network.listen(interpreter.call, None)
    network.hang_up(leg_or_none)
    return True


def _limits(attempt: _Attempt, element: Element, leg: Call) -> Timer:
    """What ends the conversation besides the people: the time limit, the star key."""
    network = attempt.interpreter.network

    def on_key(key: str) -> None:
        if key == "*":
            network.hang_up(leg)

    if element.flag("hangupOnStar", default=False):
        network.listen(attempt.interpreter.call, on_key)
    seconds = element.number("timeLimit", TIME_LIMIT_SECONDS)
    return network.agenda.after(seconds, lambda: network.hang_up(leg))


def _on_refer(interpreter: Interpreter, element: Element, talking: Scope) -> Callable[[str], None]:
    def refer(target: str) -> None:
        network, script = interpreter.network, interpreter.call.script
        if element.get("referUrl") is None:
            message = f"<Dial> without a referUrl was to send its caller to {target}"
            network.complain(NO_REFER_URL, message, interpreter.call)
        elif script is not None:
            script.interrupt(Referred(target), talking)

    return refer


def _referral(interpreter: Interpreter, element: Element, target: str) -> DocumentRequest:
    """What says how the caller goes on. The sources do not tell that `action` were asked, too."""
    return DocumentRequest(
        url=interpreter.resolve(element.attributes["referUrl"]),
        method=element.get("referMethod") or "POST",
        parameters=(("ReferTransferTarget", target),),
    )


def _new_leg(interpreter: Interpreter, element: Element, noun: Element) -> Call:
    call, network = interpreter.call, interpreter.network
    progress = None
    url = noun.get("statusCallback")
    if url is not None:
        progress = ProgressCallback(
            url=interpreter.resolve(url),
            method=noun.get("statusCallbackMethod") or "POST",
            events=tuple((noun.get("statusCallbackEvent") or "completed").split()),
        )
    leg = network.new_call(
        from_=element.get("callerId") or call.from_,
        to=_address(noun),
        direction=OUTBOUND_DIAL,
        progress=progress,
        parent=call,
    )
    if call.direction == INBOUND:
        leg.forwarded_from = call.to
    return leg


def _address(noun: Element) -> str:
    if noun.name == "Client":
        identities = [child.text for child in noun.children if child.name == "Identity"]
        address = f"client:{identities[0] if identities else noun.text}"
    else:
        address = noun.text
    fits = is_phone_number(address) if noun.name == "Number" else is_address(address)
    if not fits:
        message = f"<{noun.name}>{noun.text}: not an address that can be dialled"
        code = INVALID_SIP_URI if noun.name == "Sip" else INVALID_PHONE_NUMBER
        raise TwimlError(code, message)
    return address


def _leg_steps(
    follower: Interpreter, attempt: _Attempt, element: Element, noun: Element
) -> Steps[Next]:
    """The life of a dialled leg: ring, perhaps hear a whisper, talk."""
    leg = follower.call
    try:
        yield from _only_if_permitted(follower)
        yield from ring(follower.network, leg, element.number("timeout", TIMEOUT_SECONDS))
        if not attempt.is_won_by(leg):
            return END
        detection = _detection(attempt.interpreter, noun)
        if detection is not None:
            yield from detect(follower.network, leg, detection)
        yield from _whisper(follower, attempt.interpreter, noun)
    except (HungUp, Redirected):
        attempt.ended(leg)
        raise
    attempt.settled.fire(leg)
    keys = noun.get("sendDigits")
    if keys is not None:
        follower.network.hear(leg, keys_pressed(keys))
    yield from attempt.bridge.hold()
    return END


def _only_if_permitted(follower: Interpreter) -> Steps[None]:
    """A number that the account may not call fails at once, and the debugger says why."""
    network, leg = follower.network, follower.call
    refused = permissions.refusal(network.settings, from_=leg.from_, to=leg.to)
    if refused is None and is_phone_number(leg.to) and leg.parent is not None:
        is_own = is_phone_number(leg.from_) and network.number(leg.from_) is not None
        if not permissions.may_show(leg.parent, leg.from_, is_own=is_own):
            refused = permissions.WRONG_CALLER_ID
    if refused is None:
        return
    if refused.debugger_code is not None:
        network.complain(refused.debugger_code, f"<Dial>: {refused.message}: {leg.to}", leg.parent)
    network.hang_up(leg, FAILED)
    yield from network.agenda.forever()


def _detection(interpreter: Interpreter, noun: Element) -> Detection | None:
    mode, url = noun.get("machineDetection"), noun.get("amdStatusCallback")
    if mode is None:
        return None
    return Detection(
        mode=mode,
        is_aside=True,
        timeout_seconds=noun.number("machineDetectionTimeout", 30),
        silence_ms=noun.number("machineDetectionSilenceTimeout", 5000),
        callback_url=None if url is None else interpreter.resolve(url),
        callback_method=noun.get("amdStatusCallbackMethod") or "POST",
    )


def _whisper(follower: Interpreter, parent: Interpreter, noun: Element) -> Steps[None]:
    url = noun.get("url")
    if url is None:
        return
    request = DocumentRequest(url=parent.resolve(url), method=noun.get("method") or "POST")
    allowed = ("Say", "Play", "Pause", "Gather", "Redirect", "Hangup")
    try:
        yield from follower.play_document(request, allowed)
    except TwimlError as error:  # without its whisper the leg is connected all the same
        follower.network.complain(error.code, error.message, follower.call)


def _report(attempt: _Attempt, now: int) -> Parameters:
    leg = attempt.winner or (attempt.legs[-1] if attempt.legs else None)
    if leg is None:
        return (("DialCallStatus", CANCELED),)
    return _leg_report(leg, was_bridged=attempt.settled.has_fired, now=now)


def _leg_report(leg: Call, *, was_bridged: bool, now: int) -> Parameters:
    found = [
        ("DialCallStatus", COMPLETED if was_bridged else leg.status),
        ("DialCallSid", leg.sid),
        ("DialBridged", "true" if was_bridged else "false"),
    ]
    if was_bridged:
        found.append(("DialCallDuration", str(leg.duration_seconds(now))))
    return tuple(found)


# -- a room


def _dial_conference(interpreter: Interpreter, element: Element, noun: Element) -> Steps[Next]:
    interpreter.answer()
    if not noun.text:
        raise TwimlError(INVALID_ROOM_NAME, "<Conference> without a name")
    room = interpreter.network.room_named(noun.text, _room_options(interpreter, noun))
    participant = _participant(interpreter, noun)
    try:
        room.join(participant)
    except JoinRefused as refusal:
        interpreter.network.complain(refusal.code, refusal.message, interpreter.call)
        return interpreter.action(element, (("DialCallStatus", "failed"),))
    limit = interpreter.network.agenda.after(
        element.number("timeLimit", TIME_LIMIT_SECONDS),
        lambda: interpreter.network.hang_up(interpreter.call),
    )
    try:
        yield from stay(interpreter, room, participant)
    except (HungUp, Redirected):
        yield from interpreter.report(element, (("DialCallStatus", COMPLETED),))
        raise
    finally:
        limit.cancel()
    return interpreter.action(element, (("DialCallStatus", ANSWERED_BY_CONFERENCE),))


def _room_options(interpreter: Interpreter, noun: Element) -> RoomOptions:
    callback = noun.get("statusCallback")
    return RoomOptions(
        callback=None if callback is None else interpreter.resolve(callback),
        callback_method=noun.get("statusCallbackMethod") or "POST",
        callback_events=tuple((noun.get("statusCallbackEvent") or "start end").split()),
        max_participants=noun.number("maxParticipants", 250),
        is_recorded=noun.get("record") == "record-from-start",
        recording_callback=recording_callback(interpreter, noun),
    )


def _participant(interpreter: Interpreter, noun: Element) -> Participant:
    wait_url = noun.get("waitUrl")
    now = interpreter.network.now()
    return Participant(
        call=interpreter.call,
        created_at=now,
        updated_at=now,
        label=noun.get("participantLabel"),
        muted=noun.flag("muted", default=False),
        coached_call_sid=noun.get("coach"),
        start_on_enter=noun.flag("startConferenceOnEnter", default=True),
        end_on_exit=noun.flag("endConferenceOnExit", default=False),
        beep=noun.get("beep") or "true",
        wait_url=interpreter.resolve(wait_url) if wait_url else wait_url,
        wait_method=noun.get("waitMethod") or "POST",
    )


# -- a queue


def _dial_queue(
    interpreter: Interpreter, element: Element, noun: Element, recording: DialRecording
) -> Steps[Next]:
    """Connect with the first in line; while there is nobody, wait for one."""
    interpreter.answer()
    network = interpreter.network
    if noun.get("reservationSid") or noun.get("postWorkActivitySid"):
        message = "<Queue reservationSid>: this network has no TaskRouter of its own"
        raise TwimlError(14215, message)
    check_name(noun.text, "<Queue>", too_short=14212, too_long=14213)
    queue = network.queue_named(noun.text)
    recording.reached("ringing")
    try:
        member = yield from _first_in_line(interpreter, element, queue)
        if member is None:
            return interpreter.action(element, (("DialCallStatus", NO_ANSWER),))
        bridge = Bridge(network.agenda)
        met = _connect(interpreter, noun, queue, member, bridge)
        recording.reached("answer")
        yield from bridge.hold()
    except (HungUp, Redirected):
        found = (("DialCallStatus", COMPLETED), *recording.stop())
        yield from interpreter.report(element, found)
        raise
    found = (
        ("DialCallStatus", COMPLETED if met.has_fired else FAILED),
        ("DialCallSid", member.call.sid),
        ("DialBridged", "true" if met.has_fired else "false"),
        *recording.stop(),
    )
    return interpreter.action(element, found)


def _first_in_line(
    interpreter: Interpreter, element: Element, queue: CallQueue
) -> Steps[Member | None]:
    agenda = interpreter.network.agenda
    waited_out = False
    while not queue.members and not waited_out:
        came: Signal[None] = agenda.signal()
        timer = agenda.after(
            element.number("timeout", TIMEOUT_SECONDS), functools.partial(came.fire, None)
        )
        queue.dialers.append(came)
        try:
            yield from came.wait()
        finally:
            timer.cancel()
            if came in queue.dialers:
                queue.dialers.remove(came)
        waited_out = True
    return queue.members[0] if queue.members else None


def _connect(
    interpreter: Interpreter, noun: Element, queue: CallQueue, member: Member, bridge: Bridge
) -> Signal[None]:
    """Take the caller out of the line; fires when both can hear each other."""
    now = interpreter.network.now()
    whisper = None
    url = noun.get("url")
    if url is not None:
        found = (
            ("QueueSid", queue.sid),
            ("QueueTime", str((now - member.enqueued_at) // 1000)),
            ("DequeingCallSid", interpreter.call.sid),  # Twilio's spelling
        )
        method = noun.get("method") or "POST"
        whisper = DocumentRequest(url=interpreter.resolve(url), method=method, parameters=found)
    queue.leave(member, now)  # at once, so that nobody else connects with the same caller
    met: Signal[None] = interpreter.network.agenda.signal()
    script = member.call.script
    if script is not None:
        script.interrupt(Bridged(bridge, met, whisper), member.scope)
    return met
