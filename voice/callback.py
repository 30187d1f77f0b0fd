"""The caller hangs up and keeps the place in line: a Task of its own, and a call to the customer.

The new Task stands where the old one stood (`virtual_start_time`), says whom to call
(`outbound_to`, `from`, as Twilio's own outbound Tasks do) and how often that was tried
(`callback`). Once an agent has accepted it the agent's phone rings, then the customer's. A customer
who does not answer is called again after a pause, by a Task that keeps the same place.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from routing.call import Call, Instruction
from routing.clock import SECOND
from routing.engine import instructions, tasks
from routing.events import Event
from routing.json_text import read_object
from routing.ports import Work
from routing.task import CANCELED, WAITING, Task
from voice import bridge, conversation
from voice.call_flow import CallFlow

#: Why the Task of a caller who will be called back is canceled.
REQUESTED: Final = "callback requested"
#: The kind of the row that remembers that a caller will be called back.
NOTED: Final = "callback"
#: Our own kind of instruction: make the next attempt's Task.
CALL_AGAIN: Final = "call-again"
#: The Task attribute that says which attempt it is.
ATTRIBUTE: Final = "callback"


def request(work: Work, *, call_sid: str) -> bool:
    """The caller who waits, or has waited in vain, is to be called back. False for anybody else."""
    call = work.calls.get(call_sid)
    task = None if call is None else work.tasks.get(call.task_sid, lock=True)
    if call is None or task is None:
        return False
    if work.instructions.find(task_sid=task.sid, kind=NOTED, limit=1):
        return True  # asked for twice
    if task.assignment_status not in WAITING | {CANCELED}:
        return False
    said = dict(read_object(task.attributes, parameter="Attributes"))
    open_task(work, task=task, attributes=said, call=call)
    noted = instructions.request(
        work,
        kind=NOTED,
        step=conversation.TELL,
        workspace_sid=task.workspace_sid,
        task_sid=task.sid,
    )
    instructions.finish(work, instruction_sid=noted.sid)
    if task.assignment_status == CANCELED:
        return True
    bridge.say_goodbye(work, call, said=True)
    tasks.cancel(work, workspace_sid=task.workspace_sid, task_sid=task.sid, reason=REQUESTED)
    return True


def open_task(work: Work, *, task: Task, attributes: dict[str, Any], call: Call) -> Task:
    """The Task by which the caller will be called back, in the place of the one they waited for."""
    attributes.pop("call_sid", None)
    attributes |= whom_to_call(call.from_address, call.to_address)
    return _in_its_place(work, task, attributes)


def whom_to_call(customer: str, number: str) -> dict[str, Any]:
    """The attributes of a Task to call that customer from that number of ours."""
    return {
        "outbound_to": customer,
        "from": number,
        ATTRIBUTE: {"attempt": 1, "number": number},
    }


def failed(work: Work, event: Event, flow: CallFlow) -> None:
    """A Task to call somebody back has ended: if the customer was not reached, once more later."""
    said = read_object(event.carried["task_attributes"], parameter="Attributes")
    tried = said.get(ATTRIBUTE)
    if not isinstance(tried, dict) or event.carried.get("reason") != bridge.HANGUP:
        return
    own = flow.of(str(tried.get("number")))
    if _attempt(tried) >= own.callback_attempts:
        return
    sid = event.resource_sid
    if not work.instructions.find(task_sid=sid, kind=CALL_AGAIN, limit=1):
        instructions.request(
            work,
            kind=CALL_AGAIN,
            step=conversation.TELL,
            workspace_sid=event.workspace_sid,
            task_sid=sid,
            due_at=work.now + own.callback_pause_seconds * SECOND,
        )


def again(work: Work, instruction: Instruction) -> None:
    """Makes the Task of the next attempt, once."""
    task = work.tasks.get(instruction.task_sid, lock=True)
    if not instructions.finish(work, instruction_sid=instruction.sid) or task is None:
        return
    said = dict(read_object(task.attributes, parameter="Attributes"))
    tried = said.get(ATTRIBUTE)
    if isinstance(tried, dict):
        said[ATTRIBUTE] = tried | {"attempt": _attempt(tried) + 1}
        _in_its_place(work, task, said)


def _in_its_place(work: Work, task: Task, attributes: Mapping[str, Any]) -> Task:
    return tasks.create(
        work,
        workspace_sid=task.workspace_sid,
        attributes=json.dumps(attributes, ensure_ascii=False),
        workflow_sid=task.workflow_sid,
        task_queue_sid=task.task_queue_sid if task.workflow_sid is None else None,
        task_channel=task.task_channel_sid,
        priority=task.priority,
        timeout_seconds=task.timeout_seconds,
        virtual_start_at=task.virtual_start_at,
    )


def _attempt(tried: Mapping[str, object]) -> int:
    attempt = tried.get("attempt")
    return attempt if isinstance(attempt, int) else 1


def is_callback(task: Task) -> bool:
    """Was the Task made to call somebody back? Whoever accepts it means to talk to them."""
    return isinstance(read_object(task.attributes, parameter="Attributes").get(ATTRIBUTE), dict)
