"""<Record>: a message after the beep, until a key, a silence, its longest length or a hang-up.

And what a <Dial record> takes of a conversation.
"""

from simulator.agenda import Signal, Steps
from simulator.call import BEEP, DocumentRequest, HungUp, Redirected
from simulator.interpreter import Interpreter, Next
from simulator.recording import Recording, RecordingCallback
from simulator.transcription import transcribe
from simulator.twiml import Element
from simulator.webhook import Parameters

TIMEOUT_SECONDS = 5  # of silence
MOST_SECONDS = 3_600
FINISHING_KEYS = "1234567890*#"


def record(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """Leads to the action; where nobody said a word until the timeout, falls on."""
    interpreter.answer()
    call, recorder = interpreter.call, interpreter.network.recorder
    if element.flag("playBeep", default=True):
        interpreter.network.hear(call, BEEP)
        interpreter.network.hush(call)
    callback = recording_callback(interpreter, element)
    taken = recorder.start(call_sid=call.sid, source="RecordVerb", callback=callback)
    said: list[str] = []
    try:
        digits = yield from _listen(interpreter, element, said)
    except HungUp:
        recorder.stop(taken)
        transcribe(interpreter, element, taken, " ".join(said))
        request = _destination(interpreter, element, _found(taken, "hangup"))
        if request is not None and request.url is not None:
            yield from interpreter.request(request.url, request.method, request.parameters)
        raise
    except Redirected:
        recorder.stop(taken)
        transcribe(interpreter, element, taken, " ".join(said))
        raise
    recorder.stop(taken, silent=digits is None)
    transcribe(interpreter, element, taken, " ".join(said))
    if digits is None:
        return None
    return _destination(interpreter, element, _found(taken, digits))


def _listen(interpreter: Interpreter, element: Element, said: list[str]) -> Steps[str | None]:
    """The key that ended it, or nothing; None where nothing was said. What is goes to `said`."""
    call, network = interpreter.call, interpreter.network
    done: Signal[str | None] = network.agenda.signal()
    keys = element.get("finishOnKey")
    finishing = FINISHING_KEYS if keys is None else keys
    silence = _Silence(interpreter, element.number("timeout", TIMEOUT_SECONDS), done)

    def on_key(key: str) -> None:
        if key in finishing:
            done.fire(key)

    def on_speech(text: str, confidence: float) -> None:
        del confidence
        said.append(text)
        silence.broken_for(len(text) / network.settings.characters_per_second)

    longest = network.agenda.after(element.number("maxLength", MOST_SECONDS), lambda: done.fire(""))
    call.on_key, call.on_speech = on_key, on_speech
    try:
        digits = yield from done.wait()
    finally:
        longest.cancel()
        silence.cancel()
        call.on_key = call.on_speech = None
    return digits


class _Silence:
    """How long nobody speaks; counted anew from the end of all that is said."""

    def __init__(self, interpreter: Interpreter, seconds: int, done: Signal[str | None]) -> None:
        self._agenda = interpreter.network.agenda
        self._seconds = seconds
        self._done = done
        self._outcome: str | None = None  # of a message without a word
        self._timer = self._agenda.after(seconds, self._is_over)

    def _is_over(self) -> None:
        self._done.fire(self._outcome)

    def broken_for(self, seconds: float) -> None:
        self._outcome = ""
        self.cancel()
        self._timer = self._agenda.after(seconds + self._seconds, self._is_over)

    def cancel(self) -> None:
        self._timer.cancel()


def _found(taken: Recording, digits: str) -> Parameters:
    return (
        ("Digits", digits),
        ("RecordingUrl", taken.url),
        ("RecordingSid", taken.sid),
        ("RecordingDuration", str(taken.duration_seconds())),
    )


def _destination(
    interpreter: Interpreter, element: Element, found: Parameters
) -> DocumentRequest | None:
    """The action, else the present document again, which TwiML given by REST does not have."""
    action = interpreter.action(element, found)
    if action is not None or interpreter.base_url is None:
        return action
    method = element.get("method") or "POST"
    return DocumentRequest(url=interpreter.base_url, method=method, parameters=found)


def recording_callback(interpreter: Interpreter, element: Element) -> RecordingCallback | None:
    """Whom an element with `recordingStatusCallback` wants to be told."""
    url = element.get("recordingStatusCallback")
    if url is None:
        return None
    return RecordingCallback(
        url=interpreter.resolve(url),
        method=element.get("recordingStatusCallbackMethod") or "POST",
        events=tuple((element.get("recordingStatusCallbackEvent") or "completed").split()),
    )


class DialRecording:
    """What `record` of a <Dial> asks for: from the ringing on, or from the answer; or nothing."""

    def __init__(self, interpreter: Interpreter, element: Element) -> None:
        asked = element.get("record") or "do-not-record"
        self._moment = "ringing" if asked.startswith("record-from-ringing") else "answer"
        self._is_wanted = asked not in ("do-not-record", "false")
        self._channels = 2 if asked.endswith("-dual") else 1
        self._track = element.get("recordingTrack") or "both"
        self._callback = recording_callback(interpreter, element)
        self._call_sid = interpreter.call.sid
        self._recorder = interpreter.network.recorder
        self._taken: Recording | None = None

    def reached(self, moment: str) -> None:
        """It rings ("ringing"), or two are connected ("answer")."""
        if self._is_wanted and self._taken is None and moment == self._moment:
            self._taken = self._recorder.start(
                call_sid=self._call_sid,
                source="DialVerb",
                channels=self._channels,
                track=self._track,
                callback=self._callback,
            )

    def stop(self) -> Parameters:
        """What the `action` is told of it. Safe to repeat."""
        if self._taken is None:
            return ()
        self._recorder.stop(self._taken)
        return (("RecordingUrl", self._taken.url),)
