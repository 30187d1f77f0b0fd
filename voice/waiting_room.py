"""The caller waits: music, the place in line, and what happens when the wait is over."""

from typing import Final

from routing.engine import Engine, tasks
from routing.ports import Work
from routing.task import PENDING
from voice import checks, elsewhere, estimate, hang_up
from voice.announcement import LEAVE as OUT_OF_THE_QUEUE
from voice.announcement import NOTHING, Announcements
from voice.call_flow import CallFlow
from voice.signature import Webhook

#: A number that Twilio tells has no more digits than this.
MAX_DIGITS: Final = 9

#: QueueResult: the caller is gone.
HANGUP: Final = "hangup"
#: QueueResult: Twilio did not take the caller, or could not keep them; why the Task is canceled.
FAILURES: Final = {
    "queue-full": "the queue is full",
    "error": "the queue refused the call",
    "system-error": "the queue failed",
}
#: QueueResult: the waiting document said <Leave>, because the Task has ended.
LEAVE: Final = "leave"


#: Why the Task of a caller is canceled who has waited as long as the flow lets anybody wait.
TOO_LONG: Final = "the caller has waited too long"


class WaitingRoom:
    def __init__(self, engine: Engine, flow: CallFlow, announcements: Announcements) -> None:
        self._engine = engine
        self._flow = flow
        self._announcements = announcements

    def round(self, webhook: Webhook) -> str:
        """What the caller hears for the next while; Twilio asks again when it has run out."""
        call_sid = webhook.get("CallSid")
        flow = self._flow.of(webhook.get("To"))
        announcements = self._announcements.of(webhook.get("To"))
        if self._engine.glance(_has_nothing_to_wait_for, call_sid):
            return OUT_OF_THE_QUEUE
        longest = flow.longest_wait_seconds
        if longest is not None and _number(webhook.get("QueueTime")) >= longest:
            self._engine.perform(_give_up, call_sid)
        place = webhook.get("QueuePosition")
        minutes = None
        if checks.WAIT in flow.announcement:
            minutes = self._engine.read(
                estimate.wait_minutes, call_sid=call_sid, place=_number(place)
            )
        return announcements.waiting(place, minutes)

    def left(self, webhook: Webhook) -> str:
        """The wait is over, in whatever way; for those who are still there, what comes next.

        Whoever was moved by us (redirected, bridged) goes on with the document we gave then.
        """
        result = webhook.get("QueueResult")
        call_sid = webhook.get("CallSid")
        announcements = self._announcements.of(webhook.get("To"))
        if result == HANGUP:
            self._engine.perform(_hung_up, webhook)
        elif result in FAILURES:
            self._engine.perform(hang_up.queue_failed, call_sid=call_sid, reason=FAILURES[result])
            own = self._engine.read(elsewhere.goes_on, call_sid=call_sid, result=result)
            return announcements.unavailable if own is None else announcements.go_on_at(*own)
        elif result == LEAVE:
            return self._why_not(announcements, call_sid)
        return NOTHING

    def _why_not(self, announcements: Announcements, call_sid: str) -> str:
        """What is said to a caller whose wait has been in vain."""
        if self._engine.read(_reason, call_sid) == TOO_LONG:
            return announcements.waited_too_long
        return announcements.canceled


def _hung_up(work: Work, webhook: Webhook) -> None:
    hang_up.hung_up_in_queue(work, call_sid=webhook.get("CallSid"))
    elsewhere.tell_hang_up(work, webhook=webhook, result=HANGUP)


def _reason(work: Work, call_sid: str) -> str | None:
    call = work.calls.get(call_sid)
    task = None if call is None else work.tasks.get(call.task_sid)
    return None if task is None else task.reason


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0


def _give_up(work: Work, call_sid: str) -> None:
    """Nobody is to wait longer than that; whoever is being asked just now may still come."""
    call = work.calls.get(call_sid)
    task = None if call is None else work.tasks.get(call.task_sid, lock=True)
    if task is not None and task.assignment_status == PENDING:
        tasks.cancel(work, workspace_sid=task.workspace_sid, task_sid=task.sid, reason=TOO_LONG)


def _has_nothing_to_wait_for(work: Work, call_sid: str) -> bool:
    """Was the Task of the call canceled or completed with nobody having come, or deleted?

    The reaction to that event moves the caller out; this is for the case that it was late. A call
    that we do not know any more went with its workspace.
    """
    call = work.calls.get(call_sid)
    return call is None or not hang_up.is_wanted(work, call)
