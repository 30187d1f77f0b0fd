"""The control door: what a person, a test or a demonstration does to the network from outside.

Dial, press, answer, hang up; say how phones behave; look at the state; follow the log; order
faults. No Twilio shape here: plain JSON, errors as {"error": "what was expected"} with 400, 404
or 409.
"""

import re
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Flask, Response, jsonify, request

from simulator import shown
from simulator.call import IN_PROGRESS, Attestation, Call
from simulator.endpoint import (
    ANSWERED_BY,
    ON_RING,
    WITHHELD,
    Endpoint,
    bare,
    is_address,
    is_callers_address,
    is_phone_number,
)
from simulator.exchange import Exchange, UnknownNumber, WrongMoment
from simulator.faults import QUEUE_FAULTS, REST_FAULTS, WEBHOOK_FAULTS
from simulator.news import KINDS
from simulator.stream import Stream, TooManyReaders, kinds_in

LONGEST_WAIT_SECONDS = 30.0  # of a reader of the log, before it is answered with nothing new
KEYS = frozenset("0123456789*#ABCDabcd")
#: Twilio's words for how far the carriers vouch for a number.
VERSTAT = re.compile(
    r"No-TN-Validation|TN-Validation-(Passed-[ABC]|Failed(-[ABC])?)(-(Diverted|Passthrough))*"
)
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
#: The content of a Refer-To header.
REFER_TO = re.compile(r"<?(sips?:[^\s@<>]+@[^\s@<>]+|tel:\+?[0-9]{1,15})>?")

S = TypeVar("S", bound=msgspec.Struct)


class DialOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    from_: str = msgspec.field(name="from")
    to: str
    forwarded_from: str | None = None
    caller_name: str = ""
    stir_verstat: str | None = None
    stir_passport_token: str | None = None
    add_ons: dict[str, Any] | None = None
    application_sid: str | None = None
    parameters: dict[str, str] = {}


class KeysOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    digits: str


class SpeechOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    text: str
    confidence: float = 0.9


class ReferOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    to: str


class EndpointOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    on_ring: str
    delay_seconds: float | None = None
    answered_by: str = "human"
    sip_code: int | None = None


class FaultOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    do: str
    webhook: str | None = None
    rest: str | None = None
    queue: str | None = None
    times: int = 1
    delay_seconds: float = 1.0


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    advance_seconds: float


# msgspec learns a class when it is first asked for, and lets other threads see it half learned:
# two first requests at once would end the process. Here nobody else is there yet.
for _order in (
    DialOrder, KeysOrder, SpeechOrder, ReferOrder, EndpointOrder, FaultOrder, ClockOrder,
):  # fmt: skip
    msgspec.json.Decoder(_order)


class Refused(Exception):
    """The control door says no. `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _read(kind: type[S]) -> S:
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        fields = ", ".join(field.encode_name for field in msgspec.structs.fields(kind))
        raise Refused(400, f"a JSON object of {fields} was expected: {error}") from error


class Control:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._network = exchange.network
        self._stream = Stream(exchange.network, lambda: self._state(only_live=True))

    def routes(self) -> Blueprint:
        routes = Blueprint("control", __name__)
        for rule, view, method in (
            ("/healthz", self.healthz, "GET"),
            ("/simulator/calls", self.dial, "POST"),
            ("/simulator/calls/<sid>", self.fetch_call, "GET"),
            ("/simulator/calls/<sid>/hangup", self.hang_up, "POST"),
            ("/simulator/calls/<sid>/press", self.press, "POST"),
            ("/simulator/calls/<sid>/say", self.say, "POST"),
            ("/simulator/calls/<sid>/answer", self.answer, "POST"),
            ("/simulator/calls/<sid>/refer", self.refer, "POST"),
            ("/simulator/endpoints", self.list_endpoints, "GET"),
            ("/simulator/endpoints/<path:address>", self.put_endpoint, "PUT"),
            ("/simulator/state", self.state, "GET"),
            ("/simulator/stream", self.stream, "GET"),
            ("/simulator/log", self.read_log, "GET"),
            ("/simulator/timings", self.timings, "GET"),
            ("/simulator/timings", self.clear_timings, "DELETE"),
            ("/simulator/faults", self.list_faults, "GET"),
            ("/simulator/faults", self.order_fault, "POST"),
            ("/simulator/faults", self.clear_faults, "DELETE"),
            ("/simulator/clock", self.advance, "POST"),
        ):
            routes.add_url_rule(rule, view_func=view, methods=[method])
        return routes

    def _call(self, sid: str) -> Call:
        call = self._network.calls.get(sid)
        if call is None:
            raise Refused(404, f"there is no call {sid}")
        return call

    def _live_call(self, sid: str) -> Call:
        call = self._call(sid)
        if call.has_ended:
            raise Refused(409, f"call {sid} is over ({call.status}); a live call was expected")
        return call

    def _answered_call(self, sid: str) -> Call:
        call = self._live_call(sid)
        if call.status != IN_PROGRESS:
            raise Refused(409, f"call {sid} is {call.status}; one in progress was expected")
        return call

    # -- phones

    def healthz(self) -> dict[str, Any]:
        return {"status": "ok"}

    def dial(self) -> tuple[dict[str, Any], int]:
        order = _read(DialOrder)
        if not is_callers_address(order.from_):
            words = ", ".join(WITHHELD)
            message = f'"from" is +E.164, client:..., sip:... or of {words}, not {order.from_!r}'
            raise Refused(400, message)
        attestation = _attestation(order)
        if order.application_sid is not None:
            return self._dial_application(order)
        if not is_address(order.to):
            raise Refused(400, f'"to" is +E.164, client:... or sip:..., not {order.to!r}')
        if order.parameters:
            raise Refused(400, '"parameters" are given to an "application_sid" only')
        if order.forwarded_from is not None and not is_phone_number(order.forwarded_from):
            raise Refused(400, f'"forwarded_from" is +E.164, not {order.forwarded_from!r}')
        with self._network.agenda.turn():
            try:
                call = self._exchange.dial_in(
                    from_=order.from_,
                    to=order.to,
                    forwarded_from=order.forwarded_from,
                    caller_name=order.caller_name,
                    attestation=attestation,
                )
            except UnknownNumber as error:
                message = f"nobody has the number {order.to}: configure it, or a default voice URL"
                raise Refused(404, message) from error
            return {"sid": call.sid}, 201

    def _dial_application(self, order: DialOrder) -> tuple[dict[str, Any], int]:
        """A client's application of a telephone asks for a call; it says to whom as it likes."""
        if not order.from_.startswith("client:"):
            raise Refused(400, f'"from" is client:... with an application, not {order.from_!r}')
        with self._network.agenda.turn():
            application = self._network.applications.get(order.application_sid or "")
            if application is None or application.voice_url is None:
                raise Refused(404, f"{order.application_sid} is no application with a voice URL")
            call = self._exchange.dial_application(
                application, from_=order.from_, to=order.to, parameters=order.parameters
            )
            return {"sid": call.sid}, 201

    def hang_up(self, sid: str) -> dict[str, Any]:
        with self._network.agenda.turn():
            call = self._live_call(sid)
            self._exchange.hang_up_at_phone(call)
            return {"sid": sid, "status": call.status}

    def press(self, sid: str) -> dict[str, Any]:
        digits = _read(KeysOrder).digits
        if not digits or not set(digits) <= KEYS:
            raise Refused(400, f'"digits" are keys of a telephone (0-9, *, #), not {digits!r}')
        with self._network.agenda.turn():
            self._network.press(self._answered_call(sid), digits)
            return {"sid": sid, "digits": digits}

    def say(self, sid: str) -> dict[str, Any]:
        """Somebody says something to a <Gather> that takes speech."""
        order = _read(SpeechOrder)
        if not order.text or not 0 <= order.confidence <= 1:
            raise Refused(400, '"text" is what is said, "confidence" from 0 to 1')
        with self._network.agenda.turn():
            self._network.speak(self._answered_call(sid), order.text, order.confidence)
            return {"sid": sid, "text": order.text}

    def answer(self, sid: str) -> dict[str, Any]:
        with self._network.agenda.turn():
            call = self._live_call(sid)
            try:
                self._exchange.answer_at_phone(call)
            except WrongMoment as error:
                raise Refused(409, str(error)) from error
            self._network.agenda.run_ready()
            return {"sid": sid, "status": call.status}

    def refer(self, sid: str) -> dict[str, Any]:
        """A SIP phone in a <Dial> sends the caller on."""
        target = _read(ReferOrder).to
        if not REFER_TO.fullmatch(target):
            raise Refused(400, f'"to" is sip:..., tel:+... or either in <>, not {target!r}')
        with self._network.agenda.turn():
            try:
                self._exchange.refer_at_phone(self._answered_call(sid), target)
            except WrongMoment as error:
                raise Refused(409, str(error)) from error
            return {"sid": sid, "to": target}

    def put_endpoint(self, address: str) -> dict[str, Any]:
        order = _read(EndpointOrder)
        if not is_address(address):
            raise Refused(400, f"an address is +E.164, client:... or sip:..., not {address!r}")
        if order.on_ring not in ON_RING:
            message = f'"on_ring" is one of {", ".join(ON_RING)}, not {order.on_ring!r}'
            raise Refused(400, message)
        delay = order.delay_seconds
        if delay is not None and not 0 <= delay <= 3600:  # noqa: PLR2004 - an hour of ringing
            raise Refused(400, f'"delay_seconds" is from 0 to 3600, not {delay}')
        if order.answered_by not in ANSWERED_BY:
            message = f'"answered_by" is of {", ".join(ANSWERED_BY)}, not {order.answered_by!r}'
            raise Refused(400, message)
        if order.sip_code is not None and not 400 <= order.sip_code <= 699:  # noqa: PLR2004 - SIP's
            raise Refused(400, f'"sip_code" is from 400 to 699, not {order.sip_code}')
        with self._network.agenda.turn():
            endpoint = Endpoint(
                on_ring=order.on_ring,
                delay_seconds=delay,
                answered_by=order.answered_by,
                sip_code=order.sip_code,
            )
            return self._network.set_endpoint(bare(address), endpoint)

    def list_endpoints(self) -> dict[str, Any]:
        with self._network.agenda.turn():
            return {"endpoints": self._endpoints()}

    def _endpoints(self) -> list[dict[str, Any]]:
        return [shown.endpoint(name, one) for name, one in self._network.endpoints.items()]

    # -- looking

    def state(self) -> dict[str, Any]:
        """Everything that is remembered; with `?live=true` only what goes on now."""
        only_live = request.args.get("live", "false") == "true"
        with self._network.agenda.turn():
            return self._state(only_live=only_live)

    def _state(self, *, only_live: bool) -> dict[str, Any]:
        network = self._network
        calls, rooms = network.calls.values(), network.conferences.values()
        return {
            "time": network.now(),
            "calls": [shown.whole_call(one) for one in calls if one.is_live or not only_live],
            "conferences": [shown.conference(one) for one in rooms if one.is_live or not only_live],
            "queues": [shown.queue(queue) for queue in network.queues.values()],
            "numbers": [shown.number(number) for number in network.numbers.values()],
            "endpoints": self._endpoints(),
        }

    def stream(self) -> Response:
        """All that happens, from `Last-Event-ID` on, or from the state of now."""
        kinds = kinds_in(request.args.get("kinds"))
        if kinds is None:
            raise Refused(400, f'"kinds" are of {", ".join(KINDS)}, with commas between')
        try:
            return self._stream.open(
                request.headers.get("Last-Event-ID", ""), kinds, int(_query_number("log", 0))
            )
        except TooManyReaders as error:
            raise Refused(503, "too many readers; close another page") from error

    def fetch_call(self, sid: str) -> dict[str, Any]:
        """One call as in the state, also when it is over."""
        with self._network.agenda.turn():
            return shown.whole_call(self._call(sid))

    def read_log(self) -> dict[str, Any]:
        since = _query_number("since", 0.0)
        wait = min(_query_number("wait", 0.0), LONGEST_WAIT_SECONDS)
        lines, last = self._network.log.since(int(since), wait)
        return {"entries": [msgspec.to_builtins(line) for line in lines], "last": last}

    def timings(self) -> dict[str, Any]:
        """How long the application took, by the path of the webhook."""
        return self._network.post.timings.as_json()

    def clear_timings(self) -> tuple[str, int]:
        self._network.post.timings.clear()
        return "", 204

    # -- misfortune and time

    def order_fault(self) -> tuple[dict[str, Any], int]:
        order = _read(FaultOrder)
        named = [
            (door, target, deeds)
            for door, target, deeds in (
                ("webhook", order.webhook, WEBHOOK_FAULTS),
                ("rest", order.rest, REST_FAULTS),
                ("queue", order.queue, QUEUE_FAULTS),
            )
            if target is not None
        ]
        if len(named) != 1:
            message = (
                'one of "webhook" (a part of its URL or form), "rest" ("POST /Calls") or "queue" '
                "(its name)"
            )
            raise Refused(400, message)
        [(door, target, deeds)] = named
        if order.do not in deeds:
            raise Refused(400, f'"do" is one of {", ".join(deeds)}, not {order.do!r}')
        if order.times < 1 or not 0 <= order.delay_seconds <= 3600:  # noqa: PLR2004 - an hour
            raise Refused(400, '"times" is at least 1, "delay_seconds" from 0 to 3600')
        fault = self._network.faults.order(
            door=door,
            target=target,
            do=order.do,
            times=order.times,
            seconds=order.delay_seconds,
        )
        return fault.as_json(), 201

    def list_faults(self) -> dict[str, Any]:
        return {"faults": [fault.as_json() for fault in self._network.faults.all()]}

    def clear_faults(self) -> tuple[str, int]:
        self._network.faults.clear()
        return "", 204

    def advance(self) -> dict[str, Any]:
        """Move a manual clock; answers when everything on the way has happened."""
        order = _read(ClockOrder)
        if not 0 <= order.advance_seconds <= 10**7:
            raise Refused(400, '"advance_seconds" is from 0 to 10000000')
        if not self._network.agenda.clock.is_manual:
            raise Refused(409, "this simulator's clock runs by itself")
        self._network.agenda.advance(order.advance_seconds)
        return {"time": self._network.now()}


def _attestation(order: DialOrder) -> Attestation:
    """What is to be said of a caller. Raises Refused."""
    verstat, token = order.stir_verstat, order.stir_passport_token
    if verstat is not None and not VERSTAT.fullmatch(verstat):
        message = f'"stir_verstat" is TN-Validation-Passed-A or its like, not {verstat!r}'
        raise Refused(400, message)
    if token is not None and not JWT.fullmatch(token):
        raise Refused(400, f'"stir_passport_token" is a JWT (three parts, dots), not {token!r}')
    found = Attestation(
        stir_verstat=verstat,
        passport_token=token,
        add_ons=None if order.add_ons is None else msgspec.json.encode(order.add_ons).decode(),
    )
    if ":" in order.from_ and found != Attestation():
        message = '"stir_verstat", "stir_passport_token" and "add_ons" are of a phone number'
        raise Refused(400, f"{message}, not of {order.from_!r}")
    return found


def on_error(app: Flask) -> None:
    def refuse(error: Refused) -> tuple[Response, int]:
        return jsonify({"error": error.message}), error.status

    app.register_error_handler(Refused, refuse)


def _query_number(name: str, default: float) -> float:
    text = request.args.get(name)
    if text is None:
        return default
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 2**53:  # beyond it a float is no whole number any more
        raise Refused(400, f'"{name}" is a number, 0 or more, not {text!r}')
    return found
