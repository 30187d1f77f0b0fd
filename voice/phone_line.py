"""The line to Twilio: the only room that makes REST calls, and that knows their errors.

    PhoneLineError
      Unreachable   no answer, or one that asks to come again later; a repeat may help
        Busy        the same, and nothing has been done
      Refused       Twilio understood and will not do it; a repeat will not help
        CallGone    the call or the participant is no longer there

It dials and redirects, and never decides why. What is not safe to repeat is tried once: whoever
asks again first looks up what became of it (`find_leg`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import requests
import stamina
from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.conference import ConferenceInstance

from routing.clock import SECOND
from routing.errors import InvalidParameter
from routing.json_text import read_object
from voice.wire import Wire

Answer = TypeVar("Answer")

#: Twilio's own words for a call that has not ended, and for one that has.
LIVE_STATUSES: Final = frozenset({"queued", "initiated", "ringing", "in-progress"})
ENDED_STATUSES: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

#: Twilio's error codes that say: it is not there any more.
CALL_NOT_IN_PROGRESS = 21220
NOT_FOUND = 20404
#: Statuses that say: not now. Nothing was done (20429 is never processed).
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
HTTP_ERROR = 400

#: Questions are asked again at once, within this time; whatever changes something never is.
QUESTION_ATTEMPTS = 3
QUESTION_SECONDS = 8.0

#: The events of a leg, in their order.
LEG_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
#: What of the leg and the room tells us how far a bridge is. That a phone was called is Twilio's
#: answer to the dialling itself, and each webhook costs both sides some milliseconds.
LEG_NEWS: Final = frozenset({"answered", "completed"})
ROOM_NEWS: Final = ("end", "join", "leave")

#: What a conference instruction may hand on to participants.create, by its own names there.
LEG_OPTIONS: Final = frozenset(
    {
        "amd_status_callback",
        "amd_status_callback_method",
        "beep",
        "byoc",
        "call_token",
        "conference_record",
        "conference_recording_status_callback",
        "conference_recording_status_callback_method",
        "conference_trim",
        "early_media",
        "end_conference_on_exit",
        "jitter_buffer_size",
        "machine_detection",
        "machine_detection_silence_timeout",
        "machine_detection_speech_end_threshold",
        "machine_detection_speech_threshold",
        "machine_detection_timeout",
        "max_participants",
        "muted",
        "record",
        "recording_channels",
        "recording_status_callback",
        "recording_status_callback_method",
        "region",
        "sip_auth_password",
        "sip_auth_username",
        "start_conference_on_enter",
        "time_limit",
        "trim",
        "wait_method",
        "wait_url",
    }
)


#: What only a supervisor's leg is given, and no instruction may say for an agent's.
SUPERVISOR_OPTIONS: Final = frozenset({"coaching", "call_sid_to_coach"})

#: How Twilio names the one recording of a call that is going on.
CURRENT_RECORDING: Final = "Twilio.CURRENT"


class PhoneLineError(Exception):
    """Twilio did not do what it was asked to."""

    retryable = False

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message if code is None else f"{code}: {message}")
        self.code = code


class Unreachable(PhoneLineError):
    """No answer, or one that asks to come again later. It may have been done all the same."""

    retryable = True


class Busy(Unreachable):
    """Too many requests at once: it has not been looked at (Twilio's 20429)."""


class Refused(PhoneLineError):
    """Twilio understood, and will not do it."""


class CallGone(Refused):
    """The call, or the participant, is no longer there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The agent's call, on its way into a room."""

    call_sid: str
    conference_sid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A conference that has not ended."""

    sid: str
    call_sids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """Whom to call, into which room, and whom to tell."""

    room: str
    #: Unique in the room: a leg that was dialled is found again by it.
    label: str
    to: str
    from_address: str
    ring_seconds: int
    leg_url: str
    room_url: str
    #: Further parameters of participants.create, those of LEG_OPTIONS only.
    options: Mapping[str, object]
    #: Events that the leg and the room are to tell of, beside LEG_NEWS and ROOM_NEWS.
    more_of_leg: frozenset[str] = frozenset()
    more_of_room: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """A call that goes on with somebody's own document, not into a room of ours."""

    to: str
    from_address: str
    #: The document that whoever answers hears.
    url: str
    ring_seconds: int
    #: Whom to tell of it.
    leg_url: str
    record: bool
    #: Events to tell of, beside LEG_NEWS.
    more_of_leg: frozenset[str] = frozenset()


class PhoneLine(Protocol):
    """What the voice side asks of the telephone network. Every method may raise Unreachable."""

    def dial(self, dialling: Dialling) -> Leg:
        """Calls somebody into a room; not to be repeated blindly. Raises Refused."""
        ...

    def find_leg(self, *, room: str, label: str) -> Leg | None:
        """The leg of that label in the room, if it was dialled and has not ended."""
        ...

    def find_room(self, name: str) -> Room | None:
        """The room of that name, if there is one that has not ended."""
        ...

    def members(self, conference_sid: str) -> frozenset[str]:
        """The SIDs of the calls in that room; none where it has ended or is not known."""
        ...

    def who_ended(self, name: str) -> str | None:
        """The SID of the call that ended the newest room of that name by leaving it, if one did."""
        ...

    def call(self, calling: "Calling") -> str:
        """Calls somebody who hears what `calling.url` says; the call's SID. Raises Refused.

        Not to be repeated blindly.
        """
        ...

    def find_call(self, *, to: str, from_address: str, since: int) -> str | None:
        """The SID of the newest call from one to the other that was made since that instant."""
        ...

    def change(self, conference_sid: str, call_sid: str, **part: object) -> None:
        """Changes a participant's part: muted, hold, hold_url, end_conference_on_exit, ...

        Raises CallGone for somebody who is not in the room.
        """
        ...

    def kick(self, conference_sid: str, call_sid: str) -> None:
        """Takes somebody out of the room; raises CallGone when they are not in it."""
        ...

    def end_room(self, conference_sid: str) -> None:
        """Sends everybody out; raises CallGone when the room is over."""
        ...

    def record(self, call_sid: str, *, action: str, pause_behavior: str) -> None:
        """Starts, pauses, resumes or stops the recording of a call; raises CallGone.

        What is so already stays so.
        """
        ...

    def call_status(self, call_sid: str) -> str:
        """Twilio's status of the call; raises CallGone where Twilio does not know it."""
        ...

    def redirect(self, call_sid: str, *, twiml: str) -> None:
        """The call goes on with another document; raises CallGone when it is not in progress."""
        ...

    def redirect_to(self, call_sid: str, *, url: str) -> None:
        """The same, with the document at that address."""
        ...

    def hang_up(self, call_sid: str) -> None:
        """Ends the call, whether it rings or talks; raises CallGone when it has ended already."""
        ...


def client(*, account_sid: str, auth_token: str, api_url: str | None = None) -> Client:
    """Twilio's client, with our timeouts and base URL; what it asks goes through `asked`."""
    return Client(account_sid, auth_token, http_client=Wire(api_url))


class TwilioPhoneLine:
    """The line to Twilio itself, or to whatever answers like it at `api_url`."""

    def __init__(self, *, account_sid: str, auth_token: str, api_url: str | None = None) -> None:
        twilio = client(account_sid=account_sid, auth_token=auth_token, api_url=api_url)
        # The library imports its resources when they are first named: now, not in the first call.
        self._calls, self._conferences = twilio.calls, twilio.conferences

    def dial(self, dialling: Dialling) -> Leg:
        options: dict[str, Any] = {
            "beep": "false",
            "end_conference_on_exit": True,
            "wait_url": "",
        }
        known = LEG_OPTIONS | SUPERVISOR_OPTIONS
        options |= {key: value for key, value in dialling.options.items() if key in known}
        participant = _asked(
            lambda: self._conferences(dialling.room).participants.create(
                to=dialling.to,
                from_=dialling.from_address,
                label=dialling.label,
                timeout=dialling.ring_seconds,
                status_callback=dialling.leg_url,
                status_callback_method="POST",
                status_callback_event=_in_order(dialling.more_of_leg),
                conference_status_callback=dialling.room_url,
                conference_status_callback_method="POST",
                conference_status_callback_event=[
                    *ROOM_NEWS,
                    *sorted(dialling.more_of_room.difference(ROOM_NEWS)),
                ],
                **options,
            )
        )
        return Leg(
            call_sid=str(participant.call_sid), conference_sid=participant.conference_sid or None
        )

    @stamina.retry(
        on=Unreachable, attempts=QUESTION_ATTEMPTS, timeout=QUESTION_SECONDS, wait_max=1.0
    )
    def find_leg(self, *, room: str, label: str) -> Leg | None:
        sid = self._live_conference(room)
        if sid is None:
            return None
        try:
            participant = _asked(lambda: self._conferences(sid).participants(label).fetch())
        except CallGone:
            return None
        if participant.status in {"complete", "failed"}:
            return None
        return Leg(call_sid=str(participant.call_sid), conference_sid=sid)

    @stamina.retry(
        on=Unreachable, attempts=QUESTION_ATTEMPTS, timeout=QUESTION_SECONDS, wait_max=1.0
    )
    def find_room(self, name: str) -> Room | None:
        sid = self._live_conference(name)
        if sid is None:
            return None
        return Room(sid=sid, call_sids=self._inside(sid))

    @stamina.retry(
        on=Unreachable, attempts=QUESTION_ATTEMPTS, timeout=QUESTION_SECONDS, wait_max=1.0
    )
    def members(self, conference_sid: str) -> frozenset[str]:
        try:
            return self._inside(conference_sid)
        except CallGone:
            return frozenset()

    def _inside(self, conference_sid: str) -> frozenset[str]:
        participants = _asked(self._conferences(conference_sid).participants.list)
        return frozenset(str(participant.call_sid) for participant in participants)

    def _live_conference(self, name: str) -> str | None:
        """The newest conference of that name that has not ended: names are used again."""
        live = [each for each in self._named(name) if each.status != "completed"]
        return str(live[0].sid) if live else None

    def _named(self, name: str) -> list[ConferenceInstance]:
        """The conferences of that name, the newest first."""
        return _asked(lambda: self._conferences.list(friendly_name=name, limit=50))

    @stamina.retry(
        on=Unreachable, attempts=QUESTION_ATTEMPTS, timeout=QUESTION_SECONDS, wait_max=1.0
    )
    def who_ended(self, name: str) -> str | None:
        newest = next(iter(self._named(name)), None)
        return (newest.call_sid_ending_conference or None) if newest is not None else None

    @stamina.retry(
        on=Unreachable, attempts=QUESTION_ATTEMPTS, timeout=QUESTION_SECONDS, wait_max=1.0
    )
    def call_status(self, call_sid: str) -> str:
        return str(_asked(lambda: self._calls(call_sid).fetch()).status)

    def call(self, calling: Calling) -> str:
        made = _asked(
            lambda: self._calls.create(
                to=calling.to,
                from_=calling.from_address,
                url=calling.url,
                timeout=calling.ring_seconds,
                record=calling.record,
                status_callback=calling.leg_url,
                status_callback_method="POST",
                status_callback_event=_in_order(calling.more_of_leg),
            )
        )
        return str(made.sid)

    @stamina.retry(
        on=Unreachable, attempts=QUESTION_ATTEMPTS, timeout=QUESTION_SECONDS, wait_max=1.0
    )
    def find_call(self, *, to: str, from_address: str, since: int) -> str | None:
        found = _asked(lambda: self._calls.list(to=to, from_=from_address, limit=20))
        # Twilio's times have no fractions of a second.
        made = [
            (each.date_created.timestamp(), str(each.sid))
            for each in found
            if each.date_created is not None and each.date_created.timestamp() >= since // SECOND
        ]
        return max(made)[1] if made else None

    def change(self, conference_sid: str, call_sid: str, **part: object) -> None:
        options: dict[str, Any] = dict(part)
        _asked(lambda: self._conferences(conference_sid).participants(call_sid).update(**options))

    def kick(self, conference_sid: str, call_sid: str) -> None:
        _asked(lambda: self._conferences(conference_sid).participants(call_sid).delete())

    def end_room(self, conference_sid: str) -> None:
        try:
            _asked(lambda: self._conferences(conference_sid).update(status="completed"))
        except Refused as error:
            # Twilio refuses with a bare 400 to end a room that is over or has not begun.
            status = _asked(lambda: self._conferences(conference_sid).fetch()).status
            if status == "in-progress":
                raise
            raise CallGone(str(error), code=error.code) from error

    def record(self, call_sid: str, *, action: str, pause_behavior: str) -> None:
        recordings = self._calls(call_sid).recordings
        if action == "start":
            going_on = _asked(lambda: recordings.list(limit=20))
            if not any(each.status in {"in-progress", "paused"} for each in going_on):
                _asked(recordings.create)
            return
        status = {"pause": "paused", "resume": "in-progress", "stop": "stopped"}[action]
        options: dict[str, Any] = {"pause_behavior": pause_behavior} if action == "pause" else {}
        current = self._calls(call_sid).recordings(CURRENT_RECORDING)
        _asked(lambda: current.update(status=status, **options))

    def redirect_to(self, call_sid: str, *, url: str) -> None:
        _asked(lambda: self._calls(call_sid).update(url=url, method="POST"))

    def redirect(self, call_sid: str, *, twiml: str) -> None:
        _asked(lambda: self._calls(call_sid).update(twiml=twiml))

    def hang_up(self, call_sid: str) -> None:
        _asked(lambda: self._calls(call_sid).update(status="completed"))


def _in_order(more: frozenset[str]) -> list[str]:
    """The events of a leg that are to be told."""
    return [event for event in LEG_EVENTS if event in LEG_NEWS | more]


def _asked(question: Callable[[], Answer]) -> Answer:
    """What Twilio answers, its errors as ours."""
    try:
        return question()
    except requests.RequestException as error:
        # The text of a connection error names hosts and parameters; its kind is enough for a log.
        raise Unreachable(type(error).__name__) from error
    except TwilioRestException as error:
        raise _error(error.status, error.code, error.msg) from error
    except TwilioServiceException as error:
        raise _error(error.status, error.code, error.detail or error.title) from error
    except (TwilioException, ValueError, TypeError, LookupError, AttributeError) as error:
        raise _odd(error) from error


def _odd(error: Exception) -> PhoneLineError:
    """The library trips over answers of another shape, such as a proxy's error page; and where a
    list is refused, it hides the answer in an error without a code.
    """
    answer = error.args[-1] if error.args else None
    if isinstance(answer, Response) and answer.status_code >= HTTP_ERROR:
        try:
            told = read_object(answer.text, parameter="answer")
            return _error(answer.status_code, int(str(told["code"])), str(told["message"]))
        except (InvalidParameter, LookupError, TypeError, ValueError):
            pass
    return Unreachable(f"an answer that is not Twilio's ({type(error).__name__})")


def asked(question: Callable[[], Answer]) -> Answer:
    """The same for the rooms beside this one. Raises PhoneLineError."""
    return _asked(question)


def _error(status: int, code: int | None, message: str) -> PhoneLineError:
    message = str(message)[:300]
    if status == TOO_MANY_REQUESTS:
        return Busy(message, code=code)
    if status >= SERVER_ERROR:
        return Unreachable(message, code=code)
    if code in {CALL_NOT_IN_PROGRESS, NOT_FOUND} or status == requests.codes.not_found:
        return CallGone(message, code=code)
    return Refused(message, code=code)
