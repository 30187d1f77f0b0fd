"""Queues and their members."""

import re
from typing import Any

from flask import Blueprint, request

from simulator.call_queue import LARGEST_SIZE, SIZE_BY_REST, CallQueue, Member
from simulator.rest import errors, representation
from simulator.rest.door import Door, blueprint
from simulator.rest.errors import bad, not_found
from simulator.rest.forms import Form
from simulator.rest.pages import PAGING, page

QUEUE = frozenset({"FriendlyName", "MaxSize"})
DEQUEUE = frozenset({"Url", "Method"})
NAME_IS_TAKEN, QUEUE_IS_NOT_EMPTY = 22003, 22002


class Queues:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._network = door.network

    def routes(self) -> Blueprint:
        routes = blueprint("queues", self._door)
        path = "/<account_sid>/Queues"
        members = f"{path}/<queue_sid>/Members"
        for rule, view, method in (
            (f"{path}.json", self.create, "POST"),
            (f"{path}.json", self.list, "GET"),
            (f"{path}/<queue_sid>.json", self.fetch, "GET"),
            (f"{path}/<queue_sid>.json", self.update, "POST"),
            (f"{path}/<queue_sid>.json", self.delete, "DELETE"),
            (f"{members}.json", self.list_members, "GET"),
            (f"{members}/<call_sid>.json", self.fetch_member, "GET"),
            (f"{members}/<call_sid>.json", self.dequeue, "POST"),
        ):
            routes.add_url_rule(rule, view_func=view, methods=[method])
        return routes

    def _find(self, sid: str) -> CallQueue:
        queue = self._network.queues.get(sid)
        if queue is None:
            raise not_found(request.path)
        return queue

    def _represent(self, queue: CallQueue) -> dict[str, Any]:
        return representation.queue(queue, self._door.account_sid)

    def _name(self, form: Form) -> str | None:
        name = form.text("FriendlyName")
        if name is None:
            return None
        if not re.fullmatch(r".{1,64}", name):
            raise bad(errors.BAD_VALUE, "FriendlyName is 1 to 64 characters long")
        if any(queue.friendly_name == name for queue in self._network.queues.values()):
            raise bad(NAME_IS_TAKEN, f"there is a queue named {name}")
        return name

    def create(self, account_sid: str) -> tuple[dict[str, Any], int]:
        del account_sid
        form = Form(request.form, QUEUE)
        size = form.number("MaxSize", least=1, most=LARGEST_SIZE)
        with self._network.agenda.turn():
            name = self._name(form)
            if name is None:
                raise bad(errors.BAD_VALUE, "FriendlyName is required")
            return self._represent(
                self._network.new_queue(name, max_size=size or SIZE_BY_REST)
            ), 201

    def list(self, account_sid: str) -> dict[str, Any]:
        del account_sid
        Form(request.args, PAGING)
        with self._network.agenda.turn():
            return page(
                key="queues",
                rows=list(self._network.queues.values()),
                sid_of=lambda queue: queue.sid,
                represent=self._represent,
                path=request.path,
                query=request.args,
            )

    def fetch(self, account_sid: str, queue_sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            return self._represent(self._find(queue_sid))

    def update(self, account_sid: str, queue_sid: str) -> dict[str, Any]:
        del account_sid
        form = Form(request.form, QUEUE)
        size = form.number("MaxSize", least=1, most=LARGEST_SIZE)
        with self._network.agenda.turn():
            queue = self._find(queue_sid)
            if form.text("FriendlyName") != queue.friendly_name:
                queue.friendly_name = self._name(form) or queue.friendly_name
            queue.max_size = size or queue.max_size
            queue.updated_at = self._network.now()
            self._network.queue_changed(queue)
            return self._represent(queue)

    def delete(self, account_sid: str, queue_sid: str) -> tuple[str, int]:
        del account_sid
        with self._network.agenda.turn():
            queue = self._find(queue_sid)
            if queue.members:
                raise bad(QUEUE_IS_NOT_EMPTY, f"queue {queue.friendly_name} is not empty")
            self._network.delete_queue(queue)
            return "", 204

    # -- members

    def _member(self, queue_sid: str, call_sid: str) -> tuple[CallQueue, Member]:
        queue = self._find(queue_sid)
        member = queue.member_of(call_sid)
        if member is None:
            raise not_found(request.path)
        return queue, member

    def _represent_member(self, member: Member, queue: CallQueue) -> dict[str, Any]:
        now = self._network.now()
        return representation.member(member, queue, self._door.account_sid, now)

    def list_members(self, account_sid: str, queue_sid: str) -> dict[str, Any]:
        del account_sid
        Form(request.args, PAGING)
        with self._network.agenda.turn():
            queue = self._find(queue_sid)
            return page(
                key="queue_members",
                rows=list(queue.members),
                sid_of=lambda member: member.call.sid,
                represent=lambda member: self._represent_member(member, queue),
                path=request.path,
                query=request.args,
            )

    def fetch_member(self, account_sid: str, queue_sid: str, call_sid: str) -> dict[str, Any]:
        del account_sid
        with self._network.agenda.turn():
            queue, member = self._member(queue_sid, call_sid)
            return self._represent_member(member, queue)

    def dequeue(self, account_sid: str, queue_sid: str, call_sid: str) -> dict[str, Any]:
        """Take a member (or Front) out of the queue to follow the TwiML at Url."""
        del account_sid
        form = Form(request.form, DEQUEUE)
        with self._network.agenda.turn():
            queue, member = self._member(queue_sid, call_sid)
            document = form.document()
            if document is None:
                raise bad(errors.INVALID_URL, "Url is required")
            found = self._represent_member(member, queue)
            self._door.exchange.dequeue(member, document)
            return found
