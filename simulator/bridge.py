"""Two calls connected with each other. When one of them goes, the other is told."""

import dataclasses

from simulator.agenda import Agenda, Interruption, Signal, Steps
from simulator.call import DocumentRequest, HungUp, Redirected
from simulator.interpreter import Interpreter
from simulator.twiml import TwimlError

WHISPER_VERBS = ("Say", "Play", "Pause", "Redirect")


class Bridge:
    """`over` fires when either side has left."""

    def __init__(self, agenda: Agenda) -> None:
        self.over: Signal[None] = Signal(agenda)

    def hold(self) -> Steps[None]:
        """Talk until the other side leaves. Leaving oneself ends it for the other."""
        try:
            yield from self.over.wait()
        except (HungUp, Redirected):
            self.over.fire(None)
            raise


@dataclasses.dataclass(eq=False)
class Bridged(Interruption):
    """A queued caller is connected; before that, perhaps, a document is heard."""

    bridge: Bridge
    connected: Signal[None]
    whisper: DocumentRequest | None


def hold_bridge(interpreter: Interpreter, news: Bridged) -> Steps[None]:
    """The queued caller's side: the whisper, then the conversation."""
    try:
        if news.whisper is not None:
            yield from interpreter.play_document(news.whisper, WHISPER_VERBS)
    except (HungUp, Redirected, TwimlError):
        news.bridge.over.fire(None)  # whoever dials must not wait for somebody who will not come
        raise
    news.connected.fire(None)
    yield from news.bridge.hold()
