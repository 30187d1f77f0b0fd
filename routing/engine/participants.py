"""What those who talk may do with their call: hold, mute, kick, record, end.

Each leaves an Instruction that the voice side carries out; its kind says what, its parameters whom
and how. A later wish for the same party overtakes an earlier one that was not carried out yet, so
that the last word counts whatever the order in which the network can be reached.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from routing import call as states
from routing import reservation as reservation_states
from routing.call import Instruction
from routing.engine import instructions
from routing.errors import InvalidParameter, NotFound, RoutingError
from routing.ports import Work
from routing.reservation import Reservation
from routing.task import Task

HOLD: Final = "hold"
PARTICIPANT: Final = "participant"
KICK: Final = "kick"
END_CONFERENCE: Final = "end-conference"
RECORDING: Final = "recording"
DIGITS: Final = "digits"
KINDS: Final = frozenset({HOLD, PARTICIPANT, KICK, END_CONFERENCE, RECORDING, DIGITS})

#: Whom an instruction is about, in its parameters: the caller, or a Worker by SID.
CUSTOMER: Final = "customer"

RECORDING_ACTIONS: Final = ("start", "pause", "resume", "stop")
#: What is heard of a pause in the recording.
PAUSE_BEHAVIORS: Final = ("skip", "silence")

#: Keys of a telephone; w and W are pauses of a half and a whole second (Twilio, "Play digits").
_KEYS: Final = re.compile(r"[0-9*#wW]{1,100}")


class NoConference(RoutingError):
    """The Task has no conference in which anything could be done (Twilio's 40149)."""

    code = 40149


def hold_customer(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    hold: bool,
    hold_url: str | None = None,
    hold_method: str | None = None,
) -> Instruction:
    """The caller hears hold music (or what `hold_url` says), or talks again."""
    task = _task(work, workspace_sid, task_sid)
    bridge = _any_bridge(work, task)
    wish = _hold(hold, hold_url, hold_method)
    return _ask(work, bridge, HOLD, CUSTOMER, wish)


def hold_worker(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    worker_sid: str,
    hold: bool,
    hold_url: str | None = None,
    hold_method: str | None = None,
) -> Instruction:
    """The same for a Worker who is in the conversation."""
    bridge = _bridge_of(work, _task(work, workspace_sid, task_sid), worker_sid)
    return _ask(work, bridge, HOLD, worker_sid, _hold(hold, hold_url, hold_method))


def change_worker(
    work: Work,
    *,
    workspace_sid: str,
    reservation_sid: str,
    mute: bool | None = None,
    end_conference_on_exit: bool | None = None,
    beep_on_exit: bool | None = None,
) -> Instruction:
    """Changes the part that a Reservation's Worker has in the conference."""
    reservation = work.reservations.get(reservation_sid)
    if reservation is None or reservation.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Reservations/{reservation_sid}")
    wish = {
        "muted": mute,
        "end_conference_on_exit": end_conference_on_exit,
        "beep_on_exit": beep_on_exit,
    }
    wish = {name: value for name, value in wish.items() if value is not None}
    if not wish:
        raise InvalidParameter("Mute", "expected it, EndConferenceOnExit or BeepOnExit")
    bridge = _bridge(work, reservation)
    return _ask(work, bridge, PARTICIPANT, reservation.worker_sid, wish)


def kick_worker(work: Work, *, workspace_sid: str, task_sid: str, worker_sid: str) -> Instruction:
    """The Worker's leg is taken out of the conference, and ends."""
    bridge = _bridge_of(work, _task(work, workspace_sid, task_sid), worker_sid)
    return _ask(work, bridge, KICK, worker_sid, {})


def end_conference(work: Work, *, workspace_sid: str, task_sid: str) -> Instruction:
    """Everybody is sent out; the caller hears the farewell."""
    return _ask(
        work, _any_bridge(work, _task(work, workspace_sid, task_sid)), END_CONFERENCE, "", {}
    )


def record(
    work: Work,
    *,
    workspace_sid: str,
    task_sid: str,
    action: str,
    pause_behavior: str | None = None,
) -> Instruction:
    """Starts, pauses, resumes or stops the recording of the conversation."""
    if action not in RECORDING_ACTIONS:
        raise InvalidParameter("Action", f"expected {' or '.join(RECORDING_ACTIONS)}")
    if pause_behavior not in {None, *PAUSE_BEHAVIORS}:
        raise InvalidParameter("PauseBehavior", f"expected {' or '.join(PAUSE_BEHAVIORS)}")
    wish = {"action": action, "pause_behavior": pause_behavior or PAUSE_BEHAVIORS[0]}
    bridge = _any_bridge(work, _task(work, workspace_sid, task_sid))
    return _ask(work, bridge, RECORDING, CUSTOMER, wish)


def send_digits(
    work: Work, *, workspace_sid: str, task_sid: str, digits: str, party: str = CUSTOMER
) -> Instruction:
    """Presses keys towards somebody's phone: the caller's, or of the call that `party` names.

    `party` is CUSTOMER or the SID of a call in the conversation. What is pressed while earlier keys
    still wait is pressed after them.
    """
    if _KEYS.fullmatch(digits) is None:
        raise InvalidParameter("Digits", "expected 1 to 100 of 0-9, *, #, w and W")
    bridge = _any_bridge(work, _task(work, workspace_sid, task_sid))
    for earlier in work.instructions.find(task_sid=task_sid, kind=DIGITS, state=states.REQUESTED):
        wished = instructions.parameters_of(earlier)
        if earlier.attempts == 0 and wished.get("party") == party:
            wished = {**wished, "digits": f"{wished['digits']}{digits}"}
            work.instructions.change(earlier.sid, parameters=json.dumps(wished))
            return earlier
    return _request(work, bridge, DIGITS, {"party": party, "bridge": bridge.sid, "digits": digits})


def is_on_hold(work: Work, task_sid: str, party: str) -> bool:
    """Was the last that was asked for that party (CUSTOMER, or a Worker by SID) to be held?"""
    for row in reversed(work.instructions.find(task_sid=task_sid, kind=HOLD)):
        wished = instructions.parameters_of(row)
        if wished.get("party") == party and row.state != states.FAILED:
            return wished.get("hold") is True
    return False


def recording_of(work: Work, task_sid: str) -> str | None:
    """What was last done to the recording of the conversation: one of RECORDING_ACTIONS."""
    done = work.instructions.find(task_sid=task_sid, kind=RECORDING, state=states.DONE)
    return str(instructions.parameters_of(done[-1])["action"]) if done else None


def _hold(hold: bool, hold_url: str | None, hold_method: str | None) -> dict[str, object]:
    wish: dict[str, object] = {"hold": hold}
    if hold_url is not None:
        if not hold_url.startswith(("https://", "http://")):
            raise InvalidParameter("HoldUrl", "expected an absolute http or https URL")
        wish["hold_url"] = hold_url
    if hold_method is not None:
        if hold_method.upper() not in {"GET", "POST"}:
            raise InvalidParameter("HoldMethod", "expected GET or POST")
        wish["hold_method"] = hold_method.upper()
    return wish


def _task(work: Work, workspace_sid: str, task_sid: str) -> Task:
    task = work.tasks.get(task_sid, lock=True)
    if task is None or task.workspace_sid != workspace_sid:
        raise NotFound(f"/Workspaces/{workspace_sid}/Tasks/{task_sid}")
    return task


def _any_bridge(work: Work, task: Task) -> Instruction:
    """The conference of the Task, by whichever of those who are in it."""
    for reservation in _present(work, task):
        bridge = instructions.standing(work, reservation.sid)
        if bridge is not None and bridge.conference_sid is not None:
            return bridge
    raise NoConference(f"Task {task.sid} has no conference.")


def _bridge_of(work: Work, task: Task, worker_sid: str) -> Instruction:
    for reservation in _present(work, task):
        if reservation.worker_sid == worker_sid:
            return _bridge(work, reservation)
    raise InvalidParameter("TargetWorkerSid", "expected a Worker who has the Task")


def _bridge(work: Work, reservation: Reservation) -> Instruction:
    bridge = instructions.standing(work, reservation.sid)
    if bridge is None or bridge.conference_sid is None:
        raise NoConference(f"Reservation {reservation.sid} has no conference.")
    return bridge


def _present(work: Work, task: Task) -> list[Reservation]:
    return work.reservations.find(
        task_sid=task.sid,
        reservation_status=frozenset({reservation_states.ACCEPTED, reservation_states.WRAPPING}),
    )


def _ask(
    work: Work, bridge: Instruction, kind: str, party: str, wish: Mapping[str, object]
) -> Instruction:
    parameters = {"party": party, "bridge": bridge.sid, **wish}
    for earlier in work.instructions.find(task_sid=bridge.task_sid, kind=kind):
        if earlier.state in {states.DONE, states.FAILED}:
            continue
        wished = instructions.parameters_of(earlier)
        if wished.get("party") == party:
            # What it wanted beside what this one wants is still wanted.
            parameters = {**wished, **parameters} if kind == PARTICIPANT else parameters
            instructions.finish(work, instruction_sid=earlier.sid, failure="overtaken by another")
    return _request(work, bridge, kind, parameters)


def _request(
    work: Work, bridge: Instruction, kind: str, parameters: Mapping[str, object]
) -> Instruction:
    return instructions.request(
        work,
        kind=kind,
        step="tell",
        workspace_sid=bridge.workspace_sid,
        task_sid=bridge.task_sid,
        reservation_sid=bridge.reservation_sid,
        customer_call_sid=bridge.customer_call_sid,
        parameters=parameters,
    )
