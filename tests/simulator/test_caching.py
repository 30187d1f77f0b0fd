"""What Twilio asks for by GET and may keep is not asked for again, as HTTP says."""

from datetime import timedelta

import pytest
from flask import Response
from werkzeug.http import http_date, parse_date

from tests.simulator.application import Application, Received
from tests.simulator.town import Town

ROUND = '<Say>Hold on</Say><Pause length="9"/><Redirect method="GET">menu</Redirect>'
IN_A_MINUTE = "in a minute"
DATE = "Tue, 01 Dec 2026 00:00:00 GMT"


def document(headers: dict[str, str], verbs: str = ROUND, status: int = 200) -> Response:
    if headers.get("Expires") == IN_A_MINUTE:  # of the server, which sends its own date along
        now = parse_date(http_date())
        assert now is not None
        headers = {"Expires": http_date(now + timedelta(minutes=1))}
    text = f"<Response>{verbs}</Response>"
    return Response(text, status=status, content_type="text/xml", headers=headers)


@pytest.fixture(autouse=True)
def _lead_to_the_menu(application: Application) -> None:
    # It answers first, since a call that still rings has other parameters.
    application.says("/voice", '<Say></Say><Redirect method="GET">menu</Redirect>')


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "max-age=60"},
        {"Cache-Control": "max-age=5, s-maxage=60", "Vary": "Accept-Encoding"},
        {"Cache-Control": "public, max-age=90", "Age": "30"},
        {"Expires": IN_A_MINUTE},
    ],
)
def test_a_document_is_asked_for_once_as_long_as_it_is_good(
    town: Town, application: Application, headers: dict[str, str]
) -> None:
    application.says("/menu", lambda _: document(headers))
    sid = town.dial()
    town.wait(55)
    assert len(application.at("/menu")) == 1
    assert town.heard(sid).count("Hold on") == 6
    town.wait(15)
    assert len(application.at("/menu")) == 2
    [asked, *again] = [
        line for line in town.get("/simulator/log")["entries"] if "/menu" in str(line["url"])
    ][:6]
    assert asked["duration_ms"] is not None
    assert {line["duration_ms"] for line in again} == {None}, "nothing went over the wire"
    assert all("Hold on" in line["answer"] for line in again)


def test_what_is_kept_is_kept_for_that_call_and_its_very_parameters(
    town: Town, application: Application
) -> None:
    """They are a part of the URL."""
    application.says("/menu", lambda _: document({"Cache-Control": "max-age=60"}))
    town.dial()
    town.dial()
    town.wait(15)
    assert len(application.at("/menu")) == 2


@pytest.mark.parametrize(
    ("mark", "condition"),
    [({"ETag": '"one"'}, "If-None-Match"), ({"Last-Modified": DATE}, "If-Modified-Since")],
)
def test_a_document_with_a_mark_is_asked_for_only_if_it_has_changed(
    town: Town, application: Application, mark: dict[str, str], condition: str
) -> None:
    [value] = mark.values()

    def unless_known(received: Received) -> Response:
        if received.headers.get(condition) == value:
            return Response("", status=304, headers=mark)
        return document({**mark, "Cache-Control": "no-cache"})

    application.says("/menu", unless_known)
    sid = town.dial()
    town.wait(25)
    assert [one.headers.get(condition) for one in application.at("/menu")] == [None, value, value]
    assert town.heard(sid).count("Hold on") == 3
    assert town.errors() == []
    application.says("/menu", lambda _: document({}, '<Say>News</Say><Pause length="60"/>'))
    town.wait(10)
    assert town.heard(sid)[-1] == "News"


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({}, "GET"),
        ({"Cache-Control": "max-age=60"}, "POST"),
        ({"Cache-Control": "no-store, max-age=60", "ETag": '"one"'}, "GET"),
        ({"Cache-Control": "private, max-age=60"}, "GET"),
        ({"Cache-Control": "max-age=60", "Vary": "Cookie"}, "GET"),
        ({"Cache-Control": "max-age=60", "Set-Cookie": "seen=1"}, "GET"),
        ({"Expires": "0"}, "GET"),
        ({"Cache-Control": "max-age=soon"}, "GET"),
    ],
)
def test_what_may_not_be_kept_is_asked_for_each_time(
    town: Town, application: Application, headers: dict[str, str], method: str
) -> None:
    verbs = ROUND.replace("GET", method)
    application.says("/voice", f'<Redirect method="{method}">menu</Redirect>')
    application.says("/menu", lambda _: document(headers, verbs))
    town.dial()
    town.wait(25)
    assert len(application.at("/menu")) == 3
    conditions = {"If-None-Match", "If-Modified-Since"}
    assert not any(conditions & set(one.headers) for one in application.at("/menu"))


def test_a_mistake_is_not_kept(town: Town, application: Application) -> None:
    application.says("/menu", lambda _: document({"Cache-Control": "max-age=60"}, "", 500))
    first = town.client.calls.create(
        from_="+15550100", to="client:ann", url=application.url("/menu"), method="GET"
    )
    town.wait(1)
    assert town.heard(first.sid)[-1].startswith("We are sorry")
    assert town.errors() == [11200]
