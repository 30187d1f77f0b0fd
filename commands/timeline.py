"""The timeline of the demonstration: what happened, in its order, as it happens.

Two witnesses report: the simulator's log of webhooks and REST calls, and Tandem's event log. Lines
are held back for a moment, so that what one of them tells later can still be put in its place.
"""

import heapq
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from urllib.parse import urlsplit

#: How long a line waits for an earlier one from the other witness, in seconds.
_PATIENCE_SECONDS = 0.15

#: What each type of event is told as; those that are missing here say nothing new to a newcomer.
_EVENTS: dict[str, tuple[str, Callable[[Mapping[str, str]], str]]] = {
    "task.created": (
        "task",
        lambda d: f"{d['task_sid'][:8]} created, {d['task_assignment_status']}",
    ),
    "task-queue.entered": ("task", lambda d: f"waits in TaskQueue {d['task_queue_name']}"),
    "reservation.created": ("reservation", lambda d: f"offered to {d['worker_name']}"),
    "reservation.accepted": ("reservation", lambda d: f"{d['worker_name']} accepts: task assigned"),
    "reservation.rejected": ("reservation", lambda d: f"{d['worker_name']} declines"),
    "reservation.timeout": ("reservation", lambda d: f"{d['worker_name']} did not react in time"),
    "reservation.canceled": (
        "reservation",
        lambda d: f"of {d['worker_name']} canceled: {d.get('reservation_reason', '')}",
    ),
    "reservation.completed": ("reservation", lambda d: f"of {d['worker_name']} completed"),
    "worker.activity.update": (
        "worker",
        lambda d: f"{d['worker_name']} is now {d['worker_activity_name']}",
    ),
    "task.wrapup": ("task", lambda d: f"wrapping ({d.get('reason', 'after-work')})"),
    "task.completed": ("task", lambda d: f"completed ({d.get('reason', 'done')})"),
    "task.canceled": ("task", lambda d: f"canceled ({d.get('reason', 'no reason')})"),
}


class Timeline:
    """Collects lines from several threads and prints them in the order of their instants."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lines: list[tuple[int, int, str]] = []
        self._number = count()
        self._changed = threading.Condition()
        self._start: int | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._print, daemon=True)
        self._thread.start()

    def begin(self, instant: int) -> None:
        """The instant of the dial, in milliseconds since the epoch: the timeline's zero."""
        self._start = instant

    def add(self, instant: int, who: str, what: str) -> None:
        """Something happened at `instant`, in milliseconds since the epoch."""
        with self._changed:
            if self._start is None or self._closing:
                return
            line = f"{max(0, instant - self._start):>7} ms  {who:<12} {what}"
            heapq.heappush(self._lines, (instant, next(self._number), line))
            self._changed.notify()

    def close(self) -> None:
        """Prints what is left."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _print(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                closing = self._closing
            if not closing:
                time.sleep(_PATIENCE_SECONDS)
            with self._changed:
                _instant, _number, line = heapq.heappop(self._lines)
            self._write(line)

    def tell_event(self, event: Mapping[str, Any]) -> None:
        """One event of Tandem's log, as the REST API shows it."""
        told = _EVENTS.get(event["event_type"])
        if told is not None:
            who, what = told
            self.add(int(event["event_date_ms"]), who, what(event["event_data"]))

    def tell_line(self, entry: Mapping[str, Any], names: Mapping[str, str]) -> None:
        """One line of the simulator's log; `names` tells who is behind an address."""
        path = urlsplit(entry["url"]).path
        outcome = f"-> {entry['status']}" if entry["status"] else "-> no answer"
        if entry["kind"] == "webhook":
            self.add(entry["time"], "webhook", f"{entry['method']} {path} {outcome}")
            self._tell_callback(entry, names)
        elif entry["kind"] == "rest" and entry["method"] == "POST":
            resource = path.partition("/Accounts/")[2].partition("/")[2]
            self.add(entry["time"], "Twilio API", f"POST {_short(resource)} {outcome}")
        elif entry["kind"] == "error":
            self.add(entry["time"], "error", str(entry["error"]))

    def _tell_callback(self, entry: Mapping[str, Any], names: Mapping[str, str]) -> None:
        said = entry["parameters"]
        event = said.get("StatusCallbackEvent")
        if event in _CONFERENCE:
            # Only the agent's leg has a label: the Reservation it was dialled for.
            who = (
                "agent" if said.get("ParticipantLabel") else names.get(said.get("CallSid", ""), "")
            )
            self.add(entry["time"], "conference", f"{who} {_CONFERENCE[event]}".strip())
        elif said.get("CallbackSource") == "call-progress-events":
            leg = names.get(said.get("CallSid", "")) or said.get("To")
            self.add(entry["time"], "leg", f"{leg}: {said.get('CallStatus')}")


_CONFERENCE = {
    "conference-start": "begins",
    "conference-end": "is over",
    "participant-join": "joins",
    "participant-leave": "leaves",
}


def _short(resource: str) -> str:
    """SIDs cut to what a reader can tell apart."""
    sid_length = 34
    return "/".join(
        part[:8] + "..." if len(part.removesuffix(".json")) == sid_length else part
        for part in resource.split("/")
    )
