"""An announcement: a document that people in a conference hear beside whatever they do there."""

from collections.abc import Sequence

from simulator.agenda import Steps
from simulator.call import DocumentRequest
from simulator.conference import Conference, Participant
from simulator.interpreter import Interpreter
from simulator.speech import sound
from simulator.twiml import SCHEMA_WARNING, Element, TwimlError

ANNOUNCING_VERBS = ("Say", "Play", "Pause")


def announce(
    interpreter: Interpreter,
    room: Conference,
    listeners: Sequence[Participant],
    request: DocumentRequest,
) -> Steps[None]:
    """Fetched once, heard by all of `listeners`; the room tells how it went."""
    failure: str | None = None
    try:
        for element in (yield from interpreter.fetch(request)):
            yield from _perform(interpreter, element, listeners)
    except TwimlError as error:
        interpreter.network.complain(error.code, error.message, interpreter.call)
        failure = error.message
    room.announced(listeners[0], url=request.url or "", failure=failure)


def _perform(
    interpreter: Interpreter, element: Element, listeners: Sequence[Participant]
) -> Steps[None]:
    if element.name not in ANNOUNCING_VERBS:
        names = ", ".join(ANNOUNCING_VERBS)
        raise TwimlError(SCHEMA_WARNING, f"<{element.name}> in an announcement; {names} may be")
    if element.name == "Pause":
        yield from interpreter.network.agenda.pause(element.number("length", 1))
        return
    yield from sound(interpreter, element, [one.call for one in listeners if one.is_in])
