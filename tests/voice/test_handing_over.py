"""A call is handed on, held, muted, listened to: nobody is dropped, and nobody waits in silence."""

import json
from typing import Any

import pytest

from routing.engine import giving, participants, transfers
from tests.voice.exchange import FakeCall
from tests.voice.office import Office, heard
from voice.phone_line import Unreachable

URL = "https://elsewhere.example.com/document"


class Talk:
    """Alice talks to a caller; Bob is a colleague."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.call, self.alice_leg, self.alice = office.bridge()
        self.bob = office.centre.add_worker("Bob", contact_uri="client:bob")
        self.first = office.centre.reservations(office.task_sid(self.call))[0]

    def perform(self, verb: Any, **columns: Any) -> Any:
        done = self.office.centre.engine.perform(
            verb, workspace_sid=self.office.centre.workspace_sid, **columns
        )
        self.office.settle()
        return done

    def hand_on(self, mode: str, to: str | None = None) -> str:
        transfer = self.perform(
            transfers.initiate,
            task_sid=self.office.task_sid(self.call),
            reservation_sid=self.first.sid,
            to=to or self.bob,
            mode=mode,
        )
        return str(transfer.sid)

    def bobs_offer(self) -> str:
        return next(
            each.sid
            for each in self.office.centre.reservations(self.office.task_sid(self.call))
            if each.worker_sid == self.bob and each.reservation_status == "pending"
        )

    def bob_accepts(self) -> FakeCall:
        self.office.centre.answer("accept", self.bobs_offer())
        self.office.settle()
        return self.office.line.leg_to("client:bob")

    def bob_picks_up(self) -> FakeCall:
        leg = self.bob_accepts()
        self.office.line.pick_up(leg)
        self.office.settle()
        return leg

    def hang_up(self, leg: FakeCall) -> None:
        self.office.line.end(leg)
        self.office.settle()

    def statuses(self) -> list[str]:
        return self.office.reservation_statuses(self.call)

    def waits(self) -> bool:
        """Does the caller hear the queue's music?"""
        return self.call.is_live and self.call.queue_action is not None

    def give(self, instruction: str, **given: object) -> None:
        self.office.centre.engine.perform(
            giving.give,
            reservation_sid=self.first.sid,
            instruction=instruction,
            parameters=given,
        )
        self.office.settle()


@pytest.fixture
def talk(small_office: Office) -> Talk:
    return Talk(small_office)


# ---- transfers -----------------------------------------------------------------------------------


def test_a_warm_transfer_brings_three_together_and_leaves_the_second_agent_with_the_caller(
    talk: Talk,
) -> None:
    office = talk.office
    talk.hand_on("WARM")
    bob = talk.bob_picks_up()
    assert office.are_together(talk.call, bob)
    assert office.are_together(talk.call, talk.alice_leg)
    talk.hang_up(talk.alice_leg)
    assert office.are_together(talk.call, bob)
    assert talk.statuses() == ["wrapping", "accepted"]
    assert office.task_status(talk.call) == "assigned"
    talk.hang_up(bob)
    assert heard(talk.call).endswith(office.flow.ended)
    assert office.line.live_calls() == []
    assert office.task_status(talk.call) == "wrapping"
    office.centre.complete(office.task_sid(talk.call))
    assert office.assigned(talk.alice) == office.assigned(talk.bob) == 0


def test_a_caller_who_hangs_up_among_three_ends_it_for_all(talk: Talk) -> None:
    talk.hand_on("WARM")
    talk.bob_picks_up()
    talk.hang_up(talk.call)
    talk.office.pass_time(10)
    assert talk.statuses() == ["wrapping", "wrapping"]
    assert talk.office.line.live_calls() == []


def test_a_cold_transfer_gives_the_caller_music_until_the_second_agent_answers(
    talk: Talk,
) -> None:
    office = talk.office
    talk.hand_on("COLD")
    assert not talk.alice_leg.is_live
    assert talk.waits()
    assert talk.statuses() == ["wrapping", "pending"]
    bob = talk.bob_picks_up()
    assert office.are_together(talk.call, bob)
    assert office.task_status(talk.call) == "assigned"
    talk.hang_up(talk.call)
    assert talk.statuses() == ["wrapping", "wrapping"]
    assert office.line.live_calls() == []


def test_a_colleague_who_declines_leaves_the_caller_with_the_first_agent(talk: Talk) -> None:
    office = talk.office
    talk.hand_on("WARM")
    office.centre.answer(
        "reject", talk.bobs_offer(), worker_activity_sid=office.centre.activity("Offline")
    )
    office.settle()
    assert office.are_together(talk.call, talk.alice_leg)
    assert talk.statuses() == ["accepted", "rejected"]
    talk.hang_up(talk.alice_leg)
    assert office.task_status(talk.call) == "wrapping"
    assert office.line.live_calls() == []


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed"])
def test_a_colleague_whose_phone_fails_leaves_the_caller_with_the_first_agent(
    talk: Talk, status: str
) -> None:
    office = talk.office
    talk.hand_on("WARM")
    leg = talk.bob_accepts()
    office.line.end(leg, status)
    office.settle()
    assert office.are_together(talk.call, talk.alice_leg)
    assert office.task_status(talk.call) == "assigned"
    assert talk.statuses() == ["accepted", "canceled"]
    talk.hang_up(talk.alice_leg)
    assert office.task_status(talk.call) == "wrapping"
    assert heard(talk.call).endswith(office.flow.ended)
    assert office.line.live_calls() == []


def test_a_cold_transfer_whose_colleague_does_not_answer_goes_back_in_line(talk: Talk) -> None:
    office = talk.office
    carol = office.centre.add_worker("Carol", activity="Offline", contact_uri="client:carol")
    talk.hand_on("COLD")
    leg = talk.bob_accepts()
    office.line.end(leg, "no-answer")
    office.settle()
    assert talk.waits()
    assert office.task_status(talk.call) == "pending"
    office.centre.move(carol, "Available")
    office.centre.accept_pending(office.task_sid(talk.call))
    office.settle()
    office.line.pick_up(office.line.leg_to("client:carol"))
    office.settle()
    assert office.are_together(talk.call, office.line.leg_to("client:carol"))


def test_a_first_agent_who_hangs_up_while_the_second_rings_leaves_the_caller_with_music(
    talk: Talk,
) -> None:
    office = talk.office
    talk.hand_on("WARM")
    leg = talk.bob_accepts()
    talk.hang_up(talk.alice_leg)
    assert talk.waits()
    assert office.task_status(talk.call) == "assigned"
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(talk.call, leg)
    assert talk.statuses() == ["wrapping", "accepted"]


def test_a_caller_who_hangs_up_while_a_colleague_is_asked_stops_that(talk: Talk) -> None:
    office = talk.office
    talk.hand_on("WARM")
    talk.hang_up(talk.call)
    office.pass_time(10)
    assert talk.statuses() == ["wrapping", "canceled"]
    assert office.task_status(talk.call) == "wrapping"
    assert office.line.live_calls() == []
    assert office.assigned(talk.bob) == 0


def test_a_caller_who_hangs_up_while_waiting_for_the_second_agent_cancels_the_task(
    talk: Talk,
) -> None:
    office = talk.office
    talk.hand_on("COLD")
    talk.hang_up(talk.call)
    task = office.centre.task(office.task_sid(talk.call))
    assert (task.assignment_status, task.reason) == ("canceled", "hangup")
    assert talk.statuses() == ["wrapping", "canceled"]
    office.centre.answer("complete", talk.first.sid)
    assert office.assigned(talk.alice) == office.assigned(talk.bob) == 0


def test_a_transfer_to_a_queue_finds_somebody_there(talk: Talk) -> None:
    office = talk.office
    experts = office.centre.add_queue("Experts", "expert == true")
    talk.hand_on("WARM", experts)
    assert office.task_status(talk.call) == "assigned"
    office.centre.add_worker("Carol", expert=True, contact_uri="client:carol")
    office.centre.route()
    office.centre.accept_pending(office.task_sid(talk.call))
    office.settle()
    carol = office.line.leg_to("client:carol")
    office.line.pick_up(carol)
    office.settle()
    assert office.are_together(talk.call, carol)
    assert office.are_together(talk.call, talk.alice_leg)


def test_a_conference_instruction_serves_a_transfer_too(talk: Talk) -> None:
    office = talk.office
    talk.hand_on("WARM")
    office.centre.engine.perform(
        giving.give, reservation_sid=talk.bobs_offer(), instruction="conference", parameters={}
    )
    office.settle()
    leg = office.line.leg_to("client:bob")
    assert talk.statuses() == ["accepted", "pending"]
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(talk.call, leg)
    assert talk.statuses() == ["accepted", "accepted"]


# ---- hold, mute, kick, record, end ---------------------------------------------------------------


def test_a_caller_on_hold_hears_the_flows_music_until_fetched_back(talk: Talk) -> None:
    task = talk.office.task_sid(talk.call)
    talk.perform(participants.hold_customer, task_sid=task, hold=True)
    assert talk.call.part["hold"] is True
    path = str(talk.call.part["hold_url"]).removeprefix("https://calls.example.com")
    assert (
        talk.office.flow.hold_announcement
        in talk.office.post(path, {"CallSid": talk.call.sid}).text
    )
    talk.perform(participants.hold_customer, task_sid=task, hold=False)
    assert talk.call.part["hold"] is False


def test_hold_music_may_be_somebodys_own(talk: Talk) -> None:
    talk.perform(
        participants.hold_worker,
        task_sid=talk.office.task_sid(talk.call),
        worker_sid=talk.alice,
        hold=True,
        hold_url=URL,
        hold_method="GET",
    )
    assert (talk.alice_leg.part["hold_url"], talk.alice_leg.part["hold_method"]) == (URL, "GET")


def test_an_agent_is_muted_and_heard_again(talk: Talk) -> None:
    for mute in (True, False):
        talk.perform(participants.change_worker, reservation_sid=talk.first.sid, mute=mute)
        assert talk.alice_leg.part["muted"] is mute


def test_a_hold_that_twilio_could_not_take_is_repeated(talk: Talk) -> None:
    talk.office.line.faults["change"] = [Unreachable("429"), None]
    talk.perform(participants.hold_customer, task_sid=talk.office.task_sid(talk.call), hold=True)
    assert "hold" not in talk.call.part
    talk.office.pass_time(2)
    assert talk.call.part["hold"] is True


def test_a_wish_that_was_overtaken_is_not_carried_out_later(talk: Talk) -> None:
    task = talk.office.task_sid(talk.call)
    talk.office.line.faults["change"] = [Unreachable("429")]
    talk.perform(participants.hold_customer, task_sid=task, hold=True)
    talk.perform(participants.hold_customer, task_sid=task, hold=False)
    talk.office.pass_time(20)
    assert talk.call.part["hold"] is False


def test_a_party_that_has_left_cannot_be_held_and_that_is_told(talk: Talk) -> None:
    talk.office.line.end(talk.alice_leg)
    talk.perform(participants.change_worker, reservation_sid=talk.first.sid, mute=True)
    [row] = talk.office.rows_of(participants.PARTICIPANT)
    assert (row.state, row.failure) == ("failed", "that party is not in the conference")


def test_a_kicked_agent_is_out(talk: Talk) -> None:
    talk.perform(
        participants.kick_worker,
        task_sid=talk.office.task_sid(talk.call),
        worker_sid=talk.alice,
    )
    assert not talk.alice_leg.is_live
    assert talk.office.task_status(talk.call) == "wrapping"


def test_the_end_of_the_conference_sends_everybody_home(talk: Talk) -> None:
    talk.perform(participants.end_conference, task_sid=talk.office.task_sid(talk.call))
    assert talk.office.line.live_calls() == []
    assert heard(talk.call).endswith(talk.office.flow.ended)
    assert talk.office.task_status(talk.call) == "wrapping"


@pytest.mark.parametrize("action", participants.RECORDING_ACTIONS)
def test_a_conversation_is_recorded_as_wished(talk: Talk, action: str) -> None:
    talk.perform(participants.record, task_sid=talk.office.task_sid(talk.call), action=action)
    assert talk.call.recording == action


@pytest.mark.parametrize(("caller", "who"), [(True, "customer"), (False, "worker")])
def test_the_task_says_who_hung_up(talk: Talk, caller: bool, who: str) -> None:
    talk.hang_up(talk.call if caller else talk.alice_leg)
    attributes = json.loads(talk.office.centre.task(talk.office.task_sid(talk.call)).attributes)
    assert attributes["conference"]["hang_up_by"] == who


# ---- supervision ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "part"),
    [
        ("monitor", {"muted": True}),
        ("whisper", {"muted": False, "coaching": True}),
        ("barge", {"muted": False}),
    ],
)
def test_a_supervisor_listens_whispers_or_speaks(
    talk: Talk, mode: str, part: dict[str, object]
) -> None:
    office = talk.office
    boss = office.centre.add_worker("Boss", activity="Offline", contact_uri="client:boss")
    talk.give("supervise", supervisor=boss, supervisor_mode=mode)
    leg = office.line.leg_to("client:boss")
    if "coaching" in part:
        part = part | {"call_sid_to_coach": talk.alice_leg.sid}
    assert leg.part == part | {"end_conference_on_exit": False}
    office.line.pick_up(leg)
    office.settle()
    assert office.are_together(talk.call, leg)
    talk.hang_up(leg)
    assert office.are_together(talk.call, talk.alice_leg)
    assert office.task_status(talk.call) == "assigned"


def test_a_supervisor_who_does_not_answer_changes_nothing_for_those_who_talk(talk: Talk) -> None:
    office = talk.office
    boss = office.centre.add_worker("Boss", activity="Offline", contact_uri="client:boss")
    talk.give("supervise", supervisor=boss)
    office.line.end(office.line.leg_to("client:boss"), "no-answer")
    office.settle()
    assert office.are_together(talk.call, talk.alice_leg)
    assert talk.statuses() == ["accepted"]
    assert "reservation.failed" in office.centre.story(talk.first.sid)


# ---- trouble -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("mode", ["WARM", "COLD"])
def test_a_transfer_ends_right_when_callbacks_come_twice_and_in_any_order(
    small_office: Office, mode: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = small_office
    talk = Talk(office)
    monkeypatch.setattr(office, "settle", lambda: office.settle_badly(seed))
    talk.hand_on(mode)
    bob = talk.bob_picks_up()
    office.pass_time(15)
    if mode == "WARM":
        talk.hang_up(talk.alice_leg)
    office.pass_time(15)
    assert office.are_together(talk.call, bob)
    assert talk.statuses() == ["wrapping", "accepted"]
    talk.hang_up(talk.call if seed % 2 else bob)
    office.pass_time(30)
    office.sweep()
    assert office.line.live_calls() == []
    assert talk.statuses() == ["wrapping", "wrapping"]
    assert office.task_status(talk.call) == "wrapping"


@pytest.mark.parametrize("method", ["change", "dial", "redirect", "find_room"])
@pytest.mark.parametrize("done", [True, False])
def test_a_transfer_goes_through_when_twilio_fails_once(
    talk: Talk, method: str, done: bool
) -> None:
    office = talk.office
    faults = office.line.faults_after if done else office.line.faults
    faults[method] = [Unreachable("timed out")]
    talk.hand_on("WARM")
    office.centre.answer("accept", talk.bobs_offer())
    office.settle()
    office.pass_time(5)
    leg = office.line.leg_to("client:bob")
    office.line.pick_up(leg)
    office.settle()
    office.pass_time(10)
    office.restart()
    talk.hang_up(talk.alice_leg)
    office.pass_time(10)
    assert office.are_together(talk.call, leg)
    assert len(office.line.live_calls()) == 2
    talk.hang_up(leg)
    office.pass_time(10)
    assert office.line.live_calls() == []
    assert talk.statuses() == ["wrapping", "wrapping"]
