"""What an application does wrong: the code it gets, what the caller hears, that the call ends."""

import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Response
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml import voice_response

from simulator.interpreter import APOLOGY
from simulator.twiml import TwimlError, parse
from simulator.vocabulary import SHAPES
from tests.simulator.application import Application, Reply
from tests.simulator.town import Town

#: What an application answers, and the number of what is wrong with it.
MISTAKES: tuple[tuple[Reply, int], ...] = (
    ("<Response><Say>Hello</Response>", 12100),
    ("<!DOCTYPE x [<!ENTITY a 'b'>]><Response>&a;</Response>", 12100),
    ("<Reply/>", 12200),
    ("<Shout>Hello</Shout>", 12200),
    ("<say>Hello</say>", 12200),
    ("<Record transcribe='perhaps'/>", 13614),
    ("Hello", 12200),
    ('<Say colour="red">Hello</Say>', 12200),
    ('<Pause length="soon"/>', 13910),
    ('<Gather input="thoughts"/>', 13326),
    ("<Gather><Dial/></Gather>", 13320),
    ('<Enqueue waitUrlMethod="PUT">x</Enqueue>', 14206),
    ("<Enqueue/>", 14204),
    (f"<Enqueue>{'x' * 65}</Enqueue>", 14205),
    ("<Dial><Queue/></Dial>", 14212),
    ('<Dial><Queue url="a b">x</Queue></Dial>', 14211),
    ("<Dial><Conference/></Dial>", 13237),
    ('<Dial><Conference participantLabel="a/b">x</Conference></Dial>', 16023),
    ("<Dial><Sip>ann</Sip></Dial>", 13243),
    ("<Pause><Say>Hello</Say></Pause>", 12200),
    ('<Dial timeout="never">+13125550104</Dial>', 13212),
    ("<Dial><Number>5550104</Number></Dial>", 13223),
    ('<Dial><Conference muted="perhaps">x</Conference></Dial>', 13230),
    ("<Dial><Conference>x</Conference><Number>+13125550104</Number></Dial>", 12200),
    ("<Dial/>", 12200),
    ("<Leave/>", 12200),
    (Response("broken", status=500), 11200),
    (Response("{}", content_type="application/json"), 12300),
    (Response(f"<Response>{' ' * 70_000}</Response>", content_type="text/xml"), 11750),
)


def test_a_mistake_is_logged_heard_and_ends_the_call(town: Town, application: Application) -> None:
    """All in one town: it takes far longer to build than to make a mistake in."""
    for number, (answer, code) in enumerate(MISTAKES):
        application.says("/voice", lambda _, answer=answer: answer)  # type: ignore[misc]
        sid = town.dial()
        town.wait(1)
        assert town.errors()[number:] == [code], answer
        assert town.heard(sid) == [APOLOGY], answer
        assert town.call(sid)["status"] == "completed", answer


def test_plain_text_is_spoken_and_an_empty_document_just_ends(
    town: Town, application: Application
) -> None:
    application.says("/voice", Response("Hello there", content_type="text/plain"))
    assert town.heard(town.dial()) == ["Hello there"]
    application.says("/voice", "<Response/>")
    sid = town.dial()
    assert town.heard(sid) == []
    assert town.call(sid)["status"] == "completed"


def test_the_fallback_is_asked_with_the_error(town: Town, application: Application) -> None:
    application.says("/broken", Response("", status=503))
    application.says("/fallback", "<Say>One moment</Say>")
    sid = town.client.calls.create(
        to="+13125550104",
        from_="+15550100",
        url=application.url("/broken"),
        fallback_url=application.url("/fallback"),
    ).sid
    town.wait(0.2)
    form = application.last("/fallback")
    assert form["ErrorCode"] == "11200"
    assert form["ErrorUrl"] == application.url("/broken")
    assert town.heard(sid) == ["One moment"]


def test_a_relative_address_in_twiml_given_by_rest_is_an_error(
    town: Town, application: Application
) -> None:
    application.says("/voice", '<Pause length="1"/><Say>Hello</Say><Pause length="60"/>')
    sid = town.dial()
    town.wait(2)
    town.client.calls(sid).update(twiml="<Response><Redirect>next</Redirect></Response>")
    town.settle()
    assert town.errors() == [15004]


def test_an_application_that_cannot_be_reached_is_tried_once_more(town: Town) -> None:
    number = town.client.incoming_phone_numbers.list()[0]
    number.update(voice_url="http://127.0.0.1:9/voice")  # nobody listens on the discard port
    sid = town.dial()
    assert town.errors() == [11205]
    assert town.heard(sid) == [APOLOGY]


def test_a_connection_that_breaks_off_is_not_tried_again(town: Town) -> None:
    """Only a connection that was never made is: the other request may have been understood."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        came: list[bytes] = []

        def break_off() -> None:
            connection, _ = server.accept()
            with connection:
                came.append(connection.recv(100))

        thread = threading.Thread(target=break_off)
        thread.start()
        number = town.client.incoming_phone_numbers.list()[0]
        number.update(voice_url=f"http://127.0.0.1:{server.getsockname()[1]}/voice")
        town.dial()
        thread.join()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert came[0].startswith(b"POST /voice")
    assert town.errors() == [11200]


def test_retries_are_ordered_in_the_fragment_which_is_neither_sent_nor_signed(
    town: Town, application: Application
) -> None:
    replies: Iterator[Reply] = iter(
        [Response("", status=500), Response("", status=500), "<Hangup/>"]
    )
    application.says("/voice", lambda _: next(replies))
    number = town.client.incoming_phone_numbers.list()[0]
    number.update(voice_url=application.url("/voice") + "#rc=2&rp=5xx")
    town.dial()
    webhooks = application.at("/voice")
    assert len(webhooks) == 3
    assert len({one.headers["I-Twilio-Idempotency-Token"] for one in webhooks}) == 1
    assert town.errors() == []


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (307, "POST")])
def test_redirects_are_followed_and_signed_anew(
    town: Town, application: Application, status: int, method: str
) -> None:
    application.says("/voice", Response("", status=status, headers={"Location": "/moved/here"}))
    application.says("/moved/here", "<Redirect>beside</Redirect>")
    application.says("/moved/beside", "<Say>Found</Say>")
    sid = town.dial()
    assert application.at("/moved/here")[0].method == method
    assert town.heard(sid) == ["Found"]


def test_a_circle_of_redirects_ends(town: Town, application: Application) -> None:
    application.says("/voice", Response("", status=302, headers={"Location": "/voice"}))
    town.dial()
    assert town.errors() == [11215]


def outcome(text: str) -> int:
    """The number of verbs, or the code with which the text is refused."""
    try:
        return len(parse(text))
    except TwimlError as error:
        return error.code


@given(st.text())
def test_any_text_is_read_or_refused_with_a_code(text: str) -> None:
    assert outcome(text) in (11750, 12100, 12200)


XML_NAMES = st.sampled_from([*SHAPES, "Echo", "b"])
TREES = st.recursive(
    st.builds(lambda name, text: f"<{name}>{text}</{name}>", XML_NAMES, st.sampled_from(["", "x"])),
    lambda inner: st.builds(
        lambda name, children: f"<{name}>{''.join(children)}</{name}>",
        XML_NAMES,
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


@given(TREES)
def test_any_tree_of_verbs_is_read_or_refused_with_a_code(tree: str) -> None:
    assert outcome(f"<Response>{tree}</Response>") in (1, 12200, 13215, 13320)


@pytest.mark.parametrize(
    ("verb", "attributes"),
    [
        (voice_response.Say("x", voice="alice", language="en-GB", loop=2), 3),
        (voice_response.Gather(input="dtmf speech", action="/a", timeout=3, num_digits=1), 4),
        (voice_response.Enqueue("q", action="/a", wait_url="/w", wait_url_method="GET"), 3),
        (voice_response.Reject(reason="busy"), 1),
    ],
)
def test_what_the_official_library_writes_is_understood(
    verb: voice_response.TwiML, attributes: int
) -> None:
    response = voice_response.VoiceResponse()
    response.append(verb)
    (element,) = parse(str(response))
    assert len(element.attributes) == attributes


def test_what_the_official_library_writes_in_a_dial_is_understood() -> None:
    response = voice_response.VoiceResponse()
    dial = response.dial(answer_on_bridge=True, time_limit=60, action="/a")
    dial.conference(
        "room",
        beep="onEnter",
        start_conference_on_enter=True,
        end_conference_on_exit=False,
        status_callback="/s",
        status_callback_event="start end join leave",
        participant_label="customer",
        wait_url="",
    )
    (element,) = parse(str(response))
    (noun,) = element.children
    assert noun.flag("startConferenceOnEnter", default=False)
    assert noun.get("waitUrl") == ""
