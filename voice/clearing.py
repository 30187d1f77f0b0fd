"""After a bridge that did not come about, or is over: no phone rings on, and no caller waits alone.

Steps of the same kind as those of `assignment`, which leases the instructions. They are tried for
long, because nobody else would do it.
"""

from collections.abc import Callable

from routing.call import Call, Instruction
from routing.engine import Engine
from voice import bridge, callback, conversation, hang_up, outcomes
from voice.announcement import Announcements
from voice.phone_line import ENDED_STATUSES, CallGone, PhoneLine, Unreachable
from voice.scene import Scene, scene_of
from voice.waiting_room import TOO_LONG

#: Times that a caller is looked for, or moved, before the sweep must find out.
MAX_ATTEMPTS = 8


def status_of(
    line: PhoneLine, call_sid: str, instruction: Instruction, *, unknown: str = "completed"
) -> str:
    """Twilio's status of the call; `unknown` for one that it does not know.

    That is believed when it is asked for the second time: at first it raises Unreachable, so that
    the step is repeated. A wrong conclusion would cost a caller.
    """
    try:
        return line.call_status(call_sid)
    except CallGone as error:
        if instruction.attempts <= 1:
            raise Unreachable(str(error)) from error
        return unknown


def change_whoever_is_there(
    line: PhoneLine, room_name: str, conference_sid: str, call_sid: str, **part: object
) -> None:
    """Changes a participant's part; nothing where they have left the room.

    Twilio is not believed that they have before it shows the room without them: raises Unreachable,
    so that the step is repeated.
    """
    try:
        line.change(conference_sid, call_sid, **part)
    except CallGone as error:
        room = line.find_room(room_name)
        if room is not None and call_sid in room.call_sids:
            raise Unreachable(str(error)) from error


class Clearing:
    """The steps, by kind and step of their instructions."""

    def __init__(self, engine: Engine, phone_line: PhoneLine, announcements: Announcements) -> None:
        self._engine = engine
        self._line = phone_line
        self._announcements = announcements
        tell = conversation.TELL
        self.steps: dict[tuple[str, str], Callable[[Instruction], None]] = {
            (bridge.HANG_UP, tell): self._end_leg,
            (conversation.BACK_IN_LINE, tell): self._back_in_line,
            (conversation.LEFT, tell): self._ask_who_left,
            (bridge.GOODBYE, tell): self._say_goodbye,
            (callback.CALL_AGAIN, tell): self._call_again,
        }

    def _end_leg(self, instruction: Instruction) -> None:
        call_sid = instruction.worker_call_sid
        if call_sid is None:
            label = conversation.parameters_of(instruction).get("label")
            leg = self._line.find_leg(
                room=instruction.task_sid, label=str(label or instruction.reservation_sid)
            )
            call_sid = leg.call_sid if leg else None
        if (
            call_sid is None
            or self._has_ended(instruction, call_sid)
            or instruction.attempts >= MAX_ATTEMPTS
        ):
            self._engine.perform(outcomes.finish, instruction)
        else:
            self._engine.perform(outcomes.later, instruction)

    def _has_ended(self, instruction: Instruction, call_sid: str) -> bool:
        """Ends the call. Twilio may say that it is not in progress while it only begins."""
        try:
            self._line.hang_up(call_sid)
        except CallGone:
            return status_of(self._line, call_sid, instruction) in ENDED_STATUSES
        return True

    def _ask_who_left(self, instruction: Instruction) -> None:
        scene = self._engine.glance(scene_of, instruction)
        if scene.call is not None:
            room = self._line.find_room(instruction.task_sid)
            if room is None or scene.call.sid not in room.call_sids:
                status = status_of(self._line, scene.call.sid, instruction)
                if status in ENDED_STATUSES:
                    self._engine.perform(
                        hang_up.caller_left, call_sid=scene.call.sid, status=status
                    )
        self._engine.perform(outcomes.left, instruction)

    def _back_in_line(self, instruction: Instruction) -> None:
        scene = self._engine.glance(scene_of, instruction)
        if conversation.parameters_of(instruction).get("only_if_alone"):
            self._fetch_from_room(instruction, scene)
            return
        if scene.call is not None and not scene.is_overtaken:
            said = self._announcements.of(scene.call.to_address)
            self._redirect(instruction, scene.call, said.back_in_line)
        else:
            self._engine.perform(outcomes.finish, instruction)

    def _fetch_from_room(self, instruction: Instruction, scene: Scene) -> None:
        """The caller may be alone in the room; whoever has just left may still be seen there."""
        room = self._line.find_room(instruction.task_sid) if scene.call is not None else None
        inside = frozenset() if room is None else room.call_sids
        if scene.call is not None and inside == {scene.call.sid}:
            said = self._announcements.of(scene.call.to_address)
            self._redirect(instruction, scene.call, said.back_in_line)
        elif (
            scene.call is not None
            and scene.call.sid in inside
            and scene.is_waiting
            and instruction.attempts < MAX_ATTEMPTS
        ):
            self._engine.perform(outcomes.later, instruction)
        else:
            self._engine.perform(outcomes.finish, instruction)

    def _say_goodbye(self, instruction: Instruction) -> None:
        scene = self._engine.glance(scene_of, instruction)
        if scene.call is None:
            self._engine.perform(outcomes.finish, instruction)
            return
        spoken = scene.is_overtaken  # to an agent, who is gone by now
        said = self._announcements.of(scene.call.to_address)
        farewell = said.ended if spoken and not scene.is_canceled else said.canceled
        if scene.reason == TOO_LONG:
            farewell = said.waited_too_long
        self._redirect(instruction, scene.call, farewell)

    def _call_again(self, instruction: Instruction) -> None:
        self._engine.perform(callback.again, instruction)

    def _redirect(self, instruction: Instruction, call: Call, twiml: str) -> None:
        """The caller goes on with that; whom Twilio will not move yet, is moved a little later."""
        try:
            self._line.redirect(call.sid, twiml=twiml)
        except CallGone:
            status = status_of(self._line, call.sid, instruction)
            if status in ENDED_STATUSES:
                self._engine.perform(hang_up.caller_left, call_sid=call.sid, status=status)
            elif instruction.attempts < MAX_ATTEMPTS:
                self._engine.perform(outcomes.later, instruction)
                return
        self._engine.perform(outcomes.finish, instruction)
