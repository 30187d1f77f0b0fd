"""TwiML applications: create, list, fetch, update, delete."""

import dataclasses
from typing import Any

from flask import Blueprint, request

from simulator.application import Application
from simulator.rest import representation
from simulator.rest.door import Door, blueprint
from simulator.rest.errors import not_found
from simulator.rest.forms import Form, where_calls_lead
from simulator.rest.pages import PAGING, page

FIELDS = frozenset({
    "FriendlyName", "VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "VoiceFallbackMethod",
    "StatusCallback", "StatusCallbackMethod", "VoiceCallerIdLookup",
})  # fmt: skip


class Applications:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._network = door.network

    def routes(self) -> Blueprint:
        routes = blueprint("applications", self._door)
        path = "/<account_sid>/Applications"
        for rule, view, method in (
            (f"{path}.json", self.create, "POST"),
            (f"{path}.json", self.list, "GET"),
            (f"{path}/<sid>.json", self.fetch, "GET"),
            (f"{path}/<sid>.json", self.update, "POST"),
            (f"{path}/<sid>.json", self.delete, "DELETE"),
        ):
            routes.add_url_rule(rule, view_func=view, methods=[method])
        return routes

    def _find(self, sid: str) -> Application:
        found = self._network.applications.get(sid)
        if found is None:
            raise not_found(request.path)
        return found

    def _represent(self, one: Application) -> dict[str, Any]:
        return representation.application(one, self._door.account_sid)

    def create(self, account_sid: str) -> tuple[dict[str, Any], int]:
        del account_sid
        fields = where_calls_lead(Form(request.form, FIELDS))
        with self._network.agenda.turn():
            now, sid = self._network.now(), self._network.new_sid("AP")
            made = Application(sid=sid, created_at=now, updated_at=now, **fields)
            self._network.applications[sid] = made
            return self._represent(made), 201

    def list(self, account_sid: str) -> dict[str, Any]:
        del account_sid
        name = Form(request.args, ("FriendlyName", *PAGING)).text("FriendlyName")
        with self._network.agenda.turn():
            return page(
                key="applications",
                rows=[
                    one
                    for one in self._network.applications.values()
                    if name in (None, one.friendly_name)
                ],
                sid_of=lambda one: one.sid,
                represent=self._represent,
                path=request.path,
                query=request.args,
            )

    def fetch(self, account_sid: str, sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return self._represent(self._find(sid))

    def update(self, account_sid: str, sid: str) -> dict[str, Any]:
        """Where calls through it lead from now on."""
        del account_sid
        fields = where_calls_lead(Form(request.form, FIELDS))
        with self._network.agenda.turn():
            now = self._network.now()
            changed = dataclasses.replace(self._find(sid), updated_at=now, **fields)
            self._network.applications[sid] = changed
            return self._represent(changed)

    def delete(self, account_sid: str, sid: str) -> tuple[str, int]:
        """Numbers that lead to it lead nowhere then, as their owner will hear."""
        del account_sid
        with self._network.agenda.turn():
            del self._network.applications[self._find(sid).sid]
            return "", 204
