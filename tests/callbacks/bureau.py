"""The callbacks of a small call centre, one step at a time and on a clock that is moved by hand."""

from collections.abc import Callable, Mapping

from routing.background.callbacks.addresses import LOOPBACK
from routing.background.callbacks.dispatch import Dispatch
from routing.background.callbacks.owing import Owing
from routing.background.callbacks.posting import HttpPoster, Posted, Poster
from routing.background.callbacks.rules import CHANGES
from routing.background.callbacks.settings import CallbackSettings
from routing.background.loops import following
from routing.delivery import Delivery
from tests.callbacks.receiver import TOKEN
from tests.routing.centre import Centre

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
SETTINGS = CallbackSettings(
    account_sid=ACCOUNT_SID, auth_tokens=(TOKEN,), allowed=LOOPBACK, give_up_seconds=3600
)


class FakePoster:
    """Fulfils Poster without a network: answers by URL, and keeps what it was given."""

    def __init__(self, answer: Callable[[str], Posted | Exception]) -> None:
        self._answer = answer
        self.posted: list[tuple[str, bytes, Mapping[str, str]]] = []

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
        assert (method == "GET") == (not body)
        self.posted.append((url, body, headers))
        answer = self._answer(url)
        if isinstance(answer, Exception):
            raise answer
        return answer


def posted(status: int = 204, *, retry_after: int | None = None) -> Posted:
    return Posted(status=status, content_type="", body=b"", is_whole=True, retry_after=retry_after)


class Bureau:
    def __init__(
        self,
        centre: Centre,
        *,
        settings: CallbackSettings = SETTINGS,
        poster: Poster | None = None,
        name: str = "callbacks",
    ) -> None:
        self.centre = centre
        self.started = 0
        #: What was started and is not run yet, where `holds` says that it is not run at once.
        self.held: list[Callable[[], None]] = []
        self.holds = False
        self._log = centre.store.event_log(name, CHANGES)
        self.signal = centre.store.subscribe(CHANGES)
        self.owing = Owing(
            centre.engine, give_up_seconds=settings.give_up_seconds, concern=self._concern
        )
        self._follow = following(self._log, self.owing.follow)
        self.dispatch = Dispatch(
            centre.engine,
            settings,
            poster or HttpPoster(allowed=settings.allowed),
            start=self._start,
            wake=lambda: None,
            chance=lambda: 1.0,
        )
        self._log.find_place()
        self.owing.start()

    def _concern(self, concerns: frozenset[str]) -> None:
        self.concerns = concerns
        self._log.concern(concerns)
        self.centre.store.resubscribe(self.signal, concerns)

    def _start(self, job: Callable[[], None]) -> None:
        self.started += 1
        if self.holds:
            self.held.append(job)
        else:
            job()

    def read(self) -> None:
        """Writes what is owed."""
        while self._follow():
            pass

    def send(self) -> None:
        """Sends what is due now, and writes what came of it."""
        quiet = 0
        while quiet < 2:
            before = self.started
            self.dispatch.round()
            quiet = quiet + 1 if self.started == before else 0

    def work(self) -> None:
        self.read()
        self.send()
        self.centre.route()

    def pass_time(self, seconds: float) -> None:
        self.centre.clock.advance(seconds)
        self.work()

    def deliveries(self) -> list[Delivery]:
        return self.centre.engine.read(lambda work: work.deliveries.find(order_by="position"))

    def the_delivery(self) -> Delivery:
        (found,) = self.deliveries()
        return found

    # How it is set up.

    def subscribe(self, url: str, events_filter: str | None = None) -> None:
        self.centre.change_workspace(event_callback_url=url, events_filter=events_filter)
        self.work()

    def ask_at(self, url: str, fallback: str | None = None) -> None:
        self.centre.change_workflow(
            self.centre.workflow_sid,
            assignment_callback_url=url,
            fallback_assignment_callback_url=fallback,
        )
        self.work()
