"""The rules of a room by themselves, under any course of comings and goings."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from simulator.call import INBOUND, Call
from simulator.conference import (
    COMPLETED,
    HUNG_UP,
    INIT,
    MOVED_BY_API,
    OPEN,
    Conference,
    JoinRefused,
    Participant,
    RoomOptions,
)
from simulator.webhook import Parameters

EVENTS = ("start", "end", "join", "leave", "mute", "hold", "modify", "announcement")
SMALL_ROOM = 4


class Room(RuleBasedStateMachine):
    """Joins, expects, kicks, holds and closes at random; the callbacks must always make sense."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, str]] = []
        self.given_up: list[Call] = []
        self.count = 0
        self.room = Conference(
            sid="CF1",
            friendly_name="sales",
            account_sid="AC1",
            created_at=0,
            options=RoomOptions(
                callback="http://x", callback_events=EVENTS, max_participants=SMALL_ROOM
            ),
            now=lambda: 0,
            tell=self.tell,
            give_up=self.given_up.append,
            turned=lambda _: None,
            changed=lambda _: None,
            moved=lambda _: None,
            beeps=lambda _: None,
        )

    def tell(self, room: Conference, found: Parameters) -> None:
        assert room is self.room
        self.told.append(dict(found))

    def newcomer(self, *, label: str | None, opens: bool, closes: bool) -> Participant:
        self.count += 1
        call = Call(sid=f"CA{self.count}", from_="+1", to="+1", direction=INBOUND, created_at=0)
        return Participant(
            call=call, created_at=0, label=label, start_on_enter=opens, end_on_exit=closes
        )

    @precondition(lambda self: self.room.is_live)
    @rule(
        label=st.sampled_from([None, "customer", "worker"]),
        opens=st.booleans(),
        closes=st.booleans(),
        is_inside=st.booleans(),
    )
    def come(self, label: str | None, opens: bool, closes: bool, is_inside: bool) -> None:
        newcomer = self.newcomer(label=label, opens=opens, closes=closes)
        taken = label is not None and self.room.find(label) is not None
        full = len(self.room.participants) >= SMALL_ROOM
        try:
            (self.room.join if is_inside else self.room.expect)(newcomer)
        except JoinRefused:
            assert taken or full
            assert newcomer.call.conference_sid is None
        else:
            assert not taken
            assert not full

    @precondition(lambda self: any(not one.is_in for one in self.room.participants.values()))
    @rule(place=st.integers(0, SMALL_ROOM))
    def pick_up(self, place: int) -> None:
        ringing = [one for one in self.room.participants.values() if not one.is_in]
        self.room.join(ringing[place % len(ringing)])

    @precondition(lambda self: self.room.participants)
    @rule(place=st.integers(0, SMALL_ROOM), kicked=st.booleans())
    def go(self, place: int, kicked: bool) -> None:
        everybody = list(self.room.participants.values())
        gone = everybody[place % len(everybody)]
        stays = gone.hold or not gone.end_on_exit or not gone.is_in
        self.room.leave(gone, MOVED_BY_API if kicked else HUNG_UP, was_kicked=kicked)
        assert self.room.is_live == (stays and len(everybody) > 1)
        told = len(self.told)
        self.room.leave(gone, HUNG_UP)
        assert len(self.told) == told

    @precondition(lambda self: self.room.inside)
    @rule(place=st.integers(0, SMALL_ROOM), hold=st.booleans())
    def hold(self, place: int, hold: bool) -> None:
        inside = self.room.inside
        self.room.hold(inside[place % len(inside)], hold=hold, url=None, method="GET")

    @precondition(lambda self: self.room.status == OPEN)
    @rule()
    def close(self) -> None:
        self.room.close("conference-ended-via-api")

    @precondition(lambda self: not self.room.is_live)
    @rule()
    def close_again(self) -> None:
        told = len(self.told)
        self.room.close("conference-ended-via-api")
        assert len(self.told) == told

    @invariant()
    def callbacks_are_numbered_without_a_gap(self) -> None:
        numbers = [int(one["SequenceNumber"]) for one in self.told]
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def start_and_end_are_told_once_and_end_is_the_last(self) -> None:
        events = [one["StatusCallbackEvent"] for one in self.told]
        assert events.count("conference-start") == (
            self.room.status == OPEN or "conference-start" in events
        )
        if self.room.status == COMPLETED and self.room.was_joined:
            assert events.count("conference-end") == 1
            assert events[-1] == "conference-end"
        else:
            assert "conference-end" not in events

    @invariant()
    def who_joined_and_has_not_left_is_inside(self) -> None:
        inside = set()
        for one in self.told:
            if one["StatusCallbackEvent"] == "participant-join":
                inside.add(one["CallSid"])
            elif one["StatusCallbackEvent"] == "participant-leave":
                inside.remove(one["CallSid"])
        assert inside == {one.call.sid for one in self.room.inside}

    @invariant()
    def a_room_that_is_over_holds_nobody(self) -> None:
        if not self.room.is_live:
            assert not self.room.participants
        assert all(call.conference_sid is None for call in self.given_up)

    @invariant()
    def two_with_leave_to_open_make_it_open(self) -> None:
        inside = self.room.inside
        if len(inside) > 1 and any(one.start_on_enter for one in inside):
            assert self.room.status == OPEN
        if self.room.status == INIT:
            assert not (len(inside) > 1 and any(one.start_on_enter for one in inside))


TestRoom = Room.TestCase
TestRoom.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
