"""Instructions as they are given: every parameter checked, every refusal with Twilio's code."""

import json
from typing import Any

import pytest

from routing.engine import giving, instructions, outside, participants, transfers
from routing.errors import InvalidParameter, NotFound, PreconditionFailed, RoutingError
from routing.ports import Work
from routing.reservation import Reservation
from tests.routing.centre import Centre

CALL = "CA" + "1" * 32
OTHER_CALL = "CA" + "2" * 32
CONFERENCE = "CF" + "3" * 32
URL = "https://example.com/voice"

WRONG: list[tuple[str, dict[str, object], int]] = [
    ("reject", {"activity_sid": "WA" + "0" * 32}, 40100),
    ("call", {"from": "+15550001111", "url": URL, "to": "alice"}, 40110),
    ("call", {"url": URL}, 40111),
    ("call", {"from": "0123", "url": URL}, 40111),
    ("call", {"from": "+15550001111"}, 40112),
    ("call", {"from": "+15550001111", "url": "/relative"}, 40112),
    ("call", {"from": "+15550001111", "url": URL, "status_callback_url": "x"}, 40158),
    ("redirect", {"call_sid": CALL}, 40120),
    ("redirect", {"url": URL}, 40121),
    ("redirect", {"url": URL, "call_sid": "CA1"}, 40121),
    ("dequeue", {"post_work_activity_sid": "WA" + "0" * 32}, 40130),
    ("dequeue", {"to": "alice"}, 40131),
    ("dequeue", {"from": "anonymous"}, 40132),
    ("dequeue", {"status_callback_events": "ringing,sleeping"}, 40134),
    ("dequeue", {"status_callback_url": "nowhere"}, 40157),
    ("dequeue", {}, 40140),
    ("conference", {"to": "0049123"}, 40137),
    ("conference", {"from": "anonymous"}, 40141),
    ("conference", {"post_work_activity_sid": "WA" + "0" * 32}, 40139),
    ("conference", {"status_callback": "nowhere"}, 40159),
    ("supervise", {}, 40146),
    ("dance", {}, 55555),
]


def give(centre: Centre, offer: Reservation, instruction: str, **given: object) -> Reservation:
    return centre.engine.perform(
        giving.give, reservation_sid=offer.sid, instruction=instruction, parameters=given
    )


def learned(centre: Centre, instruction_sid: str, **columns: object) -> None:
    def remember(work: Work) -> None:
        instructions.progress(work, instruction_sid=instruction_sid, **columns)

    centre.engine.perform(remember)


def offered(centre: Centre, **attributes: object) -> Reservation:
    centre.add_worker("Alice", contact_uri="client:alice")
    return centre.offer(centre.add_task(**attributes))  # type: ignore[arg-type]  # attributes are anything


@pytest.mark.parametrize(("instruction", "given", "code"), WRONG)
def test_what_can_be_seen_to_be_wrong_is_refused_with_its_code_and_changes_nothing(
    centre: Centre, instruction: str, given: dict[str, object], code: int
) -> None:
    offer = offered(centre)
    before = centre.picture()
    with pytest.raises(RoutingError) as refused:
        give(centre, offer, instruction, **given)
    assert refused.value.code == code
    assert centre.picture() == before


@pytest.mark.parametrize(
    ("instruction", "given", "code"),
    [
        ("call", {"from": "+15550001111", "url": URL}, 40114),
        ("redirect", {"url": URL, "call_sid": CALL}, 40123),
        ("dequeue", {}, 40135),
        ("conference", {}, 40136),
    ],
)
def test_an_offer_that_is_over_takes_no_instruction(
    centre: Centre, instruction: str, given: dict[str, object], code: int
) -> None:
    offer = offered(centre, call_sid=CALL)
    centre.answer("reject", offer.sid, worker_activity_sid=centre.activity("Offline"))
    with pytest.raises(RoutingError) as refused:
        give(centre, offer, instruction, **given)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("instruction", "given"),
    [
        ("call", {"from": "+15550001111", "url": URL}),
        ("redirect", {"url": URL, "call_sid": CALL}),
        ("dequeue", {}),
    ],
)
def test_whom_a_task_is_handed_on_to_may_not_take_it_by_every_instruction(
    centre: Centre, instruction: str, given: dict[str, object]
) -> None:
    first = offered(centre, call_sid=CALL)
    centre.answer("accept", first.sid)
    bob = centre.add_worker("Bob")
    centre.engine.perform(
        transfers.initiate,
        workspace_sid=centre.workspace_sid,
        task_sid=first.task_sid,
        reservation_sid=first.sid,
        to=bob,
    )
    [offer] = [each for each in centre.reservations(first.task_sid) if each.worker_sid == bob]
    with pytest.raises(RoutingError) as refused:
        give(centre, offer, instruction, **given)
    assert refused.value.code == 40151


def test_accept_and_reject_are_what_they_are_elsewhere(centre: Centre) -> None:
    offer = offered(centre)
    away = centre.activity("Offline")
    assert give(centre, offer, "reject", activity_sid=away).reservation_status == "rejected"
    assert centre.activity_of(offer.worker_sid) == "Offline"
    centre.move(offer.worker_sid, "Available")
    assert give(centre, centre.offer(offer.task_sid), "accept").reservation_status == "accepted"


@pytest.mark.parametrize("accept", [True, False, "true"])
def test_a_call_accepts_the_reservation_only_where_it_says_so(
    centre: Centre, accept: object
) -> None:
    offer = offered(centre)
    give(centre, offer, "call", **{"from": "+15550001111", "url": URL, "accept": accept})
    wished = str(accept).lower() == "true"
    assert (centre.reservation(offer.sid).due_at is None) == wished, "the timer stands still"
    row = centre.instruction(offer.sid)
    assert (row.kind, json.loads(row.parameters)["url"]) == ("call", URL)
    learned(centre, row.sid, worker_call_sid=OTHER_CALL)
    centre.engine.perform(instructions.succeed, instruction_sid=row.sid)
    status = centre.reservation(offer.sid).reservation_status
    assert status == ("accepted" if wished else "pending")
    attributes = json.loads(centre.task(offer.task_sid).attributes)
    assert attributes["worker_call_sid"] == OTHER_CALL


def test_a_dequeue_that_fails_cancels_the_reservation_and_tells_why(centre: Centre) -> None:
    offer = offered(centre, call_sid=CALL)
    give(centre, offer, "dequeue", timeout=20, record="record-from-answer")
    row = centre.instruction(offer.sid)
    centre.engine.perform(
        instructions.fail, instruction_sid=row.sid, failure="40133: the call failed"
    )
    assert centre.story(offer.sid) == [
        "reservation.created",
        "reservation.failed",
        "reservation.canceled",
    ]
    event = next(
        each
        for each in centre.store.event_log("story").read(10_000)
        if each.type == "reservation.failed"
    )
    assert event.carried["failure"] == "40133: the call failed"
    assert event.carried["instruction"] == "dequeue"
    assert centre.activity_of(offer.worker_sid) == "Offline"


def test_a_redirect_that_fails_leaves_an_offer_that_it_was_not_to_accept(centre: Centre) -> None:
    offer = offered(centre)
    give(centre, offer, "redirect", call_sid=CALL, url=URL)
    centre.engine.perform(
        instructions.fail,
        instruction_sid=centre.instruction(offer.sid).sid,
        failure="40122: the call is not in progress",
    )
    assert centre.reservation(offer.sid).reservation_status == "pending"
    assert "reservation.failed" in centre.story(offer.sid)
    give(centre, offer, "redirect", call_sid=OTHER_CALL, url=URL)  # and may be given anew


def test_a_reservation_gets_one_call_at_a_time(centre: Centre) -> None:
    offer = offered(centre, call_sid=CALL)
    give(centre, offer, "dequeue")
    give(centre, offer, "conference")
    found = centre.engine.read(lambda work: work.instructions.find(reservation_sid=offer.sid))
    assert [each.kind for each in found] == ["dequeue"]


def test_a_refusal_that_nobody_hears_can_be_told_in_the_log(centre: Centre) -> None:
    offer = offered(centre)
    error = giving.Refused(40112, "Invalid 'url'")
    centre.engine.perform(
        giving.tell_refusal, reservation_sid=offer.sid, instruction="call", error=error
    )
    assert centre.story(offer.sid)[-1] == "reservation.failed"
    assert centre.reservation(offer.sid).reservation_status == "pending"


def test_an_instruction_may_ask_for_a_version(centre: Centre) -> None:
    offer = offered(centre)
    with pytest.raises(PreconditionFailed):
        centre.engine.perform(
            giving.give,
            reservation_sid=offer.sid,
            instruction="call",
            parameters={"from": "+15550001111", "url": URL},
            if_match=7,
        )


# ---- those who talk ------------------------------------------------------------------------------


def talking(centre: Centre) -> Reservation:
    """Alice talks to a caller in a conference."""
    offer = offered(centre, call_sid=CALL)
    give(centre, offer, "conference")
    row = centre.instruction(offer.sid)
    learned(
        centre,
        row.sid,
        worker_call_sid=OTHER_CALL,
        customer_call_sid=CALL,
        conference_sid=CONFERENCE,
    )
    centre.engine.perform(instructions.succeed, instruction_sid=row.sid)
    return centre.reservation(offer.sid)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 40147),
        ({"supervisor": "WK" + "0" * 32}, 40147),
        ({"supervisor": "boss", "supervisor_mode": "shout"}, 55555),
        ({"supervisor": "boss", "from": "anonymous"}, 40148),
    ],
)
def test_a_supervisor_must_be_one_who_can_be_called(
    centre: Centre, given: dict[str, object], code: int
) -> None:
    talk = talking(centre)
    boss = centre.add_worker("Boss", activity="Offline", contact_uri="client:boss")
    if given.get("supervisor") == "boss":
        given = given | {"supervisor": boss}
    with pytest.raises(RoutingError) as refused:
        give(centre, talk, "supervise", **given)
    assert refused.value.code == code


@pytest.mark.parametrize("mode", giving.SUPERVISOR_MODES)
def test_a_supervisor_listens_in(centre: Centre, mode: str) -> None:
    talk = talking(centre)
    boss = centre.add_worker("Boss", activity="Offline", contact_uri="client:boss")
    give(centre, talk, "supervise", supervisor=boss, supervisor_mode=mode)
    found = centre.engine.read(lambda work: work.instructions.find(kind="supervise"))
    assert json.loads(found[0].parameters) == {"supervisor": boss, "supervisor_mode": mode}


def test_nobody_is_supervised_without_a_conference(centre: Centre) -> None:
    offer = offered(centre)
    centre.answer("accept", offer.sid)
    boss = centre.add_worker("Boss", activity="Offline", contact_uri="client:boss")
    with pytest.raises(RoutingError) as refused:
        give(centre, offer, "supervise", supervisor=boss)
    assert refused.value.code == 40149


def test_the_last_word_on_a_hold_counts(centre: Centre) -> None:
    talk = talking(centre)
    for hold in (True, False):
        centre.engine.perform(
            participants.hold_customer,
            workspace_sid=centre.workspace_sid,
            task_sid=talk.task_sid,
            hold=hold,
        )
        centre.clock.advance(0.001)  # two wishes of one instant have no order
    rows = centre.engine.read(lambda work: work.instructions.find(kind=participants.HOLD))
    assert [(json.loads(each.parameters)["hold"], each.state) for each in rows] == [
        (True, "failed"),
        (False, "requested"),
    ]


def test_those_who_talk_leave_instructions_of_their_own_kinds(centre: Centre) -> None:
    talk = talking(centre)
    here: dict[str, Any] = {"workspace_sid": centre.workspace_sid}
    perform, task = centre.engine.perform, talk.task_sid
    perform(participants.hold_worker, **here, task_sid=task, worker_sid=talk.worker_sid, hold=True)
    perform(participants.change_worker, **here, reservation_sid=talk.sid, mute=True)
    perform(participants.change_worker, **here, reservation_sid=talk.sid, beep_on_exit=True)
    perform(participants.record, **here, task_sid=task, action="pause", pause_behavior="silence")
    perform(outside.press, **here, task_sid=task, digits="1#")
    perform(participants.kick_worker, **here, task_sid=task, worker_sid=talk.worker_sid)
    perform(participants.end_conference, **here, task_sid=task)
    rows = centre.engine.read(lambda work: work.instructions.find(kind=participants.KINDS))
    live = [each for each in rows if each.state == "requested"]
    assert {each.kind for each in live} == participants.KINDS
    changed = next(each for each in live if each.kind == participants.PARTICIPANT)
    assert json.loads(changed.parameters)["muted"] is True, "both wishes are carried out"
    assert json.loads(changed.parameters)["beep_on_exit"] is True


def test_nothing_can_be_done_to_a_conversation_that_there_is_not(centre: Centre) -> None:
    offer = offered(centre)
    here = {"workspace_sid": centre.workspace_sid, "task_sid": offer.task_sid}
    with pytest.raises(participants.NoConference):
        centre.engine.perform(participants.hold_customer, **here, hold=True)
    with pytest.raises(InvalidParameter, match="TargetWorkerSid"):
        centre.engine.perform(participants.kick_worker, **here, worker_sid="WK" + "0" * 32)
    with pytest.raises(InvalidParameter, match="Action"):
        centre.engine.perform(participants.record, **here, action="whisper")
    with pytest.raises(InvalidParameter, match="Mute"):
        centre.engine.perform(
            participants.change_worker,
            workspace_sid=centre.workspace_sid,
            reservation_sid=offer.sid,
        )
    with pytest.raises(NotFound):
        centre.engine.perform(
            participants.end_conference,
            workspace_sid=centre.workspace_sid,
            task_sid="WT" + "0" * 32,
        )


def test_a_colleague_who_came_by_transfer_can_be_put_on_hold_too(centre: Centre) -> None:
    talk = talking(centre)
    bob = centre.add_worker("Bob", contact_uri="client:bob")
    centre.engine.perform(
        transfers.initiate,
        workspace_sid=centre.workspace_sid,
        task_sid=talk.task_sid,
        reservation_sid=talk.sid,
        to=bob,
    )
    with pytest.raises(InvalidParameter, match="TargetWorkerSid"):
        centre.engine.perform(
            participants.hold_worker,
            workspace_sid=centre.workspace_sid,
            task_sid=talk.task_sid,
            worker_sid=bob,
            hold=True,
        )
