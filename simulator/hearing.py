"""What a <Gather> understands of somebody who speaks: word by word, until a pause that is long
enough.

How words are told apart into what is certain and what may still change is the recogniser's affair
with Twilio; here the newest word may change until the next one is heard.
"""

from collections.abc import Callable

from simulator import parameters
from simulator.agenda import Timer
from simulator.clock import MILLISECONDS
from simulator.interpreter import Interpreter
from simulator.twiml import Element

MOST_SECONDS = 60  # Twilio hears no longer
LANGUAGE = "en-US"  # where none is named


class Hearing:
    def __init__(
        self, interpreter: Interpreter, element: Element, done: Callable[[], None], pause: int
    ) -> None:
        """`done` is called after `pause` seconds of silence, unless speechTimeout says otherwise;
        at the latest when the caller has spoken for maxSpeechTime. Raises TwimlError.
        """
        self._call = interpreter.call
        self._network = interpreter.network
        self._done = done
        asked = element.get("speechTimeout")
        self._pause = pause if asked is None else 0 if asked == "auto" else int(asked)
        self._most = element.number("maxSpeechTime", MOST_SECONDS)
        self.language = element.get("language") or LANGUAGE
        url = element.get("partialResultCallback")
        self._url = None if url is None else interpreter.resolve(url)
        self._method = element.get("partialResultCallbackMethod") or "POST"
        self._words: list[str] = []
        #: How sure the recogniser is of the least certain part.
        self.confidence = 1.0
        self.has_begun = False
        self._spoken_until = 0.0  # milliseconds since the epoch
        self._told = 0
        self._timers: list[Timer] = []
        self._silence: Timer | None = None

    @property
    def text(self) -> str:
        return " ".join(self._words)

    def speak(self, text: str, confidence: float) -> None:
        """Somebody begins to say this, as soon as what was said before is over."""
        agenda, words = self._network.agenda, text.split()
        if not words:
            return
        if not self.has_begun:
            self.has_begun = True
            self._timers.append(agenda.after(self._most, self._done))
        self.confidence = min(self.confidence, confidence)
        seconds = max(self._spoken_until - agenda.now(), 0) / MILLISECONDS
        per_second = self._network.settings.characters_per_second
        for word in words:
            seconds += (len(word) + 1) / per_second
            self._timers.append(agenda.after(seconds, self._hears(word)))
        self._spoken_until = agenda.now() + seconds * MILLISECONDS
        if self._silence is not None:
            self._silence.cancel()
        self._silence = agenda.after(seconds + self._pause, self._done)

    def _hears(self, word: str) -> Callable[[], None]:
        def hear() -> None:
            before = self.text
            self._words.append(word)
            if self._url is not None:
                self._tell(self._url, stable=before)

        return hear

    def _tell(self, url: str, *, stable: str) -> None:
        """Nobody waits for the answer, and no TwiML in it is followed."""
        found = (
            *parameters.standard(self._call, self._network.settings.account_sid),
            ("Language", self.language),
            ("SequenceNumber", str(self._told)),
            ("Stability", f"{self.confidence:.8f}"),
            ("StableSpeechResult", stable),
            ("UnstableSpeechResult", self.text),
        )
        self._told += 1
        self._network.tell(
            url=url,
            method=self._method,
            parameters=found,
            lane=f"{self._call.sid} speech",
            call=self._call,
        )

    def stop(self) -> None:
        """Nobody listens any more. Safe to repeat."""
        for timer in (*self._timers, *((self._silence,) if self._silence else ())):
            timer.cancel()
