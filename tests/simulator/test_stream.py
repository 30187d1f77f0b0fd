"""The stream: everything that happens in the network, told as it happens, none of it lost."""

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest
import requests

from simulator.clock import ManualClock
from simulator.server import Simulator
from simulator.settings import Settings
from tests.simulator.application import TOKEN, Application
from tests.simulator.town import ACCOUNT, LINE, Town

#: What a participant has become who is in the room and on hold.
IN_AND_HELD = {"status": "connected", "hold": True}


class Reader:
    """A page that listens. Use it with `with`."""

    def __init__(self, town: Town, query: str = "", last: str = "") -> None:
        self.answer = requests.get(
            f"{town.simulator.url}/simulator/stream{query}",
            headers={"Last-Event-ID": last} if last else {},
            stream=True,
            timeout=20,
        )
        self.last_id = last
        self._lines = self.answer.iter_lines(chunk_size=1, decode_unicode=True)

    def events(self) -> Iterator[tuple[str, Any]]:
        found: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line:
                found[name] = value
            elif "data" in found:
                self.last_id = found["id"]
                yield found["event"], json.loads(found["data"])
            if not line:
                found = {}

    def until(self, kind: str, **about: Any) -> list[tuple[str, Any]]:
        """Everything up to the event of that kind which says so."""
        seen = []
        for event in self.events():
            seen.append(event)
            if event[0] == kind and about.items() <= event[1].items():
                return seen
        raise AssertionError(f"no {kind} with {about}: {seen}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()


def test_a_reader_hears_a_whole_call_as_it_happens(town: Town, application: Application) -> None:
    application.says(
        "/voice",
        '<Say language="de-DE" voice="Polly.Vicki">Guten Tag</Say>'
        '<Play loop="2">/music.mp3</Play><Enqueue waitUrl="">line</Enqueue>',
    )
    with Reader(town) as reader:
        first = next(reader.events())
        assert (first[0], first[1]["calls"]) == ("state", [])
        sid = town.dial()
        town.wait(30)
        town.hang_up(sid)
        seen = reader.until("call", sid=sid, status="completed")
    statuses = [about["status"] for kind, about in seen if kind == "call"]
    assert list(dict.fromkeys(statuses)) == ["queued", "ringing", "in-progress", "completed"]
    heard = [about for kind, about in seen if kind == "heard"]
    music = application.url("/music.mp3")
    shown = [
        (one["number"], one["verb"], one["language"], one["voice"], one["url"]) for one in heard
    ]
    assert shown == [
        (1, "Say", "de-DE", "Polly.Vicki", None),
        (2, "Play", None, None, music),
        (3, "Play", None, None, music),
    ]
    assert {(one["call_sid"], one["loop"], one["tone"]) for one in heard} == {(sid, 1, None)}
    queues = [about["current_size"] for kind, about in seen if kind == "queue"]
    assert queues == [0, 1]
    urls = [about["url"] for kind, about in seen if kind == "log"]
    assert application.url("/voice") in urls


def test_what_sounds_now_is_known_and_ends_when_it_is_cut_off(
    town: Town, application: Application
) -> None:
    application.says("/voice", "<Enqueue>line</Enqueue>")
    with Reader(town) as reader:
        sid = town.dial()
        heard = reader.until("heard")[-1][1]
        assert (heard["tone"], heard["url"], heard["loop"]) == ("hold-music", None, 0)
        assert town.call(sid)["sounding"] == heard["number"] == 1
        town.client.calls(sid).update(twiml='<Response><Pause length="60"/></Response>')
        told = reader.until("call", sid=sid, sounding=None, queue=None)
        assert told[-1][1]["status"] == "in-progress"
    assert town.call(sid)["sounding"] is None


def test_conferences_phones_and_numbers_are_told_with_all_that_they_are(
    town: Town, application: Application
) -> None:
    application.says("/voice", "<Dial><Conference>room</Conference></Dial>")
    with Reader(town) as reader:
        town.phone("client:ann", "busy")
        assert reader.until("endpoint")[-1][1] == {
            "address": "client:ann",
            "on_ring": "busy",
            "delay_seconds": None,
            "answered_by": "human",
            "sip_code": None,
        }
        sid = town.dial()
        room = reader.until("conference", status="init")[-1][1]
        assert [one["call_sid"] for one in room["participants"]] == [sid]
        town.client.conferences("room").participants(sid).update(hold=True)
        held = reader.until("conference", participants=[room["participants"][0] | IN_AND_HELD])
        assert held[-1][1]["sid"] == room["sid"]
        number = town.client.incoming_phone_numbers.list(phone_number=LINE)[0]
        number.update(voice_url="http://127.0.0.1:1/elsewhere")
        assert reader.until("number")[-1][1]["voice_url"] == "http://127.0.0.1:1/elsewhere"
        town.hang_up(sid)
        assert reader.until("conference", status="completed")[-1][1]["participants"] == []


def test_a_reader_who_comes_back_goes_on_where_it_was(town: Town, application: Application) -> None:
    application.says("/voice", '<Say>One</Say><Pause length="60"/>')
    with Reader(town, "?kinds=call,heard") as reader:
        sid = town.dial()
        reader.until("heard", text="One")
    town.hang_up(sid)
    with Reader(town, "?kinds=call,heard", last=reader.last_id) as again:
        missed = again.until("call", sid=sid, status="completed")
    assert {kind for kind, _ in missed} == {"call"}, "no state anew, nothing heard twice"
    with Reader(town, last="another-7") as stranger:
        assert next(stranger.events())[0] == "state"


def test_who_was_away_for_too_long_is_given_the_state_anew(application: Application) -> None:
    application.says("/voice", "<Enqueue>x</Enqueue>")
    town = Town(application)
    settings = Settings(
        account_sid=ACCOUNT, auth_token=TOKEN, voice_url=application.url("/voice"), news_size=5
    )
    town.simulator = Simulator(settings, ManualClock())
    with town.simulator:
        with Reader(town) as reader:
            next(reader.events())
        town.dial()
        town.dial()
        with Reader(town, last=reader.last_id) as again:
            kind, state = next(again.events())
    assert (kind, len(state["calls"])) == ("state", 2)


def test_the_state_brings_the_last_lines_of_the_log(town: Town, application: Application) -> None:
    application.says("/voice", "<Say>Hello</Say>")
    for _ in range(3):
        town.dial()
        town.wait(10)
    with Reader(town, "?log=2") as reader:
        state = next(reader.events())[1]
    lines = town.get("/simulator/log")["entries"]
    assert state["log"] == lines[-2:]
    with Reader(town, "?log=2&kinds=call") as reader:
        assert next(reader.events())[1]["log"] == []


@pytest.mark.parametrize("query", ["?kinds=call,gossip", "?kinds=", "?log=-1", "?log=many"])
def test_a_wrong_wish_is_refused(town: Town, query: str) -> None:
    answer = requests.get(f"{town.simulator.url}/simulator/stream{query}", timeout=20)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_readers_beyond_the_last_place_are_refused_until_one_leaves(town: Town) -> None:
    readers = [Reader(town) for _ in range(16)]
    assert [reader.answer.status_code for reader in readers] == [200] * 16
    with Reader(town) as late:
        assert late.answer.status_code == 503
    for reader in readers:
        reader.answer.close()
    # Who has gone is found out as soon as something is told to them.
    for _ in itertools.takewhile(lambda _: Reader(town).answer.status_code == 503, range(500)):
        town.phone("client:ann", "busy")


def test_an_end_of_the_simulator_ends_the_stream(application: Application) -> None:
    town = Town(application)
    with town.simulator, Reader(town) as reader:
        next(reader.events())
        ended = threading.Thread(target=lambda: list(reader.events()))
        ended.start()
        town.simulator.stop()
        ended.join(20)
        assert not ended.is_alive()
