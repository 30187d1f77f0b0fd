"""<Gather>: prompts, and the keys that are pressed meanwhile or within the timeout."""

import dataclasses

from simulator.agenda import Interruption, Scope, Signal, Steps, Timer
from simulator.call import DocumentRequest
from simulator.interpreter import Interpreter, Next
from simulator.twiml import Element
from simulator.webhook import Parameters

TIMEOUT_SECONDS = 5  # Twilio's default between keys


class KeyPressed(Interruption):
    """A key was pressed: the prompt stops."""


@dataclasses.dataclass(kw_only=True)
class Keys:
    """What has been pressed so far."""

    pressed: str = ""
    finished_on: str = ""


def gather(interpreter: Interpreter, element: Element) -> Steps[Next]:
    """Leads to the action if keys were pressed (or an empty result is wanted), else falls on."""
    interpreter.answer()
    call, network = interpreter.call, interpreter.network
    keys, done = Keys(), network.agenda.signal()
    prompt = Scope()
    wait = _Timeout(interpreter, element, done)

    def on_key(key: str) -> None:
        if prompt.is_open and call.script is not None:
            call.script.interrupt(KeyPressed(), prompt)
        if done.has_fired:
            return
        _take(element, keys, key, done)
        wait.restart()

    network.listen(call, on_key)
    try:
        yield from _prompt(interpreter, element, prompt)
        wait.restart()
        yield from done.wait()
    finally:
        prompt.close()
        wait.cancel()
        network.listen(call, None)
    return _outcome(interpreter, element, keys)


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
    except KeyPressed:
        pass  # whoever presses a key has heard enough
    finally:
        scope.close()


def _take(element: Element, keys: Keys, key: str, done: Signal[None]) -> None:
    finish_on = element.get("finishOnKey")
    if key == ("#" if finish_on is None else finish_on):
        keys.finished_on = key
        done.fire(None)
        return
    keys.pressed += key
    limit = element.get("numDigits")
    if limit is not None and len(keys.pressed) >= int(limit):
        done.fire(None)


def _outcome(interpreter: Interpreter, element: Element, keys: Keys) -> Next:
    if not keys.pressed and not element.flag("actionOnEmptyResult", default=False):
        return None
    found: Parameters = (
        ("msg", "Gather End"),
        ("Digits", keys.pressed),
        ("FinishedOnKey", keys.finished_on),
    )
    action = interpreter.action(element, found)
    if action is not None:
        return action
    if interpreter.base_url is None:  # TwiML given by REST has no address to go back to
        return None
    method = element.get("method") or "POST"
    return DocumentRequest(url=interpreter.base_url, method=method, parameters=found)
