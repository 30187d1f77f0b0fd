"""What the caller hears, and the verbs that end a document: Say, Play, Pause, Redirect, Hangup,
Reject.

Sound is kept as text. Speech takes as long as reading it aloud would, in the simulator's time.
"""

from simulator.agenda import Steps
from simulator.call import BUSY, NO_ANSWER, QUEUED, RINGING, DocumentRequest
from simulator.interpreter import END, Interpreter, Next
from simulator.twiml import SCHEMA_WARNING, Element, TwimlError

SECONDS_PER_KEY = 0.5  # of <Play digits>
MOST_REPEATS = 1000  # Twilio's meaning of loop="0"


def say(interpreter: Interpreter, element: Element) -> Steps[Next]:
    interpreter.answer()
    network = interpreter.network
    seconds = len(element.text) / network.settings.characters_per_second
    for _ in range(_repeats(element)):
        network.hear(interpreter.call, "Say", element.text)
        yield from network.agenda.pause(seconds)
    return None


def play(interpreter: Interpreter, element: Element) -> Steps[Next]:
    interpreter.answer()
    network = interpreter.network
    digits = element.get("digits")
    if digits is not None:
        network.hear(interpreter.call, "Play", f"keys {digits}")
        yield from network.agenda.pause(len(digits) * SECONDS_PER_KEY)
        return None
    if not element.text:
        raise TwimlError(SCHEMA_WARNING, "<Play> without a URL or digits")
    address = interpreter.resolve(element.text)
    for _ in range(_repeats(element)):
        network.hear(interpreter.call, "Play", address)
        yield from network.agenda.pause(network.settings.play_seconds)
    return None


def pause(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """As a document's first verb it lets the phone ring on, so it does not answer."""
    yield from interpreter.network.agenda.pause(element.number("length", 1))
    return None


def redirect(interpreter: Interpreter, element: Element) -> Steps[Next]:
    yield from ()
    if not element.text:
        raise TwimlError(SCHEMA_WARNING, "<Redirect> without a URL")
    return DocumentRequest(
        url=interpreter.resolve(element.text), method=element.get("method") or "POST"
    )


def hangup(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """Not a way to refuse: as a first verb it answers and then hangs up."""
    del element
    yield from ()
    interpreter.answer()
    interpreter.network.hang_up(interpreter.call)
    # The script is interrupted by its own hang-up, so that everything around it can react.
    yield from interpreter.network.agenda.forever()
    return END


def reject(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """Refuses a call that still rings; one that was answered is just hung up."""
    call = interpreter.call
    status = None
    if call.status in (QUEUED, RINGING):
        status = BUSY if element.get("reason") == "busy" else NO_ANSWER
    interpreter.network.hang_up(call, status)
    yield from interpreter.network.agenda.forever()
    return END


def _repeats(element: Element) -> int:
    return element.number("loop", 1) or MOST_REPEATS
