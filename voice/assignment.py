"""Carries out what is to be done on the phone line, one step of one instruction at a time.

`follow` reads the event log and leaves instructions; `work_off` takes one that is due under a
lease, asks or tells Twilio with no transaction open, and records what came of it. Whoever dies
between the two leaves a lease that runs out; the next one looks up what was done before doing it
again.
"""

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from routing.call import DONE, FAILED, Call, Instruction
from routing.clock import SECOND
from routing.engine import Engine, instructions
from routing.errors import RoutingError
from routing.events import Event
from routing.json_text import JSONObject, read_object
from routing.ports import Work
from routing.reservation import ACCEPTED, PENDING
from voice import bridge, hang_up
from voice.announcement import Announcements
from voice.call_flow import ON_OFFER, CallFlow
from voice.phone_line import (
    ENDED_STATUSES,
    LEG_OPTIONS,
    CallGone,
    Dialling,
    Leg,
    PhoneLine,
    PhoneLineError,
)
from voice.settings import VoiceSettings

#: Seconds an instruction is ours: longer than the slowest question and answer of one step.
LEASE_SECONDS = 30
#: Times that one step of a bridge is tried before the call goes to somebody else.
MAX_ATTEMPTS = 8
#: Times that a phone is told to stop, or a caller to go: nobody else would do it. Some 20 minutes.
MAX_CLEARING_ATTEMPTS = 150
#: Seconds before a failed try is repeated: 1, 2, 4, then this.
MAX_PAUSE_SECONDS = 8

#: The errors that Twilio's own conference instruction ends in.
NO_CALL = "40140: the Task has no call of ours that could be moved into a conference"
NO_TO = "40137: the instruction has no 'to', and the Worker's attributes have no 'contact_uri'"
WRONG_TO = "40137: 'to' is not +E.164, client: or sip:"
WRONG_FROM = "40138: 'from' is missing or not +E.164, client: or sip:"

_ADDRESS: Final = re.compile(r"\+[1-9]\d{1,14}|(?:client|sips?):[!-~]{1,250}")

_RESERVATION_OVER: Final = frozenset(
    {
        "reservation.canceled",
        "reservation.completed",
        "reservation.rejected",
        "reservation.rescinded",
        "reservation.timeout",
        "reservation.wrapup",
    }
)
_TASK_OVER: Final = frozenset(
    {"task.canceled", "task.completed", "task.deleted", "task.system-deleted", "task.wrapup"}
)

#: The types of events that the voice side follows.
CONCERNS: Final = frozenset({"reservation.accepted", "reservation.created"}) | (
    _RESERVATION_OVER | _TASK_OVER
)

#: The commits after which an instruction may be due.
TOPICS: Final = frozenset({"due instructions"})

_log = structlog.get_logger(__name__)


class _Unusable(Exception):
    """Parameters with which nobody can be dialled; the message is the instruction's failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a step needs to know of the tables before it turns to Twilio."""

    #: The caller's call; None when it has ended.
    call: Call | None
    #: Does the Reservation still want its bridge?
    is_wanted: bool
    worker_attributes: JSONObject
    #: Has the caller been taken on since, to another agent?
    is_overtaken: bool


class Assignments:
    """The reactions to the log, and the work that they leave."""

    def __init__(
        self,
        engine: Engine,
        flow: CallFlow,
        settings: VoiceSettings,
        phone_line: PhoneLine,
        announcements: Announcements,
    ) -> None:
        self._engine = engine
        self._flow = flow
        self._settings = settings
        self._line = phone_line
        self._announcements = announcements
        self._steps: dict[tuple[str, str], Callable[[Instruction], None]] = {
            (bridge.CONFERENCE, bridge.DIAL): self._dial,
            (bridge.CONFERENCE, bridge.RINGING): self._ask_after_leg,
            (bridge.CONFERENCE, bridge.MOVE): self._move,
            (bridge.CONFERENCE, bridge.JOINING): self._ask_after_caller,
            (bridge.CONFERENCE, bridge.PARTING): self._ask_who_had_met,
            (bridge.HANG_UP, bridge.TELL): self._end_leg,
            (bridge.BACK_IN_LINE, bridge.TELL): self._back_in_line,
            (bridge.GOODBYE, bridge.TELL): self._say_goodbye,
        }

    # ---- the event log ---------------------------------------------------------------------------

    def follow(self, events: Sequence[Event]) -> None:
        """Reacts to what happened to Tasks of ours; to the same event twice as to once."""
        for event in events:
            if event.task_sid is None:
                continue
            try:
                self._react(event, event.task_sid)
            except RoutingError as error:
                # What it is about has moved on since; its later events tell where to.
                _log.info("nothing to react to any more", type=event.type, error=str(error))

    def _react(self, event: Event, task_sid: str) -> None:
        if event.type == "reservation.accepted":
            self._engine.perform(self._accepted, event)
        elif event.type == "reservation.created" and self._flow.bridge == ON_OFFER:
            self._engine.perform(self._offered, event)
        elif event.type in _RESERVATION_OVER:
            self._engine.perform(_reservation_over, event)
        elif event.type in _TASK_OVER:
            self._engine.perform(settle, task_sid=task_sid)

    def _accepted(self, work: Work, event: Event) -> None:
        if bridge.is_live(bridge.call_of(work, event.task_sid or "")):
            instructions.bridge_accepted(
                work, reservation_sid=event.resource_sid, parameters=self._own_parameters()
            )

    def _offered(self, work: Work, event: Event) -> None:
        reservation = work.reservations.get(event.resource_sid)
        if reservation is None or reservation.reservation_status != PENDING:
            return
        if bridge.is_live(bridge.call_of(work, reservation.task_sid)):
            instructions.request_conference(
                work, reservation_sid=reservation.sid, parameters=self._own_parameters()
            )

    def _own_parameters(self) -> dict[str, object]:
        """The instruction that we give ourselves, when nobody has given one."""
        return {"timeout": self._flow.ring_seconds}

    # ---- the work --------------------------------------------------------------------------------

    def work_off(self) -> bool:
        """Carries out one step of one instruction that is due; True if there may be more."""
        if not self._engine.glance(_is_anything_due):
            return False  # the usual answer, which costs no transaction of the writer
        leased = self._engine.perform(instructions.lease, limit=1, seconds=LEASE_SECONDS)
        for instruction in leased:
            self._carry_out(instruction)
        return bool(leased)

    def _carry_out(self, instruction: Instruction) -> None:
        log = _log.bind(instruction=instruction.sid, kind=instruction.kind, step=instruction.step)
        step = self._steps.get((instruction.kind, instruction.step))
        most = MAX_ATTEMPTS if instruction.kind == bridge.CONFERENCE else MAX_CLEARING_ATTEMPTS
        if step is None or instruction.attempts > 2 * most:
            # Written by a newer release, or whoever tries it dies of it.
            self._engine.perform(_give_up, instruction, failure="it could not be carried out")
            return
        try:
            step(instruction)
        except PhoneLineError as error:
            log.warning("twilio did not do it", error=str(error), attempts=instruction.attempts)
            if error.retryable and instruction.attempts < most:
                self._engine.perform(_later, instruction)
            else:
                self._engine.perform(_give_up, instruction, failure=str(error))

    def _dial(self, instruction: Instruction) -> None:
        scene = self._engine.read(_scene, instruction)
        if not scene.is_wanted:
            self._engine.perform(_abandon, instruction, why="nobody waits for the agent any more")
            return
        if scene.call is None:
            self._engine.perform(_give_up, instruction, failure=NO_CALL)
            return
        call_sid = scene.call.sid
        leg = self._leg_of_an_earlier_try(instruction)
        if leg is None:
            try:
                dialling = self._dialling(instruction, scene.call, scene.worker_attributes)
            except _Unusable as error:
                self._engine.perform(_give_up, instruction, failure=str(error))
                return
            leg = self._line.dial(dialling)
        self._engine.perform(
            bridge.dialled, instruction_sid=instruction.sid, leg=leg, customer_call_sid=call_sid
        )
        if instruction.attempts > 1:
            self._tell_leg(instruction, leg.call_sid)

    def _leg_of_an_earlier_try(self, instruction: Instruction) -> Leg | None:
        """What an earlier try has dialled, before it died or its answer was lost."""
        if instruction.attempts <= 1:
            return None
        return self._line.find_leg(room=instruction.task_sid, label=instruction.reservation_sid)

    def _dialling(self, instruction: Instruction, call: Call, attributes: JSONObject) -> Dialling:
        given = bridge.parameters_of(instruction)
        to = given.get("to") or attributes.get("contact_uri")
        if not to:
            raise _Unusable(NO_TO)
        from_address = given.get("from") or self._settings.caller_id or call.to_address
        return Dialling(
            room=instruction.task_sid,
            label=instruction.reservation_sid,
            to=_address(to, WRONG_TO),
            from_address=_address(from_address, WRONG_FROM),
            ring_seconds=bridge.ring_seconds(instruction),
            leg_url=self._settings.url(f"agent-leg?instruction={instruction.sid}"),
            room_url=self._settings.url(f"conference?instruction={instruction.sid}"),
            options={name: value for name, value in given.items() if name in LEG_OPTIONS},
        )

    def _ask_after_leg(self, instruction: Instruction) -> None:
        """No callback has told how the ringing ended: Twilio is asked."""
        if instruction.worker_call_sid is None:
            leg = self._line.find_leg(room=instruction.task_sid, label=instruction.reservation_sid)
            call_sid = leg.call_sid if leg else None
        else:
            call_sid = instruction.worker_call_sid
        if call_sid is None or self._tell_leg(instruction, call_sid) == "ringing":
            self._try_again(instruction, "the agent's phone was not answered")

    def _tell_leg(self, instruction: Instruction, call_sid: str) -> str:
        """Passes on the leg's status as if a callback had brought it."""
        try:
            status = self._line.call_status(call_sid)
        except CallGone:
            status = "failed"
        self._engine.perform(
            bridge.leg_changed, instruction_sid=instruction.sid, call_sid=call_sid, status=status
        )
        return status if status in ENDED_STATUSES or status == "in-progress" else "ringing"

    def _move(self, instruction: Instruction) -> None:
        scene = self._engine.read(_scene, instruction)
        if scene.call is None or not scene.is_wanted:
            self._engine.perform(_abandon, instruction, why="nobody waits for the agent any more")
            return
        if instruction.attempts > 1 and self._caller_is_in(instruction, scene.call):
            return
        given = bridge.parameters_of(instruction)
        twiml = self._announcements.into_room(
            room=instruction.task_sid,
            instruction_sid=instruction.sid,
            # Nobody is left alone in the room, unless it is asked for.
            end_conference_on_exit=_yes(given.get("end_conference_on_customer_exit", True)),
            beep=_yes(given.get("beep_on_customer_entrance", False)),
        )
        try:
            self._line.redirect(scene.call.sid, twiml=twiml)
        except CallGone:
            self._caller_gone(instruction, scene.call)
            return
        self._engine.perform(bridge.moved, instruction_sid=instruction.sid)

    def _caller_is_in(self, instruction: Instruction, call: Call) -> bool:
        """Did an earlier try bring the caller into the room?"""
        room = self._line.find_room(instruction.task_sid)
        if room is None or call.sid not in room.call_sids:
            return False
        self._engine.perform(
            bridge.customer_in, instruction_sid=instruction.sid, conference_sid=room.sid
        )
        return True

    def _caller_gone(self, instruction: Instruction, call: Call) -> None:
        """Twilio says that the caller's call is not in progress: it has ended, or is not yet.

        (21220 is also answered in the moment after a call was answered.)
        """
        status = self._status_of(call.sid)
        if status in ENDED_STATUSES:
            self._engine.perform(hang_up.caller_left, call_sid=call.sid, status=status)
        else:
            self._try_again(instruction, "the caller could not be moved into the conference")

    def _status_of(self, call_sid: str) -> str:
        try:
            return self._line.call_status(call_sid)
        except CallGone:
            return "completed"

    def _ask_after_caller(self, instruction: Instruction) -> None:
        """No callback has told that the caller is in the room: Twilio is asked."""
        scene = self._engine.read(_scene, instruction)
        if scene.call is None or not scene.is_wanted:
            self._engine.perform(_abandon, instruction, why="nobody waits for the agent any more")
            return
        agent = self._tell_leg(instruction, instruction.worker_call_sid or "")
        if agent in ENDED_STATUSES or self._caller_is_in(instruction, scene.call):
            return
        status = self._status_of(scene.call.sid)
        if status in ENDED_STATUSES:
            self._engine.perform(hang_up.caller_left, call_sid=scene.call.sid, status=status)
        else:
            self._try_again(instruction, "the caller did not arrive in the conference")

    def _ask_who_had_met(self, instruction: Instruction) -> None:
        """One hung up in the moment of joining, and no callback has told whether both were in."""
        met = self._line.who_ended(instruction.task_sid) == instruction.customer_call_sid
        self._engine.perform(bridge.parted, task_sid=instruction.task_sid, met=met)

    def _try_again(self, instruction: Instruction, failure: str) -> None:
        if instruction.attempts < MAX_ATTEMPTS:
            self._engine.perform(_later, instruction)
        else:
            self._engine.perform(_give_up, instruction, failure=failure)

    def _end_leg(self, instruction: Instruction) -> None:
        call_sid = instruction.worker_call_sid
        if call_sid is None:
            leg = self._line.find_leg(room=instruction.task_sid, label=instruction.reservation_sid)
            call_sid = leg.call_sid if leg else None
        if call_sid is not None:
            with contextlib.suppress(CallGone):  # which is what was wanted
                self._line.hang_up(call_sid)
        self._engine.perform(_finish, instruction)

    def _back_in_line(self, instruction: Instruction) -> None:
        scene = self._engine.read(_scene, instruction)
        if scene.call is not None and not scene.is_overtaken:
            self._redirect(scene.call, self._announcements.back_in_line)
        self._engine.perform(_finish, instruction)

    def _say_goodbye(self, instruction: Instruction) -> None:
        scene = self._engine.read(_scene, instruction)
        if scene.call is not None:
            spoken = scene.is_overtaken  # to an agent, who is gone by now
            farewell = self._announcements.ended if spoken else self._announcements.canceled
            self._redirect(scene.call, farewell)
        self._engine.perform(_finish, instruction)

    def _redirect(self, call: Call, twiml: str) -> None:
        try:
            self._line.redirect(call.sid, twiml=twiml)
        except CallGone:
            status = self._status_of(call.sid)
            if status in ENDED_STATUSES:
                self._engine.perform(hang_up.caller_left, call_sid=call.sid, status=status)


def settle(work: Work, *, task_sid: str) -> None:
    """A Task may have ended: its bridge is not needed then, and its caller must not wait on."""
    task = work.tasks.get(task_sid, lock=True)
    call = bridge.call_of(work, task_sid)
    if call is None or (task is not None and hang_up.is_wanted(work, call)):
        return
    bridge.abandon_all(work, task_sid, "the task has ended")
    if bridge.is_live(call):
        bridge.say_goodbye(work, call)


def _is_anything_due(work: Work) -> bool:
    return bool(work.due_instructions(work.now, 1))


def _reservation_over(work: Work, event: Event) -> None:
    """A Reservation has ended: no phone rings for it any more."""
    reservation = work.reservations.get(event.resource_sid)
    if reservation is not None and reservation.reservation_status in {PENDING, ACCEPTED}:
        return
    for seen in work.instructions.find(reservation_sid=event.resource_sid, kind=bridge.CONFERENCE):
        instruction = bridge.held(work, seen.sid)
        if instruction is not None and instruction.state not in {DONE, FAILED}:
            bridge.abandon(work, instruction, "the reservation has ended")


def _scene(work: Work, instruction: Instruction) -> Scene:
    call = bridge.call_of(work, instruction.task_sid)
    reservation = work.reservations.get(instruction.reservation_sid)
    worker = work.workers.get(reservation.worker_sid) if reservation is not None else None
    return Scene(
        call=call if bridge.is_live(call) else None,
        is_wanted=reservation is not None and reservation.reservation_status in {PENDING, ACCEPTED},
        worker_attributes=(
            read_object(worker.attributes, parameter="Attributes") if worker is not None else {}
        ),
        is_overtaken=any(
            other.state == DONE or other.step in {bridge.MOVE, bridge.JOINING, bridge.PARTING}
            for other in work.instructions.find(
                task_sid=instruction.task_sid, kind=bridge.CONFERENCE
            )
            if other.state != FAILED
        ),
    )


def _mine(work: Work, instruction: Instruction) -> Instruction | None:
    """The row as it is now, if it is still at the step and under the lease that we took."""
    work.tasks.get(instruction.task_sid, lock=True)
    now = work.instructions.get(instruction.sid, lock=True)
    if now is None or now.state in {DONE, FAILED}:
        return None
    if (now.step, now.leased_until) != (instruction.step, instruction.leased_until):
        return None  # a callback was faster, and knows better
    return now


def _later(work: Work, instruction: Instruction) -> None:
    """The same step again, after a pause that grows."""
    if _mine(work, instruction) is not None:
        seconds = min(2 ** (instruction.attempts - 1), MAX_PAUSE_SECONDS)
        instructions.progress(
            work, instruction_sid=instruction.sid, due_at=work.now + seconds * SECOND
        )


def _give_up(work: Work, instruction: Instruction, *, failure: str) -> None:
    mine = _mine(work, instruction)
    if mine is None:
        return
    if mine.step == bridge.PARTING:
        bridge.parted(work, mine.task_sid, met=False)
    elif mine.kind == bridge.CONFERENCE:
        bridge.fail(work, mine, failure)
    else:
        # The sweep sees that the call still lives, and begins anew.
        instructions.finish(work, instruction_sid=mine.sid, failure=failure)


def _abandon(work: Work, instruction: Instruction, *, why: str) -> None:
    now = bridge.held(work, instruction.sid)
    if now is not None:
        bridge.abandon(work, now, why)


def _finish(work: Work, instruction: Instruction) -> None:
    instructions.finish(work, instruction_sid=instruction.sid)


def _address(value: object, refusal: str) -> str:
    if not isinstance(value, str) or _ADDRESS.fullmatch(value) is None:
        raise _Unusable(refusal)
    return value


def _yes(value: object) -> bool:
    """A flag as instructions carry it: JSON's, or Twilio's words."""
    return value is True or str(value).lower() == "true"
