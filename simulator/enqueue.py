"""<Enqueue> and <Leave>: waiting in line, and every way out of it.

However it ends, the caller leaves the line first and the `action` hears how, with QueueResult.
"""

import json

from simulator.agenda import Scope, Steps
from simulator.bridge import Bridged, hold_bridge
from simulator.call import HOLD_MUSIC, DocumentRequest, HungUp, Redirected
from simulator.call_queue import CallQueue, Dequeued, LeftQueue, Member
from simulator.interpreter import Interpreter, Next
from simulator.twiml import Element, TwimlError
from simulator.vocabulary import SCHEMA_WARNING
from simulator.webhook import CONNECTION_FAILURE, HTTP_RETRIEVAL_FAILURE, Parameters

WAITING_VERBS = ("Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Leave")
#: A waiting document that takes no time at all would be fetched in a tight circle.
LEAST_ROUND_SECONDS = 1.0

#: With wait_errors="hold": which errors are waited out, and for how long.
OUT_OF_REACH = (HTTP_RETRIEVAL_FAILURE, CONNECTION_FAILURE)
SECONDS_UNTIL_ASKED_AGAIN = 2.0

LONGEST_NAME = 64  # characters
ATTRIBUTES_NOT_JSON = 14221
QUEUE_IS_FULL = 14207


def enqueue(interpreter: Interpreter, element: Element) -> Steps[Next]:
    interpreter.answer()
    network = interpreter.network
    name, attributes = _line(element)
    if network.faults.of_queue(name) is not None:
        return interpreter.action(element, (("QueueResult", "system-error"),))
    size = element.get("maxQueueSize")
    queue = network.queue_named(name, max_size=None if size is None else int(size))
    if queue.is_full:
        network.complain(QUEUE_IS_FULL, f"<Enqueue>: queue {name} is full", interpreter.call)
        return interpreter.action(element, (("QueueResult", "queue-full"),))
    member = Member(
        call=interpreter.call,
        enqueued_at=network.now(),
        scope=Scope(),
        task_attributes=attributes,
    )
    queue.enter(member)
    return (yield from _stay(interpreter, element, queue, member))


def leave(interpreter: Interpreter, element: Element) -> Steps[Next]:
    del element
    yield from ()
    if interpreter.call.queue_sid is None:
        raise TwimlError(SCHEMA_WARNING, "<Leave> by a call that is in no queue")
    raise LeftQueue


def _line(element: Element) -> tuple[str, str | None]:
    """The queue's name, and the Task's attributes. A workflow's queue is named after its SID."""
    tasks = [child for child in element.children if child.name in ("Task", "TaskAttributes")]
    workflow = element.get("workflowSid")
    if workflow is None and tasks:
        raise TwimlError(14220, "<Task> in an <Enqueue> without workflowSid")
    if workflow is not None:
        text = tasks[0].text if tasks else "{}"
        try:
            readable = isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            readable = False
        if not readable:
            raise TwimlError(ATTRIBUTES_NOT_JSON, f"<Task>: a JSON object was expected: {text}")
        return workflow, text
    check_name(element.text, "<Enqueue>", too_short=14204, too_long=14205)
    return element.text, None


def check_name(name: str, where: str, *, too_short: int, too_long: int) -> None:
    """Raises TwimlError, with the code for either, unless a queue can be named so."""
    if not name or len(name) > LONGEST_NAME:
        code = too_long if name else too_short
        raise TwimlError(code, f"{where}: a queue's name of 1 to {LONGEST_NAME} characters")


def _stay(
    interpreter: Interpreter, element: Element, queue: CallQueue, member: Member
) -> Steps[Next]:
    """Wait until something ends it, and report what did."""
    try:
        yield from _wait(interpreter, element, queue, member)
    except LeftQueue:
        return interpreter.action(element, _leave(interpreter, queue, member, "leave"))
    except TwimlError as error:
        interpreter.network.complain(error.code, error.message, interpreter.call)
        return interpreter.action(element, _leave(interpreter, queue, member, "error"))
    except HungUp:
        yield from interpreter.report(element, _leave(interpreter, queue, member, "hangup"))
        raise
    except Redirected:
        yield from interpreter.report(element, _leave(interpreter, queue, member, "redirected"))
        raise
    except Dequeued as news:
        yield from interpreter.report(element, _leave(interpreter, queue, member, "redirected"))
        raise Redirected(news.request) from news
    except Bridged as news:
        return (yield from _talk(interpreter, element, queue, member, news))
    return None


def _talk(
    interpreter: Interpreter, element: Element, queue: CallQueue, member: Member, news: Bridged
) -> Steps[Next]:
    """Dequeued by somebody's <Dial><Queue>: hear the whisper, then talk.

    Who goes before both can talk was not bridged, though it was under way.
    """
    found = dict(_leave(interpreter, queue, member, "bridged"))
    try:
        yield from hold_bridge(interpreter, news)
    except HungUp:
        if not news.connected.has_fired:
            found["QueueResult"] = "hangup"
        yield from interpreter.report(element, tuple(found.items()))
        raise
    except Redirected:
        was_bridged = news.connected.has_fired
        found["QueueResult"] = "redirected-from-bridged" if was_bridged else "bridging-in-process"
        yield from interpreter.report(element, tuple(found.items()))
        raise
    except TwimlError as error:  # of the whisper
        interpreter.network.complain(error.code, error.message, interpreter.call)
        found["QueueResult"] = "error"
    return interpreter.action(element, tuple(found.items()))


def _leave(interpreter: Interpreter, queue: CallQueue, member: Member, result: str) -> Parameters:
    now = interpreter.network.now()
    member.scope.close()
    queue.leave(member, now)
    return (
        ("QueueResult", result),
        ("QueueSid", queue.sid),
        ("QueueTime", str((now - member.enqueued_at) // 1000)),
    )


def _wait(
    interpreter: Interpreter, element: Element, queue: CallQueue, member: Member
) -> Steps[None]:
    """What the caller hears in line. Ends only by an interruption."""
    network, agenda = interpreter.network, interpreter.network.agenda
    wait_url = element.get("waitUrl")
    if wait_url is None:
        yield from network.play(interpreter.call, HOLD_MUSIC, agenda.forever())
    if not wait_url:
        yield from agenda.forever()
        return
    method = element.get("waitUrlMethod") or "POST"
    url = interpreter.resolve(wait_url)
    while True:
        began = network.now()
        found = queue.wait_parameters(member, began)
        request = DocumentRequest(url=url, method=method, parameters=found)
        try:
            yield from interpreter.play_document(request, WAITING_VERBS)
        except TwimlError as error:
            if error.code not in OUT_OF_REACH or network.settings.wait_errors == "end":
                raise
            network.complain(error.code, error.message, interpreter.call)
            pause = agenda.pause(SECONDS_UNTIL_ASKED_AGAIN)
            yield from network.play(interpreter.call, HOLD_MUSIC, pause)
        took = (network.now() - began) / 1000
        if took < LEAST_ROUND_SECONDS:
            yield from agenda.pause(LEAST_ROUND_SECONDS - took)
