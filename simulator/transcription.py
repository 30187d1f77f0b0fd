"""A message in words: what was said while a <Record transcribe> listened, told to its callback.

The words are at hand, since nothing here is heard but text. What Twilio does not transcribe, a
message too short or too long or without a word, fails here, too.
"""

from simulator import parameters
from simulator.interpreter import Interpreter
from simulator.recording import PROCESSING_SECONDS, Recording
from simulator.twiml import Element
from simulator.webhook import Parameters

#: Seconds between which a message is transcribed; outside of them the debugger has 13617.
SHORTEST, LONGEST = 2, 120
LENGTH_OUT_OF_RANGE = 13617

SECONDS = 1.0  # from the completed recording to its words


def transcribe(interpreter: Interpreter, element: Element, taken: Recording, said: str) -> None:
    """Where the verb asks for it. The recording has been stopped."""
    network, url = interpreter.network, element.get("transcribeCallback")
    if url is None:
        return  # without a callback nobody would hear of it
    url = interpreter.resolve(url)
    seconds = taken.duration_seconds()
    is_in_range = SHORTEST < seconds < LONGEST
    if not is_in_range:
        message = f"<Record transcribe>: {seconds} seconds, {SHORTEST} to {LONGEST} were expected"
        network.complain(LENGTH_OUT_OF_RANGE, message, interpreter.call)
    text = said if is_in_range else ""

    def tell() -> None:
        network.tell(
            url=url,
            method="POST",
            parameters=_found(interpreter, taken, url, text),
            lane=taken.sid,
            call=interpreter.call,
        )

    network.agenda.after(PROCESSING_SECONDS + SECONDS, tell)


def _found(interpreter: Interpreter, taken: Recording, url: str, text: str) -> Parameters:
    """The recorded key set, which has no geography and the callback's own address."""
    call, network = interpreter.call, interpreter.network
    found = [
        *parameters.identity(call, network.settings.account_sid),
        ("RecordingSid", taken.sid),
        ("RecordingUrl", taken.url),
        ("TranscriptionSid", network.new_sid("TR")),
        ("TranscriptionStatus", "completed" if text else "failed"),
        ("TranscriptionText", text),
        ("TranscriptionType", "fast"),
        ("url", url),
    ]
    if call.forwarded_from is not None:
        found.append(("ForwardedFrom", call.forwarded_from))
    return tuple(found)
