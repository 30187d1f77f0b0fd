"""The caller waits: music, the place in line, and what happens when the wait is over."""

from typing import Final

from routing.engine import Engine
from routing.ports import Work
from voice import hang_up
from voice.announcement import NOTHING, Announcements
from voice.signature import Webhook

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


class WaitingRoom:
    def __init__(self, engine: Engine, announcements: Announcements) -> None:
        self._engine = engine
        self._announcements = announcements

    def round(self, webhook: Webhook) -> str:
        """What the caller hears for the next while; Twilio asks again when it has run out."""
        if self._engine.read(_has_nothing_to_wait_for, webhook.get("CallSid")):
            return self._announcements.canceled
        return self._announcements.waiting(webhook.get("QueuePosition"))

    def left(self, webhook: Webhook) -> str:
        """The wait is over, in whatever way; for those who are still there, what comes next.

        Whoever was moved by us (redirected, bridged) goes on with the document we gave then.
        """
        result = webhook.get("QueueResult")
        call_sid = webhook.get("CallSid")
        if result == HANGUP:
            self._engine.perform(hang_up.hung_up_in_queue, call_sid=call_sid)
        elif result in FAILURES:
            self._engine.perform(hang_up.queue_failed, call_sid=call_sid, reason=FAILURES[result])
            return self._announcements.unavailable
        elif result == LEAVE:
            return self._announcements.canceled
        return NOTHING


def _has_nothing_to_wait_for(work: Work, call_sid: str) -> bool:
    """Was the Task of the call canceled or completed with nobody having come, or deleted?

    The reaction to that event moves the caller out; this is for the case that it was late. A call
    that we do not know any more went with its workspace.
    """
    call = work.calls.get(call_sid)
    return call is None or not hang_up.is_wanted(work, call)
