"""`kill -9` of the whole process at some moment of a call, then a restart: the call goes on."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.house import House, Refused


def while_the_caller_waits(house: House) -> None:
    pass


def while_somebody_is_offered_the_call(house: House) -> None:
    house.offer(house.task()["sid"])


def right_after_the_accept(house: House) -> None:
    house.answer(house.offer(house.task()["sid"]), ReservationStatus="accepted")


def while_the_agents_phone_rings(house: House) -> None:
    right_after_the_accept(house)
    house.until(house.legs_dialled, "the agent's phone to be dialled")


def while_both_talk(house: House) -> None:
    right_after_the_accept(house)
    house.until_together()


MOMENTS = (
    while_the_caller_waits,
    while_somebody_is_offered_the_call,
    right_after_the_accept,
    while_the_agents_phone_rings,
    while_both_talk,
)


@pytest.mark.parametrize("moment", MOMENTS, ids=[moment.__name__ for moment in MOMENTS])
def test_the_call_goes_on_after_a_crash(
    moment: Callable[[House], None], database_url: str, tmp_path: Path
) -> None:
    with House(database_url, tmp_path) as house:
        caller = house.dial()
        moment(house)
        house.kill()
        house.start()

        accept_what_is_offered(house)
        assert caller in house.until_together()
        house.kill()
        house.start()
        house.until(house.knows_that_they_talk, "the house to find out that both talk")

        house.network("POST", f"/calls/{caller}/hangup")
        task = house.until_task_is("wrapping")
        house.post(f"{house.base}/Tasks/{task['sid']}", AssignmentStatus="completed")
        assert set(house.loads().values()) == {0}
        accepted = house.reservations(task["sid"], ReservationStatus="completed")
        assert len(accepted) == 1
        dialled = house.legs_dialled()
        assert len(dialled) == len(set(dialled)), "a Reservation's agent was dialled twice"
        house.until(lambda: not house.live_legs(), "all legs to end")


def accept_what_is_offered(house: House) -> None:
    """The agents' side of the rest: whoever is asked accepts, until two are together."""

    def look() -> bool:
        for offer in house.reservations(house.task()["sid"], ReservationStatus="pending"):
            # It may have been answered, or taken back, since it was read: that is a refusal.
            with contextlib.suppress(Refused):
                house.answer(offer, ReservationStatus="accepted")
        return bool(house.room())

    house.until(look, "somebody to take the call")
