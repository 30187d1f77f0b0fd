"""The assignment callback: a Reservation was made, and the application is asked what to do with it.

It has five seconds; then the fallback URL is asked, and where that one fails, too, the Reservation
is canceled. What an answer does and that it was answered are one transaction, so that an answer is
followed once, however often it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from routing.background.callbacks import payloads
from routing.background.callbacks.posting import NotPosted, Poster, credentials, wire_url
from routing.background.callbacks.settings import CallbackSettings
from routing.delivery import DEAD, DELIVERED, PENDING, SKIPPED, Delivery
from routing.engine import Engine, assignment_answers, deliveries, reservations
from routing.engine.answer_fields import WrongAnswer
from routing.engine.assignment_answers import Answer
from routing.engine.deliveries import Tried
from routing.errors import RoutingError
from routing.events import Event
from routing.ports import Work
from routing.reservation import PENDING as OFFERED

#: Seconds that the application has, at each of its URLs (Twilio's).
ANSWER_SECONDS: Final = 5.0
#: The reason of a Reservation about which nobody could be asked.
NO_ANSWER: Final = "the assignment callback failed"
#: Twilio's code for a webhook that could not be fetched, or was answered with an error.
NOT_FETCHED: Final = 11200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What the tables say before somebody is asked."""

    is_offered: bool
    fallback_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """Why one URL gave no answer that could be followed."""

    code: int
    message: str
    status: int | None = None
    #: Was there an answer, and a wrong one?
    is_answer: bool = False


class Assignments:
    """Asks; used by any number of threads."""

    def __init__(self, engine: Engine, settings: CallbackSettings, poster: Poster) -> None:
        self._engine = engine
        self._settings = settings
        self._poster = poster

    def ask(self, delivery: Delivery, event: Event) -> Tried | None:
        """Asks the URL, then the fallback; what is left to be written, None where nothing is."""
        scene = self._engine.read(_scene, delivery)
        failures: list[_Failure] = []
        for url in (delivery.url, scene.fallback_url):
            if not self._engine.glance(_scene, delivery).is_offered:
                break
            if url is None:
                continue
            failure = self._ask_one(delivery, event, url)
            if failure is None:
                return None
            failures.append(failure)
        else:
            self._engine.perform(_give_up, delivery, failures, self._settings.keep_seconds)
            return None
        return _over(delivery, failures)

    def _ask_one(self, delivery: Delivery, event: Event, url: str) -> _Failure | None:
        """Asks one URL and does what it answers; None when that was done."""
        try:
            answer, status = self._answer(delivery, event, url)
        except NotPosted as error:
            return _Failure(code=NOT_FETCHED, message=str(error))
        except _Unsuccessful as error:
            return _Failure(code=NOT_FETCHED, message=str(error), status=error.status)
        except WrongAnswer as error:
            return self._wrong(delivery, error, status=200)
        try:
            self._engine.perform(_follow, delivery, answer, status, self._settings.keep_seconds)
        except RoutingError as error:
            return self._wrong(delivery, error, status=status)
        return None

    def _answer(self, delivery: Delivery, event: Event, url: str) -> tuple[Answer | None, int]:
        message = payloads.signed(
            payloads.of_assignment(event, self._settings.account_sid),
            url=wire_url(url),
            delivery_sid=delivery.sid,
            auth_tokens=self._settings.auth_tokens,
        )
        posted = self._poster.post(
            message.url,
            body=message.body,
            headers={**message.headers, **credentials(url)},
            seconds=ANSWER_SECONDS,
        )
        if not posted.is_ok:
            raise _Unsuccessful(posted.status)
        if not posted.is_whole:
            raise WrongAnswer(assignment_answers.NOT_JSON, "The answer is too long")
        return assignment_answers.read_answer(posted.content_type, posted.body), posted.status

    def _wrong(self, delivery: Delivery, error: RoutingError, status: int) -> _Failure:
        """Keeps what was wrong with an answer where it can be seen."""
        _log.info("wrong answer", delivery=delivery.sid, code=error.code)
        if error.code != RoutingError.code:  # one of Twilio's for instructions
            self._engine.perform(
                assignment_answers.tell_failure,
                reservation_sid=delivery.reservation_sid or "",
                error=error,
            )
        return _Failure(code=error.code, message=error.message, status=status, is_answer=True)


class _Unsuccessful(Exception):
    """An answer that is none: another status than 2xx."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered with status {status}")
        self.status = status


def _scene(work: Work, delivery: Delivery) -> _Scene:
    reservation = work.reservations.get(delivery.reservation_sid or "")
    if reservation is None or reservation.reservation_status != OFFERED:
        return _Scene(is_offered=False, fallback_url=None)
    workflows = work.configuration(reservation.workspace_sid).workflows
    workflow = workflows.get(reservation.workflow_sid or "")
    return _Scene(
        is_offered=True,
        fallback_url=workflow.fallback_assignment_callback_url if workflow else None,
    )


def _mine(work: Work, delivery: Delivery) -> bool:
    """Is the row still to be settled, and by us? Locked, so that nobody else does."""
    row = work.deliveries.get(delivery.sid, lock=True)
    return row is not None and row.state == PENDING and row.leased_until == delivery.leased_until


def _follow(
    work: Work, delivery: Delivery, answer: Answer | None, status: int, keep_seconds: int
) -> None:
    """Does what was answered, and writes that it was; once, whoever else has asked, too."""
    if not _mine(work, delivery):
        return
    if answer is not None:
        assignment_answers.carry_out(
            work, reservation_sid=delivery.reservation_sid or "", answer=answer
        )
    done = Tried(delivery=delivery, state=DELIVERED, status=status)
    work.deliveries.change(delivery.sid, **deliveries.settled(work.now, done, keep_seconds))


def _give_up(
    work: Work, delivery: Delivery, failures: Sequence[_Failure], keep_seconds: int
) -> None:
    """Nobody could be asked: the Reservation is canceled, unless it was decided meanwhile."""
    if not _mine(work, delivery):
        return
    reservation = work.reservations.get(delivery.reservation_sid or "")
    if reservation is not None and reservation.reservation_status == OFFERED:
        last = failures[-1]
        reason = f"{NO_ANSWER}: {last.code}: {last.message}"
        reservations.cancel(work, reservation_sid=reservation.sid, reason=reason)
    gone = _tried(delivery, DEAD, failures)
    work.deliveries.change(delivery.sid, **deliveries.settled(work.now, gone, keep_seconds))


def _over(delivery: Delivery, failures: Sequence[_Failure]) -> Tried:
    """The Reservation was decided by somebody else, before or while the application was asked."""
    answered = any(failure.is_answer for failure in failures)
    return _tried(delivery, DELIVERED if answered else SKIPPED, failures)


def _tried(delivery: Delivery, state: str, failures: Sequence[_Failure]) -> Tried:
    return Tried(
        delivery=delivery,
        state=state,
        status=failures[-1].status if failures else None,
        error="; ".join(f"{each.code}: {each.message}" for each in failures) or None,
    )
