"""<Gather>: prompts, and what is pressed or said meanwhile or within the timeout.

Of keys and speech the first that comes counts; what comes of the other is lost.
"""

import dataclasses

from simulator.agenda import Interruption, Scope, Signal, Steps, Timer
from simulator.call import DocumentRequest
from simulator.hearing import Hearing
from simulator.interpreter import Interpreter, Next
from simulator.twiml import Element, TwimlError
from simulator.webhook import Parameters

TIMEOUT_SECONDS = 5  # Twilio's default between keys, and after speech
AUTO_WITH_A_MODEL = 13335


class PromptStopped(Interruption):
    """A key was pressed or something said: the prompt has been heard enough."""


@dataclasses.dataclass(kw_only=True)
class Input:
    """What has come so far."""

    pressed: str = ""
    finished_on: str = ""


def gather(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """Leads to the action if anything came (or an empty result is wanted), else falls on."""
    interpreter.answer()
    _check(element)
    listener = _Listener(interpreter, element)
    try:
        yield from _prompt(interpreter, element, listener.prompt)
        listener.begin_timeout()
        yield from listener.done.wait()
    finally:
        listener.stop()
    return _outcome(interpreter, element, listener.given, listener.hearing)


def _check(element: Element) -> None:
    """What may stand there each by itself, but not together. Raises TwimlError."""
    if element.get("speechTimeout") == "auto" and element.get("speechModel") is not None:
        message = '<Gather speechTimeout="auto"> with a speechModel; seconds were expected'
        raise TwimlError(AUTO_WITH_A_MODEL, message)


class _Listener:
    """Takes what the caller does, from the beginning of the prompt until `done` fires."""

    def __init__(self, interpreter: Interpreter, element: Element) -> None:
        self._call = interpreter.call
        self._element = element
        self.given = Input()
        self.prompt = Scope()
        self.done: Signal[None] = interpreter.network.agenda.signal()
        self._timeout = _Timeout(interpreter, element, self.done)
        self.hearing = Hearing(
            interpreter, element, lambda: self.done.fire(None), self._timeout.seconds
        )
        wanted = (element.get("input") or "dtmf").split()
        self._call.on_key = self._on_key if "dtmf" in wanted else None
        self._call.on_speech = self._on_speech if "speech" in wanted else None

    def begin_timeout(self) -> None:
        """The prompt is over: whoever has not spoken yet has so much time left."""
        if not self.hearing.has_begun:
            self._timeout.restart()

    def stop(self) -> None:
        self.prompt.close()
        self._timeout.cancel()
        self.hearing.stop()
        self._call.on_key = self._call.on_speech = None

    def _on_key(self, key: str) -> None:
        if self.hearing.has_begun:
            return
        self._stop_prompt()
        if not self.done.has_fired:
            _take(self._element, self.given, key, self.done)
            self._timeout.restart()

    def _on_speech(self, text: str, confidence: float) -> None:
        if self.given.pressed:
            return
        if self._element.flag("bargeIn", default=True):
            self._stop_prompt()
        self._timeout.cancel()
        self.hearing.speak(text, confidence)

    def _stop_prompt(self) -> None:
        if self.prompt.is_open and self._call.script is not None:
            self._call.script.interrupt(PromptStopped(), self.prompt)


class _Timeout:
    """Between two keys, counted from the end of the prompt or from the last key."""

    def __init__(self, interpreter: Interpreter, element: Element, done: Signal[None]) -> None:
        given = element.get("timeout")
        self.seconds = int(given) if given is not None and given.isdigit() else TIMEOUT_SECONDS
        self._agenda = interpreter.network.agenda
        self._done = done
        self._timer: Timer | None = None

    def restart(self) -> None:
        self.cancel()
        self._timer = self._agenda.after(self.seconds, lambda: self._done.fire(None))

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _prompt(interpreter: Interpreter, element: Element, scope: Scope) -> Steps[None]:
    try:
        for child in element.children:
            yield from interpreter.verbs[child.name](interpreter, child)
    except PromptStopped:
        pass  # whoever presses a key or speaks has heard enough
    finally:
        scope.close()


def _take(element: Element, given: Input, key: str, done: Signal[None]) -> None:
    finish_on = element.get("finishOnKey")
    if key == ("#" if finish_on is None else finish_on):
        given.finished_on = key
        done.fire(None)
        return
    given.pressed += key
    limit = element.get("numDigits")
    if limit is not None and len(given.pressed) >= int(limit):
        done.fire(None)


def _outcome(interpreter: Interpreter, element: Element, given: Input, hearing: Hearing) -> Next:
    is_empty = not given.pressed and not hearing.text
    if is_empty and not element.flag("actionOnEmptyResult", default=False):
        return None
    found: Parameters = (
        ("msg", "Gather End"),
        ("Digits", given.pressed),
        ("FinishedOnKey", given.finished_on),
    )
    if hearing.text:
        found = (
            ("Language", hearing.language),
            ("SpeechResult", hearing.text),
            ("Confidence", f"{hearing.confidence:.8f}"),
        )
    action = interpreter.action(element, found)
    if action is not None:
        return action
    if interpreter.base_url is None:  # TwiML given by REST has no address to go back to
        return None
    method = element.get("method") or "POST"
    return DocumentRequest(url=interpreter.base_url, method=method, parameters=found)
