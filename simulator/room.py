"""A call's stay in a conference: joining, what is heard there, every way out."""

from simulator.agenda import Steps
from simulator.call import HOLD_MUSIC, DocumentRequest, HungUp, Redirected
from simulator.conference import (
    HUNG_UP,
    MOVED_BY_API,
    Conference,
    LeftRoom,
    MusicChanged,
    Participant,
)
from simulator.interpreter import Interpreter
from simulator.twiml import TwimlError

MUSIC_VERBS = ("Play", "Say", "Pause", "Redirect")
WRONG_VERB_IN_ROOM = 13238


def stay(interpreter: Interpreter, room: Conference, participant: Participant) -> Steps[None]:
    """Returns when the participant is out of the room and its call may go on. Joined before."""
    while True:
        try:
            yield from _listen(interpreter, room, participant)
        except MusicChanged:
            continue
        except LeftRoom:
            participant.scope.close()
            return
        except HungUp:
            participant.scope.close()
            room.leave(participant, HUNG_UP)
            raise
        except Redirected:
            participant.scope.close()
            room.leave(participant, MOVED_BY_API)
            raise


def _listen(interpreter: Interpreter, room: Conference, participant: Participant) -> Steps[None]:
    """Hold music, wait music or the others; ends only by an interruption."""
    call, network = interpreter.call, interpreter.network
    url: str | None
    if participant.hold:
        url, method = participant.hold_url, participant.hold_method
    elif room.hears_music(participant) and not participant.has_heard_wait_music:
        url, method = participant.wait_url, participant.wait_method
        # A waiting document runs once; there is silence after it unless it redirects.
        participant.has_heard_wait_music = bool(url)
    else:
        url, method = "", "POST"
    if url is None:
        yield from network.play(call, HOLD_MUSIC, network.agenda.forever())
    elif url:
        yield from _music(interpreter, DocumentRequest(url=url, method=method))
    yield from network.agenda.forever()


def _music(interpreter: Interpreter, request: DocumentRequest) -> Steps[None]:
    try:
        yield from interpreter.play_document(request, MUSIC_VERBS, WRONG_VERB_IN_ROOM)
    except TwimlError as error:  # the conference goes on without the music
        interpreter.network.complain(error.code, error.message, interpreter.call)
