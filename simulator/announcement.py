"""An announcement: a document that people in a conference hear beside whatever they do there."""

from collections.abc import Sequence

from simulator.agenda import Steps
from simulator.call import DocumentRequest
from simulator.conference import Conference, Participant
from simulator.interpreter import Interpreter
from simulator.speech import redirect, sound
from simulator.twiml import TwimlError

ANNOUNCING_VERBS = ("Say", "Play", "Pause", "Redirect")
WRONG_VERB = 13238
MOST_DOCUMENTS = 10  # of one announcement; a circle of redirects has to end somewhere


def announce(
    interpreter: Interpreter,
    room: Conference,
    listeners: Sequence[Participant],
    request: DocumentRequest,
) -> Steps[None]:
    """Fetched once, heard by all of `listeners`; the room tells how it went."""
    failure: str | None = None
    following: DocumentRequest | None = request
    try:
        for _ in range(MOST_DOCUMENTS):
            if following is not None:
                following = yield from _follow(interpreter, following, listeners)
    except TwimlError as error:
        interpreter.network.complain(error.code, error.message, interpreter.call)
        failure = error.message
    room.announced(listeners[0], url=request.url or "", failure=failure)


def _follow(
    interpreter: Interpreter, request: DocumentRequest, listeners: Sequence[Participant]
) -> Steps[DocumentRequest | None]:
    """Perform one document; where it leads to, if to another one."""
    for element in (yield from interpreter.fetch(request)):
        if element.name not in ANNOUNCING_VERBS:
            names = ", ".join(ANNOUNCING_VERBS)
            raise TwimlError(WRONG_VERB, f"<{element.name}> in an announcement; {names} may be")
        if element.name == "Redirect":
            return (yield from redirect(interpreter, element))
        if element.name == "Pause":
            yield from interpreter.network.agenda.pause(element.number("length", 1))
        else:
            yield from sound(interpreter, element, [one.call for one in listeners if one.is_in])
    return None
