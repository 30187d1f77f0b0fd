"""What a program may do with a conversation by REST, and how it is refused."""

from collections.abc import Iterator

import pytest

from tests.journeys.courses import OUTSIDE, talk
from tests.journeys.stage import Refusal, Stage
from tests.routing.scratch import scratch_centre


@pytest.fixture
def stage() -> Iterator[Stage]:
    with scratch_centre() as centre, Stage(centre) as opened:
        yield opened


def refused(stage: Stage, method: str, path: str, **form: str) -> str:
    with pytest.raises(Refusal) as refusal:
        stage.rest(method, path, **form)
    assert refusal.value.status == 400
    return str(refusal.value)


def test_a_program_calls_a_number_in_looks_and_takes_it_out(stage: Stage) -> None:
    call, sid, alice = talk(stage)
    path = f"Tasks/{sid}/Conference"
    stage.phone(OUTSIDE, "manual")
    made = stage.rest("POST", f"{path}/Participants", To=OUTSIDE, Timeout="40")
    assert (made["kind"], made["status"], made["to"]) == ("outside", "queued", OUTSIDE)
    told = stage.rest("GET", path)
    kinds = [(one["kind"], one["status"]) for one in told["participants"]]
    assert kinds == [
        ("customer", "in-progress"),
        ("worker", "in-progress"),
        ("outside", "ringing"),
    ]
    assert told["participants"][0]["call_sid"] == call
    assert told["participants"][1]["worker_sid"] == alice.worker_sid
    assert told["participants"][2]["url"].endswith(made["sid"])
    assert stage.attributes(sid)["conference"]["outside"][0]["status"] == "ringing"
    one = f"{path}/Participants/{made['sid']}"
    stage.rest("POST", one, Status="completed")
    stage.until(lambda: not stage.legs_to(OUTSIDE))
    assert alice.is_talking_to(call)
    assert len(stage.rest("GET", path)["participants"]) == 2
    assert "left already" in refused(stage, "POST", one, Status="completed")


def test_what_cannot_be_done_is_refused_by_name(stage: Stage) -> None:
    _call, sid, alice = talk(stage)
    path = f"Tasks/{sid}/Conference"
    everybody = f"{path}/Participants"
    assert "To" in refused(stage, "POST", everybody)
    assert "To" in refused(stage, "POST", everybody, To="the boss")
    assert "From" in refused(stage, "POST", everybody, To=OUTSIDE, From="me")
    assert "Mode" in refused(stage, "POST", everybody, To=OUTSIDE, Mode="LUKEWARM")
    assert "Timeout" in refused(stage, "POST", everybody, To=OUTSIDE, Timeout="4")
    assert "Digits" in refused(stage, "POST", f"{path}/Digits", Digits="12a")
    assert "Action" in refused(stage, "POST", f"{path}/Recording", Action="rewind")
    assert "Status" in refused(stage, "POST", path, Status="paused")
    with pytest.raises(Refusal) as nobody:
        stage.rest("POST", f"{path}/Digits", Digits="1", To="IN" + "0" * 32)
    assert nobody.value.status == 404
    stage.phone(OUTSIDE, "manual")
    stage.rest("POST", everybody, To=OUTSIDE)
    assert "transferred already" in refused(stage, "POST", everybody, To=OUTSIDE)
    bob = stage.agent("Bob")
    with pytest.raises(Refusal):
        alice.hand_on(sid, bob.worker_sid, "WARM")
    alice.conference(sid, Status="completed")
    stage.until(lambda: not alice.legs and not stage.legs_to(OUTSIDE))


def test_where_nobody_talks_there_is_no_conference(stage: Stage) -> None:
    task = stage.rest("POST", "Tasks", Attributes="{}")
    path = f"Tasks/{task['sid']}/Conference"
    with pytest.raises(Refusal) as nothing:
        stage.rest("GET", path)
    assert (nothing.value.status, nothing.value.code) == (404, 20404)
    for below, form in (
        ("", {"Status": "completed"}),
        ("/Recording", {"Action": "start"}),
        ("/Digits", {"Digits": "1"}),
        ("/Participants", {"To": OUTSIDE}),
    ):
        assert "40149" in refused(stage, "POST", path + below, **form)
