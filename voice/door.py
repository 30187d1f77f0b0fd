"""Twilio's way in: one blueprint, and no route of it without a proven signature.

A view reads, lets the engine record it in one transaction, and answers; Twilio is never called from
here, and nothing is decided here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import flask
from werkzeug.exceptions import HTTPException

from routing import sids
from routing.call import Call
from routing.engine import Engine
from routing.ports import Work
from voice import bridge, conference, elsewhere, hang_up, outside, relaying, wishes
from voice.announcement import Announcements, keys
from voice.call_flow import CallFlow
from voice.conference import RoomNews
from voice.in_turn import InTurn
from voice.incoming_call import Reception
from voice.phone_line import ENDED_STATUSES, LIVE_STATUSES
from voice.settings import VoiceSettings
from voice.signature import Signatures, Webhook, require
from voice.waiting_room import WaitingRoom
from voice.witness import Witness

#: A SequenceNumber has no more digits than this.
MAX_DIGITS = 9

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: The answer to a webhook that only tells something.
HEARD = ""

View = Callable[[Webhook], str]
Result = TypeVar("Result")


def voice_door(
    engine: Engine, settings: VoiceSettings, flow: CallFlow, witness: Witness | None = None
) -> flask.Blueprint:
    """The webhooks of one call flow, to be mounted at `/voice`; the witness sees each of them.

    Every request without a signature of one of `settings.auth_tokens` ends with 403, before
    anything of it is looked at.
    """
    door = flask.Blueprint("voice", __name__)
    signatures = Signatures(
        public_url=settings.public_url,
        auth_tokens=settings.auth_tokens,
        account_tokens=settings.account_tokens,
        shared_keys=settings.shared_keys,
    )

    witness = witness or Witness(engine.clock)

    @door.before_request
    def prove() -> None:
        # The request itself: its stand-in looks it up anew at each attribute.
        itself = flask.request._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - werkzeug's documented way
        try:
            flask.g.webhook = require(signatures, itself)
        except HTTPException as refusal:
            witness.refused(refusal.description or "")
            raise
        witness.believed()

    views = _views(engine, Announcements(flow, settings), flow, settings)
    for path, view in views.items():
        door.add_url_rule(f"/{path}", path, _answering(view), methods=["GET", "POST"])

    @door.route("/", defaults={"path": ""}, methods=_METHODS)
    @door.route("/<path:path>", methods=_METHODS)
    def nowhere(path: str) -> flask.Response:
        """What there is no view for is told as shortly as what is wrong: never as a page."""
        known = path in views
        answer = flask.Response(status=405 if known else 404, content_type="text/plain")
        if known:
            answer.headers["Allow"] = "GET, POST"
        return answer

    @door.errorhandler(HTTPException)
    def refused(error: HTTPException) -> flask.Response:
        return flask.Response(status=error.code or 500, content_type="text/plain")

    return door


def _views(
    engine: Engine, announcements: Announcements, flow: CallFlow, settings: VoiceSettings
) -> Mapping[str, View]:
    reception = Reception(engine, flow, settings, announcements)
    waiting_room = WaitingRoom(engine, flow, announcements)
    news = News(engine, announcements)
    return {
        "incoming": lambda webhook: reception.answer(_of_a_call(webhook)),
        "menu": lambda webhook: reception.chosen(_of_a_call(webhook)),
        "enqueue": lambda webhook: reception.hand_over(_of_a_call(webhook)),
        "callback": lambda webhook: reception.call_back(_of_a_call(webhook)),
        "voicemail": lambda webhook: reception.record(_of_a_call(webhook)),
        "waiting": lambda webhook: waiting_room.round(_of_a_call(webhook)),
        "queue-left": lambda webhook: waiting_room.left(_of_a_call(webhook)),
        "call-status": lambda webhook: news.of_the_call(_of_a_call(webhook)),
        "outside-leg": lambda webhook: news.of_somebody_outside(_of_a_call(webhook)),
        "digits": news.of_an_announcement,
        "agent-leg": lambda webhook: news.of_the_agents_leg(_of_a_call(webhook)),
        "conference": news.of_the_room,
        "hold": lambda webhook: announcements.of(webhook.get("To")).on_hold,
        "conference-left": lambda webhook: news.of_the_callers_return(_of_a_call(webhook)),
    }


_LEG_HEARD: Final = relaying.heard(bridge.leg_changed, relaying.of_the_leg)
_ROOM_HEARD: Final = relaying.heard(conference.room_changed, relaying.of_the_room)


class News:
    """What Twilio tells while a call goes on."""

    def __init__(self, engine: Engine, announcements: Announcements) -> None:
        self._engine = engine
        self._in_turn = InTurn(engine)
        self._announcements = announcements

    def of_the_call(self, webhook: Webhook) -> str:
        if self._engine.glance(hang_up.is_known_to_be_over, webhook.get("CallSid")):
            return HEARD  # mostly the queue or the room has told of the end before
        call_sid = webhook.get("CallSid")
        self._in_turn.of_call(
            call_sid,
            hang_up.call_changed,
            call_sid=call_sid,
            status=_status(webhook),
            sequence_number=_number(webhook.get("SequenceNumber")),
        )
        return HEARD

    def _take_in(self, verb: Callable[..., Result], instruction_sid: str, **news: Any) -> Result:
        """What the verb makes of the news, in their turn."""
        return self._in_turn.of_instruction(
            instruction_sid, verb, instruction_sid=instruction_sid, **news
        )

    def of_the_agents_leg(self, webhook: Webhook) -> str:
        self._take_in(
            _LEG_HEARD,
            _instruction(webhook),
            webhook=webhook,
            call_sid=webhook.get("CallSid"),
            status=_status(webhook),
        )
        return HEARD

    def of_somebody_outside(self, webhook: Webhook) -> str:
        self._take_in(
            outside.leg_changed,
            _instruction(webhook),
            call_sid=webhook.get("CallSid"),
            status=_status(webhook),
        )
        return HEARD

    def of_an_announcement(self, webhook: Webhook) -> str:
        """Twilio asks which keys are to be pressed; they are never in a URL, which logs keep."""
        return keys(self._engine.read(wishes.digits_of, _instruction(webhook)))

    def of_the_room(self, webhook: Webhook) -> str:
        """The room's callbacks: those that concern one call name it."""
        self._take_in(
            _ROOM_HEARD,
            _instruction(webhook),
            webhook=webhook,
            news=RoomNews(
                event=webhook.get("StatusCallbackEvent"),
                conference_sid=_sid(webhook.get("ConferenceSid"), "CF"),
                call_sid=_sid(webhook.get("CallSid"), "CA") if webhook.get("CallSid") else "",
                ended_by=webhook.get("CallSidEndingConference"),
            ),
        )
        return HEARD

    def of_the_callers_return(self, webhook: Webhook) -> str:
        status = _status(webhook)
        comes_next = self._take_in(_returned, _instruction(webhook), webhook=webhook, status=status)
        if status in ENDED_STATUSES:
            return self._announcements.of(webhook.get("To")).ended  # nobody hears it
        call_sid = webhook.get("CallSid")
        call = self._engine.read(_call, call_sid)
        announcements = self._announcements.of(call.to_address if call is not None else "")
        if comes_next == conference.NEXT_WAIT:
            return announcements.back_in_line
        if comes_next == conference.NEXT_CANCELED:
            return announcements.canceled
        own = self._engine.read(elsewhere.goes_on, call_sid=call_sid, result="bridged")
        return announcements.ended if own is None else announcements.go_on_at(*own)


def _returned(work: Work, *, webhook: Webhook, instruction_sid: str, status: str) -> str:
    comes_next = conference.caller_is_back(
        work,
        instruction_sid=instruction_sid,
        call_sid=webhook.get("CallSid"),
        status=status,
    )
    if status in ENDED_STATUSES:
        elsewhere.tell_hang_up(work, webhook=webhook, result="bridged")
    return comes_next


def _call(work: Work, call_sid: str) -> Call | None:
    return work.calls.get(call_sid)


def _answering(view: View) -> Callable[[], flask.Response]:
    def answer() -> flask.Response:
        twiml = view(flask.g.webhook)
        if twiml == HEARD:
            return flask.Response(status=204)
        return flask.Response(twiml, content_type="text/xml; charset=utf-8")

    return answer


def _of_a_call(webhook: Webhook) -> Webhook:
    """The webhook, if it names its call as it must; its SID becomes a key."""
    _sid(webhook.get("CallSid"), "CA")
    return webhook


def _instruction(webhook: Webhook) -> str:
    """Which instruction the URL was made for."""
    return _sid(webhook.query.get("instruction", ""), sids.INSTRUCTION)


def _status(webhook: Webhook) -> str:
    status = webhook.get("CallStatus")
    if status not in LIVE_STATUSES and status not in ENDED_STATUSES:
        flask.abort(400)
    return status


def _sid(text: str, kind: str) -> str:
    if not sids.is_sid(text, kind):
        flask.abort(400)
    return text


def _number(text: str) -> int:
    plain = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if plain else 0
