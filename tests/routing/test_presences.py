"""Workers who go offline when their application has gone."""

import pytest

from routing.engine import presences
from routing.errors import InvalidParameter
from tests.routing.centre import Centre


def arrive(centre: Centre, worker_sid: str, activity_sid: str | None = None) -> str:
    presence = centre.engine.perform(
        presences.arrive,
        workspace_sid=centre.workspace_sid,
        worker_sid=worker_sid,
        activity_sid=activity_sid,
        seconds=60,
    )
    return presence.sid


def leave(centre: Centre, presence_sid: str, seconds: int) -> None:
    centre.engine.perform(presences.leave, presence_sid=presence_sid, seconds=seconds)


def activity(centre: Centre, worker_sid: str) -> str:
    now = centre.engine.read(lambda work: work.workers.get(worker_sid))
    assert now is not None
    return centre.set_up().activities[now.activity_sid].friendly_name


def test_whoever_said_goodbye_is_offline_at_once(scratch: Centre) -> None:
    alice = scratch.add_worker("Alice")
    leave(scratch, arrive(scratch, alice), 0)
    scratch.pass_time(0)
    assert activity(scratch, alice) == "Offline"


def test_whose_connection_broke_has_a_moment_to_come_back(scratch: Centre) -> None:
    alice = scratch.add_worker("Alice")
    leave(scratch, arrive(scratch, alice), 10)
    scratch.pass_time(9)
    assert activity(scratch, alice) == "Available"
    again = arrive(scratch, alice)
    scratch.pass_time(9)
    assert activity(scratch, alice) == "Available"
    leave(scratch, again, 10)
    scratch.pass_time(11)
    assert activity(scratch, alice) == "Offline"


def test_while_another_window_is_open_the_worker_stays(scratch: Centre) -> None:
    alice = scratch.add_worker("Alice")
    one, _other = arrive(scratch, alice), arrive(scratch, alice)
    leave(scratch, one, 0)
    scratch.pass_time(1)
    assert activity(scratch, alice) == "Available"


def test_when_the_server_that_held_the_socket_dies_the_worker_goes(scratch: Centre) -> None:
    alice = scratch.add_worker("Alice")
    sid = arrive(scratch, alice)
    scratch.pass_time(50)
    assert scratch.engine.perform(presences.stay, presence_sids=[sid], seconds=60) == []
    scratch.pass_time(50)
    assert activity(scratch, alice) == "Available"
    scratch.pass_time(11)
    assert activity(scratch, alice) == "Offline"
    assert scratch.engine.perform(presences.stay, presence_sids=[sid], seconds=60) == [sid]


def test_a_socket_that_was_replaced_counts_no_more(scratch: Centre) -> None:
    alice = scratch.add_worker("Alice")
    scratch.engine.perform(presences.forget, presence_sid=arrive(scratch, alice))
    scratch.pass_time(100)
    assert activity(scratch, alice) == "Available"


def test_where_the_worker_goes_can_be_said(scratch: Centre) -> None:
    alice = scratch.add_worker("Alice")
    away = scratch.activity("Unavailable")
    leave(scratch, arrive(scratch, alice, away), 0)
    scratch.pass_time(0)
    assert activity(scratch, alice) == "Unavailable"
    with pytest.raises(InvalidParameter, match="disconnectActivitySid"):
        arrive(scratch, alice, "WA" + "0" * 32)
