"""Telephone calls at their worst: callbacks lost, doubled, disordered and a day late."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from types import SimpleNamespace

from tests.chaos.running import Case
from tests.routing.scratch import scratch_centre
from tests.voice import exchange
from tests.voice.exchange import Callback, FakeCall
from tests.voice.office import Office
from tests.voice.test_any_course import test_whatever_happened_nothing_is_left_behind

AGENTS = ("alice", "bob", "carol")
#: Callbacks that come twice come so often at most.
COPIES = 5
_DAY = 86_400


@contextlib.contextmanager
def office_of(case: Case) -> Iterator[Office]:
    """An office whose calls have the SIDs of this case, so that it can be told again."""
    with seeded_calls(case), scratch_centre() as centre:
        yield Office(centre)


@contextlib.contextmanager
def seeded_calls(case: Case) -> Iterator[None]:
    names = vars(exchange)
    kept = names["secrets"]
    chance = Random(f"{case.seed}/calls")  # noqa: S311 - a repeatable course
    names["secrets"] = SimpleNamespace(token_hex=lambda size: chance.randbytes(size).hex())
    try:
        yield
    finally:
        names["secrets"] = kept


def play_any_course(case: Case, courses: int = 1) -> None:
    """People, callbacks, Twilio and we ourselves as it comes; in the end nothing is left behind."""
    for _ in range(courses):
        with office_of(case) as office:
            test_whatever_happened_nothing_is_left_behind(office, case.chance.randrange(2**32))
            case.counts["calls"] += sum(
                call.direction == "inbound" for call in office.line.calls.values()
            )
            case.counts["requests to Twilio"] += len(office.line.asked)


# ---- late, doubled and disordered: the end is that of the quiet course ---------------------------


class InOrder:
    """Every callback comes once, as soon as there is something to tell."""

    def settle(self, office: Office) -> None:
        office.settle()

    def come_late(self, office: Office) -> None:
        office.centre.clock.advance(_DAY)
        office.settle()


class Disordered:
    """Every callback comes up to five times, in any order; some come a day late for the first time.

    A caller waits for our answer to what asks for one: that comes when it comes.
    """

    def __init__(self, case: Case) -> None:
        self.chance = Random(f"{case.seed}/post")  # noqa: S311 - a repeatable disorder
        self.counts = case.counts
        self._past: list[Callback] = []
        self._late: list[Callback] = []

    def settle(self, office: Office) -> None:
        office.react()
        while office.line.outbox:
            batch, office.line.outbox = office.line.outbox, []
            told = [one for one in batch if "_obey" not in one.parameters]
            for one in batch:
                if "_obey" in one.parameters:
                    office.deliver(one)
            late = [one for one in told if _is_news(one) and self.chance.random() < 0.3]
            now = [
                one
                for one in told
                if one not in late
                for _ in range(self.chance.randint(1, COPIES))
            ]
            now += self.chance.sample(self._past, min(2, len(self._past)))
            self._late += late
            self._past += told
            self._deliver(office, now)

    def _deliver(self, office: Office, callbacks: list[Callback]) -> None:
        self.chance.shuffle(callbacks)
        for one in callbacks:
            office.deliver(one)
            self.counts["callbacks"] += 1
            if self.chance.random() < 0.3:
                office.react()
        office.react()

    def come_late(self, office: Office) -> None:
        late = self.chance.randint(0, _DAY)
        office.centre.clock.advance(late)
        self.counts["late callbacks"] += len(self._late)
        self._deliver(office, self._late + self._past * COPIES)
        office.centre.clock.advance(_DAY - late)
        self.settle(office)


def _is_news(callback: Callback) -> bool:
    """Does it only tell how a phone or a room is doing, and nothing that somebody waits for?"""
    told = callback.parameters
    is_early = told.get("CallStatus") in {"initiated", "ringing"} and "CallbackSource" in told
    return is_early or told.get("StatusCallbackEvent") in {"conference-start", "conference-end"}


Post = InOrder | Disordered


class Day:
    """Several calls, each with its fate; the same with whatever post."""

    def __init__(self, office: Office, post: Post, chance: Random) -> None:
        self.office, self.post, self.chance = office, post, chance
        self.callers: list[FakeCall] = []
        office.line.tells_early = True  # as for legs that an older release has dialled
        for name in AGENTS:
            office.centre.add_worker(name, contact_uri=f"client:{name}")

    def go(self, calls: int) -> None:
        fates: list[Callable[[FakeCall], None]] = [
            self.caller_hangs_up,
            self.agent_hangs_up,
            self.caller_gives_up,
            self.caller_gives_up_while_it_rings,
            self.agent_is_busy,
            self.program_cancels,
        ]
        for _ in range(calls):
            call = self.office.dial_in()
            self.callers.append(call)
            self.settle()
            self.chance.choice(fates)(call)
            self.settle()
            self._clear_up(call)
        self.post.come_late(self.office)

    def settle(self) -> None:
        self.post.settle(self.office)

    def _connect(self, call: FakeCall) -> FakeCall:
        leg = self._ring(call)
        self.office.line.pick_up(leg)
        self.settle()
        assert self.office.are_together(call, leg)
        return leg

    def _ring(self, call: FakeCall) -> FakeCall:
        self.office.centre.accept(self.office.task_sid(call))
        self.settle()
        [leg] = [each for each in self.office.line.live_calls() if each.status == "ringing"]
        return leg

    def caller_hangs_up(self, call: FakeCall) -> None:
        self._connect(call)
        self.office.line.end(call)

    def agent_hangs_up(self, call: FakeCall) -> None:
        self.office.line.end(self._connect(call))

    def caller_gives_up(self, call: FakeCall) -> None:
        self.office.line.end(call)

    def caller_gives_up_while_it_rings(self, call: FakeCall) -> None:
        self._ring(call)
        self.office.line.end(call)

    def agent_is_busy(self, call: FakeCall) -> None:
        self.office.line.end(self._ring(call), self.chance.choice(["busy", "no-answer", "failed"]))
        self.settle()
        self.caller_hangs_up(call)

    def program_cancels(self, call: FakeCall) -> None:
        self.office.centre.cancel(self.office.task_sid(call))

    def _clear_up(self, call: FakeCall) -> None:
        """The call ends if it has not, after-work is done, and everybody is there again."""
        if call.is_live:
            self.office.line.end(call)
            self.settle()
        if self.office.task_status(call) == "wrapping":
            self.office.centre.complete(self.office.task_sid(call))
        for worker in self.office.centre.all_workers():
            self.office.centre.move(worker.sid, "Available")
        self.settle()

    def end(self) -> list[object]:
        """How everything stands: by the order in which they called."""
        office = self.office
        centre = office.centre
        left = centre.engine.read(lambda work: work.instructions.find())
        return [
            [(office.task_status(call), sorted(office.reservation_statuses(call)))
             for call in self.callers],
            [office.assigned(worker.sid) for worker in centre.all_workers()],
            Counter((each.kind, each.state) for each in left if each.kind != "hang-up"),
            {each.state for each in left if each.kind == "hang-up"} - {"done"},
            Counter(e for e in centre.events() if e.startswith(("task.c", "task.w", "reserv"))),
            [call.status for call in office.line.calls.values() if call.direction == "inbound"],
            len(office.line.live_calls()),
        ]  # fmt: skip


def play_late_webhooks(case: Case, calls: int = 4) -> None:
    """However the callbacks come, all ends as if they had come once and in order."""
    ends: list[list[object]] = []
    fates = case.chance.randrange(2**32)
    for post in (InOrder(), Disordered(case)):
        with office_of(case) as office:
            day = Day(office, post, Random(fates))  # noqa: S311 - the same fates for both
            day.go(calls)
            ends.append(day.end())
    quiet, wild = ends
    different = [(one, other) for one, other in zip(quiet, wild, strict=True) if one != other]
    assert not different, different
    case.counts["calls"] += calls
