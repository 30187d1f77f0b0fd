"""What the caller hears, and the verbs that end a document: Say, Play, Pause, Redirect, Hangup,
Reject.

Sound is kept as text. Speech takes as long as reading it aloud would, in the simulator's time.
"""

from simulator.agenda import Steps
from simulator.call import BUSY, NO_ANSWER, QUEUED, RINGING, Call, DocumentRequest, Sound
from simulator.interpreter import END, Interpreter, Next
from simulator.twiml import Element, TwimlError
from simulator.vocabulary import SCHEMA_WARNING

SECONDS_PER_KEY = 0.5  # of <Play digits>
MOST_REPEATS = 1000  # Twilio's meaning of loop="0"


def say(interpreter: Interpreter, element: Element) -> Steps[Next]:
    interpreter.answer()
    yield from sound(interpreter, element, [interpreter.call])
    return None


play = say  # to the line both are sound


def sound(interpreter: Interpreter, element: Element, listeners: list[Call]) -> Steps[None]:
    """All of `listeners` hear one <Say> or <Play> to its end."""
    network = interpreter.network
    heard, seconds, repeats = _sound(interpreter, element)
    try:
        for _ in range(repeats):
            for call in listeners:
                if call.is_live:
                    network.hear(call, heard)
            yield from network.agenda.pause(seconds)
    finally:
        for call in listeners:
            network.hush(call)


def keys_pressed(keys: str) -> Sound:
    """The tones of a keypad on the line."""
    return Sound(verb="Play", text=f"keys {keys}", tone="keys")


def _sound(interpreter: Interpreter, element: Element) -> tuple[Sound, float, int]:
    """What is heard, how long it takes, how often."""
    settings = interpreter.network.settings
    repeats = element.number("loop", 1) or MOST_REPEATS
    if element.name == "Say":
        said = Sound(
            verb="Say",
            text=element.text,
            language=element.get("language"),
            voice=element.get("voice"),
        )
        return said, len(element.text) / settings.characters_per_second, repeats
    digits = element.get("digits")
    if digits is not None:
        return keys_pressed(digits), len(digits) * SECONDS_PER_KEY, 1
    if not element.text:
        raise TwimlError(SCHEMA_WARNING, "<Play> without a URL or digits")
    url = interpreter.resolve(element.text)
    return Sound(verb="Play", text=url, url=url), settings.play_seconds, repeats


def pause(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """As a document's first verb it lets the phone ring on, so it does not answer."""
    yield from interpreter.network.agenda.pause(element.number("length", 1))
    return None


def redirect(interpreter: Interpreter, element: Element) -> Steps[DocumentRequest]:
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
