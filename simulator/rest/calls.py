"""Calls: create, list, fetch, redirect, end, delete."""

from typing import Any

from flask import Blueprint, request

from simulator.application import Application
from simulator.call import (
    CANCELED,
    COMPLETED,
    LIVE,
    QUEUED,
    RINGING,
    Call,
    ProgressCallback,
)
from simulator.exchange import WrongMoment
from simulator.rest import errors, representation
from simulator.rest.door import Door, blueprint
from simulator.rest.errors import bad, not_found
from simulator.rest.forms import DETECTION, Form, dates
from simulator.rest.pages import PAGING, page

CREATE = frozenset({
    "To", "From", "Url", "Method", "Twiml", "FallbackUrl", "FallbackMethod", "StatusCallback",
    "StatusCallbackEvent", "StatusCallbackMethod", "Timeout", "TimeLimit", "SendDigits",
    "Record", "RecordingChannels", "RecordingStatusCallback", "RecordingStatusCallbackMethod",
    "RecordingStatusCallbackEvent", "CallerId", "CallToken", "ApplicationSid", "AsyncAmd",
    "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod",
}) | DETECTION  # fmt: skip
UPDATE = frozenset({
    "Url", "Method", "Twiml", "Status", "FallbackUrl", "FallbackMethod", "StatusCallback",
    "StatusCallbackMethod", "TimeLimit",
})  # fmt: skip
FILTERS = frozenset({"To", "From", "ParentCallSid", "Status", *PAGING}) | dates(
    "StartTime", "EndTime"
)


class Calls:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._network = door.network

    def routes(self) -> Blueprint:
        routes = blueprint("calls", self._door)
        path = "/<account_sid>/Calls"
        routes.add_url_rule(f"{path}.json", view_func=self.create, methods=["POST"])
        routes.add_url_rule(f"{path}.json", view_func=self.list, methods=["GET"])
        routes.add_url_rule(f"{path}/<call_sid>.json", view_func=self.fetch, methods=["GET"])
        routes.add_url_rule(f"{path}/<call_sid>.json", view_func=self.update, methods=["POST"])
        routes.add_url_rule(f"{path}/<call_sid>.json", view_func=self.delete, methods=["DELETE"])
        return routes

    def _find(self, sid: str) -> Call:
        call = self._network.calls.get(sid)
        if call is None:
            raise not_found(request.path)
        return call

    def _represent(self, call: Call) -> dict[str, Any]:
        return representation.call(call, self._door.account_sid, self._network.now())

    def create(self, account_sid: str) -> tuple[dict[str, Any], int]:
        del account_sid
        form = Form(request.form, CREATE)
        with self._network.agenda.turn():
            from_, to = form.parties(self._network)
            first, progress = form.document(), form.progress()
            fallback_url, fallback_method = form.url("FallbackUrl"), form.method("FallbackMethod")
            wishes: dict[str, Any] = {
                "timeout_seconds": form.timeout(),
                "time_limit_seconds": form.time_limit(),
                "recorded": form.leg_recording(),
                "keys": form.keys(),
                "detection": form.detection(
                    is_aside=form.flag("AsyncAmd", default=False),
                    callback="AsyncAmdStatusCallback",
                ),
            }
            exchange, application = self._door.exchange, self._application(form)
            if first is not None:
                call = exchange.place_call(
                    from_=from_, to=to, first=first, progress=progress, **wishes
                )
                call.fallback_url, call.fallback_method = fallback_url or None, fallback_method
            elif application is not None:
                call = exchange.through_application(application, from_=from_, to=to, **wishes)
            else:
                message = "Url parameter is required (or Twiml, or ApplicationSid)"
                raise bad(errors.INVALID_URL, message)
            return self._represent(call), 201

    def _application(self, form: Form) -> Application | None:
        sid = form.text("ApplicationSid")
        if not sid:
            return None
        found = self._network.applications.get(sid)
        if found is None or found.voice_url is None:
            message = f"ApplicationSid {sid} is no application with a voice URL"
            raise bad(errors.INVALID_APPLICATION, message)
        return found

    def list(self, account_sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.args, FILTERS)
        with self._network.agenda.turn():
            rows = [call for call in self._network.calls.values() if _fits(call, form)]
            return page(
                key="calls",
                rows=rows[::-1],
                sid_of=lambda call: call.sid,
                represent=self._represent,
                path=request.path,
                query=request.args,
            )

    def fetch(self, account_sid: str, call_sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return self._represent(self._find(call_sid))

    def update(self, account_sid: str, call_sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.form, UPDATE)
        with self._network.agenda.turn():
            call = self._find(call_sid)
            document = form.document()
            status = form.one_of("Status", CANCELED, COMPLETED)
            if form.text("Url") and form.has("Twiml"):
                raise bad(errors.BAD_VALUE, "Url and Twiml exclude each other")
            self._set(call, form)
            if status is not None:
                self._end(call, status)
            elif document is not None:
                try:
                    self._door.exchange.redirect(call, document)
                except WrongMoment as error:
                    message = "Call is not in-progress. Cannot redirect."
                    raise bad(errors.NOT_IN_PROGRESS, message) from error
            self._network.agenda.run_ready()
            return self._represent(call)

    def _set(self, call: Call, form: Form) -> None:
        """What may be changed beside the course of the call."""
        self._door.exchange.limit(call, form.time_limit())
        if form.has("FallbackUrl"):
            call.fallback_url = form.url("FallbackUrl") or None
            call.fallback_method = form.method("FallbackMethod")
        url = form.url("StatusCallback", errors.INVALID_STATUS_CALLBACK)
        if url:
            events = call.progress.events if call.progress else ("completed",)
            method = form.method("StatusCallbackMethod")
            call.progress = ProgressCallback(url=url, method=method, events=events)

    def _end(self, call: Call, status: str) -> None:
        if call.has_ended:
            message = f"Call is {call.status}, it cannot be {status} any more"
            raise bad(errors.NOT_IN_PROGRESS, message)
        if call.status in (QUEUED, RINGING):
            self._network.hang_up(call, CANCELED)
        elif status == COMPLETED:  # "canceled" does nothing to a call that was answered
            self._network.hang_up(call, COMPLETED)

    def delete(self, account_sid: str, call_sid: str) -> tuple[str, int]:
        del account_sid
        with self._network.agenda.turn():
            call = self._find(call_sid)
            if call.is_live:
                raise bad(errors.BAD_VALUE, f"Call {call.sid} is {call.status}: end it first")
            del self._network.calls[call.sid]
            return "", 204


def _fits(call: Call, form: Form) -> bool:
    parent = None if call.parent is None else call.parent.sid
    wanted = form.one_of("Status", *LIVE, "completed", "busy", "failed", "no-answer", "canceled")
    pairs = (
        (form.text("To"), call.to),
        (form.text("From"), call.from_),
        (form.text("ParentCallSid"), parent),
        (wanted, call.status),
    )
    began = call.answered_at or call.started_at
    in_time = form.within("StartTime", began) and form.within("EndTime", call.ended_at)
    return in_time and all(asked is None or asked == found for asked, found in pairs)
