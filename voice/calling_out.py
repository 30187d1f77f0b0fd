"""How somebody outside is called into a conversation, kept in it and taken out again.

Steps of the same kind as those of `wishes`: each is safe to repeat, or looks first whether an
earlier try has done it.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from routing import reservation as reservation_states
from routing.call import Call, Instruction
from routing.engine import Engine, instructions, participants
from routing.engine.outside import DIAL, OUTSIDE, RINGING, TALKING
from routing.ports import Work
from voice import conversation, outcomes, outside
from voice.clearing import change_whoever_is_there, status_of
from voice.phone_line import ENDED_STATUSES, CallGone, Dialling, PhoneLine
from voice.settings import VoiceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What a step needs to know before it turns to Twilio."""

    #: The caller's call; None when it has ended.
    call: Call | None
    is_removed: bool
    #: (conference, call, is on hold) of each Worker in the conversation.
    agents: tuple[tuple[str, str, bool], ...]


def _scene(work: Work, row: Instruction) -> _Scene:
    call = conversation.call_of(work, row.task_sid)
    agents = []
    for holder in work.reservations.find(
        task_sid=row.task_sid,
        reservation_status=frozenset({reservation_states.ACCEPTED, reservation_states.WRAPPING}),
    ):
        standing = instructions.standing(work, holder.sid)
        if standing is not None and standing.conference_sid and standing.worker_call_sid:
            is_on_hold = participants.is_on_hold(work, row.task_sid, holder.worker_sid)
            agents.append((standing.conference_sid, standing.worker_call_sid, is_on_hold))
    now = work.instructions.get(row.sid) or row
    return _Scene(
        call=call if conversation.is_live(call) else None,
        is_removed=bool(instructions.parameters_of(now).get(outside.REMOVED)),
        agents=tuple(agents),
    )


class CallingOut:
    """The steps, by kind and step of their instructions."""

    def __init__(self, engine: Engine, settings: VoiceSettings, phone_line: PhoneLine) -> None:
        self._engine = engine
        self._settings = settings
        self._line = phone_line
        self.steps: dict[tuple[str, str], Callable[[Instruction], None]] = {
            (OUTSIDE, DIAL): self._dial,
            (OUTSIDE, RINGING): self._ask,
            (OUTSIDE, TALKING): self._ask,
            (conversation.TOGETHER, conversation.TELL): self._let_go,
        }

    def _dial(self, instruction: Instruction) -> None:
        scene = self._engine.read(_scene, instruction)
        if scene.call is None or scene.is_removed:
            self._engine.perform(outside.ended, instruction_sid=instruction.sid, status="canceled")
            return
        leg = None
        if instruction.attempts > 1:
            leg = self._line.find_leg(room=instruction.task_sid, label=instruction.sid)
        if leg is None:
            self._keep_room(instruction, scene)
            leg = self._line.dial(self._dialling(instruction, scene.call))
        self._engine.perform(outside.dialled, instruction_sid=instruction.sid, leg=leg)
        if instruction.attempts > 1:
            self._tell_leg(instruction, leg.call_sid)

    def _keep_room(self, instruction: Instruction, scene: _Scene) -> None:
        """An agent who leaves must not end the room; on hold, that cannot be changed (Twilio)."""
        for conference_sid, call_sid, is_on_hold in scene.agents:
            whom = (self._line, instruction.task_sid, conference_sid, call_sid)
            if is_on_hold:
                change_whoever_is_there(*whom, hold=False)
            change_whoever_is_there(*whom, end_conference_on_exit=False)

    def _dialling(self, instruction: Instruction, call: Call) -> Dialling:
        given = conversation.parameters_of(instruction)
        return Dialling(
            room=instruction.task_sid,
            label=instruction.sid,
            to=str(given["to"]),
            # The number that was dialled; with a customer who was called, the one they saw.
            from_address=str(given["from"] or self._settings.caller_id or call.to_address),
            ring_seconds=outside.ring_seconds(instruction),
            leg_url=self._settings.url(f"outside-leg?instruction={instruction.sid}"),
            room_url=self._settings.url(f"conference?instruction={given['bridge']}"),
            options={"end_conference_on_exit": False},
        )

    def _ask(self, instruction: Instruction) -> None:
        """No callback has told how the other is doing, or they are to be taken out."""
        call_sid = instruction.worker_call_sid
        if call_sid is None:
            leg = self._line.find_leg(room=instruction.task_sid, label=instruction.sid)
            call_sid = leg.call_sid if leg else None
        if self._engine.read(_scene, instruction).is_removed:
            with contextlib.suppress(CallGone):
                if call_sid is not None:
                    self._line.hang_up(call_sid)
        status = "failed" if call_sid is None else self._tell_leg(instruction, call_sid)
        if call_sid is None:
            self._engine.perform(outside.ended, instruction_sid=instruction.sid, status=status)
        elif status not in ENDED_STATUSES and status != "in-progress":
            self._engine.perform(outcomes.later, instruction)

    def _tell_leg(self, instruction: Instruction, call_sid: str) -> str:
        status = status_of(self._line, call_sid, instruction, unknown="failed")
        self._engine.perform(
            outside.leg_changed, instruction_sid=instruction.sid, call_sid=call_sid, status=status
        )
        return status

    def _let_go(self, instruction: Instruction) -> None:
        """Nobody of ours is in the room: it ends with whoever of the two leaves first."""
        room = self._line.find_room(instruction.task_sid)
        with contextlib.suppress(CallGone):
            if room is not None and room.call_sids <= {instruction.customer_call_sid}:
                self._line.end_room(room.sid)
            elif room is not None:
                call_sid = instruction.worker_call_sid or ""
                change_whoever_is_there(
                    self._line,
                    instruction.task_sid,
                    room.sid,
                    call_sid,
                    end_conference_on_exit=True,
                )
        self._engine.perform(outcomes.finish, instruction)
