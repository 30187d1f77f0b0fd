"""The simulator against Twilio's own description of its voice API, operation by operation.

Every answer that the official client gets in any test of this room is held against it, too (town).
"""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from twilio.rest import Client

from tests.openapi import voice
from tests.simulator.application import TOKEN, Application
from tests.simulator.town import ACCOUNT, LINE, Town

PREFIX = "/2010-04-01/Accounts/"
NO_DOCUMENT = f"NO DESCRIPTION: {voice.path} is not there; set OPENAPI_VOICE to the document"

needs_document = pytest.mark.skipif(voice.document is None, reason=NO_DOCUMENT)


@pytest.mark.skipif(not os.environ.get("CI"), reason="only where nobody looks at what was skipped")
def test_the_description_is_there_where_nobody_looks_at_what_was_skipped() -> None:
    assert voice.document is not None, NO_DOCUMENT


class Scene:
    """Everything that there is an operation for."""

    def __init__(self, town: Town, application: Application) -> None:
        application.says("/voice", "<Enqueue>line</Enqueue>")
        application.says("/next", "<Dial><Conference>x</Conference></Dial>")
        application.says("/music", "<Play>music.mp3</Play>")
        self.client: Client = town.client
        self.url = application.url
        self.caller = town.dial()
        self.queue = self.client.queues.list()[0].sid
        self.number = self.client.incoming_phone_numbers.list()[0].sid
        town.phone("client:ann", "answer", 0)
        people = self.client.conferences("room").participants
        ann = people.create(from_=LINE, to="client:ann", label="ann", conference_record="true")
        people.create(from_=LINE, to="client:bob")
        town.wait(1)
        self.room, self.ann = ann.conference_sid, ann.call_sid
        self.of_room = self.client.conferences(self.room).recordings.list()[0].sid
        self.of_call = self.client.calls(self.ann).recordings.create().sid
        self.over = town.dial(to=LINE)
        town.wait(2)
        self.old = self.client.calls(self.over).recordings.create().sid
        self.old_too = self.client.calls(self.over).recordings.create().sid
        town.hang_up(self.over)
        self.telephones = self.client.applications.create(friendly_name="telephones").sid
        self.empty = self.client.queues.create(friendly_name="empty").sid
        town.wait(5)


Use = Callable[[Scene, Client], Any]

#: Every operation of the simulator's REST door, by Twilio's own name for it. What is deleted comes
#: last, and none needs what another has made.
OPERATIONS: dict[str, Use] = {
    "FetchAccount": lambda _, c: c.api.accounts(ACCOUNT).fetch(),
    "ListIncomingPhoneNumber": lambda _, c: c.incoming_phone_numbers.list(phone_number=LINE),
    "FetchIncomingPhoneNumber": lambda s, c: c.incoming_phone_numbers(s.number).fetch(),
    "UpdateIncomingPhoneNumber": lambda s, c: c.incoming_phone_numbers(s.number).update(
        voice_url=s.url("/voice"), voice_method="GET", status_callback=""
    ),
    "CreateApplication": lambda _, c: c.applications.create(friendly_name="new"),
    "ListApplication": lambda _, c: c.applications.list(),
    "FetchApplication": lambda s, c: c.applications(s.telephones).fetch(),
    "UpdateApplication": lambda s, c: c.applications(s.telephones).update(voice_method="GET"),
    "CreateCall": lambda s, c: c.calls.create(from_=LINE, to="client:eve", url=s.url("/music")),
    "ListCall": lambda _, c: c.calls.list(status="in-progress", limit=1),
    "FetchCall": lambda s, c: c.calls(s.caller).fetch(),
    "UpdateCall": lambda s, c: c.calls(s.caller).update(time_limit=600),
    "ListQueue": lambda _, c: c.queues.list(),
    "CreateQueue": lambda _, c: c.queues.create(friendly_name="new", max_size=7),
    "FetchQueue": lambda s, c: c.queues(s.queue).fetch(),
    "UpdateQueue": lambda s, c: c.queues(s.queue).update(max_size=9),
    "ListMember": lambda s, c: c.queues(s.queue).members.list(),
    "FetchMember": lambda s, c: c.queues(s.queue).members("Front").fetch(),
    "ListConference": lambda _, c: c.conferences.list(friendly_name="room"),
    "FetchConference": lambda s, c: c.conferences(s.room).fetch(),
    "ListParticipant": lambda s, c: c.conferences(s.room).participants.list(),
    "CreateParticipant": lambda s, c: c.conferences(s.room).participants.create(
        from_=LINE, to="client:carl"
    ),
    "FetchParticipant": lambda s, c: c.conferences(s.room).participants("ann").fetch(),
    "UpdateParticipant": lambda s, c: c.conferences(s.room).participants(s.ann).update(hold=True),
    "ListRecording": lambda s, c: c.recordings.list(call_sid=s.ann),
    "FetchRecording": lambda s, c: c.recordings(s.of_call).fetch(),
    "ListConferenceRecording": lambda s, c: c.conferences(s.room).recordings.list(),
    "FetchConferenceRecording": lambda s, c: c.conferences(s.room).recordings(s.of_room).fetch(),
    "UpdateConferenceRecording": lambda s, c: (
        c.conferences(s.room).recordings("Twilio.CURRENT").update(status="paused")
    ),
    "CreateCallRecording": lambda s, c: c.calls(s.caller).recordings.create(),
    "ListCallRecording": lambda s, c: c.calls(s.ann).recordings.list(),
    "FetchCallRecording": lambda s, c: c.calls(s.ann).recordings(s.of_call).fetch(),
    "UpdateCallRecording": lambda s, c: (
        c.calls(s.ann).recordings(s.of_call).update(status="stopped")
    ),
    "UpdateMember": lambda s, c: c.queues(s.queue).members(s.caller).update(url=s.url("/next")),
    "DeleteParticipant": lambda s, c: c.conferences(s.room).participants("ann").delete(),
    "UpdateConference": lambda s, c: c.conferences(s.room).update(status="completed"),
    "DeleteCallRecording": lambda s, c: c.calls(s.over).recordings(s.old).delete(),
    "DeleteRecording": lambda s, c: c.recordings(s.old_too).delete(),
    "DeleteQueue": lambda s, c: c.queues(s.empty).delete(),
    "DeleteApplication": lambda s, c: c.applications(s.telephones).delete(),
    "DeleteCall": lambda s, c: c.calls(s.over).delete(),
}

#: Deleted by their room; tried in the test of recordings.
ELSEWHERE = {"DeleteConferenceRecording"}


def test_the_official_client_makes_every_call_of_the_door(
    town: Town, application: Application
) -> None:
    scene = Scene(town, application)
    for name, use in OPERATIONS.items():
        assert use(scene, scene.client) is not None, name


@needs_document
def test_the_door_offers_what_the_table_names_and_nothing_that_is_not_described(
    town: Town,
) -> None:
    described = {
        (method, re.sub(r"\{\w+\}", "*", path)): name
        for name, (method, path) in voice.operations.items()
    }
    offered = set()
    for rule in town.simulator.app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX):
            path = re.sub(r"<\w+>", "*", rule.rule)
            for method in (rule.methods or set()) & {"GET", "POST", "DELETE"}:
                offered.add(described[method, path])
    assert offered == set(OPERATIONS) | ELSEWHERE


@needs_document
def test_every_parameter_that_twilio_describes_is_known(town: Town) -> None:
    """Known means: done as described, or refused by its name. Nothing is passed over in silence."""
    client = town.simulator.app.test_client()
    for name in OPERATIONS:
        method, path = voice.operations[name]
        address = path.replace("{Sid}.json", f"{ACCOUNT}.json") if name == "FetchAccount" else path
        address = re.sub(r"\{\w+\}", "XX", address.replace("{AccountSid}", ACCOUNT))
        for parameter in voice.parameters_of(method, path):
            sent = {parameter: "?"}
            answer = client.open(
                address,
                method=method,
                query_string=sent if method == "GET" else None,
                data=sent if method == "POST" else None,
                auth=(ACCOUNT, TOKEN),
            )
            assert "Unknown parameter" not in answer.text, f"{name} {parameter}: {answer.text}"


def test_what_twilio_does_not_describe_is_refused_with_what_it_does(town: Town) -> None:
    answer = requests.post(
        f"{town.simulator.url}{PREFIX}{ACCOUNT}/Calls.json",
        {"To": "client:x", "From": LINE, "Colour": "blue"},
        auth=(ACCOUNT, TOKEN),
        timeout=20,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
    assert "Unknown parameter Colour" in answer.json()["message"]
    assert "StatusCallbackEvent" in answer.json()["message"]
