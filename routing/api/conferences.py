"""A Task's conversation: who is in it, and what those who talk may do with it.

Ours, for desks: Twilio's TaskRouter has hold, mute and kick in its JavaScript SDK only, and neither
recording, keypad digits nor numbers outside. The engine's verbs do it all.
"""

from typing import Annotated, Any, Literal

import msgspec
from flask import Response
from msgspec import Meta

from routing.api.operations import Door, Resource, answer, created
from routing.api.parameters import Parameters, ReservationSid, Text
from routing.engine import conversations, outside, participants
from routing.engine.conversations import Conversation, Party
from routing.ports import Work

resource = Resource()
_CONFERENCE = "/Workspaces/<workspace_sid>/Tasks/<task_sid>/Conference"
_PARTICIPANTS = f"{_CONFERENCE}/Participants"


class UpdateTaskConference(Parameters, frozen=True, kw_only=True, rename="pascal"):
    status: Literal["completed"]


class RecordTaskConference(Parameters, frozen=True, kw_only=True, rename="pascal"):
    action: Literal["start", "pause", "resume", "stop"]
    pause_behavior: Literal["skip", "silence"] | None = None


class PressTaskConferenceKeys(Parameters, frozen=True, kw_only=True, rename="pascal"):
    digits: Annotated[
        str,
        Meta(pattern=r"^[0-9*#wW]{1,100}$(?!\n)", description="1 to 100 of 0-9, *, #, w and W"),
    ]
    #: The customer, or the SID of a participant outside.
    to: Text = participants.CUSTOMER


class CreateTaskConferenceParticipant(Parameters, frozen=True, kw_only=True, rename="pascal"):
    to: Text
    from_: Text | None = msgspec.field(default=None, name="From")
    #: Whose agent asks; may be left out where only one Worker has the Task.
    reservation_sid: ReservationSid | None = None
    mode: Literal["WARM", "COLD"] | None = None
    timeout: (
        Annotated[int, Meta(ge=outside.MIN_RING_SECONDS, le=outside.MAX_RING_SECONDS)] | None
    ) = None


class UpdateTaskConferenceParticipant(Parameters, frozen=True, kw_only=True, rename="pascal"):
    status: Literal["completed"]


@resource.operation("FetchTaskConference", "GET", _CONFERENCE, Parameters, is_extension=True)
def fetch(door: Door, _given: Parameters, workspace_sid: str, task_sid: str) -> Response:
    found = door.read(conversations.look, workspace_sid=workspace_sid, task_sid=task_sid)
    return answer(_conference(door, found.result, workspace_sid, task_sid))


@resource.operation(
    "UpdateTaskConference", "POST", _CONFERENCE, UpdateTaskConference, is_extension=True
)
def end(door: Door, _given: UpdateTaskConference, workspace_sid: str, task_sid: str) -> Response:
    return _do(door, participants.end_conference, workspace_sid, task_sid, {})


@resource.operation(
    "RecordTaskConference",
    "POST",
    f"{_CONFERENCE}/Recording",
    RecordTaskConference,
    is_extension=True,
)
def record(door: Door, given: RecordTaskConference, workspace_sid: str, task_sid: str) -> Response:
    return _do(door, participants.record, workspace_sid, task_sid, given.given())


@resource.operation(
    "PressTaskConferenceKeys",
    "POST",
    f"{_CONFERENCE}/Digits",
    PressTaskConferenceKeys,
    is_extension=True,
)
def press(
    door: Door, given: PressTaskConferenceKeys, workspace_sid: str, task_sid: str
) -> Response:
    return _do(door, outside.press, workspace_sid, task_sid, given.given())


def _do(
    door: Door, verb: Any, workspace_sid: str, task_sid: str, given: dict[str, Any]
) -> Response:
    """What was asked for is on its way to the network: the conversation as it is now."""
    done = door.perform(_done, verb, workspace_sid=workspace_sid, task_sid=task_sid, given=given)
    return answer(_conference(door, done.result, workspace_sid, task_sid))


def _done(
    work: Work, verb: Any, *, workspace_sid: str, task_sid: str, given: dict[str, Any]
) -> Conversation:
    verb(work, workspace_sid=workspace_sid, task_sid=task_sid, **given)
    return conversations.look(work, workspace_sid=workspace_sid, task_sid=task_sid)


@resource.operation(
    "CreateTaskConferenceParticipant",
    "POST",
    _PARTICIPANTS,
    CreateTaskConferenceParticipant,
    is_extension=True,
)
def add(
    door: Door, given: CreateTaskConferenceParticipant, workspace_sid: str, task_sid: str
) -> Response:
    asked = given.given()
    if "from" in asked:
        asked["from_address"] = asked.pop("from")
    done = door.perform(outside.add, workspace_sid=workspace_sid, task_sid=task_sid, **asked)
    party = conversations.outside_party(done.result)
    return created(_participant(door, party, workspace_sid, task_sid))


@resource.operation(
    "UpdateTaskConferenceParticipant",
    "POST",
    f"{_PARTICIPANTS}/<participant_sid>",
    UpdateTaskConferenceParticipant,
    is_extension=True,
)
def remove(
    door: Door,
    _given: UpdateTaskConferenceParticipant,
    workspace_sid: str,
    task_sid: str,
    participant_sid: str,
) -> Response:
    done = door.perform(
        outside.remove,
        workspace_sid=workspace_sid,
        task_sid=task_sid,
        participant_sid=participant_sid,
    )
    party = conversations.outside_party(done.result)
    return answer(_participant(door, party, workspace_sid, task_sid))


def _conference(
    door: Door, found: Conversation, workspace_sid: str, task_sid: str
) -> dict[str, Any]:
    return {
        "account_sid": door.settings.account_sid,
        "workspace_sid": workspace_sid,
        "task_sid": task_sid,
        "sid": found.conference_sid,
        "recording": found.recording,
        "participants": [
            _participant(door, party, workspace_sid, task_sid) for party in found.parties
        ],
        "url": _url(door, workspace_sid, task_sid),
    }


def _participant(door: Door, party: Party, workspace_sid: str, task_sid: str) -> dict[str, Any]:
    url = None
    if party.sid is not None:
        url = f"{_url(door, workspace_sid, task_sid)}/Participants/{party.sid}"
    return {
        "kind": party.kind,
        "sid": party.sid,
        "call_sid": party.call_sid,
        "to": party.to,
        "status": party.status,
        "worker_sid": party.worker_sid,
        "reservation_sid": party.reservation_sid,
        "hold": party.is_on_hold,
        "muted": party.is_muted,
        "url": url,
    }


def _url(door: Door, workspace_sid: str, task_sid: str) -> str:
    return f"{door.represent.base}/Workspaces/{workspace_sid}/Tasks/{task_sid}/Conference"
