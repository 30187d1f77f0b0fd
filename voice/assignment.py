"""Carries out what is to be done on the phone line, one step of one instruction at a time.

`follow` reads the event log and leaves instructions; `lease` gets hold of those that are due, and
`carry_out` asks or tells Twilio with no transaction open, and records what came of it. Whoever dies
between the two leaves a lease that runs out; the next one looks up what was done before doing it
again.

An agent's phone shall ring soon: what `follow` leaves for it is leased as it is written, and given
to an operator at once, where one is free.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from routing.call import Call, Instruction
from routing.engine import Engine, instructions, participants
from routing.engine.outside import OUTSIDE
from routing.errors import RoutingError
from routing.events import Event
from routing.ports import Work
from routing.reservation import PENDING
from voice import bridge, callback, conversation, hang_up, outcomes, relaying
from voice.announcement import Announcements
from voice.call_flow import ON_OFFER, CallFlow
from voice.calling_out import CallingOut
from voice.clearing import Clearing, change_whoever_is_there, status_of
from voice.phone_line import (
    ENDED_STATUSES,
    LEG_OPTIONS,
    CallGone,
    Dialling,
    Leg,
    PhoneLine,
    PhoneLineError,
)
from voice.scene import Scene, scene_of
from voice.settings import VoiceSettings
from voice.switchboard import Switchboard
from voice.wishes import Hopeless, Wishes

#: Seconds an instruction is ours: longer than the slowest question and answer of one step.
LEASE_SECONDS = 30
#: Times that one step of a bridge is tried before the call goes to somebody else.
MAX_ATTEMPTS = 8
#: Times that a phone is told to stop, or a caller to go: nobody else would do it. Some 20 minutes.
MAX_CLEARING_ATTEMPTS = 150
#: Seconds that the phone of a customer who is called back rings.
CUSTOMER_RING_SECONDS = 30

#: The errors that Twilio's own conference instruction ends in.
NO_CALL = "40142: the Task has no call of ours, and no 'outbound_to', to be put into a conference"
NO_CALL_DEQUEUE = "40140: the Task has no call of ours that could be dequeued"
NO_TO = "40137: the instruction has no 'to', and the Worker's attributes have no 'contact_uri'"
WRONG_CUSTOMER = "13223: 'outbound_to' is not +E.164, client: or sip:"
WRONG_TO = "40137: 'to' is not +E.164, client: or sip:"
NO_TO_DEQUEUE = "40131: neither 'to' nor the Worker's 'contact_uri' is +E.164, client: or sip:"
WRONG_FROM_DEQUEUE = "40132: 'from' is missing or not +E.164, client: or sip:"
NO_FROM = "40138: the instruction has no 'from', and no number was dialled"
WRONG_FROM = "40141: 'from' is not +E.164, client: or sip:"

#: Kinds that a Reservation waits for: what does not work soon, somebody else should try.
_TRIED_BRIEFLY: Final = instructions.BRIDGING | {bridge.SUPERVISE, OUTSIDE} | participants.KINDS

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
CONCERNS: Final = frozenset(
    {"reservation.accepted", "reservation.created", "task.transfer-initiated"}
) | (_RESERVATION_OVER | _TASK_OVER)

#: The commits after which an instruction may be due.
TOPICS: Final = frozenset({"due instructions"})

_log = structlog.get_logger(__name__)


class _Asking(Protocol):
    """Asks for an instruction, leased for so many seconds; None where none is called for."""

    def __call__(
        self, work: Work, event: Event, *, lease_seconds: int | None
    ) -> Instruction | None: ...


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
        #: Those who are given what cannot wait; None where somebody calls `work_off` instead.
        self.board: Switchboard | None = None
        self._engine = engine
        self._flow = flow
        self._settings = settings
        self._line = phone_line
        self._announcements = announcements
        flows = (flow, *flow.numbers.values())
        self._rings_on_offer = any(each.bridge == ON_OFFER for each in flows)
        self._steps: dict[tuple[str, str], Callable[[Instruction], None]] = (
            Wishes(engine, settings, phone_line).steps
            | CallingOut(engine, settings, phone_line).steps
        )
        for kind in conversation.ROOMS:
            self._steps |= {
                (kind, bridge.DIAL): self._dial,
                (kind, bridge.MOVE): self._move,
                (kind, bridge.JOINING): self._ask_after_caller,
                (kind, bridge.PARTING): self._ask_who_had_met,
            }
        self._steps |= {(kind, bridge.RINGING): self._ask_after_leg for kind in bridge.LEGS}
        self._steps |= Clearing(engine, phone_line, announcements).steps

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
            self._at_once(self._accepted, event)
        elif event.type == "reservation.created" and self._rings_on_offer:
            self._at_once(self._offered, event)
        elif event.type in _RESERVATION_OVER:
            self._reservation_over(event)
        elif event.type == "task.transfer-initiated":
            self._engine.perform(outcomes.handed_on, event)
        elif event.type in _TASK_OVER:
            self._task_over(task_sid)
            if event.type == "task.canceled":
                self._engine.perform(callback.failed, event, self._flow)

    def _reservation_over(self, event: Event) -> None:
        # Mostly nothing is left to do, which a look tells without a transaction.
        if self._engine.glance(outcomes.rings_for, event.resource_sid):
            self._engine.perform(outcomes.reservation_over, event)

    def _task_over(self, task_sid: str) -> None:
        if not self._engine.glance(outcomes.is_settled, task_sid):
            self._engine.perform(outcomes.settle, task_sid=task_sid)

    def _at_once(self, ask: _Asking, event: Event) -> None:
        """Carries out what is asked for without waiting for its turn, if an operator is free."""
        operator = self.board.engage() if self.board is not None else None
        instruction = None
        try:
            seconds = LEASE_SECONDS if operator is not None else None
            instruction = self._engine.perform(ask, event, lease_seconds=seconds)
        finally:
            if operator is None or self.board is None:
                pass
            elif instruction is None:
                self.board.dismiss(operator)
            else:
                operator.give(instruction)

    def _accepted(
        self, work: Work, event: Event, *, lease_seconds: int | None
    ) -> Instruction | None:
        task_sid = event.task_sid or ""
        conversation.foresee_call_of(work, task_sid)
        instructions.foresee_bridge(work, event.resource_sid)
        call = conversation.call_of(work, task_sid)
        if call is None:
            task = work.tasks.get(task_sid)
            wanted = task is not None and callback.is_callback(task)
        else:
            wanted = conversation.is_live(call)
        if not wanted:
            return None
        return instructions.bridge_accepted(
            work,
            reservation_sid=event.resource_sid,
            parameters=self._own_parameters(call),
            lease_seconds=lease_seconds,
        )

    def _offered(
        self, work: Work, event: Event, *, lease_seconds: int | None
    ) -> Instruction | None:
        call = conversation.call_of(work, event.task_sid or "")
        if (
            call is None
            or not conversation.is_live(call)
            or self._flow.of(call.to_address).bridge != ON_OFFER
        ):
            return None
        work.tasks.get(call.task_sid, lock=True)
        reservation = work.reservations.get(event.resource_sid, lock=True)
        if reservation is None or reservation.reservation_status != PENDING:
            return None
        workflow = work.configuration(reservation.workspace_sid).workflows.get(
            reservation.workflow_sid or ""
        )
        if workflow is not None and workflow.assignment_callback_url:
            return None  # an application is asked what is to be done
        return instructions.bridge_offered(
            work,
            reservation,
            parameters=self._own_parameters(call),
            lease_seconds=lease_seconds,
        )

    def _own_parameters(self, call: Call | None) -> dict[str, object]:
        """The instruction that we give ourselves, when nobody has given one."""
        return {"timeout": self._flow.of(call.to_address if call else "").ring_seconds}

    # ---- the work --------------------------------------------------------------------------------

    def work_off(self) -> bool:
        """Carries out one step of one instruction that is due; True if there may be more."""
        leased = self.lease(1)
        for instruction in leased:
            self.carry_out(instruction)
        return bool(leased)

    def lease(self, limit: int) -> Sequence[Instruction]:
        """Instructions that are due, so many at most, for the caller alone for a while."""
        if not self._engine.glance(outcomes.is_anything_due):
            return []  # the usual answer, which costs no transaction of the writer
        return self._engine.perform(instructions.lease, limit=limit, seconds=LEASE_SECONDS)

    def carry_out(self, instruction: Instruction) -> None:
        """One step of it, which the caller has leased; what came of it is recorded."""
        log = _log.bind(instruction=instruction.sid, kind=instruction.kind, step=instruction.step)
        step = self._steps.get((instruction.kind, instruction.step))
        most = MAX_ATTEMPTS if instruction.kind in _TRIED_BRIEFLY else MAX_CLEARING_ATTEMPTS
        if step is None or instruction.attempts > 2 * most:
            # Written by a newer release, or whoever tries it dies of it.
            self._engine.perform(
                outcomes.give_up, instruction, failure="it could not be carried out"
            )
            return
        try:
            step(instruction)
        except PhoneLineError as error:
            log.warning("twilio did not do it", error=str(error), attempts=instruction.attempts)
            if error.retryable and instruction.attempts < most:
                self._engine.perform(outcomes.later, instruction)
            else:
                self._engine.perform(outcomes.give_up, instruction, failure=str(error))
        except Hopeless as error:
            self._engine.perform(outcomes.give_up, instruction, failure=str(error))

    def _dial(self, instruction: Instruction) -> None:
        scene = self._engine.glance(scene_of, instruction)
        if not scene.is_wanted:
            self._engine.perform(
                outcomes.abandon, instruction, why="nobody waits for the agent any more"
            )
            return
        if scene.call is None and scene.outbound_to is None:
            dequeues = instruction.kind == instructions.DEQUEUE
            failure = NO_CALL_DEQUEUE if dequeues else NO_CALL
            self._engine.perform(outcomes.give_up, instruction, failure=failure)
            return
        call_sid = scene.call.sid if scene.call is not None else None
        leg = self._leg_of_an_earlier_try(instruction)
        if leg is None:
            dialling = self._dialling(instruction, scene)
            self._keep_room(scene)
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

    def _keep_room(self, scene: Scene) -> None:
        """While the Task is handed on, the leaving of those who have it must not end the room."""
        for colleague in scene.colleagues:
            change_whoever_is_there(
                self._line,
                colleague.task_sid,
                colleague.conference_sid or "",
                colleague.worker_call_sid or "",
                end_conference_on_exit=False,
            )

    def _dialling(self, instruction: Instruction, scene: Scene) -> Dialling:
        given = dict(conversation.parameters_of(instruction))
        to = given.get("to") or scene.worker_attributes.get("contact_uri")
        dequeues = instruction.kind == instructions.DEQUEUE
        if not to:
            raise Hopeless(NO_TO_DEQUEUE if dequeues else NO_TO)
        dialled = scene.call.to_address if scene.call is not None else scene.outbound_from
        from_address = given.get("from") or self._settings.caller_id or dialled
        if not from_address and not dequeues:
            raise Hopeless(NO_FROM)
        if dequeues:
            given["record"] = conversation.is_to_be_recorded(given)
        if scene.colleagues:
            given["end_conference_on_exit"] = False
        return Dialling(
            room=instruction.task_sid,
            label=instruction.reservation_sid,
            to=_address(to, NO_TO_DEQUEUE if dequeues else WRONG_TO),
            from_address=_address(from_address, WRONG_FROM_DEQUEUE if dequeues else WRONG_FROM),
            ring_seconds=bridge.ring_seconds(instruction),
            leg_url=self._settings.url(f"agent-leg?instruction={instruction.sid}"),
            room_url=self._settings.url(f"conference?instruction={instruction.sid}"),
            options={name: value for name, value in given.items() if name in LEG_OPTIONS},
            more_of_leg=relaying.leg_events(instruction.kind, given),
            more_of_room=relaying.room_events(given),
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
        status = status_of(self._line, call_sid, instruction, unknown="failed")
        self._engine.perform(
            bridge.leg_changed, instruction_sid=instruction.sid, call_sid=call_sid, status=status
        )
        return status if status in ENDED_STATUSES or status == "in-progress" else "ringing"

    def _move(self, instruction: Instruction) -> None:
        scene = self._engine.glance(scene_of, instruction)
        if scene.is_wanted and scene.call is None and scene.outbound_to is not None:
            self._call_out(instruction, scene, scene.outbound_to)
            return
        if scene.call is None or not scene.is_wanted:
            self._engine.perform(
                outcomes.abandon, instruction, why="nobody waits for the agent any more"
            )
            return
        if self._may_be_in(instruction, scene) and self._caller_is_in(instruction, scene.call):
            return
        given = conversation.parameters_of(instruction)
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

    def _call_out(self, instruction: Instruction, scene: Scene, to: str) -> None:
        """The agent is in the room: the customer who wanted to be called is called into it."""
        label = f"customer-{instruction.sid}"
        from_address = _address(self._settings.caller_id or scene.outbound_from, WRONG_FROM)
        leg = None
        if instruction.attempts > 1:
            leg = self._line.find_leg(room=instruction.task_sid, label=label)
        if leg is None:
            leg = self._line.dial(
                Dialling(
                    room=instruction.task_sid,
                    label=label,
                    to=_address(to, WRONG_CUSTOMER),
                    from_address=from_address,
                    ring_seconds=CUSTOMER_RING_SECONDS,
                    leg_url=self._settings.url("call-status"),
                    room_url=self._settings.url(f"conference?instruction={instruction.sid}"),
                    options={"end_conference_on_exit": True},
                )
            )
        self._engine.perform(
            bridge.called_out,
            instruction_sid=instruction.sid,
            leg=leg,
            to=to,
            from_address=from_address,
            seconds=CUSTOMER_RING_SECONDS + bridge.RINGING_MARGIN_SECONDS,
        )

    def _may_be_in(self, instruction: Instruction, scene: Scene) -> bool:
        """Has an earlier try, or an earlier agent, brought the caller into the room?"""
        return instruction.attempts > 1 or scene.has_met

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
        status = status_of(self._line, call.sid, instruction)
        if status in ENDED_STATUSES:
            self._engine.perform(hang_up.caller_left, call_sid=call.sid, status=status)
        else:
            self._try_again(instruction, "the caller could not be moved into the conference")

    def _ask_after_caller(self, instruction: Instruction) -> None:
        """No callback has told that the caller is in the room: Twilio is asked."""
        scene = self._engine.glance(scene_of, instruction)
        if scene.call is None or not scene.is_wanted:
            self._engine.perform(
                outcomes.abandon, instruction, why="nobody waits for the agent any more"
            )
            return
        agent = self._tell_leg(instruction, instruction.worker_call_sid or "")
        if agent in ENDED_STATUSES or self._caller_is_in(instruction, scene.call):
            return
        status = status_of(self._line, scene.call.sid, instruction)
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
            self._engine.perform(outcomes.later, instruction)
        else:
            self._engine.perform(outcomes.give_up, instruction, failure=failure)


def _address(value: object, refusal: str) -> str:
    if not isinstance(value, str) or bridge.ADDRESS.fullmatch(value) is None:
        raise Hopeless(refusal)
    return value


def _yes(value: object) -> bool:
    """A flag as instructions carry it: JSON's, or Twilio's words."""
    return value is True or str(value).lower() == "true"
