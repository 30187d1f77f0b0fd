"""Misfortune by order: webhooks are lost, doubled, late or in the wrong order, REST calls fail,
a queue takes nobody in.

A fault names what it strikes by a part of the path, strikes a number of times and is then used up.
"""

import dataclasses
import itertools
import threading
from collections.abc import Callable
from typing import Any

WEBHOOK_FAULTS = ("lose", "duplicate", "delay", "reorder")
REST_FAULTS = ("429", "500", "timeout_after_work", "delay")
QUEUE_FAULTS = ("system-error",)


@dataclasses.dataclass(kw_only=True)
class Fault:
    number: int
    door: str  # "webhook", "rest" or "queue"
    #: Part of a webhook's URL or form; "POST /Participants" for a REST call; a queue's name.
    target: str
    do: str
    left: int
    seconds: float  # of the delay; of waiting for another webhook to go first

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            self.door: self.target,
            "do": self.do,
            "times_left": self.left,
            "delay_seconds": self.seconds,
        }

    def strikes_rest(self, method: str, path: str) -> bool:
        wanted, _, part = self.target.rpartition(" ")
        return (not wanted or wanted == method) and part.removesuffix(".json") in path


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: list[Fault] = []
        self._count = itertools.count(1)

    def order(self, *, door: str, target: str, do: str, times: int, seconds: float) -> Fault:
        with self._lock:
            fault = Fault(
                number=next(self._count),
                door=door,
                target=target,
                do=do,
                left=times,
                seconds=seconds,
            )
            self._ordered.append(fault)
            return fault

    def of_webhook(self, url: str, form: str) -> Fault | None:
        """The fault, if any, that strikes a webhook to `url` with the text `form`; uses it once."""
        return self._take("webhook", lambda fault: fault.target in url or fault.target in form)

    def of_rest(self, method: str, path: str) -> Fault | None:
        return self._take("rest", lambda fault: fault.strikes_rest(method, path))

    def of_queue(self, name: str) -> Fault | None:
        """The fault that strikes somebody who is about to enter the queue of that name."""
        return self._take("queue", lambda fault: fault.target == name)

    def _take(self, door: str, strikes: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._ordered:
                if fault.door == door and fault.left and strikes(fault):
                    fault.left -= 1
                    return fault
        return None

    def all(self) -> list[Fault]:
        with self._lock:
            return list(self._ordered)

    def clear(self) -> None:
        with self._lock:
            self._ordered.clear()
