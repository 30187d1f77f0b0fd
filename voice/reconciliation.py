"""Compares the calls that we think live with Twilio's, and repairs what lost callbacks left behind.

Callbacks make things quick; this makes them certain: nothing stays assigned, and no caller waits,
because a message was lost while we were down. What it finds out is told to the same verbs that the
callback would have told it to.
"""

import structlog

from routing.call import Call, Instruction
from routing.clock import SECOND
from routing.engine import Engine, mending
from routing.ports import Work
from routing.reservation import ACCEPTED
from routing.task import CANCELED, COMPLETED, WAITING, WRAPPING
from voice import bridge, conversation, hang_up
from voice.outcomes import settle
from voice.phone_line import ENDED_STATUSES, CallGone, PhoneLine, PhoneLineError
from voice.settings import VoiceSettings

#: What a Task whose conversation is over may be.
OVER = frozenset({WRAPPING, COMPLETED, CANCELED})
#: Calls looked at in one go, and seconds until the next go where more are due. A look asks Twilio
#: one thing where all is well, and three or four where it is not; with hundreds of calls these
#: questions would crowd out what must be done for them.
BATCH, REST_SECONDS = 10, 1

_log = structlog.get_logger(__name__)


class Reconciliation:
    def __init__(self, engine: Engine, settings: VoiceSettings, phone_line: PhoneLine) -> None:
        self._engine = engine
        self._mend_at = self._rests_until = engine.clock.now()
        #: Calls that Twilio did not know when they were looked at last.
        self._unknown: set[str] = set()
        self._settings = settings
        self._line = phone_line

    def sweep(self) -> bool:
        """Looks at the calls whose turn it is, and mends Tasks; False, so that the loop rests.

        Where many calls live, their turns come later: ten looks a second are enough for a loss that
        callbacks have not told of.
        """
        self._end_after_work()
        self._mend()
        now = self._engine.clock.now()
        if now < self._rests_until:
            return False
        calls = self._engine.perform(_take_turns, seconds=self._settings.sweep_seconds)
        for call in calls:
            try:
                self._look_at(call)
            except PhoneLineError as error:
                # Its next turn comes, and a wrong conclusion would cost a caller.
                _log.warning("could not look at a call", call=call.sid, error=str(error))
        if len(calls) == BATCH:
            self._rests_until = now + REST_SECONDS * SECOND
        return False

    def _end_after_work(self) -> None:
        """Whoever has had long enough is free again, however many they are."""
        limits = self._settings.wrap_up_limits
        is_full = bool(limits)
        while is_full:
            ended = self._engine.perform(mending.end_after_work, limits=limits)
            if ended:
                _log.info("ended after-work that took too long", reservations=ended)
            is_full = len(ended) == mending.BATCH

    def _mend(self) -> None:
        """Mends Tasks that nobody has; now and then."""
        now = self._engine.clock.now()
        if now < self._mend_at:
            return
        self._mend_at = now + self._settings.sweep_seconds * SECOND
        for workspace in self._engine.read(_workspaces):
            deserted = self._engine.glance(mending.deserted, workspace_sid=workspace)
            if not deserted:
                continue
            mended = self._engine.perform(mending.mend_tasks, task_sids=deserted)
            if mended:
                _log.warning("mended tasks that nobody had", tasks=mended)

    def _look_at(self, call: Call) -> None:
        talking = self._engine.glance(conversation.standing_bridge, call.task_sid)
        if talking is not None and self._talk(call, talking):
            # Whoever is in a room has not hung up: most looks end here.
            self._unknown.discard(call.sid)
            self._engine.perform(settle, task_sid=call.task_sid)
            return
        try:
            status = self._line.call_status(call.sid)
        except CallGone:
            if call.sid not in self._unknown:
                # Twilio may not know it for a moment; a wrong conclusion would cost a caller.
                self._unknown.add(call.sid)
                return
            status = "completed"
        self._unknown.discard(call.sid)
        if status in ENDED_STATUSES:
            if self._engine.perform(hang_up.caller_left, call_sid=call.sid, status=status):
                _log.info("found a call that had ended", call=call.sid, status=status)
            return
        self._engine.perform(settle, task_sid=call.task_sid)
        talking = self._engine.read(conversation.standing_bridge, call.task_sid)
        if talking is not None:
            self._look_into_room(call, talking)

    def _talk(self, call: Call, instruction: Instruction) -> bool:
        """Are agent and caller in the room that the bridge was built in?"""
        room_sid, agent = instruction.conference_sid, instruction.worker_call_sid
        return bool(room_sid and agent) and {call.sid, agent} <= self._line.members(room_sid or "")

    def _look_into_room(self, call: Call, instruction: Instruction) -> None:
        """Are agent and caller still together? Nobody is left alone in a room."""
        room = self._line.find_room(instruction.task_sid)
        inside = frozenset() if room is None else room.call_sids
        if {call.sid, instruction.worker_call_sid} <= inside:
            return
        left = _worker_left if call.sid in inside else _over
        if self._engine.perform(left, instruction_sid=instruction.sid):
            _log.info("found a conversation that was over", call=call.sid)
        if inside == {call.sid}:
            _log.info("found a caller alone", call=call.sid)
            self._engine.perform(_part_with, call=call)


def _workspaces(work: Work) -> list[str]:
    return [workspace.sid for workspace in work.workspaces.find()]


def _take_turns(work: Work, *, seconds: int) -> list[Call]:
    """The calls that are due; a look harms nobody, so their next turn is all the lease there is."""
    calls = list(work.due_calls(work.now, BATCH))
    for call in calls:
        work.calls.change(call.sid, due_at=work.now + seconds * SECOND)
    return calls


def _over(work: Work, *, instruction_sid: str) -> bool:
    instruction = bridge.held(work, instruction_sid)
    return instruction is not None and conversation.conversation_over(work, instruction)


def _worker_left(work: Work, *, instruction_sid: str) -> bool:
    """The caller is in the room without that agent; True if that was news."""
    instruction = bridge.held(work, instruction_sid)
    if instruction is None:
        return False
    reservation = work.reservations.get(instruction.reservation_sid)
    if reservation is None or reservation.reservation_status != ACCEPTED:
        return False
    if conversation.left_early(work, instruction):
        return False
    conversation.settle_leaving(work, instruction)
    return True


def _part_with(work: Work, *, call: Call) -> None:
    task = work.tasks.get(call.task_sid, lock=True)
    if task is None or task.assignment_status in OVER:
        bridge.say_goodbye(work, call)
        return
    standing = conversation.standing_bridge(work, call.task_sid)
    if task.assignment_status in WAITING and standing is not None:
        conversation.request(
            work, standing, conversation.BACK_IN_LINE, due_at=work.now, only_if_alone=True
        )
