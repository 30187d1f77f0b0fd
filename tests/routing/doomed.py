"""An engine at work that will be killed: `python -m tests.routing.doomed URL WORKSPACE SEED`.

Its router and timers run as in production, beside people who create, accept, reject, complete and
cancel. What was answered is said on standard output, a line each, after the answer, never before.
"""

import random
import sys
import threading
from collections.abc import Callable

from routing.background.loops import Loop, timing
from routing.background.router import Router
from routing.clock import SystemClock
from routing.engine import Engine, reservations, tasks
from routing.errors import RoutingError
from routing.reservation import Reservation
from routing.store.store import SqlStore, open_store

#: Tasks that wait or are worked on at most.
AT_MOST = 30
PEOPLE = 4


class Doomed:
    def __init__(self, url: str, workspace_sid: str) -> None:
        self.store: SqlStore = open_store(url, SystemClock())
        self.engine = Engine(self.store, SystemClock())
        self.workspace_sid = workspace_sid
        self._tongue = threading.Lock()

    def run(self, seed: int) -> None:
        self.store.listen()
        router = Router(self.engine)
        router.start()
        signal = self.store.signal
        for loop in (
            router.loop(self.store),
            Loop("timers", timing(self.engine), signal, rest_seconds=0.02),
        ):
            loop.start()
        people = [
            threading.Thread(target=self._work, args=(random.Random(seed + number),))  # noqa: S311
            for number in range(PEOPLE)
        ]
        for person in people:
            person.start()

    def _work(self, draw: random.Random) -> None:
        while True:
            seen = self.store.signal.seen()
            if not self._one_deed(draw):
                self.store.signal.wait(seen, 0.05)

    def _one_deed(self, draw: random.Random) -> bool:
        offers, open_tasks = self.engine.read(
            lambda work: (
                work.reservations.find(reservation_status={"pending", "accepted"}, limit=20),
                len(work.tasks.find(assignment_status={"pending", "reserved"}, limit=AT_MOST)),
            )
        )
        if open_tasks < AT_MOST and draw.random() < 0.4:
            task = self.engine.perform(
                tasks.create, workspace_sid=self.workspace_sid, task_channel="voice"
            )
            self._say("created", task.sid)
            return True
        return bool(offers) and self._answer(draw, draw.choice(offers))

    def _answer(self, draw: random.Random, offer: Reservation) -> bool:
        if offer.reservation_status == "accepted":
            where = {"workspace_sid": self.workspace_sid, "task_sid": offer.task_sid}
            return self._try("completed", offer.task_sid, tasks.complete, **where)
        if draw.random() < 0.1:
            where = {"workspace_sid": self.workspace_sid, "task_sid": offer.task_sid}
            return self._try("canceled", offer.task_sid, tasks.cancel, **where)
        accepts = draw.random() < 0.7
        verb = reservations.accept if accepts else reservations.reject
        word = "accepted" if accepts else "rejected"
        return self._try(word, offer.sid, verb, reservation_sid=offer.sid)

    def _try(self, word: str, sid: str, verb: Callable[..., object], **arguments: str) -> bool:
        try:
            self.engine.perform(verb, **arguments)
        except RoutingError:
            return False  # somebody was faster
        self._say(word, sid)
        return True

    def _say(self, word: str, sid: str) -> None:
        with self._tongue:
            sys.stdout.write(f"{word} {sid}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    Doomed(sys.argv[1], sys.argv[2]).run(int(sys.argv[3]))
