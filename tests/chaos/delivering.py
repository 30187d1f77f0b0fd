"""Callbacks of a centre in which anything happens, to receivers that fail nearly every third time.

They answer with errors, redirects and demands to come later, or not at all; what was received may
have come without our ever learning so; processes die between sending and writing, and there are
two of them. In the end everybody has heard everything, in order, and nothing was asked without end.
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from random import Random
from urllib.parse import parse_qsl

from routing.background.callbacks.posting import NotPosted, Posted
from routing.delivery import DEAD, PENDING, Delivery
from routing.events import Event
from routing.store import UnitOfWork
from routing.store.pages import ASCENDING, page
from tests.callbacks.bureau import SETTINGS, Bureau
from tests.chaos.history import History, opened
from tests.chaos.running import Case
from tests.routing.centre import Centre

STEPS = 250
FAULTS = 0.3
EVENTS, ASK, ASK_AGAIN = (f"http://receiver.example/{name}" for name in ("events", "ask", "again"))
_FILTER = "task.created,task.updated,task.completed,reservation.created,reservation.accepted"
#: Seconds in which nothing is given up, whatever happens; a history may go on for months.
_FOR_EVER = 10**9
#: Tries of one delivery at most: with pauses that double, and faults that end.
_MOST_TRIES = 40


class Died(BaseException):
    """The process is gone before it could write what came of its try."""


class Receivers:
    """Fulfils Poster: what came, and how it was answered."""

    def __init__(self, chance: Random, counts: Counter[str]) -> None:
        self._chance = chance
        self._counts = counts
        self.is_wild = True
        #: {event: its place in the order in which they came for the first time}
        self.first: dict[str, int] = {}
        self.tokens: dict[str, set[str]] = defaultdict(set)
        #: {Reservation: URLs at which it was asked about}
        self.asked: dict[str, list[str]] = defaultdict(list)

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        seconds: float,
        method: str = "POST",
    ) -> Posted:
        assert seconds > 0
        assert method == "POST"
        assert headers["X-Twilio-Signature"]
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self._counts["posts"] += 1
        if not self.is_wild or self._chance.random() >= FAULTS:
            return self._received(url, fields, headers)
        kind = self._chance.choice(["status", "later", "redirect", "silence", "lost", "death"])
        self._counts[f"faults: {kind}"] += 1
        if kind == "silence":
            raise NotPosted("no answer within 15 seconds")
        if kind in {"lost", "death"}:
            self._received(url, fields, headers)
            raise NotPosted("the connection failed") if kind == "lost" else Died
        status = {"status": self._chance.choice([400, 404, 500, 503]), "later": 429}.get(kind, 302)
        return _answer(status, retry_after=30 if kind == "later" else None)

    def _received(self, url: str, fields: dict[str, str], headers: Mapping[str, str]) -> Posted:
        if url == EVENTS:
            self.first.setdefault(fields["Sid"], len(self.first))
            self.tokens[fields["Sid"]].add(headers["I-Twilio-Idempotency-Token"])
            return _answer(204)
        self.asked[fields["ReservationSid"]].append(url)
        return _answer(200, body=self._chance.choice([b"{}", b"", b'{"instruction":"accept"}']))


def _answer(status: int, *, body: bytes = b"", retry_after: int | None = None) -> Posted:
    return Posted(
        status=status,
        content_type="application/json",
        body=body,
        is_whole=True,
        retry_after=retry_after,
    )


class Telling(History):
    """A history beside which callbacks are sent."""

    def __init__(self, centre: Centre, case: Case, *, multi_task: bool) -> None:
        super().__init__(centre, case, multi_task=multi_task)
        self.receivers = Receivers(case.chance, case.counts)
        self.bureaus = [self._open(), self._open()]
        centre.change_workspace(event_callback_url=EVENTS, events_filter=_FILTER)
        self.begin = self.end_of_log()

    def _deeds(self) -> dict[Callable[[], None], float]:
        return super()._deeds() | {self.send: 12, self.ask: 2}

    def _open(self) -> Bureau:
        settings = dataclasses.replace(SETTINGS, give_up_seconds=_FOR_EVER)
        return Bureau(self.centre, settings=settings, poster=self.receivers)

    # ---- what happens ----------------------------------------------------------------------------

    def send(self) -> None:
        place = self.chance.randrange(len(self.bureaus))
        try:
            self.bureaus[place].read()
            self.bureaus[place].send()
        except Died:
            self.bureaus[place] = self._open()  # what it had leased runs out
        self.is_routed = False

    def ask(self) -> None:
        """Applications are asked about offers from now on, or not any more."""
        ask, again = self.chance.choice([(ASK, ASK_AGAIN), (ASK, ASK_AGAIN), (None, None)])
        self.centre.change_workflow(
            self.chance.choice(self.flows),
            assignment_callback_url=ask or "",
            fallback_assignment_callback_url=again or "",
        )
        self.is_routed = False

    # ---- what must hold --------------------------------------------------------------------------

    def end_of_log(self) -> int:
        return max((event.position for event in self._events()), default=0)

    def _events(self) -> list[Event]:
        def query(work: object) -> list[Event]:
            assert isinstance(work, UnitOfWork)
            order = (("position", ASCENDING),)
            return list(page(work, Event, filters={}, order=order, limit=1_000_000).records)

        return self.centre.engine.read(query)

    def arrive(self) -> None:
        """The receivers are well again, and all that is owed to them arrives."""
        self.receivers.is_wild = False
        for _ in range(100):
            for bureau in self.bureaus:
                bureau.read()
                bureau.send()
            if not self._owed():
                break
            self.centre.clock.advance(600)
        assert not self._owed(), self._owed()
        self._check_events()
        self._check_deliveries()

    def _owed(self) -> list[Delivery]:
        return [each for each in self.bureaus[0].deliveries() if each.state == PENDING]

    def _check_events(self) -> None:
        first = self.receivers.first
        wanted = set(_FILTER.split(","))
        owed = [e for e in self._events() if e.position > self.begin and e.type in wanted]
        missing = [event.sid for event in owed if event.sid not in first]
        assert not missing, missing
        self.case.counts["events owed"] += len(owed)
        last: dict[str, int] = {}
        for event in owed:
            of = event.task_sid or event.resource_sid
            assert first[event.sid] > last.get(of, -1), f"{event.type} of {of} overtook another"
            last[of] = first[event.sid]
        unlike = {sid: tokens for sid, tokens in self.receivers.tokens.items() if len(tokens) > 1}
        assert not unlike, unlike

    def _check_deliveries(self) -> None:
        deliveries = self.bureaus[0].deliveries()
        tried = max((each.attempts for each in deliveries), default=0)
        self.case.measured("tries of one delivery", tried)
        assert tried <= _MOST_TRIES, tried
        dead = [each for each in deliveries if each.state == DEAD and each.url == EVENTS]
        assert not dead, dead
        self.case.counts["fallbacks"] += sum(
            urls.count(ASK_AGAIN) for urls in self.receivers.asked.values()
        )


def play(case: Case, steps: int = STEPS, *, postgres_every: int = 10) -> None:
    """One history on a database of its own."""
    multi_task = case.chance.random() < 0.8
    with opened(case, multi_task=multi_task, postgres_every=postgres_every) as centre:
        history = Telling(centre, case, multi_task=multi_task)
        history.go(steps)
        history.arrive()
