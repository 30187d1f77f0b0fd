"""Deliveries and the stream of events at the REST door, and on the command line."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from commands.deliveries import send_again, show_list, show_one
from commands.tail import NoSuchEvent, tail
from routing.api.door import rest_door
from routing.api.operations import RestSettings
from routing.api.streams import Streams
from tests.callbacks.bureau import ACCOUNT_SID, Bureau, FakePoster, posted
from tests.callbacks.receiver import TOKEN
from tests.routing.centre import Centre

URL = "https://somebody.example/events"


@pytest.fixture
def failing(centre: Centre) -> Bureau:
    """A receiver that answers with 500 until `is_up` says otherwise, and is owed two events."""
    bureau = Bureau(centre, poster=FakePoster(lambda _: posted(500)))
    bureau.subscribe(URL, "task.created")
    centre.add_task(number=1)
    centre.add_task(number=2)
    bureau.work()
    return bureau


class Door:
    def __init__(self, centre: Centre, streams: Streams) -> None:
        app = Flask("door")
        settings = RestSettings(
            account_sid=ACCOUNT_SID,
            auth_tokens=(TOKEN,),
            public_url="https://tandem.example",
            streams=streams,
        )
        app.register_blueprint(rest_door(centre.engine, settings))
        self.path = f"/v1/Workspaces/{centre.workspace_sid}"
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **how: object) -> TestResponse:
        return self.client.get(self.path + path, auth=(ACCOUNT_SID, TOKEN), **how)

    def post(self, path: str, **form: str) -> TestResponse:
        return self.client.post(self.path + path, auth=(ACCOUNT_SID, TOKEN), data=form)


@pytest.fixture
def streams() -> Streams:
    return Streams(limit=1)


@pytest.fixture
def door(centre: Centre, streams: Streams) -> Door:
    return Door(centre, streams)


def test_deliveries_are_listed_looked_into_and_sent_again(failing: Bureau, door: Door) -> None:
    listed = door.get("/Deliveries?State=pending&Kind=event&PageSize=1").json
    assert listed is not None
    (newest,) = listed["deliveries"]
    assert listed["meta"]["key"] == "deliveries"
    assert "PageToken" in listed["meta"]["next_page_url"]
    assert newest["callback_url"] == URL
    assert (newest["state"], newest["attempts"], newest["last_status"]) == ("pending", 1, 500)
    assert newest["last_error"] == "answered with status 500"
    assert newest["links"]["event"].endswith(f"/Events/{newest['event_sid']}")
    sid = newest["sid"]
    assert door.get(f"/Deliveries/{sid}").json == newest
    for _ in range(40):
        failing.pass_time(120)
    assert (door.get(f"/Deliveries/{sid}").json or {})["state"] == "dead"
    assert (door.get("/Deliveries?State=pending").json or {})["deliveries"] == []
    again = door.post(f"/Deliveries/{sid}", State="pending")
    assert again.status_code == 200
    assert (again.json or {})["state"] == "pending"
    sent = len(failing_poster(failing).posted)
    failing.pass_time(61)
    assert len(failing_poster(failing).posted) == sent + 1


def failing_poster(bureau: Bureau) -> FakePoster:
    poster = bureau.dispatch._poster
    assert isinstance(poster, FakePoster)
    return poster


@pytest.mark.parametrize("form", [{}, {"State": "delivered"}, {"State": "x"}])
def test_only_sending_again_can_be_asked_for(
    failing: Bureau, door: Door, form: dict[str, str]
) -> None:
    sid = failing.deliveries()[0].sid
    answer = door.post(f"/Deliveries/{sid}", **form)
    assert answer.status_code == 400
    assert "State" in answer.text


def test_deliveries_of_others_are_not_found(door: Door) -> None:
    assert door.get("/Deliveries/DL" + "0" * 32).status_code == 404
    assert door.post("/Deliveries/DL" + "0" * 32, State="pending").status_code == 404
    assert door.get("/Deliveries?State=lost").status_code == 400


def chunks(answer: TestResponse) -> Iterator[dict[str, str]]:
    """The events of a stream, as a browser reads them; comments are passed over."""
    text = answer.text
    answer.close()
    for block in text.split("\n\n"):
        if block and not block.startswith(":"):
            yield dict(line.split(": ", 1) for line in block.splitlines())


def ends_after(streams: Streams, reads: int) -> None:
    left = iter([False] * reads)
    streams.end_when(lambda: next(left, True))


def test_the_stream_begins_after_any_event_and_goes_on_in_order(
    centre: Centre, door: Door, streams: Streams
) -> None:
    first = centre.add_task()
    ends_after(streams, 1)
    everything = list(chunks(door.get("/EventStream?LastEventId=0")))
    kept = centre.store.event_log("test").read(10_000)
    assert [each["id"] for each in everything] == [event.sid for event in kept]
    assert [each["event"] for each in everything] == [event.type for event in kept]
    told = json.loads(everything[-1]["data"])
    assert told["event_type"] == kept[-1].type
    assert told["event_data"]["task_sid"] == first
    ends_after(streams, 1)
    rest = list(chunks(door.get("/EventStream", headers={"Last-Event-ID": kept[-3].sid})))
    assert [each["id"] for each in rest] == [event.sid for event in kept[-2:]]


def test_the_stream_is_filtered(centre: Centre, door: Door, streams: Streams) -> None:
    centre.add_task()
    mine = centre.add_task()
    ends_after(streams, 2)
    query = f"LastEventId=0&TaskSid={mine}&EventType=task.created,task.canceled"
    (only,) = chunks(door.get(f"/EventStream?{query}"))
    assert json.loads(only["data"])["resource_sid"] == mine


def test_a_stream_that_cannot_begin_says_why(door: Door, streams: Streams) -> None:
    ends_after(streams, 0)
    assert "Last-Event-ID" in door.get("/EventStream?LastEventId=EV1").text
    assert "EventType" in door.get("/EventStream?EventType=task.sung").text
    unknown = door.client.get(f"/v1/Workspaces/WS{'0' * 32}/EventStream", auth=(ACCOUNT_SID, TOKEN))
    assert unknown.status_code == 404
    assert door.client.get(door.path + "/EventStream").status_code == 401


def test_beyond_the_last_place_there_is_a_refusal_and_places_come_back(
    door: Door, streams: Streams
) -> None:
    ends_after(streams, 0)
    assert streams.enter()
    refused = door.get("/EventStream")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert (refused.json or {})["code"] == 20503
    streams.leave()
    for _ in range(3):
        answer = door.get("/EventStream")
        assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
        answer.close()


def test_a_stream_that_is_silent_says_that_it_is_there(
    door: Door, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    from routing.api import event_stream

    monkeypatch.setattr(event_stream, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.02)
    ends_after(streams, 4)
    assert door.get("/EventStream").text.count(": still here") == 2


# ---- the command line --------------------------------------------------------------------------


def test_deliveries_on_the_command_line(failing: Bureau) -> None:
    lines: list[str] = []
    engine = failing.centre.engine
    show_list(engine, lines.append, state=None, limit=10)
    first, second = failing.deliveries()
    assert [line.split()[0] for line in lines] == [second.sid, first.sid]
    assert "answered with status 500" in lines[0]
    lines.clear()
    show_list(engine, lines.append, state="dead", limit=10)
    assert lines == ["There are none."]
    lines.clear()
    assert show_one(engine, lines.append, first.sid)
    assert any("task.created" in line for line in lines)
    assert not show_one(engine, lines.append, "DL" + "0" * 32)
    for _ in range(40):
        failing.pass_time(120)
    lines.clear()
    assert send_again(engine, lines.append, [], all_dead=True)
    assert {line.split()[0] for line in lines} == {first.sid, second.sid}
    assert {each.state for each in failing.deliveries()} == {"pending"}
    assert not send_again(engine, lines.append, ["DL" + "0" * 32], all_dead=False)


def tailed(centre: Centre, since: str | None = "0", **how: object) -> list[str]:
    lines: list[str] = []
    options: dict[str, object] = {"types": (), "filters": {}, "as_json": False, "follow": False}
    tail(centre.store, lines.append, since=since, **(options | how))  # type: ignore[arg-type]
    return lines


def test_the_log_can_be_read_by_people(centre: Centre) -> None:
    alice = centre.add_worker("alice")
    task = centre.add_task()
    lines = tailed(centre)
    assert len(lines) == len(centre.events())
    offer = next(line for line in lines if "reservation.created" in line)
    assert offer.startswith("2026-01-05T09:00:00.001Z  reservation.created")
    assert "[worker=alice, queue=Everybody, status=reserved]" in offer
    of_task = tailed(centre, filters={"task_sid": task})
    assert 5 <= len(of_task) < len(lines)
    assert not any("worker.created" in line or "workspace" in line for line in of_task)
    assert len(tailed(centre, filters={"worker_sid": alice}, types=["worker.created"])) == 1


def test_the_log_can_be_read_by_programs_from_any_event_on(centre: Centre) -> None:
    centre.add_task()
    told = [json.loads(line) for line in tailed(centre, as_json=True)]
    assert [each["event_type"] for each in told] == centre.events()
    after = tailed(centre, told[-2]["sid"], as_json=True)
    assert [json.loads(line) for line in after] == told[-1:]
    assert tailed(centre, None) == []
    with pytest.raises(NoSuchEvent):
        tailed(centre, "EV" + "0" * 32)
