"""Twilio's REST API as the official client meets it: shapes, pages, errors in Twilio's numbers."""

import base64
import json
import logging
import socket
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.simulator.application import TOKEN, Application
from tests.simulator.town import ACCOUNT, CALLER, LINE, ToSimulator, Town

NOBODY = "CA" + "0" * 32


def refused(call: Callable[[], Any]) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        call()
    return caught.value.status, caught.value.code


@pytest.fixture(autouse=True)
def _replies(application: Application) -> None:
    application.says("/voice", '<Say>Hello</Say><Pause length="600"/>')


def test_wrong_credentials_are_refused(town: Town) -> None:
    stranger = Client(ACCOUNT, "guess", http_client=ToSimulator(town.simulator.url))
    assert refused(stranger.calls(NOBODY).fetch) == (401, 20003)
    answer = requests.get(
        f"{town.simulator.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json", timeout=20
    )
    assert answer.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_an_api_key_and_its_secret_open_the_door(application: Application) -> None:
    key = "SK" + "1" * 32
    town = Town(application, api_keys={key: "secret"})
    with town.simulator:
        door = ToSimulator(town.simulator.url)
        assert Client(key, "secret", ACCOUNT, http_client=door).calls.list() == []
        for name, secret in ((key, TOKEN), (key, ""), ("SK" + "2" * 32, "")):
            stranger = Client(name, secret or " ", ACCOUNT, http_client=door)
            assert refused(stranger.calls(NOBODY).fetch) == (401, 20003)


def test_the_account_of_somebody_else_does_not_exist(town: Town) -> None:
    other = town.client.api.v2010.accounts("AC" + "9" * 32)
    assert refused(other.calls(NOBODY).fetch) == (404, 20404)
    assert town.client.api.v2010.accounts(ACCOUNT).fetch().status == "active"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": ""}, 21201),
        ({"to": "5550104"}, 21211),
        ({"from_": ""}, 21213),
        ({"from_": "me"}, 21212),
        ({"from_": CALLER}, 21210),
        ({"url": "/relative"}, 21205),
        ({"url": "ftp://example.com"}, 21205),
        ({"method": "PUT"}, 21209),
        ({"timeout": 601}, 21208),
        ({"status_callback": "nowhere"}, 21609),
        ({"status_callback": "http://my_host/x"}, 21609),
        ({"machine_detection": "Guess"}, 20001),
        ({"record": "sometimes"}, 20001),
    ],
)
def test_a_wrong_parameter_of_a_call_is_refused_and_nobody_is_called(
    town: Town, wrong: dict[str, Any], code: int
) -> None:
    right = {"to": "+13125550104", "from_": LINE, "url": "http://127.0.0.1/x"}
    assert refused(lambda: town.client.calls.create(**{**right, **wrong})) == (400, code)
    assert town.state()["calls"] == []


@pytest.mark.parametrize(
    "twiml", ["<Response><Shout/></Response>", "nothing", "<Response>" + "x" * 4000]
)
def test_twiml_that_cannot_be_followed_is_refused(town: Town, twiml: str) -> None:
    sid = town.dial()
    status, _ = refused(lambda: town.client.calls(sid).update(twiml=twiml))
    assert status == 400
    assert town.heard(sid) == ["Hello"]


@pytest.mark.parametrize("path", ["Calls.json", f"Calls/{NOBODY}.json", "Conferences/x.json"])
def test_an_unknown_parameter_is_refused(town: Town, path: str) -> None:
    answer = requests.post(
        f"{town.simulator.url}/2010-04-01/Accounts/{ACCOUNT}/{path}",
        data={"Colour": "red"},
        auth=(ACCOUNT, "the account's token"),
        timeout=20,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
    assert "Colour" in answer.json()["message"]


def test_an_unknown_event_makes_the_call_and_no_callback(
    town: Town, application: Application
) -> None:
    call = town.client.calls.create(
        to="+13125550104",
        from_=LINE,
        twiml="<Response/>",
        status_callback=application.url("/status"),
        status_callback_event=["answered", "finished"],
    )
    town.wait(1)
    assert town.call(call.sid)["status"] == "completed"
    assert application.received == []
    assert town.errors() == [21626]


def test_a_call_that_is_over_cannot_be_redirected_or_ended(town: Town) -> None:
    sid = town.dial()
    town.hang_up(sid)
    call = town.client.calls(sid)
    assert refused(lambda: call.update(twiml="<Response/>")) == (400, 21220)
    assert refused(lambda: call.update(status="completed")) == (400, 21220)
    assert refused(lambda: town.client.calls(NOBODY).fetch()) == (404, 20404)


def test_canceling_ends_a_call_that_rings_and_no_other(town: Town) -> None:
    town.phone("client:ann", "manual")
    call = town.client.calls.create(to="client:ann", from_=LINE, twiml="<Response/>")
    assert town.client.calls(call.sid).update(status="canceled").status == "canceled"
    sid = town.dial()
    assert town.client.calls(sid).update(status="canceled").status == "in-progress"
    assert town.client.calls(sid).update(status="completed").status == "completed"


def test_calls_are_listed_newest_first_filtered_and_in_pages(town: Town) -> None:
    sids = [town.dial() for _ in range(5)]
    assert [call.sid for call in town.client.calls.list(page_size=2)] == sids[::-1]
    assert [call.sid for call in town.client.calls.list(status="in-progress", to=LINE)] == sids[
        ::-1
    ]
    town.hang_up(sids[0])
    assert [call.sid for call in town.client.calls.list(status="completed")] == sids[:1]
    first = town.client.calls.page(page_size=2)
    assert first.next_page_url is not None
    new = town.dial()
    following = [call.sid for call in first.next_page()]
    assert following == sids[::-1][2:4]
    assert new not in following


def test_a_finished_call_can_be_deleted(town: Town) -> None:
    sid = town.dial()
    assert refused(lambda: town.client.calls(sid).delete()) == (400, 20001)
    town.hang_up(sid)
    assert town.client.calls(sid).delete()
    assert town.client.calls.list() == []


def test_queues_are_made_changed_and_deleted(town: Town, application: Application) -> None:
    queue = town.client.queues.create(friendly_name="sales", max_size=7)
    assert (queue.max_size, queue.current_size, queue.average_wait_time) == (7, 0, 0)
    assert refused(lambda: town.client.queues.create(friendly_name="sales")) == (400, 22003)
    changed = town.client.queues(queue.sid).update(friendly_name="support", max_size=8)
    assert (changed.friendly_name, changed.max_size) == ("support", 8)
    application.says("/voice", "<Enqueue>support</Enqueue>")
    sid = town.dial()
    assert refused(lambda: town.client.queues(queue.sid).delete()) == (400, 22002)
    town.hang_up(sid)
    assert town.client.queues(queue.sid).delete()
    assert refused(lambda: town.client.queues(queue.sid).members("Front").fetch()) == (404, 20404)


def test_numbers_can_be_pointed_elsewhere(town: Town, application: Application) -> None:
    (number,) = town.client.incoming_phone_numbers.list(phone_number=LINE)
    assert number.voice_url == application.url("/voice")
    application.says("/other", "<Say>Other</Say>")
    changed = town.client.incoming_phone_numbers(number.sid).update(
        voice_url=application.url("/other"), voice_method="GET"
    )
    assert (changed.voice_url, changed.voice_method) == (application.url("/other"), "GET")
    assert town.heard(town.dial()) == ["Other"]


def test_what_is_set_at_a_number_holds_for_its_next_call(
    town: Town, application: Application
) -> None:
    numbers = town.client.incoming_phone_numbers
    assert numbers.list(phone_number="+15550199") == []
    number = numbers(numbers.list()[0].sid)
    assert refused(lambda: number.update(voice_url="nowhere")) == (400, 21205)
    assert refused(lambda: number.update(voice_method="PUT")) == (400, 21209)
    assert number.fetch().voice_url == application.url("/voice")
    application.says("/ended", ("", 204))
    number.update(status_callback=application.url("/ended"), friendly_name="Sales")
    assert number.fetch().friendly_name == "Sales"
    town.hang_up(town.dial())
    assert application.last("/ended")["CallStatus"] == "completed"
    number.update(voice_url="")
    assert town.post("/simulator/calls", {"from": CALLER, "to": LINE}).status_code == 404


SHAPES = {
    "Calls.json": ("api.v2010.account.call", "calls"),
    "Conferences.json": ("api.v2010.account.conference", "conferences"),
    "Queues.json": ("api.v2010.account.queue", "queues"),
    "IncomingPhoneNumbers.json": ("api.v2010.account.incoming_phone_number", None),
}
PAGING_KEYS = {
    "end", "first_page_uri", "next_page_uri", "page", "page_size", "previous_page_uri", "start",
    "uri",
}  # fmt: skip


@pytest.mark.parametrize("path", SHAPES)
def test_a_page_has_exactly_one_list(town: Town, application: Application, path: str) -> None:
    application.says("/voice", "<Dial><Conference>x</Conference></Dial>")
    town.dial()
    application.says("/voice", "<Enqueue>x</Enqueue>")
    town.dial()
    answer = requests.get(
        f"{town.simulator.url}/2010-04-01/Accounts/{ACCOUNT}/{path}",
        auth=(ACCOUNT, "the account's token"),
        timeout=20,
    )
    body = json.loads(answer.text)
    (key,) = set(body) - PAGING_KEYS
    assert isinstance(body[key], list)
    assert body[key]


def test_a_failed_rest_call_is_in_the_log_with_its_code(town: Town) -> None:
    refused(lambda: town.client.calls(NOBODY).fetch())
    (line,) = town.get("/simulator/log")["entries"]
    assert (line["kind"], line["method"], line["status"]) == ("rest", "GET", 404)
    assert line["error"]["code"] == 20404
    assert line["call_sid"] == NOBODY


def test_a_client_that_breaks_off_leaves_a_line_and_nothing_else(
    town: Town, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """It promises a hundred bytes, sends a few and is gone; another sends more than is read."""
    where = urllib.parse.urlsplit(town.simulator.url)
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    name = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {name}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
    )
    with socket.create_connection((where.hostname, where.port), timeout=20) as line:
        line.sendall(f"{head}Content-Length: 100\r\n\r\nTo=client".encode())
        line.shutdown(socket.SHUT_WR)
        assert line.recv(9999).startswith(b"HTTP/1.1 400")
    with socket.create_connection((where.hostname, where.port), timeout=20) as line:
        line.sendall(f"{head}Content-Length: 100\r\n\r\nTo=client".encode())
    answer = requests.post(
        f"{town.simulator.url}{path}", data={"To": "x" * 300_000}, auth=(ACCOUNT, TOKEN), timeout=20
    )
    assert answer.status_code == 413
    lines = town.get("/simulator/log?since=2&wait=20")["entries"]
    assert [entry["status"] for entry in town.get("/simulator/log")["entries"]].count(413) == 1
    assert lines
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert "Traceback" not in capfd.readouterr().err
