"""<Gather>: prompts, and what is pressed or said meanwhile or within the timeout."""

import dataclasses

from simulator.agenda import Interruption, Scope, Signal, Steps, Timer
from simulator.call import DocumentRequest
from simulator.interpreter import Interpreter, Next
from simulator.twiml import Element
from simulator.webhook import Parameters

TIMEOUT_SECONDS = 5  # Twilio's default between keys


class PromptStopped(Interruption):
    """A key was pressed or something said: the prompt has been heard enough."""


@dataclasses.dataclass(kw_only=True)
class Input:
    """What has come so far."""

    pressed: str = ""
    finished_on: str = ""
    said: str = ""
    confidence: float = 0.0

    @property
    def is_empty(self) -> bool:
        return not self.pressed and not self.said


def gather(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """Leads to the action if anything came (or an empty result is wanted), else falls on."""
    interpreter.answer()
    call, network = interpreter.call, interpreter.network
    given, done = Input(), network.agenda.signal()
    prompt = Scope()
    wait = _Timeout(interpreter, element, done)
    wanted = (element.get("input") or "dtmf").split()

    def stop_prompt() -> None:
        if prompt.is_open and call.script is not None:
            call.script.interrupt(PromptStopped(), prompt)

    def on_key(key: str) -> None:
        stop_prompt()
        if not done.has_fired:
            _take(element, given, key, done)
            wait.restart()

    def on_speech(text: str, confidence: float) -> None:
        stop_prompt()
        given.said, given.confidence = text, confidence
        done.fire(None)

    call.on_key = on_key if "dtmf" in wanted else None
    call.on_speech = on_speech if "speech" in wanted else None
    try:
        yield from _prompt(interpreter, element, prompt)
        wait.restart()
        yield from done.wait()
    finally:
        prompt.close()
        wait.cancel()
        call.on_key = call.on_speech = None
    return _outcome(interpreter, element, given)


class _Timeout:
    """Between two keys, counted from the end of the prompt or from the last key."""

    def __init__(self, interpreter: Interpreter, element: Element, done: Signal[None]) -> None:
        given = element.get("timeout")
        self._seconds = int(given) if given is not None and given.isdigit() else TIMEOUT_SECONDS
        self._agenda = interpreter.network.agenda
        self._done = done
        self._timer: Timer | None = None

    def restart(self) -> None:
        self.cancel()
        self._timer = self._agenda.after(self._seconds, lambda: self._done.fire(None))

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


def _outcome(interpreter: Interpreter, element: Element, given: Input) -> Next:
    if given.is_empty and not element.flag("actionOnEmptyResult", default=False):
        return None
    found: Parameters = (
        ("msg", "Gather End"),
        ("Digits", given.pressed),
        ("FinishedOnKey", given.finished_on),
    )
    if given.said:
        found = (
            ("Language", element.get("language") or "en-US"),
            ("SpeechResult", given.said),
            ("Confidence", f"{given.confidence:.8f}"),
        )
    action = interpreter.action(element, found)
    if action is not None:
        return action
    if interpreter.base_url is None:  # TwiML given by REST has no address to go back to
        return None
    method = element.get("method") or "POST"
    return DocumentRequest(url=interpreter.base_url, method=method, parameters=found)
