"""The account itself and its phone numbers."""

import dataclasses
from typing import Any

from flask import Blueprint, request

from simulator.clock import rfc_2822
from simulator.rest import errors, representation
from simulator.rest.door import Door, blueprint
from simulator.rest.errors import bad, not_found
from simulator.rest.forms import Form, where_calls_lead
from simulator.rest.pages import PAGING, page
from simulator.settings import Number

FILTERS = frozenset({"PhoneNumber", "FriendlyName", *PAGING})
UPDATE = frozenset({
    "FriendlyName", "VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "VoiceFallbackMethod",
    "StatusCallback", "StatusCallbackMethod", "VoiceApplicationSid", "VoiceCallerIdLookup",
})  # fmt: skip


class Account:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._network = door.network

    def routes(self) -> Blueprint:
        routes = blueprint("account", self._door)
        numbers = "/<account_sid>/IncomingPhoneNumbers"
        for rule, view, method in (
            ("/<account_sid>.json", self.fetch, "GET"),
            (f"{numbers}.json", self.list_numbers, "GET"),
            (f"{numbers}/<sid>.json", self.fetch_number, "GET"),
            (f"{numbers}/<sid>.json", self.update_number, "POST"),
        ):
            routes.add_url_rule(rule, view_func=view, methods=[method])
        return routes

    def fetch(self, account_sid: str) -> dict[str, Any]:
        root = representation.root(account_sid)
        born = rfc_2822(self._door.born_at)
        resources = ("Calls", "Conferences", "IncomingPhoneNumbers", "Queues")
        return {
            "auth_token": "",  # Twilio shows it to its owner; there is no need to repeat it here
            "date_created": born,
            "date_updated": born,
            "friendly_name": "Simulated account",
            "owner_account_sid": account_sid,
            "sid": account_sid,
            "status": "active",
            "subresource_uris": {name.lower(): f"{root}/{name}.json" for name in resources},
            "type": "Full",
            "uri": f"{root}.json",
        }

    # -- numbers

    def _find(self, sid: str) -> Number:
        for number in self._network.numbers.values():
            if number.sid == sid:
                return number
        raise not_found(request.path)

    def _represent(self, number: Number) -> dict[str, Any]:
        return representation.number(number, self._door.account_sid, self._door.born_at)

    def list_numbers(self, account_sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.args, FILTERS)
        phone_number, name = form.text("PhoneNumber"), form.text("FriendlyName")
        with self._network.agenda.turn():
            rows = [
                number
                for number in self._network.numbers.values()
                if phone_number in (None, number.phone_number)
                and name in (None, number.friendly_name)
            ]
            return page(
                key="incoming_phone_numbers",
                rows=rows,
                sid_of=lambda number: number.sid,
                represent=self._represent,
                path=request.path,
                query=request.args,
            )

    def fetch_number(self, account_sid: str, sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return self._represent(self._find(sid))

    def update_number(self, account_sid: str, sid: str) -> dict[str, Any]:
        """Where the number's calls lead from now on."""
        del account_sid
        form = Form(request.form, UPDATE)
        with self._network.agenda.turn():
            number = self._find(sid)
            changes = where_calls_lead(form)
            if form.has("VoiceApplicationSid"):
                wanted = form.text("VoiceApplicationSid") or None
                if wanted is not None and wanted not in self._network.applications:
                    message = f"VoiceApplicationSid {wanted} is no application"
                    raise bad(errors.INVALID_APPLICATION, message)
                changes["voice_application_sid"] = wanted
            changed = dataclasses.replace(number, **changes)
            self._network.set_number(changed)
            return self._represent(changed)
